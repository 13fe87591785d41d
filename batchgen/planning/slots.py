"""Slots: one run's worth of a batch that repeats, by the calendar or by a person's word. Pure.

A slot is part of who a job is: the same prompt is bought once in each. Its name says when it
began, so that nothing but the name has to be kept. Time and zone are passed in. Where the results of a
slot lie is said here, too.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, tzinfo

from batchgen.filenames import is_device

FOLDER = "slots"  # in the batch's folder: one folder a slot

_FRESH = "fresh-"
_STAMP = "%Y%m%dT%H%M%SZ"
_DAY_SLOT = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEK_SLOT = re.compile(r"(\d{4})-W(\d{2})")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


def slot_at(period: str | None, now: float, zone: tzinfo) -> str:
    """Name the slot of a period at a moment; empty for a batch that does not repeat.

    Args:
        period: ``day``, ``week`` or a name of its own.
        now: seconds since the epoch; read once, when a run starts.
        zone: where a day begins.
    """
    here = datetime.fromtimestamp(now, zone)
    match period:
        case None:
            return ""
        case "day":
            return here.strftime("%Y-%m-%d")
        case "week":
            return here.strftime("%G-W%V")
        case name:
            return name


def fresh_slot(period_slot: str, now: float) -> str:
    """Name a slot that begins now, within a period's where there is one."""
    stamp = _FRESH + datetime.fromtimestamp(now, UTC).strftime(_STAMP)
    return f"{period_slot}.{stamp}" if period_slot else stamp


def latest_slot(period_slot: str, known: Sequence[str]) -> str:
    """Return the slot that a run goes on with: the last one begun afresh, else the period's own.

    Args:
        period_slot: as ``slot_at`` names it.
        known: the batch's slots, oldest first.
    """
    return next((one for one in reversed(known) if _is_fresh(one, period_slot)), period_slot)


def _is_fresh(slot: str, period_slot: str) -> bool:
    prefix = f"{period_slot}.{_FRESH}" if period_slot else _FRESH
    return slot.startswith(prefix)


def began_at(slot: str, zone: tzinfo) -> float | None:
    """Say when a slot began, seconds since the epoch; None where its name does not tell."""
    name = slot.rpartition(".")[2]
    if name.startswith(_FRESH):
        return _fresh_since(name.removeprefix(_FRESH))
    return _calendar_since(slot, zone)


def _fresh_since(stamp: str) -> float | None:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _calendar_since(slot: str, zone: tzinfo) -> float | None:
    week = _WEEK_SLOT.fullmatch(slot)
    try:
        if week:
            monday = datetime.fromisocalendar(int(week[1]), int(week[2]), 1).date()
            return datetime.combine(monday, time(), zone).timestamp()
        if _DAY_SLOT.fullmatch(slot):
            return datetime.combine(datetime.fromisoformat(slot).date(), time(), zone).timestamp()
    except ValueError:
        return None
    return None


def home_of(slot: str, known: Sequence[str]) -> str:
    """Return the folder of a slot's results, relative to the batch's, with forward slashes.

    It is empty for what has no slot. Two slots never share a folder, also where the file system does not
    tell upper from lower case: the one begun later gets a digest behind its name.

    Args:
        slot: its name.
        known: the batch's slots, oldest first.
    """
    if not slot:
        return ""
    plain, alone = homes_of(slot)
    earlier = known[: known.index(slot)] if slot in known else known
    return alone if any(one.casefold() == slot.casefold() for one in earlier) else plain


def homes_of(slot: str) -> tuple[str, str]:
    """Return where a slot's results lie unless another slot is there, and where they lie then.

    A name that is not safe as a folder on every system, which no period has but journals and files may tell
    of, never stands alone.
    """
    digest = hashlib.sha256(slot.encode("utf-8", "backslashreplace")).hexdigest()[:6]
    stem = _UNSAFE.sub("-", slot).strip("-.")[:90] or "slot"
    alone = f"{FOLDER}/{stem}~{digest}"
    is_safe = _SAFE.fullmatch(slot) and not slot.endswith(".") and not is_device(slot)
    return (f"{FOLDER}/{slot}" if is_safe else alone), alone


def seen_from(home: str, path: str) -> str:
    """Return a path of the batch's folder relative to a slot's.

    Args:
        home: see ``home_of``.
        path: relative to the batch's folder, with forward slashes.
    """
    if not home:
        return path
    inside = path.removeprefix(f"{home}/")
    return inside if inside != path else "../" * (home.count("/") + 1) + path
