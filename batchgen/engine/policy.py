"""What a run is given: its ports and its patience."""

import random
from dataclasses import dataclass, field

from batchgen.backoff import Backoff, PollGaps
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.model import Model
from batchgen.ports import (
    Clock,
    Collector,
    Generator,
    Journal,
    Lease,
    LifelongLease,
    Observer,
    PacedGate,
    Uploader,
)
from batchgen.reconcile.absence import DoubtPolicy
from batchgen.reconcile.neighbours import Neighbours
from batchgen.service_clock import ServiceClock


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How patient a run is; all in seconds.

    Attributes:
        timeout: after which a submission that does not end is left out of sight; None for
            half an hour or three times what the model's published p75 says, the longer one.
        usual: to the first look at a model nothing is known of.
        gaps: between looks.
        sweeps: whether listings may stand for polls.
        listings: whether jobs are listed at all; without, nothing is looked for, and a doubt is held.
        backoff: after failures.
        doubt: how jobs in doubt are settled.
        attempts: how often a generation is tried in all; what moderation stopped is not tried again.
        collectors: how many jobs' assets are fetched at once.
        files: between tries of files that did not arrive.
        last_files: how long such files are waited for when everything else has ended.
        last_moment: how long submits under way may still take when the run is left.
        most_failures: how many jobs may fail in a run before it submits no more; None for any number.
        slot_began: before anything of the slot was bought, seconds since the epoch; None where
            its beginning is not known.
    """

    timeout: float | None = None
    usual: float = 2.0
    gaps: PollGaps = field(default_factory=PollGaps)
    sweeps: bool = True
    listings: bool = True
    backoff: Backoff = field(default_factory=Backoff)
    doubt: DoubtPolicy = field(default_factory=DoubtPolicy)
    attempts: int = 1
    collectors: int = 8
    files: Backoff = field(default_factory=lambda: Backoff(first=5.0, ceiling=60.0))
    last_files: float = 300.0
    last_moment: float = 2.0
    slot_began: float | None = None
    most_failures: int | None = None

    def timeout_of(self, model: Model | None) -> float:
        """Return the seconds for which one run watches a submission of this model."""
        if self.timeout is not None:
            return self.timeout
        return max(1800.0, 3 * ((model.latency_p75 if model else None) or 0.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The ports of one run.

    Attributes:
        collector: where assets go; None leaves them with the service.
        chance: where jitter comes from.
        uploader: sends local files; None where no job has any.
        purse: what may be spent.
        sender: fingerprint of the key that submits; empty where that is not known.
        neighbours: settles doubts of other batches that stand in the way; None where there are no others.
        service_clock: how far the service's clock is from ours; None where nobody measures it.
        only_last: whether the assets of jobs that feed other jobs stay with the service.
        lease: the right to buy.
    """

    generator: Generator
    journal: Journal
    collector: Collector | None
    gate: PacedGate
    clock: Clock
    observer: Observer
    chance: random.Random = field(default_factory=random.Random)
    uploader: Uploader | None = None
    purse: BudgetGuard = field(default_factory=BudgetGuard)
    sender: str = ""
    service_clock: ServiceClock | None = None
    neighbours: Neighbours | None = None
    only_last: bool = False
    lease: Lease = field(default_factory=LifelongLease)

    @property
    def skew(self) -> float | None:
        """Seconds by which the service's clock is ahead of ours; None where that is not known."""
        return self.service_clock.skew if self.service_clock is not None else None
