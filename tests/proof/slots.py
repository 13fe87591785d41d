"""Slots that end: a run in a later one while an older one has something paid for that is not collected.

Only on the SQLite file, for a journal in memory has one scope. Jobs of several slots are told apart by a
word in their keys, so that every law holds over all slots together.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Event, Record, SubmitStarted
from batchgen.model import Job, JobKey, RemoteJob, Scope
from batchgen.planning.budget import Allowance, Amounts
from batchgen.planning.room import Room
from batchgen.planning.yields import YOUNG
from batchgen.ports import Journal
from tests.proof.crashes import CrashingJournal, Life
from tests.support.memory_journal import SCOPE

if TYPE_CHECKING:
    from tests.proof.scenario import Leg, Scenario
    from tests.proof.wire import Witness

_SHARE = 0.08  # of the seeds without money and denials that lose no journal


def with_slots(seed: int, scenario: "Scenario") -> "Scenario":
    """Let the later runs of some seeds be in later slots."""
    chance = random.Random(f"batchgen proof {seed}, slots")
    plain = scenario.market is None and scenario.denial is None and not scenario.loses_journals
    if not plain or chance.random() >= _SHARE:
        return scenario
    legs = list(scenario.legs) if len(scenario.legs) > 1 else [*scenario.legs, replace(scenario.legs[0])]
    number, named = 1, []
    for nth, leg in enumerate(legs):
        last = nth == len(legs) - 1 and number == 1
        number += bool(nth) and (last or chance.random() < 0.6)
        named.append(replace(leg, slot=f"day-{number}"))
    return replace(scenario, legs=tuple(named), file=True)


def tagged(slot: str, key: JobKey) -> JobKey:
    """Name a job among those of all slots."""
    return JobKey(f"{key.content}@{slot}", key.ordinal) if slot else key


def wanted_by_slot(legs: Iterable["Leg"], most_wanted: Callable[..., Mapping[str, int]]) -> dict[str, int]:
    """Give by content and slot the most equal jobs that a manifest asks for."""
    manifests: dict[str, list[Sequence[Job]]] = {}
    for leg in legs:
        manifests.setdefault(leg.slot, []).append(leg.jobs)
    return {
        tagged(slot, JobKey(content)).content: count
        for slot, several in manifests.items()
        for content, count in most_wanted(several).items()
    }


def scope_in(slot: str) -> Scope:
    """Give the scope of a slot."""
    return replace(SCOPE, slot=slot)


@dataclass
class AssetStore:
    """The journals of several slots, as one that can be read."""

    journals: Mapping[str, Journal]

    def records(self) -> dict[JobKey, Record]:
        found: dict[JobKey, Record] = {}
        for slot, journal in self.journals.items():
            found.update((tagged(slot, key), one) for key, one in journal.records().items())
        return found

    def history(self) -> list[tuple[JobKey, Event]]:
        return [
            (tagged(slot, key), event) for slot, one in self.journals.items() for key, event in one.history()
        ]


def read_all(file: JournalFile) -> AssetStore:
    """Read every slot of the file, the oldest first."""
    slots = [one.slot for one in file.scopes() if replace(one, slot="") == SCOPE]
    return AssetStore({slot: file.batch(scope_in(slot)) for slot in slots})


class OldJournal(CrashingJournal):
    """The journal of an older slot: nothing is bought there, and each fact has a sync of its own."""

    shares_syncs = False

    def append(
        self,
        key: JobKey,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Record:
        if any(isinstance(one, SubmitStarted) for one in events):
            self._wrong.append(f"bought in an older slot: {key}")
        return super().append(key, *events, allowed=allowed, reserves=reserves, room=room)


def open_others(
    path: Path,
    slot: str,
    stack: ExitStack,
    life: Life,
    wrong: list[str],
    on_sync: Callable[[], None],
    *,
    now: float,
) -> Iterator[tuple[str, OldJournal]]:
    """Open the other slots that have something open, each by a connection of its own."""
    with JournalFile.open(path) as file:
        others = [one for one in file.slots(SCOPE).to_carry(since=now - YOUNG) if one != slot]
    for one in others:
        inner = stack.enter_context(JournalFile.open(path)).batch(scope_in(one))
        yield one, OldJournal(inner, life, wrong, on_sync)


class Beside:
    """Observes another slot for a witness of all."""

    def __init__(self, witness: "Witness", slot: str) -> None:
        self._witness = witness
        self._slot = slot

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        self._witness.recorded(tagged(self._slot, key), job, event, record)

    def polled(self, job: Job, remote: RemoteJob) -> None: ...

    def warned(self, text: str) -> None:
        self._witness.warned(f"{self._slot}: {text}")
