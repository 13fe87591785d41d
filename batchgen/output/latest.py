"""What a batch's folder shows of its slots: the latest one that has ended, whole.

A link leads to that slot's folder, ``results.json`` beside it is a copy of the slot's, and further links let
the copy's paths resolve. What is not ours is left.
"""

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

from batchgen.output import atomic, links, report
from batchgen.output.links import LATEST
from batchgen.output.previews import FOLDER as THUMBNAILS
from batchgen.output.results import CSV_NAME, JSON_NAME
from batchgen.plain_files import FileFaultError, open_plain
from batchgen.planning.file_places import ASSETS, EARLIER

_FOLDERS = (ASSETS, EARLIER, THUMBNAILS)
_FILES = (CSV_NAME, report.NAME)  # earlier versions wrote them here; the names go on to lead to them
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
_CHUNK = 1 << 20
_HEADS, _LONGEST_HEAD, _HOME = 6, 1000, b'"folder": '  # how results begin, a line each


def show_latest(folder: Path, home: str, *, interrupted: bool = False) -> str:
    """Let a batch's folder show the results of a slot whose run has ended; what is so already stays.

    Each step leaves a whole document in its place, and doing it again completes what was interrupted.

    Args:
        folder: the batch's.
        home: of the slot; empty for one without a name, whose results lie in the batch's folder itself.
        interrupted: whether its run was told to stop early; then another slot stays shown.

    Returns:
        What stands in the way of a link; empty where nothing does, and where it was said with this slot's
        results before.

    Raises:
        OutputError: a file or a link is as it was.
    """
    if not home:
        links.take_down(folder)
        return ""
    if interrupted and _shown(folder / JSON_NAME) not in {"", home}:
        return ""
    try:
        blocked = _link(folder, home)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise atomic.output_error(folder / LATEST, error) from error
        blocked = None
    is_new = _copy(folder / home / JSON_NAME, folder / JSON_NAME)
    if blocked == [] or not is_new:
        return ""
    there = f"the paths in {folder / JSON_NAME} are relative to {folder / home}"
    if blocked is None:
        return f"this file system has no links: {there}"
    names = ", ".join(str(folder / one) for one in blocked)
    return f"left as it was, where a link to the latest slot would be: {names}; {there}"


def _shown(results: Path) -> str:
    """Return the home of the slot that a copy of results is of; empty where it is of none."""
    try:
        with open_plain(results) as file:
            heads = (file.readline(_LONGEST_HEAD).strip().rstrip(b",") for _ in range(_HEADS))
            line = next((one for one in heads if one.startswith(_HOME)), b"")
        return str(json.loads(line[len(_HOME) :])) if line else ""
    except (FileFaultError, OSError, ValueError):
        return ""


def _link(folder: Path, home: str) -> list[str]:
    """Make the links, and return which cannot be, for something else is in their place."""
    if not _is_free(folder, LATEST):
        links.take_down(folder)  # they would lead elsewhere
        return [LATEST]
    links.place(folder, LATEST, home)
    blocked = []
    for name in (*_FOLDERS, *_FILES):
        if not os.path.lexists(folder / home / name):
            if links.is_ours(folder, name):
                links.remove(folder / name)
        elif _is_free(folder, name):
            links.place(folder, name, f"{LATEST}/{name}")
        else:
            blocked.append(name)
    return blocked


def _is_free(folder: Path, name: str) -> bool:
    """Return whether a link may be put there; a file of a run may go, and an empty folder goes."""
    path = folder / name
    if links.is_ours(folder, name) or not os.path.lexists(path):
        return True
    if path.is_symlink() or name == LATEST:
        return False
    if name in _FILES:
        return path.is_file()
    try:
        path.rmdir()
    except OSError:
        return False
    return True


def _copy(source: Path, target: Path) -> bool:
    """Make a file the same as another, and return whether it was not."""
    if not target.is_symlink() and atomic.holds(target, _chunks(source)):
        return False
    atomic.write_chunks(target, _chunks(source))
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with open_plain(path) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except FileFaultError as fault:
        raise OSError(errno.EIO, fault.reason) from fault
