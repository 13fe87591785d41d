"""Gates of several runs that take the turns of one account from one file, in virtual time."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.limits.gate import ALONE_AFTER, MOMENT, RateGate
from batchgen.errors import JournalError
from batchgen.journal.file import JournalFile
from batchgen.journal.file_connection import FileConnection
from batchgen.journal.file_store import FileStore
from batchgen.journal.pacing import HORIZON
from batchgen.journal.turns import AccountPace
from batchgen.model import Rate
from batchgen.ports import Lane
from tests.support.looped import run_virtually
from tests.support.memory_journal import SCOPE
from tests.support.virtual import EPOCH

USUAL = Rate(count=100, seconds=60)
SLOW = Rate(count=20, seconds=60)
DUST = 1e-4  # seconds


@dataclass
class Account:
    """Runs of one account, each with a connection of its own to one file, and when their requests started."""

    folder: Path
    stack: ExitStack
    group: asyncio.TaskGroup
    starts: list[tuple[float, int, Lane]] = field(default_factory=list)
    pumps: list[asyncio.Task[None]] = field(default_factory=list)
    connections: list[FileConnection] = field(default_factory=list)
    set_back: float = 0.0  # seconds, of the clock

    def now(self) -> float:
        return EPOCH + asyncio.get_running_loop().time() - self.set_back

    def pace(self) -> AccountPace:
        records = FileStore(self.folder).runs()
        assert records is not None
        self.stack.enter_context(records)
        connection = records._connection
        assert isinstance(connection, FileConnection)
        connection.wait_at_most(1)
        self.connections.append(connection)
        return records.pace(SCOPE, now=self.now)

    def run(self, rate: Rate | None = USUAL) -> RateGate:
        gate = RateGate(rate)
        gate.share(self.pace())
        self.pumps.append(self.group.create_task(gate.run()))
        return gate

    async def ask(self, gate: RateGate, lane: Lane = Lane.WATCH, *, run: int = 0) -> None:
        await gate.turn(lane)
        self.starts.append((time(), run, lane))

    async def ask_often(self, gate: RateGate, count: int, lane: Lane = Lane.WATCH, *, run: int = 0) -> None:
        await asyncio.gather(*(self.ask(gate, lane, run=run) for _ in range(count)))

    @property
    def gaps(self) -> list[float]:
        return [later - earlier for (earlier, *_), (later, *_) in pairwise(sorted(self.starts))]


def time() -> float:
    return asyncio.get_running_loop().time()


def played(body: Callable[[Account], Awaitable[None]]) -> Account:
    async def main(folder: Path) -> Account:
        with ExitStack() as stack:
            async with asyncio.TaskGroup() as group:
                account = Account(folder, stack, group)
                await body(account)
                for pump in account.pumps:
                    pump.cancel()
        return account

    with TemporaryDirectory() as folder:
        JournalFile.open(Path(folder) / "journal.db").close()
        return run_virtually(main(Path(folder)))


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.integers(0, 2), st.sampled_from(list(Lane))), min_size=1, max_size=40
    ),
    st.lists(
        st.sampled_from(
            [USUAL, Rate(count=3, seconds=1), Rate(count=20, seconds=60), Rate(count=400, seconds=1)]
        ),
        min_size=3,
        max_size=3,
    ),
)
def test_starts_of_all_runs_are_as_far_apart_as_the_quickest_of_them_has_it(
    arrivals: list[tuple[float, int, Lane]], rates: list[Rate]
) -> None:
    async def body(account: Account) -> None:
        gates = [account.run(rate) for rate in rates]

        async def come(after: float, run: int, lane: Lane) -> None:
            await asyncio.sleep(after)
            await account.ask(gates[run], lane, run=run)

        async with asyncio.TaskGroup() as group:
            for one in arrivals:
                group.create_task(come(*one))

    account = played(body)
    assert len(account.starts) == len(arrivals)
    used = {run: rates[run].interval for _, run, _ in arrivals}
    assert all(gap >= min(used.values()) - DUST for gap in account.gaps)
    for run, interval in used.items():
        own = sorted(at for at, whose, _ in account.starts if whose == run)
        assert all(later - earlier >= interval - MOMENT - DUST for earlier, later in pairwise(own))
    last = max(at for at, *_ in account.starts)
    assert last <= 20 + (len(arrivals) + 1) * max(used.values()) + 1, "no turn is left while somebody waits"


@pytest.mark.parametrize("rate", [USUAL, Rate(count=20, seconds=1), Rate(count=500, seconds=1)], ids=str)
def test_two_runs_together_use_the_whole_rate_and_have_like_parts_of_it(rate: Rate) -> None:
    async def body(account: Account) -> None:
        await asyncio.gather(*(account.ask_often(account.run(rate), 100, run=run) for run in (0, 1)))

    account = played(body)
    took = max(at for at, *_ in account.starts)
    assert 199 * rate.interval - DUST <= took <= 199 * rate.interval / 0.95
    at_once = max(1, 0.05 / rate.interval)
    first = [run for _, run, _ in sorted(account.starts)[:100]]
    assert abs(first.count(0) - first.count(1)) <= at_once


def test_a_slow_run_leaves_room_for_a_quick_one() -> None:
    async def body(account: Account) -> None:
        slow, quick = account.run(Rate(count=6, seconds=60)), account.run(USUAL)
        await asyncio.gather(account.ask_often(slow, 6, run=0), account.ask_often(quick, 100, run=1))

    account = played(body)
    assert max(at for at, run, _ in account.starts if run == 1) == pytest.approx(105 * 0.6, rel=0.05)
    assert max(at for at, run, _ in account.starts if run == 0) <= 5 * (10.0 + 0.6) + DUST


def test_a_run_that_is_killed_while_it_waits_costs_one_turn() -> None:
    async def body(account: Account) -> None:
        dying, other = account.run(), account.run()
        waiting = asyncio.create_task(account.ask_often(dying, 5))
        await asyncio.sleep(0.7)
        account.pumps[0].cancel()
        waiting.cancel()
        await account.ask_often(other, 10, run=1)

    account = played(body)
    assert max(at for at, *_ in account.starts) <= 0.7 + 11 * 0.6


def test_what_is_not_used_is_not_saved_up() -> None:
    async def body(account: Account) -> None:
        gates = [account.run(rate) for rate in (Rate(count=400, seconds=1), USUAL)]
        await asyncio.gather(*(account.ask(gate) for gate in gates))
        await asyncio.sleep(100.0)
        account.starts.clear()
        await asyncio.gather(*(account.ask_often(gate, 5) for gate in gates))

    assert all(gap >= 0.0025 - DUST for gap in played(body).gaps)


def test_a_run_that_stood_still_uses_no_turn_that_others_have_had_since() -> None:
    async def body(account: Account) -> None:
        still, other = account.pace(), account.run()
        gate = RateGate(USUAL)
        gate.share(still)
        account.pumps.append(account.group.create_task(gate.run()))
        await account.ask_often(other, 3, run=1)  # turns at 0, 0.6 and 1.2
        waiting = asyncio.create_task(account.ask(gate))
        await asyncio.sleep(0.1)  # its turn comes at 1.8
        loop = asyncio.get_running_loop()
        loop._leap.ticks += 10_000_000  # type: ignore[attr-defined]  # it stands still for ten seconds
        account.starts.append((time(), 1, Lane.WATCH))
        still.turn(0.6, submit=False)
        await waiting

    (at,) = [at for at, run, _ in played(body).starts if run == 0]
    assert at == pytest.approx(1.3 + 10.0 + 0.6, abs=0.01)


def test_what_the_service_asks_one_run_to_wait_all_runs_wait_and_looks_go_on() -> None:
    async def body(account: Account) -> None:
        told, other, without = account.run(), account.run(), account.run(None)
        await account.ask(other, Lane.SUBMIT)
        told.hold(30.0)
        told.hold(5.0)  # a shorter one changes nothing
        began = time()
        await asyncio.gather(
            *(account.ask_often(gate, 2, Lane.SUBMIT, run=1) for gate in (told, other, without)),
            account.ask_often(other, 5, Lane.WATCH, run=2),
        )
        assert min(at for at, run, _ in account.starts if run == 1) >= began + 30.0 - DUST
        assert max(at for at, run, _ in account.starts if run == 2) <= began + 6 * 0.6

    account = played(body)
    assert max(at for at, *_ in account.starts) <= 0.6 + 30.0 + 5 * 0.6, "and the rate is used after it"


def test_a_submit_that_waits_for_its_turn_hears_of_it_too() -> None:
    async def body(account: Account) -> None:
        slow = Rate(count=1, seconds=10)
        told, other = account.run(slow), account.run(slow)
        await account.ask(told, Lane.SUBMIT)
        waiting = asyncio.create_task(account.ask(other, Lane.SUBMIT, run=1))
        await asyncio.sleep(5.0)
        told.hold(60.0)
        await waiting

    assert max(at for at, run, _ in played(body).starts if run == 1) >= 65.0 - DUST


def test_a_pause_of_its_own_is_nobody_elses() -> None:
    async def body(account: Account) -> None:
        mine, other = account.run(), account.run()
        mine.pause(Lane.SUBMIT, 60.0)
        await account.ask(other, Lane.SUBMIT)
        assert time() < 1.0

    played(body)


def test_a_busy_file_holds_submits_and_looks_go_on_at_the_runs_own_pace() -> None:
    async def body(account: Account) -> None:
        gate = account.run()
        with closing(sqlite3.connect(account.folder / "journal.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            submit = asyncio.create_task(account.ask(gate, Lane.SUBMIT))
            await account.ask_often(gate, 5)
            assert ALONE_AFTER <= time() <= ALONE_AFTER + 5 * 0.6
            assert not submit.done()
            other.execute("ROLLBACK")
        await submit

    assert all(gap >= 0.6 - DUST for gap in played(body).gaps)


def test_a_hold_that_a_busy_file_did_not_take_is_said_with_the_next_turn() -> None:
    async def body(account: Account) -> None:
        told, other = account.run(), account.run()
        with closing(sqlite3.connect(account.folder / "journal.db", isolation_level=None)) as third:
            third.execute("BEGIN IMMEDIATE")
            told.hold(30.0)
            third.execute("ROLLBACK")
        await account.ask(told)
        await account.ask(other, Lane.SUBMIT)
        assert time() >= 30.0 - DUST

    played(body)


def test_whoever_waits_for_a_turn_ends_where_none_can_be_had() -> None:
    async def body(account: Account) -> None:
        gate = account.run()
        with closing(sqlite3.connect(account.folder / "journal.db")) as other:
            other.execute("DROP TABLE accounts")
        for lane in (Lane.SUBMIT, Lane.WATCH):
            with pytest.raises(JournalError, match="accounts"):
                await account.ask(gate, lane)

    played(body)


def test_a_clock_that_is_set_back_holds_nobody_for_long() -> None:
    async def body(account: Account) -> None:
        gate = account.run()
        gate.hold(3600.0)
        await account.ask_often(gate, 3)
        account.set_back = 86_400.0
        began = time()
        await account.ask_often(gate, 3)
        assert time() <= began + HORIZON + 3 * 0.6
        await account.ask(account.run(), Lane.SUBMIT)
        assert time() <= began + 3600.0

    played(body)


def test_a_run_knows_how_far_apart_its_turns_are() -> None:
    async def body(account: Account) -> None:
        gates = [account.run(), account.run()]
        assert gates[0].interval == 0.6
        await asyncio.gather(*(account.ask_often(gate, 60) for gate in gates))
        assert gates[0].interval == pytest.approx(1.2, rel=0.1)
        await account.ask_often(gates[0], 60)
        assert gates[0].interval == pytest.approx(0.6, rel=0.1)
        gates[0].set_rate(None)
        assert gates[0].interval == 0.0

    played(body)


def test_a_rate_that_is_changed_counts_at_once() -> None:
    async def body(account: Account) -> None:
        hourly = Rate(count=1, seconds=3600)
        gates = [account.run(hourly), account.run(hourly)]
        await account.ask(gates[0])
        waiting = asyncio.create_task(account.ask(gates[1]))
        await asyncio.sleep(1.0)
        for gate in gates:
            gate.set_rate(USUAL)
        await asyncio.gather(waiting, account.ask(gates[0]))
        assert time() < 5.0

    played(body)


def test_many_turns_a_second_take_few_statements() -> None:
    written: list[str] = []

    async def body(account: Account) -> None:
        gate = account.run(Rate(count=500, seconds=1))
        account.connections[0].set_trace_callback(written.append)
        await account.ask_often(gate, 500)

    played(body)
    assert 20 <= len([one for one in written if one.startswith("INSERT")]) <= 30
