"""What may be ordered of a run while it goes on: the words, and what each of them changes.

Pure: an order and the terms before it give the terms after it and a sentence; who acts on them is
``steering``. What is ordered holds for that run alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from batchgen.formats import units
from batchgen.manifest.quantities import parse_rate
from batchgen.manifest.source.problems import meant
from batchgen.model import Rate

AUTO, NONE = "auto", "none"
KEYS = ("in_flight", "rate", "budget")
_COUNT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
PAUSE, CONTINUE, DRAIN = "pause", "continue", "drain"


class Order(NamedTuple):
    """One thing that a run is to do: a key with its value, or a word with none."""

    name: str
    value: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a run goes by at the moment.

    Attributes:
        in_flight: most jobs at the service at once; None leaves it to the service.
        rate: requests to the service, all runs that share it together; None for no limit.
        budget: compute units that the batch may cost in all; None for no limit.
        paused: whether no job is submitted for the time being.
        draining: whether none is submitted any more.
    """

    in_flight: int | None = None
    rate: Rate | None = None
    budget: Decimal | None = None
    paused: bool = False
    draining: bool = False


class Obeyed(NamedTuple):
    """What became of an order: the terms after it, whether it is met, and a sentence."""

    terms: Terms
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
            raise ValueError(f"{word!r}: nothing called {name!r} can be set{remedy}")
        if not equals:
            raise ValueError(f"{word!r}: write {name}=VALUE")
        if name in orders:
            raise ValueError(f"{word!r}: {name} is set twice")
        try:
            _CHANGES[name](Terms(), value)
        except ValueError as error:
            raise ValueError(f"{word!r}: {error}") from error
        orders[name] = Order(name, value)
    return list(orders.values())


def obey(terms: Terms, order: Order, *, go_on: str) -> Obeyed:
    """Say what an order changes.

    Args:
        terms: what the run goes by.
        order: of whatever program, so that its words may be unknown.
        go_on: the command that ends a pause.
    """
    if order.name in {PAUSE, CONTINUE} and terms.draining:
        return Obeyed(terms, False, "is stopping: submits no more, and ends when what runs is collected")  # noqa: FBT003 - a tuple's place
    match order.name:
        case "pause":
            after = replace(terms, paused=True)
            said = f"paused{_again(terms, after)}: submits no more, and collects what runs, until {go_on}"
        case "continue":
            after = replace(terms, paused=False)
            said = "goes on" if terms.paused else "was not paused"
        case "drain":
            after = replace(terms, draining=True)
            said = f"drained{_again(terms, after)}: submits no more, collects what is paid for, and ends"
        case _:
            return _changed(terms, order)
    return Obeyed(after, met=True, said=said)


def _changed(terms: Terms, order: Order) -> Obeyed:
    try:
        after = _CHANGES[order.name](terms, order.value)
    except (KeyError, ValueError):
        shown = f"{order.name}={order.value}" if order.value else order.name
        said = f"does not know the order {shown[:60]!r}: it is of another version of batchgen"
        return Obeyed(terms, met=False, said=said)
    tell = _WORDS[order.name]
    was = "as before" if after == terms else f"was {tell(terms)[1]}"
    return Obeyed(after, met=True, said=f"{tell(after)[0]} ({was})")


def _again(terms: Terms, after: Terms) -> str:
    return " already" if terms == after else ""


def _with_in_flight(terms: Terms, value: str) -> Terms:
    if value == AUTO:
        return replace(terms, in_flight=None)
    if _COUNT.fullmatch(value) is None:
        raise ValueError(
            f"expected {AUTO} or a whole number from 1; `batchgen control pause` lets none leave"
        )
    return replace(terms, in_flight=int(value))


def _with_rate(terms: Terms, value: str) -> Terms:
    return replace(terms, rate=None if value == NONE else parse_rate(value))


def _with_budget(terms: Terms, value: str) -> Terms:
    if value == NONE:
        return replace(terms, budget=None)
    try:
        amount = Decimal(value)
    except ArithmeticError:
        amount = Decimal(-1)
    if not (amount.is_finite() and amount >= 0):
        raise ValueError(f"expected {NONE} or compute units, such as 1500 or 7.25")
    return replace(terms, budget=amount)


_CHANGES: Mapping[str, Callable[[Terms, str], Terms]] = {
    "in_flight": _with_in_flight,
    "rate": _with_rate,
    "budget": _with_budget,
}


def _in_flight(terms: Terms) -> tuple[str, str]:
    if terms.in_flight is None:
        return "as many in flight as the service allows", AUTO
    return f"at most {terms.in_flight} in flight", str(terms.in_flight)


def _rate(terms: Terms) -> tuple[str, str]:
    return (
        ("requests without a rate", NONE)
        if terms.rate is None
        else (f"a rate of {terms.rate}", str(terms.rate))
    )


def _budget(terms: Terms) -> tuple[str, str]:
    if terms.budget is None:
        return "no budget for the batch", NONE
    return f"a budget of {units(terms.budget)} CU", f"{units(terms.budget)} CU"


# for each key the terms as they are said, and as they are remembered
_WORDS: Mapping[str, Callable[[Terms], tuple[str, str]]] = {
    "in_flight": _in_flight,
    "rate": _rate,
    "budget": _budget,
}
