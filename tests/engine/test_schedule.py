"""When to look again: what is learned of a model decides the first look, and gaps grow from there."""

import random
import statistics
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.backoff import Backoff, PollGaps
from batchgen.engine.watch.schedule import LONGEST_UNSEEN, LookSchedule
from batchgen.model import Job
from batchgen.record import Record

GAPS = PollGaps(shortest=0.3, longest=60.0)
BACKOFF = Backoff(first=0.5, ceiling=30.0)
USUAL = 2.0
PUBLISHED = {"video": 40.0, "icon": 0.1}

seconds = st.floats(0.1, 10_000)
draws = st.floats(0, 1, exclude_max=True)


class Dice(random.Random):
    """Always shows the same number."""

    shown = 0.0

    def random(self) -> float:
        return self.shown


def schedule(shown: float = 0.0) -> LookSchedule:
    dice = Dice()
    dice.shown = shown
    return LookSchedule(gaps=GAPS, backoff=BACKOFF, usual=USUAL, published=PUBLISHED, chance=dice)


def ran(began: float | None, ended: float | None, *, model: str | None = "flux") -> Record:
    job = None if model is None else Job(id="a", prompt="a mill", model=model)
    return Record(job=job, started_at=began, finished_at=ended)


def test_a_model_of_which_nothing_is_known_is_looked_at_after_the_usual_time() -> None:
    looks = schedule()
    assert (looks.first_look("flux"), looks.earliest("flux")) == (USUAL, USUAL)
    assert (looks.middle("flux"), looks.longest("flux")) == (None, None)


def test_the_job_that_tells_how_long_its_model_takes_is_looked_at_early_and_ever_later() -> None:
    looks, waited, seen = schedule(0.5), GAPS.shortest, list[float]()
    while waited < 3.0:
        seen.append(round(waited, 3))
        waited += looks.early_gap(waited, least=0.0)
    assert seen == [0.3, 0.6, 0.9, 1.35, 2.0, 2.38, 2.832]
    assert looks.early_gap(0.3, least=0.6) == 0.6, "the rate has no more than that"


def test_a_model_is_known_by_what_is_published_or_was_seen() -> None:
    looks = schedule()
    assert (looks.is_known("video"), looks.is_known("flux")) == (True, False)
    looks.took("flux", 1.0)
    assert looks.is_known("flux")


def test_what_is_published_serves_until_a_job_was_seen() -> None:
    looks = schedule()
    assert (looks.first_look("video"), looks.earliest("video"), looks.middle("video")) == (20.0, 20.0, 40.0)
    assert looks.longest("video") is None  # what others saw is not the longest that we saw
    looks.took("video", 100.0)
    assert (looks.first_look("video"), looks.earliest("video"), looks.middle("video")) == (100.0,) * 3


def test_a_model_that_is_published_as_very_quick_is_not_looked_at_before_the_shortest_gap() -> None:
    assert schedule().first_look("icon") == schedule().earliest("icon") == GAPS.shortest


def test_each_end_changes_the_first_look_at_the_next_job() -> None:
    looks = schedule()
    looks.took("flux", 10.0)
    assert looks.first_look("flux") == 10.0
    looks.took("flux", 4.0)
    assert looks.first_look("flux") == 4.0


def test_only_the_latest_fifty_jobs_count() -> None:
    looks = schedule()
    for took in (1.0, 999.0, *[10.0] * 48):
        looks.took("flux", took)
    assert (looks.earliest("flux"), looks.longest("flux")) == (1.0, 999.0)
    looks.took("flux", 10.0)
    assert (looks.earliest("flux"), looks.longest("flux")) == (10.0, 999.0)
    looks.took("flux", 10.0)
    assert (looks.earliest("flux"), looks.longest("flux")) == (10.0, 10.0)


