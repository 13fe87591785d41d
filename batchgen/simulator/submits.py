"""``POST /generate/custom/{model}``: a quote, or a job that is charged and can never be taken back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from batchgen.model import Json
from batchgen.simulator.checks import InvalidInputError, UnknownAssetError, check
from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Reply, answer, refusal
from batchgen.simulator.inputs import InputFile, check_files
from batchgen.simulator.jobs import Submission, draw_fortune, whole_milliseconds
from batchgen.simulator.models import ModelRecord
from batchgen.simulator.outputs import outputs_of, pixels_of
from batchgen.simulator.prices import discount_of, gate_price, price_of
from batchgen.simulator.settings import Settings, UnknownInputs, Views

_QUOTED = 269  # the service's own status of a dry run
_PLANS = {0: "free", 25: "cu-basic", 50: "cu-pro-q3-25", 75: "cu-max", 100: "enterprise"}


class RefusedError(Exception):
    """The request will not do and nothing happened. Never leaves this package.

    Attributes:
        reply: what the service answers.
    """

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(reply.status)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A body that the service would run.

    Attributes:
        model: what it asks for.
        body: the text that was sent.
        inputs: what the service runs with.
        main_cost: compute units without add-ons.
        addons: compute units by name.
        discount: compute units that were taken off the main action.
    """

    model: ModelRecord
    body: str
    inputs: Mapping[str, Json]
    main_cost: Decimal
    addons: Mapping[str, Decimal]
    discount: Decimal = Decimal(0)

    @property
    def cost(self) -> Decimal:
        """What it is charged, add-ons included."""
        return self.main_cost + sum(self.addons.values(), Decimal(0))

    def costs(self) -> dict[str, Json]:
        """Write the cost as answers to submits and dry runs do: only actions that cost something."""
        named = {"custom-generation": self.main_cost, **self.addons}
        return {
            "creativeUnitsCost": self.cost,
            "creativeUnitsDiscount": self.discount,
            "costDetails": {name: units for name, units in named.items() if units},
        }


def read_order(
    model: ModelRecord | None, body: bytes, settings: Settings, find: Callable[[str], InputFile | None]
) -> Order:
    """Check what was sent and price it.

    Args:
        model: the one that is named, None where there is none of that id.
        body: as it came in.
        settings: the service's.
        find: describes an asset by its id; None where there is none of that id.

    Raises:
        RefusedError: the service does not run it.
    """
    if model is None:
        raise RefusedError(refusal(404, "Model not found", name="NotFoundError"))
    _check_plan(model, settings.limits.plan_rank)
    try:
        inputs = check(
            _parsed(body),
            model.inputs,
            lambda asset: find(asset) is not None,
            ignore_unknown=_ignores_unknown(model, settings),
        )
        files = check_files(inputs, model.file_inputs, find)
    except InvalidInputError as exc:
        raise RefusedError(refusal(400, str(exc), name="BadRequestError")) from exc
    except UnknownAssetError as exc:
        raise RefusedError(refusal(404, f"Asset {exc} not found", name="NotFoundError")) from exc
    complete = model.complete(inputs)
    outputs = outputs_of(model.id, model.data["capabilities"], complete, files)
    gated = settings.quality_gate and outputs[0].kind == "image"
    gate = gate_price(len(outputs)) if settings.gate_price is None else settings.gate_price
    pixels = pixels_of(model.id, complete, files)
    full = price_of(model.id, complete, settings.prices, pixels=pixels)
    discount = discount_of(full, settings.discount)
    return Order(
        model=model,
        body=body.decode(),
        inputs=inputs,
        main_cost=full - discount,
        addons={"quality-gate": gate} if gated else {},
        discount=discount,
    )


def _ignores_unknown(model: ModelRecord, settings: Settings) -> bool:
    """Return whether inputs that are not declared are no error."""
    # source: docs/service.md tools
    if settings.unknown_inputs is None:
        return model.is_tool
    return settings.unknown_inputs is UnknownInputs.IGNORE


def quote(order: Order) -> Reply:
    """Answer a dry run: the cost, and no job."""
    return answer(_QUOTED, order.costs())


def accept(
    order: Order, settings: Settings, draws: Draws, *, ordinal: int, now: float, author: str, owner: str
) -> Submission:
    """Draw the life of a job that is accepted now.

    Args:
        order: what it runs.
        settings: the service's.
        draws: the source of chance.
        ordinal: how many were accepted before.
        now: seconds since the epoch.
        author: who sent it.
        owner: the project.
    """
    at = whole_milliseconds(now)
    duration, outcomes = settings.duration_of(order.model.id), settings.outcomes
    fortune = draw_fortune(draws, ordinal, at=at, duration=duration, outcomes=outcomes)
    return Submission(
        ordinal=ordinal,
        # with the date in it: a service that forgot its jobs does not hand out their ids again
        remote_id=draws.id("job_", ordinal, at),
        model=order.model.id,
        body=order.body,
        inputs=order.inputs,
        created_at=at,
        author=author,
        owner=owner,
        main_cost=order.main_cost,
        addons=order.addons,
        discount=order.discount,
        steps=fortune.steps,
        error=fortune.error,
        hint=fortune.hint,
        progresses=fortune.progresses,
        refundable=settings.outcomes.refunds,
        lag=draws.between(settings.views.listing_lag, "lag", ordinal),
        shows_inputs=not draws.chance(settings.views.echo_missing, "echo", ordinal),
        whole_after=_whole_after(draws, ordinal, settings.views),
        shown_at_first=draws.share("shown at first", ordinal),
    )


def _whole_after(draws: Draws, ordinal: int, views: Views) -> float:
    """Draw the seconds from a job's end until it shows all its outputs."""
    if not draws.chance(views.late_outputs, "late outputs", ordinal):
        return 0.0
    return draws.between(views.outputs_whole_after, "whole after", ordinal)


def _check_plan(model: ModelRecord, rank: int) -> None:
    if model.rank <= rank:
        return
    held = max(one for one in _PLANS if one <= max(0, rank))
    details = {"modelId": model.id, "currentPlan": _PLANS[held], "requiredPlan": _plan(model.rank)}
    reason = "You are not allowed to use this model with your plan"
    raise RefusedError(refusal(403, reason, name="ModelAccessRestrictedError", details=details))


def _plan(rank: int) -> str:
    return next((name for grade, name in _PLANS.items() if grade >= rank), "enterprise")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode() or "{}", parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair: no answer could echo it
    except (ValueError, RecursionError) as exc:  # ValueError: neither JSON nor UTF-8
        raise InvalidInputError("Request body is not valid JSON") from exc
    if not isinstance(value, dict):
        raise InvalidInputError("Request body must be an object")
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")
