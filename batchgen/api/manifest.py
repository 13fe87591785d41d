"""A manifest in Python: read from a file, or made of jobs, and written back as YAML."""

import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from functools import cached_property
from numbers import Integral, Real
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from batchgen.errors import ManifestError, Problem
from batchgen.formats import number
from batchgen.identity import is_file
from batchgen.manifest import values
from batchgen.manifest.naming import alike
from batchgen.manifest.reading import read_manifest
from batchgen.manifest.source.scalars import number_in
from batchgen.manifest.templates import parse
from batchgen.model import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One generation.

    Attributes:
        model: the service's id of the model, as ``model_imagen4-ultra``.
        prompt: the text, as it is; with ``vars`` a template, in which ``{name}`` is filled in. None where the
            model takes none.
        id: the job's name in results and files; None makes one of the prompt, or of what goes in.
        params: further inputs of the model by its own names; a local file is ``{"file": "path"}``.
        tags: words that it is found by; no part of its identity.
        entry: the name that it shares with others like it, in results and to select them by; None for its id.
        vars: variables of the prompt and of texts in ``params``, used there or not: the job's results carry
            all of them, and it is selected by them. None as a value says nothing.
        filled: whether they are filled in already; braces of the texts are plain text then, as without any.
        derive_seed: whether a seed is derived where the model takes one and ``params`` has none.
    """

    model: str
    prompt: str | None = None
    id: str | None = None
    params: Mapping[str, Any] | None = None
    tags: Sequence[str] = ()
    vars: Mapping[str, Any] | None = None
    filled: bool = False
    entry: str | None = None
    derive_seed: bool = True


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is to be generated: the same as a manifest's file, as values.

    The mappings are as they stand in the YAML (docs/manifest.md), but for braces, which are plain text here.
    Nothing is read or checked before it is used.

    Attributes:
        batch: names the folder of the results, and with ``output`` and project what was bought before: a
            batch of the same name buys only what is new. There is no file whose renaming could be noticed.
        jobs: what to generate.
        base: the folder at which the paths of local files begin.
        project: the service's ``projectId``; None for the key's own.
        defaults, limits, budget, retry, doubt, output: as in the YAML.
        timeout: how long one generation may take, as ``"45m"``; None for the default.
        period: ``hour``, ``day``, ``week``, ``month`` or a name: each is bought anew, and none twice.
        tz: the zone in which a day begins.
        path: the file that it was loaded from; None for one that was made in Python.
        warnings: what is probably a mistake in that file and stops nothing.
    """

    batch: str
    jobs: Sequence[Job]
    base: Path = field(default_factory=Path)
    project: str | None = None
    defaults: Mapping[str, Any] | None = None
    limits: Mapping[str, Any] | None = None
    budget: Mapping[str, Any] | None = None
    retry: Mapping[str, Any] | None = None
    doubt: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    timeout: str | float | None = None
    period: str | None = None
    tz: str | None = None
    path: Path | None = None
    warnings: tuple[Problem, ...] = ()

    def dump(self, path: str | Path) -> Path:
        """Write it as a YAML file, which the command line reads too, and return its path.

        Raises:
            ManifestError: a variable of a job is not among its ``vars``, or is no value that a file can hold.
            OSError: it cannot be written.
        """
        path = Path(path)
        path.write_text(self._text(path.parent), encoding="utf-8")
        return path

    @cached_property
    def text(self) -> bytes:
        """The YAML of it, for whoever reads it from ``base``."""
        return self._text(self.base).encode()

    @property
    def place(self) -> Path:
        """Where it is, or would be, as a file: what is said of it names this place."""
        return self.path if self.path is not None else self.base / f"{self.batch}.yaml"

    def _text(self, folder: Path) -> str:
        parts = {
            "version": 1,
            "batch": self.batch,
            "project": self.project,
            "defaults": None if self.defaults is None else _literal(self.defaults),
            "limits": self.limits,
            "budget": self.budget,
            "retry": self.retry,
            "doubt": self.doubt,
            "output": self.output,
            "timeout": self.timeout,
            "period": self.period,
            "tz": self.tz,
            "jobs": self._entries(folder),
        }
        given = {name: _plain(one) for name, one in parts.items() if one is not None}
        return yaml.dump(given, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)

    def _entries(self, folder: Path) -> list[dict[str, Any]]:
        names: dict[str, str] = {}
        entries = []
        for job in self.jobs:
            made = self._entry(job, folder)
            if job.entry is not None:  # the first of a name has it, the others are part of that entry
                name = names.get(alike(job.entry))
                made["entry"] = job.entry if name is None else {"part_of": name}
                names.setdefault(alike(job.entry), job.entry)
            entries.append(made)
        return entries

    def _entry(self, job: Job, folder: Path) -> dict[str, Any]:
        prompt, params = job.prompt, job.params
        variables: Mapping[str, Json] = {}
        if job.vars is not None:
            try:
                variables = {str(name): _variable(name, one) for name, one in job.vars.items()}
                if not job.filled:
                    prompt, params = _filled(prompt, variables), _filled(params, variables)
            except ValueError as error:
                raise ManifestError(
                    f"{self.batch}: job {job.id or job.prompt or job.model!r}: {error}"
                ) from error
        parts = {
            "id": None if job.id is None else _literal(job.id),
            "prompt": None if prompt is None else _literal(prompt),
            "model": job.model,
            "vars": {name: one for name, one in variables.items() if one is not None} or None,
            "params": None if not params else self._params(_literal(params), folder),
            "tags": list(job.tags) or None,
            "seed": None if job.derive_seed else "none",
        }
        return {name: one for name, one in parts.items() if one is not None}

    def _params(self, value: Any, folder: Path) -> Any:
        """Let the paths of local files begin at the folder of the file that is written."""
        if isinstance(value, Mapping):
            if value.keys() == {"file"} and isinstance(value["file"], str):
                return {"file": os.path.relpath(self.base / value["file"], folder)}
            return {name: self._params(one, folder) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._params(one, folder) for one in value]
        return value


