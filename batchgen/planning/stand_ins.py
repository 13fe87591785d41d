"""What goes into jobs from others: what is there, and of the rest what is expected. Pure.

A child whose parent has no assets yet is priced with another asset in their place: one that a job like the
parent gave before, or a blank file of the size that the parent declares.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from batchgen.identity import EVERY, Reference, canonical, is_reference, references_of, with_references
from batchgen.model import File, Job, JobKey, Json, Model
from batchgen.planning.expectations import Expectations, Expected
from batchgen.planning.parent_assets import handed
from batchgen.planning.pricing import Given, by_itself
from batchgen.record import Record


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
        self._ahead: dict[tuple[Expected, bool], tuple[Given, ...]] = {}
        self._named: dict[tuple[str, int | None, bool], tuple[Given, ...]] = {}  # by what names an output
        self.expectations = Expectations(models, self._parent)

    def __call__(self, reference: Reference) -> tuple[Given, ...]:
        """Return what of an output a price may depend on; see ``pricing.Classifier``."""
        assets = self.assets(reference)
        if assets:
            return tuple(self._of_asset(one, reference) for one in assets)
        named = (reference.job, reference.output, reference.every)
        if named not in self._named:
            self._named[named] = self._of_expected(reference)
        return self._named[named]

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

    def _of_expected(self, reference: Reference) -> tuple[Given, ...]:
        expected = self.expectations.of(reference)
        if expected is None:
            return by_itself(reference)
        key = (expected, reference.every)
        if key not in self._ahead:
            self._ahead[key] = (_given(expected, every=reference.every),)
        return self._ahead[key]

    def _files(self, reference: Reference) -> Sequence[File]:
        if reference.key is not None:
            record = self._records().get(reference.key)
        else:
            step = self._step(reference.job)
            record = None if step is None else step.record
        return () if record is None else record.files


def _given(expected: Expected, *, every: bool) -> Given:
    name = canonical([expected.name, EVERY if every else expected.output])
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
