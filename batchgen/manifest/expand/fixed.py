"""What of an entry no row changes, worked out once: its prompts, models, combinations, and what ids show."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from batchgen.manifest.expand.entry import Entry
from batchgen.manifest.expand.ids import distinct
from batchgen.manifest.expand.subject import Subject, are_stems_alike, subject_of
from batchgen.manifest.naming import in_ascii, label, model_label, slug
from batchgen.manifest.source.scalars import plain, text_of
from batchgen.manifest.templates import Template
from batchgen.model import Json


class RowError(ValueError):
    """What keeps a row from being a job."""

    def __init__(self, message: str, kind: str) -> None:
        self.kind = kind
        super().__init__(message)


class Combination(NamedTuple):
    """One choice of a value for every axis.

    Attributes:
        values: by the axes' names.
        models: which of the models it goes with, None for all.
        label: what it adds to an automatic id.
        params: the parameters where no column moves them, None where one does.
        number: of the choice.
    """

    values: Mapping[str, Json]
    models: frozenset[int] | None
    label: str
    params: dict[str, Json] | None
    number: int


class PromptPart(NamedTuple):
    """One prompt and what it adds to an automatic id, empty where its filled text is to be looked at.

    The template is None for jobs without a prompt.
    """

    number: int
    template: Template | None
    label: str


class ModelPart(NamedTuple):
    """One model and what it adds to an automatic id."""

    number: int
    template: Template
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedParts:
    """An entry with everything worked out that no row changes.

    Attributes:
        name: the template of the user's ids, its own text fit to name a file; None where there is none.
        shown: the columns whose values stand in automatic ids.
        spelled: the variables that stand in the text, where a number keeps its file's spelling.
        exact: whether the user's id says everything, so that two alike are the user's mistake.
        unchecked: whether the user's id can still turn out unsafe when it is filled in.
        subject: what automatic ids are made of where there is no prompt; None where that is the model.
        with_folders: whether it takes the folders of files to tell them apart.
        paths: the columns whose values are paths, which are made fit for the user's id.
    """

    entry: Entry
    name: Template | None
    prompts: tuple[PromptPart, ...]
    models: tuple[ModelPart, ...]
    combinations: tuple[Combination, ...]
    shown: tuple[str, ...]
    spelled: frozenset[str]
    exact: bool
    unchecked: bool
    subject: Subject | None
    with_folders: bool
    paths: frozenset[str]

    @property
    def used(self) -> tuple[str, ...]:
        """The variables that tell its jobs apart: the columns that its texts use, and its axes."""
        return (*self.entry.columns, *(name for axis in self.entry.axes for name in axis.names))


def fixed_parts(entry: Entry) -> FixedParts:
    """Work out what no row changes."""
    named = entry.name.names if entry.name is not None else ()
    prompts = tuple(PromptPart(number, one, slug(one.words)) for number, one in enumerate(entry.prompts))
    subject = subject_of(entry.params) if entry.name is None and not prompts else None
    # an automatic id begins with the prompt's own words; where it has none, with the filled text
    unnamed = () if entry.name is not None else prompts
    told = {name for one in unnamed if one.template and not one.label for name in one.template.names}
    told.update(() if subject is None else subject.names)
    by_column = any(name in entry.columns for name in named)
    shown = () if by_column else tuple(name for name in entry.columns if name not in told)
    spelled = frozenset(name for name in entry.known if entry.tells(name))
    combinations = tuple(_combinations(entry, hidden={*named, *told}, spelled=spelled))
    several = len(entry.models) > 1
    words = [one.words for one in entry.models]
    labels = distinct([*map(model_label, words)], words) if several else [""] * len(words)
    models = tuple(map(ModelPart, range(len(entry.models)), entry.models, labels))
    varies = several or len(prompts) > 1 or bool(shown) or any(one.label for one in combinations)
    exact = entry.name is not None and not varies
    return FixedParts(
        entry=entry,
        name=_safe(entry.name) if entry.name is not None else None,
        prompts=prompts or (PromptPart(0, None, ""),),
        models=models,
        combinations=combinations,
        shown=shown,
        spelled=spelled,
        exact=exact,
        unchecked=exact or bool(named),
        subject=subject,
        with_folders=subject is not None and entry.table is not None and are_stems_alike(entry.table),
        paths=entry.table.paths if entry.table is not None else frozenset(),
    )


def start_of_id(ready: FixedParts, model: ModelPart, values: Mapping[str, Json]) -> str:
    """Return what the automatic id of a job without a prompt begins with.

    That is its file, or the job before it and what is done to that, or its text, or its model.
    """
    own = "" if model.label or model.template.names else model_label(model.template.words)
    start = (ready.subject and ready.subject.start(values, with_folders=ready.with_folders)) or ""
    if ready.subject is not None and ready.subject.is_job:
        return "-".join(filter(None, (start, own)))
    return start or own


def _safe(name: Template) -> Template:
    return (
        name
        if all(map(str.isascii, name.literals))
        else replace(name, literals=tuple(in_ascii(one) or slug(one) for one in name.literals))
    )


def _combinations(entry: Entry, hidden: set[str], spelled: frozenset[str]) -> Iterator[Combination]:
    labels = _labels(entry, spelled)
    fixed = not set(entry.params.names) & set(entry.columns)
    constant = entry.params.render({}) if not entry.params.names else None
    for choice in entry.choices.all if entry.choices is not None else ():
        values = choice.values
        parts = (
            labels[name][text_of(as_told(spelled, name, value))]
            for name, value in values.items()
            if name not in hidden
        )
        params = constant if constant is not None else (params_of(entry, values) if fixed else None)
        yield Combination(values, choice.models, "-".join(parts), params, choice.number)


def _labels(entry: Entry, spelled: frozenset[str]) -> dict[str, dict[str, str]]:
    """Return for every axis what each of its values adds to an id."""
    texts: dict[str, dict[str, None]] = {name: {} for axis in entry.axes for name in axis.names}
    for choice in entry.choices.all if entry.choices is not None else ():
        for name, value in choice.values.items():
            texts[name][text_of(as_told(spelled, name, value))] = None
    return {
        name: dict(zip(found, distinct([label(one) for one in found], [*found]), strict=True))
        for name, found in texts.items()
    }


def as_told(spelled: Collection[str], name: str, value: Json) -> Json:
    """Return a value as the job says it: a number in its file's spelling only where that is in the text."""
    return value if name in spelled else plain(value)


def text_of_value(value: Json) -> str:
    """Return a value as a text; a list or a mapping has none."""
    return "" if value is None or isinstance(value, list | dict) else text_of(value)


def params_of(entry: Entry, values: Mapping[str, Json]) -> dict[str, Json]:
    """Return the parameters of one job.

    Raises:
        RowError: a value does not fit where it stands.
    """
    try:
        params: dict[str, Json] = entry.params.render(values)
    except ValueError as error:
        raise RowError(f"params: {error}", "params") from None
    return params
