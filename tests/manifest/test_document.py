from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.manifest.source.document import DEEPEST, Document, read_document
from batchgen.manifest.source.problems import Problems

BASES = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]


def document(text: str | bytes, base: type[Any] | None = None) -> Document:
    problems = Problems("m")
    raw = text.encode() if isinstance(text, str) else text
    read = read_document(raw, "m", problems, base=base)
    problems.raise_any()
    return read


def complaint(text: str | bytes, base: type[Any] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        document(text, base)
    return str(caught.value)


@pytest.mark.parametrize("base", BASES)
def test_plain_scalars_follow_the_core_schema_and_quoted_ones_are_text(base: type[Any]) -> None:
    text = "a: [no, 16:9, 2026-01-01, 012, 1e3, ~, true]\nb: ['12', \"true\", '']\nc: |\n  12\n"
    assert document(text, base).data == {
        "a": ["no", "16:9", "2026-01-01", 12, 1000.0, None, True],
        "b": ["12", "true", ""],
        "c": "12\n",
    }


def test_every_key_is_the_text_it_is_written_as() -> None:
    assert document("no: 1\n1: 2\ntrue: 3\n'<<': 4\n").data == {"no": 1, "1": 2, "true": 3, "<<": 4}


def test_a_byte_order_mark_is_accepted() -> None:
    assert document("\ufeffa: 1").data == {"a": 1}


@pytest.mark.parametrize("base", BASES)
def test_every_value_and_key_has_its_place(base: type[Any]) -> None:
    read = document("a: 1\njobs:\n  - id: x\n    params: {k: [1, '2']}\n", base)
    assert str(read.place(("jobs", 0))) == "m:3:5"
    assert str(read.key_place(("jobs", 0, "params"))) == "m:4:5"
    assert str(read.place(("jobs", 0, "params", "k", 1))) == "m:4:21"
    assert str(read.place(("jobs", 0, "id", 0))) == "m:3:9"  # one instead of many
    assert str(read.place(("jobs", 0, "nowhere", "at all"))) == "m:3:5"
    assert read.written(("jobs", 0, "params", "k", 1)) == "2"


def test_merge_keys_give_what_is_not_written_and_keep_its_place() -> None:
    read = document("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 0}\n")
    assert read.data["c"] == {"x": 0, "y": 2, "z": 4}
    assert str(read.key_place(("c", "z"))) == "m:2:14"


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "m: the file is empty; batchgen init writes one to begin with"),
        ("# only a comment\n", "m: the file is empty; batchgen init writes one to begin with"),
        ("- a\n", "m:1:1: a list at the top; write version: 1 and put the list under jobs:"),
        ("hello", "m:1:1: text at the top; a manifest begins with version: 1 and jobs:"),
        ("a:\n\tb: 1", "m:2:1: a tab is used to indent; YAML takes spaces only"),
        ("a: 1\n---\nb: 2", "m:2:1: a second document begins here; one file holds one manifest"),
        ("a: b: c", 'm:1:5: a colon where none can be; text with a colon needs quotes: "..."'),
        ("a: {b} c", 'm:1:8: text that begins with { needs quotes: "{name} ..."'),
        ("a: 'b", "m:1:4: a quote opens here and is not closed"),
        ("a: [1\nb: 2", "m:1:4: a [ opens here; a comma or the ] is missing behind it"),
        ("a: @b", "m:1:4: unquoted text cannot begin with @; put the text in quotes"),
        ("a: *b", "m:1:4: an alias (*name) whose anchor (&name) is not written before it"),
        ("a: 1\na: 2", "m:2:1: a is written twice here; the first is in line 1"),
        ("a: !!x/y:z w", "m:1:4: the tag !!x/y:z is not allowed; write the plain value"),
        ("a: !!str 12", "m:1:4: the tag !!str is not allowed; write the plain value"),
        ("!x a: 1", "m:1:1: the tag !x is not allowed; write the plain value"),
        ("a: &a [*a]", "m:1:4: contains itself through an alias"),
        ("a: &a {<<: *a}", "m:1:4: contains itself through an alias"),
        ("a: {<<: 1}", "m:1:9: << takes a mapping or a list of mappings"),
        ("? [a]\n: 1", "m:1:3: a key must be text"),
        ("'': 1", "m:1:1: a key is missing before the colon"),
        ("a: \x07", "m:1:4: the control character U+0007 is not allowed"),
        ("[" * 5000, f"m:1:{DEEPEST}: nested more than {DEEPEST} levels deep"),
        ("a: " + "9" * 5000, "m:1:4: a number of 5000 digits; put it in quotes if it is text"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_text_is_said_in_words_for_people(
    text: str, expected: str, base: type[Any]
) -> None:
    assert complaint(text, base) == expected


OLDER = "m:{}: the byte 0x{} is not UTF-8, so the file has an older encoding; save the file as UTF-8"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            b"a: caf\xe9",
            'm:1:7: the byte 0xe9 is not UTF-8, in Windows-1252 it is "\u00e9"; save the file as UTF-8',
        ),
        (b"\xef\xbb\xbfa: \xc3\xa9\xe9\xe8", OLDER.format("1:5", "e9")),
        (b"a: 1\r\rb: \xe9\xe9", OLDER.format("3:4", "e9")),
        (
            b"a: \xe7\x8c",
            "m:1:4: the file ends in the middle of a character, so a part of it is missing; save it again",
        ),
        (b"a: 1\nb: \x00", "m:2: a NUL byte: this is not a text file"),
        ("a: 1".encode("utf-16"), "m:1:1: is UTF-16; save it as UTF-8"),
        ("a: 1".encode("utf-16-le"), "m:1:1: is UTF-16 without a byte order mark; save it as UTF-8"),
    ],
)
def test_other_encodings_are_named_with_their_place(raw: bytes, expected: str) -> None:
    assert complaint(raw) == expected


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def test_aliases_cannot_multiply_a_small_file() -> None:
    assert "aliases multiply this beyond 200,000 values" in complaint(bomb(9))


