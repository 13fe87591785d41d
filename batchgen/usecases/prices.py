"""The prices of one run: what was known at its start, and what was asked since.

Under a cap an old answer decides nothing: the engine has a class asked again before its first
intent, and whenever its answer has grown old. A question goes out as a plan's does.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.outcome import EngineOutcome, LeftOut
from batchgen.errors import JournalError, ModelClosedError, ServiceError, StoppedError
from batchgen.identity import files_of, references_of, with_references
from batchgen.lifecycle import TERMINAL
from batchgen.loop_clock import loop_time
from batchgen.model import Job, Model
from batchgen.planning.budget import waits_for_a_price
from batchgen.planning.pricing import Price, PriceClass, price_of
from batchgen.planning.stand_ins import open_references
from batchgen.ports import Clock
from batchgen.price_ports import Quoter
from batchgen.scenario.client import ScenarioClient
from batchgen.usecases.purchases import Purchases
from batchgen.usecases.questions import Inquiry, PurchaseBook, StandIns
from batchgen.usecases.quotes import Quoted, QuoteStore, quote_jobs
from batchgen.usecases.run_policy import guard_of
from batchgen.usecases.stand_ins import stand_ins_of
from batchgen.wiring.batch import Batch
from batchgen.wiring.blanks import blank_pictures
from batchgen.wiring.model_source import models_of
from batchgen.wiring.options import Options
from batchgen.wiring.uploads import Uploads

_MOST_OF_THE_REST = 20  # questions after what was left out: the run is over, and nobody waits for long


class RunPrices:
    """Prices that can be asked for again; implements ``ports.PriceQuestions``."""

    def __init__(
        self,
        quoted: Quoted,
        *,
        began: float,
        generator: Quoter,
        models: Mapping[str, Model],
        store: QuoteStore,
        clock: Clock,
        uploads_known: Callable[[Sequence[str]], Mapping[str, str]] = lambda _: {},
        purchases: PurchaseBook | None = None,
        stand_ins: StandIns | None = None,
    ) -> None:
        """Take what was asked before the run.

        Args:
            quoted: the prices of all jobs that may be bought.
            began: when the first of its questions left, by the loop's clock.
            generator: who is asked.
            models: of those jobs.
            store: where answers are kept for plans.
            clock: for the stamps of those.
            uploads_known: gives the asset ids of files that the service has, by SHA-256.
            purchases: where a question is kept that was taken for an order.
            stand_ins: what stands in for other jobs' outputs that are not there.
        """
        self._quoted = quoted
        self._stand_ins = stand_ins
        self._generator = generator
        self._models = models
        self._store = store
        self._clock = clock
        self._uploads_known = uploads_known
        self._purchases = purchases
        self._asked: dict[str, float] = {
            made.name: began
            for made in quoted.groups
            if all(one.name in quoted.answers for one, _ in made.asked)
        }
        self._answers: dict[str, Price | None] = {}
        self._ambiguous = quoted.ambiguous

    def price(self, job: Job) -> Decimal | None:
        """Return the price of a job, the highest it may have; None where the service gave none."""
        name = self.kind(job)
        if name not in self._answers:
            return self._quoted.price(job)
        answer, known = self._answers[name], self._quoted.of(job)
        if answer is None and known is not None and not known.is_quote:
            return self._quoted.price(job)  # by what the model publishes, as long as its input is not there
        return None if answer is None else answer.high

    def kind(self, job: Job) -> str:
        """Return the name of all jobs that are given one price with this one."""
        return self._quoted.kind(job)

    def asked(self, job: Job) -> float | None:
        """Return when the price of a job's kind was last asked in this run; None if never."""
        return self._asked.get(self.kind(job))

    def is_due(self, job: Job) -> bool:
        """Return whether a job has no price, and what goes into it has come since it could be asked."""
        is_child = bool(references_of(job)) and not open_references(job)
        return is_child and self.asked(job) is None and self.price(job) is None

    def expected(self, job: Job) -> Decimal | None:
        """Return what was expected of a job before its inputs were there; None where nothing was."""
        before = with_references(job, lambda one: one._replace(ordinal=None, assets=()))
        one = self._quoted.of(before) if references_of(job) else None
        return None if one is None or one.price is None else one.price.high

    async def ask(self, job: Job) -> None:
        """Ask anew what jobs of this one's kind cost.

        Raises:
            BoughtByQuoteError: the question was taken for an order.
            ModelClosedError: the model may not be run, so that its price is refused.
            NoRightError: this key may not ask prices.
            StoppedError: the credentials are not accepted.
            TransientError: there is no answer yet.
            JournalError: it cannot be read whether a question was ever taken for an order.
        """
        name, began = self.kind(job), loop_time()
        inquiry = Inquiry(
            self._generator,
            self._models,
            self._uploads_known,
            self._purchases,
            self._stand_ins,
            self._quoted.classifier,
        )
        if not self._ambiguous:
            for one, jobs in self._questions(name, job):
                await inquiry.about(one, jobs)
        self._ambiguous = self._ambiguous or inquiry.ambiguous
        if job.model in inquiry.closed:
            raise ModelClosedError(inquiry.closed[job.model])
        if inquiry.lacks is not None:
            raise inquiry.lacks
        if inquiry.later is not None:
            raise inquiry.later
        self._asked[name] = began
        self._answers[name] = price_of(inquiry.answers.values())
        if inquiry.answers:
            with suppress(JournalError):  # a copy that spares questions
                self._store.keep(inquiry.answers, at=self._clock.now())

    def _questions(self, name: str, job: Job) -> Iterator[tuple[str, list[Job]]]:
        """Return the classes to ask about, with jobs of each; one that the plan did not have by itself."""
        made = self._quoted.group_of.get(name)
        if made is not None:
            for one, places in made.asked:
                yield one.name, self._spoken_for(job, one, places)
        elif job.model in self._models:
            yield name, [job]

    def _spoken_for(self, job: Job, one: PriceClass, places: Sequence[int]) -> list[Job]:
        """Return the jobs to ask about: one whose inputs are there in place of those whose are not."""
        asked = [self._quoted.jobs[place] for place in places]
        if self._quoted.classifier.name(job) != one.name:
            return asked
        return list(
            {id(each): each for each in (each if self._is_there(each) else job for each in asked)}.values()
        )

    def _is_there(self, job: Job) -> bool:
        files = files_of(job)
        return not open_references(job) and (not files or self._uploads_known(files).keys() >= set(files))


