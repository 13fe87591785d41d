"""Plays with several hosts on one database: ``python -m tests.proof.hosts [--kills 100] [--stops 50]``.

Every batch has a simulator over HTTP, a PostgreSQL server that may be stopped and killed, and two hosts: each
the command with ``--standby``, an output folder of its own and a wire of its own to the database, and a
supervisor that starts it again after exits 6 and 8. Leaders are killed; stopped until another one leads, and
let go on, half of them between an intent and its receipt; servers restarted, or away; wires silent or
cut. The service's own list of accepted POSTs says whether anything was paid twice or lost. Exits with 1 if
something was, or anything else must not have been; what a seed cannot repeat is the timing.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.proof.host_accidents import KILLS, OTHERS, STOPS, Accidents, Kind
from tests.proof.host_law import Verdict, judged
from tests.proof.host_place import place, removed, waited
from tests.support.postgres import missing, postgres_server

LEASE = 3.0  # seconds
_AT_ONCE = 5  # batches: most of their time they wait
_KILLS_A_BATCH, _STOPS_A_BATCH, _OTHERS_A_BATCH = 8, 4, 3
_LAST_KIND: Final = "stop before a POST"
_LAST = 400.0  # seconds in which the rest must end: a doubt may last two minutes
_JOBS = """\
version: 1
batch: spring
defaults: {{model: model_bfl-flux-1-dev}}
limits: {{rate: 50/s}}
doubt: {doubt}
jobs:
  - prompt: ["a {{colour}} house at {{sky}}", "a {{colour}} barn at {{sky}}"]
    matrix: {{colour: [{colours}], sky: [dawn, noon, dusk, night]}}
    params: {{width: 512}}
  - {{id: tower, prompt: a tower, repeat: {towers}}}
  - prompt: ["a {{colour}} mill", "a {{colour}} well"]
    model: model_imagen4-ultra
    matrix: {{colour: [{colours}]}}
"""
_COLOURS = ("red", "green", "blue", "grey", "white", "black", "brown", "amber")
_FAULTS = (*("--fault", "submit:cut-after=4%", "--fault", "submit:502=2%", "--fault", "jobs:503=3%"),)
_PROMPT = ("{settle: 3s, settle_max: 9s}", ("--listing-lag", "0-0.5"))
_LATE = ("{settle: 20s, settle_max: 60s}", ("--listing-lag", "3-8"))


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a batch is, and how much happens to it.

    Attributes:
        colours, towers: of the manifest.
        most_between: charges between two accidents.
        stays: seconds for which a host that was taken over stays stopped.
        stays_last: whether the last one stays so until the other has finished.
        faults: whether answers are lost, too.
        service: seconds that a job takes, and how many may run at once.
    """

    colours: int = 8
    towers: int = 24
    most_between: int = 6
    stays: tuple[float, ...] = (0.0, 2.0, 6.0)
    stays_last: bool = True
    faults: bool = True
    service: tuple[str, str] = ("0.8-2.5", "10")

    @property
    def wanted(self) -> int:
        """How many jobs the manifest makes."""
        return 2 * 4 * self.colours + self.towers + 2 * self.colours

    def manifest(self, doubt: str) -> str:
        """Return it."""
        colours = ", ".join(_COLOURS[: self.colours])
        return _JOBS.format(doubt=doubt, colours=colours, towers=self.towers)


SMALL = Size(
    colours=1,
    towers=6,
    most_between=1,
    stays=(0.0,),
    stays_last=False,
    faults=False,
    service=("0.3-0.8", "3"),
)


@dataclass
class Batch:
    """One batch and what became of it."""

    seed: int
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)
    at_points: Counter[str] = field(default_factory=Counter)
    takeovers: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def play(self, accidents: list[Kind], size: Size) -> None:
        """Let them happen one after the other, and then let the batch end."""
        chance, began = Random(f"batchgen hosts {self.seed}"), time.monotonic()
        doubt, lags = _LATE if self.seed % 4 == 3 else _PROMPT
        names = ("", "") if self.seed % 5 == 4 else ("west", "east")
        takes, ceiling = size.service
        service = ("--seed", f"{self.seed}", "--duration", takes, "--ceiling", ceiling, *lags)
        with (
            postgres_server() as server,
            place(
                self.folder,
                server,
                manifest=size.manifest(doubt),
                service=(*service, *(_FAULTS if size.faults else ())),
                names=names,
                words=("--standby",) if chance.random() < 0.8 else ("--wait-lock", "10m"),
                lease=LEASE,
            ) as found,
        ):
            lot = Accidents(found, LEASE, size.wanted, chance, stays=size.stays)
            self.counts, self.at_points, self.takeovers = lot.counts, lot.at_points, lot.takeovers
            for number, kind in enumerate(accidents, 1):
                last = number == len(accidents) and size.stays_last
                if not lot.happen(kind, chance.randrange(1, size.most_between + 1), last=last):
                    break
            ended = waited(lambda: all(one.done for one in found.hosts), _LAST, found.tend)
            self.wrong += lot.wrong
            if not ended:
                self.wrong.append(f"not ended {_LAST:.0f} s after the last accident")
            for one in found.hosts:
                self.statuses += one.statuses
                self.wrong += one.strange
            self.verdict = judged(found, size.wanted)
            self.wrong += self.verdict.wrong
        self.seconds = time.monotonic() - began


