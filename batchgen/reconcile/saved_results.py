"""What a results manifest still says of the jobs of a lost journal. Pure."""

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from batchgen.model import File, Json
from batchgen.planning.marks import Mark, Wanted

_FORMAT = "batchgen/results@1"
_DOUBTFUL = frozenset({"running", "in_doubt"})  # without a remote id: submitted, and the answer not known
_NOT_BOUGHT = frozenset({"pending", "blocked"})
_GIVEN_UP = "given up"


class Role(StrEnum):
    """What a submission of the results is to the job that it is told of."""

    OWN = "own"
    EARLIER = "earlier"  # it was the job's own, or another one is by now
    REDO = "redo"  # it is to be the job's own, and has brought nothing yet


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedJob:
    """One job as a results manifest shows it.

    Attributes:
        id: the job's.
        prompt, model: as sent, which is not the manifest's form where a change was accepted; the prompt is
            None for a job without one.
        params: as sent, without the prompt; queries of URLs are cut off.
        status: the word of the results.
        remote_id: of the latest attempt; None where it has no submission that is known.
        attempt: the latest that was begun, from 1; 0 before the first.
        seed: in the body, derived or given.
        quoted: what all attempts together were to cost, in compute units.
        charged: compute units, all attempts together.
        submitted_at: seconds since the epoch.
        files: what lay on disk.
        error: why, for people.
        asset_ids: what came out of it.
        role: what it is to the job of this id.
        others: of a job that was made again, what it had beside this, oldest first, and what is under way
            last; what an edited job had before is among them too, as long as nothing tells it apart.
    """

    id: str
    prompt: str | None
    model: str
    params: Mapping[str, Json]
    status: str
    remote_id: str | None
    attempt: int
    seed: float | None = None
    quoted: Decimal | None = None
    charged: Decimal | None = None
    submitted_at: float | None = None
    files: tuple[File, ...] = ()
    error: str = ""
    asset_ids: tuple[str, ...] = ()
    role: Role = Role.OWN
    others: tuple["SavedJob", ...] = ()

    @property
    def in_doubt(self) -> bool:
        """Whether a body left and its answer was not known."""
        return self.remote_id is None and self.status in _DOUBTFUL

    @property
    def given_up(self) -> bool:
        """Whether a person gave it up without knowing what became of it."""
        return self.remote_id is None and self.status == "failed" and self.error.startswith(_GIVEN_UP)

    @property
    def asks_again(self) -> bool:
        """Whether it was to be made again and was not bought yet: nobody is asked to pay for that."""
        return any(one.role is Role.REDO and one.status in _NOT_BOUGHT for one in self.others)

    @property
    def was_submitted(self) -> bool:
        """Whether it was paid for, or may have been."""
        return self.remote_id is not None or self.in_doubt or self.given_up


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedResults:
    """What an earlier run wrote of its jobs.

    Attributes:
        slot: whose they are; empty for a batch that does not repeat.
        jobs: those that were removed included; the paths of their files are relative to the batch's folder.
        marks: what a person said of their assets.
    """

    slot: str
    jobs: tuple[SavedJob, ...]
    marks: tuple[Wanted, ...] = ()


def read_results(text: str) -> SavedResults:
    """Read a results manifest.

    Raises:
        ValueError: it is none, or one of another format.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError(f"its format is not {_FORMAT}")
    slot, folder = document.get("slot", ""), document.get("folder", "")
    if not (isinstance(slot, str) and isinstance(folder, str)):
        raise ValueError("its slot cannot be read")  # noqa: TRY004 - the file is wrong, not the caller
    try:
        told = (*document["jobs"], *document.get("removed", ()))
        jobs = tuple(_job(one, folder) for one in told)
        marks = {one.asset_id: one for job in told for one in _marks(job)}
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"a job in it cannot be read: {error!r}") from error
    return SavedResults(slot=slot, jobs=jobs, marks=tuple(marks.values()))


def _marks(job: Mapping[str, Json]) -> Iterator[Wanted]:
    """Return the marks of a job's assets; of those that are no marks of ours there is none."""
    of_files = ((one["asset_id"], one) for one in job["files"])
    for asset, one in (*of_files, *job.get("asset_marks", {}).items()):
        mark, note = one.get("mark"), one.get("note")
        if mark in set(Mark):
            yield Wanted(asset, mark, note if isinstance(note, str) else "")


def _job(one: Mapping[str, Json], folder: str) -> SavedJob:
    charged, quoted = one["cost"]["charged"], one["cost"]["quoted"]
    submitted = one["times"]["submitted"]
    bought = one.get("bought_as", one)  # what was accepted was paid for in another form
    job = SavedJob(
        id=one["id"],
        prompt=bought["prompt"],
        model=bought["model"],
        params=dict(one["params"]),
        status=one["status"],
        remote_id=one["job_id"],
        attempt=one["attempts"],
        seed=one["seed"],
        quoted=None if quoted is None else Decimal(str(quoted)),
        charged=None if charged is None else Decimal(str(charged)),
        submitted_at=None if submitted is None else datetime.fromisoformat(submitted).timestamp(),
        files=tuple(_file(file, folder) for file in one["files"]),
        error=(one["error"] or {}).get("message", ""),
        asset_ids=tuple(one["asset_ids"]),
    )
    others = [_other(job, each, Role.EARLIER, folder) for each in reversed(one.get("earlier") or ())]
    if one.get("redo"):
        others.append(_other(job, one["redo"], Role.REDO, folder))
    return replace(job, others=tuple(others)) if others else job


def _other(job: SavedJob, one: Mapping[str, Json], role: Role, folder: str) -> SavedJob:
    """Read what a job had beside its own, or is to have: it was sent like that, but for its seed.

    What it had before an edit is told likewise, and was sent in another form.
    """
    cost, seed = one.get("cost") or {}, one.get("seed")
    charged, quoted = cost.get("charged"), cost.get("quoted")
    params = {name: each for name, each in job.params.items() if name != "seed"}
    return replace(
        job,
        prompt=one.get("prompt", job.prompt) if role is Role.EARLIER else job.prompt,
        model=one.get("model", job.model) if role is Role.EARLIER else job.model,
        params=params if seed is None else {**params, "seed": seed},
        status=one["status"],
        remote_id=one["job_id"],
        attempt=0,
        seed=seed,
        quoted=None if quoted is None else Decimal(str(quoted)),
        charged=None if charged is None else Decimal(str(charged)),
        submitted_at=None,
        files=tuple(_file(file, folder) for file in one.get("files", ())),
        error=(one.get("error") or {}).get("message", ""),
        asset_ids=tuple(one.get("asset_ids", ())),
        role=role,
    )


_TOLD_OF_FILES: Mapping[str, type | tuple[type, ...]] = {
    "width": int,
    "height": int,
    "duration": (int, float),
    "kind": str,
    "type": str,
}


def _file(one: Mapping[str, Json], folder: str) -> File:
    """Read a file; results of an earlier version say less of it, those of a later one may say more.

    Its path is relative to the slot's folder there, and to the batch's in a record.
    """
    told: dict[str, Json] = {name: one[name] for name in ("asset_id", "bytes", "sha256", "mime")}
    for name, kinds in _TOLD_OF_FILES.items():
        if isinstance(one.get(name), kinds) and not isinstance(one[name], bool):
            told[name] = one[name]
    return File(path=posixpath.normpath(posixpath.join(folder, one["path"])), **told)
