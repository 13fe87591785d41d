from decimal import Decimal

import pytest

from batchgen.engine.outcome import EngineOutcome, LeftOut
from batchgen.engine.verdict import judge, verdict_of, weigh
from batchgen.errors import StopCause, StoppedError
from batchgen.exits import Exit
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey

DONE = Record(state=State.COLLECTED)


def records(*states: State) -> list[Record]:
    return [DONE, *(Record(state=state) for state in states)]


@pytest.mark.parametrize(
    ("states", "exit_", "reasons"),
    [
        ((), Exit.DONE, ()),
        ((State.FAILED, State.REFUSED), Exit.FAILED, ("2 jobs failed; try them again with --retry-failed",)),
        ((State.CANCELED,), Exit.FAILED, ("1 job failed; try them again with --retry-failed",)),
        ((State.ABANDONED,), Exit.FAILED, ("1 job failed; try them again with --retry-failed",)),
        ((State.PLANNED,), Exit.REMAINS, ("1 job not submitted yet; run the same command to continue",)),
        (
            (State.RUNNING,),
            Exit.REMAINS,
            ("1 job still running at the service; run the same command to collect them",),
        ),
        ((State.SUCCEEDED,), Exit.REMAINS, ("1 job with missing files; run the same command to fetch them",)),
        (
            (State.HELD, State.IN_DOUBT),
            Exit.DOUBT,
            (
                "1 job in doubt: may have been paid for, and will not be sent again until you decide",
                "1 job in doubt: may have been paid for; run the same command to look for what was sent",
            ),
        ),
        (
            (State.SUBMITTING, State.IN_DOUBT),
            Exit.REMAINS,
            ("2 jobs in doubt: may have been paid for; run the same command to look for what was sent",),
        ),
    ],
)
def test_what_is_left_decides_the_exit(
    states: tuple[State, ...], exit_: Exit, reasons: tuple[str, ...]
) -> None:
    verdict = judge(EngineOutcome(), records(*states))
    assert (verdict.exit, verdict.reasons) == (exit_, reasons)


def test_doubt_comes_before_remaining_work_and_that_before_failures() -> None:
    verdict = judge(EngineOutcome(drained=True), records(State.FAILED, State.PLANNED, State.HELD))
    assert verdict.exit is Exit.DOUBT
    assert [reason.split(" ", 2)[2].split(";")[0].split(":")[0] for reason in verdict.reasons] == [
        "in doubt",
        "not submitted yet",
        "failed",
    ]


@pytest.mark.parametrize(
    ("cause", "exit_"),
    [
        (StopCause.CREDENTIALS, Exit.CREDENTIALS),
        (StopCause.PLAN, Exit.CREDENTIALS),
        (StopCause.CREDITS, Exit.BUDGET),
    ],
)
def test_what_stopped_the_run_is_told_first(cause: StopCause, exit_: Exit) -> None:
    verdict = judge(EngineOutcome(stopped=StoppedError("no", cause=cause)), records(State.PLANNED))
    assert verdict.exit is exit_
    assert verdict.reasons[0] == "no"


def test_doubt_comes_before_missing_credits() -> None:
    stopped = StoppedError("no credits", cause=StopCause.CREDITS)
    assert judge(EngineOutcome(stopped=stopped), records(State.HELD)).exit is Exit.DOUBT


def test_out_of_sight_is_told_apart_from_running() -> None:
    verdict = judge(
        EngineOutcome(out_of_sight=frozenset({JobKey("v1:a")})), records(State.RUNNING, State.RUNNING)
    )
    assert verdict.exit is Exit.REMAINS
    assert [reason[:20] for reason in verdict.reasons] == ["1 job still running ", "1 job not finished w"]


def test_a_service_that_was_gone_is_named() -> None:
    verdict = judge(EngineOutcome(unreachable=True), records(State.PLANNED))
    assert verdict.reasons == ("1 job not submitted: the service could not be reached, or took no job",)


@pytest.mark.parametrize(
    ("left", "told"),
    [
        ((1, 6, "7.25", 0), "1 job was left out as asked, of 6; the rest would cost 7.25 CU"),
        ((4, 6, "8", 2), "4 jobs were left out as asked, of 6; the rest would cost 8 CU, and 2 jobs more"),
        ((4, 6, "0", 4), "4 jobs were left out as asked, of 6; what the rest would cost is not known"),
    ],
)
def test_what_was_left_out_is_told_with_its_price(left: tuple[int, int, str, int], told: str) -> None:
    jobs, of, cost, unpriced = left
    said = str(LeftOut(jobs=jobs, of=of, cost=Decimal(cost), unpriced=unpriced))
    assert said.removesuffix(" whose price is not known").removesuffix(": `batchgen plan` asks") == told


@pytest.mark.parametrize(("decides", "status"), [(True, Exit.DOUBT), (False, Exit.FAILED)])
def test_what_a_parent_blocks_is_no_reason_to_run_again(decides: bool, status: Exit) -> None:
    told = "2 jobs are blocked by run, which says why"
    found = weigh(EngineOutcome(), records(State.COLLECTED), blocked=[(decides, told)])
    assert (verdict_of(found).exit, verdict_of(found).reasons) == (status, (told,))
    waiting = weigh(EngineOutcome(), records(State.PLANNED, State.PLANNED), waiting=1)
    assert verdict_of(waiting).exit is Exit.REMAINS
    assert verdict_of(waiting).reasons[0].endswith("(1 of them waits for a parent)")


ABOUT = "about 40 CU for 2 jobs whose input does not exist yet"


@pytest.mark.parametrize(
    ("exact", "about", "unpriced", "told"),
    [
        (12, 40, 0, f"12 CU, and {ABOUT}"),
        (0, 40, 0, ABOUT),
        (12, 40, 1, f"12 CU, and {ABOUT}, and 1 job more whose price is not known"),
    ],
)
def test_estimates_of_what_was_left_out_are_told_apart(
    exact: int, about: int, unpriced: int, told: str
) -> None:
    left = LeftOut(
        jobs=5,
        of=9,
        cost=Decimal(exact + about),
        unpriced=unpriced,
        estimated=2,
        estimate=Decimal(about),
    )
    assert str(left) == f"5 jobs were left out as asked, of 9; the rest would cost {told}"
