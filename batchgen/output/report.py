"""The page of pictures: one HTML file that needs nothing from anywhere.

Prompts and error texts are hostile here: everything is escaped by the template, no data is
put into the script, and the page's own policy allows this style, this script and nothing
else, by their hashes.
"""

import base64
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from batchgen import __version__
from batchgen.model import Json
from batchgen.output import atomic
from batchgen.output.cards import WORDS, Card, cards, retry_command
from batchgen.output.layout import Layout, Shown, amount, charged, lay_out, shown_at
from batchgen.output.strips import Strips
from batchgen.output.thumbnails import FOLDER, MISSING, is_whole, previews
from batchgen.plain_files import FileFaultError, open_plain

NAME = "report.html"
NAME_OF_SOME = "selection.html"  # of a part of the jobs: the page of all stays beside it

MOST_CARDS = 20_000  # a page of more would not open; the table beside it has them all

_PIECES_A_CHUNK = 200
_STYLE, _SCRIPT, _TEMPLATE = _RESOURCES = ("report.css", "report.js", "report.html.j2")
_THUMBNAIL = re.compile(rb'="%b/([0-9a-f]+\.webp)"' % FOLDER.encode())


def write_report(
    folder: Path,
    document: Mapping[str, Json],
    *,
    sha256: str = "",
    within: Path | None = None,
    name: str = NAME,
) -> Path:
    """Write the page beside ``results.json`` and give its path.

    Draws thumbnails in threads of its own and takes seconds for hundreds of pictures: call
    it from a worker thread. The folder can be moved as a whole. A whole page that was made of the same
    stays as it is, and so does each thumbnail.

    Args:
        folder: what the paths of the document are relative to.
        document: a results document, built or read back from ``results.json``; ``selection`` in it says which
            jobs it is of, where it is of some.
        sha256: of ``results.json``, hexadecimal; empty where the page is written whatever is there.
        within: nothing outside of it is shown; None for ``folder``.
        name: of the page.

    Raises:
        OutputError: the page is as it was.
    """
    target, mark = folder / name, _mark(sha256) if sha256 else ""
    shown = _thumbnails_of(target, mark)
    if shown is not None and _are_there(folder, shown):
        return target
    layout = lay_out(document, MOST_CARDS)
    seen = shown_at(document, layout.spots)
    drawn = previews(folder, seen.files, within=within)
    if shown is not None and _are_there(folder, shown):
        return target
    if any(one.trouble == MISSING for one in drawn.values()):
        mark = ""  # it may be back the next time
    strips = Strips(document, layout.numbers, {one.job for one in layout.spots}, drawn)
    page = _render(document, layout, seen, cards(document, layout.spots, drawn), strips)
    atomic.write_chunks(target, _sealed(map(atomic.encoded, page), mark))
    return target


def _mark(sha256: str) -> str:
    """Return what stands for all that a page is made of; a new version of the program draws it anew."""
    parts = (__version__, sha256, *map(_resource, _RESOURCES))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _sealed(page: Iterable[bytes], mark: str) -> Iterator[bytes]:
    """Close a page with a line that says what it is made of, and by which a change of it is seen."""
    digest = hashlib.sha256()
    for chunk in page:
        digest.update(chunk)
        yield chunk
    if mark:
        yield _seal(mark, digest.hexdigest())


def _seal(mark: str, digest: str) -> bytes:
    return f"\n<!-- batchgen {mark} {digest} -->\n".encode()


def _thumbnails_of(page: Path, mark: str) -> set[str] | None:
    """Return which thumbnails a page shows; None where it is damaged, or made of something else."""
    if not mark:
        return None
    digest, names = hashlib.sha256(), set[str]()
    length = len(_seal(mark, digest.hexdigest()))
    try:
        with open_plain(page) as file:
            left = os.fstat(file.fileno()).st_size - length
            while left > 0 and (line := file.readline(left)):
                left -= len(line)
                digest.update(line)
                names.update(one.decode() for one in _THUMBNAIL.findall(line))
            return names if file.read() == _seal(mark, digest.hexdigest()) else None
    except (FileFaultError, OSError):
        return None


def _are_there(folder: Path, names: Iterable[str]) -> bool:
    return all(is_whole(folder / FOLDER / one) for one in names)


def _render(
    document: Mapping[str, Json], layout: Layout, seen: Shown, shown: Iterator[Card], strips: Strips
) -> Iterator[str]:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, script = _resource(_STYLE), _resource(_SCRIPT)
    counts = Counter(document["summary"]["statuses"])  # of an older document some are left out
    stream = environment.from_string(_resource(_TEMPLATE)).stream(
        document=document,
        summary=document["summary"],
        cards=shown,
        strip_of=strips.of,
        left_out=layout.left_out,
        statuses=[(status, word, counts[status]) for status, word in WORDS.items() if counts[status]],
        segments=_segments(counts),
        models=seen.models,
        costs=layout.costs,
        retry=retry_command(document),
        films=seen.films,
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
