"""What installs a batch to run by itself, written out when its manifest, its times and its caps allow it."""

import getpass
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from batchgen.errors import InputError
from batchgen.formats import number
from batchgen.manifest.values import Manifest
from batchgen.planning.periods import is_calendar, one_of
from batchgen.redaction import without_password
from batchgen.schedulers.cron_times import CronTimes, read_cron
from batchgen.schedulers.crontab import crontab
from batchgen.schedulers.kubernetes import manifests
from batchgen.schedulers.nightly import Nightly
from batchgen.schedulers.quoting import writable
from batchgen.schedulers.systemd import units
from batchgen.wiring.journals import JOURNAL_NAME
from batchgen.wiring.options import Options, project_of
from batchgen.wiring.places import refuse_another_folder
from batchgen.wiring.reading import manifest_of

_SET_HERE = (JOURNAL_NAME, "SCENARIO_BASE_URL", "HTTPS_PROXY", "https_proxy", "ALL_PROXY")
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_USUAL_JOBS = 100_000  # the command line's own cap


class Scheduler(StrEnum):
    """Who is to start the runs."""

    CRONTAB = "crontab"
    SYSTEMD = "systemd"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """What is wished for.

    Attributes:
        at: five fields of cron.
        scheduler: who is to start the runs.
        agreed: buy at whatever it costs.
        drain: whole seconds that a run may collect after it is told to stop.
        most_seconds: after which a run buys no more; None for as long as it takes.
        wait: seconds for which a run waits for the one before it; None for what suits its times.
        most_failures: as ``run --max-failures`` takes it; empty for none.
        image: of a container, for Kubernetes.
    """

    at: str
    scheduler: Scheduler
    agreed: bool
    drain: int
    most_seconds: int | None = None
    wait: int | None = None
    most_failures: str
    image: str


def install_texts(options: Options, wanted: Schedule) -> Mapping[str, str]:
    """Return the files that install a batch, by name: each says in its comments what to do with it.

    Args:
        options: which manifest, where, and what a run is to be given.
        wanted: when and by whom it is run.

    Raises:
        InputError: times, manifest or caps are not such that a run by night would do what is meant.
    """
    times = read_cron(wanted.at)
    manifest = manifest_of(options)
    if not options.server:  # a text is written without asking anybody
        refuse_another_folder(options, manifest.batch)
    nightly = _nightly(options, wanted, manifest, times)
    match wanted.scheduler:
        case Scheduler.CRONTAB:
            return {f"{nightly.name}.crontab": crontab(nightly)}
        case Scheduler.SYSTEMD:
            return units(nightly)
        case Scheduler.KUBERNETES:
            return {f"{nightly.name}.yaml": manifests(nightly, wanted.image)}


def _nightly(options: Options, wanted: Schedule, manifest: Manifest, times: CronTimes) -> Nightly:
    period = _period(options, manifest)
    _refuse_without_a_cap(options, wanted, manifest)
    path = options.manifest.absolute()
    return Nightly(
        batch=manifest.batch,
        times=times,
        zone=manifest.tz,
        command=[writable(one) for one in _command()],
        manifest=writable(os.path.normpath(path)),
        folder=writable(os.path.normpath(path.parent)),
        output=writable(os.path.normpath(options.output.absolute())),
        words=list(_words(options, wanted, manifest)),
        drain=wanted.drain,
        most_seconds=wanted.most_seconds,
        wait=wanted.wait,
        user=_user(),
        period=period,
        notes=list(_notes(options, wanted, manifest, times, period)),
    )


def _period(options: Options, manifest: Manifest) -> str:
    period = options.period or manifest.period
    if period is None:
        raise InputError(
            f"{options.manifest}: it has no `period`, so that everything is bought once, and every further "
            "run would find nothing to do. Write `period: day` into it, or add --period day"
        )
    return period


