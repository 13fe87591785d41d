"""What the page says, worked out from a results document: pure, and without a word of HTML.

The template only lays out what it finds here.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from batchgen.model import TEXT_INPUTS, Json
from batchgen.output.entries import Status
from batchgen.output.layout import Spot, amount, assets, charged, files, job_at, shape
from batchgen.output.thumbnails import Preview
from batchgen.planning.stages import Stage

WORDS: Mapping[str, str] = {
    Status.SUCCEEDED: Stage.DONE.value,
    Status.RUNNING: Stage.RUNNING.value,
    Status.PENDING: Stage.NOT_BOUGHT.value,
    Status.IN_DOUBT: Stage.IN_DOUBT.value,
    Status.TIMED_OUT: "out of sight",
    Status.FAILED: Stage.FAILED.value,
    Status.REFUSED: "refused",
    Status.CANCELED: "canceled",
    Status.BLOCKED: "blocked",
}


_WITH_STILL = frozenset({"mesh", "video"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One asset, or one job that has none.

    Attributes:
        shape: ``picture``, ``video``, ``audio``, ``mesh``, ``text``, ``file``; ``absent`` without a file.
        title: the prompt; of a job without one its text, else its id.
        path: of the file, relative to the page; empty without one.
        name: of the file, without its folder.
        weight: how many bytes it has, for people.
        preview: what is shown of it.
        still: for a mesh or a film, the picture that came right before it.
        facts: further lines as (name, value).
        haystack: what a search looks at, in lower case.
        number: the job's among all of the document.
        first: whether it is the first of its job's cards.
        asset_id: the service's; empty for a job without an asset.
    """

    shape: str
    id: str
    title: str
    model: str
    status: str
    word: str
    path: str
    name: str
    weight: str
    preview: Preview
    still: Preview
    mime: str
    facts: tuple[tuple[str, str], ...]
    error: str
    haystack: str
    removed: bool
    number: int = 0
    first: bool = True
    asset_id: str = ""


def cards(
    document: Mapping[str, Json], spots: Iterable[Spot], previews: Mapping[str, Preview]
) -> Iterator[Card]:
    """Make the cards at some spots."""
    for spot in spots:
        yield _card(job_at(document, spot), spot, previews, removed=spot.job >= len(document["jobs"]))


def _card(job: Mapping[str, Json], spot: Spot, previews: Mapping[str, Preview], *, removed: bool) -> Card:
    asset_id = assets(job)[spot.asset]
    file = files(job).get(asset_id, {})
    path = file.get("path", "")
    kind = shape(file)
    return Card(
        shape=kind,
        id=job["id"],
        title=_title(job),
        model=job["model"],
        status=job["status"],
        word=WORDS[job["status"]],
        path=path,
        name=path.rpartition("/")[2],
        weight=size(file["bytes"]) if file else "",
        preview=previews.get(path, Preview()),
        still=_still(job, spot.asset, previews) if kind in _WITH_STILL else Preview(),
        mime=file.get("mime", ""),
        facts=tuple(_facts(job, asset_id, file, first=spot.asset == 0)),
        error=(job["error"] or {}).get("message", ""),
        haystack=_haystack(job, asset_id),
        removed=removed,
        number=spot.job,
        first=spot.asset == 0,
        asset_id=asset_id,
    )


def _still(job: Mapping[str, Json], place: int, previews: Mapping[str, Preview]) -> Preview:
    """Return the picture that stands right before an asset: that is where the service puts one of a mesh."""
    before = files(job).get(job["asset_ids"][place - 1], {}) if place else {}
    return previews.get(before["path"], Preview()) if shape(before) == "picture" else Preview()


def _title(job: Mapping[str, Json]) -> str:
    texts = (job.get("prompt"), *(job["params"].get(name) for name in TEXT_INPUTS), job["id"])
    return next(one for one in texts if isinstance(one, str) and one)


def _facts(
    job: Mapping[str, Json], asset_id: str, file: Mapping[str, Json], *, first: bool
) -> Iterator[tuple[str, str]]:
    """Return what is known, in the order people ask for it."""
    times = job["times"]
    given = ((name, value) for name, value in job["params"].items() if name != "seed")
    told = [
        ("made of", ", ".join(_made_of(job))),
        ("seed", job["seed"]),
        *given,
        *_cost(job["cost"], first=first),
        ("time", duration(times["started"] or times["submitted"], times["finished"])),
        ("attempts", job["attempts"] if job["attempts"] > 1 else None),
        ("bought as", _bought_as(**job["bought_as"]) if job.get("accepted") else None),
        ("job", job["job_id"]),
        ("asset", asset_id),
        ("file", f"{file['mime']}, {size(file['bytes'])}" if file else None),
    ]
    for name, value in told:
        if value not in (None, ""):
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _made_of(job: Mapping[str, Json]) -> Iterator[str]:
    for one in job.get("parents", ()):
        yield f"{one['job']} ({one['asset_id']})" if one["asset_id"] else one["job"]


def _bought_as(prompt: str | None, model: str) -> str:
    return model if prompt is None else prompt


def _cost(cost: Mapping[str, Json], *, first: bool) -> list[tuple[str, str]]:
    """Say a job's cost once, so that nobody adds it up per picture."""
    if not first:
        return [("cost", "counted with the first")]
    if cost["charged"] is not None or cost.get("untold"):
        back = f"{amount(cost['refunded'])} ({cost['refund']})" if cost.get("refund") else ""
        return [("cost", charged(cost["charged"], cost.get("untold", 0))), ("refunded", back)]
    return [("quote", amount(cost["quoted"]))] if cost["quoted"] is not None else []


def _haystack(job: Mapping[str, Json], asset_id: str) -> str:
    params = json.dumps(job["params"], ensure_ascii=False)
    error = (job["error"] or {}).get("message", "")
    parts = (job["id"], job.get("prompt") or "", job["model"], params, job["job_id"] or "", asset_id, error)
    return "\n".join(parts).lower()


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004 - decimal units, as file managers show them
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}" if unit != "B" else f"{count} B"


def duration(start: str | None, end: str | None) -> str:
    """Return the time between two stamps as people read it, empty where one is missing."""
    if not start or not end:
        return ""
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{max(seconds, 0):.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def retry_command(document: Mapping[str, Json]) -> str:
    """Return the command that tries the failures again."""
    return shlex.join(["batchgen", "run", document["manifest"]["path"], "--retry-failed"])
