"""Problems as people see them: the line of the file below each, with a caret under the place.

The only place that says how a problem looks on a terminal and to an editor. The files are read
again for it: a line costs nothing before something is wrong with it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from batchgen.errors import InputError, Problem
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.text_files import read_bytes, shown_text

SHOWN = 50
_WIDTH = 100  # characters of a line; longer ones are cut around the place
_VARYING = re.compile(r'"[^"]*"|\d+(?:[.,]\d+)*')


def shown_problems(problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> Iterator[str]:
    """Return the lines that show problems to people, at most so many of them, then those of warnings."""
    lines = _Lines()
    yield from _shown(problems, lines, "", "problems")
    yield from _shown(warnings, lines, "warning: ", "warnings")


def _shown(problems: Sequence[Problem], lines: "_Lines", word: str, many: str) -> Iterator[str]:
    found = abridged(problems)
    for one in found[:SHOWN]:
        yield f"{one.place}: {word}{one.text}"
        yield from lines.around(one)
    if len(found) > SHOWN:
        yield f"and {len(found) - SHOWN:,} more {many}"


def problems_document(problems: Sequence[Problem]) -> list[Mapping[str, object]]:
    """Return the problems for an editor or a script; what may have been meant stands by itself."""
    return [_entry(one) for one in abridged(problems)]


def abridged(problems: Iterable[Problem]) -> list[Problem]:
    """Cut short where many rows of one file share one mistake."""
    given = list(problems)
    collected = Problems(given[0].source if given else "")
    for one in given:
        row = one.line and not one.column
        kind = _VARYING.sub("#", one.text) if row else f"{one.line}:{one.column} {one.text}"
        collected.add(Place(one.source, one.line, one.column), one.text, kind=kind)
    return collected.in_order()


def _entry(problem: Problem) -> Mapping[str, object]:
    message, separator, hint = problem.text.partition("; ")
    entry: dict[str, object] = {
        "file": problem.source,
        "line": problem.line,
        "column": problem.column,
        "message": message,
    }
    return entry | ({"hint": hint} if separator else {})


class _Lines:
    """The lines of the files that problems name, each file read once."""

    def __init__(self) -> None:
        self._files: dict[str, Sequence[str]] = {}

    def around(self, problem: Problem) -> Iterator[str]:
        """Return the line of a problem and the caret under it; nothing where there is no such line."""
        lines = self._of(problem.source) if problem.line else ()
        if problem.line > len(lines) or problem.text.startswith("and "):
            return
        text = lines[problem.line - 1] if problem.line else ""
        if not text.strip():
            return
        start = max(0, problem.column - _WIDTH * 3 // 4)
        piece = _visible(text[start : start + _WIDTH].rstrip())
        margin = " " * (len(str(problem.line)) + 2)
        yield f"  {problem.line} | {piece}"
        if problem.column:
            before = _visible(text[start : problem.column - 1])
            yield f"{margin} | {' ' * sum(map(_columns, before))}^"

    def _of(self, source: str) -> Sequence[str]:
        if source not in self._files:
            self._files[source] = _read(source)
        return self._files[source]


def _read(source: str) -> Sequence[str]:
    path = Path(source)
    try:
        if not path.is_file():  # a pipe was read already, and has nothing more
            return ()
        return shown_text(read_bytes(path, source)).split("\n")
    except (InputError, OSError, ValueError):  # what keeps it from being read is the problem that is shown
        return ()


def _visible(text: str) -> str:
    """Put one mark for each character that would move the cursor or colour the terminal."""
    return "".join(" " if one == "\t" else one if one.isprintable() else "\ufffd" for one in text)


def _columns(character: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
