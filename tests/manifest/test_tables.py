import csv
import io
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.manifest.tables.cells import quick_grid, scanned
from batchgen.manifest.tables.tables import read_table


def table_of(folder: Path, name: str, text: str | bytes) -> list[tuple[int, dict[str, object]]]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    table = read_table(path, name)
    rows = range(len(table.rows))
    return [(table.place(row).line, table.values(row, table.columns)) for row in rows]


def complaints(folder: Path, name: str, text: str | bytes) -> list[str]:
    with pytest.raises(InputError) as caught:
        table_of(folder, name, text)
    return str(caught.value).splitlines()


def test_a_csv_row_knows_its_line_across_quotes_blanks_and_line_ends(tmp_path: Path) -> None:
    text = '\ufeffname, colour\r\nsword , red\r\n\r\n"bow,\nlong",green\r\n,,\r\nmap,\r\n'
    with pytest.raises(InputError, match=r"t\.csv:6:4: has 3 cells, the header has 2") as caught:
        table_of(tmp_path, "t.csv", text.replace(",,", "x,,z"))
    assert len(caught.value.problems) == 1
    assert table_of(tmp_path, "t.csv", text) == [
        (2, {"name": "sword", "colour": "red"}),
        (4, {"name": "bow,\nlong", "colour": "green"}),
        (7, {"name": "map", "colour": ""}),
    ]


