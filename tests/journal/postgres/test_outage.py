"""What one connection of a run knows of a database that is away, the others need not find out."""

import time
from pathlib import Path

import pytest

from batchgen.errors import JournalAwayError
from tests.support.cut_wire import cut_wire
from tests.support.postgres import PostgresServer
from tests.support.postgres_runs import A, accepted, leading, started

pytestmark = pytest.mark.postgres


def test_many_who_ask_a_database_that_is_away_wait_no_longer_than_one(
    postgres: PostgresServer, journal_database: str, tmp_path: Path
) -> None:
    with cut_wire(postgres.port) as wire, leading(wire.through(journal_database), tmp_path) as (batch, _):
        batch.append(A, started())
        wire.silence()
        began = time.monotonic()
        for number in range(10):
            with pytest.raises(JournalAwayError):
                batch.append(A, accepted(f"job_{number}"))
            batch.testify(A, accepted(f"job_{number}"))
        assert time.monotonic() - began < 9
        lines = (tmp_path / "journal.spool").read_text().splitlines()
        assert len(lines) == 10
        wire.heal()
