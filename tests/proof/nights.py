"""Plays sixty nights of a batch that repeats, one after the other: ``python -m tests.proof.nights 0-19``.

All of the program but its command line, on a real journal and real files, over the simulator's core in
virtual time. A timer starts it as cron does, by the clocks of a zone whose summer time begins or ends in the
middle. Some nights are missed, some runs are killed, told to stop or met by a second one; answers to POSTs
are lost; a budget bounds each month. What is on the disk when a run is killed is what the next one finds.
Exits with 1 if a seed breaks a law.
"""

import asyncio
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from batchgen import api
from batchgen.engine.interrupts import Interrupts
from batchgen.errors import BatchLockedError
from batchgen.exits import Exit
from batchgen.journal.file_store import FileStore
from batchgen.journal.slots import OPEN
from batchgen.lifecycle import Record, State
from batchgen.output.results import JSON_NAME
from batchgen.planning.slots import began_at, slot_at
from batchgen.scenario.transport import Answer, Call
from batchgen.simulator.exchange import Call as Kind
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.jobs import Submission
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings
from tests.support.place import Place, quiet
from tests.support.virtual import Earth, VirtualTransport

NIGHTS = 60
_BATCH = "nightly"
_DRAIN = 25.0  # seconds, as without a terminal
_MADE_UP_FOR = 0.1  # chance, each night, that somebody begins one that was missed
PERIODS = ("day", "hour", "week", "month")
_SUMMERS = {  # when clocks are moved, by zone: forward, and back
    "Europe/Berlin": ("2027-03-28", "2027-10-31"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "Australia/Lord_Howe": ("2027-10-03", "2027-04-04"),
    "UTC": ("2027-02-28", "2027-12-31"),
}
_MANIFEST = """\
version: 1
batch: nightly
period: {period}
tz: {zone}
budget: {{per_month: {cap}}}
output: {{download: false}}
defaults: {{model: model_bfl-flux-1-dev}}
jobs:
  - {{id: castle, prompt: a castle}}
  - {{id: "mill-{{n}}", prompt: "mill {{n}}", matrix: {{n: [1, 2]}}, model: model_imagen4-ultra}}
"""


class Fate(StrEnum):
    """What befalls a night."""

    PLAIN = "ran"
    MISSED = "missed"
    KILLED = "killed"
    STOPPED = "told to stop"
    MET = "met by another run"


_CHANCES = {Fate.PLAIN: 55, Fate.MISSED: 12, Fate.KILLED: 17, Fate.STOPPED: 8, Fate.MET: 8}


class Wire(VirtualTransport):
    """Carries calls until the process dies."""

    dead = False

    async def exchange(self, call: Call) -> Answer:
        if self.dead:
            raise asyncio.CancelledError
        return await super().exchange(call)


@dataclass
class Year:
    """The nights of one seed.

    Attributes:
        period: of the manifest.
        zone: of the manifest, and of the timer.
        cap: compute units a month.
        wrong: which laws were broken, a sentence each.
        tally: what befell how many nights.
    """

    seed: int
    folder: Path
    period: str = field(init=False)
    zone: tzinfo = field(init=False)
    cap: Decimal = field(init=False)
    wrong: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"batchgen nights {self.seed}")
        self.period = PERIODS[self.seed % len(PERIODS)]
        name = self._chance.choice(sorted(_SUMMERS))
        self.zone = ZoneInfo(name)
        moved = datetime.fromisoformat(self._chance.choice(_SUMMERS[name])).replace(tzinfo=self.zone)
        self._first = moved - self._step * self._chance.randint(15, 45)
        self._minute = self._chance.choice((0, 30, 150, 1439))  # of the day; the last runs past midnight
        self.cap = Decimal(self._chance.choice((120, 250, 10_000)))
        faults = {Fault.CUT_AFTER: 0.04, Fault.CUT_BEFORE: 0.03, Fault.BAD_GATEWAY: 0.04}
        settings = Settings(
            seed=self.seed,
            duration=(20.0, 400.0),
            faults=FaultPlan(chances={Kind.SUBMIT: faults}),
        )
        (self.folder / "jobs.yaml").write_text(
            _MANIFEST.format(period=self.period, zone=name, cap=self.cap), encoding="utf-8"
        )
        self._place = Place(self.folder, Earth(service=Service(settings)))
        self._seen = ""  # the latest slot that was shown
        self._missed: list[str] = []

    @property
    def _step(self) -> timedelta:
        return timedelta(hours=1) if self.period == "hour" else timedelta(days=1)

    @property
    def _output(self) -> Path:
        return self.folder / "output"

    def times(self) -> Iterator[datetime]:
        """Give when the timer starts a run: by the clocks of the zone, and by the hour by UTC."""
        for number in range(NIGHTS):
            if self.period == "hour":
                yield self._first.astimezone(UTC) + number * self._step
            else:
                day = self._first.replace(tzinfo=None) + number * self._step
                yield (day + timedelta(minutes=self._minute)).replace(tzinfo=self.zone)

    def play(self) -> "Year":
        """Play all nights, and one more that nothing befalls."""
        due = 0.0
        for time in self.times():
            due = max(time.timestamp(), self._place.earth.clock_offset)
            self._place.earth.clock_offset = due
            [fate] = self._chance.choices(list(_CHANCES), list(_CHANCES.values()))
            self.tally[fate] += 1
            if fate is not Fate.MISSED:
                self._night(fate)
            elif (slot := slot_at(self.period, due, self.zone)) not in self._slots():
                self._missed.append(slot)
            if self._missed and self._chance.random() < _MADE_UP_FOR:
                self._make_up_for(self._missed.pop(self._chance.randrange(len(self._missed))))
        self._place.earth.clock_offset = due + self._step.total_seconds()
        self._night(Fate.PLAIN)
        self.tally["compute units"] += int(sum(one.cost for one in self._place.earth.service.submissions))
        return self

    def _make_up_for(self, slot: str) -> None:
        """Begin a slot that was missed, as a person does who finds out."""
        top = self._output / _BATCH / "latest"
        before = top.readlink() if top.is_symlink() else None
        known = self._slots()
        self._night(Fate.PLAIN, slot=slot)
        self.tally["made up for"] += 1
        if known and top.readlink() != before and max(*known, slot, key=self._began) != slot:
            self._tell(f"latest led to {before}, and after {slot} was made up for to {top.readlink()}")

    def _began(self, slot: str) -> float:
        return began_at(slot, self.zone) or 0.0

    def _slots(self) -> list[str]:
        with FileStore(self._output).read() as file:
            return [one.slot for one in file.scopes()]

    def _night(self, fate: Fate, slot: str | None = None) -> None:
        place = self._place
        place.interrupts = Interrupts()
        wire = Wire(place.earth)
        work = api.run(
            place.options(transport=wire, unattended=True, drain_timeout=_DRAIN, slot=slot),
            place.interrupts,
            quiet(),
        )
        outcome = place.play(self._lived(work, fate, self._chance.uniform(0.01, 300.0), wire))
        self._judge_money()
        if outcome is not None and not place.interrupts.received:
            self._judge_what_is_left(outcome)
            if slot is None:
                self._judge_shown(outcome)

    async def _lived(
        self, work: Coroutine[Any, Any, api.RunOutcome], fate: Fate, at: float, wire: Wire
    ) -> api.RunOutcome | None:
        """Let a run live as long as its fate lets it; None for one that was killed."""
        task = asyncio.ensure_future(work)
        if fate is Fate.PLAIN:
            return await task
        await asyncio.wait([task], timeout=at)
        if task.done():
            return task.result()
        if fate is Fate.STOPPED:
            self._place.interrupts.take(15)
        elif fate is Fate.MET:
            await self._meet()
        else:
            await self._kill(task, wire)
            return None
        return await task

    async def _meet(self) -> None:
        before = self._place.bought
        with suppress(BatchLockedError):
            await api.run(self._place.options(unattended=True), Interrupts(), quiet())
            self.wrong.append("two runs had the batch at once")
        if self._place.bought != before:
            self.tally["bought while another run was refused"] += 1

    async def _kill(self, task: "asyncio.Task[api.RunOutcome]", wire: Wire) -> None:
        """End a run as ``kill -9`` does: what is on the disk now is all that is left of it."""
        left = self.folder / "left"
        shutil.copytree(self._output, left, symlinks=True)
        wire.dead = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        shutil.rmtree(self._output)
        left.rename(self._output)

    # the laws

    def _judge_what_is_left(self, outcome: api.RunOutcome) -> None:
        """Hold what a run has left that nobody stopped: nothing that is paid for, in any slot."""
        records, accepted = self._records(), self._accepted()
        if outcome.verdict.exit not in {Exit.DONE, Exit.BUDGET}:
            self._tell(f"{outcome.verdict.exit!r}: {outcome.verdict.reasons}")
        self.tally["stopped by the budget"] += outcome.verdict.exit is Exit.BUDGET
        known = Counter(sent.remote_id for one in records.values() for sent in one.submissions)
        if shared := [one for one, count in known.items() if count > 1]:
            self._tell(f"on record of two jobs: {shared}")
        if lost := accepted.keys() - known:
            self._tell(f"paid and on no record after a run: {sorted(lost)}")
        open_jobs = [f"{slot} {one.state}" for (slot, _), one in records.items() if one.state in OPEN]
        if open_jobs:
            self._tell(f"paid and not collected after a run: {open_jobs}")

    def _accepted(self) -> dict[str, Submission]:
        return {one.remote_id: one for one in self._place.earth.service.submissions}

    def _judge_money(self) -> None:
        """Hold what was bought, whatever became of the run: each job once, and a month below its cap."""
        records, accepted = self._records(), self._accepted()
        for (slot, job), one in records.items():
            if len(one.submissions) > 1:
                self._tell(f"{job} of {slot} was bought {len(one.submissions)} times")
        bodies = Counter((one.model, one.body) for one in accepted.values() if "seed" in one.body)
        if twice := [body for body, count in bodies.items() if count > 1]:
            self._tell(f"the same was accepted twice: {twice}")
        months: dict[str, Decimal] = {}
        for bought in accepted.values():
            month = datetime.fromtimestamp(bought.created_at, self.zone).strftime("%Y-%m")
            months[month] = months.get(month, Decimal(0)) + bought.cost
        for month, spent in months.items():
            if spent > self.cap:
                self._tell(f"{spent} CU of {self.cap} were spent in {month}")

    def _judge_shown(self, outcome: api.RunOutcome) -> None:
        top = self._output / _BATCH
        slot = str(outcome.document["slot"])
        latest = (top / "latest").readlink().name
        if latest != slot or (top / JSON_NAME).read_bytes() != (top / "latest" / JSON_NAME).read_bytes():
            self._tell(f"latest leads to {latest} after a run of {slot}")
        now = self._place.earth.clock_offset
        if not self._began(self._seen) <= self._began(slot) <= now:
            self._tell(f"the run of {slot} came after that of {self._seen}")
        self._seen = slot

    def _records(self) -> "Records":
        with FileStore(self._output).read() as file:
            return {
                (scope.slot, record.job.id if record.job else ""): record
                for scope in file.scopes()
                for record in file.batch(scope).records().values()
                if record.state is not State.PLANNED
            }

    def _tell(self, text: str) -> None:
        now = datetime.fromtimestamp(self._place.earth.clock_offset, self.zone)
        self.wrong.append(f"{now:%Y-%m-%d %H:%M}: {text}")


Records = dict[tuple[str, str], Record]


def played(seed: int) -> Year:
    """Play a seed in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return Year(seed, Path(folder)).play()


def main(words: list[str]) -> int:
    """Play the seeds of a range, and say what broke a law."""
    first, _, last = (words or ["0-19"])[0].partition("-")
    broken, tally = 0, Counter[str]()
    for seed in range(int(first), int(last or first) + 1):
        year = played(seed)
        tally += year.tally
        broken += bool(year.wrong)
        for text in year.wrong[:5]:
            sys.stdout.write(f"seed {seed} ({year.period}): {text}\n")
    told = ", ".join(f"{count} {what}" for what, count in sorted(tally.items()))
    sys.stdout.write(f"{broken} seeds broke a law; nights: {told}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
