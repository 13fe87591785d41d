"""Variables as other tools write them, which are plain text here: ``{{topic}}``, ``$topic``, ``<topic>``.

Doubled braces around a variable that the text has in no other place are a mistake: every job would say the
same. The other forms may be meant as text, so they are only worth a word.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from batchgen.manifest.source.problems import shortened
from batchgen.manifest.source.scalars import number_in, plain
from batchgen.manifest.templates import parse
from batchgen.model import Json

_SIGNS = frozenset("{$<[%_\uff5b")
_DOUBLED = re.compile(r"(?<!\{)\{\{([^{}\n]*)\}\}(?!\})")
_DOLLAR = re.compile(r"\$\{([^{}\n]*)\}")
_OTHERS = tuple(
    (sign, re.compile(pattern))
    for sign, pattern in (
        ("$", r"(?<![\w$])\$(\w+)"),
        ("<", r"<<?([^<>\n]{1,60})>>?"),
        ("[", r"\[\[?([^\[\]\n]{1,60})\]\]?"),
        ("%", r"%\(([^()\n]{1,60})\)s"),
        ("%", r"%([^%()\n]{1,60})%"),
        ("\uff5b", "\uff5b([^\uff5b\uff5d\n]{1,60})\uff5d"),
        ("_", r"(?<!\w)__(\w+?)__(?!\w)"),
    )
)
_SUFFIX = re.compile(r"[|.:!\[(]")
_VARIABLE = re.compile(r"\{([^{}\n]*)\}")


class Foreign(NamedTuple):
    """A variable that is written as no variable.

    Attributes:
        text: what it is, and the form to write.
        stops: whether it is surely a mistake.
        name: the variable, where it may be one.
    """

    text: str
    stops: bool
    name: str = ""


def foreign(text: str, known: Mapping[str, Json], *, labels: Collection[str] = ()) -> Iterator[Foreign]:
    """Find the forms of other tools around the names of variables.

    Args:
        text: a template whose braces are right.
        known: the variables that it may name, each with one of its values.
        labels: those that may be there for the results alone: a form around one is no mistake for sure.
    """
    if known and not _SIGNS.isdisjoint(text):
        yield from (one._replace(stops=one.stops and one.name not in labels) for one in _doubled(text, known))
        yield from _signs(text, known)


def _doubled(text: str, known: Collection[str]) -> Iterator[Foreign]:
    for found in _DOUBLED.finditer(text):
        inner = found[1].strip()
        if (name := inner.removesuffix("?").strip()) in known:
            said = f"{found[0]} is the text {{{found[1]}}}, the same in every job; for the variable"
            yield Foreign(f"{said} write {{{name}}}", stops=name not in parse(text).names, name=name)
        elif name := _name(_SUFFIX.split(inner)[0], known):
            yield Foreign(
                f"{shortened(found[0])} is sent as text; for the variable write {{{name}}}", stops=False
            )


def _signs(text: str, known: Mapping[str, Json]) -> Iterator[Foreign]:
    for found in _DOLLAR.finditer(text):
        name = found[1].removesuffix("?").strip()
        if name in known and not _is_number(known[name]):  # a price has its sign before it
            yield Foreign(f"the $ of {found[0]} is sent as text; write {{{name}}}", stops=False)
    for found in (one for sign, form in _OTHERS if sign in text for one in form.finditer(text)):
        if (name := _name(found[1], known)) and name not in parse(text).names:
            yield Foreign(f"{found[0]} is sent as text; for the variable write {{{name}}}", stops=False)


def left_in(text: str, known: Collection[str]) -> str | None:
    """Return a variable that a filled text still has, None where it has none: it came with a value."""
    found = (one[0] for one in _VARIABLE.finditer(text) if one[1].removesuffix("?").strip() in known)
    return next(found, None)


def bare_name(name: str, known: Collection[str]) -> str:
    """Return the variable that a name with a format or a filter behind it begins with; empty where none."""
    return bare if (bare := _SUFFIX.split(name)[0].strip()) in known else ""


def _name(inner: str, known: Collection[str]) -> str:
    """Return the variable that is meant, its case aside; empty where none is."""
    bare = inner.strip().removesuffix("?").strip()
    if bare in known:
        return bare
    return next((one for one in known if one.casefold() == bare.casefold()), "")


def _is_number(value: Json) -> bool:
    number = number_in(value) if type(value) is str else plain(value)
    return isinstance(number, int | float) and not isinstance(number, bool)
