"""The folder that finished files stand in: what is on it is never overwritten.

A file that was paid for may be all that is left of an older manifest, so a name that is
taken by other bytes stays theirs. Nothing else puts new files into ``assets/``.
"""

import hashlib
import itertools
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from batchgen.model import File, Job
from batchgen.output.atomic import output_error, sync_folder
from batchgen.output.disk import move_file
from batchgen.output.kinds import Kind
from batchgen.output.links import linked_folders
from batchgen.planning.file_names import FileNames, NameParts
from batchgen.planning.file_places import ASSETS, EARLIER, Namer, beside, kind_word, under

if TYPE_CHECKING:
    from batchgen.output.transfer import Arrived

_PARTS = ".parts"  # beside assets: what is on its way is no file of anybody's
_SUFFIX = ".part"


def named_by(template: str) -> Namer:
    """Return what names files by a template and what is known of the job alone.

    Raises:
        InputError: the template names what does not exist.
    """
    names = FileNames(template)

    def namer(job: Job, *, index: int, asset_id: str, kind: str, extension: str) -> str:
        parts = NameParts(id=job.id, model=job.model, prompt=job.prompt)
        return names.path(parts, index=index, asset_id=asset_id, kind=kind, extension=extension)

    return namer


class AssetStore:
    """The ``assets`` folder of a batch, or of one of its slots. Methods block.

    Args:
        folder: the batch's; paths on record are relative to it.
        namer: what files are called.
        home: the folder of the slot's results, relative to the batch's; empty for that itself.
    """

    def __init__(self, folder: Path, *, namer: Namer, home: str = "") -> None:
        self._folder = folder
        self._namer = namer
        self._home = home
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the folders, and clear away the parts that an earlier run left.

        Raises:
            OutputError: they cannot be made.
        """
        for name in (ASSETS, _PARTS):
            folder = self._folder / under(self._home, name)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                for part in folder.glob(f"*{_SUFFIX}"):
                    if not part.is_dir() or part.is_symlink():  # a folder is somebody's own
                        part.unlink()
            except OSError as error:
                raise output_error(folder, error) from error

    def close(self) -> None:
        """Take the folder of parts away, if it is empty."""
        with suppress(OSError):
            (self._folder / under(self._home, _PARTS)).rmdir()

    def part(self, asset_id: str) -> Path:
        """Return a place for a file on its way, one of its own for every try."""
        plain = "".join(one for one in asset_id if one.isalnum())[:100]
        return self._folder / under(self._home, _PARTS) / f"{next(self._numbers)}-{plain}{_SUFFIX}"

    def holds(self, file: File) -> bool:
        """Return whether the file is there with the bytes that are on record."""
        if file.path.startswith(linked_folders(self._folder)):  # it is another slot's that is seen there
            return False
        return _matches(self._folder / file.path, file.bytes, file.sha256)

    def place(
        self,
        part: Path,
        arrived: "Arrived",
        *,
        job: Job,
        index: int,
        asset_id: str,
        kind: Kind,
        word: str = "",
        lay: str = "",
    ) -> str:
        """Move a finished part to its name and give that, relative to the batch's folder.

        The same bytes under the same name stay, and the part goes; other bytes keep the
        name, and this file takes one with its asset's id in it.

        Args:
            part: the file.
            arrived: what it is.
            job: whose it is.
            index: of the asset among the job's, from 0.
            asset_id: the service's.
            kind: of the file.
            word: the service's for it; empty where that is not known.
            lay: where it lay before, if it did: what lay in ``earlier/`` comes back to there.

        Raises:
            OutputError: the part is gone or still where it was.
        """
        path = lay
        if not lay.startswith(under(self._home, f"{EARLIER}/")):
            name = self._namer(
                job,
                index=index,
                asset_id=asset_id,
                kind=word or kind_word(kind.mime),
                extension=kind.extension,
            )
            path = under(self._home, f"{ASSETS}/{name}")
        with self._lock:
            for one in beside(path, asset_id):
                target = self._folder / one
                try:
                    if _settle(part, target, arrived):
                        return one
                except OSError as error:
                    raise output_error(target, error) from error
        raise AssertionError("names never run out")


def _settle(part: Path, target: Path, arrived: "Arrived") -> bool:
    """Move a part to its name, and return whether it could have that."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):  # a file in the place of a folder of its name
        if target.parent.name in {ASSETS, EARLIER}:
            raise
        return False
    if not os.path.lexists(target):
        with suppress(FileExistsError):  # in the meantime
            move_file(os.fspath(part), os.fspath(target))
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
