"""What an entry stands for: the jobs, their order, their ids, and what an edit leaves alone."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.identity import content_key
from batchgen.manifest.expand.expansion import Expansion
from batchgen.manifest.inclusion import Sheet
from batchgen.manifest.naming import wrong_with
from batchgen.manifest.reading import _prepare
from batchgen.manifest.source.document import read_document
from batchgen.manifest.source.problems import Problems
from batchgen.manifest.tables.files import Files
from batchgen.manifest.validation import validate
from batchgen.model import Job
from tests.manifest.conftest import Complain, Read

TOP = "version: 1\ndefaults: {model: m}\njobs:\n"
CASE = "(upper and lower case are one file)"
ALLOWED = (
    "allowed are letters (a-z, A-Z), digits, dot, dash and underscore, a letter or digit first, 100 at most"
)
ICONS = "name,colour,side\nsword,steel blue,512\nmap,red,768\n"


def test_jobs_come_row_by_row_then_prompt_model_axes_and_repeat_innermost(read: Read) -> None:
    text = (
        TOP
        + """
  - id: x
    from: t.csv
    prompt: ["{row} {axis}", "again {row} {axis}"]
    model: [m, n]
    matrix: {axis: [1, 2]}
    repeat: 2
"""
    )
    jobs = read(text, files={"t.csv": "row\na\nb\n"}).jobs
    asked = [(job.prompt, job.model) for job in jobs]
    expected = [
        (f"{prompt}{row} {axis}", model)
        for row in "ab"
        for prompt in ("", "again ")
        for model in "mn"
        for axis in "12"
        for _ in range(2)
    ]
    assert asked == expected


@pytest.mark.parametrize(
    ("entry", "ids"),
    [
        ("{prompt: 'A lighthouse, on a very tall cliff'}", ["a-lighthouse-on-a-very"]),
        ("{prompt: \u7ea2\u8272}", ["hongse"]),
        ("{prompt: [red house, blue house]}", ["red-house", "blue-house"]),
        ("{id: t, prompt: [red house, blue house]}", ["t-red-house", "t-blue-house"]),
        ("{prompt: x, repeat: 3}", ["x", "x-2", "x-3"]),
        ("{id: x, prompt: y, repeat: 2}", ["x", "x-2"]),
        (
            "{id: tower, prompt: '{m}, {s}', matrix: {m: [oak], s: [pixel art, oil]}}",
            ["tower-oak-pixel-art", "tower-oak-oil"],
        ),
        ("{prompt: 'a {m} tower', matrix: {m: [oak, stone]}}", ["a-tower-oak", "a-tower-stone"]),
        ("{prompt: '{m}', matrix: {m: [oak tree, stone]}}", ["oak-tree", "stone"]),
        ("{id: '{m}', prompt: '{m}', matrix: {m: [oak tree, A_1]}}", ["oak-tree", "A_1"]),
        ("{id: 'x-{m}', prompt: '{m} {n}', matrix: {m: [a], n: [1, 2]}}", ["x-a-1", "x-a-2"]),
        ("{id: t, prompt: '{m}', matrix: {m: [\u7ea2, \u84dd]}}", ["t-hong", "t-lan"]),
        ("{id: t, prompt: '{m}', matrix: {m: [a b, a-b]}}", ["t-a-b", "t-a-b-d44362"]),
        ("{id: t, prompt: x, model: [model_big-one, other]}", ["t-big-one", "t-other"]),
        ("{id: t, prompt: '{name} {colour}', from: t.csv}", ["t-sword-steel-blue", "t-map-red"]),
        ("{id: '{name}', prompt: '{name} {colour}', from: t.csv}", ["sword", "map"]),
        ("{prompt: '{name}, {colour}', from: t.csv}", ["sword-steel-blue", "map-red"]),
        ("{prompt: con}", ["job-con"]),
    ],
)
def test_ids_say_what_varies(read: Read, entry: str, ids: list[str]) -> None:
    assert [job.id for job in read(f"{TOP}  - {entry}\n", files={"t.csv": ICONS}).jobs] == ids


def test_automatic_ids_are_numbered_where_they_are_taken(read: Read) -> None:
    text = (
        TOP
        + "  - {id: tower, prompt: a}\n  - {prompt: Tower}\n  - {prompt: tower}\n  - {prompt: x, id: tower-4}"
    )
    assert [job.id for job in read(text).jobs] == ["tower", "tower-2", "tower-3", "tower-4"]


def test_params_are_laid_over_the_defaults_name_by_name(read: Read) -> None:
    text = """version: 1
