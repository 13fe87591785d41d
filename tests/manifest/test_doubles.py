"""Jobs that ask for the same, whichever way they came: each is bought, so each is named."""

import pytest

from batchgen.identity import content_key
from tests.manifest.conftest import Complain, Read

TOP = "version: 1\ndefaults: {model: m}\njobs:\n"
MEANT = "(repeat: 2 in an entry of its own, or seed: none, says that it is meant)"
TABLE = "n,p,w\n1,a mill,1\n2,a barn,1\n3,a mill,1.0\n4,a mill,2\n"


def warned(read: Read, jobs: str, **files: str) -> list[str]:
    """Return the warnings, after a look at whether they are about jobs of one content."""
    named = {f"{name}.{'yaml' if name == 'more' else 'csv'}": text for name, text in files.items()}
    manifest = read(jobs if jobs.startswith("version") else TOP + jobs, files=named)
    keys = [content_key(job) for job in manifest.jobs if job.derive_seed]
    assert bool(manifest.warnings) <= (len(set(keys)) < len(keys))
    return [str(one) for one in manifest.warnings]


def twice(place: str, where: str) -> list[str]:
    return [
        f"{place}: asks for the same {where}, so the same job is bought twice; delete one of them {MEANT}"
    ]


@pytest.mark.parametrize(
    ("jobs", "place", "where"),
    [
        ("  - {prompt: a mill}\n  - {prompt: ' a mill '}\n", "jobs.yaml:5:5", "as line 4"),
        ("  - {prompt: a mill, id: a}\n  - {prompt: a mill, id: b, tags: x}\n", "jobs.yaml:5:5", "as line 4"),
        ("  - {prompt: caf\u00e9}\n  - {prompt: cafe\u0301}\n", "jobs.yaml:5:5", "as line 4"),
        ("  - {prompt: [a, '{x}'], matrix: {x: [a]}, params: {s: '{x}'}}\n", "jobs.yaml:4:5", "twice"),
        (
            "  - {prompt: a, params: {w: 1}}\n  - {prompt: a, params: {w: 1.0}}\n  - {prompt: a}\n",
            "jobs.yaml:5:5",
            "as line 4",
        ),
        ("  - {prompt: a, model: [m, n]}\n  - {prompt: a, model: n}\n", "jobs.yaml:5:5", "as line 4"),
        ("  - {prompt: a mill}\n  - {prompt: '{p}', from: t.csv, params: {w: '{n}'}}\n", "", ""),
        ("  - {prompt: a barn}\n  - {prompt: '{p}', from: u.csv}\n", "u.csv:2", "as jobs.yaml:4:5"),
        ("  - {prompt: '{p}', from: u.csv}\n  - {prompt: '{p}', from: u.csv}\n", "u.csv:2", "twice"),
        ("  - {prompt: '{p}', from: t.csv, params: {w: '{w}'}}\n", "t.csv:4", "as line 2"),
        ("  - {prompt: a, repeat: 3}\n  - {prompt: a}\n", "jobs.yaml:5:5", "as line 4"),
    ],
)
def test_a_double_is_named_with_the_line_that_it_equals(
    read: Read, jobs: str, place: str, where: str
) -> None:
    found = warned(read, jobs, t=TABLE, u="p\na barn\n")
    assert found == (twice(place, where) if place else [])


def test_a_double_of_an_included_manifest_is_named(read: Read) -> None:
    text = "version: 1\ninclude: more.yaml\ndefaults: {model: m}\njobs: [{prompt: a mill}]\n"
    more = "version: 1\njobs:\n  - {prompt: a mill, model: m}\n"
    assert warned(read, text, more=more) == twice("more.yaml:3:5", "as jobs.yaml:4:8")


@pytest.mark.parametrize(
    "jobs",
    [
        "  - {prompt: a mill, repeat: 5}\n",
        "  - {prompt: a mill, seed: none}\n  - {prompt: a mill, seed: none}\n",
        "  - {prompt: a mill}\n  - {prompt: a mill, seed: none}\n",
        "  - {prompt: a mill, params: {seed: 1}}\n  - {prompt: a mill, params: {seed: 2}}\n",
        "  - {prompt: a mill}\n  - {prompt: A mill}\n  - {prompt: a  mill}\n",
        "  - {prompt: a mill}\n  - {prompt: a mill, model: n}\n",
    ],
)
def test_what_is_said_to_be_meant_or_differs_is_no_double(read: Read, jobs: str) -> None:
    assert warned(read, jobs) == []


def test_many_doubles_are_counted_and_the_first_named(read: Read) -> None:
    (found,) = warned(read, "  - {prompt: '{p}', from: t.csv}\n", t="p\n" + "a mill\na barn\n" * 40)
    assert found.startswith(
        "t.csv:4: 78 jobs ask for the same as an earlier one, and each is bought again: line 4 as"
    )
    assert found.endswith(f"line 15 as line 3 and 66 more; delete them {MEANT}")


def test_doubles_beside_a_problem_break_nothing(complain: Complain) -> None:
    jobs = "  - {prompt: '{p}', id: '{p}', from: t.csv}\n  - {prompt: a mill}\n"
    found = complain(TOP + jobs, files={"t.csv": "p\na mill\na mill\n"})
    assert len(found) == 1
    assert "is taken" in found[0]
