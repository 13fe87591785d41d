"""What a batch of ``tests.proof.hosts`` is played in: a database, hosts behind wires, and a service."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from tests.support.cut_wire import CutWire, cut_wire
from tests.support.postgres import PostgresServer

BATCH = "spring"
GLANCE = 0.02  # seconds
_ROOT = Path(__file__).parents[2]
_LOOK = (
    "SELECT holder, epoch FROM leases WHERE batch = %s AND NOT ended AND until > clock_timestamp()",
    "SELECT epoch FROM leases WHERE batch = %s",
)
_KNOWN = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret", "PYTHONPATH": str(_ROOT)}
_AGAIN = frozenset({6, 8, -signal.SIGKILL})  # after which a supervisor starts the same command again


class Led(NamedTuple):
    """Who leads the batch, by the database.

    Attributes:
        pid: the process.
        epoch: the number of its lease.
    """

    pid: int
    epoch: int


def environment() -> dict[str, str]:
    """Return what any process of a batch finds."""
    others = ("SCENARIO", "BATCHGEN", "PG")
    return {name: value for name, value in os.environ.items() if not name.startswith(others)} | _KNOWN


@dataclass
class Host:
    """A host: its folder, its wire, and the command in it, which is started again as a supervisor does.

    Attributes:
        name: of the machine; empty where its processes are known to the others.
        words: of the command.
        statuses: how its runs ended.
        done: whether a run ended with everything done.
        stands: whether it was stopped, and nobody let it go on yet.
        strange: how runs ended that none may end.
    """

    folder: Path
    name: str
    wire: CutWire
    words: tuple[str, ...]
    known: dict[str, str]
    statuses: Counter[int] = field(default_factory=Counter)
    done: bool = False
    stands: bool = False
    strange: list[str] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None
    _runs: int = 0

    @property
    def log(self) -> Path:
        """What the run says that goes on now."""
        return self.folder / f"said-{self._runs}.txt"

    @property
    def waits(self) -> bool:
        """Whether it waits for another host's run to end, if it does not lead."""
        if self.process is None or self.process.poll() is not None or self.stands or not self.log.exists():
            return False
        said = self.log.read_text(errors="replace")
        return ("standing by" in said or "waiting up to" in said) and "is free" not in said

    def tend(self) -> None:
        """Start the command if none runs and not all is done."""
        if self.process is not None and (status := self.process.poll()) is not None:
            self.process = None
            self.statuses[status] += 1
            self.done = status == 0
            self.stands = False
            if status not in _AGAIN and status != 0:
                self.strange.append(f"a run ended with {status}: {self.log}")
                self.done = True
        if self.process is None and not self.done:
            self._runs += 1
            with self.log.open("wb") as said:
                self.process = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "tests.proof.one_host", str(self.folder)),
                        *(("--name", self.name) if self.name else ()),
                        *("--", *self.words),
                    ],
                    cwd=self.folder,
                    env=environment() | self.known,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                )

    def send(self, number: signal.Signals) -> None:
        """Send its run a signal."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.stands = number == signal.SIGSTOP or (self.stands and number != signal.SIGCONT)

    def is_stopped(self) -> bool:
        """Return whether its run stands where it is, by the kernel."""
        if self.process is None:
            return False
        try:
            state = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        self.stands |= state == "T"
        return state == "T"

    def lie_in_wait(self, point: str, number: signal.Signals) -> None:
        """Let its run get a signal when it passes a point of the way of a POST."""
        fresh = self.folder / "ambush.new"
        fresh.write_text(f"{point} {int(number)}")
        fresh.replace(self.folder / "ambush")

    def let_pass(self) -> None:
        """Take that back."""
        (self.folder / "ambush").unlink(missing_ok=True)

    def end(self) -> None:
        """Kill its run."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Place:
    """Where a batch is played.

    Attributes:
        folder: of everything.
        server: of the database, which nobody else uses.
        url: of the database, past all wires.
        hosts: all of them.
    """

    folder: Path
    server: PostgresServer
    url: str
    hosts: list[Host] = field(default_factory=list)
    _asked: "psycopg.Connection[tuple[Any, ...]] | None" = None

    def led(self) -> Led | None:
        """Ask the database who leads; None if nobody does, or it does not answer."""
        rows = self.asked(_LOOK[0], (BATCH,))
        return Led(json.loads(rows[0][0])["pid"], rows[0][1]) if rows else None

    def leader(self) -> Host | None:
        """Return the host that leads."""
        led = self.led()
        ours = [one for one in self.hosts if led and one.process and one.process.pid == led.pid]
        return ours[0] if ours else None

    def epoch(self) -> int:
        """Return the number of the last lease; 0 if none was taken, or the database does not answer."""
        rows = self.asked(_LOOK[1], (BATCH,))
        return int(rows[0][0]) if rows else 0

    def asked(self, question: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Ask the database past the wires; nothing comes where it is away."""
        for _ in range(2):  # it may have been away since it was asked last
            try:
                if self._asked is None or self._asked.closed:
                    self._asked = psycopg.connect(self.url, autocommit=True, connect_timeout=2)
                return self._asked.execute(question.encode(), values).fetchall()
            except psycopg.Error:
                if self._asked is not None:
                    self._asked.close()
                self._asked = None
        return []

    def tend(self) -> None:
        """Be the supervisor of all hosts."""
        for one in self.hosts:
            one.tend()

    def lines(self) -> int:
        """Return how many POSTs the service has accepted so far."""
        path = self.folder / "service.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def charged(self) -> list[dict[str, Any]]:
        """Return what the service accepted, by its own log."""
        path = self.folder / "service.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def close(self) -> None:
        """End what is left of it."""
        for one in self.hosts:
            one.end()
        if self._asked is not None:
            self._asked.close()


@contextmanager
def place(
    folder: Path,
    server: PostgresServer,
    *,
    manifest: str,
    service: tuple[str, ...],
    names: tuple[str, str],
    words: tuple[str, ...],
    lease: float,
) -> Iterator[Place]:
    """Make a place with a database of its own, two hosts that do not run yet, and a service that does.

    Args:
        folder: for all files.
        server: runs.
        manifest: what both hosts are to make.
        service: how the simulator is.
        names: of the machines.
        words: of the command, behind the manifest.
        lease: seconds.
    """
    url = server.create_database()
    command = [sys.executable, "-m", "batchgen"]
    subprocess.run(
        [*command, "journal", "init", "--journal", url, "--lease", f"{lease:g}s"],
        env=environment(), check=True, stdout=subprocess.DEVNULL, cwd=folder, timeout=60,
    )  # fmt: skip
    found = Place(folder, server, url)
    with ExitStack() as stack:
        base = stack.enter_context(_service(command, folder, service))
        for order, name in enumerate(names):
            wire = stack.enter_context(cut_wire(server.port))
            own = folder / f"host-{order}"
            own.mkdir()
            (own / "jobs.yaml").write_text(manifest)
            known = {"SCENARIO_BASE_URL": base, "BATCHGEN_JOURNAL": wire.through(url)}
            found.hosts.append(Host(own, name, wire, ("run", "jobs.yaml", "--yes", *words), known))
        stack.callback(found.close)
        yield found
    server.start()
    server.drop_database(url)


@contextmanager
def _service(command: list[str], folder: Path, settings: tuple[str, ...]) -> Iterator[str]:
    words = ("simulate", "--port", "0", "--state", str(folder / "service.jsonl"), *settings)
    process = subprocess.Popen(
        [*command, *words], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait()


def waited(
    what: Callable[[], bool], seconds: float, meanwhile: Callable[[], None], *, glance: float = GLANCE
) -> bool:
    """Wait until something holds, tending to the hosts; return whether it does in time."""
    latest = time.monotonic() + seconds
    while not what():
        if time.monotonic() > latest:
            return False
        meanwhile()
        time.sleep(glance)
    return True


def removed(folder: Path) -> None:
    """Remove what a batch left that went well."""
    shutil.rmtree(folder)
