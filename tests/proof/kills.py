"""Kills the installed command for real: ``python -m tests.proof.kills [--kills 600] [--seed 0]``.

Every batch has a simulator of its own, over HTTP in another process, that loses answers and
whose listings are behind. Its run is killed with SIGKILL at random moments, from the first of
its imports on, and started again thirty times, and then left alone. Every other batch has chains; in
every third some of the commands make jobs again that are done, or take that back.
Before some starts hours pass, for the service too; some runs have a clock that is hours wrong, each
by its own (``moved_clock``). The service's own list of accepted POSTs says whether anything was paid
twice or lost. Exits with 1 if something was, or if a job is held for a person at the end; what
a seed cannot repeat is the timing.
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
from itertools import repeat
from pathlib import Path
from typing import Any

from batchgen.journal.file import JournalFile
from tests.proof.moved_clock import MovedClock, set_ahead
from tests.proof.redo_law import Families

_KILLS_A_BATCH = 30
_BATCHES_AT_ONCE = 2 * (os.cpu_count() or 1)  # half of the time they wait for their services
_LAST_RUN = 240.0  # seconds in which an undisturbed run must end
_GLANCE = 0.01
_HOUR = 3600.0
_ROOT = Path(__file__).parents[2]
_SERVICE = (
    *("--duration", "0.8-2.5", "--ceiling", "4", "--listing-lag", "0-0.5"),
    *("--fault", "submit:cut-after=8%", "--fault", "submit:502=4%", "--fault", "submit:cut-before=2%"),
    *("--fault", "jobs:503=3%", "--fault", "job:cut-after=3%"),
)
_JOBS = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev}
limits: {rate: 50/s}
doubt: {settle: 3s, settle_max: 9s}
jobs:
  - prompt: ["a {colour} house at {sky}", "a {colour} barn at {sky}", "a {colour} bridge at {sky}"]
    matrix: {colour: [red, green, blue, grey, white], sky: [dawn, noon, dusk, night]}
    params: {width: 512}
  - {id: tower, prompt: a tower, repeat: 40}
  - prompt: ["a {colour} mill", "a {colour} well"]
    model: model_imagen4-ultra
    matrix: {colour: [red, green, blue, grey, white, black, brown, amber, olive, ivory]}
"""
_CHAINS = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev}
limits: {rate: 50/s}
doubt: {settle: 3s, settle_max: 9s}
jobs:
  - id: sheet
    model: model_google-gemini-3-1-flash
    prompt: a sheet of these
    params: {referenceImages: [{job: house-red-dawn-cut}, {job: tower-8-cut}, {job: pair, outputs: all}]}
  - {id: "{job}-big", from: {jobs: cut}, model: model_topaz-image-upscale, params: {image: {job: "{job}"}}}
  - entry: cut
    id: "{job}-cut"
    from: {jobs: house}
    model: model_birefnet-background-removal
    params: {image: {job: "{job}"}}
  - entry: house
    id: "house-{colour}-{sky}"
    prompt: "a {colour} house at {sky}"
    matrix: {colour: [red, green, blue, grey, white], sky: [dawn, noon, dusk, night]}
    params: {width: 512}
  - {entry: tower, id: tower, prompt: a tower, repeat: 8}
  - id: "{job}-cut"
    from: {jobs: tower}
    model: model_birefnet-background-removal
    params: {image: {job: "{job}"}}
  - {id: pair, prompt: two doors, params: {numOutputs: 2}}
  - id: second
    model: model_birefnet-background-removal
    params: {image: {job: pair, output: 1}}
