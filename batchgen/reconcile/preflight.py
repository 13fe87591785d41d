"""What a run looks at before it buys: whether the service has its jobs already.

A journal that was lost, or replaced by an older copy, takes what is paid for to be planned.
So before the first submit the planned jobs are compared with the service's listing: what is
recognised by its derived seed is adopted, what only looks the same is held for a person.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from batchgen.errors import NotFoundError, RemoteIdTakenError
from batchgen.identity import files_of, references_of
from batchgen.lifecycle import Record, State
from batchgen.loop_clock import loop_time
from batchgen.model import Job, JobKey, Model, RemoteJob, RemoteStatus, Scope
from batchgen.planning.plan import Entry
from batchgen.ports import Journal, Uploader
from batchgen.reconcile.attempt_rows import Recorder, Seeds, TakenIn
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.fed import fed_by_us
from batchgen.reconcile.history import Attempt, HistoryBuilder, Price
from batchgen.reconcile.lessons import Lessons
from batchgen.reconcile.listing import Listing, read_listing
from batchgen.reconcile.look_back import looks_back_to
from batchgen.reconcile.matching import (
    BEFORE,
    Likeness,
    Window,
    may_be_bought,
)
from batchgen.reconcile.prompts import Prompts
from batchgen.reconcile.same_files import SameFiles
from batchgen.reconcile.search import Search
from batchgen.reconcile.unowned_editions import UnownedEditions, variants_of

_A_BREATH = 1_000  # jobs


class Preflight:
    """Compares planned jobs with one listing."""

    def __init__(
        self,
        *,
        journal: Journal,
        listing: Listing,
        prompts: Prompts,
        lessons: Lessons | None = None,
        sender: str = "",
        history: HistoryBuilder,
        record: Recorder,
    ) -> None:
        """Take a listing that is complete.

        Args:
            journal: what is ours already.
            listing: back to ``history.since``.
            prompts: those that became assets.
            lessons: what listings have taught so far; None to begin with nothing.
            sender: fingerprint of the key in use; empty where that is not known.
            history: composes what is recorded.
            record: records it.
        """
        self._journal = journal
        self._history = history
        self._record = record
        # a clock that says to be ahead may be wrong: it must not hide what is there
        self._window = Window(history.since + min(0.0, listing.skew) - BEFORE, math.inf)
        recent = filter(self._window.has, listing.rows.values())
        self._candidates = Candidates(recent, journal, prompts, lessons, sender=sender)
        self._concerned: set[JobKey] = set()
        self._files = SameFiles(prompts.generator)
        self._seeds = Seeds(
            candidates=self._candidates,
            history=history,
            record=record,
            window=self._window,
            blank=not journal.records(),
        )
        self.editions = UnownedEditions(
            journal=journal,
            candidates=self._candidates,
            history=history,
            generator=prompts.generator,
            seeds=self._seeds,
        )
        self.failed_rows = self._seeds.failed_rows
        self._explained: set[tuple[str, float]] = set()  # models and seeds of rows that are jobs' own

    async def read(self, entries: Iterable[Entry], *, editions: bool = True) -> None:
        """Fetch what is needed to tell rows from these jobs, their own files sent if need be.

        Args:
            entries: the jobs.
            editions: whether further editions are looked for, of these and of all that is on record.

        Raises:
            InputError: a file cannot be sent.
            ServiceError: a prompt that became an asset could not be read.
        """
        if not self._candidates.free():
            return
        planned: list[Entry] = []
        for number, entry in enumerate(entries):
            if number % _A_BREATH == 0:
                await asyncio.sleep(0)  # 100,000 seeds take a second: what runs is looked at meanwhile
            if self._is_concerned(entry):
                await self._read_for(entry)
            if entry.record.state is State.PLANNED:
                planned.append(entry)
        await self._files.read()
        if editions:
            await self.editions.read(planned, self._explained)

    async def _read_for(self, entry: Entry) -> None:
        """Fetch what is needed to tell rows from one job that some of them may be."""
        files = files_of(entry.job)
        if files and self._history.uploader:
            await self._history.uploader.ensure(files)
        if self._history.assets_of(entry.job) is None:
            return  # a run that has the files at hand will look
        self._concerned.add(entry.key)
        for attempt in self._seeds.attempts(self._as_bought(entry)):
            await self._candidates.read(attempt.sent)
            self._files.note(self._candidates, attempt)
            rows = self._fed(entry) if references_of(entry.job) and not attempt.derived else ()
            for row, _ in rows if len(rows) > 1 else ():
                await self.editions.look_at(row)

    def _as_bought(self, entry: Entry) -> Entry:
        """Return a child with what rows show to have gone in: it may be of another edition of its parent."""
        made = list(variants_of(entry.job, self._journal.records())) if entry.record.body is None else []
        for job in made if len(made) > 1 else ():
            child = replace(entry, job=job)
            if any(map(self._may_be_bought, self._seeds.attempts(child))):
                return child
        return entry

    def _may_be_bought(self, attempt: Attempt) -> bool:
        like, files = self._like(attempt), attempt.files
        return any(may_be_bought(attempt.sent, row, likeness, files) for row, likeness in like)

    def concerns(self, entry: Entry) -> bool:
        """Return whether some row may be this job, which was read for, or another edition of it."""
        if self.editions.has_of(entry):
            return True
        return entry.key in self._concerned and not any(map(self._is_ruled_out, self._seeds.attempts(entry)))

    def _is_ruled_out(self, attempt: Attempt) -> bool:
        return self._files.tell(attempt) and not self._like(attempt)

    def concerns_now(self, entry: Entry) -> bool:
        """Tell the same of another attempt."""
        return self.editions.has_of(entry) or (self.concerns(entry) and self._is_concerned(entry))

    def shown_cost(self, entry: Entry) -> Decimal | None:
        """Return the most that a row which may be this job shows as its cost; None where none shows any."""
        alike = (row for one in self._seeds.attempts(entry) for row, _ in self._like(one))
        return max((row.cost for row in alike if row.cost is not None), default=None)

    def may_have(self, entries: Iterable[Entry]) -> list[tuple[Entry, Decimal | None]]:
        """Return those of these jobs that a row may be, one a row, each with what it shows as its cost."""
        found, given = [], set[str]()
        for entry in filter(self.concerns, entries):
            rows = (
                row
                for one in self._seeds.attempts(entry)
                for row, likeness in self._like(one)
                if row.remote_id not in given and may_be_bought(one.sent, row, likeness, one.files)
            )
            if (row := next(rows, None)) is not None:
                given.add(row.remote_id)
                found.append((entry, row.cost))
        return found

    def take_in(self, entries: Iterable[Entry]) -> list[TakenIn]:
        """Adopt or hold what the service has of these jobs, which were read for; leave out the others.

        Raises:
            JournalError: what was found could not be recorded.
        """
        # since the listing others may have found theirs, and an answer may have told who we are
        self._candidates.refresh()
        taken: list[TakenIn] = []
        alike: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        concerned = [one for one in entries if self.concerns(one)]
        for entry in map(self._as_bought, concerned):
            if entry.key not in self._concerned:
                continue
            first = next(iter(self._seeds.attempts(entry)), None)
            if first is not None and first.derived:
                taken += self._seeds.adopt(entry)
            elif first is not None and entry.record.state is State.PLANNED:
                alike[entry.job.model, first.body].append(entry)
        for entries_alike in alike.values():
            taken += self._by_parents(entries_alike) or self._hold(entries_alike)
        return [*taken, *self.editions.take_in(concerned)]

    def rest(self) -> Candidates:
        """Return the rows of the listing, without those that were given to a job."""
        self._candidates.refresh()
        return self._candidates

    def take(self, *remote_ids: str) -> None:
        """Leave rows out that were given to a record by other means."""
        self._candidates.take(*remote_ids)

    def _is_concerned(self, entry: Entry) -> bool:
        """Tell cheaply whether any row may be this job: by a seed of its own, or by its prompt."""
        numbers = self._seeds.numbers(entry.record)
        seeds = [self._history.derived_seed(entry.key, entry.job, number) for number in numbers]
        if seeds and seeds[0] is None:
            return self._candidates.has_prompt(entry.job.model, entry.job.prompt)
        own = {(entry.job.model, float(seed)) for seed in seeds if seed is not None}
        shown = {one for one in own if self._candidates.has_seed(*one)}
        self._explained |= shown
        return bool(shown)

    def _like(self, attempt: Attempt) -> list[tuple[RemoteJob, Likeness]]:
        """Return the rows that are or may be an attempt's submission, its files sent again included."""
        return self._files.like(self._candidates, attempt)

    def _by_parents(self, entries: Sequence[Entry]) -> list[TakenIn]:
        """Adopt the rows of equal children that what went in proves to be theirs.

        One that was made again has more rows than there are jobs: the latest is its own. Of failed attempts
        the same could be said, so that with one of these among them nothing is certain.
        """
        rows = self._fed(entries[0])
        more = rows[len(entries) :]
        was_tried_again = bool(more) and any(row.status is not RemoteStatus.SUCCEEDED for row, _ in rows)
        if was_tried_again or self._claims(entries[0], self._now(entries[0])):
            return []
        jobs = [replace(entry, job=job) for entry, (_, job) in zip(entries, rows, strict=False)]
        jobs += self.editions.anew(entries, [job for _, job in more])
        taken = []
        for entry, (row, _) in zip(jobs, rows, strict=True):
            seen = self._seeds.seen.get(row.remote_id)
            life = self._history.adoption(self._now(entry), row, by="what went in", seen=seen)
            with suppress(RemoteIdTakenError):  # another batch's run was quicker
                taken.append(TakenIn(entry=self._record(entry, *life), rows=(row,)))
            self._candidates.take(row.remote_id)
        return taken

    def _fed(self, entry: Entry) -> list[tuple[RemoteJob, Job]]:
        """Return the rows of a child, oldest first, each with the job as it was sent."""
        found: dict[str, tuple[RemoteJob, Job]] = {}
        records = self._journal.records()
        for job in variants_of(entry.job, records):
            attempt = self._now(replace(entry, job=job))
            like = self._like(attempt)
            whose = self._candidates.ownership
            for row in fed_by_us(attempt, like, whose, records=records, window=self._window):
                found.setdefault(row.remote_id, (row, replace(job, id=entry.job.id)))
        return sorted(found.values(), key=lambda one: (one[0].created_at or 0.0, one[0].remote_id))

    def _hold(self, entries: Sequence[Entry]) -> list[TakenIn]:
        """Hold as many equal jobs as there are rows that no other job whose answer is due may claim."""
        attempt = self._now(entries[0])
        sent = attempt.sent
        matches = tuple(
            row for row, likeness in self._like(attempt) if may_be_bought(sent, row, likeness, attempt.files)
        )
        if not matches:
            return []
        free = len(matches) - self._claims(entries[0], attempt)
        return [
            TakenIn(entry=self._record(entry, *self._history.hold(self._now(entry), matches)), rows=matches)
            for entry in entries[: max(0, free)]
        ]

    def _now(self, entry: Entry) -> Attempt:
        return self._history.attempt(entry.key, entry.job, entry.record.attempt, entry.record)

    def _claims(self, entry: Entry, attempt: Attempt) -> int:
        """Count the jobs, of whatever batch, that miss the same body's answer and may have a row here."""
        held = (one for one in self._journal.records().values() if one.state is State.HELD)
        due = self._journal.unanswered_equals(entry.key, attempt.body)
        return sum(1 for one in (*held, *due) if self._may_claim(one, attempt))

    def _may_claim(self, record: Record, attempt: Attempt) -> bool:
        # the row of one that was sent before the window is not among these, and claims none of them
        recent = record.intent_at is None or record.intent_at >= self._history.since
        return recent and record.body == attempt.body and _model_of(record) == attempt.job.model


