"""The command in a process of its own that need not load its libraries again.

A server of :mod:`multiprocessing` imports the package once and forks a process for each call: one with its
own words, folder and environment, which writes to files and can be killed like any other. What concerns the
start of Python itself, such as which libraries ``--help`` loads, is for :mod:`subprocess`.
"""

import multiprocessing
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

import batchgen
from batchgen.__main__ import main

for _module in pkgutil.walk_packages(batchgen.__path__, "batchgen."):
    if not _module.name.endswith("__main__"):
        import_module(_module.name)
Image.init()  # what reads and writes each format is loaded with the first picture otherwise

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])
_STEP = 0.01  # seconds between two looks at a file that grows


CLOSED = "closed"  # a stream that is closed before the command begins, as by `2>&-`
GONE = "gone"  # a pipe whose reader has gone, as after `| head -1`


def _work(
    words: list[str], folder: str, environ: dict[str, str], out: str, err: str, streams: dict[int, str]
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    for number, what in streams.items():
        _spoil(number, what)
    if environ.get("PYTHONWARNINGS") == "error":
        warnings.simplefilter("error")
    sys.argv = ["batchgen", *words]
    main()


def _spoil(number: int, what: str) -> None:
    if what == CLOSED:
        os.close(number)
        return
    reader = None
    if what == GONE:
        reader, file = os.pipe()
    else:
        file = os.open(what, os.O_RDWR)
    os.dup2(file, number)
    for one in (file, reader):
        if one is not None:
            os.close(one)


class Forked:
    """A call of the command, with the words of :class:`subprocess.Popen` as far as tests use them."""

    def __init__(
        self,
        words: tuple[str, ...],
        *,
        folder: Path,
        environ: Mapping[str, str],
        streams: Mapping[int, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            words: of the command line, without the program's name.
            folder: in which it works.
            environ: all of its environment.
            streams: what is in the places 0, 1 and 2 instead: ``CLOSED``, ``GONE``, or a file's path.
        """
        self.words = words
        self._room = tempfile.TemporaryDirectory(prefix="batchgen-call-")
        self._files = [Path(self._room.name, name) for name in ("out", "err")]
        for file in self._files:
            file.touch()
        self._ended: int | None = None
        self._process = _CONTEXT.Process(
            target=_work,
            args=(list(words), str(folder), dict(environ), *map(str, self._files), dict(streams or {})),
        )
        self._process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = self.wait()
        self._process.close()
        self._room.cleanup()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def out(self) -> str:
        """What it has written to standard output so far."""
        return self._files[0].read_text()

    @property
    def err(self) -> str:
        """What it has written to standard error so far."""
        return self._files[1].read_text()

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """Give its exit status, negative for a signal; ``None`` as long as it goes on."""
        return self._process.exitcode if self._ended is None else self._ended

    def wait(self, timeout: float = 100) -> int:
        """Wait for its end and give its exit status, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: it goes on after ``timeout`` seconds, and was killed.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            self.kill()
            self._process.join()
            raise subprocess.TimeoutExpired(self.words, timeout, self.out, self.err)
        return self._process.exitcode

    def communicate(self, timeout: float = 100) -> tuple[str, str]:
        self.wait(timeout)
        return self.out, self.err

    def first_line(self, timeout: float = 30) -> str:
        """Wait for the first line of its standard output.

        Raises:
            subprocess.TimeoutExpired: there was none for ``timeout`` seconds, or it ended without one.
        """
        end = time.monotonic() + timeout
        while "\n" not in (out := self.out):
            if time.monotonic() > end or self._process.exitcode is not None:
                raise subprocess.TimeoutExpired(self.words, timeout, out, self.err)
            self._process.join(_STEP)
        return out.splitlines()[0]

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)
