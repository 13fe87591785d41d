"""What the database did not take waits on this host's disk, and is told first of all when it is back."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.errors import JournalError
from batchgen.journal import codec
from batchgen.journal.postgres.spool import Saying, Spool
from batchgen.model import JobKey, Scope
from tests.support.postgres import PostgresServer
from tests.support.postgres_runs import SCOPE, A, B, accepted, leading, started

ODD = Scope(origin="http://x/\u2028", project="a\nb", batch="s\u00fc\x85\x1c", slot="\0")


def spool_of(folder: Path, database: str) -> Spool:
    return Spool(folder, lambda: database)


def saying(number: int, scope: Scope = SCOPE) -> Saying:
    return Saying(scope, JobKey("v1:a", number), 7, "Accepted", codec.dump(accepted(f"job_{number}")))


def test_what_is_kept_is_told_in_its_order_and_then_gone(tmp_path: Path) -> None:
    heard: list[Saying] = []
    spool = spool_of(tmp_path / "output", "here")
    assert spool.replay(heard.extend) == 0
    assert not (tmp_path / "output").exists()
    spool.keep([saying(1)])
    spool_of(tmp_path / "output", "here").keep([saying(2, ODD), saying(1)])
    assert spool.replay(heard.extend) == 3
    assert heard == [saying(1), saying(2, ODD), saying(1)]
    assert (tmp_path / "output" / "journal.spool").read_bytes() == b""
    assert spool.replay(heard.extend) == 0
    spool.keep([saying(4)])
    assert spool.replay(heard.extend) == 1


def test_what_another_database_waits_for_stays_where_it_is(tmp_path: Path) -> None:
    heard: list[Saying] = []
    here, there = spool_of(tmp_path, "here"), spool_of(tmp_path, "there")
    here.keep([saying(1)])
    there.keep([saying(2)])
    here.keep([saying(3)])
    before = (tmp_path / "journal.spool").read_bytes()
    assert here.replay(heard.extend) == 2
    after = (tmp_path / "journal.spool").read_bytes()
    assert len(after) == len(before), "nothing is elsewhere, not for a moment either"
    assert here.replay(heard.extend) == 0
    there.keep([saying(4)])
    assert heard == [saying(1), saying(3)]
    assert there.replay(heard.extend) == 2
    assert heard[2:] == [saying(2), saying(4)]
    assert (tmp_path / "journal.spool").read_bytes() == b""


def test_a_line_that_was_cut_off_spoils_none_behind_it_and_none_before(tmp_path: Path) -> None:
    spool, path, heard = spool_of(tmp_path, "here"), tmp_path / "journal.spool", list[Saying]()
    spool.keep([saying(1), saying(2)])
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        spool.keep([saying(3)])
        heard.clear()
        spool.replay(heard.extend)
        full = whole[:length].count(b"\n") + (whole[length : length + 1] == b"\n")
        assert heard == [*[saying(1), saying(2)][:full], saying(3)]


@pytest.mark.parametrize("junk", [b"{}\n", b"null\n", b"[1]\n", b"\xff\xfe\n", b'{"database": "here"}\n'])
def test_a_line_that_is_none_of_ours_is_left_alone(tmp_path: Path, junk: bytes) -> None:
    spool, heard = spool_of(tmp_path, "here"), list[Saying]()
    (tmp_path / "journal.spool").write_bytes(junk)
    spool.keep([saying(1)])
    assert spool.replay(heard.extend) == 1
    assert (tmp_path / "journal.spool").read_bytes().startswith(junk)


def test_what_the_database_does_not_take_stays(tmp_path: Path) -> None:
    spool = spool_of(tmp_path, "here")
    spool.keep([saying(1)])

    def refuse(_: object) -> None:
        raise JournalError("no")

    with pytest.raises(JournalError):
        spool.replay(refuse)
    heard: list[Saying] = []
    assert spool.replay(heard.extend) == 1


def test_a_place_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "journal.spool").mkdir()
    with pytest.raises(JournalError):
        spool_of(tmp_path, "here").keep([saying(1)])
    with pytest.raises(JournalError):
        spool_of(tmp_path, "here").replay(lambda _: None)


@pytest.mark.postgres
def test_the_next_run_from_the_folder_hears_it_before_anything_else(
    postgres: PostgresServer, journal_database: str, tmp_path: Path
) -> None:
    with leading(journal_database, tmp_path) as (batch, lease):
        batch.append(A, started())
        postgres.stop()
        batch._database.wait_at_most(500)
        batch.testify(A, accepted("job_1"))
        batch.testify(A, accepted("job_1"))
        batch.testify(B, accepted("job_2"))
        epoch = lease.epoch
        postgres.start()
    path = tmp_path / "journal.spool"
    path.write_bytes(path.read_bytes() + b'{"database": "cut o')
    with leading(journal_database, tmp_path, replace(SCOPE, batch="summer")) as (other, _):
        assert other.testimony() == []
    with leading(journal_database, tmp_path) as (batch, _):
        told = batch.testimony()
        assert [(one.key, one.event) for one in told] == [(A, accepted("job_1")), (B, accepted("job_2"))]
        rows = batch._database.execute("SELECT DISTINCT epoch FROM testimony").fetchall()
        assert rows == [(epoch,)]
    assert path.read_bytes().strip() == b'{"database": "cut o'
