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
