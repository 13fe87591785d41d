"""Looking for submissions whose answer was lost, among the service's own jobs.

All jobs in doubt share one listing. It goes on beside the rest of the run and delays nothing
else; what it finds is adopted in one transaction, and what it shows absent is planned again
by ``absence``'s rules. Nothing else ends a doubt.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from batchgen.account import Known
from batchgen.errors import RemoteIdTakenError, ServiceError, StoppedError
from batchgen.interpret import after_row
from batchgen.lifecycle import Adopted, Held, ShownAbsent, State
from batchgen.loop_clock import loop_time
from batchgen.model import JobKey, RemoteJob
from batchgen.planning.plan import Entry
from batchgen.ports import Lease, LifelongLease
from batchgen.reconcile.absence import DoubtPolicy, Findings, Move, conclude
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.listing import Listing, Pauses, read_listing
from batchgen.reconcile.listing_lag import ListingLag, latest_before
from batchgen.reconcile.matching import BEFORE, Body, Doubt, Likeness, Window, stands_for
from batchgen.reconcile.patience import Patience
from batchgen.reconcile.search import Search
from batchgen.reconcile.witness import Court, Shown, newest_of, shown_of

_UNANSWERED = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD})

_MOST_GAPS = 2  # gaps between looks that one look stands for at most
FIRST_LOOK = 2.0  # seconds after a loss: most rows are there by then


@dataclass(slots=True)
class _Case:
    """A job in doubt, and when complete listings showed nothing of it.

    Attributes:
        added: the loop's clock when it came into doubt, or when this run took it up.
        found_at: our clock then.
        is_old: whether an earlier run lost its answer.
        receipts: how many submits this run had seen accepted then.
        patience: for how long it has been looked for.
        clean, dates: its ages, and our dates, when complete listings showed nothing of it.
        lease: seconds that ours had left then: about as much as that of the run before us.
    """

    entry: Entry
    doubt: Doubt
    added: float
    found_at: float
    is_old: bool
    receipts: int
    lease: float = 0.0
    patience: Patience = field(default_factory=Patience)
    clean: list[float] = field(default_factory=list)
    dates: list[float] = field(default_factory=list)

    def age(self, now: float, skew: float) -> float:
        """Return the seconds since the answer was lost, as far as that is certain.

        Args:
            now: the loop's clock.
            skew: seconds by which the service's clock is ahead of ours.
        """
        left_by = self.doubt.left_by() if self.is_old else None
        before = 0.0 if left_by is None else max(0.0, self.found_at + skew - left_by)
        return before + now - self.added


@dataclass(frozen=True, kw_only=True, slots=True)
class _View:
    """One listing, with all that its judgement needs."""

    listing: Listing
    begun: float
    candidates: Candidates
    shown: Sequence[Shown]


class Reconciler:
    """Settles the doubts of one run. ``run`` must be a child of the run's TaskGroup."""

    def __init__(
        self,
        search: Search,
        *,
        policy: DoubtPolicy,
        settled: Callable[[Entry], None],
        lease: Lease | None = None,
    ) -> None:
        """Take the parts.

        Args:
            search: what all who look in this run share.
            policy: how patient it is.
            settled: called with every job that is no longer in doubt.
            lease: by which this run leads; None for one that never ends.
        """
        self._lease = lease or LifelongLease()
        self._silent_since: float | None = None
        self._spoke_at = -math.inf
        self._search = search
        self._ledger = search.ledger
        self._journal = search.journal
        self._policy = policy
        self._settled = settled
        self._cases: dict[JobKey, _Case] = {}
        self._lag = ListingLag(search.ledger, closely=_MOST_GAPS * policy.spacing)
        self._pauses = Pauses()
        self._skew = 0.0
        self._woken = asyncio.Event()

    def add(self, entry: Entry, *, is_old: bool = False) -> None:
        """Take in a job in doubt.

        Args:
            entry: the job.
            is_old: whether an earlier run lost its answer, or was cut off before it came.
        """
        now = self._ledger.now()
        self._cases[entry.key] = _Case(
            entry=entry,
            doubt=Doubt.of(entry.key, entry.job.model, entry.record, now=now),
            added=loop_time(),
            found_at=now,
            is_old=is_old,
            receipts=0 if is_old else self._ledger.receipts,
            lease=max(0.0, self._lease.left()),
        )
        self._woken.set()

    async def run(self) -> None:
        """Look until cancelled; rests while nothing is in doubt.

        Raises:
            StoppedError: the service does not let us look.
            JournalError: what was found could not be recorded; the next run finds it again.
        """
        while True:
            self._woken.clear()
            if not self._cases:
                await self._woken.wait()
            await asyncio.sleep(min(FIRST_LOOK, self._policy.spacing))
            while self._cases:
                begun, broken = loop_time(), await self._look()
                if pause := self._pauses.after(broken, took=loop_time() - begun):
                    await asyncio.sleep(max(pause, self._policy.spacing))
                else:
                    # a job that comes into doubt meanwhile has its own first look soon
                    await _sleep_or(self._woken, self._policy.spacing)

    async def _look(self) -> ServiceError | None:
        """Judge all cases by one listing; return why that is not all there is."""
        cases = sorted(self._cases.values(), key=lambda one: one.doubt.intent_at)
        if any(self._search.identification.is_wanted_by(case.doubt.sender) for case in cases):
            await self._search.identification.ask()
        begun = loop_time()
        listing = await self._list(cases)
        candidates = self._search.candidates(listing)
        await self._read_prompts(cases, candidates, listing)
        # from here on nothing waits: whose a row is and who is submitting stays as it is
        self._listen()
        cases = self._hear(cases)
        candidates.refresh()
        records = self._journal.records().values()
        if listing.complete:
            self._lag.learn(listing, records, begun=begun)
        view = _View(listing=listing, begun=begun, candidates=candidates, shown=shown_of(records, candidates))
        for case in cases:
            self._judge(case, view)
            # only now: how far back this listing was asked to reach followed from the looks before it
            case.patience.look(begun, complete=listing.complete, longest=_MOST_GAPS * self._policy.spacing)
        for mark in listing.unreadable:
            self._search.lessons.note_unreadable(mark, at=begun)
        self._search.late_arrivals.notice(candidates)
        return listing.broken

    def _hear(self, cases: Sequence[_Case]) -> list[_Case]:
        """Settle what the runs speak of that sent it; return the others."""
        for entry in self._search.hearing.of_doubts({case.entry.key: case.entry for case in cases}):
            self._settle(entry)
        return [case for case in cases if case.entry.key in self._cases]

    def _wait(self, case: _Case) -> float:
        """Return how long from its being taken up it cannot be absent: its run may be alive."""
        if not case.is_old or case.lease == math.inf:
            return 0.0
        wait = max(case.lease, self._spoke_at - case.added) + self._policy.after_lease
        if self._silent_since is None:
            return wait
        return max(wait, self._silent_since + self._policy.settle_max - case.found_at)

    def _listen(self) -> None:
        """Learn which runs before ours are silent; what one of them sent as it spoke is not listed yet."""
        silent_since = self._lease.silent_since()
        if silent_since != self._silent_since:
            self._spoke_at = loop_time()
        self._silent_since = silent_since

    async def _list(self, cases: Sequence[_Case]) -> Listing:
        """Read the service's jobs back to before the oldest doubt, and to a witness where one is needed."""
        listing = await read_listing(
            self._search.generator,
            since=min(self._reach(case) for case in cases),
            clock=self._ledger,
            skew=self._skew,
        )
        if listing.broken is not None:
            self._ledger.observer.warned(f"looking for jobs in doubt: {listing.broken}")
        self._skew = listing.skew
        return listing

    def _reach(self, case: _Case) -> float:
        """Return the date that a listing must reach back to, by our clock."""
        start = case.doubt.window(self._skew).low - self._skew + BEFORE
        if case.patience.watched < self._policy.settle_max:
            return start
        older = latest_before(case.doubt, self._journal.records().values(), skew=self._skew)
        return start if older is None else min(start, older)

    def _known(self, case: _Case) -> Known:
        """Return who sent a body, as far as the service has said."""
        return self._journal.known(case.doubt.sender or None)

    async def _read_prompts(self, cases: Sequence[_Case], candidates: Candidates, listing: Listing) -> None:
        """Fetch the prompts that became assets, of rows that nothing else tells apart and of a witness."""
        records = self._journal.records().values()
        for case in cases:
            window = case.doubt.window(listing.skew)
            try:
                await candidates.read(case.doubt.body, within=window, known=self._known(case))
                await candidates.read_recorded(newest_of(case.doubt.body.model, records))
            except StoppedError:
                raise
            except ServiceError as error:
                self._ledger.observer.warned(f"reading the prompt of a listed job: {error}")

    def _judge(self, case: _Case, view: _View) -> None:
        window = case.doubt.window(view.listing.skew)
        found, near = self._find(case, view, window)
        if found is not None:
            if self._adopt(case, found, view.listing):
                view.candidates.take(found.remote_id)
            return
        clouded = self._clouded(case, view, window)
        covered = view.listing.complete and view.listing.reach <= window.low
        if covered and not near and not clouded:
            case.clean.append(case.age(view.begun, view.listing.skew))
            case.dates.append(view.listing.begun_at)
        self._conclude(case, self._findings(case, view, near, clouded))

    def _find(self, case: _Case, view: _View, window: Window) -> tuple[RemoteJob | None, tuple[str, ...]]:
        """Return the row that is this job, or the ids of those that may be."""
        known, near, anybodys = self._known(case), list[str](), list[RemoteJob]()
        for row, alike in view.candidates.like(case.doubt.body, known):
            likeness = stands_for(alike, row, view.candidates.ownership(row, known), window)
            if likeness is Likeness.MATCH:
                likeness = self._beside_others(case, row, view)
            if likeness is Likeness.MATCH and not self._may_be_anybodys(case, row):
                return row, ()
            if likeness is Likeness.MATCH:
                anybodys.append(row)
            elif likeness is not Likeness.OTHER:
                near.append(row.remote_id)
        if anybodys and not near and self._are_all_that_come(case, anybodys, view):
            return anybodys[0], ()
        return None, (*(row.remote_id for row in anybodys), *near)

    def _are_all_that_come(self, case: _Case, rows: Sequence[RemoteJob], view: _View) -> bool:
        """Return whether rows without an owner are no more than the jobs that miss one, all listed by now.

        A stranger's may be listed before ours.
        """
        equals = self._journal.unanswered_equals(case.entry.key, case.doubt.body.text)
        missing = 1 + sum(one.body == case.doubt.body.text for one in equals)
        settled = case.age(view.begun, view.listing.skew) >= self._policy.settled_after(self._lag.longest)
        return settled and len(rows) <= missing

    def _clouded(self, case: _Case, view: _View, window: Window) -> int:
        """Count the rows that nobody can read and that may be this job."""
        intent = self._ledger.intent_of(case.entry.key)
        return sum(
            (one.created_at is None or window.low <= one.created_at <= window.high)
            and not self._search.lessons.was_listed_before(one.mark, intent)
            for one in view.listing.unreadable.values()
        )

    def _may_be_anybodys(self, case: _Case, row: RemoteJob) -> bool:
        """Return whether an equal row proves nothing by itself: no author, no seed."""
        return not row.author and case.doubt.body.seed is None

    def _beside_others(self, case: _Case, row: RemoteJob, view: _View) -> Likeness:
        """Return what a matching row is where another job that misses its answer sent more.

        Keys that were not sent are taken for the service's own additions; here they may be those of
        the other job. The service may well add a width that another job asks for, or a seed that a person
        wrote, which may be its default, but not one that was derived for that job.
        """
        sent, fitting = case.doubt.body, (Likeness.MATCH, Likeness.UNREAD)
        likeness = Likeness.MATCH
        for key, record in self._journal.records().items():
            one = Body.sent_for(record) if record.state in _UNANSWERED and key != case.entry.key else None
            if one is None or len(one.inputs) <= len(sent.inputs):
                continue
            if view.candidates.compare(one, row) in fitting:
                if record.has_derived_seed and sent.seed is None:
                    return Likeness.OTHER
                likeness = Likeness.NEAR
        return likeness

    def _adopt(self, case: _Case, row: RemoteJob, listing: Listing) -> bool:
        """Take the row for the job's own, unless it may be that of an equal job whose answer is due."""
        peers = self._journal.unanswered_equals(case.entry.key, case.doubt.body.text)
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

    def _findings(self, case: _Case, view: _View, near: tuple[str, ...], clouded: int) -> Findings:
        known, listing = self._known(case), view.listing
        court = Court(
            doubt=case.doubt,
            known=known,
            shown=view.shown,
            candidates=view.candidates,
            window=case.doubt.window(listing.skew),
            is_after=lambda remote_id: self._ledger.is_receipt_after(remote_id, case.receipts),
            lost_before=case.doubt.left_by() if case.is_old else None,
            probe=self._search.identification.uploaded_at(after=case.added, skew=listing.skew),
        )
        broken = listing.broken
        return Findings(
            watched=case.patience.watched,
            blind=case.patience.blind,
            clean=tuple(case.clean),
            dates=tuple(case.dates),
            near=near,
            clouded=clouded,
            incomplete="" if broken is None else str(broken) or type(broken).__name__,
            witness=court.witness(),
            older_witness=court.older_witness(),
            pending=self._lag.pending,
            lag=self._lag.longest,
            absences=case.entry.record.absences,
            trusted=self._journal.trusts_absence,
            before=case.age(case.added, listing.skew),
            wait=self._wait(case),
        )

    def _conclude(self, case: _Case, findings: Findings) -> None:
        conclusion = conclude(findings, self._policy)
        match conclusion.move:
            case Move.WAIT:
                if findings.witness is None and not findings.near:
                    self._search.identification.want(after=case.added)
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
