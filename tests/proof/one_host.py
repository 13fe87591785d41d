"""One host of ``tests.proof.hosts``: ``python -m tests.proof.one_host FOLDER [--name NAME] -- run ...``.

It is the command itself, with three things more. It may have the name of a machine of its own, so that others
here do not see that its process is dead. It stops or kills itself at a point of the way of a POST where the
file ``ambush`` in its folder says so: from outside no moment could be met between an intent and its POST. And
it writes down for how long the database held its loop.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

from batchgen import __main__ as command
from batchgen.journal.postgres import lease
from batchgen.journal.postgres.batch import PostgresBatch
from batchgen.lifecycle import SubmitStarted
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.guard import GuardedPayload

T = TypeVar("T")

BEFORE_POST: Final = ("intended", "cleared", "connected")
BEFORE_RECEIPT: Final = ("sent", "answered")
_LONG: Final = 3.0  # seconds, from which on it is told where the loop is held
_GLANCE: Final = 0.05
_DATABASE: Final = "/batchgen/journal/postgres/"
_STOOD: Final = (
    0.5  # seconds: a thread that sleeps for a glance and wakes so late was stopped with all others
)


class Ambush:
    """Waits at the points of a POST's way until the file says at which, and what to do there."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ambush"

    def passed(self, point: str) -> None:
        """Stop or die here, if it is said so; once."""
        try:
            wanted, number = self._file.read_text().split()
        except FileNotFoundError:
            return
        if wanted == point:
            self._file.unlink()
            os.kill(os.getpid(), int(number))


def lay(ambush: Ambush) -> None:
    """Let the parts that a POST goes through pass the points."""
    append, submit, write = PostgresBatch.append, ScenarioClient.submit, GuardedPayload.write_with_length

    def appended(self: PostgresBatch, key: Any, *events: Any, **more: Any) -> Any:
        record = append(self, key, *events, **more)
        if any(isinstance(one, SubmitStarted) for one in events):
            ambush.passed("intended")
        return record

    async def submitted(self: ScenarioClient, *words: Any, **more: Any) -> Any:
        ambush.passed("cleared")
        receipt = await submit(self, *words, **more)
        ambush.passed("answered")
        return receipt

    async def written(self: GuardedPayload, *words: Any) -> None:
        ambush.passed("connected")
        await write(self, *words)
        ambush.passed("sent")

    for where, what, how in (
        (PostgresBatch, "append", appended),
        (ScenarioClient, "submit", submitted),
        (GuardedPayload, "write_with_length", written),
    ):
        setattr(where, what, how)


class Watch:
    """Looks from a thread for how long the database holds the loop, and keeps the longest time in a file.

    What else holds it, as loading what a run needs on a machine with much to do, is not counted.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._longest = 0.0
        self._told = _LONG

    async def over(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work under its eyes."""
        threading.Thread(target=self._look, args=[asyncio.get_running_loop()], daemon=True).start()
        return await work

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        while not loop.is_closed():
            answered, held, glanced = threading.Event(), 0.0, time.monotonic()
            try:
                loop.call_soon_threadsafe(answered.set)
            except RuntimeError:  # it is closed
                return
            while not answered.wait(_GLANCE) and not loop.is_closed():
                since, glanced = glanced, time.monotonic()
                stack = traceback.format_stack(sys._current_frames()[threading.main_thread().ident or 0])
                if glanced - since < _STOOD and any(_DATABASE in one for one in stack):
                    held += glanced - since
                    self._tell_where(held, stack)
            if held > self._longest:
                self._longest = held
                self._file.write_text(f"{held:.3f}\n")
            time.sleep(_GLANCE)

    def _tell_where(self, seconds: float, stack: list[str]) -> None:
        """Put the stack of a loop that is held for long beside the file, each time a second later."""
        if seconds > self._told:
            self._told = seconds + 1
            with self._file.with_name(f"{self._file.name}.stack").open("a") as file:
                file.write(f"after {seconds:.1f} s\n{''.join(stack[-25:])}\n")


def main(words: list[str]) -> None:
    """Run the command as a host."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.one_host")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default="")
    parser.add_argument("words", nargs="+")
    chosen = parser.parse_args(words)
    if chosen.name:
        lease._machine = lambda: chosen.name  # what another machine is known by
    lay(Ambush(chosen.folder))
    watch, run = Watch(chosen.folder / f"held-{os.getpid()}"), asyncio.run
    asyncio.run = lambda work, **more: run(watch.over(work), **more)
    sys.argv[1:] = chosen.words
    command.main()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(sys.argv[1:])
