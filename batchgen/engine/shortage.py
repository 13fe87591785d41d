"""The jobs that the budget holds back, and what is said of them."""

from collections.abc import Callable, Iterable

from batchgen.engine.limits.budget import BudgetGuard
from batchgen.engine.limits.chain_budget import ChainBudget
from batchgen.engine.waiting import Waiting
from batchgen.errors import NoRoomError, OverBudgetError
from batchgen.model import JobKey
from batchgen.planning.caps import Chains
from batchgen.planning.plan import Entry
from batchgen.ports import Spends

_NAMED = 3  # jobs that a list of sentences names


class Shortage:
    """What does not fit under the caps, for now or at all.

    A later step of a chain that does not fit steps aside for other chains that have begun, and keeps back
    whatever is new.
    """

    def __init__(self, *, waiting: Waiting, purse: BudgetGuard, chains: ChainBudget, spends: Spends) -> None:
        """Hold nothing back.

        Args:
            waiting: the jobs that wait to be bought.
            purse: knows caps and prices.
            chains: what is kept for them.
            spends: knows what is charged and reserved.
        """
        self._waiting = waiting
        self._purse = purse
        self._chains = chains
        self._spends = spends
        self._error: OverBudgetError | None = None  # of the latest job that did not fit
        self._broke = False
        self._steps: list[Entry] = []
        self._too_dear: dict[JobKey, tuple[Entry, OverBudgetError]] = {}

    @property
    def holds_all(self) -> bool:
        """Whether none of those may leave that wait."""
        return self._holds_new and not self._waiting.models_of_steps

    @property
    def _holds_new(self) -> bool:
        """Whether nothing may leave but steps of chains that have begun."""
        return self._broke or bool(self._steps)

    @property
    def models(self) -> Iterable[str]:
        """The models of those that may leave."""
        return self._waiting.models_of_steps if self._holds_new else self._waiting.models

    def first(self, may: Callable[[str], bool]) -> Entry | None:
        """Return the first that may leave; None if there is none.

        Args:
            may: says of a model whether there is room for one more of it.
        """
        return self._waiting.first(may, steps_only=self._holds_new)

    def take(self, entry: Entry, error: OverBudgetError | NoRoomError) -> None:
        """Hold a job back that does not fit; one that no cap can hold by itself holds nobody else back.

        One for which there was no room waits as before: that is no want of money.
        """
        if isinstance(error, NoRoomError):
            self._waiting.appendleft(entry)
            return
        if error.alone:
            self._too_dear[entry.key] = entry, error
            self._chains.lost(entry, dear=True)
            return
        self._broke, self._error = True, error
        if self._waiting.goes_on(entry):
            self._steps.append(entry)
        else:
            self._waiting.appendleft(entry)

    def left(self) -> None:
        """Learn that a job has left: where the eldest step fitted, the next one is tried."""
        self._waiting.prefer(self._chains.beside)
        if self._steps and not self._broke:
            self.freed()

    def freed(self) -> None:
        """Learn that money may be free: the eldest step is tried again, and what is new if there is none."""
        self._broke = False
        if self._steps:
            eldest = min(self._steps, key=self._chains.age)
            self._steps.remove(eldest)
            self._waiting.appendleft(eldest)

    def changed(self) -> None:
        """Learn that the caps are others: all are tried again."""
        again = [*sorted(self._steps, key=self._chains.age), *(entry for entry, _ in self._too_dear.values())]
        self._broke = False
        self._steps.clear()
        self._too_dear.clear()
        self._waiting.return_all(again)
        self._waiting.prefer(self._chains.beside)

    def drop(self, model: str) -> None:
        """Hold the jobs of a model back no longer: they are not bought."""
        self._steps = [one for one in self._steps if one.job.model != model]
        for key in [key for key, (one, _) in self._too_dear.items() if one.job.model == model]:
            del self._too_dear[key]

    def told(self, *, now: float) -> tuple[str, ...]:
        """Return which jobs the budget has left out, and what a higher one would buy; empty if none.

        Args:
            now: seconds since the epoch.
        """
        dear = [str(error) for _, error in self._too_dear.values()]
        told = dear if len(dear) <= _NAMED + 1 else [*dear[:_NAMED], f"{len(dear) - _NAMED} more such jobs"]
        if self._holds_new and self._error is not None:
            left = self._chains.left([*sorted(self._steps, key=self._chains.age), *self._waiting])
            entries = [one for steps in left.chains for one in steps]
            chains = Chains([len(steps) for steps in left.chains], left.begun)
            told.append(
                self._purse.told(
                    self._error,
                    [one.job for one in entries],
                    self._spends,
                    now=now,
                    chains=chains,
                    kept=self._chains.kept_for(entries),
                )
            )
        return tuple(told)
