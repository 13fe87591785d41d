"""Equal parameters are one mapping, and those that only look equal are not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.shared_values import SharedParams

_VALUES = st.dictionaries(
    st.sampled_from(["width", "style", "seed"]),
    st.one_of(
        st.none(), st.booleans(), st.integers(0, 1), st.sampled_from([0.0, -0.0, 1.0]), st.text(max_size=1)
    ),
)


@given(st.lists(_VALUES, max_size=8))
def test_what_is_given_is_always_written_as_what_was_brought(many: list[dict[str, Any]]) -> None:
    shared = SharedParams()
    for one in many:
        assert repr(shared.of(dict(one))) == repr(one)


def test_equal_parameters_are_kept_once() -> None:
    shared = SharedParams()
    first = shared.of({"width": 512, "style": "oil"})
    assert shared.of({"width": 512, "style": "oil"}) is first


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), ("1", 1), (0.0, -0.0), (None, "")])
def test_values_of_two_kinds_are_not_one(one: Any, other: Any) -> None:
    shared = SharedParams()
    shared.of({"width": one})
    assert type(shared.of({"width": other})["width"]) is type(other)
    assert repr(shared.of({"width": other})) == repr({"width": other})


def test_a_nested_value_is_left_alone() -> None:
    shared = SharedParams()
    params = {"image": {"file": "a.png"}}
    assert shared.of(params) is params
