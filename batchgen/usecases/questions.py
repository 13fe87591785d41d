"""The questions after the prices of one plan, one by one.

A question goes out with a body as a submit would send it, but for a derived seed and for files that the
service does not have yet. For a local file a made-up id stands in, and where it does not take that the file
has to be sent first. For another job's output that is not there yet a like asset stands in, else a blank one;
a made-up id may stand in where the output does not move the price.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from batchgen.errors import (
    AmbiguousError,
    BoughtByQuoteError,
    ModelClosedError,
    NoRightError,
    NotFoundError,
    ServiceError,
    StopCause,
    StoppedError,
    TransientError,
)
from batchgen.identity import Reference, compose_body, files_of
from batchgen.model import Job, Model
from batchgen.planning.pricing import MOST_QUOTES, Classifier, Given, Price, price_of
from batchgen.planning.stand_ins import open_references, with_assets
from batchgen.price_ports import Quoter

STAND_IN = "asset_000000000000000000000000"  # for a file that the service does not have yet
MOST_TROUBLES = 3  # questions in a row without an answer: then no more are asked
NEEDS_FILES = "says no price before its files are sent"
NEEDS_OUTPUTS = (
    "says no price before what goes into it is there; `batchgen plan --exact` asks with blank pictures where "
    "they do"
)


class PurchaseBook(Protocol):
    """Knows of questions that were taken for purchases."""

    def warning(self) -> str:
        """Return why no price may be asked; empty where one may be. Raises JournalError."""
        ...

    def keep(self, job: Job, body: str, error: BoughtByQuoteError) -> BoughtByQuoteError:
        """Put on record what a question bought, and give the error that tells of it."""
        ...


class StandIns(Protocol):
    """What is there of other jobs' outputs, and what stands in for the rest while prices are asked."""

    def given(self, reference: Reference) -> Sequence[Given]:
        """Return what of an output a price may depend on; see ``pricing.Classifier``."""
        ...

    def bound(self, job: Job) -> Job:
        """Return a job with the outputs that are there."""
        ...

    def like(self, reference: Reference, *, everywhere: bool) -> str | None:
        """Return an asset at the service that is like an output; None where none is known.

        Args:
            reference: the output.
            everywhere: whether other batches are looked through too.
        """
        ...

    async def blank(self, reference: Reference, *, any_size: bool) -> str | None:
        """Return a blank asset of the kind and size of an output; None where none can be had.

        Args:
            reference: the output.
            any_size: whether another size will do where its own is not known.

        Raises:
            StoppedError: the credentials are not accepted.
            JournalError: it could not be recorded.
        """
        ...


