"""Finding out when a submission ends, by polling its id. Only the service's word ends one."""

import asyncio

from batchgen.engine.ledger import Ledger
from batchgen.engine.reading import after_look
from batchgen.engine.schedule import LookSchedule
from batchgen.errors import ServiceError, StoppedError
from batchgen.model import RemoteJob
from batchgen.plan.plan import Entry
from batchgen.ports import Generator

_DUST = 2e-6  # seconds: two ticks of the coarsest clock


class Watcher:
    """Watches one submission at a time, for as long as it is told to."""

    def __init__(self, *, generator: Generator, ledger: Ledger, schedule: LookSchedule) -> None:
        self._generator = generator
        self._ledger = ledger
        self._schedule = schedule

    async def watch(self, entry: Entry, *, timeout_after: float) -> Entry | None:
        """Look until the submission ends and record how; None if it outlasts the timeout, in seconds.

        An id the service does not show, or will not, is asked about again: it is paid for.

        Raises:
            StoppedError: the service does not let us look.
        """
        submission = entry.record.submission
        if submission is None:
            raise AssertionError(f"{entry.job.id} runs without a submission")
        time = asyncio.get_running_loop().time
        waited = max(0.0, self._ledger.now() - submission.at)  # a resumed run begins in the middle
        accepted, deadline = time() - waited, time() + timeout_after
        gap, failures = max(0.0, self._schedule.first_look(entry.job.model) - waited), 0
        while (now := time()) < deadline - _DUST:
            await asyncio.sleep(min(gap, deadline - now))  # the last look is at the deadline itself
            try:
                remote = await self._generator.job(submission.remote_id)
            except StoppedError:
                raise
            except ServiceError as error:  # whatever it says of the call, the submission is paid for
                failures += 1
                self._ledger.observer.troubled(f"{entry.job.id}: {error}")
                gap = self._schedule.after_failure(failures, getattr(error, "retry_after", None))
                continue
            end = after_look(remote, at=self._ledger.now())
            if end is not None:
                entry = self._ledger.record(entry, end)
                self._learn(entry, remote, accepted, time())
                return entry
            self._ledger.observer.looked(entry.job, remote)
            failures, gap = 0, self._schedule.gap(time() - accepted)
        return None

    def _learn(self, entry: Entry, remote: RemoteJob, accepted: float, now: float) -> None:
        """Remember what it took: by the service's clock if it tells, else by ours, which is later."""
        if remote.created_at is not None and remote.finished_at is not None:
            took = remote.finished_at - remote.created_at
            if 0 <= took <= now - accepted:
                self._schedule.took(entry.job.model, took)
                return
        self._schedule.took(entry.job.model, now - accepted)
