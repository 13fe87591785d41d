"""Accidents of files: a server in trouble, errors in the place of files, and files that vanish between runs.

What must hold is what holds of outputs: all that was paid for is on the shelves in the end, or it is named.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from batchgen.errors import DownloadError, WhyMissing
from batchgen.lifecycle import Record, State
from batchgen.model import File, Job, JobKey
from tests.proof.scenario import Scenario
from tests.support.virtual import Shelves

_SHARE = 0.3  # of the seeds
_LONGEST = 240.0  # seconds of trouble from the beginning of a run: less than files are waited for


@dataclass
class LooseShelves(Shelves):
    """Shelves that files reach late, and from which they vanish.

    Attributes:
        chance: decides what goes wrong.
        losing: share of the files that vanish before a run.
        spoilt: share of the tries that bring an error in a file's place.
        troubled: share of the runs that begin with a file server in trouble.
    """

    chance: random.Random = field(default_factory=random.Random)
    losing: float = 0.0
    spoilt: float = 0.0
    troubled: float = 0.0
    vanished: int = 0
    _until: float = 0.0
    _calm: bool = True

    @classmethod
    def of(cls, scenario: Scenario) -> "LooseShelves":
        """Make those of a seed; where names, slots or the journal are lost, files are judged elsewhere."""
        chance = random.Random(f"batchgen proof {scenario.seed}, files")
        plain = (
            all(leg.name is None and not leg.slot for leg in scenario.legs) and not scenario.loses_journals
        )
        if not plain or chance.random() >= _SHARE:
            return cls()
        return cls(
            chance=chance,
            losing=chance.choice([0.0, 0.2, 1.0]),
            spoilt=chance.choice([0.0, 0.3]),
            troubled=chance.choice([0.0, 0.5]),
        )

    def begin(self, *, calm: bool) -> None:
        """Let a run begin: by now files have vanished, and the server may be in trouble for some minutes."""
        lost = {one for one in sorted(self.kept) if self.chance.random() < self.losing}
        self.kept -= lost
        self.vanished += len(lost)
        self._calm = calm
        self._until = self.chance.uniform(1.0, _LONGEST) if self.chance.random() < self.troubled else 0.0

    def lost_of(self, records: Mapping[JobKey, Record]) -> frozenset[JobKey]:
        """Return the collected jobs whose files are not there any more."""
        done = ((key, one) for key, one in records.items() if one.state is State.COLLECTED)
        return frozenset(key for key, one in done if not self._has(one.files))

    def _has(self, files: Iterable[File]) -> bool:
        return all(one.asset_id in self.kept for one in files)

    async def collect(self, job: Job, asset_ids: Sequence[str]) -> tuple[File, ...]:
        """Put them on the shelves, unless something is wrong."""
        await asyncio.sleep(0.05)
        missing = [one for one in asset_ids if one not in self.kept]
        if missing and asyncio.get_running_loop().time() < self._until:
            raise DownloadError(f"{job.id}: 503", why=dict.fromkeys(missing, WhyMissing.LATE))
        if missing and not self._calm and self.chance.random() < self.spoilt:
            raise DownloadError(f"{job.id}: an error in XML", why={missing[0]: WhyMissing.UNFIT})
        return await Shelves.collect(self, job, asset_ids)
