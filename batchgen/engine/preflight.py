"""What a run looks at before it buys: whether the service has its jobs already.

A journal that was lost, or replaced by an older copy, takes what is paid for to be planned.
So before the first submit the service's listing is held against the planned jobs: what is
recognised by its derived seed is adopted, what only looks the same is held for a person.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from batchgen.engine.ledger import Ledger
from batchgen.engine.likeness import BEFORE
from batchgen.engine.listing import Listing, read_listing
from batchgen.engine.lives import Attempt, Lives
from batchgen.engine.policy import World
from batchgen.engine.reading import after_look
from batchgen.engine.unowned import UnownedRows
from batchgen.errors import NotFoundError, RemoteIdTakenError
from batchgen.identity import files_of
from batchgen.lifecycle import TRANSITIONS, Event, Failed, Record, RetryAsked, State
from batchgen.model import JobKey, Model, RemoteJob, Scope, Text
from batchgen.plan.auditing import is_ours
from batchgen.plan.plan import Entry
from batchgen.ports import Generator, Journal

LOOK_AHEAD = 5  # attempts after the last that is known: some may have been refused, and show no row
MARGIN = 600.0  # seconds before the last that is known of: a copy may lack what came then
_A_BREATH = 1_000  # jobs
BLIND = 24 * 3600.0  # seconds to look back where nothing is known


class Recorder(Protocol):
    """Records events of one job, all or none, and gives the job as it stands after them."""

    def __call__(self, entry: Entry, *events: Event) -> Entry:
        """Record them.

        Raises:
            RemoteIdTakenError: a submission in them belongs to another job.
            JournalError: nothing was recorded.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenIn:
    """A job that was planned, and is bought already or may be.

    Attributes:
        entry: with its new record.
        rows: its submission, or those that may be it.
    """

    entry: Entry
    rows: tuple[RemoteJob, ...]

    @property
    def held(self) -> bool:
        """Whether only a person can say."""
        return self.entry.record.state is State.HELD


def looks_back_to(
    records: Iterable[Record], *, began: float | None, now: float, unfinished: float | None = None
) -> float:
    """Say since when jobs may have been bought that the journal does not know; our clock.

    Args:
        records: of the scope.
        began: when the slot did; None where it has no beginning.
        now: our clock.
        unfinished: how far back a look was to go that was cut off; None if none was.
    """
    # what a run records of jobs in doubt before it looks says nothing of what it lost: intents alone count
    intents = [record.intent_at for record in records if record.intent_at is not None]
    # what was bought since a loss must not hide what was lost: a day is looked through whatever is known
    blind = now - BLIND if began is None else max(began, now - BLIND)
    since = min(blind, max(intents) - MARGIN) if intents else (now - BLIND if began is None else began)
    return since if unfinished is None else min(since, unfinished)


