"""The ledger: what is recorded is then shown and counted, and what is not recorded is neither."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given

from batchgen.errors import OverBudgetError, TransitionError
from batchgen.ledger import Ledger
from batchgen.lifecycle import (
    Accepted,
    Adopted,
    AnswerLost,
    Collected,
    Deferred,
    Event,
    Failed,
    OutputsGrew,
    Record,
    State,
    SubmitStarted,
    Succeeded,
    replay,
)
from batchgen.loop_clock import loop_time
from batchgen.model import Job, JobKey, RemoteJob
from batchgen.planning.budget import Allowance, Window
from batchgen.planning.plan import Entry
from tests.support.lives import lives
from tests.support.looped import virtual_loop
from tests.support.memory_journal import MemoryJournal

NOW = 1_800_000_000.0
JOB = Job(id="mill", prompt="a mill", model="flux")
SUCCEEDED = Succeeded(at=3.0, asset_ids=("asset_1",))


def started(*, reserved: int | None = None) -> SubmitStarted:
    held = None if reserved is None else Decimal(reserved)
    return SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}", reserved=held)


def accepted(remote_id: str = "job_1") -> Accepted:
    return Accepted(at=2.0, remote_id=remote_id)


def adopted(remote_id: str = "job_1") -> Adopted:
    return Adopted(at=2.0, remote_id=remote_id, evidence={})


LOST = AnswerLost(at=2.0, reason="cut")


def new(name: str = "a") -> Entry:
    return Entry(key=JobKey(f"v1:{name}"), job=JOB)


class Stopped:
    """A clock that stands."""

    def now(self) -> float:
        return NOW


@dataclass
class Shown:
    """Remembers what was shown, and how much was recorded by then."""

    journal: MemoryJournal
    events: list[tuple[JobKey, Event, State]] = field(default_factory=list)
    recorded_by_then: list[int] = field(default_factory=list)

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        assert job is JOB
        self.events.append((key, event, record.state))
        self.recorded_by_then.append(len(list(self.journal.history())))

    def polled(self, job: Job, remote: RemoteJob) -> None:
        raise AssertionError(f"nobody polled {job.id}: {remote}")

    def warned(self, text: str) -> None:
        raise AssertionError(f"nothing went wrong: {text}")


class Desk:
    """A ledger with what stands around it."""

    def __init__(self, *, collects: bool = True) -> None:
        self.journal = MemoryJournal()
        self.shown = Shown(self.journal)
        self.ledger = Ledger(journal=self.journal, clock=Stopped(), observer=self.shown, collects=collects)

    @property
    def recorded(self) -> list[Event]:
        return [event for _, event in self.journal.history()]


def in_a_loop(play: Callable[[], None], *, after: float = 0.0) -> None:
    async def main() -> None:
        await asyncio.sleep(after)
        play()

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(main())


def test_events_are_on_record_before_anybody_sees_them() -> None:
    desk = Desk()

    def play() -> None:
        desk.ledger.record(new(), started(), accepted())
        desk.ledger.record(new(), SUCCEEDED)

    in_a_loop(play)
    assert desk.shown.recorded_by_then == [2, 2, 3]
    assert desk.shown.events == [
        (new().key, started(), State.RUNNING),  # as it stands after all of them
        (new().key, accepted(), State.RUNNING),
        (new().key, SUCCEEDED, State.SUCCEEDED),
    ]


def test_the_entry_that_comes_back_differs_in_its_record_alone() -> None:
    desk = Desk()
    before = Entry(key=JobKey("v1:a", 3), job=JOB, retry=True, wanted=False, changed=True)

    def play() -> None:
        after = desk.ledger.record(before, started())
        assert after.record.state is State.SUBMITTING
        assert after.record == desk.journal.records()[before.key]
        assert (after.key, after.job, after.retry, after.wanted, after.changed) == (
            before.key,
            before.job,
            True,
            False,
            True,
        )

    in_a_loop(play)


@given(lives(longest=8))
def test_every_life_is_on_record_as_it_was_told(life: list[Event]) -> None:
    journal = MemoryJournal()
    shown = list[Event]()

    class Listener:
        def recorded(self, _key: JobKey, _job: Job, event: Event, _record: Record) -> None:
            shown.append(event)

        def polled(self, _job: Job, _remote: RemoteJob) -> None: ...

        def warned(self, _text: str) -> None: ...

    ledger = Ledger(journal=journal, clock=Stopped(), observer=Listener())

    def play() -> None:
        entry = new()
        for event in life:
            entry = ledger.record(entry, event)
        assert entry.record == replay((entry.key, one) for one in life).get(entry.key, Record())
        assert [event for _, event in journal.history()] == shown == life
        assert ledger.receipts == sum(type(one) is Accepted for one in life)
        assert ledger.lost == sum(type(one) is AnswerLost for one in life)

    in_a_loop(play)


def test_what_cannot_be_recorded_is_neither_shown_nor_counted() -> None:
    desk = Desk()

    def play() -> None:
        for events in [(accepted(),), (started(), accepted(), LOST), (started(), LOST, accepted())]:
            with pytest.raises(TransitionError):
                desk.ledger.record(new(), *events)

    in_a_loop(play)
    assert desk.recorded == []
    assert desk.shown.events == []
    assert (desk.ledger.receipts, desk.ledger.lost, desk.ledger.intent_of(new().key)) == (0, 0, None)
    assert desk.ledger.receipt_of("job_1") is None


def test_an_intent_above_a_cap_is_not_recorded() -> None:
    desk = Desk()
    allowed = Allowance(windows=(Window(name="this batch", cap=Decimal(10)),))

    def play() -> None:
        desk.ledger.record(new("a"), started(reserved=6), allowed=allowed)
        with pytest.raises(OverBudgetError):
            desk.ledger.record(new("b"), started(reserved=6), allowed=allowed)

    in_a_loop(play)
    assert [key for key, _, _ in desk.shown.events] == [new("a").key]
    assert desk.ledger.intent_of(new("b").key) is None


def test_receipts_are_known_by_their_order_and_by_the_loop_s_clock() -> None:
    desk = Desk()
    ledger = desk.ledger

    async def main() -> None:
        for number in range(3):
            await asyncio.sleep(10.0)
            ledger.record(new(f"{number}"), started(), accepted(f"job_{number}"))

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(main())
    assert ledger.receipts == 3
    assert [ledger.receipt_of(f"job_{number}") for number in range(3)] == [10.0, 20.0, 30.0]
    assert [ledger.is_receipt_after("job_1", count) for count in range(4)] == [True, True, False, False]
    assert not ledger.is_receipt_after("job_9", 0)


def test_what_was_found_in_a_listing_is_no_receipt() -> None:
    desk = Desk()

    def play() -> None:
        entry = desk.ledger.record(new(), started(), LOST, adopted())
        assert entry.record.state is State.RUNNING

    in_a_loop(play)
    assert desk.ledger.receipts == 0
    assert desk.ledger.receipt_of("job_1") is None
    assert not desk.ledger.is_receipt_after("job_1", 0)


def test_of_a_job_that_was_sent_twice_the_latest_intent_counts() -> None:
    desk = Desk()

    async def main() -> None:
        await asyncio.sleep(5.0)
        entry = desk.ledger.record(new(), started(), Deferred(at=1.5, reason="full"))
        assert desk.ledger.intent_of(entry.key) == 5.0
        await asyncio.sleep(7.0)
        desk.ledger.record(entry, started())
        assert desk.ledger.intent_of(entry.key) == loop_time() == 12.0
        desk.ledger.record(entry, accepted())
        assert desk.ledger.intent_of(JobKey("v1:a", 1)) is None

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(main())


def test_each_lost_answer_is_counted() -> None:
    desk = Desk()

    def play() -> None:
        desk.ledger.record(new("a"), started(), LOST)
        desk.ledger.record(new("b"), started(), LOST, adopted())
        desk.ledger.record(new("c"), started(), accepted("job_2"))

    in_a_loop(play)
    assert desk.ledger.lost == 2


def test_where_nobody_fetches_assets_a_success_is_the_end() -> None:
    desk = Desk(collects=False)

    def play() -> None:
        entry = desk.ledger.record(new(), started(), accepted(), SUCCEEDED)
        assert entry.record.state is State.COLLECTED
        grew = OutputsGrew(at=9.0, remote_id="job_1", asset_ids=("asset_1", "asset_2"))
        entry = desk.ledger.record(entry, grew)
        assert not entry.record.lacks_files

    in_a_loop(play)
    assert desk.recorded[3:] == [
        Collected(at=3.0),
        OutputsGrew(at=9.0, remote_id="job_1", asset_ids=("asset_1", "asset_2")),
        Collected(at=9.0),
    ]
    assert [event for _, event, _ in desk.shown.events] == desk.recorded


def test_where_assets_are_fetched_a_success_waits_for_them() -> None:
    desk = Desk()

    def play() -> None:
        assert desk.ledger.record(new(), started(), accepted(), SUCCEEDED).record.lacks_files

    in_a_loop(play)
    assert desk.recorded[-1] == SUCCEEDED


def test_where_nobody_fetches_assets_a_failure_stays_a_failure() -> None:
    desk = Desk(collects=False)

    def play() -> None:
        entry = desk.ledger.record(new(), started(), accepted(), Failed(at=3.0))
        assert entry.record.state is State.FAILED

    in_a_loop(play)
    assert len(desk.recorded) == 3


def test_stamps_are_the_wall_clock_s() -> None:
    assert Desk().ledger.now() == NOW
