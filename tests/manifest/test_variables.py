"""The words of the sheet that a job came from: every variable that made it, as the manifest has it."""

import json
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.identity import content_key
from batchgen.manifest.tables.packing import PackedRows
from batchgen.manifest.values import Manifest
from tests.manifest.conftest import Complain, Read

HEAD = "version: 1\ndefaults: {model: m}\n"


def variables_of(manifest: Manifest) -> list[dict[str, object]]:
    """Return the variables of every job."""
    return [manifest.variables(index) for index in range(len(manifest.jobs))]


def test_a_job_has_the_vars_of_the_file_all_columns_of_its_row_and_its_axes(read: Read) -> None:
    text = (
        f"{HEAD}vars: {{finish: flat}}\njobs:\n  - id: 'icon-{{name}}'\n    from: t.csv\n"
        "    prompt: '{name}, {style}'\n    matrix: {style: [ink, oil]}\n"
    )
    found = read(text, files={"t.csv": "name,rarity,owner\nsword,rare,ada\nmap,,\n"})
    assert variables_of(found) == [
        {"finish": "flat", "name": name, "rarity": rarity, "owner": owner, "style": style}
        for (name, rarity, owner), style in product(
            [("sword", "rare", "ada"), ("map", "", "")], ["ink", "oil"]
        )
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("007", "007"),
        ("1.10", "1.10"),
        ("1.0", 1.0),
        ("1e3", "1e3"),
        ("True", "True"),
        ("true", True),
        ("0x1F", "0x1F"),
        ("7", 7),
        ("'7'", "7"),
        ("-0", "-0"),
        ("no", "no"),
        ("2026-01-02", "2026-01-02"),
    ],
)
def test_a_number_is_what_a_person_wrote_wherever_it_stands(read: Read, written: str, value: object) -> None:
    text = (
        f"{HEAD}vars: {{a: {written}}}\njobs:\n"
        f"  - {{id: x, prompt: '{{b}} {{c}}', vars: {{d: {written}}}, matrix: {{b: [{written}]}}, "
        f"zip: {{c: [x, y]}}, include: [{{b: z, c: {written}}}]}}\n"
        "  - {id: 'y-{e}', prompt: '{e}', from: t.yaml}\n"
    )
    found = variables_of(read(text, files={"t.yaml": f"- {{e: {written}, f: [{written}]}}\n"}))
    assert found[:3] == [
        {"a": value, "d": value, "b": b, "c": c} for b, c in [(value, "x"), (value, "y"), ("z", value)]
    ]
    assert found[-1]["e"] == value
    assert all(type(one["a"]) is type(value) for one in found), "a plain value"
    json.dumps(found)


def test_the_cells_of_a_table_of_text_are_text(read: Read) -> None:
    text = f"{HEAD}jobs: [{{id: '{{name}}', prompt: x, from: t.tsv, params: {{n: '{{n}}'}}}}]"
    found = read(text, files={"t.tsv": "name\tn\tunused\na\t007\t1.50\nb\ttrue\t=A1\n"})
    assert variables_of(found) == [
        {"name": "a", "n": "007", "unused": "1.50"},
        {"name": "b", "n": "true", "unused": "=A1"},
    ]


@pytest.mark.parametrize(
    ("name", "table", "expected"),
    [
        ("t.txt", "a mill\na tower\n", [{"line": "a mill"}, {"line": "a tower"}]),
        ("t.jsonl", '{"p": "x", "q": 1.10}\n{"p": "y"}\n', [{"p": "x", "q": "1.10"}, {"p": "y", "q": None}]),
        ("t.json", '[{"p": "x", "q": [1.10, {"r": 2.50}]}]', [{"p": "x", "q": [1.1, {"r": 2.5}]}]),
        ("t.yaml", "- {p: x, q: {r: 007}}\n", [{"p": "x", "q": {"r": 7}}]),
        ("t.csv", '"p","q"\n"a ""b""","ü\nz"\n', [{"p": 'a "b"', "q": "ü\nz"}]),
    ],
)
def test_every_kind_of_table_says_its_rows(
    read: Read, name: str, table: str, expected: list[dict[str, object]]
) -> None:
    prompt = "" if name == "t.txt" else ", prompt: 'a {p}'"
    found = read(f"{HEAD}jobs: [{{from: {name}{prompt}}}]", files={name: table})
    assert variables_of(found) == expected


def test_rows_that_are_files_say_path_stem_name_and_folder(read: Read) -> None:
    text = f"{HEAD}jobs: [{{from: {{files: 'in/*.png'}}, params: {{image: {{file: '{{path}}'}}}}}}]"
    found = read(text, files={"in/mill.png": "x", "in/a b.png": "y"})
    assert variables_of(found) == [
        {"path": "in/a b.png", "stem": "a b", "name": "a b.png", "folder": "in"},
        {"path": "in/mill.png", "stem": "mill", "name": "mill.png", "folder": "in"},
    ]


def test_an_included_manifest_has_its_own_vars(read: Read) -> None:
    included = "version: 1\nvars: {b: 2}\njobs: [{prompt: y, model: m}]\n"
    found = read(
        f"{HEAD}vars: {{a: 1}}\ninclude: more.yaml\njobs: [{{prompt: x}}]", files={"more.yaml": included}
    )
    assert variables_of(found) == [{"a": 1}, {"b": 2}]


