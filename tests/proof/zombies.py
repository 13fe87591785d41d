"""Runs that go on after another one has taken over: ``python -m tests.proof.zombies 0-999``, by seeds.

Two or three hosts share a journal of one batch. One leads, and stands still as a whole in some moment of a
POST, loses its way to the journal, or dies; another takes over when the lease has run out; and the first one
wakes, seconds or an hour later, and goes on where it stood. All hosts live in one loop whose time is virtual.
Exits with 1 if a seed breaks a law; each says how it is played again.
"""

import asyncio
import os
import random
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum

from batchgen.engine.limits.gate import RateGate
from batchgen.errors import BatchLockedError, FencedError, JournalAwayError, NotSentError, ServiceError
from batchgen.lifecycle import Event, Held, Record, ShownAbsent, State, replay
from batchgen.model import Job, JobKey, Rate
from batchgen.planning.budget import Allowance, Amounts
from batchgen.planning.make_plan import make_plan
from batchgen.planning.room import Room
from batchgen.ports import Lane, Pace
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.transport import Answer, Call
from batchgen.scenario.verdicts import submit_verdict
from batchgen.simulator.exchange import Call as RemoteCall
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings, Views
from batchgen.wiring.background import beside
from tests.proof.law import order_of
from tests.support.assembly import make_flow, make_runner, models_of
from tests.support.fenced_journal import FencedJournal, Led, SharedJournal
from tests.support.looped import virtual_loop
from tests.support.memory_journal import SCOPE, MemoryJournal
from tests.support.virtual import SEEDED, SEEDLESS, Earth, Shelves, Watching, headers_of, received, request_of

LONGEST = 10 * 3600.0  # seconds of virtual time in which all is done
_HOP = 0.02  # seconds from here to the service
_PATIENCE = 120.0  # seconds that a client waits for an answer
_LOOKS = 1.0  # seconds between two looks of a host whether it may lead


class Point(StrEnum):
    """A moment of a submit."""

    TURN = "before its intent"
    INTENT = "when its intent is on the disk"
    LOOK = "before the last look"
    WRITE = "between the last look and the write"
    ARRIVAL = "when it has left"
    ANSWER = "when its answer is there"


class Befalls(StrEnum):
    """What befalls a host."""

    STANDS_STILL = "stands still"
    CUT_OFF = "is cut off from the journal"
    HALF_CUT_OFF = "is cut off, and one append is there whose answer is lost"
    DIES = "dies"


