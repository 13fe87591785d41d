"""Listed rows that are further editions of our jobs, and that no record has.

A journal that was lost, or put back to before a job was made again, knows nothing of them. Each is known by
its seed, which was derived from its ordinal; what has no seed of its own is not looked for here.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice, product

from batchgen.errors import NotFoundError
from batchgen.identity import references_of
from batchgen.lifecycle import RedoAsked
from batchgen.model import Job, JobKey, RemoteJob
from batchgen.planning.editions import Shelf, free_ordinal, unlinked
from batchgen.planning.parent_assets import bound
from batchgen.planning.plan import Entry
from batchgen.ports import Generator, Journal
from batchgen.reconcile.attempt_rows import Seeds, TakenIn
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.history import BEYOND, LOOK_AHEAD, Attempt, HistoryBuilder
from batchgen.reconcile.matching import Likeness, asset_prompt, loosely, seed_in
from batchgen.record import DONE, Record, State

_UNSEEN = 2  # attempts that may show no row: one that was refused
_A_BREATH = 1_000  # jobs
_MOST_VARIANTS = 64
_LATER = float("inf")  # a moment at which no success is young any more: what it shows is all that it has


@dataclass(slots=True)
class _Asked:
    """What some jobs ask for, and the ordinals that are theirs."""

    job: Job
    ordinals: set[int] = field(default_factory=set)


class UnownedEditions:
    """Finds them in one listing.

    Attributes:
        recorded: whether any was, so that another plan than before goes on with them.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        candidates: Candidates,
        history: HistoryBuilder,
        generator: Generator,
        seeds: Seeds,
    ) -> None:
        """Take the rows of one listing and what is on record.

        Args:
            journal: what is ours already.
            candidates: the rows.
            history: composes what is recorded.
            generator: is asked what became of a submission.
            seeds: adopts what a seed names.
        """
        self.recorded = False
        self._journal = journal
        self._candidates = candidates
        self._history = history
        self._generator = generator
        self._seeds = seeds
        self._found: dict[JobKey, Entry] = {}
        self._contents: set[str] = set()
        self._rows: _Rows | None = None
        self._may_be_unlinked = True

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._found)

    def has_of(self, entry: Entry) -> bool:
        """Return whether there are any that ask for the same as a job."""
        return entry.key.content in self._contents

    async def read(self, entries: Iterable[Entry], explained: Collection[tuple[str, float]]) -> None:
        """Find the rows, and ask the service what became of them.

        Args:
            entries: jobs that are planned.
            explained: models and seeds of rows that are those jobs' own.

        Raises:
            ServiceError: a row could not be read.
        """
        entries = [one for one in entries if self._history.assets_of(one.job) is not None]
        recorded = self._rows is None  # once: chains are read for step by step
        if self._rows is None:
            self._rows = _Rows(self._candidates.free(), explained)
        rows, asked_for = self._rows, self._asked(entries, self._rows, recorded=recorded)
        for number, (content, asked) in enumerate(asked_for.items()):
            if number % _A_BREATH == 0:
                await asyncio.sleep(0)  # a hundred thousand take a while: what runs is looked at meanwhile
            await self._search(content, asked, rows)
        records = self._journal.records()
        for entry in filter(self.has_of, entries):
            for job in variants_of(entry.job, records):
                for attempt in self._seeds.attempts(replace(entry, job=job)):
                    await self.ask_after(attempt)

    def take_in(self, entries: Iterable[Entry]) -> list[TakenIn]:
        """Adopt the editions that were found: in place of a job of which nothing else is there, or beside it.

        What is adopted is owned from then on; that it is the job's own is recorded next.
        """
        found = sorted(self._found.values(), key=lambda one: one.key.ordinal)
        self._found, self._contents = {}, set()
        records = self._journal.records()
        left = [one for one in entries if records.get(one.key, one.record).state is State.PLANNED]
        taken: list[TakenIn] = []
        for one in found:
            same = next((each for each in left if each.key.content == one.key.content), None)
            edition = (
                edition_of(one, records)
                if same is None
                else replace(one, job=replace(one.job, id=same.job.id))
            )
            adopted = self._seeds.adopt(edition, certain=same is None) if one.key not in records else []
            if same is not None and adopted:
                left.remove(same)
            taken += adopted
            self.recorded |= bool(adopted)
        if found or self._may_be_unlinked:
            self._link(records)
        return taken

    def _link(self, records: Mapping[JobKey, Record]) -> None:
        """Tell first editions of those that they do not tell of: a kill may have come between."""
        self._may_be_unlinked = False
        for head, ordinal in list(unlinked(records)):
            if ordinal not in records[head].editions:
                self._journal.append(head, RedoAsked(at=self._history.at, ordinal=ordinal))
                self.recorded = True

    async def ask_after(self, attempt: Attempt) -> None:
        """Ask what became of an attempt that a row shows: only of a success it is known that it was one."""
        for row in self._matching(attempt):
            await self.look_at(row)

    async def look_at(self, row: RemoteJob) -> None:
        """Ask the service for a submission itself, once.

        Raises:
            ServiceError: it could not be asked.
        """
        if row.remote_id not in self._seeds.seen:
            with suppress(NotFoundError):
                self._seeds.seen[row.remote_id] = await self._generator.job(row.remote_id)

    def anew(self, entries: Sequence[Entry], jobs: Sequence[Job]) -> list[Entry]:
        """Return new editions, of the first of some equal jobs, that were sent like this."""
        self._may_be_unlinked |= bool(jobs)
        content, records = entries[0].key.content, self._journal.records()
        taken = [*records, *(one.key for one in entries)]
        first = free_ordinal(content, taken, Shelf(records))
        keys = [JobKey(content, first + number) for number in range(len(jobs))]
        return [Entry(key=key, job=job, wanted=False) for key, job in zip(keys, jobs, strict=True)]

    def _asked(self, entries: Iterable[Entry], rows: "_Rows", *, recorded: bool) -> dict[str, _Asked]:
        """Return what is asked for by jobs that some of these rows may be editions of."""
        found: dict[str, _Asked] = {}
        if not rows:
            return found
        records = self._journal.records().items()
        planned = ((one.key, one.job) for one in entries if rows.may_have(one.job))
        bought = ((key, one.job) for key, one in records if one.body is not None) if recorded else ()
        for key, job in (*planned, *bought):
            if job is not None and (key.content in found or rows.may_have(job)):
                found.setdefault(key.content, _Asked(job)).ordinals.add(key.ordinal)
        if found and not recorded:
            for key, one in records:
                if key.content in found and one.body is not None:
                    found[key.content].ordinals.add(key.ordinal)
        return found

    async def _search(self, content: str, asked: _Asked, rows: "_Rows") -> None:
        ordinal, last = 0, max(asked.ordinals)
        while ordinal <= last + BEYOND:
            key = JobKey(content, ordinal)
            ordinal += 1
            if key.ordinal in asked.ordinals or key in self._found:
                continue
            edition = await self._edition(key, asked.job, rows)
            if edition is not None:
                self._found[key] = edition
                self._contents.add(content)
                last = max(last, key.ordinal)

    async def _edition(self, key: JobKey, job: Job, rows: "_Rows") -> Entry | None:
        """Return an edition of a job that a row shows; None where none does."""
        numbers = self._shown(key, job, rows)
        found = None
        for variant in variants_of(job, self._journal.records()) if numbers else ():
            if self._history.assets_of(variant) is None:
                continue
            for number in numbers:
                attempt = self._history.attempt(key, variant, number, Record())
                await self._candidates.read(attempt.sent)
                if self._matching(attempt):
                    await self.ask_after(attempt)
                    found = found or Entry(key=key, job=variant, wanted=False)
        return found

    def _shown(self, key: JobKey, job: Job, rows: "_Rows") -> list[int]:
        """Return the attempts at an edition whose seeds rows show."""
        numbers: list[int] = []
        for number in range(1, LOOK_AHEAD + 1):
            seed = self._history.derived_seed(key, job, number)
            if seed is None or number > len(numbers) + _UNSEEN:
                break
            if (job.model, float(seed)) in rows.seeds:
                numbers.append(number)
        return numbers

    def _matching(self, attempt: Attempt) -> list[RemoteJob]:
        return [
            row
            for row, likeness in self._candidates.like(attempt.sent)
            if likeness is Likeness.MATCH and seed_in(row.inputs or {}) == attempt.seed
        ]


