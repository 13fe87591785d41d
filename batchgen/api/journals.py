"""A journal on PostgreSQL as a place: made, looked at, and filled from another one."""

from typing import TYPE_CHECKING

from batchgen.errors import InputError
from batchgen.wiring.options import Options

if TYPE_CHECKING:
    from batchgen.journal.copying import Copied
    from batchgen.journal.health import Health
    from batchgen.journal.store import ServerStore


def prepare_journal(options: Options, *, lease: float | None = None) -> "Health":
    """Make the tables of a journal in its database, where they are not there yet, and look at it.

    Args:
        options: which database.
        lease: seconds that a lease of a batch lasts, for all hosts; None leaves it as it is, 30 at first.

    Raises:
        InputError: it is a file, or the database is wrong or cannot be relied on.
        JournalAwayError: the database does not answer.
        JournalError: the tables cannot be made, or are of another version.
    """
    store = _server_of(options)
    store.prepare(lease=lease)
    return store.health()


def journal_health(options: Options) -> "Health":
    """Look at the database of a journal; nothing is changed.

    Raises:
        InputError: it is a file, or there is no such database.
        JournalAwayError: the database does not answer.
    """
    return _server_of(options).health()


def copy_journal(options: Options, source: str, target: str) -> "Copied":
    """Copy a whole journal into another one, in which its batches go on; see ``journal.copying``.

    Args:
        options: where the output folder is.
        source: from where: the URL of a database, or an output folder.
        target: where to, the same.

    Raises:
        InputError: a place is none, there is nothing to copy, or the target has some of it.
        BatchLockedError: a run holds one of the batches.
        JournalAwayError: a database does not answer.
        JournalError: one of the two cannot be read or written.
    """
    # the tables are spoken to by nothing else that is loaded here
    from batchgen.journal.copying import copy_journal as copied  # noqa: PLC0415

    places = [options.of_journal(one) for one in (source, target)]
    if places[0].journal is places[1].journal:
        raise InputError(f"{places[0].journal}: the two are one journal: nothing was copied")
    return copied(places[0].journal, places[1].journal, at=places[1].clock.now())


def _server_of(options: Options) -> "ServerStore":
    from batchgen.journal.store import ServerStore  # noqa: PLC0415 - as above

    store = options.journal
    if not isinstance(store, ServerStore):
        raise InputError(_NO_ADDRESS)
    return store


_NO_ADDRESS = (
    "name a journal on PostgreSQL: --journal postgresql://USER@HOST/DATABASE, or set BATCHGEN_JOURNAL. A "
    "file needs neither: a run makes it"
)
