"""Rates and durations as people write them: one grammar for the manifest and the command line.

Nothing here knows where the text stood; a caller adds the place.
"""

import math
import re

from batchgen.model import NO_RATE, Rate

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