class Preflight:
    """Holds planned jobs against one listing."""

    def __init__(
        self, *, generator: Generator, journal: Journal, listing: Listing, lives: Lives, record: Recorder
    ) -> None:
        """Take a listing that is complete.

        Args:
            generator: asked for nothing but prompts that became assets.
            journal: what is ours already.
            listing: back to ``lives.since``.
            lives: composes what is recorded.
            record: records it.
        """
        self._journal = journal
        self._blank = not journal.records()
        self._lives = lives
        self._record = record
        # a clock that says to be ahead may be wrong: it must not hide what is there
        earliest = lives.since + min(0.0, listing.skew) - BEFORE
        recent = {
            row.remote_id: row for row in listing.rows if row.created_at is None or row.created_at >= earliest
        }
        known = set(journal.owned(list(recent)))
        free = (row for remote_id, row in recent.items() if remote_id not in known)
        self._rows = UnownedRows(generator, [row for row in free if is_ours(row, journal.authors)])
        self._listed = recent
        self._concerned: set[JobKey] = set()

    async def read(self, entries: Iterable[Entry]) -> None:
        """Fetch what is needed to tell rows from these jobs, their own files sent if need be.

        Raises:
            InputError: a file cannot be sent.
            ServiceError: a prompt that became an asset could not be read.
        """
        for number, entry in enumerate(entries if self._rows else ()):
            if number % _A_BREATH == 0:
                await asyncio.sleep(0)  # 100,000 seeds take a second: what runs is looked at meanwhile
            if not self._is_concerned(entry):
                continue
            files = files_of(entry.job)
            if files and self._lives.uploader:
                await self._lives.uploader.ensure(files)
            if self._lives.assets_of(entry.job) is None:
                continue  # a run that has the files at hand will look
            self._concerned.add(entry.key)
            for attempt in self._attempts(entry):
                await self._rows.read(attempt.wanted)

    def concerns(self, entry: Entry) -> bool:
        """Tell whether some row may be this job, which was read for."""
        return entry.key in self._concerned

    def concerns_now(self, entry: Entry) -> bool:
        """Tell the same of another attempt."""
        return entry.key in self._concerned and self._is_concerned(entry)

    def take_in(self, entries: Iterable[Entry]) -> list[TakenIn]:
        """Adopt or hold what the service has of these jobs, which were read for; leave out the others.

        Raises:
            JournalError: what was found could not be recorded.
        """
        # since the listing others may have found theirs, and an answer may have told who we are
        authors, owned = self._journal.authors, self._journal.owned(list(self._listed))
        foreign = (one.remote_id for one in self._listed.values() if not is_ours(one, authors))
        self._rows.take(*owned, *foreign)
        taken: list[TakenIn] = []
        alike: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in filter(self.concerns, entries):
            first = next(iter(self._attempts(entry)), None)
            if first is not None and first.derived:
                taken += self._by_seed(entry)
            elif first is not None and entry.record.state is State.PLANNED:
                alike[entry.job.model, first.body].append(entry)
        for entries_alike in alike.values():
            taken += self._hold(entries_alike)
        return taken

    @property
    def texts(self) -> Mapping[str, Text]:
        """The prompts that became assets, as far as they were fetched."""
        return self._rows.texts

    def free_rows(self) -> list[RemoteJob]:
        """Give the rows that belong to no record now."""
        self._rows.take(*self._journal.owned(list(self._listed)))
        return self._rows.left()

    def take(self, *remote_ids: str) -> None:
        """Leave rows out that were given to a record by other means."""
        self._rows.take(*remote_ids)

    def failed_rows(self, entry: Entry, *, upto: int) -> dict[int, RemoteJob]:
        """Give the failed submissions of attempts before one that is known, by number."""
        found = {}
        for number in range(entry.record.attempt, upto):
            attempt = self._lives.attempt(entry.key, entry.job, number, entry.record)
            matches, _ = self._rows.with_seed(attempt.wanted)
            if matches and isinstance(after_look(matches[0], at=self._lives.at), Failed):
                found[number] = matches[0]
        return found

    def _is_concerned(self, entry: Entry) -> bool:
        """Tell cheaply whether any row may be this job: by a seed of its own, or by its prompt."""
        numbers = self._numbers(entry.record)
        seeds = [self._lives.derived_seed(entry.key, entry.job, number) for number in numbers]
        if seeds and seeds[0] is None:
            return self._rows.has_prompt(entry.job.model, entry.job.prompt)
        return any(self._rows.has_seed(entry.job.model, seed) for seed in seeds if seed is not None)

    def _numbers(self, record: Record) -> range:
        if record.state is not State.PLANNED and RetryAsked not in TRANSITIONS[record.state]:
            return range(0)
        first = record.attempt + (record.state is not State.PLANNED)
        return range(first, first + LOOK_AHEAD)

    def _attempts(self, entry: Entry) -> Iterable[Attempt]:
        """Give the attempts that the service may have and the journal may not know."""
        for number in self._numbers(entry.record):
            yield (attempt := self._lives.attempt(entry.key, entry.job, number, entry.record))
            if not attempt.derived:
                return  # every attempt has the same body

    def _by_seed(self, entry: Entry) -> list[TakenIn]:
        """Adopt the attempts of one job that its seeds name; hold it where only the seed agrees."""
        taken: list[TakenIn] = []
        while (one := self._next_by_seed(entry)) is not None:
            taken.append(one)
            entry = one.entry
        return taken

    def _next_by_seed(self, entry: Entry) -> TakenIn | None:
        for attempt in self._attempts(entry):
            matches, near = self._rows.with_seed(attempt.wanted)
            doubtful = not (self._blank or self._journal.authors)  # nothing says yet whose they are
            if len({row.author for row in matches}) > 1 or doubtful:
                near, matches = matches, []  # another key with a batch of this name derives the same seed
            if not (matches or near):
                continue
            failed = self.failed_rows(entry, upto=attempt.number)
            life = self._lives.earlier(entry.key, entry.job, entry.record, failed, upto=attempt.number)
            rows = tuple(matches[:1] or near)
            life += (
                self._lives.adoption(attempt, rows[0], by="seed")
                if matches
                else self._lives.hold(attempt, rows)
            )
            try:
                recorded = self._record(entry, *life)
            except RemoteIdTakenError:  # another batch's run was quicker
                self._rows.take(*(row.remote_id for row in rows))
                return self._next_by_seed(entry)
            self._rows.take(*(row.remote_id for row in (*rows[: len(matches)], *failed.values())))
            return TakenIn(entry=recorded, rows=rows)
        return None

    def _hold(self, entries: Sequence[Entry]) -> list[TakenIn]:
        """Hold as many equal jobs as there are rows that no other job whose answer is due may claim."""
        attempt = self._lives.attempt(
            entries[0].key, entries[0].job, entries[0].record.attempt, entries[0].record
        )
        matches = tuple(self._rows.with_prompt(attempt.wanted))
        if not matches:
            return []
        free = len(matches) - self._claims(entries[0], attempt)
        return [
            TakenIn(entry=self._record(entry, *self._lives.hold(attempt, matches)), rows=matches)
            for entry in entries[: max(0, free)]
        ]

    def _claims(self, entry: Entry, attempt: Attempt) -> int:
        """Count the jobs, of whatever batch, that miss the same body's answer and may have a row here."""
        held = (one for one in self._journal.records().values() if one.state is State.HELD)
        due = self._journal.unanswered_equals(entry.key)
        return sum(1 for one in (*held, *due) if self._may_claim(one, attempt))

    def _may_claim(self, record: Record, attempt: Attempt) -> bool:
        # the row of one that was sent before the window is not among these, and claims none of them
        recent = record.intent_at is None or record.intent_at >= self._lives.since
        return recent and record.body == attempt.body and _model_of(record) == attempt.job.model


