"""What must be true of every seed, whatever happened in it. Pure: it reads what is left of a run.

The service's own list of accepted POSTs is the truth about money; the journal is what we know of it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchgen.lifecycle import (
    Accepted,
    Adopted,
    AnswerLost,
    Event,
    Held,
    Record,
    ShownAbsent,
    State,
    SubmitStarted,
    replay,
)
from batchgen.model import Job, JobKey
from batchgen.simulator.jobs import FAILURE, SUCCESS, Submission
from tests.proof.chains import Kept, contents_bought, contents_of
from tests.proof.redo_law import redos_asked
from tests.proof.scenario import Scenario

MAY_BE_PAID = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD})
_UNSETTLED = frozenset({State.SUBMITTING, State.IN_DOUBT, State.RUNNING, State.SUCCEEDED})
_END_WORDS = {SUCCESS: {State.SUCCEEDED, State.COLLECTED}, FAILURE: {State.FAILED}}


class Order(NamedTuple):
    """What a POST asks for: equal orders cannot be told apart at the service."""

    model: str
    body: str


def order_of(one: Record | SubmitStarted | Submission) -> Order:
    """Give what was sent."""
    if isinstance(one, Submission):
        return Order(one.model, one.body)
    return Order(one.job.model if one.job else "", one.body or "")


@dataclass(frozen=True, kw_only=True)
class Books:
    """Both sides: what the service charged us, and what our journal says.

    Attributes:
        charged: the service's submissions by our author, oldest first.
        late: remote ids of those that arrived after their answers were lost.
        others: remote ids of other people's.
        records, history: of the journal as it lies on the disk.
        asked: how often the same was asked for again, by what is asked for, where journals may have lost it.
    """

    charged: Sequence[Submission]
    late: frozenset[str]
    others: frozenset[str]
    records: Mapping[JobKey, Record]
    history: Sequence[tuple[JobKey, Event]]
    asked: Counter[str] = field(default_factory=Counter)

    def of(self, kind: type[Event]) -> list[tuple[JobKey, Event]]:
        return [(key, event) for key, event in self.history if type(event) is kind]

    def orders(self) -> dict[tuple[JobKey, int], Order]:
        """Give what was sent, or about to be, by job and attempt."""
        sent = ((key, event) for key, event in self.history if isinstance(event, SubmitStarted))
        return {(key, event.attempt): order_of(event) for key, event in sent}

    def unowned(self) -> list[Submission]:
        """Give the charges that no record owns."""
        owned = {one.remote_id for record in self.records.values() for one in record.submissions}
        return [one for one in self.charged if one.remote_id not in owned]

    def refuted(self) -> Counter[Order]:
        """Count the charges that a job was wrongly shown absent for: the rest is in doubt."""
        doubtful = Counter(order_of(one) for one in self.records.values() if one.state in MAY_BE_PAID)
        return Counter(order_of(one) for one in self.unowned()) - doubtful

    def absences(self) -> Counter[Order]:
        """Count how often a body was shown absent."""
        absent: Counter[Order] = Counter()
        sent: dict[JobKey, Order] = {}
        for key, event in self.history:
            if isinstance(event, SubmitStarted):
                sent[key] = order_of(event)
            elif isinstance(event, ShownAbsent):
                absent[sent[key]] += 1
        return absent


def breaches(books: Books, scenario: Scenario, wanted: Mapping[str, int], *, retries: int = 0) -> list[str]:
    """Say what is wrong after a run, a sentence each.

    Args:
        books: both sides.
        scenario: what was played.
        wanted: by content, the most equal jobs that a manifest ever asked for.
        retries: runs that were asked to try again what had failed.
    """
    return [
        *_untold(books),
        *_owners(books),
        *_surplus(books, scenario),
        *_unwanted(books, wanted, scenario.policy.attempts * (1 + retries)),
        *_ends(books),
    ]


def _untold(books: Books) -> Iterable[str]:
    if replay(books.history) != books.records:
        yield "the records on the disk are not what the history tells"
    if any(record.state is State.REFUSED for record in books.records.values()):
        yield "a good body was refused"


def _owners(books: Books) -> Iterable[str]:
    """Every submission is owned once, is ours, and is of exactly the body that was sent for it."""
    charged, orders = {one.remote_id: one for one in books.charged}, books.orders()
    seen: set[str] = set()
    for key, record in books.records.items():
        if len({one.attempt for one in record.submissions}) != len(record.submissions):
            yield f"{key} owns two submissions of one attempt"
        for one in record.submissions:
            if one.remote_id in seen:
                yield f"{one.remote_id} is owned twice"
            seen.add(one.remote_id)
            if one.remote_id in books.others:
                yield f"{key} owns {one.remote_id}, which is somebody else's"
            elif one.remote_id not in charged:
                yield f"{key} owns {one.remote_id}, which the service does not know"
            elif order_of(charged[one.remote_id]) != orders[key, one.attempt]:
                yield f"{key} owns {one.remote_id}, which was sent for another job"


def _surplus(books: Books, scenario: Scenario) -> Iterable[str]:
    """A charge nobody owns is in doubt or held, or its job was shown absent before it arrived, or by a lie.

    A lost journal may have been of jobs that nobody asks for since; whether it is bought again is
    judged POST by POST.
    """
    if scenario.loses_journals:
        return
    absent = books.absences()
    late = Counter(order_of(one) for one in books.charged if one.remote_id in books.late)
    for order, count in books.refuted().items():
        if count > absent[order]:
            yield f"{count - absent[order]} charged and forgotten: {order}"
        elif scenario.honest and count > late[order]:
            yield f"{count - late[order]} shown absent by an honest listing, and charged: {order}"


def _unwanted(books: Books, wanted: Mapping[str, int], attempts: int) -> Iterable[str]:
    """No more of equal jobs are owned than a manifest asked for, and no attempt is made unasked."""
    asked = contents_bought(books.records)
    bought = Counter(asked[key] for key, record in books.records.items() if record.submissions)
    again = redos_asked(books.records, asked, books.asked)
    for content, count in bought.items():
        if count > (most := wanted.get(content, 0) + again[content]):
            yield f"{count} bought of {content}, where {most} were asked for"
    for key, record in books.records.items():
        if len(record.submissions) > attempts:
            yield f"{key} has {len(record.submissions)} submissions in {attempts} attempts"


def _ends(books: Books) -> Iterable[str]:
    """What the journal says of an end is what the service says."""
    charged = {one.remote_id: one for one in books.charged}
    for key, record in books.records.items():
        ended = record.state in {State.SUCCEEDED, State.COLLECTED, State.FAILED, State.CANCELED}
        row = charged.get(record.remote_id or "")
        if ended and row and record.state not in _END_WORDS.get(row.end.word, {State.CANCELED}):
            yield f"{key} is {record.state}, and the service says {row.end.word}"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an audit told of charges without a record.

    Attributes:
        certain: remote ids of what is certainly ours.
        possible: of what may be ours.
        unreadable: how many rows nobody can read.
        since: the service's date from which on it looked.
        troubles: why the service could not be read to the end.
    """

    certain: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    unreadable: int = 0
    since: float = 0.0
    troubles: tuple[str, ...] = ()


