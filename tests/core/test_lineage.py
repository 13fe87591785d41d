"""Who feeds whom."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from batchgen.lineage import lineage_of
from batchgen.model import Job


def jobs_of(fed_by: list[list[int]]) -> list[Job]:
    return [
        Job(id=f"j{place}", model="m", params={"images": [{"job": f"j{one}"} for one in parents]})
        for place, parents in enumerate(fed_by)
    ]


webs = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        *(
            st.lists(st.integers(0, max(0, place - 1)), max_size=3) if place else st.just([])
            for place in range(count)
        )
    )
)


@given(webs, st.randoms())
def test_parents_come_before_their_children_whatever_the_order_of_the_manifest(
    web: Sequence[list[int]], random: Random
) -> None:
    jobs = jobs_of(list(web))
    random.shuffle(jobs)
    lineage = lineage_of(jobs)
    assert sorted(lineage.order) == list(range(len(jobs)))
    at = {place: number for number, place in enumerate(lineage.order)}
    for place, parents in lineage.parents.items():
        assert all(at[one] < at[place] for one in parents)
        assert all(place in lineage.children[one] for one in parents)
        assert set(lineage.ancestors(place)) >= set(parents)
        assert all(place in lineage.descendants(one) for one in lineage.ancestors(place))
    assert not lineage.cycle


def test_a_circle_is_named_and_what_hangs_on_it_is_not() -> None:
    lineage = lineage_of(jobs_of([[1], [2], [1], [2], []]))
    assert set(lineage.cycle) == {1, 2}


def test_a_chain_of_a_hundred_thousand_steps_is_followed_to_its_end() -> None:
    lineage = lineage_of(jobs_of([[], *([place] for place in range(99_999))]))
    assert len(lineage.descendants(0)) == 99_999
    assert lineage.last == (99_999,)
