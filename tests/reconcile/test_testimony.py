"""What a leader does with the word of runs that were taken over."""

from decimal import Decimal

import pytest

from batchgen.ledger import Ledger
from batchgen.lifecycle import (
    Accepted,
    Adopted,
    AnswerLost,
    Event,
    Failed,
    Held,
    NotSent,
    RetryAsked,
    ShownAbsent,
    State,
    SubmitStarted,
)
from batchgen.model import JobKey
from batchgen.planning.plan import Entry
from batchgen.reconcile.late_arrivals import LateArrivals
from batchgen.reconcile.testimony import Hearing
from batchgen.record import Record
from tests.support.builders import BODY, make_job
from tests.support.looped import run_virtually
from tests.support.memory_journal import Disk, MemoryJournal
from tests.support.virtual import Watching

KEY, TWIN = JobKey("v1:tower"), JobKey("v1:tower", 1)
JOB = make_job()


class Still:
    """A clock that stands."""

    def now(self) -> float:
        return 1000.0


def intent(at: float = 10.0, *, attempt: int = 1, body: str = BODY) -> SubmitStarted:
    return SubmitStarted(at=at, job=JOB, attempt=attempt, body=body, reserved=Decimal(5))


def receipt(at: float = 10.0, remote_id: str = "job_1") -> Accepted:
    return Accepted(at=at, remote_id=remote_id, charged=Decimal(4), author="apiu_us", owner="proj")


def unsent(at: float = 10.0) -> NotSent:
    return NotSent(at=at, reason="the right to buy had run out")


LOST = AnswerLost(at=20.0, reason="cut")
ABSENT = ShownAbsent(at=90.0, evidence={})
HELD = Held(at=90.0, reason="who knows")


class Bench:
    """One journal, what is on record and what was said."""

    def __init__(self, *events: Event) -> None:
        self.disk = Disk()
        self.journal = MemoryJournal(self.disk)
        if events:
            self.journal.append(KEY, *events)
        self.watching = Watching()
        ledger = Ledger(journal=self.journal, clock=Still(), observer=self.watching)
        self.late = LateArrivals(ledger, self.journal)
        self.hearing = Hearing(ledger, self.journal, self.late)

    def entry(self, key: JobKey = KEY) -> Entry:
        return Entry(key=key, job=JOB, record=self.record(key))

    def record(self, key: JobKey = KEY) -> Record:
        return self.journal.records().get(key, Record())

    def start(self) -> Entry:
        async def begin() -> list[Entry]:
            return self.hearing.at_start([self.entry()])

        (entry,) = run_virtually(begin())
        assert entry.record == self.record()
        return entry

    @property
    def kinds(self) -> list[type[Event]]:
        return [type(event) for _, event in self.disk.events]


@pytest.mark.parametrize("before", [(intent(),), (intent(), LOST), (intent(), LOST, HELD)])
def test_a_receipt_ends_the_doubt_it_speaks_of(before: tuple[Event, ...]) -> None:
    bench = Bench(*before)
    bench.journal.testify(KEY, receipt())
    assert bench.start().record.state is State.RUNNING
    adopted = bench.disk.events[-1][1]
    assert isinstance(adopted, Adopted)
    assert (adopted.remote_id, adopted.charged, adopted.author) == ("job_1", Decimal(4), "apiu_us")
    assert adopted.evidence["testimony"] == 0
    assert not bench.journal.testimony(), "heard"
    assert not bench.late.sentences


@pytest.mark.parametrize(
    ("before", "follows"),
    [((intent(),), NotSent), ((intent(), LOST), ShownAbsent), ((intent(), LOST, HELD), ShownAbsent)],
)
def test_what_never_left_may_be_sent_at_once(before: tuple[Event, ...], follows: type[Event]) -> None:
    bench = Bench(*before)
    bench.journal.testify(KEY, unsent())
    entry = bench.start()
    assert entry.record.state is State.PLANNED
    assert entry.record.body == BODY, "the same bytes"
    assert bench.kinds[-1] is follows
    assert not bench.journal.testimony()


@pytest.mark.parametrize("again", [(), (LOST,), (LOST, HELD)])
def test_that_an_earlier_post_never_left_says_nothing_of_a_later_one(again: tuple[Event, ...]) -> None:
    bench = Bench(intent(), LOST, ABSENT, intent(100.0), *again)
    before = bench.record()
    bench.journal.testify(KEY, unsent(10.0))
    assert bench.start().record == before
    assert not bench.journal.testimony()


