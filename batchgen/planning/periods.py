"""Calendar periods: which slot a moment is in, and what a slot's name says of when it was. Pure.

Days, weeks and months are those of a zone's clocks: ``2026-11-12``, ``2026-W46``, ``2026-11``. An hour is
one of its clocks' too, named by when it began in UTC: ``2026-10-25T0030Z``. By the clocks' own time the hour
that comes twice in autumn would be one name, and with the offset behind it (``T02+0200``, then ``T02+0100``)
the later one would sort first; ``+`` and ``:`` are not safe in folders either. So the names of a period sort
as time goes, on every system, and read as the stamps of slots that were begun afresh do. The minutes are
there for zones whose clocks are half an hour off.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from batchgen.manifest.naming import CALENDAR

_HOUR_FORM = "%Y-%m-%dT%H%MZ"
_HOUR = re.compile(r"\d{4}-\d{2}-\d{2}T\d{4}Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_CLOCK_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_NOON = time(12)
_SECOND, _HOUR_LASTS = 1.0, 3600.0
_WRITE = {
    "hour": "2026-11-12T0900Z (in UTC), or 2026-11-12T10:00 for the hour that has this time",
    "day": "2026-11-12",
    "week": "2026-W46, or a day in it as 2026-11-12",
    "month": "2026-11, or a day in it as 2026-11-12",
}


def named(period: str, at: float, zone: tzinfo) -> str:
    """Return the name of the slot of a calendar period at a moment.

    Args:
        period: one of ``CALENDAR``.
        at: seconds since the epoch.
        zone: whose clocks are meant.
    """
    here = datetime.fromtimestamp(at, zone)
    match period:
        case "hour":
            past = timedelta(minutes=here.minute, seconds=here.second, microseconds=here.microsecond)
            return (here.astimezone(UTC) - past).strftime(_HOUR_FORM)
        case "day":
            return here.strftime("%Y-%m-%d")
        case "week":
            return here.strftime("%G-W%V")
        case _:
            return here.strftime("%Y-%m")


def span_of(slot: str, zone: tzinfo) -> tuple[float, float] | None:
    """Return from when until when a calendar slot lasts; None where its name is not one of a calendar.

    Returns:
        Seconds since the epoch: its first moment, and the first that is not in it. Where clocks are set by
        half an hour, one hour is half as long, and begins later than its name says.
    """
    try:
        if _HOUR.fullmatch(slot):
            began = datetime.fromisoformat(slot).timestamp()  # a year has 8,760 of them
            return began, began + _HOUR_LASTS
        days = _days_of(slot)
        return None if days is None else (_midnight(days[0], zone), _midnight(days[1], zone))
    except (ValueError, OverflowError):
        return None


def _days_of(slot: str) -> tuple[date, date] | None:
    """Return the first day of a slot, and the first after it."""
    if _DAY.fullmatch(slot):
        day = date.fromisoformat(slot)
        return day, day + timedelta(days=1)
    if week := _WEEK.fullmatch(slot):
        monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
        return monday, monday + timedelta(weeks=1)
    if month := _MONTH.fullmatch(slot):
        year, number = int(month[1]), int(month[2])
        return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
    return None


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()


def begun_by(period: str, text: str, *, now: float, zone: tzinfo) -> str:
    """Return the slot of a calendar period that a text means and that has begun by now.

    Args:
        period: one of ``CALENDAR``.
        text: the slot's name, or a day in the week or month, or a time in the hour, by the zone's clocks
            unless it says by which.
        now: seconds since the epoch.
        zone: of the manifest.

    Raises:
        ValueError: it means none, or one that is yet to come; says which, and how one is written.
    """
    slot = _meant(period, text, zone)
    span = None if slot is None else span_of(slot, zone)
    if slot is None or span is None:
        raise ValueError(f"{text!r} is not {one_of(period)}; write one as {_WRITE[period]}")
    if span[0] > now:
        begins = datetime.fromtimestamp(span[0], zone)
        raise ValueError(f"{slot!r} is yet to come: it begins at {begins:%Y-%m-%d %H:%M} ({zone})")
    return slot


def _meant(period: str, text: str, zone: tzinfo) -> str | None:
    """Return the slot that a text means; None where it means none, or more than one."""
    if period == "hour" and _CLOCK_TIME.fullmatch(text):
        return _hour_with(text, zone)
    try:
        if period in {"week", "month"} and _DAY.fullmatch(text):
            return named(period, datetime.combine(date.fromisoformat(text), _NOON, zone).timestamp(), zone)
        span = span_of(text, zone)
        # a name of another period is another slot then, and so is a day that a zone has left out
        ends = () if span is None else (span[0], span[1] - _SECOND)
        return text if any(named(period, at, zone) == text for at in ends) else None
    except (ValueError, OverflowError, OSError):
        return None


def _hour_with(text: str, zone: tzinfo) -> str | None:
    """Return the hour that has a time of a clock; None where it is no time.

    Raises:
        ValueError: there are two such hours, or none.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    moments = [read] if read.tzinfo else [read.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    try:
        times = [one.timestamp() for one in moments]
        there = [at for at in times if read.tzinfo or _shown(at, zone) == read]
        found = sorted({named("hour", at, zone) for at in there})
    except (ValueError, OverflowError, OSError):
        return None
    if not found:
        raise ValueError(f"there is no {text} in {zone}: its clocks are set forward past it")
    if len(found) > 1:
        raise ValueError(f"{text} comes twice in {zone}; write {' or '.join(found)}")
    return found[0]


def _shown(at: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def one_of(period: str) -> str:
    """Return one slot of a calendar period, for people: ``an hour``."""
    return f"an {period}" if period == "hour" else f"a {period}"


def is_calendar(period: str | None) -> bool:
    """Return whether slots of a period follow one another by themselves."""
    return period in CALENDAR
