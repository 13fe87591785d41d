"""A listing that never comes to its end is asked for ever more seldom, whoever asks for it."""

import json
from dataclasses import replace
from itertools import count

import pytest

from batchgen.engine.policy import Policy
from batchgen.lifecycle import State
from batchgen.reconcile.absence import DoubtPolicy
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.exchange import Call as Asked
from batchgen.simulator.faults import Fault, FaultPlan
from tests.support.builders import make_earth, make_jobs, states_of
from tests.support.virtual import Earth, Run

JOBS = make_jobs(3)

LOOKS = 16  # after 1 + 2 + 4 ... seconds, then every five minutes


class Endless:
    """Shows pages with nothing but a token, from when something was bought on or always."""

    def __init__(self, earth: Earth, *, always: bool, fresh: bool) -> None:
        self.asked = 0
        self._earth = earth
        self._always = always
        self._fresh = fresh
        self._numbers = count()

    def __call__(self, call: Call, answer: Answer) -> Answer:
        if call.path != "/jobs" or not (self._always or self._earth.service.submissions):
            return answer
        self.asked += 1
        token = str(next(self._numbers)) if self._fresh else "again"
        return replace(
            answer, status=200, body=json.dumps({"jobs": [], "nextPaginationToken": token}).encode()
        )


@pytest.mark.parametrize("fresh", [True, False])
def test_nothing_is_bought_and_the_look_before_buying_is_made_ever_more_seldom(fresh: bool) -> None:
    earth = Earth()
    endless = Endless(earth, always=True, fresh=fresh)
    run = Run(earth, JOBS, twist=endless).go()
    assert run.ending is not None
    assert (run.ending.unlisted != "", earth.service.submissions) == (True, [])
    assert run.took > 600
    assert endless.asked <= LOOKS * (100 if fresh else 2)


@pytest.mark.parametrize("fresh", [True, False])
def test_jobs_in_doubt_are_looked_for_ever_more_seldom_and_left_to_a_person(fresh: bool) -> None:
    lost = FaultPlan(chances={Asked.SUBMIT: {Fault.CUT_AFTER: 1.0}})
    earth = make_earth(faults=lost)
    endless = Endless(earth, always=False, fresh=fresh)
    policy = Policy(doubt=DoubtPolicy(settle=1, settle_max=600))
    run = Run(earth, JOBS, policy=policy, twist=endless).go()
    assert run.took > 600
    assert set(states_of(earth)) <= {State.HELD, State.PLANNED}
    assert endless.asked <= LOOKS * (100 if fresh else 2)


def test_a_page_that_is_refused_for_ever_is_asked_for_ever_more_seldom() -> None:
    asked = []

    def refuse(call: Call, answer: Answer) -> Answer:
        if call.path != "/jobs":
            return answer
        asked.append(call)
        return replace(answer, status=400, body=b'{"reason": "unknown parameter"}')

    run = Run(Earth(), JOBS, twist=refuse).go()
    assert (run.ending is not None, run.took > 600, len(asked) <= LOOKS) == (True, True, True)
