"""Where the service is and who we are: from the environment, a ``.env`` file and flags."""

import io
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from batchgen.errors import InputError
from batchgen.model import NO_RATE, JobKey, Rate
from batchgen.plain_files import FileFaultError, read_text
from batchgen.planning.selection import JobSelection
from batchgen.redaction import without_password
from batchgen.scenario.credentials import KEY_NAMES
from batchgen.wiring.clock import SystemClock
from batchgen.wiring.journals import JOURNAL_NAME, Journals

if TYPE_CHECKING:
    from batchgen.journal.store import JournalStore
    from batchgen.ports import Clock, Syncer
    from batchgen.scenario.request_log import Request
    from batchgen.scenario.transport import Transport

# source: docs/service.md base
SERVICE = "https://api.cloud.scenario.com/v1"
SIMULATOR = "simulator"  # the origin of rehearsals, whatever port they had
# source: docs/service.md rate
PUBLISHED_RATE = Rate(count=100, seconds=60)  # the only number the service's guides give
DEFAULT_OUTPUT = Path("output")
REHEARSAL_SPEED = 20.0  # simulated seconds a second


class Allow(StrEnum):
    """A guard that a person can let a run pass, and what that risks.

    Each is a value of ``--allow``; the message of the guard that stopped a run names the one that fits.
    """

    RENAMED = "renamed"  # buy what another batch, whose manifest is gone, has bought
    OTHER_PROJECT = "other-project"  # go on with the records of another project, or of another address
    SHARED_BATCH = "shared-batch"  # run a batch from a second manifest beside the first
    NO_LISTING = "no-listing"  # buy without being able to find again what is lost
    UNFINISHED_SLOT = "unfinished-slot"  # begin a slot although the last one is not finished


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What the command line says about a run or a look at one.

    Attributes:
        manifest: the file.
        text: the manifest itself, where it is in no file; ``manifest`` is then where it would be.
        output: the folder of the results, with a folder a batch; of the journal too, where it is a file.
        output_chosen: whether somebody named it; the default is checked against what lies near.
        environ: the environment, with what a ``.env`` file adds.
        journal_address: the URL of a journal on PostgreSQL, where it was named; empty for the file whatever
            the environment says, None for what that says.
        simulate: rehearse against a service of our own.
        project: overrides the manifest's and the environment's.
        rate, in_flight: override the manifest's limits.
        retry_failed: open another attempt for what failed; each may be charged again.
        selection: the jobs that a person means; empty for all.
        retry: open another attempt for those of them that have failed, which all must have that are named.
        redo: make another one of each of them, which all must have what they are to have.
        children: with ``redo``, what was made of them too.
        shown: the jobs whose price was shown, of which alone any are bought, with ``redo`` their first
            editions. None where nothing was shown.
        agreed: with ``redo``, the job and the ordinal of each edition whose price was shown; no other is
            asked for. None where nothing was shown.
        allow: guards that a person lets this run pass.
        period: overrides the manifest's; ``hour``, ``day``, ``week``, ``month`` or a name.
        slot: the slot to go on with; None for the one that is due.
        begins_missed: whether ``slot`` may be one of a calendar period that was missed, which then begins.
        fresh: begin a slot, in which everything is bought anew.
        budget: replaces the manifest's cap on the batch for this run, in compute units.
        most_failures: after so many failed jobs, or such a share of the plan's, no more is bought.
        limit: buy so many jobs at most, the first ones.
        sample: buy so many jobs at most, spread over all.
        unattended: whether nobody can be asked and nobody has agreed, so that only a cap lets a run buy.
        drain_timeout: seconds a drain may take; None for as long as it takes.
        max_duration: seconds after which a run drains, from its start on, whatever it waits for; None for as
            long as it takes.
        wait_lock: seconds to wait for another run that holds the batch.
        standby: wait for whoever holds the batch as long as it takes, and take it over.
        max_jobs: the cap on accidental products of axes.
        machine_clock: this machine's.
        journals: the stores of journals that were made; copies of these options share them.
        transport: a way to the service that is open already; None to open the one that is meant.
        syncer: has the disk keep what was written, beside the loop; None for a thread that does.
        on_request: is told of each request to the service, and raises nothing; None where nobody asks.
        on_wait: is told for whom a command waits, in words, where no run tells of it; None where nobody asks.
    """

    manifest: Path
    output: Path
    environ: Mapping[str, str] = field(repr=False)  # holds the credentials
    journal_address: str | None = field(default=None, repr=False)  # may hold a password
    text: bytes | None = field(default=None, repr=False)
    output_chosen: bool = False
    simulate: bool = False
    project: str | None = None
    rate: Rate | None = None
    in_flight: int | None = None
    retry_failed: bool = False
    selection: JobSelection = field(default_factory=JobSelection)
    retry: bool = False
    redo: bool = False
    children: bool = False
    shown: frozenset[JobKey] | None = field(default=None, repr=False)
    agreed: frozenset[tuple[str, int]] | None = None
    allow: frozenset["Allow"] = frozenset()
    period: str | None = None
    slot: str | None = None
    begins_missed: bool = False
    fresh: bool = False
    budget: Decimal | None = None
    most_failures: int | float | None = None
    limit: int | None = None
    sample: int | None = None
    unattended: bool = False
    drain_timeout: float | None = None
    max_duration: float | None = None
    wait_lock: float = 0.0
    standby: bool = False
    max_jobs: int = 100_000
    machine_clock: "Clock" = field(default_factory=SystemClock, repr=False, compare=False)
    journals: Journals = field(default_factory=Journals, repr=False, compare=False)
    transport: "Transport | None" = field(default=None, repr=False, compare=False)
    syncer: "Syncer | None" = field(default=None, repr=False, compare=False)
    on_request: "Callable[[Request], None] | None" = field(default=None, repr=False, compare=False)
    on_wait: Callable[[str], None] | None = field(default=None, repr=False, compare=False)

    @property
    def journal(self) -> "JournalStore":
        """The door to the journal: one and the same for these options and their copies.

        Raises:
            InputError: its address is none, or what speaks to it is not installed.
        """
        return self.journals.at(self.server, self.output)

    @property
    def clock(self) -> "Clock":
        """By which slots and stamps are: the server's where the journal is on one, else this machine's."""
        return self.journal.clock(self.machine_clock) if self.server else self.machine_clock

    @property
    def server(self) -> str:
        """The address of the journal's database; empty where the journal is a file of the output folder."""
        if self.journal_address is None:
            return self.environ.get(JOURNAL_NAME, "")
        return self.journal_address

    @property
    def place(self) -> str:
        """Where batches are looked for, for people: the output folder, or the database."""
        return str(self.journal if self.server else self.output)

    def of_journal(self, place: str) -> "Options":
        """Return options that mean a journal by the URL of its database, or by its output folder."""
        if "://" in place:
            return replace(self, journal_address=place)
        return replace(self, journal_address="", output=Path(place), output_chosen=True)

    def command_line(self, name: str, *words: str, slot: str | None = None) -> str:
        """Return a command on the same batch, as people are told to type it.

        Args:
            name: of the command.
            words: what follows.
            slot: the one that is meant: another may be due when the command is typed.
        """
        is_usual = self.output == DEFAULT_OUTPUT and not self.output_chosen
        where = [] if is_usual else ["-o", str(self.output)]
        project = ["--project", self.project] if self.project else []
        meant = ["--slot", slot or self.slot or ""] if slot or self.slot else []
        if self.period and self.slot and not slot:  # it says what kind of slot may be begun
            meant = ["--period", self.period, *meant]
        simulate = ["--simulate"] if self.simulate else []
        if self.journal_address is not None:
            where += ["--journal", without_password(self.journal_address)]
        parts = ["batchgen", *name.split(), str(self.manifest), *where, *project, *meant, *simulate, *words]
        return shlex.join(parts)


