"""Looking for submissions whose answer was lost, among the service's own jobs.

All jobs in doubt share one listing. It goes on beside the rest of the run and delays nothing
else; what it finds is adopted in one transaction, and what it shows absent is planned again
by ``absence``'s rules. Nothing else ends a doubt.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from batchgen.errors import RemoteIdTakenError, ServiceError, StoppedError
from batchgen.interpret import after_row
from batchgen.ledger import Ledger
from batchgen.lifecycle import Adopted, Held, ShownAbsent, State
from batchgen.model import JobKey, RemoteJob
from batchgen.plan.plan import Entry
from batchgen.ports import Generator, Journal
from batchgen.reconcile.absence import Conclusion, DoubtPolicy, Findings, Move, conclude
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.late_arrivals import LateArrivals
from batchgen.reconcile.listing import Listing, read_listing
from batchgen.reconcile.listing_lag import ListingLag, latest_before, witness_for
from batchgen.reconcile.matching import Body, Doubt, Likeness, compare, stands_for
from batchgen.reconcile.prompts import Prompts

_UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD})

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
        prompts: Prompts,
        late_arrivals: LateArrivals,
        settled: Callable[[Entry], None],
    ) -> None:
        """Take the parts.

        Args:
            generator: whose listing is read.
            ledger: where what is found is recorded.
            journal: what is ours already.
            policy: how patient it is.
            prompts: those that became assets.
            late_arrivals: shown every listing.
            settled: told of every job that is no longer in doubt.
        """
        self._generator = generator
        self._ledger = ledger
        self._journal = journal
        self._policy = policy
        self._prompts = prompts
        self._late_arrivals = late_arrivals
        self._settled = settled
        self._cases: dict[JobKey, _Case] = {}
        self._lag = ListingLag()
        self._skew = 0.0
        self._stirred = asyncio.Event()

    def add(self, entry: Entry) -> None:
        """Take in a job in doubt."""
        doubt = Doubt.of(entry.key, entry.job.model, entry.record, now=self._ledger.now())
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
        candidates = Candidates(listing.rows.values(), self._journal, self._prompts)
        await self._read_prompts(cases, candidates, listing)
        # from here on nothing waits: whose a row is and who is submitting stays as it is
        candidates.refresh()
        if listing.complete:
            self._lag.learn(listing, self._journal.records().values())
        for case in cases:
            self._judge(case, listing, candidates)
        self._late_arrivals.notice(candidates)

    async def _list(self, cases: Sequence[_Case]) -> Listing:
        """Read the service's jobs back to before the oldest doubt, and to a witness where one is needed."""
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

    async def _read_prompts(self, cases: Sequence[_Case], candidates: Candidates, listing: Listing) -> None:
        """Fetch the prompts that became assets, of rows that nothing else tells apart."""
        for case in cases:
            try:
                await candidates.read(case.doubt.body, within=case.doubt.window(listing.skew))
            except StoppedError:
                raise
            except ServiceError as error:
                self._ledger.observer.troubled(f"reading the prompt of a listed job: {error}")

    def _judge(self, case: _Case, listing: Listing, candidates: Candidates) -> None:
        near = []
        window = case.doubt.window(listing.skew)
        for row, alike in candidates.like(case.doubt.body):
            likeness = stands_for(alike, row, candidates.ownership(row), window)
            if likeness is Likeness.MATCH and self._fits_another_better(case, row):
                likeness = Likeness.NEAR
            if likeness is Likeness.MATCH:
                if self._adopt(case, row, listing):
                    candidates.take(row.remote_id)
                return
            if likeness is not Likeness.OTHER:
                near.append(row.remote_id)
        if listing.complete and not near:
            case.clean.append(listing.begun_at)
        self._conclude(case, self._findings(case, listing, tuple(near)))

    def _fits_another_better(self, case: _Case, row: RemoteJob) -> bool:
        """Tell whether the row echoes more of what was sent for another job that misses its answer.

        Keys that were not sent are taken for the service's own additions; here they may be those of
        a job that sent more, such as a seed.
        """
        sent = len(case.doubt.body.inputs)
        others = (
            Body.sent_for(record)
            for key, record in self._journal.records().items()
            if record.state in _UNANSWERED and key != case.entry.key
        )
        return any(
            one is not None
            and len(one.inputs) > sent
            and compare(one, row, self._prompts.texts) in {Likeness.MATCH, Likeness.UNREAD}
            for one in others
        )

    def _adopt(self, case: _Case, row: RemoteJob, listing: Listing) -> bool:
        """Take the row for the job's own, unless it may be that of an equal job whose answer is due."""
        peers = self._journal.unanswered_equals(case.entry.key)
        if any(one.state is State.SUBMITTING and one.body == case.doubt.body.text for one in peers):
            return False
        evidence = {"listing": listing.begun_at, "created_at": row.created_at, "skew": listing.skew}
        adopted = Adopted(
            at=self._ledger.now(),
            remote_id=row.remote_id,
            charged=row.cost,
            author=row.author,
            owner=row.owner,
            quoted=case.entry.record.quoted,
            evidence=evidence,
        )
        end = after_row(row, at=self._ledger.now())
        try:
            entry = self._ledger.record(case.entry, *((adopted,) if end is None else (adopted, end)))
        except RemoteIdTakenError:
            return False  # another run was quicker; look again
        self._settle(entry)
        return True

    def _findings(self, case: _Case, listing: Listing, near: tuple[str, ...]) -> Findings:
        records = self._journal.records().values()
        return Findings(
            lost_at=case.doubt.lost_at,
            now=listing.begun_at,
            clean=tuple(case.clean),
            near=near,
            witness=witness_for(case.doubt, listing.rows, records, after=True),
            older_witness=witness_for(case.doubt, listing.rows, records, after=False),
            lag=self._lag.longest,
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
