"""Words of the command line, and the jobs that they mean."""

from hypothesis import given
from hypothesis import strategies as st

from batchgen.planning.selection import Selected, selected

IDS = ("tower-oak", "tower-ice", "castle", "a=b", "tag:x", "what?")


def chosen(*words: str, unfit: tuple[str, ...] = ()) -> Selected:
    return selected(words, IDS, unfit=lambda name: f"{name} is not fit" if name in unfit else None)


def test_a_pattern_means_all_that_are_like_it_in_the_order_of_the_manifest() -> None:
    assert chosen("c*", "tower-*") == (("tower-oak", "tower-ice", "castle"), ())


def test_a_named_job_that_is_not_fit_is_wrong_and_one_of_a_pattern_is_passed_over() -> None:
    assert chosen("tower-oak", unfit=("tower-oak",)).wrong == ("tower-oak is not fit",)
    assert chosen("tower-*", unfit=("tower-oak",)) == (("tower-ice",), ())


def test_a_pattern_of_which_nothing_is_fit_is_wrong() -> None:
    assert chosen("tower-*", unfit=IDS).wrong == ("of 2 jobs like 'tower-*' there is none to do this with",)
    assert chosen("gate-*").wrong == ("no job of this manifest has an id like 'gate-*'",)


def test_a_name_that_is_nearly_one_is_corrected() -> None:
    assert chosen("castel").wrong == ("no job 'castel' in this manifest; did you mean 'castle'?",)


def test_an_id_means_its_own_job_whatever_characters_it_has() -> None:
    assert chosen("a=b", "tag:x", "what?") == (("a=b", "tag:x", "what?"), ())


def test_the_forms_that_are_kept_free_are_never_taken_for_patterns() -> None:
    for word in ("tag:*", "rarity=*", "@*", "castle,*"):
        found = chosen(word)
        assert found.ids == ()
        assert found.wrong == (
            f"{word!r} is not a job of this manifest; name jobs by id or by pattern, as 'tower-*'",
        )


@given(st.lists(st.text(min_size=1), max_size=5), st.lists(st.sampled_from(IDS), max_size=4))
def test_whatever_is_typed_means_jobs_of_the_manifest_or_is_said_to_be_wrong(
    words: list[str], names: list[str]
) -> None:
    found = chosen(*words, *names)
    assert set(found.ids) <= set(IDS)
    assert set(names) <= set(found.ids)
    for word in words:
        assert found.ids or any(repr(word) in text for text in found.wrong)
