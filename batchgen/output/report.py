"""The page of pictures: one HTML file that needs nothing from anywhere.

Prompts and error texts are hostile here: everything is escaped by the template, no data is
put into the script, and the page's own policy allows this style, this script and nothing
else, by their hashes.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from batchgen.model import Json
from batchgen.output import atomic
from batchgen.output.cards import WORDS, Card, cards, retry_command
from batchgen.output.layout import Layout, amount, charged, files_at, lay_out
from batchgen.output.thumbnails import previews

NAME = "report.html"
NAME_OF_SOME = "selection.html"  # of a part of the jobs: the page of all stays beside it

MOST_CARDS = 20_000  # a page of more would not open; the table beside it has them all

_PIECES_A_CHUNK = 200


def write_report(folder: Path, document: Mapping[str, Json], *, name: str = NAME) -> Path:
    """Write the page into the batch's folder and give its path.

    Draws thumbnails in threads of its own and takes seconds for hundreds of pictures: call
    it from a worker thread. The folder can be moved as a whole.

    Args:
        folder: the batch's, with the files that the document names.
        document: a results document, built or read back from ``results.json``; ``selection`` in it says which
            jobs it is of, where it is of some.
        name: of the file.

    Raises:
        OutputError: the page is as it was.
    """
    layout = lay_out(document, MOST_CARDS)
    drawn = previews(folder, files_at(document, layout.spots))
    page = _render(document, layout, list(cards(document, layout.spots, drawn)))
    target = folder / name
    atomic.write_chunks(target, (atomic.encoded(piece) for piece in page))
    return target


def _render(document: Mapping[str, Json], layout: Layout, shown: Sequence[Card]) -> Iterator[str]:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, script = _resource("report.css"), _resource("report.js")
    counts = document["summary"]["statuses"]
    stream = environment.from_string(_resource("report.html.j2")).stream(
        document=document,
        summary=document["summary"],
        cards=shown,
        left_out=layout.left_out,
        statuses=[(status, word, counts[status]) for status, word in WORDS.items() if counts[status]],
        segments=_segments(counts),
        models=sorted({card.model for card in shown}),
        costs=layout.costs,
        retry=retry_command(document),
        films=sum(card.shape == "video" for card in shown),
        failures=sum(counts[status] for status in ("failed", "refused", "canceled")),
        amount=amount,
        charged=charged,
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
    )
    stream.enable_buffering(_PIECES_A_CHUNK)
    yield from stream


def _segments(counts: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """Return the bar of outcomes as (status, start, width), in hundredths."""
    total = sum(counts.values()) or 1
    placed: list[tuple[str, float, float]] = []
    start = 0.0
    for status in WORDS:
        width = 100 * counts[status] / total
        if width:
            placed.append((status, round(start, 3), round(width, 3)))
        start += width
    return placed


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _policy_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
