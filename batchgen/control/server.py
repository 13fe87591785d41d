"""A run that can be ordered about: it is known in the journal, takes orders, and turns with other runs.

An order is answered in the journal first and acted on then, without an await between; so none is
acted on twice, and none that was withdrawn. What goes wrong here is told and ends no run.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from batchgen.control.commands import (
    CONTINUE,
    DRAIN,
    PAUSE,
    REDO,
    RESTORE,
    Applied,
    Edit,
    Edits,
    Order,
    apply,
)
from batchgen.engine.control import Control
from batchgen.engine.interrupts import Interrupts
from batchgen.engine.settings import RunSettings
from batchgen.errors import JournalError
from batchgen.journal.orders import Answer
from batchgen.journal.runs import RunKept, RunRecords
from batchgen.model import Scope
from batchgen.ports import Clock, OwnPace, PacedGate
from batchgen.wiring.background import beside
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Options, at_speed, speed_of

LOOK_EVERY = 0.5  # seconds
BEAT_EVERY = 2.0  # seconds: a quarter of what others wait before a run counts as gone


class ControlServer:
    """What others may order of one run. ``run`` must be a child of a TaskGroup."""

    def __init__(
        self,
        *,
        records: RunRecords,
        scope: Scope,
        settings: RunSettings,
        gate: PacedGate,
        clock: Clock,
        interrupts: Interrupts,
        go_on: str,
        speed: float = 1.0,
        edits: Edits | None = None,
        ordered_before: bool = False,
    ) -> None:
        """Take the parts; nobody knows of the run before ``begin``.

        Args:
            records: where runs and orders are kept.
            scope: what the run works on.
            settings: what it goes by at first.
            gate: where its rate is kept.
            clock: the wall's, by which others see that it is there.
            interrupts: what is told of a drain.
            go_on: the command that ends a pause.
            speed: seconds of the service a second; not 1 in a rehearsal.
            edits: says what is done about an order that puts something on record; None where none may.
            ordered_before: whether the settings are those that another round of the run was ordered.
        """
        self._records = records
        self._settings = settings
        self._gate = gate
        self._clock = clock
        self._interrupts = interrupts
        self._go_on = go_on
        self._speed = speed
        self._edits = edits
        self._own = settings.rate
        self._ordered_before = ordered_before
        self._beat_at = 0.0
        self._left = False  # an order could not be answered
        self._control: Control | None = None
        self._tell: Callable[[str], None] | None = None
        self._untold: list[str] = []
        now = clock.now()
        self._run = RunKept(
            token=secrets.token_hex(16),
            scope=scope,
            pid=os.getpid(),
            host=os.uname().nodename,
            began_at=now,
            seen_at=now,
        )

    @property
    def settings(self) -> RunSettings:
        """What the run goes by, with what was ordered so far."""
        return self._settings

    @property
    def note(self) -> str:
        """What a person should keep in sight; empty where the run goes by what it began with."""
        settings, parts = self._settings, []
        if settings.paused and not self._interrupts.draining:
            parts.append(f"paused: {self._go_on}")
        if settings.rate != self._own:
            parts.append("no rate" if settings.rate is None else f"rate {settings.rate}")
        return "; ".join(parts)

    def begin(self) -> None:
        """Make the run known, and take turns with the other runs of its account from now on.

        Raises:
            JournalError: it could not be written.
        """
        self._records.begin(self._run)
        self._beat_at = _time() + BEAT_EVERY
        if self._ordered_before:
            self._pace()
        self._gate.share(self._records.pace(self._run.scope, now=self._clock.now))

    def end(self) -> None:
        """Make known that it has ended; if that fails, its silence says so."""
        self._gate.share(OwnPace())
        with suppress(JournalError):
            self._records.end(self._run)

    def attach(self, control: Control, tell: Callable[[str], None]) -> None:
        """Act on the run itself from now on; it was begun with ``settings`` as they are.

        Args:
            control: the levers.
            tell: shows a sentence to who watches the run.
        """
        self._control, self._tell = control, tell
        for sentence in self._untold:
            tell(sentence)
        self._untold.clear()

    async def run(self) -> None:
        """Take orders until cancelled."""
        failed = False
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                self._look()
            except JournalError as error:
                if not failed:
                    self._say(f"cannot be controlled: {error}")
                failed = True

    def _look(self) -> None:
        changed = self._records.changed()
        if _time() >= self._beat_at and self._records.beat(self._run, at=self._clock.now()):
            self._beat_at = _time() + BEAT_EVERY
        if changed or self._left:
            self._apply_due()

    def _apply_due(self) -> None:
        """Answer all that is ordered, and then act on it."""
        due = self._records.orders.due(self._run.token)
        settings, applied = replace(self._settings, draining=self._interrupts.draining), dict[int, Applied]()
        made: dict[int, Edit] = {}
        for one in due:
            order = Order(one.name, one.value)
            if self._edits is not None and one.name in {REDO, RESTORE}:
                made[one.id] = edit = self._edits(order)
                applied[one.id] = Applied(settings, edit.met, edit.said)
            else:
                applied[one.id] = apply(settings, order, go_on=self._go_on)
            settings = applied[one.id].settings
        answers = {number: Answer(met=one.met, said=one.said) for number, one in applied.items()}
        self._left = bool(due) and not self._records.orders.take(answers, at=self._clock.now())
        if self._left:
            return
        self._settings = settings
        for one in due:
            if one.name != DRAIN:  # told with what it means for the jobs, as that of a signal is
                self._say(applied[one.id].said)
            # answered before: what is told to be withdrawn is never paid for
            if one.id in made and (make := made[one.id].make) is not None:
                make()
            self._act(one.name)

    def _act(self, name: str) -> None:
        """Put what was ordered into effect; without a run yet it waits for one."""
        settings, control = self._settings, self._control
        if name == "rate":
            self._pace()
        elif name == DRAIN:
            self._interrupts.drain()
        elif control is None:
            return
        elif name == "in_flight":
            control.allow(settings.in_flight)
        elif name == "budget":
            control.spend(settings.budget)
        elif name in {PAUSE, CONTINUE}:
            control.pause(paused=settings.paused)

    def _pace(self) -> None:
        self._gate.set_rate(at_speed(self._settings.rate, self._speed))

    def _say(self, text: str) -> None:
        text = f"{self._run.scope.batch}: {text}"
        if self._tell is None:
            self._untold.append(text)
        else:
            self._tell(text)


@asynccontextmanager
async def controlled(
    options: Options,
    batch: Batch,
    settings: RunSettings,
    interrupts: Interrupts,
    gate: PacedGate,
    edits: Edits,
) -> AsyncIterator[ControlServer]:
    """Let a run that holds its batch be ordered about for as long as the block lasts.

    Args:
        options: which batch, and how.
        batch: the slot that is worked on.
        settings: what the run goes by at first.
        interrupts: what is told of a drain.
        gate: where its rate is kept.
        edits: says what is done about an order that puts something on record.

    Raises:
        JournalError: it could not be made known.
    """
    records = options.journal.runs()
    if records is None:
        raise JournalError(f"{options.journal}: was removed or replaced as the run began; nothing was sent")
    with records:
        control = ControlServer(
            records=records,
            scope=batch.scope,
            settings=edits.settings or settings,
            gate=gate,
            clock=options.clock,
            interrupts=interrupts,
            go_on=options.command_line("control resume"),
            speed=speed_of(options),
            edits=edits,
            ordered_before=edits.settings is not None,
        )
        control.begin()
        try:
            async with beside(control.run(), name="orders"):
                yield control
        finally:
            edits.settings = control.settings
            control.end()


def _time() -> float:
    return asyncio.get_running_loop().time()
