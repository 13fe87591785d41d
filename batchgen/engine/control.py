"""What may be changed while a run goes on. Nothing here ends a run or loses a job."""

from collections.abc import Iterable
from decimal import Decimal

from batchgen.engine.dispatch import Dispatcher
from batchgen.engine.doubts import Doubts
from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.flow import Flow
from batchgen.engine.settings import RunSettings


class Control:
    """The levers of one run."""

    def __init__(self, *, dispatcher: Dispatcher, flow: Flow, purse: BudgetGuard) -> None:
        self._dispatcher = dispatcher
        self._flow = flow
        self._purse = purse

    def apply(self, settings: RunSettings) -> None:
        """Go by all of these from now on; the rate is the gate's, and a drain the run's own."""
        self.allow(settings.in_flight)
        self.spend(settings.budget)
        self.pause(paused=settings.paused)

    def pause(self, *, paused: bool) -> None:
        """Submit no more for the time being, or go on; what runs is watched and collected meanwhile."""
        self._dispatcher.pause(paused=paused)

    def follow(self, others: Iterable[Doubts], *, patience: float) -> None:
        """Buy nothing before the doubts of other slots are settled, for so many seconds at most."""
        self._dispatcher.follow(others, patience=patience)

    def allow(self, in_flight: int | None) -> None:
        """Put another upper bound on what is in flight; None leaves it to the service."""
        self._flow.pools.bound(in_flight)
        self._dispatcher.wake()

    def spend(self, total: Decimal | None) -> None:
        """Put another cap on what the batch may cost in all; None takes it away."""
        self._purse.set_cap(total)
        self._dispatcher.budget_changed()
