"""Kills the installed command for real: ``python -m tests.proof.kills [--kills 100] [--seed 0]``.

Every batch has a simulator of its own, over HTTP in another process, that loses answers and
whose listings are behind. Its run is killed with SIGKILL at random moments and started again,
and then left alone. The service's own list of accepted POSTs says whether anything was paid
twice or lost. Exits with 1 if something was; what a seed cannot repeat is the timing.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_KILLS_A_BATCH = 5
_BATCHES_AT_ONCE = 2 * (os.cpu_count() or 1)  # half of the time they wait for their services
_LAST_RUN = 120.0  # seconds in which an undisturbed run must end
_GLANCE = 0.01
_DOUBT = 7  # the exit status that says so
_SERVICE = (
    *("--duration", "0.8-2.5", "--ceiling", "4", "--listing-lag", "0-0.5"),
    *("--fault", "submit:cut-after=8%", "--fault", "submit:502=4%", "--fault", "submit:cut-before=2%"),
    *("--fault", "jobs:503=3%", "--fault", "job:cut-after=3%"),
)
_WANTED = 40
_MANIFEST = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev}
limits: {rate: 50/s}
doubt: {settle: 3s, settle_max: 9s}
jobs:
  - prompt: ["a {colour} house", "a {colour} barn", "a {colour} bridge"]
    matrix: {colour: [red, green, blue, grey, white]}
    params: {width: 512}
  - {id: tower, prompt: a tower, repeat: 15}
  - prompt: ["a {colour} mill", "a {colour} well"]
    model: model_imagen4-ultra
    matrix: {colour: [red, green, blue, grey, white]}
"""


@dataclass
class Batch:
    """One batch, its service and what became of it.

    Attributes:
        kills: how often a run was killed.
        held: jobs that wait for a person: three times in doubt, and never shown.
        charged: what the service accepted, by its own log.
        wrong: what must not have happened, a sentence each.
    """

    seed: int
    folder: Path
    kills: int = 0
    held: int = 0
    charged: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def play(self, most_kills: int) -> None:
        """Kill, resume, and at last let it end."""
        chance = random.Random(f"batchgen kills {self.seed}")
        (self.folder / "jobs.yaml").write_text(_MANIFEST)
        with _service(self.folder, self.seed) as base_url:
            while self.kills < most_kills and self._killed(base_url, chance):
                self.kills += 1
            status, said = self._left_alone(base_url)
        self.charged = self._log()
        self.wrong += self._judged(status, said)

    def _log(self) -> list[dict[str, Any]]:
        path = self.folder / "service.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def _lines(self) -> int:
        path = self.folder / "service.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    @contextmanager
    def _run(self, base_url: str) -> Iterator[subprocess.Popen[str]]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SCENARIO")}
        known = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"}
        with (self.folder / "said.txt").open("a") as said:
            process = subprocess.Popen(
                [*_COMMAND, "run", "jobs.yaml", "--yes"],
                cwd=self.folder,
                env={**kept, **known, "SCENARIO_BASE_URL": base_url},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                text=True,
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def _killed(self, base_url: str, chance: random.Random) -> bool:
        """Start a run and kill it, at a time or soon after a purchase; tell whether it still ran then."""
        with self._run(base_url) as process:
            latest = time.monotonic() + chance.choice([chance.uniform(0.1, 4.0), _LAST_RUN])
            enough = self._lines() + chance.randrange(1, 8)
            while process.poll() is None and time.monotonic() < latest and self._lines() < enough:
                time.sleep(_GLANCE)
            time.sleep(chance.choice([0.0, chance.uniform(0, 0.05), chance.uniform(0, 0.5)]))
            return process.poll() is None

    def _left_alone(self, base_url: str) -> tuple[int | None, str]:
        with self._run(base_url) as process:
            try:
                status = process.wait(timeout=_LAST_RUN)
            except subprocess.TimeoutExpired:
                status = None
        return status, (self.folder / "said.txt").read_text()

    def _judged(self, status: int | None, said: str) -> Iterator[str]:
        results = self.folder / "output" / "spring" / "results.json"
        jobs = json.loads(results.read_text())["jobs"] if results.exists() else []
        done = {job["job_id"] for job in jobs if job["status"] == "succeeded"}
        self.held = sum(job["status"] == "in_doubt" for job in jobs)
        if status != (_DOUBT if self.held else 0):
            yield f"the last run ended with {status}:\n{said[-2000:]}"
        if "Traceback" in said:
            yield f"a run broke:\n{said[-2000:]}"
        bodies = Counter((one["model"], one["body"]) for one in self.charged)
        for (model, body), count in bodies.items():
            if count > 1:
                yield f"{count} charged, one wanted: {model} {body}"
        if len(done) + self.held != _WANTED:
            yield f"{len(done)} done and {self.held} held, {_WANTED} wanted"
        nowhere = {one["remote_id"] for one in self.charged} - done
        if len(nowhere) > self.held or len(done) > len(self.charged):
            yield f"{len(self.charged)} charged, {len(done)} done, {self.held} held; lost: {sorted(nowhere)}"
        for path in (file["path"] for job in jobs for file in job["files"]):
            if not (results.parent / path).is_file():
                yield f"{path} is in the results and not on the disk"


_BESIDE = Path(sys.executable).parent / "batchgen"
_COMMAND = [str(_BESIDE)] if _BESIDE.exists() else [sys.executable, "-m", "batchgen"]


@contextmanager
def _service(folder: Path, seed: int) -> Iterator[str]:
    words = ("simulate", "--port", "0", "--state", str(folder / "service.jsonl"), "--seed", str(seed))
    process = subprocess.Popen(
        [*_COMMAND, *words, *_SERVICE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _play(seed: int, kills: int) -> Batch:
    batch = Batch(seed, Path(tempfile.mkdtemp(prefix=f"batchgen-kills-{seed}-")))
    batch.play(kills)
    again = f"python -m tests.proof.kills --kills {kills} --seed {seed}"
    told = "; ".join(batch.wrong) + f"\n  what it left: {batch.folder}\n  again: {again}"
    _say(
        f"batch {seed}: killed {batch.kills} times, {len(batch.charged)} charged, {batch.held} held, "
        f"{_WANTED} wanted: "
        f"{told if batch.wrong else 'all there'}"
    )
    if not batch.wrong:
        shutil.rmtree(batch.folder)
    return batch


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _campaign(kills: int, first: int) -> bool:
    began, batches, left = time.monotonic(), list[Batch](), kills
    with ThreadPoolExecutor(_BATCHES_AT_ONCE) as pool:
        while left > 0 and not any(one.wrong for one in batches):
            shares = [min(_KILLS_A_BATCH, left - start) for start in range(0, left, _KILLS_A_BATCH)]
            seeds = range(first + len(batches), first + len(batches) + len(shares))
            batches += pool.map(_play, seeds, shares)
            left = kills - sum(one.kills for one in batches)  # some ended before their last kill
    failed = [one for one in batches if one.wrong]
    _say(
        f"{sum(one.kills for one in batches)} kills in {len(batches)} batches, "
        f"{sum(len(one.charged) for one in batches)} charged, {sum(one.held for one in batches)} held, "
        f"{_WANTED * len(batches)} wanted, "
        f"{len(failed)} failed; {time.monotonic() - began:.0f} s"
    )
    return not failed


def main(words: list[str]) -> int:
    """Kill so many times, in batches of a few."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.kills")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(words)
    return 0 if _campaign(chosen.kills, chosen.seed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
