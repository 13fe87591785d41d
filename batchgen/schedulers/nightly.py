"""A batch that runs by itself at set times: what the texts of all schedulers are made of. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from batchgen.exits import Exit
from batchgen.planning.periods import is_calendar, one_of
from batchgen.schedulers.cron_times import CronTimes

# With these the same command would end the same: a person, a key or another day has to change something.
FINAL = (Exit.BUG, Exit.INPUT, Exit.FAILED, Exit.CREDENTIALS, Exit.BUDGET, Exit.DOUBT)
AFTER_DRAIN = 35  # seconds: to fetch the last files' ends, and to write results and the page
MADE_UP_FOR = 21_600  # seconds: for so long a time that was missed, or met another run, is made up for
_LONGEST = 40  # characters: the name of a CronJob has 52 at most


@dataclass(frozen=True, kw_only=True, slots=True)
class Nightly:
    """What is to run, when, and by whom.

    Attributes:
        batch: its name.
        times: when.
        zone: the IANA name of the zone of these times, which is the manifest's ``tz``.
        command: absolute paths and words that start batchgen on this machine.
        manifest, folder, output: absolute paths: of the manifest, its folder, and the output folder.
        words: of ``batchgen run``, after the manifest.
        drain: seconds that a run may collect after it is told to stop.
        most_seconds: after which a run buys no more, and is not started again; None for as long as it takes.
        wait: seconds for which it waits for the run before it; None for what suits its times.
        user: who runs it.
        period: of the manifest, or the command line's in its place.
        notes: sentences about this very batch, machine and time.
    """

    batch: str
    times: CronTimes
    zone: str
    command: Sequence[str]
    manifest: str
    folder: str
    output: str
    words: Sequence[str]
    drain: int
    most_seconds: int | None
    wait: int | None
    user: str
    period: str
    notes: Sequence[str]

    @property
    def name(self) -> str:
        """A name that every scheduler takes: small letters, digits and hyphens."""
        return f"batchgen-{plain_name(self.batch)}"

    @property
    def seconds_to_stop(self) -> int:
        """Seconds from the order to stop until it may be killed: more than it collects for."""
        return self.drain + AFTER_DRAIN

    @property
    def seconds_to_wait(self) -> int:
        """Seconds that a run waits for the one before it: without that its slot would be left out."""
        if self.wait is not None:
            return self.wait
        return MADE_UP_FOR if self.hours_apart else 0

    @property
    def final(self) -> Sequence[Exit]:
        """The exit statuses after which it is not started again before its next time."""
        return FINAL if self.most_seconds is None else (*FINAL, Exit.REMAINS)

    @property
    def hours_apart(self) -> bool:
        """Whether an hour at least lies between two times."""
        return len(self.times.minutes) == 1

    def run(self, command: Sequence[str], manifest: str, output: str, *, log: str = "") -> list[str]:
        """Return the whole command of a run that nobody watches.

        Args:
            command: absolute path and words that start batchgen there.
            manifest: its path there.
            output: the output folder there.
            log: a file for what happens; without it a summary goes to standard output.
        """
        most = [] if self.most_seconds is None else ["--max-duration", _written(self.most_seconds)]
        wait = ["--wait-lock", _written(self.seconds_to_wait)] if self.seconds_to_wait else []
        limits = ["--drain-timeout", f"{self.drain}s", *most, *wait]
        told = ("--log-file", log) if log else ("--json",)
        return [*command, "run", manifest, "-o", output, *self.words, *limits, "--quiet", *told]

    def heading(self) -> list[str]:
        """Return what the text is for, and what has to be known of it."""
        buys = f"; buys once {one_of(self.period)}" if is_calendar(self.period) else ""
        first = f'{self.batch}: batchgen run at "{self.times.text}", {self.zone}{buys}'
        return [first, *self.notes]


def plain_name(batch: str) -> str:
    """Return a batch's name in small letters, digits and hyphens; no two names become one."""
    plain = re.sub(r"[^a-z0-9]+", "-", batch.lower()).strip("-")[:_LONGEST].strip("-")
    if plain == batch:
        return plain
    digest = hashlib.sha256(batch.encode("utf-8", "backslashreplace")).hexdigest()[:6]
    return f"{plain[: _LONGEST - 7].rstrip('-')}-{digest}".strip("-")


def commented(lines: Sequence[str]) -> str:
    """Write lines as comments."""
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _written(seconds: int) -> str:
    """Return a duration as the command line takes it, in the largest unit that fits: 6h, 50m, 90s."""
    units = {3600: "h", 60: "m"}
    return next(
        (f"{seconds // size}{unit}" for size, unit in units.items() if not seconds % size), f"{seconds}s"
    )
