"""Where files lie: the folders of a batch, and the paths that a file may have in them. Pure."""

from collections.abc import Collection, Iterator
from enum import Enum, auto
from functools import cache
from itertools import count
from typing import Protocol

from batchgen.model import File, Job

ASSETS = "assets"
EARLIER = "earlier"
UNDER_WAY = ".moving"  # where files lie that change places with others

_TAIL = 8  # characters of an asset id that tell it from its neighbours


class Lies(Enum):
    """What lies at a path."""

    NOTHING = auto()
    FILE = auto()
    OTHER = auto()  # a folder, a link, a device: never renamed


class Surroundings(Protocol):
    """What the decision has to know of the disk; each question is asked of few files."""

    def lies(self, path: str) -> Lies:
        """Return what lies there."""

    def is_whole(self, file: File) -> bool:
        """Return whether the file has the bytes that are on record."""

    def same_names(self, path: str) -> Collection[str]:
        """Return what lies there, however the name is spelt, or a file in the place of a folder of it."""


class Namer(Protocol):
    """What a job's files are called."""

    def __call__(self, job: Job, *, index: int, asset_id: str, kind: str, extension: str) -> str:
        """Return the path of a file below ``assets/``, with forward slashes.

        Args:
            job: as the manifest has it now.
            index: of the asset among the job's, from 0.
            asset_id: the service's.
            kind: image, video, audio, 3d, document or text.
            extension: without the dot.
        """


def beside(path: str, asset_id: str) -> Iterator[str]:
    """Return the paths that a file may have: its own, and then those with its asset's id in it."""
    yield path
    tail = plain(asset_id)
    if tail:
        yield _with(path, f"_{tail[-_TAIL:]}")
        yield _with(path, f"_{tail}")
    # where a file is in the place of a folder no name under it will do
    at_top = f"{_top_of(path)}{path.rpartition('/')[2]}"
    yield from (_with(at_top, f"{tail and '_'}{tail}-{number}") for number in count(2))


def earlier(path: str, asset_id: str, home: str) -> str:
    """Return where a file goes that another one has the name of.

    Args:
        path: the file's.
        asset_id: whose it is; empty where it is nobody's here.
        home: the folder of the slot's results, relative to the batch's; empty for that itself.
    """
    below = path.removeprefix(under(home, ""))
    for folder in (ASSETS, EARLIER, UNDER_WAY):
        below = below.removeprefix(f"{folder}/")
    tail = plain(asset_id)
    moved = under(home, f"{EARLIER}/{below}")
    if not tail:
        return moved
    for ending in (tail, tail[-_TAIL:]):  # it lay beside its name, perhaps
        moved = _without(moved, f"_{ending}")
    return _with(moved, f"_{tail}")


def under(home: str, path: str) -> str:
    """Return a path of a slot relative to the batch's folder."""
    return f"{home}/{path}" if home else path


@cache
def kind_word(mime: str) -> str:
    """Return the service's word for the kind of a file."""
    first = mime.partition("/")[0]
    return {"model": "3d", "application": "document"}.get(first, first)


def extension_of(path: str) -> str:
    """Return the extension of a path, without the dot."""
    return path.rpartition("/")[2].rpartition(".")[2]


def plain(asset_id: str) -> str:
    """Return an asset's id without its signs."""
    return "".join(one for one in asset_id if one.isalnum())


def _with(path: str, ending: str) -> str:
    folder, slash, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    return f"{folder}{slash}{stem or suffix}{ending}{dot if stem else ''}{suffix if stem else ''}"


def _without(path: str, ending: str) -> str:
    stem, dot, suffix = path.rpartition(".")
    return stem.removesuffix(ending) + dot + suffix


def _top_of(path: str) -> str:
    """Return the folder of a path that is ``assets/`` or ``earlier/``, with the slash behind it."""
    parts = path.split("/")
    depth = next((at + 1 for at, one in enumerate(parts) if one in {ASSETS, EARLIER}), 0)
    return "".join(f"{one}/" for one in parts[:depth])
