"""Which slot a run begins that was named and is not on record: one of a calendar period that was missed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo

from batchgen.errors import InputError
from batchgen.formats import counted
from batchgen.manifest.naming import CALENDAR
from batchgen.manifest.values import Manifest
from batchgen.planning.periods import begun_by, is_calendar
from batchgen.wiring.options import Options

_MOST_TOLD = 10  # slots that are named: one an hour makes 8,760 a year


def slot_to_begin(
    options: Options, manifest: Manifest, known: Sequence[str], *, now: float, zone: tzinfo
) -> str:
    """Return the slot that was named, where it may be begun.

    Args:
        options: which slot, of which period, and whether one may be begun.
        manifest: with the period, where the options say none.
        known: the batch's slots, of which it is none.
        now: seconds since the epoch.
        zone: where a day begins.

    Raises:
        InputError: it may not; says what is wrong with its name, and what slots there are.
    """
    period, slot = options.period or manifest.period, options.slot or ""
    why = f"batch {manifest.batch!r} has no slot {slot!r}"
    if period is not None and is_calendar(period):
        try:
            found = begun_by(period, slot, now=now, zone=zone)
        except ValueError as error:
            why = f"{why}, and {error}"
        else:
            if options.begins_missed:
                return found
            why = f"{why}; `{options.command_line('run')}` begins one that was missed"
    elif options.begins_missed:
        periods = ", ".join(CALENDAR)
        why = f"{why}; one that was missed is begun with a calendar period, --period or `period:` ({periods})"
    raise InputError(f"{why}; there are: {_shown(known)}")


def _shown(known: Sequence[str]) -> str:
    """Return the slots that there are, for people; of many, those begun last."""
    last = ", ".join(map(repr, known[-_MOST_TOLD:])) or "none"
    more = len(known) - _MOST_TOLD
    return f"{last}, and {counted(more, 'slot')} before" if more > 0 else last


def may_begin(options: Options) -> Options:
    """Return the options of a run: it begins a slot that was missed if it may buy what was never bought."""
    buys = options.limit != 0
    return replace(options, begins_missed=buys and not (options.redo or options.retry))