@dataclass(frozen=True, kw_only=True)
class Accident:
    """What befalls one life of a host.

    Attributes:
        nth: at which of its submits.
        seconds: for how long; a dead host is started again after that.
    """

    befalls: Befalls
    point: Point
    nth: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is played.

    Attributes:
        accidents: of each host's lives, in their order; then nothing more befalls it.
        late: whether rows are listed later than usual settling allows for.
        hidden: whether rows show no inputs: only testimony tells whose one is then.
    """

    seed: int
    jobs: Sequence[Job]
    settings: Settings
    accidents: Sequence[Sequence[Accident]]
    rate: Rate | None
    late: bool
    hidden: bool

    def __str__(self) -> str:
        """Tell what a person needs to see."""
        views = self.settings.views
        hidden = ", inputs are not shown" if self.hidden else ""
        lines = [
            f"{len(self.jobs)} jobs, listed after {views.listing_lag} s, latency {self.settings.latency}"
            + hidden
        ]
        for number, own in enumerate(self.accidents):
            lines += [
                f"  host {number} {one.befalls} {one.point} {one.nth}, for {one.seconds:.1f} s" for one in own
            ]
        return "\n".join(lines)


def draw(seed: int) -> Scene:
    """Draw a scene."""
    chance = random.Random(f"batchgen zombies {seed}")
    late, hidden = chance.random() < 0.3, chance.random() < 0.15
    lag = chance.choice([40.0, 60.0]) if late else chance.choice([0.0, 0.0, 5.0, 20.0])
    lost = {Fault.CUT_AFTER: 0.1, Fault.CUT_BEFORE: 0.05, Fault.ERROR_AFTER: 0.05}
    faults = FaultPlan(
        chances={RemoteCall.SUBMIT: lost} if not (late or hidden) and chance.random() < 0.3 else {}
    )
    settings = Settings(
        seed=seed,
        latency=chance.choice([(0.02, 0.1), (0.5, 3.0), (1.0, 40.0)]),
        duration=chance.choice([(4.0, 12.0), (30.0, 300.0)]),
        views=Views(listing_lag=(0.0, lag), echo_missing=float(hidden)),
        faults=faults,
    )
    hosts = chance.choice([2, 2, 3])
    return Scene(
        seed=seed,
        jobs=_jobs(chance),
        settings=settings,
        accidents=[[_accident(chance) for _ in range(chance.choice([1, 1, 2]))] for _ in range(hosts)],
        rate=chance.choice([None, Rate(count=60, seconds=60.0)]),
        late=late,
        hidden=hidden,
    )


def _jobs(chance: random.Random) -> list[Job]:
    model, jobs = chance.choice([SEEDED, SEEDED, SEEDLESS]), []
    for number in range(chance.randint(3, 8)):
        like = chance.randrange(number) if number and chance.random() < 0.2 else number
        jobs.append(Job(id=f"job-{number}", prompt=f"a house, number {like}", model=model))
    return jobs


def _accident(chance: random.Random) -> Accident:
    befalls = chance.choices(list(Befalls), [6, 2, 1, 1])[0]
    point = chance.choice(list(Point))
    longest = chance.choice([20.0, 60.0, 200.0, 400.0, 3000.0])
    if befalls is Befalls.STANDS_STILL and point is Point.WRITE:
        # a leader waits ten minutes for whoever may stand there: what wakes later is beyond the promise
        longest = min(longest, 400.0)
    return Accident(
        befalls=befalls, point=point, nth=chance.randint(1, 5), seconds=chance.uniform(0.3, 1.0) * longest
    )


@dataclass
class Verdict:
    """What became of a seed."""

    scene: Scene
    wrong: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        again = f"play it again: python -m tests.proof.zombies {self.scene.seed}"
        return "\n".join([f"seed {self.scene.seed}:", *self.wrong, str(self.scene), *self.log, again])


class Town:
    """What the hosts share: the service, the journal and the time of day."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.earth = Earth(service=Service(scene.settings))
        self.shared = SharedJournal(self.earth.now, disk=self.earth.disk)
        self.verdict = Verdict(scene)
        self.receipts: set[str] = set()  # that anybody has read
        self.is_done = False

    def say(self, text: str) -> None:
        self.verdict.log.append(f"{asyncio.get_running_loop().time():10.2f}  {text}")

    def wrong(self, text: str) -> None:
        self.say(f"WRONG: {text}")
        self.verdict.wrong.append(text)

    def records(self) -> dict[JobKey, Record]:
        return replay(self.earth.disk.events)

    def is_left(self) -> bool:
        """Return whether anything is left to do."""
        records = self.records()
        keys = [one.key for one in make_plan(self.scene.jobs, records, now=self.earth.now()).entries]
        done = {State.COLLECTED, State.HELD}
        return any(key not in records or records[key].state not in done for key in keys)


class Host:
    """One host: it leads when it may, and starts again whatever ended its run, until all is done."""

    def __init__(self, town: Town, number: int, accidents: Sequence[Accident]) -> None:
        self.town = town
        self.number = number
        self._accidents = list(accidents)
        self.cut_off_until = 0.0

    def __str__(self) -> str:
        return f"host {self.number}"

    async def live(self) -> None:
        """Lead whenever it may, until all is done."""
        await asyncio.sleep(self.number * 0.3)
        while not self.town.is_done:
            await asyncio.sleep(_LOOKS)
            if asyncio.get_running_loop().time() < self.cut_off_until:
                continue
            try:
                led = self.town.shared.lead(_Journal)
            except BatchLockedError:
                continue
            accident = self._accidents.pop(0) if self._accidents else None
            await _Life(self, led, accident).live()

    def cut_off(self, led: Led, seconds: float) -> None:
        """Lose the way to the journal for a time."""
        loop = asyncio.get_running_loop()
        led.is_away = True
        self.cut_off_until = loop.time() + seconds
        loop.call_later(seconds, led.come_back)


