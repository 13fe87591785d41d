"""The events of a recovery: a life for each job, as the service shows that it was.

Only what is recorded, and in which order, is decided here. A life is appended in one
transaction; a submission that belongs to another job of the journal is never taken from it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from batchgen.app.batch import Batch
from batchgen.app.unowned import UnownedRows
from batchgen.engine.listing import Listing
from batchgen.engine.reading import after_look
from batchgen.errors import RemoteIdTakenError
from batchgen.identity import compose_body, seed_for
from batchgen.lifecycle import (
    TRANSITIONS,
    Abandoned,
    Accepted,
    Adopted,
    AnswerLost,
    Collected,
    Event,
    Failed,
    Held,
    Record,
    Refused,
    RetryAsked,
    State,
    SubmitStarted,
    Succeeded,
    apply,
)
from batchgen.model import File, Job, JobKey, Model, RemoteJob
from batchgen.plan.auditing import authors_of, is_ours
from batchgen.plan.plan import Entry, make_plan
from batchgen.plan.recovery import Recalled
from batchgen.ports import Generator

LOOK_AHEAD = 5  # attempts after the last that is known: some may have been refused, and show no row

_UNSETTLED = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD})


class Fate(StrEnum):
    """What a recovery made of one job."""

    KNOWN = "known"
    RECOVERED = "recovered"
    ADOPTED = "adopted"
    IN_DOUBT = "in_doubt"
    GIVEN_UP = "given_up"
    HELD = "held"
    NOT_SHOWN = "not_shown"
    OF_ANOTHER = "of_another_job"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One job and what was made of it.

    Attributes:
        id: the job's.
        fate: what was made of it.
        remote_ids: its submission, or those that may be it.
        state: where the journal has it now; None where it is not recorded.
    """

    id: str
    fate: Fate
    remote_ids: tuple[str, ...] = ()
    state: State | None = None

    @property
    def needs_a_person(self) -> bool:
        """Whether nothing but a person's word settles it."""
        return self.state is State.HELD or self.fate in {Fate.HELD, Fate.NOT_SHOWN, Fate.OF_ANOTHER}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Try:
    """One attempt's body, and whether its seed was derived: nobody else sends that one."""

    number: int
    body: str
    seed: float | None
    derived: bool


