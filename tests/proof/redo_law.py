"""What must be true of jobs that are made again. Pure: it reads the records, and folds notes by itself.

A family is a job's first purchase with all that was asked for in its place; its records differ by their
ordinals. That rows at the service are paid for once holds for each of them as for all jobs.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from batchgen.identity import references_of
from batchgen.lifecycle import DONE, Event, RedoAsked, Restored, State, SubmitStarted
from batchgen.model import JobKey
from batchgen.planning.plan import Entry
from batchgen.record import Record

_BAD = frozenset({State.FAILED, State.CANCELED, State.REFUSED, State.HELD, State.ABANDONED})
IN_VAIN = frozenset({State.FAILED, State.CANCELED, State.REFUSED})
_OVER = IN_VAIN | {State.COLLECTED}
_UNDER_WAY = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING, State.SUCCEEDED, State.HELD})
_NOTHING = Record()

Records = Mapping[JobKey, Record]


class Family(NamedTuple):
    """One job's purchases.

    Attributes:
        order: the first one, and then as people asked for them or took them back.
    """

    order: tuple[JobKey, ...]

    @property
    def head(self) -> JobKey:
        return self.order[0]

    @property
    def newest(self) -> JobKey:
        return self.order[-1]

    def current(self, records: Records) -> JobKey:
        """Return the latest in order that has brought something.

        Until one has, it is the latest that ended well before the newest was asked for.
        """
        come = (key for key in reversed(self.order) if has_come(records.get(key, _NOTHING)))
        ended = (key for key in self.order[-2::-1] if _has_ended_well(records.get(key, _NOTHING)))
        return next(come, None) or next(ended, self.newest)


def has_come(record: Record) -> bool:
    """Return whether its files are there, one at least."""
    return record.state is State.COLLECTED and bool(record.asset_ids)


def _has_ended_well(record: Record) -> bool:
    return record.state in DONE


class Families:
    """All of them, each under every one of its keys."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._of: dict[JobKey, Family] = {}
        for head, one in records.items():
            if one.editions:
                family = Family((head, *(JobKey(head.content, nth) for nth in one.editions)))
                self._of.update(dict.fromkeys(family.order, family))

    def __bool__(self) -> bool:
        return bool(self._of)

    def __getitem__(self, key: JobKey) -> Family:
        return self._of.get(key) or Family((key,))

    def head(self, key: JobKey) -> JobKey:
        return self[key].head

    @property
    def keys(self) -> frozenset[JobKey]:
        """All purchases of jobs that are made again, on record or not."""
        return frozenset(self._of)

    def state(self, key: JobKey) -> State:
        return self.records.get(key, _NOTHING).state


def redos_asked(records: Records, contents: Mapping[JobKey, str], known: Mapping[str, int]) -> Counter[str]:
    """Count by what they ask for how many more people asked for.

    Args:
        records: the journal's.
        contents: what each asks for, told without what the program calls it.
        known: how many by what the program calls it, where the journal may not know all.
    """
    noted: Counter[str] = Counter()
    for head, one in records.items():
        noted[head.content] += len(set(one.editions) - {head.ordinal})
    plain = {key.content: asked for key, asked in contents.items()}
    found: Counter[str] = Counter()
    for content in {*noted, *known}:
        found[plain.get(content, content)] += max(noted[content], known.get(content, 0))
    return found


def noted_wrong(notes: Mapping[JobKey, Sequence[Event]], records: Records) -> Iterator[str]:
    """Say what is wrong with what is put on record of a person's command, by the records before it."""
    families = Families(records)
    known = {*records, *families.keys}
    for head, events in notes.items():
        for one in events:
            if isinstance(one, RedoAsked):
                key = JobKey(head.content, one.ordinal)
                yield from _asked_wrong(head, key, families, known)
                known.add(key)
            elif isinstance(one, Restored):
                yield from _restored_wrong(JobKey(head.content, one.ordinal), families[head], records)


def _asked_wrong(head: JobKey, key: JobKey, families: Families, known: set[JobKey]) -> Iterator[str]:
    family = families[head]
    newest = families.records.get(family.newest, _NOTHING)
    if family.head != head:
        yield f"{head} is noted to be made again, which is no first one"
    if key in known:
        yield f"{key} is asked for again"
    if family.newest != family.current(families.records) and newest.state not in _OVER:
        yield f"{head} is made again while its last one is {newest.state}"
    elif newest.state not in DONE | IN_VAIN:
        yield f"{head} is made again while it is {newest.state}"


def _restored_wrong(key: JobKey, family: Family, records: Records) -> Iterator[str]:
    newest = records.get(family.newest, _NOTHING)
    if key not in family.order:
        yield f"{family.head} gets {key} back, which it never had"
    if newest.state in _UNDER_WAY:
        yield f"{key} is given back while the last one is {newest.state}"
    if not _has_ended_well(records.get(key, _NOTHING)):
        yield f"{key} is given back, which has brought nothing"


