"""A journal whose facts share their syncs: what is on the disk itself, and what a power cut leaves of it."""

import asyncio
import errno
import fcntl
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from batchgen.errors import JournalError
from batchgen.journal import log_file
from batchgen.journal.batch import BatchJournal
from batchgen.journal.existing import existing
from batchgen.journal.file import JournalFile
from batchgen.journal.file_store import FileStore
from batchgen.journal.log_file import LogFile
from batchgen.lifecycle import Accepted, Collected, Event, Succeeded
from batchgen.model import JobKey, Scope
from batchgen.ports import Syncer
from batchgen.wiring.sync_thread import SyncThread
from tests.proof.power_loss import Mains
from tests.support.builders import make_intent
from tests.support.inline import InlineSyncer
from tests.support.syncers import NOT_KEPT

SCOPE = Scope(origin="http://127.0.0.1/v1", project="", batch="spring")
Play = Callable[[JournalFile, BatchJournal], Awaitable[None]]


def key(number: int) -> JobKey:
    return JobKey(f"v1:{number * 7919 % 1009:04d}")


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def grouped(path: Path, play: Play, syncer: Syncer | None = None) -> None:
    """Play something in a journal whose facts share their syncs."""

    async def main() -> None:
        with JournalFile.open(path) as file, file.grouped(syncer or InlineSyncer()):
            await play(file, file.batch(SCOPE))

    asyncio.run(main())