"""


@dataclass(frozen=True)
class Manifest:
    """What a batch asks for, and of how many jobs."""

    text: str
    wanted: int


_MANIFESTS = (Manifest(_JOBS, 120), Manifest(_CHAINS, 79))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is killed, and how clocks are moved.

    Attributes:
        command: the words that start it.
        known: what it finds in its environment besides.
        clock: moves clocks; None where faketime is missing.
    """

    command: tuple[str, ...]
    known: dict[str, str]
    clock: MovedClock | None

    @classmethod
    def chosen(cls, *, module: bool, clock: MovedClock | None) -> "Setting":
        """Take the command beside this Python, or the package of this folder."""
        beside = Path(sys.executable).parent / "batchgen"
        known = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"}
        if beside.exists() and not module:
            return cls(command=(str(beside),), known=known, clock=clock)
        here = (sys.executable, "-m", "batchgen")
        return cls(command=here, known={**known, "PYTHONPATH": str(_ROOT)}, clock=clock)

    def environment(self) -> dict[str, str]:
        """Return what any process of a batch finds, with its clock as it is."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SCENARIO")}
        return {**kept, **self.known}


@dataclass
class Batch:
    """One batch, its service and what became of it.

    Attributes:
        kills: how often a run was killed.
        moved: how many runs had another date than this machine.
        wrong_clocks: how many of those had another date than the service, too.
        statuses: how runs ended; -9 is a kill.
        charged: what the service accepted, by its own log.
        twice: charges beyond the one that was wanted.
        lost: charges that are in no result.
        held: jobs that wait for a person: three times in doubt, and never shown.
        redone: how many were to be made again, by the journal, and were not taken back unpaid.
        wrong: what must not have happened, a sentence each.
    """

    seed: int
    folder: Path
    setting: Setting
    kills: int = 0
    moved: int = 0
    wrong_clocks: int = 0
    statuses: Counter[int | None] = field(default_factory=Counter)
    charged: list[dict[str, Any]] = field(default_factory=list)
    twice: int = 0
    lost: int = 0
    held: int = 0
    redone: int = 0
    wrong: list[str] = field(default_factory=list)
    _ahead: float = 0.0  # seconds that have passed for the service and every run, and not for us

    @property
    def manifest(self) -> Manifest:
        """Every other batch has chains."""
        return _MANIFESTS[self.seed % len(_MANIFESTS)]

    @property
    def makes_again(self) -> bool:
        """In every third some jobs are made again."""
        return self.seed % 3 == 2

    @property
    def wanted(self) -> int:
        """How many purchases are to be there in the end."""
        return self.manifest.wanted + self.redone

    def play(self, most_kills: int) -> None:
        """Kill, resume, and at last let it end."""
        chance = random.Random(f"batchgen kills {self.seed}")
        (self.folder / "jobs.yaml").write_text(self.manifest.text)
        set_ahead(self.folder / "clock", self._ahead)
        with self._service() as base_url:
            for _ in range(2 * most_kills if self.makes_again else most_kills):
                if self._killed(base_url, chance):
                    self.kills += 1
                    time.sleep(chance.choice([0.0, 0.0, chance.uniform(0, 3)]))
                elif not self.makes_again:  # of jobs that are done some may be made again yet
                    break
                if self.kills == most_kills:
                    break
            status = self._left_alone(base_url, chance)
        self.charged = self._log()
        self.wrong += self._judged(status, (self.folder / "said.txt").read_text())

    def _log(self) -> list[dict[str, Any]]:
        path = self.folder / "service.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def _lines(self) -> int:
        path = self.folder / "service.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    @contextmanager
    def _service(self) -> Iterator[str]:
        clock = self.setting.clock
        words = ("simulate", "--port", "0", "--state", str(self.folder / "service.jsonl"))
        process = subprocess.Popen(
            [*self.setting.command, *words, "--seed", str(self.seed), *_SERVICE],
            env={**self.setting.environment(), **(clock.following(self.folder / "clock") if clock else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with process:
            try:
                assert process.stdout is not None
                yield process.stdout.readline().strip()
            finally:
                process.terminate()
                process.wait()
                if clock:
                    clock.forget(process.pid)

    def _command(self) -> tuple[str, ...]:
        """Return the command that is killed next."""
        words = random.Random(f"batchgen kills {self.seed}, command {self.kills}").choices
        if not self.makes_again or not words([True, False], weights=[0.4, 0.6])[0]:
            return "run", "jobs.yaml", "--yes"
        which = words(["*house*", "tower*", "pair", "*dawn*", "*red*", "*-[1-4]*"])[0]
        if words([True, False], weights=[0.15, 0.85])[0]:
            return "restore", "jobs.yaml", which
        more = words([(), ("--children",)])[0] if self.manifest.text is _CHAINS else ()
        return "redo", "jobs.yaml", which, "--yes", *more

    @contextmanager
    def _run(
        self, base_url: str, chance: random.Random, command: tuple[str, ...] = ("run", "jobs.yaml", "--yes")
    ) -> Iterator[subprocess.Popen[str]]:
        dated = self._dated(chance)
        with (self.folder / "said.txt").open("a") as said:
            process = subprocess.Popen(
                [*self.setting.command, *command],
                cwd=self.folder,
                env={**self.setting.environment(), **dated, "SCENARIO_BASE_URL": base_url},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                text=True,
            )
            try:
                yield process
            finally:
                process.kill()
                self.statuses[process.wait()] += 1
                said.write(f"== run {self.statuses.total()} ended with {process.returncode}\n")
                if self.setting.clock:
                    self.setting.clock.forget(process.pid)

    def _dated(self, chance: random.Random) -> dict[str, str]:
        """Let hours pass for everybody before some runs, and set the clock of some wrong; tell the run's."""
        hours = chance.choice([0.0, 0.0, 0.0, chance.uniform(0.3, 12)])
        error = chance.choice([0.0, 0.0, chance.uniform(0.3, 30), -chance.uniform(0.3, 30)]) * _HOUR
        if self.setting.clock is None:
            return {}
        self._ahead += hours * _HOUR
        set_ahead(self.folder / "clock", self._ahead)
        with (self.folder / "clocks.txt").open("a") as told:
            told.write(
                f"run {self.statuses.total() + 1}: {hours:.2f} h later, wrong by {error / _HOUR:.2f} h\n"
            )
        ahead = self._ahead + error
        self.wrong_clocks += error != 0
        self.moved += ahead != 0
        return self.setting.clock.by(ahead) if ahead else {}

    def _killed(self, base_url: str, chance: random.Random) -> bool:
        """Start a run and kill it as it starts, at a time or after a purchase; tell whether it still ran."""
        early, later = chance.uniform(0, 1.2), chance.uniform(0.1, 5.0)
        patience = chance.choice([early, later, _LAST_RUN, _LAST_RUN])
        more = chance.randrange(1, 7)
        with self._run(base_url, chance, self._command()) as process:
            latest, enough = time.monotonic() + patience, self._lines() + more
            while process.poll() is None and time.monotonic() < latest and self._lines() < enough:
                time.sleep(_GLANCE)
            time.sleep(chance.choice([0.0, chance.uniform(0, 0.05), chance.uniform(0, 0.5)]))
            return process.poll() is None

    def _left_alone(self, base_url: str, chance: random.Random) -> int | None:
        with self._run(base_url, chance) as process:
            try:
                return process.wait(timeout=_LAST_RUN)
            except subprocess.TimeoutExpired:
                return None

    def _judged(self, status: int | None, said: str) -> Iterator[str]:
        results = self.folder / "output" / "spring" / "results.json"
        jobs = json.loads(results.read_text())["jobs"] if results.exists() else []
        done = {job["job_id"] for job in jobs if job["status"] == "succeeded"}
        before = {one["job_id"] for job in jobs for one in job["earlier"] if one["status"] == "succeeded"}
        self.held = sum(job["status"] == "in_doubt" for job in jobs)
        if status != 0:
            yield f"the last run ended with {status}:\n{said[-2000:]}"
        if "Traceback" in said:
            yield f"a run broke:\n{said[-2000:]}"
        yield from self._paid_twice()
        if self.held or len(done) != self.manifest.wanted:
            yield f"{len(done)} done and {self.held} held, {self.manifest.wanted} wanted"
        if len(before) != self.redone:
            yield f"{len(before)} were made before others, where {self.redone} were made again"
        yield from self._fed_wrong(jobs)
        nowhere = {one["remote_id"] for one in self.charged} - done - before
        self.lost = len(nowhere)
        if nowhere or len(done | before) > len(self.charged):
            yield f"{len(self.charged)} charged, {len(done | before)} done; lost: {sorted(nowhere)}"
        for path in (file["path"] for job in jobs for file in job["files"]):
            if not (results.parent / path).is_file():
                yield f"{path} is in the results and not on the disk"

    def _paid_twice(self) -> Iterator[str]:
        """Hold what was charged against how often it was asked for."""
        bodies = Counter((one["model"], one["body"]) for one in self.charged)
        asked = self._asked()
        for (model, body), count in bodies.items():
            if count > (most := max(1, asked[model, body])):
                self.twice += count - most
                yield f"{count} charged, {most} wanted: {model} {body}"

    def _asked(self) -> Counter[tuple[str, str]]:
        """Read from the journal how many purchases of each body were asked for, and how many again."""
        bodies: Counter[tuple[str, str]] = Counter()
        with JournalFile.open(self.folder / "output" / "journal.db") as file:
            for scope in file.scopes():
                records = file.batch(scope).records()
                bodies.update((one.job.model, one.body or "") for one in records.values() if one.job)
                families = Families(records)
                for head in {families.head(key) for key in families.keys}:
                    order = families[head].order
                    # what was taken back before it was bought is no purchase
                    paid = [one for one in order if one in records and records[one].submissions]
                    self.redone += len({*paid, order[-1]} - {head})
        return bodies

    def _fed_wrong(self, jobs: list[dict[str, Any]]) -> Iterator[str]:
        """Hold what went into each job against what the results say that its parents made."""
        made = {
            one["id"]: {asset for of in (one, *one["earlier"]) for asset in of["asset_ids"]} for one in jobs
        }
        sent = {one["remote_id"]: one["body"] for one in self.charged}
        for one in jobs:
            for parent in one.get("parents", ()):
                if parent["asset_id"] not in made[parent["job"]]:
                    yield f"{one['id']} has {parent['asset_id']}, which {parent['job']} did not make"
                if one["job_id"] in sent and parent["asset_id"] not in sent[one["job_id"]]:
                    yield f"{one['id']} was not sent with {parent['asset_id']}"


