"""Tables of values with types: JSON, JSON lines, and a YAML list; their rows are mappings, or texts alone."""

import json
import math
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn

from batchgen.manifest.source.document import read_rows
from batchgen.manifest.source.problems import Place, Problems, listed
from batchgen.manifest.source.scalars import kind_of, plain, spelled, unsendable
from batchgen.manifest.source.text_files import refuse, with_line_feeds
from batchgen.manifest.tables.error_values import may_have_errors
from batchgen.manifest.tables.table import DEEPEST, LINE, Table, check_depth, check_name
from batchgen.model import Json


class _Rows:
    """The rows of one file as they are read."""

    def __init__(self, source: str) -> None:
        self.problems = Problems(source)
        self._source = source
        self._rows: list[dict[str, Json]] = []
        self._lines = array("Q")
        self._starts = array("Q")
        self._columns: dict[str, None] = {}
        self._texts = 0

    def add(self, value: Json, line: int, start: int = 0) -> None:
        """Take a row, or note what is wrong with it.

        Args:
            value: a mapping, or a text.
            line: where it begins, from 1.
            start: the column, from 1; 0 where no other row is in its line.
        """
        place = Place(self._source, line)
        if isinstance(value, str):
            self._texts += 1
            value = {LINE: value.strip()}
        if not isinstance(value, dict):
            text = f"expected a mapping of names to values, or a text, not {kind_of(value)}"
            hint = "; text that looks like a number needs quotes" if isinstance(value, int | float) else ""
            self.problems.add(place, text + hint)
            return
        if self._texts not in (0, len(self._rows) + 1):
            text = "the rows are mappings of names to values, or texts, and not some of each"
            self.problems.add(place, text, kind="mixed")
        for name in value:
            if name not in self._columns:
                check_name(name, "a key", place, self.problems)
                self._columns[name] = None
        self._rows.append(value)
        self._lines.append(line)
        self._starts.append(start)

    def table(self, empty: str, *, marked: bool) -> Table:
        self.problems.raise_any()
        if not self._rows:
            refuse(self._source, empty)
        shared = len(set(self._lines)) < len(self._lines)
        return Table(
            source=self._source,
            columns=tuple(self._columns),
            rows=self._rows,
            lines=self._lines,
            starts=self._starts if shared else (),
            textual=False,
            prompt=LINE if self._texts else None,
            marked=marked,
            warnings=self.problems.warnings,
        )


def read_yaml(raw: bytes, source: str) -> Table:
    """Read a YAML list of mappings or of texts.

    Raises:
        InputError: every problem in it.
    """
    rows = _Rows(source)
    for line, column, value in read_rows(raw, source, rows.problems):
        if wrong := unsendable(value):
            rows.problems.add(Place(source, line), wrong)
        else:
            rows.add(value, line, column)
    empty = "is empty; write a mapping of names to values for each row, each after a dash"
    return rows.table(empty, marked=may_have_errors(raw.decode(errors="replace")))


def read_jsonl(text: str, source: str) -> Table:
    """Read a JSON object, or a text, from every line that has anything.

    Raises:
        InputError: every problem in it.
    """
    rows = _Rows(source)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _row(line)
        except json.JSONDecodeError as error:
            said = error.msg.removesuffix(" at")
            reason = f"is not JSON: {said} at character {error.colno}{_hint(error)}"
            rows.problems.add(Place(source, number), reason, kind="not a JSON object")
            if error.pos >= len(line.rstrip()):  # what follows belongs to it
                break
        except ValueError as error:
            rows.problems.add(Place(source, number), str(error), kind="not a JSON object")
        else:
            rows.add(row, number)
    return rows.table("is empty; every line is a JSON object", marked=may_have_errors(text))


def read_json(text: str, source: str) -> Table:
    """Read a JSON list of objects or of texts; it may stand in an object that has no other list.

    Raises:
        InputError: every problem in it.
    """
    rows = _Rows(source)
    line, counted = 1, 0
    for start, value in _elements(text, _list_in(text, source), source):
        line, counted = line + text.count("\n", counted, start), start
        try:
            rows.add(_sound(value, text), line, start - text.rfind("\n", 0, start))
        except ValueError as error:
            rows.problems.add(Place(source, line), str(error), kind="not a JSON object")
    return rows.table("is empty; write a list of objects", marked=may_have_errors(text))