defaults: {model: m, params: {a: 1, b: {c: 2}}, repeat: 2, seed: none}
jobs:
  - {prompt: x, params: {b: {d: 3}}, repeat: 1}
  - {prompt: y}
"""
    jobs = read(text).jobs
    assert [job.params for job in jobs] == [
        {"a": 1, "b": {"c": 2, "d": 3}},
        {"a": 1, "b": {"c": 2}},
        {"a": 1, "b": {"c": 2}},
    ]
    assert not any(job.derive_seed for job in jobs)


def test_variables_in_default_params_are_filled_in_for_each_job(read: Read) -> None:
    text = (
        "version: 1\ndefaults: {model: m, params: {s: '{size}'}}\njobs: [{prompt: x, matrix: {size: [1, 2]}}]"
    )
    assert [job.params for job in read(text).jobs] == [{"s": 1}, {"s": 2}]


def test_jobs_share_one_mapping_where_no_parameter_varies(read: Read) -> None:
    text = (
        TOP
        + "  - {prompt: '{name}', from: t.csv, params: {a: 1}, repeat: 2}\n  - {prompt: z}\n  - {prompt: y}\n"
    )
    jobs = read(text, files={"t.csv": ICONS}).jobs
    assert len({id(job.params) for job in jobs[:4]}) == 1
    assert jobs[4].params is jobs[5].params


def test_a_cell_is_a_number_in_params_and_text_in_a_prompt(read: Read) -> None:
    text = TOP + "  - {prompt: 'at {side}', from: t.csv, params: {width: '{side}', size: '{side}px'}}\n"
    assert read(text, files={"t.csv": ICONS}).jobs[0] == Job(
        id="at-512", prompt="at 512", model="m", params={"width": 512, "size": "512px"}
    )


def test_a_json_value_can_be_the_whole_of_a_parameter(read: Read) -> None:
    text = TOP + "  - {prompt: '{p}', from: t.jsonl, params: {loras: '{l}', n: '{n}'}}\n"
    files = {"t.jsonl": '{"p": "x", "l": [{"id": "a"}], "n": "7"}\n'}
    assert read(text, files=files).jobs[0].params == {"loras": [{"id": "a"}], "n": "7"}


def test_space_around_a_prompt_is_dropped(read: Read) -> None:
    assert read(TOP + "  - prompt: |\n\n      two\n      lines\n\n").jobs[0].prompt == "two\nlines"


def test_every_job_knows_where_it_comes_from(read: Read) -> None:
    text = TOP + "  - {prompt: x, repeat: 2}\n  - {prompt: '{name}', from: p/t.csv}\n  - {prompt: z}\n"
    manifest = read(text, files={"p/t.csv": ICONS})
    assert [str(place) for place in (manifest.places[n] for n in range(len(manifest.places)))] == [
        "jobs.yaml:4:5",
        "jobs.yaml:4:5",
        "p/t.csv:2",
        "p/t.csv:3",
        "jobs.yaml:6:5",
    ]
    with pytest.raises(IndexError):
        manifest.places[5]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (
            "  - {id: t, prompt: a}\n  - {id: T, prompt: b}\n",
            f'jobs.yaml:5:5: id: "T" is taken, the job at jobs.yaml:4:5 has it already {CASE}',
        ),
        (
            "  - {prompt: tower}\n  - {id: tower, prompt: b}\n",
            f'jobs.yaml:5:5: id: "tower" is taken, the job at jobs.yaml:4:5 got it from its prompt {CASE}',
        ),
        (
            "  - {id: t, prompt: a, repeat: 2}\n  - {id: t-2, prompt: b}\n",
            f'jobs.yaml:5:5: id: "t-2" is taken, the job at jobs.yaml:4:5 has it already {CASE}',
        ),
        (
            "  - {id: '{colour}', prompt: '{name}', from: t.csv}\n",
            f't.csv:3: id: "red" is taken, the job at t.csv:2 has it already {CASE}',
        ),
        (
            "  - {id: '{name}', prompt: '{name}', from: bad.csv}\n",
            f'bad.csv:2: id: name "../../x" cannot name a file: {ALLOWED}',
        ),
        (
            "  - {id: '{name}', prompt: '{name}', from: dev.csv}\n",
            'dev.csv:2: id: "nul" cannot name a file: Windows keeps this name for a device; add a word to it',
        ),
        (
            "  - {id: '-{m}', prompt: '{m} {n}', matrix: {m: a, n: b}}\n",
            f'jobs.yaml:4:5: id: "-a-b" cannot name a file: {ALLOWED}',
        ),
        (
            "  - {prompt: '{name} {colour}', from: gap.csv}\n",
            "gap.csv:3: colour is empty; where it may be, write {colour?}",
        ),
        (
            "  - {prompt: 'a {l}', from: l.jsonl}\n",
            "l.jsonl:1: prompt: l is a list: it can be the whole of a parameter, no part of a text",
        ),
        (
            "  - {prompt: a, params: {x: 'a {l}'}, from: l.jsonl}\n",
            "l.jsonl:1: params: l is a list: it can be the whole of a parameter, no part of a text",
        ),
    ],
)
def test_what_only_the_expansion_shows_is_a_problem_of_its_row(
    complain: Complain, entries: str, expected: str
) -> None:
    files = {
        "t.csv": "name,colour\na,red\nb,Red\n".replace("Red", "red"),
        "bad.csv": "name\n../../x\n",
        "dev.csv": "name\nnul\n",
        "gap.csv": "name,colour\na,red\nb,\n",
        "l.jsonl": '{"l": [1]}\n',
    }
    assert complain(TOP + entries, files=files) == [expected]


def test_rows_that_share_a_mistake_are_three_and_a_number(complain: Complain) -> None:
    files = {"t.csv": "name,colour\n" + "a,\n" * 1000}
    found = complain(TOP + "  - {prompt: '{name} {colour}', from: t.csv}\n", files=files)
    assert found == [
        *(f"t.csv:{line}: colour is empty; where it may be, write {{colour?}}" for line in range(2, 5)),
        "t.csv:5: and 997 more rows like this (lines 5-1001)",
    ]


@dataclass(frozen=True)
class Drawn:
    """An entry with two axes, as text."""

    word: str
    axes: dict[str, list[str]]
    repeat: int

    def __str__(self) -> str:
        axes = ", ".join(f"{name}: [{', '.join(values)}]" for name, values in self.axes.items())
        return f"  - {{prompt: '{self.word} {{x}} {{y}}', matrix: {{{axes}}}, repeat: {self.repeat}}}\n"


WORDS = st.lists(st.text("abcdefghij", min_size=3, max_size=6), min_size=1, max_size=4, unique=True)
DRAWN = st.builds(
    Drawn,
    word=st.text("klmnop", min_size=3, max_size=6),
    axes=st.fixed_dictionaries({"x": WORDS, "y": WORDS}),
    repeat=st.integers(1, 3),
)
ENTRIES = st.lists(DRAWN, min_size=1, max_size=4, unique_by=lambda drawn: drawn.word)


def jobs_of(text: str) -> list[Job]:
    problems = Problems("m")
    document = read_document(text.encode(), "m", problems)
    sheet = Sheet(path=Path("m"), raw=b"", document=document, sound=validate(document, problems))
    expansion = Expansion(problems)
    for number, entry in enumerate(_prepare([sheet], problems, {}, Files(), 10_000).entries):
        assert entry is not None
        expansion.add(number, entry)
    problems.raise_any()
    return expansion.jobs


def written(entries: list[Drawn]) -> str:
    return TOP + "".join(map(str, entries))


@given(entries=ENTRIES, which=st.integers(0, 3), axis=st.sampled_from("xy"), at=st.integers(0, 4))
def test_a_value_added_to_an_axis_changes_no_other_job(
    entries: list[Drawn], which: int, axis: str, at: int
) -> None:
    before = {(job.id, content_key(job)) for job in jobs_of(written(entries))}
    entries[which % len(entries)].axes[axis].insert(at, "zzz")
    after = {(job.id, content_key(job)) for job in jobs_of(written(entries))}
    assert before < after


@given(entries=ENTRIES, more=ENTRIES)
def test_jobs_appended_at_the_end_change_no_id_before_them(entries: list[Drawn], more: list[Drawn]) -> None:
    before, after = jobs_of(written(entries)), jobs_of(written([*entries, *more]))
    assert after[: len(before)] == before


# less what YAML itself refuses
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}'\ufeff\ufffe\uffff")
PROMPTS = st.text(CHARACTERS, min_size=1, max_size=12).filter(str.strip)


@given(st.lists(PROMPTS, min_size=1, max_size=5, unique_by=str.strip))
def test_automatic_ids_are_safe_and_apart_for_any_prompts(prompts: list[str]) -> None:
    jobs = jobs_of(TOP + "".join(f"  - prompt: '{prompt}'\n" for prompt in prompts))
    assert [wrong_with(job.id) for job in jobs] == [None] * len(jobs)
    assert len({job.id.lower() for job in jobs}) == len(jobs)
