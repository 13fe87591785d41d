"""Local files that the manifest names as inputs: found, hashed and told apart by their content.

A file is read once, however many jobs name it. Nothing here sends anything.
"""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path

from batchgen.model import Json

_CHUNK = 1 << 20


class Files:
    """The files named so far.

    Attributes:
        by_content: where a content can be read, by its SHA-256.
    """

    def __init__(self) -> None:
        self.by_content: dict[str, Path] = {}
        self._hashes: dict[Path, str | ValueError] = {}

    def content(self, path: Path) -> str:
        """Return the SHA-256 of a file.

        Raises:
            ValueError: there is none, it is no file, it is empty or cannot be read.
        """
        try:
            resolved = path.resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a loop of links, a NUL
            raise ValueError(f"cannot be read: {error}") from None
        if resolved not in self._hashes:
            self._hashes[resolved] = self._looked_at(resolved)
        found = self._hashes[resolved]
        if not isinstance(found, str):
            raise found
        return found

    def _looked_at(self, path: Path) -> str | ValueError:
        try:
            sha256 = _hash(path)
        except ValueError as error:
            return error
        except FileNotFoundError:
            return ValueError("there is no such file")
        except OSError as error:
            return ValueError(f"cannot be read: {error.strerror}")
        self.by_content.setdefault(sha256, path)
        return sha256


def _hash(path: Path) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
        raise ValueError(
            "is a folder, not a file" if stat.S_ISDIR(status.st_mode) else "is not a regular file"
        )
    if not status.st_size:
        raise ValueError("is empty")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class Filing:
    """What ``{file: path}`` becomes in the parameters of one manifest.

    Args:
        files: takes what is found.
        folder: what relative paths begin at.
    """

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._made: dict[str, dict[str, Json]] = {}

    def __call__(self, value: Mapping[str, Json]) -> dict[str, Json]:
        """Return the path as it is written and the SHA-256 of what is there.

        Raises:
            ValueError: what is wrong with the mapping or with the file.
        """
        self.check_keys(value)
        written = value["file"]
        if written not in self._made:
            try:
                sha256 = self._files.content(self._folder / written)
            except ValueError as error:
                raise ValueError(f"{written or 'file'}: {error}") from None
            self._made[written] = {"file": written, "sha256": sha256}
        return self._made[written]

    @staticmethod
    def check_keys(value: Mapping[str, Json]) -> None:
        """Refuse anything beside the path.

        Raises:
            ValueError: there is something.
        """
        if len(value) > 1:
            others = ", ".join(key for key in value if key != "file")
            raise ValueError(
                f"a local file is written {{file: {value['file']}}} and has no other key; here {others}"
            )
