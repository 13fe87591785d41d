"""What a job that is not bought yet will give, as far as its model declares it, and what is like it. Pure."""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from batchgen.catalog.declared import PROMPT, SEED, Declared, declare, is_number
from batchgen.identity import Reference, canonical, is_reference, references_of
from batchgen.lifecycle import DONE
from batchgen.model import Job, JobKey, Json, Model
from batchgen.planning.parent_assets import handed
from batchgen.record import Record

# words in the names of inputs that decide how large a picture is, and what else is decided of what comes out
_SIZES = re.compile("width|height|size|ratio|resolution|aspect|scale|upscale|factor|megapixels|pixels")
_OTHERWISE = re.compile(
    "format|duration|seconds|length|fps|frames|rate|outputs|samples|images|maps|edge|dimensions|orientation|"
    "crop|quality|tier"
)
# what models are called that make a picture of another size without an input for it
_ENLARGES = re.compile("upscal|enlarg|expand|outpaint|reframe|super", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MOST_PIXELS = 8192  # of an edge: a larger number is no number of pixels
_FOR_EVER = float("inf")  # a moment at which no success is young: what it shows is all that it has

Parent = Callable[[Reference], Job | None]


class Expected(NamedTuple):
    """What a parent is going to give.

    Attributes:
        model: the parent's.
        name: the same for parents whose outputs are alike, in every plan.
        kind: the service's word, such as ``image``; empty where that is not known.
        width, height: pixels, where the parent declares them; else 0.
        output: which of its assets; None for the only one, or for all.
    """

    model: str
    name: str
    kind: str = ""
    width: int = 0
    height: int = 0
    output: int | None = None

    def __str__(self) -> str:
        """Return it for people."""
        size = f", {self.width} x {self.height}" if self.width and self.height else ""
        number = f", output {self.output}" if self.output else ""
        return f"made by {self.model}{size}{number}"


class _Traits(NamedTuple):
    """What a model declares of what comes out of it.

    Attributes:
        deciding: the inputs that decide it, with what the model takes where nothing is given.
        names: of these inputs.
        usual: what decides where nothing is given.
        kind: of all that comes out; empty where that is not known.
        pictures: the file inputs, where what comes out is as large as what goes in.
    """

    deciding: tuple[tuple[str, Json], ...]
    names: frozenset[str]
    usual: tuple[Json, ...]
    kind: str
    pictures: frozenset[str]


class Expectations:
    """What the parents of some jobs are going to give."""

    def __init__(self, models: Mapping[str, Model], parent: Parent) -> None:
        """Take what is known of them.

        Args:
            models: as the service describes them; one may be missing.
            parent: gives the job that a reference names; None where it is not known.
        """
        self._models = models
        self._parent = parent
        self._traits: dict[str, _Traits | None] = {}
        self._sized: dict[tuple[Json, ...], Expected | None] = {}
        self._made: dict[tuple[Json, ...], Expected] = {}
        self._known: dict[int, tuple[Job, Expected]] = {}  # with the job, so that its number stays its own

    def of(self, reference: Reference) -> Expected | None:
        """Return what comes out of a job that another one names; None where the job is not known."""
        job = self._parent(reference)
        if job is None:
            return None
        made = self.made_by(job)
        return made if reference.output is None else made._replace(output=reference.output)

    def made_by(self, job: Job) -> Expected:
        """Return what comes out of a job; its own parents, however far back, are looked at first."""
        if (found := self._at_once(job)) is not None:
            return found
        ahead, begun = [job], {id(job)}
        while ahead:
            one = ahead[-1]
            named = map(self._parent, references_of(one))
            parents = [each for each in named if each is not None]
            before = [self._at_once(each) for each in parents]
            behind = [
                each
                for each, made in zip(parents, before, strict=True)
                if made is None and id(each) not in begun
            ]
            if behind:
                ahead += behind
                begun.update(map(id, behind))
                continue
            self._known[id(one)] = one, self._after(one, [made for made in before if made is not None])
            ahead.pop()
        return self._known[id(job)][1]

    def _at_once(self, job: Job) -> Expected | None:
        """Return what comes out of a job, None where its parents have to be looked at for it."""
        if (found := self._known.get(id(job))) is not None:
            return found[1]
        return self._of_size(job.model, self._values(job))

    def kept_picture(self, job: Job) -> Json:
        """Return the input whose size a job's output has: of a tool that works on one picture; else None.

        That is a guess, by what the tool declares: it has no input for another size. It decides no more than
        what an estimate is made with.
        """
        traits = self._traits_of(job.model)
        names = traits.pictures if traits is not None else ()
        given = [value for name, value in job.params.items() if name in names and value is not None]
        only = given[0] if len(given) == 1 else None
        if isinstance(only, list | tuple):
            only = only[0] if len(only) == 1 else None
        return only

    def _of_size(self, model: str, values: tuple[Json, ...]) -> Expected | None:
        """Return what comes out where its pixels are declared: then it depends on no other job."""
        key = (model, *values)
        if key not in self._sized:
            size = _size(dict(values))
            self._sized[key] = None if size is None else self._expected(model, values, (), *size)
        return self._sized[key]

    def _after(self, job: Job, before: Sequence[Expected]) -> Expected:
        """Return what comes out where it depends on what goes in."""
        values = self._values(job)
        keeps = len(before) == 1 and is_reference(self.kept_picture(job))
        behind = tuple(one.name for one in before)
        key = (job.model, values, behind, keeps)
        if key not in self._made:
            size = (before[0].width, before[0].height) if keeps else (0, 0)
            self._made[key] = self._expected(job.model, values, behind, *size)
        return self._made[key]

    def _expected(
        self, model: str, values: tuple[Json, ...], behind: tuple[str, ...], width: int, height: int
    ) -> Expected:
        traits = self._traits_of(model)
        asked = canonical({"model": model, "inputs": values, "of": behind})
        name = hashlib.sha256(asked.encode()).hexdigest()[:16]
        return Expected(model, name, "" if traits is None else traits.kind, width, height)

    def _values(self, job: Job) -> tuple[Json, ...]:
        """Return the inputs that decide what comes out, with their values, the model's defaults filled in."""
        traits, given = self._traits_of(job.model), job.params
        if traits is None:
            return tuple((name, _plain(given[name])) for name in sorted(given) if _decides(name))
        if traits.names.isdisjoint(given):
            return traits.usual  # nearly all: there may be a hundred thousand jobs
        return tuple([(name, _plain(given.get(name, default))) for name, default in traits.deciding])

    def _traits_of(self, name: str) -> _Traits | None:
        if name not in self._traits:
            model = self._models.get(name)
            self._traits[name] = None if model is None else _traits(model)
        return self._traits[name]


def _size(values: Mapping[str, Json]) -> tuple[int, int] | None:
    """Return the pixels that are asked for, or that the model takes where none are."""
    edges: list[Json] = [values.get("width"), values.get("height")]
    width, height = (int(one) if is_number(one) and 0 < one <= _MOST_PIXELS else 0 for one in edges)
    return (width, height) if width and height else None


def _traits(model: Model) -> _Traits:
    ends = {one.rpartition("2")[2] for one in model.capabilities}
    kind = ends.pop() if len(ends) == 1 else ""
    deciding = tuple((one.name, one.default) for one in _deciding(model))
    return _Traits(
        deciding=deciding,
        names=frozenset(name for name, _ in deciding),
        usual=tuple((name, _plain(default)) for name, default in deciding),
        kind="image" if kind == "img" else kind,
        pictures=_pictures_into(model),
    )


def _pictures_into(model: Model) -> frozenset[str]:
    inputs = declare(model).inputs.values()
    works_on_pictures = set(model.capabilities) == {"img2img"}
    sizes = any(_SIZES.fullmatch(word) for one in inputs for word in _words(one.name))
    if not works_on_pictures or sizes or _ENLARGES.search(f"{model.id} {model.name}"):
        return frozenset()
    return frozenset(one.name for one in inputs if one.item == "file")


def _deciding(model: Model) -> tuple[Declared, ...]:
    """Return the inputs that decide what comes out: no file, and no text that people write."""
    return tuple(
        one
        for one in declare(model).inputs.values()
        if one.item not in {"file", "inputs", "model"}
        and one.name not in {PROMPT, SEED}
        and not (one.item == "string" and one.allowed is None and not _decides(one.name))
        and (one.costly or _decides(one.name))
    )


def _decides(name: str) -> bool:
    return any(_SIZES.fullmatch(word) or _OTHERWISE.fullmatch(word) for word in _words(name))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _plain(value: Json) -> Json:
    """Return a value that can be looked up."""
    return value if value is None or isinstance(value, str | int | float) else canonical(value)


class Newest:
    """The newest assets on record, by what they were expected to be."""

    def __init__(
        self, records: Mapping[JobKey, Record], expectations: Expectations, models: Collection[str]
    ) -> None:
        """Look through the records of one batch.

        Args:
            records: with their jobs.
            expectations: of these jobs.
            models: whose outputs may be asked for.
        """
        self._records: dict[str, Record] = {}
        for record in records.values():
            if record.state in DONE and record.job is not None and record.job.model in models:
                name = expectations.made_by(record.job).name
                other = self._records.get(name)
                if other is None or (record.ended_at or 0.0) >= (other.ended_at or 0.0):
                    self._records[name] = record

    def find(self, expected: Expected) -> str | None:
        """Return the asset that is like what is expected; None where there is none."""
        record = self._records.get(expected.name)
        if record is None or record.job is None:
            return None
        wanted = Reference(record.job.id, output=expected.output)
        return next(iter(handed(record, wanted, now=_FOR_EVER).assets), None)