class _Life:
    """One run of a host."""

    def __init__(self, host: Host, led: Led, accident: Accident | None) -> None:
        self.host, self.led, self.town = host, led, host.town
        self.accident = accident
        self.dead = False
        self.counts = Counter[Point]()
        self._awake = asyncio.Event()
        self._awake.set()
        self._task: asyncio.Task[None] | None = None

    async def live(self) -> None:
        """Run until the batch is done, or something ends it."""
        town = self.town
        town.say(f"{self.host} leads, epoch {self.led.epoch}")
        self._task = asyncio.create_task(self._run(), name=str(self.host))
        try:
            await self._task
            told = "came to its end"
            self.led.end()
            town.is_done = town.is_done or not town.is_left()
        except asyncio.CancelledError:
            if not self.dead:
                raise
            told = "died"
        except (FencedError, JournalAwayError) as error:
            told = f"ended: {error}"
            town.verdict.tally[type(error).__name__] += 1
            self.led.end()
        except BaseException as error:  # noqa: BLE001 - whatever breaks is what is looked for
            told = "broke"
            town.wrong(f"{self.host} broke: {''.join(traceback.format_exception(error))}")
            self.led.end()
        town.say(f"{self.host}, epoch {self.led.epoch}, {told}")
        town.verdict.tally["appends that were refused"] += self.led.journal.refused
        if self.dead and self.accident is not None:
            await asyncio.sleep(self.accident.seconds)

    async def _run(self) -> None:
        town, journal = self.town, self.led.journal
        assert isinstance(journal, _Journal)
        journal.life = self
        gate, chance = RateGate(town.scene.rate), random.Random(town.scene.seed)
        async with beside(gate.run(), name="gate"), beside(self._renew(), name="lease"):
            paced = _Gate(gate, self)
            client = ScenarioClient(self, paced, project=None, rng=chance)
            runner = make_runner(
                make_plan(town.scene.jobs, journal.records(), now=town.earth.now()),
                scope=SCOPE,
                models=await models_of(town.scene.jobs, client),
                generator=client,
                journal=journal,
                collector=Shelves(),
                gate=paced,
                clock=town.earth,
                observer=Watching(),
                chance=chance,
                sender="key",
                flow=make_flow(paced, chance=chance),
                lease=self.led,
            )
            await runner.run()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.town.shared.length / 6)
            self.led.renew()

    async def still(self) -> None:
        """Wait for as long as the host stands still."""
        await self._awake.wait()
        if self.dead:
            raise asyncio.CancelledError

    async def meet(self, point: Point) -> None:
        """Meet what befalls the host in this moment of a submit."""
        self.counts[point] += 1
        one = self.accident
        if one is not None and one.point is point and one.nth == self.counts[point]:
            self._befall(one)
        await self.still()

    def _befall(self, one: Accident) -> None:
        self.town.say(f"{self.host} {one.befalls} {one.point}, for {one.seconds:.1f} s")
        self.town.verdict.tally[f"{one.befalls} {one.point}"] += 1
        match one.befalls:
            case Befalls.STANDS_STILL:
                self.led.is_frozen = True
                self._awake.clear()
                asyncio.get_running_loop().call_later(one.seconds, self._wake)
            case Befalls.DIES:
                self.dead = True
                assert self._task is not None
                self._task.cancel()
            case Befalls.CUT_OFF:
                self.host.cut_off(self.led, one.seconds)
            case Befalls.HALF_CUT_OFF:
                self.led.journal.answers_are_lost = True
                self.host.cut_off(self.led, one.seconds)

    def _wake(self) -> None:
        self.town.say(f"{self.host} wakes, epoch {self.led.epoch} of {self.town.shared.epoch}")
        self.town.verdict.tally["woke after another one took over"] += self.led.epoch < self.town.shared.epoch
        self.led.is_frozen = False
        self._awake.set()

    async def exchange(self, call: Call) -> Answer:
        """Carry a call, in moments at each of which the host may be befallen by something."""
        await self.still()
        if call.once:
            await self.meet(Point.LOOK)
            self._look(call)
            await self.meet(Point.WRITE)
        await asyncio.sleep(_HOP)
        if self.dead and not call.once:
            raise asyncio.CancelledError
        earth = self.town.earth
        reply = earth.service.handle(request_of(call, headers_of("key")), earth.now())
        if call.once:
            self.town.say(f"a POST of {self.host} arrives: {_prompt_of(call)}")
            await self.meet(Point.ARRIVAL)
        answer = await received(reply, hop=_HOP, patience=_PATIENCE)
        if call.once:
            await self.meet(Point.ANSWER)
        await self.still()
        if call.once:
            self._read(answer)
        return answer

    def _look(self, call: Call) -> None:
        if call.may_leave is not None and not call.may_leave():
            self.town.verdict.tally["POSTs that the last look kept back"] += 1
            self.town.say(f"a POST of {self.host} is kept back: {_prompt_of(call)}")
            raise NotSentError("the right to buy had run out")
        if self.led.epoch != self.town.shared.epoch:
            self.town.wrong(f"{self.host} sends a POST after another one took over: {_prompt_of(call)}")

    def _read(self, answer: Answer) -> None:
        try:
            self.town.receipts.add(submit_verdict(answer).job.remote_id)
        except ServiceError:
            return


