"""Numbers inside texts: as the file spells them. Alone they stay what they are."""

import pytest

from batchgen.identity import content_key
from batchgen.manifest.source.scalars import Spelled, plain, spelled
from batchgen.model import Json
from tests.manifest.conftest import Complain, Read

# as a file spells it, and what it is as the whole of a parameter
SCALARS: list[tuple[str, Json]] = [
    ("12.50", 12.5),
    ("007", 7),
    ("1.10", 1.1),
    ("1e3", 1000.0),
    ("1E-2", 0.01),
    ("0x10", 16),
    ("0o17", 15),
    (".5", 0.5),
    ("5.", 5.0),
    ("+5", 5),
    ("-0", 0),
    ("1.0", 1.0),
    ("12345678901234567890", 12345678901234567890),
    ("0.1000000000000000055511151231257827", 0.1),
    ("True", True),
    ("FALSE", False),
    ("true", True),
    ("yes", "yes"),
    ("1_000", "1_000"),
    ("12:30", "12:30"),
    ("2026-11-27", "2026-11-27"),
    ("1.2.3", "1.2.3"),
]


@pytest.mark.parametrize(("written", "value"), SCALARS)
@pytest.mark.parametrize(
    "text",
    [
        "vars: {v: WRITTEN}\njobs:\n  - {prompt: 'v{v}', PARAMS}\n",
        "x-v: &v WRITTEN\nvars: {v: *v}\njobs:\n  - {prompt: 'v{v}', PARAMS}\n",
        "jobs:\n  - {prompt: 'v{v}', PARAMS, matrix: {v: WRITTEN}}\n",
        "jobs:\n  - {prompt: 'v{v}', PARAMS, matrix: {v: [WRITTEN]}}\n",
        "jobs:\n  - {prompt: 'v{v}', PARAMS, matrix: {v: {of: [WRITTEN], sample: 1}}}\n",
        "jobs:\n  - {prompt: 'v{v}', PARAMS, zip: {v: [WRITTEN]}}\n",
        "jobs:\n  - {prompt: 'v{v}', PARAMS, zip: [{v: WRITTEN}]}\n",
        "jobs:\n  - {prompt: 'v{v}', PARAMS, matrix: {v: [x]}, exclude: {v: x}, include: {v: WRITTEN}}\n",
        "jobs:\n  - {prompt: 'v{v}', PARAMS, from: t.yaml}\n",
        "jobs:\n  - {prompt: 'v{v}', PARAMS, from: merged.yaml}\n",
        "defaults: {PARAMS}\njobs:\n  - {prompt: 'v{v}', matrix: {v: [WRITTEN]}}\n",
    ],
)
def test_a_scalar_keeps_its_spelling_in_a_text_and_its_type_alone(
    text: str, written: str, value: Json, read: Read
) -> None:
    files = {
        "t.yaml": f"- {{v: {written}}}\n",
        "merged.yaml": f"- &a {{v: {written}, w: skip}}\n- {{<<: *a, w: 1}}\n",
    }
    text = text.replace("PARAMS", "params: {whole: '{v}', text: '{v}!'}").replace("WRITTEN", written)
    head = "version: 1\n" if "defaults" in text else "version: 1\ndefaults: {model: m}\n"
    text = text.replace("defaults: {params", "defaults: {model: m, params")  # one mapping, not two
    for job in read(head + text, files=files).jobs:
        assert job.prompt == f"v{written}"
        assert job.params == {"whole": value, "text": f"{written}!"}
        assert type(job.params["whole"]) is type(value)


@pytest.mark.parametrize(("written", "value"), [("12.50", 12.5), ("1e3", 1000.0), ("7", 7), ("true", True)])
def test_a_value_of_json_lines_keeps_its_spelling_too(written: str, value: Json, read: Read) -> None:
    text = "version: 1\njobs:\n  - {prompt: 'v{v}', model: m, from: t.jsonl, params: {w: '{v}', x: '{l}'}}\n"
    (job,) = read(text, files={"t.jsonl": f'{{"v": {written}, "l": [{written}, {{"a": {written}}}]}}\n'}).jobs
    assert (job.prompt, job.params) == (f"v{written}", {"w": value, "x": [value, {"a": value}]})
    assert type(job.params["x"][0]) is type(job.params["w"]) is type(value)
    content_key(job)


def test_two_spellings_of_a_number_are_two_texts_and_one_parameter(read: Read, complain: Complain) -> None:
    head = "version: 1\ndefaults: {model: m}\njobs:\n"
    jobs = read(head + "  - {id: 'v{v}', prompt: 'version {v}', matrix: {v: [1.1, 1.10, 007]}}\n").jobs
    assert [(one.id, one.prompt) for one in jobs] == [
        ("v1.1", "version 1.1"),
        ("v1.10", "version 1.10"),
        ("v007", "version 007"),
    ]
    (twice,) = complain(head + "  - {prompt: x, matrix: {v: [1.1, 1.10]}, params: {v: '{v}'}}\n")
    assert twice.endswith("v has this value twice; to buy the same again write repeat: 2")
    (twice,) = complain(head + "  - {prompt: 'x {v}', matrix: {v: [1.10, 1.10]}}\n")
    assert "twice" in twice


def test_choices_are_made_and_named_by_what_a_number_is_where_no_text_has_it(read: Read) -> None:
    head = "version: 1\ndefaults: {model: m}\njobs:\n"
    entry = (
        "  - {prompt: x, id: g, matrix: {v: [3.50, 7.0, 007.5]}, params: {v: '{v}'}, exclude: {v: 7.00}}\n"
    )
    assert [(one.id, one.params) for one in read(head + entry).jobs] == [
        ("g-3-5", {"v": 3.5}),
        ("g-7-5", {"v": 7.5}),
    ]
    sampled = "  - {prompt: '{v}', matrix: {v: {of: [%s], sample: 2}}}\n"
    one, two = (read(head + sampled % of).jobs for of in ("1.0, 2.0, 3.0, 4.0", "01, 02, 03, 04"))
    assert [float(job.prompt or 0) for job in one] == [float(job.prompt or 0) for job in two]


def test_a_spelling_is_kept_only_where_it_is_another_than_ours() -> None:
    assert not isinstance(spelled(12, "12"), Spelled)
    assert not isinstance(spelled("007", "007"), Spelled)
    assert not isinstance(spelled(float("inf"), ".inf"), Spelled)
    assert spelled(12, None) == 12
    assert (plain(spelled(7, "007")), plain("x"), plain(True)) == (7, "x", True)
