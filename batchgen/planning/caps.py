"""How jobs fit under the caps: one answer for a plan, for a run, and for what a run says at its end. Pure.

Jobs are taken in their order, and the first that does not fit stops those behind it, as in a run. What is
dearer than one job may be, or has no price under a cap, is left out by itself.

A whole chain fits or does not as one. The rest of a chain that has begun stops no other one that has, and all
of them come before what is new. A chain that is dearer than a whole cap is left out by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from batchgen.formats import counted, stamp, units
from batchgen.planning.budget import Window

NEAR = Decimal("0.8")  # of a cap: from here on a person is warned
BALANCE = "balance"
_ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class CapUse:
    """One cap, and how the jobs fit under it alone.

    Attributes:
        window: the cap.
        used: compute units of it that are charged or reserved.
        worth: what all of the jobs would be reserved for.
        fits: how many of the jobs fit under this cap alone, the first ones that have a price.
        through: how many fit of those that the cap for one job lets through.
    """

    window: Window
    used: Decimal
    worth: Decimal
    fits: int
    through: int

    @property
    def needed(self) -> Decimal:
        """What all of the jobs would bring it to."""
        return self.used + self.worth

    @property
    def holds_all(self) -> bool:
        """Whether all of the jobs fit."""
        return self.needed <= self.window.cap

    def __str__(self) -> str:
        """Return where it stands, for people."""
        if self.window.key == BALANCE:
            return f"{self.window.name} has {units(self.window.cap)} CU left"
        return f"{self.window.label} has {units(self.used)} of {units(self.window.cap)} CU used"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """What of some jobs fits under all caps together.

    Attributes:
        jobs: how many there are.
        fits: how many of them would be bought.
        cost: what these would be reserved for.
        worth: what all that have a price would be reserved for.
        caps: each cap that holds for many jobs.
        per_job: the cap for one; None for none.
        dear: how many are above it.
        dearest: what the dearest of all costs; None where no price is known.
        unpriced: how many have no price, and wait for one because there is a cap.
        by_flag: whether the cap on the batch is the command line's.
        alone: how many are left out by themselves, with all of their chains.
        large: how many chains are dearer than a whole cap.
        largest: what the dearest of these costs.
    """

    jobs: int
    fits: int
    cost: Decimal
    worth: Decimal
    caps: tuple[CapUse, ...] = ()
    per_job: Decimal | None = None
    dear: int = 0
    dearest: Decimal | None = None
    unpriced: int = 0
    by_flag: bool = False
    alone: int = 0
    large: int = 0
    largest: Decimal = _ZERO

    @property
    def binding(self) -> CapUse | None:
        """The cap that stops the jobs first; None where all fit that have a price."""
        short = [one for one in self.caps if one.through < self.jobs - self.alone]
        return min(short, key=lambda one: one.through, default=None)

    @property
    def _raised(self) -> dict[str, Decimal]:
        """The caps that would have to be higher, by key, each as high as all jobs together need it."""
        raised = {one.window.key: one.needed for one in self.caps if not one.holds_all}
        raised.pop(BALANCE, None)  # nobody writes that
        return {"per_job": self.dearest, **raised} if self.dear and self.dearest is not None else raised

    @property
    def lines(self) -> str:
        """What to write so that all can be bought; empty where there is nothing to write."""
        raised = self._raised
        total = raised.pop("total", None)
        if total is None:
            return _line(raised)
        flag = f"`--budget {units(total)}`"
        if self.by_flag:
            return " and ".join(part for part in (flag, _line(raised)) if part)
        return _line({"total": total, **raised}) if raised else f"{flag} or {_line({'total': total})}"

    @property
    def way_on(self) -> str:
        """A sentence with these lines, and when a cap begins anew; empty where there is nothing to write."""
        raised, lines, until = self._raised, self.lines, self.waits_until
        if not lines:
            return ""
        all_ = "those whose price is known" if self.unpriced else "them all"
        wait = "" if until is None else f", and so does a run after {stamp(until)}"
        if raised.keys() == {"total"}:
            return f"a budget of {units(raised['total'])} CU buys {all_} ({lines})"
        return f"{lines} buys {all_}{wait}"

    @property
    def waits_until(self) -> float | None:
        """When caps that begin anew let the rest be bought; None where time does not help."""
        short = [one for one in self.caps if not one.holds_all]
        ends = [one.window.until for one in short]
        if self.dear or not ends or any(one.worth > one.window.cap for one in short):
            return None
        known = [one for one in ends if one is not None]
        return max(known) if len(known) == len(ends) else None

    def warnings(self) -> tuple[str, ...]:
        """Return what does not fit, and which cap is nearly reached, a sentence each."""
        told = []
        if self.dear and self.per_job is not None and self.dearest is not None:
            told.append(
                f"{counted(self.dear, 'job')} above the cap for one job (per_job), {units(self.per_job)} CU: "
                f"up to {units(self.dearest)} CU each"
            )
        if self.unpriced:
            told.append(
                f"{counted(self.unpriced, 'job')} without a known price, which no cap can cover "
                "(`budget: {estimate: N}` says what to take each for)"
            )
        if self.large:
            told.append(
                f"{counted(self.large, 'chain')} dearer than a whole cap, up to {units(self.largest)} CU; "
                "`budget: {chains: steps}` buys the steps one by one"
            )
        stops = self.binding
        if stops is not None:
            told.append(
                f"{self.fits} of {counted(self.jobs, 'job')} fit, for {units(self.cost)} CU: {stops}; "
                f"all would {'cost' if stops.window.key == BALANCE else 'bring it to'} {units(stops.needed)}"
            )
        if told and (way_on := self.way_on):
            told[-1] += f"; {way_on}"
        return (*told, *(text for one in self.caps if (text := self._near(one))))

    def _near(self, one: CapUse) -> str:
        if one is self.binding:
            return ""
        reached = one.used + self.cost
        if not self.cost or reached < NEAR * one.window.cap:
            return ""
        if one.window.key == BALANCE:
            left = one.window.cap - reached
            return f"this would leave {units(left)} of the {units(one.window.cap)} CU that the account has"
        return f"this would bring {near(one.window, reached)}"


def near(window: Window, reached: Decimal) -> str:
    """Return how near a cap is, for people: ``this month (per_month) to 85 of 100 CU (85 %)``."""
    share = f" ({int(100 * reached / window.cap)} %)" if window.cap else ""
    return f"{window.label} to {units(reached)} of {units(window.cap)} CU{share}"


def _line(caps: dict[str, Decimal]) -> str:
    inside = ", ".join(f"{key}: {units(cap)}" for key, cap in caps.items())
    return f"`budget: {{{inside}}}`" if inside else ""


class Chains(NamedTuple):
    """How jobs that stand one behind the other make chains.

    Attributes:
        sizes: how many jobs each has.
        begun: how many of the chains, the first ones, have begun.
    """

    sizes: Sequence[int]
    begun: int = 0


class _Chain(NamedTuple):
    """Jobs that are bought together or not at all: how many, and what they would be reserved for."""

    jobs: int
    amount: Decimal
    has_begun: bool


def fit(
    amounts: Sequence[Decimal | None],
    windows: Sequence[tuple[Window, Decimal]],
    *,
    per_job: Decimal | None = None,
    capped: bool,
    by_flag: bool = False,
    chains: Chains | None = None,
) -> Fit:
    """Return what fits.

    Args:
        amounts: what each job would be reserved for, in their order; None where no price is known.
        windows: each cap, with what is used of it.
        per_job: the most that one job may cost.
        capped: whether there is any cap on spending, so that a job without a price waits.
        by_flag: whether the cap on the batch is the command line's.
        chains: how they make chains, which are bought whole; None for each job by itself.
    """
    chains = chains or Chains([1] * len(amounts))
    known = [one for one in amounts if one is not None]
    goes: list[_Chain] = []
    priced: list[_Chain] = []
    large: list[Decimal] = []
    for place, some in enumerate(_parts(amounts, chains.sizes)):
        chain = _Chain(len(some), sum((one for one in some if one is not None), _ZERO), place < chains.begun)
        priced += [] if None in some else [chain]
        if (capped and None in some) or any(one > per_job for one in some if one and per_job is not None):
            continue
        if chain.jobs > 1 and any(chain.amount > one.cap for one, _ in windows if one.key != BALANCE):
            large.append(chain.amount)
        else:
            goes.append(chain)
    uses = tuple(
        CapUse(
            window=window,
            used=used,
            worth=sum(known, _ZERO),
            fits=sum(one.jobs for one in _fitting(priced, [window.cap - used])),
            through=sum(one.jobs for one in _fitting(goes, [window.cap - used])),
        )
        for window, used in windows
    )
    fitting = _fitting(goes, [window.cap - used for window, used in windows])
    return Fit(
        jobs=len(amounts),
        fits=sum(one.jobs for one in fitting),
        cost=sum((one.amount for one in fitting), _ZERO),
        worth=sum(known, _ZERO),
        caps=uses,
        per_job=per_job,
        dear=sum(one > per_job for one in known) if per_job is not None else 0,
        dearest=max(known, default=None),
        unpriced=amounts.count(None) if capped else 0,
        by_flag=by_flag,
        alone=len(amounts) - sum(one.jobs for one in goes),
        large=len(large),
        largest=max(large, default=_ZERO),
    )


def _parts(amounts: Sequence[Decimal | None], sizes: Sequence[int]) -> Iterator[list[Decimal | None]]:
    left = iter(amounts)
    return (list(islice(left, size)) for size in sizes)


def _fitting(chains: Sequence[_Chain], rooms: Sequence[Decimal]) -> list[_Chain]:
    """Return the chains that fit into all of the rooms."""
    found: list[_Chain] = []
    left, waits = list(rooms), any(room < 0 for room in rooms)
    for chain in chains:
        if waits and not chain.has_begun:
            break
        after = [room - chain.amount for room in left]
        if any(room < 0 for room in after):
            waits = True
        else:
            left = after
            found.append(chain)
    return found
