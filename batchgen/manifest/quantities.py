"""Rates and durations as people write them: one grammar for the manifest and the command line.

Nothing here knows where the text stood; a caller adds the place.
"""

import math
import re
from decimal import Decimal

from batchgen.manifest.source.scalars import kind_of
from batchgen.model import NO_RATE, Json, Rate

MOST_UNITS = 10**9  # compute units: more is a mistake

_SECONDS = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "m": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}
_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"
_RATE = re.compile(rf"({_NUMBER})\s*/\s*({_NUMBER})?\s*(s|sec|second|min|minute|h|hour)", re.ASCII)
_STEP = re.compile(rf"({_NUMBER})\s*(ms|s|min|m|h|d)\s*", re.ASCII)
_BARE = re.compile(_NUMBER, re.ASCII)


def parse_rate(text: str) -> Rate:
    """Read a rate such as ``100/min``, ``5/s``, ``6000/h`` or ``10/30s``, or ``none``.

    Raises:
        ValueError: with a message for people that names the accepted forms.
    """
    if text.strip() == str(NO_RATE):
        return NO_RATE
    found = _RATE.fullmatch(text.strip())
    rate = (
        Rate(count=float(found[1]), seconds=float(found[2] or 1) * _SECONDS[found[3]])
        if found is not None
        else None
    )
    if rate is None or not rate.count or not rate.seconds:
        raise ValueError(
            f'expected a rate such as "100/min", "5/s" or "6000/h", or none, not {_quoted(text)}'
        )
    return rate


def parse_duration(text: str) -> float:
    """Read a duration such as ``45m``, ``90s``, ``2h``, ``1h30m`` or bare seconds, as seconds.

    Zero is a duration; whether it makes sense is for the caller to say.

    Raises:
        ValueError: with a message for people that names the accepted forms.
    """
    trimmed = text.strip()
    if _BARE.fullmatch(trimmed):
        return float(trimmed)
    total, end = 0.0, 0
    while found := _STEP.match(trimmed, end):
        total, end = total + float(found[1]) * _SECONDS[found[2]], found.end()
    if not trimmed or end != len(trimmed):
        raise ValueError(
            f'expected a duration such as "45m", "90s", "2h", "1h30m" or a number of seconds, '
            f"not {_quoted(text)}"
        )
    assert math.isfinite(total)  # the grammar bounds the digits, and the text the steps
    return total


def _quoted(text: str) -> str:
    shown = text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - a line of a terminal
    return f'"{shown}"'


def read_rate(value: Json) -> Rate:
    """Return the rate that a value of the manifest is.

    Raises:
        ValueError: it is none, in words for people.
    """
    if isinstance(value, str):
        return parse_rate(value)
    shown = f"{value}/min" if type(value) in (int, float) else "100/min"
    raise ValueError(f'expected a rate with its unit, such as "{shown}", or none, not {kind_of(value)}')


def read_duration(value: Json) -> float:
    """Return the seconds that a duration of the manifest is: a number, or a text with units.

    Raises:
        ValueError: it is none, in words for people.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f'expected a duration such as "45m", not {kind_of(value)}')  # noqa: TRY004 - pydantic takes a ValueError
    seconds = parse_duration(value) if isinstance(value, str) else float(value)
    if not 0 < seconds < float("inf"):
        raise ValueError("expected a duration above zero")
    return seconds


def read_amount(value: Json) -> Decimal:
    """Return the compute units that a value of the manifest is.

    Raises:
        ValueError: it is none, in words for people.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected compute units, such as 1500 or 7.25, not {kind_of(value)}")  # noqa: TRY004 - pydantic takes a ValueError
    if not 0 <= value < MOST_UNITS:
        raise ValueError("expected compute units from 0")
    return Decimal(str(value))


def read_estimate(value: Json) -> Decimal:
    """Return the compute units, more than 0, that a value of the manifest is.

    Raises:
        ValueError: it is none, in words for people.
    """
    if not read_amount(value):
        raise ValueError("expected compute units above 0: what a job may cost whose price is not known")
    return read_amount(value)
