"""Equal jobs of other batches that are in doubt: settled where nobody runs them, else waited for."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from batchgen.engine.limits.gate import RateGate
from batchgen.errors import FencedError, JournalAwayError, JournalError
from batchgen.identity import content_key
from batchgen.journal.batch import BatchJournal
from batchgen.lifecycle import Accepted, Adopted, AnswerLost, Event, Record, State, SubmitStarted
from batchgen.model import Job, JobKey, Scope
from batchgen.ports import Journal, LifelongLease
from batchgen.reconcile.absence import DoubtPolicy
from batchgen.reconcile.neighbours import Neighbours, Opened
from batchgen.scenario.client import ScenarioClient
from batchgen.wiring.background import beside
from tests.support.looped import run_virtually
from tests.support.memory_journal import SCOPE
from tests.support.opened import OpenedFile
from tests.support.virtual import EPOCH, SEEDLESS, Earth, VirtualTransport, Watching

JOB = Job(id="tower", prompt="a tower", model=SEEDLESS)
KEY = JobKey(content_key(JOB))
OTHER = replace(SCOPE, batch="autumn")
POLICY = DoubtPolicy(settle=3, settle_max=9)
INTENT = SubmitStarted(at=EPOCH, job=JOB, attempt=1, body='{"prompt":"a tower"}', sender="key", skew=0.0)
LOST = AnswerLost(at=EPOCH, reason="cut")


@dataclass
class Street:
    """Two batches of one journal, and the service."""

    path: Path
    is_run: bool = False
    bought: int = 1
    later: Callable[[BatchJournal], object] = lambda _: None
    seen: Callable[[BatchJournal], Journal] = lambda journal: journal
    settled: list[float] = field(default_factory=list)
    left: tuple[str, ...] = ()

    def live(self, *events: Event) -> dict[JobKey, State]:
        """Let the other batch have lived through events, settle what it left, and return its states."""
        with OpenedFile.open(self.path / "journal.db") as file:
            theirs = file.batch(OTHER)
            theirs.append(KEY, *events)
            run_virtually(self._main(file, theirs))
        with OpenedFile.open(self.path / "journal.db") as file:
            return {key: record.state for key, record in file.batch(OTHER).records().items()}

    async def _main(self, file: OpenedFile, theirs: BatchJournal) -> None:
        gate, earth = RateGate(None), Earth()
        client = ScenarioClient(VirtualTransport(earth), gate, project=None)

        @contextmanager
        def open_batch(scope: Scope) -> Iterator[Opened | None]:
            assert scope == OTHER
            yield None if self.is_run else Opened(self.seen(file.batch(scope)), LifelongLease())

        neighbours = Neighbours(
            generator=client,
            batch=SCOPE.batch,
            journal=file.batch(SCOPE),
            clock=earth,
            observer=Watching(),
            policy=POLICY,
            sender="key",
            open_batch=open_batch,
        )
        async with beside(gate.run(), name="gate"):
            for _ in range(self.bought):
                await client.submit(SEEDLESS, INTENT.body)
            loop = asyncio.get_running_loop()
            loop.call_later(4.0, self.later, theirs)
            neighbours.begin({KEY.content}, lambda: self.settled.append(loop.time()))
            async with asyncio.timeout(3600):
                await neighbours.run()
        assert not neighbours.is_busy
        self.left = neighbours.left


LATER = (INTENT, LOST, Adopted(at=EPOCH, remote_id="job_9", evidence={}))


@pytest.mark.parametrize("life", [(INTENT,), (INTENT, LOST)], ids=["submitting", "in doubt"])
def test_what_a_dead_run_left_is_found_and_becomes_its_own_batchs(
    life: tuple[Event, ...], tmp_path: Path
) -> None:
    street = Street(tmp_path)
    assert street.live(*life) == {KEY: State.RUNNING}
    assert street.settled
    assert street.left == ()


def test_a_batch_that_is_run_settles_its_own_and_is_waited_for(tmp_path: Path) -> None:
    street = Street(tmp_path, is_run=True)
    street.later = lambda theirs: theirs.append(KEY, Accepted(at=EPOCH, remote_id="job_1"))
    assert street.live(INTENT) == {KEY: State.RUNNING}
    assert street.settled[0] >= 4.0
    assert street.left == ()


def test_a_batch_that_is_run_and_settles_nothing_is_named_and_not_waited_for_for_ever(tmp_path: Path) -> None:
    street = Street(tmp_path, is_run=True)
    assert street.live(INTENT) == {KEY: State.SUBMITTING}
    assert street.settled[0] <= 4 * POLICY.settle_max
    (sentence,) = street.left
    assert "batch 'autumn' has 1 job in doubt" in sentence


def test_what_has_its_answer_stands_in_nobodys_way(tmp_path: Path) -> None:
    street = Street(tmp_path, bought=0)
    assert street.live(INTENT, Accepted(at=EPOCH, remote_id="job_1")) == {KEY: State.RUNNING}
    assert street.settled == []


class Refusing:
    """The journal of a batch that another run leads by now, or that does not answer: appends are refused."""

    def __init__(self, inner: BatchJournal, error: JournalError) -> None:
        self._inner = inner
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, *_: object, **__: object) -> Record:
        raise self._error


@pytest.mark.parametrize("life", [(INTENT,), (INTENT, LOST)], ids=["submitting", "in doubt"])
def test_a_batch_that_a_run_takes_over_meanwhile_is_left_to_it(
    life: tuple[Event, ...], tmp_path: Path
) -> None:
    street = Street(tmp_path, seen=lambda journal: Refusing(journal, FencedError()))
    street.later = lambda theirs: theirs.append(KEY, *LATER[len(life) :])
    assert street.live(*life) == {KEY: State.RUNNING}
    assert street.left == ()


def test_a_journal_that_does_not_answer_ends_it_by_that_error(tmp_path: Path) -> None:
    street = Street(tmp_path, seen=lambda journal: Refusing(journal, JournalAwayError()))
    with pytest.raises(JournalAwayError):
        street.live(INTENT, LOST)
