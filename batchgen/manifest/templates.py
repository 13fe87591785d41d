"""Variables in text: ``{name}`` is replaced, ``{{`` and ``}}`` are braces, and that is all.

Nothing is looked up or called: a name is the whole text between the braces, so no text of a
user can reach an attribute, an index or a format.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from batchgen.manifest.scalars import number_in, text_of
from batchgen.model import Json

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")
_BRACES = {"{{": "{", "}}": "}"}


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places for variables.

    Attributes:
        literals: the text around the variables: one more than there are names.
        names: the variables in the order they stand.
    """

    literals: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def sole(self) -> str | None:
        """The name, where the whole text is one variable; None otherwise."""
        return self.names[0] if self.literals == ("", "") else None

    @property
    def words(self) -> str:
        """The text without its variables."""
        return " ".join(self.literals)

    def render(self, variables: Mapping[str, Json]) -> str:
        """Fill the variables in.

        Raises:
            ValueError: a value that has no place inside a text; the message begins with its name.
        """
        parts = [self.literals[0]]
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            value = variables[name]
            parts += (value if isinstance(value, str) else _text(name, value), literal)
        return "".join(parts)


def _text(name: str, value: Json) -> str:
    try:
        return text_of(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def parse(text: str) -> Template:
    """Split a text at its variables.

    Raises:
        ValueError: a brace that opens or closes nothing.
    """
    literals, names, start = [""], [], 0
    for token in _TOKEN.finditer(text):
        literals[-1] += text[start : token.start()]
        start = token.end()
        if token[0] in _BRACES:
            literals[-1] += _BRACES[token[0]]
        elif token[1] is not None:
            names.append(token[1].strip())
            literals.append("")
        else:
            side = "opens no variable" if token[0] == "{" else "closes no variable"
            raise ValueError(f"a {token[0]} {side}; write {token[0] * 2} for a brace in the text")
    literals[-1] += text[start:]
    return Template(tuple(literals), tuple(names))


@dataclass(frozen=True, slots=True)
class Whole:
    """A parameter that is one variable and keeps the type of its value.

    Attributes:
        cell: whether the value is a table's cell, which is text until it is looked at.
    """

    name: str
    cell: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """A JSON value with templates in it.

    Attributes:
        shape: the value with a ``Template`` or ``Whole`` wherever a string names a variable.
        names: all of its variables, in the order they stand.
    """

    shape: Json
    names: tuple[str, ...]

    def render(self, variables: Mapping[str, Json]) -> Json:
        """Fill the variables in; the same object every time where there are none.

        Raises:
            ValueError: a value that has no place inside a text.
        """
        return _render(self.shape, variables) if self.names else self.shape


def _render(shape: Json, variables: Mapping[str, Json]) -> Json:
    match shape:
        case Template():
            return shape.render(variables)
        case Whole():
            value = variables[shape.name]
            return number_in(value) if shape.cell and isinstance(value, str) else value
        case dict():
            return {key: _render(one, variables) for key, one in shape.items()}
        case list():
            return [_render(one, variables) for one in shape]
        case _:
            return shape


def tree_of(value: Json, *, cells: frozenset[str] = frozenset()) -> Tree:
    """Find the variables in a JSON value whose braces are known to be right.

    Args:
        value: what the manifest says.
        cells: the variables whose values are cells of a table.
    """
    shape = _shape(value, cells)
    return Tree(shape, tuple(dict.fromkeys(_names(shape))))


def _shape(value: Json, cells: frozenset[str]) -> Json:
    match value:
        case str():
            template = parse(value)
            if (sole := template.sole) is not None:
                return Whole(sole, sole in cells)
            return template if template.names else template.literals[0]
        case dict():
            return {key: _shape(one, cells) for key, one in value.items()}
        case list():
            return [_shape(one, cells) for one in value]
        case _:
            return value


def _names(shape: Json) -> Iterator[str]:
    match shape:
        case Template():
            yield from shape.names
        case Whole():
            yield shape.name
        case dict():
            for one in shape.values():
                yield from _names(one)
        case list():
            for one in shape:
                yield from _names(one)
        case _:
            return


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
