"""The turns of an account in a real database: of several processes, and where none answers."""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import combinations
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.engine.limits.gate import MOMENT, RateGate
from batchgen.journal.pacing import HORIZON, AccountRow, TurnsWanted, give
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.store import PostgresStore
from batchgen.journal.turns import AccountPace
from batchgen.model import Rate, Scope
from batchgen.ports import Lane
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres

SCOPE = Scope(origin="https://service.example/v1", project="p", batch="spring")
RATE = Rate(count=5, seconds=1)
SLACK = MOMENT + 0.1  # seconds from a turn to the time that is noted, on a machine that is busy


@pytest.fixture
def opened(database: str, tmp_path: Path) -> Iterator[Callable[..., AccountPace]]:
    """What gives the turns of one account over a connection of its own."""
    PostgresStore(database, tmp_path).prepare(lease=5.0)
    with ExitStack() as stack:

        def open_pace(now: Callable[[], float] = time.time) -> AccountPace:
            records = stack.enter_context(PostgresStore(database, tmp_path).runs())
            records._connection.wait_at_most(20)
            return records.pace(SCOPE, now=now)

        yield open_pace


def run(url: str, folder: Path, notes: Connection, count: int) -> None:
    """Ask for so many turns, and say when each came: one process of several."""

    async def ask() -> None:
        with PostgresStore(url, folder).runs() as records:
            gate = RateGate(RATE)
            gate.share(records.pace(SCOPE, now=time.time))
            pump = asyncio.create_task(gate.run())

            async def come() -> None:
                await gate.turn(Lane.WATCH)
                notes.send(time.monotonic())

            await asyncio.gather(*(come() for _ in range(count)))
            pump.cancel()

    asyncio.run(ask())


class Process:
    """A process that takes turns, and what it has said."""

    def __init__(self, url: str, folder: Path, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._notes, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=run, args=(url, folder, theirs, count))
        self.process.start()
        theirs.close()
        self.starts: list[float] = []

    def hear(self, count: int) -> None:
        """Wait for so many more of its starts, or for its end."""
        with suppress(EOFError):
            for _ in range(count):
                assert self._notes.poll(60.0)
                self.starts.append(self._notes.recv())


def test_processes_together_are_no_quicker_than_the_rate_and_one_that_is_killed_leaves_no_hole(
    opened: object, database: str, tmp_path: Path
) -> None:
    del opened  # which makes the tables
    ours = [Process(database, tmp_path, count) for count in (14, 14, 1000)]
    ours[2].hear(3)
    ours[2].process.kill()
    for one in ours:
        one.hear(2000)
        one.process.join(60.0)
    assert [one.process.exitcode for one in ours[:2]] == [0, 0]
    starts = sorted(at for one in ours for at in one.starts)
    for (place, first), (later, last) in combinations(enumerate(starts), 2):
        assert later - place + 1 <= RATE.count * (last - first + SLACK) + 1
    after = [at for one in ours[:2] for at in one.starts if at > max(ours[2].starts)]
    took = max(after) - max(ours[2].starts)
    assert len(after) / took >= 0.75 * RATE.count, "the two go on with the whole rate"


def test_turns_are_by_the_clock_of_the_server_and_one_after_the_other(
    opened: Callable[[], AccountPace],
) -> None:
    mine, other = opened(), opened()
    waits = [turn.wait for pace in (mine, other, mine, other) if (turn := pace.turn(3.0, submit=False))]
    assert waits == pytest.approx([0.0, 3.0, 6.0, 9.0], abs=1.0)


def test_what_the_service_asks_one_host_to_wait_the_others_hear(opened: Callable[[], AccountPace]) -> None:
    told, other = opened(), opened()
    told.hold(300.0)
    told.hold(10.0)
    assert other.held() == pytest.approx(300.0, abs=5.0)
    submit, look = other.turn(0.6, submit=True), other.turn(0.6, submit=False)
    assert submit is not None
    assert look is not None
    assert (submit.held, look.held) == pytest.approx((300.0, 300.0), abs=5.0)
    assert look.wait < 1.0, "the submit took no turn"


