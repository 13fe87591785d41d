"""When a run ends and when it does not, and where each state of a job leads."""

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.board import Board
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.chain_budget import ChainBudget
from batchgen.engine.limits.flow import Flow
from batchgen.engine.policy import Policy, World
from batchgen.engine.router import Pieces, Router
from batchgen.errors import BatchgenError, JournalError, NoListingError, StopCause, StoppedError
from batchgen.ledger import Ledger
from batchgen.lifecycle import (
    Abandoned,
    Accepted,
    AnswerLost,
    Canceled,
    Collected,
    Event,
    Failed,
    Held,
    Record,
    Refused,
    State,
    SubmitStarted,
    Succeeded,
)
from batchgen.model import Job, JobKey, Model, Submission
from batchgen.planning.plan import Entry, Plan
from batchgen.reconcile.neighbours import Neighbours
from tests.support.memory_journal import MemoryJournal

A, B = JobKey("v1:a"), JobKey("v1:b")
JOB = Job(id="mill", prompt="a mill", model="flux")
NO_CREDITS = StoppedError("no credits", cause=StopCause.CREDITS)


@dataclass
class Queue:
    """What waits to be bought, as a run's end depends on it."""

    count: int = 0
    has_room: bool = True
    has_blocked: bool = False
    budget_exhausted: bool = False
    unlisted: str = ""
    woken: int = 0

    def __len__(self) -> int:
        return self.count

    def wake(self) -> None:
        self.woken += 1


@dataclass
class Way:
    """Whether the service can be reached, and what is in flight."""

    unreachable: bool = False
    tripped: bool = False
    running: list[JobKey] = field(default_factory=list)

    def runs(self, key: JobKey, _model: str) -> None:
        self.running.append(key)

    def ended(self, key: JobKey) -> None:
        if key in self.running:
            self.running.remove(key)


@dataclass
class Others:
    """Other batches, whose doubts are settled beside the run."""

    is_busy: bool = True


def board(way: Way | None = None, others: Others | None = None, *, most_failures: int | None = None) -> Board:
    return Board(
        flow=cast("Flow", way or Way()),
        neighbours=cast("Neighbours", others) if others else None,
        most_failures=most_failures,
        last_moment=2.0,
    )


def begun(waits: Queue, *, way: Way | None = None, others: Others | None = None) -> Board:
    one = board(way, others)
    one.open([A])
    one.begin(waits)
    assert not one.ended.is_set()
    return one


def test_a_run_without_jobs_ends_as_soon_as_it_has_begun() -> None:
    one = board()
    one.look()
    assert not one.ended.is_set()
    assert not one.has_begun
    one.begin(Queue())
    assert one.ended.is_set()
    assert one.has_begun


def test_a_run_does_not_end_while_its_jobs_are_still_routed() -> None:
    one = board()
    one.open([A])
    one.close(A)
    assert not one.ended.is_set()


def test_a_run_ends_when_its_last_open_job_is_closed() -> None:
    one = begun(Queue())
    one.open([B])
    one.close(B)
    one.close(B)
    assert not one.ended.is_set()
    one.close(A)
    assert one.ended.is_set()


def test_a_run_goes_on_while_jobs_wait_to_be_bought() -> None:
    waits = Queue(count=1)
    one = begun(waits)
    one.close(A)
    assert not one.ended.is_set()
    waits.count = 0
    one.look()
    assert one.ended.is_set()


def test_a_run_that_buys_no_more_ends_though_jobs_wait_and_not_before_what_is_open() -> None:
    waits = Queue(count=5)
    one = begun(waits)
    one.stop()
    assert not one.submitting
    assert waits.woken == 1
    assert not one.ended.is_set()
    one.close(A)
    assert one.ended.is_set()


def test_a_run_that_only_waits_to_buy_ends_as_soon_as_it_may_not() -> None:
    one = begun(Queue(count=5))
    one.close(A)
    assert not one.ended.is_set()
    one.stop()
    assert one.ended.is_set()


def test_a_run_that_is_left_ends_at_once() -> None:
    one = begun(Queue(count=5))
    one.end()
    assert one.ended.is_set()
    assert not one.submitting


def test_a_run_ends_when_its_money_is_spent_and_nothing_open_may_give_some_back() -> None:
    one = begun(Queue(count=5, budget_exhausted=True))
    assert not one.ended.is_set()
    one.close(A)
    assert one.ended.is_set()


def test_a_run_waits_for_other_batches_while_jobs_have_stepped_aside_for_them() -> None:
    others, waits = Others(), Queue(has_blocked=True)
    one = begun(waits, others=others)
    one.close(A)
    assert not one.ended.is_set()
    others.is_busy = False
    one.look()
    assert one.ended.is_set()


