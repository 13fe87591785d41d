"""When a job in doubt may be called absent, and when a person has to decide. Pure.

A listing that does not show a submission proves nothing by itself: it may be behind. It
takes two of them, apart and late enough, and a witness: a row of ours that such a listing
would have shown as late as the one we miss, and did show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from batchgen.model import Json

_END = 2  # times settle_max: a doubt that listings can neither show nor refute by then is for a person
_LATEST = 3  # times settle_max: where they lag
AFTER_LEASE = 60.0  # seconds: what left at its very end is at the service, and listed
MOST_ABSENCES = 2  # after so many a person decides: something is wrong with what listings show


class OnAbsent(StrEnum):
    """What follows from a shown absence."""

    RESUBMIT = "resubmit"
    HOLD = "hold"


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubtPolicy:
    """How jobs in doubt are settled; times in seconds.

    Attributes:
        then: what follows from a shown absence.
        settle: how long after the loss a listing counts at the earliest.
        settle_max: how long to wait for a witness that was accepted after the loss. Also how long a run that
            may be alive is waited for, of which nothing is heard.
        after_lease: how long a lease must have run out before a POST of its run can be absent.
    """

    then: OnAbsent = OnAbsent.RESUBMIT
    settle: float = 60.0
    settle_max: float = 600.0
    after_lease: float = AFTER_LEASE

    @property
    def spacing(self) -> float:
        """The least time between two listings that count."""
        return self.settle / 3

    def settled_after(self, lag: float) -> float:
        """Return the settling time where listings were seen to lag by so many seconds."""
        return max(self.settle, 3 * lag)

    def end_after(self, lag: float) -> float:
        """Return after how long a doubt is for a person: not before listings could have shown it absent."""
        late = min(self.settled_after(lag), _LATEST * self.settle_max) + self.spacing
        return max(_END * self.settle_max, late)


class Move(StrEnum):
    """What to do with a job that no listing shows."""

    WAIT = "wait"
    RESUBMIT = "resubmit"
    HOLD = "hold"


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What listings have shown of one job in doubt that none of them matched.

    Attributes:
        watched: seconds for which this run has seen listings that it could read to their ends.
        blind: seconds for which it had not before the latest one.
        clean: its ages, as far as they are certain, when complete listings without a match or
            near-match were begun, oldest first.
        dates: the same as dates of our clock, for the reader of the journal.
        near: remote ids that are near-matches in the latest listing.
        clouded: how many rows in the latest listing nobody can read, and may be it.
        incomplete: why the latest listing was not all there is; empty if it was.
        witness: a submission of ours, accepted after the loss, that the latest listing shows.
        older_witness: one of its model, accepted before it.
        pending: whether some submission of ours is not listed yet, which may be a witness when it is.
        lag: the longest seen from acceptance to first sight, in seconds.
        absences: how often this attempt was shown absent before.
        trusted: whether no shown absence of this journal was ever refuted.
        before: its age when this run took it up.
        wait: seconds from then on before which no listing counts, because the run that sent it may be alive.
    """

    watched: float
    blind: float = 0.0
    clean: tuple[float, ...]
    dates: tuple[float, ...] = ()
    near: tuple[str, ...] = ()
    clouded: int = 0
    incomplete: str = ""
    witness: str | None = None
    older_witness: str | None = None
    pending: bool = False
    lag: float = 0.0
    absences: int = 0
    trusted: bool = True
    before: float = 0.0
    wait: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Conclusion:
    """A move, and what it rests on.

    Attributes:
        reason: for people; empty while waiting.
        evidence: for the event.
    """

    move: Move
    reason: str = ""
    evidence: Mapping[str, Json] | None = None


WAIT = Conclusion(move=Move.WAIT)


def conclude(found: Findings, policy: DoubtPolicy) -> Conclusion:
    """Return what follows from the findings."""
    patient = found.watched >= policy.settle_max
    shown = _shown_absent(found, policy)
    witness = found.witness or (found.older_witness if patient else None)
    if not (shown and witness):
        waited = max(found.watched, found.blind) if found.incomplete else found.watched
        may_change = found.incomplete or found.pending
        end = max(policy.end_after(found.lag), found.wait + _END * policy.spacing)
        given_up = waited >= end or (patient and shown and not may_change)
        return _hold(found, policy) if given_up else WAIT
    if policy.then is OnAbsent.HOLD:
        return Conclusion(move=Move.HOLD, reason="shown absent; the manifest says to hold")
    if found.absences >= MOST_ABSENCES:
        return Conclusion(move=Move.HOLD, reason=f"shown absent {found.absences + 1} times")
    if not found.trusted:
        return Conclusion(
            move=Move.HOLD, reason="shown absent, but such a showing has been wrong in this journal before"
        )
    evidence = {"listings": list(found.dates[-2:]), "control": witness, "lag": found.lag}
    return Conclusion(move=Move.RESUBMIT, evidence=evidence)


def _shown_absent(found: Findings, policy: DoubtPolicy) -> bool:
    """Return whether two listings far enough apart, the later one late enough, showed nothing."""
    if found.near or not found.clean:
        return False
    late = found.clean[-1]
    early = any(late - one >= policy.spacing for one in found.clean[:-1])
    settled = max(policy.settled_after(found.lag), found.before + found.wait)
    return early and late >= settled


def _hold(found: Findings, policy: DoubtPolicy) -> Conclusion:
    if found.near:
        reason = f"similar jobs are at the service, but none is certainly this one: {', '.join(found.near)}"
    elif _shown_absent(found, policy):
        reason = "not listed, but no other job of ours is listed to prove that it would be"
    elif found.clouded:
        reason = f"not listed, but {found.clouded} listed rows cannot be read, and one may be it"
    elif found.incomplete:
        reason = f"the service's listing could not be read to its end: {found.incomplete}"
    else:
        reason = f"not listed, but listings lag by up to {found.lag:.0f} s, which is too long to be sure"
    return Conclusion(move=Move.HOLD, reason=reason)
