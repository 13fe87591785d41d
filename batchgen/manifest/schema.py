"""The keys of the manifest, their types and their defaults: what ``docs/manifest.md`` describes.

One value at a time is checked here. What needs two places (a variable and its axis, two ids) is ``expand``.
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

from batchgen.manifest.naming import slug, wrong_with_batch, wrong_with_entry, wrong_with_period
from batchgen.manifest.quantities import read_amount, read_duration, read_estimate, read_rate
from batchgen.manifest.references import read_only
from batchgen.manifest.source.characters import unseen_in
from batchgen.manifest.source.scalars import kind_of, unsendable
from batchgen.manifest.templates import parse
from batchgen.manifest.zones import wrong_with_zone
from batchgen.model import Json, Rate

Download: TypeAlias = Literal["all", "last", "none"]
_DOWNLOADS: tuple[Download, ...] = ("all", "last", "none")

VERSION = 1
FILES = "{id}_{index}"

# of the forms of a prompt, from and entry: no key can be one, for the space
TAGS = ("text ", "file ", "files ", "part ", "jobs ")

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


def _entry(text: str) -> str:
    if wrong := wrong_with_entry(text):
        raise ValueError(wrong)
    return text


def wrong_with_model(text: str) -> str | None:
    """Return why a text is no model id, None where it may be one."""
    unseen = unseen_in(text)
    if _MODEL_ID.fullmatch(text) and not unseen:
        return None
    return f'"{text}" is not a model id{unseen}; one looks like model_imagen4-ultra'


def _model_id(text: str) -> str:
    if "{" in text or "}" in text:  # filled in by a column, a variable or an axis, and looked at then
        template = parse(text)
        if wrong := wrong_with_model("".join(template.literals) or "m"):
            raise ValueError(wrong)
        for name in sorted(template.optional):
            raise ValueError(f"every job needs a model, so it cannot be optional; write {{{name}}}")
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


def _form_of_from(value: Json) -> str:
    if isinstance(value, FromJobs) or (isinstance(value, dict) and {"jobs", "job"} & set(value)):
        return TAGS[4]
    return TAGS[2] if isinstance(value, FromFiles | dict) else TAGS[0]


def _form_of_entry(value: Json) -> str:
    return TAGS[3] if isinstance(value, PartOf | dict) else TAGS[0]


def _variable(value: Json) -> Json:
    if value is None:
        raise ValueError("has no value; write one or leave it out")
    if wrong := unsendable(value):
        raise ValueError(wrong)
    return value


def _batch(text: str) -> str:
    if wrong := wrong_with_batch(text):
        right = "" if text.isascii() or not slug(text) else f"; write batch: {slug(text)}"
        raise ValueError(f'"{text}" cannot name a folder: {wrong}{right}')
    return text


def _in_flight(value: Json) -> int | None:
    if value == "auto":
        return None
    if type(value) is int and value >= 1:
        return value
    raise ValueError("expected auto or a whole number from 1")


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


def _download(value: Json) -> Download:
    if isinstance(value, bool):
        return "all" if value else "none"
    for word in _DOWNLOADS:
        if value == word:
            return word
    shown = f'"{value}"' if isinstance(value, str) else kind_of(value)
    raise ValueError(f"expected all, last, none, true or false, not {shown}")


class Part(BaseModel):
    """A mapping of the manifest: unknown keys are problems, and nothing is converted on the quiet."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Amount: TypeAlias = Annotated[Decimal, PlainValidator(read_amount)]
Text: TypeAlias = Annotated[str, AfterValidator(_some)]
Texts: TypeAlias = Annotated[list[Text], BeforeValidator(_many), Field(min_length=1)]
EntryName: TypeAlias = Annotated[str, AfterValidator(_entry)]
Variables: TypeAlias = dict[str, Annotated[Any, AfterValidator(_variable)]]
ModelId: TypeAlias = Annotated[str, AfterValidator(_model_id)]


