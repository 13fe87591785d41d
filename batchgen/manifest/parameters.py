"""The parameters of an entry: laid over the defaults, checked, and made a tree to fill in."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from batchgen.manifest.environment import filled
from batchgen.manifest.references import is_reference
from batchgen.manifest.source.characters import unseen_in
from batchgen.manifest.source.scalars import unsendable
from batchgen.manifest.tables.files import Filing
from batchgen.manifest.templates import parse, strings_in, wrong_with_text
from batchgen.manifest.trees import tree_of
from batchgen.model import Json

Path: TypeAlias = tuple[str | int, ...]

FILE = "file"


class Wrong(NamedTuple):
    """What is wrong with a parameter.

    Attributes:
        path: below ``params``.
        text: in words for people.
        name: whether its name is at fault and not its value.
    """

    path: Path
    text: str
    name: bool = False


def is_file(value: Json) -> bool:
    """Return whether a value names a local file."""
    return isinstance(value, dict) and FILE in value


def is_whole(value: Json) -> bool:
    """Return whether a value is a local file or another job: of such a mapping nothing stands alone."""
    return is_file(value) or is_reference(value)


def mergeable(default: Json, own: Json) -> bool:
    """Return whether two values are laid over each other name by name; anything else is replaced."""
    return isinstance(default, dict) and isinstance(own, dict) and not is_whole(default) and not is_whole(own)


def merged(default: Mapping[str, Json], own: Mapping[str, Json]) -> dict[str, Json]:
    """Lay a job's parameters over the default ones; null takes one away."""
    result = dict(default)
    for name, value in own.items():
        if value is None:
            result.pop(name, None)
        elif mergeable(result.get(name), value):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def idle_nulls(own: Json, default: Json, path: Path = ()) -> Iterator[Path]:
    """Find the nulls that take nothing away."""
    if not isinstance(own, dict):
        return
    below = default if isinstance(default, dict) else {}
    for name, value in own.items():
        if value is None and name not in below:
            yield (*path, name)
        elif isinstance(value, dict) and not is_whole(value):
            yield from idle_nulls(value, below.get(name), (*path, name))


def wrong_in(params: Mapping[str, Json], bound: Mapping[str, Json]) -> Iterator[Wrong]:
    """Return what no parameter may be, each with its path; nothing can be filled in before that is mended."""
    for name, value in params.items():
        if wrong := _misplaced(name):
            yield Wrong((name,), wrong, name=True)
        elif isinstance(value, float | dict | list) and (wrong := unsendable(value)):
            yield Wrong((name,), f"params.{name}: {wrong}")
        for below, text in strings_in(value):
            if wrong := wrong_with_text(text, bound, whole=True):
                yield Wrong((name, *below), f"params.{name}: {wrong}")


def _misplaced(name: str) -> str | None:
    if unseen := unseen_in(name):
        return f"params.{name}: no input has such a name{unseen}"
    if name == "prompt":
        return "params.prompt: the prompt goes to prompt:, beside params"
    if name.lower() == "dryrun":
        return (
            f"params.{name}: the service ignores it among the inputs and buys; use batchgen plan for a price"
        )
    return None


def wrong_inputs(value: Json, filing: Filing, bound: Mapping[str, Json], path: Path = ()) -> Iterator[Wrong]:
    """Return what is wrong with the local files and other jobs whose names are known before any row is.

    Args:
        value: the parameters, the environment filled in.
        filing: looks at the files.
        bound: the variables that have one value for all jobs.
        path: where the value stands.
    """
    match value:
        case dict() if FILE in value:
            yield from (
                Wrong(path, f"params.{path[0]}: {wrong}") for wrong in _wrong_file(value, filing, bound)
            )
        case dict() if is_reference(value):
            yield from (Wrong(path, f"params.{path[0]}: {wrong}") for wrong in _wrong_reference(value, bound))
        case dict():
            for key, one in value.items():
                yield from wrong_inputs(one, filing, bound, (*path, key))
        case list():
            for index, one in enumerate(value):
                yield from wrong_inputs(one, filing, bound, (*path, index))
        case _:
            return


def _wrong_file(value: Mapping[str, Json], filing: Filing, bound: Mapping[str, Json]) -> Iterator[str]:
    path = value[FILE]
    if not isinstance(path, str) or not path.strip():
        yield "file takes the path of a file, as text"
        return
    try:
        template = parse(path)
        if template.is_left_out(bound):
            return
        template = template.bind(bound)
        if template.names:
            filing.check_keys(value)
        else:
            filing({**value, FILE: template.words})
    except ValueError as error:
        yield str(error)


def _wrong_reference(value: Mapping[str, Json], bound: Mapping[str, Json]) -> Iterator[str]:
    try:
        tree_of(value, bound=bound)  # what no row fills in is read there
    except ValueError as error:
        yield str(error)


def with_environment(value: Json, environ: Mapping[str, str]) -> Json:
    """Fill the environment into the paths of local files; the same object where there is none.

    Raises:
        ValueError: a variable that is not set.
    """
    if not any("${" in text for _, text in strings_in(value)):
        return value
    return _with_environment(value, environ)


def _with_environment(value: Json, environ: Mapping[str, str]) -> Json:
    match value:
        case dict():
            return {
                key: filled(one, environ, braces=True)
                if key == FILE and isinstance(one, str)
                else _with_environment(one, environ)
                for key, one in value.items()
            }
        case list():
            return [_with_environment(one, environ) for one in value]
        case _:
            return value
