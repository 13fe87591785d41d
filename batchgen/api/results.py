"""What came out, and what would be done: typed values over the files that a run writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from batchgen.errors import BatchgenError, OutputError, Problem
from batchgen.exits import Exit
from batchgen.output.results import FORMAT, JSON_NAME
from batchgen.plain_files import FileFaultError, parse_json, read_text


class UnfinishedError(BatchgenError):
    """Not everything that was wanted came out; ``results`` has what did, and why the rest did not.

    Attributes:
        results: of the run.
    """

    def __init__(self, results: "Results") -> None:
        self.results = results
        reasons = "; ".join(results.reasons) or f"exit status {results.exit}"
        super().__init__(f"batch {results.batch!r}: {reasons}")


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file that came out.

    Attributes:
        asset_id: the service's.
        path: absolute.
        bytes: its size.
        sha256: of its content, hexadecimal.
        mime: its type.
        width, height: pixels; None where they are not known.
        duration: seconds; None where it is not known.
        kind: what it is in the service's word, as ``image``; None where it is not known.
        type: its role among several outputs in the service's word, as ``texture-normal``; None likewise.
        mark: what a person says of it, ``kept`` or ``rejected``; None where nobody has said anything.
        note: the person's words with it; empty where there are none.
    """

    asset_id: str
    path: Path
    bytes: int
    sha256: str
    mime: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    kind: str | None = None
    type: str | None = None
    mark: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParentResult:
    """A job whose output goes into another one.

    Attributes:
        job: its id.
        asset_id: of what goes in; None as long as nothing of the child was, or may have been, sent.
    """

    job: str
    asset_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierResult:
    """What a job had before the manifest was changed.

    Attributes:
        job_id: the service's id of it; None where there is none.
        model, prompt: as it was bought; the prompt is None for a job without one.
        status: as of ``JobResult``.
        asset_ids: in the service's order.
        files: those that are on the disk, where they lie now.
    """

    job_id: str | None
    model: str
    prompt: str | None
    status: str
    asset_ids: tuple[str, ...]
    files: tuple[File, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResult:
    """What became of one job.

    Attributes:
        id, model, prompt: as in the manifest; the prompt is None for a job without one.
        params: what was sent, or what would be.
        status: ``succeeded``, ``failed``, ``pending``, ``blocked``, ``running``, ...; the set may grow.
        job_id: the service's id of it; None where there is none.
        asset_ids: in the service's order.
        files: those that are on the disk.
        cost: compute units charged; None where the service has not said.
        seed: None where none was sent.
        error: why it has no result; empty where it has.
        entry: the name of the manifest's entry that it comes from; empty where it has none.
        vars: every variable that made it, by name, as the manifest has it.
        tags: in the manifest's order.
        earlier: what it had before the manifest was changed, newest first.
        parents: the jobs whose outputs go in, in the order of its inputs, one element an asset.
        waits_for: the ids of the parents that it waits for, or that block it.
        mark: ``kept`` where a person keeps one of its assets, else ``rejected`` where one is; None otherwise.
    """

    id: str
    model: str
    prompt: str | None
    params: Mapping[str, Any]
    status: str
    job_id: str | None
    asset_ids: tuple[str, ...]
    files: tuple[File, ...]
    cost: Decimal | None
    seed: float | None
    error: str
    entry: str = ""
    vars: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    earlier: tuple[EarlierResult, ...] = ()
    parents: tuple[ParentResult, ...] = ()
    waits_for: tuple[str, ...] = ()
    mark: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.status == "succeeded"


@dataclass(frozen=True, kw_only=True)
class Results(Mapping[str, JobResult]):
    """What a run came to; a mapping from each job's id to its result.

    Attributes:
        path: of ``results.json``, absolute.
        document: all that is in it.
        warnings: what the run found in the manifest that is probably a mistake; none where it was loaded.
    """

    path: Path
    document: Mapping[str, Any] = field(repr=False)
    warnings: tuple[Problem, ...] = ()

    @classmethod
    def load(cls, path: str | Path) -> "Results":
        """Read the results of an earlier run.

        Args:
            path: ``results.json``, or the folder of the batch.

        Raises:
            OutputError: it is not there, cannot be read, or is not a results file.
        """
        path = Path(path)
        path = path / JSON_NAME if path.is_dir() else path
        try:
            document = parse_json(read_text(path, largest=None), path)
        except FileFaultError as fault:
            raise OutputError(f"cannot read {fault}") from fault
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise OutputError(f"{path} is not a results file: its format is not {FORMAT}")
        return cls(path=path.absolute(), document=document)

    @property
    def batch(self) -> str:
        """The batch's name."""
        return str(self.document["batch"])

    @property
    def slot(self) -> str:
        """The slot's name; empty for a batch without slots."""
        return str(self.document.get("slot", ""))

    @property
    def exit(self) -> Exit:
        """The exit status that the command line would have."""
        return Exit(self.document["summary"].get("exit", Exit.REMAINS))

    @property
    def ok(self) -> bool:
        """Whether everything that was wanted is done."""
        return self.exit is Exit.DONE

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not, a sentence each."""
        return tuple(self.document["summary"].get("reasons", ()))

    @property
    def cost(self) -> Decimal:
        """Compute units charged in all, as far as the service has said."""
        return _amount(self.document["summary"]["cost"]["charged"]) or Decimal(0)

    @cached_property
    def jobs(self) -> Sequence[JobResult]:
        """Every job of the manifest, in its order."""
        return tuple(_job(one, self._folder) for one in self.document["jobs"])

    @property
    def chains(self) -> Mapping[str, tuple[str, ...]]:
        """By the id of every last job of a chain the ids on its way, parents first and without itself."""
        return {last: tuple(ids) for last, ids in self.document.get("chains", {}).items()}

    @property
    def undecided(self) -> tuple[str, ...]:
        """The ids of the manifest's jobs that wait for a mark on another one; they are not in ``jobs``."""
        return tuple(self.document.get("undecided", ()))

    @property
    def _folder(self) -> Path:
        """What paths are relative to: the slot's folder, also where this is the copy beside it."""
        beside = self.path.parent / str(self.document.get("folder", ""))
        return beside if beside.is_dir() else self.path.parent

    @cached_property
    def _by_id(self) -> Mapping[str, JobResult]:
        return {one.id: one for one in self.jobs}

    def __getitem__(self, job_id: str) -> JobResult:
        return self._by_id[job_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def raise_for_failures(self) -> "Results":
        """Return these results if everything that was wanted is done.

        Raises:
            UnfinishedError: something is not; it says why, and has the results.
        """
        if not self.ok:
            raise UnfinishedError(self)
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What jobs would cost, compute units.

    Attributes:
        low, high: equal where every answer was the same.
        unpriced: how many jobs have no known price, and are in neither.
    """

    low: Decimal
    high: Decimal
    unpriced: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedJob:
    """A job before a run.

    Attributes:
        id, model, prompt: as in the manifest; the prompt is None for a job without one.
        standing: ``new``, ``done``, ``changed``, ``in flight``, ...: where it stands.
        to_buy: whether a run would buy it.
        cost: compute units, the highest it may be; None where that is not known, or it is not to be bought.
    """

    id: str
    model: str
    prompt: str | None
    standing: str
    to_buy: bool
    cost: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run would do; nothing was bought for it.

    Attributes:
        batch: its name.
        jobs: every job of the manifest, or those that were selected, in its order.
        cost: of those that would be bought.
        rest: of those that would be bought too if all were selected; None where none would.
        changes: jobs that were bought in another form before: the names of the inputs that differ.
        stopped: why a run would refuse; empty where it would not.
        notes: what may surprise, a sentence each.
        warnings: what is probably a mistake in the manifest.
    """

    batch: str
    jobs: tuple[PlannedJob, ...]
    cost: Cost
    changes: Mapping[str, tuple[str, ...]]
    stopped: str
    notes: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()
    rest: Cost | None = None

    @property
    def to_buy(self) -> tuple[PlannedJob, ...]:
        """The jobs that would be bought."""
        return tuple(one for one in self.jobs if one.to_buy)


def _job(entry: Mapping[str, Any], folder: Path) -> JobResult:
    error = entry.get("error") or {}
    return JobResult(
        id=entry["id"],
        model=entry["model"],
        prompt=entry["prompt"],
        params=entry["params"],
        status=entry["status"],
        job_id=entry["job_id"],
        asset_ids=tuple(entry["asset_ids"]),
        files=_files(entry, folder),
        cost=_amount(entry["cost"]["charged"]),
        seed=entry["seed"],
        error=str(error.get("message", "")),
        entry=entry.get("entry") or "",
        vars=entry.get("vars", {}),
        tags=tuple(entry.get("tags", ())),
        earlier=tuple(_earlier(one, folder) for one in entry.get("earlier", ())),
        parents=tuple(
            ParentResult(job=one["job"], asset_id=one["asset_id"]) for one in entry.get("parents", ())
        ),
        waits_for=tuple(entry.get("waits_for", ())),
        mark=entry.get("mark"),
    )


def _earlier(entry: Mapping[str, Any], folder: Path) -> EarlierResult:
    return EarlierResult(
        job_id=entry["job_id"],
        model=entry["model"],
        prompt=entry["prompt"],
        status=entry["status"],
        asset_ids=tuple(entry["asset_ids"]),
        files=_files(entry, folder),
    )


def _files(entry: Mapping[str, Any], folder: Path) -> tuple[File, ...]:
    return tuple(
        File(
            asset_id=one["asset_id"],
            path=folder / one["path"],
            bytes=one["bytes"],
            sha256=one["sha256"],
            mime=one["mime"],
            width=one.get("width"),
            height=one.get("height"),
            duration=one.get("duration"),
            kind=one.get("kind"),
            type=one.get("type"),
            mark=one.get("mark"),
            note=one.get("note", ""),
        )
        for one in entry["files"]
    )


def _amount(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
