"""Hours, days, weeks and months of every kind of zone: each moment is in one slot, and names say when."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchgen.manifest.naming import CALENDAR, wrong_with_period
from batchgen.planning.periods import begun_by, is_calendar, named, one_of, span_of

ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",  # half an hour off
    "America/Havana",  # clocks are set back to midnight
    "Asia/Beirut",  # and at midnight
    "Asia/Kolkata",
    "Asia/Kathmandu",  # a quarter of an hour off
    "Asia/Pyongyang",  # set by half an hour, for once
    "Africa/Casablanca",  # set for a month
    "Antarctica/Troll",  # by two hours
    "Australia/Lord_Howe",  # by half an hour, twice a year
    "Pacific/Chatham",
    "Pacific/Apia",
)
PARIS = ZoneInfo("Europe/Paris")
DAY = 86_400.0
LONGEST = {"hour": 1 / 24, "day": 25 / 24, "week": 7 + 1 / 24, "month": 31 + 2 / 24}  # days
# before that St. John's set its clocks back over midnight, so that a day went on after the next one had begun
SINCE, UNTIL = datetime(2012, 1, 1, tzinfo=UTC).timestamp(), datetime(2080, 1, 1, tzinfo=UTC).timestamp()

zones = st.sampled_from(ZONES).map(ZoneInfo)
periods = st.sampled_from(CALENDAR)


def moment(text: str, zone: ZoneInfo = PARIS, *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


@st.composite
def moments(draw: st.DrawFn) -> float:
    """Draw a moment, or one about the time at which many zones set their clocks."""
    if draw(st.booleans()):
        return draw(st.floats(SINCE, UNTIL))
    year, month = draw(st.integers(2012, 2079)), draw(st.sampled_from([3, 4, 9, 10, 11]))
    day, hour = draw(st.integers(1, 28)), draw(st.integers(0, 23))
    return datetime(year, month, day, hour, tzinfo=UTC).timestamp() + draw(
        st.sampled_from([-0.5, 0.0, 1800.0])
    )


@given(periods, zones, moments())
@example(
    "hour",
    ZoneInfo("Australia/Lord_Howe"),
    moment("2026-04-05T01:45", ZoneInfo("Australia/Lord_Howe"), fold=1),
)
@example("day", ZoneInfo("America/Havana"), moment("2026-11-01T00:30", ZoneInfo("America/Havana"), fold=1))
def test_every_moment_is_in_its_slot_which_lasts_no_longer_than_its_period(
    period: str, zone: ZoneInfo, at: float
) -> None:
    slot = named(period, at, zone)
    span = span_of(slot, zone)
    assert span is not None
    assert span[0] <= at < span[1]
    assert 0 < span[1] - span[0] <= LONGEST[period] * DAY
    assert begun_by(period, slot, now=at, zone=zone) == slot
    # as a folder is called on every system, and as a period of one's own could be
    assert re.fullmatch(r"[0-9TWZ-]{7,16}", slot)
    assert wrong_with_period(slot) is None


@given(periods, zones, moments(), st.floats(0, 3 * DAY))
def test_the_names_of_a_period_sort_as_time_goes(
    period: str, zone: ZoneInfo, at: float, later: float
) -> None:
    first, second = named(period, at, zone), named(period, at + later, zone)
    assert first <= second
    if later > LONGEST[period] * DAY:
        assert first != second
    one, other = span_of(first, zone), span_of(second, zone)
    assert one is not None
    assert other is not None
    assert (one < other) is (first != second)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_the_hours_of_a_year_are_as_many_as_the_clocks_show(zone: str) -> None:
    """Each half hour of a year of both changes of clocks, held against the clocks' own hours and offsets."""
    there, start = ZoneInfo(zone), moment("2026-01-01T00:00", ZoneInfo("UTC"))
    shown: dict[tuple[object, ...], str] = {}
    for step in range(2 * 24 * 365):
        at = start + 1800.0 * step
        here = datetime.fromtimestamp(at, there)
        slot = named("hour", at, there)
        hour = (here.date(), here.hour, here.utcoffset())
        assert shown.setdefault(hour, slot) == slot
    assert len(set(shown.values())) == len(shown)


def test_the_hour_that_comes_twice_is_two_slots_and_the_one_that_is_left_out_is_none() -> None:
    assert named("hour", moment("2026-10-25T02:30"), PARIS) == "2026-10-25T0000Z"
    assert named("hour", moment("2026-10-25T02:30", fold=1), PARIS) == "2026-10-25T0100Z"
    before, after = moment("2026-03-29T01:59"), moment("2026-03-29T03:00")
    assert [named("hour", at, PARIS) for at in (before, after)] == ["2026-03-29T0000Z", "2026-03-29T0100Z"]
    assert named("hour", moment("2026-10-25T02:45", ZoneInfo("Asia/Kolkata")), ZoneInfo("Asia/Kolkata")) == (
        "2026-10-24T2030Z"
    )


