"""Characters that look like those of YAML's own and are none, and characters that nobody sees."""

import re
import unicodedata
from typing import NamedTuple

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_HIDDEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_BLANK = f"[{_SPACES}{_HIDDEN}]"
_COLONS = "[\uff1a\ufe55\ufe13\u2236\ua789]"
_DASHES = "[\u2010-\u2015\u2212\uff0d\ufe63\u2022\u00b7]"
_QUOTES = "[\u2018-\u201f\u00ab\u00bb\u2039\u203a\uff02\uff07]"
_KEY = r"[\"']?[A-Za-z_][A-Za-z0-9_.-]*[\"']?"

_SPACE, _COLON, _DASH, _QUOTE = "a plain space", "a colon and a space", "a dash and a space", "\" or '"
# Where YAML wants one of its own: the first group is what stands there, and then what to write.
_PLACES = tuple(
    (re.compile(pattern), right)
    for pattern, right in (
        (rf"[ \t]*(?:- +)*({_BLANK})", _SPACE),
        (rf"[ \t]*-({_BLANK})", _SPACE),
        (rf"[ \t]*(?:- +)*{_KEY} ?({_COLONS})", _COLON),
        (rf"[ \t]*(?:- +)*{_KEY}:({_BLANK})", _SPACE),
        (rf"[ \t]*({_DASHES})[ {_SPACES}]", _DASH),
        (rf"[ \t]*(?:- +)*(?:{_KEY}: +)?([\uff5b\uff3b])", "{ or ["),
    )
)
_QUOTED = re.compile(rf"[ \t]*(?:- +)*(?:{_KEY}: +)?(?:[\[{{] *(?:{_KEY}: +)?)?({_QUOTES})")
_TEXTS = re.compile(r"\"[^\"]*\"|'[^']*'")  # as good as quotes can be told in one line
_NEAR = 10  # lines before the one where the parser gave up
_FLOW = re.compile(r".*?([\uff0c\u3001\uff1b\uff5b\uff5d\uff3b\uff3d\uff1a])")
_FLOWS = dict(zip("\uff0c\u3001\uff1b\uff5b\uff5d\uff3b\uff3d\uff1a", (*",,,{}[]", _COLON), strict=True))
_UNSEEN = re.compile(f"{_BLANK}|{_COLONS}")
_IN_QUOTES = re.compile(rf"{_QUOTES}([^\u2018\u201c-\u201f\u00ab\u00bb]+){_QUOTES}")


class LookAlike(NamedTuple):
    """A character that is none of YAML's: its line and column, from 1, and what to write."""

    line: int
    column: int
    text: str


def named(character: str) -> str:
    """Name a character for people, with its number; itself too where it can be seen."""
    name = unicodedata.name(character, "").lower().replace("fullwidth", "full-width")
    number = f"U+{ord(character):04X}"
    shown = f'"{character}" ' if character.isprintable() and not character.isspace() else ""
    article = "an" if name[:1] in {"a", "e", "i", "o"} else "a"
    return f"{shown}({name}, {number})" if shown else f"{article} {name or 'control character'} ({number})"


def unseen_in(text: str) -> str:
    """Return ``; there is a no-break space (U+00A0) in it`` for a name that has one; empty otherwise."""
    found = _UNSEEN.search(text)
    return f"; there is {named(found[0])} in it" if found else ""


def curly_quotes(text: str) -> str | None:
    """Return what stands between quotes that are none of YAML's, None where a text is not in any."""
    found = _IN_QUOTES.fullmatch(text)
    return found[1] if found else None


def look_alike(text: str, line: int, *, flow: bool) -> LookAlike | None:
    """Find what is at fault for a file that is no YAML; None where that is something else.

    Args:
        text: of the file.
        line: where the parser gave up, from 1; what it stumbled over may stand before.
        flow: whether it was inside ``[ ]`` or ``{ }``.
    """
    lines = text.split("\n")[:line]
    at_fault = _TEXTS.sub(lambda one: "x" * len(one[0]), lines[-1]) if lines else ""
    if found := _QUOTED.match(at_fault):
        return _made(line, found, _QUOTE)
    if flow and (found := _FLOW.match(at_fault)):
        return _made(line, found, _FLOWS[found[1]])
    for number in range(len(lines), max(0, len(lines) - _NEAR), -1):
        for pattern, right in _PLACES:
            if found := pattern.match(lines[number - 1]):
                return _made(number, found, right)
    return None


def _made(line: int, found: re.Match[str], right: str) -> LookAlike:
    return LookAlike(line, found.start(1) + 1, f"{named(found[1])} is none of YAML's signs; write {right}")
