"""Entries to jobs: rows, prompts, models, choices and repeats, in this order, each job with its id.

What is expanded was counted before. An id depends on what its job is made of, not on its number,
so that a value added to an axis renames nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

from batchgen.manifest.expand.braces import left_in
from batchgen.manifest.expand.doubles import Doubles
from batchgen.manifest.expand.entry import Entry
from batchgen.manifest.expand.ids import Ids, Owner
from batchgen.manifest.naming import (
    LONGEST,
    alike,
    in_ascii,
    joined,
    label,
    part_of_id,
    shortened_id,
    slug,
    without_gaps,
    wrong_with,
)
from batchgen.manifest.origins import Origins
from batchgen.manifest.schema import wrong_with_model
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.scalars import plain, text_of
from batchgen.manifest.tables.error_values import has_word_for_nothing, is_error, word_for_nothing
from batchgen.manifest.templates import Template, is_empty
from batchgen.manifest.values import Places
from batchgen.model import Job, Json


class _Combination(NamedTuple):
    """One choice of a value for every axis.

    Attributes:
        values: by the axes' names.
        models: which of the models it goes with, None for all.
        label: what it adds to an automatic id.
        params: the parameters where no column moves them, None where one does.
    """

    values: Mapping[str, Json]
    models: frozenset[int] | None
    label: str
    params: dict[str, Json] | None


class _Prompt(NamedTuple):
    """One prompt and what it adds to an automatic id, empty where its filled text is to be looked at."""

    number: int
    template: Template
    label: str


class _Model(NamedTuple):
    """One model and what it adds to an automatic id."""

    number: int
    template: Template
    label: str


class _Named(NamedTuple):
    """The user's own id of a job.

    Attributes:
        id: fit to name a file.
        written: what the user wrote, where that is another text; empty where it is the id.
    """

    id: str
    written: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ready:
    """An entry with everything worked out that no row changes.

    Attributes:
        name: the template of the user's ids, its own text fit to name a file; None where there is none.
        shown: the columns whose values stand in automatic ids.
        spelled: the variables that stand in the text, where a number keeps its file's spelling.
        exact: whether the user's id says everything, so that two alike are the user's mistake.
        unchecked: whether the user's id can still turn out unsafe when it is filled in.
    """

    entry: Entry
    name: Template | None
    prompts: tuple[_Prompt, ...]
    models: tuple[_Model, ...]
    combinations: tuple[_Combination, ...]
    shown: tuple[str, ...]
    spelled: frozenset[str]
    exact: bool
    unchecked: bool


class Expansion:
    """Makes the jobs of one manifest.

    Attributes:
        jobs: made so far.
        places: where each of them comes from.
        origins: what the entry of each of them says.
    """

    def __init__(self, problems: Problems) -> None:
        self.jobs: list[Job] = []
        self.places = Places()
        self.origins = Origins()
        self._problems = problems
        self._ids = Ids()
        self._doubles = Doubles()

    def add(self, number: int, entry: Entry) -> None:
        """Make the jobs of the next entry, and note what is wrong with single rows of it."""
        ready = _ready(entry)
        suspect = _is_suspect(entry)
        for place, values in _rows(entry):
            if suspect and not self._meant(values, place):
                continue
            if self._complete(values, entry.needed, place):
                try:
                    self._add_row(number, ready, values, place)
                except _RowError as error:
                    self._problems.add(place, str(error), kind=error.kind)

    def _complete(self, values: Mapping[str, Json], needed: frozenset[str], place: Place) -> bool:
        if None not in values.values() and "" not in values.values():
            return True
        missing = [name for name, value in values.items() if name in needed and is_empty(value)]
        for name in missing:
            said = f"{name} is empty; where it may be, write {{{name}?}}"
            self._problems.add(place, said, kind=f"{name} is empty")
        return not missing

    def warn_of_doubles(self) -> None:
        """Note the jobs that ask for the same as another one."""
        self._doubles.warn(self.jobs, self.places, self._problems)

    def _meant(self, values: Mapping[str, Json], place: Place) -> bool:
        """Return whether no cell has an error in place of a value; note also what is a word for nothing."""
        wrong = [name for name, value in values.items() if is_error(value)]
        for name in wrong:
            text = f"{name} is {values[name]}, an error of the spreadsheet; mend it there and save it again"
            self._problems.add(place, text, kind=f"{name} is an error")
        for name, value in values.items():
            if whose := word_for_nothing(value):
                text = f"{name} is {value}, {whose} for nothing, and goes out as text; empty the cell"
                self._problems.warn(place, text, kind=f"{name} is a word for nothing")
        return not wrong

    def _add_row(self, number: int, ready: _Ready, values: dict[str, Json], place: Place) -> None:
        row_label = [slug(_text(_as_told(ready.spelled, name, values[name]))) for name in ready.shown]
        for prompt, model, combination in product(ready.prompts, ready.models, ready.combinations):
            if combination.models is not None and model.number not in combination.models:
                continue
            known = {**values, **combination.values} if combination.values else values
            text = _rendered(prompt.template, known).strip()
            if not text:
                raise _RowError("the prompt is empty", "empty prompt")
            if "{" in text:
                self._warn_of_braces(ready.entry, prompt.number, text, place)
            named = _name(ready, known)
            name = None if named is None else named.id
            if name is None or not ready.exact:
                start = prompt.label if name is not None or ready.entry.name is None else ""
                start = start or slug(text)
                parts = [start] if name is None else [name, start if len(ready.prompts) > 1 else ""]
                name = joined([*parts, *row_label, combination.label, model.label])
            params = combination.params
            job = Job(
                id=name,
                prompt=text,
                model=_model(model.template, known),
                params=_params(ready.entry, known) if params is None else params,
                derive_seed=ready.entry.derive_seed,
            )
            self._add(number, ready, job, place, prompt.number, named)

    def _warn_of_braces(self, entry: Entry, prompt: int, text: str, place: Place) -> None:
        """Note what looks like a variable in a filled prompt, unless the manifest itself says it as text."""
        left, written = left_in(text, entry.known), entry.origin.prompts[prompt]
        if left is not None and written is not None and f"{{{left}}}" not in written:
            said = f"a value has {left} in it, which is sent as it is; only the text of prompt: is filled in"
            self._problems.warn(place, said, kind=f"value with {left}")

    def _add(
        self, number: int, ready: _Ready, job: Job, place: Place, prompt: int, named: _Named | None
    ) -> None:
        for turn in range(1, ready.entry.repeat + 1):
            wanted = job.id if turn == 1 else f"{job.id}-{turn}"
            # before it is taken: an id that nobody gets stands in no other's way
            if ready.unchecked and (wrong := wrong_with(wanted)):
                raise _RowError(f'id: "{wanted}" cannot name a file: {wrong}', "id unsafe")
            owner = Owner(len(self.jobs), number, named is not None, named.written if named else "")
            name = self._ids.take(job.id, owner, turn=turn, exact=ready.exact and named is not None)
            if isinstance(name, Owner):
                raise _RowError(self._taken_by(name, wanted), "id taken")
            if turn == 1:  # the others are meant
                self._doubles.add(job, len(self.jobs))
            self.jobs.append(job if name == job.id else _renamed(job, name))
            self.places.add(place)
            self.origins.add(ready.entry.origin, prompt)

    def _taken_by(self, owner: Owner, name: str) -> str:
        where = f"the job at {self.places[owner.job]}"
        has = "has it already" if owner.explicit else "got it from its prompt"
        return f'id: "{name}" is taken, {where} {has} (upper and lower case are one file)'


def _rows(entry: Entry) -> Iterable[tuple[Place, dict[str, Json]]]:
    table = entry.table
    if table is None:
        return [(entry.place, {})]
    rows = range(len(table.rows))
    return zip(map(table.place, rows), table.all_values(entry.columns, rows), strict=True)


def _is_suspect(entry: Entry) -> bool:
    """Return whether any cell that is used has something in place of a value: a look at whole columns."""
    table = entry.table
    used = () if table is None else [name for name in entry.columns if name in table.columns]
    return table is not None and any(
        has_word_for_nothing(table.texts(name)) or (table.marked and any(map(is_error, table.texts(name))))
        for name in used
    )


class _RowError(ValueError):
    """What keeps a row from being a job."""

    def __init__(self, message: str, kind: str) -> None:
        self.kind = kind
        super().__init__(message)


def _renamed(job: Job, name: str) -> Job:
    # dataclasses.replace takes three times as long, and there may be 100,000
    return Job(id=name, prompt=job.prompt, model=job.model, params=job.params, derive_seed=job.derive_seed)


def _ready(entry: Entry) -> _Ready:
    named = entry.name.names if entry.name is not None else ()
    prompts = tuple(_Prompt(number, one, slug(one.words)) for number, one in enumerate(entry.prompts))
    # an automatic id begins with the prompt's own words; where it has none, with the filled text
    told = {name for one in prompts if entry.name is None and not one.label for name in one.template.names}
    by_column = any(name in entry.columns for name in named)
    shown = () if by_column else tuple(name for name in entry.columns if name not in told)
    spelled = frozenset(name for name in entry.known if entry.tells(name))
    combinations = tuple(_combinations(entry, hidden={*named, *told}, spelled=spelled))
    several = len(entry.models) > 1
    labels = _distinct([_model_label(one.words) if several else "" for one in entry.models])
    models = tuple(map(_Model, range(len(entry.models)), entry.models, labels))
    varies = several or len(prompts) > 1 or bool(shown) or any(one.label for one in combinations)
    exact = entry.name is not None and not varies
    return _Ready(
        entry=entry,
        name=_safe(entry.name) if entry.name is not None else None,
        prompts=prompts,
        models=models,
        combinations=combinations,
        shown=shown,
        spelled=spelled,
        exact=exact,
        unchecked=exact or bool(named),
    )


def _safe(name: Template) -> Template:
    return (
        name
        if all(map(str.isascii, name.literals))
        else replace(name, literals=tuple(in_ascii(one) or slug(one) for one in name.literals))
    )


def _combinations(entry: Entry, hidden: set[str], spelled: frozenset[str]) -> Iterator[_Combination]:
    labels = _labels(entry, spelled)
    fixed = not set(entry.params.names) & set(entry.columns)
    constant = entry.params.render({}) if not entry.params.names else None
    for choice in entry.choices.all if entry.choices is not None else ():
        values = choice.values
        parts = (
            labels[name][text_of(_as_told(spelled, name, value))]
            for name, value in values.items()
            if name not in hidden
        )
        params = constant if constant is not None else (_params(entry, values) if fixed else None)
        yield _Combination(values, choice.models, "-".join(parts), params)


def _labels(entry: Entry, spelled: frozenset[str]) -> dict[str, dict[str, str]]:
    """Return for every axis what each of its values adds to an id."""
    texts: dict[str, dict[str, None]] = {name: {} for axis in entry.axes for name in axis.names}
    for choice in entry.choices.all if entry.choices is not None else ():
        for name, value in choice.values.items():
            texts[name][text_of(_as_told(spelled, name, value))] = None
    return {
        name: dict(zip(found, _distinct([label(one) for one in found]), strict=True))
        for name, found in texts.items()
    }


def _as_told(spelled: Collection[str], name: str, value: Json) -> Json:
    """Return a value as the job says it: a number in its file's spelling only where that is in the text."""
    return value if name in spelled else plain(value)


