from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from batchgen.identity import content_key
from batchgen.lifecycle import Record, RedoAsked, Restored, State, apply
from batchgen.model import Job, JobKey
from batchgen.planning.editions import Shelf, free_ordinal
from batchgen.planning.make_plan import make_plan, with_editions
from batchgen.planning.plan import Standing
from batchgen.planning.redo import Choice, given_back, made_again, wrong_with_redo
from tests.support.builders import make_job

A, B = make_job("a"), make_job("b")  # equal but for their ids
CONTENT = content_key(A)


def record(job: Job, state: State = State.COLLECTED, asset: str = "asset_0", **more: object) -> Record:
    done = (asset,) if state in {State.COLLECTED, State.SUCCEEDED} else ()
    return replace(Record(state=state, job=job, body="{}", asset_ids=done), **more)  # type: ignore[arg-type]


def key(ordinal: int) -> JobKey:
    return JobKey(CONTENT, ordinal)


def typed(name: str, *words: str) -> str:
    return " ".join(("batchgen", name, *words))


def editions(*states: State | None, chosen: tuple[int, ...] = ()) -> dict[JobKey, Record]:
    """Return the records of one job whose editions stand so; of None nothing is on record."""
    order = (*range(1, len(states)), *chosen)
    found = {key(n): record(A, state, f"asset_{n}") for n, state in enumerate(states) if state is not None}
    found[key(0)] = replace(found[key(0)], editions=order)
    return found


def test_what_a_job_has_stays_its_own_until_the_new_one_has_arrived() -> None:
    for state in (None, *State):
        plan = make_plan([A], editions(State.COLLECTED, state))
        current = plan.entries[0].current
        if state is State.COLLECTED:
            assert (current.key, plan.entries[0].stands) == (key(1), None)
        else:
            assert current.key == key(0), state


def test_a_new_one_that_gave_nothing_takes_the_place_of_none() -> None:
    records = editions(State.COLLECTED, State.COLLECTED)
    records[key(1)] = replace(records[key(1)], asset_ids=())
    assert make_plan([A], records).entries[0].current.key == key(0)


def test_only_the_newest_is_bought_and_the_others_are_carried() -> None:
    plan = make_plan([A], editions(State.COLLECTED, State.FAILED, State.RUNNING, None))
    assert [one.key for one in plan.to_submit] == [key(3)]
    assert [one.key for one in plan.earlier] == [key(0), key(1), key(2)]
    assert plan.removed == ()
    assert plan.entries[0].standing is Standing.REDO


def test_what_was_given_up_counts_as_never_asked_for() -> None:
    plan = make_plan([A], editions(State.COLLECTED, State.ABANDONED))
    assert (plan.entries[0].key, plan.to_submit, plan.earlier) == (key(0), (), ())


def test_an_equal_job_gets_no_edition_of_another_one() -> None:
    records = editions(State.COLLECTED, State.COLLECTED)
    plan = make_plan([B, A], records)
    assert [one.key for one in plan.entries] == [key(2), key(1)]
    assert [one.job.id for one in plan.to_submit] == ["b"]


def test_an_edition_that_nothing_is_on_record_of_is_no_equal_jobs_either() -> None:
    plan = make_plan([A, B], editions(State.COLLECTED, None))
    assert [one.key for one in plan.entries] == [key(1), key(2)]
    assert {one.key for one in plan.to_submit} == {key(1), key(2)}


def test_a_job_that_was_taken_out_of_the_manifest_is_removed_once() -> None:
    records = editions(State.COLLECTED, State.COLLECTED, State.RUNNING)
    plan = make_plan([make_job("c", prompt="other")], records)
    assert [one.key for one in plan.removed] == [key(1)]
    assert {one.key for one in plan.earlier} == {key(0), key(2)}
    assert {one.job.id for one in plan.earlier} == {"a"}


def test_a_renamed_job_keeps_its_editions() -> None:
    plan = make_plan([make_job("z")], editions(State.COLLECTED, State.COLLECTED))
    assert (plan.entries[0].key, plan.removed) == (key(1), ())
    assert [(one.key, one.job.id) for one in plan.earlier] == [(key(0), "z")]


