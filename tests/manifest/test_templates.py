import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.templates import parse, strings_in
from batchgen.manifest.trees import tree_of
from batchgen.model import Json


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a {x} b", "a 1 b"),
        ("{x}{ y }", "1two"),
        ("{{x}}", "{x}"),
        ("{{{x}}}", "{1}"),
        ("no variables", "no variables"),
        ("{deep red}", "3"),
    ],
)
def test_variables_are_replaced_and_double_braces_are_braces(text: str, filled: str) -> None:
    assert parse(text).render({"x": 1, "y": "two", "deep red": 3}) == filled


@pytest.mark.parametrize("text", ["{", "}", "a { b", "a } b", "{a}}", "{a{b}", "{a\nb}"])
def test_a_brace_without_its_other_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="for a brace in the text"):
        parse(text)


@pytest.mark.parametrize("text", ["{x.__class__}", "{x[0]}", "{x!r}", "{x:>10}", "{0}"])
def test_nothing_between_braces_is_more_than_a_name(text: str) -> None:
    template = parse(text)
    assert template.names == (text[1:-1],)
    with pytest.raises(KeyError):
        template.render({"x": "value"})


def test_a_value_is_not_looked_at_for_variables_again() -> None:
    assert parse("{x}").render({"x": "{y}", "y": "no"}) == "{y}"


@given(st.text(max_size=60))
def test_doubled_braces_give_any_text_back(text: str) -> None:
    template = parse(text.replace("{", "{{").replace("}", "}}"))
    assert template.names == ()
    assert template.render({}) == text


def test_a_parameter_that_is_one_variable_keeps_its_type() -> None:
    tree = tree_of({"a": "{n}", "b": "{n} px", "c": ["{flag}", {"d": "{n}"}], "e": 7})
    assert tree.names == ("n", "flag")
    assert tree.render({"n": 512, "flag": True}) == {"a": 512, "b": "512 px", "c": [True, {"d": 512}], "e": 7}


@pytest.mark.parametrize(("cell", "value"), [("512", 512), ("true", True), ("16:9", "16:9"), ("", "")])
def test_a_cell_that_is_a_whole_parameter_becomes_what_it_looks_like(cell: str, value: Json) -> None:
    assert tree_of({"a": "{n}"}, cells=frozenset({"n"})).render({"n": cell}) == {"a": value}


def test_text_that_is_no_cell_stays_text() -> None:
    assert tree_of({"a": "{n}"}).render({"n": "512"}) == {"a": "512"}


def test_a_tree_without_variables_is_one_object_for_all() -> None:
    tree = tree_of({"a": "{{}}"})
    assert tree.render({}) is tree.render({"x": 1})
    assert tree.render({}) == {"a": "{}"}


def test_a_list_cannot_stand_inside_a_text() -> None:
    with pytest.raises(ValueError, match=r"^x is a list"):
        parse("a {x}").render({"x": [1]})


def test_strings_are_found_with_their_paths() -> None:
    assert list(strings_in({"a": ["x", {"b": "y"}], "c": 1})) == [(("a", 0), "x"), (("a", 1, "b"), "y")]
