"""What the jobs of a batch can be found by: the manifest's words of them, and where the journal has them."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from batchgen.lifecycle import Record, State
from batchgen.manifest.source.scalars import text_of
from batchgen.manifest.values import Manifest
from batchgen.model import JobKey, Json
from batchgen.output.entries import Row, Status, status_of
from batchgen.planning.conditions import Facts, Known
from batchgen.planning.lanes import Lane
from batchgen.planning.make_plan import entries_on_record
from batchgen.planning.marks import NO_MARKS, Mark, Marks, mark_of
from batchgen.planning.plan import Entry, Plan, Standing
from batchgen.planning.selection import JobSelection, holding
from batchgen.planning.stages import Stage, stage_of
from batchgen.planning.undecided import Undecided

_ALSO = frozenset(
    {Standing.NEW, Standing.CHANGED, Standing.REDO}
)  # why a job is not bought, as a plan says it


def _as_word(stage: str) -> str:
    return stage.replace(" ", "_")


# Those of results first; what they say otherwise than every count does keeps the meaning of results.
STATUSES = tuple(dict.fromkeys(map(_as_word, (*Status, *Stage, *_ALSO, Lane.WAITING))))


def is_out_of_sight(record: Record, timeout: float | None, *, now: float) -> bool:
    """Return whether a job is paid for and has outlasted its timeout without an end.

    Args:
        record: what the journal says of it.
        timeout: the manifest's, in seconds; None where it leaves it to the default.
        now: seconds since the epoch.
    """
    if record.state is not State.RUNNING or (paid := record.submission) is None:
        return False
    from batchgen.engine.policy import Policy  # noqa: PLC0415 - few ask for this, and it brings what looks

    return now - paid.at >= Policy(timeout=timeout).timeout_of(None)


class _Job:
    """One job; what it has is looked up when it is asked for."""

    __slots__ = ("_assets", "_entry", "_index", "_lane", "_late", "_manifest", "_marks", "_variables")

    def __init__(
        self,
        entry: Entry,
        late: Callable[[Record], bool],
        manifest: Manifest | None = None,
        index: int = 0,
        lane: Lane = Lane.READY,
        *,
        marks: Marks = NO_MARKS,
        assets: Collection[str] | None = None,
    ) -> None:
        self._assets = entry.current.record.asset_ids if assets is None else assets
        self._entry = entry
        self._marks = marks
        self._lane = lane
        self._late = late
        self._manifest = manifest
        self._index = index
        self._variables: Mapping[str, Json] | None = None

    @property
    def id(self) -> str:
        return self._entry.job.id

    @property
    def entry(self) -> str:
        return "" if self._manifest is None else self._manifest.entry(self._index)

    @property
    def model(self) -> str:
        return self._entry.job.model

    @property
    def tags(self) -> Collection[str]:
        return () if self._manifest is None else self._manifest.tags(self._index)

    @property
    def statuses(self) -> Collection[str]:
        return _statuses(self._entry, late=self._late(self._entry.record), lane=self._lane)

    @property
    def assets(self) -> Collection[str]:
        return self._assets

    @property
    def mark(self) -> Mark | None:
        return mark_of(self.assets, self._marks)

    @property
    def variables(self) -> Mapping[str, Json]:
        if self._variables is None:
            self._variables = {} if self._manifest is None else self._manifest.variables(self._index)
        return self._variables

    def value(self, name: str) -> str | None:
        found = self.variables
        return _text(found[name]) if name in found else None


def _text(value: Json) -> str:
    """Return a value as a person reads it: ``7``, ``true``; of what has no place in a text, its JSON."""
    if value is None:
        return ""
    try:
        return text_of(value)
    except ValueError:
        return json.dumps(value, ensure_ascii=False)


def _statuses(entry: Entry, *, late: bool, lane: Lane) -> tuple[str, ...]:
    """Return the words for where a job stands; of one that is made again those of both editions."""
    if entry.stands is None:
        return _of_edition(entry, late=late, lane=lane)
    now = replace(entry, key=entry.stands.key, record=entry.stands.record, stands=None)
    both = (*_of_edition(now, late=False, lane=Lane.READY), *_of_edition(entry, late=late, lane=lane))
    return tuple(dict.fromkeys(both))


def _of_edition(entry: Entry, *, late: bool, lane: Lane) -> tuple[str, ...]:
    blocked = str(lane) if lane is Lane.BLOCKED else ""
    own = status_of(
        Row(job=entry.job, key=entry.key, record=entry.record, out_of_sight=late, blocked=blocked)
    )
    stage = stage_of(entry.record)
    if stage is Stage.DONE and entry.vanished:
        stage = Stage.FILES_MISSING
    found = [str(own)]
    found += [word] if (word := _as_word(stage)) not in set(Status) else []
    if stage is Stage.NOT_BOUGHT and entry.standing in _ALSO:
        found.append(str(entry.standing))
    found += [str(lane)] if lane is Lane.WAITING else []
    return tuple(found)


class _Jobs:
    """The jobs of a plan, made one at a time."""

    def __init__(
        self,
        entries: Sequence[Entry],
        late: Callable[[Record], bool],
        *,
        manifest: Manifest | None = None,
        removed: Sequence[Entry] = (),
        lane_of: Callable[[int], Lane] = lambda _: Lane.READY,
        marks: Marks = NO_MARKS,
    ) -> None:
        self._marks = marks
        self._lane_of = lane_of
        self._entries = entries
        self._late = late
        self._manifest = manifest
        self._removed = removed

    def __iter__(self) -> Iterator[Facts]:
        for index, one in enumerate(self._entries):
            lane = self._lane_of(index)
            yield _Job(one, self._late, self._manifest, index, lane, marks=self._marks)
        for one in self._removed:
            yield _Job(one, self._late, marks=self._marks)


def known_jobs(
    plan: Plan,
    manifest: Manifest,
    *,
    now: float,
    removed: bool = True,
    marks: Marks = NO_MARKS,
    undecided: Iterable[Undecided] = (),
) -> Known:
    """Return the jobs of a plan as words find them: those of the manifest, then what it names no longer.

    Args:
        plan: the manifest in the light of the journal.
        manifest: whose words they are.
        now: seconds since the epoch.
        removed: whether what the manifest names no longer can be meant.
        marks: what a person says of what came out.
        undecided: the jobs that plan and manifest are without, as they wait for a mark.
    """

    def late(record: Record) -> bool:
        return is_out_of_sight(record, manifest.timeout, now=now)

    gone = plan.removed if removed else ()
    jobs = _Jobs(plan.entries, late, manifest=manifest, removed=gone, lane_of=plan.lane_of, marks=marks)
    waits = {one.job: one.parent.job.id for one in undecided}
    return Known(jobs=jobs, statuses=STATUSES, undecided=waits)


def assets_meant(
    words: JobSelection, plan: Plan, manifest: Manifest, *, now: float, marks: Marks
) -> Callable[[int, str], bool]:
    """Return what says of one asset of a job whether it is meant: marks stand on assets.

    Args:
        words: by which jobs were selected; none for all.
        plan: with the jobs.
        manifest: whose words they are.
        now: seconds since the epoch.
        marks: what a person says of what came out.

    Returns:
        What takes the number of a job of the manifest, and one of its assets.
    """
    if not words:
        return lambda _index, _asset: True
    holds = holding(words, known_jobs(plan, manifest, now=now, marks=marks))

    def late(record: Record) -> bool:
        return is_out_of_sight(record, manifest.timeout, now=now)

    def is_meant(index: int, asset_id: str) -> bool:
        entry, lane = plan.entries[index], plan.lane_of(index)
        return holds(_Job(entry, late, manifest, index, lane, marks=marks, assets=(asset_id,)))

    return is_meant


def known_records(
    records: Mapping[JobKey, Record], *, why: str, now: float, marks: Marks = NO_MARKS
) -> tuple[Known, Sequence[JobKey]]:
    """Return the jobs on record as words find them where there is no manifest, and their keys in order.

    Args:
        records: the journal's.
        why: there is no manifest.
        now: seconds since the epoch.
        marks: what a person says of what came out.
    """

    def late(record: Record) -> bool:
        return is_out_of_sight(record, None, now=now)

    entries = tuple(entries_on_record(records))
    known = Known(
        jobs=_Jobs(entries, late, marks=marks), statuses=STATUSES, without_manifest=why, where="on record"
    )
    return known, [one.key for one in entries]
