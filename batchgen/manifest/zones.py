"""Time zones by their IANA names; ``UTC`` is known on every machine."""

from zoneinfo import ZoneInfo, available_timezones

from batchgen.manifest.source.problems import meant


def wrong_with_zone(name: str) -> str | None:
    """Return why a text names no time zone, None where it does."""
    if name == "UTC":
        return None
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a path, a folder of zones, no such zone
        known = available_timezones()
        return f'"{name[:60]}" is not a time zone{meant(name, known) or "; one looks like Europe/Paris"}'
    return None
