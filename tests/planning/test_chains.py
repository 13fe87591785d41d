"""Chains of a plan: how they are drawn and counted, what blocks them, and what comes along with a choice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.lifecycle import State
from batchgen.lineage import lineage_of
from batchgen.model import Job, JobKey
from batchgen.planning.chains import (
    blocked_in,
    blocked_told,
    count_chains,
    drawn,
    outdated_in,
    parents_of,
    told_along,
    told_with_chains,
    ways_of,
)
from batchgen.planning.choosing import a_few_of, only_selected, wrong_with_retry
from batchgen.planning.lanes import Lane
from batchgen.planning.plan import Entry, Plan
from batchgen.planning.stages import counted_stages
from batchgen.record import Record


def job(name: str, *parents: str) -> Job:
    return Job(id=name, prompt=name, model="m", params={"image": [{"job": one} for one in parents]})


def bound(child: Job, **assets: str) -> Job:
    given = [
        {**one, "content": f"v1:{one['job']}", "ordinal": 0, "assets": [assets[one["job"]]]}
        for one in child.params["image"]
    ]
    return replace(child, params={"image": given})


def plan_of(jobs: Sequence[Job], **records: Record) -> Plan:
    known = {name.replace("_", "-"): one for name, one in records.items()}
    return Plan(
        entries=tuple(
            Entry(key=JobKey(f"v1:{one.id}"), job=one, record=known.get(one.id, Record())) for one in jobs
        ),
        lineage=lineage_of(jobs),
    )


def done(*assets: str, **more: object) -> Record:
    return Record(state=State.COLLECTED, asset_ids=assets, body="{}", **more)  # type: ignore[arg-type]


def ended(state: State) -> Record:
    return Record(state=state, body="{}", error="because")


KNIGHTS = [
    job("idle"),
    job("run"),
    job("idle-cut", "idle"),
    job("run-cut", "run"),
    job("idle-big", "idle-cut"),
    job("run-big", "run-cut"),
    job("sheet", "idle", "run"),
    job("alone"),
]
NAMES = ["knight", "knight", "cut", "cut", "big", "big", "sheet", "alone"]


def typed(name: str, *words: str) -> str:
    return " ".join(("batchgen", name, "jobs.yaml", *words))


def ids(entries: Sequence[Entry]) -> list[str]:
    return [one.job.id for one in entries]


# --- drawing and counting


def test_every_end_is_a_line_with_what_feeds_it() -> None:
    assert drawn(plan_of(KNIGHTS), NAMES) == [
        "knight (2) -> cut (2) -> big (2)",
        "knight (2) -> sheet (1)",
    ]


@pytest.mark.parametrize(
    ("jobs", "names", "line"),
    [
        ([job("a"), job("b", "a")], "xy", "x (1) -> y (1)"),
        ([job("b", "a"), job("a")], "yx", "x (1) -> y (1)"),
        ([job("a"), job("b"), job("c", "a", "b")], "xyz", "x (1) + y (1) -> z (1)"),
        ([job("a"), job("b", "a"), job("c", "a", "b")], "xyz", "x (1) -> y (1) -> z (1)"),
        ([job("a"), job("b", "a"), job("c", "b")], "xxx", "x (3)"),
        ([job("a"), job("b", "a"), job("c", "b")], "xyx", "y (1) -> x (2)"),
        ([job(f"a{n}") for n in range(1200)] + [job("c", *(f"a{n}" for n in range(1200)))], None, None),
    ],
)
def test_chains_of_any_shape_are_drawn(jobs: list[Job], names: str | None, line: str | None) -> None:
    known = list(names) if names else ["a"] * 1200 + ["c"]
    assert drawn(plan_of(jobs), known) == [line or "a (1,200) -> c (1)"]


def test_a_plan_without_chains_draws_and_says_nothing() -> None:
    plan = plan_of([job("a"), job("b")])
    assert (drawn(plan, "xy"), ways_of(plan), str(count_chains(plan)), blocked_in(plan)) == ([], {}, "", [])


def test_ways_are_parents_first_and_without_the_last_job() -> None:
    assert ways_of(plan_of(KNIGHTS[::-1])) == {
        "idle-big": ["idle", "idle-cut"],
        "run-big": ["run", "run-cut"],
        "sheet": ["run", "idle"],
    }


def test_counts_say_steps_and_chains() -> None:
    plan = plan_of(KNIGHTS, idle=done("a"), idle_cut=done("b"), idle_big=done("c"), run=ended(State.FAILED))
    count = count_chains(plan)
    assert str(count) == "1 of 3 chains done, 3 of 7 steps"
    assert (count.waiting, count.blocked) == (0, 3)
    stages = counted_stages(one.record for one in plan.entries)
    assert told_with_chains(stages, count) == (
        "3 of 8 done, 1 failed, 4 not bought (3 blocked), 1 of 3 chains done, 3 of 7 steps"
    )
    steps = plan_of(KNIGHTS[:6])
    told = told_with_chains(counted_stages(one.record for one in steps.entries), count_chains(steps))
    assert told == "0 of 6 steps done, 6 not bought (4 waiting), 0 of 2 chains done"


# --- what blocks


@pytest.mark.parametrize(
    ("record", "decides", "told"),
    [
        (ended(State.FAILED), False, "run, which failed; `batchgen retry jobs.yaml run` tries it again"),
        (ended(State.REFUSED), False, "run, which was refused; `batchgen retry jobs.yaml run`"),
        (ended(State.CANCELED), False, "run, which was canceled; `batchgen retry jobs.yaml run`"),
        (
            replace(ended(State.FAILED), moderated=True),
            False,
            "run, which failed; it was stopped by moderation, and would be again: change its prompt",
        ),
        (ended(State.HELD), True, "run, which needs your decision; `batchgen resolve jobs.yaml` decides"),
        (ended(State.ABANDONED), True, "run, which was given up; give run another prompt, input or seed"),
        (done(), False, "run, which came to an end without any asset; give run another prompt"),
    ],
)
def test_what_blocks_is_said_with_its_parent_and_what_helps(record: Record, decides: bool, told: str) -> None:
    plan = plan_of(KNIGHTS, run=record, idle=done("a"))
    (found,) = blocked_in(plan)
    assert found.jobs == ("run-cut", "run-big", "sheet")
    assert found.needs_a_decision is decides
    assert found.told(typed).startswith(f"3 jobs are blocked by {told}")
    assert str(found).startswith("3 blocked by run, which ")


@pytest.mark.parametrize("state", [State.PLANNED, State.SUBMITTING, State.IN_DOUBT, State.RUNNING])
def test_what_may_still_come_blocks_nobody(state: State) -> None:
    plan = plan_of(KNIGHTS, run=Record(state=state))
    assert blocked_in(plan) == []
    assert [plan.lane_of(one) for one in (3, 5, 6, 7)] == [Lane.WAITING] * 3 + [Lane.READY]


def test_what_a_run_has_found_out_blocks_what_is_behind_it_too() -> None:
    plan = plan_of(KNIGHTS[:6], run=done("a", "b"))
    now = plan.as_of({}, at=9e9, blocked={JobKey("v1:run-cut"): "run has 2 assets; write which"})
    (found,) = blocked_in(now)
    assert (found.parent.job.id, found.jobs) == ("run", ("run-cut", "run-big"))
    assert found.told(typed) == "2 jobs are blocked by run, which has 2 assets; write which"


def test_a_parent_whose_asset_is_gone_is_to_be_bought_anew() -> None:
    plan = plan_of([job("other"), *KNIGHTS[:2], job("pair", "other", "run")], run=done("a"), other=done("b"))
    why = "what came out of run is neither at the service nor on the disk any more"
    (found,) = blocked_in(plan.as_of({}, at=9e9, blocked={JobKey("v1:pair"): why}))
    assert found.told(typed) == (
        f"1 job is blocked by run: {why}; give run another prompt, input or seed to buy it anew"
    )


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (ended(State.FAILED), ", which failed; `batchgen run jobs.yaml --retry-failed` tries these again"),
        (ended(State.HELD), ", which need your decision; `batchgen resolve jobs.yaml` decides"),
        (done(), "; the first is blocked by j0, which came to an end without any asset; give j0 another"),
        (ended(State.ABANDONED), "; the first is blocked by j0, which was given up; give j0 another prompt"),
    ],
)
def test_many_parents_that_block_alike_are_one_sentence(record: Record, told: str) -> None:
    jobs = [one for n in range(9) for one in (job(f"j{n}"), job(f"c{n}", f"j{n}"), job(f"d{n}", f"c{n}"))]
    plan = plan_of(jobs, **{f"j{n}": record for n in range(9)})
    ((_, sentence),) = blocked_told(blocked_in(plan), typed)
    assert sentence.startswith(f"18 jobs are blocked by 9 others (j0, j1, j2, ...){told}")
    few = plan_of(jobs[:9], **{f"j{n}": record for n in range(3)})
    assert len(blocked_told(blocked_in(few), typed)) == 3


def test_only_jobs_that_are_to_be_bought_are_said_to_be_blocked() -> None:
    plan = plan_of(KNIGHTS, run=ended(State.FAILED))
    entries = tuple(replace(one, wanted=one.job.id != "sheet") for one in plan.entries)
    (found,) = blocked_in(replace(plan, entries=entries))
    assert found.jobs == ("run-cut", "run-big")


# --- parents


def test_parents_are_those_on_record_by_the_names_they_have_now() -> None:
    child, names = job("cut", "idle", "run"), {JobKey("v1:idle"): "still"}
    assert parents_of(child, None, names) == (("idle", None), ("run", None))
    record = Record(state=State.RUNNING, job=bound(child, idle="asset_1", run="asset_2"), body="{}")
    assert parents_of(child, record, names) == (("still", "asset_1"), ("run", "asset_2"))
    taken_away = replace(record, state=State.PLANNED, body=None)
    assert parents_of(child, taken_away, names) == (("idle", None), ("run", None))
    assert parents_of(job("a"), Record(state=State.RUNNING, job=job("a"), body="{}"), names) == ()


def test_a_parent_that_is_named_twice_is_one() -> None:
    assert parents_of(job("cut", "idle", "idle"), None, {}) == (("idle", None),)


def test_a_child_of_what_its_parent_no_longer_has_is_out_of_date() -> None:
    child = bound(KNIGHTS[2], idle="asset_old")
    plan = plan_of(KNIGHTS, idle=done("asset_new"), idle_cut=done("asset_cut", job=child))
    (found,) = outdated_in(plan)
    assert str(found) == (
        "idle-cut was made of asset_old, which idle no longer has as its own; no run makes it again for "
        "that, `batchgen redo` does (what it cost is not known)"
    )


@pytest.mark.parametrize(
    ("parent", "state"),
    [
        (done("asset_old"), State.COLLECTED),
        (done("asset_old", "asset_new"), State.COLLECTED),
        (Record(state=State.RUNNING), State.COLLECTED),
        (done("asset_new"), State.FAILED),
    ],
)
def test_a_child_of_what_its_parent_has_or_may_have_or_that_failed_is_not(
    parent: Record, state: State
) -> None:
    record = replace(done("asset_cut", job=bound(KNIGHTS[2], idle="asset_old")), state=state)
    assert outdated_in(plan_of(KNIGHTS, idle=parent, idle_cut=record)) == []


# --- what comes along


def choose(plan: Plan, *names: str, retry: bool = False) -> Plan:
    places = [place for place, one in enumerate(plan.entries) if one.job.id in names]
    return only_selected(plan, places, retry=retry)


def test_a_limit_counts_last_jobs_and_their_parents_come_along() -> None:
    plan = a_few_of(plan_of(KNIGHTS), limit=1)
    assert (ids(plan.to_submit), ids(plan.along)) == (["idle", "idle-cut", "idle-big"], ["idle", "idle-cut"])
    assert told_along(plan) == "2 parents come along: idle, idle-cut"
    two = a_few_of(plan_of(KNIGHTS, idle=done("a")), limit=2)
    assert ids(two.to_submit) == ["run", "idle-cut", "run-cut", "idle-big", "run-big"]
    assert ids(a_few_of(plan_of(KNIGHTS), limit=0).to_submit) == []
    assert a_few_of(plan_of(KNIGHTS), limit=4).along == (), "all of them are no choice"


def test_a_sample_counts_last_jobs_too() -> None:
    plan = a_few_of(plan_of(KNIGHTS), sample=2)
    assert len([one for one in plan.to_submit if not one.along]) == 2


def test_parents_of_a_selected_job_come_along_and_children_do_not() -> None:
    plan = choose(plan_of(KNIGHTS), "idle-cut")
    assert (ids(plan.to_submit), ids(plan.shown.entries)) == (["idle", "idle-cut"], ["idle-cut"])
    assert (ids(plan.asked.entries), ids(plan.along)) == (["idle", "idle-cut"], ["idle"])
    assert ids(plan.asked.to_submit) == ["idle", "idle-cut"]
    assert plan.asked.lane_of(1) is Lane.WAITING


def test_what_is_there_already_does_not_come_along() -> None:
    plan = choose(plan_of(KNIGHTS, run=done("a")), "run-big")
    assert (ids(plan.along), told_along(plan)) == (["run-cut"], "1 parent comes along: run-cut")


def test_a_selected_child_of_a_failed_parent_stays_blocked_and_buys_nothing() -> None:
    plan = choose(plan_of(KNIGHTS, run=ended(State.FAILED)), "run-big")
    assert ids(plan.to_submit) == []
    assert plan.shown.lane_of(0) is Lane.BLOCKED


def test_a_limit_after_a_selection_drops_the_parents_that_nobody_needs_any_more() -> None:
    plan = a_few_of(choose(plan_of(KNIGHTS), "idle-big", "run-big"), limit=1)
    assert (ids(plan.asked.entries), ids(plan.to_submit)) == (
        ["idle", "idle-cut", "idle-big", "run-big"],
        ["idle", "idle-cut", "idle-big"],
    )


def test_a_retry_frees_the_children_that_waited_for_nothing_else() -> None:
    failed = {"idle": ended(State.FAILED), "run": ended(State.FAILED)}
    plan = choose(plan_of(KNIGHTS, **failed), "run", retry=True)
    assert ids(plan.to_submit) == ["run", "run-cut", "run-big"], "the sheet needs idle too"
    assert told_along(plan, retry=True) == "2 jobs that waited go on: run-cut, run-big"
    both = choose(plan_of(KNIGHTS, **failed), "idle", "run", retry=True)
    assert "sheet" in ids(both.to_submit)
    assert "sheet" not in ids(choose(plan_of(KNIGHTS, run=ended(State.FAILED)), "run", retry=True).to_submit)


@pytest.mark.parametrize(
    ("parent", "told"),
    [
        (ended(State.FAILED), "'run-big' has not failed: it is blocked, for run failed; try 'run' again"),
        (ended(State.HELD), "'run-big' has not failed: it is blocked, for run needs your decision"),
        (Record(), "'run-big' has not failed: a run submits it, behind run-cut"),
    ],
)
def test_a_retry_of_a_child_says_which_parent_is_at_fault(parent: Record, told: str) -> None:
    assert wrong_with_retry(plan_of(KNIGHTS, run=parent), "run-big") == told


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of any chains, each job fed by earlier ones, and standing anywhere."""
    count = draw(st.integers(1, 12))
    jobs = [
        job(f"j{n}", *(f"j{one}" for one in sorted(draw(st.sets(st.integers(0, n - 1), max_size=2)))))
        if n
        else job("j0")
        for n in range(count)
    ]
    states = [State.PLANNED, State.PLANNED, State.COLLECTED, State.FAILED, State.RUNNING, State.HELD]
    kinds: Mapping[State, Callable[[], Record]] = {
        State.COLLECTED: lambda: done("asset"),
        State.PLANNED: Record,
    }
    records = {
        one.id: kinds.get(state, lambda state=state: ended(state))()
        for one in jobs
        if (state := draw(st.sampled_from(states)))
    }
    return plan_of(jobs, **records)


@given(plans(), st.integers(0, 6), st.data())
def test_whatever_is_chosen_has_all_it_needs_and_nothing_else(
    plan: Plan, limit: int, data: st.DataObject
) -> None:
    meant = data.draw(st.sets(st.sampled_from(range(len(plan.entries)))))
    for part in (a_few_of(plan, limit=limit), only_selected(plan, meant)):
        buying = {one.key for one in part.to_submit}
        assert buying <= {one.key for one in plan.to_submit}
        for place, one in enumerate(part.entries):
            if one.key not in buying:
                continue
            for parent in plan.lineage.parents.get(place, ()):
                entry = part.entries[parent]
                assert entry.record.state is not State.PLANNED or entry.key in buying, "a parent was left"
            children = plan.lineage.descendants(place)
            if one.along:
                assert any(part.entries[child].key in buying for child in children), "along with nobody"
