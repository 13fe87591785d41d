import pytest

from batchgen.catalog.required import Required, is_given, read_required, unknown_others, why_required
from batchgen.model import Json

KNOWN = ("image", "mask", "mode", "size")


def why(raw: Json, given: dict[str, Json]) -> str | None:
    names = {name for name, value in given.items() if is_given(value)}
    return why_required(read_required(raw), given, names, known=KNOWN)


@pytest.mark.parametrize("message", ["A mask needs it.", {"message": "A mask needs it."}])
def test_messages_are_read_as_text_and_as_objects(message: Json) -> None:
    assert why({"ifDefined": {"mask": message}}, {"mask": "asset_1"}) == "A mask needs it."


@pytest.mark.parametrize(
    ("raw", "given", "needed"),
    [
        ({"always": True}, {}, True),
        (True, {}, True),
        ({"always": False}, {}, False),
        ({"ifDefined": {"mask": ""}}, {"mask": "asset_1"}, True),
        ({"ifDefined": {"mask": ""}}, {"mask": " "}, False),
        ({"ifDefined": {"mask": ""}}, {"mask": []}, False),
        ({"ifDefined": {"mask": ""}}, {"mask": False}, True),
        ({"ifDefined": {"mask": ""}}, {"mask": 0}, True),
        ({"ifNotDefined": {"image": ""}}, {}, True),
        ({"ifNotDefined": {"image": ""}}, {"image": "asset_1"}, False),
        ({"ifNotDefined": {"image": "", "mask": ""}}, {"image": "asset_1"}, True),
        ({"conditional": {"values": {"mode": ["edit"]}}}, {"mode": "edit"}, True),
        ({"conditional": {"values": {"mode": ["edit"]}}}, {"mode": "draw"}, False),
        ({"conditional": {"values": {"mode": "edit"}}}, {"mode": "edit"}, True),
        ({"conditional": {"values": {"mode": ["a"], "size": [1]}}}, {"mode": "a", "size": 2}, False),
        ({"conditional": {"values": {"mode": ["a"], "size": [1]}}}, {"mode": "a", "size": 1}, True),
        (
            {"conditional": {"values": {"mode": ["a"], "size": [1]}, "operator": "or"}},
            {"mode": "a", "size": 2},
            True,
        ),
    ],
)
def test_the_four_rules(raw: Json, given: dict[str, Json], needed: bool) -> None:
    assert (why(raw, given) is not None) is needed


@pytest.mark.parametrize(
    "raw",
    [
        {"ifDefined": {"firstFrame": ""}},
        {"ifNotDefined": {"firstFrame": ""}},
        {"conditional": {"values": {"firstFrame": [None]}}},
        {"conditional": {"values": {"firstFrame": [None], "mode": ["a"]}}},
    ],
)
def test_a_rule_that_names_an_undeclared_input_is_passed_over_and_known(raw: Json) -> None:
    assert why(raw, {"firstFrame": "asset_1", "mode": "a"}) is None
    assert ("x", "firstFrame") in unknown_others([("x", read_required(raw))], KNOWN)


@pytest.mark.parametrize(
    "raw", [None, [], "always", {"always": 1}, {"ifDefined": ["mask"]}, {"conditional": {"values": 3}}]
)
def test_a_rule_of_another_shape_is_none(raw: Json) -> None:
    assert read_required(raw) == Required()


def test_the_words_of_the_service_cannot_move_the_cursor() -> None:
    (clause,) = read_required({"ifDefined": {"mask": "red\x1b[31m\nand\tmore" + "." * 1000}}).if_defined
    assert clause.message.startswith("red [31m and more...")
    assert len(clause.message) <= 500
