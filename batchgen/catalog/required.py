"""When an input may not be left out: the service's four rules, and nothing else.

A rule that names an input the model does not declare is no rule: nobody could apply it. What is
missing for what reason is decided here; what is done about it is not.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from batchgen.model import Json

_LONGEST = 500  # characters of a message or a description


class Clause(NamedTuple):
    """Another input, and what the service says when the rule that names it is broken."""

    other: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Required:
    """The rules of one input.

    Attributes:
        always: it is needed whatever else is given.
        if_defined: it is needed beside each of these.
        if_not_defined: it is needed where one of these is missing.
        values: it is needed where other inputs have one of the values.
        any_of: whether one such input is enough; all must have them otherwise.
    """

    always: bool = False
    if_defined: tuple[Clause, ...] = ()
    if_not_defined: tuple[Clause, ...] = ()
    values: tuple[tuple[str, tuple[Json, ...]], ...] = ()
    any_of: bool = False

    @property
    def others(self) -> Iterator[str]:
        """The inputs that the rules name."""
        yield from (one.other for one in (*self.if_defined, *self.if_not_defined))
        yield from (other for other, _ in self.values)


def read_required(raw: Json) -> Required:
    """Read the rules as the service writes them; what has another shape is left out.

    Messages are described as strings and were recorded as ``{"message": ...}``: both are read.
    """
    if raw is True:
        return Required(always=True)
    if not isinstance(raw, Mapping):
        return Required()
    conditional = raw.get("conditional")
    conditional = conditional if isinstance(conditional, Mapping) else {}
    values = conditional.get("values")
    return Required(
        always=raw.get("always") is True,
        # source: docs/service.md models
        if_defined=_clauses(raw.get("ifDefined")),
        if_not_defined=_clauses(raw.get("ifNotDefined")),
        values=tuple(
            (other, tuple(wanted) if isinstance(wanted, list) else (wanted,))
            for other, wanted in (values.items() if isinstance(values, Mapping) else ())
        ),
        any_of=conditional.get("operator") == "or",
    )


def _clauses(raw: Json) -> tuple[Clause, ...]:
    if not isinstance(raw, Mapping):
        return ()
    return tuple(Clause(other, _words(said)) for other, said in raw.items())


def _words(said: Json) -> str:
    text = said.get("message", "") if isinstance(said, Mapping) else said
    return one_line(text) if isinstance(text, str) else ""


def one_line(text: str) -> str:
    """Make the service's words fit for a line of a terminal: bounded, and without control characters."""
    return " ".join("".join(one if one.isprintable() else " " for one in text[:_LONGEST]).split())


def is_given(value: Json) -> bool:
    """Return whether the service takes a value as given: blank text and an empty list are not, 0 is."""
    return not (value is None or value == [] or (isinstance(value, str) and not value.strip()))


def why_required(
    rules: Required, given: Mapping[str, Any], names: Collection[str], *, known: Collection[str]
) -> str | None:
    """Return why an input that is left out may not be; None where it may.

    Args:
        rules: of the input.
        given: the values that are sent.
        names: of the inputs that count as given.
        known: the inputs that the model declares.
    """
    if rules.always:
        return "it is always needed"
    for other, message in rules.if_defined:
        if other in known and other in names:
            return message or f"it is needed beside {other}"
    for other, message in rules.if_not_defined:
        if other in known and other not in names:
            return message or f"it or {other} is needed"
    held = [other for other, wanted in rules.values if other in known and given.get(other) in wanted]
    if held and (rules.any_of or len(held) == len(rules.values)):
        return f"it is needed with this {' and '.join(held)}"
    return None


def unknown_others(
    rules_by_input: Iterable[tuple[str, Required]], known: Collection[str]
) -> list[tuple[str, str]]:
    """Return the inputs whose rules name what the model does not declare, each with what they name."""
    return [(name, other) for name, rules in rules_by_input for other in rules.others if other not in known]