def test_what_is_said_twice_or_heard_twice_changes_nothing() -> None:
    bench = Bench(intent(), LOST)
    bench.journal.testify(KEY, receipt())
    bench.journal.testify(KEY, receipt())
    bench.start()
    before = list(bench.disk.events)
    bench.disk.heard.clear()  # it was cut off between the record and this
    bench.start()
    assert bench.disk.events == before
    assert not bench.late.sentences


def test_a_receipt_for_a_job_that_was_shown_absent_and_not_sent_again_is_adopted() -> None:
    bench = Bench(intent(), LOST, ABSENT)
    bench.journal.testify(KEY, receipt())
    assert bench.start().record.state is State.RUNNING
    assert bench.kinds[-3:] == [SubmitStarted, AnswerLost, Adopted]
    assert not bench.journal.trusts_absence, "it has been wrong once"


def test_a_receipt_for_a_job_that_was_sent_again_and_is_in_doubt_is_adopted_and_refutes_the_absence() -> None:
    bench = Bench(intent(), LOST, ABSENT, intent(100.0), LOST)
    bench.journal.testify(KEY, receipt(10.0))
    assert bench.start().record.state is State.RUNNING
    assert not bench.journal.trusts_absence


def test_a_receipt_for_a_job_that_was_bought_again_is_named_with_its_cost() -> None:
    bench = Bench(intent(), LOST, ABSENT, intent(100.0), receipt(100.0, "job_2"))
    bench.journal.testify(KEY, receipt(10.0))
    assert bench.start().record.remote_id == "job_2"
    (sentence,) = bench.late.sentences
    assert "tower: job_1" in sentence
    assert "4 CU" in sentence
    assert not bench.journal.trusts_absence
    assert not bench.journal.testimony()


def test_a_receipt_of_another_attempt_is_not_taken_for_this_one() -> None:
    """The bodies differ: what is owned is what was sent for it."""
    failed = Failed(at=60.0, error="no")
    bench = Bench(intent(), LOST, ABSENT, intent(40.0), receipt(40.0, "job_2"), failed, RetryAsked(at=70.0))
    bench.journal.append(KEY, intent(100.0, attempt=2, body='{"seed":2}'), LOST)
    bench.journal.testify(KEY, receipt(10.0))
    assert bench.start().record.state is State.IN_DOUBT
    assert len(bench.late.sentences) == 1


def test_a_receipt_that_an_equal_job_has_already_is_heard_and_moves_nobody() -> None:
    bench = Bench(intent(), LOST)
    bench.journal.append(TWIN, intent(), receipt())
    bench.journal.testify(KEY, receipt())
    assert bench.start().record.state is State.IN_DOUBT
    assert not bench.journal.testimony()
    assert not bench.late.sentences


def test_a_receipt_whose_intent_the_journal_has_lost_is_named() -> None:
    bench = Bench()
    bench.journal.testify(KEY, receipt())
    assert bench.start().record.state is State.PLANNED
    assert len(bench.late.sentences) == 1


def test_a_job_that_is_on_its_way_again_is_judged_when_it_has_an_answer() -> None:
    bench = Bench(intent(), LOST, ABSENT, intent(100.0))
    bench.journal.testify(KEY, receipt(10.0))
    assert bench.hearing.of_doubts({}) == []
    assert len(bench.journal.testimony()) == 1
    lost = bench.journal.append(KEY, LOST)
    (entry,) = bench.hearing.of_doubts({KEY: Entry(key=KEY, job=JOB, record=lost)})
    assert entry.record.state is State.RUNNING
    assert not bench.journal.testimony()


def test_what_is_said_of_a_job_that_nobody_here_has_waits_for_the_next_run() -> None:
    bench = Bench(intent(), LOST, HELD)
    bench.journal.testify(KEY, receipt())
    assert bench.hearing.of_doubts({}) == []
    assert bench.record().state is State.HELD
    assert bench.start().record.state is State.RUNNING


@pytest.mark.parametrize("lost", [(), (NotSent(at=5.0, reason="before"),)])
def test_what_a_database_has_lost_that_was_set_back_is_bought_by_nobody(lost: tuple[Event, ...]) -> None:
    """The intent went with the last commits; its receipt was kept beside the database, and it with that."""
    bench = Bench(*(intent(4.0), *lost) if lost else ())
    bench.journal.testify(KEY, intent(), receipt())
    entry = bench.start()
    assert entry.record.state is State.RUNNING
    assert entry.record.body == BODY
    assert bench.record().remote_id == "job_1"
    assert not bench.journal.testimony()
    assert not bench.late.sentences