def _play(seed: int, accidents: list[Kind], size: Size) -> Batch:
    batch = Batch(seed, Path(tempfile.mkdtemp(prefix=f"batchgen-hosts-{seed}-")))
    try:
        batch.play(accidents, size)
    except Exception as error:  # noqa: BLE001 - one batch that cannot be played must not hide the others
        batch.wrong.append(f"{type(error).__name__}: {error}")
    told = "; ".join(batch.wrong) + f"\n  what it left: {batch.folder}"
    say(f"batch {seed}, {batch.seconds:.0f} s: {counted([batch])}: {told if batch.wrong else 'all there'}")
    if not batch.wrong:
        removed(batch.folder)
    return batch


def counted(batches: list[Batch]) -> str:
    """Return what happened in some batches, and what came of it."""
    verdicts = [one.verdict for one in batches]
    return (
        f"{kills(batches)} kills, {stops(batches)} stops in {len(batches)} batches, "
        f"{sum(one.charged for one in verdicts)} charged, {sum(one.wanted for one in verdicts)} wanted, "
        f"{sum(one.twice for one in verdicts)} paid twice, {sum(one.lost for one in verdicts)} lost, "
        f"{sum(one.held for one in verdicts)} held, {sum(bool(one.wrong) for one in batches)} failed"
    )


def kills(batches: list[Batch]) -> int:
    """Return how many leaders were killed."""
    return sum(one.counts[kind] for one in batches for kind in set(KILLS))


def stops(batches: list[Batch]) -> int:
    """Return how many were stopped."""
    return sum(one.counts[kind] for one in batches for kind in set(STOPS))


def say(text: str) -> None:
    """Show a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def campaign(most_kills: int, most_stops: int, first: int, size: Size) -> list[Batch]:
    """Play batches until so many leaders were killed and stopped, or something is wrong."""
    batches = list[Batch]()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while (kills(batches) < most_kills or stops(batches) < most_stops) and not any(
            one.wrong for one in batches
        ):
            lots = _lots(most_kills - kills(batches), most_stops - stops(batches), first + len(batches))
            seeds = range(first + len(batches), first + len(batches) + len(lots))
            batches += pool.map(lambda seed, lot: _play(seed, lot, size), seeds, lots)
    return batches


def _lots(left_kills: int, left_stops: int, first: int) -> list[list[Kind]]:
    """Share out what is left, in an order of the seeds'."""
    lots = list[list[Kind]]()
    while left_kills > 0 or left_stops > 0:
        chance = Random(f"batchgen hosts, lot {first + len(lots)}")
        killed, stopped = min(_KILLS_A_BATCH, max(0, left_kills)), min(_STOPS_A_BATCH, max(0, left_stops))
        lot = [*chance.choices(KILLS, k=killed), *chance.sample(STOPS, k=stopped)]
        lot += chance.sample(OTHERS, k=_OTHERS_A_BATCH)
        chance.shuffle(lot)
        if _LAST_KIND in lot:
            lot.remove(_LAST_KIND)
            lot.append(_LAST_KIND)  # this one stays stopped until the other host has finished
        lots.append(lot)
        left_kills, left_stops = left_kills - killed, left_stops - stopped
    return lots


def figures(batches: list[Batch]) -> list[str]:
    """Return what is to be told at the end."""
    counts = sum((one.counts for one in batches), Counter[str]())
    points = sum((one.at_points for one in batches), Counter[str]())
    statuses = sum((one.statuses for one in batches), Counter[int]())
    takeovers = sorted(one for batch in batches for one in batch.takeovers)
    held = max((one.verdict.loop_held for one in batches), default=0.0)
    return [
        counted(batches),
        "what happened: " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())),
        "at a point: " + ", ".join(f"{count} {point}" for point, count in sorted(points.items())),
        f"{statuses.total()} runs ended: "
        + ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items())),
        f"{len(takeovers)} takeovers under a lease of {LEASE:g} s: "
        + (
            f"{takeovers[len(takeovers) // 2]:.1f} s in the middle, {takeovers[-1]:.1f} s at most"
            if takeovers
            else "none"
        ),
        f"the database held a loop for {held:.2f} s at most",
        f"{sum(one.verdict.again for one in batches)} files fetched by two hosts",
    ]


def main(words: list[str]) -> int:
    """Kill and stop so many leaders."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.hosts")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="batches of a few jobs")
    chosen = parser.parse_args(words)
    if reason := missing():
        say(reason)
        return 2
    began = time.monotonic()
    batches = campaign(chosen.kills, chosen.stops, chosen.seed, SMALL if chosen.small else Size())
    for line in figures(batches):
        say(line)
    say(f"{time.monotonic() - began:.0f} s")
    return 1 if any(one.wrong for one in batches) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