def _model_of(record: Record) -> str | None:
    return record.job.model if record.job else None


async def begin_preflight(
    world: World, ledger: Ledger, *, scope: Scope, models: Mapping[str, Model], began: float | None
) -> Preflight:
    """List what may have been bought without the journal's knowledge.

    Args:
        world: the ports.
        ledger: where what is found is recorded.
        scope: where the records belong.
        models: of the jobs that may be submitted, by id.
        began: when the slot did; None where it has no beginning.

    Raises:
        ServiceError: the listing could not be read.
    """
    journal = world.journal
    since = looks_back_to(
        journal.records().values(), began=began, now=ledger.now(), unfinished=journal.looking_since
    )
    listing = await read_listing(world.generator, since=since, clock=ledger)
    if listing.broken is not None and listing.skew:
        # what is wrong may be no more than the dates that were asked for
        listing = await read_listing(world.generator, since=since, clock=ledger, skew=listing.skew)
    if isinstance(listing.broken, NotFoundError):
        ledger.observer.troubled(f"the service lists no jobs, so none can be found again: {listing.broken}")
    elif listing.broken is not None:
        raise listing.broken
    lives = Lives(
        scope=scope,
        models=models,
        skew=listing.skew,
        why="the journal does not know it",
        since=since,
        at=ledger.now(),
        uploader=world.uploader,
    )
    journal.look_began(since)
    return Preflight(
        generator=world.generator, journal=journal, listing=listing, lives=lives, record=ledger.record
    )