def test_a_redo_is_refused_while_one_is_open_and_of_what_is_not_there() -> None:
    for state in (None, *State):
        plan = make_plan([A], editions(State.COLLECTED, state))
        wrong = wrong_with_redo(plan, typed, "a")
        if state in {State.COLLECTED, State.FAILED, State.REFUSED, State.CANCELED, State.ABANDONED}:
            assert wrong is None, state
        else:
            assert wrong, state
            assert "batchgen resolve" in wrong if state is State.HELD else "batchgen run" in wrong
    for state in set(State) - {State.COLLECTED, State.SUCCEEDED}:
        assert wrong_with_redo(make_plan([A], {key(0): record(A, state)}), typed, "a"), state


def test_an_ordinal_is_never_given_twice() -> None:
    records = editions(State.COLLECTED, None, chosen=(0,))  # asked for, and taken back
    plan = make_plan([A, B], records)
    assert [one.ordinal for one in made_again(plan, [0], records)] == [3]
    assert free_ordinal(CONTENT, [key(7)], Shelf(records)) == 8


def test_equal_jobs_that_are_made_again_together_get_editions_of_their_own() -> None:
    records = {key(0): record(A), key(1): record(B, asset="asset_b")}
    assert made_again(make_plan([A, B], records), [0, 1], records) == (
        Choice(key(0), 2, "a"),
        Choice(key(1), 3, "b"),
    )


def test_a_redo_is_taken_back_before_it_is_bought_and_after_it_failed() -> None:
    for state in (None, State.PLANNED, State.FAILED, State.REFUSED, State.CANCELED):
        records = editions(State.COLLECTED, state)
        assert given_back(make_plan([A], records).entries[0], Shelf(records), typed) == Choice(key(0), 0, "a")


def test_a_redo_that_is_paid_for_is_waited_for() -> None:
    for state in (State.SUBMITTING, State.IN_DOUBT, State.RUNNING, State.SUCCEEDED, State.HELD):
        records = editions(State.COLLECTED, state)
        told = given_back(make_plan([A], records).entries[0], Shelf(records), typed)
        assert isinstance(told, str)


def test_restoring_goes_back_step_by_step_and_undo_to_the_latest() -> None:
    records = editions(State.COLLECTED, State.COLLECTED, State.FAILED, State.COLLECTED)
    for wanted in (1, 0):
        choice = given_back(make_plan([A], records).entries[0], Shelf(records), typed)
        assert choice == Choice(key(0), wanted, "a")
        records[key(0)] = apply(records[key(0)], Restored(at=1.0, ordinal=wanted))
        plan = make_plan([A], records)
        assert (plan.entries[0].key, plan.to_submit) == (key(wanted), ())
    entry = make_plan([A], records).entries[0]
    assert "nothing before" in str(given_back(entry, Shelf(records), typed))
    assert given_back(entry, Shelf(records), typed, undo=True) == Choice(key(0), 3, "a")
    assert given_back(entry, Shelf(records), typed, asset_id="asset_1") == Choice(key(0), 1, "a")
    assert "has had asset_0, asset_1, asset_3" in str(given_back(entry, Shelf(records), typed, asset_id="x"))


def test_a_redo_after_a_restore_comes_after_all_others() -> None:
    records = editions(State.COLLECTED, State.COLLECTED, chosen=(0,))
    records[key(0)] = apply(records[key(0)], RedoAsked(at=1.0, ordinal=2))
    entry = make_plan([A], records).entries[0]
    assert (entry.key, entry.current.key) == (key(2), key(0))


STATES = st.sampled_from([None, *State])


@given(
    st.lists(STATES, min_size=0, max_size=4),
    st.lists(st.integers(0, 4), max_size=3),
    st.permutations([A, B]),
)
def test_whatever_was_asked_for_each_record_is_in_one_place_of_the_plan(
    states: list[State | None], chosen: list[int], jobs: list[Job]
) -> None:
    order = tuple(one for one in chosen if one <= len(states))
    records = editions(State.COLLECTED, *states, chosen=order)
    records[key(9)] = record(B, asset="asset_b")
    plan = make_plan(jobs, records)
    places = [one.key for one in plan.carried]
    assert len(places) == len(set(places))
    assert plan.by_id["b"].key == key(9)
    assert len(plan.to_submit) <= 1
    gone = {name for name, one in records.items() if one.state in {State.ABANDONED, State.PLANNED}}
    assert set(records) - gone <= set(places)
    current = plan.by_id["a"].current
    assert current.record.asset_ids
    assert with_editions(plan, records).entries == plan.entries
