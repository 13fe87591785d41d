"""A run as it is seen from a terminal: an implementation of ``ports.Observer``.

Counts and prints, and has no say. Everything goes to the one stream it is given, which is
stderr; what is said is worded in ``wording``. A stream that is gone ends the printing, never the run.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from batchgen.formats import clean, stamp
from batchgen.lifecycle import Abandoned, Canceled, Event, Failed, Record, Refused
from batchgen.model import Job, JobKey, Refund, RemoteJob
from batchgen.output.wording import Gauges, Snapshot, closing, figures, is_problem, line
from batchgen.planning.chains import ChainCount
from batchgen.planning.stages import Stage, stage_of

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_ENDED = frozenset({Stage.DONE, Stage.FAILED})
_REFRESHES = 5  # a second
_LAST_ENDS = 60
_LAST_FAILURES = 3
_NOTHING = Record()


class Mode(StrEnum):
    """How much is said, and how."""

    LIVE = "live"
    PLAIN = "plain"
    QUIET = "quiet"
    SILENT = "silent"  # somebody else says it


def mode_for(stream: TextIO, environ: Mapping[str, str], *, quiet: bool) -> Mode:
    """Choose: a picture that moves only where a terminal can draw it, lines elsewhere."""
    if quiet:
        return Mode.QUIET
    return Mode.LIVE if stream.isatty() and environ.get("TERM") != "dumb" else Mode.PLAIN


class Tally:
    """The numbers of a run, kept up event by event.

    Args:
        total: jobs of the run, those done before it included.
        records: what is on record at the start, for counts that do not start at nothing.
        aside: jobs of which nothing but the money counts.
        steps: the jobs that are in chains, each with whether it is the last of one.
    """

    def __init__(
        self,
        *,
        total: int,
        records: Mapping[JobKey, Record],
        aside: Collection[JobKey] = (),
        steps: Mapping[JobKey, bool] | None = None,
    ) -> None:
        self._total = total
        self._steps = steps or {}
        self._chains = ChainCount(chains=sum(self._steps.values()), steps=len(self._steps))
        self._aside = frozenset(aside)
        self._seen: dict[JobKey, tuple[Record, Stage]] = {}
        self._counts = {**dict.fromkeys(Stage, 0), Stage.NOT_BOUGHT: total}
        self._spent = Decimal(0)
        self._untold = 0
        self._refunded = Decimal(0)
        self._assumed = False
        self._ends: deque[float] = deque(maxlen=_LAST_ENDS)
        self._failures: deque[tuple[str, str]] = deque(maxlen=_LAST_FAILURES)
        for key, record in records.items():
            self._move(key, record)

    def note(self, key: JobKey, job: Job, event: Event, record: Record, *, now: float) -> None:
        """Count one event; ``now`` is in seconds of any clock that only goes forward."""
        if self._move(key, record) in _ENDED:
            self._ends.append(now)
        if isinstance(event, Failed | Refused | Canceled | Abandoned):
            self._failures.append((clean(job.id, 40), clean(record.error) or record.state))

    def snapshot(self, gauges: Gauges | None, *, now: float) -> Snapshot:
        """Return the run as it stands; without gauges the flight is counted from the records."""
        counts = self._counts
        ended = sum(counts[stage] for stage in _ENDED)
        return Snapshot(
            total=max(self._total, ended),
            stages={stage: max(0, count) for stage, count in counts.items()},
            spent=self._spent,
            untold=self._untold,
            per_minute=self._pace(now),
            gauges=gauges or Gauges(in_flight=counts[Stage.RUNNING] + counts[Stage.IN_DOUBT]),
            failures=tuple(self._failures),
            refunded=self._refunded,
            assumed=self._assumed,
            chains=self._chains,
        )

    def _move(self, key: JobKey, record: Record) -> Stage:
        before, stage = self._seen.get(key, (_NOTHING, Stage.NOT_BOUGHT))
        if before is record:
            return stage
        stands = stage_of(record, alive=True)
        if key not in self._aside:
            self._counts[stage] -= 1
            self._counts[stands] += 1
        if key in self._steps and (by := (stands is Stage.DONE) - (stage is Stage.DONE)):
            chains, last = self._chains, self._steps[key]
            self._chains = replace(chains, steps_done=chains.steps_done + by, done=chains.done + by * last)
        self._seen[key] = record, stands
        if before.submissions is not record.submissions:
            self._count_money(before, record)
        return stands

    def _count_money(self, before: Record, record: Record) -> None:
        self._spent += (record.charged or 0) - (before.charged or 0)
        self._untold += record.untold - before.untold
        self._refunded += (record.refunded or 0) - (before.refunded or 0)
        self._assumed = self._assumed or any(one.refund is Refund.ASSUMED for one in record.submissions)

    def _pace(self, now: float) -> float | None:
        """Return the ends a minute; time without an end since the last one counts too."""
        if len(self._ends) < 2:  # noqa: PLR2004 - one end is no pace
            return None
        passed = max(now, self._ends[-1]) - self._ends[0]
        return 60 * (len(self._ends) - 1) / passed if passed > 0 else None


class Progress:
    """Shows a run while it goes. A context manager; the terminal is as it was afterwards.

    Args:
        stream: where to, stderr.
        mode: see ``mode_for``.
        total: jobs of the run, those done before it included.
        records: what is on record at the start.
        aside: jobs of which nothing but the money counts.
        gauges: asked at every refresh; None counts the flight from events.
        now: wall clock, for the stamps of plain lines.
        elapsed: a clock that only goes forward, in seconds, for the pace.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        mode: Mode,
        total: int,
        records: Mapping[JobKey, Record] | None = None,
        aside: Collection[JobKey] = (),
        steps: Mapping[JobKey, bool] | None = None,
        gauges: Callable[[], Gauges] | None = None,
        now: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._mode = mode
        self._tally = Tally(total=total, records=records or {}, aside=aside, steps=steps)
        self._gauges = gauges
        self._now = now
        self._elapsed = elapsed
        self._troubles: Counter[str] = Counter()
        self._live: Live | None = None
        self._deaf = False  # nobody reads the stream any more

    def __enter__(self) -> Self:
        if self._mode is Mode.LIVE:
            self._live = _live(self._stream, self._picture)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        for text, times in self._troubles.items():
            if times > 1:
                self._say(f"{times} times: {text}")
        if self._mode not in {Mode.QUIET, Mode.SILENT}:
            self._say(closing(self.snapshot()))

    def snapshot(self) -> Snapshot:
        """Return the run as it stands."""
        gauges = self._gauges() if self._gauges is not None else None
        return self._tally.snapshot(gauges, now=self._elapsed())

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        """Count the event; lines show all that mean something, a quiet run only problems."""
        self._tally.note(key, job, event, record, now=self._elapsed())
        if self._mode is Mode.PLAIN or (self._mode is Mode.QUIET and is_problem(event)):
            said = line(self._now(), job, event, record)
            if said is not None:
                self._say(said)

    def polled(self, job: Job, remote: RemoteJob) -> None:
        """Show nothing: that a job still runs is no news."""

    def warned(self, text: str) -> None:
        """Show it, above the moving part where there is one; what comes again is counted until the end."""
        told = clean(text)
        self._troubles[told] += 1
        if self._troubles[told] == 1:
            self._say(f"{stamp(self._now())} {told}")

    def _say(self, text: str) -> None:
        if self._deaf or self._mode is Mode.SILENT:
            return
        try:
            if self._live is not None:
                self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
            else:
                self._stream.write(text + "\n")
                self._stream.flush()
        except (OSError, ValueError):  # the reader went away, or the stream was closed
            self._deaf = True

    def _picture(self) -> "RenderableType":
        return picture(self.snapshot())


