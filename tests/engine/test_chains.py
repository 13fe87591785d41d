"""Chains carried by the real engine over the simulator's core, in virtual time."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.engine.policy import Policy
from batchgen.identity import references_of
from batchgen.lifecycle import DONE, Record, State, SubmitStarted
from batchgen.model import Job, Json
from batchgen.planning.acceptance import Offer, offer
from batchgen.planning.make_plan import make_plan
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Denied, Limits, Outcomes
from tests.support.builders import events_of, make_earth, records_of, states_of
from tests.support.memory_journal import Disk
from tests.support.virtual import SEEDED, Earth, Run

CUT_OUT, UPSCALE = "model_birefnet-background-removal", "model_topaz-image-upscale"


def parent(name: str, *, prompt: str = "a knight", **params: Json) -> Job:
    return Job(id=name, prompt=prompt, model=SEEDED, params=params)


def child(name: str, of: str, *, model: str = CUT_OUT, **which: Json) -> Job:
    return Job(id=name, model=model, params={"image": {"job": of, **which}})


def chain(name: str, *, prompt: str | None = None) -> list[Job]:
    return [
        parent(name, prompt=prompt or f"a knight called {name}"),
        child(f"{name}-cut", name),
        child(f"{name}-big", f"{name}-cut", model=UPSCALE),
    ]


def by_id(over: Earth) -> Mapping[str, Record]:
    return {record.job.id: record for record in records_of(over).values() if record.job is not None}


def assert_chains_hold(over: Earth) -> None:
    """Every child was sent with what its own parent gave, after its parent's end was on record."""
    records = records_of(over)
    done: set[object] = set()
    for key, event in over.disk.events:
        if isinstance(event, SubmitStarted):
            for one in references_of(event.job):
                assert one.key in done, f"{event.job.id} left before {one.job} had ended"
        if type(event).__name__ == "Succeeded":
            done.add(key)
    for record in records.values():
        if record.job is None or record.body is None:
            continue
        sent = json.loads(record.body)
        for one in references_of(record.job):
            assert one.key is not None
            assert set(one.assets) <= set(records[one.key].asset_ids)
            assert json.dumps(sent).count(one.assets[0]) >= 1


def test_a_chain_of_three_steps_is_carried_by_one_run() -> None:
    over = make_earth()
    Run(over, [one for name in ("ann", "bob") for one in chain(name)]).go()
    assert states_of(over) == {State.COLLECTED: 6}
    assert_chains_hold(over)


def test_the_order_of_the_manifest_does_not_matter() -> None:
    over = make_earth()
    Run(over, chain("ann")[::-1]).go()
    assert states_of(over) == {State.COLLECTED: 3}


def test_a_second_run_buys_nothing() -> None:
    over = make_earth()
    wanted = chain("ann")
    Run(over, wanted).go()
    Run(over, wanted).go()
    assert len(over.service.submissions) == 3


def test_a_new_child_of_a_parent_of_an_earlier_run_gets_its_asset() -> None:
    over = make_earth()
    Run(over, chain("ann")[:1]).go()
    Run(over, chain("ann")).go()
    assert states_of(over) == {State.COLLECTED: 3}
    assert_chains_hold(over)


def test_ready_children_leave_before_new_parents() -> None:
    over = make_earth()
    run = Run(over, [one for number in range(6) for one in chain(f"k{number}")], in_flight=1).go()
    left = [one.job.id for one in events_of(run, SubmitStarted)]
    assert left[:6] == ["k0", "k0-cut", "k0-big", "k1", "k1-cut", "k1-big"]


@pytest.mark.parametrize(("which", "count"), [({"output": 1}, 1), ({"outputs": "all"}, 2)])
def test_an_output_is_chosen_by_its_number_or_all_go_in(which: Mapping[str, Json], count: int) -> None:
    over = make_earth()
    sheet = Job(
        id="sheet",
        prompt="both",
        model="model_google-gemini-3-1-flash",
        params={"referenceImages": [{"job": "ann", **which}]},
    )
    Run(over, [parent("ann", numOutputs=2), sheet]).go()
    records = by_id(over)
    assert records["sheet"].state in DONE
    sent = json.loads(records["sheet"].body or "{}")["referenceImages"]
    assert tuple(sent) == records["ann"].asset_ids[-count:]


