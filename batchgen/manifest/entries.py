"""One entry under ``jobs``, made ready to expand: templates parsed, variables known, costs bounded.

Everything that can be said without looking at a single row is checked here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from batchgen.identity import canonical
from batchgen.manifest.document import Document
from batchgen.manifest.environment import filled
from batchgen.manifest.naming import wrong_with
from batchgen.manifest.problems import Place, Problems, meant, shortened
from batchgen.manifest.scalars import unsendable
from batchgen.manifest.schema import DefaultsText, JobText
from batchgen.manifest.tables import Table, Tables
from batchgen.manifest.templates import Template, Tree, parse, strings_in, tree_of
from batchgen.model import Json

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An entry that can be expanded.

    Attributes:
        place: where it stands in the manifest.
        name: the template of its ids, None where they are made from the prompts.
        axes: the values by name, in the order written.
        table: whose rows it goes through, None where it has none.
        columns: the table's columns that its texts use, in the order they stand.
    """

    place: Place
    name: Template | None
    prompts: tuple[Template, ...]
    models: tuple[str, ...]
    params: Tree
    axes: Mapping[str, tuple[Json, ...]]
    table: Table | None
    columns: tuple[str, ...]
    repeat: int
    derive_seed: bool

    @property
    def factors(self) -> list[tuple[int, str]]:
        """How many jobs it stands for, as the factors and what each counts."""
        return [
            (len(self.table.rows) if self.table else 1, "rows"),
            (len(self.prompts), "prompts"),
            (len(self.models), "models"),
            *((len(values), name) for name, values in self.axes.items()),
            (self.repeat, "repeats"),
        ]

    @property
    def count(self) -> int:
        """How many jobs it stands for."""
        return prod(factor for factor, _ in self.factors)