OPENED = 'a quote opens here and is not closed; write " behind the text, and "" for a quote inside it'
FEW = "if the others are empty, or quotes around the text above if this belongs to it"
NAMELESS = "name it in the header, or delete the column"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["t.csv: is empty; the first line names the columns"]),
        ("a,b\n", ["t.csv: has a header and no rows"]),
        ("a,a,\n1,2,3\n", [
            "t.csv:1:3: the column a is there 2 times; rename one",
            f't.csv:1:5: column 3 has no name, and a text in line 2 ("3"); {NAMELESS}',
        ]),
        ("{a}\n1\n", ["t.csv:1:1: column 1 has a brace, a line break or a space at an end in its name"]),
        ("a,b\n1\nu,v,x\n", [
            f"t.csv:2: has 1 cell, the header has 2; write 1, {FEW}",
            ('t.csv:3:5: has 3 cells, the header has 2, so "x" is too much; '
            'text with a comma needs quotes: "v,x"'),
        ]),
        ('a,b\n1,2\n3,"4\n5\n', [f"t.csv:3:3: {OPENED}"]),
        ('a,b\n"1\n2",  "\n', [f"t.csv:3:6: {OPENED}"]),
        ('a\n"x"y\n', ['t.csv:2:3: a quote inside a quoted cell; write it twice ("")']),
        ('a,b\n1,"x\n2,"y"\n', [
            "t.csv:2:3: a quote opens here and is closed in line 3 only, with text behind it; is one missing?"
        ]),
        (b"a\nb\0\n", ["t.csv:2: a NUL byte: this is not a text file"]),
        (b"a\rcaf\xe9\r", [
            ('t.csv:2:4: the byte 0xe9 is not UTF-8, in Windows-1252 it is "\u00e9"; '
            'save the file as UTF-8 (in Excel: "CSV UTF-8")')
        ]),
        ("a\nb\r\n".encode("utf-16")[:-1], ["t.csv:3:1: is damaged UTF-16; save it as UTF-8"]),
        ("a\n\0".encode("utf-16"), ["t.csv:2: a NUL character: this is not a text file"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_csv_file_is_said_with_its_line(
    tmp_path: Path, text: str | bytes, expected: list[str]
) -> None:
    assert complaints(tmp_path, "t.csv", text) == expected


CELLS = st.text(alphabet='ab ,;"\n\t\u00a0\u2028\u00e9', max_size=8)


@given(
    rows=st.lists(
        st.lists(CELLS, min_size=2, max_size=2).filter(lambda row: any(map(str.strip, row))), min_size=1
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    delimiter=st.sampled_from(",;\t|"),
)
def test_what_a_library_writes_is_read_as_it_was_with_line_feeds(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    end: str,
    quoting: Literal[0, 1],
    delimiter: str,
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n", quoting=quoting, delimiter=delimiter)
    writer.writerows([["head", "two"], *rows])
    expected = [[cell.strip() for cell in row] for row in rows]
    text = file.getvalue().replace("\n", end)
    read = table_of(tmp_path_factory.getbasetemp(), "written.csv", text)
    assert [list(values.values()) for _, values in read] == expected


@given(text=st.text(alphabet='a, "\n\t\u00a0', max_size=30))
def test_the_library_and_the_scan_read_cells_alike(text: str) -> None:
    quick = quick_grid(text, ",")
    if quick is not None:
        scan = [(row.line, [cell.strip() for cell in row.cells]) for row in scanned(text, ",", "t")]
        assert [one for one in scan if any(one[1])] == list(zip(quick.lines, quick.rows, strict=True))


def test_json_lines_keep_their_types_and_their_gaps(tmp_path: Path) -> None:
    text = '{"a": 1, "b": "x"}\n\n{"b": true, "c": [1]}\r\n'
    assert table_of(tmp_path, "t.JSONL", text) == [
        (1, {"a": 1, "b": "x", "c": None}),
        (3, {"a": None, "b": True, "c": [1]}),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "t.jsonl: is empty; every line is a JSON object"),
        ("[1]", 't.jsonl:1: is not an object; write {"name": "value", ...}'),
        ('{"a" 1}', "t.jsonl:1: is not JSON: Expecting ':' delimiter at character 6"),
        ('{"a": NaN}', "t.jsonl:1: NaN is not JSON; write a finite number, or null for nothing"),
        ('{"a": 1e999}', "t.jsonl:1: 1e999 is not JSON; write a finite number, or null for nothing"),
        ('{"a": 1, "a": 2}', "t.jsonl:1: the key a is there twice"),
        ('{"a": "\\ud800"}', "t.jsonl:1: half a surrogate pair is no character"),
        ('{"": 1}', "t.jsonl:1: a key has no name"),
        ('{"a": ' + "[" * 500 + "]" * 500 + "}", "t.jsonl:1: is nested more than 100 levels deep"),
        ('{"a": ' + "[" * 90_000, "t.jsonl:1: is nested more than 100 levels deep"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_json_line_is_said_with_its_line(
    tmp_path: Path, line: str, expected: str
) -> None:
    assert complaints(tmp_path, "t.jsonl", line) == [expected]


def test_every_line_of_a_text_file_is_a_row_but_empty_ones(tmp_path: Path) -> None:
    assert table_of(tmp_path, "t.txt", "\ufeffa castle\r\n\n  a {tower} \n") == [
        (1, {"line": "a castle"}),
        (3, {"line": "a {tower}"}),
    ]
    assert complaints(tmp_path, "t.txt", "\n \n") == ["t.txt: is empty; every line is a prompt"]


def test_a_yaml_list_of_mappings_is_a_table(tmp_path: Path) -> None:
    text = "# heroes\n- {a: 1, b: no}\n-\n  b: [x]\n"
    assert table_of(tmp_path, "t.yaml", text) == [(2, {"a": 1, "b": "no"}), (4, {"a": None, "b": ["x"]})]


ROWS = "write a mapping of names to values for each row, each after a dash"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [f"t.yml: is not a list; {ROWS}"]),
        ("a: 1", [f"t.yml: is not a list; {ROWS}"]),
        ("[]", ["t.yml: is empty; write a mapping of names to values for each row, each after a dash"]),
        ("- 12\n- {x: .nan}\n", [
            ("t.yml:1: expected a mapping of names to values, or a text, not a number; "
            "text that looks like a number needs quotes"),
            "t.yml:2: infinity and not-a-number cannot be sent; write a finite number",
        ]),
        ("- a\n- {b: 1}\n", [
            "t.yml:2: the rows are mappings of names to values, or texts, and not some of each"
        ]),
        ("- {'{': 1}", ["t.yml:1: a key has a brace, a line break or a space at an end in its name"]),
        ("- {a: 1, a: 2}", ["t.yml:1:10: a is written twice here; the first is in line 1"]),
        ("- !x {a: 1}", ["t.yml:1:3: the tag !x is not allowed; write the plain value"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_yaml_table_is_said_with_its_line(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert complaints(tmp_path, "t.yml", text) == expected


def test_other_types_and_folders_are_refused(tmp_path: Path) -> None:
    assert complaints(tmp_path, "t.toml", "a") == [
        "t.toml: `from` takes a .csv, .tsv, .txt, .json, .jsonl, .ndjson or .yaml file"
    ]
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(InputError, match=r"d\.csv: cannot be read: Is a directory"):
        read_table(tmp_path / "d.csv", "d.csv")


@given(
    text=st.text(alphabet='a,"\n\r {}é1[]:\\', max_size=60),
    kind=st.sampled_from(["csv", "jsonl", "json", "txt"]),
)
def test_any_text_is_a_table_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, text: str, kind: str
) -> None:
    with suppress(InputError):
        rows = table_of(tmp_path_factory.getbasetemp(), f"fuzz.{kind}", text)
        assert rows == sorted(rows, key=lambda row: row[0])