def test_a_child_of_a_parent_with_two_assets_stays_unpaid_until_it_says_which() -> None:
    over = make_earth()
    run = Run(over, [parent("ann", numOutputs=2), child("cut", "ann")]).go()
    assert len(over.service.submissions) == 1
    assert run.ending is not None
    (why,) = run.ending.blocked.values()
    assert "ann has 2 assets" in why
    assert "output: 0" in why
    Run(over, [parent("ann", numOutputs=2), child("cut", "ann", output=0)]).go()
    assert len(over.service.submissions) == 2


def test_children_of_equal_parents_have_their_own_parents_assets_whatever_they_are_called() -> None:
    over = make_earth()
    wanted = [parent("a"), parent("b"), child("a-cut", "a"), child("b-cut", "b")]
    Run(over, wanted).go()
    assert_chains_hold(over)
    assert len(over.service.submissions) == 4
    renamed = [parent("y"), parent("x"), child("x-cut", "x"), child("y-cut", "y")]
    Run(over, renamed).go()
    Run(over, [wanted[1], wanted[3]]).go()
    assert len(over.service.submissions) == 4


def test_adding_the_number_of_the_only_output_buys_nothing() -> None:
    over = make_earth()
    Run(over, chain("ann")).go()
    same = chain("ann")
    same[1] = child("ann-cut", "ann", output=0)
    Run(over, same).go()
    (asset,) = by_id(over)["ann"].asset_ids
    same[1] = Job(id="ann-cut", model=CUT_OUT, params={"image": asset})
    Run(over, same).go()
    assert len(over.service.submissions) == 3


def test_an_edited_parent_makes_its_children_new() -> None:
    over = make_earth()
    Run(over, chain("ann")).go()
    Run(over, chain("ann", prompt="another one")).go()
    assert len(over.service.submissions) == 6
    assert_chains_hold(over)


def test_children_of_a_failed_parent_are_not_submitted_and_a_retry_frees_them() -> None:
    over = make_earth(outcomes=Outcomes(failures=1.0))
    Run(over, chain("ann")).go()
    assert len(over.service.submissions) == 1
    over.service = make_earth(seed=2).service
    Run(over, chain("ann"), retry_failed=True).go()
    assert {record.state for record in records_of(over).values()} == {State.COLLECTED}
    assert_chains_hold(over)


def test_a_failed_parent_that_is_tried_again_in_the_same_run_feeds_its_children() -> None:
    over = make_earth(outcomes=Outcomes(failures=0.5), seed=3)
    Run(over, [one for name in "abcdef" for one in chain(name)], policy=Policy(attempts=9)).go()
    assert states_of(over) == {State.COLLECTED: 18}
    assert_chains_hold(over)


@settings(max_examples=40)
@given(
    cuts=st.lists(st.tuples(st.sampled_from(["time", "append"]), st.floats(0, 40)), max_size=5),
    ceiling=st.none() | st.integers(1, 4),
    power=st.booleans(),
    lost=st.floats(0, 0.2),
    seed=st.integers(0, 1000),
)
def test_chains_cut_anywhere_are_paid_once_and_carried_to_their_end(
    cuts: list[tuple[str, float]], ceiling: int | None, power: bool, lost: float, seed: int
) -> None:
    wanted = [*chain("ann"), *chain("bob"), parent("c1"), parent("c2"), child("x1", "c1"), child("x2", "c2")]
    faults = FaultPlan(chances={Call.SUBMIT: {Fault.CUT_AFTER: lost}})
    over = make_earth(seed=seed, limits=Limits(ceiling=ceiling), faults=faults)
    for kind, when in cuts:
        if kind == "time":
            Run(over, wanted, cut_at=when, seed=seed).go()
        else:
            Run(over, wanted, cut_at_append=int(when), seed=seed).go()
        if power:
            over.disk.lose_power()
        assert_chains_hold(over)
    Run(over, wanted, seed=seed).go()
    assert_chains_hold(over)
    assert len(over.service.submissions) <= len(wanted)
    states = states_of(over)
    assert states[State.COLLECTED] + states[State.HELD] >= len(wanted) - 3 * states[State.HELD]
    if not states[State.HELD]:
        assert states[State.COLLECTED] == len(wanted) == len(over.service.submissions)


