"""A sample has of everything something: entries, models, axes and rows, whatever keeps time with what."""

from hypothesis import given
from hypothesis import strategies as st

from batchgen.model import Job
from batchgen.planning.sampling import spread


def made(rows: int, models: int, repeats: int = 1, entry: int = 0) -> list[tuple[Job, int]]:
    return [
        (Job(id=f"{entry}-{row}-{model}-{turn}", prompt=f"item {row} of {entry}", model=f"m{model}"), entry)
        for row in range(rows)
        for model in range(models)
        for turn in range(repeats)
    ]


def taken(jobs: list[tuple[Job, int]], count: int) -> list[tuple[Job, int]]:
    places = spread([one for one, _ in jobs], [entry for _, entry in jobs], count)
    assert len(places) == len(set(places)) == min(count, len(jobs))
    assert places == sorted(places)
    return [jobs[place] for place in places]


def test_three_of_many_are_three_items_on_more_than_one_model() -> None:
    chosen = taken(made(600, 2), 3)
    assert len({job.prompt for job, _ in chosen}) == 3
    assert {job.model for job, _ in chosen} == {"m0", "m1"}


def test_repeats_and_a_model_list_that_keep_time_with_the_distances_do_not_hide_the_others() -> None:
    chosen = taken(made(4, 3, repeats=3), 12)
    assert {(job.prompt, job.model) for job, _ in chosen} == {
        (f"item {row} of 0", f"m{model}") for row in range(4) for model in range(3)
    }


def test_a_small_entry_is_not_lost_beside_a_large_one() -> None:
    jobs = [*made(500, 2), *made(1, 1, entry=1), *made(2, 1, entry=2)]
    assert {entry for _, entry in taken(jobs, 3)} == {0, 1, 2}


def test_every_value_of_an_axis_is_met_before_one_is_met_twice() -> None:
    jobs = [
        (Job(id=f"{m}{s}", prompt=f"a {m} tower, {s}", model="m", params={"width": width}), 0)
        for m in ("oak", "granite", "glass")
        for s in ("pixel", "ink", "oil")
        for width in (512, 768, 1024)
    ]
    chosen = [job for job, _ in taken(jobs, 3)]
    assert {job.params["width"] for job in chosen} == {512, 768, 1024}
    assert len({word for job in chosen for word in str(job.prompt).replace(",", "").split()}) == 2 + 6


def test_equals_are_taken_at_even_distances() -> None:
    jobs = [(Job(id=str(n), prompt=f"w{n}", model="m"), 0) for n in range(100)]
    assert [job.id for job, _ in taken(jobs, 4)] == ["0", "25", "50", "75"]


@given(st.integers(1, 12), st.integers(1, 3), st.integers(1, 3), st.integers(1, 40))
def test_a_sample_is_the_same_every_time(rows: int, models: int, repeats: int, count: int) -> None:
    jobs = made(rows, models, repeats)
    assert taken(jobs, count) == taken(jobs, count)


def test_a_hundred_thousand_are_looked_through_in_moments() -> None:
    jobs = made(25_000, 2, repeats=2)
    assert len({job.model for job, _ in taken(jobs, 3)}) == 2