@given(st.lists(st.tuples(st.sampled_from(["flux", "video"]), seconds), max_size=120))
def test_what_is_said_of_a_model_is_always_what_its_latest_jobs_took(ends: list[tuple[str, float]]) -> None:
    looks, seen = schedule(), defaultdict[str, list[float]](list)
    for model, took in ends:
        looks.took(model, took)
        seen[model].append(took)
        latest = seen[model][-50:]
        assert looks.earliest(model) == min(latest)
        assert looks.longest(model) == max(latest)
        assert looks.middle(model) == statistics.median(latest)
        assert looks.first_look(model) == GAPS.first_look(tuple(latest), usual=USUAL)


def test_earlier_runs_teach_by_the_dates_of_the_service() -> None:
    looks = schedule()
    looks.remember([ran(1000.0, 1007.0), ran(1000.0, 1009.0, model="video")])
    assert (looks.longest("flux"), looks.longest("video")) == (7.0, 9.0)


def test_of_earlier_runs_the_oldest_are_forgotten_first() -> None:
    looks = schedule()
    looks.remember([ran(0.0, 500.0), *[ran(0.0, 5.0)] * 50])
    assert looks.longest("flux") == 5.0


@pytest.mark.parametrize(
    "record",
    [
        ran(None, 1007.0),
        ran(1000.0, None),
        ran(1000.0, 1000.0),
        ran(1007.0, 1000.0),
        ran(1000.0, 1007.0, model=None),
    ],
)
def test_a_job_without_both_dates_in_their_order_teaches_nothing(record: Record) -> None:
    looks = schedule()
    looks.remember([record])
    assert looks.longest("flux") is None


@given(seconds, seconds, draws)
def test_gaps_grow_with_the_wait_and_never_fall_below_the_shortest(
    waited: float, more: float, shown: float
) -> None:
    looks = schedule(shown)
    assert looks.gap(waited) <= looks.gap(waited + more)
    # the jitter moves a gap by a tenth, no further
    assert 0.9 * GAPS.shortest <= looks.gap(waited) <= 1.1 * GAPS.longest


def test_a_gap_is_a_fifth_of_the_wait_within_its_bounds() -> None:
    even = schedule(0.5)  # no jitter either way
    assert [even.gap(waited) for waited in (0.0, 10.0, 100.0, 9000.0)] == [0.3, 1.9, 19.0, 60.0]


def test_jitter_keeps_gaps_of_equal_jobs_apart() -> None:
    assert schedule(0.0).gap(100.0) < schedule(0.5).gap(100.0) < schedule(0.9).gap(100.0)


@given(st.integers(1, 50), draws)
def test_after_failures_looks_are_ever_further_apart(failures: int, shown: float) -> None:
    looks = schedule(shown)
    waits = [looks.after_failure(one, None) for one in (failures, failures + 1)]
    assert waits == sorted(waits)
    assert 0 < waits[0] <= BACKOFF.ceiling
    assert looks.after_failure(1, None) < looks.after_failure(3, None)


@given(st.integers(1, 50), draws, st.floats(0, 900))
def test_a_pause_that_the_service_asks_for_is_never_cut_short(
    failures: int, shown: float, asked: float
) -> None:
    assert schedule(shown).after_failure(failures, asked) >= asked


def test_an_id_that_is_not_found_is_left_alone_twice_as_long_each_time() -> None:
    looks = schedule()
    assert [looks.after_unseen(times, 0.0) for times in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert looks.after_unseen(1000, 0.0) == LONGEST_UNSEEN  # a longer one than after other failures


def test_an_old_id_that_is_not_found_is_left_alone_for_half_its_age_from_the_first_time_on() -> None:
    looks = schedule()
    assert looks.after_unseen(1, 100.0) == 50.0
    assert looks.after_unseen(1, 86_400.0) == LONGEST_UNSEEN


@given(st.integers(1, 50), st.floats(0, 100_000), draws)
def test_jitter_takes_at_most_a_fifth_of_the_rest_of_what_is_not_found(
    times: int, waited: float, shown: float
) -> None:
    whole = schedule().after_unseen(times, waited)
    assert 0.8 * whole <= schedule(shown).after_unseen(times, waited) <= whole <= LONGEST_UNSEEN
