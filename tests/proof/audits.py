"""What an audit would name at the end of a seed: the real listing, by the real client, and the real finder.

It looks as the command does, through the lens of the seed, at a service that answers whatever is asked.
"""

import asyncio
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from batchgen.engine.limits.gate import RateGate
from batchgen.journal.file import JournalFile
from batchgen.model import Job
from batchgen.ports import Journal
from batchgen.reconcile.audit import beginning, read_history
from batchgen.reconcile.orphans import OrphanFinder
from batchgen.scenario.client import ScenarioClient
from batchgen.simulator.faults import FaultPlan
from batchgen.simulator.settings import Denied
from batchgen.usecases.audit import MARGIN
from batchgen.usecases.findings import asked_of
from batchgen.wiring.background import beside
from tests.proof.crashes import Life
from tests.proof.law import Told
from tests.proof.scenario import Leg
from tests.proof.slots import AssetStore, read_all
from tests.proof.wire import Wire
from tests.proof.world import Earth
from tests.support.looped import virtual_loop
from tests.support.memory_journal import MemoryJournal


def audited(earth: Earth) -> Told:
    """Audit every slot of a seed, where nothing is denied and nothing fails."""
    earth.service.deny(Denied(), FaultPlan())
    with _journals(earth) as journals, asyncio.Runner(loop_factory=virtual_loop) as runner:
        return runner.run(_audit(earth, journals, earth.scenario.last_manifest))


@contextmanager
def _journals(earth: Earth) -> Iterator[Mapping[str, Journal]]:
    if not earth.scenario.file:
        yield {"": MemoryJournal(earth.disk)}
        return
    with JournalFile.open(earth.folder / "journal.db") as file:
        yield read_all(file).journals


async def _audit(earth: Earth, journals: Mapping[str, Journal], jobs: Sequence[Job]) -> Told:
    gate, told = RateGate(None), Told(since=math.inf)
    async with beside(gate.run(), name="gate"):
        wire = Wire(earth, Life(Leg(jobs=())), AssetStore(journals))
        client = ScenarioClient(wire, gate, project=None, rng=random.Random(earth.scenario.seed))
        for journal in journals.values():
            told = await _of_slot(OrphanFinder(client, earth), journal, jobs, told)
    return told


async def _of_slot(finder: OrphanFinder, journal: Journal, jobs: Sequence[Job], told: Told) -> Told:
    began_at = beginning(journal.history())
    if began_at is None:
        return told
    listing, history = await finder.list(began_at - MARGIN), read_history(journal.history())
    asked = asked_of(history, jobs)
    found = await finder.find(listing, history, journal, journal.records(), asked=asked)
    certain = {one.row.remote_id for one in found.surplus if one.certain}
    rows = [*(one.row for one in found.surplus), *(one.row for one in found.doubtful)]
    return Told(
        certain=told.certain | certain,
        possible=told.possible | ({row.remote_id for row in rows} - certain),
        unreadable=max(told.unreadable, found.unreadable),
        since=min(told.since, listing.reach),
        troubles=(*told.troubles, *finder.troubles),
    )
