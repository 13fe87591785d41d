"""Why a run ends: collected while it goes on, and told when it is over. Nothing is decided here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from batchgen.engine.ending import Closed, Ending
from batchgen.errors import BatchgenError, StoppedError
from batchgen.model import JobKey


@dataclass(slots=True)
class Halt:
    """What stops a run, and what it leaves.

    Attributes:
        submitting: whether further jobs may leave.
        leaving: whether what runs is left to the next run at once.
        drained: whether a person asked for it.
        unreachable: whether the service could not be reached for too long.
        failures: jobs that failed in this run.
        stopped: why the service lets no job through.
        broken: what made it impossible to go on.
        bug: an error that nobody expected.
        out_of_sight: paid and still running when their timeout passed.
        missing: why the assets of these are not all on disk.
        unlisted: why jobs could not be listed when the run gave up buying; empty if that was not why.
    """

    submitting: bool = True
    leaving: bool = False
    drained: bool = False
    unreachable: bool = False
    failures: int = 0
    stopped: StoppedError | None = None
    broken: BatchgenError | None = None
    bug: BaseExceptionGroup[BaseException] | None = None
    out_of_sight: set[JobKey] = field(default_factory=set)
    missing: dict[JobKey, str] = field(default_factory=dict)
    unlisted: str = ""

    def stop_for(self, error: BatchgenError) -> None:
        """Remember the first of each kind."""
        if isinstance(error, StoppedError):
            self.stopped = self.stopped or error
        else:
            self.broken = self.broken or error

    def ending(
        self,
        *,
        turned_up: Sequence[str],
        lost: int,
        over_budget: Sequence[str],
        unpriced: Sequence[str] = (),
        most_failures: int | None,
        closed: Mapping[str, Closed],
        waits_for: Sequence[str] = (),
    ) -> Ending:
        """Give what the run came to.

        Raises:
            BaseExceptionGroup: the bug.
            BatchgenError: what broke it.
        """
        if self.bug is not None:
            raise self.bug
        if self.broken is not None:
            raise self.broken
        return Ending(
            stopped=self.stopped,
            drained=self.drained,
            unreachable=self.unreachable,
            out_of_sight=frozenset(self.out_of_sight),
            missing=self.missing,
            turned_up=tuple(turned_up),
            lost=lost,
            over_budget=tuple(over_budget),
            waits_for=tuple(waits_for),
            closed=closed,
            unlisted=self.unlisted,
            unpriced=tuple(unpriced),
            failures=self.failures if self.has_too_many_failures(most_failures) else 0,
        )

    def has_too_many_failures(self, most: int | None) -> bool:
        """Tell whether so many have failed that no further job is to be bought."""
        return most is not None and self.failures >= most
