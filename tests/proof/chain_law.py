"""What must be true of chains, whatever happened. Pure: it reads the journal's history and the records.

That rows at the service are paid for once holds for children as for all: what they ask for is told by what
their parents ask for, and what is sent by the asset that goes in.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from batchgen.identity import Reference, references_of
from batchgen.lifecycle import DONE, Event, Record, State, SubmitStarted, Succeeded, apply
from batchgen.model import Job, JobKey, Json
from batchgen.planning.plan import Entry
from tests.proof.chains import contents_bought
from tests.proof.law import Books
from tests.proof.redo_law import IN_VAIN, Families, redos_asked
from tests.proof.slots import tagged

_SOON = 2.0  # seconds in which what came out of a parent goes into its child, at whatever rate
_BAD = frozenset({State.FAILED, State.CANCELED, State.REFUSED, State.HELD, State.ABANDONED})


def breaches_of_chains(books: Books, wanted: Mapping[str, int], *, rebuilt: bool = False) -> list[str]:
    """Say what is wrong with what went into jobs, a sentence each.

    Args:
        books: both sides.
        wanted: by content, the most equal jobs that a manifest ever asked for.
        rebuilt: whether the history was written anew, in whatever order.
    """
    known = books.records if rebuilt else None
    return [*_sent_wrong(books.history, known), *_twice_for_a_parent(books, wanted)]


def _sent_wrong(
    history: Sequence[tuple[JobKey, Event]], known: Mapping[JobKey, Record] | None
) -> Iterator[str]:
    """No child leaves without its parent's end on record, and what goes in came out of that parent."""
    records: dict[JobKey, Record] = {}
    shown: defaultdict[JobKey, set[str]] = defaultdict(set)
    for key, event in history:
        if isinstance(event, SubmitStarted) and event.job is not None:
            so_far = records if known is None else known
            yield from sent_wrong(key, event.job, event.body or "", so_far, shown if known is None else None)
        records[key] = apply(records.get(key, Record()), event)
        shown[key].update(records[key].asset_ids)


def sent_wrong(
    key: JobKey,
    job: Job,
    body: str,
    records: Mapping[JobKey, Record],
    shown: Mapping[JobKey, Iterable[str]] | None = None,
) -> Iterator[str]:
    """Say what is wrong with a child as it is sent.

    Args:
        key: the child's.
        job: as it is sent.
        body: the bytes.
        records: as they are then, of all slots.
        shown: all assets that each job ever had on record; None for those of the records.
    """
    slot = key.content.partition("@")[2]
    sent = set(_texts(json.loads(body or "null")))
    for one in references_of(job):
        parent = None if one.key is None else tagged(slot, one.key)
        record = None if parent is None else records.get(parent)
        if parent is None or record is None or not one.assets:
            yield f"{job.id} was sent, and it is not known what came out of {one.job}"
        elif record.state not in DONE:
            yield f"{job.id} was sent before {one.job} had ended: it was {record.state}"
        elif not set(one.assets) <= set(record.asset_ids if shown is None else shown[parent]):
            yield f"{job.id} was sent with {one.assets}, which {one.job} never had"
        elif not set(one.assets) <= sent:
            yield f"{job.id} is bound to {one.assets} and was sent with {sorted(sent)}"


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _twice_for_a_parent(books: Books, wanted: Mapping[str, int]) -> Iterator[str]:
    """Of equal children no more are bought for the same parents than one manifest and people asked for."""
    records = books.records
    asked, families = contents_bought(records), Families(records)
    again = redos_asked(records, asked, books.asked)
    bought = Counter(
        (
            asked[key],
            tuple(families.head(one.key) for one in references_of(record.job) if one.key is not None),
        )
        for key, record in records.items()
        if record.submissions and record.job is not None
    )
    for (content, parents), count in bought.items():
        if parents and count > (most := wanted.get(content, 0) + again[content]):
            yield f"{count} bought of {content} for one parent, where {most} were asked for"


def mixed_up(entries: Sequence[Entry], records: Mapping[JobKey, Record]) -> list[str]:
    """Say which jobs of a plan have a record that is bound to another parent than theirs.

    Args:
        entries: of the plan.
        records: that it was made with.
    """
    families = Families(records)
    keys = {one.job.id: families.head(one.key) for one in entries}
    wrong = []
    for entry in entries:
        recorded = None if entry.accepted else entry.record.job  # a person keeps what it was fed by before
        bound = references_of(recorded) if recorded is not None and entry.record.submissions else ()
        own = references_of(entry.job)
        # of equal parents it is all the same which goes in first
        heads = Counter(families.head(one.key) for one in bound if one.key is not None)
        if len(bound) == len(own) and heads != Counter(keys[one.job] for one in own):
            wrong.append(f"{entry.job.id} has the record of a child of {[one.job for one in bound]}")
    return wrong


def behind_new_parents(
    events: Iterable[tuple[JobKey, Event]], entries: Sequence[Entry], before: Mapping[JobKey, Record]
) -> list[str]:
    """Say which jobs that begin chains left while one could leave whose parents had all ended in this run.

    Args:
        events: of a run, in their order.
        entries: of its plan.
        before: the records as the run found them: what is on record of a child has ways of its own.
    """
    keys = {one.job.id: one.key for one in entries}
    fed = {one.key: {keys[by.job] for by in references_of(one.job)} for one in entries}
    equals = Counter(key.content for key in fed)  # which step aside for one in doubt
    waiting = {key for key, by in fed.items() if by and key not in before and equals[key.content] == 1}
    begins = {key for key, parents in fed.items() if not parents and key not in before}  # not: once more
    ended: dict[JobKey, float] = {}
    wrong = []
    for key, event in events:
        if isinstance(event, Succeeded) and len(event.asset_ids) == 1:  # of several one must be named
            ended[key] = event.at
        elif isinstance(event, SubmitStarted):
            waiting.discard(key)
            begins, is_new = begins - {key}, key in begins
            latest = event.at - _SOON
            ready = (one for one in waiting if all(ended.get(by, latest) < latest for by in fed[one]))
            wrong += [f"{event.job.id} left before {one}, whose parents had ended" for one in ready if is_new]
    return wrong


def may_stay(entries: Sequence[Entry]) -> set[JobKey]:
    """Return the jobs that nobody can buy as the manifest is: what they need will not come, or is not named.

    Told by the records alone, and not by what the plan says of them.
    """
    found: dict[str, bool] = {}
    by_id = {one.job.id: one for one in entries}

    def stays(entry: Entry) -> bool:
        known = found.get(entry.job.id)
        if known is None:
            known = entry.record.state is State.PLANNED and any(
                _is_missing(one, entry, by_id[one.job]) for one in references_of(entry.job)
            )
            found[entry.job.id] = known
        return known

    def _is_missing(one: Reference, child: Entry, parent: Entry) -> bool:
        record = parent.record
        # what was never bought gets what its parent had, where another one of that comes to nothing
        if parent.stands is not None and child.stands is None and (record.state in IN_VAIN or stays(parent)):
            record = parent.stands.record
        elif record.state not in DONE:
            return record.state in _BAD or stays(parent)
        count = len(record.asset_ids)
        lacks = count <= one.output if one.output is not None else count != 1 and not (one.every and count)
        # a success that shows less than it was to have is waited for, for a day
        return lacks or (record.is_short and one.output is None)

    return {one.key for one in entries if stays(one)}
