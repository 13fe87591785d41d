"""From a path to a table, by the kind of file that the path's ending names."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from batchgen.errors import InputError
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.text_files import decode, read_bytes, refuse
from batchgen.manifest.tables.delimited import read_csv, read_lines
from batchgen.manifest.tables.globs import read_files
from batchgen.manifest.tables.records import read_jsonl, read_yaml
from batchgen.manifest.tables.table import Table


def read_table(path: Path, source: str) -> Table:
    """Read a table.

    Args:
        path: a ``.csv``, ``.jsonl``, ``.txt``, ``.yaml`` or ``.yml`` file.
        source: its name in messages.

    Raises:
        InputError: every problem in it.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".jsonl", ".txt", ".yaml", ".yml"):
        refuse(source, "`from` takes a .csv, .jsonl, .txt or .yaml file")
    raw = read_bytes(path, source)
    match kind:
        case ".csv":
            return read_csv(decode(raw, source), source)
        case ".jsonl":
            return read_jsonl(decode(raw, source), source)
        case ".txt":
            return read_lines(decode(raw, source), source)
        case _:
            return read_yaml(raw, source)


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
                self._read[path] = read_table(path, str(path))
            except InputError as error:
                problems.take(error, named=named)
                self._read[path] = None
        return self._read[path]
