"""How one job ended, as the results manifest says it.

Pure: from a job and its record to one JSON object. What our states are called outside,
and what of a record may be shown, is decided here and nowhere else: no signed URL and
nothing of the machinery (keys, evidence, bodies) gets out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, assert_never

from batchgen.formats import moment, number
from batchgen.identity import as_said
from batchgen.lifecycle import Record, State
from batchgen.model import File, Job, JobKey, Json, Refund
from batchgen.planning.marks import NO_MARKS, Mark, Marks, mark_of
from batchgen.planning.slots import seen_from


class Status(StrEnum):
    """The words for people and scripts; there are fewer than states."""

    PENDING = "pending"
    RUNNING = "running"
    IN_DOUBT = "in_doubt"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    BLOCKED = "blocked"


class Parent(NamedTuple):
    """A job whose output goes into another one.

    Attributes:
        job: its id.
        asset_id: what goes in; None as long as nothing of the child was, or may have been, sent.
    """

    job: str
    asset_id: str | None


class Words(Protocol):
    """What the manifest says of its jobs beside what is sent, each by the job's number from 0."""

    def entry(self, index: int, /) -> str:
        """Return the name of the entry that the job comes from; empty where it has none."""

    def variables(self, index: int, /) -> Mapping[str, Json]:
        """Return all variables that made the job, by name."""

    def tags(self, index: int, /) -> Sequence[str]:
        """Return the job's tags."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One job with all that is known of it.

    Attributes:
        job: as the manifest says it now, or as the record does where the manifest names it no longer.
        key: the job's name for the machine; never written.
        record: None for a job that nothing happened to.
        out_of_sight: its time limit passed while it was running; it may still end.
        accepted: a person keeps for it what was bought before it was changed.
        absent: assets whose files are not on the disk, although they are on record.
        missing: why not all of its files are there; empty if they are, or nobody tried.
        words: the manifest that has the job; None where none does.
        index: the job's number in it, from 0.
        earlier: what the job of this id had before the manifest was changed, newest first.
        home: the folder of the results, relative to the batch's; empty for a batch without slots.
        parents: the jobs whose outputs go in.
        waits_for: the ids of the parents that it waits for, or that block it.
        blocked: why a parent keeps it from being bought, and what lets it go on; empty where none does.
        redo: the edition that is wanted in its place and has brought nothing yet; None where none is.
        marks: what a person says of assets, of this job and others.
    """

    job: Job
    key: JobKey
    record: Record | None = None
    out_of_sight: bool = False
    accepted: bool = False
    absent: frozenset[str] = frozenset()
    missing: str = ""
    words: Words | None = None
    index: int = 0
    earlier: "Sequence[Row]" = ()
    home: str = ""
    parents: "Sequence[Parent]" = ()
    waits_for: Sequence[str] = ()
    blocked: str = ""
    redo: "Row | None" = None
    marks: Marks = field(default_factory=lambda: NO_MARKS)

    @property
    def variables(self) -> Mapping[str, Json]:
        """All variables that made it; none where no manifest has it."""
        return self.words.variables(self.index) if self.words is not None else {}

    @property
    def files(self) -> Sequence[File]:
        """What lies on disk."""
        kept = self.record.kept_files if self.record is not None else ()
        return [one for one in kept if one.asset_id not in self.absent] if self.absent else kept