def picture(shot: Snapshot) -> "RenderableType":
    """Lay the run out for a terminal: a bar, the figures, the last failures."""
    from rich.console import Group  # noqa: PLC0415 - a third of the start-up time
    from rich.progress_bar import ProgressBar  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        ProgressBar(total=max(1, shot.total), completed=shot.ended, width=30),
        Text(f"{shot.done}/{shot.total}", style="bold"),
        Text(" · ".join(figures(shot)), overflow="ellipsis", no_wrap=True),
    )
    failures = (
        Text.assemble(("  ✗ ", "red"), (job_id, "bold"), f" {reason}", overflow="ellipsis", no_wrap=True)
        for job_id, reason in shot.failures
    )
    return Group(bar, *failures)


def _live(stream: TextIO, picture_of: Callable[[], "RenderableType"]) -> "Live":
    from rich.console import Console  # noqa: PLC0415 - a third of the start-up time
    from rich.live import Live  # noqa: PLC0415 - as above

    class Terminal(Console):
        def on_broken_pipe(self) -> None:
            """Go quiet: rich would end the process."""
            self.quiet = True

    return Live(
        console=Terminal(file=stream, highlight=False, markup=False, emoji=False),
        get_renderable=picture_of,
        refresh_per_second=_REFRESHES,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
