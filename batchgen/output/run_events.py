"""What happens in a run, as values that programs are told while it goes on, and as the JSON of ``--events``.

``docs/events.md`` describes each for people.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from importlib import resources
from typing import Any, ClassVar, TypeAlias

from batchgen.events import Abandoned, Event, WrittenOff
from batchgen.formats import moment, number, stamp
from batchgen.model import Job, JobKey, Json, RemoteJob
from batchgen.output.entries import described
from batchgen.output.wording import is_problem
from batchgen.record import Record

SCHEMA = "batchgen/events@1"


def events_schema() -> str:
    """Return the JSON Schema of one line, as text."""
    return resources.files(__package__).joinpath("events.schema.json").read_text("utf-8")


_INNER_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class Level(StrEnum):
    """How much a line matters to whoever watches."""

    DEBUG = "debug"  # shown where somebody asked for it
    INFO = "info"
    WARNING = "warning"  # a person should know
    ERROR = "error"  # it ended the command


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEvent:
    """Something that happened in a run.

    Attributes:
        at: seconds since the epoch, by our clock.
        batch, slot: of which batch, and which slot of it; a slot without a name is empty.
        run_id: of which run: what one call of a command has told is known by it. Empty for none.
    """

    NAME: ClassVar[str]

    at: float
    batch: str
    slot: str
    run_id: str = ""

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it."""
        return {
            "event": self.name,
            "at": moment(self.at),
            "level": str(self.level),
            "run_id": self.run_id or None,
            "batch": self.batch or None,
            "slot": self.slot or None,
        }

    @property
    def level(self) -> Level:
        """How much it matters to whoever watches."""
        return Level.INFO

    @property
    def name(self) -> str:
        """The event's name in JSON."""
        return self.NAME


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStarted(RunEvent):
    """A run begins; nothing was bought yet.

    Attributes:
        origin, project: where its records are.
        jobs: of its manifest, with those that were removed and are not done.
        to_buy: how many of them it is to buy.
    """

    NAME: ClassVar[str] = "run_started"

    origin: str
    project: str
    jobs: int
    to_buy: int

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it: the first one of a run names the schema."""
        return {
            "schema": SCHEMA,
            **RunEvent.document(self),
            "origin": self.origin,
            "project": self.project or None,
            "jobs": self.jobs,
            "to_buy": self.to_buy,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class JobChanged(RunEvent):
    """A fact about one job, which is on record.

    Attributes:
        fact: what happened.
        key: the job's, within its slot.
        job: as the manifest says it.
        record: what the journal says of the job since.
    """

    fact: Event
    key: JobKey
    job: Job
    record: Record

    @property
    def name(self) -> str:
        """The name of the fact, as ``submit_started``."""
        return _INNER_CAPITAL.sub("_", type(self.fact).__name__).lower()

    @property
    def level(self) -> Level:
        """A warning for what a quiet run shows too, and for what is given up."""
        is_bad = is_problem(self.fact) or isinstance(self.fact, Abandoned | WrittenOff)
        return Level.WARNING if is_bad else Level.INFO

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it; what does not apply is left out."""
        fact, record = self.fact, self.record
        told: dict[str, Any] = {
            "reason": getattr(fact, "reason", "") or getattr(fact, "error", ""),
            "charged": number(_amount(fact, "charged")),
            "refunded": number(_amount(fact, "refunded")),
            "asset_ids": list(getattr(fact, "asset_ids", ())),
            "files": [one.path for one in getattr(fact, "files", ())],
            "details": [{"asset_id": one.asset_id, **described(one)} for one in getattr(fact, "files", ())],
        }
        return {
            **RunEvent.document(self),
            "id": self.job.id,
            "model": self.job.model,
            "state": str(record.state),
            "attempt": record.attempt,
            "job_id": record.remote_id,
            **{name: value for name, value in told.items() if value not in (None, "", [])},
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSeen(RunEvent):
    """A look at the service found a job still running; told when the service's word for it changes.

    Attributes:
        job: as the manifest says it.
        remote: as the service shows it.
    """

    NAME: ClassVar[str] = "seen"

    job: Job
    remote: RemoteJob

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it."""
        return {
            **RunEvent.document(self),
            "id": self.job.id,
            "job_id": self.remote.remote_id,
            "status": self.remote.word,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Warned(RunEvent):
    """Something went wrong that the run deals with by itself, or that a person should know.

    Attributes:
        text: a sentence for people.
        is_note: whether nothing is wrong.
    """

    NAME: ClassVar[str] = "warning"

    text: str
    is_note: bool = False

    @property
    def level(self) -> Level:
        """A note is none."""
        return Level.INFO if self.is_note else Level.WARNING

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it."""
        return {**RunEvent.document(self), "text": self.text}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnded(RunEvent):
    """The run has ended and its results are on the disk: always the last.

    Attributes:
        exit: the exit status.
        reasons: for it, a sentence each.
        summary: that of ``results.json``.
    """

    NAME: ClassVar[str] = "summary"

    exit: int
    reasons: Sequence[str]
    summary: Mapping[str, Json]

    @property
    def level(self) -> Level:
        """A warning unless all is done."""
        return Level.INFO if self.exit == 0 else Level.WARNING

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it."""
        return {
            **RunEvent.document(self),
            "exit": self.exit,
            "reasons": list(self.reasons),
            "summary": dict(self.summary),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Said(RunEvent):
    """A sentence for people that says nothing else; a line of the log alone.

    Attributes:
        text: the sentence.
        says: how much it matters.
    """

    NAME: ClassVar[str] = "message"

    text: str
    says: Level = Level.INFO

    @property
    def level(self) -> Level:
        """As it was said."""
        return self.says

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it."""
        return {**RunEvent.document(self), "text": self.text}


@dataclass(frozen=True, kw_only=True, slots=True)
class Requested(RunEvent):
    """A request was made of the service; a line of the log alone, where it was asked for.

    Attributes:
        method, path: what was asked; the path is below the base URL, without a query.
        status: the HTTP status; None where no answer came.
        seconds: from its start to the end of the answer.
        attempt: which try it was, from 1.
        error: why no answer came; empty where one did.
    """

    NAME: ClassVar[str] = "request"

    method: str
    path: str
    status: int | None
    seconds: float
    attempt: int
    error: str

    @property
    def level(self) -> Level:
        """What nobody needs who has no trouble to find."""
        return Level.DEBUG

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it."""
        told = {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "ms": round(1000 * self.seconds),
            "attempt": self.attempt,
        }
        return {**RunEvent.document(self), **told, **({"error": self.error} if self.error else {})}

    def __str__(self) -> str:
        came = self.error or str(self.status)
        again = f", attempt {self.attempt}" if self.attempt > 1 else ""
        return f"{stamp(self.at)} {self.method} {self.path}: {came} in {1000 * self.seconds:.0f} ms{again}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorTold(RunEvent):
    """An error ended the command: the last line of its log, in place of a summary.

    Attributes:
        exit: the exit status.
        text: what was wrong, and what to do.
        problems, warnings: each of a file, with its place.
        hint: what may be the cause; empty where nothing is known.
        trace: of a bug, for its report; empty for what a person can mend.
    """

    NAME: ClassVar[str] = "error"

    exit: int
    text: str
    problems: Sequence[Mapping[str, Json]] = ()
    warnings: Sequence[Mapping[str, Json]] = ()
    hint: str = ""
    trace: str = ""

    @property
    def level(self) -> Level:
        """There is nothing worse."""
        return Level.ERROR

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it; what is empty is left out."""
        told = {"problems": list(self.problems), "warnings": list(self.warnings)}
        more = {**told, "hint": self.hint, "trace": self.trace}
        line = {**RunEvent.document(self), "exit": self.exit, "text": self.text}
        return {**line, **{name: one for name, one in more.items() if one}}


Tell: TypeAlias = Callable[[RunEvent], None]


def _amount(fact: Event, name: str) -> Decimal | None:
    amount = getattr(fact, name, None)
    return amount if isinstance(amount, Decimal) else None