_SIGNED_URL = re.compile(r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*", re.IGNORECASE)
_OUT_OF_SIGHT = "no outcome within the time limit; it is paid for, and the next run continues to watch it"
_GONE = "not on the disk, and no longer at the service: {}"
_MISSING = "files are missing: {}"
_SHORT = "the service calls it a success and shows {} of {} assets"
_UNEXPLAINED = "the service gave no reason"


def status_of(row: Row) -> Status:
    """Return the word for where the job stands."""
    if row.out_of_sight and row.record is not None and row.record.state is State.RUNNING:
        return Status.TIMED_OUT
    if row.blocked and (row.record is None or row.record.state is State.PLANNED):
        return Status.BLOCKED
    return _status(row.record.state if row.record is not None else State.PLANNED)


def _status(state: State) -> Status:
    match state:
        case State.PLANNED:
            return Status.PENDING
        case State.SUBMITTING | State.RUNNING:
            return Status.RUNNING
        case State.IN_DOUBT | State.HELD:
            return Status.IN_DOUBT
        case State.SUCCEEDED | State.COLLECTED:
            return Status.SUCCEEDED
        case State.FAILED | State.ABANDONED:
            return Status.FAILED
        case State.CANCELED:
            return Status.CANCELED
        case State.REFUSED:
            return Status.REFUSED
        case _:
            assert_never(state)


def entry(row: Row) -> dict[str, Json]:
    """Return the job as one element of ``jobs``."""
    job, record = row.job, row.record or Record()
    return {
        "id": job.id,
        "prompt": job.prompt,
        "model": job.model,
        "params": _params(job, record),
        **_words(row),
        "parents": [{"job": one.job, "asset_id": one.asset_id} for one in row.parents],
        "status": str(status_of(row)),
        **_waits(row),
        "job_id": record.remote_id,
        "asset_ids": list(record.asset_ids),
        "files": _files(row),
        "cost": _cost(record),
        "attempts": record.attempt if record.body is not None else record.attempt - 1,
        "seed": _seed(job, record),
        "times": {
            "submitted": moment(record.submission.at if record.submission else None),
            "started": moment(record.started_at),
            "finished": moment(record.finished_at),
        },
        "error": _error(row, record),
        "mark": _told(mark_of(record.asset_ids, row.marks)),
        **_marks_alone(row, record),
        "earlier": [_earlier(one) for one in row.earlier],
        **({} if row.redo is None else {"redo": _redo(row.redo)}),
        **({"missing_assets": record.expected - len(record.asset_ids)} if record.is_short else {}),
        **_accepted(row, record),
    }


def _words(row: Row) -> dict[str, Json]:
    """Return what the manifest says of the job beside what is sent, without signatures of URLs."""
    named = row.words.entry(row.index) if row.words is not None else ""
    tags = row.words.tags(row.index) if row.words is not None else ()
    return {"entry": named or None, "vars": _bare(row.variables), "tags": list(tags)}


def _waits(row: Row) -> dict[str, Json]:
    """Return which parents it waits for, or is blocked by, where it is not bought."""
    unbought = status_of(row) in {Status.PENDING, Status.BLOCKED}
    return {"waits_for": list(row.waits_for)} if row.waits_for and unbought else {}


def _marks_alone(row: Row, record: Record) -> dict[str, Json]:
    """Return the marks on assets whose files are not here, by asset."""
    here = {one.asset_id for one in row.files} if row.marks else set[str]()
    told = {one: _mark(one, row.marks) for one in record.asset_ids if one in row.marks and one not in here}
    return {"asset_marks": told} if told else {}


def _mark(asset_id: str, marks: Marks) -> dict[str, Json]:
    """Return what a person says of an asset."""
    found = marks.get(asset_id)
    return {"mark": _told(found.mark if found else None), "note": found.note if found else ""}


def _told(mark: Mark | None) -> str | None:
    return None if mark is None else str(mark)


def _earlier(row: Row) -> dict[str, Json]:
    """Return what a job had in the form in which it was bought before."""
    record = row.record or Record()
    return {
        "job_id": record.remote_id,
        "prompt": row.job.prompt,
        "model": row.job.model,
        "status": str(status_of(row)),
        "asset_ids": list(record.asset_ids),
        "files": _files(row),
        "cost": _cost(record),
        "seed": _seed(row.job, record),
    }


def _redo(row: Row) -> dict[str, Json]:
    """Return where the edition stands that is wanted in place of a job's own."""
    record = row.record or Record()
    return {
        "status": str(status_of(row)),
        **_waits(row),
        "job_id": record.remote_id,
        "cost": _cost(record),
        "seed": _seed(row.job, record),
        "error": _error(row, record),
    }


def _accepted(row: Row, record: Record) -> dict[str, Json]:
    """Say in what form it was bought, where that is not the manifest's any more."""
    if not row.accepted or record.job is None:
        return {}
    return {"accepted": True, "bought_as": {"prompt": record.job.prompt, "model": record.job.model}}


def _cost(record: Record) -> dict[str, Json]:
    """Return the amounts; ``refund`` is the weakest word that is true of all that came back."""
    cost: dict[str, Json] = {
        "quoted": number(record.quoted_in_all),
        "charged": number(record.charged),
        "refunded": number(record.refunded),
    }
    if record.untold:
        cost["untold"] = record.untold
    known = {one.refund for one in record.submissions} - {Refund.NONE}
    if known:
        cost["refund"] = str(Refund.ASSUMED if Refund.ASSUMED in known else Refund.CONFIRMED)
    return cost


def without_signature(text: str) -> str:
    """Cut what follows the path of every URL: that is where a signature grants access."""
    return _SIGNED_URL.sub(r"\1", text) if "://" in text else text


def _params(job: Job, record: Record) -> dict[str, Json]:
    """Return what was sent, or what would be; a manifest's own URLs lose their queries too."""
    if record.body is None:
        return {name: _bare(as_said(value)) for name, value in job.params.items()}
    sent: dict[str, Json] = json.loads(record.body)
    sent.pop("prompt", None)
    return {name: _bare(value) for name, value in sent.items()} if "://" in record.body else sent


def _bare(value: Json) -> Json:
    if isinstance(value, str):
        return without_signature(value)
    if isinstance(value, Mapping):
        return {name: _bare(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_bare(one) for one in value]
    return value


def _seed(job: Job, record: Record) -> int | float | None:
    """Return the seed in the body, or the one that the manifest itself asks for."""
    seed = record.seed if record.seed is not None else job.params.get("seed")
    if isinstance(seed, bool) or not isinstance(seed, int | float):
        return None
    return int(seed) if float(seed).is_integer() else seed


def _files(row: Row) -> list[Json]:
    return [_file(one, row) for one in row.files]


def _file(one: File, row: Row) -> dict[str, Json]:
    return {
        "asset_id": one.asset_id,
        "path": seen_from(row.home, one.path),
        **described(one),
        **_mark(one.asset_id, row.marks),
    }


def described(one: File) -> dict[str, Json]:
    """Return what results say of a file beside its asset and its path."""
    return {
        "bytes": one.bytes,
        "sha256": one.sha256,
        "mime": one.mime,
        "width": one.width,
        "height": one.height,
        "duration": one.duration,
        "kind": one.kind or None,
        "type": one.type or None,
    }


def _error(row: Row, record: Record) -> dict[str, str] | None:
    """Say why; a job that waits has no error, whatever the last try met."""
    status, reason = status_of(row), without_signature(record.error)
    if record.state is State.ABANDONED:
        return {"message": f"given up: {reason}" if reason else "given up"}
    if status is Status.TIMED_OUT:
        return {"message": _OUT_OF_SIGHT}
    if status is Status.BLOCKED:
        return {"message": row.blocked}
    if status in {Status.FAILED, Status.REFUSED}:
        return {"message": reason or _UNEXPLAINED}
    if record.gone:
        return {"message": _GONE.format(", ".join(record.gone))}
    if row.missing and status is Status.SUCCEEDED:
        return {"message": _MISSING.format(without_signature(row.missing))}
    if record.is_short:
        return {"message": _SHORT.format(len(record.asset_ids), record.expected)}
    return {"message": reason} if reason and status is not Status.PENDING else None
