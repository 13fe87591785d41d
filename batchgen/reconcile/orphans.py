"""Submissions of ours that no record owns, and that are equal to something we sent.

They were likely paid for twice, or paid for and lost. Reads the service's listing and the
journal, and changes nothing; which row is a finding is decided in ``audit``.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from batchgen.account import Known
from batchgen.errors import ServiceError, StoppedError
from batchgen.formats import units
from batchgen.lifecycle import Record, State
from batchgen.model import JobKey, Model, RemoteJob, Scope
from batchgen.ports import Clock, Generator, Journal
from batchgen.reconcile.audit import BatchHistory, Sent, Situation, Surplus, find_surplus, read_history
from batchgen.reconcile.candidates import Candidates, Listed
from batchgen.reconcile.history import is_edition
from batchgen.reconcile.listing import Listing, read_listing
from batchgen.reconcile.matching import Body, Doubt, Likeness
from batchgen.reconcile.ownership import Owner
from batchgen.reconcile.prompts import Prompts
from batchgen.reconcile.unowned import Doubtful, Like, Others, find_doubtful, like_of, same_as

MISSING = frozenset({State.SUBMITTING, State.IN_DOUBT, State.HELD})  # an answer to what was sent
PATIENCE = 60.0  # seconds for a look after a run: somebody waits for its end


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphans:
    """What a listing showed beside what is on record.

    Attributes:
        surplus: rows that are equal to what was sent for a job.
        doubtful: the other rows that are or may be ours.
        others: what is known to be somebody else's.
        listed: every row, with whose it is.
        unreadable: how many more rows may be any job's: nobody can read them.
    """

    surplus: tuple[Surplus, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()
    others: Others = field(default_factory=Others)
    listed: tuple[Listed, ...] = ()
    unreadable: int = 0


_Likes = defaultdict[str, list[Like]]  # what each row is like, by remote id


class OrphanFinder:
    """Looks for orphans; ``troubles`` says what could not be read."""

    def __init__(self, generator: Generator, clock: Clock) -> None:
        self._generator = generator
        self._clock = clock
        self._prompts = Prompts(generator)
        self.troubles: list[str] = []
        self._models: dict[str, Model | None] = {}

    async def list(self, since: float) -> Listing:
        """Return the service's jobs, as far back as a date of our clock.

        Raises:
            StoppedError: the service does not let us look.
        """
        listing = await read_listing(self._generator, since=since, clock=self._clock)
        if listing.broken is not None:
            self.troubles.append(f"the listing broke off after {len(listing.rows)} rows: {listing.broken}")
        return listing

    async def find(
        self,
        listing: Listing,
        history: BatchHistory,
        journal: Journal,
        records: Mapping[JobKey, Record],
        *,
        asked: Iterable[Sent] = (),
        known: Collection[str] = (),
        scope: Scope | None = None,
    ) -> Orphans:
        """Compare a listing with what was sent.

        Args:
            listing: read before the journal was: every row's intent is then in it.
            history: the journal's.
            journal: which knows who has which row, in whatever batch.
            records: of the scope.
            asked: what questions for prices may have said.
            known: ids of rows that are told of otherwise.
            scope: of the records, by which editions are known; None where they are not asked for.

        Raises:
            StoppedError: the service does not let us look.
        """
        candidates = Candidates(listing.rows.values(), journal, self._prompts)
        candidates.take(*known)
        likes: _Likes = defaultdict(list)
        for sent in history.sent if listing.rows else ():
            await self._compare(
                sent, candidates, likes, _waiting(sent, records, self._clock), journal, listing
            )
        explained = {remote_id for remote_id, found in likes.items() if same_as(found)}
        if any(row.remote_id not in explained for row in candidates.free()):
            for sent in asked:
                await self._compare(sent, candidates, likes, None, journal, listing)
        free = [row for row in listing.rows.values() if likes.get(row.remote_id)]
        found = [
            self._judged(one, candidates, likes[one.row.remote_id])
            for one in find_surplus(free, lambda row: same_as(likes[row.remote_id]), records)
        ]
        found = [one for one in found if not _may_be_of_another_batch(one, journal, records)]
        surplus = [await self._told_as_edition(one, records, scope) for one in found]
        told = {*known, *(one.row.remote_id for one in surplus)}
        doubtful, others = find_doubtful(candidates.listed(), likes, told)
        return Orphans(
            surplus=tuple(surplus),
            doubtful=tuple(doubtful),
            others=others,
            listed=tuple(candidates.listed()),
            unreadable=sum(one.may_be_since(listing.reach) for one in listing.unreadable.values()),
        )

    async def _told_as_edition(
        self, one: Surplus, records: Mapping[JobKey, Record], scope: Scope | None
    ) -> Surplus:
        """Return a row as another edition of a job that has one, where its seed was derived for that."""
        content, job = one.sent.key.content, one.sent.job
        holders = (record.remote_id for key, record in records.items() if key.content == content)
        holder = next(filter(None, holders), None) if one.situation is Situation.ASKED else None
        if scope is None or holder is None or "seed" in job.params or not job.derive_seed:
            return one
        if not is_edition(one.row, content, records, scope, await self._model(job.model)):
            return one
        return replace(one, situation=Situation.EDITION, holder=holder)

    async def _model(self, name: str) -> Model | None:
        """Describe a model once; None where the service does not."""
        if name not in self._models:
            try:
                self._models[name] = await self._generator.model(name)
            except StoppedError:
                raise
            except ServiceError as error:
                self.troubles.append(f"{name} could not be described: {error}")
                self._models[name] = None
        return self._models[name]

    async def _compare(
        self,
        sent: Sent,
        candidates: Candidates,
        likes: _Likes,
        doubt: Doubt | None,
        journal: Journal,
        listing: Listing,
    ) -> None:
        """Note what each free row is to one body: by any key of ours, or by the key that sent it."""
        body = Body.of(sent.job.model, sent.body)
        window = None if doubt is None else doubt.window(listing.skew)
        sender = journal.known(sent.sender) if doubt is not None and sent.sender else None
        seen = set[str]()
        for known in (None,) if sender is None else (None, sender):
            await self._read_prompts(body, candidates, known)
            for row, likeness in candidates.like(body, known):
                if row.remote_id in seen or (sent.asked and not _may_be_asked(row, likeness, candidates)):
                    continue
                seen.add(row.remote_id)
                like = like_of(sent, body, row, likeness, window)
                if like is not None:
                    likes[row.remote_id].append(like)

    def _judged(self, one: Surplus, candidates: Candidates, likes: Sequence[Like]) -> Surplus:
        whose = candidates.ownership(one.row)
        like = next(each for each in likes if each.sent == one.sent)
        certain = whose.decisive and whose.is_free and like.likeness is Likeness.MATCH
        return replace(one, certain=certain, differs=like.differs)

    async def _read_prompts(self, body: Body, candidates: Candidates, known: Known | None) -> None:
        try:
            unshown = await candidates.read(body, known=known)
        except StoppedError:
            raise
        except ServiceError as error:
            self.troubles.append(f"the prompt of a listed job could not be read: {error}")
            return
        self.troubles += [f"the service does not show the prompt {one} of a listed job" for one in unshown]


def _may_be_asked(row: RemoteJob, likeness: Likeness, candidates: Candidates) -> bool:
    """Return whether a question for a price may have bought a row: one by a stranger has a seed."""
    by_us = candidates.ownership(row).owner is Owner.OURS
    return likeness is Likeness.MATCH and (by_us or "seed" not in (row.inputs or {}))


def _waiting(sent: Sent, records: Mapping[JobKey, Record], clock: Clock) -> Doubt | None:
    """Return the doubt of a body whose answer is missing; None where it is not."""
    record = records.get(sent.key)
    if record is None or record.state not in MISSING or record.attempt != sent.attempt:
        return None
    return Doubt.of(sent.key, sent.job.model, record, now=clock.now())


def _may_be_of_another_batch(one: Surplus, journal: Journal, records: Mapping[JobKey, Record]) -> bool:
    """Return whether an equal job of another batch misses its answer, and none of ours does."""
    if one.situation in {Situation.OPEN, Situation.DUE}:
        return False
    content, body = one.sent.key.content, one.sent.body
    ours = [record for key, record in records.items() if key.content == content or record.body == body]
    due = (peer for peer in journal.unanswered_equals(one.sent.key, one.sent.body) if peer not in ours)
    return any(peer.body == one.sent.body for peer in due)


async def orphans_of_run(
    generator: Generator,
    journal: Journal,
    clock: Clock,
    *,
    since: float,
    known: Sequence[str],
    trouble: Callable[[str], None],
    patience: float = PATIENCE,
) -> list[str]:
    """Look again after a run whose answers were not all received; return a sentence for each orphan.

    Args:
        generator: the service.
        journal: of the batch, up to date.
        clock: ours.
        since: when the run began, seconds since the epoch.
        known: sentences of the run itself; what they name is not named again.
        trouble: is called where the service could not be looked through, which raises nothing.
        patience: seconds until it is given up.
    """
    finder = OrphanFinder(generator, clock)
    try:
        async with asyncio.timeout(patience):
            listing = await finder.list(since)
            history = read_history(journal.history())
            found = await finder.find(listing, history, journal, journal.records())
    except (ServiceError, TimeoutError) as error:
        why = str(error) or f"no answer within {patience:.0f} s"
        trouble(f"after answers were lost the service could not be looked through: {why}")
        return []
    for text in finder.troubles:
        trouble(f"looking again after answers were lost: {text}")
    return [
        _sentence(one)
        for one in found.surplus
        if one.situation in {Situation.PAID, Situation.UNPAID}
        and not one.differs
        and not any(one.row.remote_id in text for text in known)
    ]


def _sentence(one: Surplus) -> str:
    cost = "of unknown cost" if one.row.cost is None else f"{units(one.row.cost)} CU"
    return (
        f"{one.sent.job.id}: {one.row.remote_id}, {cost}, is equal to what was sent and nobody's: "
        "likely paid twice or lost; `batchgen audit` shows it"
    )
