"""What a model declares of its inputs: the service's own elements read once into plain values.

The names of the keys of ``inputs[]`` stand here and nowhere else in this room. Reading is forgiving:
a bound that is no number is no bound, a rule of an unknown shape is no rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from batchgen.catalog.exclusive import exclusions
from batchgen.catalog.required import Required, one_line, read_required
from batchgen.model import Json, Model

PROMPT = "prompt"  # the input that the manifest's own key fills
SEED = "seed"  # the input that is derived where the manifest gives none
PLANS = {0: "any", 25: "Starter", 50: "Pro", 75: "Max", 100: "Enterprise"}  # by rank
_ARRAY = "_array"
_TYPES = frozenset({"boolean", "file", "inputs", "model", "number", "string"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """One declared input.

    Attributes:
        name: the key in the body.
        type: the service's word.
        item: what it holds, one or many: ``number``, ``string``, ``file``, ``model``, ``boolean``,
            ``inputs``; empty for a type that is not known here.
        many: whether it takes a list.
        allowed: the closed set of values; None where there is none.
        low, high, step: bounds of a number, or of each in a list; None where not declared.
        shortest, longest: characters of a text, or items of a list.
        kinds: what a file may hold, as ``image``; empty where any may.
        default: what the service takes where nothing is given; None where not declared.
        whole: whether only whole numbers make sense: the service has no type for them.
        costly: whether it changes the price.
        description: for people.
        required: when it may not be left out.
        inputs: of each item, for a list of mappings.
        excludes: the inputs that it cannot be given with, as its prose says.
    """

    name: str
    type: str
    item: str
    many: bool
    allowed: tuple[Json, ...] | None
    low: float | None
    high: float | None
    step: float | None
    shortest: int | None
    longest: int | None
    kinds: frozenset[str]
    default: Json
    whole: bool
    costly: bool
    description: str
    required: Required
    inputs: Mapping[str, "Declared"]
    excludes: frozenset[str] = frozenset()

    def admits(self, text: str) -> bool:
        """Tell quickly whether a text needs no closer look."""
        if self.item != "string" or self.many or self.allowed is not None:
            return False
        return (self.shortest or 0) <= len(text) and (self.longest is None or len(text) <= self.longest)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredModel:
    """A model's inputs by name, in the service's order.

    Attributes:
        asks_for_values: whether what is required depends on the values of other inputs.
    """

    id: str
    inputs: Mapping[str, Declared]
    model: Model
    asks_for_values: bool

    @property
    def is_trained(self) -> bool:
        """Whether it is a model that somebody trained or put together, not one the platform hosts."""
        return self.model.type.endswith(("-lora", "-composition"))

    @property
    def takes_seed(self) -> bool:
        """Whether a seed is derived where none is given."""
        return self.model.seed_input is not None


def declare(model: Model) -> DeclaredModel:
    """Read what a model declares."""
    inputs = read_inputs([one.raw for one in model.inputs])
    asks = any(one.required.values for one in inputs.values())
    return DeclaredModel(id=model.id, inputs=inputs, model=model, asks_for_values=asks)


def read_inputs(elements: Sequence[Json]) -> Mapping[str, Declared]:
    """Read elements of ``inputs[]``; those without a name are left out."""
    named = [one for one in elements if isinstance(one, Mapping) and isinstance(one.get("name"), str)]
    excluded = exclusions(named)
    read = ((_read(one), excluded[one["name"]]) for one in named)
    return {one.name: replace(one, excludes=others) if others else one for one, others in read if one.name}


def _read(raw: Mapping[str, Any]) -> Declared:
    word = _text(raw.get("type"))
    item = word.removesuffix(_ARRAY)
    allowed, inner = raw.get("allowedValues"), raw.get("inputs")
    low, high, step = (_number(raw.get(key)) for key in ("min", "max", "step"))
    choices = tuple(allowed) if isinstance(allowed, list) and allowed else None
    return Declared(
        name=_text(raw.get("name")),
        type=word,
        item=item if item in _TYPES else "",
        many=word.endswith(_ARRAY),
        allowed=choices,
        low=low,
        high=high,
        step=step if step and step > 0 else None,
        shortest=_length(raw.get("minLength")),
        longest=_length(raw.get("maxLength")),
        kinds=_kinds(raw) if item == "file" else frozenset(),
        default=raw.get("default"),
        whole=item == "number" and _is_whole(low, high, step, raw.get("default"), choices),
        costly=raw.get("costImpact") is True,
        description=one_line(
            _text(raw.get("description")) or _text(raw.get("hint")) or _text(raw.get("label"))
        ),
        required=read_required(raw.get("required")),
        inputs=read_inputs(inner) if isinstance(inner, list) else {},
    )


def _is_whole(
    low: float | None, high: float | None, step: float | None, default: Json, allowed: tuple[Json, ...] | None
) -> bool:
    """Return whether every number that the element names is whole, and its steps or values are named.

    Bounds alone do not tell: a strength from 0 to 1 has whole ones.
    """
    defaults = default if isinstance(default, list) else [default]
    named = [one for one in (low, high, step, *defaults, *(allowed or ())) if one is not None]
    return (step is not None or allowed is not None) and all(
        is_number(one) and float(one).is_integer() for one in named
    )


def plan_of(rank: int) -> str:
    """Name the lowest plan that allows models of a rank."""
    return next((name for least, name in PLANS.items() if least >= rank), PLANS[100])


def is_number(value: Json) -> bool:
    """Return whether it is a number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kinds(raw: Mapping[str, Any]) -> frozenset[str]:
    given = raw.get("kind")
    if isinstance(given, list):
        return frozenset(one for one in given if isinstance(one, str))
    return frozenset(one.strip() for one in _text(given).split(",") if one.strip())


def _number(value: Json) -> float | None:
    return value if is_number(value) else None


def _length(value: Json) -> int | None:
    return int(value) if is_number(value) and value >= 0 else None


def _text(value: Json) -> str:
    return value.strip() if isinstance(value, str) else ""
