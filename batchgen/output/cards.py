"""What the page knows of each job and its cards, worked out from a results document: pure, and no HTML.

All of it becomes data of the page; its script shows it and decides which of it. Nothing here is text that a
browser would read as tags or script: ``page_data`` writes it as JSON.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from batchgen.model import TEXT_INPUTS, Json
from batchgen.output.entries import Status
from batchgen.output.layout import amount, assets, charged, files, shape, word
from batchgen.output.previews import Preview
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
_TRIED_AGAIN = frozenset({Status.FAILED, Status.REFUSED, Status.CANCELED})
_OF_A_FILE = ("path", "mime", "bytes", "width", "height", "duration", "type")


def job_data(
    job: Mapping[str, Json], places: Sequence[int], previews: Mapping[str, Preview], *, retry: str
) -> dict[str, Json]:
    """Return what the page knows of a job; what is empty is left out.

    Args:
        job: an element of a document's ``jobs``.
        places: which of its assets have cards, in their order.
        previews: what was drawn of files, by path.
        retry: the command that tries one job again, without the job; empty where there is none.
    """
    prompt, title, times = job.get("prompt"), _title(job), job["times"]
    again = retry and job["status"] in _TRIED_AGAIN
    told = {
        "id": job["id"],
        "prompt": prompt,
        "title": title if title != prompt else None,
        "model": job["model"],
        "status": job["status"],
        "entry": job.get("entry"),
        "vars": {name: word(value) for name, value in job.get("vars", {}).items()},
        "tags": job.get("tags"),
        "error": (job["error"] or {}).get("message"),
        "command": f"{retry} {shlex.quote(job['id'])}" if again else None,
        "charged": job["cost"]["charged"],
        "seconds": seconds_between(times["started"] or times["submitted"], times["finished"]),
        "at": times["submitted"],
        "facts": list(_facts(job)),
        "earlier": [_earlier(one, previews) for one in job.get("earlier", ())],
        "redo": _redo(job.get("redo")),
        "cards": [_card(job, place, previews) for place in places],
    }
    return _filled(told)


def _filled(told: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}


def _card(job: Mapping[str, Json], place: int, previews: Mapping[str, Preview]) -> dict[str, Json]:
    """Return what the page knows of one asset, or of a job that has none."""
    asset_id = assets(job)[place]
    file = files(job).get(asset_id, {})
    marked = file or job.get("asset_marks", {}).get(asset_id, {})
    drawn, kind = previews.get(file.get("path", ""), Preview()), shape(file)
    told = {
        "asset": asset_id,
        "shape": kind,
        **{name: file.get(name) for name in _OF_A_FILE},
        "size": size(file["bytes"]) if file else None,
        "picture": reference(drawn),
        "still": reference(_still(job, place, previews)) if kind in _WITH_STILL else None,
        "excerpt": drawn.excerpt,
        "trouble": drawn.trouble,
        "mark": marked.get("mark"),
        "note": marked.get("note"),
    }
    return _filled(told)


def reference(preview: Preview) -> str:
    """Return by which key the page finds a picture; empty where there is none."""
    return preview.key or preview.src


def _still(job: Mapping[str, Json], place: int, previews: Mapping[str, Preview]) -> Preview:
    """Return the picture that stands right before an asset: that is where the service puts one of a mesh."""
    before = files(job).get(job["asset_ids"][place - 1], {}) if place else {}
    return previews.get(before["path"], Preview()) if shape(before) == "picture" else Preview()


def _title(job: Mapping[str, Json]) -> str:
    texts = (job.get("prompt"), *(job["params"].get(name) for name in TEXT_INPUTS), job["id"])
    return next(one for one in texts if isinstance(one, str) and one)


def _facts(job: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Return what is known, in the order people ask for it."""
    times = job["times"]
    given = ((name, value) for name, value in job["params"].items() if name != "seed")
    told = [
        ("made of", ", ".join(_made_of(job))),
        ("seed", job["seed"]),
        *given,
        *_cost(job["cost"]),
        ("time", duration(times["started"] or times["submitted"], times["finished"])),
        ("attempts", job["attempts"] if job["attempts"] > 1 else None),
        ("bought as", _bought_as(**job["bought_as"]) if job.get("accepted") else None),
        ("job", job["job_id"]),
    ]
    for name, value in told:
        if value not in (None, ""):
            yield name, word(value)


def _made_of(job: Mapping[str, Json]) -> Iterator[str]:
    for one in job.get("parents", ()):
        yield f"{one['job']} ({one['asset_id']})" if one["asset_id"] else one["job"]


def _bought_as(prompt: str | None, model: str) -> str:
    return model if prompt is None else prompt


def _cost(cost: Mapping[str, Json]) -> list[tuple[str, str]]:
    """Say what the job cost, with all its assets."""
    if cost["charged"] is not None or cost.get("untold"):
        back = f"{amount(cost['refunded'])} ({cost['refund']})" if cost.get("refund") else ""
        return [("cost", charged(cost["charged"], cost.get("untold", 0))), ("refunded", back)]
    return [("quote", amount(cost["quoted"]))] if cost["quoted"] is not None else []


def _earlier(one: Mapping[str, Json], previews: Mapping[str, Preview]) -> dict[str, Json]:
    """Return what the page says of an earlier purchase of the same job."""
    found = [
        _filled(
            {
                "path": file["path"],
                "picture": reference(previews.get(file["path"], Preview())),
                "mark": file.get("mark"),
            }
        )
        for file in one.get("files", ())
    ]
    told = {name: one.get(name) for name in ("job_id", "prompt", "model", "status", "asset_ids")}
    facts = [("seed", one.get("seed")), *(_cost(one["cost"]) if "cost" in one else ())]
    said = ", ".join(f"{name} {word(value)}" for name, value in facts if value not in (None, ""))
    return _filled({**told, "facts": said, "files": found})


def _redo(redo: Json) -> dict[str, Json] | None:
    """Return how what is made in a job's place stands, where something is."""
    if not isinstance(redo, Mapping):
        return None
    told = {name: redo.get(name) for name in ("status", "job_id")}
    return _filled({**told, "error": (redo.get("error") or {}).get("message")})


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
    seconds = seconds_between(start, end) or 0.0
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Return the time between two stamps in seconds; None where one is missing."""
    if not start or not end:
        return None
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    return max(round(seconds, 3), 0.0)


def retry_all(document: Mapping[str, Json]) -> str:
    """Return the command that tries the failures again."""
    return shlex.join([*_command("run", document), "--retry-failed"])


def retry_one(document: Mapping[str, Json]) -> str:
    """Return the command that tries one job again, without the job."""
    return shlex.join(_command("retry", document))


def mark_from(document: Mapping[str, Json]) -> str:
    """Return the command that puts exported marks into the journal."""
    return shlex.join([*_command("mark", document), "--from", "marks.json"])


def _command(name: str, document: Mapping[str, Json]) -> list[str]:
    slot = ["--slot", document["slot"]] if document.get("slot") else []
    rehearsal = ["--simulate"] if document.get("rehearsal") else []
    return ["batchgen", name, document["manifest"]["path"], *slot, *rehearsal]
