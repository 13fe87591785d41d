"""How runs are known to each other, and orders come to the run they are for."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.errors import JournalError
from batchgen.journal import schema
from batchgen.journal.file_store import FileStore
from batchgen.journal.lock import hold_batch, is_held
from batchgen.journal.orders import Answer
from batchgen.journal.runs import RunKept, RunRecords
from batchgen.lifecycle import Accepted, Collected, SubmitStarted, Succeeded
from batchgen.model import JobKey, Scope
from tests.support.journals import Journals
from tests.support.lives import JOB
from tests.support.opened import OpenedFile as JournalFile

SCOPE = Scope(origin="http://127.0.0.1/v1", project="p", batch="spring", slot="monday")
RUN = RunKept(token="a", scope=SCOPE, pid=7, host="here", began_at=1000.0, seen_at=1000.0)
OTHER = replace(RUN, token="b", scope=replace(SCOPE, batch="autumn"))
SET = (("in_flight", "4"), ("rate", "60/min"))
DONE = Answer(met=True, said="done")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    JournalFile.open(tmp_path / "journal.db").close()
    return tmp_path / "journal.db"


@pytest.fixture
def opened(journals: Journals) -> Callable[[], RunRecords]:
    return journals.runs


@pytest.fixture
def opened_of_a_file(path: Path) -> Iterator[Callable[[], RunRecords]]:
    with Journals(None, path.parent) as journals:
        yield journals.runs


def test_a_run_is_known_to_others_until_it_ends(opened: Callable[[], RunRecords]) -> None:
    mine, another = opened(), opened()
    mine.begin(RUN)
    assert another.of_batch("spring") == [RUN]
    assert mine.beat(RUN, at=1002.0)
    assert another.of_batch("spring") == [replace(RUN, seen_at=1002.0)]
    mine.end(RUN)
    assert another.of_batch("spring") == []


def test_what_a_dead_run_left_is_struck_off_by_the_next_run_of_the_batch(
    opened: Callable[[], RunRecords],
) -> None:
    records = opened()
    records.begin(RUN)
    records.begin(OTHER)
    records.orders.give("a", SET, at=1000.0)
    (wanted,) = records.orders.give("b", [("pause", "")], at=1000.0)
    elsewhere = replace(SCOPE, origin="simulator", slot="")  # the lock is the batch's, wherever it runs
    records.begin(replace(RUN, token="c", scope=elsewhere, began_at=1100.0, seen_at=1100.0))
    assert [one.token for one in records.of_batch("spring")] == ["c"]
    assert (records.orders.due("a"), records.orders.due("c")) == ([], [])
    assert [one.id for one in records.orders.due("b")] == [wanted]


def test_a_run_that_stood_still_for_days_makes_itself_known_again(opened: Callable[[], RunRecords]) -> None:
    records, day = opened(), 86_400.0
    records.begin(RUN)
    records.begin(replace(OTHER, began_at=1001.0 + day, seen_at=1001.0 + day))
    assert records.of_batch("spring") == []
    assert records.beat(RUN, at=1002.0 + day)
    assert records.of_batch("spring") == [replace(RUN, seen_at=1002.0 + day)]


def test_orders_are_taken_in_their_order_and_by_the_run_they_are_for(
    opened: Callable[[], RunRecords],
) -> None:
    mine, another = opened(), opened()
    mine.begin(RUN)
    numbers = another.orders.give("a", SET, at=1000.0)
    assert [(one.id, one.name, one.value) for one in mine.orders.due("a")] == [
        (numbers[0], "in_flight", "4"),
        (numbers[1], "rate", "60/min"),
    ]
    assert mine.orders.due("b") == []
    assert another.orders.answers(numbers) is None
    no = Answer(met=False, said="no")
    assert mine.orders.take({numbers[0]: DONE, numbers[1]: no}, at=1000.5)
    assert mine.orders.due("a") == []
    mine.end(RUN)
    assert another.orders.answers(numbers) == [DONE, no], "a run that ends at once is heard still"


def test_an_order_is_either_taken_or_withdrawn(opened: Callable[[], RunRecords]) -> None:
    mine, another = opened(), opened()
    mine.begin(RUN)
    early = another.orders.give("a", SET, at=1000.0)
    late = another.orders.give("a", [("pause", "")], at=1000.0)
    due = [one.id for one in mine.orders.due("a")]
    assert another.orders.withdraw(early)
    assert not mine.orders.take(dict.fromkeys(due, DONE), at=1001.0), "what was read with it waits"
    assert [one.id for one in mine.orders.due("a")] == late
    assert mine.orders.take(dict.fromkeys(late, DONE), at=1001.0)
    assert not another.orders.withdraw(late)
    assert another.orders.answers(late) == [DONE]


def test_a_number_is_never_given_twice(opened: Callable[[], RunRecords]) -> None:
    records = opened()
    records.begin(RUN)
    first = records.orders.give("a", SET, at=0.0)
    records.end(RUN)
    records.begin(OTHER)
    (later,) = records.orders.give("b", [("pause", "")], at=1000.0)
    assert later > max(first)
    assert records.orders.answers(first) is None


def test_a_look_tells_only_of_what_others_wrote(
    opened_of_a_file: Callable[[], RunRecords], path: Path
) -> None:
    mine, another = opened_of_a_file(), opened_of_a_file()
    mine.begin(RUN)
    assert mine.changed()
    assert mine.beat(RUN, at=1001.0)
    assert not mine.changed()
    another.orders.give("a", SET, at=1000.0)
    assert mine.changed()
    assert not mine.changed()
    JournalFile.open(path).batch(SCOPE).append(
        JobKey("v1:a"), SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}")
    )
    assert mine.changed()


def test_a_run_waits_for_nobody_and_comes_back_later(
    opened_of_a_file: Callable[[], RunRecords], path: Path
) -> None:
    mine, another = opened_of_a_file(), opened_of_a_file()
    mine.begin(RUN)
    (number,) = another.orders.give("a", [("pause", "")], at=1000.0)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert not mine.beat(RUN, at=1001.0)
    assert not mine.orders.take({number: DONE}, at=1001.0)
    holder.execute("ROLLBACK")
    holder.close()
    assert mine.beat(RUN, at=1001.0)
    assert mine.orders.take({number: DONE}, at=1001.0)


def test_orders_are_given_while_the_run_writes_and_none_of_either_is_lost(
    opened: Callable[[], RunRecords], journals: Journals
) -> None:
    mine = opened()
    mine.begin(RUN)
    given: list[int] = []

    def give() -> None:
        records = journals.store.runs()
        assert records is not None
        with records:
            for number in range(40):
                given.extend(records.orders.give("a", [("rate", f"{number + 1}/s")], at=1000.0))

    other = threading.Thread(target=give)
    other.start()
    taken: list[int] = []
    journals.lead(SCOPE.batch)
    with journals.open() as file:
        journal, key = file.batch(SCOPE), -1
        while other.is_alive() or mine.orders.due("a"):
            key += 1
            journal.append(JobKey("v1:a", key), SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}"))
            journal.append(JobKey("v1:a", key), Accepted(at=2.0, remote_id=f"job_{key}"))
            journal.append(JobKey("v1:a", key), Succeeded(at=3.0), Collected(at=4.0))
            mine.beat(RUN, at=1001.0)
            due = [one.id for one in mine.orders.due("a")]
            if mine.orders.take(dict.fromkeys(due, DONE), at=1001.0):
                taken += due
        other.join()
        assert len(file.batch(SCOPE).records()) == key + 1
    assert taken == given
    assert len(given) == 40


def test_there_is_no_run_where_no_file_knows_of_any(tmp_path: Path, path: Path) -> None:
    assert FileStore(tmp_path / "nothing").runs() is None
    assert not (tmp_path / "nothing").exists()
    empty = tmp_path / "empty" / "journal.db"
    empty.parent.mkdir()
    sqlite3.connect(empty).close()
    assert FileStore(empty.parent).runs() is None
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    with pytest.raises(JournalError, match="written by a newer batchgen"):
        FileStore(path.parent).runs()


def test_a_lock_is_looked_at_and_not_taken(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "spring.lock"
    assert not is_held(lock)
    with hold_batch(lock, stamp=0.0):
        assert is_held(lock)
    assert not is_held(lock)
    with hold_batch(lock, stamp=0.0):
        assert is_held(lock)
