"""Plays with a pool of workers: ``python -m tests.proof.workers [--rounds 6] [--seed 0]`` (``make workers``).

Each round has a PostgreSQL server, a simulator over HTTP, two or four workers as processes of their own, and
more batches than they have room for. Every ring comes twice; some are lost. One worker is killed for good,
one stands still until its lease is another's and then goes on, one is told to stop while it leads, and the
server restarts or is away. At the end the service's own list of accepted POSTs says whether anything was paid
twice or lost, and the records whether all is finished. Exits with 1 if not; what a seed cannot repeat is the
timing.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

import psycopg

from batchgen import api
from tests.support.postgres import PostgresServer, missing, postgres_server

LEASE: Final = 3.0  # seconds
JOBS: Final = 24  # of a batch
_PATIENCE: Final = 300.0  # seconds in which a round must end
_LOOK: Final = 0.1
_MANIFEST: Final = """\
version: 1
batch: {batch}
defaults: {{model: model_bfl-flux-1-dev}}
limits: {{rate: 10/s}}
doubt: {{settle: 3s, settle_max: 9s}}
output: {{download: {download}}}
jobs:
  - {{id: {batch}, prompt: a tower of {batch}, repeat: {jobs}}}
"""
_SERVICE: Final = (
    *("--duration", "0.5-2", "--listing-lag", "0-0.5"),
    *("--fault", "submit:cut-after=3%", "--fault", "submit:502=2%", "--fault", "jobs:503=2%"),
)
# what is put into the queue is there twice
_TWICE: Final = """
CREATE FUNCTION ring_twice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.task_name = 'batchgen.lead' AND NEW.queueing_lock IS NOT NULL THEN
        INSERT INTO procrastinate_jobs (queue_name, task_name, args)
        VALUES (NEW.queue_name, NEW.task_name, NEW.args);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ring_twice AFTER INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION ring_twice();
"""

Kind = Literal["kill", "stop", "drain", "restart fast", "restart immediate", "away 12 s", "rings lost"]


@dataclass
class Process:
    """One worker."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    is_ours_to_end: bool = False  # it was killed or told to stop

    @property
    def name(self) -> str:
        """As a lease names its holder."""
        return f"process {self.process.pid} on {os.uname().nodename}"

    @property
    def said(self) -> str:
        """All that it said."""
        return (self.folder / "said.txt").read_text(errors="replace")


