"""The keys of the manifest, their types and their defaults: what ``docs/manifest.md`` describes.

One value at a time is checked here. What needs two places (a variable and its axis, two ids) is
``entries`` and ``expansion``.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
)

from batchgen.manifest.naming import wrong_with_batch, wrong_with_period
from batchgen.manifest.quantities import parse_duration, parse_rate
from batchgen.manifest.source.scalars import kind_of, unsendable
from batchgen.manifest.templates import parse
from batchgen.manifest.zones import wrong_with_zone
from batchgen.model import Json, Rate

VERSION = 1
MOST_UNITS = 10**9  # compute units: more is a mistake
FILES = "{id}_{index}"

TAGS = ("text ", "file ")  # of the two forms of a prompt: no key can be one of them, for its space

_MODEL_ID = re.compile(r"[^\s/\\?#%{}]+")


def _many(value: Json) -> Json:
    return value if isinstance(value, list) else [value]


def _version(value: Json) -> int:
    if type(value) is int and value == VERSION:
        return value
    if value == str(VERSION):
        raise ValueError(f"write version: {VERSION}, without quotes")
    shown = value if type(value) in (str, int, float) else kind_of(value)
    raise ValueError(f"{shown} is not known to this batchgen; it reads version {VERSION}")


def _some(text: str) -> str:
    if not text.strip():
        raise ValueError("empty; write the text, or leave the key out")
    return text


def wrong_with_model(text: str) -> str | None:
    """Say why a text is no model id, None where it may be one."""
    return (
        None if _MODEL_ID.fullmatch(text) else f'"{text}" is no model id; one looks like model_imagen4-ultra'
    )


def _model_id(text: str) -> str:
    if "{" in text or "}" in text:  # filled in by a column, a variable or an axis, and looked at then
        if wrong := wrong_with_model("".join(parse(text).literals) or "m"):
            raise ValueError(wrong)
    elif wrong := wrong_with_model(text):
        raise ValueError(wrong)
    return text


def _period(text: str) -> str:
    if wrong := wrong_with_period(text):
        raise ValueError(f'"{text}" cannot name a period: {wrong}')
    return text


def _zone(text: str) -> str:
    if wrong := wrong_with_zone(text):
        raise ValueError(wrong)
    return text


def _of(value: Json) -> Json:
    """Take an axis that is only its values for the form that says more."""
    return value if isinstance(value, dict) and {"of", "sample"} & set(value) else {"of": value}


def _form(value: Json) -> str:
    is_file = isinstance(value, PromptFile) or (isinstance(value, dict) and value.get("file") is not None)
    return TAGS[1] if is_file else TAGS[0]


def _variable(value: Json) -> Json:
    if value is None:
        raise ValueError("has no value; write one or leave it out")
    if wrong := unsendable(value):
        raise ValueError(wrong)
    return value


def _batch(text: str) -> str:
    if wrong := wrong_with_batch(text):
        raise ValueError(f'"{text}" cannot name a folder: {wrong}')
    return text


def _rate(value: Json) -> Rate:
    if isinstance(value, str):
        return parse_rate(value)
    shown = f"{value}/min" if type(value) in (int, float) else "100/min"
    raise ValueError(f'expected a rate with its unit, such as "{shown}", not {kind_of(value)}')


def _in_flight(value: Json) -> int | None:
    if value == "auto":
        return None
    if type(value) is int and value >= 1:
        return value
    raise ValueError("expected auto or a whole number from 1")


def _timeout(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f'expected a duration such as "45m", not {kind_of(value)}')  # noqa: TRY004 - pydantic takes a ValueError
    seconds = parse_duration(value) if isinstance(value, str) else float(value)
    if not 0 < seconds < float("inf"):
        raise ValueError("expected a duration above zero")
    return seconds


def _amount(value: Json) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected compute units, such as 1500 or 7.25, not {kind_of(value)}")  # noqa: TRY004 - pydantic takes a ValueError
    if not 0 <= value < MOST_UNITS:
        raise ValueError("expected compute units from 0")
    return Decimal(str(value))


def _axis_value(value: Json) -> Json:
    if value is None or isinstance(value, list | dict):
        raise ValueError(f"expected text, a number or true/false, not {kind_of(value)}")
    if wrong := unsendable(value):
        raise ValueError(wrong)
    return value


def _seed(value: Json) -> Literal["none"]:
    if value == "none":
        return "none"
    raise ValueError(
        f"only none can be written here, which leaves the seed to the service; for a seed of your own write "
        f"params: {{seed: {value if type(value) is int else 42}}}"
    )


class Part(BaseModel):
    """A mapping of the manifest: unknown keys are problems, and nothing is converted on the quiet."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Amount: TypeAlias = Annotated[Decimal, PlainValidator(_amount)]
