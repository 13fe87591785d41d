"""What a job will give that is not bought yet, as far as its model declares it, and what is like it. Pure.

A child whose parent has no assets yet is priced with another asset in their place: one that a job like the
parent gave before, or a blank file of the size that the parent declares.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from batchgen.catalog.declared import PROMPT, SEED, Declared, declare, is_number
from batchgen.identity import EVERY, Reference, canonical, is_reference, references_of, with_references
from batchgen.lifecycle import DONE
from batchgen.model import File, Job, JobKey, Json, Model
from batchgen.planning.parent_assets import handed
from batchgen.planning.pricing import Given, by_itself
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

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture of a known size, so that a blank one can stand for it."""
        return self.kind == "image" and self.width > 0 and self.height > 0

    def __str__(self) -> str:
        """Return it for people."""
        size = f", {self.width} x {self.height}" if self.width and self.height else ""
        number = f", output {self.output}" if self.output else ""
        return f"made by {self.model}{size}{number}"


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
        self._deciding: dict[str, tuple[Declared, ...] | None] = {}
        self._pictures: dict[
            str, frozenset[str]
        ] = {}  # by model that keeps a picture's size: its file inputs
        self._names: dict[tuple[Json, ...], str] = {}
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
        ahead, begun = [job], {id(job)}
        while ahead:
            one = ahead[-1]
            if id(one) not in self._known:
                behind = [parent for parent in self._behind(one) if id(parent) not in begun]
                if behind:
                    ahead += behind
                    begun.update(map(id, behind))
                    continue
                self._known[id(one)] = one, self._made(one)
            ahead.pop()
        return self._known[id(job)][1]

    def _behind(self, job: Job) -> list[Job]:
        """Return the parents on which it depends what comes out: none where its size is declared."""
        if self._size(job) is not None:
            return []
        found = (self._parent(one) for one in references_of(job))
        return [one for one in found if one is not None]

    def kept_picture(self, job: Job) -> Json:
        """Return the input whose size a job's output has: of a tool that works on one picture; else None.

        That is a guess, by what the tool declares: it has no input for another size. It decides no more than
        what an estimate is made with.
        """
        names = self._picture_inputs(job.model)
        given = [value for name, value in job.params.items() if name in names and value is not None]
        only = given[0] if len(given) == 1 else None
        if isinstance(only, list | tuple):
            only = only[0] if len(only) == 1 else None
        return only

    def _picture_inputs(self, name: str) -> frozenset[str]:
        """Return the file inputs of a model that makes a picture of a picture, as large as that."""
        if name not in self._pictures:
            model = self._models.get(name)
            self._pictures[name] = frozenset() if model is None else _pictures_into(model)
        return self._pictures[name]

    def _made(self, job: Job) -> Expected:
        known = (self._known.get(id(one)) for one in self._behind(job))
        before = [one[1] for one in known if one is not None]
        size = self._size(job)
        if size is None and len(before) == 1 and is_reference(self.kept_picture(job)):
            size = before[0].width, before[0].height
        width, height = size or (0, 0)
        behind = tuple(one.name for one in before)
        values = tuple((name, _plain(value)) for name, value in self._values(job))
        key = (job.model, values, behind)
        if key not in self._names:
            asked = {"model": job.model, "inputs": values, "of": behind}
            self._names[key] = hashlib.sha256(canonical(asked).encode()).hexdigest()[:16]
        return Expected(job.model, self._names[key], self._kind(job), width, height)

    def _kind(self, job: Job) -> str:
        """Return the kind that all of the model's capabilities end in."""
        model = self._models.get(job.model)
        ends = {one.rpartition("2")[2] for one in model.capabilities} if model is not None else set()
        word = ends.pop() if len(ends) == 1 else ""
        return "image" if word == "img" else word

    def _size(self, job: Job) -> tuple[int, int] | None:
        """Return the pixels that are asked for, or that the model takes where none are."""
        given = dict(self._values(job))
        width, height = given.get("width"), given.get("height")
        if not (is_number(width) and is_number(height)):
            return None
        fits = 0 < width <= _MOST_PIXELS and 0 < height <= _MOST_PIXELS
        return (int(width), int(height)) if fits else None

    def _values(self, job: Job) -> Iterable[tuple[str, Json]]:
        """Return the inputs that decide what comes out, with their values, the model's defaults filled in."""
        if job.model not in self._deciding:
            model = self._models.get(job.model)
            self._deciding[job.model] = None if model is None else _deciding(model)
        deciding = self._deciding[job.model]
        if deciding is None:
            return ((name, value) for name, value in sorted(job.params.items()) if _decides(name))
        return ((one.name, job.params.get(one.name, one.default)) for one in deciding)


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


