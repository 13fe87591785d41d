"""The times of a crontab's line, read as Debian's cron reads them. Pure.

cronsim reads the fields; what it takes beyond cron (``L``, ``#``, seconds) is refused here, and a fault is
told with its column. source: crontab(5)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from cronsim import CronSim, CronSimError

from batchgen.errors import InputError

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = (
    ("a minute", "0 to 59"),
    ("an hour", "0 to 23"),
    ("a day of the month", "1 to 31"),
    ("a month", "1 to 12 or jan to dec"),
    ("a day of the week", "0 to 7 (0 and 7 are Sunday) or sun to sat"),
)
_WEEKDAY = 4
_ORDER = "minute, hour, day of the month, month, day of the week"
_TERM = re.compile(r"(?:\*|(?:\d+|[A-Za-z]{3})(?:-(?:\d+|[A-Za-z]{3}))?)(?:/\d+)?", re.ASCII)
_SINGLE_STEP = re.compile(r"(\d+|[A-Za-z]{3})/(\d+)", re.ASCII)
_BACKWARDS = re.compile(r"(\d+)-(\d+)(?:/\d+)?", re.ASCII)
_TO_SUNDAY = re.compile(r"-sun\b", re.IGNORECASE)  # a week ends with Sunday, too
_LAST = {0: 59, 1: 23, 2: 31, 3: 12, 4: 6}
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR = 366  # days


@dataclass(frozen=True, slots=True)
class CronTimes:
    """When a line of a crontab is due.

    Attributes:
        text: its five fields, one space between them; names such as ``@daily`` are spelt out.
        minutes, hours, days, months: what each field lets through.
        weekdays: the same; 0 is Sunday.
        either_day: whether the day of the month or that of the week is enough: so cron reads a line
            that restricts both. Where one of the two begins with a star, both have to fit.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def is_due_on(self, day: date) -> bool:
        """Return whether it is due on a day at all."""
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        fits = by_date or by_weekday if self.either_day else by_date and by_weekday
        return fits and day.month in self.months

    def after(self, moment: datetime) -> datetime:
        """Return when it is due for the first time after a moment, which says in which zone.

        A time that a clock leaves out, or shows twice, is due once, as Debian's cron has it.
        """
        return next(CronSim(self.text, moment))

    def skipped(self, zone: tzinfo, since: date) -> Iterator[datetime]:
        """Return when, in the year from a day on, it is due at a time that a clock of the zone leaves out."""
        for day in (since + timedelta(days=one) for one in range(_YEAR)):
            midnights = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in (day, day + _DAY))
            if len({one.utcoffset() for one in midnights}) == 1 or not self.is_due_on(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    if due.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != due.replace(tzinfo=None):
                        yield due.replace(tzinfo=None)


_DAY = timedelta(days=1)


def read_cron(text: str) -> CronTimes:
    """Read the five fields of cron, or one of its names such as ``@daily``.

    Raises:
        InputError: says at which column what is wrong, and what to write.
    """
    words = [(one.start(), one.group()) for one in re.finditer(r"\S+", text)]
    if len(words) == 1 and words[0][1].startswith("@"):
        return _named(text, words[0][1])
    if len(words) != len(_FIELDS):
        _refuse_count(text, words)
    for index, (start, field) in enumerate(words):
        at = start
        for term in field.split(","):
            if why := _wrong_with(index, term):
                raise _fault(text, at, why)
            at += len(term) + 1
    fields = [field for _, field in words]
    fields[_WEEKDAY] = _TO_SUNDAY.sub("-7", fields[_WEEKDAY])
    try:
        return _times(" ".join(fields))
    except CronSimError:
        raise _fault(text, words[2][0], f'no month that is meant has a day "{fields[2]}"') from None


def _named(text: str, name: str) -> CronTimes:
    if name.lower() in _NAMED:
        return _times(_NAMED[name.lower()])
    if name.lower() == "@reboot":
        raise _fault(text, text.index(name), "@reboot is no time: write when, such as @daily or 0 3 * * *")
    known = ", ".join(_NAMED)
    raise _fault(text, text.index(name), f'cron knows no "{name}": write one of {known}, or five fields')


def _times(text: str) -> CronTimes:
    read = CronSim(text, _EPOCH)
    return CronTimes(
        text=text,
        minutes=frozenset(read.minutes),
        hours=frozenset(read.hours),
        days=frozenset(read.days),
        months=frozenset(read.months),
        weekdays=frozenset(one % 7 for one in read.weekdays if isinstance(one, int)),
        either_day=not read.day_and,
    )


def _refuse_count(text: str, words: list[tuple[int, str]]) -> None:
    most = len(_FIELDS)
    if len(words) < most:
        missing = ", ".join(name.partition(" ")[2] for name, _ in _FIELDS[len(words) :])
        raise _fault(text, len(text), f"missing: {missing}. The five fields are {_ORDER}")
    raise _fault(
        text,
        words[most][0],
        f"cron has five fields ({_ORDER}), no seconds and no years; here are {len(words)}",
    )


def _wrong_with(index: int, term: str) -> str | None:
    """Return what is wrong with one term of a field, None where cron takes it."""
    name, values = _FIELDS[index]
    if not term:
        return f"{name} is missing: a comma stands between two values"
    if single := _SINGLE_STEP.fullmatch(term):
        start, step = single.groups()
        return f'"{term}": cron takes a step of a range only; write {start}-{_LAST[index]}/{step}'
    if not _TERM.fullmatch(term):
        return f'"{term}" is not of cron: {_hint(term)}; {name} is {values}'
    way_back = _BACKWARDS.fullmatch(term)
    if way_back and int(way_back[1]) > int(way_back[2]):
        return f'"{term}" runs backwards: write two ranges with a comma between them'
    fields = ["*"] * len(_FIELDS)
    fields[index] = _TO_SUNDAY.sub("-7", term) if index == _WEEKDAY else term
    try:
        CronSim(" ".join(fields), _EPOCH)
    except CronSimError:
        step = term.partition("/")[2]
        return f'"{term}": a step begins at 1' if step and not int(step) else f'"{term}": {name} is {values}'
    return None


def _hint(term: str) -> str:
    if "?" in term:
        return "write * for any"
    if "~" in term or term.upper().startswith("H"):
        return "it knows no random times"
    if {"L", "W", "#"} & set(term.upper()):
        return "it knows no last days, working days or n-th weekdays"
    return "write a value, a list 1,3, a range 1-5, a step */2, or *"


def _fault(text: str, at: int, why: str) -> InputError:
    told = f'--at "{text}", column {at + 1}: {why}'
    return InputError("".join(one if one.isprintable() else "?" for one in told))  # the columns stay
