"""Dates as the service writes them: ISO 8601, UTC, in milliseconds."""

from datetime import UTC, datetime
from email.utils import format_datetime


def written(moment: float) -> str:
    """Write seconds since the epoch as a date."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def read(text: str) -> float:
    """Read a date as seconds since the epoch; UTC where it names no zone.

    Raises:
        ValueError: it is no date.
    """
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except OverflowError as exc:
        raise ValueError(f"{text!r} is no date of this time") from exc


def header(moment: float) -> str:
    """Write seconds since the epoch as HTTP's ``Date`` does, in whole seconds."""
    return format_datetime(datetime.fromtimestamp(int(moment), UTC), usegmt=True)
