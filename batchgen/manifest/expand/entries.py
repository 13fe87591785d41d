"""One entry under ``jobs``, made ready to expand: templates parsed, variables known, costs bounded.

Everything that can be said without looking at a single row is checked before it is expanded: what
needs the templates in ``checks``, what has to be right before there are any here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from batchgen.manifest.environment import filled
from batchgen.manifest.expand.axes import NO_AXES, Axis, Choices, choose, product_size, sampled
from batchgen.manifest.expand.checks import Checks
from batchgen.manifest.expand.entry import Entry
from batchgen.manifest.expand.exclusions import Patterns
from batchgen.manifest.expand.job_tables import JobTable, job_table
from batchgen.manifest.expand.params import Params
from batchgen.manifest.expand.prompts import Prompts
from batchgen.manifest.expand.sources import Called
from batchgen.manifest.naming import constant_in_id, entry_name_of
from batchgen.manifest.origins import Origin, Path, SourceFile
from batchgen.manifest.parameters import idle_nulls
from batchgen.manifest.schema import DefaultsText, FromFiles, FromJobs, JobText, wrong_with_model
from batchgen.manifest.source.problems import Problems
from batchgen.manifest.source.scalars import text_of
from batchgen.manifest.tables.files import Filing
from batchgen.manifest.tables.table import Table
from batchgen.manifest.tables.tables import Tables
from batchgen.manifest.templates import Template, parse
from batchgen.manifest.trees import Tree
from batchgen.manifest.validation import Validated
from batchgen.manifest.variables import JOB, MadeJobs, Steps, Variables
from batchgen.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the entries of one manifest have around them.

    Attributes:
        paper: the file.
        tables, prompts, filing: read what it names.
        environ: what ``${NAME}`` is looked up in.
        most_choices: how many combinations of axes are looked at: a product beyond is refused unseen.
    """

    paper: SourceFile
    tables: Tables
    prompts: Prompts
    filing: Filing
    environ: Mapping[str, str]
    most_choices: int


