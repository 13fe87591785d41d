"""Jobs that go through others a person keeps: what waits, what is removed, and what stays as it is."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.identity import content_key, with_parents
from batchgen.lifecycle import State
from batchgen.lineage import lineage_of
from batchgen.model import Job, JobKey
from batchgen.planning.make_plan import make_plan
from batchgen.planning.marks import Mark, Marked, Marks
from batchgen.planning.plan import Plan
from batchgen.planning.undecided import held_back, left_out, told_undecided, undecided_in, undecided_places
from batchgen.record import Record


def job(name: str, parent: str = "") -> Job:
    return Job(id=name, prompt=name, model="m", params={"image": {"job": parent}} if parent else {})


# a, b and c are made; x.1 goes through kept ones, x.2 hangs on x.1, and x.3 goes through kept ones of x.1
JOBS = [
    *map(job, "abc"),
    *(job(f"{one}.1", one) for one in "abc"),
    *(job(f"{one}.2", f"{one}.1") for one in "abc"),
    *(job(f"{one}.3", f"{one}.1") for one in "abc"),
    job("other"),
]
ROWS = {
    place: one.id[0] if one.id.endswith(".1") else f"{one.id[0]}.1"
    for place, one in enumerate(JOBS)
    if one.id.endswith((".1", ".3"))
}


def all_bought() -> dict[JobKey, Record]:
    """Return records of all jobs, each with one asset that is called as the job is."""
    records: dict[JobKey, Record] = {}
    keys: dict[str, JobKey] = {}
    for one in JOBS:
        named = with_parents(one, lambda name: keys[name].content)
        keys[one.id] = JobKey(content_key(named))
        params = {
            name: {**value, "ordinal": 0, "assets": [f"asset_{value['job']}"]}
            for name, value in named.params.items()
        }
        recorded = replace(named, params=params)
        records[keys[one.id]] = Record(
            job=recorded, state=State.COLLECTED, asset_ids=(f"asset_{one.id}",), body="{}"
        )
    return records


def marked(**marks: Mark) -> Marks:
    return {f"asset_{one.replace('_', '.')}": Marked(mark, "", 1.0) for one, mark in marks.items()}


def planned(records: dict[JobKey, Record], marks: Marks) -> tuple[Plan, dict[int, int], Plan]:
    plan = make_plan(JOBS, records, now=1e12, marks=marks)
    places = undecided_places(plan, ROWS, marks)
    return plan, places, left_out(held_back(plan, places), places)


def ids(plan: Plan) -> list[str]:
    return [one.job.id for one in plan.entries]


def typed(name: str, *words: str) -> str:
    return " ".join(("batchgen", name, "jobs.yaml", *words))


def test_what_hangs_on_a_job_that_nobody_keeps_waits_with_it() -> None:
    marks = marked(a=Mark.KEPT, b=Mark.REJECTED, a_1=Mark.KEPT)
    whole, places, plan = planned(all_bought(), marks)
    assert ids(plan) == ["a", "b", "c", "a.1", "a.2", "a.3", "other"]
    assert [one.job.id for one in plan.removed] == ["b.1", "c.1", "b.2", "c.2", "b.3", "c.3"]
    assert plan.to_submit == ()
    undecided = undecided_in(whole, places, marks)
    assert [(one.job, one.parent.job.id) for one in undecided][:2] == [("b.1", "b"), ("c.1", "c")]
    assert told_undecided(undecided, typed) == (
        "3 jobs wait for your decision about 1 job (c): `batchgen mark jobs.yaml kept c` keeps the first; "
        "3 jobs are left out behind rejected ones"
    )


def test_kept_rows_of_a_job_that_waits_wait_too_whatever_its_mark() -> None:
    _, _, plan = planned(all_bought(), marked(a_1=Mark.KEPT))
    assert ids(plan) == ["a", "b", "c", "other"]


def test_before_anything_is_made_the_command_names_no_job() -> None:
    whole, places, plan = planned({}, {})
    assert ids(plan) == ["a", "b", "c", "other"]
    assert (plan.removed, len(plan.to_submit)) == ((), 4)
    told = told_undecided(undecided_in(whole, places, {}), typed)
    assert told == (
        "9 jobs wait for your decision about 3 jobs (a, b, c): once they are made, "
        "`batchgen mark jobs.yaml kept JOB` keeps one"
    )


def test_without_such_an_entry_nothing_is_left_out() -> None:
    plan = make_plan(JOBS, all_bought(), now=1e12)
    assert undecided_places(plan, {}, {}) == {}
    assert left_out(plan, {}) is plan
    assert held_back(plan, {}) is plan


MARKS = st.dictionaries(
    st.sampled_from(JOBS).map(lambda one: f"asset_{one.id}"),
    st.builds(Marked, st.sampled_from(Mark), st.just(""), st.just(1.0)),
)


@settings(deadline=None)
@given(MARKS, st.sets(st.sampled_from(range(len(JOBS)))))
def test_whatever_is_kept_each_record_is_a_jobs_or_removed_and_what_is_bought_stays(
    marks: dict[str, Marked], missing: set[int]
) -> None:
    records = all_bought()
    for place, key in enumerate(list(records)):
        if place in missing:
            del records[key]
    whole, places, plan = planned(records, marks)
    assert sorted([*ids(plan), *(JOBS[one].id for one in places)]) == sorted(one.id for one in JOBS)
    assert ids(plan) == [one for one in ids(whole) if one in plan.by_id], "in their order"
    there = [one.key for one in plan.entries if one.key in records]
    assert sorted([*there, *(one.key for one in plan.removed)]) == sorted(records)
    assert plan.lineage == lineage_of([one.job for one in plan.entries])
    for one in plan.entries:
        assert one.record is whole.by_id[one.job.id].record
    for place, row in ROWS.items():
        own = marks.get(f"asset_{row}")
        is_kept = own is not None and own.mark is Mark.KEPT and bool(whole.by_id[row].record.asset_ids)
        assert (JOBS[place].id in plan.by_id) == (is_kept and row in plan.by_id)
    again = planned(records, {f"asset_{one.id}": Marked(Mark.KEPT, "", 1.0) for one in JOBS})[2]
    bought = {one.job.id for one in again.entries if one.key in records}
    assert bought <= {one.id for place, one in enumerate(JOBS) if place not in missing}