@pytest.mark.parametrize("cut", [None, *(float(one) for one in range(2, 40, 3))])
def test_a_lost_journal_finds_whole_chains_again_and_asks_nobody(cut: float | None) -> None:
    wanted = [*chain("ann"), *chain("bob"), parent("c1"), parent("c2"), child("x1", "c1"), child("x2", "c2")]
    over = make_earth()
    Run(over, wanted, cut_at=cut).go()
    over.disk = Disk()
    Run(over, wanted).go()
    assert_chains_hold(over)
    assert states_of(over) == {State.COLLECTED: len(wanted)}
    assert len(over.service.submissions) == len(wanted)


def test_a_chain_keeps_what_was_bought_before_its_beginning_was_edited() -> None:
    over = make_earth()
    Run(over, chain("ann")).go()
    edited = chain("ann", prompt="with a new word")
    plan = make_plan(edited, records_of(over))
    offered = offer(plan, "ann")
    assert isinstance(offered, Offer)
    accepted = {offered.acceptance: offered.bought}
    Run(over, edited, accepted=accepted).go()
    assert len(over.service.submissions) == 3
    edited.append(child("ann-more", "ann", model=UPSCALE))
    Run(over, edited, accepted=accepted).go()
    assert len(over.service.submissions) == 4
    assert_chains_hold(over)


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.CUT_BEFORE, Fault.HANG_AFTER])
def test_one_asset_in_different_words_is_not_submitted_while_it_is_in_doubt(fault: Fault) -> None:
    over = make_earth()
    Run(over, [parent("ann")]).go()
    (asset,) = by_id(over)["ann"].asset_ids
    same = Job(id="same", model=CUT_OUT, params={"image": asset})
    wanted = [parent("ann"), child("cut", "ann"), child("cut-0", "ann", output=0), same]
    over.service.deny(Denied(), FaultPlan(script={Call.SUBMIT: [None, fault]}))
    Run(over, wanted, in_flight=4).go()
    states = states_of(over)
    assert states[State.COLLECTED] + states[State.HELD] == len(wanted)
    assert states[State.HELD] <= (fault is Fault.CUT_BEFORE), (
        "nothing else was sent that could show it absent"
    )
    times = [(key, type(event).__name__) for key, event in over.disk.events if type(event).__name__ in _DOUBT]
    lost = next(number for number, (_, name) in enumerate(times) if name == "AnswerLost")
    ends = {"Adopted", "ShownAbsent", "Held"}
    settled = next(number for number, (_, name) in enumerate(times) if name in ends)
    assert not [name for _, name in times[lost:settled] if name == "SubmitStarted"]


_DOUBT = {"SubmitStarted", "AnswerLost", "Adopted", "ShownAbsent", "Held"}


def test_a_row_of_somebody_else_with_our_asset_is_no_childs() -> None:
    over = make_earth(more_keys=("colleague",))
    Run(over, [parent("ann")]).go()
    (asset,) = by_id(over)["ann"].asset_ids
    theirs = Earth(service=over.service, clock_offset=over.clock_offset)
    Run(theirs, [Job(id="same", model=CUT_OUT, params={"image": asset})], key="colleague").go()
    (row,) = (one.remote_id for one in by_id(theirs)["same"].submissions)
    over.disk, over.clock_offset = Disk(), theirs.clock_offset
    Run(over, [parent("ann"), child("cut", "ann")]).go()
    owned = {paid.remote_id for record in records_of(over).values() for paid in record.submissions}
    assert row not in owned
    assert by_id(over)["cut"].state in {State.COLLECTED, State.HELD}