def _play(seed: int, kills: int, setting: Setting) -> Batch:
    batch = Batch(seed, Path(tempfile.mkdtemp(prefix=f"batchgen-kills-{seed}-")), setting)
    batch.play(kills)
    again = f"python -m tests.proof.kills --kills {kills} --seed {seed}"
    told = "; ".join(batch.wrong) + f"\n  what it left: {batch.folder}\n  again: {again}"
    _say(f"batch {seed}: {_counted([batch])}: {told if batch.wrong else 'all there'}")
    if not batch.wrong:
        shutil.rmtree(batch.folder)
    return batch


def _counted(batches: list[Batch]) -> str:
    return (
        f"{sum(one.kills for one in batches)} kills in {len(batches)} batches, "
        f"{sum(len(one.charged) for one in batches)} charged, "
        f"{sum(one.wanted for one in batches)} wanted, of these {sum(one.redone for one in batches)} again, "
        f"{sum(one.twice for one in batches)} paid twice, {sum(one.lost for one in batches)} lost, "
        f"{sum(one.held for one in batches)} held, {sum(bool(one.wrong) for one in batches)} failed"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _campaign(kills: int, first: int, setting: Setting, unmoved: str) -> bool:
    began, batches, left = time.monotonic(), list[Batch](), kills
    with ThreadPoolExecutor(_BATCHES_AT_ONCE) as pool:
        while left > 0 and not any(one.wrong for one in batches):
            shares = [min(_KILLS_A_BATCH, left - start) for start in range(0, left, _KILLS_A_BATCH)]
            seeds = range(first + len(batches), first + len(batches) + len(shares))
            batches += pool.map(_play, seeds, shares, repeat(setting))
            left = kills - sum(one.kills for one in batches)  # some ended before their last kill
    _say(f"{_counted(batches)}; {time.monotonic() - began:.0f} s")
    statuses = sum((one.statuses for one in batches), Counter[int | None]())
    ended = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items(), key=str))
    _say(f"{statuses.total()} runs ended: {ended} (-9 is a kill)")
    moved, wrong = sum(one.moved for one in batches), sum(one.wrong_clocks for one in batches)
    _say(unmoved or f"{moved} runs hours from the date of this machine, {wrong} hours from their service's")
    return not any(one.wrong for one in batches)


def main(words: list[str]) -> int:
    """Kill so many times, in batches of thirty."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.kills")
    parser.add_argument("--kills", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--module", action="store_true", help="kill the package of this folder")
    chosen = parser.parse_args(words)
    clock = MovedClock.found()
    unmoved = f"clocks were not moved: {clock}" if isinstance(clock, str) else ""
    setting = Setting.chosen(module=chosen.module, clock=None if isinstance(clock, str) else clock)
    return 0 if _campaign(chosen.kills, chosen.seed, setting, unmoved) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
