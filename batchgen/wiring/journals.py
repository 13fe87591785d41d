"""The stores of journals that a command uses: one for each place, which holds its lease and its clock."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchgen.journal.store import JournalStore

JOURNAL_NAME = "BATCHGEN_JOURNAL"  # the variable of the environment


class Journals:
    """Makes the store of each place once, when it is asked for first."""

    def __init__(self, make: "Callable[[str, Path], JournalStore] | None" = None) -> None:
        """Begin without any.

        Args:
            make: gives the store of an address and an output folder; None for what the address means.
        """
        self._make = make
        self._made: dict[tuple[str, Path], JournalStore] = {}

    def at(self, address: str, folder: Path) -> "JournalStore":
        """Return the store of a place.

        Args:
            address: the URL of a database; empty for the file of the folder.
            folder: the output folder.

        Raises:
            InputError: the address is none, or what speaks to it is not installed.
        """
        place = address, folder
        if place not in self._made:
            # of two threads that come at once both get the same
            self._made.setdefault(place, self._store_of(address, folder))
        return self._made[place]

    def _store_of(self, address: str, folder: Path) -> "JournalStore":
        if self._make is not None:
            return self._make(address, folder)
        from batchgen.journal.stores import store_of  # noqa: PLC0415 - a manifest is checked without a journal

        return store_of(address, folder)
