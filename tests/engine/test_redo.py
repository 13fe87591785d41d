"""Jobs that are made again, carried by the real engine in virtual time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from batchgen.identity import references_of
from batchgen.lifecycle import RedoAsked, Restored, State
from batchgen.model import Job
from batchgen.planning.editions import Shelf
from batchgen.planning.make_plan import make_plan
from batchgen.planning.plan import Entry, Plan
from batchgen.planning.redo import Choice, given_back, made_again, with_children
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator import exchange
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.settings import Denied
from tests.support.builders import make_earth, records_of
from tests.support.chains import child, parent, purse
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual import Earth, Run


@dataclass
class Studio:
    """Jobs over one earth, with a person who makes some again."""

    jobs: Sequence[Job]
    over: Earth = field(default_factory=make_earth)

    def run(self, **more: object) -> "Studio":
        Run(self.over, self.jobs, **more).go()  # type: ignore[arg-type]
        return self

    @property
    def plan(self) -> Plan:
        return make_plan(self.jobs, records_of(self.over), now=self.over.now())

    def entry(self, name: str) -> Entry:
        return self.plan.by_id[name]

    def assets(self, name: str) -> tuple[str, ...]:
        return self.entry(name).current.record.asset_ids

    def redo(self, *names: str, children: bool = False) -> "Studio":
        plan = self.plan
        places = [place for place, one in enumerate(plan.entries) if one.job.id in names]
        places = with_children(plan, places) if children else places
        self._keep(made_again(plan, places, records_of(self.over)), RedoAsked)
        return self

    def restore(self, name: str) -> "Studio":
        records = records_of(self.over)
        choice = given_back(self.entry(name), Shelf(records), lambda *words: " ".join(words))
        assert isinstance(choice, Choice), choice
        self._keep([choice], Restored)
        return self

    def _keep(self, choices: Sequence[Choice], event: type[RedoAsked] | type[Restored]) -> None:
        self.over.disk.revive(None)
        journal = MemoryJournal(self.over.disk)
        for one in choices:
            journal.append(one.head, event(at=self.over.now(), ordinal=one.ordinal))

    @property
    def bought(self) -> int:
        return len(self.over.service.submissions)


def refused(call: Call, answer: Answer) -> Answer:
    """Let the service take no job."""
    if call.method != "POST" or "/generate/" not in call.path or "dryRun" in call.query:
        return answer
    return replace(answer, status=400, body=b'{"error": "not this one"}')


def test_one_more_is_bought_with_another_seed_and_takes_the_place() -> None:
    studio = Studio([parent("a"), parent("b")]).run()
    before = studio.assets("a"), studio.assets("b")
    studio.redo("a").run().run()
    assert studio.bought == 3
    assert studio.assets("a") != before[0]
    assert studio.assets("b") == before[1]
    seeds = [one.seed for one in records_of(studio.over).values()]
    assert len(set(seeds)) == 3


def test_a_redo_that_fails_leaves_what_was_there_and_can_be_taken_back() -> None:
    studio = Studio([parent("a")]).run()
    before = studio.assets("a")
    studio.redo("a").run(twist=refused)
    assert (studio.assets("a"), studio.entry("a").record.state) == (before, State.REFUSED)
    at_service = studio.bought
    studio.restore("a").run()
    assert (studio.bought, studio.entry("a").stands) == (at_service, None)
    studio.redo("a").run()
    assert studio.bought == at_service + 1
    assert studio.assets("a") != before


def test_a_redo_that_the_budget_stops_is_bought_by_the_next_run_that_may() -> None:
    studio = Studio([parent("a")]).run()
    before = studio.assets("a")
    studio.redo("a").run(purse=purse(4))
    assert (studio.bought, studio.assets("a")) == (1, before)
    studio.run(purse=purse(8))
    assert (studio.bought, studio.assets("a") == before) == (2, False)


def test_a_redo_that_was_taken_back_is_never_bought() -> None:
    studio = Studio([parent("a")]).run()
    studio.redo("a").restore("a").run().run()
    assert studio.bought == 1
    studio.redo("a").run()
    assert studio.bought == 2
    assert {one.ordinal for one in records_of(studio.over)} == {0, 2}


@pytest.mark.parametrize("cut", [2, 3, 4, 5, 6])
def test_a_crash_at_any_step_ends_in_one_more(cut: int) -> None:
    studio = Studio([parent("a")]).run()
    studio.redo("a").run(cut_at_append=cut).run()
    assert studio.bought == 2
    assert studio.entry("a").stands is None


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.BAD_GATEWAY, Fault.CUT_BEFORE])
def test_a_lost_answer_of_a_redo_is_found_and_never_the_first_one(fault: Fault) -> None:
    studio = Studio([parent("a")]).run()
    first = records_of(studio.over)[studio.entry("a").key].remote_id
    studio.redo("a")
    studio.over.service.deny(Denied(), FaultPlan(script={exchange.Call.SUBMIT: [None, fault]}))
    studio.run().run()
    ids = [one.remote_id for one in records_of(studio.over).values()]
    assert len(set(ids)) == len(ids) == 2
    assert first in ids
    assert studio.bought == 2


def test_children_stay_as_they_are_unless_they_are_meant() -> None:
    studio = Studio([parent("a"), child("a-cut", "a")]).run()
    cut = studio.assets("a-cut")
    studio.redo("a").run()
    assert (studio.bought, studio.assets("a-cut")) == (3, cut)
    studio.redo("a-cut").run()
    assert studio.bought == 4
    assert _fed(studio, "a-cut") == studio.assets("a")


def test_children_that_are_meant_wait_for_what_is_made_again() -> None:
    studio = Studio([parent("a"), child("a-cut", "a"), child("a-big", "a-cut")]).run()
    studio.redo("a", children=True).run()
    assert studio.bought == 6
    assert _fed(studio, "a-cut") == studio.assets("a")
    assert _fed(studio, "a-big") == studio.assets("a-cut")


def test_children_are_not_made_again_of_what_they_were_made_of() -> None:
    studio = Studio([parent("a"), child("a-cut", "a")]).run()
    studio.redo("a", children=True).run(twist=refused).run()
    at_service = studio.bought
    assert "was refused when it was made again" in studio.plan.why_blocked(1)
    studio.restore("a").run()
    assert studio.bought == at_service + 1  # as a person wants it all the same
    assert _fed(studio, "a-cut") == studio.assets("a")


def test_a_child_that_was_never_bought_waits_for_the_redo_and_falls_back_where_it_fails() -> None:
    jobs = [parent("a"), child("a-cut", "a")]
    studio = Studio(jobs[:1]).run().redo("a")
    studio.jobs = jobs
    studio.run()
    assert (studio.bought, _fed(studio, "a-cut")) == (3, studio.assets("a"))

    studio = Studio(jobs[:1]).run()
    before = studio.assets("a")
    studio.redo("a")
    studio.jobs = jobs
    taken: list[str] = []

    def first_refused(call: Call, answer: Answer) -> Answer:
        if refused(call, answer) is answer:
            return answer
        taken.append(call.path)
        return refused(call, answer) if len(taken) == 1 else answer

    studio.run(twist=first_refused)
    assert studio.entry("a").record.state is State.REFUSED
    assert (studio.assets("a"), _fed(studio, "a-cut")) == (before, before)


def test_a_restored_parent_feeds_what_is_made_after_it() -> None:
    jobs = [parent("a"), child("a-cut", "a")]
    studio = Studio(jobs[:1]).run()
    before = studio.assets("a")
    studio.redo("a").run().restore("a")
    studio.jobs = jobs
    studio.run()
    assert (studio.bought, _fed(studio, "a-cut"), studio.assets("a")) == (3, before, before)


def test_saying_which_output_goes_in_buys_no_child_again_whatever_edition_it_has() -> None:
    studio = Studio([parent("a"), child("a-cut", "a")]).run().redo("a").run()
    studio.jobs = [studio.jobs[0], Job(id="a-cut", model=studio.jobs[1].model, params=_first_of("a"))]
    studio.run()
    assert studio.bought == 3


def test_money_for_children_that_are_made_again_is_kept_before_their_parent_leaves() -> None:
    studio = Studio([parent("a"), child("a-cut", "a")]).run()
    spent = sum((one.charged or Decimal(0) for one in records_of(studio.over).values()), Decimal(0))
    studio.redo("a", children=True).run(purse=purse(int(spent) + 5))
    assert studio.bought == 2
    studio.run(purse=purse(int(spent) + 6))
    assert studio.bought == 4
    assert not studio.over.disk.reservations


def _first_of(name: str) -> dict[str, object]:
    return {"image": {"job": name, "output": 0}}


def _fed(studio: Studio, name: str) -> tuple[str, ...]:
    record = studio.entry(name).current.record
    assert record.job is not None
    return tuple(asset for one in references_of(record.job) for asset in one.assets)