Text: TypeAlias = Annotated[str, AfterValidator(_some)]
Texts: TypeAlias = Annotated[list[Text], BeforeValidator(_many), Field(min_length=1)]
ModelId: TypeAlias = Annotated[str, AfterValidator(_model_id)]


class PromptFile(Part):
    """A prompt that is the text of a file."""

    file: Text


Prompt: TypeAlias = Annotated[
    Annotated[Text, Tag(TAGS[0])] | Annotated[PromptFile, Tag(TAGS[1])], Discriminator(_form)
]
Prompts: TypeAlias = Annotated[list[Prompt], BeforeValidator(_many), Field(min_length=1)]
Models: TypeAlias = Annotated[list[ModelId], BeforeValidator(_many), Field(min_length=1)]
AxisValue: TypeAlias = Annotated[Any, AfterValidator(_axis_value)]
AxisValues: TypeAlias = Annotated[list[AxisValue], BeforeValidator(_many), Field(min_length=1)]


class AxisText(Part):
    """The values of one axis, or some of them."""

    of: AxisValues
    sample: Annotated[int, Field(ge=1)] | None = None


Axis: TypeAlias = Annotated[AxisText, BeforeValidator(_of)]
Group: TypeAlias = Annotated[dict[str, AxisValues], Field(min_length=1)]
Groups: TypeAlias = Annotated[list[Group], BeforeValidator(_many), Field(min_length=1)]
Pattern: TypeAlias = Annotated[dict[str, AxisValue], Field(min_length=1)]
Patterns: TypeAlias = Annotated[list[Pattern], BeforeValidator(_many), Field(min_length=1)]
NoSeed: TypeAlias = Annotated[Literal["none"], PlainValidator(_seed)]
Repeat: TypeAlias = Annotated[int, Field(ge=1)]


class JobText(Part):
    """One entry under ``jobs``, which may stand for many jobs."""

    prompt: Prompts = []
    id: Text | None = None
    model: Models = []
    params: dict[str, Any] = {}
    matrix: Annotated[dict[str, Axis], Field(min_length=1)] | None = None
    zip: Groups = []
    exclude: Patterns = []
    include: Patterns = []
    from_: Annotated[Text | None, Field(alias="from")] = None
    repeat: Repeat | None = None
    seed: NoSeed | None = None
    tags: Texts | None = None
    unchecked: Texts | None = None


class DefaultsText(Part):
    """What a job takes where it says nothing itself."""

    model: Models = []
    params: dict[str, Any] = {}
    repeat: Repeat = 1
    seed: NoSeed | None = None
    tags: Texts | None = None
    unchecked: Texts | None = None


class LimitsText(Part):
    """How hard the service may be asked."""

    rate: Annotated[Rate, PlainValidator(_rate)] | None = None
    in_flight: Annotated[int | None, PlainValidator(_in_flight)] = None


class DoubtText(Part):
    """How jobs whose answer was lost are settled."""

    then: Literal["resubmit", "hold"] = "resubmit"
    settle: Annotated[float, PlainValidator(_timeout)] = 60.0
    settle_max: Annotated[float, PlainValidator(_timeout)] = 600.0


class RetryText(Part):
    """How often a failed generation is tried."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 1


class BudgetText(Part):
    """What may be spent, in compute units."""

    total: Amount | None = None
    per_job: Amount | None = None
    per_day: Amount | None = None
    per_month: Amount | None = None
    trust_refunds: bool = True


class OutputText(Part):
    """What is written beside the results."""

    download: bool = True
    files: Text = FILES


class ManifestText(Part):
    """The whole file."""

    version: Annotated[int, PlainValidator(_version)]
    jobs: list[JobText] = []
    batch: Annotated[str, AfterValidator(_batch)] | None = None
    project: Text | None = None
    include: Texts = []
    vars: dict[str, Annotated[Any, AfterValidator(_variable)]] = {}
    defaults: DefaultsText = DefaultsText()
    limits: LimitsText = LimitsText()
    timeout: Annotated[float, PlainValidator(_timeout)] | None = None
    doubt: DoubtText = DoubtText()
    retry: RetryText = RetryText()
    budget: BudgetText = BudgetText()
    output: OutputText = OutputText()
    period: Annotated[str, AfterValidator(_period)] | None = None
    tz: Annotated[str, AfterValidator(_zone)] = "UTC"
