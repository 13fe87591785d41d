"""Children wait here until it is known what came out of their parents, which then goes into them.

A child is handed on as soon as the success of its last parent is on record, before any file is fetched. What
was bought in an earlier run is looked at first: an asset that the service has no more is sent again from the
disk, or the child stays.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from batchgen.backoff import Backoff
from batchgen.engine.board import Board
from batchgen.engine.errands import Errands
from batchgen.engine.policy import World
from batchgen.errors import InputError, NoRightError, RefusedError, ServiceError, StoppedError
from batchgen.identity import Reference, references_of, with_references
from batchgen.ledger import Ledger
from batchgen.lifecycle import Rebound, Record
from batchgen.model import Asset, File, Job
from batchgen.planning.editions import Bought
from batchgen.planning.lanes import falls_back
from batchgen.planning.parent_assets import Handed, handed
from batchgen.planning.plan import Entry, Plan

MOST_AT_ONCE = 200  # assets in one question: what POST /assets/get-bulk takes
_LATE = 4  # questions after which what has just come out and is not shown has no type that is known


class Handover:
    """The children of one run that wait for their parents."""

    def __init__(
        self,
        *,
        plan: Plan,
        world: World,
        ledger: Ledger,
        board: Board,
        errands: Errands,
        backoff: Backoff,
        ready: Callable[[Entry], None],
        blocked: Callable[[Entry], None],
    ) -> None:
        """Hold nobody yet.

        Args:
            plan: who feeds whom.
            world: the service, the records, and what sends files again.
            ledger: where a change of what goes in is recorded.
            board: learns why children stay.
            errands: starts questions after assets.
            backoff: between questions without an answer.
            ready: takes a child whose inputs are known.
            blocked: learns of one that its parents block.
        """
        self._entries = plan.entries
        self._lineage = plan.lineage
        self._world = world
        self._ledger = ledger
        self._board = board
        self._errands = errands
        self._backoff = backoff
        self._ready = ready
        self._blocked = blocked
        lineage = plan.lineage
        self._places = {plan.entries[one].key: one for one in {*lineage.parents, *lineage.children}}
        self._parents = {plan.entries[one].job.id: plan.entries[one] for one in lineage.children}
        self._held: dict[int, Entry] = {}
        self._begun = False
        self._types: dict[str, str] = {}  # of assets, as the service calls them
        self._shown: set[str] = set()  # assets that the service has
        self._instead: dict[str, str] = {}  # what stands for those that it had
        self._gone: set[str] = set()
        self._wanted: set[str] = set()  # assets to ask about
        self._questions = 0

    def __len__(self) -> int:
        """Count the children that are about to be handed on, for which a run goes on."""
        return self._questions

    @property
    def holds_any(self) -> bool:
        """Whether children wait."""
        return bool(self._held)

    def needs(self, entry: Entry) -> bool:
        """Return whether a job has parents, and what came out of them is not in it yet."""
        place = self._places.get(entry.key)
        return place in self._lineage.parents and not all(one.assets for one in references_of(entry.job))

    def add(self, entry: Entry) -> None:
        """Let a child wait for its parents."""
        place = self._places[entry.key]
        self._held[place] = entry
        if self._begun:
            self._look(place)

    def begin(self) -> None:
        """Hand on those whose parents have ended: every job has been routed once."""
        self._begun = True
        for place in [one for one in self._lineage.order if one in self._held]:
            self._look(place)

    def parent_moved(self, entry: Entry) -> None:
        """Learn that a job succeeded, shows more than it did, or came to nothing where it has something."""
        if not self._begun or entry.key not in self._places:
            return
        self._shown.update(entry.record.asset_ids)  # the service has just named them
        for child in self._lineage.children.get(self._places[entry.key], ()):
            if child in self._held:
                self._look(child)

    def _look(self, place: int) -> None:
        """Hand a child on if all that goes in is known."""
        entry = self._held[place]
        given = {one: self._given(entry, one) for one in references_of(entry.job)}
        if any(one.is_waited_for for one in given.values()):
            return
        if why := next((one.why for one in given.values() if one.why), ""):
            self._block(entry, why)
            return
        unknown = {one for each in given.values() for one in each.unread}
        unknown.update(one for each in given.values() for one in each.assets if self._asks(one))
        if unknown:
            self._ask(unknown)
        elif lost := next((one.job for one, each in given.items() if self._gone & {*each.assets}), None):
            self._block(entry, f"what came out of {lost} is neither at the service nor on the disk any more")
        else:
            self._hand_on(place, {one: each.assets for one, each in given.items()})

    def _block(self, entry: Entry, why: str) -> None:
        self._board.stops.blocked[entry.key] = why
        self._blocked(entry)

    def _asks(self, asset_id: str) -> bool:
        """Return whether it is not known yet that the service has an asset, or has it no more."""
        return not any(asset_id in known for known in (self._shown, self._gone, self._instead))

    def _given(self, child: Entry, one: Reference) -> Handed:
        found = self._edition(child, one.job)
        record = Record() if found is None else found.record
        return handed(record, one, now=self._ledger.now(), types=self._types)

    def _edition(self, child: Entry, parent: str) -> Bought | None:
        """Return what a child gets of a parent: what that had before, where another one came to nothing."""
        if parent not in self._parents:
            return None
        entry, records = self._parents[parent], self._world.journal.records()
        newest = replace(entry, record=records.get(entry.key, entry.record), retry=False)
        if newest.stands is not None and falls_back(newest, child, now=self._ledger.now()):
            return Bought(newest.stands.key, records.get(newest.stands.key, newest.stands.record))
        return Bought(newest.key, newest.record)

    def _hand_on(self, place: int, given: Mapping[Reference, tuple[str, ...]]) -> None:
        """Put the assets into a child and let it leave; a body that may have been paid for stays."""
        entry = self._held.pop(place)
        self._board.stops.blocked.pop(entry.key, None)

        def bound(one: Reference) -> Reference:
            assets = tuple(self._instead.get(asset, asset) for asset in given[one])
            found = self._edition(entry, one.job)
            assert found is not None
            return one._replace(ordinal=found.key.ordinal, assets=assets)

        job, record = with_references(entry.job, bound), entry.record
        if record.body is not None and record.job is not None:
            # the service may have taken these very bytes, where the job was shown absent
            if record.absences or _assets(record.job) == _assets(job):
                job = record.job
            else:
                entry = self._ledger.record(entry, Rebound(at=self._ledger.now()))
        self._ready(replace(entry, job=job))

    def _ask(self, assets: Collection[str]) -> None:
        """Have it found out what assets are and whether they are there, for all children together."""
        self._wanted.update(assets)
        if not self._questions:
            self._questions += 1
            self._errands.spawn(self._ask_about_all, name="inputs of chains")

    async def _ask_about_all(self) -> None:
        """Ask until nothing is left to ask about.

        Raises:
            StoppedError: the service does not let us ask.
            InputError: a file of ours cannot be sent again.
            JournalError: what was sent again could not be recorded.
        """
        failures = 0
        while self._wanted:
            asked = sorted(self._wanted)[:MOST_AT_ONCE]
            try:
                found = await self._world.generator.assets(asked)
                await self._take(asked, found, final=failures >= _LATE)
            except NoRightError:  # a child whose input is gone is refused, unpaid
                self._learn(dict.fromkeys(asked, ""))
            except StoppedError:
                raise
            except ServiceError as error:
                failures += 1
                self._ledger.observer.warned(f"asking what goes into a chain: {error}")
            if self._wanted:
                failures += self._wanted.issuperset(asked)
                jitter = self._world.chance.random()
                await asyncio.sleep(self._backoff.delay(failures, jitter=jitter) if failures else 0)
        self._questions -= 1
        for place in [one for one in self._lineage.order if one in self._held]:
            self._look(place)
        self._board.look()

    async def _take(self, asked: Iterable[str], found: Mapping[str, Asset], *, final: bool) -> None:
        """Learn from an answer; what it leaves out is sent again, is gone, or comes later.

        Args:
            asked: which assets were asked about.
            found: those that the service shows.
            final: whether what has just come out has had time enough to be shown.
        """
        self._learn({one: asset.type for one, asset in found.items()})
        for asset_id in asked:
            if asset_id in found:
                continue
            if asset_id in self._shown:  # it has just come out
                if final:
                    self._learn({asset_id: ""})
            elif (again := await self._sent_again(asset_id)) is not None:
                self._instead[asset_id] = again
                self._wanted.discard(asset_id)
            else:
                self._gone.add(asset_id)
                self._wanted.discard(asset_id)

    def _learn(self, types: Mapping[str, str]) -> None:
        self._types.update(types)
        self._shown.update(types)
        self._wanted.difference_update(types)

    async def _sent_again(self, asset_id: str) -> str | None:
        """Return what an asset became that lies on the disk and was sent again; None where it does not."""
        uploader = self._world.uploader
        file = self._files.get(asset_id)
        if file is None or uploader is None:
            return None
        try:
            return (await uploader.ensure([file.sha256]))[file.sha256]
        except (InputError, RefusedError) as error:
            self._ledger.observer.warned(f"{file.path}: cannot be sent again: {error}")
            return None

    @cached_property
    def _files(self) -> Mapping[str, File]:
        """What parents have on the disk, by asset."""
        parents = self._parents.values()
        keys = (key for one in parents for key in {one.key, one.current.key})
        records = map(self._world.journal.records().get, keys)
        return {one.asset_id: one for record in records if record is not None for one in record.files}


def _assets(job: Job) -> tuple[str, ...]:
    return tuple(asset for one in references_of(job) for asset in one.assets)
