"""Whom a run is shown to: a person at a stream, and a program that takes its events."""

import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TextIO

from batchgen.errors import Problem
from batchgen.events import Event
from batchgen.formats import counted, harmless
from batchgen.manifest.source.problem_view import shown_problems
from batchgen.model import Job, JobKey, Json, RemoteJob, Scope
from batchgen.output.progress import Mode
from batchgen.output.run_events import JobChanged, JobSeen, RunEnded, RunEvent, RunStarted, Said, Tell, Warned
from batchgen.ports import Clock, Observer
from batchgen.record import Record
from batchgen.wiring.batch import Batch
from batchgen.wiring.opening import OpenBatch

_QUIET = frozenset({Mode.QUIET, Mode.SILENT})
_NAMED = 3  # files that a sentence names


class Audience:
    """The listeners of one run.

    Attributes:
        warnings: what was found in the manifest that is probably a mistake.
    """

    def __init__(
        self,
        stream: TextIO,
        mode: Mode,
        tell: Tell | None = None,
        *,
        seen: Collection[Problem] = (),
        log: Tell | None = None,
        run_id: str = "",
    ) -> None:
        """Take the listeners.

        Args:
            stream: where progress is shown to a person.
            mode: how much of it.
            tell: takes the events, and raises nothing; None where no program listens.
            seen: warnings that the person was shown before.
            log: takes them too, at once, and what is said to people besides; None where no log is kept.
            run_id: of the run; empty for a new one.
        """
        self.run_id = run_id or os.urandom(6).hex()
        self._log = log
        self.warnings: list[Problem] = []
        self._seen = frozenset(seen)
        self.stream = stream
        self.mode = mode
        self._program = tell
        self._opened: OpenBatch | None = None
        self._untold: list[Warned] = []  # sentences from before the run was said to begin

    def note(self, text: str) -> None:
        """Show a sentence that a quiet run can do without, before there is any progress to show it."""
        if self.mode not in _QUIET:
            self._show(harmless(f"note: {text}", on_one_line=True))
        self._tell_of(text, is_note=True)

    def warn(self, warnings: Iterable[Problem]) -> None:
        """Show what is probably a mistake in the manifest, a quiet run as well: it may cost money."""
        new = [one for one in warnings if one not in self.warnings]
        self.warnings += new
        for line in shown_problems((), [one for one in new if one not in self._seen]):
            self._show(line)
        for one in new:
            self._tell_of(str(one))

    def place(self, journal: str) -> None:
        """Show which journal is in use: another folder has another one."""
        text = f"journal: {journal}"
        if self.mode not in _QUIET:
            self._show(harmless(text, on_one_line=True))
        self._keep(text)

    def say(self, text: str) -> None:
        """Show a sentence that everybody should read."""
        self._show(harmless(text, on_one_line=True))
        self._keep(text)

    def _show(self, text: str) -> None:
        if self.mode is not Mode.SILENT:
            self.stream.write(f"{harmless(text)}\n")

    def _keep(self, text: str) -> None:
        """Keep in the log what programs are not told."""
        if self._log is not None:
            at, batch, slot = self._where()
            self._log(Said(at=at, batch=batch, slot=slot, run_id=self.run_id, text=text))

    def _where(self) -> tuple[float, str, str]:
        """Return what time it is, and of which batch and slot this is; empty before that is known."""
        if self._opened is None:
            return time.time(), "", ""
        scope = self._opened.batch.scope
        return self._opened.options.clock.now(), scope.batch, scope.slot

    def tell_of_files(self, batch: Batch) -> None:
        """Tell which files are fetched again, and which are left as somebody has changed them."""
        name, lost, edited = batch.scope.batch, batch.files.files, batch.files.edited
        if lost:
            self.say(f"{name}: {counted(lost, 'file')} gone from the disk or damaged, to be fetched again")
        if left := sum(batch.files.unfetched.values()):
            self.note(f"{name}: {counted(left, 'file')} left at the service so far, to be fetched now")
        if edited:
            few = ", ".join(one.path for one in edited[:_NAMED]) + (", ..." if len(edited) > _NAMED else "")
            self.note(
                f"{counted(len(edited), 'file')} changed since then and left alone: {few} "
                "(audit --fix fetches the recorded ones)"
            )

    def begin(self, opened: OpenBatch) -> None:
        """Tell that a run begins, and what was noted before."""
        self._opened, untold = opened, self._untold
        self._untold = []
        scope, plan = opened.batch.scope, opened.batch.plan
        self._tell(
            RunStarted(
                at=opened.now,
                batch=scope.batch,
                slot=scope.slot,
                run_id=self.run_id,
                origin=scope.origin,
                project=scope.project,
                jobs=len(plan.entries) + len(plan.removed),
                to_buy=len(plan.to_submit),
            )
        )
        for one in untold:
            if self._program is not None:
                self._program(replace(one, at=opened.now, batch=scope.batch, slot=scope.slot))

    def watching(self, observer: Observer, scope: Scope, clock: Clock) -> Observer:
        """Return an observer of a slot that also tells the program what it sees."""
        if self._program is None and self._log is None:
            return observer
        return Telling(observer, self._tell, scope=scope, clock=clock, run_id=self.run_id)

    def end(
        self, opened: OpenBatch, *, exit_status: int, reasons: Sequence[str], summary: Mapping[str, Json]
    ) -> None:
        """Tell how the run ended, as the last word."""
        scope = opened.batch.scope
        self._tell(
            RunEnded(
                at=opened.options.clock.now(),
                batch=scope.batch,
                slot=scope.slot,
                run_id=self.run_id,
                exit=exit_status,
                reasons=tuple(reasons),
                summary=summary,
            )
        )

    def _tell_of(self, text: str, *, is_note: bool = False) -> None:
        at, batch, slot = self._where()
        event = Warned(at=at, batch=batch, slot=slot, run_id=self.run_id, text=text, is_note=is_note)
        if self._opened is not None:
            self._tell(event)
            return
        self._untold.append(event)  # the first that programs are told is that the run begins
        if self._log is not None:
            self._log(event)

    def _tell(self, event: RunEvent) -> None:
        for take in (self._program, self._log):
            if take is not None:
                take(event)