async def purse_of(
    batch: Batch,
    options: Options,
    client: ScenarioClient,
    models: Mapping[str, Model],
    uploads: Uploads | None,
) -> tuple[BudgetGuard, Mapping[str, str]]:
    """Ask what the jobs cost that may be bought.

    Returns:
        What holds them under the caps, and why models are closed whose prices were refused.

    Raises:
        BoughtByQuoteError: a question was taken for an order.
        StoppedError: the credentials are not accepted.
    """
    began = loop_time()
    entries = [one for one in batch.plan.entries if one.wanted and one.record.state not in TERMINAL]
    # what is open of jobs that the manifest no longer names counts against every cap too
    open_yet = (one for one in (*batch.plan.removed, *batch.plan.earlier) if waits_for_a_price(one.record))
    jobs = [one.job for one in (*entries, *open_yet)]
    store = options.journal.quotes(origin=batch.scope.origin, project=batch.project)
    purchases = Purchases(options, batch, writing=True)

    def known(files: Sequence[str]) -> Mapping[str, str]:
        return (uploads.known(files) if uploads else None) or {}

    stand_ins = stand_ins_of(batch, options, models, known, blank_pictures(known, uploads))
    quoted = await quote_jobs(
        client,
        jobs,
        models,
        store=store,
        clock=options.clock,
        uploads_known=known,
        purchases=purchases,
        stand_ins=stand_ins,
    )
    prices = RunPrices(
        quoted,
        began=began,
        generator=client,
        models=models,
        store=store,
        clock=options.clock,
        uploads_known=known,
        purchases=purchases,
        stand_ins=stand_ins,
    )
    return guard_of(batch, options, prices, prices), quoted.closed


async def left_out_of(
    ended: EngineOutcome,
    batch: Batch,
    options: Options,
    client: ScenarioClient,
    models: Mapping[str, Model],
    uploads: Uploads | None,
) -> LeftOut | None:
    """Return what is left for another time, and what it would cost as far as that can be learnt.

    Args:
        ended: how the run ended; after one that was stopped, or that was to buy nothing, nobody is asked.
        batch: the jobs.
        options: where prices are kept.
        client: the service.
        models: that were looked at in this run.
        uploads: knows which files the service has.

    Raises:
        BoughtByQuoteError: a question was taken for an order.
    """
    jobs = batch.left_out
    if not jobs:
        return None
    known, asked = dict(models), None
    if not (ended.drained or ended.unreachable or ended.stopped or options.limit == 0):
        known |= await _more_models(batch, options, client, {one.model for one in jobs} - models.keys())
        asked = client

    def sent(files: Sequence[str]) -> Mapping[str, str]:
        return (uploads.known(files) if uploads else None) or {}

    ask = partial(
        quote_jobs,
        jobs=jobs,
        models=known,
        store=options.journal.quotes(origin=batch.scope.origin, project=batch.project),
        clock=options.clock,
        uploads_known=sent,
        purchases=Purchases(options, batch, writing=True),
        most=_MOST_OF_THE_REST,
        stand_ins=stand_ins_of(batch, options, known, sent, blank_pictures(sent, uploads)),
    )
    try:
        quoted = await ask(asked)
    except StoppedError:  # the run is over, and its results are what counts
        quoted = await ask(None)
    about = quoted.estimated
    return LeftOut(
        jobs=len(jobs),
        of=len(batch.plan.entries),
        cost=quoted.total_high,
        unpriced=quoted.unknown,
        estimated=about.jobs,
        estimate=about.price.high,
    )


async def _more_models(
    batch: Batch, options: Options, client: ScenarioClient, missing: Collection[str]
) -> dict[str, Model]:
    """Describe models that the run had no use for; what is not shown has no price."""
    catalogue, found = models_of(batch, client, options.clock), dict[str, Model]()
    for name in sorted(missing):
        with suppress(ServiceError):
            found[name] = await catalogue.describe(name)
    return found
