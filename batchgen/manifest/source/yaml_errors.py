"""What YAML's own complaints mean for a person who wrote the file."""

import yaml

from batchgen.manifest.source.characters import look_alike

_TAB = "a tab is used to indent; YAML takes spaces only"
_NO_TEXT = ("", " ", "\t", "\r", "#", "!")  # behind a # that begins what is meant as a comment
_NO_START = "unquoted text cannot begin with {0}; put the text in quotes"
_BRACE = 'text that begins with { needs quotes: "{name} ..."'

# A piece of the parser's context, in the words of libyaml and of PyYAML: the fault lies where it began.
_OPENED = (
    ("while scanning a quoted scalar", "a quote opens here and is not closed"),
    ("while scanning an alias", 'text that begins with * needs quotes: "*.png"'),
    ("while parsing a flow sequence", "a [ opens here; a comma or the ] is missing behind it"),
    ("while parsing a flow mapping", f"a {{ opens here; a comma or the }} is missing behind it; {_BRACE}"),
)
# A piece of the parser's message: the fault lies where it was found.
_FOUND = (
    ("another document", "a second document begins here; one file holds one manifest"),
    ("mapping values are not allowed", 'a colon where none can be; text with a colon needs quotes: "..."'),
    ("undefined alias", "an alias (*name) whose anchor (&name) is not written before it"),
    ("unknown escape character", "\\ begins an escape in double quotes; write \\\\ or use single quotes"),
    (
        "could not find expected ':'",
        "the line before has no colon: a key needs one, text needs quotes or an indent",
    ),
    (
        "did not find expected",
        "this does not continue what is above; check the indent, and put text in quotes",
    ),
    (
        "expected <block end>",
        "this does not continue what is above; check the indent, and put text in quotes",
    ),
)


def explain(error: yaml.YAMLError, text: str) -> tuple[int, int, str]:
    """Return line, column (from 1) and what is wrong.

    Args:
        error: what the parser raised.
        text: what it was given.
    """
    if not isinstance(error, yaml.MarkedYAMLError):
        return 0, 0, f"is not YAML: {str(error).splitlines()[0]}"
    problem, context, begun = error.problem or "", error.context or "", error.context_mark
    mark = error.problem_mark or begun
    if mark is not None and (found := look_alike(text, mark.line + 1, flow="flow" in context)):
        return found
    if mark is not None and (cut := _cut_by_comment(text, mark)):
        return cut
    for piece, meaning in _OPENED:
        if begun is not None and piece in context and "expected" in problem:
            return *_spot(begun), meaning
    meaning = _by_character(problem, mark, text) or next((it for piece, it in _FOUND if piece in problem), "")
    return *_spot(mark), meaning or " ".join(part for part in (problem, context) if part)


def _cut_by_comment(text: str, mark: yaml.Mark) -> tuple[int, int, str] | None:
    """Find a # in the line at fault, or the one before, that is glued to what seems to be text."""
    lines = text.split("\n")[: mark.line + 1]
    for number in range(len(lines), max(0, len(lines) - 2), -1):
        before, sign, behind = lines[number - 1].partition("#")
        is_glued = bool(sign) and behind[:1] not in _NO_TEXT and before.endswith((" ", "\t"))
        if is_glued and before.strip() and not {"'", '"'} & set(before):
            said = "a # begins a comment, which ends the text here; put the text in quotes"
            return number, len(before) + 1, said
    return None


def _by_character(problem: str, mark: yaml.Mark | None, text: str) -> str:
    lines = text.split("\n")
    if mark is None or mark.line >= len(lines):
        return ""
    before, rest = lines[mark.line][: mark.column], lines[mark.line][mark.column :]
    if rest.startswith("\t") or "tab character" in problem:
        return _TAB
    if "cannot start any token" in problem:
        return _NO_START.format(rest[:1])
    if before.rstrip().endswith("}"):
        return _BRACE
    return ""


def _spot(mark: yaml.Mark | None) -> tuple[int, int]:
    return (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
