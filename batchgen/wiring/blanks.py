"""Blank pictures at the service: they stand for outputs that do not exist yet while prices are asked.

One of each size, for all batches of an origin and project. Sending it is free.
"""

import asyncio
import hashlib
import io
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from batchgen.errors import InputError, ServiceError, StopCause, StoppedError
from batchgen.output.kinds import HEAD, kind_of
from batchgen.output.picture_sizes import size_of
from batchgen.plain_files import FileFaultError, open_plain
from batchgen.wiring.uploads import Uploads

_LARGEST_EDGE = 8192  # pixels: a blank picture of more takes too much memory for what it is worth

Known = Callable[[Sequence[str]], Mapping[str, str]]


def blank_picture(width: int, height: int) -> bytes:
    """Return a white PNG of so many pixels; the same bytes for the same size."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, "PNG")
    return file.getvalue()


Blank = Callable[[int, int], Awaitable[str | None]]


def blank_pictures(known: Known, uploads: Uploads | None) -> Blank:
    """Return what gives the asset id of a blank picture of so many pixels; see ``Blanks.asset``."""
    return Blanks(known, uploads).asset


def picture_size(path: Path) -> tuple[int, int] | None:
    """Return the pixels of a local file; None where it is no picture, or a huge one. Blocks."""
    try:
        with open_plain(path) as file:
            mime = kind_of(file.read(HEAD)).mime
        size = size_of(path, mime)
    except (OSError, FileFaultError):
        return None
    return size if size is not None and max(size) <= _LARGEST_EDGE else None


class Blanks:
    """Sends blank pictures, each size once."""

    def __init__(self, known: Known, uploads: Uploads | None) -> None:
        """Take what sends.

        Args:
            known: gives the asset ids of contents that were sent, by SHA-256; others are left out.
            uploads: sends them; None to take only what was sent before.
        """
        self._known = known
        self._uploads = uploads
        self._assets: dict[tuple[int, int], str | None] = {}

    async def asset(self, width: int, height: int) -> str | None:
        """Return the asset id of a blank picture; None where there is none and none can be sent.

        Raises:
            StoppedError: the credentials are not accepted.
            JournalError: it could not be recorded.
        """
        size = width, height
        if size not in self._assets:
            self._assets[size] = await self._made(width, height)
        return self._assets[size]

    async def _made(self, width: int, height: int) -> str | None:
        content = await asyncio.to_thread(blank_picture, width, height)
        name = hashlib.sha256(content).hexdigest()
        if self._uploads is None:
            return self._known([name]).get(name)
        try:
            with tempfile.TemporaryDirectory(prefix="batchgen-") as folder:
                path = Path(folder) / f"blank-{width}x{height}.png"
                await asyncio.to_thread(path.write_bytes, content)
                return (await self._uploads.ensure_of({name: path}))[name]
        except StoppedError as error:
            if error.cause is StopCause.CREDENTIALS:
                raise
        except (InputError, ServiceError, OSError):  # a price is worth no failure
            pass
        return None
