"""The page of pictures: one HTML file that needs nothing from anywhere.

Prompts and error texts are hostile here: what stands in the page's own text is escaped by the template, all
else is data (``page_data``) that the script shows as text. The page's own policy allows this style, this
script and nothing else, by their hashes.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from batchgen import __version__
from batchgen.model import Json
from batchgen.output import atomic
from batchgen.output.page_script import TEMPLATE, resource, script, style
from batchgen.output.previews import MISSING, Preview, is_whole, pictures_in
from batchgen.plain_files import FileFaultError, open_plain

NAME = "report.html"
NAME_OF_SOME = "selection.html"  # of a part of the jobs: the page of all stays beside it

MOST_CARDS = 20_000  # a page of more would not open; the table beside it has them all

_END_OF_SEAL = b" -->\n"
_LENGTH_OF_SEAL = len("\n<!-- batchgen ") + 64 + 1 + 64 + len(_END_OF_SEAL)


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
        return self.is_whole and all(is_whole(f"{folder}/{one.src}") for one in beside)


def write_report(
    folder: Path,
    document: Mapping[str, Json],
    *,
    sha256: str = "",
    table: str = "",
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
        table: of ``results.csv``, which the page is said to lie beside.
        within: nothing outside of it is shown; None for ``folder``.
        name: of the page.
        enough: whether no more pictures are to be drawn: the next page has them; None for all of them.

    Raises:
        OutputError: the page is as it was.
    """
    target, mark = folder / name, _mark(sha256, table) if sha256 else ""
    earlier = _earlier_page(target, mark)
    if earlier.is_shown_in(folder):
        return target
    from batchgen.output.layout import lay_out  # noqa: PLC0415 - what lays out and draws: most pages stay
    from batchgen.output.page_data import chosen, shown_files  # noqa: PLC0415
    from batchgen.output.page_text import render  # noqa: PLC0415
    from batchgen.output.thumbnails import previews  # noqa: PLC0415

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


def is_beside(page: Path, sha256: str, table: str) -> bool:
    """Return whether the last line of a page says that this version wrote it beside these two results files.

    Args:
        page: its place.
        sha256: of ``results.json``, hexadecimal.
        table: of ``results.csv``.
    """
    seal = _seal(_mark(sha256, table), "")
    try:
        with open_plain(page) as file:
            file.seek(-_LENGTH_OF_SEAL, os.SEEK_END)
            return file.read().startswith(seal[: len(seal) - len(_END_OF_SEAL)])
    except (FileFaultError, OSError):
        return False


def _mark(sha256: str, table: str) -> str:
    """Return what stands for all that a page is made of; a new version of the program draws it anew."""
    parts = (__version__, sha256, table, style(), script(), resource(TEMPLATE))
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
    return f"\n<!-- batchgen {mark} {digest}".encode() + _END_OF_SEAL


def _earlier_page(page: Path, mark: str) -> _Earlier:
    """Read the page that is there: its pictures, if it is one, and whether it is what is to be shown."""
    digest, pictures = hashlib.sha256(), dict[str, Preview]()
    try:
        with open_plain(page) as file:
            left = os.fstat(file.fileno()).st_size - _LENGTH_OF_SEAL
            while left > 0 and (line := file.readline(left)):
                left -= len(line)
                digest.update(line)
                pictures.update((one.key, one) for one in pictures_in(line))
            whole = bool(mark) and file.read() == _seal(mark, digest.hexdigest())
    except (FileFaultError, OSError):
        return _Earlier()
    return _Earlier(is_whole=whole, pictures=pictures)
