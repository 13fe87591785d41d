"""How values are written, for people and in JSON: amounts, counts, times and foreign text."""

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

_LONGEST = 300  # characters of a text that is not ours


def units(amount: Decimal) -> str:
    """Return compute units as people write them: exact, and without zeros that say nothing."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(amount: Decimal | None) -> int | float | None:
    """Return compute units as JSON has them: 7 and 7.25, never 7.249999999999999.

    The shortest text that reads back as the same float is the decimal's own, up to 15 digits;
    sums are made before this, in decimals.
    """
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: 1 job, 2 jobs."""
    return f"{count} {noun}{'s' * (count != 1)}"


def not_told(charges: int) -> str:
    """Return how many charges nobody has told; what is not told is not nought."""
    return f"{counted(charges, 'charge')} not told"


def moment(at: float | None) -> str | None:
    """Return a time as ISO 8601, UTC, in milliseconds.

    Args:
        at: seconds since the epoch; None gives None.
    """
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(at: float) -> str:
    """Return a time for people, in seconds: ISO 8601, UTC as everywhere."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: float) -> str:
    """Return a duration as a person would say it: 45 s, 12 min, 3 h 5 min."""
    if seconds < 90:  # noqa: PLR2004 - up to here seconds are easier
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - an hour


def clean(text: str, longest: int = _LONGEST) -> str:
    """Return foreign text as one harmless line: no control, no direction mark, not endless."""
    line = " ".join(text.split())
    plain = "".join(
        one for one in line[: 4 * longest] if unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co"}
    )
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def harmless(text: str, *, on_one_line: bool = False) -> str:
    """Return a text that cannot move a terminal or turn a line around: what would is written as an escape.

    Args:
        text: whosever it is; ends of lines and tabs in it stay.
        on_one_line: make an end of a line an escape, too.
    """
    if on_one_line:
        text = text.replace("\n", "\\n")
    if text.isprintable():
        return text
    return "".join(one if one in "\n\t" or not _acts(one) else _escape(one) for one in text)


_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _acts(one: str) -> bool:
    return one in _DIRECTIONS or unicodedata.category(one) in {"Cc", "Zl", "Zp"}


def _escape(one: str) -> str:
    return f"\\x{ord(one):02x}" if ord(one) < 0x100 else f"\\u{ord(one):04x}"  # noqa: PLR2004 - one byte
