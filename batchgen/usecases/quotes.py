"""Prices before anything is bought: asked from the service for nothing, and kept for a day.

Which jobs to ask about is ``plan.pricing``'s to say, and how a question goes out that of ``questions``. Where
other jobs' outputs go in that do not exist yet and move the price, the answer is an estimate.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Protocol

from batchgen.errors import JournalError
from batchgen.model import Job, Json, Model
from batchgen.planning.pricing import (
    MOST_QUOTES,
    NOTHING,
    Classifier,
    Group,
    Price,
    PriceClass,
    by_itself,
    group,
    price_of,
    published,
)
from batchgen.planning.stand_ins import open_references
from batchgen.ports import Clock
from batchgen.price_ports import Quoter
from batchgen.usecases.questions import Inquiry, PurchaseBook, StandIns

FRESH = 24 * 3600.0  # seconds that a price is taken for the price
_LOOKED_THROUGH = 1000  # jobs of a class, for one whose inputs are there


class QuoteStore(Protocol):
    """Where prices are kept between plans."""

    def find(self, names: Collection[str], *, since: float) -> Mapping[str, Price]:
        """Return the prices of the classes that were asked about since then; raises JournalError."""
        ...

    def keep(self, prices: Mapping[str, Price], *, at: float) -> None:
        """Put prices on record; raises JournalError."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimated:
    """What jobs cost whose inputs do not exist yet, as far as that can be told.

    Attributes:
        jobs: how many.
        price: of all of them together.
    """

    jobs: int = 0
    price: Price = NOTHING

    def __add__(self, other: "Estimated") -> "Estimated":
        return Estimated(jobs=self.jobs + other.jobs, price=self.price + other.price)


NOT_ESTIMATED = Estimated()


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotedClass:
    """Jobs that have one price.

    Attributes:
        model: the service's id.
        moving: the inputs that move the price, with their values; empty for a range over many classes.
        jobs: how many.
        price: what one costs; None where it is not known.
        is_quote: whether the service itself gave the price for these inputs.
        note: why it is a range, an estimate, or is not known; empty otherwise.
        is_estimate: whether the price is that of something like its inputs, which do not exist yet.
    """

    model: str
    moving: Mapping[str, Json]
    jobs: int
    price: Price | None
    is_quote: bool
    note: str = ""
    is_estimate: bool = False

    @property
    def total(self) -> Price | None:
        """What all of them cost; None where that is not known."""
        return None if self.price is None else self.price.times(self.jobs)


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """The prices of some jobs; implements ``ports.Prices``.

    Attributes:
        classes: in the order of their first jobs; those of unknown models are at the end.
        asked: how many questions were sent.
        closed: models that this account may not use, and why.
        by_name: the same by the name of each price class in them.
        classifier: names the class of a job.
        groups: what has one price, in the order of ``jobs``.
        jobs: that were looked at.
        answers: of the classes that were asked just now, by name.
        ambiguous: why no question may follow: the last one may have been an order; empty where one may.
    """

    classes: tuple[QuotedClass, ...] = ()
    asked: int = 0
    closed: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, QuotedClass] = field(default_factory=dict, repr=False)
    classifier: Classifier = field(default_factory=lambda: Classifier({}), repr=False)
    groups: Sequence[Group] = field(default=(), repr=False)
    jobs: Sequence[Job] = field(default=(), repr=False)
    answers: Mapping[str, Price] = field(default_factory=dict, repr=False)
    ambiguous: str = ""

    def price(self, job: Job) -> Decimal | None:
        """Return the price of a job, the highest it may have; None where the service gave none.

        Of a job whose inputs do not exist yet it is the upper end of the estimate, if there is one.
        """
        one = self.of(job)
        if one is None or one.price is None:
            return None
        if one.is_estimate:
            return one.price.high if open_references(job) else None
        return one.price.high if one.is_quote else None

    def kind(self, job: Job) -> str:
        """Return the name of all jobs that are given one price with this one."""
        made = self._group_of_job.get(id(job))
        if made is not None:
            return made.name
        name = self.classifier.name(job) or job.model
        made = self.group_of.get(name)
        return name if made is None else made.name

    @cached_property
    def group_of(self) -> Mapping[str, Group]:
        """What is given one price, by the name of each class in it."""
        return {one.name: made for made in self.groups for one in made.classes}

    @cached_property
    def _group_of_job(self) -> Mapping[int, Group]:
        """The same by the very jobs that were looked at: naming a hundred thousand again takes time."""
        jobs = self.jobs
        return {id(jobs[place]): made for made in self.groups for one in made.classes for place in one.jobs}

    def of(self, job: Job) -> QuotedClass | None:
        """Return what is known of a job's class; None for a class that was not looked at."""
        made = self._group_of_job.get(id(job))
        name = self.classifier.name(job) if made is None else made.name
        return None if name is None else self.by_name.get(name)

    @property
    def total_low(self) -> Decimal:
        """What all cost together whose price is known, at least; estimates included."""
        return self._total(self.classes).low

    @property
    def total_high(self) -> Decimal:
        """What all cost together whose price is known, at most; estimates included."""
        return self._total(self.classes).high

    @property
    def estimated(self) -> Estimated:
        """The part of it that is an estimate."""
        found = [one for one in self.classes if one.is_estimate and one.price is not None]
        return Estimated(jobs=sum(one.jobs for one in found), price=self._total(found))

    def _total(self, classes: Iterable[QuotedClass]) -> Price:
        return sum((one.total for one in classes if one.total is not None), NOTHING)

    @property
    def unknown(self) -> int:
        """How many jobs have no price."""
        return sum(one.jobs for one in self.classes if one.price is None)


