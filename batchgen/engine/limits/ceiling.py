"""How many may be in flight: what the user allows, the service has shown, and refusals have taught.

Pure: a ceiling is a value, and each fact makes the next one.
"""

from dataclasses import dataclass, replace

PROBE_AFTER = 300.0  # seconds without a refusal before one more is tried


@dataclass(frozen=True, kw_only=True, slots=True)
class Ceiling:
    """The limits on what is in flight.

    Attributes:
        bound: the user's upper bound; None where the service alone decides.
        proven: the highest number that was ever accepted at once.
        taught: what the latest refusal left as the limit; None before the first.
        told: the limit that the service named then; more than what was taught where others use it too.
        refused_at: when that was, in seconds of the loop's clock.
        quiet: seconds without a refusal before one more is tried.
    """

    bound: int | None = None
    proven: int = 0
    taught: int | None = None
    told: int | None = None
    refused_at: float = 0.0
    quiet: float = PROBE_AFTER

    @property
    def limit(self) -> int | None:
        """The lower of what is allowed and what was taught."""
        known = [one for one in (self.bound, self.taught) if one is not None]
        return min(known) if known else None

    def has_room(self, in_flight: int, late: int = 0) -> bool:
        """Return whether one more may be submitted: at most one goes beyond what was ever accepted.

        Args:
            in_flight: all that run or may run.
            late: those of them whose answer is long due, which keep nobody waiting.
        """
        if self.limit is not None and in_flight >= self.limit:
            return False
        return in_flight - late <= self.proven

    def accepted(self, in_flight: int) -> "Ceiling":
        """Learn from an acceptance with so many in flight, itself included."""
        return self if in_flight <= self.proven else replace(self, proven=in_flight)

    def refused(self, others: int, *, told: int | None, cooldown: float | None, now: float) -> "Ceiling":
        """Learn from a refusal.

        Args:
            others: how many were in flight beside the refused one.
            told: the ceiling the service named; None where it refused for another reason.
            cooldown: the seconds it asked to wait.
            now: the loop's clock.
        """
        quiet = max(PROBE_AFTER, 10 * (cooldown or 0.0))
        if told is None:
            return replace(self, refused_at=now, quiet=quiet)
        taught = max(1, min(told, others))
        return replace(self, taught=taught, told=told, refused_at=now, quiet=quiet)

    def probed(self, now: float) -> "Ceiling":
        """Allow one more if it has been quiet for long enough."""
        if self.taught is None or now - self.refused_at < self.quiet:
            return self
        taught = self.taught + 1
        return replace(self, taught=taught, proven=max(self.proven, taught - 1), refused_at=now)
