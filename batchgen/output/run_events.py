"""What happens in a run, as values that programs are told while it goes on, and as the JSON of ``--events``.

``docs/events.md`` describes each for people.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias

from batchgen.events import Event
from batchgen.formats import moment, number
from batchgen.model import Job, JobKey, Json, RemoteJob
from batchgen.output.entries import described
from batchgen.record import Record

SCHEMA = "batchgen/events@1"
_INNER_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEvent:
    """Something that happened in a run.

    Attributes:
        at: seconds since the epoch, by our clock.
        batch, slot: of which batch, and which slot of it; a slot without a name is empty.
    """

    NAME: ClassVar[str]

    at: float
    batch: str
    slot: str

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it."""
        return {
            "event": self.name,
            "at": moment(self.at),
            "batch": self.batch or None,
            "slot": self.slot or None,
        }

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
    """Something went wrong that the run deals with by itself.

    Attributes:
        text: a sentence for people.
    """

    NAME: ClassVar[str] = "warning"

    text: str

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

    def document(self) -> dict[str, Json]:
        """Return the event as JSON has it."""
        return {
            **RunEvent.document(self),
            "exit": self.exit,
            "reasons": list(self.reasons),
            "summary": dict(self.summary),
        }


Tell: TypeAlias = Callable[[RunEvent], None]


def _amount(fact: Event, name: str) -> Decimal | None:
    amount = getattr(fact, name, None)
    return amount if isinstance(amount, Decimal) else None
