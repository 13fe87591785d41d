from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
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
    with pytest.raises(InputError, match=r"t\.csv:6: has 3 cells, the header has 2") as caught:
        table_of(tmp_path, "t.csv", text.replace(",,", "x,,"))
    assert len(caught.value.problems) == 1
    assert table_of(tmp_path, "t.csv", text) == [
        (2, {"name": "sword", "colour": "red"}),
        (4, {"name": "bow,\nlong", "colour": "green"}),
        (7, {"name": "map", "colour": ""}),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["t.csv: is empty; the first line names the columns"]),
        ("a,b\n", ["t.csv: has a header and no rows"]),
        ("a,a,\n1,2,3\n", ["t.csv:1: column 3 has no name", "t.csv:1: the column a is there 2 times"]),
        ("a;b\n1;2\n", ["t.csv:1: the columns are separated by semicolons; save the file with commas"]),
        ("a\tb\n1\t2\n", ["t.csv:1: the columns are separated by tabs; save the file with commas"]),
        ("{a}\n1\n", ["t.csv:1: column 1 has a brace, a line break or a space at an end in its name"]),
        ("a,b\n1\n1,2,3\n", [
            "t.csv:2: has 1 cell, the header has 2; text with a comma needs quotes",
            "t.csv:3: has 3 cells, the header has 2; text with a comma needs quotes",
        ]),
        ('a,b\n1,2\n3,"4\n5\n', ["t.csv:3: a quote opens in this row and is not closed"]),
        ('a\n"x"y\n', ['t.csv:2: a quote inside a quoted cell; write it twice ("")']),
        ("a\n" + "x" * 200_000, ["t.csv:2: a cell of more than 131,072 characters; is a quote left open?"]),
        (b"a\nb\0\n", ["t.csv:2: a NUL byte: this is not a text file"]),
        (b"a\ncaf\xe9\n", ["t.csv:2:4: the byte 0xe9 is not UTF-8; save the file as UTF-8"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_csv_file_is_said_with_its_line(
    tmp_path: Path, text: str | bytes, expected: list[str]
) -> None:
    assert complaints(tmp_path, "t.csv", text) == expected


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
        ('{"a": NaN}', "t.jsonl:1: NaN is not JSON; write a finite number"),
        ('{"a": 1e999}', "t.jsonl:1: 1e999 is not JSON; write a finite number"),
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
        ("- a\n- {x: .nan}\n", [
            "t.yml:1: expected a mapping of names to values, not text",
            "t.yml:2: infinity and not-a-number cannot be sent; write a finite number",
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
    assert complaints(tmp_path, "t.toml", "a") == ["t.toml: `from` takes a .csv, .jsonl, .txt or .yaml file"]
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(InputError, match=r"d\.csv: cannot be read: Is a directory"):
        read_table(tmp_path / "d.csv", "d.csv")


@given(text=st.text(alphabet='a,"\n\r {}é1[]:\\', max_size=60), kind=st.sampled_from(["csv", "jsonl"]))
def test_any_text_is_a_table_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, text: str, kind: str
) -> None:
    with suppress(InputError):
        rows = table_of(tmp_path_factory.getbasetemp(), f"fuzz.{kind}", text)
        assert rows == sorted(rows, key=lambda row: row[0])