class PromptFile(Part):
    """A prompt that is the text of a file."""

    file: Text
    """The path of a text file, from the manifest's folder."""


Prompt: TypeAlias = Annotated[
    Annotated[Text, Tag(TAGS[0])] | Annotated[PromptFile, Tag(TAGS[1])], Discriminator(_form)
]
Prompts: TypeAlias = Annotated[list[Prompt], BeforeValidator(_many), Field(min_length=1)]


class PartOf(Part):
    """An entry whose jobs belong to another one."""

    part_of: EntryName
    """The name of the other entry."""


EntryText: TypeAlias = Annotated[
    Annotated[EntryName, Tag(TAGS[0])] | Annotated[PartOf, Tag(TAGS[3])], Discriminator(_form_of_entry)
]


class FromFiles(Part):
    """The files of this machine that go in, a row each."""

    files: Texts
    """A pattern of paths from the manifest's folder, such as scans/**/*.png, or a list of them."""


class FromJobs(Part):
    """The jobs of another entry, a row each."""

    jobs: Text
    """The other entry: its name, or its id as it is written, or what its ids begin with."""
    only: Annotated[Literal["mark:kept"], PlainValidator(read_only)] | None = None
    """mark:kept goes through those alone that a person keeps; the others wait for that decision."""


From: TypeAlias = Annotated[
    Annotated[Text, Tag(TAGS[0])] | Annotated[FromFiles, Tag(TAGS[2])] | Annotated[FromJobs, Tag(TAGS[4])],
    Discriminator(_form_of_from),
]
Models: TypeAlias = Annotated[list[ModelId], BeforeValidator(_many), Field(min_length=1)]
AxisValue: TypeAlias = Annotated[Any, AfterValidator(_axis_value)]
AxisValues: TypeAlias = Annotated[list[AxisValue], BeforeValidator(_many), Field(min_length=1)]


class AxisText(Part):
    """The values of one axis, or some of them."""

    of: AxisValues
    """All the values."""
    sample: Annotated[int, Field(ge=1)] | None = None
    """How many of them are taken; which ones stays the same."""


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
    """What to generate, one or a list; none where the model takes none. {name} is a variable, {{ a brace."""
    id: Text | None = None
    """The job's name in results and files; made of the prompt or of what goes in where none is given."""
    entry: EntryText | None = None
    """Its name, by which jobs are selected: --only entry:NAME; or {part_of: NAME}. No part of identity."""
    model: Models = []
    """The service's id of a model, or a list: every job is made for each of them."""
    params: dict[str, Any] = {}
    """Further inputs of the model, by the names the model gives them; batchgen models ID lists them."""
    vars: Variables = {}
    """Variables of this entry, used in its texts or not; they go before those of the file."""
    matrix: Annotated[dict[str, Axis], Field(min_length=1)] | None = None
    """Axes: a job is made for every combination of their values."""
    zip: Groups = []
    """Axes of equal length whose values go together: the first with the first, and so on."""
    exclude: Patterns = []
    """Combinations that are left out."""
    include: Patterns = []
    """Combinations that are made beside the others."""
    from_: Annotated[From | None, Field(alias="from")] = None
    """A .csv, .tsv, .txt, .json, .jsonl or .yaml file: a job a row. Or {files: PATTERN}, or {jobs: ENTRY}."""
    repeat: Repeat | None = None
    """How many times each job is made, each with a seed of its own."""
    seed: NoSeed | None = None
    """none leaves the seed to the service; one is derived for each job otherwise."""
    tags: Texts | None = None
    """Words that jobs are found by. No part of a job's identity."""
    unchecked: Texts | None = None
    """Inputs that are not held against what the model declares."""

    @property
    def entry_name(self) -> str:
        """What it is called, empty where it does not say so."""
        return self.entry.part_of if isinstance(self.entry, PartOf) else self.entry or ""


