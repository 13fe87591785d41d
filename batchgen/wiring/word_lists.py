"""Words that select jobs, and the files of them that ``@`` names."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from batchgen.plain_files import FileFaultError, decode, parse_json, read_bytes
from batchgen.planning.conditions import Part, Word, parse
from batchgen.planning.selection import JobSelection

STDIN = "-"
_LINE_END = re.compile(r"\r\n|\n|\r")


def selection_of(
    jobs: Sequence[str] = (),
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    *,
    stdin: Callable[[], bytes] | None = None,
) -> JobSelection:
    """Return what words mean that select jobs, with the files that they name; no job is known yet.

    A file that cannot be read is a fault of its word, which is shown unless the word is the id of a job.

    Args:
        jobs: the words of JOB.
        only: those of ``--only``.
        without: those of ``--except``.
        stdin: gives what stands for ``@-``; None where there is none.
    """
    read = _Reader(stdin).part
    return JobSelection(
        jobs=tuple(_words("JOB", jobs, read)),
        only=tuple(_words("--only", only, read)),
        without=tuple(_words("--except", without, read)),
    )


def _words(what: str, words: Sequence[str], read: Callable[[str], Part]) -> Iterable[Word]:
    for number, text in enumerate(words, start=1):
        yield parse(text, what if len(words) == 1 else f"{what} {number}", read)


class _Reader:
    """Reads the files of words, standard input once."""

    def __init__(self, stdin: Callable[[], bytes] | None) -> None:
        self._stdin = stdin
        self._typed: bytes | None = None

    def part(self, text: str) -> Part:
        """Read what ``@FILE`` names."""
        name = text.removeprefix("@").strip()
        if not name:
            return Part(text, fault="write the name of a file behind '@', or '@-' for standard input")
        path = Path("standard input" if name == STDIN else name)
        try:
            found = tuple(_read(decode(self._bytes(name, path), path), path))
        except FileFaultError as fault:
            return Part(text, fault=str(fault))
        return Part(text, found) if found else Part(text, fault=f"{path}: there is no word in it")

    def _bytes(self, name: str, path: Path) -> bytes:
        if name != STDIN:
            return read_bytes(path, largest=None)
        if self._stdin is None:
            raise FileFaultError(path, "'@-' is for the command line")
        if self._typed is None:
            self._typed = self._stdin()
        return self._typed


def _read(text: str, path: Path) -> Iterable[Word]:
    """Return the words of a file: one a line, or the ids of a JSON document."""
    if path.suffix.lower() == ".json" or text.lstrip().startswith("{"):
        return _ids(parse_json(text, path), path)
    if text.lstrip().startswith("["):  # or a pattern such as [ab]*
        try:
            return _ids(parse_json(text, path), path)
        except FileFaultError:
            pass
    return _lines(text, path)


def _lines(text: str, path: Path) -> Iterable[Word]:
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if (word := line.strip()) and not word.startswith("#"):
            yield parse(word, f"{path}:{number}", _no_file)


def _no_file(text: str) -> Part:
    return Part(text, fault=f"{text!r}: a file of words names no other file")


def _ids(document: object, path: Path) -> list[Word]:
    """Return what a JSON document lists: ids, or objects with an id, by themselves or under ``jobs``.

    Of marks it is the jobs that they are on, whatever each mark is.
    """
    where, name = ("", "id") if isinstance(document, list) else ("jobs", "id")
    listed = document
    if isinstance(document, Mapping):
        where, name = ("marks", "job") if "marks" in document else (where, name)
        listed = document.get(where)
    if not isinstance(listed, list):
        raise FileFaultError(path, "is no list of ids, and has no list 'jobs'")
    words = []
    for number, one in enumerate(listed):
        id_ = one.get(name) if isinstance(one, Mapping) else one
        if not isinstance(id_, str):
            raise FileFaultError(path, f"{where}[{number}] is no id, and has none as {name!r}")
        words.append(Word(id_, f"{path}: {where}[{number}]"))
    return words
