"""The editions of a job: what was bought for it, again and again, and which of these is its own now. Pure.

They ask for the same and differ by their ordinals. The record of the first, the head, says in which order the
others were asked for, or made the job's own again; nothing else does, and no other job takes one of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from batchgen.model import JobKey
from batchgen.planning.yields import is_young
from batchgen.record import DONE, Record, State


class Bought(NamedTuple):
    """One edition, with what is on record of it."""

    key: JobKey
    record: Record


class Editions(NamedTuple):
    """The editions of one job.

    Attributes:
        all: their keys, in the order in which they were first asked for; the head is the first.
        newest: which one was asked for last: it is bought, carried to its end, or tried again.
        current: whose assets are the job's own; the newest, or another as long as that has brought none.
    """

    all: tuple[JobKey, ...]
    newest: JobKey
    current: JobKey


def editions_of(head: JobKey, records: Mapping[JobKey, Record]) -> Editions:
    """Return the editions of the job whose first one is given; it must be on record.

    One that was given up counts as never asked for.
    """
    asked = [head, *(JobKey(head.content, ordinal) for ordinal in records[head].editions)]
    order = list(asked)
    while len(order) > 1 and _state(order[-1], records) is State.ABANDONED:
        order.pop()
    newest = order[-1]
    return Editions(tuple(dict.fromkeys(asked)), newest, _current(order, records))


def _current(order: list[JobKey], records: Mapping[JobKey, Record]) -> JobKey:
    newest, before = order[-1], order[-2::-1]
    if newest in records and has_arrived(records[newest]):
        return newest
    arrived = (one for one in before if one in records and has_arrived(records[one]))
    done = (one for one in before if _state(one, records) in DONE)
    return next(arrived, None) or next(done, newest)


def has_arrived(record: Record) -> bool:
    """Return whether an edition has brought what the job is to have: from then on it is the job's own."""
    return record.state is State.COLLECTED and bool(record.asset_ids)


def came_to_nothing(record: Record, *, now: float) -> bool:
    """Return whether nothing will come of an edition: it failed, or has shown no asset for long.

    Args:
        record: of the edition.
        now: seconds since the epoch.
    """
    if record.state in OVER_IN_VAIN:
        return True
    return record.state in DONE and not record.asset_ids and not is_young(record, now=now)


OVER_IN_VAIN = frozenset({State.FAILED, State.REFUSED, State.CANCELED})


def _state(key: JobKey, records: Mapping[JobKey, Record]) -> State:
    return records[key].state if key in records else State.PLANNED


class Shelf:
    """All editions among some records.

    Attributes:
        records: these.
    """

    def __init__(self, records: Mapping[JobKey, Record]) -> None:
        """Look through the records once: nearly all have none but themselves."""
        self.records = records
        heads = [key for key, one in records.items() if one.editions]
        self._of = {key: editions_of(key, records) for key in heads}
        self._heads = {key: head for head, one in self._of.items() for key in one.all}
        self._ordinals: dict[str, set[int]] = {}
        for key in self._heads:
            self._ordinals.setdefault(key.content, set()).add(key.ordinal)

    def __bool__(self) -> bool:
        """Return whether any job has more than one."""
        return bool(self._of)

    def of(self, key: JobKey) -> Editions:
        """Return the editions of the job that has this one."""
        head = self.head(key)
        return self._of[head] if head in self._of else Editions((key,), key, key)

    def head(self, key: JobKey) -> JobKey:
        """Return the first edition of the job that has this one."""
        return self._heads.get(key, key)

    def is_later(self, key: JobKey) -> bool:
        """Return whether it is no first one."""
        return self.head(key) != key

    def ordinals(self, content: str) -> frozenset[int]:
        """Return the ordinals that are taken by editions, whether or not anything is on record of them."""
        return frozenset(self._ordinals.get(content, ()))

    def beside(self) -> frozenset[JobKey]:
        """Return the editions that are not their jobs' own."""
        return frozenset(key for one in self._of.values() for key in one.all if key != one.current)

    def wanted(self) -> list[JobKey]:
        """Return the editions that are asked for and have not arrived."""
        return [one.newest for one in self._of.values() if one.newest != one.current]


class AskedFor:
    """Editions that a run is to buy, which a person may take back while it goes on."""

    def __init__(self, keys: Collection[JobKey], records: Mapping[JobKey, Record]) -> None:
        """Take those that are the newest of their jobs now; nothing is looked up where there are none."""
        shelf = Shelf(records if keys else {})
        self._heads = {key: shelf.head(key) for key in keys}

    def is_taken_back(self, key: JobKey, records: Mapping[JobKey, Record]) -> bool:
        """Return whether another edition is to be the job's own by now."""
        return key in self._heads and editions_of(self._heads[key], records).newest != key


def free_ordinal(content: str, taken: Iterable[JobKey], shelf: Shelf) -> int:
    """Return an ordinal that no job has, or has ever had.

    Args:
        content: what is asked for.
        taken: the keys that jobs have, on record or not.
        shelf: the editions.
    """
    used = {one.ordinal for one in taken if one.content == content} | shelf.ordinals(content)
    return max(used, default=-1) + 1


def unlinked(records: Mapping[JobKey, Record]) -> Iterator[tuple[JobKey, int]]:
    """Return the editions that no first one tells of: that one, and the ordinal of each, in their order.

    No two jobs of a manifest have one id, so what asks for the same under the same id is of the same job.
    """
    shelf = Shelf(records)
    jobs: dict[tuple[str, str], list[JobKey]] = {}
    for key, record in records.items():
        is_bought = record.submissions and record.state is not State.ABANDONED
        if is_bought and record.job is not None and not shelf.is_later(key):
            jobs.setdefault((key.content, record.job.id), []).append(key)
    for keys in jobs.values():
        yield from _of_one_job(keys, records)


def _of_one_job(keys: Sequence[JobKey], records: Mapping[JobKey, Record]) -> Iterator[tuple[JobKey, int]]:
    done = [key for key in keys if records[key].state in DONE]
    if len(keys) > 1 and done:
        head = min(done, key=lambda key: (not records[key].editions, key.ordinal))
        others = (key for key in keys if key != head and not records[key].editions)
        yield from ((head, one.ordinal) for one in sorted(others, key=lambda key: key.ordinal))