def _prompt_of(call: Call) -> str:
    return (call.body or b"").decode()


class _Gate:
    """The gate of a host that may stand still."""

    def __init__(self, inner: RateGate, life: _Life) -> None:
        self._inner, self._life = inner, life

    async def turn(self, lane: Lane) -> None:
        await self._inner.turn(lane)
        if lane is Lane.SUBMIT:
            await self._life.meet(Point.TURN)
        await self._life.still()

    def pause(self, lane: Lane, seconds: float) -> None:
        self._inner.pause(lane, seconds)

    def hold(self, seconds: float) -> None:
        self._inner.hold(seconds)

    def share(self, pace: Pace) -> None:
        self._inner.share(pace)

    def is_paused(self, lane: Lane) -> bool:
        return self._inner.is_paused(lane)

    def set_rate(self, rate: Rate | None) -> None:
        self._inner.set_rate(rate)

    @property
    def interval(self) -> float:
        return self._inner.interval


class _Journal(FencedJournal):
    """The journal of a host that may stand still."""

    life: _Life

    def _may_write(self) -> None:
        if self.life.dead:
            raise asyncio.CancelledError
        super()._may_write()

    def append(
        self,
        key: JobKey,
        *events: Event,
        allowed: Allowance | None = None,
        reserves: Amounts | None = None,
        room: Room | None = None,
    ) -> Record:
        said = {one.event.at for one in MemoryJournal.testimony(self) if one.key == key}
        for event in events:
            by_listing = isinstance(event, ShownAbsent) and "testimony" not in event.evidence
            if (by_listing or isinstance(event, Held)) and self.records()[key].intent_at in said:
                self.life.town.wrong(f"{type(event).__name__}, though it was said what became of it: {key}")
        return super().append(key, *events, allowed=allowed, reserves=reserves, room=room)

    async def durable(self) -> None:
        await super().durable()
        await self.life.meet(Point.INTENT)

    def testify(self, key: JobKey, *events: Event) -> None:
        if self.life.dead:
            raise asyncio.CancelledError
        for event in events:
            self.life.town.say(f"{self.life.host} testifies: {type(event).__name__} of {key}")
            self.life.town.verdict.tally[f"testified: {type(event).__name__}"] += 1
        super().testify(key, *events)


