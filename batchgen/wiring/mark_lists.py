"""Files of marks: what the page exports, and tables that come back from a spreadsheet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from batchgen.manifest.source.problems import Place, Problems, meant, shortened
from batchgen.manifest.source.text_files import plain_text, read_bytes, refuse
from batchgen.manifest.tables.table import Table
from batchgen.manifest.tables.tables import read_table
from batchgen.model import Json
from batchgen.output.results import cell
from batchgen.plain_files import FileFaultError, parse_json
from batchgen.planning.marks import UNMARKED, WORDS

FORMAT = "batchgen/marks@1"
_ASSET, _MARK, _NOTE = "asset_id", "mark", "note"
_SHEETS, _DOCUMENTS = frozenset({".csv", ".tsv"}), frozenset({".json"})
_CHOICE = f"{', '.join(WORDS[:-1])} or {WORDS[-1]}"
_LONGEST = 10_000  # characters of a note


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What one row says.

    Attributes:
        place: where it stands.
        asset_id: of the asset that is meant; empty where it is every one of the job's.
        job: the job's id; may be empty where the asset is named.
        mark: kept, rejected or none; None where the row leaves it as it is.
        note: None where the row leaves it as it is.
    """

    place: Place
    asset_id: str
    job: str
    mark: str | None
    note: str | None


def read_marks(path: Path, batch: str, problems: Problems) -> list[Said]:
    """Read a file of marks; rows that say nothing, or what is wrong, are left out.

    Args:
        path: a .json file as the page exports it, or a .csv or .tsv table.
        batch: the one that is marked.
        problems: takes what is wrong with rows.

    Raises:
        InputError: the file cannot be read, or is none of these.
    """
    source, kind = str(path), path.suffix.lower()
    if kind in _DOCUMENTS:
        _check_head(path, source, batch)
        if (table := _rows_of(path, source)) is None:
            return []
        job, is_sheet = "job", False
    elif kind in _SHEETS:
        table, is_sheet = read_table(path, source), True
        # results.csv says id, the mapping of an export says job
        job = next((one for one in ("id", "job") if one in _columns(table, one)), "id")
    else:
        refuse(source, "marks are read from a .json file, as the page exports it, or a .csv or .tsv table")
    names = _columns(table, job)
    if _MARK not in names:
        refuse(source, f"has no column {_MARK!r}; there are {_shown(table)}", line=_first_line(is_sheet))
    if not {_ASSET, job} & names.keys():
        said = f"has no column {_ASSET!r} and none {job!r}, which say what is marked"
        refuse(source, f"{said}; there are {_shown(table)}", line=_first_line(is_sheet))
    return list(filter(None, _read_rows(table, names, job, problems, is_sheet=is_sheet)))


def _first_line(is_sheet: bool) -> int:  # noqa: FBT001 - a fact of the file
    return 1 if is_sheet else 0


def _check_head(path: Path, source: str, batch: str) -> None:
    """Refuse a document that is no list of marks, or one of another batch.

    Raises:
        InputError: it is such a one.
    """
    text = plain_text(read_bytes(path, source), source)
    try:
        document = parse_json(text, path)
    except FileFaultError as fault:
        refuse(source, fault.reason, line=fault.line, column=fault.column)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else None
        said = f"its format is {found!r}, not {FORMAT!r}" if found else f"it has no format {FORMAT!r}"
        refuse(source, f"is no file of marks: {said}. Export one from the page, or write a table")
    if document.get("batch") not in (None, batch):
        refuse(source, f"has the marks of batch {document['batch']!r}, and this is batch {batch!r}")
    if not isinstance(document.get("marks"), list):
        refuse(source, "has no list 'marks'")


def _rows_of(path: Path, source: str) -> Table | None:
    """Return the marks of a document with the line of each; None where there is none."""
    if not parse_json(plain_text(read_bytes(path, source), source), path)["marks"]:
        return None
    return read_table(path, source)


def _columns(table: Table, job: str) -> dict[str, str]:
    """Return what the columns that are read are called in the file, whatever their letters."""
    known = (_ASSET, _MARK, _NOTE, job)
    by_word = {one.strip().lower(): one for one in reversed(table.columns)}
    return {one: by_word[one] for one in known if one in by_word}


def _shown(table: Table) -> str:
    return shortened(", ".join(table.columns), 120)


def _read_rows(
    table: Table, names: Mapping[str, str], job: str, problems: Problems, *, is_sheet: bool
) -> Iterator[Said | None]:
    rows = table.all_values(list(names.values()), range(table.count))
    for number, row in enumerate(rows):
        place = table.place(number)
        try:
            told = {
                name: _text(row[column], name, is_sheet=is_sheet and name != _MARK)
                for name, column in names.items()
            }
            yield _said(told, place, job, is_sheet=is_sheet)
        except ValueError as error:
            problems.add(place, str(error))


def _text(value: Json, name: str, *, is_sheet: bool) -> str:
    """Return what a cell says; a sheet keeps an apostrophe in front of what it would run as a formula."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected text, not {value!r}")  # noqa: TRY004 - the file is wrong
    text = value.strip()
    return text[1:] if is_sheet and text[:1] == "'" and cell(text[1:]) == text else text


def _said(told: Mapping[str, str], place: Place, job: str, *, is_sheet: bool) -> Said | None:
    """Read one row; None where it says nothing.

    Raises:
        ValueError: what is wrong with it.
    """
    mark, note = told.get(_MARK, "").lower(), told.get(_NOTE)
    if not mark and not (note and is_sheet):
        if is_sheet:
            return None
        raise ValueError(f"has no mark; write {_CHOICE}")
    if mark and mark not in WORDS:
        hint = meant(mark, WORDS) or f"; write {_CHOICE}"
        raise ValueError(f'the mark is "{shortened(told[_MARK])}"{hint}')
    if note and len(note) > _LONGEST:
        raise ValueError(f"its note is longer than {_LONGEST:,} characters")
    if note and mark == UNMARKED:
        raise ValueError("a note goes with a mark: write kept or rejected, or leave the note out")
    asset, name = told.get(_ASSET, ""), told.get(job, "")
    if not asset and not name:
        raise ValueError(f"says {mark or 'a note'} of nothing: {_ASSET} and {job} are empty")
    # an empty cell leaves the note: a table without the old notes must not take them away
    kept = None if is_sheet and not note else note
    return Said(place=place, asset_id=asset, job=name, mark=mark or None, note=kept)