class Telling(Observer):
    """Makes run events of what an observer is told, and passes all of it on.

    Args:
        shown: to whom.
        tell: takes the events; must raise nothing.
        scope: of which slot.
        clock: for the stamps of what carries none.
        run_id: of which run.
    """

    def __init__(self, shown: Observer, tell: Tell, *, scope: Scope, clock: Clock, run_id: str = "") -> None:
        self._shown = shown
        self._run_id = run_id
        self._tell = tell
        self._scope = scope
        self._clock = clock
        self._words: dict[str, str] = {}  # by the service's id: what was told of it last

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        """Tell of a fact; see the port."""
        self._shown.recorded(key, job, event, record)
        batch, slot = self._scope.batch, self._scope.slot
        self._tell(
            JobChanged(
                at=event.at,
                batch=batch,
                slot=slot,
                run_id=self._run_id,
                fact=event,
                key=key,
                job=job,
                record=record,
            )
        )

    def polled(self, job: Job, remote: RemoteJob) -> None:
        """Tell of a look that shows something new; see the port."""
        self._shown.polled(job, remote)
        if self._words.get(remote.remote_id) == remote.word:
            return
        self._words[remote.remote_id] = remote.word
        batch, slot = self._scope.batch, self._scope.slot
        at, run_id = self._clock.now(), self._run_id
        self._tell(JobSeen(at=at, batch=batch, slot=slot, run_id=run_id, job=job, remote=remote))

    def warned(self, text: str) -> None:
        """Tell of trouble; see the port."""
        self._shown.warned(text)
        batch, slot = self._scope.batch, self._scope.slot
        self._tell(Warned(at=self._clock.now(), batch=batch, slot=slot, run_id=self._run_id, text=text))
