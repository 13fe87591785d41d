"""A page that is sent: one file with its pictures inside, or a zip of the page with what it shows and links.

The single file is made as good as a mail allows: pictures are drawn as large as all of them fit.
"""

import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from batchgen.errors import InputError
from batchgen.formats import counted
from batchgen.model import Json
from batchgen.output import atomic
from batchgen.output.cards import size
from batchgen.output.layout import Layout, lay_out, shape_of
from batchgen.output.page_data import Sent, chosen, shown_files
from batchgen.output.page_text import render
from batchgen.output.previews import Preview, pictures_in
from batchgen.output.report import MOST_CARDS
from batchgen.output.thumbnails import Drawing, as_data, drawn_all
from batchgen.plain_files import FileFaultError, open_plain

# 25 MB is the most that common mail services take, and a mail carries a file as text, a third larger
LARGEST = 18_000_000  # bytes
_EDGES = (1536, 1280, 1024, 768, 512, 384, 256)  # pixels
_TRIED = 12  # pictures by which it is found out how large all of them may be
_FOR_MEDIA = 0.4  # of all bytes, for sounds and films
_ROOM = 0.94  # of what is left, for what a few pictures tell of all
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class SentPage:
    """What was written to be sent.

    Attributes:
        path: where it lies.
        told: what is in it, for people.
    """

    path: Path
    told: str


def write_alone(
    folder: Path, document: Mapping[str, Json], *, name: str, within: Path | None = None
) -> SentPage:
    """Write a page that needs no file beside it, and give its path.

    Args:
        folder: what the paths of the document are relative to.
        document: a results document.
        name: of the page.
        within: nothing outside of it is shown; None for ``folder``.

    Raises:
        InputError: it would be too large for a mail, however small its pictures.
        OutputError: the page is as it was.
    """
    layout = lay_out(document, MOST_CARDS)
    jobs = chosen(layout)
    files = list({one["path"]: one for one in shown_files(document, jobs)}.values())
    how = Drawing(folder=folder, within=within or folder, beside=None)
    media = dict(_media(how, files))
    pictures = [one for one in files if one["mime"].startswith("image/")]
    rest = {**{one["path"]: Preview() for one in files}, **drawn_all(how, _without(files, pictures))}
    bare = _page(document, layout, jobs, rest, media)
    left = LARGEST - sum(map(len, bare))
    edge, drawn = _fitting(how, pictures, left)
    page = _page(document, layout, jobs, {**rest, **drawn}, media)
    atomic.write_chunks(folder / name, page)
    length = (folder / name).stat().st_size
    told = f"{size(length)}: {counted(len(pictures), 'picture')} of {edge} pixels at most"
    left_out = sum(shape_of(one["mime"]) in {"video", "audio"} for one in files) - len(media)
    told += f", without {counted(left_out, 'film or sound')} too large for it" if left_out else ""
    return SentPage(path=folder / name, told=told)


def _without(
    files: Sequence[Mapping[str, Json]], some: Sequence[Mapping[str, Json]]
) -> Iterator[Mapping[str, Json]]:
    left_out = {one["path"] for one in some}
    return (one for one in files if one["path"] not in left_out)


def _page(
    document: Mapping[str, Json],
    layout: Layout,
    jobs: Mapping[int, Sequence[int]],
    drawn: Mapping[str, Preview],
    media: Mapping[str, str],
) -> list[bytes]:
    return list(map(atomic.encoded, render(document, layout, jobs, drawn, Sent(files=media))))


def _media(how: Drawing, files: Sequence[Mapping[str, Json]]) -> Iterator[tuple[str, str]]:
    """Return sounds and films as data, the small ones first, as long as they leave room for pictures."""
    left = LARGEST * _FOR_MEDIA
    playable = (one for one in files if shape_of(one["mime"]) in {"video", "audio"})
    for one in sorted(playable, key=lambda file: file["bytes"]):
        if one["bytes"] * 4 / 3 > left:
            return
        if (content := _content(how, one["path"])) is not None:
            left -= len(content) * 4 / 3
            yield one["path"], as_data(one["mime"], content)


def _content(how: Drawing, path: str) -> bytes | None:
    whole = how.folder / path
    if not whole.resolve().is_relative_to(how.within.resolve()):
        return None
    try:
        with open_plain(whole) as file:
            return file.read()
    except (FileFaultError, OSError):
        return None