@pytest.mark.parametrize("blocked", [True, False])
def test_a_run_waits_for_no_other_batch_once_it_buys_no_more_or_nothing_stepped_aside(blocked: bool) -> None:
    one = begun(Queue(has_blocked=blocked), others=Others())
    if blocked:
        one.stop()
    one.close(A)
    assert one.ended.is_set()


def test_a_run_ends_where_what_is_out_of_sight_fills_every_slot() -> None:
    waits = Queue(count=5, has_room=False)
    one = begun(waits)
    one.close(A)
    assert not one.ended.is_set(), "its own jobs may have ended, and their slots be free in a moment"
    one.out_of_sight(A)
    assert one.is_out_of_sight(A)
    assert not one.is_out_of_sight(B)
    one.look()
    assert one.ended.is_set()


def test_a_run_goes_on_beside_what_is_out_of_sight_while_there_is_room() -> None:
    one = begun(Queue(count=5, has_room=True))
    one.out_of_sight(A)
    one.close(A)
    assert not one.ended.is_set()


def test_a_run_does_not_end_for_want_of_room_while_it_only_waits_for_an_answer() -> None:
    way = Way(tripped=True)
    one = begun(Queue(count=5, has_room=False), way=way)
    one.out_of_sight(A)
    one.close(A)
    assert not one.ended.is_set()
    way.tripped = False
    one.look()
    assert one.ended.is_set()


@given(
    st.builds(
        Queue,
        count=st.integers(0, 2),
        has_room=st.booleans(),
        has_blocked=st.booleans(),
        budget_exhausted=st.booleans(),
    ),
    st.booleans(),
    st.booleans(),
)
def test_no_run_ends_with_a_job_open_unless_it_is_told_to(waits: Queue, tripped: bool, busy: bool) -> None:
    one = begun(waits, way=Way(tripped=tripped), others=Others(is_busy=busy))
    one.out_of_sight(B)
    one.look()
    one.stop_for(NO_CREDITS)
    assert not one.ended.is_set()
    one.close(A)
    assert one.ended.is_set()  # nothing is bought any more, so nothing is waited for


def test_too_many_failures_stop_the_buying_and_one_less_does_not() -> None:
    one = board(most_failures=2)
    one.open([A])
    one.begin(Queue(count=5))
    one.failed()
    assert (one.stops.failures, one.submitting) == (1, True)
    one.failed()
    assert (one.stops.failures, one.submitting) == (2, False)
    assert not one.ended.is_set()


def test_failures_of_earlier_runs_do_not_count() -> None:
    one = board(most_failures=1)
    one.failed()
    assert one.submitting
    assert one.stops.failures == 0


def test_any_number_of_failures_is_borne_where_no_number_is_given() -> None:
    one = begun(Queue(count=5))
    for _ in range(100):
        one.failed()
    assert one.submitting


def test_a_service_that_is_out_of_reach_for_too_long_is_the_end_of_buying() -> None:
    way = Way()
    one = begun(Queue(count=5, unlisted="the listing failed"), way=way)
    one.look_at_reach()
    assert (one.submitting, one.stops.unreachable, one.stops.unlisted) == (True, False, "")
    way.unreachable = True
    one.look_at_reach()
    assert (one.submitting, one.stops.unreachable, one.stops.unlisted) == (False, True, "the listing failed")


def test_the_first_reason_of_each_kind_is_remembered() -> None:
    one = begun(Queue())
    first, broken = NO_CREDITS, JournalError("the disk is full")
    for cause in (first, StoppedError("no plan", cause=StopCause.PLAN), broken, JournalError("again")):
        one.stop_for(cause)
    assert (one.stops.stopped, one.stops.broken) == (first, broken)
    assert not one.submitting


# the router


@dataclass
class Piece:
    """Any piece of a run: it notes what it is given."""

    name: str
    calls: list[tuple[str, str]]
    entries: list[Entry] = field(default_factory=list)

    def note(self, what: str) -> None:
        self.calls.append((self.name, what))

    def add(self, entry: Entry, *, timeout_after: float | None = None) -> None:
        self.entries.append(entry)
        self.note("add" if timeout_after is None else f"add for {timeout_after:g} s")

    def take(self, _entry: Entry) -> None:
        self.note("take")

    def parent_moved(self, entry: Entry) -> None:
        self.entries.append(entry)

    def settled(self, _entry: Entry) -> None:
        self.note("settled")

    def give_up(self) -> None:
        self.note("give up")

    def unblock(self) -> None:
        self.note("unblock")

    def budget_freed(self) -> None:
        self.note("budget freed")

    def wake(self) -> None:
        self.note("wake")


@dataclass
class Purse:
    """Finds that everything was dearer than it was said to be."""

    def charged(self, job: Job, paid: Submission) -> str:
        return f"{job.id}: {paid.charged}"


