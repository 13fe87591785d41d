import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.source.scalars import Scalar, number_in, resolve, text_of, unsendable


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None),
        ("true", True), ("False", False), ("TRUE", True),
        ("12", 12), ("-7", -7), ("+3", 3), ("012", 12), ("0o14", 12), ("0x1F", 31),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-.inf", -math.inf), (".INF", math.inf),
    ],
)  # fmt: skip
def test_the_core_schema_knows_few_values(text: str, value: Scalar) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no", "yes", "on", "off", "n", "y", "16:9", "1:1", "12:30:45", "2026-11-22", "1_000", "0b1", "0O7",
        "tRUE", "nil", "-", "+", ".", "...", "-.nan", "1e", "0x", "\u0661\u0662", "1 2",
    ],
)  # fmt: skip
def test_everything_else_is_text(text: str) -> None:
    assert resolve(text) == text


def test_not_a_number_is_a_float() -> None:
    value = resolve(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


def test_a_number_of_absurd_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a number of 5000 digits"):
        resolve("9" * 5000)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("512", 512),
        ("0.5", 0.5),
        ("true", True),
        ("red", "red"),
        ("null", "null"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
    ],
)
def test_a_cell_is_a_finite_number_or_boolean_or_text(cell: str, value: Scalar) -> None:
    assert number_in(cell) == value
    assert type(number_in(cell)) is type(value)


def test_values_stand_in_text_as_json_writes_them() -> None:
    assert [text_of(one) for one in ("a", 1, 0.5, True)] == ["a", "1", "0.5", "true"]
    with pytest.raises(ValueError, match="is a list"):
        text_of([1])


@pytest.mark.parametrize("value", [math.inf, {"a": [math.nan]}, ["\ud800"], {"\udfff": 1}])
def test_what_json_cannot_carry_is_found_at_any_depth(value: object) -> None:
    assert unsendable(value) is not None


@given(st.text(max_size=30))
def test_any_text_resolves(text: str) -> None:
    assert isinstance(resolve(text), str | int | float | bool | None)
