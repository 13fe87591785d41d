"""Ids, each once: two alike of the user's own are a mistake, those we make get a number.

Where one id was made of two different texts, nobody made a mistake: the later one gets a short hash of
what its job says, so that it does not depend on its place. A number tells those apart that say the same.
Ids are compared without their case, because the file systems of two of three desktops do.
"""

from collections.abc import Sequence
from typing import NamedTuple

from batchgen.manifest.naming import LONG, with_hash


class Owner(NamedTuple):
    """Who has an id.

    Attributes:
        job: the job's number in the batch.
        entry: the number of its entry in the manifest.
        explicit: whether the user wrote the id, or at least its beginning.
        written: the user's own text, where the id was made of it and is another; empty otherwise.
    """

    job: int
    entry: int
    explicit: bool
    written: str = ""


class Ids:
    """The ids given out so far."""

    def __init__(self) -> None:
        self._taken: dict[str, Owner] = {}
        self._next: dict[str, int] = {}

    def owner(self, name: str) -> Owner | None:
        """Return who has an id, None where nobody has."""
        return self._taken.get(name.lower())

    def is_free(self, name: str) -> bool:
        """Return whether nobody has an id."""
        return name.lower() not in self._taken

    def take(self, name: str, owner: Owner, *, turn: int, exact: bool) -> str | Owner:
        """Return a job its id, or say who has it where neither may be renamed.

        Args:
            name: the id it should have.
            owner: the job.
            turn: which repeat it is; from the second on the number is part of the id.
            exact: whether the user wrote all of the id.
        """
        wanted = name if turn == 1 else f"{name}-{turn}"
        other = self._taken.get(wanted.lower())
        if other is not None and owner.explicit and other.explicit and owner.written != other.written:
            name = with_hash(name, owner.written or name)
            wanted = name if turn == 1 else f"{name}-{turn}"
            wanted = self._numbered(name) if wanted.lower() in self._taken else wanted
        elif other is not None:
            if owner.explicit and (exact or other.entry != owner.entry or not other.explicit):
                return other
            wanted = self._numbered(name)
        self._taken[wanted.lower()] = owner
        return wanted

    def _numbered(self, name: str) -> str:
        number = self._next.get(name.lower(), 2)
        while f"{name}-{number}".lower() in self._taken:
            number += 1
        self._next[name.lower()] = number + 1
        return f"{name}-{number}"


def distinct(labels: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Tell labels apart: the first of those alike is left, the others get a short hash of their texts.

    Args:
        labels: words in small letters.
        texts: what each was made of, all different.
    """
    taken: set[str] = set()
    result = []
    for one, text in zip(labels, texts, strict=True):
        tries = (one, with_hash(one, text), with_hash(one, text, LONG))
        name = next(made for made in tries if made not in taken)
        taken.add(name)
        result.append(name)
    return result
