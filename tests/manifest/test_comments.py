"""What YAML drops of a text without a word: a kind of fault whose members are named here one by one."""

import re
from pathlib import Path

import pytest
import yaml

from batchgen.errors import InputError
from batchgen.manifest.reading import read_manifest
from batchgen.manifest.source.document import read_document
from batchgen.manifest.source.problems import Problems
from tests.manifest.conftest import Complain, Read

HEAD = "version: 1\ndefaults: {model: m}\n"
# behind HEAD; where the # stands, and the form to write
CUT = [
    ("jobs:\n  - prompt: a logo in #ff0000 red\n", "4:23", 'prompt: "a logo in #ff0000 red"'),
    ("jobs:\n  - prompt:\n    - a mill\n    - track # 3\n", "6:13", '"track # 3"'),
    ('jobs:\n  - prompt: say "hi" #1\n', "4:22", "prompt: 'say \"hi\" #1'"),
    ("jobs:\n  - prompt: two\n      lines #1\n", "5:13", 'prompt: "two lines #1"'),
    ("jobs:\n  - {prompt: red #1\n    }\n", "4:18", 'prompt: "red #1"'),
    ("jobs:\n  - prompt: a mill\n    params: {a: {b: [flat #1\n      ]}}\n", "5:27", '"flat #1"'),
    ("jobs:\n  - prompt: a mill\n    params:\n      ratio: 16:9  # wide\n", "6:20", 'ratio: "16:9 # wide"'),
    ("vars:\n  s: flat #1\njobs: [{prompt: '{s}'}]\n", "4:11", 's: "flat #1"'),
    ("x-s: &s flat #1\nvars: {s: *s}\njobs: [{prompt: '{s}'}]\n", "3:14", 'x-s: "flat #1"'),
    ("jobs:\n  - prompt: '{a}'\n    matrix:\n      a:\n      - x #1\n      - y\n", "7:11", '"x #1"'),
    ("jobs:\n  - prompt: '{a}'\n    zip:\n      a:\n      - no #1\n      - y\n", "7:12", '"no #1"'),
    ("jobs:\n  - prompt: a mill\n    id: shot #3\n", "5:14", 'id: "shot #3"'),
    ("jobs:\n  - prompt: a mill\n    tags:\n    - cover #3\n", "6:13", '"cover #3"'),
    ("batch: run #3\njobs: [{prompt: a mill}]\n", "3:12", 'batch: "run #3"'),
    ("jobs:\n  - prompt: &c in the fog\n", "4:13", 'prompt: "&c in the fog"'),
]
KEPT = [
    "jobs:\n  - prompt: 'a logo in #ff0000'  # red\n",
    'jobs:\n  - prompt: "a mill" #1\n',
    "jobs:\n  - prompt: a#b, c# and 'd'\n",
    "jobs:\n  # all of it\n  - prompt: a mill\n    model: m  # cheap\n    id: mill # ours\n",
    "jobs:\n  - prompt: |  # as it is\n      # a title\n      a mill #1\n",
    "jobs:\n  - prompt: >\n      a mill #1\n      in the fog\n",
    "jobs:\n  - prompt: a mill\n    params: {seed: 4, size: 1e3} # ours\n    # and\n",
    "jobs:\n  - prompt: a mill\n    params:\n      seed: 42 # cheap\n      hdr: true #1\n",
    "jobs:\n  - prompt: &p a mill\n  - {prompt: *p, model: n}\n",
    "jobs: # ours\n  - prompt: a mill\n",
]


@pytest.mark.parametrize(("text", "place", "right"), CUT)
def test_a_text_that_a_comment_or_an_anchor_makes_shorter_is_a_warning_with_the_quoted_form(
    text: str, place: str, right: str, read: Read
) -> None:
    (warning,) = read(HEAD + text).warnings
    assert str(warning).startswith(f"jobs.yaml:{place}: ")
    assert re.search(rf"; .*write {re.escape(right)}", warning.text)


@pytest.mark.parametrize("text", KEPT)
def test_a_comment_that_takes_nothing_from_a_text_is_no_warning(text: str, read: Read) -> None:
    assert read(HEAD + text).warnings == ()


def test_a_value_that_is_all_comment_is_named_beside_the_problem_that_it_makes(read: Read) -> None:
    with pytest.raises(InputError) as raised:
        read(HEAD + "jobs:\n  - prompt: a mill\n    params: {colour:  #ff0000\n      }\n")
    (problem,) = raised.value.problems
    (warning,) = raised.value.warnings
    assert "params.colour has no value" in problem.text
    assert warning.text == 'a # begins a comment, so there is no value; write colour: "#ff0000"'
    assert (warning.line, warning.column) == (5, 23)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("  - prompt: a mill #ff\n      in the fog\n    id: x\n", "4:20"),
        ("  - {prompt: a mill #ff, id: x}\n", "4:21"),
        ("  - prompt: [a mill #ff,\n      b]\n", "4:21"),
    ],
)
def test_a_comment_that_breaks_the_yaml_is_named_too(text: str, place: str, complain: Complain) -> None:
    said = "a # begins a comment, which ends the text here; put the text in quotes"
    assert complain(HEAD + "jobs:\n" + text) == [f"jobs.yaml:{place}: {said}"]


def test_the_rows_of_a_yaml_table_are_looked_at_too(read: Read) -> None:
    table = "- name: red #1\n- name: 'blue' #2\n- {name: green}\n"
    manifest = read(
        HEAD + "jobs:\n  - {from: t.yaml, prompt: '{name}'}\n  - {from: t.yaml, prompt: 'a {name}'}\n",
        files={"t.yaml": table},
    )
    (warning,) = manifest.warnings
    assert str(warning) == (
        't.yaml:1:13: a # begins a comment, so the text is only "red"; write name: "red #1" (if a comment '
        "is meant, put the text before it in quotes)"
    )


def test_many_of_them_are_cut_short(read: Read) -> None:
    manifest = read(HEAD + "jobs:\n" + "".join(f"  - prompt: a mill {n} #{n}\n" for n in range(50)))
    assert len(manifest.warnings) == 21
    assert manifest.warnings[-1].text == "and 30 more like it"


@pytest.mark.parametrize("base", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_both_parsers_say_where_a_text_ends(base: type[yaml.SafeLoader]) -> None:
    text = "\ufeffé:  红 x  #1\r\nb: [&a c\u00a0d  #2\r\n ]\r\n"
    found = read_document(text.encode(), "m", Problems(), base=base).dropped(lambda _path: True)
    assert [(one.place.line, one.place.column, one.kind) for one in found] == [
        (1, 10, "comment"),
        (2, 5, "anchor"),
        (2, 13, "comment"),
    ]


def test_the_example_has_none() -> None:
    root = Path(__file__).parent.parent.parent
    assert read_manifest(root / "jobs.example.yaml", environ={}).warnings == ()
