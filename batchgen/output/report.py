"""The page of pictures: one HTML file that needs nothing from anywhere.

Prompts and error texts are hostile here: what stands in the page's own text is escaped by the template, all
else is data (``page_data``) that the script shows as text. The page's own policy allows this style, this
script and nothing else, by their hashes.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from markupsafe import Markup

from batchgen import __version__
from batchgen.model import Json
from batchgen.output import atomic
from batchgen.output.cards import WORDS, mark_from
from batchgen.output.layout import Layout, amount, charged, lay_out
from batchgen.output.page_data import Sent, chosen, page_data, pictures_in, shown_files
from batchgen.output.page_script import TEMPLATE, policy_hash, resource, script, style
from batchgen.output.thumbnails import MISSING, Preview, is_whole, previews
from batchgen.plain_files import FileFaultError, open_plain

NAME = "report.html"
NAME_OF_SOME = "selection.html"  # of a part of the jobs: the page of all stays beside it

MOST_CARDS = 20_000  # a page of more would not open; the table beside it has them all

_PIECES_A_CHUNK = 200
_FAILURES = ("failed", "refused", "canceled")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Earlier:
    """A page as it is on the disk.

    Attributes:
        is_whole: whether nobody has changed it since it was made of just what is to be shown now.
        pictures: that it shows, by key.
    """

    is_whole: bool = False
    pictures: Mapping[str, Preview] = field(default_factory=dict)

    def is_shown_in(self, folder: Path) -> bool:
        """Return whether nothing is to be done: it is whole, and so are its thumbnails."""
        beside = (one for one in self.pictures.values() if not one.embedded)
        return self.is_whole and all(is_whole(folder / one.src) for one in beside)


def write_report(
    folder: Path,
    document: Mapping[str, Json],
    *,
    sha256: str = "",
    within: Path | None = None,
    name: str = NAME,
    enough: Callable[[], bool] | None = None,
) -> Path:
    """Write the page beside ``results.json`` and give its path.

    Draws thumbnails in threads of its own and takes seconds for hundreds of pictures: call
    it from a worker thread. The folder can be moved as a whole. A whole page that was made of the same
    stays as it is, and no thumbnail is drawn twice.

    Args:
        folder: what the paths of the document are relative to.
        document: a results document, built or read back from ``results.json``; ``selection`` in it says which
            jobs it is of, where it is of some.
        sha256: of ``results.json``, hexadecimal; empty where the page is written whatever is there.
        within: nothing outside of it is shown; None for ``folder``.
        name: of the page.
        enough: whether no more pictures are to be drawn: the next page has them; None for all of them.

    Raises:
        OutputError: the page is as it was.
    """
    target, mark = folder / name, _mark(sha256) if sha256 else ""
    earlier = _earlier_page(target, mark)
    if earlier.is_shown_in(folder):
        return target
    layout = lay_out(document, MOST_CARDS)
    jobs = chosen(layout)
    files = shown_files(document, jobs)
    drawn = previews(folder, files, within=within, known=earlier.pictures, enough=enough)
    if earlier.is_shown_in(folder):
        return target
    if any(one.is_put_off or one.trouble == MISSING for one in drawn.values()):
        mark = ""  # it may be drawn, or back, the next time
    page = render(document, layout, jobs, drawn)
    atomic.write_chunks(target, _sealed(map(atomic.encoded, page), mark))
    return target


def _mark(sha256: str) -> str:
    """Return what stands for all that a page is made of; a new version of the program draws it anew."""
    parts = (__version__, sha256, style(), script(), resource(TEMPLATE))
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


def _earlier_page(page: Path, mark: str) -> _Earlier:
    """Read the page that is there: its pictures, if it is one, and whether it is what is to be shown."""
    digest, pictures = hashlib.sha256(), dict[str, Preview]()
    length = len(_seal("0" * 64, digest.hexdigest()))
    try:
        with open_plain(page) as file:
            left = os.fstat(file.fileno()).st_size - length
            while left > 0 and (line := file.readline(left)):
                left -= len(line)
                digest.update(line)
                pictures.update((one.key, one) for one in pictures_in(line))
            whole = bool(mark) and file.read() == _seal(mark, digest.hexdigest())
    except (FileFaultError, OSError):
        return _Earlier()
    return _Earlier(is_whole=whole, pictures=pictures)


def render(
    document: Mapping[str, Json],
    layout: Layout,
    jobs: Mapping[int, Sequence[int]],
    drawn: Mapping[str, Preview],
    sent: Sent | None = None,
) -> Iterator[str]:
    """Write a page, piece by piece; see ``page_data`` for what it takes."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    counts = Counter(document["summary"]["statuses"])  # of an older document some are left out
    stream = environment.from_string(resource(TEMPLATE)).stream(
        document=document,
        summary=document["summary"],
        data=map(Markup, page_data(document, layout, jobs, drawn, sent)),
        left_out=layout.left_out,
        segments=_segments(counts),
        mark_command=mark_from(document),
        failures=sum(counts[status] for status in _FAILURES),
        alone=sent is not None,
        amount=amount,
        charged=charged,
        style=Markup(style()),  # noqa: S704 - a file of this package
        script=Markup(script()),  # noqa: S704 - files of this package
        style_hash=policy_hash(style()),
        script_hash=policy_hash(script()),
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