class DefaultsText(Part):
    """What a job takes where it says nothing itself."""

    model: Models = []
    """The service's id of a model, or a list: every job is made for each of them."""
    params: dict[str, Any] = {}
    """Further inputs of the model, by the names the model gives them; batchgen models ID lists them."""
    repeat: Repeat = 1
    """How many times each job is made, each with a seed of its own."""
    seed: NoSeed | None = None
    """none leaves the seed to the service; one is derived for each job otherwise."""
    tags: Texts | None = None
    """Words that jobs are found by. No part of a job's identity."""
    unchecked: Texts | None = None
    """Inputs that are not held against what the model declares."""


class LimitsText(Part):
    """How hard the service may be asked."""

    rate: Annotated[Rate, PlainValidator(read_rate)] | None = None
    """Requests to the service, such as 100/min, 5/s or 6000/h; none for no bound."""
    in_flight: Annotated[int | None, PlainValidator(_in_flight)] = None
    """The most jobs at the service at once; auto finds out what it takes."""


class DoubtText(Part):
    """How jobs whose answer was lost are settled."""

    then: Literal["resubmit", "hold"] = "resubmit"
    """resubmit sends again what the service demonstrably does not have; hold leaves it to you."""
    settle: Annotated[float, PlainValidator(read_duration)] = 60.0
    """How long after the loss a listing counts, such as 60s."""
    settle_max: Annotated[float, PlainValidator(read_duration)] = 600.0
    """How long to wait for proof that the listing would show the job, such as 10m."""


class RetryText(Part):
    """How often a failed generation is tried."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 1
    """In all, the first one included."""


class BudgetText(Part):
    """What may be spent, in compute units."""

    total: Amount | None = None
    """For everything of the batch, over all its runs."""
    per_job: Amount | None = None
    """For one try at one job; a dearer one is not bought."""
    per_day: Amount | None = None
    """For everything in the journal, from midnight."""
    per_month: Amount | None = None
    """For everything in the journal, from the first of the month."""
    trust_refunds: bool = True
    """Whether refunds that the service's rules promise are counted as money back."""
    chains: Literal["whole", "steps"] = "whole"
    """whole keeps money for all steps of a chain when its first one is bought; steps buys each by itself."""
    estimate: Annotated[Decimal, PlainValidator(read_estimate)] | None = None
    """What is kept for a job whose price nobody says; without it, such a job is not bought under a cap."""


class OutputText(Part):
    """What is written beside the results."""

    download: Annotated[Download, PlainValidator(_download)] = "all"
    """Whose files are fetched: all (true), last, without those that only feed other jobs, or none (false)."""
    files: Text = FILES
    """Their names below assets/, without the type, of {id}, {index} and the variables; / makes folders."""


class ManifestText(Part):
    """The whole file."""

    version: Annotated[int, PlainValidator(_version)]
    """The version of this format: 1."""
    jobs: list[JobText] = []
    """What to generate."""
    batch: Annotated[str, AfterValidator(_batch)] | None = None
    """Names the folder under output/. Default: the file's own name."""
    project: Text | None = None
    """The service's projectId; not needed for a key that belongs to one project."""
    include: Texts = []
    """Other manifests whose jobs are taken in."""
    vars: Variables = {}
    """Variables for all templates."""
    defaults: DefaultsText = DefaultsText()
    """What a job takes where it says nothing itself."""
    limits: LimitsText = LimitsText()
    """How hard the service may be asked."""
    timeout: Annotated[float, PlainValidator(read_duration)] | None = None
    """How long one generation may take, such as 45m."""
    doubt: DoubtText = DoubtText()
    """How jobs are settled whose answer was lost."""
    retry: RetryText = RetryText()
    """How often a failed generation is tried; each try is paid for anew."""
    budget: BudgetText = BudgetText()
    """What may be spent, in compute units."""
    output: OutputText = OutputText()
    """What is written beside the results."""
    period: Annotated[str, AfterValidator(_period)] | None = None
    """hour, day, week, month or a name: every period is bought anew, and none twice."""
    tz: Annotated[str, AfterValidator(_zone)] = "UTC"
    """The time zone in which a day begins, such as Europe/Paris."""