class _Rows:
    """The rows with a seed that no job explains."""

    def __init__(self, rows: Iterable[RemoteJob], explained: Collection[tuple[str, float]]) -> None:
        self.seeds: set[tuple[str, float]] = set()
        self._prompts: set[tuple[str, str | None]] = set()
        for row in rows:
            inputs = row.inputs or {}
            model, seed, prompt = inputs.get("modelId"), seed_in(inputs), inputs.get("prompt")
            if not isinstance(model, str) or seed is None or (model, seed) in explained:
                continue
            self.seeds.add((model, seed))
            shown = isinstance(prompt, str) and asset_prompt(row) is None
            self._prompts.add((model, loosely(str(prompt)) if shown else None))

    def __bool__(self) -> bool:
        return bool(self.seeds)

    def may_have(self, job: Job) -> bool:
        """Return whether one of them may be by a job with this prompt."""
        prompt = None if job.prompt is None else loosely(job.prompt)
        return (job.model, prompt) in self._prompts or (job.model, None) in self._prompts


def variants_of(job: Job, records: Mapping[JobKey, Record]) -> Iterator[Job]:
    """Return a job as it is, and with what each edition of its parents has brought.

    Args:
        job: what came out of its parents is in it, if it has any.
        records: the journal's.
    """
    yield job
    named = {one.job: one.key for one in references_of(job) if one.key is not None}
    if not named:
        return
    shelf = Shelf(records)
    choices = ([(one, records[one]) for one in shelf.of(key).all if one in records] for key in named.values())
    for some in islice(product(*choices), _MOST_VARIANTS):
        made = bound(job, dict(zip(named, some, strict=True)).get, now=_LATER)
        if made is not None and made != job:
            yield made


def edition_of(found: Entry, records: Mapping[JobKey, Record]) -> Entry:
    """Return an edition under the name of its job: among equals of one that has some, or of the first."""
    shelf = Shelf(records)
    known = shelf.head(found.key)
    heads = [key for key in records if key.content == found.key.content and not shelf.is_later(key)]
    heads.sort(key=lambda key: (key != known, not records[key].editions, key.ordinal))
    names = (job.id for key in heads if records[key].state in DONE and (job := records[key].job) is not None)
    return replace(found, job=replace(found.job, id=next(names, found.job.id)))
