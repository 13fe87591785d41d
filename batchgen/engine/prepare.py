"""Jobs whose inputs are local files: they wait until the service has the files.

A file is sent before the job's turn comes, so that no slot stays empty for it, and not long
before: what a run never comes to is not sent. Uploads are free; nothing here is paid for.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from batchgen.backoff import Backoff
from batchgen.errors import InputError, NoRightError, RefusedError, ServiceError, StoppedError
from batchgen.identity import files_of
from batchgen.ledger import Ledger
from batchgen.planning.plan import Entry
from batchgen.ports import Uploader

AHEAD = 32  # jobs with files that may wait to be bought


class Preparer:
    """Gets the files of waiting jobs to the service. ``run`` must be a child of the run's TaskGroup."""

    def __init__(
        self,
        *,
        uploader: Uploader,
        ledger: Ledger,
        backoff: Backoff,
        ready: Callable[[Entry], None],
        waiting: Callable[[], int],
        denied: Callable[[NoRightError, Sequence[Entry]], None],
    ) -> None:
        """Take the parts.

        Args:
            uploader: sends the files.
            ledger: whose observer is told of troubles.
            backoff: after the service did not take a file and may yet.
            ready: takes a job whose files are there.
            waiting: how many jobs wait to be bought.
            denied: takes jobs whose files this key may not send.
        """
        self._uploader = uploader
        self._ledger = ledger
        self._backoff = backoff
        self._ready = ready
        self._waiting = waiting
        self._denied = denied
        self._jobs: deque[Entry] = deque()
        self._woken = asyncio.Event()

    @classmethod
    def of(
        cls,
        uploader: Uploader | None,
        ledger: Ledger,
        backoff: Backoff,
        ready: Callable[[Entry], None],
        waiting: Callable[[], int],
        denied: Callable[[NoRightError, Sequence[Entry]], None],
    ) -> "Preparer | None":
        """Return one where anybody sends files; else None."""
        if uploader is None:
            return None
        return cls(
            uploader=uploader, ledger=ledger, backoff=backoff, ready=ready, waiting=waiting, denied=denied
        )

    def __len__(self) -> int:
        """Count the jobs that wait for their files."""
        return len(self._jobs)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._jobs))

    def needs(self, entry: Entry) -> bool:
        """Return whether a job has files whose body is not composed yet."""
        return entry.record.body is None and bool(files_of(entry.job))

    def add(self, entry: Entry) -> None:
        """Let a job wait for its files."""
        self._jobs.append(entry)
        self.wake()

    def drop(self, model: str) -> None:
        """Let those of a model wait no longer."""
        self._jobs = deque(one for one in self._jobs if one.job.model != model)

    def wake(self) -> None:
        """Look again whether there is room."""
        self._woken.set()

    async def run(self) -> None:
        """Send files until cancelled, those of one job after the other's.

        Raises:
            InputError: a file is gone, is not what it was, or is refused by the service.
            StoppedError: the service does not let us.
            JournalError: an upload could not be recorded.
        """
        failures = 0
        while True:
            self._woken.clear()
            if not self._jobs or self._waiting() >= AHEAD:
                await self._woken.wait()
                continue
            entry = self._jobs[0]
            try:
                await self._uploader.ensure(files_of(entry.job))
            except NoRightError as error:
                self._set_aside(entry, error)
            except StoppedError as error:
                text = f"{entry.job.id}: its files cannot be sent: {error}"
                raise StoppedError(text, cause=error.cause) from error
            except (InputError, RefusedError) as error:
                raise InputError(f"{entry.job.id}: a file cannot be sent: {error}") from error
            except ServiceError as error:
                failures += 1
                self._ledger.observer.warned(f"{entry.job.id}: a file was not taken yet: {error}")
                await asyncio.sleep(self._backoff.delay(failures, jitter=0.5))
            else:
                failures = 0
                if self._jobs and self._jobs[0] is entry:  # its model may have been closed meanwhile
                    self._jobs.popleft()
                    self._ready(entry)

    def _set_aside(self, first: Entry, error: NoRightError) -> None:
        """Let those go on whose files the service has, and leave the others: no file can be sent."""
        there = [
            one
            for one in self._jobs
            if one is not first and self._uploader.known(files_of(one.job)) is not None
        ]
        aside = [one for one in self._jobs if one not in there]
        self._jobs = deque(there)
        self._denied(error, aside)
