"""The folder that finished files stand in: what is on it is never overwritten.

A file that was paid for may be all that is left of an older manifest, so a name that is
taken by other bytes stays theirs. Nothing else writes into ``assets/``.
"""

import hashlib
import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from batchgen.model import File
from batchgen.output.atomic import output_error, sync_folder
from batchgen.output.links import linked_folders
from batchgen.output.names import check_template, file_name
from batchgen.output.transfer import Arrived

FOLDER = "assets"

_TAIL = 8  # characters of an asset id that tell it from its neighbours


class AssetStore:
    """One ``assets`` folder, a batch's or a slot's. Methods block; call those that read files from a thread.

    Args:
        folder: the batch's; paths are relative to it.
        template: names, see ``names.file_name``.
        home: the slot's folder in it; empty for a batch without slots.
    """

    def __init__(self, folder: Path, *, template: str, home: str = "") -> None:
        check_template(template)
        self._folder = folder
        self._within = f"{home}/{FOLDER}" if home else FOLDER
        self._template = template
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the folder, and clear away the parts that an earlier run left.

        Raises:
            OutputError: it cannot be made.
        """
        assets = self._folder / self._within
        try:
            assets.mkdir(parents=True, exist_ok=True)
            for part in assets.glob("*.part"):
                if not part.is_dir() or part.is_symlink():  # a folder is somebody's own
                    part.unlink()
        except OSError as error:
            raise output_error(assets, error) from error

    def part(self, asset_id: str) -> Path:
        """Return a place for a file on its way, one of its own for every try."""
        name = file_name("{asset_id}", id="", index=0, asset_id=asset_id, extension="part")
        return self._folder / self._within / f"{next(self._numbers)}-{name}"

    def holds(self, file: File) -> bool:
        """Return whether the file is there with the bytes that are on record."""
        if file.path.startswith(linked_folders(self._folder)):  # it is another slot's that is seen there
            return False
        return _matches(self._folder / file.path, file.bytes, file.sha256)

    def place(
        self, part: Path, arrived: Arrived, *, job_id: str, index: int, asset_id: str, extension: str
    ) -> str:
        """Move a finished part to its name and give that, relative to the batch's folder.

        The same bytes under the same name stay, and the part goes; other bytes keep the
        name, and this file takes one with its asset's id in it.

        Raises:
            OutputError: the part is gone or still where it was.
        """
        with self._lock:
            for name in self._names(job_id, index, asset_id, extension):
                target = self._folder / self._within / name
                try:
                    if _settle(part, target, arrived):
                        return f"{self._within}/{name}"
                except OSError as error:
                    raise output_error(target, error) from error
        raise AssertionError("names never run out")

    def _names(self, job_id: str, index: int, asset_id: str, extension: str) -> Iterator[str]:
        plain = "".join(one for one in asset_id if one.isalnum())
        numbered = (f"_{plain}-{number}" for number in itertools.count(2))
        for ending in itertools.chain(("", f"_{plain[-_TAIL:]}", f"_{plain}"), numbered):
            template = self._template + ending
            yield file_name(template, id=job_id, index=index, asset_id=asset_id, extension=extension)


def _settle(part: Path, target: Path, arrived: Arrived) -> bool:
    if not os.path.lexists(target):
        part.rename(target)
        sync_folder(target.parent)
        return True
    if _matches(target, arrived.size, arrived.sha256):
        part.unlink()
        return True
    return False


def _matches(path: Path, size: int, sha256: str) -> bool:
    try:
        if not path.is_file() or path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:  # what cannot be read is not what is on record
        return False
