"""Marks of assets, what becomes of them, and what they mean for a job."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from batchgen.planning.marks import Mark, Marked, Wanted, change_of, counted_marks, kept_of, mark_of

ASSETS = st.sampled_from("abcd")
MARKS = st.dictionaries(
    ASSETS, st.builds(Marked, st.sampled_from(Mark), st.sampled_from(("", "x")), st.just(1.0))
)
WANTED = st.lists(
    st.builds(
        Wanted, ASSETS, st.sampled_from(("kept", "rejected", "none", None)), st.sampled_from((None, "", "y"))
    )
)


def after(marks: Mapping[str, Marked], wanted: list[Wanted]) -> dict[str, Marked]:
    change = change_of(wanted, marks, at=2.0)
    left = {one: mark for one, mark in marks.items() if one not in change.removed}
    return left | change.made


def test_a_job_is_kept_if_one_of_its_assets_is_and_else_rejected_if_one_is() -> None:
    marks = {"a": Marked(Mark.REJECTED, "", 1.0), "b": Marked(Mark.KEPT, "", 2.0)}
    assert mark_of(("a", "b", "c"), marks) is Mark.KEPT
    assert mark_of(("c", "a"), marks) is Mark.REJECTED
    assert mark_of(("c",), marks) is None
    assert mark_of((), marks) is mark_of(("a",), {}) is None
    assert kept_of(("c", "b", "a"), marks) == ("b",)
    assert counted_marks([("a",), ("a", "b"), ("c",), ()], marks) == {Mark.KEPT: 1, Mark.REJECTED: 1}


def test_a_note_stays_with_its_mark_and_goes_with_it() -> None:
    first = after({}, [Wanted("a", "kept", "good")])
    assert first == {"a": Marked(Mark.KEPT, "good", 2.0)}
    assert after(first, [Wanted("a", "kept")]) == first
    assert after(first, [Wanted("a", None, "better")])["a"].note == "better"
    assert after(first, [Wanted("a", "kept", "")])["a"].note == ""
    assert after(first, [Wanted("a", "rejected")])["a"] == Marked(Mark.REJECTED, "", 2.0)
    assert after(first, [Wanted("a", "none")]) == {}
    assert after({}, [Wanted("a", None, "to nothing")]) == {}


@given(MARKS, WANTED)
def test_every_asset_is_counted_once_and_doing_it_again_changes_nothing(
    marks: dict[str, Marked], wanted: list[Wanted]
) -> None:
    change = change_of(wanted, marks, at=2.0)
    named = {one.asset_id for one in wanted}
    assert len(change.made) + len(change.removed) + change.same == len(named)
    assert sum(map(change.count, Mark)) + len(change.noted) == len(change.made)
    again = change_of(wanted, after(marks, wanted), at=3.0)
    assert (again.made, again.removed, again.same) == ({}, [], len(named))
    assert {one: mark for one, mark in after(marks, wanted).items() if one not in named} == {
        one: mark for one, mark in marks.items() if one not in named
    }


@given(MARKS, WANTED)
def test_the_last_word_on_an_asset_counts(marks: dict[str, Marked], wanted: list[Wanted]) -> None:
    found = after(marks, wanted)
    for one in {each.asset_id: each for each in wanted}.values():
        if one.mark in ("kept", "rejected"):
            assert found[one.asset_id].mark == one.mark
            assert one.note is None or found[one.asset_id].note == one.note
        elif one.mark == "none":
            assert one.asset_id not in found
