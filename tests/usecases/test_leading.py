"""What follows from how a run of a worker ended."""

import asyncio
from typing import Any, cast

import pytest

from batchgen.engine.interrupts import Interrupts
from batchgen.errors import BatchLockedError, FencedError, InputError, JournalAwayError
from batchgen.journal.enqueued import After, Enqueued, Wait
from batchgen.usecases.leading import FIRST_PAUSE, LONGEST_PAUSE, MOST_BUGS, Ending, after, broken, few, led
from batchgen.usecases.run_end import RunOutcome

ONE = cast("Enqueued", None)  # nothing here looks at it


@pytest.mark.parametrize("status", [0, 3])
def test_what_is_done_or_has_failed_is_not_rung_for_again(status: int) -> None:
    assert after(Ending(status), 4) == After(state=Wait.DONE)


@pytest.mark.parametrize("status", [2, 4, 5, 7])
def test_what_needs_a_person_waits_for_one_also_where_it_was_told_to_stop(status: int) -> None:
    assert after(Ending(status), 0) == After(state=Wait.STOPPED)
    assert after(Ending(status, drained=True), 0) == After(state=Wait.STOPPED)


def test_where_another_run_leads_nothing_follows() -> None:
    assert after(Ending(6), 0) is None


def test_work_that_remains_is_tried_again_less_and_less_often_and_for_ever() -> None:
    pauses = [follows.again_in for tries in range(40) if (follows := after(Ending(8), tries))]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert pauses == sorted(pauses)


@pytest.mark.parametrize("status", [8, 143, 1])
def test_what_was_told_to_stop_goes_to_the_next_worker_at_once(status: int) -> None:
    assert after(Ending(status, drained=True), 2) == After(state=Wait.WANTED, tries=2)


def test_a_bug_or_a_full_disk_is_tried_elsewhere_and_not_for_ever() -> None:
    states = [follows.state for tries in range(MOST_BUGS) if (follows := after(Ending(1), tries))]
    assert states == [Wait.WANTED] * (MOST_BUGS - 1) + [Wait.STOPPED]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("wrong"), 2),
        (BatchLockedError("led", batch="a", holder="b"), 6),
        (FencedError("led"), 6),
        (JournalAwayError("away"), 8),
    ],
)
def test_an_error_is_how_a_run_ended(error: Exception, status: int) -> None:
    async def run(_one: Enqueued, _interrupts: Interrupts) -> RunOutcome:
        raise error

    ending = asyncio.run(cast("Any", led(run, ONE, Interrupts())))
    assert (ending.status, ending.drained) == (status, False)
    assert str(error) in ending.reasons


def test_a_bug_is_how_a_run_ended_too() -> None:
    assert broken(ValueError("what")) == Ending(1, ("ValueError: what",))


def test_of_very_many_reasons_a_few_are_kept() -> None:
    assert few(["a", "b"]) == ["a", "b"]
    assert few([str(one) for one in range(100)])[-1] == "and 80 more"
