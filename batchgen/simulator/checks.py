"""Whether a body is what a model takes: the service's rules, in the service's wording.

The body that comes out is what the service runs with: a bare value where a list is due has
been dropped without a word, and that is not an error here because it is none there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from batchgen.model import Json

_LISTS = frozenset({"file_array", "inputs_array", "model_array", "number_array", "string_array"})
_COUNTED = frozenset({"file_array", "model_array", "string_array", "inputs_array"})
_IGNORED = frozenset({"dryRun"})  # in the body it is not even looked at: the job runs and is charged
_TOLERANCE = 1e-6  # of a step: 0.3 is not quite three times 0.1

Element = Mapping[str, Any]


class InvalidInputError(Exception):
    """The body will not do; the text is the ``reason``. Never leaves this package."""


class UnknownAssetError(Exception):
    """The body names an asset that does not exist; the text is its id. Never leaves this package."""


def check(
    body: Mapping[str, Json],
    inputs: Sequence[Element],
    exists: Callable[[str], bool],
    *,
    ignore_unknown: bool = False,
) -> dict[str, Json]:
    """Return the inputs that the service keeps; what is not declared is among them where it is ignored.

    Args:
        body: what was sent.
        inputs: the declared inputs of the model.
        exists: tells whether there is an asset of that id.
        ignore_unknown: whether inputs that are not declared are no error; measured at tools.

    Raises:
        InvalidInputError: at the first thing that is wrong.
        UnknownAssetError: an input names an asset that is not there.
    """
    declared = {one["name"]: one for one in inputs}
    sent = {name: value for name, value in body.items() if name not in _IGNORED}
    unknown = {name: value for name, value in sent.items() if name not in declared}
    if unknown and not ignore_unknown:
        raise InvalidInputError(f"Input {next(iter(unknown))} is not allowed")
    known = {name: value for name, value in sent.items() if name in declared}
    given = {name: one for name, one in known.items() if _fits_its_list(one, declared[name])}
    for name, element in declared.items():
        _check_required(name, element.get("required") or {}, given)
    for name, value in given.items():
        if value is not None:
            _check_value(name, value, declared[name], exists)
    return {**given, **unknown}


def _fits_its_list(value: Json, element: Element) -> bool:
    return element["type"] not in _LISTS or value is None or isinstance(value, list)


def _defined(value: Json) -> bool:
    """Blank strings and empty lists count as not given; ``false`` and 0 count."""
    return not (value is None or value == [] or (isinstance(value, str) and not value.strip()))


def _check_required(name: str, rules: Mapping[str, Json], given: Mapping[str, Json]) -> None:
    if _defined(given.get(name)):
        return
    if rules.get("always"):
        raise InvalidInputError(f"Input {name} is required")
    for other, said in (rules.get("ifDefined") or {}).items():
        if _defined(given.get(other)):
            raise InvalidInputError(_words(said) or f"Input {name} is required with {other}")
    for other, said in (rules.get("ifNotDefined") or {}).items():
        if not _defined(given.get(other)):
            raise InvalidInputError(_words(said) or f"Input {name} is required without {other}")
    if _condition_holds(rules.get("conditional") or {}, given):
        raise InvalidInputError(f"Input {name} is required")


def _words(said: Json) -> str:
    """Read a rule's message, recorded as an object and described as a string."""
    text = said.get("message", "") if isinstance(said, dict) else said
    return text if isinstance(text, str) else ""


def _condition_holds(rule: Mapping[str, Json], given: Mapping[str, Json]) -> bool:
    held = [given.get(other) in wanted for other, wanted in (rule.get("values") or {}).items()]
    return bool(held) and (any(held) if rule.get("operator") == "or" else all(held))


def _check_value(name: str, value: Json, element: Element, exists: Callable[[str], bool]) -> None:
    kind = element["type"]
    if kind in _LISTS:
        if kind in _COUNTED:
            _check_length(name, len(value), element, "items")
        for one in value:
            _check_one(name, one, kind.removesuffix("_array"), element, exists)
    else:
        if kind in {"string", "model"} and isinstance(value, str):
            _check_length(name, len(value), element, "characters")
        _check_one(name, value, kind, element, exists)


def _check_one(name: str, value: Json, kind: str, element: Element, exists: Callable[[str], bool]) -> None:
    match kind:
        case "number":
            _check_number(name, value, element)
        case "boolean":
            _insist(isinstance(value, bool), f"Input {name} must be a boolean")
        case "inputs":
            _insist(isinstance(value, dict), f"Input {name} must be an array of objects")
            check(value, element.get("inputs") or (), exists)
        case "file":
            _insist(isinstance(value, str), f"Input {name} must be an asset id")
            _check_file(value, element, exists)
        case _:
            _insist(isinstance(value, str), f"Input {name} must be a string")
    allowed = element.get("allowedValues")
    if allowed is not None and value not in allowed:
        raise InvalidInputError(f"Input {name} must be one of: {_listed(allowed)}")


def _check_number(name: str, value: Json, element: Element) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    _insist(is_number, f"Input {name} must be a number")
    low, high, step = element.get("min"), element.get("max"), element.get("step")
    _insist(low is None or value >= low, f"Input {name} must be at least {low}")
    _insist(high is None or value <= high, f"Input {name} must be at most {high}")
    if step:
        steps = (value - (low or 0)) / step
        _insist(abs(steps - round(steps)) < _TOLERANCE, f"Input {name} must be a multiple of {step}")


def _check_length(name: str, length: int, element: Element, unit: str) -> None:
    low, high = element.get("minLength"), element.get("maxLength")
    _insist(low is None or length >= low, f"Input {name} must have at least {low} {unit}")
    _insist(high is None or length <= high, f"Input {name} must have at most {high} {unit}")


def _check_file(value: str, element: Element, exists: Callable[[str], bool]) -> None:
    if value.startswith("data:"):
        return
    if value.startswith(("http://", "https://")):
        kind = element.get("kind", "image")
        raise InvalidInputError(f"Missing required mimeType parameter for asset kind {kind}")
    if not exists(value):
        raise UnknownAssetError(value)


def _insist(holds: bool, reason: str) -> None:  # noqa: FBT001 - the truth of what is insisted on
    if not holds:
        raise InvalidInputError(reason)


def _listed(values: Iterable[Json]) -> str:
    return ", ".join(str(one) for one in values)
