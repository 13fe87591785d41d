"""Values of parameters with templates in them: texts, whole values, local files and other jobs.

Which of their variables have a value, and what is left out where one has none, is decided here. What stands
in a text is ``templates``.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeAlias

from batchgen.manifest.naming import (
    constant_in_id,
    in_ascii,
    may_be_id,
    part_of_id,
    shortened_id,
    slug,
    without_gaps,
)
from batchgen.manifest.references import JOB, check_id, is_reference, reference
from batchgen.manifest.source.scalars import Spelled, number_in, plain
from batchgen.manifest.templates import Template, in_text, is_empty, parse
from batchgen.model import Json

Filer: TypeAlias = Callable[[Mapping[str, Json]], Json]


class _Absent(Enum):
    """What an optional variable without a value leaves of a parameter that it is the whole of."""

    ABSENT = 0


_ABSENT: Final = _Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Whole:
    """A parameter that is one variable and keeps the type of its value.

    Attributes:
        cell: whether the value is a table's cell, which is text until it is looked at.
        optional: whether it is left out where there is no value.
    """

    name: str
    cell: bool
    optional: bool = False


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine whose path names variables: found when they are known."""

    template: Template
    others: Json = None


@dataclass(frozen=True, slots=True)
class IdTemplate:
    """The id of another job, with variables in it.

    Attributes:
        written: as the manifest has it.
        fit: the same made of what ids are made of, as that job's own id is where it has these variables.
    """

    written: Template
    fit: Template

    @classmethod
    def of(cls, template: Template, bound: Mapping[str, Json]) -> "IdTemplate":
        """Fill in the variables that have one value for all jobs.

        Raises:
            ValueError: a value that has no place inside a text; the message begins with its name.
        """
        written = template.bind(bound)
        used = {name: bound[name] for name in template.names if name in bound}
        fit = template.bind({name: constant_in_id(in_text(name, value)) for name, value in used.items()})
        if not all(map(str.isascii, fit.literals)):
            fit = replace(fit, literals=tuple(in_ascii(one) or slug(one) for one in fit.literals))
        return cls(written, fit)

    def render(self, variables: Mapping[str, Json]) -> str:
        """Return the id that is meant: the text itself where that can be one, else what an id makes of it.

        Raises:
            ValueError: a value that has no place inside a text; the message begins with its name.
        """
        sole = self.written.sole
        if sole is not None and type(name := variables[sole]) is str and may_be_id(name):
            return name  # as nearly all are
        written = self.written.render(variables)
        parts = {name: in_text(name, variables[name]) for name in self.fit.names}
        if may_be_id(written) and "" not in parts.values():
            return written
        try:
            fit = self.fit.render({name: one and part_of_id(one) for name, one in parts.items()})
        except ValueError:  # a path: no id is made of one, so it is said that there is no such job
            return written
        fit = without_gaps(fit) if "" in parts.values() else fit
        return shortened_id(fit, written) or written


@dataclass(frozen=True, slots=True)
class OtherJob:
    """Another job whose id, or the number of its output, names variables: found when they are known.

    Attributes:
        id: of the job.
        others: what is said beside it.
    """

    id: IdTemplate
    others: Json

    @property
    def template(self) -> Template:
        """The id as it is written."""
        return self.id.written


@dataclass(frozen=True, slots=True)
class Tree:
    """A JSON value with templates in it.

    Attributes:
        shape: the value with a ``Template``, ``Whole``, ``LocalFile`` or ``OtherJob`` wherever a string names
            a variable.
        names: all of its variables, in the order they stand.
        optional: those of them that may have no value.
        filer: what a mapping that names a local file becomes; it raises ValueError.
        moving: the keys at the top whose values name variables.
    """

    shape: Json
    names: tuple[str, ...]
    optional: frozenset[str]
    filer: Filer
    moving: tuple[str, ...]

    def render(self, variables: Mapping[str, Json]) -> Json:
        """Fill the variables in; the same object every time where there are none.

        Raises:
            ValueError: a value that has no place inside a text, or a file that cannot be read.
        """
        if not self.names:
            return self.shape
        if not self.moving:
            return self._render(self.shape, variables)
        rendered = dict(self.shape)
        for key in self.moving:
            value = self._render(self.shape[key], variables)
            if value is _ABSENT:
                del rendered[key]
            else:
                rendered[key] = value
        return rendered

    def _render(self, shape: Json, variables: Mapping[str, Json]) -> Json:
        match shape:
            case Template():
                return shape.render(variables)
            case Whole():
                return self._whole(shape, variables[shape.name])
            case OtherJob():
                return self._job(shape, variables)
            case LocalFile():
                left_out = shape.template.is_left_out(variables)
                return _ABSENT if left_out else self.filer({"file": shape.template.render(variables)})
            case dict():
                return _present({key: self._render(one, variables) for key, one in shape.items()})
            case list():
                return [one for one in (self._render(one, variables) for one in shape) if one is not _ABSENT]
            case _:
                return shape

    def _job(self, shape: OtherJob, variables: Mapping[str, Json]) -> Json:
        if shape.template.optional and shape.template.is_left_out(variables):
            return _ABSENT
        name = shape.id.render(variables)
        if name and not shape.others:  # as nearly all are: there may be a hundred thousand
            return {JOB: name}
        return reference({JOB: name, **self._render(shape.others, variables)})

    def _whole(self, shape: Whole, value: Json) -> Json:
        if shape.optional and is_empty(value):
            return _ABSENT
        if isinstance(value, str):
            return number_in(value) if shape.cell else plain(value)
        return with_files(value, self.filer)


