"""Jobs in doubt that wait for a person: what is known of each, and the person's answer."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from batchgen.errors import InputError, NotFoundError, RemoteIdTakenError
from batchgen.formats import units
from batchgen.lifecycle import Abandoned, Adopted, Event, Held, ShownAbsent, State, WrittenOff
from batchgen.model import RemoteJob
from batchgen.planning.plan import Entry
from batchgen.ports import Clock
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.history import Attempt
from batchgen.reconcile.listing import read_listing
from batchgen.reconcile.matching import Doubt, Likeness, differences, stands_for
from batchgen.reconcile.prompts import Prompts
from batchgen.reconcile.same_files import SameFiles
from batchgen.scenario.client import ScenarioClient
from batchgen.wiring.batch import Batch
from batchgen.wiring.job_facts import is_out_of_sight

_UNSETTLED = frozenset({State.IN_DOUBT, State.HELD})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a person says of jobs in doubt, by job id.

    Attributes:
        adopt: the remote id that is the job's.
        absent: these were never accepted; the next run submits them again.
        sure: submissions that echo all that was sent for one of these, and are not its own all the same.
        give_up: these are not wanted any more, paid for or not; those out of sight among them.
    """

    adopt: Mapping[str, str] = field(default_factory=dict)
    absent: Sequence[str] = ()
    sure: Sequence[str] = ()
    give_up: Sequence[str] = ()

    @property
    def named(self) -> list[str]:
        """Every job that is answered for."""
        return [*self.adopt, *self.absent, *self.give_up]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A submission that belongs to no job and may be this one's.

    Attributes:
        remote: as the service shows it.
        certain: whether it echoes all that was sent.
        differs: the inputs in which it differs, as far as it shows any.
    """

    remote: RemoteJob
    certain: bool
    differs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsettled:
    """A job in doubt with what is known of it."""

    entry: Entry
    candidates: tuple[Candidate, ...]


class Desk:
    """The place where a person settles the doubts of one batch, under its lock."""

    def __init__(self, batch: Batch, client: ScenarioClient, clock: Clock) -> None:
        self._batch = batch
        self._client = client
        self._clock = clock

    def entries(self) -> list[Entry]:
        """Return every job in doubt, those that the manifest no longer names included."""
        return [one for one in self._current() if one.record.state in _UNSETTLED]

    def _current(self) -> list[Entry]:
        records = self._batch.journal.records()
        return [replace(one, record=records.get(one.key, one.record)) for one in self._batch.plan.carried]

    def out_of_sight(self) -> list[Entry]:
        """Return every job that is paid for and has outlasted its timeout without an end."""
        timeout, now = self._batch.manifest.timeout, self._clock.now()
        return [one for one in self._current() if is_out_of_sight(one.record, timeout, now=now)]

    async def unsettled(self) -> list[Unsettled]:
        """Look for candidates at the service; nothing is changed.

        Raises:
            ServiceError: the listing could not be read.
        """
        entries = self.entries()
        if not entries:
            return []
        doubts = {one.key: self._doubt(one) for one in entries}
        listing = await read_listing(
            self._client, since=min(one.intent_at for one in doubts.values()), clock=self._clock
        )
        candidates = Candidates(listing.rows.values(), self._batch.journal, Prompts(self._client))
        files = SameFiles(self._client)
        for entry in entries:
            doubt = doubts[entry.key]
            await candidates.read(doubt.body, within=doubt.window(listing.skew))
            files.note(candidates, _attempt(entry))
        await files.read()
        like = {one.key: files.like(candidates, _attempt(one)) for one in entries}
        return [
            Unsettled(
                entry=one,
                candidates=tuple(_candidates(doubts[one.key], like[one.key], candidates, listing.skew)),
            )
            for one in entries
        ]

    def _doubt(self, entry: Entry) -> Doubt:
        return Doubt.of(entry.key, entry.job.model, entry.record, now=self._clock.now())

    async def settle(self, answers: Answers) -> None:
        """Do what the person says, all of it checked first.

        Raises:
            InputError: a job is not in doubt, or a remote id is not the service's, of another
                model, or another job's already, or a job said to be absent is listed by all that
                was sent for it; nothing was changed.
            ServiceError: the service could not be asked.
        """
        unseen = {one.job.id: one for one in self.out_of_sight()}
        entries = {
            name: unseen[name] if name in unseen and name in answers.give_up else self._named(name)
            for name in answers.named
        }
        if len(entries) < len(answers.named):
            raise InputError("a job is answered for twice")
        remotes = {name: await self._remote(entries[name], given) for name, given in answers.adopt.items()}
        adopted_ids = {one.remote_id for one in remotes.values()}
        found = await self.unsettled() if answers.absent else []
        _refuse_listed(found, answers, but=adopted_ids)
        disowned = _refused_by(found, answers) - adopted_ids
        at = self._clock.now()
        by_hand = {"by": "a person"}
        for name, remote in remotes.items():
            adopted = Adopted(
                at=at,
                remote_id=remote.remote_id,
                charged=remote.cost,
                author=remote.author,
                owner=remote.owner,
                quoted=entries[name].record.quoted,
                evidence=by_hand,
            )
            self._record(entries[name], adopted)
        # first, so that a job is never planned again while its candidates can still hold it
        self._batch.journal.disown(disowned)
        for name in answers.absent:
            self._record(entries[name], ShownAbsent(at=at, evidence=by_hand))
        for name in answers.give_up:
            self._give_up(entries[name], at)

    def _give_up(self, entry: Entry, at: float) -> None:
        if entry.record.state is State.RUNNING:
            self._record(entry, WrittenOff(at=at, reason=f"{entry.record.remote_id} did not end; given up"))
            return
        given_up = Abandoned(at=at, reason=f"{entry.record.error}; given up by a person")
        held = [Held(at=at, reason=entry.record.error)] if entry.record.state is State.IN_DOUBT else []
        self._record(entry, *held, given_up)

    def _record(self, entry: Entry, *events: Event) -> None:
        try:
            self._batch.journal.append(entry.key, *events)
        except RemoteIdTakenError as error:
            raise InputError(f"{entry.job.id}: {error}") from error

    def _named(self, name: str) -> Entry:
        found = [one for one in self.entries() if one.job.id == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(
                f"{name!r} is the id of {len(found)} jobs in doubt; settle them by another id first"
            )
        known = ", ".join(one.job.id for one in self.entries()) or "none"
        unseen = ", ".join(one.job.id for one in self.out_of_sight())
        may_be_given_up = f"; out of sight, for --give-up: {unseen}" if unseen else ""
        raise InputError(f"no job {name!r} is in doubt in this batch; in doubt: {known}{may_be_given_up}")

    async def _remote(self, entry: Entry, remote_id: str) -> RemoteJob:
        try:
            remote = await self._client.job(remote_id)
        except NotFoundError as error:
            raise InputError(f"{entry.job.id}: the service shows no job {remote_id!r}: {error}") from error
        if self._batch.journal.holders([remote_id]):
            raise InputError(f"{entry.job.id}: {remote_id} already belongs to another job of this journal")
        model = (remote.inputs or {}).get("modelId")
        if model not in (None, entry.job.model):
            raise InputError(f"{entry.job.id}: {remote_id} is of model {model}, the job of {entry.job.model}")
        return remote


def _refuse_listed(found: Sequence[Unsettled], answers: Answers, *, but: Collection[str]) -> None:
    """Ask again where a job said to be absent has a submission that echoes all that was sent for it."""
    listed = {
        one.entry.job.id: [
            each.remote
            for each in one.candidates
            if each.certain and each.remote.remote_id not in {*but, *answers.sure}
        ]
        for one in found
        if one.entry.job.id in answers.absent
    }
    told = [
        f"{name}: the service lists {row.remote_id}, {_cost_of(row)}, which echoes all that was sent: "
        f"submitting it again likely pays twice. `--adopt {name}={row.remote_id}` takes it for the job's; "
        f"`--absent {name} --sure {row.remote_id}` submits it again all the same"
        for name, rows in listed.items()
        for row in rows
    ]
    if told:
        raise InputError("\n".join(told))


def _cost_of(row: RemoteJob) -> str:
    return "cost not shown" if row.cost is None else f"{units(row.cost)} CU"


def _refused_by(found: Sequence[Unsettled], answers: Answers) -> set[str]:
    """Return the candidates of the jobs said to be absent that no job still in doubt may claim."""
    refused, claimed = set[str](), set[str]()
    for one in found:
        ids = {each.remote.remote_id for each in one.candidates}
        if one.entry.job.id in answers.absent:
            refused |= ids
        elif one.entry.job.id not in answers.named:
            claimed |= ids
    return refused - claimed


def _attempt(entry: Entry) -> Attempt:
    record = entry.record
    return Attempt(
        job=record.job or entry.job,
        number=record.attempt,
        body=record.body or "{}",
        seed=record.seed,
        derived=record.has_derived_seed,
    )


def _candidates(
    doubt: Doubt, like: Iterable[tuple[RemoteJob, Likeness]], candidates: Candidates, skew: float
) -> Iterator[Candidate]:
    window = doubt.window(skew)
    for row, alike in like:
        likeness = stands_for(alike, row, candidates.ownership(row), window)
        if likeness is not Likeness.OTHER:
            certain = alike is Likeness.MATCH
            yield Candidate(remote=row, certain=certain, differs=differences(doubt.body, row))