def unnamed(books: Books, scenario: Scenario, told: Told, asked: Collection[str]) -> list[str]:
    """Say which charges that no record owns an audit did not name, and whose else it called ours.

    A row that nobody can read is counted by it. Out of its sight is what is older than the first submit
    of the journal: what a lost one knew, and what a question bought long before.

    Args:
        books: both sides, with what questions bought.
        scenario: what was played.
        told: by the audit.
        asked: remote ids of what questions bought.
    """
    if told.troubles and scenario.lens.loops:  # and it said so
        return []
    named = told.certain | told.possible
    # a row by a key that nothing has named is anybody's: its job is told of as held
    waiting = {order_of(one) for one in books.records.values() if one.state in MAY_BE_PAID}
    missed = [
        one
        for one in books.unowned()
        if one.remote_id not in named
        and not (scenario.settings.more_keys and order_of(one) in waiting)
        and not (told.unreadable and scenario.lens.hides(one.remote_id))
        and not (one.created_at < told.since and (scenario.loses_journals or one.remote_id in asked))
    ]
    wrong = () if scenario.lens.row_author == "none" else sorted(told.certain & books.others)
    return [
        *(f"{one.remote_id} was charged, and no audit names it: {order_of(one)}" for one in missed),
        *(f"an audit calls {one} certainly ours, which is somebody else's" for one in wrong),
    ]


def unfinished(books: Books, keys: Sequence[JobKey]) -> list[str]:
    """Say what a run that nothing disturbed should have settled, and did not.

    Args:
        books: both sides.
        keys: of the jobs that the manifest asks for.
    """
    records = books.records
    left = [f"{key} is left {one.state}" for key, one in records.items() if one.state in _UNSETTLED]
    unbought = [key for key in keys if records.get(key, Record()).state is State.PLANNED]
    return left + [f"{key} is left planned" for key in unbought]


def most_wanted(manifests: Iterable[Sequence[Job]], kept: Kept | None = None) -> dict[str, int]:
    """Give by content the most equal jobs that one of the manifests asks for.

    Args:
        manifests: of all runs.
        kept: what changed jobs keep that was bought before.
    """
    most: dict[str, int] = defaultdict(int)
    for jobs in manifests:
        for content, count in Counter(contents_of(jobs, kept)).items():
            most[content] = max(most[content], count)
    return most


@dataclass
class Tally:
    """What happened, in numbers that add up over seeds."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, books: Books, troubles: Sequence[str]) -> None:
        """Count what the last state of a seed shows."""
        counts = self.counts
        counts["jobs"] += len(books.records)
        counts["charged"] += len(books.charged)
        counts["others' jobs"] += len(books.others)
        kinds = (("answers lost", AnswerLost), ("adopted", Adopted), ("shown absent", ShownAbsent))
        for name, kind in (*kinds, ("accepted", Accepted), ("held", Held)):
            counts[name] += len(books.of(kind))
        adopted = {event.remote_id for _, event in books.of(Adopted) if isinstance(event, Adopted)}
        counts["arrived late"] += len(books.late)
        counts["arrived late, adopted"] += len(books.late & adopted)
        refuted = books.refuted().total()
        named = len({text for text in troubles if "turned up after the service had shown it absent" in text})
        counts["absence refuted"] += refuted
        counts["absence refuted, named by a run"] += min(refuted, named)
