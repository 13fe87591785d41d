"""Variables in text: ``{name}`` is replaced, ``{{`` and ``}}`` are braces, and that is all.

``{name?}`` is optional: without a value it is nothing inside a text, and what it is the whole of is left out.
Nothing is looked up or called: a name is the whole text between the braces, so no text of a
user can reach an attribute, an index or a format.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from batchgen.manifest.source.scalars import text_of
from batchgen.model import Json

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")
_BRACES = {"{{": "{", "}}": "}"}
_NONE: frozenset[str] = frozenset()


class BraceError(ValueError):
    """A brace that opens or closes nothing.

    Attributes:
        at: where it stands, characters from 0.
    """

    def __init__(self, message: str, *, at: int) -> None:
        super().__init__(message)
        self.at = at


def is_empty(value: Json) -> bool:
    """Return whether a variable has no value: there is none, or a text without a character."""
    return value is None or value == ""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places for variables.

    Attributes:
        literals: the text around the variables: one more than there are names.
        names: the variables in the order they stand.
        optional: those of them that may have no value.
    """

    literals: tuple[str, ...]
    names: tuple[str, ...]
    optional: frozenset[str] = _NONE

    @property
    def sole(self) -> str | None:
        """The name, where the whole text is one variable; None otherwise."""
        return self.names[0] if self.literals == ("", "") else None

    @property
    def words(self) -> str:
        """The text without its variables."""
        return " ".join(self.literals)

    def bind(self, values: Mapping[str, Json]) -> "Template":
        """Fill in the variables that have these values, and leave the others.

        Raises:
            ValueError: a value that has no place inside a text; the message begins with its name.
        """
        if values.keys().isdisjoint(self.names):
            return self
        literals, names = [self.literals[0]], []
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            if name in values:
                literals[-1] += in_text(name, values[name]) + literal
            else:
                names.append(name)
                literals.append(literal)
        return Template(tuple(literals), tuple(names), self.optional.intersection(names))

    def is_left_out(self, variables: Mapping[str, Json]) -> bool:
        """Return whether it is one optional variable, and that has no value."""
        sole = self.sole
        return sole in self.optional and sole in variables and is_empty(variables[sole])

    def render(self, variables: Mapping[str, Json]) -> str:
        """Fill the variables in.

        Raises:
            ValueError: a value that has no place inside a text; the message begins with its name.
        """
        parts = [self.literals[0]]
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            value = variables[name]
            parts += (value if isinstance(value, str) else in_text(name, value), literal)
        return "".join(parts)


def in_text(name: str, value: Json) -> str:
    """Return a variable's value as it stands inside a text; nothing for none.

    Raises:
        ValueError: a list or a mapping; the message begins with the variable's name.
    """
    try:
        return "" if value is None else text_of(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def parse(text: str, exact: Collection[str] = ()) -> Template:
    """Split a text at its variables.

    Args:
        text: with variables in it.
        exact: names that end in a ``?`` themselves, and mean nothing by it.

    Raises:
        BraceError: one opens or closes nothing.
    """
    literals, names, start = [""], [], 0
    optional: set[str] = set()
    needed: set[str] = set()
    for token in _TOKEN.finditer(text):
        literals[-1] += text[start : token.start()]
        start = token.end()
        if token[0] in _BRACES:
            literals[-1] += _BRACES[token[0]]
        elif token[1] is not None:
            name = token[1].strip()
            bare = name[:-1].rstrip() if name.endswith("?") and name not in exact else ""
            (optional if bare else needed).add(bare or name)
            names.append(bare or name)
            literals.append("")
        else:
            side = "opens no variable" if token[0] == "{" else "closes no variable"
            raise BraceError(
                f"a {token[0]} {side}; write {token[0] * 2} for a brace in the text", at=token.start()
            )
    literals[-1] += text[start:]
    return Template(tuple(literals), tuple(names), frozenset(optional - needed) if optional else _NONE)


def wrong_with_text(text: str, bound: Mapping[str, Json], *, whole: bool = False) -> str | None:
    """Return what is wrong with the braces of a text, or with what is known already of its variables.

    Args:
        text: what the manifest says.
        bound: the variables that have one value for all jobs.
        whole: whether it may be one variable whose value is no text.
    """
    if "{" not in text and "}" not in text:
        return None
    try:
        template = parse(text)
        if not (whole and template.sole is not None):
            template.bind(bound)
    except ValueError as error:
        return str(error)
    return None


def strings_in(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Walk the strings of a JSON value with their paths; keys are not among them."""
    match value:
        case str():
            yield path, value
        case dict():
            for key, one in value.items():
                yield from strings_in(one, (*path, key))
        case list():
            for index, one in enumerate(value):
                yield from strings_in(one, (*path, index))
        case _:
            return