class Preparation:
    """Prepares the entries of one manifest, and notes what is wrong with each."""

    def __init__(self, checks: Checks, problems: Problems, around: Surroundings, sound: Validated) -> None:
        self._checks = checks
        self._problems = problems
        self._around = around
        self._defaults: DefaultsText = sound.text.defaults
        self._complete = sound.defaults
        before = len(problems)
        self._bound = {
            name: self._checks.spelled(one, ("vars", name)) for name, one in sound.text.vars.items()
        }
        self._params = Params(checks, around.filing, around.environ, self._defaults.params, self._bound)
        self._default_sound = len(problems) == before

    def called(self, number: int, text: JobText) -> Called:
        """Return what an entry is called by, and which one it goes through.

        Args:
            number: its place in the file's list.
            text: what it says.
        """
        path: Path = ("jobs", number)
        try:
            template = None if text.id is None else _id_of(text.id, _NONE, self._bound_in(path, text))
        except ValueError:  # a brace that opens nothing: said when it is made ready
            template = None
        words = () if template is None else tuple(one.strip("-_.") for one in template.literals)
        source = text.from_.jobs if isinstance(text.from_, FromJobs) else None
        named = self._checks.place((*path, "from", "jobs"))
        start, place = _entry_name(template), self._checks.place(path)
        return Called(text.entry_name, text.id or "", start, words, place, source, named)

    def entry(
        self, number: int, text: JobText, sources: Sequence[Entry | None] = (), *, is_source: bool = False
    ) -> Entry | None:
        """Make an entry ready, or note why it cannot be.

        Args:
            number: its place in the file's list.
            text: what it says.
            sources: the entries whose jobs it goes through, where it does; None for one that is not ready.
            is_source: whether others go through its jobs.
        """
        before = len(self._problems)
        path: Path = ("jobs", number)
        bound = self._bound_in(path, text)
        table = self._table((*path, "from"), text.from_, sources, bound)
        params = self._params.read((*path, "params"), text.params, bound)
        self._checks.nulls((*path, "params"), idle_nulls(text.params, self._defaults.params))
        prompts = self._prompts(path, text, table, bound)
        self._checks.text((*path, "id"), "id", text.id, bound)
        self._models(path, text, bound)
        if (text.from_ and table is None) or len(self._problems) != before or not self._default_sound:
            return None
        parts = _Parts(bound, table, prompts, params, is_source)
        made = self._made(path, text, parts)
        if len(self._problems) != before:  # a variable holds no input that can be sent
            return None
        self._checks.entry(path, text, made, complete=self._complete)
        self._checks.foreign(path, text, made, prompts)
        return made if len(self._problems) == before else None

    def _bound_in(self, path: Path, text: JobText) -> Mapping[str, Json]:
        """Return the variables that have one value in a whole entry: its own before those of the file."""
        if not text.vars:
            return self._bound
        own = {name: self._checks.spelled(one, (*path, "vars", name)) for name, one in text.vars.items()}
        return {**self._bound, **own}

    def _made(self, path: Path, text: JobText, parts: "_Parts") -> Entry:
        bound, table, prompts = parts.bound, parts.table, parts.prompts
        models = text.model or self._defaults.model
        axes = self._axes(path, text)
        known = _known(bound, axes, table)
        exact = frozenset(name for name in known if name.endswith("?"))  # a column may be named by a question
        tree = self._params.tree((*path, "params"), parts.params, table, exact, bound)
        if not text.prompt and not set(prompts).isdisjoint(f"{{{name}}}" for name in tree.names):
            prompts = ()  # the lines go elsewhere, to a model that takes no prompt
        templates = tuple(parse(one, exact).bind(bound) for one in prompts)
        names = tuple(parse(one, exact).bind(bound) for one in models)
        name = None if text.id is None else _id_of(text.id, exact, bound)
        texts = [*templates, *([] if name is None else [name]), *names]
        columns = _columns(table, axes, texts, tree)
        choices = self._choices(path, text, axes, names)
        return Entry(
            number=int(path[1]),
            title=text.entry_name,
            place=self._checks.place(path),
            name=name,
            prompts=templates,
            models=names,
            params=tree,
            axes=axes,
            choices=choices,
            table=table,
            columns=columns,
            known=known,
            needed=frozenset(columns) & _needed(texts, tree),
            repeat=self._defaults.repeat if text.repeat is None else text.repeat,
            derive_seed=(text.seed or self._defaults.seed) != "none",
            origin=self._origin(path, text, prompts, _variables(bound, table, axes, choices), name),
            made=MadeJobs(),
            is_source=parts.is_source,
        )

    def _axes(self, path: Path, text: JobText) -> tuple[Axis, ...]:
        axes = []
        for name, one in (text.matrix or {}).items():
            base: Path = (*path, "matrix", name)
            of = [
                # the values of an axis are all that it says, or stand below `of`
                self._checks.spelled(value, (*base, number), (*base, "of", number))
                for number, value in enumerate(one.of)
            ]
            values = tuple(of) if one.sample is None else sampled(name, of, one.sample)
            rows = tuple((value,) for value in values)
            axes.append(Axis(names=(name,), rows=rows, written=len(of)))
        for place, group in enumerate(text.zip):
            columns = [
                [
                    self._checks.spelled(value, (*path, "zip", place, name, number))
                    for number, value in enumerate(of)
                ]
                for name, of in group.items()
            ]
            steps = tuple(zip(*columns, strict=False))  # a difference in length is noted by the checks
            axes.append(Axis(names=tuple(group), rows=steps, written=len(steps)))
        return tuple(axes)

    def _origin(
        self,
        path: Path,
        text: JobText,
        prompts: Sequence[str],
        variables: Variables,
        name: Template | None,
    ) -> Origin:
        tags = self._defaults.tags if text.tags is None else text.tags
        unchecked = self._defaults.unchecked if text.unchecked is None else text.unchecked
        written = [one if isinstance(one, str) else None for one in text.prompt] or list(prompts)
        return Origin(
            paper=self._around.paper,
            path=path,
            prompts=tuple(written),
            models=tuple(text.model or self._defaults.model),
            own_model=bool(text.model),
            params=text.params,
            default_params=self._defaults.params,
            columns=_NONE if variables.table is None else frozenset(variables.table.columns),
            variables=variables,
            name=text.entry_name or _entry_name(name),
            tags=tuple(tags or ()),
            unchecked=frozenset(unchecked) if unchecked else _NONE,
            only_kept=isinstance(text.from_, FromJobs) and text.from_.only is not None,
        )

    def _models(self, path: Path, text: JobText, bound: Mapping[str, Json]) -> None:
        """Check the models that the variables of the manifest or of the entry fill in."""
        base: Path = (*path, "model") if text.model else ("defaults", "model")
        for index, one in enumerate(text.model or self._defaults.model):
            if "{" in one:
                before = self._checks.count
                self._checks.text((*base, index), "model", one, bound)
                filled_in = parse(one).bind(bound) if self._checks.count == before else None
                if filled_in and not filled_in.names and (wrong := wrong_with_model(filled_in.words)):
                    self._checks.note((*base, index), f"model: {wrong}")

    def _choices(
        self, path: Path, text: JobText, axes: Sequence[Axis], models: Sequence[Template]
    ) -> Choices | None:
        patterns = Patterns(self._checks, path, axes, [" ".join(one.literals) for one in models])
        exclude, include = patterns.read("exclude", text.exclude), patterns.read("include", text.include)
        if not axes:
            return NO_AXES
        if product_size(axes) > self._around.most_choices:
            return None
        made = choose(axes, len(models), exclude, include)
        patterns.complain(made)
        return made

    def _table(
        self,
        path: Path,
        name: str | FromFiles | FromJobs | None,
        sources: Sequence[Entry | None],
        bound: Mapping[str, Json],
    ) -> Table | None:
        if name is None:
            return None
        if isinstance(name, FromJobs):
            return self._job_table((*path, "jobs"), name.jobs, sources, bound)
        tables, environ = self._around.tables, self._around.environ
        if isinstance(name, FromFiles):
            places = (self._checks.place((*path, "files", number)) for number in range(len(name.files)))
            return tables.of_files(zip(name.files, places, strict=True), environ, self._problems)
        if "*" in name:
            self._checks.note(path, f'from: a pattern of files is written {{files: "{name}"}}')
            return None
        try:
            return tables.get(filled(name, environ), self._checks.place(path), self._problems)
        except ValueError as error:
            self._checks.note(path, f"from: {error}")
            return None

    def _job_table(
        self, path: Path, name: str, sources: Sequence[Entry | None], bound: Mapping[str, Json]
    ) -> Table | None:
        ready = [one for one in sources if one is not None]
        if not ready or len(ready) < len(sources):  # said of those
            return None
        for one in ready:
            if JOB in one.known and not (one.table is not None and one.table.is_jobs):
                said = f"{{{JOB}}} is the id of each job here, and a variable of {name} too"
                self._checks.note(path, f"from: {said}; rename that there")
                return None
        return job_table(name, self._checks.place(path), ready, bound)

    def _prompts(
        self, path: Path, text: JobText, table: Table | None, bound: Mapping[str, Json]
    ) -> list[str]:
        """Return the texts of the prompts, those in files read, their braces checked."""
        if not text.prompt:
            return [f"{{{table.prompt}}}"] if table is not None and table.prompt is not None else []
        result = []
        for index, one in enumerate(text.prompt):
            place: Path = (*path, "prompt", index)
            try:
                written = one if isinstance(one, str) else self._around.prompts.text(one.file)
            except ValueError as error:
                self._checks.note(place, f"prompt: {error}")
                continue
            said = "prompt" if isinstance(one, str) else f"prompt in {one.file}"
            self._checks.text(place, said, written, bound)
            result.append(written)
        return result


