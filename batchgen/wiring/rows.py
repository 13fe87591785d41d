"""What results say of the jobs of a batch, a row each, made when it is asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, overload

from batchgen.engine.outcome import EngineOutcome
from batchgen.model import JobKey
from batchgen.output.entries import Parent, Row, Words
from batchgen.planning.chains import Typed, blocks_of, parents_of
from batchgen.planning.editions import Bought
from batchgen.planning.marks import Marks
from batchgen.planning.plan import Entry, Plan
from batchgen.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class OfBatch:
    """What the rows of a batch have in common.

    Attributes:
        plan: of the batch.
        records: what is on record of it now.
        lost: assets whose files were on the disk and are not.
        home: the folder of the results, relative to the batch's; empty for a batch without slots.
        typed: gives a command on the batch, as people are told to type it.
        marks: what a person says of what came out.
    """

    plan: Plan
    records: Mapping[JobKey, Record]
    lost: frozenset[str]
    home: str
    typed: Typed
    marks: Marks


class Rows(Sequence[Row]):
    """What the results say of some jobs of a batch, made when it is asked for.

    What the journal says of them is that of the moment when this was made. A hundred thousand rows
    held at once would be as large as the manifest's own jobs.
    """

    def __init__(
        self,
        of: OfBatch,
        entries: Sequence[Entry],
        ending: EngineOutcome,
        *,
        words: Words | None = None,
        earlier: Iterable[Row] = (),
        plan: Plan | None = None,
    ) -> None:
        """Take the jobs.

        Args:
            of: what they have in common.
            entries: of its plan: all that the manifest has, in its order, all that it has no more, or all
                that are other editions.
            ending: what the run came to.
            words: what the manifest says of its jobs; None for jobs that it has no more.
            earlier: the rows of other editions, and of what the manifest has no more, oldest first.
            plan: whose entries they are, as of now; None for what the manifest has no more.
        """
        self._plan = plan
        self._typed = of.typed
        self._marks = of.marks
        self._names = _names_of(of.plan)
        self._entries = entries
        records = of.records
        self._records = tuple(records.get(one.key, one.record) for one in entries)
        asked = ((place, one) for place, one in enumerate(entries) if one.stands is not None)
        self._redone = {place: one.as_of(records) for place, one in asked}
        self._lost = of.lost
        self._ending = ending
        self._words = words
        self._home = of.home
        self._marks = of.marks
        self._earlier: dict[str, tuple[Row, ...]] = {}
        for row in earlier:
            self._earlier[row.job.id] = (row, *self._earlier.get(row.job.id, ()))

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, self._entries, self._records, count())

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        index = range(len(self))[at]
        return self._row(self._entries[index], self._records[index], index)

    def _row(self, entry: Entry, record: Record, index: int) -> Row:
        """Return what is said of a job: of one that is made again it is the edition that is its own."""
        entry = self._redone.get(index, entry)
        row = self._of_edition(entry, Bought(entry.key, record), index)
        if entry.stands is None:
            return row
        return replace(self._of_edition(entry, entry.stands, index), waits_for=(), blocked="", redo=row)

    def _of_edition(self, entry: Entry, bought: Bought, index: int) -> Row:
        (key, record), ending = bought, self._ending
        return Row(
            job=entry.job,
            key=key,
            record=record,
            out_of_sight=key in ending.out_of_sight,
            accepted=entry.accepted,
            absent=self._lost if key in ending.vanished else _NOTHING,
            missing=ending.missing.get(key, "") if ending.missing else "",
            words=self._words,
            index=index,
            earlier=[one for one in self._earlier.get(entry.job.id, ()) if one.key != key],
            home=self._home,
            parents=[Parent(*one) for one in parents_of(entry.job, record, self._names)],
            marks=self._marks,
            **self._waits(index),
        )

    def _waits(self, index: int) -> dict[str, Any]:
        """Return which parents a job waits for, and why one blocks it."""
        if self._plan is None or index not in self._plan.waits:
            return {}
        blocks = blocks_of(self._plan, index)
        return {
            "waits_for": tuple(one.job.id for one in self._plan.waits_for(index)),
            "blocked": "" if blocks is None else blocks.reason(self._typed),
        }


def _names_of(plan: Plan) -> dict[JobKey, str]:
    """Return what jobs are called, by the keys of all their editions."""
    names = {plan.entries[one].key: plan.entries[one].job.id for one in plan.lineage.children}
    return names | {one.key: one.job.id for one in plan.earlier}


_NOTHING: frozenset[str] = frozenset()


class SomeRows(Sequence[Row]):
    """The rows of selected jobs among all of them."""

    def __init__(self, rows: Sequence[Row], entries: Sequence[Entry]) -> None:
        self._rows = rows
        self._places = [place for place, one in enumerate(entries) if one.selected]

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if isinstance(at, slice):
            return [self._rows[place] for place in self._places[at]]
        return self._rows[self._places[at]]