@dataclass
class Round:
    """One pool and what became of it."""

    seed: int
    folder: Path
    server: PostgresServer
    workers: list[Process] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    url: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def play(self, accidents: list[Kind], workers: int, batches: int) -> None:
        """Let the accidents happen while the batches are led, and judge what came of it."""
        chance, began = Random(f"batchgen workers {self.seed}"), time.monotonic()
        self.url = self.server.create_database()
        with _simulator(self.folder, self.seed) as address:
            self.environ = {
                **{name: one for name, one in os.environ.items() if not name.startswith("SCENARIO")},
                "SCENARIO_BASE_URL": address,
                "SCENARIO_SDK_API_KEY": "key",
                "SCENARIO_SDK_API_SECRET": "secret",
                "BATCHGEN_JOURNAL": self.url,
            }
            self._prepare()
            for number in range(workers):
                self._start(number, room=1 + chance.randrange(2))
            names = [f"batch-{self.seed}-{number}" for number in range(batches)]
            for name in names:
                self._enqueue(name, download=chance.random() < 0.5)
            try:
                self._until(lambda: len(self._ask("SELECT 1 FROM workers")) == workers, 60)
                for kind in accidents:
                    self._happen(kind, chance)
                self._until(lambda: self._all_done() or not self._is_any_left(), _PATIENCE)
                if not self._all_done():
                    self.wrong.append(f"not finished: {self._states()}")
            finally:
                self._end()
        self.wrong += self._judged(names)
        self.seconds = time.monotonic() - began

    def _prepare(self) -> None:
        options = self._options(Path("none.yaml"))
        api.prepare_journal(options, lease=LEASE)
        asyncio.run(api.prepare_queue(options))
        self._ask(_TWICE)

    def _options(self, manifest: Path) -> api.Options:
        return api.Options(manifest=manifest, output=self.folder / "nowhere", environ=self.environ)

    def _enqueue(self, name: str, *, download: bool) -> None:
        path = self.folder / f"{name}.yaml"
        path.write_text(_MANIFEST.format(batch=name, jobs=JOBS, download=str(download).lower()))
        asyncio.run(api.enqueue(self._options(path)))

    def _start(self, number: int, *, room: int) -> None:
        folder = self.folder / f"worker-{len(self.workers)}-{number}"
        folder.mkdir()
        with (folder / "said.txt").open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "batchgen", "worker", "run", "--concurrency", str(room), "-o", "out"],
                cwd=folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self.workers.append(Process(folder, process))

    def _happen(self, kind: Kind, chance: Random) -> None:
        time.sleep(chance.uniform(0.2, 1.5))
        match kind:
            case "kill":
                self._to_a_leader(chance, self._kill)
            case "stop":
                self._to_a_leader(chance, self._stand_still)
            case "drain":
                self._to_a_leader(chance, self._drain)
            case "restart fast":
                self.server.restart()
            case "restart immediate":
                self.server.restart("immediate")
            case "away 12 s":
                self.server.stop()
                time.sleep(12)
                self.server.start()
            case "rings lost":
                self._ask("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
        self.happened[kind] += 1

    def _to_a_leader(self, chance: Random, do: Callable[[Process], None]) -> None:
        """Do something to a worker that leads a batch now; not at all once none does."""
        found: list[Process] = []

        def leads() -> bool:
            leading = self._leaders()
            found[:] = [one for one in self.workers if one.name in leading and not one.is_ours_to_end]
            return bool(found) or self._all_done()

        self._until(leads, 60)
        if found:
            do(chance.choice(found))

    def _kill(self, one: Process) -> None:
        one.is_ours_to_end = True
        one.process.kill()
        one.process.wait()

    def _stand_still(self, one: Process) -> None:
        held = [batch for batch, holder in self._holders().items() if holder == one.name]
        one.process.send_signal(signal.SIGSTOP)
        try:
            self._until(lambda: all(self._holders().get(batch) != one.name for batch in held), 5 * LEASE)
        finally:
            one.process.send_signal(signal.SIGCONT)

    def _drain(self, one: Process) -> None:
        one.is_ours_to_end = True
        one.process.terminate()
        self._start(9, room=1)

    def _end(self) -> None:
        for one in self.workers:
            if one.process.poll() is not None and not one.is_ours_to_end:
                self.wrong.append(f"{one.folder} ended by itself with {one.process.returncode}")
            if one.process.poll() is None:
                one.process.terminate()
        for one in self.workers:
            try:
                status = one.process.wait(40)
            except subprocess.TimeoutExpired:
                one.process.kill()
                self.wrong.append(f"{one.folder} does not end")
                continue
            if status not in {0, -signal.SIGKILL}:
                self.wrong.append(f"{one.folder} ended with {status}")

    def _holders(self) -> dict[str, str]:
        rows = self._ask("SELECT batch, holder FROM leases WHERE NOT ended")
        told = {batch: json.loads(holder) for batch, holder in rows}
        return {batch: f"process {one['pid']} on {one['host']}" for batch, one in told.items()}

    def _leaders(self) -> set[str]:
        return set(self._holders().values())

    def _states(self) -> list[Any]:
        return self._ask("SELECT batch, state, exit, tries, reasons FROM enqueued ORDER BY batch")

    def _all_done(self) -> bool:
        return all(state == "done" for _, state, *_ in self._states())

    def _is_any_left(self) -> bool:
        return any(one.process.poll() is None for one in self.workers)

    def _ask(self, statement: str) -> list[Any]:
        for _ in range(100):
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    found = connection.execute(statement)
                    return found.fetchall() if found.description else []
            except psycopg.OperationalError:
                time.sleep(_LOOK)
        raise TimeoutError(statement)

    def _until(self, what: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not (done := what()) and time.monotonic() < until:
            time.sleep(_LOOK)
        return done

    def _judged(self, names: list[str]) -> Iterator[str]:
        lines = (self.folder / "service.jsonl").read_text().splitlines()
        charged = [json.loads(line) for line in lines]
        bodies = Counter(one["body"] for one in charged)
        if twice := {body: count for body, count in bodies.items() if count > 1}:
            yield f"paid twice: {twice}"
        owned = {one for (one,) in self._ask("SELECT remote_id FROM submissions")}
        if lost := [one["remote_id"] for one in charged if one["remote_id"] not in owned]:
            yield f"charged and on no record: {lost}"
        if len(bodies) != (wanted := JOBS * len(names)):
            yield f"{len(bodies)} charged, {wanted} wanted"
        states = Counter(one for (one,) in self._ask("SELECT state FROM records"))
        if states.total() != wanted or set(states) > {"collected", "succeeded"}:
            yield f"not all is there: {dict(states)}"
        yield from (f"not done: {one}" for one in self._states() if one[1:3] != ("done", 0))
        yield from (
            f"{one.folder} broke: {one.said[-2000:]}" for one in self.workers if "Traceback" in one.said
        )


@contextmanager
def _simulator(folder: Path, seed: int) -> Iterator[str]:
    words = ("simulate", "--port", "0", "--state", str(folder / "service.jsonl"), "--seed", str(seed))
    with subprocess.Popen(
        [sys.executable, "-m", "batchgen", *words, *_SERVICE],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def rounds(count: int, first: int) -> Iterator[Round]:
    """Play so many rounds, each with its own accidents; what is wrong stays on the disk."""
    for seed in range(first, first + count):
        chance = Random(f"batchgen workers, lot {seed}")
        workers = 2 if seed % 2 == 0 else 4
        accidents: list[Kind] = ["kill", "stop", "rings lost", "drain"]
        accidents.append(chance.choice(("restart fast", "restart immediate", "away 12 s")))
        chance.shuffle(accidents)
        yield one_round(seed, accidents, workers=workers, batches=2 * workers)


def one_round(seed: int, accidents: list[Kind], *, workers: int, batches: int) -> Round:
    """Play one round."""
    folder = Path(tempfile.mkdtemp(prefix=f"batchgen-workers-{seed}-"))
    with postgres_server() as server:
        found = Round(seed, folder, server)
        try:
            found.play(accidents, workers, batches)
        except Exception as error:  # noqa: BLE001 - one round that cannot be played must not hide the others
            found.wrong.append(f"{type(error).__name__}: {error}")
    if not found.wrong:
        shutil.rmtree(folder)
    return found


def told(one: Round) -> str:
    """Return a line on a round."""
    happened: Mapping[str, int] = one.happened
    what = ", ".join(f"{count} {kind}" for kind, count in sorted(happened.items()))
    came = (
        "; ".join(one.wrong) + f"\n  what it left: {one.folder}" if one.wrong else "0 twice, 0 lost, all done"
    )
    return f"round {one.seed}, {len(one.workers)} workers, {one.seconds:.0f} s: {what}: {came}"


def main(words: list[str]) -> int:
    """Play so many rounds."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.workers")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(words)
    if reason := missing():
        sys.stdout.write(f"{reason}\n")
        return 2
    failed = 0
    for one in rounds(chosen.rounds, chosen.seed):
        sys.stdout.write(f"{told(one)}\n")
        sys.stdout.flush()
        failed += bool(one.wrong)
    sys.stdout.write(f"{chosen.rounds} rounds, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
