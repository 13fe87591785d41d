"""Foreign text on a terminal: it moves nothing, and is left alone where it would not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.formats import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("a\x9b31mred", "a\\x9b31mred"),
        ("a\rb", "a\\x0db"),
        ("a\u2028b\u0085c", "a\\u2028b\\x85c"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("two\nlines\tof text", "two\nlines\tof text"),
        ("👩\u200d🎨 café 日本 עברית", "👩\u200d🎨 café 日本 עברית"),
    ],
)
def test_what_acts_on_a_terminal_is_written_as_an_escape(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text())
def test_nothing_that_acts_is_left_and_what_is_read_stays(text: str) -> None:
    shown = harmless(text, on_one_line=True)
    assert not any(unicodedata.category(one) in {"Cc", "Zl", "Zp"} for one in shown.replace("\t", ""))
    assert len(shown.splitlines()) <= 1
    assert harmless(shown) == shown
