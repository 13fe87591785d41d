"""Before anything is bought: what the service has already is adopted or held, and never bought again."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from batchgen.engine.policy import Policy
from batchgen.lifecycle import AnswerLost, Held, Record, State
from batchgen.model import Job, Submission
from batchgen.reconcile.look_back import BLIND, MARGIN, looks_back_to
from batchgen.scenario.transport import Answer
from batchgen.scenario.transport import Call as Request
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Outcomes, Settings
from tests.support.builders import events_of, make_earth, make_jobs, records_of, service_of_another, states_of
from tests.support.memory_journal import Disk
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Run


def lose_the_journal(over: Earth, *, keep: int = 0) -> None:
    """Leave the first events, as an older copy would have them."""
    over.disk = Disk(events=over.disk.events[:keep])


def test_a_lost_journal_buys_nothing_again_where_seeds_tell_the_jobs() -> None:
    over = make_earth()
    Run(over, make_jobs(12)).go()
    lose_the_journal(over)
    Run(over, make_jobs(12)).go()
    assert len(over.service.submissions) == 12
    assert states_of(over) == {State.COLLECTED: 12}


def test_what_was_not_bought_before_the_loss_is_bought_after_it() -> None:
    over = make_earth()
    Run(over, make_jobs(8)).go()
    lose_the_journal(over)
    Run(over, make_jobs(20)).go()
    assert len(over.service.submissions) == 20
    assert states_of(over) == {State.COLLECTED: 20}


@pytest.mark.parametrize("keep", [3, 10, 25])
def test_an_older_copy_of_the_journal_buys_nothing_again(keep: int) -> None:
    over = make_earth()
    Run(over, make_jobs(12)).go()
    lose_the_journal(over, keep=keep)
    Run(over, make_jobs(12)).go()
    assert len(over.service.submissions) == 12
    assert states_of(over) == {State.COLLECTED: 12}


def test_jobs_without_a_seed_that_look_bought_are_held_and_the_others_bought() -> None:
    over = make_earth()
    Run(over, make_jobs(3, model=SEEDLESS)).go()
    lose_the_journal(over)
    run = Run(over, make_jobs(5, model=SEEDLESS)).go()
    assert len(over.service.submissions) == 5
    assert states_of(over) == {State.HELD: 3, State.COLLECTED: 2}
    told = [event.reason for event in events_of(run, Held)]
    assert all(over.service.submissions[n].remote_id in told[n] for n in range(3))


def test_as_many_equals_are_held_as_there_are_rows() -> None:
    over = make_earth()
    equals = make_jobs(5, prompt="the same", model=SEEDLESS)
    Run(over, equals[:2]).go()
    lose_the_journal(over)
    Run(over, equals).go()
    assert states_of(over) == {State.HELD: 2, State.COLLECTED: 3}


def test_a_job_held_long_ago_claims_no_row_of_an_equal_one_that_was_forgotten() -> None:
    over = make_earth()
    equals = make_jobs(3, prompt="the same", model=SEEDLESS)
    Run(over, equals[:1]).go()
    lose_the_journal(over)
    Run(over, equals[:1]).go()
    assert states_of(over) == {State.HELD: 1}
    held = list(over.disk.events)
    over.clock_offset += 10 * MARGIN
    Run(over, [equals[0], equals[1], *make_jobs(1)]).go()
    assert len(over.service.submissions) == 3
    over.disk = Disk(
        events=[*held, *(one for one in over.disk.events[len(held) :] if "number 0" in str(one))]
    )
    Run(over, [equals[0], equals[1], *make_jobs(1)]).go()
    assert len(over.service.submissions) == 3, "what the older copy forgot is held, and not bought again"


def test_what_is_bought_after_a_loss_hides_nothing_that_was_lost() -> None:
    over = make_earth()
    Run(over, make_jobs(12)).go()
    lose_the_journal(over, keep=3)
    over.clock_offset += 3600
    new = Job(id="new", prompt="a mill", model=SEEDED)
    Run(over, [new]).go()
    Run(over, [*make_jobs(12), new]).go()
    assert len(over.service.submissions) == 13
    assert states_of(over) == {State.COLLECTED: 13}


def test_a_colleagues_equal_jobs_are_neither_adopted_nor_in_the_way_once_we_know_who_we_are() -> None:
    over, mine = make_earth(), make_jobs(4)
    over.service.restore(service_of_another(mine[1:]).submissions)
    Run(over, mine).go()
    assert len(over.service.submissions) == 3 + 4
    assert states_of(over) == {State.COLLECTED: 4}


def may_not_upload(call: Request, answer: Answer) -> Answer:
    return Answer(status=403, body=b"{}") if call.path == "/assets" else answer


@pytest.mark.parametrize(
    ("twist", "state"), [(None, State.COLLECTED), (may_not_upload, State.HELD)], ids=["asked", "refused"]
)
def test_rows_of_two_keys_with_our_seeds_are_left_to_a_person_unless_the_service_says_who_we_are(
    twist: Callable[[Request, Answer], Answer] | None, state: State
) -> None:
    over, mine = make_earth(), make_jobs(2)
    Run(over, mine).go()
    over.service.restore(
        [replace(one, ordinal=2 + one.ordinal) for one in service_of_another(mine).submissions]
    )
    lose_the_journal(over)
    Run(over, mine, twist=twist).go()
    assert states_of(over) == {state: 2}
    assert len(over.service.submissions) == 4


def test_failed_attempts_that_a_lost_journal_forgot_are_told_again() -> None:
    over = make_earth()
    over.service = Service(Settings(outcomes=Outcomes(failures=1.0)))
    Run(over, make_jobs(3), policy=Policy(attempts=2)).go()
    lose_the_journal(over)
    Run(over, make_jobs(3), policy=Policy(attempts=2)).go()
    assert len(over.service.submissions) == 6
    assert states_of(over) == {State.FAILED: 3}
    assert all(len(one.submissions) == 2 for one in records_of(over).values())


def test_nothing_is_bought_while_the_listing_cannot_be_read() -> None:
    over = make_earth(faults=FaultPlan(chances={Call.JOBS: {Fault.BAD_GATEWAY: 1.0}}))
    run = Run(over, make_jobs(3)).go()
    assert run.ending is not None
    assert run.ending.unreachable
    assert not over.service.submissions


def test_nothing_is_listed_where_nothing_is_to_be_bought() -> None:
    over = make_earth()
    Run(over, make_jobs(3), policy=Policy(sweeps=False)).go()
    listed = over.service.counts["jobs"]
    Run(over, make_jobs(3), policy=Policy(sweeps=False)).go()
    assert over.service.counts["jobs"] == listed == 1


def test_a_held_job_tells_that_its_answer_was_not_seen() -> None:
    over = make_earth()
    Run(over, make_jobs(1, model=SEEDLESS)).go()
    lose_the_journal(over)
    run = Run(over, make_jobs(1, model=SEEDLESS)).go()
    kinds = [type(event) for _, event in run.watching.events]
    assert kinds[1:] == [AnswerLost, Held]


def test_a_listing_reaches_back_to_just_before_the_last_that_is_known_of() -> None:
    known = [
        Record(
            intent_at=1_000.0, submissions=(Submission(remote_id="a", attempt=1, at=1_001.0, charged=None),)
        ),
        Record(intent_at=9_000.0, lost_at=9_100.0),
    ]
    assert looks_back_to(known, began=None, now=200_000.0) == 9_000.0 - MARGIN
    assert looks_back_to(known, began=None, now=20_000.0) == 20_000.0 - BLIND
    assert looks_back_to(known, began=8_000.0, now=20_000.0) == 8_000.0
    assert looks_back_to(known, began=None, now=200_000.0, unfinished=50.0) == 50.0
    assert looks_back_to([], began=19_000.0, now=20_000.0) == 19_000.0
    assert looks_back_to([], began=None, now=20_000.0) == 20_000.0 - BLIND
