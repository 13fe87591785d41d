"""Variables as other tools write them: sure mistakes are problems, what may be text is a warning."""

import pytest

from tests.manifest.conftest import Complain, Read

HEAD = "version: 1\ndefaults: {model: m}\njobs:\n"
CSV = {"t.csv": "topic,price,my col\na castle,12,x\na mill,14,y\n"}
ENTRY = HEAD + "  - from: t.csv\n    prompt: '{price} {my col} TEXT'\n"


@pytest.mark.parametrize(
    ("text", "single"),
    [
        ("about {{topic}}", "topic"),
        ("about {{ topic }}", "topic"),
        ("{{topic?}}", "topic"),
        ("{{my col}} here", "my col"),
        ("{{topic}} and {{price}}", "topic"),
    ],
)
def test_doubled_braces_around_a_variable_are_a_problem_that_shows_the_single_form(
    text: str, single: str, complain: Complain
) -> None:
    entry = HEAD + f"  - from: t.csv\n    prompt: '{text} {{style}}'\n    matrix: {{style: [ink, oil]}}\n"
    problems = complain(entry, files=CSV)
    assert any(
        one.startswith("jobs.yaml:5:13: {{") and one.endswith(f"for the variable write {{{single}}}")
        for one in problems
    )


def test_doubled_braces_are_found_wherever_variables_may_stand(complain: Complain) -> None:
    text = (
        "version: 1\nvars: {v: x}\ndefaults: {model: m, params: {d: ['{{topic}}']}}\njobs:\n"
        "  - {from: t.csv, prompt: {file: p.txt}, params: {n: {x: '{{topic}} {v}', y: '{{v}}'}}}\n"
        "  - {prompt: '{{a}} {b}', matrix: {a: [1], b: [1, 2]}}\n"
    )
    found = complain(text, files={**CSV, "p.txt": "{price} {{topic}}"})
    assert [one.partition(" is the text")[0] for one in found if "is the text" in one] == [
        "jobs.yaml:3:35: {{topic}}",
        "jobs.yaml:5:27: {{topic}}",
        "jobs.yaml:5:58: {{topic}}",
        "jobs.yaml:5:78: {{v}}",
        "jobs.yaml:6:14: {{a}}",
    ]


FORMS = """${topic} $topic <topic> <TOPIC> [topic] [[topic]] %topic% %(topic)s __topic__ \uff5btopic\uff5d
<my_col> {{topic|upper}} {{_topic.title_}} {{Topic}} {topic}_{{topic}}"""


@pytest.mark.parametrize("form", FORMS.split())
def test_other_forms_around_a_variable_are_warnings(form: str, read: Read) -> None:
    form = form if form.startswith("__") else form.replace("_", " ")
    text = ENTRY.replace("{my col} ", "") if "my col" in form else ENTRY
    manifest = read(text.replace("TEXT", form), files=CSV)
    (warning,) = manifest.warnings
    assert (warning.line, warning.column) == (5, 13)
    assert "write {my col}" in warning.text if "my col" in form else "write {topic}" in warning.text


@pytest.mark.parametrize(
    "text",
    [
        "'{topic} [topic] <topic>'",  # the variable is there, so the other is meant
        "'{price} for ${price} in [gold]'",  # a price
        "'{topic} {{other}} and {{{my col}}}'",
        "'{ topic } 50% off, [red|blue] <lora:x:1> __init__'",
        "'{topic} $5 and $HOME'",
        "'{topic}{{}}'",
    ],
)
def test_what_is_no_variable_is_text(text: str, read: Read) -> None:
    assert read(f"{HEAD}  - {{from: t.csv, prompt: {text}}}\n", files=CSV).warnings == ()
    assert read(f"{HEAD}  - {{prompt: '{{{{topic}}}} [topic] $topic'}}\n").warnings == ()


@pytest.mark.parametrize("form", ["{topic:>10}", "{topic!r}", "{topic|upper}", "{topic.name}", "{topic[0]}"])
def test_formats_and_filters_are_named(form: str, complain: Complain) -> None:
    (found,) = (one for one in complain(ENTRY.replace("TEXT", form), files=CSV) if "unknown" in one)
    assert (
        found
        == f"jobs.yaml:5:13: unknown variable {form}; there are no formats and no filters: write {{topic}}"
    )


def test_a_variable_in_a_value_is_a_warning_at_its_row(read: Read) -> None:
    text = HEAD + "  - {from: t.csv, prompt: '{text}', matrix: {colour: [red]}, params: {c: '{colour}'}}\n"
    rows = "text\na {colour} shield\n" + "a plain one\n" + "".join(f"a {{ colour }} {n}\n" for n in range(9))
    manifest = read(text, files={"t.csv": rows})
    said = "in it, which is sent as it is; only the text of prompt: is filled in"
    assert [str(one) for one in manifest.warnings] == [
        f"t.csv:2: a value has {{colour}} {said}",
        *(f"t.csv:{line}: a value has {{ colour }} {said}" for line in (4, 5, 6)),
        "t.csv:7: and 6 more rows like this (lines 7-12)",
    ]
    bound = (
        HEAD.replace("jobs", "vars: {style: 'flat {tone}', tone: warm}\njobs")
        + "  - prompt: 'a {style} {tone}'\n"
    )
    (warning,) = read(bound).warnings
    assert "a value has {tone} in it" in warning.text
