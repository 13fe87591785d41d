"""What a job costs, in compute units: a plausible table, exact to the eighth of a unit.

A quote and a charge are one number from one function. The service publishes no prices; these
lie where a public survey of dry runs found the same or like models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from batchgen.model import Json

_EIGHTH = Decimal("0.125")  # the finest step that prices were seen in
_USUAL_PRICE = Decimal(5)  # "about 5 units an image", says the service's help


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What one output costs, and what moves it.

    Attributes:
        each: units of one output with the model's defaults.
        factors: by input and value, what the price is multiplied by.
        linear: by input, the value at which the price is ``each``; it grows in proportion.
        items: by input, units for every item of a list.
    """

    each: Decimal
    factors: Mapping[str, Mapping[Json, Decimal]] = field(default_factory=dict)
    linear: Mapping[str, int] = field(default_factory=dict)
    items: Mapping[str, Decimal] = field(default_factory=dict)


USUAL_PRICES: Mapping[str, Price] = {
    "model_imagen4-ultra": Price(each=Decimal(8)),
    "model_openai-gpt-image-2": Price(
        each=Decimal(11),
        factors={"quality": {"low": Decimal("0.25"), "medium": Decimal("0.5"), "high": Decimal(2)}},
        items={"referenceImages": Decimal(1)},
    ),
    "model_google-gemini-3-1-flash": Price(
        each=Decimal(12),
        factors={
            "resolution": {"512": Decimal("0.75"), "2K": Decimal("1.5"), "4K": Decimal(2)},
            "useGoogleSearch": {True: Decimal("1.25")},
        },
    ),
    "model_bfl-flux-1-dev": Price(each=Decimal(4), linear={"numInferenceSteps": 28}),
    # recorded: 6 units for a texture of 512 pixels and its five maps
    "model_patina-material": Price(each=Decimal(1), items={"maps": Decimal(1)}),
    "model_bytedance-seedance-2-0": Price(
        each=Decimal(150),
        factors={
            "resolution": {"480p": Decimal("0.5"), "1080p": Decimal(2), "4k": Decimal(4)},
            "duration": {-1: Decimal(1), **{seconds: Decimal(seconds) / 5 for seconds in range(4, 16)}},
        },
    ),
}


def price_of(model: str, inputs: Mapping[str, Json], prices: Mapping[str, Decimal]) -> Decimal:
    """Return the units that a job costs, add-ons left out.

    Args:
        model: the service's id.
        inputs: as checked, defaults filled in.
        prices: units of one output by model, in place of the usual ones.
    """
    price = USUAL_PRICES.get(model, Price(each=_USUAL_PRICE))
    amount = prices.get(model, price.each)
    for name, units in price.items.items():
        amount += units * len(inputs.get(name) or ())
    for name, factors in price.factors.items():
        amount *= factors.get(inputs.get(name), Decimal(1))
    for name, usual in price.linear.items():
        amount *= Decimal(str(inputs.get(name, usual))) / usual
    amount *= Decimal(str(inputs.get("numOutputs") or 1))
    return (amount / _EIGHTH).to_integral_value(ROUND_UP) * _EIGHTH


def discount_of(full: Decimal, share: Decimal) -> Decimal:
    """Return the units that a discount takes off, in whole eighths."""
    return (full * share / _EIGHTH).to_integral_value(ROUND_DOWN) * _EIGHTH


def gate_price(outputs: int) -> Decimal:
    """Return the extra charge for having so many images checked; recorded: 1.25 units for six."""
    return Decimal("0.25") * max(1, outputs - 1)
