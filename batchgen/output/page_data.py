"""The data of the page: one JSON text, a line a picture and a line a job, which no browser can read as tags.

Its pictures can be read back from a page (``previews.pictures_in``), so that the next page of the same batch
draws only what is new.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from batchgen.model import Json
from batchgen.output.cards import WORDS, job_data, reference, retry_all, retry_one
from batchgen.output.layout import Layout, job_number
from batchgen.output.previews import FOLDER, Preview
from batchgen.output.strips import Strip, Strips

# what ends a script's text, opens a tag or is a line's end to some readers
_ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What a page has inside that is sent alone.

    Attributes:
        files: data URIs of files that are no pictures, by path.
    """

    files: Mapping[str, str] = field(default_factory=dict)


def safe_json(value: Json) -> str:
    """Return JSON that can stand in a page: the text of no value ends the data or opens a tag."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPED)


def chosen(layout: Layout) -> dict[int, list[int]]:
    """Return the numbers of the jobs that a page shows, in the document's order, with their assets."""
    found: dict[int, list[int]] = {}
    for spot in sorted(layout.spots, key=lambda one: (one.job, one.asset)):
        found.setdefault(spot.job, []).append(spot.asset)
    return found


def shown_files(document: Mapping[str, Json], jobs: Iterable[int]) -> Iterator[Mapping[str, Json]]:
    """Return the files that a page shows of jobs, those of earlier purchases too."""
    for number in jobs:
        job = job_number(document, number)
        yield from job["files"]
        for one in job.get("earlier", ()):
            yield from one.get("files", ())


def page_data(
    document: Mapping[str, Json],
    layout: Layout,
    jobs: Mapping[int, Sequence[int]],
    previews: Mapping[str, Preview],
    sent: Sent | None = None,
) -> Iterator[str]:
    """Write the data, piece by piece.

    Args:
        document: of results.
        layout: of the page.
        jobs: the numbers of the jobs that are shown, each with its assets; see ``chosen``.
        previews: what was drawn of their files, by path.
        sent: what a page has inside that is sent alone; None for one that lies beside its files.
    """
    yield f'{{"head":{safe_json(_head(document, layout, sent))},\n"pictures":{{\n'
    yield from _by_line(_pictures(previews.values()))
    yield '},\n"jobs":[\n'
    yield from _by_line(map(safe_json, _jobs(document, layout, jobs, previews)))
    yield "]}"


def _by_line(lines: Iterable[str]) -> Iterator[str]:
    before = ""
    for line in lines:
        yield before + line
        before = ",\n"
    yield "\n"


def _head(document: Mapping[str, Json], layout: Layout, sent: Sent | None) -> dict[str, Json]:
    return {
        "batch": document["batch"],
        "slot": document.get("slot", ""),
        "written": document["summary"]["written_at"],
        "words": WORDS,
        "costs": {name: [asdict(one) for one in lines] for name, lines in layout.costs.items()},
        "retry": retry_all(document),
        "leftOut": layout.left_out,
        "alone": sent is not None,
        "files": dict(sent.files) if sent else {},
    }


def _pictures(previews: Iterable[Preview]) -> Iterator[str]:
    seen = set[str]()
    for one in previews:
        key = reference(one)
        if key and key not in seen:
            seen.add(key)
            src = "" if one.src.startswith(f"{FOLDER}/") and one.key else one.src
            yield f"{safe_json(key)}:{safe_json([one.width, one.height, int(one.transparent), src])}"


def _jobs(
    document: Mapping[str, Json],
    layout: Layout,
    jobs: Mapping[int, Sequence[int]],
    previews: Mapping[str, Preview],
) -> Iterator[dict[str, Json]]:
    strips, retry = Strips(document, layout.numbers, jobs, previews), retry_one(document)
    last = len(document["jobs"])
    for number, places in jobs.items():
        job, removed = job_number(document, number), number >= last
        told = {"n": number, **job_data(job, places, previews, retry="" if removed else retry)}
        if removed:
            told["removed"] = True
        elif strip := strips.of(job):
            told["strip"] = _strip(strip)
        yield told


def _strip(strip: Strip) -> dict[str, Json]:
    steps = [
        {
            "more": more,
            "made": [{**asdict(one), "preview": reference(one.preview)} for one in made],
        }
        for made, more in strip.steps
    ]
    return {"before": strip.before, "count": strip.count, "cost": strip.cost, "steps": steps}