async def quote_jobs(
    generator: Quoter | None,
    jobs: Sequence[Job],
    models: Mapping[str, Model],
    *,
    store: QuoteStore,
    clock: Clock,
    uploads_known: Callable[[Sequence[str]], Mapping[str, str]] = lambda _: {},
    requote: bool = False,
    purchases: PurchaseBook | None = None,
    most: int = MOST_QUOTES,
    stand_ins: StandIns | None = None,
) -> Quoted:
    """Ask what jobs cost: one question a price class, and none that was answered within the day.

    Args:
        generator: who is asked; None to ask nobody, and take what is kept or published.
        jobs: that would be bought.
        models: of those jobs; one that is missing leaves its jobs without a price.
        store: what was asked before.
        clock: tells how old that is.
        uploads_known: gives the asset ids of files that the service has, by SHA-256; others are left out.
        requote: ask again what is kept.
        purchases: where a question is kept that was taken for an order; after one, nobody is asked again.
        most: questions.
        stand_ins: what is there of other jobs' outputs, and what stands in for the rest.

    Raises:
        BoughtByQuoteError: a question was taken for an order; none is asked after it.
        JournalError: it cannot be read whether one ever was.
        StoppedError: the credentials are not accepted.
    """
    classifier = Classifier(models, by_itself if stand_ins is None else stand_ins.given)
    groups = group(jobs, classifier, most=most)
    names = [one.name for made in groups for one, _ in made.asked]
    known: dict[str, Price] = {}
    with suppress(JournalError):  # a copy that spares questions
        known.update({} if requote else store.find(names, since=clock.now() - FRESH))
    inquiry = Inquiry(generator, models, uploads_known, purchases, stand_ins, classifier, most=most)
    for made in groups:
        for one, places in made.asked:
            if one.name not in known:
                asked = {id(job): job for job in (_spoken_for(one, place, jobs) for place in places)}
                await inquiry.about(one.name, list(asked.values()))
    known.update(inquiry.answers)
    if inquiry.answers:
        with suppress(JournalError):
            store.keep(inquiry.answers, at=clock.now())
    return _quoted(groups, jobs, models, classifier, known, inquiry)


def _spoken_for(one: PriceClass, place: int, jobs: Sequence[Job]) -> Job:
    """Return the job to ask about: one of the same price in place of one whose inputs are not there."""
    job = jobs[place]
    if not open_references(job):
        return job
    others = (jobs[other] for other in one.jobs[:_LOOKED_THROUGH])
    return next((other for other in others if not open_references(other)), job)


def _quoted(
    groups: Sequence[Group],
    jobs: Sequence[Job],
    models: Mapping[str, Model],
    classifier: Classifier,
    known: Mapping[str, Price],
    inquiry: Inquiry,
) -> Quoted:
    by_name: dict[str, QuotedClass] = {}
    classes = []
    for made in groups:
        quoted = _class_of(made, jobs, models[made.model], known, inquiry)
        classes.append(quoted)
        by_name.update((one.name, quoted) for one in made.classes)
    undescribed = Counter(job.model for job in jobs if job.model not in models)
    classes += [
        QuotedClass(
            model=model, moving={}, jobs=count, price=None, is_quote=False, note="the model was not looked at"
        )
        for model, count in undescribed.items()
    ]
    return Quoted(
        classes=tuple(classes),
        asked=inquiry.asked,
        closed=inquiry.closed,
        by_name=by_name,
        classifier=classifier,
        groups=groups,
        jobs=jobs,
        answers=inquiry.answers,
        ambiguous=inquiry.ambiguous,
    )


def _class_of(
    made: Group, jobs: Sequence[Job], model: Model, known: Mapping[str, Price], inquiry: Inquiry
) -> QuotedClass:
    asked = [one for one, _ in made.asked]
    price = price_of(known[one.name] for one in asked if one.name in known)
    trouble = next((inquiry.troubles[one.name] for one in asked if one.name in inquiry.troubles), "")
    first = jobs[made.classes[0].jobs[0]]
    is_quote = price is not None
    is_estimate = made.is_estimated if is_quote else bool(open_references(first))
    note = trouble
    if price is None:
        price = published(model, first)
        told = "by the costs that its model publishes; " if price is not None else ""
        note = told + (trouble or "the service was not asked" if asked else "too many models to ask about")
    elif made.is_spread:
        note = f"from {len(asked)} of its {len(made.classes)} kinds; the highest is reserved"
    elif is_estimate:
        note = "an estimate: what goes in does not exist yet"
    elif price.low != price.high:
        note = "differs within the kind; the highest is reserved"
    return QuotedClass(
        model=made.model,
        moving={} if made.is_spread else made.classes[0].moving,
        jobs=made.jobs,
        price=price,
        is_quote=is_quote,
        note=note,
        is_estimate=is_estimate and price is not None,
    )