class Failing(InlineSyncer):
    """A disk that does not keep what is written from a sync on, and then says that it did."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.begun = 0

    def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
        self.begun += 1

        def fails() -> None:
            raise NOT_KEPT

        return super().start(fails if self.begun == self.left else sync)


def test_facts_are_in_the_log_at_once_and_a_thread_has_the_disk_keep_them(tmp_path: Path) -> None:
    path, threads = tmp_path / "journal.db", []

    class Noting(SyncThread):
        def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
            threads.append(sync)
            return super().start(sync)

    async def play(file: JournalFile, journal: BatchJournal) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                journal.append(key(number), make_intent())
                group.create_task(journal.durable())
        assert len(threads) == 1, "one sync for all of them"
        (level,) = file._connection.execute("PRAGMA synchronous").fetchone()
        assert level == 1, "no sync in the loop"
        journal.disown(["job_1"])
        (level,) = file._connection.execute("PRAGMA synchronous").fetchone()
        assert level == 2, "what nobody waits for is synced as ever"

    with Noting() as thread:
        grouped(path, play, thread)
    with JournalFile.open(path) as file:
        assert len(file.batch(SCOPE).records()) == 20


def test_without_a_shared_sync_every_fact_has_one_of_its_own(tmp_path: Path) -> None:
    with JournalFile.open(tmp_path / "journal.db") as file:
        journal = file.batch(SCOPE)
        journal.append(key(1), make_intent())
        assert file._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        asyncio.run(journal.durable())


def test_a_sync_that_fails_ends_it_for_good_and_the_log_is_left_for_the_next_run(tmp_path: Path) -> None:
    path, disk = tmp_path / "journal.db", Failing(at=2)

    async def play(_: JournalFile, journal: BatchJournal) -> None:
        journal.append(key(1), make_intent())
        await journal.durable()
        journal.append(key(2), make_intent())
        for _again in range(3):
            with pytest.raises(JournalError, match="did not keep what was written"):
                await journal.durable()
        journal.append(key(1), Accepted(at=2.0, remote_id="job_1"))  # a receipt is still written down
        with pytest.raises(JournalError, match="did not keep what was written"):
            journal.look_began(1.0)
        with pytest.raises(JournalError, match="did not keep what was written"):
            journal.disown(["x"])
        assert disk.begun == 2, "no sync is tried again"

    grouped(path, play, disk)
    log = log_of(path)
    assert log.exists(), "to copy it into the database is to trust a further sync"
    assert log.stat().st_size > 0
    with JournalFile.open(path) as file:
        assert file.batch(SCOPE).records()[key(1)].remote_id == "job_1"
    assert not log.exists()


def replace_log(log: Path, *, copied: bool) -> None:
    content = log.read_bytes()
    log.unlink()
    if copied:
        log.write_bytes(content)


@pytest.mark.parametrize("copied", [False, True])
def test_a_log_that_was_removed_or_replaced_takes_no_intent(tmp_path: Path, *, copied: bool) -> None:
    path = tmp_path / "journal.db"

    async def play(_: JournalFile, journal: BatchJournal) -> None:
        journal.append(key(1), make_intent())
        await journal.durable()
        replace_log(log_of(path), copied=copied)
        with pytest.raises(JournalError, match=r"replaced|No such file"):
            await journal.durable()

    grouped(path, play)


LOOK = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM events'); c.close()"


def look_and_close(path: Path) -> None:
    """Let another process look at a journal; the last to close one copies its log and removes that."""
    subprocess.run([sys.executable, "-c", LOOK, str(path)], check=True)


def test_no_lock_of_sqlite_is_lost_by_looking_at_the_log(tmp_path: Path) -> None:
    """Who closes a descriptor of a file loses all locks of it, and others take themselves for the last."""
    path = tmp_path / "journal.db"

    async def play(_: JournalFile, journal: BatchJournal) -> None:
        journal.append(key(1), make_intent())
        await journal.durable()
        LogFile.open(path).close()
        look_and_close(path)
        assert log_of(path).stat().st_size > 0
        await journal.durable()

    grouped(path, play)


def test_nobody_but_its_writer_copies_the_log(tmp_path: Path) -> None:
    """The kind: a connection that would copy it by itself, beside a run that writes."""
    path = tmp_path / "journal.db"
    with (
        JournalFile.open(path) as file,
        FileStore(path.parent).uploads(origin="o", project="p") as uploads,
        existing(path, "rw") as short,
    ):
        runs = FileStore(path.parent).runs()
        assert runs is not None
        assert short is not None
        with runs:
            for one in (file._connection, uploads._connection, short, runs._connection):
                assert one.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
                assert one.execute("PRAGMA fullfsync").fetchone() == (1,), "of effect on macOS"


def test_a_long_log_is_begun_anew_and_a_reader_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    async def play(file: JournalFile, journal: BatchJournal) -> None:
        def grow() -> int:
            for number in range(60):
                journal.append(key(number), make_intent())
            return log_of(path).stat().st_size

        before = grow()
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM events").fetchone()
        file._commits._left = 0
        journal.append(key(100), make_intent())
        assert file._commits._left > 1
        reader.close()
        file._commits._left = 0
        journal.append(key(101), make_intent())
        for number in range(20):
            journal.append(key(number), Accepted(at=2.0, remote_id=f"job_{number}"))
        assert log_of(path).stat().st_size < before + 2 * 30_000, "its beginning is written over"
        await journal.durable()

    grouped(path, play)
    with JournalFile.open(path) as file:
        assert len(file.batch(SCOPE).records()) == 62


def test_where_a_plain_sync_is_not_enough_the_full_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def control(descriptor: int, command: int) -> int:
        asked.append(command)
        if len(asked) > 1:
            raise OSError(errno.ENOTSUP if len(asked) == 2 else errno.EIO, "no")
        return descriptor

    monkeypatch.setattr(log_file, "_FULL", 51)
    monkeypatch.setattr(fcntl, "fcntl", control)
    with (tmp_path / "log").open("wb") as file:
        log_file.keep(file.fileno())
        log_file.keep(file.fileno())  # a file system that does not know it
        with pytest.raises(OSError, match="no"):
            log_file.keep(file.fileno())
    assert asked == [51] * 3


@dataclass
class Powered:
    """A syncer whose disk can lose power: it knows what was written as each sync began."""

    mains: Mains
    facts: int = 0  # written so far
    kept: int = 0  # of them, by the syncs that have ended
    begun: list[int] = field(default_factory=list)
    left: bytes = b""  # of the log, when the power has failed

    def start(self, sync: Callable[[], None]) -> asyncio.Future[None]:
        sync()
        self.begun.append(self.facts)
        keep = self.mains.begin()
        future = asyncio.get_running_loop().create_future()

        def end() -> None:
            keep()
            self.kept = max(self.kept, self.begun[-1])
            future.set_result(None)

        asyncio.get_running_loop().call_later(0.0, end)
        return future


class Cut:
    """One life of a journal that a power cut ends, drawn from a seed."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.chance = path, random.Random(seed)
        self.disk = Powered(Mains(path))
        self.told: list[Event] = []
        self.durable = 0

    async def play(self, file: JournalFile, journal: BatchJournal) -> None:
        waits, disk = [], self.disk
        disk.mains.sync()
        for number in range(self.chance.randrange(14)):
            match self.chance.choice(["job", "job", "durable", "late", "anew"]):
                case "job":
                    self._job(journal, number)
                case "durable":
                    await journal.durable()
                    assert disk.kept == len(self.told)
                case "late":
                    waits.append(asyncio.create_task(journal.durable()))
                    await asyncio.sleep(0)
                case _:
                    file._commits._left = 0
                    journal._commits.shorten_log()
                    disk.mains.sync()  # SQLite has synced the log and the database
                    disk.kept = len(self.told)
        # before anybody goes on, or closes anything
        disk.left, self.durable = disk.mains.fail(self.chance), disk.kept
        await asyncio.gather(*waits)

    def _job(self, journal: BatchJournal, number: int) -> None:
        body = "x" * self.chance.choice([10, 3000, 20_000])
        ends = [Succeeded(at=number, asset_ids=("a",)), Collected(at=number)]
        for events in (
            [make_intent(at=number, body=body)],
            [Accepted(at=number, remote_id=f"{number}")],
            ends,
        ):
            journal.append(key(number), *events)
            self.told += events
            self.disk.facts = len(self.told)


def test_a_power_cut_leaves_all_that_is_durable_and_a_file_that_opens() -> None:
    """Whatever of the blocks survives that were not synced: some, none, the last without the first."""
    memory = Path("/dev/shm")
    found: list[Event] = []
    for seed in range(60):
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            cut = Cut(Path(folder) / "journal.db", seed)
            grouped(cut.path, cut.play, cut.disk)
            cut.disk.mains.come_back(cut.disk.left)
            with JournalFile.open(cut.path) as file:
                found = [event for _, event in file.batch(SCOPE).history()]
            assert found == cut.told[: len(found)], f"seed {seed}: a beginning of what was told, nothing else"
            assert len(found) >= cut.durable, f"seed {seed}"
