"""Slots: a day is bought once however often cron fires, and a fresh one is the one that goes on."""

import posixpath
import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.filenames import is_device
from batchgen.manifest.naming import CALENDAR, wrong_with_period
from batchgen.planning.slots import (
    began_at,
    fresh_slot,
    has_later,
    home_of,
    homes_of,
    lately_begun,
    latest_slot,
    seen_from,
    slot_at,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
PARIS = ZoneInfo("Europe/Paris")

moments = st.floats(0, 4_000_000_000)
periods = st.sampled_from([None, *CALENDAR, "spring"])


@pytest.mark.parametrize(
    ("period", "slot"),
    [
        (None, ""),
        ("hour", "2026-11-23T1200Z"),
        ("day", "2026-11-23"),
        ("week", "2026-W48"),
        ("month", "2026-11"),
        ("launch", "launch"),
    ],
)
def test_a_period_names_its_slot(period: str | None, slot: str) -> None:
    assert slot_at(period, NOON, UTC) == slot


def test_a_day_begins_where_the_manifest_says() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp()
    assert slot_at("day", late, UTC) == "2026-11-23"
    assert slot_at("day", late, PARIS) == "2026-11-24"


def test_a_week_around_new_year_is_the_iso_one() -> None:
    assert slot_at("week", datetime(2027, 1, 1, tzinfo=UTC).timestamp(), UTC) == "2026-W53"


@given(moments)
def test_two_moments_of_a_day_share_a_slot_and_it_began_before_both(at: float) -> None:
    slot = slot_at("day", at, PARIS)
    began = began_at(slot, PARIS)
    assert began is not None
    assert began <= at < began + 25 * 3600
    assert slot_at("day", began, PARIS) == slot


@given(moments, periods)
def test_a_fresh_slot_is_the_one_that_a_run_goes_on_with(at: float, period: str | None) -> None:
    due = slot_at(period, at, UTC)
    fresh = fresh_slot(due, at)
    assert latest_slot(due, [due, fresh]) == fresh
    assert began_at(fresh, UTC) == pytest.approx(at, abs=1.0)


def test_the_last_fresh_slot_counts_and_those_of_other_days_do_not() -> None:
    monday, tuesday = "2026-11-23", "2026-11-24"
    first, second = fresh_slot(monday, NOON), fresh_slot(monday, NOON + 60)
    assert latest_slot(monday, ["", monday, first, second]) == second
    assert latest_slot(tuesday, ["", monday, first, second]) == tuesday
    assert latest_slot("", ["", monday, first]) == ""


def test_a_name_has_no_beginning_and_no_period_can_pass_for_a_fresh_slot() -> None:
    assert began_at("launch", UTC) is None
    assert began_at("", UTC) is None
    assert began_at("2026-99-99", UTC) is None
    assert wrong_with_period("fresh-20261123T120000Z")


def test_a_week_begins_on_its_monday() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert began_at("2026-W48", tokyo) == datetime(2026, 11, 23, tzinfo=tokyo).timestamp()


@given(st.sampled_from(CALENDAR), st.lists(st.integers(0, 60), unique=True, min_size=1), st.data())
def test_in_whatever_order_the_slots_of_a_period_begin_the_last_one_by_the_calendar_is_the_latest(
    period: str, steps: list[int], data: st.DataObject
) -> None:
    """Hours, days, weeks and months; some begun afresh, among slots of names of one's own before them."""
    own = [slot_at(period, NOON + step * 31 * 86_400.0, PARIS) for step in steps]
    fresh = data.draw(st.sets(st.sampled_from(own)))
    own = [f"{one}.fresh-{_within(one)}" if one in fresh else one for one in own]
    known = ["", "launch", *own]
    latest = max(own)
    for one in own:
        assert has_later(one, known, PARIS) is (one != latest)
        assert has_later(one, [other for other in known if other != one], PARIS) is (one != latest)
        assert lately_begun(known, PARIS, count=1)[:2] == list(dict.fromkeys([own[-1], latest]))
    assert has_later("launch", known, PARIS)


def _within(slot: str) -> str:
    began = began_at(slot, PARIS)
    assert began is not None
    return f"{datetime.fromtimestamp(began + 60, UTC):%Y%m%dT%H%M%SZ}"


@pytest.mark.parametrize(
    ("slot", "known", "is_past"),
    [
        ("2026-11-12", ["2026-11-13", "launch"], True),
        ("launch", ["2026-11-13", "launch", "2026-11-12"], True),  # no more is known than that it came before
        ("2026-11-12", ["launch"], False),
        ("2026-11-13", ["2026-11-11", "2026-W47"], True),  # a week begins later: the batch went on by weeks
        ("2026-W46", ["2026-11-11", "2026-W46"], False),  # a day in it, begun before it
        ("2026-11-11", ["2026-11-11", "2026-W46"], True),
        ("2026-11", ["2026-11-30", "2026-11"], False),
        ("2026-11-23", ["2026-11-23", "2026-11-23.fresh-20261123T120000Z"], True),
        ("2026-11-23.fresh-20261123T120000Z", ["2026-11-23", "2026-11-23.fresh-20261123T120000Z"], False),
        ("", [], False),
        ("", ["", "2026-11-23"], True),
    ],
)
def test_where_names_do_not_tell_the_slot_that_was_begun_last_is_the_latest(
    slot: str, known: list[str], *, is_past: bool
) -> None:
    assert has_later(slot, known, UTC) is is_past


slots = st.text(min_size=1) | st.sampled_from(
    ["launch", "Launch", "LAUNCH", "con", "aux", "2026-W48", "a.b", "../up"]
)


@given(st.lists(slots, unique=True))
def test_no_two_slots_share_a_folder_and_each_is_safe_on_every_system(known: list[str]) -> None:
    homes = [home_of(one, known) for one in known]
    assert len({one.casefold() for one in homes}) == len(known)
    for home in homes:
        within, _, name = home.partition("/")
        assert within == "slots"
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._~-]{0,110}", name), name
        assert not is_device(name)
        assert not name.endswith(".")


@given(st.lists(slots, unique=True), slots)
def test_a_slot_has_its_folder_before_it_is_on_record_and_keeps_it(known: list[str], later: str) -> None:
    for at, one in enumerate(known):
        assert home_of(one, known[:at]) == home_of(one, known[: at + 1]) == home_of(one, known)
        assert home_of(one, [*known, later]) == home_of(one, known)
        assert home_of(one, known) in homes_of(one)


@pytest.mark.parametrize(
    "slot",
    ["2026-11-23", "2026-W48", "2026-11", "2026-11-23T1200Z", "launch", "Launch", "fresh-20261123T120000Z"],
)
def test_a_folder_has_the_name_of_its_slot(slot: str) -> None:
    assert home_of(slot, ["another", slot]) == f"slots/{slot}"


def test_what_has_no_slot_lies_in_the_batchs_folder() -> None:
    assert home_of("", ["launch", ""]) == ""
    assert seen_from("", "assets/a.png") == "assets/a.png"


@given(
    st.sampled_from(["slots/monday", "slots/a.b"]),
    st.sampled_from(["assets/a", "slots/monday/assets/a", "slots/b/a"]),
)
def test_a_path_that_is_seen_from_a_slot_leads_to_the_same_file(home: str, path: str) -> None:
    seen = seen_from(home, path)
    assert posixpath.normpath(posixpath.join(home, seen)) == path
    assert seen.startswith("../") is not path.startswith(f"{home}/")
