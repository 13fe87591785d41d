"""The jobs of a manifest against what their models declare: every problem, each at its place.

Pure: the models are given. What many jobs share is checked once; of each job by itself only its
prompt is looked at, for there may be 100,000.
"""

import json
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from batchgen.catalog.check import Fault, MadeBy, exclusive, faults_of, misfits, missing, unknown
from batchgen.catalog.declared import PROMPT, SEED, Declared, DeclaredModel, declare
from batchgen.catalog.outputs import COUNTS, kinds_made_by
from batchgen.catalog.required import is_given, unknown_others
from batchgen.errors import Problem
from batchgen.formats import counted
from batchgen.identity import is_reference
from batchgen.manifest.source.problems import Place, listed, shortened
from batchgen.model import Job, Json, Model

_PLAIN = frozenset({str, int, float, bool, type(None)})
MOST_PROBLEMS = 1_000  # more are not read, and each is a line of text


class Written(Protocol):
    """What is asked of a manifest: its jobs, and where and how their parts are written."""

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs, in order."""
        ...

    def place_of(self, index: int, *path: str | int) -> Place:
        """Return the most exact place of a part of a job."""
        ...

    def is_literal(self, index: int, *path: str | int) -> bool:
        """Return whether the value is written as it stands."""
        ...

    def written(self, index: int, *path: str | int) -> Json:
        """Return what is written there, its variables not filled in; None where nothing is."""
        ...

    def columns(self, index: int) -> frozenset[str]:
        """Return the variables whose values come from a table's row."""
        ...

    def unchecked(self, index: int) -> frozenset[str]:
        """Return the names of the inputs that are not to be checked."""
        ...

    def goes_through_kept(self, index: int) -> bool:
        """Return whether a person chooses what of its parent goes in."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What holding jobs against their models came to.

    Attributes:
        problems: what has to be mended, in the order of the jobs; at most ``MOST_PROBLEMS``.
        warnings: what is probably a mistake and stops nothing, in the same order.
        notes: what could not be checked, or may surprise: sentences for people.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


class _Group:
    """The jobs that differ in nothing but their prompts, and which jobs of one model they name."""

    def __init__(self, first: int, faults: tuple[Fault, ...], *, surprise: str) -> None:
        self.first = first
        self.faults = faults
        self.surprise = surprise
        self.count = 0


class _Check:
    """One pass over jobs; remembers what it has seen."""

    def __init__(self, manifest: Written, models: Mapping[str, Model]) -> None:
        self._manifest = manifest
        self._models = {name: declare(model) for name, model in models.items()}
        self._groups: dict[tuple[Hashable, ...], _Group] = {}
        self._values: dict[Hashable, tuple[Fault, ...]] = {}
        self._missing: dict[Hashable, tuple[Fault, ...]] = {}
        self._kinds: dict[str, frozenset[str]] = {}  # that models make
        self._found: dict[Problem, None] = {}
        self._doubtful: dict[Problem, None] = {}
        self.own: list[tuple[int, Fault]] = []

    def look(self, index: int) -> None:
        """Take in one job."""
        job = self._manifest.jobs[index]
        model = self._models.get(job.model)
        if model is None or not model.inputs:
            return
        off = self._manifest.unchecked(index)
        kept = self._manifest.goes_through_kept(index)
        others = (job.model, is_given(job.prompt), job.derive_seed, off, kept)
        key: tuple[Hashable, ...] = (*others, id(job.params))
        group = self._groups.get(key)
        if group is None:
            key = (*others, self._alike(job.params))
            group = self._groups.get(key)
        if group is None:
            faults = tuple(self._faults(index, job, model, off))
            group = self._groups[key] = _Group(index, faults, surprise=self._surprise(index, job, model))
        group.count += 1
        prompt = model.inputs.get(PROMPT)
        if prompt is None or job.prompt is None or PROMPT in off or prompt.admits(job.prompt):
            return
        if len(self.own) >= MOST_PROBLEMS:
            return
        self.own += [(index, one) for one in faults_of(job.prompt, prompt, (PROMPT,))]

    def _alike(self, params: Mapping[str, Json]) -> Hashable:
        """Return what parameters share that differ in nothing but which jobs of one model they name."""
        parts: list[Hashable] = []
        named = False
        for name, value in params.items():
            if type(value) in _PLAIN:
                parts.append((name, type(value), value))
            elif is_reference(value):
                named = True
                parts.append((name, self._made_by(value["job"]), "output" in value, "outputs" in value))
            else:
                return id(params)
        return tuple(parts) if named else id(params)

    def _faults(self, index: int, job: Job, model: DeclaredModel, off: Collection[str]) -> Iterator[Fault]:
        """Check everything but the length and the wording of the prompt."""
        given = job.inputs
        for name, value in given.items():
            if name in off:
                continue
            if name not in model.inputs:
                more = self._instead(index, model) if name == PROMPT else ""
                yield Fault((name,), unknown(name, model.inputs) + more)
            elif name != PROMPT:
                yield from self._faults_of(model, model.inputs[name], value)
                if isinstance(value, dict | list):
                    kept = self._manifest.goes_through_kept(index)
                    made_by = self._kept_by if kept else self._made_by
                    yield from misfits(value, model.inputs[name], (name,), made_by)
        if SEED not in given and model.takes_seed and job.derive_seed:
            given[SEED] = 0  # one will be derived
        for one in self._missing_of(model, given):
            if one.path[0] in off:
                continue
            has_column = one.path == (PROMPT,) and PROMPT in self._manifest.columns(index)
            yield one._replace(text=f'{one.text}; write prompt: "{{prompt}}"') if has_column else one
        yield from exclusive({name: one for name, one in given.items() if name not in off}, model.inputs)

    def _made_by(self, name: str) -> MadeBy:
        """Return what a job makes, as far as its model says it."""
        job = self._jobs_by_id.get(name)
        model = None if job is None else self._models.get(job.model)
        if job is None or model is None:
            return MadeBy()
        if model.id not in self._kinds:
            self._kinds[model.id] = kinds_made_by(model.model)
        asked = next((one for one in map(job.params.get, COUNTS) if one is not None), None)
        usual = (model.inputs[one].default for one in COUNTS if one in model.inputs)
        count = next(usual, None) if asked is None else asked
        return MadeBy(model.id, self._kinds[model.id], count if type(count) is int else 0)

    def _kept_by(self, name: str) -> MadeBy:
        """Return what a job makes of which a person chooses, whatever number that is of."""
        return self._made_by(name)._replace(assets=0)

    @cached_property
    def _jobs_by_id(self) -> Mapping[str, Job]:
        return {job.id: job for job in self._manifest.jobs}

    def _instead(self, index: int, model: DeclaredModel) -> str:
        """Return what to write in place of a prompt that a model does not take."""
        if model.text_input is None:
            return "; leave prompt out"
        text = self._manifest.written(index, PROMPT)
        shown = json.dumps(shortened(text), ensure_ascii=False) if isinstance(text, str) else "..."
        return f"; write params: {{{model.text_input}: {shown}}} in place of prompt"

    def _surprise(self, index: int, job: Job, model: DeclaredModel) -> str:
        """Return what is odd about a job without a prompt whose model could take one; empty for nothing."""
        if job.prompt is not None or PROMPT not in model.inputs:
            return ""
        if PROMPT in self._manifest.columns(index):
            return 'without a prompt, though the table has such a column; write prompt: "{prompt}" to use it'
        held = (model.inputs[name] for name, value in job.params.items() if name in model.inputs and value)
        if any(one.item == "file" or (one.item == "string" and one.allowed is None) for one in held):
            return ""
        return "with neither a prompt nor a file to work from; write prompt: if one is missing"

    def surprises(self) -> Iterator[str]:
        """Return what is odd and may be meant, once for each model, with the number of jobs."""
        counts = Counter[tuple[str, str]]()
        for (model, *_), group in self._groups.items():
            if group.surprise and not group.faults:
                counts[str(model), group.surprise] += group.count
        yield from (f"{model}: {counted(count, 'job')} {said}" for (model, said), count in counts.items())

    def _missing_of(self, model: DeclaredModel, given: Mapping[str, Json]) -> tuple[Fault, ...]:
        """Name what is missing: the same for all that give the same inputs, where no rule asks for values."""
        if model.asks_for_values:
            return tuple(missing(given, model.inputs))
        key = (model.id, frozenset(name for name, value in given.items() if is_given(value)))
        if key not in self._missing:
            self._missing[key] = tuple(missing(given, model.inputs))
        return self._missing[key]

    def _faults_of(self, model: DeclaredModel, declared: Declared, value: Json) -> tuple[Fault, ...]:
        if not isinstance(value, str | int | float):
            return tuple(faults_of(value, declared, (declared.name,)))
        key = (model.id, declared.name, type(value), value)
        if key not in self._values:
            self._values[key] = tuple(faults_of(value, declared, (declared.name,)))
        return self._values[key]

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings among what was found, by job; known once the problems are."""
        return tuple(self._doubtful)

    def problems(self) -> tuple[Problem, ...]:
        """Return what was found, by job."""
        shared = [
            (group.first, fault, group.count) for group in self._groups.values() for fault in group.faults
        ]
        own = [(index, fault, 1) for index, fault in self.own]
        for index, fault, count in sorted(shared + own, key=lambda one: one[0]):
            if len(self._found) >= MOST_PROBLEMS:
                source = next(iter(self._found)).source
                text = f"more than {MOST_PROBLEMS:,} inputs are wrong; those after these are not listed"
                return (*self._found, Problem(source, 0, 0, text))
            self._note(index, fault, count)
        return tuple(self._found)

    def _note(self, index: int, fault: Fault, count: int) -> None:
        path = _path(fault)
        if fault.if_literal and not self._manifest.is_literal(index, *path):
            return
        place = self._manifest.place_of(index, *path)
        model = self._manifest.jobs[index].model
        more = f" ({count:,} jobs)" if count > 1 else ""
        text = f"{_label(path)} of {model}{more}: {fault.text}"
        found = self._doubtful if fault.is_doubtful else self._found
        if len(found) < MOST_PROBLEMS:
            found[Problem(place.source, place.line, place.column, text)] = None


