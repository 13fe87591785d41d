"""How jobs fit under the caps: one answer for a plan, for a run, and for what a run says at its end. Pure.

Jobs are taken in their order, and the first that does not fit stops those behind it, as in a run. What is
dearer than one job may be, or has no price under a cap, is left out by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

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

    @property
    def binding(self) -> CapUse | None:
        """The cap that stops the jobs first; None where all fit that have a price."""
        short = [one for one in self.caps if one.through < self.jobs - self.dear - self.unpriced]
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
            told.append(f"{counted(self.unpriced, 'job')} without a known price, which no cap can cover")
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


def fit(
    amounts: Sequence[Decimal | None],
    windows: Sequence[tuple[Window, Decimal]],
    *,
    per_job: Decimal | None = None,
    capped: bool,
    by_flag: bool = False,
) -> Fit:
    """Return what fits.

    Args:
        amounts: what each job would be reserved for, in their order; None where no price is known.
        windows: each cap, with what is used of it.
        per_job: the most that one job may cost.
        capped: whether there is any cap on spending, so that a job without a price waits.
        by_flag: whether the cap on the batch is the command line's.
    """
    known = [one for one in amounts if one is not None]
    cheap = [one for one in known if per_job is None or one <= per_job]
    goes = [
        one or _ZERO
        for one in amounts
        if (one is None and not capped) or (one is not None and (per_job is None or one <= per_job))
    ]
    worth = sum(known, _ZERO)
    uses = tuple(
        CapUse(
            window=window,
            used=used,
            worth=worth,
            fits=_prefix(known, window.cap - used),
            through=_prefix(goes, window.cap - used),
        )
        for window, used in windows
    )
    fits = min((one.through for one in uses), default=len(goes))
    return Fit(
        jobs=len(amounts),
        fits=fits,
        cost=sum(goes[:fits], _ZERO),
        worth=worth,
        caps=uses,
        per_job=per_job,
        dear=len(known) - len(cheap),
        dearest=max(known, default=None),
        unpriced=amounts.count(None) if capped else 0,
        by_flag=by_flag,
    )


def _prefix(amounts: Sequence[Decimal], room: Decimal) -> int:
    """Return how many of the first amounts fit into the room."""
    if room < 0:
        return 0
    for count, amount in enumerate(amounts):
        room -= amount
        if room < 0:
            return count
    return len(amounts)
