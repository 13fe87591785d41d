"""Slots: one run's worth of a batch that repeats, by the calendar or by a person's word. Pure.

A slot is part of who a job is: the same prompt is bought once in each. Its name says when it
began, so that nothing but the name has to be kept. Time and zone are passed in. Where the results of a
slot lie is said here, too.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from batchgen.filenames import is_device
from batchgen.planning.periods import is_calendar, named, span_of

FOLDER = "slots"  # in the batch's folder: one folder a slot

_FRESH = "fresh-"
_STAMP = "%Y%m%dT%H%M%SZ"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


def slot_at(period: str | None, now: float, zone: tzinfo) -> str:
    """Name the slot of a period at a moment; empty for a batch that does not repeat.

    Args:
        period: ``hour``, ``day``, ``week``, ``month`` or a name of its own.
        now: seconds since the epoch; read once, when a run starts.
        zone: where a day begins.
    """
    if period is None:
        return ""
    return named(period, now, zone) if is_calendar(period) else period


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
    span = _span(slot, zone)
    return None if span is None else span[0]


def _span(slot: str, zone: tzinfo) -> tuple[float, float] | None:
    """Return when a slot begins and ends; of one that was begun afresh, the second in which it was."""
    name = slot.rpartition(".")[2]
    if not name.startswith(_FRESH):
        return span_of(slot, zone)
    try:
        at = datetime.strptime(name.removeprefix(_FRESH), _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return at, at + 1.0


def has_later(slot: str, known: Sequence[str], zone: tzinfo) -> bool:
    """Return whether a later slot than this one has begun.

    A slot that was missed may be begun after later ones: names tell, and only where they do not (names of
    one's own, a day in a month) does the order in which slots were begun.

    Args:
        slot: which; where it has not begun, it would be the last.
        known: the batch's slots, those begun first first.
        zone: where a day begins.
    """
    place = known.index(slot) if slot in known else len(known)
    own = _span(slot, zone)
    return any(
        at > place if later is None else later
        for at, one in enumerate(known)
        if one != slot
        for later in [_is_later(_span(one, zone), own)]
    )


def _is_later(first: tuple[float, float] | None, second: tuple[float, float] | None) -> bool | None:
    """Return whether a slot is later than another by when they last; None where that does not tell."""
    if first is None or second is None or first[0] == second[0]:
        return None
    overlap = max(first[0], second[0]) < min(first[1], second[1])  # as a day and its month do
    return None if overlap else first[0] > second[0]


def lately_begun(known: Sequence[str], zone: tzinfo, *, count: int) -> list[str]:
    """Return the slots that were begun last, and then those that are the latest by their names.

    Where many were made up for, the last night is not among those begun last.

    Args:
        known: those begun first first.
        zone: where a day begins.
        count: how many of each at most.
    """
    timed = [(began, slot) for slot in known if (began := began_at(slot, zone)) is not None]
    latest = [slot for _, slot in sorted(timed, reverse=True)[:count]]
    return list(dict.fromkeys((*known[: -count - 1 : -1], *latest)))


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