def _model_of(record: Record) -> str | None:
    return record.job.model if record.job else None


async def begin_preflight(
    search: Search,
    *,
    scope: Scope,
    models: Mapping[str, Model],
    began: float | None,
    uploader: Uploader | None = None,
    price: Price | None = None,
) -> Preflight:
    """List what may have been bought without the journal's knowledge.

    Args:
        search: what all who look in this run share.
        scope: where the records belong.
        models: of the jobs that may be submitted, by id.
        began: when the slot did; None where it has no beginning.
        uploader: knows the asset ids of local files; None where no job has any.
        price: what a job may cost; None where nobody knows.

    Raises:
        ServiceError: the listing could not be read.
    """
    ledger, journal = search.ledger, search.journal
    since = looks_back_to(
        journal.records().values(), began=began, now=ledger.now(), unfinished=journal.looking_since
    )
    begun = loop_time()
    listing = await read_listing(search.generator, since=since, clock=ledger)
    if isinstance(listing.broken, NotFoundError):
        ledger.observer.warned(f"the service lists no jobs, so none can be found again: {listing.broken}")
    elif listing.broken is not None:
        raise listing.broken
    for mark in listing.unreadable:
        search.lessons.note_unreadable(mark, at=begun)
    history = HistoryBuilder(
        scope=scope,
        models=models,
        skew=listing.skew,
        why="found at the service, but not in this journal",
        since=since,
        at=ledger.now(),
        uploader=uploader,
        price=price,
    )
    journal.look_began(since)
    if listing.rows and search.identification.is_wanted_by(search.sender):
        await search.identification.ask()  # else a row like a job of ours may be anybody's
    return Preflight(
        journal=journal,
        listing=listing,
        prompts=search.prompts,
        lessons=search.lessons,
        sender=search.sender,
        history=history,
        record=ledger.record,
    )
