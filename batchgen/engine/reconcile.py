"""Looking for submissions whose answer was lost, among the service's own jobs.

All jobs in doubt share one listing. It goes on beside the rest of the run and delays nothing
else; what it finds is adopted in one transaction, and what it shows absent is planned again
by ``absence``'s rules. Nothing else ends a doubt.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from batchgen.engine.absence import Conclusion, DoubtPolicy, Findings, Move, conclude
from batchgen.engine.ledger import Ledger
from batchgen.engine.likeness import Doubt, Likeness, compare, in_window, may_be_ours
from batchgen.engine.listing import Listing, read_listing
from batchgen.engine.reading import after_look
from batchgen.engine.refuted import Refuted
from batchgen.engine.sightings import Sightings, control_of, latest_before
from batchgen.errors import RemoteIdTakenError, ServiceError, StoppedError
from batchgen.lifecycle import Adopted, Held, ShownAbsent, State, Succeeded
from batchgen.model import JobKey, RemoteJob, Text
from batchgen.plan.plan import Entry
from batchgen.ports import Generator, Journal

FIRST_LOOK = 2.0  # seconds after a loss: most rows are there by then


@dataclass(slots=True)
class _Case:
    """A job in doubt, and when complete listings showed nothing of it."""

    entry: Entry
    doubt: Doubt
    clean: list[float] = field(default_factory=list)


class Reconciler:
    """Settles the doubts of one run. ``run`` must be a child of the run's TaskGroup."""

    def __init__(
        self,
        *,
        generator: Generator,
        ledger: Ledger,
        journal: Journal,
        policy: DoubtPolicy,
        refuted: Refuted,
        settled: Callable[[Entry], None],
    ) -> None:
        """Take the parts.

        Args:
            generator: whose listing is read.
            ledger: where what is found is recorded.
            journal: what is ours already.
            policy: how patient it is.
            refuted: told of every listing.
            settled: told of every job that is no longer in doubt.
        """
        self._generator = generator
        self._ledger = ledger
        self._journal = journal
        self._policy = policy
        self._refuted = refuted
        self._settled = settled
        self._cases: dict[JobKey, _Case] = {}
        self._texts: dict[str, Text] = {}
        self._sightings = Sightings()
        self._skew = 0.0
        self._stirred = asyncio.Event()

    def add(self, entry: Entry) -> None:
        """Take in a job in doubt."""
        record, now = entry.record, self._ledger.now()
        doubt = Doubt(
            key=entry.key,
            model=entry.job.model,
            body=record.body or "{}",
            intent_at=now if record.intent_at is None else record.intent_at,
            lost_at=now if record.lost_at is None else record.lost_at,
        )
        self._cases[entry.key] = _Case(entry, doubt)
        self._stirred.set()

    async def run(self) -> None:
        """Look until cancelled; rests while nothing is in doubt.

        Raises:
            StoppedError: the service does not let us look.
            JournalError: what was found could not be recorded; the next run finds it again.
        """
        while True:
            self._stirred.clear()
            if not self._cases:
                await self._stirred.wait()
            await asyncio.sleep(min(FIRST_LOOK, self._policy.spacing))
            while self._cases:
                await self._look()
                # a job that comes into doubt meanwhile has its own first look soon
                await _sleep_or(self._stirred, self._policy.spacing)

    async def _look(self) -> None:
        cases = sorted(self._cases.values(), key=lambda one: one.doubt.intent_at)
        listing = await self._list(cases)
        await self._read_prompts(cases, listing)
        # from here on nothing waits: what is owned and who is submitting stays as it is
        shown = {row.remote_id: row for row in listing.rows}
        records = self._journal.records()
        if listing.complete:
            self._sightings.saw(listing.begun_at, listing.since, shown, records.values())
        free = self._free_rows(listing)
        for case in cases:
            self._judge(case, listing, free, shown)
        self._refuted.notice(free, self._texts)

    async def _list(self, cases: Sequence[_Case]) -> Listing:
        """Read the service's jobs back to before the oldest doubt, and to a control where one is needed."""
        listing = await read_listing(
            self._generator,
            since=min(self._reach(case) for case in cases),
            clock=self._ledger,
            skew=self._skew,
        )
        if listing.broken is not None:
            self._ledger.observer.troubled(f"looking for jobs in doubt: {listing.broken}")
        self._skew = listing.skew
        return listing

    def _reach(self, case: _Case) -> float:
        """Give the date that a listing must reach back to, by our clock."""
        start = case.doubt.intent_at
        if self._ledger.now() - case.doubt.lost_at < self._policy.settle_max:
            return start
        older = latest_before(case.doubt, self._journal.records().values())
        return start if older is None else min(start, older.at)

    async def _read_prompts(self, cases: Sequence[_Case], listing: Listing) -> None:
        """Fetch the prompts that became assets, of rows that nothing else tells apart."""
        for row in self._free_rows(listing):
            prompt = str((row.inputs or {}).get("prompt"))
            if prompt in self._texts or not any(
                self._likeness(case, row, listing) is Likeness.UNREAD for case in cases
            ):
                continue
            try:
                text = await self._generator.text(prompt)
            except StoppedError:
                raise
            except ServiceError as error:
                self._ledger.observer.troubled(f"reading the prompt of {row.remote_id}: {error}")
                continue
            if text is not None:
                self._texts[prompt] = text

    def _free_rows(self, listing: Listing) -> list[RemoteJob]:
        """Give the rows that belong to no record, oldest first, each once."""
        rows = {row.remote_id: row for row in reversed(listing.rows)}
        owned = set(self._journal.owned(list(rows)))
        return [row for remote_id, row in rows.items() if remote_id not in owned]

    def _likeness(self, case: _Case, row: RemoteJob, listing: Listing) -> Likeness:
        authors = self._journal.authors
        if not may_be_ours(row, authors=authors):
            return Likeness.OTHER
        likeness = compare(case.doubt.body, case.doubt.model, row, self._texts)
        if not in_window(row, case.doubt, skew=listing.skew):
            # dates are the least that can be relied on: an equal body proves that one of them may be wrong
            return Likeness.NEAR if likeness is Likeness.MATCH else Likeness.OTHER
        if likeness is Likeness.MATCH and row.author and not authors:
            # nothing says yet whose it is: another key with a batch of this name derives the same seed
            return Likeness.NEAR
        return likeness

    def _judge(
        self, case: _Case, listing: Listing, free: list[RemoteJob], shown: Mapping[str, RemoteJob]
    ) -> None:
        near = []
        for row in free:
            likeness = self._likeness(case, row, listing)
            if likeness is Likeness.MATCH and self._fits_another_better(case, row):
                likeness = Likeness.NEAR
            if likeness is Likeness.MATCH:
                if self._adopt(case, row, listing):
                    free.remove(row)
                return
            if likeness is not Likeness.OTHER:
                near.append(row.remote_id)
        if listing.complete and not near:
            case.clean.append(listing.begun_at)
        self._conclude(case, self._findings(case, listing, tuple(near), shown))

    def _fits_another_better(self, case: _Case, row: RemoteJob) -> bool:
        """Tell whether the row echoes more of what was sent for another job that misses its answer.

        Keys that were not sent are taken for the service's own additions; here they may be those of
        a job that sent more, such as a seed.
        """
        sent = len(json.loads(case.doubt.body))
        return any(
            record.state in {State.SUBMITTING, State.IN_DOUBT, State.HELD}
            and record.body is not None
            and len(json.loads(record.body)) > sent
            and record.job is not None
            and compare(record.body, record.job.model, row, self._texts) in {Likeness.MATCH, Likeness.UNREAD}
            for key, record in self._journal.records().items()
            if key != case.entry.key
        )

    def _adopt(self, case: _Case, row: RemoteJob, listing: Listing) -> bool:
        """Take the row for the job's own, unless it may be that of an equal job whose answer is due."""
        peers = self._journal.unanswered_equals(case.entry.key)
        if any(one.state is State.SUBMITTING and one.body == case.doubt.body for one in peers):
            return False
        evidence = {"listing": listing.begun_at, "created_at": row.created_at, "skew": listing.skew}
        adopted = Adopted(
            at=self._ledger.now(),
            remote_id=row.remote_id,
            charged=row.cost,
            author=row.author,
            quoted=case.entry.record.quoted,
            evidence=evidence,
        )
        end = after_look(row, at=self._ledger.now())
        if end is not None and not row.asset_ids and isinstance(end, Succeeded):
            end = None  # a row may be behind on what came out: look at the job itself
        try:
            entry = self._ledger.record(case.entry, *((adopted,) if end is None else (adopted, end)))
        except RemoteIdTakenError:
            return False  # another run was quicker; look again
        self._settle(entry)
        return True

    def _findings(
        self, case: _Case, listing: Listing, near: tuple[str, ...], shown: Mapping[str, RemoteJob]
    ) -> Findings:
        records = self._journal.records().values()
        return Findings(
            lost_at=case.doubt.lost_at,
            now=listing.begun_at,
            clean=tuple(case.clean),
            near=near,
            control=control_of(case.doubt, shown, records, after=True),
            older_control=control_of(case.doubt, shown, records, after=False),
            lag=self._sightings.lag,
            absences=case.entry.record.absences,
            trusted=self._journal.trusts_absence,
        )

    def _conclude(self, case: _Case, findings: Findings) -> None:
        conclusion: Conclusion = conclude(findings, self._policy)
        match conclusion.move:
            case Move.WAIT:
                return
            case Move.RESUBMIT:
                absent = ShownAbsent(at=self._ledger.now(), evidence=conclusion.evidence or {})
                self._settle(self._ledger.record(case.entry, absent))
            case Move.HOLD:
                held = Held(at=self._ledger.now(), reason=f"{case.entry.record.error}; {conclusion.reason}")
                self._settle(self._ledger.record(case.entry, held))

    def _settle(self, entry: Entry) -> None:
        del self._cases[entry.key]
        self._settled(entry)


async def _sleep_or(stirred: asyncio.Event, seconds: float) -> None:
    stirred.clear()
    try:
        async with asyncio.timeout(seconds):
            await stirred.wait()
            await asyncio.sleep(min(FIRST_LOOK, seconds))
    except TimeoutError:
        return
