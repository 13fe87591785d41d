"""Files as text: bounded, UTF-8, and a place for what is wrong with them.

The only module of the manifest that opens a file.
"""

from pathlib import Path
from typing import NoReturn

from batchgen import plain_files
from batchgen.errors import ManifestError, Problem
from batchgen.plain_files import FileFaultError


def read_bytes(path: Path, source: str) -> bytes:
    """Read a whole file.

    Args:
        path: the file.
        source: its name in messages.

    Raises:
        InputError: it is not there, cannot be read or is too large.
    """
    try:
        return plain_files.read_bytes(path)
    except FileFaultError as fault:
        _refuse_fault(fault, source)


def decode(raw: bytes, source: str) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        InputError: another encoding, or no text at all.
    """
    try:
        return plain_files.decode(raw, Path(source))
    except FileFaultError as fault:
        _refuse_fault(fault, source)


def refuse(source: str, text: str, *, line: int = 0, column: int = 0) -> NoReturn:
    """Raise one problem that leaves nothing to read on with.

    Raises:
        InputError: always.
    """
    raise ManifestError(problems=(Problem(source, line, column, text),))


def _refuse_fault(fault: FileFaultError, source: str) -> NoReturn:
    refuse(source, fault.reason, line=fault.line, column=fault.column)
