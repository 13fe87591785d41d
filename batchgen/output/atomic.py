"""Whole files or none: a reader never sees half of one, whatever dies.

No other module of this room opens a file of its own that other programs read. A failure
of the disk leaves here as ``OutputError`` and nothing else.
"""

import errno
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from batchgen.errors import OutputError
from batchgen.plain_files import FileFaultError, open_plain

_LEFT_BEHIND = 3600.0  # seconds after which a temporary file can only be that of a killed process

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than the system allows",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "a folder is in its place",
    errno.ENOTEMPTY: "a folder is in its place",
    errno.ENOTDIR: "a file is in the place of its folder",
    errno.EEXIST: "a file is in the place of its folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "the links that lead to it go in a circle",
    errno.ENXIO: "it is a pipe that nobody reads, or a socket",
}


def output_error(path: Path, error: OSError) -> OutputError:
    """Return which file could not be written and why, in words."""
    code = error.errno or 0
    return OutputError(f"cannot write {path}: {_REASONS.get(code) or error.strerror or error}")


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put the bytes in the file, all or nothing.

    Args:
        path: where to.
        data: all of it.
        durable: False for what can be made again: whole all the same, but not waited for.

    Raises:
        OutputError: the file is as it was.
    """
    write_chunks(path, (data,), durable=durable)


def write_text(path: Path, text: str) -> None:
    """Put the text in the file as UTF-8, all or nothing; a link or a device is written through and stays.

    Raises:
        OutputError: the file is as it was.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        _write_through(path, encoded(text))
    else:
        write_chunks(path, (encoded(text),))


def _write_through(path: Path, data: bytes) -> None:
    """Write into what is there: a file put in the place of /dev/stdout would harm every program."""
    try:
        # a pipe that nobody reads would be waited for
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC, 0o666
        )
        os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise output_error(path, error) from error


def encoded(text: str) -> bytes:
    """Return the text as UTF-8; half a surrogate pair becomes the escape that JSON has for it."""
    return text.encode("utf-8", "backslashreplace")


def write_chunks(
    path: Path, chunks: Iterable[bytes], *, durable: bool = True, aside: str | None = None
) -> None:
    """Put the chunks in the file, all or nothing; the whole is never held in memory.

    The folder is made if it is missing. Safe against other processes that write the same
    file: the last one wins, whole.

    Args:
        path: where to.
        chunks: all of it.
        durable: see ``write_bytes``.
        aside: the name of the file beside it until it is whole, where nobody else writes it at the time: what
            a killed process has left there goes. None for a name of its own.

    Raises:
        OutputError: the file is as it was, and nothing is left beside it.
    """
    temporary = path.with_name(aside or f".{path.name[:100]}.{os.urandom(4).hex()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if aside is not None:
            temporary.unlink(missing_ok=True)
        try:
            _fill(temporary, chunks, durable=durable)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise output_error(path, error) from error


def holds(path: Path, chunks: Iterable[bytes]) -> bool:
    """Return whether a plain file has just these chunks; reads no further than the first difference."""
    try:
        with open_plain(path) as file:
            return all(file.read(len(one)) == one for one in chunks) and not file.read(1)
    except (FileFaultError, OSError):  # whoever writes it next says what is wrong there
        return False


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a plain file, hexadecimal; None where it cannot be read."""
    try:
        with open_plain(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileFaultError, OSError):
        return None


def _fill(temporary: Path, chunks: Iterable[bytes], *, durable: bool) -> None:
    with temporary.open("xb") as file:
        file.writelines(chunks)
        file.flush()
        if durable:
            os.fsync(file.fileno())
            _sweep(temporary, os.fstat(file.fileno()).st_mtime)


def _sweep(temporary: Path, now: float) -> None:
    """Remove what killed processes left of earlier tries; the file system's own clock tells the age."""
    target = temporary.name.rsplit(".", 2)[0]
    for other in temporary.parent.glob(".*.tmp"):
        if other.name.rsplit(".", 2)[0] == target and now - other.stat().st_mtime > _LEFT_BEHIND:
            other.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in the folder survive a power cut.

    Raises:
        OSError: as the system says it; callers translate it with the path they mean.
    """
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network disks cannot sync a folder
            raise
    finally:
        os.close(descriptor)
