"""Chains of three steps, and what they cost before their inputs are there and at the door."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.identity import references_of
from batchgen.manifest.values import Budget
from batchgen.model import Job, Json
from tests.support.virtual import SEEDED, Earth

CUT_OUT, UPSCALE = "model_birefnet-background-removal", "model_topaz-image-upscale"
QUOTES = {SEEDED: Decimal(4), CUT_OUT: Decimal(2), UPSCALE: Decimal(10)}  # as the simulator charges them
WHOLE = 16  # a chain of three steps


class DoorPrices:
    """Prices that are others once the inputs of a job are there."""

    def __init__(self, before: Mapping[str, Decimal], then: Mapping[str, Decimal]) -> None:
        self._before, self._then = before, then

    def price(self, job: Job) -> Decimal | None:
        is_there = any(one.assets for one in references_of(job))
        return (self._then if is_there else self._before).get(job.model)

    def kind(self, job: Job) -> str:
        return job.model


def purse(
    total: int | None = None, *, before: Mapping[str, Decimal] | None = None, **rest: Any
) -> BudgetGuard:
    budget = Budget(total=None if total is None else Decimal(total), **rest)
    return BudgetGuard(budget=budget, prices=DoorPrices({**QUOTES, **(before or {})}, QUOTES))


def parent(name: str, **params: Json) -> Job:
    return Job(id=name, prompt=f"a knight called {name}", model=SEEDED, params=params)


def child(name: str, *of: str, model: str = CUT_OUT) -> Job:
    if len(of) == 1:
        return Job(id=name, model=model, params={"image": {"job": of[0]}})
    return Job(
        id=name, model=model, params={"image": {"job": of[0]}, "more": [{"job": one} for one in of[1:]]}
    )


def chain(name: str) -> list[Job]:
    return [parent(name), child(f"{name}-cut", name), child(f"{name}-big", f"{name}-cut", model=UPSCALE)]


def chains(count: int) -> list[Job]:
    return [one for number in range(count) for one in chain(f"k{number}")]


def pairs(count: int) -> list[Job]:
    return [one for n in range(count) for one in (parent(f"k{n}"), child(f"k{n}-cut", f"k{n}"))]


def charged(over: Earth) -> Decimal:
    return sum((one.main_cost for one in over.service.submissions), Decimal(0))
