"""From a path to a table, by the kind of file that the path's ending names."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from batchgen.errors import InputError
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.text_files import is_wide, plain_text, read_bytes, refuse
from batchgen.manifest.tables.delimited import read_csv, read_lines
from batchgen.manifest.tables.globs import read_files
from batchgen.manifest.tables.records import read_json, read_jsonl, read_yaml
from batchgen.manifest.tables.table import Table

KINDS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".yaml", ".yml")
_SHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".numbers")
_AS_TEXT = 'save the sheet as a .csv file (in Excel: "CSV UTF-8")'
_NOT_TEXT = {
    b"PK\x03\x04": f"is a workbook or an archive, not text; {_AS_TEXT}",
    b"\xd0\xcf\x11\xe0": f"is a workbook, not text; {_AS_TEXT}",
    b"\x1f\x8b": "is compressed; unpack it first",
    b"%PDF": f"is a PDF file; {_AS_TEXT}",
}
_HEAD = 200  # characters
_PAGES = ("<!doctype html", "<html")


def read_table(path: Path, source: str) -> Table:
    """Read a table.

    Args:
        path: a file of one of the ``KINDS``.
        source: its name in messages.

    Raises:
        InputError: every problem in it.
    """
    kind = path.suffix.lower()
    if kind in _SHEETS:
        refuse(source, f"is a workbook; {_AS_TEXT}, and name that")
    if kind not in KINDS:
        refuse(source, f"`from` takes a {', '.join(KINDS[:-2])} or .yaml file")
    raw = read_bytes(path, source)
    if wrong := next((text for mark, text in _NOT_TEXT.items() if raw.startswith(mark)), None):
        refuse(source, wrong)
    if kind in (".yaml", ".yml"):
        return read_yaml(raw, source)
    text = plain_text(raw, source)
    if text[:_HEAD].lstrip().lower().startswith(_PAGES):
        refuse(source, "is a web page, not a table; was it downloaded without signing in?")
    if kind == ".txt":
        return _lines(raw, text, source)
    return _READERS[kind](text, source)


def _lines(raw: bytes, text: str, source: str) -> Table:
    first, _, _ = text.partition("\n")
    if "\t" in first.strip() and is_wide(raw):
        refuse(
            source,
            'is a table of Excel ("Unicode text"), in which each line is no prompt; name it .tsv',
            line=1,
        )
    return read_lines(text, source)


_READERS: Mapping[str, Callable[[str, str], Table]] = {
    ".csv": read_csv,
    ".tsv": partial(read_csv, usual="\t"),
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
}


class Tables:
    """The tables of one manifest, each read once.

    Attributes:
        folder: what relative paths begin at.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, Table | None] = {}

    def of_files(
        self, patterns: Iterable[tuple[str, Place]], environ: Mapping[str, str], problems: Problems
    ) -> Table | None:
        """Return a row for every file that patterns name; None, with its problems noted, for none.

        Args:
            patterns: paths below the folder, or absolute ones, each with its place in the manifest.
            environ: what ``${NAME}`` is looked up in.
            problems: takes what is wrong.
        """
        table, wrong = read_files(self.folder, patterns, environ)
        for place, text in wrong:
            problems.add(place, f"from.files: {text}")
        return table

    def get(self, name: str, named: Place, problems: Problems) -> Table | None:
        """Return a table; None, with its problems noted once, where it cannot be read.

        Args:
            name: its path below the folder, or an absolute one.
            named: where the manifest names it.
            problems: takes what is wrong.
        """
        path = self.folder / name
        if path not in self._read:
            try:
                table = self._read[path] = read_table(path, str(path))
                problems.take_warnings(table.warnings)
            except InputError as error:
                problems.take(error, named=named)
                self._read[path] = None
        return self._read[path]