class Rebuilder:
    """Records the lives of one batch's jobs, under its lock."""

    def __init__(
        self,
        batch: Batch,
        generator: Generator,
        *,
        listing: Listing,
        models: Mapping[str, Model],
        since: float,
        at: float,
    ) -> None:
        """Take what was asked already.

        Args:
            batch: whose journal is written.
            generator: asked for nothing but prompts that became assets.
            listing: complete, back to ``since``.
            models: those that the service describes, by id.
            since: before anything of the batch was submitted, seconds since the epoch.
            at: now.
        """
        self._batch = batch
        self._journal = batch.journal
        self._models = models
        self._since = since
        self._at = at
        self._skew = listing.skew
        owned = set(self._journal.owned([row.remote_id for row in listing.rows]))
        free = [row for row in listing.rows if row.remote_id not in owned]
        self._all = UnownedRows(generator, free)
        self._generator = generator
        self._free = free

    async def record(
        self, one: Recalled, looks: Mapping[str, RemoteJob], files: Sequence[File] | None
    ) -> Found:
        """Record one job that the results tell of.

        Raises:
            JournalError: it could not be recorded.
        """
        told, ids = one.told, (one.told.remote_id,) if one.told.remote_id else ()
        if one.known:
            state = self._journal.records()[one.key].state
            return Found(id=told.id, fate=Fate.KNOWN, remote_ids=ids, state=state)
        remote = looks.get(told.remote_id or "")
        if told.remote_id is not None and remote is None:
            return Found(id=told.id, fate=Fate.NOT_SHOWN, remote_ids=ids)
        life = self._doubtful(one) if remote is None else self._paid(one, remote, files)
        before = await self._earlier(one.key, one.job, upto=max(1, told.attempt))
        try:
            record = self._journal.append(one.key, *before, *life)
        except RemoteIdTakenError:
            return Found(id=told.id, fate=Fate.OF_ANOTHER, remote_ids=ids)
        for paid in record.submissions:
            self._all.take(paid.remote_id)
        doubt = Fate.GIVEN_UP if told.given_up else Fate.IN_DOUBT
        fate = doubt if remote is None else Fate.RECOVERED
        return Found(id=told.id, fate=fate, remote_ids=ids, state=record.state)

    def _started(self, job: Job, attempt: _Try, at: float) -> SubmitStarted:
        return SubmitStarted(at=at, job=job, attempt=attempt.number, body=attempt.body, seed=attempt.seed)

    def _paid(self, one: Recalled, remote: RemoteJob, files: Sequence[File] | None) -> list[Event]:
        told, number = one.told, max(1, one.told.attempt)
        at = self._at if told.submitted_at is None else told.submitted_at
        charged = told.charged if number == 1 else remote.cost  # what is told is of all attempts together
        sent = _Try(number=number, body=one.body, seed=told.seed, derived=False)
        life: list[Event] = [
            self._started(one.job, sent, at),
            Accepted(at=at, remote_id=remote.remote_id, charged=charged, author=remote.author),
        ]
        end = after_look(remote, at=self._at)
        if end is not None:
            life.append(end)
            if files and isinstance(end, Succeeded):
                life.append(Collected(at=self._at, files=tuple(files)))
        return life

    def _doubtful(self, one: Recalled) -> list[Event]:
        """Leave the doubt to the next run; when its body left is not told, so it may be long ago."""
        told = one.told
        sent = _Try(number=max(1, told.attempt), body=one.body, seed=told.seed, derived=False)
        life: list[Event] = [
            self._started(one.job, sent, self._since),
            AnswerLost(at=self._at, reason=told.error or "the journal was lost before the answer came"),
        ]
        if told.given_up:
            life += [Held(at=self._at, reason=told.error), Abandoned(at=self._at, reason=told.error)]
        return life

    async def _earlier(self, key: JobKey, job: Job, *, upto: int) -> list[Event]:
        """Give the attempts before one that is known: as listed, else as refused, which cost nothing."""
        record = self._journal.records().get(key, Record())
        events: list[Event] = []
        if record.state is not State.PLANNED:
            events.append(RetryAsked(at=self._since))
            record = apply(record, events[0])
        for number in range(record.attempt, upto):
            attempt = self._try(key, job, number, record)
            ended = await self._ended(attempt, job)
            unseen = Refused(at=self._since, reason="recovered: no submission of this attempt is known")
            events.append(self._started(job, attempt, self._since))
            events += [*(ended or [unseen]), RetryAsked(at=self._since)]
        return events

    async def _ended(self, attempt: _Try, job: Job) -> list[Event]:
        """Give the failed submission of an earlier attempt, if its seed names one."""
        if not attempt.derived:
            return []
        matches, _ = await self._all.with_seed(job.model, attempt.body, attempt.seed)
        for row in matches[:1]:
            end = after_look(row, at=self._at)
            if isinstance(end, Failed):
                return [self._accepted(row), end]
        return []

    def _try(self, key: JobKey, job: Job, number: int, record: Record) -> _Try:
        """Give the body of an attempt: the recorded one, else as it would be made."""
        model = self._models.get(job.model)
        seed = None if model is None else seed_for(job, model, self._batch.scope, key, number)
        derived = seed is not None and "seed" not in job.params
        if number == record.attempt and record.body is not None:
            return _Try(number=number, body=record.body, seed=record.seed, derived=derived)
        return _Try(number=number, body=compose_body(job, seed), seed=seed, derived=derived)

    def _created(self, row: RemoteJob) -> float:
        """Give the row's date by our clock."""
        return self._at if row.created_at is None else min(self._at, row.created_at - self._skew)

    def _accepted(self, row: RemoteJob) -> Accepted:
        return Accepted(at=self._created(row), remote_id=row.remote_id, charged=row.cost, author=row.author)

    async def take_in_the_rest(self) -> list[Found]:
        """Look among the listed rows for jobs that the journal still takes for planned.

        Raises:
            ServiceError: a prompt that became an asset could not be read.
            JournalError: what was found could not be recorded.
        """
        records = self._journal.records()
        authors = authors_of(records.values())
        owned = set(self._journal.owned([row.remote_id for row in self._free]))
        ours = [row for row in self._free if row.remote_id not in owned and is_ours(row, authors)]
        rows = UnownedRows(self._generator, ours)
        plan = make_plan(self._batch.manifest.jobs, records)
        found: list[Found] = []
        alike: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in plan.entries:
            first = self._try(entry.key, entry.job, entry.record.attempt, entry.record)
            if first.derived:
                found += await self._by_seed(entry, rows)
            elif entry.record.state is State.PLANNED:
                alike[entry.job.model, first.body].append(entry)
        claimed = Counter(
            (record.job.model, record.body)
            for record in self._journal.records().values()
            if record.state in _UNSETTLED and record.job is not None
        )
        for (model, body), entries in alike.items():
            matches = await rows.with_prompt(model, body, entries[0].job.prompt)
            found += self._hold(entries, matches, claimed=claimed[model, body])
        return found

    def held_before(self) -> list[Found]:
        """Give the jobs that wait for a person already."""
        return [
            Found(id=record.job.id, fate=Fate.KNOWN, state=record.state)
            for record in self._journal.records().values()
            if record.state is State.HELD and record.job is not None
        ]

    async def _by_seed(self, entry: Entry, rows: UnownedRows) -> list[Found]:
        """Adopt the attempts of one job that its seeds name; hold it where only the seed agrees."""
        found: list[Found] = []
        record = entry.record
        while record.state is State.PLANNED or RetryAsked in TRANSITIONS[record.state]:
            one = await self._next_by_seed(entry, record, rows)
            if one is None:
                break
            found.append(one)
            record = self._journal.records()[entry.key]
        return found

    async def _next_by_seed(self, entry: Entry, record: Record, rows: UnownedRows) -> Found | None:
        first = record.attempt + (record.state is not State.PLANNED)
        for number in range(first, first + LOOK_AHEAD):
            attempt = self._try(entry.key, entry.job, number, record)
            matches, near = await rows.with_seed(entry.job.model, attempt.body, attempt.seed)
            if len({row.author for row in matches}) > 1:
                near, matches = matches, []  # another key with a batch of this name derives the same seed
            if not (matches or near):
                continue
            life = await self._earlier(entry.key, entry.job, upto=number)
            life += self._adoption(entry.job, attempt, matches[0]) if matches else []
            life += [] if matches else self._held(entry.job, attempt, near)
            for row in matches[:1]:
                rows.take(row.remote_id)
            record = self._journal.append(entry.key, *life)
            return Found(
                id=entry.job.id,
                fate=Fate.ADOPTED if matches else Fate.HELD,
                remote_ids=tuple(row.remote_id for row in (matches[:1] or near)),
                state=record.state,
            )
        return None

    def _adoption(self, job: Job, attempt: _Try, row: RemoteJob) -> list[Event]:
        at = self._created(row)
        end = after_look(row, at=self._at)
        if isinstance(end, Succeeded) and not row.asset_ids:
            end = None  # a row may be behind on what came out: the next run looks at the job itself
        adopted = Adopted(
            at=at,
            remote_id=row.remote_id,
            charged=row.cost,
            author=row.author,
            evidence={"by": "recovery", "created_at": row.created_at, "skew": self._skew},
        )
        lost = AnswerLost(at=at, reason="the journal was lost")
        return [self._started(job, attempt, at), lost, adopted, *([] if end is None else [end])]

    def _held(self, job: Job, attempt: _Try, rows: Sequence[RemoteJob]) -> list[Event]:
        at = min(self._created(row) for row in rows)
        names = ", ".join(row.remote_id for row in rows)
        return [
            self._started(job, attempt, at),
            AnswerLost(at=self._at, reason="the journal was lost"),
            Held(at=self._at, reason=f"the journal was lost, and {names} may be this job or somebody else's"),
        ]

    def _hold(self, entries: Sequence[Entry], matches: Sequence[RemoteJob], *, claimed: int) -> list[Found]:
        """Hold as many equal jobs as there are rows that no other job in doubt may claim."""
        found, ids = [], tuple(row.remote_id for row in matches)
        for entry in entries[: max(0, len(matches) - claimed)]:
            attempt = self._try(entry.key, entry.job, entry.record.attempt, entry.record)
            record = self._journal.append(entry.key, *self._held(entry.job, attempt, matches))
            found.append(Found(id=entry.job.id, fate=Fate.HELD, remote_ids=ids, state=record.state))
        return found
