"""Whole runs of the real engine and client over the simulator's core, in virtual time."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.engine.policy import Policy
from batchgen.engine.runner import Runner
from batchgen.errors import JournalError, StopCause
from batchgen.exits import Exit
from batchgen.lifecycle import IN_FLIGHT, Accepted, Deferred, Event, Record, State, SubmitStarted
from batchgen.model import Job, JobKey, Rate
from batchgen.planning.budget import Allowance, Amounts
from batchgen.planning.room import Room
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import WITHOUT_EFFECT, Fault, FaultPlan, faults_of
from batchgen.simulator.settings import Limits, Outcomes, Views
from tests.support.builders import events_of, make_earth, make_jobs, records_of, states_of, verdict_of
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Run


def charged(over: Earth) -> Counter[str]:
    """How often each body was accepted and charged."""
    return Counter(one.body for one in over.service.submissions)


def assert_nothing_paid_twice_and_nothing_lost(over: Earth, wanted: Sequence[Job]) -> None:
    """Every charge belongs to one wanted job, and is in the records or its job is in doubt."""
    bodies = charged(over)
    assert sum(bodies.values()) <= len(wanted)
    known = Counter(one.remote_id for record in records_of(over).values() for one in record.submissions)
    assert set(known.values()) <= {1}
    doubtful = Counter(record.body or "" for record in records_of(over).values() if record.state in IN_FLIGHT)
    unknown = Counter(one.body for one in over.service.submissions if one.remote_id not in known)
    assert not unknown - doubtful, "a charge that nothing points to"


def test_every_job_is_carried_to_its_end() -> None:
    over = make_earth()
    run = Run(over, make_jobs(30)).go()
    assert states_of(over) == {State.COLLECTED: 30}
    assert len(over.service.submissions) == 30
    assert verdict_of(run).exit is Exit.DONE


def test_a_second_run_asks_for_nothing_and_buys_nothing() -> None:
    over = make_earth()
    Run(over, make_jobs(5)).go()
    before = dict(over.service.counts)
    Run(over, []).go()
    assert dict(over.service.counts) == before
    Run(over, make_jobs(5)).go()
    assert len(over.service.submissions) == 5


@settings(max_examples=40)
@given(
    cuts=st.lists(st.tuples(st.sampled_from(["time", "append"]), st.floats(0, 40)), max_size=6),
    ceiling=st.none() | st.integers(1, 5),
    power=st.booleans(),
    model=st.sampled_from([SEEDED, SEEDLESS]),
    seed=st.integers(0, 1000),
)
def test_a_run_cut_anywhere_any_number_of_times_pays_nothing_twice_and_forgets_nothing(
    cuts: list[tuple[str, float]], ceiling: int | None, power: bool, model: str, seed: int
) -> None:
    wanted = make_jobs(8, model=model)
    over = make_earth(seed=seed, limits=Limits(ceiling=ceiling))
    for kind, when in cuts:
        if kind == "time":
            Run(over, wanted, cut_at=when, seed=seed).go()
        else:
            Run(over, wanted, cut_at_append=int(when), seed=seed).go()
        if power:
            over.disk.lose_power()
        assert_nothing_paid_twice_and_nothing_lost(over, wanted)
    run = Run(over, wanted, seed=seed).go()
    assert run.ending is not None
    assert_nothing_paid_twice_and_nothing_lost(over, wanted)
    final = states_of(over)
    assert final[State.COLLECTED] + final[State.HELD] == len(wanted)
    assert final[State.HELD] <= len(cuts) * (ceiling or 8)
    if not cuts:
        assert len(over.service.submissions) == len(wanted)


faults = st.dictionaries(
    st.sampled_from([one for one in faults_of(Call.JOB) if one is not Fault.SLOW]),
    st.floats(0, 0.07),
    max_size=5,
)


@settings(max_examples=40)
@given(submit=faults, look=faults, seed=st.integers(0, 1000), cut=st.none() | st.floats(0, 60))
def test_whatever_the_service_answers_nothing_is_paid_twice(
    submit: dict[Fault, float], look: dict[Fault, float], seed: int, cut: float | None
) -> None:
    wanted = make_jobs(10)
    plan = FaultPlan(chances={Call.SUBMIT: submit, Call.JOB: look, Call.MODEL: {}})
    over = make_earth(seed=seed, faults=plan)
    if cut is not None:
        Run(over, wanted, cut_at=cut, seed=seed).go()
    Run(over, wanted, seed=seed).go()
    assert_nothing_paid_twice_and_nothing_lost(over, wanted)
    final = states_of(over)
    assert final[State.COLLECTED] + final[State.HELD] == len(wanted)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.CUT_AFTER,
        Fault.CUT_BEFORE,
        Fault.HANG_AFTER,
        Fault.ERROR_BEFORE,
        Fault.ERROR_AFTER,
        Fault.BAD_GATEWAY,
        Fault.UNAVAILABLE,
        Fault.TIMEOUT,
        Fault.REDIRECT,
        Fault.NO_JSON,
    ],
)
def test_an_answer_that_says_neither_yes_nor_no_is_found_again_or_shown_absent(fault: Fault) -> None:
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: [None, fault]}))
    run = Run(over, make_jobs(3)).go()
    assert states_of(over) == {State.COLLECTED: 3}
    assert set(charged(over).values()) == {1}
    assert over.service.counts["submit"] == (4 if fault in WITHOUT_EFFECT else 3)
    assert verdict_of(run).exit is Exit.DONE


def test_a_refusal_for_want_of_room_costs_no_attempt_and_the_same_bytes_are_sent_again() -> None:
    over = make_earth(limits=Limits(ceiling=3))
    run = Run(over, make_jobs(20)).go()
    assert states_of(over) == {State.COLLECTED: 20}
    assert {record.attempt for record in records_of(over).values()} == {1}
    refused = [key for key, event in run.watching.events if isinstance(event, Deferred)]
    assert 0 < len(refused) <= 3
    for key in refused:
        sent = {
            event.body for k, event in run.watching.events if k == key and isinstance(event, SubmitStarted)
        }
        assert len(sent) == 1


def test_a_service_that_takes_no_job_for_an_hour_ends_the_run() -> None:
    refused = [Fault.THROTTLED] * 5000
    over = make_earth(faults=FaultPlan(script={Call.SUBMIT: refused}))
    run = Run(over, make_jobs(3)).go()
    assert run.ending is not None
    assert run.ending.unreachable
    assert not over.service.submissions
    assert 3600 <= run.took <= 4500


def test_a_cooldown_holds_all_submits_for_as_long_as_it_says() -> None:
    over = make_earth(limits=Limits(ceiling=2, cooldown=60), duration=(5.0, 6.0))
    run = Run(over, make_jobs(6)).go()
    assert states_of(over) == {State.COLLECTED: 6}
    events = [event for _, event in run.watching.events]
    told = [event.at for event in events if isinstance(event, Deferred) and "cooldown" in event.reason]
    assert told, "the refusal after the one at the ceiling says how long"
    for at in told:
        started = [event.at for event in events if isinstance(event, SubmitStarted) and event.at > at]
        assert started[0] - at >= 50


def test_submits_keep_to_the_rate() -> None:
    over = make_earth(duration=(1.0, 2.0))
    run = Run(over, make_jobs(20), rate=Rate(count=60, seconds=60)).go()
    started = [event.at for event in events_of(run, SubmitStarted)]
    assert min(b - a for a, b in pairwise(started)) >= 1 - 1e-3


def test_no_more_is_in_flight_than_the_user_allows() -> None:
    over = make_earth()
    Run(over, make_jobs(20), in_flight=4).go()
    assert over.service.most_in_flight <= 4


def test_four_hundred_waiting_jobs_are_not_four_hundred_tasks() -> None:

    most = 0

    def count() -> None:
        nonlocal most
        most = max(most, len(asyncio.all_tasks()))

    over = make_earth(duration=(1.0, 2.0))
    run = Run(over, make_jobs(400), in_flight=20, policy=Policy(collectors=4))
    run.watching._at_event = count
    run.go()
    assert states_of(over) == {State.COLLECTED: 400}
    assert most <= 40


def test_an_end_with_the_answer_needs_no_look() -> None:
    over = make_earth(outcomes=Outcomes(instant=True))
    Run(over, make_jobs(5)).go()
    assert states_of(over) == {State.COLLECTED: 5}
    assert over.service.counts["job"] == 0


def test_a_word_nobody_knows_counts_as_running() -> None:
    over = make_earth(outcomes=Outcomes(strange_word="daydreaming"))
    Run(over, make_jobs(3)).go()
    assert states_of(over) == {State.COLLECTED: 3}


def test_a_fresh_id_that_is_not_shown_is_asked_about_again() -> None:
    over = make_earth(views=Views(job_lag=20.0))
    Run(over, make_jobs(3)).go()
    assert states_of(over) == {State.COLLECTED: 3}
    assert len(over.service.submissions) == 3


def test_failed_and_canceled_jobs_are_told_and_not_bought_again() -> None:
    over = make_earth(outcomes=Outcomes(failures=0.5, cancellations=0.2), seed=4)
    Run(over, make_jobs(20)).go()
    bad = states_of(over)[State.FAILED] + states_of(over)[State.CANCELED]
    assert bad > 0
    Run(over, make_jobs(20)).go()
    assert len(over.service.submissions) == 20


def test_what_outlasts_the_timeout_is_left_out_of_sight_and_watched_by_the_next_run() -> None:
    over = make_earth(duration=(300.0, 400.0))
    run = Run(over, make_jobs(2), policy=Policy(timeout=60)).go()
    assert run.ending is not None
    assert len(run.ending.out_of_sight) == 2
    assert verdict_of(run).exit is Exit.REMAINS
    assert states_of(over) == {State.RUNNING: 2}
    Run(over, make_jobs(2)).go()
    assert states_of(over) == {State.COLLECTED: 2}
    assert len(over.service.submissions) == 2


def test_missing_credits_stop_the_run_in_order_and_no_job_fails_for_them() -> None:
    over = make_earth(limits=Limits(credits=Decimal(30)))
    run = Run(over, make_jobs(50)).go()
    assert run.ending is not None
    assert run.ending.stopped is not None
    assert run.ending.stopped.cause is StopCause.CREDITS
    assert verdict_of(run).exit is Exit.BUDGET
    assert set(states_of(over)) == {State.COLLECTED, State.PLANNED}
    assert over.service.counts["submit"] <= len(over.service.submissions) + 1


def test_a_drain_submits_no_more_and_collects_what_is_paid() -> None:
    def drain_soon(runner: Runner) -> None:

        asyncio.get_running_loop().call_later(3.0, runner.drain)

    over = make_earth()
    run = Run(over, make_jobs(50), in_flight=3, command=drain_soon).go()
    assert run.ending is not None
    assert run.ending.drained
    assert set(states_of(over)) == {State.COLLECTED}
    assert len(over.service.submissions) == states_of(over)[State.COLLECTED] < 50
    Run(over, make_jobs(50)).go()
    assert len(over.service.submissions) == 50


def test_leaving_at_once_lets_submits_under_way_finish_for_a_moment() -> None:
    def leave_soon(runner: Runner) -> None:

        asyncio.get_running_loop().call_later(0.1, runner.leave)  # the first POST is at the service

    over = make_earth()
    Run(over, make_jobs(5), command=leave_soon).go()
    assert states_of(over) == {State.RUNNING: 1}
    assert len(over.service.submissions) == 1


def test_a_removed_job_is_carried_to_its_end_and_never_bought() -> None:
    over = make_earth(limits=Limits(ceiling=2))
    Run(over, make_jobs(4), cut_at=1.0).go()
    paid = len(over.service.submissions)
    assert 0 < paid < 4
    Run(over, make_jobs(1, model=SEEDLESS)).go()
    assert len(over.service.submissions) == paid + 1
    left = [one for one in records_of(over).values() if one.state not in {State.COLLECTED, State.HELD}]
    assert all(record.state is State.PLANNED for record in left)


def test_equal_jobs_are_each_bought_once_and_told_apart_by_their_seeds() -> None:
    wanted = make_jobs(4, name="same", prompt="the same")
    over = make_earth()
    Run(over, wanted, cut_at=2.0).go()
    Run(over, wanted).go()
    assert max(charged(over).values()) == 1
    assert len(charged(over)) == len(over.service.submissions) <= 4


def test_a_journal_that_breaks_stops_the_run_and_shows_what_was_paid() -> None:
    over = make_earth()

    def full_on_receipt(runner: Runner) -> None:
        journal = runner._world.journal
        assert isinstance(journal, MemoryJournal)
        append = journal.append

        def refuse(
            key: JobKey,
            *events: Event,
            allowed: Allowance | None = None,
            reserves: Amounts | None = None,
            room: Room | None = None,
        ) -> Record:
            if any(isinstance(event, Accepted) for event in events):
                raise JournalError("the disk is full")
            return append(key, *events, allowed=allowed, reserves=reserves, room=room)

        journal.append = refuse  # type: ignore[method-assign]  # a disk that fills up at the worst moment

    run = Run(over, make_jobs(10), command=full_on_receipt)
    with pytest.raises(JournalError, match="disk is full"):
        run.go()
    shown = [text for text in run.watching.troubles if text.startswith("paid for but not recorded: ")]
    assert [text.split()[5] for text in shown] == [one.remote_id for one in over.service.submissions]
    assert len(over.service.submissions) <= 2, "nothing more was submitted"