class Step(Protocol):
    """A job of a plan, with what was on record of it when the plan was made."""

    @property
    def job(self) -> Job:
        """What is asked for."""
        ...

    @property
    def record(self) -> Record:
        """What is on record of it."""
        ...


class Outputs:
    """What goes into the jobs of a plan from other jobs: what is there, and of the rest what is expected.

    What is said of an asset stays the same for as long as this lives: a class of jobs does not fall apart
    because the file of one of them has arrived.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        step: Callable[[str], Step | None],
        records: Callable[[], Mapping[JobKey, Record]],
        *,
        now: float,
    ) -> None:
        """Take what is known of the parents.

        Args:
            models: as the service describes them.
            step: gives the job of the plan that has an id.
            records: gives what the journal says of all jobs of the batch now.
            now: when the plan was made, seconds since the epoch.
        """
        self._step = step
        self._records = records
        self._now = now
        self._there: dict[str, Given] = {}
        self._ahead: dict[tuple[str, int | None, bool], tuple[Given, ...]] = {}
        self.expectations = Expectations(models, self._parent)

    def __call__(self, reference: Reference) -> tuple[Given, ...]:
        """Return what of an output a price may depend on; see ``pricing.Classifier``."""
        assets = self.assets(reference)
        if assets:
            return tuple(self._of_asset(one, reference) for one in assets)
        key = (reference.job, reference.output, reference.every)
        if key not in self._ahead:
            self._ahead[key] = (self._of_expected(reference),)
        return self._ahead[key]

    def assets(self, reference: Reference) -> tuple[str, ...]:
        """Return the assets that are there; none where they are waited for."""
        if reference.assets:
            return reference.assets
        step = self._step(reference.job)
        return () if step is None else handed(step.record, reference, now=self._now).assets

    def bound(self, job: Job) -> Job:
        """Return the job with the assets that are there."""
        return with_assets(job, self.assets)

    def kept_picture(self, reference: Reference) -> Json:
        """Return the asset, or the local file, that has the size of an output; None where it is not known."""
        value: Json = reference.value
        while is_reference(value):
            one = Reference.read(value)
            if assets := self.assets(one):
                return assets[0]
            job = self._parent(one)
            value = None if job is None else self.expectations.kept_picture(job)
        return value

    def _parent(self, reference: Reference) -> Job | None:
        if reference.key is not None and (record := self._records().get(reference.key)) is not None:
            return record.job
        step = self._step(reference.job)
        return None if step is None else step.job

    def _of_asset(self, asset: str, reference: Reference) -> Given:
        if asset not in self._there:
            file = next((one for one in self._files(reference) if one.asset_id == asset), None)
            self._there[asset] = (None if file is None else _measured(file)) or Given(
                asset, asset, is_there=True
            )
        return self._there[asset]

    def _files(self, reference: Reference) -> Sequence[File]:
        if reference.key is not None:
            record = self._records().get(reference.key)
        else:
            step = self._step(reference.job)
            record = None if step is None else step.record
        return () if record is None else record.files

    def _of_expected(self, reference: Reference) -> Given:
        expected = self.expectations.of(reference)
        if expected is None:
            [one] = by_itself(reference)
            return one
        name = canonical([expected.name, EVERY if reference.every else expected.output])
        return Given(name, str(expected), weight=float(expected.width * expected.height))


def with_assets(job: Job, assets: Callable[[Reference], tuple[str, ...]]) -> Job:
    """Return the job with assets in place of outputs that are not there; none leaves a reference as it is.

    The job is one to ask a price with, and not the one to be sent: it does not say whose assets they are.
    """

    def instead(one: Reference) -> Reference:
        return one if one.assets or not (found := assets(one)) else one._replace(ordinal=0, assets=found)

    return with_references(job, instead)


def open_references(job: Job) -> tuple[Reference, ...]:
    """Return the outputs that go into a job and are not there yet."""
    return tuple(one for one in references_of(job) if not one.assets)


_MEASURES = {"image": ("pixels",), "video": ("pixels", "seconds"), "audio": ("seconds",)}


def _measured(file: File) -> Given | None:
    """Return what the price of working on a file may depend on; None where something of it is not known."""
    kind = file.kind or file.mime.partition("/")[0]
    pixels = file.width * file.height if file.width and file.height else None
    wanted = {"image": (pixels,), "video": (pixels, file.duration), "audio": (file.duration,)}.get(
        kind, (None,)
    )
    if any(one is None for one in wanted):
        return None
    size = [f"{pixels} pixels"] if kind != "audio" else []
    length = [f"{file.duration:g} s"] if kind != "image" else []
    shown = ", ".join([kind, *size, *length])
    return Given(shown, shown, weight=float(pixels or 1) * float(file.duration or 1), is_there=True)