class Inquiry:
    """The questions of one plan, one by one: should the first be taken for an order, it is the last."""

    def __init__(
        self,
        generator: Quoter | None,
        models: Mapping[str, Model],
        uploads_known: Callable[[Sequence[str]], Mapping[str, str]],
        purchases: PurchaseBook | None,
        stand_ins: StandIns | None,
        classifier: Classifier,
        *,
        most: int = MOST_QUOTES,
    ) -> None:
        self._stand_ins = stand_ins
        self._classifier = classifier
        self._most = most
        self._refused: ServiceError | None = None  # the answer to the last question, where it was no price
        self._wants_real: set[str] = set()  # models that take no made-up id for another job's output
        self._generator = generator
        self._purchases = purchases
        self._warning = purchases.warning() if purchases is not None and generator is not None else ""
        self._models = models
        self._uploads_known = uploads_known
        self._failures = 0
        self.answers: dict[str, Price] = {}
        self.troubles: dict[str, str] = {}  # by class
        self.closed: dict[str, str] = {}  # by model
        self.lacks: NoRightError | None = None  # this key may not ask prices
        self.later: TransientError | None = None  # the last question that may be asked again
        self.ambiguous = ""  # why none may: should it have been an order, the next one would be another
        self.asked = 0

    async def about(self, name: str, jobs: Sequence[Job]) -> None:
        """Ask about some jobs of a class; without an answer for each of them there is none."""
        amounts = []
        for job in jobs:
            amount = await self._ask(name, job)
            if amount is None:
                return
            amounts.append(Price(low=amount, high=amount))
        price = price_of(amounts)
        if price is not None:
            self.answers[name] = price

    async def _ask(self, name: str, job: Job) -> Decimal | None:
        silence = "was not asked: the service does not answer" if self._failures >= MOST_TROUBLES else ""
        if self._generator is None or (silence := self._warning or silence):
            self.troubles.update({name: silence} if silence else {})
            return None
        if job.model in self.closed:
            self.troubles[name] = self.closed[job.model]
            return None
        if self._stand_ins is not None:
            job = self._stand_ins.bound(job)
        if waits_for := open_references(job):
            return await self._ask_ahead(self._generator, name, job, waits_for)
        return await self._asked(self._generator, name, job)

    async def _ask_ahead(
        self, generator: Quoter, name: str, job: Job, waits_for: Sequence[Reference]
    ) -> Decimal | None:
        """Ask with something in place of outputs that are not there: like ones, then blank ones.

        A made-up id does for those that do not move the price, as long as the service takes one.
        """
        moving = set(self._classifier.moved_by(job))
        instead: dict[Reference, str | None] = {}
        for one in waits_for:
            like = self._like(one, moving)
            if like is None and one not in moving and job.model not in self._wants_real:
                like = STAND_IN
            instead[one] = like if like is not None else await self._blank(one, moving)
        asked = await self._asked_with(generator, name, job, instead)
        if asked is not None or self._refused is None or self.asked >= self._most:
            return asked
        if STAND_IN in instead.values():
            self._wants_real.add(job.model)
            if isinstance(self._refused, NotFoundError):
                self.troubles[name] = NEEDS_OUTPUTS
        second = {
            one: await self._blank(one, moving)
            or (STAND_IN if one not in moving and instead[one] != STAND_IN else None)
            for one in waits_for
        }
        return None if second == instead else await self._asked_with(generator, name, job, second)

    def _like(self, reference: Reference, moving: Collection[Reference]) -> str | None:
        if self._stand_ins is None:
            return None
        return self._stand_ins.like(reference, everywhere=reference in moving)

    async def _blank(self, reference: Reference, moving: Collection[Reference]) -> str | None:
        if self._stand_ins is None:
            return None
        return await self._stand_ins.blank(reference, any_size=reference not in moving)

    async def _asked_with(
        self, generator: Quoter, name: str, job: Job, instead: Mapping[Reference, str | None]
    ) -> Decimal | None:
        if None in instead.values():
            self.troubles[name] = self.troubles.get(name) or NEEDS_OUTPUTS
            self._refused = None
            return None
        return await self._asked(generator, name, with_assets(job, lambda one: (instead[one] or "",)))

    async def _asked(self, generator: Quoter, name: str, job: Job) -> Decimal | None:
        files = files_of(job)
        known = self._uploads_known(files) if files else {}
        assets = {one: known.get(one, STAND_IN) for one in files}
        body = compose_body(job, None, self._models[job.model], assets=assets)
        self.asked += 1
        self._refused = None
        try:
            amount = await self._quote(generator, job, body)
        except (ModelClosedError, NoRightError) as error:
            self._denied(name, job, error)
        except StoppedError as error:
            if error.cause is StopCause.CREDENTIALS:
                raise
            self.troubles[name] = str(error)
        except AmbiguousError as error:
            self._failures = MOST_TROUBLES
            self.troubles[name] = self.ambiguous = str(error)
        except ServiceError as error:
            self.later = error if isinstance(error, TransientError) else self.later
            self._failures = self._failures + 1 if isinstance(error, TransientError) else 0
            self._refused = None if isinstance(error, TransientError) else error
            self.troubles[name] = NEEDS_FILES if STAND_IN in assets.values() else str(error)
        else:
            self._failures = 0
            self.troubles.pop(name, None)
            return amount
        return None

    def _denied(self, name: str, job: Job, error: ModelClosedError | NoRightError) -> None:
        self.troubles[name] = str(error)
        if isinstance(error, ModelClosedError):
            self.closed[job.model] = str(error)
        else:
            self.lacks, self._warning = error, str(error)

    async def _quote(self, generator: Quoter, job: Job, body: str) -> Decimal:
        try:
            return await generator.quote(job.model, body)
        except BoughtByQuoteError as error:
            if self._purchases is None:
                raise
            raise self._purchases.keep(job, body, error) from error


def with_stand_ins(job: Job) -> Job:
    """Return the job with a made-up id wherever what came out of another one is not known yet."""
    return with_assets(job, lambda _: (STAND_IN,))