NOW = moment("2026-11-18T12:00")


@pytest.mark.parametrize(
    ("period", "text", "slot"),
    [
        ("day", "2026-11-18", "2026-11-18"),  # the present one
        ("day", "2024-02-29", "2024-02-29"),
        ("week", "2026-W46", "2026-W46"),
        ("week", "2026-11-15", "2026-W46"),
        ("week", "2021-01-03", "2020-W53"),
        ("week", "2026-11-20", "2026-W47"),  # a day to come, in the week that is
        ("month", "2026-11", "2026-11"),
        ("month", "2026-10-31", "2026-10"),
        ("hour", "2026-11-18T1100Z", "2026-11-18T1100Z"),
        ("hour", "2026-11-18T11", "2026-11-18T1000Z"),
        ("hour", "2026-11-18T11:59", "2026-11-18T1000Z"),
        ("hour", "2026-11-18T10:20Z", "2026-11-18T1000Z"),
        ("hour", "2026-10-25T02:00+01:00", "2026-10-25T0100Z"),
    ],
)
def test_a_slot_that_has_begun_is_named_as_it_is_or_by_what_is_in_it(
    period: str, text: str, slot: str
) -> None:
    assert begun_by(period, text, now=NOW, zone=PARIS) == slot


@pytest.mark.parametrize(
    ("period", "text", "why"),
    [
        ("day", "2026-11-19", "yet to come: it begins at 2026-11-19 00:00 \\(Europe/Paris\\)"),
        ("week", "2026-W48", "yet to come"),
        ("week", "2026-11-23", "'2026-W48' is yet to come"),
        ("month", "2026-12", "yet to come"),
        ("hour", "2026-11-18T1200Z", "yet to come: it begins at 2026-11-18 13:00"),
        ("hour", "2026-10-25T02", "comes twice in Europe/Paris; write 2026-10-25T0000Z or 2026-10-25T0100Z"),
        ("hour", "2026-03-29T02:30", "no 2026-03-29T02:30 in Europe/Paris"),
        ("hour", "2026-11-18", "not an hour; write one as 2026-11-12T0900Z"),
        ("hour", "2026-11-18T0930Z", "not an hour"),  # an hour of clocks that are half an hour off
        ("hour", "2026-11-18T25", "not an hour"),
        ("hour", "0001-01-01T00", "not an hour"),
        *(
            ("day", text, "not a day; write one as 2026-11-12")
            for text in (
                "",
                "yesterday",
                "2026-11",
                "2026-W46",
                "2026-02-29",
                "2026-11-00",
                "26-11-12",
                " 2026-11-12",
                "2026-11-12 ",
                "2026-11-12T10",
                "2026-11-12.fresh-20261112T100000Z",
                "9999-12-31",
                "0001-01-01",
                "2026-1-12",
                "\u0662\u0660\u0662\u0666-11-12",
                "../2026-11-12",
            )
        ),
        ("week", "2026-W54", "not a week; write one as 2026-W46"),
        ("week", "2026-W00", "not a week"),
        ("week", "2026-11", "not a week"),
        ("month", "2026-13", "not a month; write one as 2026-11"),
        ("month", "2026-00", "not a month"),
        ("month", "2026-02-30", "not a month"),
        ("month", "2026", "not a month"),
    ],
)
def test_what_is_no_slot_that_has_begun_is_refused_with_what_to_write(
    period: str, text: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        begun_by(period, text, now=NOW, zone=PARIS)


def test_a_day_that_a_zone_has_left_out_is_no_slot() -> None:
    with pytest.raises(ValueError, match="not a day"):
        begun_by("day", "2011-12-30", now=NOW, zone=ZoneInfo("Pacific/Apia"))


@pytest.mark.parametrize("name", CALENDAR)
def test_every_period_of_the_calendar_may_be_written_and_its_other_forms_may_not(name: str) -> None:
    assert wrong_with_period(name) is None
    for other in (name.capitalize(), f"{name}s", f"{name}ly", "daily", "quarter"):
        assert "hour, day, week and month" in (wrong_with_period(other) or "")
    assert is_calendar(name)
    assert not is_calendar(None)
    assert one_of(name) in {"an hour", f"a {name}"}
