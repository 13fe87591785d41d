"""Ids of any script: readable, unique, and nobody blamed who made no mistake."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError
from batchgen.filenames import is_device
from batchgen.manifest.naming import alike, wrong_with
from batchgen.manifest.reading import read_manifest
from tests.manifest.conftest import Complain, Read

HEAD = "version: 1\ndefaults: {model: m}\njobs:\n"


def ids_of(names: list[str], template: str = "{name}") -> list[str]:
    """Return the ids that names give, in a manifest that is in no file."""
    values = json.dumps(names, ensure_ascii=False)
    text = f"{HEAD}  - id: {json.dumps(template)}\n    prompt: 'a {{name}}'\n    matrix: {{name: {values}}}\n"
    return [one.id for one in read_manifest(Path("m.yaml"), environ={}, text=text.encode()).jobs]


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["日本", "castle", "한국"], ["riben", "castle", "hangug"]),
        (["Москва", "قلعة", "ไทย"], ["moskva", "qlh", "aithy"]),
        (["🏰", "👑", "🏰👑"], ["european-castle", "crown", "european-castle-crown"]),
        (["été", "e\u0302te\u0301s"], ["ete", "etes"]),
        (["castle 城", "castle 村"], ["castle-cheng", "castle-cun"]),
        (["\u200fשלום\u200f", "\u202eabc\u202c"], ["slvm", "abc"]),  # noqa: RUF001
        (["deep red", "Tower_2"], ["deep-red", "Tower_2"]),
    ],
)
def test_names_of_any_script_are_ids_that_can_be_read(names: list[str], ids: list[str]) -> None:
    assert ids_of(names) == ids


@pytest.mark.parametrize(
    "names",
    [
        ["石", "十", "是"],  # they sound the same
        ["shi", "石"],
        ["deep red", "deep-red", "deep  red!"],
        ["???", "!!!", "…"],
        ["a very long name of the first thing", "a very long name of the second thing"],
        ["x" * 150 + "a", "x" * 150 + "b"],
        ["Größe", "Groe"],
        ["abc", "abc\u200f"],
        ["塔" * 90, "塔" * 91],
    ],
)
def test_names_that_come_to_one_id_are_told_apart_by_a_hash_of_each(names: list[str]) -> None:
    ids = ids_of(names)
    assert len({one.lower() for one in ids}) == len(names)
    assert all(wrong_with(one) is None for one in ids)
    assert all(re.search("(^|-)[0-9a-f]{6}$", one) for one in ids[1:])
    assert ids_of(names[:1] + names[:0:-1])[1:] == ids[:0:-1], "it does not depend on the place"


@pytest.mark.parametrize(
    "names",
    [["Tower", "tower"], ["Été", "été"], ["é tude", "e\u0301 tude"], ["Ω", "ω"], ["deep red", "Deep Red"]],
)
def test_names_that_differ_in_case_or_normal_form_alone_are_one_name_and_a_problem(names: list[str]) -> None:
    with pytest.raises(InputError, match=r"is taken, the job at .* has it already|has this value twice"):
        ids_of(names)


def test_a_row_whose_id_cannot_be_made_stands_in_no_other_row_s_way(complain: Complain) -> None:
    rows = ["con", "good", "con", "nul", "fine."]
    text = HEAD + "  - {id: '{name}', from: t.jsonl, prompt: 'a {name}'}\n"
    table = "".join(json.dumps({"name": one}) + "\n" for one in rows)
    assert complain(text, files={"t.jsonl": table}) == [
        'jobs.yaml: t.jsonl:1: id: "con" cannot name a file'.removeprefix("jobs.yaml: ")
        + ": Windows keeps this name for a device; add a word to it",
        't.jsonl:3: id: "con" cannot name a file: Windows keeps this name for a device; add a word to it',
        't.jsonl:4: id: "nul" cannot name a file: Windows keeps this name for a device; add a word to it',
        't.jsonl:5: id: "fine." cannot name a file: a dot may not be the last character (Windows drops it)',
    ]


def test_an_id_that_is_written_in_another_script_is_made_readable_too(read: Read) -> None:
    text = (
        HEAD + "  - {id: 塔, prompt: a}\n  - {id: '塔-{x}', prompt: 'b {x}', matrix: {x: [石, 1]}}\n"
        "  - {id: 🏰, prompt: c}\n  - {id: 十, prompt: d, repeat: 2}\n  - {id: 石, prompt: e, repeat: 2}\n"
    )
    ids = [one.id for one in read(text).jobs]
    assert ids[:6] == ["Ta", "Ta-shi", "Ta-1", "european-castle", "Shi", "Shi-2"]
    assert re.fullmatch(r"(Shi-[0-9a-f]{6}) \1-2", " ".join(ids[6:]))


def test_prompts_of_any_script_make_ids_of_their_first_words(read: Read) -> None:
    text = HEAD + "  - {prompt: 海边的灯塔}\n  - {prompt: Замок}\n  - {prompt: 🏰}\n  - {prompt: '***'}\n"
    assert [one.id for one in read(text).jobs] == [
        "haibiandedengta",
        "zamok",
        "european-castle",
        "job",
    ]


@given(st.lists(st.text(min_size=1, max_size=120), min_size=1, max_size=12, unique_by=alike))
def test_different_names_make_different_safe_ids_whatever_they_are(names: list[str]) -> None:
    names = [
        one for one in names if one.strip() and one.isprintable() and not re.search(r"[/\\]|^\s*\.", one)
    ]
    names = [one for one in names if not is_device(one) and not one.endswith(".") and "\ufeff" not in one]
    if not names:
        return
    ids = ids_of(names)
    assert len({one.lower() for one in ids}) == len(names)
    assert all(wrong_with(one) is None for one in ids)


LONG = "a photo of a small red"
CUT = "a" * 45


ALIKE: list[tuple[str, list[object]]] = [
    ("prompt: '{v}'", [f"{LONG} castle", f"{LONG} tower", f"{LONG} mill"]),  # cut behind five words
    ("prompt: '{v}'", ["x" * 50 + "a", "x" * 50 + "b"]),  # cut behind forty characters
    ("prompt: '{v}'", ["***", "???", "!"]),  # nothing but signs
    ("prompt: '{v}'", ["Oak", "oak", "OAK"]),
    ("prompt: '{v}'", ["石", "十", "shi"]),
    ("prompt: 'see {v}'", ["C", "C++", "C#"]),
    ("prompt: 'see {v}'", ["50", "50%", "$50", "<50"]),
    ("prompt: 'see {v}'", ["16:9", "16-9", "16/9", "16.9"]),
    ("prompt: 'see {v}'", ["2026-01-02", "2026/01/02"]),
    ("prompt: see, params: {p: '{v}'}", [1, -1]),
    ("prompt: see, params: {p: '{v}'}", [1.5, -1.5, "1-5"]),
    ("prompt: see, params: {p: '{v}'}", [True, "TRUE", "true!"]),
    ("prompt: see, params: {p: '{v}'}", ["a very long name of the first", "a very long name of the second"]),
    ("id: t, prompt: see, params: {p: '{v}'}", ["+1", "-1"]),
    (f"id: {'t' * 85}, prompt: 'see {{v}}'", ["the first of them", "the firm of them"]),  # labels cut
    (f"id: 't-{{w}}-{{w}}', prompt: 'see {{v}}', vars: {{w: {CUT}}}", ["left", "right"]),
    ("params: {text: '{v}'}", [f"{LONG} castle", f"{LONG} tower"]),
    ("params: {image: asset_1, p: '{v}'}", [1, -1, "!1"]),
    ("prompt: 'see', model: 'model_{v}'", ["of-a-very-long-and-winding-name-that-is-cut-v1",
                                           "of-a-very-long-and-winding-name-that-is-cut-v2"]),
]  # fmt: skip
WAYS = [
    (way, entry, values)
    for way in ("rows", "axis", "entries")
    for entry, values in ALIKE
    if way != "entries" or "id:" not in entry  # one id in two entries is a mistake of the user's
]


def named(read: Read, way: str, entry: str, values: list[object]) -> dict[str, str]:
    """Return for every value the id of its job."""
    table = "".join(json.dumps({"v": one}) + "\n" for one in values)
    text = {
        "rows": f"  - {{{entry}, from: t.jsonl}}\n",
        "axis": f"  - {{{entry}, zip: {{v: {json.dumps(values)}}}}}\n",
        "entries": "".join(f"  - {{{entry}, zip: {{v: [{json.dumps(one)}]}}}}\n" for one in values),
    }[way]
    found = [one.id for one in read(HEAD + text, files={"t.jsonl": table}).jobs]
    assert all(wrong_with(one) is None for one in found)
    assert len({one.lower() for one in found}) == len(values)
    return {json.dumps(value): name for value, name in zip(values, found, strict=True)}


@pytest.mark.parametrize(("way", "entry", "values"), WAYS)
def test_what_an_id_leaves_out_is_told_by_a_hash_and_not_by_the_place(
    read: Read, way: str, entry: str, values: list[object]
) -> None:
    ids = named(read, way, entry, values)
    plain = {value for value, name in ids.items() if not re.search("-[0-9a-f]{6}$", name)}
    assert json.dumps(values[0]) in plain
    assert plain != {*ids}
    for first in values[1:]:
        others = named(read, way, entry, [first, *(one for one in values if one is not first)])
        moved = {value for value in ids if others[value] != ids[value]}
        assert moved <= {*plain, json.dumps(first)}, "what comes first changes no other hash"


def test_files_whose_names_begin_alike_and_models_of_long_names_are_told_apart(read: Read) -> None:
    files = dict.fromkeys(("f/IMG 2024 01 02 03 front.png", "f/IMG 2024 01 02 03 back.png"), "x")
    text = f"{HEAD}  - {{from: {{files: 'f/*.png'}}, params: {{image: {{file: '{{path}}'}}}}}}\n"
    first, second = (one.id for one in read(text, files=files).jobs)
    assert re.fullmatch(f"{first}-[0-9a-f]{{6}}", second)
    before = {"f/IMG 2024 01 02 03 aside.png": "y"}
    assert [one.id for one in read(text, files=before).jobs][-1] == second
    entries = "  - {params: {image: {file: 'f/a.png'}}}\n  - {params: {image: {file: 'g/a.png'}}}\n"
    same = [one.id for one in read(HEAD + entries, files={"f/a.png": "1", "g/a.png": "2"}).jobs]
    assert re.fullmatch("a a-[0-9a-f]{6}", " ".join(same))
    names = [f"model_scenario-some-very-long-name-of-a-model-v{number}" for number in (1, 2, 3)]
    ids = [[one.id for one in read(f"{HEAD}  - {{prompt: x, model: {given}}}").jobs]
           for given in (names, names[:1] + names[2:])]  # fmt: skip
    assert ids[1] == ids[0][:1] + ids[0][2:]


@pytest.mark.parametrize(
    ("entries", "ids"),
    [
        ("  - {prompt: a mill}\n  - {prompt: a mill, params: {a: 1}}\n", ["a-mill", "a-mill-2"]),
        ("  - {prompt: a mill}\n  - {prompt: a mill, model: n}\n", ["a-mill", "a-mill-2"]),
        ("  - {prompt: a mill, repeat: 2}\n  - {prompt: a mill}\n", ["a-mill", "a-mill-2", "a-mill-3"]),
        ("  - {id: a-mill, prompt: x}\n  - {prompt: a mill}\n", ["a-mill", "a-mill-2"]),
        ("  - {prompt: été}\n  - {prompt: e\u0301te\u0301}\n", ["ete", "ete-2"]),
        ("  - {params: {image: asset_1}}\n  - {params: {image: asset_2}}\n", ["m", "m-2"]),
    ],
)
def test_a_number_tells_those_apart_whose_texts_say_the_same(
    read: Read, entries: str, ids: list[str]
) -> None:
    assert [one.id for one in read(HEAD + entries).jobs] == ids


def test_repeats_of_a_job_with_a_hash_have_the_hash_too(read: Read) -> None:
    text = f"{HEAD}  - {{prompt: {LONG} castle}}\n  - {{prompt: {LONG} tower, repeat: 3}}\n"
    for end, more in (("", ""), ("!", ", repeat: 2")):
        value = "十" if end else "石"
        text += f"  - {{id: 'k-{{v}}', prompt: '{{v}}{end}', matrix: {{v: [{value}]}}{more}}}\n"
    ids = " ".join(one.id for one in read(text).jobs)
    start = "a-photo-of-a-small"
    assert re.fullmatch(rf"{start} ({start}-\w{{6}}) \1-2 \1-3 k-shi (k-shi-\w{{6}}) \2-2", ids)


def test_a_variable_of_the_file_stands_in_an_id_as_one_of_a_row_does(read: Read, complain: Complain) -> None:
    text = "version: 1\nvars: {s: pixel art, t: Größe, u: 1.5, v: Höhle 2}\ndefaults: {model: m}\njobs:\n"
    jobs = "".join(f"  - {{id: '{{{name}}}-hero', prompt: {name}}}\n" for name in "stuv")
    assert [one.id for one in read(text + jobs).jobs] == [
        "pixel-art-hero",
        "Groe-hero",
        "1.5-hero",
        "hohle-2-hero",
    ]
    (found,) = complain(text.replace("pixel art", "a/b") + jobs)
    assert 'id: "a/b-hero" cannot name a file' in found


def test_thousands_of_lines_that_begin_alike_have_each_their_own_id(read: Read) -> None:
    lines = [f"{LONG} thing, number {number}" for number in range(9000)]  # six characters are too few
    ids = [one.id for one in read(f"{HEAD}  - from: t.txt\n", files={"t.txt": "\n".join(lines)}).jobs]
    again = [one.id for one in read(f"{HEAD}  - from: t.txt\n", files={"t.txt": "\n".join(lines[::-1])}).jobs]
    assert len({*ids}) == len(lines)
    assert not any(re.search(r"-\d$", one) for one in ids)
    moved = {*zip(lines, ids, strict=True)} - {*zip(lines[::-1], again, strict=True)}
    assert len(moved) < 12, "the first, the last, and those of one short hash"
