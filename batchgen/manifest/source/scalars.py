"""Plain scalars by the core schema of YAML 1.2, and their texts.

The only place that says which text is a number: ``no``, ``on``, ``1:1`` and dates are text. Inside a text
a number stands as its file spells it.
"""

import json
import math
import re
from typing import TypeAlias

from batchgen.model import Json

Scalar: TypeAlias = str | int | float | bool | None


class Spelled(str):
    """A number or boolean that its file spells in another way than we would, such as ``1.10`` or ``007``.

    It is its spelling inside a text, and its value wherever it stands alone.

    Attributes:
        value: what it stands for.
    """

    __slots__ = ("value",)
    value: float  # or a whole number or a boolean


def spelled(value: Json, written: str | None) -> Json:
    """Return a value that keeps its spelling, where that is another than ours.

    Args:
        value: as it was read.
        written: as its file has it; None where that is not known.
    """
    if written is None or not isinstance(value, bool | int | float):
        return value
    if written == text_of(value) or (isinstance(value, float) and not math.isfinite(value)):
        return value
    made = Spelled(written)
    made.value = value
    return made


def plain(value: Json) -> Json:
    """Return a value without its spelling."""
    return value.value if isinstance(value, Spelled) else value


def as_written(value: Json) -> Json:
    """Return a value as a plain one that says what a person wrote: ``007`` as that text, ``7`` as a number.

    Inside a list or a mapping, which is no text anywhere, a number is only a number.
    """
    match value:
        case Spelled():
            return str(value)
        case list():
            return [plain(one) if isinstance(one, str) else as_written(one) for one in value]
        case dict():
            return {
                name: plain(one) if isinstance(one, str) else as_written(one) for name, one in value.items()
            }
        case _:
            return value


_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STARTS = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_ENDLESS = re.compile(r"([-+]?)\.(?:(inf|Inf|INF)|nan|NaN|NAN)")
_LONGEST = 400  # digits: more is no number anyone means, and Python refuses 4,300


def resolve(text: str) -> Scalar:
    """Return the value a plain scalar stands for.

    Raises:
        ValueError: a number of more digits than a number has.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS:
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        return int(_bounded(text))
    if _FLOAT.fullmatch(text):
        return float(_bounded(text))
    if _OTHER_BASE.fullmatch(text):
        return int(_bounded(text), 0)
    if endless := _ENDLESS.fullmatch(text):
        if endless[2]:
            return -math.inf if endless[1] == "-" else math.inf
        return text if endless[1] else math.nan
    return text


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        raise ValueError(f"a number of {len(text)} digits; put it in quotes if it is text")
    return text


def number_in(text: str) -> Scalar:
    """Return the finite number or boolean that a table's cell writes, the text itself otherwise."""
    try:
        value = resolve(text)
    except ValueError:
        return text
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return text
    return value


def text_of(value: Json) -> str:
    """Return a scalar as it stands inside a text.

    Raises:
        ValueError: a list or a mapping, which has no place inside a text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        raise ValueError(f"is {kind_of(value)}: it can be the whole of a parameter, no part of a text")  # noqa: TRY004 - the user's mistake, not ours
    return json.dumps(value)


def kind_of(value: Json) -> str:
    """Name what kind of value it is, for people."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case dict():
            return "a mapping"
        case _:
            return "a list"


def unsendable(value: Json) -> str | None:
    """Return what in a value JSON cannot carry, None where it can."""
    if isinstance(value, float) and not math.isfinite(value):
        return "infinity and not-a-number cannot be sent; write a finite number"
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return "half a surrogate pair is no character"
    if isinstance(value, dict):
        return next((wrong for one in value.items() for part in one if (wrong := unsendable(part))), None)
    if isinstance(value, list):
        return next((wrong for one in value if (wrong := unsendable(one))), None)
    return None