@dataclass
class Told:
    warnings: list[str] = field(default_factory=list)

    def recorded(self, *_: object) -> None: ...

    def polled(self, *_: object) -> None: ...

    def warned(self, text: str) -> None:
        self.warnings.append(text)


@dataclass
class Earth:
    """The little that a router needs of the world."""

    purse: Purse = field(default_factory=Purse)


class Clock:
    def now(self) -> float:
        return 100.0


class Routes:
    """A router amid pieces that only take notes; the run has begun, and one other job is open."""

    def __init__(
        self, *, attempts: int = 1, wanted: bool = True, known: bool = True, begin: bool = True
    ) -> None:
        self.calls: list[tuple[str, str]] = []
        self.journal, self.told, self.way, self.waits = MemoryJournal(), Told(), Way(), Queue(count=5)
        self.board = board(self.way)
        self.board.open([B])
        self.ledger = Ledger(journal=self.journal, clock=Clock(), observer=self.told)
        self.router = Router(
            board=self.board,
            ledger=self.ledger,
            flow=cast("Flow", self.way),
            world=cast("World", Earth()),
            policy=Policy(attempts=attempts, timeout=60.0),
            models={"flux": Model(id="flux", name="Flux", inputs=())} if known else {},
            wanted=[A] if wanted else [],
            chains=ChainBudget(
                plan=Plan(entries=()), journal=self.journal, purse=BudgetGuard(), now=Clock().now
            ),
        )
        names = ("dispatcher", "doubts", "watcher", "harvest")
        self.pieces = {name: Piece(name, self.calls) for name in names}
        parts: dict[str, Any] = dict(self.pieces)
        self.router.attach(Pieces(**parts))
        if begin:
            self.board.begin(self.waits)

    def entry(self, *events: Event, retry: bool = False) -> Entry:
        record = self.journal.append(A, *events) if events else Record()
        return Entry(key=A, job=JOB, record=record, retry=retry)

    def go(self, *events: Event, retry: bool = False) -> list[tuple[str, str]]:
        """Route a job with this life, and give what was done, wakes aside."""
        self.router.route(self.entry(*events, retry=retry))
        return [one for one in self.calls if one[1] not in {"wake", "budget freed"}]

    def is_left_open(self) -> bool:
        """Return whether the job is still under way: else the run ends when the other one is closed."""
        self.board.stop()
        self.board.close(B)
        return not self.board.ended.is_set()

    @property
    def state(self) -> State:
        return self.journal.records().get(A, Record()).state


STARTED = SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}")
RUNS = (STARTED, Accepted(at=2.0, remote_id="job_1", charged=Decimal(7)))
LOST = (STARTED, AnswerLost(at=2.0, reason="cut"))
FAILED = (*RUNS, Failed(at=3.0, error="boom"))


@pytest.mark.parametrize(
    ("life", "led", "stays_open"),
    [
        ((), [("dispatcher", "add")], False),
        (LOST, [("doubts", "add")], True),
        (RUNS, [("watcher", "add for 60 s")], True),
        ((*RUNS, Succeeded(at=3.0)), [("harvest", "take")], True),
        ((*RUNS, Succeeded(at=3.0), Collected(at=4.0)), [("harvest", "take")], True),
        (FAILED, [], False),
        ((*RUNS, Canceled(at=3.0)), [], False),
        ((STARTED, Refused(at=2.0, reason="no")), [], False),
        ((*LOST, Held(at=3.0, reason="who knows")), [], False),
        ((Abandoned(at=3.0, reason="enough"),), [], False),
    ],
)
def test_each_state_leads_to_one_piece_of_work(
    life: tuple[Event, ...], led: list[tuple[str, str]], stays_open: bool
) -> None:
    routes = Routes()
    assert routes.go(*life) == led
    assert ("dispatcher", "wake") in routes.calls
    assert len(list(routes.journal.history())) == len(life), "nothing more was recorded"
    assert routes.is_left_open() is stays_open


def test_a_submit_that_was_cut_off_is_in_doubt() -> None:
    routes = Routes()
    assert routes.go(STARTED) == [("doubts", "add")]
    assert routes.state is State.IN_DOUBT
    assert "cut off" in routes.journal.records()[A].error


def test_what_the_manifest_no_longer_names_is_not_bought() -> None:
    routes = Routes(wanted=False)
    assert routes.go() == []
    assert not routes.is_left_open()


def test_what_runs_is_counted_until_it_has_ended() -> None:
    routes = Routes()
    routes.go(*RUNS)
    assert routes.way.running == [A]
    routes.go(Succeeded(at=3.0))
    assert routes.way.running == []


