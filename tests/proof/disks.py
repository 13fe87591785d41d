"""Disks that take their time to sync, and some that fail: facts share their syncs then, as in a real run.

Elsewhere a fact is on the disk as soon as it is recorded, so that seeds without a slow disk play as they did.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.support.memory_journal import Disk
from tests.support.syncers import TimedSyncer

if TYPE_CHECKING:
    from tests.proof.scenario import Leg, Scenario

_SHARE = 0.3  # of the seeds without money, names, and what the guides leave open
_FAILS = 0.25  # of the runs on such a disk


@dataclass(frozen=True, kw_only=True)
class SlowDisk:
    """How a disk is in one run.

    Attributes:
        seconds: that a sync takes, at least and at most.
        failing: the number of the sync that fails, from 1, and 0 for none; those after it end well and have
            kept nothing.
    """

    seconds: tuple[float, float]
    failing: int = 0


def with_disks(seed: int, scenario: "Scenario") -> "Scenario":
    """Let some seeds have a slow disk."""
    chance = random.Random(f"batchgen proof {seed}, disks")
    plain = scenario.market is None and not scenario.opened and scenario.legs[-1].name is None
    if not plain or chance.random() >= _SHARE:
        return scenario
    return on_a_slow_disk(scenario)


def on_a_slow_disk(scenario: "Scenario") -> "Scenario":
    """Give every run of a scenario a slow disk."""
    chance = random.Random(f"batchgen proof {scenario.seed}, how slow")
    return replace(scenario, legs=tuple(replace(one, disk=_drawn(chance)) for one in scenario.legs))


def _drawn(chance: random.Random) -> SlowDisk:
    most = chance.choice([0.001, 0.02, 0.5, 8.0])
    failing = min(1 + int(chance.expovariate(0.1)), 60) if chance.random() < _FAILS else 0
    return SlowDisk(seconds=(chance.choice([0.0, most]), most), failing=failing)


class Facts:
    """What one process has recorded, and what of it the disk itself has: by count, in the order of recording.

    Attributes:
        told: how many facts were recorded.
        kept: how many of them are on the disk itself.
    """

    def __init__(self, leg: "Leg") -> None:
        self.are_shared = leg.disk is not None  # whether they share their syncs
        self.told = self.kept = 0
        self._leg = leg
        self._syncer: TimedSyncer | None = None

    def keep(self) -> None:
        """Take all of them for kept."""
        self.kept = self.told

    @property
    def has_failed(self) -> bool:
        """Whether a sync has failed."""
        return self._syncer is not None and 0 < self._syncer.failing <= self._syncer.begun

    def syncer(self, chance: random.Random, begin: Callable[[], Callable[[], None]]) -> TimedSyncer:
        """Make what syncs them.

        Args:
            chance: says how long each takes.
            begin: takes note of what there is as a sync begins; what it gives is called when that is kept.
        """
        disk = self._leg.disk
        assert disk is not None

        def at_begin() -> Callable[[], None]:
            assert self._syncer is not None
            self._syncer.seconds = chance.uniform(*disk.seconds)
            told, keep, lies = self.told, begin(), self.has_failed

            def end() -> None:
                if not lies:  # what the one before has lost no later one brings back
                    keep()
                    self.kept = max(self.kept, told)

            return end

        self._syncer = TimedSyncer(0.0, failing=disk.failing, at_begin=at_begin)
        return self._syncer


def of_memory(disk: Disk) -> Callable[[], None]:
    """Take note of what a journal in memory has as a sync begins; the function given keeps that."""
    events, reservations = len(disk.events), dict(disk.reservations)

    def keep() -> None:
        disk.synced, disk.synced_reservations = max(disk.synced, events), reservations

    return keep