def _present(rendered: dict[str, Json]) -> dict[str, Json]:
    return {key: one for key, one in rendered.items() if one is not _ABSENT}


def _as_written(value: Mapping[str, Json]) -> Json:
    return value


def tree_of(
    value: Json,
    *,
    cells: frozenset[str] = frozenset(),
    bound: Mapping[str, Json] | None = None,
    filer: Filer = _as_written,
    exact: Collection[str] = (),
) -> Tree:
    """Find the variables in a JSON value whose braces are known to be right.

    Args:
        value: what the manifest says.
        cells: the variables whose values are cells of a table.
        bound: the variables that have one value for all jobs.
        filer: what a mapping that names a local file becomes; it raises ValueError.
        exact: names that end in a ``?`` themselves.
    """
    shape = _Shaping(cells, bound or {}, filer, exact).shape(value)
    flat = isinstance(shape, dict)
    moving = tuple(key for key, one in shape.items() if next(_names(one), None) is not None) if flat else ()
    named = list(_names(shape))
    needed = {name for name, optional in named if not optional}
    names = tuple(dict.fromkeys(name for name, _ in named))
    return Tree(shape, names, frozenset(names) - needed, filer, moving)


@dataclass(frozen=True, slots=True)
class _Shaping:
    """Makes a value a shape, in the light of what is known of its variables."""

    cells: frozenset[str]
    bound: Mapping[str, Json]
    filer: Filer
    exact: Collection[str]

    def shape(self, value: Json) -> Json:
        match value:
            case str():
                return self._text(value)
            case {"file": str(path)}:
                return self._file(value, parse(path, self.exact))
            case dict() if is_reference(value):
                return self._job(value)
            case dict():
                return _present({key: self.shape(one) for key, one in value.items()})
            case list():
                return [one for one in map(self.shape, value) if one is not _ABSENT]
            case _:
                return value

    def _file(self, value: Mapping[str, Json], path: Template) -> Json:
        if path.is_left_out(self.bound):
            return _ABSENT
        template = path.bind(self.bound)
        return LocalFile(template) if template.names else self.filer({**value, "file": template.words})

    def _job(self, value: Mapping[str, Json]) -> Json:
        check_id(value[JOB])
        template = parse(value[JOB], self.exact)
        if template.is_left_out(self.bound):
            return _ABSENT
        others = _present({key: self.shape(one) for key, one in value.items() if key != JOB})
        name = IdTemplate.of(template, self.bound)
        if next(_names(others), None) is not None:
            return OtherJob(name, others)
        if name.written.names:
            reference({JOB: value[JOB], **others})  # what is wrong in every row is said once
            return OtherJob(name, others)
        return reference({JOB: name.render({}), **others})

    def _text(self, text: str) -> Json:
        if "{" not in text and "}" not in text:
            return text
        template = parse(text, self.exact)
        if (sole := template.sole) is None:
            template = template.bind(self.bound)
            return template if template.names else template.literals[0]
        if template.is_left_out(self.bound):
            return _ABSENT
        if sole in self.bound:
            return with_files(self.bound[sole], self.filer)
        return Whole(sole, sole in self.cells, optional=sole in template.optional)


def with_files(value: Json, filer: Filer) -> Json:
    """Return a value without spellings, every mapping in it that names a local file put through the filer.

    Raises:
        ValueError: what the filer raises, or a mapping that names no job as it should.
    """
    match value:
        case {"file": str()}:
            return filer(value)
        case dict() if is_reference(value):
            return reference(value)
        case dict():
            return {key: with_files(one, filer) for key, one in value.items()}
        case list():
            return [with_files(one, filer) for one in value]
        case Spelled():
            return value.value
        case _:
            return value


def _names(shape: Json) -> Iterator[tuple[str, bool]]:
    """Return the variables of a shape, each with whether it may have no value there."""
    match shape:
        case Template():
            yield from ((name, name in shape.optional) for name in shape.names)
        case LocalFile() | OtherJob():
            yield from _names(shape.template)
            yield from _names(shape.others)
        case Whole():
            yield shape.name, shape.optional
        case dict():
            for one in shape.values():
                yield from _names(one)
        case list():
            for one in shape:
                yield from _names(one)
        case _:
            return
