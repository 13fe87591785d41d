from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.manifest.quantities import parse_duration, parse_rate
from batchgen.model import NO_RATE, Rate


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [
        ("100/min", 100, 60),
        ("5/s", 5, 1),
        ("6000/h", 6000, 3600),
        (" 2.5 / sec ", 2.5, 1),
        ("10/30s", 10, 30),
        ("1/minute", 1, 60),
    ],
)
def test_a_rate_is_a_count_and_a_unit(text: str, count: float, seconds: float) -> None:
    assert parse_rate(text) == Rate(count=count, seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "unlimited",
        "off",
        "None",
        "none/s",
        "",
        "100",
        "100/",
        "/min",
        "0/s",
        "5/0s",
        "-1/s",
        "1e3/s",
        "inf/s",
        "5/day",
        "5 per s",
        "\u0665/s",
    ],
)
def test_what_is_no_rate_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(ValueError, match='"100/min", "5/s" or "6000/h", or none'):
        parse_rate(text)


def test_none_is_a_rate_without_a_bound_and_another_thing_than_no_word_on_it() -> None:
    assert parse_rate(" none ") is NO_RATE
    assert (str(NO_RATE), NO_RATE.interval, bool(NO_RATE)) == ("none", 0.0, True)


@given(st.integers(1, 99_999), st.sampled_from([1.0, 60.0, 3600.0, 30.0]))
def test_a_rate_reads_back_what_it_prints(count: int, seconds: float) -> None:
    rate = Rate(count=float(count), seconds=seconds)
    assert parse_rate(str(rate)) == rate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45m", 2700),
        ("90s", 90),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("1d", 86400),
        ("10min", 600),
        ("90", 90),
        ("0", 0),
    ],
)
def test_a_duration_is_steps_or_bare_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "m", "45x", "-5s", "1:30", "5s later", "1e3", "nan", "9" * 400 + "s"])
def test_what_is_no_duration_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(ValueError, match='"45m", "90s", "2h", "1h30m" or a number of seconds'):
        parse_duration(text)


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError, match="not") as caught:
        parse_duration("x" * 1000)
    assert len(str(caught.value)) < 160


@given(st.text(max_size=20))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        rate = parse_rate(text)
        assert rate is NO_RATE or rate.interval > 0
    with suppress(ValueError):
        assert parse_duration(text) >= 0
