"""Seeds whose jobs feed others: chains of two to four steps, several into one, children of equal parents.

Pure, with a source of chance of its own: the seeds without chains stay as they were. What grows out of a job
follows from what it asks for, so that equal parents have equal children, and an edit between runs is an edit
of chains: ids that change together, parents behind their children, an output that is named where there is
only one.
"""

import random
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from batchgen.identity import (
    Reference,
    content_key,
    is_reference,
    references_of,
    with_parents,
    with_references,
)
from batchgen.lineage import lineage_of
from batchgen.model import Acceptance, Job, JobKey, Json
from batchgen.record import Record
from tests.proof.scenario import SEEDED, Scenario

CUT_OUT, UPSCALE, CRISP = (
    "model_birefnet-background-removal",
    "model_topaz-image-upscale",
    "model_recraft-crisp-upscale",
)
SHEET = "model_google-gemini-3-1-flash"
_SHARE = 0.15  # of the seeds in which neither money nor names nor denials are played
_MANY = 5  # jobs: of more only some have chains, each of which may have four steps


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What grows out of a job.

    Attributes:
        steps: the models of the chain behind it, one after the other.
        beside: models that take the same asset as the first of those does.
        twice: whether the first step is there two times, equal.
        outputs: how many assets the parent is asked for, where its model can give several.
        output: which of them goes in; None for the only one.
        every: whether a job takes all of them.
    """

    steps: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    twice: bool = False
    outputs: int = 1
    output: int | None = None
    every: bool = False


@dataclass(frozen=True, kw_only=True)
class _Words:
    """How the manifest of a run says it.

    Attributes:
        renamed: what ids begin with from then on.
        named: whether children name the output although there is only one.
        decided: whether children of several assets say which one.
        order: of the jobs.
    """

    renamed: str = ""
    named: bool = False
    decided: bool = True
    order: str = "parents first"


_ORDERS = ("parents first", "parents first", "children first", "mixed")


@dataclass
class _Gardener:
    """Lets chains grow out of the jobs of one seed."""

    seed: int
    chance: random.Random
    uneven: bool = False
    shapes: dict[str, _Shape] = field(default_factory=dict)

    def grown(self, jobs: Sequence[Job], words: _Words) -> tuple[Job, ...]:
        """Return the jobs of a run with all that they feed."""
        made: list[Job] = []
        ends: list[str] = []
        for job in jobs:
            if len(jobs) > _MANY and zlib.crc32(f"{job.model} {job.prompt}".encode()) % 2:
                made.append(job)
                continue
            shape = self._shape_of(job)
            wide = shape.outputs > 1 and job.model == SEEDED and "numOutputs" not in job.params
            parent = replace(job, params={**job.params, "numOutputs": shape.outputs}) if wide else job
            made.append(parent)
            if self.uneven and sum(map(ord, job.id)) % 3 == 0:  # an equal one may have children
                continue
            children = list(self._children(parent, shape, words))
            made += children
            ends.append(children[-1].id if children and not shape.every else parent.id)
        made += self._sheet(ends, made)
        return _named(self._ordered(made, words), words.renamed)

    def _shape_of(self, job: Job) -> _Shape:
        number = (job.prompt or "")[-1:]
        name = f"{job.model} {int(number) % 2 if number.isdigit() else 'long'}"
        if name not in self.shapes:
            self.shapes[name] = _shape(random.Random(f"batchgen proof {self.seed}, chains of {name}"))
        return self.shapes[name]

    def _children(self, parent: Job, shape: _Shape, words: _Words) -> Iterable[Job]:
        count = parent.params.get("numOutputs", 1)
        which: dict[str, object] = {}
        if count > 1 and words.decided:
            which = {"output": min(shape.output or 0, count - 1)}
        elif count == 1 and words.named:
            which = {"output": 0}
        if shape.every:
            taken = [{"job": parent.id, "outputs": "all"}]
            yield Job(
                id=f"{parent.id}-all", prompt="all of them", model=SHEET, params={"referenceImages": taken}
            )
        for nth, model in enumerate(shape.beside):
            yield _step(f"{parent.id}-beside-{nth}", model, {"job": parent.id, **which})
        before = parent.id
        for nth, model in enumerate(shape.steps):
            into = {"job": before, **(which if nth == 0 else {"output": 0} if words.named else {})}
            if nth == 0 and shape.twice:
                yield _step(f"{parent.id}-again", model, into)
            before = f"{parent.id}-step-{nth + 1}"
            yield _step(before, model, into)

    def _sheet(self, ends: Sequence[str], made: Sequence[Job]) -> Iterable[Job]:
        """Let what comes last of two or three chains go into one job."""
        one_each = {job.id for job in made if job.params.get("numOutputs", 1) == 1}
        ends = sorted(one for one in ends if one in one_each)[:3]
        if len(ends) > 1 and random.Random(f"batchgen proof {self.seed}, sheet").random() < 0.5:
            taken = [{"job": ends[0], "output": 0}, *({"job": one} for one in ends[1:])]
            yield Job(id="sheet", prompt="a sheet of these", model=SHEET, params={"referenceImages": taken})

    def _ordered(self, jobs: list[Job], words: _Words) -> list[Job]:
        if words.order == "children first":
            return jobs[::-1]
        if words.order == "mixed":
            return random.Random(f"batchgen proof {self.seed}, order").sample(jobs, len(jobs))
        return jobs


def _shape(chance: random.Random) -> _Shape:
    tools = (CUT_OUT, UPSCALE, CRISP)
    return _Shape(
        steps=tuple(chance.choices(tools, k=chance.choice([0, 1, 1, 2, 2, 3]))),
        beside=tuple(chance.choices(tools, k=chance.choice([0, 0, 0, 1]))),
        twice=chance.random() < 0.15,
        outputs=chance.choice([1, 1, 1, 2]),
        output=chance.choice([0, 1]),
        every=chance.random() < 0.15,
    )


def _step(name: str, model: str, into: Mapping[str, object]) -> Job:
    return Job(id=name, model=model, params={"image": dict(into)})


def _named(jobs: Iterable[Job], beginning: str) -> tuple[Job, ...]:
    """Return the jobs under other ids, in what names them too."""
    if not beginning:
        return tuple(jobs)
    return tuple(
        replace(
            with_references(job, lambda one: one._replace(job=f"{beginning}{one.job}")),
            id=f"{beginning}{job.id}",
        )
        for job in jobs
    )


def with_chains(seed: int, scenario: Scenario) -> Scenario:
    """Let the jobs of some seeds feed others."""
    plain = scenario.market is None and scenario.denial is None and scenario.legs[-1].name is None
    chance = random.Random(f"batchgen proof {seed}, chains")
    if not plain or chance.random() >= _SHARE:
        return scenario
    gardener = _Gardener(seed, chance, uneven=chance.random() < 0.2)
    legs, words = [], _Words(decided=chance.random() < 0.8, order=chance.choice(_ORDERS))
    for leg in scenario.legs:
        legs.append(
            replace(
                leg,
                jobs=gardener.grown(leg.jobs, words),
                nth=leg.nth * chance.choice([1, 1, 2]),
                retry=chance.random() < 0.2,
                accepts=chance.random() < 0.4,
            )
        )
        words = _reworded(chance, words)
    return replace(scenario, legs=tuple(legs))


def _reworded(chance: random.Random, words: _Words) -> _Words:
    """Change how a manifest says what it says, as people do between runs."""
    return replace(
        words,
        renamed=chance.choice([words.renamed] * 4 + ["new-", "old-"]),
        named=words.named ^ (chance.random() < 0.2),
        decided=words.decided or chance.random() < 0.7,
        order=chance.choice([words.order, words.order, *_ORDERS]),
    )


def has_chains(scenario: Scenario) -> bool:
    """Return whether any job goes into another one."""
    return any(references_of(job) for leg in scenario.legs for job in leg.jobs)


Kept = Mapping[Acceptance, tuple[JobKey, str]]


def contents_of(jobs: Sequence[Job], kept: Kept | None = None) -> list[str]:
    """Return what each job asks for, parents by what they ask for, and the only output without its number.

    Args:
        jobs: of a manifest.
        kept: the keys of what changed jobs keep that was bought before, and what that asks for.
    """
    found: dict[str, tuple[str, str]] = {}  # as the journal says it, and without what means nothing
    named = {job.id: job for job in jobs}
    for place in lineage_of(jobs).order:
        job = jobs[place]
        keyed = content_key(with_parents(job, lambda name: found[name][0]))
        plain = fed_by(job, lambda one: (found[one.job][1], _gives_one(named[one.job])))
        key, asked = (kept or {}).get(Acceptance(job.id, keyed), (JobKey(keyed), plain))
        found[job.id] = key.content, asked
    return [found[job.id][1] for job in jobs]


def contents_bought(records: Mapping[JobKey, Record]) -> dict[JobKey, str]:
    """Return the same of what is on record, of all slots."""
    found: dict[JobKey, str] = {}

    def of(key: JobKey) -> str:
        if key not in found:
            job, slot = records[key].job, _slot_in(key)
            found[key] = key.content
            if job is not None and references_of(job):
                found[key] = fed_by(job, lambda one: parent(one, slot)) + slot
        return found[key]

    def parent(one: Reference, slot: str) -> tuple[str, bool]:
        key = None if one.key is None else JobKey(one.key.content + slot, one.key.ordinal)
        recorded = None if key is None or key not in records else records[key].job
        if key is None or recorded is None:
            return one.content, True
        return of(key).removesuffix(slot), _gives_one(recorded)

    return {key: of(key) for key in records}


def fed_by(job: Job, parent: Callable[[Reference], tuple[str, bool]]) -> str:
    """Return what a job asks for, told without what the program calls it.

    Args:
        job: as a manifest or a record has it.
        parent: gives what a job that goes in asks for, and whether one output comes out of it.
    """

    def plain(value: Json) -> Json:
        if is_reference(value):
            one = Reference.read(value)
            content, alone = parent(one)
            output = None if alone and one.output == 0 else one.output
            return {"of": content, "which": "every" if one.every else output}
        if isinstance(value, Mapping):
            return {name: plain(one) for name, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    return content_key(replace(job, params=plain(job.params)) if references_of(job) else job)


def _gives_one(job: Job) -> bool:
    return bool(job.params.get("numOutputs", 1) == 1)


def _slot_in(key: JobKey) -> str:
    """Return what tells the slot in a key of all slots."""
    return "".join(key.content.partition("@")[1:])
