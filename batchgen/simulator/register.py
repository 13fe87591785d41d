"""Every accepted job, in order, and what follows from the time: how many run, what was spent.

The clock only goes forward: a caller that passes an earlier time gets the latest one, and a
restored job is never younger than now.
"""

import heapq
from collections.abc import Sequence
from decimal import Decimal

from batchgen.simulator.jobs import Submission


class Register:
    """Append-only; answers in constant or logarithmic time whatever the number of jobs."""

    def __init__(self) -> None:
        self._jobs: list[Submission] = []
        self._by_id: dict[str, Submission] = {}
        self._running: list[tuple[float, int]] = []  # heap of ends and ordinals
        self._charged = Decimal(0)
        self._refunded = Decimal(0)
        self._now = 0.0
        self.most_in_flight = 0

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def jobs(self) -> Sequence[Submission]:
        """All jobs, the oldest first."""
        return self._jobs

    @property
    def in_flight(self) -> int:
        """How many have not ended."""
        return len(self._running)

    @property
    def spent(self) -> Decimal:
        """Compute units charged, less what was refunded."""
        return self._charged - self._refunded

    def get(self, remote_id: str) -> Submission | None:
        """Return a job by the service's id."""
        return self._by_id.get(remote_id)

    def advance(self, now: float) -> float:
        """Let the time pass and give it; jobs that end leave the count and get their refund."""
        self._now = max(self._now, now)
        while self._running and self._running[0][0] <= self._now:
            _, ordinal = heapq.heappop(self._running)
            self._refunded += self._jobs[ordinal].refund
        return self._now

    def add(self, job: Submission) -> None:
        """Take in the next job.

        Raises:
            ValueError: it is not the next one, or its id is taken.
        """
        if job.ordinal != len(self._jobs) or job.remote_id in self._by_id:
            raise ValueError(f"{job.remote_id} does not follow the jobs on record")
        self.advance(job.created_at)
        self._jobs.append(job)
        self._by_id[job.remote_id] = job
        self._charged += job.cost
        heapq.heappush(self._running, (job.end.at, job.ordinal))
        self.most_in_flight = max(self.most_in_flight, len(self._running))
