"""Chains find their records again, however the manifest is put: nothing is bought twice for words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.identity import Reference, references_of, with_references
from batchgen.model import Job, JobKey, Json
from batchgen.planning.make_plan import make_plan
from batchgen.planning.parent_assets import bound
from batchgen.planning.plan import Plan
from batchgen.record import Record, State

LATER = float("inf")


def bought(plan: Plan, *, only: float = 1.0, random: Random | None = None) -> dict[JobKey, Record]:
    """Return the records after all of a plan, or some of it, was bought, each with an asset of its own."""
    records = {one.key: one.record for one in (*plan.entries, *plan.removed) if one.record.job is not None}
    done = {one.job.id: (one.key, one.record) for one in plan.entries if one.record.job is not None}
    for place in plan.lineage.order:
        entry = plan.entries[place]
        if entry.job.id in done or (random is not None and random.random() > only):
            continue
        job = bound(entry.job, done.get, now=LATER)
        if job is not None:
            asset = f"asset_{len(records)}"
            record = Record(state=State.COLLECTED, job=job, body="{}", asset_ids=(asset,), ended_at=0.0)
            records[entry.key] = record
            done[job.id] = (entry.key, record)
    return records


def chain(number: int, prompt: str, steps: int, last: Json = None) -> list[Job]:
    jobs = [Job(id=f"k{number}", prompt=prompt, model="m")]
    for step in range(steps):
        params = {"image": {"job": jobs[-1].id}, **({} if last is None else {"scale": last})}
        jobs.append(Job(id=f"k{number}-{step}", model=f"tool{step}", params=params))
    return jobs


manifests = st.lists(
    st.tuples(st.sampled_from(["a", "a", "b"]), st.integers(0, 3), st.sampled_from([None, 2])), max_size=6
).map(lambda chains: [one for number, made in enumerate(chains) for one in chain(number, *made)])


def renamed(jobs: Sequence[Job], names: Mapping[str, str]) -> list[Job]:
    return [
        replace(with_references(one, lambda each: each._replace(job=names[each.job])), id=names[one.id])
        for one in jobs
    ]


@settings(max_examples=150)
@given(manifests, st.randoms(use_true_random=False), st.floats(0, 1), st.booleans())
def test_other_names_and_another_order_buy_nothing_anew(
    jobs: list[Job], random: Random, only: float, said: bool
) -> None:
    records = bought(make_plan(jobs, {}), only=only, random=random)
    left = sum(one.record.job is None for one in make_plan(jobs, records).entries)
    ids = [one.id for one in jobs]
    others = [f"n{name}" for name in random.sample(ids, len(ids))]
    again = renamed(jobs, dict(zip(ids, others, strict=True)))
    if said:
        again = [with_references(one, lambda each: each._replace(output=0)) for one in again]
    random.shuffle(again)
    plan = make_plan(again, records)
    assert sum(one.record.job is None for one in plan.entries) == left
    assert not plan.removed
    assert_children_have_their_own(plan)


@given(manifests, st.randoms(use_true_random=False))
def test_what_is_taken_out_of_a_manifest_makes_nothing_else_new(jobs: list[Job], random: Random) -> None:
    records = bought(make_plan(jobs, {}))
    gone = {one.id for one in jobs if random.random() < 0.3}
    kept = list[Job]()
    for one in jobs:
        if one.id not in gone and all(each.job not in gone for each in references_of(one)):
            kept.append(one)
        else:
            gone.add(one.id)
    plan = make_plan(kept, records)
    assert all(one.record.job is not None for one in plan.entries)
    assert len(plan.removed) == len(jobs) - len(kept)


@given(manifests, st.randoms(use_true_random=False))
def test_the_same_asset_in_other_words_is_the_same_job(jobs: list[Job], random: Random) -> None:
    records = bought(make_plan(jobs, {}))
    plan = make_plan(jobs, records)
    asset = {one.job.id: one.record.asset_ids[0] for one in plan.entries}

    def said(one: Job) -> Job:
        ways: list[Json] = [None, {"output": 0}, "id"]
        params = dict(one.params)
        for name, value in params.items():
            if isinstance(value, dict):
                way = random.choice(ways)
                params[name] = asset[value["job"]] if way == "id" else {**value, **(way or {})}
        return replace(one, params=params)

    again = make_plan([said(one) for one in jobs], records)
    assert all(one.record.job is not None for one in again.entries)
    assert not again.removed


def test_an_edit_of_a_parent_makes_new_what_is_fed_by_it_and_nothing_else() -> None:
    jobs = [*chain(0, "a", 2), *chain(1, "b", 2)]
    records = bought(make_plan(jobs, {}))
    edited = [*chain(0, "another", 2), *chain(1, "b", 2)]
    plan = make_plan(edited, records)
    assert [one.job.id for one in plan.to_submit] == ["k0", "k0-0", "k0-1"]
    assert all(one.changed for one in plan.to_submit)


def test_a_child_follows_the_record_of_its_parent_and_not_the_best_one() -> None:
    jobs = [*chain(0, "a", 1), *chain(1, "a", 1)]
    records = bought(make_plan(jobs, {}))
    key = next(key for key, record in records.items() if record.job is not None and record.job.id == "k0-0")
    records[key] = replace(records[key], state=State.FAILED)
    plan = make_plan(renamed(jobs[2:], {"k1": "x", "k1-0": "y"}), records)
    assert_children_have_their_own(plan)


def assert_children_have_their_own(plan: Plan) -> None:
    """Every child's record is bound to the record that its own parent has."""
    for place, parents in plan.lineage.parents.items():
        entry = plan.entries[place]
        if entry.record.job is not None:
            keys = {plan.entries[one].key for one in parents}
            assert {one.key for one in references_of(entry.record.job)} == keys