def test_repeats_models_and_prompts_share_their_variables(read: Read) -> None:
    text = (
        f"{HEAD}jobs: [{{prompt: ['a {{x}}', 'b {{x}}'], model: [m, n], matrix: {{x: [1, 2]}}, repeat: 2}}]"
    )
    found = variables_of(read(text))
    assert len(found) == 16
    assert found == [{"x": one} for _ in range(4) for one in (1, 1, 2, 2)]


def test_what_is_excluded_moves_no_other_combination_and_what_is_included_has_its_own(read: Read) -> None:
    text = (
        f"{HEAD}jobs:\n  - id: t\n    prompt: '{{a}} {{b}} {{c}} {{d}}'\n    model: [m, n]\n"
        "    zip: {a: [1, 2], b: [3, 4]}\n    matrix: {c: [5, 6], d: {of: [7, 8, 9], sample: 2}}\n"
        "    exclude: [{a: 1, c: 6}, {a: 2, c: 5, model: n}]\n"
        "    include: [{a: 10, b: 11, c: 12, d: 13}, {a: 1, b: 3, c: 6, d: 70, model: m}]\n"
    )
    found = read(text)
    assert len(found.jobs) > 8
    for job, words in zip(found.jobs, variables_of(found), strict=True):
        assert job.prompt == "{a} {b} {c} {d}".format(**words)


def test_an_entry_s_own_vars_go_before_those_of_the_file_in_texts_and_in_what_is_said(read: Read) -> None:
    text = (
        f"{HEAD}vars: {{style: ink, size: 1}}\njobs:\n"
        "  - {prompt: 'a {style}', vars: {style: oil, owner: ada}}\n"
        "  - {prompt: 'b {style}', params: {n: '{size}'}, vars: {size: 007}}\n  - {prompt: 'c {style}'}\n"
    )
    found = read(text)
    assert [one.prompt for one in found.jobs] == ["a oil", "b ink", "c ink"]
    assert found.jobs[1].params == {"n": 7}
    assert variables_of(found) == [
        {"style": "oil", "size": 1, "owner": "ada"},
        {"style": "ink", "size": "007"},
        {"style": "ink", "size": 1},
    ]


def test_own_vars_fill_in_ids_models_paths_and_the_params_of_the_defaults(read: Read) -> None:
    text = (
        "version: 1\ndefaults: {model: 'model_{which}', params: {image: {file: '{pic}.png'}}}\njobs:\n"
        "  - {id: 'x-{which}', vars: {which: a, pic: mill}}\n"
        "  - {id: 'x-{which}', vars: {which: b, pic: tower}}\n"
    )
    found = read(text, files={"mill.png": "1", "tower.png": "2"})
    assert [(one.id, one.model, one.params["image"]["file"]) for one in found.jobs] == [
        ("x-a", "model_a", "mill.png"),
        ("x-b", "model_b", "tower.png"),
    ]


def test_words_that_no_text_uses_change_neither_id_nor_identity(read: Read) -> None:
    text = HEAD + "jobs: [{prompt: 'a {x} tower', matrix: {x: [oak, ice]}}]"
    plain, told = read(text), read(text.replace("matrix:", "entry: towers, vars: {owner: ada}, matrix:"))
    assert [one.id for one in plain.jobs] == [one.id for one in told.jobs]
    assert [*map(content_key, plain.jobs)] == [*map(content_key, told.jobs)]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("prompt: 'a {y}', vars: {y: 1}, matrix: {y: [1, 2]}", "y is one of the vars too; rename the axis"),
        ("prompt: 'a {n} {y}', vars: {n: 1}, from: t.csv", "n is a column of t.csv and one of the vars"),
        ("prompt: 'a {y}', vars: {y: [1]}", "y is a list: it can be the whole of a parameter"),
        ("prompt: 'a {y}', vars: {y: }", "vars.y: has no value; write one or leave it out"),
        ("prompt: 'a {y}', vars: {y: .inf}", "vars.y: infinity and not-a-number cannot be sent"),
        ("prompt: 'a {y}', vars: [1]", "vars: expected a mapping of names to values, not a list"),
        ("prompt: 'a {y}', vars: {x: 1}", "unknown variable {y}; known here are x"),
        ("prompt: 'a {y} and {{z}}', params: {p: '{z}'}, vars: {y: 1, z: 2}", "the variable write {z}"),
    ],
)
def test_what_is_wrong_with_own_vars_is_said_with_its_place(
    complain: Complain, entry: str, said: str
) -> None:
    found = complain(f"{HEAD}jobs: [{{{entry}}}]", files={"t.csv": "n,y\n1,2\n3,4\n"})
    assert any(said in one and one.startswith("jobs.yaml:3:") for one in found), found


def test_double_braces_around_a_word_that_is_only_said_are_a_warning(read: Read) -> None:
    found = read(f"{HEAD}jobs: [{{prompt: 'a sign {{{{open}}}}', vars: {{open: 1}}}}]")
    assert found.jobs[0].prompt == "a sign {open}"
    assert ["for the variable write {open}" in str(one) for one in found.warnings] == [True]


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.none() | st.booleans() | st.integers() | st.text(), min_size=width, max_size=width),
            max_size=200,
        )
    ),
    st.randoms(use_true_random=False),
)
def test_packed_rows_are_the_rows_in_whatever_order_they_are_asked_for(
    rows: list[list[Any]], random: Random
) -> None:
    packed = PackedRows(["x"] * 4, rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert [packed[number] for number in order] == [rows[number] for number in order]