class Environment(dict[str, str]):
    """The environment, with what ``.env`` files add to it.

    Attributes:
        told: where its credentials are from, or where they were looked for: a sentence.
    """

    told: str = ""


_OURS = "SCENARIO_"  # begins the names that belong together: a key, its secret, where they are good


def environment(environ: Mapping[str, str], *folders: Path) -> Environment:
    """Return the environment, with what the ``.env`` files of some folders add to it.

    The environment goes before files, and a folder before those after it. What begins with ``SCENARIO_`` is
    taken from one file alone, the first that has any of it: a key never meets the secret of another file.

    Raises:
        InputError: a file cannot be read, or would send the environment's credentials, or its password
            of a database, to an address of its own.
    """
    paths = [folder / ".env" for folder in dict.fromkeys(folders)]
    added: dict[str, str] = {}
    ours: Path | None = None
    for path in paths:
        found = _set_by(path)
        if ours is None and any(name.startswith(_OURS) for name in found):
            ours = path
        own = {name: one for name, one in found.items() if path == ours or not name.startswith(_OURS)}
        added = {**own, **added}
    address, given = "SCENARIO_BASE_URL", {name for name, one in environ.items() if one}
    if address in added and address not in given and any({*pair} & given for pair in KEY_NAMES):
        raise InputError(
            f"{ours} says where the service is, but the credentials come from the environment: "
            f"a file of this folder must not send them elsewhere. Set {address} in the environment too"
        )
    if JOURNAL_NAME in added and JOURNAL_NAME not in given and "PGPASSWORD" in given:
        raise InputError(
            f"a .env file says where the journal is ({JOURNAL_NAME}), but PGPASSWORD comes from the "
            "environment: a file of this folder must not send it elsewhere. Set both in the environment, or "
            "use PGPASSFILE"
        )
    whole = Environment({**added, **environ})
    whole.told = _told(environ, added, ours, paths)
    return whole


