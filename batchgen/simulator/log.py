"""What a simulated service knows, on disk, so that a restarted one knows it too.

A line a job, and in a file beside it a line an asset that was sent: what a job makes shows what it was
given. A line that was cut off by a crash is none: what it is of was never answered.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO, TypeVar

from batchgen.errors import OutputError
from batchgen.plain_files import FileFaultError, read_bytes
from batchgen.simulator.inputs import asset_kind, sent_file
from batchgen.simulator.jobs import Submission, from_json, to_json
from batchgen.simulator.uploads import LARGEST_IMAGE, Sent

_T = TypeVar("_T")
_OF_SENT = ("id", "name", "kind", "mime", "author", "owner", "at")


def read_log(path: Path) -> Iterator[Submission]:
    """Return the jobs of a log, the oldest first; none where there is no log.

    Raises:
        OutputError: a line is none of ours.
    """
    return _read(path, from_json)


def read_sent(path: Path) -> Iterator[Sent]:
    """Return the assets that were sent to the service of a log, the oldest first.

    Raises:
        OutputError: a line is none of ours.
    """
    return _read(_beside(path), _sent)


def _beside(path: Path) -> Path:
    return path.with_suffix(f".files{path.suffix}")


def _sent(line: Mapping[str, Any]) -> Sent:
    content = base64.b64decode(line["content"], validate=True)
    told = {name: line[name] for name in _OF_SENT}
    kind = asset_kind(told["kind"], told["mime"])
    return Sent(
        **told, content=content, file=sent_file(told["id"], kind, told["mime"], content, told["name"])
    )


def _read(path: Path, read: Callable[[Mapping[str, Any]], _T]) -> Iterator[_T]:
    text = _whole(path)
    # bytes: a cut may go through a letter, and a text has more ends of lines than this one
    *lines, _ = text.split(b"\n")
    for number, line in enumerate(lines, start=1):
        try:
            yield read(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise OutputError(f"{path}:{number}: not of a simulated service; move the file away") from error


def open_log(path: Path) -> TextIO:
    """Open a log to be added to; what a crash left of a last line is cut off.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for one in (path, _beside(path)):
            whole = _whole(one)
            if whole and not whole.endswith(b"\n"):
                one.write_bytes(whole[: whole.rfind(b"\n") + 1])
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def add_to_log(log: TextIO, job: Submission) -> None:
    """Add a job; it is in the file before its submit is answered."""
    log.write(json.dumps(to_json(job), ensure_ascii=False) + "\n")


def add_sent(path: Path, sent: Sent) -> None:
    """Add an asset beside a log; a large one is left out, and has to be sent again to another service.

    Raises:
        OutputError: it cannot be written.
    """
    if len(sent.content) > LARGEST_IMAGE:
        return
    line = {name: getattr(sent, name) for name in _OF_SENT} | {
        "content": base64.b64encode(sent.content).decode()
    }
    beside = _beside(path)
    try:
        with beside.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError as error:
        raise OutputError(f"{beside}: cannot be written: {error.strerror}") from error


def _whole(path: Path) -> bytes:
    try:
        return read_bytes(path, largest=None)
    except FileFaultError as fault:
        if fault.missing:
            return b""
        raise OutputError(f"{fault}; name another file, or move it away") from fault