class Preparation:
    """Prepares the entries of one manifest, and notes what is wrong with each."""

    def __init__(
        self,
        document: Document,
        problems: Problems,
        *,
        tables: Tables,
        environ: Mapping[str, str],
        defaults: DefaultsText | None,
    ) -> None:
        self._document = document
        self._problems = problems
        self._tables = tables
        self._environ = environ
        self._defaults = defaults or DefaultsText()
        self._complete = defaults is not None
        self._plain: Tree | None = None

    def entry(self, number: int, text: JobText) -> Entry | None:
        """Make an entry ready, or note why it cannot be.

        Args:
            number: its place in the file's list.
            text: what it says.
        """
        before = len(self._problems)
        path: Path = ("jobs", number)
        table = self._table((*path, "from"), text.from_)
        if (text.from_ and table is None) or not self._sound(path, text):
            return None
        axes = {name: tuple(values) for name, values in (text.matrix or {}).items()}
        prompts = tuple(map(parse, text.prompt))
        names = [parse(text.id)] if text.id is not None else []
        params = self._params(text, table)
        made = Entry(
            place=self._document.place(path),
            name=names[0] if names else None,
            prompts=prompts,
            models=tuple(text.model or self._defaults.model),
            params=params,
            axes=axes,
            table=table,
            columns=_columns(table, axes, prompts, params, names),
            repeat=self._defaults.repeat if text.repeat is None else text.repeat,
            derive_seed=(text.seed or self._defaults.seed) != "none",
        )
        self._check(path, text, made)
        return made if len(self._problems) == before else None

    def _note(self, path: Path, text: str, kind: str | None = None) -> None:
        self._problems.add(self._document.place(path), text, kind=kind)

    def _table(self, path: Path, name: str | None) -> Table | None:
        if name is None:
            return None
        try:
            return self._tables.get(filled(name, self._environ), self._document.place(path), self._problems)
        except ValueError as error:
            self._note(path, f"from: {error}")
            return None

    def _sound(self, path: Path, text: JobText) -> bool:
        """Check the braces and the parameters; nothing can be parsed before that."""
        before = len(self._problems)
        for key, texts in (("prompt", text.prompt), ("id", [text.id] if text.id is not None else [])):
            for index, one in enumerate(texts):
                self._check_braces((*path, key, index), key, one)
        self._check_params((*path, "params"), text.params)
        self._check_params(("defaults", "params"), self._defaults.params)
        return len(self._problems) == before

    def _check_braces(self, path: Path, key: str, text: str) -> None:
        if "{" in text or "}" in text:
            try:
                parse(text)
            except ValueError as error:
                self._note(path, f"{key}: {error}")

    def _check_params(self, path: Path, params: Mapping[str, Json]) -> None:
        for name, value in params.items():
            if wrong := _misplaced(name, value):
                self._problems.add(self._document.key_place((*path, name)), wrong)
            elif isinstance(value, float | dict | list) and (wrong := unsendable(value)):
                self._note((*path, name), f"params.{name}: {wrong}")
            for below, text in strings_in(value):
                self._check_braces((*path, name, *below), f"params.{name}", text)

    def _params(self, text: JobText, table: Table | None) -> Tree:
        """Merge the parameters over the defaults; entries with nothing of their own share one value."""
        if text.params or (table is not None and table.textual):
            cells = frozenset(table.columns) if table is not None and table.textual else frozenset[str]()
            return tree_of({**self._defaults.params, **text.params}, cells=cells)
        if self._plain is None:
            self._plain = tree_of(self._defaults.params)
        return self._plain

    def _check(self, path: Path, text: JobText, made: Entry) -> None:
        self._check_model(path, made)
        self._check_variables(path, text, made)
        self._check_twice(path, text, made)
        if self._complete:  # a parameter that is left out may have used an axis
            self._check_axes(path, made)
        if made.name is not None and not made.name.names and (wrong := wrong_with(made.name.words)):
            self._note((*path, "id"), f'id: "{made.name.words}" cannot name a file: {wrong}')

    def _check_model(self, path: Path, made: Entry) -> None:
        if not made.models and self._complete:
            text = "model is missing; write model: here or under defaults"
            self._note(path, text, kind="model is missing")

    def _check_variables(self, path: Path, text: JobText, made: Entry) -> None:
        known = [*(made.table.columns if made.table else ()), *made.axes]
        places: list[tuple[Path, Iterable[str], str]] = [
            ((*path, "prompt", index), one.names, text.prompt[index])
            for index, one in enumerate(made.prompts)
        ]
        if made.name is not None:
            places.append(((*path, "id"), made.name.names, text.id or ""))
        if not set(made.params.names) <= set(known):
            places += self._param_places(path, text)
        for place, names, written in places:
            for name in names:
                if name not in known:
                    self._note(place, _unknown(name, written, known), kind="unknown variable")

    def _param_places(self, path: Path, text: JobText) -> Iterable[tuple[Path, Iterable[str], str]]:
        for name, value in {**self._defaults.params, **text.params}.items():
            base: Path = (*path, "params") if name in text.params else ("defaults", "params")
            for below, one in strings_in(value):
                yield (*base, name, *below), parse(one).names, one

    def _check_twice(self, path: Path, text: JobText, made: Entry) -> None:
        """Find values that are there twice: each would buy an equal job again."""
        lists: list[tuple[Path, Iterable[Json]]] = [
            ((*path, "prompt"), text.prompt),
            ((*path, "model"), made.models),
            *(((*path, "matrix", name), values) for name, values in made.axes.items()),
        ]
        for place, values in lists:
            seen: set[str] = set()
            for index, value in enumerate(values):
                if canonical(value) in seen:
                    self._note((*place, index), f"{place[-1]} has this value twice; {_EQUAL} repeat: 2")
                seen.add(canonical(value))

    def _check_axes(self, path: Path, made: Entry) -> None:
        columns = made.table.columns if made.table is not None else ()
        for name, values in made.axes.items():
            place = self._document.key_place((*path, "matrix", name))
            if name in columns:
                self._problems.add(place, f"{name} is a column of {_source(made)} too; rename the axis")
            elif not _used(name, made):
                where = (
                    "not used in prompt or params" if len(made.prompts) == 1 else "not used in every prompt"
                )
                again = f"; {_EQUAL} repeat: {len(values)}"
                self._problems.add(place, f"{name} is {where}, so its values make equal jobs{again}")
        if (
            made.table is not None
            and len(made.table.rows) > 1
            and not any(_used(one, made) for one in columns)
        ):
            self._note(
                (*path, "from"),
                f"no column of {made.table.source} is used in prompt or params, so its rows make equal jobs; "
                f"{_EQUAL} repeat: {len(made.table.rows)}",
            )


_EQUAL = "to buy the same again write"


def _source(made: Entry) -> str:
    return made.table.source if made.table is not None else ""


def _columns(
    table: Table | None,
    axes: Mapping[str, object],
    prompts: Iterable[Template],
    params: Tree,
    names: Iterable[Template],
) -> tuple[str, ...]:
    if table is None:
        return ()
    used = [name for one in prompts for name in one.names] + [*params.names]
    used += [name for one in names for name in one.names]
    return tuple(name for name in dict.fromkeys(used) if name not in axes)


def _used(name: str, made: Entry) -> bool:
    return name in made.params.names or all(name in one.names for one in made.prompts)


def _misplaced(name: str, value: Json) -> str | None:
    """Say why a parameter may not be one, None where it may."""
    if name == "prompt":
        return "params.prompt: the prompt goes to prompt:, beside params"
    if name.lower() == "dryrun":
        return (
            f"params.{name}: the service ignores it among the inputs and buys; use batchgen plan for a price"
        )
    if value is None:
        return f"params.{name} has no value; write one or leave the key out"
    return None


def _unknown(name: str, written: str, known: list[str]) -> str:
    if f"${{{name}}}" in written:
        return f"${{{name}}}: the environment is read in project, output.files and from only"
    shown = f"unknown variable {{{shortened(name)}}}"
    guess = meant(name, known)
    if guess:
        return shown + guess
    there = f"known here are {', '.join(known)}" if known else "there is no matrix and no table here"
    return f"{shown}; {there} (write {{{{ and }}}} for braces in text)"
