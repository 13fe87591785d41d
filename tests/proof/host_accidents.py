"""The accidents of ``tests.proof.hosts``: what happens to a leader, its server or its wire.

Each waits for what it does to have come about, and leaves the place whole.
"""

import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final, Literal

from tests.proof.host_place import GLANCE, Host, Place, waited
from tests.proof.one_host import BEFORE_POST, BEFORE_RECEIPT

Kind = Literal[
    "kill", "kill before a POST", "kill before a receipt",
    "stop", "stop before a POST", "stop before a receipt",
    "restart fast", "restart immediate", "server killed", "server away 4 s", "server away 12 s",
    "silent 2 s", "silent 12 s", "cut",
]  # fmt: skip

KILLS: Final[tuple[Kind, ...]] = ("kill", "kill", "kill", "kill before a POST", "kill before a receipt")
STOPS: Final[tuple[Kind, ...]] = (
    "stop", "stop before a receipt", "stop before a POST", "stop before a POST",
)  # fmt: skip
OTHERS: Final[tuple[Kind, ...]] = (
    "restart fast", "restart immediate", "server killed", "server away 4 s", "server away 12 s", "silent 2 s",
    "silent 12 s", "cut",
)  # fmt: skip
SPARE: Final = 5.0  # seconds beyond a lease within which another one leads
_LONG: Final = 60.0  # seconds after which what did not come about does not count
_LONGEST: Final = 240.0  # seconds: a doubt may hold the next POST back for two minutes


@dataclass
class Accidents:
    """What happens to one place.

    Attributes:
        place: where.
        lease: seconds.
        wanted: how many POSTs there will be: with the last ones nothing happens any more.
        chance: the seed's.
        counts: what happened.
        at_points: the points of a POST's way at which a leader was stopped or killed.
        takeovers: seconds until another one led, each.
        wrong: what must not have been.
        stays: seconds for which one that was taken over stays stopped, if the other has not finished.
    """

    place: Place
    lease: float
    wanted: int
    chance: Random
    counts: Counter[str] = field(default_factory=Counter)
    at_points: Counter[str] = field(default_factory=Counter)
    takeovers: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stays: Sequence[float] = (0.0, 2.0, 6.0)

    def happen(self, kind: Kind, more: int, *, last: bool = False) -> bool:
        """Let one happen after so many more charges; return False where the batch ended before.

        Args:
            kind: what happens.
            more: charges.
            last: whether nothing is to happen after it: a host that stops stays so until all is done.
        """
        if last:
            self.stays = (_LONGEST,)
        leader = self._ready(more)
        if leader is None:
            return False
        time.sleep(self.chance.choice([0.0, self.chance.uniform(0, 0.05), self.chance.uniform(0, 0.8)]))
        match kind:
            case "kill":
                came = self._taken_over(leader, signal.SIGKILL)
            case "stop":
                came = self._taken_over(leader, signal.SIGSTOP)
            case "kill before a POST" | "stop before a POST":
                came = self._ambushed(leader, kind, BEFORE_POST)
            case "kill before a receipt" | "stop before a receipt":
                came = self._ambushed(leader, kind, BEFORE_RECEIPT)
            case "silent 2 s" | "silent 12 s" | "cut":
                came = self._wire(leader, kind)
            case _:
                came = self._server(kind)
        self.counts[kind] += came
        return True

    def _ready(self, more: int) -> Host | None:
        """Wait until one leads, another waits, and the service has accepted so many more."""
        place = self.place
        enough = place.lines() + more
        latest = time.monotonic() + _LONGEST
        while not self.is_over() and enough <= self.wanted and time.monotonic() < latest:
            leader = place.leader()
            waits = any(one.waits for one in place.hosts if one is not leader)
            if leader is not None and waits and place.lines() >= enough:
                return leader
            place.tend()
            time.sleep(GLANCE)
        return None

    def is_over(self) -> bool:
        """Return whether one of the hosts has nothing left to do."""
        return any(one.done for one in self.place.hosts)

    def _taken_over(self, leader: Host, number: signal.Signals) -> bool:
        before = self.place.epoch()
        leader.send(number)
        return self._followed(leader, before, number)

    def _ambushed(self, leader: Host, kind: Kind, points: tuple[str, ...]) -> bool:
        number = signal.SIGKILL if kind.startswith("kill") else signal.SIGSTOP
        point = self.chance.choice(points)
        before, process = self.place.epoch(), leader.process
        leader.lie_in_wait(point, number)

        def caught() -> bool:
            return leader.is_stopped() or process is None or process.poll() is not None

        came = waited(caught, _LONG, lambda: None, glance=0.005)
        leader.let_pass()
        came &= leader.is_stopped() or (process is not None and process.poll() == -signal.SIGKILL)
        if not came:  # there was no POST any more
            leader.send(signal.SIGCONT)
            return False
        self.at_points[f"{number.name} {point}"] += 1
        return self._followed(leader, before, number)

    def _followed(self, leader: Host, before: int, number: signal.Signals) -> bool:
        """Wait for whoever follows, and let one that was stopped go on at some moment after that."""
        began, most = time.monotonic(), self.lease + SPARE
        others = [one for one in self.place.hosts if one is not leader]
        # the dead one is started again later: here another one follows
        tend = self.place.tend if number == signal.SIGKILL else partial(_tend, others)
        ended = [one.statuses.total() for one in others]
        if not waited(lambda: self.place.epoch() > before, 4 * most, tend):
            self.wrong.append(f"nobody led {4 * most:.0f} s after {number.name}: {self.place.folder}")
        elif ended == [one.statuses.total() for one in others]:  # whoever waited went on waiting
            self.takeovers.append(took := time.monotonic() - began)
            if took > most:
                self.wrong.append(f"a takeover took {took:.1f} s after {number.name}")
        if number == signal.SIGSTOP:
            self._go_on(leader, others)
        return True

    def _go_on(self, leader: Host, others: list[Host]) -> None:
        """Wake one that was stopped: at once, later, or when the other has finished everything."""
        stays = self.chance.choice(self.stays)
        waited(lambda: any(one.done for one in others), stays, partial(_tend, others))
        leader.send(signal.SIGCONT)
        process = leader.process
        if process is not None and not waited(lambda: process.poll() is not None, _LONG, lambda: None):
            self.wrong.append(f"one that was taken over went on for {_LONG:.0f} s: {leader.log}")
        self.place.tend()

    def _wire(self, leader: Host, kind: Kind) -> bool:
        if kind == "cut":
            leader.wire.cut()
            return True
        leader.wire.silence(of_client=self.chance.random() < 0.7)
        self._pass(2.0 if kind == "silent 2 s" else 12.0)
        leader.wire.heal()
        return True

    def _server(self, kind: Kind) -> bool:
        server = self.place.server
        match kind:
            case "restart fast":
                server.restart("fast")
            case "restart immediate":
                server.restart("immediate")
            case "server killed":
                server.kill()
                server.start()
            case _:
                server.stop(self.chance.choice(["fast", "immediate"]))
                self._pass(4.0 if kind == "server away 4 s" else 12.0)
                server.start()
        return True

    def _pass(self, seconds: float) -> None:
        waited(lambda: False, seconds, self.place.tend)


def _tend(hosts: list[Host]) -> None:
    for one in hosts:
        one.tend()