def leaves_wrong(key: JobKey, event: SubmitStarted, records: Records, began: Records) -> Iterator[str]:
    """Say what is wrong with a purchase at its intent, of jobs that are made again and of what they feed.

    Args:
        key: the job's.
        event: the intent.
        records: as they are.
        began: as they were when the run made its plan: what was noted since is for its next round.
    """
    families, before = Families(records), Families(began)
    if not families:
        return
    if families[key].newest != key:
        yield f"{key} is bought, though {families[key].newest} is to be the job's"
    if records.get(
        key, _NOTHING
    ).absences:  # the service may have had these very bytes: they stay as they are
        return
    is_again = families.head(key) != key
    for one in references_of(event.job):
        if one.key is None:
            continue
        parents = {families[one.key], before[one.key]}
        if not any(_may_feed(one.key, parent, families, is_again=is_again) for parent in parents):
            what = ", ".join(str(parent.newest) for parent in parents)
            yield f"{key} is bought with what came out of {one.key}, and is to have that of {what}"


def _may_feed(key: JobKey, parent: Family, families: "Families", *, is_again: bool) -> bool:
    """Return whether a purchase may go into a child.

    The newest may. What the job had before goes into a child that was never bought, once the newest came to
    nothing, or cannot be bought.
    """
    if key == parent.newest:
        return True
    newest = families.records.get(parent.newest, _NOTHING)
    is_lost = newest.state in IN_VAIN or _is_blocked(parent, families)
    is_lost |= newest.state in DONE and not newest.asset_ids  # which it may not show before long
    return not is_again and is_lost and key == parent.current(families.records)


def _is_blocked(family: Family, families: "Families") -> bool:
    """Return whether what goes into the newest of a job will not come, however far back."""
    job = families.records[family.head].job
    if families.state(family.newest) is not State.PLANNED or job is None:
        return False
    parents = [families[one.key] for one in references_of(job) if one.key is not None]
    return any(families.state(one.newest) in _BAD or _is_blocked(one, families) for one in parents)


def breaches_of_redos(
    records: Records,
    history: Sequence[tuple[JobKey, Event]],
    asked_at: Mapping[JobKey, Collection[str]],
    *,
    lost: bool = False,
) -> Iterator[str]:
    """Say what is wrong with the purchases of jobs that are made again, after a run.

    Args:
        records, history: the journal's.
        asked_at: what was on record as bought when each edition was asked for, remote ids.
        lost: whether a journal was lost: what it knew is adopted first, and told to its job then.
    """
    seen: set[JobKey] = set()
    seeds: dict[tuple[str, float], tuple[JobKey, int]] = {}
    for key, event in history:
        seen.add(key)
        if isinstance(event, RedoAsked) and JobKey(key.content, event.ordinal) in seen and not lost:
            yield f"{key} is made again as {event.ordinal}, which was bought before"
        if isinstance(event, SubmitStarted) and event.seed is not None and "seed" not in event.job.params:
            by = seeds.setdefault((key.content, event.seed), (key, event.attempt))
            if by != (key, event.attempt):
                yield f"{key} has the seed of {by[0]}"
    for key, before in asked_at.items():
        for one in records.get(key, _NOTHING).submissions:
            if one.remote_id in before:
                yield f"{key} owns {one.remote_id}, which was another's when it was asked for"


def planned_wrong(entries: Iterable[Entry], records: Records) -> Iterator[str]:
    """Say which jobs of a plan have another purchase for their own than the records tell."""
    families = Families(records)
    taken: Counter[JobKey] = Counter()
    for entry in entries:
        name, family = entry.job.id, families[entry.key]
        taken[family.head] += 1
        current, newest = family.current(records), family.newest
        if entry.current.key != current:
            yield f"{name} has {entry.current.key}, and should have {current}"
        if entry.key != (current if entry.accepted else newest):
            yield f"{name} is to have {entry.key}, and should be to have {newest}"
    yield from (f"{count} jobs have {head}" for head, count in taken.items() if count > 1)


def results_wrong(results: Mapping[str, Any], entries: Iterable[Entry], records: Records) -> Iterator[str]:
    """Say which rows of the results tell another purchase than their jobs have, or one twice or never."""
    families = Families(records)
    rows = {one["id"]: one for one in results["jobs"]}
    for entry in entries:
        row, family = rows[entry.job.id], families[entry.key]
        own = records.get(family.current(records), _NOTHING)
        if [*row["asset_ids"]] != [*own.asset_ids]:
            yield f"{entry.job.id} has {own.asset_ids}, and the results say {row['asset_ids']}"
        others = set(family.order) - {family.current(records)}
        had = {one for key in others if (one := records.get(key, _NOTHING).remote_id) is not None}
        told = Counter(one["job_id"] for one in (*row["earlier"], row.get("redo", {"job_id": None})))
        if lost := [one for one in sorted(had) if told[one] != 1]:
            yield f"{entry.job.id} had {lost}, and the results say {dict(told)}"
    count = sum(len(one.asset_ids) for one in records.values())
    if families and results["summary"]["assets"] != count:
        yield f"{count} assets came out, and the results count {results['summary']['assets']}"
