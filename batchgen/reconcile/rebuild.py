"""The events of a recovery: a history for each job, as the service shows that it was.

Only what is recorded, and in which order, is decided here. A history is appended in one
transaction; a submission that belongs to another job of the journal is never taken from it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from batchgen.errors import RemoteIdTakenError
from batchgen.interpret import after_look
from batchgen.lifecycle import (
    Abandoned,
    Accepted,
    AnswerLost,
    Collected,
    Event,
    Held,
    Record,
    State,
    SubmitStarted,
    Succeeded,
)
from batchgen.model import File, Job, JobKey, Model, RemoteJob, Scope
from batchgen.planning.make_plan import make_plan
from batchgen.planning.parent_assets import bound
from batchgen.planning.plan import Entry
from batchgen.planning.yields import kind_of
from batchgen.ports import Journal
from batchgen.reconcile.attempt_rows import TakenIn
from batchgen.reconcile.history import Attempt, HistoryBuilder
from batchgen.reconcile.listing import Listing
from batchgen.reconcile.preflight import Preflight
from batchgen.reconcile.prompts import Prompts
from batchgen.reconcile.recall import Recalled
from batchgen.reconcile.saved_editions import editions_among, order_of


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
class Rebuilt:
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


class Rebuilder:
    """Records the lives of one batch's jobs, under its lock."""

    def __init__(
        self,
        *,
        scope: Scope,
        jobs: Sequence[Job],
        journal: Journal,
        prompts: Prompts,
        listing: Listing,
        models: Mapping[str, Model],
        since: float,
        at: float,
    ) -> None:
        """Take what was asked already.

        Args:
            scope: where the records belong.
            jobs: the manifest's.
            journal: which is written.
            prompts: those that became assets.
            listing: complete, back to ``since``.
            models: those that the service describes, by id.
            since: before anything of the batch was submitted, seconds since the epoch.
            at: now.
        """
        self._jobs = jobs
        self._journal = journal
        self._since = since
        self._at = at
        self._history = HistoryBuilder(
            scope=scope,
            models=models,
            skew=listing.skew,
            why="the journal was lost",
            since=since,
            at=at,
        )
        self._preflight = Preflight(
            journal=journal,
            listing=listing,
            prompts=prompts,
            history=self._history,
            record=self._record_entry,
        )

    def _record_entry(self, entry: Entry, *events: Event) -> Entry:
        return replace(entry, record=self._journal.append(entry.key, *events))

    async def record(
        self, one: Recalled, looks: Mapping[str, RemoteJob], files: Sequence[File] | None
    ) -> Rebuilt:
        """Record one job that the results have.

        Raises:
            JournalError: it could not be recorded.
        """
        saved, ids = one.saved, (one.saved.remote_id,) if one.saved.remote_id else ()
        if one.known:
            state = self._journal.records()[one.key].state
            return Rebuilt(id=saved.id, fate=Fate.KNOWN, remote_ids=ids, state=state)
        remote = looks.get(saved.remote_id or "")
        if saved.remote_id is not None and remote is None:
            return Rebuilt(id=saved.id, fate=Fate.NOT_SHOWN, remote_ids=ids)
        earlier = await self._earlier(one)
        life = self._doubtful(one) if remote is None else self._paid(one, remote, files, earlier)
        try:
            record = self._journal.append(one.key, *earlier, *life)
        except RemoteIdTakenError:
            return Rebuilt(id=saved.id, fate=Fate.OF_ANOTHER, remote_ids=ids)
        self._preflight.take(*(paid.remote_id for paid in record.submissions))
        doubt = Fate.GIVEN_UP if saved.given_up else Fate.IN_DOUBT
        fate = doubt if remote is None else Fate.RECOVERED
        return Rebuilt(id=saved.id, fate=fate, remote_ids=ids, state=record.state)

    def put_in_order(self, recalled: Sequence[Recalled]) -> None:
        """Record of each job that was made again which edition is its own; once is as good as twice.

        Raises:
            JournalError: it could not be recorded.
        """
        for some in editions_among(recalled):
            found = order_of(some, self._journal.records(), at=self._at)
            if found is not None:
                head, notes = found
                self._journal.append(head, *notes)

    async def _earlier(self, one: Recalled) -> list[Event]:
        known = self._journal.records().get(one.key, Record())
        entry, upto = Entry(key=one.key, job=one.job, record=known), max(1, one.saved.attempt)
        await self._preflight.read([entry], editions=False)
        failed = self._preflight.failed_rows(entry, upto=upto)
        return self._history.earlier(one.key, one.job, known, failed, upto=upto)

    def _sent(self, one: Recalled) -> Attempt:
        saved = one.saved
        return Attempt(
            job=one.job, number=max(1, saved.attempt), body=one.body, seed=saved.seed, derived=False
        )

    def _started(self, one: Recalled, at: float) -> SubmitStarted:
        """Return the intent, with what was held against a budget: a doubt goes on holding it."""
        quoted = one.saved.quoted
        return replace(self._history.started(self._sent(one), at), quoted=quoted, reserved=quoted)

    def _paid(
        self, one: Recalled, remote: RemoteJob, files: Sequence[File] | None, earlier: Sequence[Event]
    ) -> list[Event]:
        saved = one.saved
        at = self._at if saved.submitted_at is None else saved.submitted_at
        life: list[Event] = [
            self._started(one, at),
            Accepted(
                at=at,
                remote_id=remote.remote_id,
                charged=charged_at_first(saved.charged, remote.cost, earlier),
                author=remote.author,
                quoted=saved.quoted,
            ),
        ]
        asked = kind_of(one.job.model, one.body, self._history.models.get(one.job.model)).asked
        end = after_look(remote, at=self._at, expected=asked)
        if end is not None:
            life.append(end)
            if files and isinstance(end, Succeeded):
                life.append(Collected(at=self._at, files=tuple(files)))
        return life

    def _doubtful(self, one: Recalled) -> list[Event]:
        """Leave the doubt to the next run; when its body left is not known, so it may be long ago."""
        saved = one.saved
        life: list[Event] = [
            self._started(one, self._since),
            AnswerLost(at=self._at, reason=saved.error or "the journal was lost before the answer came"),
        ]
        if saved.given_up:
            life += [Held(at=self._at, reason=saved.error), Abandoned(at=self._at, reason=saved.error)]
        return life

    async def take_in_the_rest(self) -> list[Rebuilt]:
        """Look among the listed rows for jobs that the journal still takes for planned.

        Raises:
            ServiceError: a prompt that became an asset could not be read.
            JournalError: what was found could not be recorded.
        """
        found: list[Rebuilt] = []
        looked_for = set[JobKey]()
        while entries := [one for one in self._known_entries() if one.key not in looked_for]:
            looked_for.update(one.key for one in entries)
            await self._preflight.read(entries)
            found += map(_taken_in, self._preflight.take_in(entries))
        return found

    def _known_entries(self) -> Iterator[Entry]:
        """Return the jobs of which it is known what they would send: of a chain one step more each time."""
        plan = make_plan(self._jobs, self._journal.records(), now=self._at)
        records = {one.job.id: (one.key, one.record) for one in plan.entries}
        for place, entry in enumerate(plan.entries):
            if place not in plan.lineage.parents:
                yield entry
            elif entry.record.body is not None and entry.record.job is not None:
                yield replace(entry, job=entry.record.job)
            elif (job := bound(entry.job, records.get, now=self._at)) is not None:
                yield replace(entry, job=job)

    def held_before(self) -> list[Rebuilt]:
        """Return the jobs that wait for a person already."""
        return [
            Rebuilt(id=record.job.id, fate=Fate.KNOWN, state=record.state)
            for record in self._journal.records().values()
            if record.state is State.HELD and record.job is not None
        ]


def _taken_in(one: TakenIn) -> Rebuilt:
    return Rebuilt(
        id=one.entry.job.id,
        fate=Fate.HELD if one.held else Fate.ADOPTED,
        remote_ids=tuple(row.remote_id for row in one.rows),
        state=one.entry.record.state,
    )


def charged_at_first(told: Decimal | None, shown: Decimal | None, earlier: Iterable[Event]) -> Decimal | None:
    """Return what a latest attempt was charged when it was accepted; None where nothing says.

    A row shows less after a failure, for add-ons that came back read 0 in it, and sometimes nothing.

    Args:
        told: by the results, for all attempts together.
        shown: by its row, now.
        earlier: the events of the attempts before it, whose rows show less likewise.
    """
    before = sum((one.charged or Decimal(0) for one in earlier if isinstance(one, Accepted)), Decimal(0))
    rest = None if told is None else max(told - before, Decimal(0))
    return max((one for one in (rest, shown) if one is not None), default=None)