def test_a_job_out_of_sight_takes_its_slot_though_it_is_closed() -> None:
    routes = Routes()
    routes.go(*RUNS)
    routes.board.out_of_sight(A)
    routes.router.close(routes.entry())
    assert routes.way.running == [A]
    assert not routes.is_left_open()


def test_a_failure_is_tried_again_as_often_as_the_manifest_says() -> None:
    routes = Routes(attempts=2)
    assert routes.go(*FAILED) == [("dispatcher", "add")]
    assert (routes.state, routes.journal.records()[A].attempt) == (State.PLANNED, 2)
    again = SubmitStarted(at=5.0, job=JOB, attempt=2, body="{}")
    routes.calls.clear()
    assert routes.go(again, Accepted(at=6.0, remote_id="job_2"), Failed(at=7.0)) == []
    assert routes.state is State.FAILED
    assert routes.board.stops.failures == 2


@pytest.mark.parametrize(
    "end", [Canceled(at=3.0), Failed(at=3.0), Failed(at=3.0, error="flagged", moderated=True)]
)
def test_one_that_was_asked_for_again_is_tried_once_more_unless_moderation_stopped_it(
    end: Canceled | Failed,
) -> None:
    routes = Routes()
    led = [] if end.moderated else [("dispatcher", "add")]
    assert routes.go(*RUNS, end, retry=True) == led
    assert (routes.state is State.PLANNED) is not end.moderated
    assert not any(one.retry for one in routes.pieces["dispatcher"].entries), "it was asked for once"


@pytest.mark.parametrize("life", [(*RUNS, Canceled(at=3.0)), (STARTED, Refused(at=2.0, reason="no"))])
def test_what_was_canceled_or_refused_is_not_tried_again_unasked(life: tuple[Event, ...]) -> None:
    routes = Routes(attempts=9)
    assert routes.go(*life) == []
    assert routes.state is not State.PLANNED


@pytest.mark.parametrize(("wanted", "known", "buys"), list(product([True, False], repeat=3)))
def test_nothing_is_tried_again_that_may_not_be_bought(wanted: bool, known: bool, buys: bool) -> None:
    routes = Routes(attempts=9, wanted=wanted, known=known)
    if not buys:
        routes.board.stop()
    routes.go(*FAILED)
    assert (routes.state is State.PLANNED) is (wanted and known and buys)


def test_a_charge_that_is_not_what_was_said_is_told_of_once_the_run_has_begun() -> None:
    early, late = Routes(begin=False), Routes()
    early.go(*RUNS)
    late.go(*RUNS)
    assert (early.told.warnings, late.told.warnings) == ([], ["mill: 7"])


def test_an_end_may_set_money_free_and_so_may_a_job_that_did_not_leave() -> None:
    for life in ((*RUNS, Succeeded(at=3.0)), FAILED, ()):
        routes = Routes()
        routes.go(*life)
        assert ("dispatcher", "budget freed") in routes.calls
    routes = Routes()
    routes.go(*RUNS)
    assert ("dispatcher", "budget freed") not in routes.calls


@pytest.mark.parametrize("cause", [NO_CREDITS, JournalError("the disk is full")])
def test_what_stops_a_run_ends_it_though_jobs_are_open(cause: BatchgenError) -> None:
    routes = Routes()
    routes.router.stop(cause)
    assert routes.board.ended.is_set()
    assert cause in {routes.board.stops.stopped, routes.board.stops.broken}


def test_where_jobs_may_not_be_listed_doubts_are_given_up_and_what_runs_is_carried_to_its_end() -> None:
    routes = Routes()
    routes.router.stop(NoListingError("403"))
    assert routes.calls == [("doubts", "give up")]
    assert not routes.board.submitting
    assert not routes.board.ended.is_set()


def test_of_several_bugs_the_first_is_told_and_each_ends_the_run() -> None:
    routes = Routes()
    first = BaseExceptionGroup("first", [ValueError()])
    routes.router.stop(first)
    routes.router.stop(BaseExceptionGroup("second", [ValueError()]))
    assert routes.board.stops.bug is first
    assert routes.board.ended.is_set()


def test_what_is_no_longer_in_doubt_goes_on_and_so_do_those_that_stepped_aside_for_it() -> None:
    routes = Routes()
    routes.router.settled(routes.entry(*RUNS))
    done = [one for one in routes.calls if one[1] != "wake"]
    assert done == [("doubts", "settled"), ("dispatcher", "unblock"), ("watcher", "add for 60 s")]


def test_when_another_batch_is_settled_the_run_may_end() -> None:
    routes = Routes()
    routes.waits.count = 0
    routes.board.close(B)
    routes.board.ended.clear()
    routes.router.neighbour_settled()
    assert routes.calls == [("dispatcher", "unblock"), ("dispatcher", "wake")]
    assert routes.board.ended.is_set()
