from hypothesis import given
from hypothesis import strategies as st

from batchgen.identity import content_key
from batchgen.lifecycle import Record, State
from batchgen.model import Job, JobKey
from batchgen.planning.make_plan import make_plan
from batchgen.planning.matching import match
from batchgen.planning.plan import Standing
from tests.support.builders import make_job


def record(of: Job, state: State) -> Record:
    return Record(state=state, job=of, body="{}")


def key(of: Job, ordinal: int = 0) -> JobKey:
    return JobKey(content_key(of), ordinal)


def test_a_new_job_gets_the_first_free_ordinal() -> None:
    a, b = make_job("a"), make_job("b")
    assert match([a, b], {}) == ([key(a, 0), key(a, 1)], [])


def test_equals_are_matched_by_id_first() -> None:
    a, b = make_job("a"), make_job("b")
    records = {key(a, 0): record(a, State.RUNNING), key(a, 1): record(b, State.COLLECTED)}
    assert match([b, a], records) == ([key(a, 1), key(a, 0)], [])


def test_then_the_best_state_is_taken() -> None:
    old = [make_job(f"old{n}") for n in range(4)]
    states = [State.FAILED, State.HELD, State.RUNNING, State.COLLECTED]
    records = {
        key(one, n): record(one, state) for n, (one, state) in enumerate(zip(old, states, strict=True))
    }
    keys, left = match([make_job("x"), make_job("y"), make_job("z")], records)
    assert [one.ordinal for one in keys] == [3, 2, 1]
    assert [one.ordinal for one in left] == [0]


def test_deleting_one_of_two_equals_never_buys_the_other_again() -> None:
    a, b = make_job("a"), make_job("b")
    records = {key(a, 0): record(a, State.COLLECTED), key(a, 1): record(b, State.RUNNING)}
    for kept in (a, b):
        plan = make_plan([kept], records)
        assert not plan.to_submit
        assert [entry.job.id for entry in plan.removed] == [({"a", "b"} - {kept.id}).pop()]


def test_renaming_and_reordering_jobs_buys_nothing() -> None:
    a, b = make_job("a", prompt="one"), make_job("b", prompt="two")
    records = {key(a): record(a, State.COLLECTED), key(b): record(b, State.COLLECTED)}
    plan = make_plan([make_job("new-name", prompt="two"), make_job("other", prompt="one")], records)
    assert (plan.to_submit, plan.removed) == ((), ())


def test_an_edited_job_is_new_and_its_predecessor_is_carried_on() -> None:
    old, new = make_job("a", prompt="one"), make_job("a", prompt="two")
    plan = make_plan([new], {key(old): record(old, State.RUNNING)})
    assert [entry.standing for entry in plan.entries] == [Standing.CHANGED]
    assert [(one.job.prompt, two.job.prompt) for one, two in plan.paid_twice_by_edit()] == [("two", "one")]


names = st.sampled_from("abcd")
jobs = st.lists(
    st.builds(make_job, names, prompt=st.sampled_from(["one", "two"])),
    max_size=6,
    unique_by=lambda one: one.id,
)


@given(jobs, jobs, st.lists(st.sampled_from(list(State)), min_size=6, max_size=6))
def test_every_record_is_matched_or_removed_and_no_more_is_new_than_is_missing(
    before: list[Job], wanted: list[Job], states: list[State]
) -> None:
    first, _ = match(before, {})
    records = {key: record(one, state) for key, one, state in zip(first, before, states, strict=False)}
    keys, left = match(wanted, records)
    assert len(set(keys)) == len(wanted)
    assert set(left) == set(records) - set(keys)
    for content in {one.content for one in keys}:
        new = [one for one in keys if one.content == content and one not in records]
        assert not new or not [one for one in left if one.content == content]


def test_matching_thousands_of_equals_looks_at_each_record_a_few_times() -> None:
    """Of a kind: what is done for each job must not go through all that ask for the same."""
    looks = 0

    class Counted(dict[JobKey, Record]):
        def get(self, key: JobKey, default: Record | None = None) -> Record | None:  # type: ignore[override]
            nonlocal looks
            looks += 1
            return super().get(key, default)

    jobs = [make_job(f"job-{n}") for n in range(300)]
    records = Counted({key(one, n): record(one, State.COLLECTED) for n, one in enumerate(jobs)})
    keys, left = match(jobs[::-1], records)
    assert ([one.ordinal for one in keys], left) == (list(range(300))[::-1], [])
    assert looks < 10 * len(jobs)
