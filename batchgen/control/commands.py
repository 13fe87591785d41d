"""What may be ordered of a run while it goes on: the words, and what each of them changes.

Pure: an order and the settings before it give the settings after it and a sentence; who acts on them is
``control``. What is ordered holds for that run alone.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple, Protocol

from batchgen.engine.settings import RunSettings
from batchgen.formats import units
from batchgen.manifest.quantities import parse_rate
from batchgen.manifest.source.problems import meant
from batchgen.model import NO_RATE

AUTO, NONE = "auto", "none"
KEYS = ("in_flight", "rate", "budget")
_COUNT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
PAUSE, CONTINUE, DRAIN = "pause", "continue", "drain"
REDO, RESTORE = "redo", "restore"  # what they are of is in their value


class Order(NamedTuple):
    """One thing that a run is to do: a key with its value, or a word with none."""

    name: str
    value: str = ""


class Edit(NamedTuple):
    """What is done about an order that puts something on record.

    Attributes:
        met: whether it is as it was ordered.
        said: a sentence.
        make: puts it on record; None where there is nothing to put.
    """

    met: bool
    said: str
    make: Callable[[], None] | None = None


class Edits(Protocol):
    """Says what is done about orders that put something on record, through all rounds of a run.

    Attributes:
        settings: what the run went by at the end of the last round; None before the first.
    """

    settings: RunSettings | None

    def __call__(self, order: Order) -> Edit:
        """Return what is done about an order."""


class Applied(NamedTuple):
    """What became of an order: the settings after it, whether it is met, and a sentence."""

    settings: RunSettings
    met: bool
    said: str


def read_settings(words: Sequence[str]) -> list[Order]:
    """Read ``in_flight=4``, ``rate=60/min``, ``budget=800``, in the manifest's own words.

    Raises:
        ValueError: with a message for people that names the word.
    """
    orders: dict[str, Order] = {}
    for word in words:
        name, equals, value = (part.strip() for part in word.partition("="))
        if name not in KEYS:
            remedy = meant(name, KEYS) or f"; there are {', '.join(KEYS)}"
            raise ValueError(f"{word!r}: there is no setting {name!r}{remedy}")
        if not equals:
            raise ValueError(f"{word!r}: write {name}=VALUE")
        if name in orders:
            raise ValueError(f"{word!r}: {name} is set twice")
        try:
            _CHANGES[name](RunSettings(), value)
        except ValueError as error:
            raise ValueError(f"{word!r}: {error}") from error
        orders[name] = Order(name, value)
    return list(orders.values())


def order_to_redo(jobs: Mapping[str, int], *, slot: str) -> Order:
    """Return the order to make jobs again.

    Args:
        jobs: by their ids the ordinals of the editions that were agreed to: what was made again meanwhile
            is not made once more.
        slot: the one that they are of.
    """
    value = {"jobs": list(jobs), "ordinals": dict(jobs), "slot": slot}
    return Order(REDO, json.dumps(value, ensure_ascii=False))


def order_to_restore(jobs: Sequence[str], *, slot: str, asset_id: str = "", undo: bool = False) -> Order:
    """Return the order to give jobs back what they had.

    Args:
        jobs: the ids.
        slot: the one that they are of.
        asset_id: an asset of what is meant; empty for what came before what a job has.
        undo: take back what was restored.
    """
    value = {"jobs": list(jobs), "slot": slot, "asset": asset_id, "undo": undo}
    return Order(RESTORE, json.dumps(value, ensure_ascii=False))


def apply(settings: RunSettings, order: Order, *, go_on: str) -> Applied:
    """Return what an order changes.

    Args:
        settings: what the run goes by.
        order: of whatever program, so that its words may be unknown.
        go_on: the command that ends a pause.
    """
    if order.name in {PAUSE, CONTINUE} and settings.draining:
        return Applied(settings, False, "is stopping: submits no more, and ends when what runs is collected")  # noqa: FBT003 - a tuple's place
    match order.name:
        case "pause":
            after = replace(settings, paused=True)
            said = f"paused{_again(settings, after)}: submits no more, and collects what runs, until {go_on}"
        case "continue":
            after = replace(settings, paused=False)
            said = "resumed" if settings.paused else "was not paused"
        case "drain":
            after = replace(settings, draining=True)
            said = f"drained{_again(settings, after)}: submits no more, collects what is paid for, and ends"
        case _:
            return _changed(settings, order)
    return Applied(after, met=True, said=said)


def _changed(settings: RunSettings, order: Order) -> Applied:
    try:
        after = _CHANGES[order.name](settings, order.value)
    except (KeyError, ValueError):
        shown = f"{order.name}={order.value}" if order.value else order.name
        said = f"does not know the order {shown[:60]!r}: it is of another version of batchgen"
        return Applied(settings, met=False, said=said)
    tell = _WORDS[order.name]
    was = "as before" if after == settings else f"was {tell(settings)[1]}"
    return Applied(after, met=True, said=f"{tell(after)[0]} ({was})")


def _again(settings: RunSettings, after: RunSettings) -> str:
    return " already" if settings == after else ""


def _with_in_flight(settings: RunSettings, value: str) -> RunSettings:
    if value == AUTO:
        return replace(settings, in_flight=None)
    if _COUNT.fullmatch(value) is None:
        raise ValueError(
            f"expected {AUTO} or a whole number from 1; `batchgen control pause` lets none leave"
        )
    return replace(settings, in_flight=int(value))


def _with_rate(settings: RunSettings, value: str) -> RunSettings:
    rate = parse_rate(value)
    return replace(settings, rate=None if rate == NO_RATE else rate)


def _with_budget(settings: RunSettings, value: str) -> RunSettings:
    if value == NONE:
        return replace(settings, budget=None)
    try:
        amount = Decimal(value)
    except ArithmeticError:
        amount = Decimal(-1)
    if not (amount.is_finite() and amount >= 0):
        raise ValueError(f"expected {NONE} or compute units, such as 1500 or 7.25")
    return replace(settings, budget=amount)


_CHANGES: Mapping[str, Callable[[RunSettings, str], RunSettings]] = {
    "in_flight": _with_in_flight,
    "rate": _with_rate,
    "budget": _with_budget,
}


def _in_flight(settings: RunSettings) -> tuple[str, str]:
    if settings.in_flight is None:
        return "as many in flight as the service allows", AUTO
    return f"at most {settings.in_flight} in flight", str(settings.in_flight)


def _rate(settings: RunSettings) -> tuple[str, str]:
    return (
        ("requests without a rate", NONE)
        if settings.rate is None
        else (f"a rate of {settings.rate}", str(settings.rate))
    )


def _budget(settings: RunSettings) -> tuple[str, str]:
    if settings.budget is None:
        return "no budget for the batch", NONE
    return f"a budget of {units(settings.budget)} CU", f"{units(settings.budget)} CU"


# for each key the settings as they are said, and as they are remembered
_WORDS: Mapping[str, Callable[[RunSettings], tuple[str, str]]] = {
    "in_flight": _in_flight,
    "rate": _rate,
    "budget": _budget,
}
