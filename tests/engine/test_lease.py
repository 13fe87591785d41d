"""What becomes of a run whose right to lead its batch runs out, or is taken from it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from batchgen.engine.limits.gate import RateGate
from batchgen.errors import FencedError, JournalAwayError, JournalError
from batchgen.exits import Exit, status_of
from batchgen.lifecycle import Accepted, NotSent, State, SubmitStarted
from batchgen.planning.make_plan import make_plan
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.transport import Answer, Call
from batchgen.wiring.background import beside
from tests.support.assembly import make_flow, make_runner, models_of
from tests.support.builders import make_earth, make_jobs
from tests.support.fenced_journal import LENGTH, FencedJournal, Led, SharedJournal
from tests.support.looped import run_virtually
from tests.support.memory_journal import SCOPE
from tests.support.virtual import Earth, Shelves, VirtualTransport, Watching

Happens = Callable[["Host"], object]


@dataclass
class Host:
    """One host that leads the batch, and what befalls it at the first POST.

    Attributes:
        kind: of its journal.
        at_question: what happens when the service is asked something that costs nothing.
        before_look: what happens when the POST is about to be written.
        after_answer: what happens when its answer is there and nothing is recorded.
    """

    earth: Earth
    count: int = 1
    at_question: Happens = lambda _: None
    before_look: Happens = lambda _: None
    after_answer: Happens = lambda _: None
    kind: type[FencedJournal] = FencedJournal
    watching: Watching = field(default_factory=Watching)
    posts: int = 0
    looks: int = 0
    took: float = 0.0

    def __post_init__(self) -> None:
        self.shared = SharedJournal(self.earth.now, disk=self.earth.disk)
        self.led: Led | None = None
        self._inner = VirtualTransport(self.earth)

    @property
    def own(self) -> Led:
        assert self.led is not None
        return self.led

    async def exchange(self, call: Call) -> Answer:
        if not call.once:
            self.looks += call.path == "/jobs"  # the look before buying
            self.at_question(self)
            return await self._inner.exchange(call)
        self.posts += 1
        self.before_look(self)
        answer = await self._inner.exchange(call)
        self.after_answer(self)
        return answer

    def go(self) -> JournalError | None:
        """Run to the end; return what ended the run early."""
        try:
            run_virtually(self._main())
        except JournalError as error:
            return error
        return None

    async def _main(self) -> None:
        gate, jobs = RateGate(None), make_jobs(self.count)
        led = self.led = self.shared.lead(self.kind)
        async with beside(gate.run(), name="gate"), beside(self._renew(led), name="lease"):
            client = ScenarioClient(self, gate, project=None)
            runner = make_runner(
                make_plan(jobs, led.journal.records(), now=self.earth.now()),
                scope=SCOPE,
                models=await models_of(jobs, client),
                generator=client,
                journal=led.journal,
                collector=Shelves(),
                gate=gate,
                clock=self.earth,
                observer=self.watching,
                flow=make_flow(gate),
                lease=led,
            )
            began = asyncio.get_running_loop().time()
            try:
                await runner.run()
            finally:
                self.took = asyncio.get_running_loop().time() - began

    @staticmethod
    async def _renew(led: Led) -> None:
        while True:
            await asyncio.sleep(LENGTH / 6)
            led.renew()


def sleep_for_long(host: Host) -> None:
    """Let the lease run out and another host take it, in between two lines."""
    host.earth.clock_offset += 2 * LENGTH


def lose(host: Host) -> None:
    sleep_for_long(host)
    host.shared.lead()


def cut_off(host: Host) -> None:
    host.own.is_away = True


def cut_off_with_the_lease(host: Host) -> None:
    sleep_for_long(host)
    cut_off(host)


def events(host: Host) -> list[type]:
    return [type(one) for _, one in host.shared.disk.events]


def test_a_run_whose_lease_is_renewed_in_time_ends_as_any_other() -> None:
    host = Host(make_earth(duration=(400.0, 400.0)), count=3)
    assert host.go() is None
    assert host.own.left() > 0
    assert {one.state for one in host.own.journal.records().values()} == {State.COLLECTED}


def test_a_post_does_not_leave_when_another_run_leads_and_that_is_testified() -> None:
    host = Host(make_earth(), before_look=lose)
    error = host.go()
    assert isinstance(error, FencedError)
    assert status_of(error) is Exit.LOCKED
    assert "another run leads the batch now" in str(error)
    assert not host.earth.service.submissions
    ((_, _, said),) = host.own.journal.testimony()
    (intent,) = [one for _, one in host.shared.disk.events]
    assert isinstance(said, NotSent)
    assert said.at == intent.at, "by it the leader knows which POST is meant"
    assert not host.watching.troubles, "it ends quietly"


def test_a_receipt_that_is_refused_is_testified() -> None:
    host = Host(make_earth(), after_answer=lose)
    assert isinstance(host.go(), FencedError)
    (paid,) = host.earth.service.submissions
    (_, key, sent), (_, _, said) = host.own.journal.testimony()
    (intent,) = [one for _, one in host.shared.disk.events]
    assert sent == intent, "a database that was set back may have lost it"
    assert isinstance(said, Accepted)
    assert (said.remote_id, said.author, said.at) == (paid.remote_id, paid.author, intent.at)
    assert key in host.own.journal.records()
    assert not host.watching.troubles, "it ends quietly"


def test_the_receipts_of_other_posts_under_way_are_waited_for_and_testified() -> None:
    def first_only(host: Host) -> None:
        if host.posts == 3 and host.shared.epoch == 1:
            lose(host)

    over = make_earth(latency=(20.0, 20.0))
    host = Host(over, count=3, before_look=first_only)
    assert isinstance(host.go(), FencedError)
    said = [one.event for one in host.own.journal.testimony()]
    paid = {one.remote_id for one in over.service.submissions}
    assert len(paid) == 2
    assert {one.remote_id for one in said if isinstance(one, Accepted)} == paid
    assert sum(isinstance(one, NotSent) for one in said) == 1


def test_a_receipt_is_shown_and_spooled_where_the_journal_is_away() -> None:
    host = Host(make_earth(), after_answer=cut_off)
    error = host.go()
    assert isinstance(error, JournalAwayError)
    assert status_of(error) is Exit.REMAINS
    assert str(error).endswith("run the same command to continue")
    (paid,) = host.earth.service.submissions
    assert [text for text in host.watching.troubles if paid.remote_id in text]
    (_, sent), (_, said) = host.own.spool
    assert isinstance(sent, SubmitStarted)
    assert isinstance(said, Accepted)
    assert said.remote_id == paid.remote_id


def test_a_run_that_cannot_renew_its_lease_buys_nothing_and_the_same_command_goes_on() -> None:
    host = Host(make_earth(), before_look=cut_off_with_the_lease)
    error = host.go()
    assert isinstance(error, JournalAwayError)
    assert not host.earth.service.submissions
    ((_, said),) = host.own.spool
    assert isinstance(said, NotSent)


def test_a_run_that_only_watches_ends_when_its_lease_has_run_out() -> None:
    def cut_off_later(host: Host) -> None:
        asyncio.get_running_loop().call_later(50.0, cut_off, host)

    host = Host(make_earth(duration=(4000.0, 4000.0)), after_answer=cut_off_later)
    assert isinstance(host.go(), JournalAwayError)
    assert 50 < host.took < 50 + LENGTH + 5


def test_a_run_that_only_watches_ends_when_another_one_leads() -> None:
    def taken_later(host: Host) -> None:
        asyncio.get_running_loop().call_later(50.0, lose, host)

    host = Host(make_earth(duration=(4000.0, 4000.0)), after_answer=taken_later)
    assert isinstance(host.go(), FencedError)
    assert host.took < 60


def test_an_intent_whose_answer_was_lost_is_testified_as_never_left() -> None:
    def lose_answers(host: Host) -> None:
        host.own.is_away = host.own.journal.answers_are_lost = bool(host.looks)

    host = Host(make_earth(), at_question=lose_answers)
    assert isinstance(host.go(), JournalAwayError)
    assert not host.earth.service.submissions
    assert [type(one).__name__ for _, one in host.own.spool] == ["NotSent"]
    assert [type(one).__name__ for _, one in host.shared.disk.events] == ["SubmitStarted"]


def test_a_run_whose_lease_ran_out_unseen_ends_and_tries_nothing_over_and_over() -> None:
    host = Host(make_earth(), count=3, before_look=sleep_for_long)
    assert isinstance(host.go(), JournalAwayError)
    assert not host.earth.service.submissions
    intents = [one for one in host.shared.disk.events if isinstance(one[1], SubmitStarted)]
    assert len(intents) <= 4, "one each, and one that was asked for its lease first"
    assert {one.state for one in host.own.journal.records().values()} == {State.PLANNED}
    assert host.own.journal.testimony() == [], "it is on record"


def test_a_lease_that_ran_out_while_the_intent_was_synced_lets_nothing_go_so_far_as_to_connect() -> None:
    over = make_earth()

    class SlowDisk(FencedJournal):
        async def durable(self) -> None:
            over.clock_offset += 2 * LENGTH

    host = Host(over, kind=SlowDisk)
    assert isinstance(host.go(), JournalAwayError)
    assert host.posts == 0
    assert [type(one) for _, one in host.shared.disk.events] == [SubmitStarted, NotSent]


@pytest.mark.parametrize("message", ["no answer", "no answer; the same command goes on"])
def test_an_error_of_a_journal_that_is_away_says_once_what_to_do(message: str) -> None:
    assert str(JournalAwayError(message)).count("the same command") == 1
