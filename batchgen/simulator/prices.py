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
        covered: pixels of the output that ``each`` pays for; as much again for each further so many.
            0 where the size is nothing to the price.
    """

    each: Decimal
    factors: Mapping[str, Mapping[Json, Decimal]] = field(default_factory=dict)
    linear: Mapping[str, int] = field(default_factory=dict)
    items: Mapping[str, Decimal] = field(default_factory=dict)
    covered: int = 0


_FOUR_MEGAPIXELS = 2048 * 2048
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
    # measured by dry runs, on a picture of 512 pixels where one is taken
    "model_birefnet-background-removal": Price(each=Decimal(2)),
    "model_bria-remove-background": Price(each=Decimal(3)),
    "model_photoroom-background-removal": Price(each=Decimal(3)),
    "model_sc-pixelate": Price(each=Decimal(5)),
    "model_recraft-crisp-upscale": Price(each=Decimal(2)),
    # measured too, and known to follow the pixels of the output; from where on is assumed
    "model_topaz-image-upscale": Price(each=Decimal(10), covered=_FOUR_MEGAPIXELS),
    "model_upscale-v3": Price(each=Decimal(10), covered=_FOUR_MEGAPIXELS),
    "model_scenario-llm": Price(
        each=Decimal("0.75"), factors={"model": {"claude-haiku-4-5": Decimal(2)}}
    ),  # the price of the default is measured
    # assumed
    "model_recraft-vectorize": Price(each=Decimal(2)),
    "model_elevenlabs-tts-v3": Price(each=Decimal(10)),
    "model_tripo-v3-1-image-to-3d": Price(
        each=Decimal(30),
        factors={
            "texture": {False: Decimal("0.5")},
            "textureQuality": {"detailed": Decimal("1.5"), "extreme": Decimal(2)},
            "geometryQuality": {"detailed": Decimal("1.5")},
        },
    ),
    "model_rodin-hyper3d-v2-5": Price(
        each=Decimal(50), factors={"tier": {"Gen-2.5-Extreme-High": Decimal(2)}}
    ),
    "model_kling-v2-6-i2v-pro": Price(
        each=Decimal(60), factors={"duration": {"10": Decimal(2)}, "generateAudio": {True: Decimal(2)}}
    ),
    "model_sync-lipsync-v3-image-to-video": Price(each=Decimal(40)),
}


def price_of(
    model: str, inputs: Mapping[str, Json], prices: Mapping[str, Decimal], *, pixels: int = 0
) -> Decimal:
    """Return the units that a job costs, add-ons left out.

    Args:
        model: the service's id.
        inputs: as checked, defaults filled in.
        prices: units of one output by model, in place of the usual ones.
        pixels: of one output.
    """
    price = USUAL_PRICES.get(model, Price(each=_USUAL_PRICE))
    amount = prices.get(model, price.each)
    if price.covered:
        amount *= max(1, -(-pixels // price.covered))
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
