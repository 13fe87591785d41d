"""Characters that look like YAML's own, as other keyboards write them, and unseen ones."""

import pytest

from tests.manifest.conftest import Complain, Read

HEAD = "version: 1\ndefaults: {model: m}\njobs:\n"
# behind HEAD; where the character stands, how it is named, and what to write
WRONG = [
    ("  - prompt:\u00a0a mill\n    id: x\n", "4:12", "a no-break space (U+00A0)", "a plain space"),
    ("\u00a0 - prompt: a mill\n    id: x\n", "4:1", "a no-break space (U+00A0)", "a plain space"),
    ("  -\u00a0prompt: a mill\n    id: x\n", "4:4", "a no-break space (U+00A0)", "a plain space"),
    ("  - prompt: a mill\n  \u2003 id: x\n", "5:3", "an em space (U+2003)", "a plain space"),
    ("\u3000- prompt: a mill\n  id: x\n", "4:1", "an ideographic space (U+3000)", "a plain space"),
    ("  - prompt: a mill\n  \u200b  id: x\n", "5:3", "a zero width space (U+200B)", "a plain space"),
    (
        "  - prompt\uff1a a mill\n    id: x\n",
        "4:11",
        '"\uff1a" (full-width colon, U+FF1A)',
        "a colon and a space",
    ),
    (
        "  - prompt\uff1aa\n    b\n    id: x\n",
        "4:11",
        '"\uff1a" (full-width colon, U+FF1A)',
        "a colon and a space",
    ),
    ("  \u2013 prompt: a mill\n    id: x\n", "4:3", '"\u2013" (en dash, U+2013)', "a dash and a space"),
    ("  \u2022 prompt: a mill\n    id: x\n", "4:3", '"\u2022" (bullet, U+2022)', "a dash and a space"),
    (
        "  - prompt: \u201ca mill: big\u201d\n",
        "4:13",
        '"\u201c" (left double quotation mark, U+201C)',
        "\" or '",
    ),
    (
        "  - prompt: [\u2018a: b\u2019, c]]\n",
        "4:14",
        '"\u2018" (left single quotation mark, U+2018)',
        "\" or '",
    ),
    ("  - {prompt: 'a\uff0cb'\uff0c id: x\n", "4:19", '"\uff0c" (full-width comma, U+FF0C)', ","),
    (
        "  - \uff5bprompt: a\uff5d\n   - b\n",
        "4:5",
        '"\uff5b" (full-width left curly bracket, U+FF5B)',
        "{ or [",
    ),
]


@pytest.mark.parametrize(("text", "place", "name", "right"), WRONG)
def test_a_character_that_only_looks_like_yaml_is_named_at_its_place(
    text: str, place: str, name: str, right: str, complain: Complain
) -> None:
    assert complain(HEAD + text) == [f"jobs.yaml:{place}: {name} is none of YAML's signs; write {right}"]


def test_keys_of_the_top_are_looked_at_before_what_they_break(complain: Complain) -> None:
    (found,) = complain("version\uff1a 1\njobs\uff1a\n  - prompt: a mill\n")
    assert found.startswith('jobs.yaml:2:5: "\uff1a" (full-width colon, U+FF1A) is none of YAML')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "  - {\u200bprompt: a}\n",
            "unknown key \u200bprompt; there is a zero width space (U+200B) in it; did you mean",
        ),
        (
            "  - {prompt\uff1a a, id: x}\n",
            'unknown key prompt\uff1a a; there is "\uff1a" (full-width colon, U+FF1A) in it',
        ),
        (
            "  - prompt\uff1aa mill\n",
            'expected a mapping of keys to values, not text; there is "\uff1a" (full-width',
        ),
        ("  - {prompt: a, model: m\u00a0}\n", "is not a model id; there is a no-break space (U+00A0) in it"),
        (
            "  - {prompt: a, model: m\u200b}\n",
            "is not a model id; there is a zero width space (U+200B) in it",
        ),
        (
            "  - {prompt: a, params: {w\u00a0: 2}}\n",
            "no input has such a name; there is a no-break space (U+00A0)",
        ),
        (
            "  - {prompt: a, params: {k:\u00a03}}\n",
            "no input has such a name; there is a no-break space (U+00A0)",
        ),
    ],
)
def test_what_nobody_sees_in_a_name_is_said(text: str, problem: str, complain: Complain) -> None:
    assert problem in complain(HEAD + text)[0]


def test_a_mark_inside_a_file_and_control_characters_are_named(complain: Complain) -> None:
    (found,) = complain(HEAD + "\ufeff  - prompt: a\n")
    assert found.startswith("jobs.yaml:4:1: a byte order mark (U+FEFF) inside the file")
    (found,) = complain(HEAD + "  - prompt: a\x07\n")
    assert found == "jobs.yaml:4:14: the control character U+0007 is not allowed"


def test_quotes_that_are_none_are_a_warning_with_the_line_to_write(read: Read) -> None:
    text = '  - prompt: \u201cit\u2019s a mill\u201d\n  - prompt:\n    - \u00aba "b"\u00bb\n'
    text += "  - prompt: \u2018x\u2019 and \u2018y\u2019\n  - prompt: \u201cto be\u201d or \u201cnot\u201d\n"
    said = "these quotes are none of YAML's, and part of the text; write"
    assert [str(one) for one in read(HEAD + text).warnings] == [
        f'jobs.yaml:4:13: {said} prompt: "it\u2019s a mill"',
        f"jobs.yaml:6:7: {said} 'a \"b\"'",
    ]


def test_such_characters_in_texts_are_left_alone(read: Read, complain: Complain) -> None:
    text = "  - prompt: \u57ce\uff1a\u591c\uff0c\u201chi\u201d \u2013 a\u00a0b\u3000c\n"
    text += "  - prompt: '\u201cx\u201d'\n"
    text += "  - prompt: |\n      Note\uff1a x\n      \u2013 y\n"
    manifest = read(HEAD + text)
    assert (len(manifest.jobs), manifest.warnings) == (3, ())
    (found,) = complain(HEAD + "  - prompt: \u57ce\uff1a\u591c\n    bad\n    id: x\n")
    assert "the line before has no colon" in found
