"""Inputs that exclude each other, as models say it: in a description, a hint or a rule's message.

The service has no rule for it. What its prose names is found among the inputs by their names and labels;
what is not found is passed over, and what is found is good for a warning only.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PHRASES = re.compile(
    r"(?:mutually exclusive (?:with|to)"
    r"|(?:cannot|can't|can not|must not|may not) be (?:used|combined|given|set|provided|specified)"
    r"(?: together| in combination)? (?:with|beside|alongside)"
    r"|(?:incompatible|not compatible) with"
    r")\s+([^.;()]+)",
    re.IGNORECASE,
)
_EITHER = re.compile(r"either\s+([^.;()]+?)\s+or\s+([^.;()]+?),?\s+(?:but )?not both", re.IGNORECASE)
_NOT_BOTH = re.compile(r"not both|mutually exclusive|only one of", re.IGNORECASE)
_JOINTS = re.compile(r",\s*(?:and|or)?\s*|\s+(?:and|or)\s+", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LITTLE = frozenset({"a", "an", "the", "any", "one", "of", "input", "inputs", "parameter", "parameters"})
_TAIL = re.compile(r"\s(?:in|at|when|if|while|because|since)\s.*", re.DOTALL)
_TEXTS = ("description", "hint")


def exclusions(elements: Sequence[Mapping[str, Any]]) -> Mapping[str, frozenset[str]]:
    """Return for each input the others that it says it cannot be given with.

    Args:
        elements: the service's own elements of ``inputs[]``, each with a name.
    """
    calls = {str(one["name"]): _calls(one) for one in elements}
    return {str(one["name"]): frozenset(_excluded(one, calls)) - {one["name"]} for one in elements}


def _calls(element: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return what an input is called: its name and its label, each as its words."""
    return [_words(text) for key in ("name", "label") if isinstance(text := element.get(key), str)]


def _excluded(element: Mapping[str, Any], calls: Mapping[str, list[tuple[str, ...]]]) -> Iterator[str]:
    for text in (element.get(key) for key in _TEXTS):
        if not isinstance(text, str):
            continue
        said = [one[1] for one in _PHRASES.finditer(text)]
        said += [part for one in _EITHER.finditer(text) for part in one.groups()]
        for part in (part for one in said for part in _JOINTS.split(_TAIL.sub("", one))):
            yield from _named(_words(part), calls)
    required = element.get("required")
    for key in ("ifDefined", "ifNotDefined"):
        clauses = required.get(key) if isinstance(required, Mapping) else None
        for other, message in clauses.items() if isinstance(clauses, Mapping) else ():
            if other in calls and _NOT_BOTH.search(str(message)):
                yield other


def _named(phrase: tuple[str, ...], calls: Mapping[str, list[tuple[str, ...]]]) -> Iterator[str]:
    """Return the inputs that are called so; else those whose names have all of the words."""
    if not phrase:
        return
    exact = [name for name, its in calls.items() if phrase in its]
    yield from exact or (
        name for name, its in calls.items() if any(set(phrase) <= set(words) for words in its)
    )


def _words(text: str) -> tuple[str, ...]:
    words = (one.lower() for one in _WORD.findall(text))
    return tuple(one.removesuffix("s") for one in words if one not in _LITTLE)
