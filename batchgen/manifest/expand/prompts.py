"""Prompts that are the text of a file."""

from collections.abc import Mapping
from pathlib import Path

from batchgen.errors import InputError
from batchgen.manifest.environment import filled
from batchgen.manifest.source.scalars import unsendable
from batchgen.manifest.source.text_files import plain_text, read_bytes


class Prompts:
    """The files of one manifest that hold prompts, each read once.

    Args:
        folder: what relative paths begin at.
        environ: what ``${NAME}`` is looked up in.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._texts: dict[Path, str] = {}

    def text(self, name: str) -> str:
        """Return the text of a file, space around it dropped.

        Raises:
            ValueError: it cannot be read or has no text.
        """
        path = self._folder / filled(name, self._environ)
        if path not in self._texts:
            self._texts[path] = _read(path)
        return self._texts[path]


def _read(path: Path) -> str:
    try:
        text = plain_text(read_bytes(path, str(path)), str(path)).strip()
    except InputError as error:
        raise ValueError(str(error)) from None
    if not text:
        raise ValueError(f"{path}: is empty")
    if wrong := unsendable(text):
        raise ValueError(f"{path}: {wrong}")
    return text