def _refuse_without_a_cap(options: Options, wanted: Schedule, manifest: Manifest) -> None:
    caps = manifest.budget
    held = any(one is not None for one in (options.budget, caps.total, caps.per_day, caps.per_month))
    if not (held or wanted.agreed):
        raise InputError(
            f"{options.manifest}: nobody is there by night to ask what it may cost. Write a cap into it "
            "(`budget: {per_month: N}`), or add --budget N for each slot, or --yes to buy at whatever it "
            "costs. "
            f"What it would cost now: {options.command_line('plan')}"
        )


def _command() -> list[str]:
    """Return what starts this very installation: the script beside its Python, else the module."""
    script = Path(sys.executable).with_name("batchgen")
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "batchgen"]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an id without a name
        return str(os.getuid())


def _words(options: Options, wanted: Schedule, manifest: Manifest) -> Iterator[str]:
    """Return what ``run`` is given beside the manifest and the output folder.

    A project of the environment is written out: without it the run would find other records, and buy again.
    """
    project = None if manifest.project and not options.project else project_of(options, None)
    valued = {
        "--period": options.period,
        "--project": project,
        "--budget": None if options.budget is None else _plain(options.budget),
        "--max-failures": wanted.most_failures,
        "--journal": without_password(options.journal_address) if options.journal_address else None,
        "--max-jobs": None if options.max_jobs == _USUAL_JOBS else str(options.max_jobs),
    }
    yield from (word for name, value in valued.items() if value for word in (name, value))
    yield from ["--simulate"] if options.simulate else []
    yield from ["--yes"] if wanted.agreed else []


def _plain(amount: Decimal) -> str:
    return str(number(amount))


def _notes(
    options: Options, wanted: Schedule, manifest: Manifest, times: CronTimes, period: str
) -> Iterator[str]:
    if options.budget is not None:
        yield f"--budget {_plain(options.budget)}: as much at most in each slot, which is {one_of(period)}."
    if not is_calendar(period):
        yield (
            f'The period is a name, "{period}": everything is bought once, and further runs go on with what '
            "remains."
        )
    if options.simulate:
        yield "--simulate: a rehearsal; nothing is bought."
    yield from _notes_on_the_environment(options, wanted)
    zone, today = ZoneInfo(manifest.tz), _today(options)
    if wanted.scheduler is not Scheduler.CRONTAB:
        skipped = list(islice(times.skipped(zone, today), 2))
        if skipped:
            days = " and ".join(f"{one:%Y-%m-%d %H:%M}" for one in skipped)
            yield f"Left out where clocks go forward, in the coming year: {days}. Another hour avoids that."
    elif not _is_here(zone, today):
        yield (
            f"This machine's zone is not {manifest.tz}: where its cron does not know CRON_TZ, the times "
            "below are not meant so."
        )


def _notes_on_the_environment(options: Options, wanted: Schedule) -> Iterator[str]:
    """Say what is set here, and would not be where a scheduler starts the run; no value is shown."""
    asked = _SET_HERE if options.journal_address is None else _SET_HERE[1:]
    here = [name for name in asked if options.environ.get(name)]
    if here:
        it = "them" if len(here) > 1 else "it"
        yield f"Set here: {', '.join(here)}. If not meant for this terminal alone, write {it} beside the key."
    env = options.manifest.absolute().parent / ".env"
    if wanted.scheduler is Scheduler.CRONTAB:
        with suppress(OSError):  # it is not there yet
            if env.stat().st_mode & _OF_OTHERS:
                yield f"Others can read {env}: chmod 600 it, and think of another key."


def _today(options: Options) -> date:
    return datetime.fromtimestamp(options.machine_clock.now(), UTC).date()


def _is_here(zone: ZoneInfo, since: date) -> bool:
    """Return whether the clocks of this machine show the time of a zone, all through a year."""
    start = datetime(since.year, since.month, since.day, tzinfo=UTC)
    moments = [start + timedelta(days=one) for one in range(366)]
    return all(one.astimezone().utcoffset() == one.astimezone(zone).utcoffset() for one in moments)
