"""Tables of values with types: JSON lines, and a YAML list of mappings."""

import json
import math
from array import array
from collections import Counter
from typing import NoReturn

from batchgen.manifest.source.document import read_rows
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.scalars import kind_of, spelled, unsendable
from batchgen.manifest.source.text_files import refuse
from batchgen.manifest.tables.table import DEEPEST, Table, check_depth, check_name
from batchgen.model import Json


class _Rows:
    """The rows of one file as they are read."""

    def __init__(self, source: str) -> None:
        self.problems = Problems(source)
        self._source = source
        self._rows: list[dict[str, Json]] = []
        self._lines = array("Q")
        self._columns: dict[str, None] = {}

    def add(self, row: dict[str, Json], line: int) -> None:
        for name in row:
            if name not in self._columns:
                check_name(name, "a key", Place(self._source, line), self.problems)
                self._columns[name] = None
        self._rows.append(row)
        self._lines.append(line)

    def table(self, empty: str) -> Table:
        self.problems.raise_any()
        if not self._rows:
            refuse(self._source, empty)
        return Table(
            source=self._source,
            columns=tuple(self._columns),
            rows=self._rows,
            lines=self._lines,
            textual=False,
            warnings=self.problems.warnings,
        )


def read_yaml(raw: bytes, source: str) -> Table:
    """Read a YAML list of mappings.

    Raises:
        InputError: every problem in it.
    """
    rows = _Rows(source)
    for line, value in read_rows(raw, source, rows.problems):
        if not isinstance(value, dict):
            text = f"expected a mapping of names to values, not {kind_of(value)}"
            rows.problems.add(Place(source, line), text)
        elif wrong := unsendable(value):
            rows.problems.add(Place(source, line), wrong)
        else:
            rows.add(value, line)
    return rows.table("is empty; write a mapping of names to values for each row, each after a dash")


def read_jsonl(text: str, source: str) -> Table:
    """Read a JSON object from every line that has any text.

    Raises:
        InputError: every problem in it.
    """
    rows = _Rows(source)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _object(line)
        except ValueError as error:
            rows.problems.add(Place(source, number), str(error), kind="not a JSON object")
            continue
        rows.add(row, number)
    return rows.table("is empty; every line is a JSON object")


def _object(line: str) -> dict[str, Json]:
    try:
        value = json.loads(line, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.colno}") from None
    except RecursionError:
        raise ValueError(f"is nested more than {DEEPEST} levels deep") from None
    if not isinstance(value, dict):
        raise ValueError('is not an object; write {"name": "value", ...}')  # noqa: TRY004 - one kind of problem a line
    if "[" in line or line.count("{") > 1:
        check_depth(value)
    if "\\u" in line and (wrong := unsendable(value)):
        raise ValueError(wrong)
    return value


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice} is there twice")
    return result


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; write a finite number")


def _finite(text: str) -> Json:
    value = float(text)
    return spelled(value, text) if math.isfinite(value) else _constant(text)