def _list_in(text: str, source: str) -> int:
    """Return where the list of rows begins: at the top, or as the only list of the object there."""
    start = _solid(text, 0)
    if text.startswith("[", start) or start == len(text):
        return start
    top, end = _value_at(text, start, source)
    if _solid(text, end) < len(text):
        refuse(source, "holds more than one value; name a file with an object in each line .jsonl")
    lists = [name for name, value in top.items() if isinstance(value, list)] if isinstance(top, dict) else []
    if len(lists) != 1:
        found = f", of which here are {listed(lists)}" if lists else ""
        refuse(
            source, f'is not a list, or an object with one list{found}; write [{{"name": "value", ...}}, ...]'
        )
    while True:  # from one name to the next
        name, end = _value_at(text, _solid(text, start + 1), source)
        start = _solid(text, _solid(text, end) + 1)
        if name == lists[0]:
            return start
        start = _solid(text, _value_at(text, start, source)[1])


def _elements(text: str, start: int, source: str) -> Iterator[tuple[int, Json]]:
    """Return the values of a list, each with where it begins; at the top nothing may stand behind it."""
    position = _solid(text, start + 1)
    more = start < len(text) and not text.startswith("]", position)
    while more:
        value, end = _value_at(text, position, source)
        yield position, value
        end = _solid(text, end)
        more = text.startswith(",", end)
        if not more and not text.startswith("]", end):
            _refuse_json(json.JSONDecodeError("Expecting ',' delimiter", text, end), source)
        position = _solid(text, end + 1) if more else end
    behind = _solid(text, position + 1)
    if start == _solid(text, 0) and behind < len(text):
        _refuse_json(json.JSONDecodeError("Extra data", text, behind), source)


def _value_at(text: str, start: int, source: str) -> tuple[Json, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        _refuse_json(error, source)
    except RecursionError:
        refuse(source, f"is nested more than {DEEPEST} levels deep", line=text.count("\n", 0, start) + 1)
    except ValueError as error:
        refuse(source, str(error), line=text.count("\n", 0, start) + 1)


def _refuse_json(error: json.JSONDecodeError, source: str) -> NoReturn:
    reason = f"is not JSON: {error.msg.removesuffix(' at')}{_hint(error)}"
    refuse(source, reason, line=error.lineno, column=error.colno)


def _solid(text: str, start: int) -> int:
    """Return where the next character stands that is no space."""
    found = _SPACE.match(text, start)
    return start if found is None else found.end()


def _row(line: str) -> Json:
    try:
        return _sound(_DECODER.decode(line), line)
    except RecursionError:
        raise ValueError(f"is nested more than {DEEPEST} levels deep") from None


def _sound(value: Json, text: str) -> Json:
    """Return a row whose texts have line feeds only; look closer where the text gives reason to.

    Raises:
        ValueError: what keeps it from being a row.
    """
    if not isinstance(plain(value), dict | str):
        raise ValueError('is not an object; write {"name": "value", ...}')  # noqa: TRY004 - one kind of problem a line
    if isinstance(value, dict) and any(isinstance(one, dict | list) for one in value.values()):
        check_depth(value)
    if "\\" in text:
        if wrong := unsendable(value):
            raise ValueError(wrong)
        return _with_line_feeds(value)
    return value


def _with_line_feeds(value: Json) -> Json:
    match value:
        case str():
            return with_line_feeds(value)
        case dict():
            return {name: _with_line_feeds(one) for name, one in value.items()}
        case list():
            return [_with_line_feeds(one) for one in value]
        case _:
            return value


def _hint(error: json.JSONDecodeError) -> str:
    """Say what probably happened, where the library's words do not."""
    rest = error.doc[error.pos :].lstrip()
    if rest.startswith(("'", "\u2018", "\u201c")):
        return '; names and texts take straight double quotes (")'
    if error.msg.startswith("Expecting") and not rest:
        return "; it goes on in the next line: write each object in one line, or one list in a .json file"
    if error.msg.startswith("Expecting") and rest[0] in "]}":
        return f"; no comma stands before {rest[0]}"
    if _COMMENT.match(rest):
        return "; JSON has no comments"
    if _WORD.match(rest):
        return "; write null for nothing, and true or false in small letters"
    return _HINTS.get(error.msg.removesuffix(" at"), "")


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice} is there twice")
    return result


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; write a finite number, or null for nothing")


def _finite(text: str) -> Json:
    value = float(text)
    return spelled(value, text) if math.isfinite(value) else _constant(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_finite)
_SPACE = re.compile(r"[ \t\n\r]*")
_COMMENT = re.compile(r"#|//|/\*")
_WORD = re.compile(r"(?:None|True|False|nan|undefined|NULL)\b")
_HINTS = {
    "Extra data": "; nothing may stand behind it, another object goes to the next line",
    "Unterminated string starting": '; a text is not closed with "',
    "Invalid control character": "; a line break inside a text is written \\n, a tab \\t",
    "Invalid \\escape": "; a \\ in a text is written twice",
    "Expecting ',' delimiter": '; a comma is missing, or a quote inside a text, which is written \\"',
}
