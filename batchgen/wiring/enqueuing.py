"""What a person agrees to when a batch is enqueued, as text that a worker on another host reads again.

The manifest's text goes along; files that it names do not, and credentials never do: a worker has its own.
"""

import getpass
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from batchgen.errors import InputError
from batchgen.journal.enqueued import Enqueued, Wish
from batchgen.manifest.values import Manifest
from batchgen.model import JobKey, Rate
from batchgen.plain_files import FileFaultError, read_bytes
from batchgen.schedulers.cron_times import read_cron
from batchgen.wiring.journals import Journals
from batchgen.wiring.options import Allow, Options, project_of

MOST_TEXT = 8 << 20  # bytes of a manifest that goes along; a table beside it may have more


def wish_of(options: Options, manifest: Manifest, *, queue: str, every: str, now: float) -> Wish:
    """Return what is asked of the workers.

    Args:
        options: which batch, and what was agreed.
        manifest: as it is now.
        queue: whose workers are to lead it.
        every: the times at which it is asked for once more; empty for never.
        now: seconds since the epoch, by the journal's clock.

    Raises:
        InputError: the manifest is too large, or its times are none.
    """
    times = _times(every) if every else ""
    wish = Wish(
        batch=manifest.batch,
        queue=queue,
        manifest=os.path.normpath(options.manifest.absolute()),
        text=_text(options),
        settings=_written(options, manifest),
        asked_by=_who(),
        every=times,
        zone=manifest.tz,
    )
    return replace(wish, due=following(wish, now)) if times else wish


def following(wish: Wish, now: float) -> float:
    """Return when a batch with times is due next, seconds since the epoch.

    Raises:
        InputError: its times are none, or this machine does not know its zone.
    """
    try:
        zone = ZoneInfo(wish.zone)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"{wish.batch}: this machine does not know the zone {wish.zone!r}") from error
    moment = datetime.fromtimestamp(now, UTC).astimezone(zone)
    return read_cron(wish.every).after(moment).timestamp()


def options_of(one: Enqueued, base: Options) -> Options:
    """Return the options of a run that a worker leads.

    Args:
        one: what is asked.
        base: the worker's own: its output folder, its environment and its clock.
    """
    said: dict[str, Any] = json.loads(one.settings)
    rate, budget, shown = said["rate"], said["budget"], said["shown"]
    return replace(
        base,
        manifest=Path(one.manifest),
        text=one.text,
        project=said["project"],
        period=said["period"],
        slot=said["slot"],
        rate=None if rate is None else Rate(count=rate[0], seconds=rate[1]),
        in_flight=said["in_flight"],
        budget=None if budget is None else Decimal(budget),
        most_failures=said["most_failures"],
        max_jobs=said["max_jobs"],
        allow=frozenset(map(Allow, said["allow"])),
        unattended=said["unattended"],
        shown=None if shown is None else frozenset(JobKey(*key) for key in shown),
        journals=Journals(),  # a store has the leases of one run
    )


def _written(options: Options, manifest: Manifest) -> str:
    """Return what was agreed; a project of the environment is written out: a worker has another one."""
    shown = options.shown
    project = None if manifest.project and not options.project else project_of(options, None)
    return json.dumps(
        {
            "project": project or None,
            "period": options.period,
            "slot": options.slot,
            "rate": None if options.rate is None else [options.rate.count, options.rate.seconds],
            "in_flight": options.in_flight,
            "budget": None if options.budget is None else str(options.budget),
            "most_failures": options.most_failures,
            "max_jobs": options.max_jobs,
            "allow": sorted(options.allow),
            "unattended": options.unattended,
            "shown": None if shown is None else sorted(map(list, shown)),
        }
    )


def _times(every: str) -> str:
    try:
        return read_cron(every).text
    except InputError as error:
        raise InputError(str(error).replace("--at", "--every", 1)) from error


def _text(options: Options) -> bytes:
    try:
        text = read_bytes(options.manifest) if options.text is None else options.text
    except FileFaultError as fault:
        raise InputError(str(fault)) from fault
    if len(text) > MOST_TEXT:
        raise InputError(
            f"{options.manifest}: {len(text)} bytes, and {MOST_TEXT} are the most in the queue: put "
            "rows into a table beside it, where the workers find it at the same path"
        )
    return text


def _who() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an id without a name
        name = str(os.getuid())
    return f"{name} on {os.uname().nodename}"