def _path(fault: Fault) -> tuple[str | int, ...]:
    return fault.path if fault.path[0] == PROMPT else ("params", *fault.path)


def _label(path: tuple[str | int, ...]) -> str:
    words = path[1:] if path[0] == "params" else path
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in words).removeprefix(".")


def check_jobs(
    manifest: Written, models: Mapping[str, Model], indices: Iterable[int] | None = None
) -> Findings:
    """Check jobs against what their models declare.

    Args:
        manifest: the jobs and their places.
        models: by id; a job whose model is not among them is passed over.
        indices: of the jobs; all where none are given.
    """
    check = _Check(manifest, models)
    for index in range(len(manifest.jobs)) if indices is None else indices:
        check.look(index)
    problems = check.problems()
    notes = [*(note for model in models.values() for note in notes_on(model)), *check.surprises()]
    return Findings(problems=problems, warnings=check.warnings, notes=tuple(notes))


def notes_on(model: Model) -> Iterator[str]:
    """Return what of a model cannot be checked, or may not be what somebody thinks."""
    declared = declare(model)
    if declared.is_trained:
        yield _trained(model)
    if not declared.inputs:
        yield f"{model.id} declares no inputs, so nothing of its jobs was checked"
    rules = ((name, one.required) for name, one in declared.inputs.items())
    for name, other in unknown_others(rules, declared.inputs):
        yield f"{model.id}: a rule of {name} names {other}, which is not declared; it is passed over"
    unread = sorted(name for name, one in declared.inputs.items() if not one.item)
    if unread:
        yield f"{model.id}: {listed(unread)} cannot be checked: of a type that is new to this batchgen"


def _trained(model: Model) -> str:
    what = "a LoRA" if model.type.endswith("-lora") else "a composition"
    base = model.raw.get("parentModelId")
    named = f" {base}" if isinstance(base, str) else ""
    return (
        f"{model.id} is {what} ({model.type}), and whether the service runs one by its own id is not "
        f"documented; if it refuses, run its base model{named} and name this one in the input for LoRAs"
    )


def first_uses(jobs: Iterable[tuple[int, Job]]) -> dict[str, tuple[int, int]]:
    """Return for each model the index of the first job that names it, and how many do."""
    uses: dict[str, tuple[int, int]] = {}
    for index, job in jobs:
        first, count = uses.get(job.model, (index, 0))
        uses[job.model] = (first, count + 1)
    return uses
