"""What goes into a child when what came out of its parent is gone, or the service is silent about it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest

from batchgen.errors import InputError
from batchgen.lifecycle import Rebound, State, SubmitStarted
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.exchange import Call as Kind
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Denied
from tests.engine.test_chains import by_id, child, parent
from tests.support.builders import events_of, make_earth
from tests.support.virtual import Earth, Run, Twist


@dataclass
class Sender:
    """Takes any content, and gives it an asset id that the service knows."""

    over: Earth
    sent: list[str] = field(default_factory=list)
    refuses: bool = False

    async def ensure(self, files: Collection[str]) -> Mapping[str, str]:
        if self.refuses:
            raise InputError("the file is gone")
        self.sent += files
        return dict.fromkeys(files, self.asset)

    @property
    def asset(self) -> str:
        return next(iter(by_id(self.over)["other"].asset_ids))

    def known(self, files: Collection[str]) -> Mapping[str, str] | None:
        return dict.fromkeys(files, self.asset)

    def forget(self, asset_ids: Collection[str]) -> None:
        raise AssertionError(asset_ids)


def without(*assets: str) -> Twist:
    """Have the service show these assets no more."""

    def twist(call: Call, answer: Answer) -> Answer:
        if any(call.path.endswith(one) for one in assets):
            return Answer(status=404, headers=answer.headers, body=b"{}")
        if "get-bulk" not in call.path:
            return answer
        shown = json.loads(answer.body)
        shown["assets"] = [one for one in shown["assets"] if one["id"] not in assets]
        return Answer(status=answer.status, headers=answer.headers, body=json.dumps(shown).encode())

    return twist


def begun(over: Earth) -> str:
    """Buy the parent, and give its asset."""
    Run(over, [parent("ann"), parent("other", prompt="another one")]).go()
    (asset,) = by_id(over)["ann"].asset_ids
    return asset


def test_what_is_gone_at_the_service_is_sent_again_from_the_disk_and_bound() -> None:
    over = make_earth()
    gone = begun(over)
    sender = Sender(over)
    wanted = [parent("ann"), parent("other", prompt="another one"), child("cut", "ann")]
    Run(over, wanted, twist=without(gone), uploader=sender).go()
    cut = by_id(over)["cut"]
    assert cut.state is State.COLLECTED
    assert json.loads(cut.body or "")["image"] == sender.asset
    assert len(sender.sent) == 1
    assert len(over.service.submissions) == 3


@pytest.mark.parametrize("refuses", [True, None])
def test_what_is_neither_there_nor_on_the_disk_blocks_the_child_unpaid(refuses: bool | None) -> None:
    over = make_earth()
    gone = begun(over)
    sender = None if refuses is None else Sender(over, refuses=refuses)
    run = Run(over, [parent("ann"), child("cut", "ann")], twist=without(gone), uploader=sender).go()
    assert run.ending is not None
    assert ["neither at the service nor on the disk" in why for why in run.ending.blocked.values()] == [True]
    assert len(over.service.submissions) == 2


@pytest.mark.parametrize(
    ("fault", "bound_anew"), [(Fault.CUT_BEFORE, False), (Fault.THROTTLED, True), (Fault.CUT_AFTER, False)]
)
def test_a_body_that_may_have_been_paid_for_keeps_its_asset(fault: Fault, bound_anew: bool) -> None:
    over = make_earth()
    gone = begun(over)
    wanted = [parent("ann"), parent("other", prompt="another one"), child("cut", "ann")]
    script = {Kind.SUBMIT: [None, None, fault]}
    over.service.deny(Denied(), FaultPlan(script=script))
    Run(over, wanted, cut_at=2.0).go()
    before = by_id(over)["cut"]
    run = Run(over, wanted, twist=without(gone), uploader=Sender(over)).go()
    after = by_id(over)["cut"]
    assert bool(events_of(run, Rebound)) is (bound_anew and before.state is State.PLANNED)
    if not events_of(run, Rebound):
        assert after.body == before.body
    assert len(over.service.submissions) <= 3


def test_a_chain_goes_on_where_the_service_is_asked_in_vain_for_a_while() -> None:
    over = make_earth()
    begun(over)
    over.service.deny(Denied(), FaultPlan(script={Kind.ASSETS: [Fault.UNAVAILABLE, Fault.CUT_AFTER]}))
    run = Run(over, [parent("ann"), child("cut", "ann")]).go()
    assert by_id(over)["cut"].state is State.COLLECTED
    assert len(events_of(run, SubmitStarted)) == 1
