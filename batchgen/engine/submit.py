"""The paid step: intent, POST, receipt. Nothing else sends a body that costs money.

The intent is on the disk itself before the POST leaves, and the receipt before anybody goes on with the job.
Each waits for a sync that began after it, with all others who wait.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from batchgen.engine.limits.chain_budget import ChainBudget
from batchgen.engine.policy import World
from batchgen.errors import (
    BatchgenError,
    FencedError,
    JournalAwayError,
    JournalError,
    NoRoomError,
    OverBudgetError,
    RefusedError,
    ServiceError,
)
from batchgen.identity import compose_body, files_of, seed_for
from batchgen.interpret import after_failure, after_receipt
from batchgen.ledger import Ledger
from batchgen.lifecycle import DONE, AnswerLost, Event, NotSent, SubmitStarted
from batchgen.loop_clock import loop_time
from batchgen.model import JobKey, Model, Receipt, Scope
from batchgen.planning.plan import Entry
from batchgen.planning.room import Room
from batchgen.planning.yields import Yields
from batchgen.ports import Lane

Refusal = Callable[[Entry, SubmitStarted], str]  # why a POST may not leave; empty if it may


class Submitted(NamedTuple):
    """What became of a submit.

    Attributes:
        entry: the job as it is on record now.
        error: that answered, if one did.
        left: whether the POST left at all.
        lack: what there was not enough of for it, money or room; nothing was recorded then.
    """

    entry: Entry
    error: ServiceError | None = None
    left: bool = True
    lack: OverBudgetError | NoRoomError | None = None


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
        room: Callable[[JobKey], Room | None],
    ) -> None:
        self._world = world
        self._room = room
        self._yields = yields
        self._generator = world.generator
        self._purse = world.purse
        self._chains = chains
        self._uploader = world.uploader
        self._ledger = ledger
        self._models = models
        self._scope = scope

    async def submit(self, entry: Entry, *, refusal: Refusal) -> Submitted:
        """Send the job's body, if it may leave when its intent is on the disk, and record what became of it.

        Args:
            entry: the job.
            refusal: says why a POST may not leave; asked at the last moment, with nothing awaited after it.

        Raises:
            JournalError: the intent is not on the disk and nothing was sent, or the receipt may not be and
                has been shown.
        """
        turn = loop_time()  # that of the gate has just come
        try:
            entry, intent = self._begun(entry)
        except (OverBudgetError, NoRoomError) as lack:
            return Submitted(entry, left=False, lack=lack)
        if why := await self._held_back(entry, intent, turn, refusal):
            return Submitted(self._unpaid(entry, intent, self._not_sent(intent, why)), left=False)
        left = loop_time()
        try:
            receipt = await self._generator.submit(entry.job.model, intent.body, may_leave=self._leads)
        except ServiceError as error:
            if isinstance(error, RefusedError):
                self._forget_files(entry)
            # a clock that was set back meanwhile must not date a loss before its intent
            at = max(self._ledger.now(), intent.at + loop_time() - left)
            entry = self._unpaid(entry, intent, after_failure(error, at=at))
            self._warn_of_money(entry, intent.at)
            return Submitted(entry, error)
        entry = self._received(entry, intent, receipt)
        await self._kept(entry, receipt)
        self._warn_of_money(entry, intent.at)
        return Submitted(entry)

    async def _held_back(self, entry: Entry, intent: SubmitStarted, turn: float, refusal: Refusal) -> str:
        """Wait until the intent is on the disk; return why the POST may not leave, empty if it may.

        A turn of the gate that lies back by the time between two of them is no turn any more: what a slow
        disk lets go together would leave together. It takes another one, and is asked again.

        Raises:
            JournalError: the intent is not on the disk.
        """
        gate = self._world.gate
        try:
            await self._world.journal.durable()
            why = refusal(entry, intent)
            if not why and loop_time() - turn >= gate.interval > 0:
                await gate.turn(Lane.SUBMIT)
                why = refusal(entry, intent)
        except BaseException as error:  # whatever it is, the POST has not left
            with suppress(JournalError):  # the next run has to find out then
                self._unpaid(entry, intent, self._not_sent(intent, str(error) or "the run was left"))
            raise
        return why

    def _leads(self) -> bool:
        return self._world.lease.left() > 0

    def _unpaid(self, entry: Entry, intent: SubmitStarted, event: Event) -> Entry:
        """Record what became of a POST without a receipt; where that is refused, testify it.

        Raises:
            JournalError: it was not recorded.
        """
        try:
            return self._ledger.record(entry, event)
        except (FencedError, JournalAwayError):
            if not isinstance(event, AnswerLost):
                reason = getattr(event, "reason", "")
                with suppress(JournalError):  # whoever leads finds out by itself then
                    self._world.journal.testify(entry.key, NotSent(at=intent.at, reason=reason))
            raise

    def _not_sent(self, intent: SubmitStarted, why: str) -> NotSent:
        return NotSent(at=max(self._ledger.now(), intent.at), reason=why)

    def _begun(self, entry: Entry) -> tuple[Entry, SubmitStarted]:
        """Record the intent, with what is kept for later steps of the chain."""
        intent = self._intent(entry)
        caps = self._purse.allowed(intent.at)
        record = partial(self._ledger.record, entry, intent, allowed=caps, room=self._room(entry.key))
        try:
            return self._chains.leave(entry, intent, lambda reserves: record(reserves=reserves)), intent
        except (FencedError, JournalAwayError) as error:  # it may be on record all the same
            with suppress(JournalError):
                self._world.journal.testify(entry.key, NotSent(at=intent.at, reason=str(error)))
            raise

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

    async def _kept(self, entry: Entry, receipt: Receipt) -> None:
        """Wait until the receipt is on the disk: its place in flight is not used again before.

        Raises:
            JournalError: it may not be.
        """
        try:
            await self._world.journal.durable()
        except JournalError:
            self._ledger.observer.warned(
                f"paid for, and lost with the power if it fails now: {receipt.job.remote_id} {entry.job.id}"
            )
            raise

    def _received(self, entry: Entry, intent: SubmitStarted, receipt: Receipt) -> Entry:
        life = after_receipt(
            receipt,
            at=self._ledger.now(),
            quoted=entry.record.quoted,
            expected=self._yields.expected(entry.record),
        )
        try:
            paid = self._ledger.record(entry, *life)
        except BatchgenError as error:
            # the last trace of a paid job: it is shown before anything else can go wrong
            kept = self._has_testified(entry, intent, life[0])
            if not (kept and isinstance(error, FencedError)):
                self._ledger.observer.warned(
                    f"paid for but not recorded: {receipt.job.remote_id} {entry.job.id}"
                )
            raise
        if paid.record.state in DONE:
            self._yields.learn(paid.key, paid.record)
        return paid

    def _has_testified(self, entry: Entry, intent: SubmitStarted, receipt: Event) -> bool:
        """Hand a receipt to whoever leads the batch; return whether it is kept.

        Its intent goes along: a database that was set back may have lost it.
        """
        try:
            self._world.journal.testify(entry.key, intent, replace(receipt, at=intent.at))
        except BatchgenError:
            return False
        return True
