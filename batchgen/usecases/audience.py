"""Whom a run is shown to: a person at a stream, and a program that takes its events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TextIO

from batchgen.errors import Problem
from batchgen.events import Event
from batchgen.formats import counted
from batchgen.manifest.source.problem_view import shown_problems
from batchgen.model import Job, JobKey, Json, RemoteJob, Scope
from batchgen.output.progress import Mode
from batchgen.output.run_events import JobChanged, JobSeen, RunEnded, RunEvent, RunStarted, Tell, Warned
from batchgen.ports import Clock, Observer
from batchgen.record import Record
from batchgen.wiring.batch import Batch
from batchgen.wiring.opening import OpenBatch

_NAMED = 3  # files that a sentence names


class Audience:
    """The listeners of one run.

    Attributes:
        warnings: what was found in the manifest that is probably a mistake.
    """

    def __init__(
        self, stream: TextIO, mode: Mode, tell: Tell | None = None, *, seen: Collection[Problem] = ()
    ) -> None:
        """Take the listeners.

        Args:
            stream: where progress is shown to a person.
            mode: how much of it.
            tell: takes the events, and raises nothing; None where no program listens.
            seen: warnings that the person was shown before.
        """
        self.warnings: list[Problem] = []
        self._seen = frozenset(seen)
        self.stream = stream
        self.mode = mode
        self._program = tell
        self._opened: OpenBatch | None = None
        self._untold: list[str] = []  # sentences from before the run was said to begin

    def note(self, text: str) -> None:
        """Show a sentence that a quiet run can do without, before there is any progress to show it."""
        if self.mode is not Mode.QUIET:
            self.stream.write(f"note: {text}\n")
        self._tell_of(text)

    def warn(self, warnings: Iterable[Problem]) -> None:
        """Show what is probably a mistake in the manifest, a quiet run as well: it may cost money."""
        new = [one for one in warnings if one not in self.warnings]
        self.warnings += new
        for line in shown_problems((), [one for one in new if one not in self._seen]):
            self.say(line)
        for one in new:
            self._tell_of(str(one))

    def place(self, journal: str) -> None:
        """Show which journal is in use: another folder has another one."""
        if self.mode is not Mode.QUIET:
            self.stream.write(f"journal: {journal}\n")

    def say(self, text: str) -> None:
        """Show a sentence that everybody should read."""
        self.stream.write(f"{text}\n")

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
        self._opened = opened
        scope, plan = opened.batch.scope, opened.batch.plan
        self._tell(
            RunStarted(
                at=opened.now,
                batch=scope.batch,
                slot=scope.slot,
                origin=scope.origin,
                project=scope.project,
                jobs=len(plan.entries) + len(plan.removed),
                to_buy=len(plan.to_submit),
            )
        )
        for text in self._untold:
            self._warn(opened, text)
        self._untold.clear()

    def watching(self, observer: Observer, scope: Scope, clock: Clock) -> Observer:
        """Return an observer of a slot that also tells the program what it sees."""
        if self._program is None:
            return observer
        return Telling(observer, self._program, scope=scope, clock=clock)

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
                exit=exit_status,
                reasons=tuple(reasons),
                summary=summary,
            )
        )

    def _tell_of(self, text: str) -> None:
        if self._opened is None:
            self._untold.append(text)
        else:
            self._warn(self._opened, text)

    def _warn(self, opened: OpenBatch, text: str) -> None:
        scope = opened.batch.scope
        at = opened.options.clock.now()
        self._tell(Warned(at=at, batch=scope.batch, slot=scope.slot, text=text))

    def _tell(self, event: RunEvent) -> None:
        if self._program is not None:
            self._program(event)


class Telling(Observer):
    """Makes run events of what an observer is told, and passes all of it on.

    Args:
        shown: to whom.
        tell: takes the events; must raise nothing.
        scope: of which slot.
        clock: for the stamps of what carries none.
    """

    def __init__(self, shown: Observer, tell: Tell, *, scope: Scope, clock: Clock) -> None:
        self._shown = shown
        self._tell = tell
        self._scope = scope
        self._clock = clock
        self._words: dict[str, str] = {}  # by the service's id: what was told of it last

    def recorded(self, key: JobKey, job: Job, event: Event, record: Record) -> None:
        """Tell of a fact; see the port."""
        self._shown.recorded(key, job, event, record)
        batch, slot = self._scope.batch, self._scope.slot
        self._tell(
            JobChanged(at=event.at, batch=batch, slot=slot, fact=event, key=key, job=job, record=record)
        )

    def polled(self, job: Job, remote: RemoteJob) -> None:
        """Tell of a look that shows something new; see the port."""
        self._shown.polled(job, remote)
        if self._words.get(remote.remote_id) == remote.word:
            return
        self._words[remote.remote_id] = remote.word
        batch, slot = self._scope.batch, self._scope.slot
        self._tell(JobSeen(at=self._clock.now(), batch=batch, slot=slot, job=job, remote=remote))

    def warned(self, text: str) -> None:
        """Tell of trouble; see the port."""
        self._shown.warned(text)
        self._tell(Warned(at=self._clock.now(), batch=self._scope.batch, slot=self._scope.slot, text=text))