def _fitting(
    how: Drawing, pictures: Sequence[Mapping[str, Json]], left: int
) -> tuple[int, dict[str, Preview]]:
    """Draw the pictures as large as all of them have room together.

    Raises:
        InputError: there is no room for them.
    """
    some = pictures[:: max(1, len(pictures) // _TRIED)]
    weight = 0
    for edge in _EDGES:
        drawing = replace(how, edge=edge)
        weight = _weight(_drawn(drawing, some)) * len(pictures) // max(1, len(some))
        if weight <= left * _ROOM:
            drawn = _drawn(drawing, pictures)
            if (weight := _weight(drawn)) <= left:
                return edge, drawn
    raise InputError(
        f"the page would have about {size(LARGEST - left + weight)} with "
        f"{counted(len(pictures), 'picture')}, and {size(LARGEST)} is the most that mails take: "
        "choose fewer jobs (JOB, --only, --except), or send the folder as a zip (--zip PATH)"
    )


def _drawn(how: Drawing, files: Sequence[Mapping[str, Json]]) -> dict[str, Preview]:
    """Draw pictures into the page; what browsers draw by themselves goes in as it is."""
    drawn = drawn_all(how, files)
    for one in files:
        preview = drawn[one["path"]]
        if preview.src == one["path"]:
            content = _content(how, one["path"])
            drawn[one["path"]] = replace(preview, src=as_data(one["mime"], content) if content else "")
    return drawn


def _weight(drawn: Mapping[str, Preview]) -> int:
    return sum(len(one.src) for one in drawn.values())


def write_zip(
    target: Path, page: Path, document: Mapping[str, Json], *, name: str, within: Path | None = None
) -> SentPage:
    """Write a zip of a page with its thumbnails and the files that it links.

    Args:
        target: the zip.
        page: as it was written of the document.
        document: a results document; its paths are relative to the page's folder.
        name: of the folder in the zip.
        within: nothing outside of it is sent; None for the page's folder.

    Raises:
        InputError: something else has the zip's name.
        OutputError: the zip is as it was.
    """
    if os.path.lexists(target) and not _is_zip(target):
        raise InputError(f"{target} is there and is no zip: give another PATH, or remove it")
    folder, limit = page.parent, (within or page.parent).resolve()
    layout = lay_out(document, MOST_CARDS)
    linked = [one["path"] for one in shown_files(document, chosen(layout))]
    wanted = dict.fromkeys([page.name, *_thumbnails(page), *linked])
    paths = [one for one in wanted if _is_there(folder / one, limit)]
    root = limit if any(one.startswith("..") for one in paths) else folder
    members = {one: Path(os.path.normpath(folder / one)).relative_to(root) for one in paths}
    atomic.write_chunks(
        target, _zipped({folder / one: f"{name}/{to.as_posix()}" for one, to in members.items()})
    )
    lacking = len(wanted) - len(paths)
    told = f"{size(target.stat().st_size)}: the page and {counted(len(paths) - 1, 'file')}"
    told += f", without {counted(lacking, 'file')} that are not there" if lacking else ""
    return SentPage(path=target, told=told)


def _is_zip(path: Path) -> bool:
    try:
        with open_plain(path) as file:
            return zipfile.is_zipfile(file)
    except (FileFaultError, OSError):
        return False


def _thumbnails(page: Path) -> Iterator[str]:
    with open_plain(page) as file:
        for line in file:
            yield from (one.src for one in pictures_in(line) if not one.embedded)


def _is_there(path: Path, limit: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(limit)


class _Buffer(BytesIO):
    """What a zip is written into, to be taken out piece by piece: it cannot go back."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError("a stream")

    def tell(self) -> int:
        raise OSError("a stream")

    def taken(self) -> bytes:
        content = self.getvalue()
        super().seek(0)
        self.truncate()
        return content


def _zipped(members: Mapping[Path, str]) -> Iterator[bytes]:
    """Write a zip, piece by piece; pictures and films are packed already."""
    buffer = _Buffer()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, name in members.items():
            entry = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
            entry.compress_type = zipfile.ZIP_DEFLATED if path.suffix == ".html" else zipfile.ZIP_STORED
            with open_plain(path) as file, archive.open(entry, "w") as member:
                while chunk := file.read(_CHUNK):
                    member.write(chunk)
                    yield buffer.taken()
    yield buffer.taken()