def test_merge_keys_cannot_multiply_a_small_file() -> None:
    wide = "{" + ", ".join(f"k{n}: 1" for n in range(1000)) + "}"
    merged = ", ".join(["*a"] * 1000)
    assert "aliases multiply this" in complaint(f"a: &a {wide}\nb: {{<<: [{merged}]}}\n")


def test_aliases_cannot_nest_deeper_than_brackets_may() -> None:
    lines = ["a0: &a0 [1]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 300)]
    assert f"aliases nest this more than {DEEPEST} levels deep" in complaint("\n".join(lines))


def test_an_anchor_used_by_every_job_is_no_bomb() -> None:
    jobs = "".join(f"  - {{prompt: p{n}, params: *p}}\n" for n in range(5000))
    read = document(f"defaults: &p {{a: 1, b: 2, c: [1, 2]}}\njobs:\n{jobs}")
    assert len(read.data["jobs"]) == 5000


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_an_input_error(raw: bytes) -> None:
    with suppress(InputError):
        assert isinstance(document(raw).data, dict)


BITS = [
    "a",
    "b: ",
    "- ",
    "\n",
    "\n  ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "&x ",
    "*x",
    "<<: ",
    "!t ",
    '"',
    "'",
    "# ",
    "? ",
    "\t",
    "1",
    "\\u00e9",
    "%",
    "---\n",
]


@given(st.lists(st.sampled_from([*BITS, "|\n"]), max_size=40).map("".join))
def test_both_loaders_read_alike_what_both_can_read(text: str) -> None:
    found = []
    for base in BASES:
        try:
            found.append(document(text, base).data)
        except InputError:
            continue  # what one loader refuses the other may read, or explain otherwise
    assert len(found) < 2 or found[0] == found[1]