def _spelled(entry: Entry) -> frozenset[str]:
    return frozenset(name for name in entry.known if entry.tells(name))


def _distinct(labels: Sequence[str]) -> list[str]:
    """Number the labels that are there again, the first of them left as it is."""
    taken: set[str] = set()
    result = []
    for one in labels:
        name, turn = one, 1
        while name in taken:
            turn += 1
            name = f"{one}-{turn}"
        taken.add(name)
        result.append(name)
    return result


def _model_label(model: str) -> str:
    return slug(model.removeprefix("model_"), words=12)


def _text(value: Json) -> str:
    return "" if value is None or isinstance(value, list | dict) else text_of(value)


def _name(ready: _Ready, values: Mapping[str, Json]) -> _Named | None:
    """Return the user's own id; None where there is none, or nothing of it has a value in this row."""
    template = ready.entry.name
    if template is None or ready.name is None:
        return None
    texts, parts = {}, {}
    for name in template.names:
        try:
            text = texts[name] = "" if values[name] is None else text_of(values[name])
            parts[name] = part_of_id(text) if text else ""
        except ValueError as error:
            shown = f'id: {name} "{_text(values[name])[:60]}" cannot name a file'
            raise _RowError(f"{shown}: {error}", f"id {name}") from None
    made = ready.name.render(parts)
    if "" in parts.values():
        made = without_gaps(made)
    if ready.name is template and parts == texts and len(made) <= LONGEST:  # as nearly all are
        return _Named(made, "") if made else None
    written = template.render(texts)
    safe = shortened_id(made, written)
    return _Named(safe, "" if safe == written else alike(written)) if made else None


def _rendered(template: Template, values: Mapping[str, Json]) -> str:
    try:
        return template.render(values)
    except ValueError as error:
        raise _RowError(f"prompt: {error}", "value in text") from None


def _model(template: Template, values: Mapping[str, Json]) -> str:
    if not template.names:
        return template.literals[0]
    try:
        model = template.render(values).strip()
    except ValueError as error:
        raise _RowError(f"model: {error}", "value in text") from None
    if wrong := wrong_with_model(model):
        raise _RowError(f"model: {wrong}", "model id")
    return model


def _params(entry: Entry, values: Mapping[str, Json]) -> dict[str, Json]:
    try:
        params: dict[str, Json] = entry.params.render(values)
    except ValueError as error:
        raise _RowError(f"params: {error}", "params") from None
    return params