def load(path: str | Path, *, environ: Mapping[str, str] | None = None) -> Manifest:
    """Read a manifest's file; its axes, tables and templates are jobs then.

    Args:
        path: of the YAML.
        environ: what ``${NAME}`` is looked up in; None for the environment of the process.

    Raises:
        ManifestError: names everything that is wrong with it.
    """
    path = Path(path)
    read = read_manifest(path, environ=os.environ if environ is None else environ)
    return Manifest(
        batch=read.batch,
        jobs=tuple(_jobs(read)),
        base=path.parent,
        project=read.project,
        limits=_given({"rate": str(read.limits.rate or "") or None, "in_flight": read.limits.in_flight}),
        budget=_given(
            {
                "total": read.budget.total,
                "per_job": read.budget.per_job,
                "per_day": read.budget.per_day,
                "per_month": read.budget.per_month,
                "trust_refunds": None if read.budget.trust_refunds else False,
                "chains": None if read.budget.whole_chains else "steps",
                "estimate": read.budget.estimate,
            }
        ),
        retry={"attempts": read.attempts},
        doubt={
            "then": "resubmit" if read.doubt.resubmit else "hold",
            "settle": read.doubt.settle,
            "settle_max": read.doubt.settle_max,
        },
        output={
            "download": "last" if read.output.only_last else read.output.download,
            "files": read.output.files,
        },
        timeout=read.timeout,
        period=read.period,
        tz=read.tz,
        path=path,
        warnings=read.warnings,
    )


def _jobs(read: values.Manifest) -> Iterable[Job]:
    folder = read.path.parent
    for index, one in enumerate(read.jobs):
        yield Job(
            model=one.model,
            prompt=one.prompt,
            id=one.id,
            params=_with_paths(one.params, read.files, folder) or None,
            tags=read.tags(index),
            entry=read.entry(index) or None,
            vars=read.variables(index) or None,
            filled=True,
            derive_seed=one.derive_seed,
        )


def _with_paths(value: Any, files: Mapping[str, Path], folder: Path) -> Any:
    """Put the paths of local files in the place of what identity knows them by."""
    if is_file(value):
        return {"file": os.path.relpath(files[value["sha256"]], folder)}
    if isinstance(value, Mapping):
        return {name: _with_paths(one, files, folder) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with_paths(one, files, folder) for one in value]
    return value


def _given(parts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return {name: one for name, one in parts.items() if one is not None} or None


def _filled(value: Any, variables: Mapping[str, Json]) -> Any:
    """Fill the variables of texts in.

    Raises:
        ValueError: a brace opens or closes nothing, or there is no such variable.
    """
    if isinstance(value, str):
        template = parse(value, variables).bind(variables)
        if template.names:
            known = ", ".join(variables) or "none"
            raise ValueError(f"unknown variable {{{template.names[0]}}}; vars has: {known}")
        return template.literals[0]
    if isinstance(value, Mapping):
        if value.keys() == {"file"}:
            return value
        return {name: _filled(one, variables) for name, one in value.items() if not _left_out(one, variables)}
    if isinstance(value, list | tuple):
        return [_filled(one, variables) for one in value if not _left_out(one, variables)]
    return value


def _left_out(value: Any, variables: Mapping[str, Json]) -> bool:
    return isinstance(value, str) and "?}" in value and parse(value, variables).is_left_out(variables)


def _literal(value: Any) -> Any:
    """Double the braces of texts: what is plain in Python is plain in the file."""
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, Mapping):
        if value.keys() == {"file"}:  # a path is never a template
            return value
        return {name: _literal(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_literal(one) for one in value]
    return value


def _variable(name: str, value: Any) -> Json:
    """Return a variable as a file holds it: other kinds of numbers as numbers, dates and paths as text.

    Raises:
        ValueError: there is no plain form of it.
    """
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case Integral():
            return int(value)
        case Decimal() | Real():
            found = float(value)
            return found if math.isfinite(found) else json.dumps(found)
        case date() | time() | UUID() | os.PathLike():
            return str(value)
        case Mapping():
            return {str(key): _variable(name, one) for key, one in value.items()}
        case list() | tuple():
            return [_variable(name, one) for one in value]
        case _:
            kind = type(value).__name__
            raise ValueError(f"vars.{name} is of type {kind}; write text, a number, true or false")


class _Dumper(yaml.SafeDumper):
    """Writes what the reader of manifests reads as the same: its numbers are those of YAML 1.2."""

    def text(self, value: str) -> yaml.ScalarNode:
        quoted = '"' if not isinstance(number_in(value), str) else None
        return self.represent_scalar("tag:yaml.org,2002:str", value, style=quoted)

    def float(self, value: float) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:float", json.dumps(value))


_Dumper.add_representer(str, _Dumper.text)
_Dumper.add_representer(float, _Dumper.float)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"-?[0-9]+e[-+][0-9]+"), [*"-0123456789"])


def _plain(value: Any) -> Json:
    """Return what YAML has a plain form for."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
