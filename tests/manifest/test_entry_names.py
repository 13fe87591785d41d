"""What an entry is called: by a name of its own, or by what its ids begin with."""

import re

import pytest

from batchgen.identity import content_key
from batchgen.manifest.naming import wrong_with_entry
from tests.manifest.conftest import Complain, Read

HEAD = "version: 1\ndefaults: {model: m}\n"
_ALIKE = "has it (upper and lower case are one); give one of them another name"


def entries_of(read: Read, *jobs: str, head: str = HEAD) -> list[str]:
    """Return what the entry of every job is called."""
    found = read(f"{head}jobs:\n" + "".join(f"  - {{{one}}}\n" for one in jobs), files={"t.csv": "n\na\n"})
    return [found.entry(index) for index in range(len(found.jobs))]


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("entry: big towers, id: tower, prompt: x", "big towers"),
        ("entry: Türme, prompt: x", "Türme"),
        ("id: tower, prompt: x", "tower"),
        ("id: tower_, prompt: x", "tower_"),
        ("id: 'icon-{n}', prompt: 'x {n}', from: t.csv", "icon"),
        ("id: 'a.b-_.{n}', prompt: 'x {n}', from: t.csv", "a.b"),
        ("id: '{n}-cut', prompt: 'x {n}', from: t.csv", ""),
        ("id: 'icon-{n?}-{s}', prompt: 'x {n} {s}', from: t.csv, matrix: {s: [1]}", "icon"),
        ("id: '{season}-{n}', prompt: 'x {n}', from: t.csv", "spring"),  # one value for the whole file
        ("id: '{s}-hero', prompt: x, vars: {s: old}", "old-hero"),
        ("prompt: a mill", ""),
    ],
)
def test_an_entry_is_called_by_its_name_or_by_what_its_ids_begin_with(
    read: Read, entry: str, name: str
) -> None:
    assert entries_of(read, entry, head=f"{HEAD}vars: {{season: spring}}\n") == [name]


def test_all_jobs_of_an_entry_have_its_name_and_their_own_ids(read: Read) -> None:
    jobs = "prompt: 'a {x}', matrix: {x: [1, 2]}, repeat: 2", "entry: b, prompt: 'b {x}', matrix: {x: [1, 2]}"
    assert entries_of(read, *jobs) == [""] * 4 + ["b"] * 2


def test_a_name_changes_neither_ids_nor_identity_nor_order(read: Read) -> None:
    text = HEAD + "jobs: [{id: 't-{x}', prompt: 'a {x}', matrix: {x: [oak, ice]}, params: {n: 1}}]\n"
    plain, named = read(text), read(text.replace("id:", "entry: towers, id:"))
    assert [one.id for one in plain.jobs] == [one.id for one in named.jobs]
    assert [*map(content_key, plain.jobs)] == [*map(content_key, named.jobs)]
    assert named.previews == ("towers: 2 x = 2 jobs",)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("'a, b'", "there may be no comma in it, for it is typed in --only entry:NAME; write entry: a-b"),
        ("'icon-{x}'", "there may be no brace in it, .* write entry: icon-x"),
        ("'tow*'", r"there may be no \* in it, .* write entry: tow$"),
        ("'[a]?'", r"there may be no \[ in it, .* write entry: a$"),
        ('"a\\nb"', "there may be no line break in it, .* write entry: a-b"),
        ('"a\\tb"', r"there may be no invisible character \(U\+0009\) in it, .* write entry: a-b"),
        ('"a\\u200bb"', r"there may be no invisible character \(U\+200B\) in it, .* write entry: ab"),
        ("' a'", '" a" has a space at an end; write entry: a$'),
        ("''", "empty; write a name, or leave the key out"),
        ("'  '", "empty; write a name, or leave the key out"),
        ("'***'", r"there may be no \* in it, .*; write another one"),
        ("7", 'expected text, not a number; write entry: "7"'),
        ("[a]", "expected text, not a list"),
        (f"'{'x' * 101}'", "101 characters, 100 at most"),
    ],
)
def test_a_name_that_cannot_be_typed_is_a_problem_that_shows_one_that_can(
    complain: Complain, written: str, said: str
) -> None:
    (found,) = complain(f"{HEAD}jobs:\n  - entry: {written}\n    prompt: x\n")
    assert re.search(f"^jobs.yaml:4:12: entry: {said}", found)


@pytest.mark.parametrize(
    "name", ["tower", "Big towers", "塔", "a=b", "x:y", "@all", "100%", "it's", "été", "é"]
)
def test_a_name_may_be_any_other_text(name: str) -> None:
    assert wrong_with_entry(name) is None


@pytest.mark.parametrize("other", ["tower", "Tower", "TOWER"])
def test_two_entries_of_one_name_are_a_problem_that_shows_where_the_other_is(
    complain: Complain, other: str
) -> None:
    text = (
        f"{HEAD}jobs:\n  - {{entry: tower, prompt: x}}\n  - {{prompt: y}}\n  - {{entry: {other}, prompt: z}}"
    )
    assert complain(text) == [
        f'jobs.yaml:6:13: entry: "{other}" is taken, the entry at jobs.yaml:4:13 {_ALIKE}'
    ]


def test_a_name_that_an_included_file_has_is_taken_too(complain: Complain) -> None:
    files = {
        "more/props.yaml": "version: 1\njobs: [{entry: towers, model: m, prompt: y}]\ninclude: deeper.yaml\n",
        "more/deeper.yaml": "version: 1\njobs: [{entry: 'towers', model: m, prompt: z}]\n",
    }
    found = complain(f"{HEAD}include: more/props.yaml\njobs: [{{entry: towers, prompt: x}}]\n", files=files)
    assert found == [
        f'more/{file}:2:16: entry: "towers" is taken, the entry at jobs.yaml:4:16 {_ALIKE}'
        for file in ("props.yaml", "deeper.yaml")
    ]


def test_names_that_ids_begin_with_may_be_alike(read: Read) -> None:
    jobs = (
        "id: 'icon-{x}', prompt: 'a {x}', matrix: {x: [1]}",
        "id: 'icon-{y}', prompt: 'b {y}', matrix: {y: [2]}",
    )
    assert entries_of(read, *jobs, "entry: icon, prompt: z") == ["icon", "icon", "icon"]


def test_a_bad_name_hides_no_other_problem_of_its_entry(complain: Complain) -> None:
    found = complain(f"{HEAD}jobs:\n  - {{entry: 'a,b', prompt: '{{x}}'}}\n")
    assert len(found) == 2
