"""What the page says, worked out from a results document: pure, and without a word of HTML.

The template only lays out what it finds here.
"""

import json
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from batchgen.model import Json
from batchgen.output.entries import Status
from batchgen.output.thumbnails import Preview

WORDS: Mapping[str, str] = {
    Status.SUCCEEDED: "succeeded",
    Status.RUNNING: "running",
    Status.PENDING: "pending",
    Status.IN_DOUBT: "in doubt",
    Status.TIMED_OUT: "out of sight",
    Status.FAILED: "failed",
    Status.REFUSED: "refused",
    Status.CANCELED: "canceled",
}

_ORDER = {"picture": 0, "video": 1, "audio": 2, "mesh": 3, "text": 4, "file": 5, "absent": 6}


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One asset, or one job that has none.

    Attributes:
        shape: ``picture``, ``video``, ``audio``, ``mesh``, ``text``, ``file``; ``absent`` without a file.
        path: of the file, relative to the page; empty without one.
        preview: what is shown of it.
        facts: further lines as (name, value).
        haystack: what a search looks at, in lower case.
    """

    shape: str
    id: str
    prompt: str
    model: str
    status: str
    word: str
    path: str
    preview: Preview
    mime: str
    facts: tuple[tuple[str, str], ...]
    error: str
    haystack: str
    removed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCost:
    """One line of the table of costs; amounts as text."""

    model: str
    jobs: int
    succeeded: int
    quoted: str
    charged: str
    refunded: str
    net: str


def cards(document: Mapping[str, Json], previews: Mapping[str, Preview]) -> list[Card]:
    """Give every card: pictures first, then other files, then jobs without any; else in manifest order."""
    jobs = [(job, False) for job in document["jobs"]] + [(job, True) for job in document.get("removed", ())]
    made = [card for job, removed in jobs for card in _of_job(job, previews, removed=removed)]
    late = {Status.PENDING: 2, Status.RUNNING: 1}
    return sorted(made, key=lambda card: (_ORDER[card.shape], late.get(Status(card.status), 0)))


def _of_job(job: Mapping[str, Json], previews: Mapping[str, Preview], *, removed: bool) -> Iterator[Card]:
    files = {file["asset_id"]: file for file in job["files"]}
    for place, asset_id in enumerate(job["asset_ids"] or [""]):
        file = files.get(asset_id, {})
        path = file.get("path", "")
        yield Card(
            shape=shape_of(file.get("mime", "")) if path else "absent",
            id=job["id"],
            prompt=job["prompt"],
            model=job["model"],
            status=job["status"],
            word=WORDS[job["status"]],
            path=path,
            preview=previews.get(path, Preview()),
            mime=file.get("mime", ""),
            facts=tuple(_facts(job, asset_id, file, first=place == 0)),
            error=(job["error"] or {}).get("message", ""),
            haystack=_haystack(job, asset_id),
            removed=removed,
        )


def shape_of(mime: str) -> str:
    """Give the card's shape for a file of this type."""
    family = mime.partition("/")[0]
    if mime in {"image/vnd.radiance", "image/x-exr", "image/heic"}:
        return "file"  # no browser draws them
    if mime == "application/json":
        return "text"
    return {"image": "picture", "video": "video", "audio": "audio", "model": "mesh", "text": "text"}.get(
        family, "file"
    )


def _facts(
    job: Mapping[str, Json], asset_id: str, file: Mapping[str, Json], *, first: bool
) -> Iterator[tuple[str, str]]:
    """Give what is known, in the order people ask for it."""
    times = job["times"]
    given = ((name, value) for name, value in job["params"].items() if name != "seed")
    told = [
        ("seed", job["seed"]),
        *given,
        *_cost(job["cost"], first=first),
        ("time", duration(times["started"] or times["submitted"], times["finished"])),
        ("attempts", job["attempts"] if job["attempts"] > 1 else None),
        ("bought as", job["bought_as"]["prompt"] if job.get("accepted") else None),
        ("job", job["job_id"]),
        ("asset", asset_id),
        ("file", f"{file['mime']}, {size(file['bytes'])}" if file else None),
    ]
    for name, value in told:
        if value not in (None, ""):
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cost(cost: Mapping[str, Json], *, first: bool) -> list[tuple[str, str]]:
    """Say a job's cost once, so that nobody adds it up per picture."""
    if not first:
        return [("cost", "counted with the first")]
    if cost["charged"] is not None:
        back = f"{amount(cost['refunded'])} ({cost['refund']})" if cost.get("refund") else ""
        return [("cost", amount(cost["charged"])), ("refunded", back)]
    return [("quote", amount(cost["quoted"]))] if cost["quoted"] is not None else []


def _haystack(job: Mapping[str, Json], asset_id: str) -> str:
    params = json.dumps(job["params"], ensure_ascii=False)
    error = (job["error"] or {}).get("message", "")
    parts = (job["id"], job["prompt"], job["model"], params, job["job_id"] or "", asset_id, error)
    return "\n".join(parts).lower()


def amount(units: float | Decimal | None) -> str:
    """Give compute units as people read them."""
    if units is None:
        return "unknown"
    text = f"{round(units, 2):,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(count: int) -> str:
    """Give a number of bytes as people read it."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004 - decimal units, as file managers show them
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}" if unit != "B" else f"{count} B"


def duration(start: str | None, end: str | None) -> str:
    """Give the time between two stamps as people read it, empty where one is missing."""
    if not start or not end:
        return ""
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{max(seconds, 0):.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def model_costs(document: Mapping[str, Json]) -> list[ModelCost]:
    """Sum up by model, the dearest first."""
    jobs = [*document["jobs"], *document.get("removed", ())]
    count = Counter(job["model"] for job in jobs)
    good = Counter(job["model"] for job in jobs if job["status"] == Status.SUCCEEDED)
    sums = {name: _by_model(jobs, name) for name in ("quoted", "charged", "refunded")}
    charged, refunded = sums["charged"], sums["refunded"]
    return [
        ModelCost(
            model=model,
            jobs=count[model],
            succeeded=good[model],
            quoted=amount(sums["quoted"][model]) if sums["quoted"][model] else "",
            charged=amount(charged[model]),
            refunded=amount(refunded[model]),
            net=amount(charged[model] - refunded[model]),
        )
        for model in sorted(count, key=lambda model: -charged[model])
    ]


def _by_model(jobs: Iterable[Mapping[str, Json]], name: str) -> Mapping[str, Decimal]:
    """Add up one amount of every job; the text of a number is exact where the number is not."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for job in jobs:
        found[job["model"]] += Decimal(str(job["cost"][name] or 0))
    return found


def retry_command(document: Mapping[str, Json]) -> str:
    """Give the command that tries the failures again."""
    return shlex.join(["batchgen", "run", document["manifest"]["path"], "--retry-failed"])