def _told(environ: Mapping[str, str], added: Mapping[str, str], ours: Path | None, paths: list[Path]) -> str:
    names = {name for pair in KEY_NAMES for name in pair}
    if any(environ.get(name) for name in names):
        return "the credentials are those of the environment"
    if any(added.get(name) for name in names):
        return f"the credentials are those of {ours}"
    looked = " and ".join(["the environment", *map(str, paths)])
    return f"credentials were looked for in {looked}"


def _set_by(path: Path) -> dict[str, str]:
    """Return what a ``.env`` file sets; no line of it is ever in a message, for it may be a secret.

    Raises:
        InputError: it is there and cannot be read.
    """
    if (path / "pyvenv.cfg").is_file():  # a virtual environment of that name is no file of ours
        return {}
    try:
        text = read_text(path)
    except FileFaultError as fault:
        if fault.missing:
            return {}
        raise InputError(f"{fault}; it may set SCENARIO_... variables, so mend it or move it away") from fault
    from dotenv.main import DotEnv  # noqa: PLC0415 - most folders have none, and it brings more than itself

    found = DotEnv(None, stream=io.StringIO(text), interpolate=False).dict()
    return {name: one for name, one in found.items() if one is not None}


def project_of(options: Options, manifest_project: str | None) -> str:
    """Return the project of a run: flag, manifest, environment; empty for the key's own."""
    named = (options.project, manifest_project, options.environ.get("SCENARIO_PROJECT_ID"))
    return next((one for one in named if one), "")


def own_rate_of(options: Options, manifest_rate: Rate | None) -> Rate | None:
    """Return the pace of a run as people say it; a rehearsal has none that was not asked for."""
    asked = options.rate or manifest_rate or (None if options.simulate else PUBLISHED_RATE)
    return None if asked == NO_RATE else asked


def rate_of(options: Options, manifest_rate: Rate | None) -> Rate | None:
    """Return the pace of a run; a rehearsal keeps its own in simulated time."""
    return at_speed(own_rate_of(options, manifest_rate), speed_of(options))


def speed_of(options: Options) -> float:
    """Return the seconds of the service a second: those of a rehearsal are quick."""
    return REHEARSAL_SPEED if options.simulate else 1.0


def at_speed(rate: Rate | None, speed: float) -> Rate | None:
    """Return a pace that is kept in the time of the service in that of this machine."""
    return None if rate is None else Rate(count=rate.count * speed, seconds=rate.seconds)