def test_a_row_that_somebody_has_is_not_waited_for(opened: Callable[[], AccountPace], database: str) -> None:
    pace = opened()
    assert pace.turn(0.1, submit=False) is not None
    with psycopg.connect(database) as other:
        other.execute("SELECT 1 FROM accounts FOR UPDATE")
        began = time.monotonic()
        assert pace.turn(0.1, submit=False) is None
        assert time.monotonic() - began < 1.5
    assert pace.turn(0.1, submit=False) is not None


def test_a_server_that_is_away_holds_the_loop_for_a_moment_and_gives_turns_again(
    opened: Callable[..., AccountPace], postgres: PostgresServer
) -> None:
    now = [1000.0]
    pace = opened(lambda: now[0])
    assert pace.turn(0.1, submit=False) is not None
    postgres.stop()
    for most in (2.0, 0.1, 0.1):  # it is not asked again before a second is over
        began = time.monotonic()
        assert pace.turn(0.1, submit=False) is None
        assert time.monotonic() - began < most
    now[0] += 2.0
    pace.hold(300.0)
    assert pace.turn(0.1, submit=False) is None
    postgres.start()
    now[0] += 2.0
    assert pace.turn(0.1, submit=False) is not None
    assert opened().held() > 200.0, "what could not be said then is said now"


def test_a_clock_of_the_server_that_is_set_back_holds_nobody_for_long(
    opened: Callable[[], AccountPace], database: str
) -> None:
    pace = opened()
    pace.hold(600.0)
    assert pace.turn(0.6, submit=False) is not None
    with psycopg.connect(database, autocommit=True) as other:
        other.execute(
            "UPDATE accounts SET last_turn = last_turn + 86400, submit_after = submit_after + 86400"
        )
    turn = pace.turn(0.6, submit=True)
    assert turn is not None
    assert turn.wait <= HORIZON
    assert turn.held <= 0


@given(
    st.tuples(
        st.sampled_from([-20.0, -1.0, 5.0, 40.0]),
        st.sampled_from([0.0, 0.1, 1.0, 8.0, 3600.0]),
        st.sampled_from([-5.0, 6.0, 50.0, 3605.0]),
        st.sampled_from([-5.0, 100.0, 90_000.0]),
    ),
    st.builds(
        TurnsWanted,
        many=st.sampled_from([0, 1, 5]),
        interval=st.sampled_from([0.01, 0.5, 8.0, 60.0]),
        submit=st.booleans(),
        hold=st.sampled_from([0.0, 50.0, 1000.0]),
        now=st.just(0.0),
    ),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_function_of_the_database_is_the_same_as_ours(
    opened: object, database: str, ago: tuple[float, float, float, float], wanted: TurnsWanted
) -> None:
    del opened  # which makes the tables
    account = ("https://service.example/v1", "p")
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("DELETE FROM accounts")
        (now,) = other.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone() or (0.0,)
        last_turn, gap, gap_until, submit_after = ago
        row = AccountRow(now + last_turn, gap, now + gap_until, now + submit_after)
        other.execute("INSERT INTO accounts VALUES (%s, %s, %s, %s, %s, %s)", (*account, *row))
        connection = PostgresConnection(database, place="here")
        theirs = connection.take_turns(*account, wanted)
        connection.close()
        columns = "last_turn, gap, gap_until, submit_after"
        kept = other.execute(f"SELECT {columns} FROM accounts".encode()).fetchone()
    after, ours = give(row, wanted._replace(now=now))
    assert theirs is not None
    assert theirs.taken == ours.taken
    assert theirs.wait == pytest.approx(ours.wait, abs=0.9)
    assert max(0.0, theirs.held) == pytest.approx(max(0.0, ours.held), abs=0.9)
    if ours.taken or wanted.hold:
        assert kept == pytest.approx(after, abs=0.9)
