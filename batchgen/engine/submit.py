"""The paid step: intent, POST, receipt. Nothing else sends a body that costs money."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from batchgen.engine.limits.chain_budget import ChainBudget
from batchgen.engine.policy import World
from batchgen.errors import BatchgenError, JournalError, RefusedError, ServiceError
from batchgen.identity import compose_body, files_of, seed_for
from batchgen.interpret import after_failure, after_receipt
from batchgen.ledger import Ledger
from batchgen.lifecycle import DONE, SubmitStarted
from batchgen.loop_clock import loop_time
from batchgen.model import Model, Receipt, Scope
from batchgen.planning.plan import Entry
from batchgen.planning.yields import Yields


class Submitter:
    """Submits one job once. The caller has passed the gate."""

    def __init__(
        self,
        *,
        world: World,
        ledger: Ledger,
        models: Mapping[str, Model],
        scope: Scope,
        yields: Yields,
        chains: ChainBudget,
    ) -> None:
        self._world = world
        self._yields = yields
        self._generator = world.generator
        self._purse = world.purse
        self._chains = chains
        self._uploader = world.uploader
        self._ledger = ledger
        self._models = models
        self._scope = scope

    async def submit(self, entry: Entry) -> tuple[Entry, ServiceError | None]:
        """Send the job's body and record what became of it; give the error that answered, if one did.

        Raises:
            OverBudgetError: it does not fit under a cap; nothing was recorded or sent.
            JournalError: the intent was not recorded and nothing was sent, or the receipt
                was not recorded and has been shown.
        """
        entry, intent = self._begun(entry)
        left = loop_time()
        try:
            receipt = await self._generator.submit(entry.job.model, intent.body)
        except ServiceError as error:
            if isinstance(error, RefusedError):
                self._forget_files(entry)
            # a clock that was set back meanwhile must not date a loss before its intent
            at = max(self._ledger.now(), intent.at + loop_time() - left)
            entry = self._ledger.record(entry, after_failure(error, at=at))
            self._warn_of_money(entry, intent.at)
            return entry, error
        entry = self._received(entry, receipt)
        self._warn_of_money(entry, intent.at)
        return entry, None

    def _begun(self, entry: Entry) -> tuple[Entry, SubmitStarted]:
        """Record the intent, with what is kept for later steps of the chain."""
        intent = self._intent(entry)
        caps = self._purse.allowed(intent.at)
        record = partial(self._ledger.record, entry, intent, allowed=caps)
        return self._chains.leave(entry, intent, lambda reserves: record(reserves=reserves)), intent

    def _warn_of_money(self, entry: Entry, now: float) -> None:
        """Say what is dearer than a person was told, and which caps are nearly reached.

        Not before the POST, where a crash would make a doubt.
        """
        if told := self._purse.risen(entry.job):
            self._ledger.observer.warned(told)
        with suppress(JournalError):  # a warning is worth no error: what became of the job is on record
            for text in self._purse.near(self._world.journal, now=now):
                self._ledger.observer.warned(text)

    def body_of(self, entry: Entry) -> str:
        """Return the body that would be sent: what was journaled before is never made again."""
        if entry.record.body is not None:
            return entry.record.body
        return compose_body(
            entry.job, self._seed_of(entry), self._models.get(entry.job.model), assets=self._assets_of(entry)
        )

    def _assets_of(self, entry: Entry) -> Mapping[str, str]:
        files = files_of(entry.job)
        return (self._uploader.known(files) if self._uploader and files else None) or {}

    def _forget_files(self, entry: Entry) -> None:
        """Send the files anew for another attempt: the service may no longer have them."""
        if self._uploader is not None:
            self._uploader.forget(self._assets_of(entry).values())

    def _seed_of(self, entry: Entry) -> float | None:
        job, record = entry.job, entry.record
        if record.body is not None:
            return record.seed
        return seed_for(job, self._models[job.model], self._scope, entry.key, record.attempt)

    def _intent(self, entry: Entry) -> SubmitStarted:
        return SubmitStarted(
            at=self._ledger.now(),
            job=entry.job,
            attempt=entry.record.attempt,
            body=self.body_of(entry),
            seed=self._seed_of(entry),
            quoted=self._purse.price(entry.job),
            reserved=self._purse.reservation(entry.job),
            sender=self._world.sender,
            skew=self._world.skew,
        )

    def _received(self, entry: Entry, receipt: Receipt) -> Entry:
        try:
            life = after_receipt(
                receipt,
                at=self._ledger.now(),
                quoted=entry.record.quoted,
                expected=self._yields.expected(entry.record),
            )
            paid = self._ledger.record(entry, *life)
        except BatchgenError:
            # the last trace of a paid job: it is shown before anything else can go wrong
            self._ledger.observer.warned(f"paid for but not recorded: {receipt.job.remote_id} {entry.job.id}")
            raise
        if paid.record.state in DONE:
            self._yields.learn(paid.key, paid.record)
        return paid