def play(seed: int) -> Verdict:
    """Play a seed, and judge it."""
    return play_scene(draw(seed))


def play_scene(scene: Scene) -> Verdict:
    """Play a scene, and judge it."""
    town = Town(scene)
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(_main(town))
    _judge(town)
    return town.verdict


async def _main(town: Town) -> None:
    hosts = [Host(town, number, own) for number, own in enumerate(town.scene.accidents)]
    try:
        async with asyncio.timeout(LONGEST), asyncio.TaskGroup() as group:
            for host in hosts:
                group.create_task(host.live(), name=str(host))
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, *(host.cut_off_until - loop.time() for host in hosts)))
        town.is_done = False
        async with asyncio.timeout(LONGEST):  # what was said last is heard, and nothing befalls anybody
            await Host(town, len(hosts), ()).live()
    except TimeoutError:
        town.wrong(f"not done after {LONGEST:.0f} s")


def _judge(town: Town) -> None:
    """Hold what the service has charged against what is on record."""
    records, verdict = town.records(), town.verdict
    wrong, tally = verdict.wrong, verdict.tally
    if records != dict(MemoryJournal(town.earth.disk).records()):
        wrong.append("the records are not what the history tells")
    owners = Counter(one.remote_id for record in records.values() for one in record.submissions)
    charged = {one.remote_id: one for one in town.earth.service.submissions}
    wrong += [f"{one} is owned {count} times" for one, count in owners.items() if count > 1]
    wrong += [f"{one} is owned, and the service does not know it" for one in owners.keys() - charged.keys()]
    held = Counter(order_of(one) for one in records.values() if one.state is State.HELD)
    for remote_id, row in charged.items():
        if remote_id in owners:
            continue
        order = order_of(row)
        if remote_id in town.receipts:
            wrong.append(f"{remote_id} was answered, and belongs to no job: {order.body}")
        elif held[order]:
            held[order] -= 1
            tally["held, and paid for"] += 1
        else:
            wrong.append(f"{remote_id} was paid for, and belongs to no job: {order.body}")
    asked = Counter(order_of(one) for one in records.values())
    bought = Counter(order_of(row) for row in charged.values())
    wrong += [
        f"{count} charged where {asked[order]} were asked for: {order.body}"
        for order, count in bought.items()
        if count > asked[order]
    ]
    states = Counter(one.state for one in records.values())
    wrong += [f"{count} jobs are left {state}" for state, count in states.items() if state not in _ENDS]
    tally["seeds"] += 1
    tally["jobs"] += len(town.scene.jobs)
    tally["charged"] += len(charged)
    tally["takeovers"] += town.shared.epoch - 1
    tally["held"] += states[State.HELD]


_ENDS = frozenset({State.COLLECTED, State.HELD})


def _played(seed: int) -> tuple[Counter[str], str]:
    try:
        verdict = play(seed)
    except Exception as error:  # noqa: BLE001 - whatever breaks is what is looked for
        return Counter(), f"seed {seed}: {''.join(traceback.format_exception(error))}"
    return verdict.tally, str(verdict) if verdict.wrong else ""


def main(words: list[str], say: Callable[[str], object] = lambda text: sys.stdout.write(f"{text}\n")) -> int:
    """Play the seeds of a range such as ``0-999``, both ends included; a single one tells its story."""
    first, _, last = (words[0] if words else "0-999").partition("-")
    seeds = range(int(first), int(last or first) + 1)
    if len(seeds) == 1:
        verdict = play(seeds[0])
        say(str(verdict))
        return 1 if verdict.wrong else 0
    tally, failed = Counter[str](), list[str]()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for some, told in pool.map(_played, seeds, chunksize=10):
            tally += some
            failed += [told] if told else []
    for text in failed[:5]:
        say(f"\n{text}")
    for name, count in sorted(tally.items()):
        say(f"{count:>10,}  {name}")
    say(f"{len(failed):>10,}  seeds that broke a law")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