class _Parts(NamedTuple):
    """What was read of an entry before its templates are: see ``Entry``."""

    bound: Mapping[str, Json]
    table: Table | None
    prompts: Sequence[str]
    params: dict[str, Json]
    is_source: bool


_NONE: frozenset[str] = frozenset()


def _known(bound: Mapping[str, Json], axes: Sequence[Axis], table: Table | None) -> dict[str, Json]:
    """Return every variable of an entry with one of its values."""
    cells = table.sample if table is not None else {}
    first = {
        name: value
        for axis in axes
        for row in axis.rows[:1]
        for name, value in zip(axis.names, row, strict=True)
    }
    return {**cells, **bound, **first}


def _variables(
    bound: Mapping[str, Json], table: Table | None, axes: Sequence[Axis], choices: Choices | None
) -> Variables:
    chosen = () if choices is None else choices.all
    return Variables(
        fixed=bound,
        table=table.job_rows if isinstance(table, JobTable) else None if table is None else table.packed,
        axes=tuple(Steps(one.names, one.rows) for one in axes),
        included=tuple(one.values for one in chosen if one.number >= product_size(axes)),
    )


def _id_of(text: str, exact: Collection[str], bound: Mapping[str, Json]) -> Template:
    """Return the template of an entry's ids, with what is the same in all of them filled in.

    Raises:
        ValueError: its braces are wrong, or a value has no place inside a text.
    """
    name = parse(text, exact)
    return name.bind({one: _in_id(bound[one]) for one in name.names if one in bound})


def _in_id(value: Json) -> Json:
    """Return a variable of the file or the entry, made fit for an id as a value of a row or an axis is."""
    return value if value is None or isinstance(value, list | dict) else constant_in_id(text_of(value))


def _entry_name(template: Template | None) -> str:
    """Return what an entry is called that has no name of its own: what its ids begin with."""
    if template is None:
        return ""
    text = template.literals[0]
    return entry_name_of(text.rstrip("-_.") if template.names else text)


def _needed(texts: Iterable[Template], params: Tree) -> frozenset[str]:
    """Return the variables that stand somewhere without being optional there."""
    inside = (name for one in texts for name in one.names if name not in one.optional)
    return frozenset(inside) | (frozenset(params.names) - params.optional)


def _columns(
    table: Table | None, axes: Sequence[Axis], templates: Iterable[Template], params: Tree
) -> tuple[str, ...]:
    if table is None:
        return ()
    varied = {name for axis in axes for name in axis.names}
    used = [*(name for one in templates for name in one.names), *params.names]
    return tuple(name for name in dict.fromkeys(used) if name not in varied)
