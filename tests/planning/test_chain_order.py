"""In which order whole chains are bought, and who of them is out of reach."""

from dataclasses import replace
from typing import Any

from batchgen.lifecycle import Accepted, Event, Failed, Record, SubmitStarted, Succeeded, replay
from batchgen.lineage import lineage_of
from batchgen.model import Job, JobKey
from batchgen.planning.chain_order import chains_to_buy, eldest_first, out_of_reach, steps_of
from batchgen.planning.choosing import only_selected
from batchgen.planning.make_plan import make_plan
from batchgen.planning.plan import Plan


def job(name: str, *parents: str, model: str = "m") -> Job:
    params: dict[str, Any] = {"inputs": [{"job": one} for one in parents]} if parents else {}
    return Job(id=name, prompt=f"called {name}", model=model, params=params)


TWO = [job("a"), job("a2", "a"), job("a3", "a2"), job("b"), job("b2", "b")]


def plan_of(jobs: list[Job], **ends: tuple[float, type[Event] | None]) -> Plan:
    """Return a plan in which some jobs were bought at a moment, and how they ended."""
    keys = {one.job.id: one for one in make_plan(jobs, {}).entries}
    history: list[tuple[JobKey, Event]] = []
    for name, (at, end) in ends.items():
        entry = keys[name]
        life: list[Event] = [
            SubmitStarted(at=at, job=entry.job, attempt=1, body="{}"),
            Accepted(at=at + 1, remote_id=f"job_{name}"),
        ]
        if end is Succeeded:
            life.append(Succeeded(at=at + 2, asset_ids=(f"asset_{name}",)))
        elif end is Failed:
            life.append(Failed(at=at + 2, error="no"))
        history += [(entry.key, event) for event in life]
    return make_plan(jobs, replay(history), now=10**6)


def ordered(plan: Plan) -> tuple[list[list[str]], int]:
    found = chains_to_buy(plan)
    return [[one.job.id for one in steps] for steps in found.chains], found.begun


def test_without_chains_each_job_is_one_by_itself() -> None:
    assert ordered(plan_of([job("a"), job("b")])) == ([["a"], ["b"]], 0)


def test_new_chains_come_in_the_order_of_the_manifest_each_with_all_that_need_its_first_job() -> None:
    assert ordered(plan_of(TWO)) == ([["a", "a2", "a3"], ["b", "b2"]], 0)
    assert ordered(plan_of(TWO[::-1])) == ([["b", "b2"], ["a", "a2", "a3"]], 0)


def test_what_a_later_step_needs_besides_belongs_to_its_chain() -> None:
    both = [job("a"), job("b"), job("both", "a", "b"), job("after", "both")]
    assert ordered(plan_of(both)) == ([["a", "b", "both", "after"]], 0)


def test_what_else_needs_a_job_beside_a_chain_comes_where_that_job_stands() -> None:
    jobs = [job("a"), job("b"), job("c"), job("both", "a", "b"), job("b2", "b"), job("b3", "b2")]
    assert ordered(plan_of(jobs)) == ([["a", "b", "both"], ["b2", "b3"], ["c"]], 0)


def test_begun_chains_come_first_and_the_eldest_of_them_at_their_head() -> None:
    jobs = [*TWO, job("c"), job("c2", "c")]
    made = plan_of(jobs, c=(50.0, Succeeded), b=(70.0, None))
    assert ordered(made) == ([["c2"], ["b2"], ["a", "a2", "a3"]], 2)
    assert [
        made.entries[one].job.id
        for one in eldest_first(made.lineage, lambda place: made.entries[place].record)
    ] == [
        "c",
        "b",
    ]


def test_what_a_failed_job_feeds_is_not_bought() -> None:
    assert ordered(plan_of(TWO, a=(1.0, Failed))) == ([["b", "b2"]], 0)


def test_what_is_not_wanted_and_all_that_need_it_are_out_of_reach() -> None:
    plan = only_selected(plan_of(TWO), [0, 3, 4])  # what is selected takes along what it needs
    assert {plan.entries[one].job.id for one in out_of_reach(plan)} == {"a2", "a3"}
    assert ordered(plan) == ([["a"], ["b", "b2"]], 0)


def test_jobs_of_a_closed_model_and_all_that_need_them_are_out_of_reach() -> None:
    jobs = [job("a"), job("a2", "a", model="closed"), job("a3", "a2"), job("b")]
    plan = plan_of(jobs)
    assert {plan.entries[one].job.id for one in out_of_reach(plan, {"closed"})} == {"a2", "a3"}


def test_a_step_that_is_bought_already_is_in_reach_whatever_feeds_it() -> None:
    plan = plan_of(TWO[:3])
    bought = replace(
        plan.entries[1], record=replace(Record(), state=plan_of(TWO, a=(1.0, None)).entries[0].record.state)
    )
    plan = replace(plan, entries=(replace(plan.entries[0], wanted=False), bought, plan.entries[2]))
    assert {plan.entries[one].job.id for one in out_of_reach(plan)} == {"a"}


def test_the_steps_of_a_chain_are_found_once_each_and_parents_first() -> None:
    diamond = [
        job("top"),
        job("left", "top"),
        job("right", "top"),
        job("end", "left", "right", "other"),
        job("last", "end"),
        job("other", "before"),
        job("before"),
        job("apart", "before"),
    ]
    lineage = lineage_of(diamond)
    assert steps_of(lineage, 0, lambda _: True) == ((1, 2, 3, 4), (6, 5))
    assert steps_of(lineage, 0, lambda place: place != 3) == ((1, 2), ())
    assert steps_of(lineage, 0, lambda place: place != 5) == ((1, 2, 3, 4), ())
    assert steps_of(lineage, 6, lambda _: True) == ((5, 7, 3, 4), (0, 1, 2))