def test_a_reference_reads_back_what_it_says() -> None:
    for one in (
        Reference("a"),
        Reference("a", output=2, content="v1:x"),
        Reference("a", every=True, content="v1:x", ordinal=1, assets=("asset_1", "asset_2")),
    ):
        assert Reference.read(one.value) == one


def test_of_equal_jobs_the_one_that_goes_into_a_sheet_is_found_again_under_another_name() -> None:
    sheet = Job(id="s", model="m", params={"images": [{"job": "k1"}, {"job": "k2"}]})
    jobs = [*chain(0, "a", 0), *chain(1, "a", 0), *chain(2, "b", 0), sheet]
    records = bought(make_plan(jobs, {}))
    again = renamed(jobs, {"k0": "z", "k1": "y", "k2": "x", "s": "sheet"})
    assert not make_plan(again, records).to_submit
    assert not make_plan([again[1], again[0], *again[2:]], records).to_submit


def test_of_equal_parents_that_go_in_together_it_does_not_matter_which_comes_first() -> None:
    sheet = Job(id="s", model="m", params={"images": [{"job": "k0"}, {"job": "k1"}]})
    jobs = [*chain(0, "a", 0), *chain(1, "a", 0), sheet]
    records = bought(make_plan(jobs, {}))
    again = renamed(jobs, {"k0": "y", "k1": "x", "s": "sheet"})
    assert not make_plan(again, records).to_submit
    assert not make_plan([again[1], again[0], again[2]], records).to_submit


def test_equal_siblings_in_other_words_and_under_other_names_keep_what_hangs_on_them() -> None:
    jobs = [*chain(0, "a", 2), Job(id="again", model="tool0", params={"image": {"job": "k0"}})]
    jobs = [jobs[0], jobs[3], jobs[1], jobs[2]]
    records = bought(make_plan(jobs, {}))
    names = {"k0": "a", "again": "b", "k0-0": "c", "k0-1": "d"}
    said = [with_references(one, lambda each: each._replace(output=0)) for one in renamed(jobs, names)]
    assert not make_plan(said, records).to_submit


def test_the_same_in_other_words_takes_nothing_from_who_has_it_in_its_own() -> None:
    jobs = chain(0, "a", 1)
    records = bought(make_plan(jobs, {}))
    (asset,) = next(one.asset_ids for one in records.values() if one.job is not None and one.job.id == "k0")
    literal = Job(id="same", model="tool0", params={"image": asset})
    plan = make_plan([literal, *jobs], records)
    assert [one.job.id for one in plan.to_submit] == ["same"]
