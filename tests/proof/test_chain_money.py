"""Seeds of chains under a cap."""

import asyncio
from collections import Counter

from batchgen.engine.runner import Runner
from batchgen.lifecycle import ShownAbsent, State
from batchgen.model import JobKey
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from tests.proof.chain_money import ChainMoney, story_of
from tests.support.builders import events_of, make_earth, records_of
from tests.support.chains import WHOLE, chain, parent, purse
from tests.support.virtual import Run

_SEEDS = range(12)


def test_whatever_happens_under_a_cap_it_holds_and_nothing_is_kept_or_begun_in_vain() -> None:
    tally: Counter[str] = Counter()
    for seed in _SEEDS:
        world = ChainMoney(seed)
        assert world.play() == [], f"seed {seed}"
        tally.update(world.tally)
    for one in ("of those whose cap ends in the middle of a chain", "of those dearer at the door"):
        assert tally[one] > 0, f"no seed has {one}"


def test_a_step_that_is_shown_absent_after_a_kill_has_its_money_kept_again() -> None:
    lost = FaultPlan(script={Call.SUBMIT: [None, Fault.CUT_BEFORE]})
    over = make_earth(duration=(5.0, 5.0), faults=lost)
    Run(over, chain("ann"), purse=purse(WHOLE), cut_at=9.0).go()
    assert [one.state for one in records_of(over).values()] == [State.COLLECTED, State.IN_DOUBT]
    kept: list[JobKey] = []

    def command(runner: Runner) -> None:
        loop = asyncio.get_running_loop()

        def look() -> None:
            kept.extend(over.disk.reservations)
            runner.control.pause(paused=False)

        loop.call_later(1.0, lambda: runner.control.pause(paused=True))  # so that the step cannot leave again
        loop.call_later(1200.0, look)

    wanted = [*chain("ann"), parent("witness")]  # which shows that the listing would have shown the step
    run = Run(over, wanted, purse=purse(1000), command=command).go()
    assert len(events_of(run, ShownAbsent)) == 1
    names = {key: one.job.id for key, one in records_of(over).items() if one.job is not None}
    assert {names[one] for one in kept} == {"ann-cut", "ann-big"}
    assert {one.state for one in records_of(over).values()} == {State.COLLECTED}


def test_the_story_of_a_seed_is_always_the_same() -> None:
    assert story_of(7) == story_of(7) != story_of(8)
