"""Which journal is meant: by a flag, by the environment, or the file of the output folder."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen import api
from batchgen.errors import GuardError, InputError
from batchgen.journal.file_store import FileStore
from batchgen.journal.store import JournalStore
from batchgen.journal.stores import store_of
from batchgen.ports import Clock
from batchgen.redaction import Redaction, without_password
from batchgen.wiring.journals import Journals
from batchgen.wiring.options import Options, environment
from tests.support.place import Place

FAR = "postgresql://artist@far.example/journal"
HOURS = 3600.0


class Ahead:
    """A clock that is three hours ahead of another one."""

    def __init__(self, base: Clock) -> None:
        self._base = base

    def now(self) -> float:
        return self._base.now() + 3 * HOURS


class FarStore(FileStore):
    """What stands for a server: its journal is not in the output folder, and its clock is another one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "far")

    def __str__(self) -> str:
        return FAR

    def clock(self, base: Clock) -> Clock:
        return Ahead(base)


def far(address: str, folder: Path) -> JournalStore:
    return FarStore(folder.parent) if address else FileStore(folder)


def options(folder: Path, **said: str) -> Options:
    return Options(
        manifest=folder / "jobs.yaml", output=folder / "output", environ=said, journals=Journals(far)
    )


def test_options_and_their_copies_have_one_store_and_another_place_has_another(tmp_path: Path) -> None:
    plain = options(tmp_path, BATCHGEN_JOURNAL=FAR)
    assert plain.journal is replace(plain, simulate=True).journal is plain.journal
    assert replace(plain, output=tmp_path / "other").journal is not plain.journal
    assert str(plain.journal) == FAR


def test_a_flag_goes_before_the_environment_and_an_empty_one_means_the_file(tmp_path: Path) -> None:
    said = options(tmp_path, BATCHGEN_JOURNAL="postgresql://other/journal")
    assert replace(said, journal_address=FAR).server == FAR
    assert said.server == "postgresql://other/journal"
    assert replace(said, journal_address="").server == ""
    assert str(replace(said, journal_address="").journal) == str(tmp_path / "output" / "journal.db")
    assert options(tmp_path, BATCHGEN_JOURNAL="").server == ""


def test_a_command_to_type_repeats_the_flag_without_its_password_and_not_the_environment(
    tmp_path: Path,
) -> None:
    said = options(tmp_path, BATCHGEN_JOURNAL=FAR)
    assert "--journal" not in said.command_line("run")
    flagged = replace(said, journal_address="postgresql://artist:hush@far.example/journal")
    assert f"--journal {FAR}" in flagged.command_line("run")
    assert "hush" not in repr(flagged)


ADDRESSES = {
    "mysql://u:hushhush@h/db": "is not on PostgreSQL",
    "sqlite:///journal.db": "is not on PostgreSQL",
    "output/journal.db": "is not on PostgreSQL",
    "postgresql:h/db": "is not on PostgreSQL",
    "postgresql://u:hushhush@h": "names no database",
    "postgresql://u:hush/hush@h/db": "write / as %2F",
    "postgresql://u:hush#hush@h/db": "write / as %2F",
    "postgresql://u:hush?hush@h/db": "write / as %2F",
    "postgresql://[hush:hush@h/db": "is no address",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_no_address_is_refused_and_no_part_of_a_password_is_shown(
    address: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=ADDRESSES[address]) as refused:
        store_of(address, tmp_path)
    assert "hush" not in str(refused.value)
    assert "postgresql://USER@HOST:5432/DATABASE" in str(refused.value)


def test_of_an_address_the_user_and_the_place_are_shown_and_nothing_that_opens_it() -> None:
    assert without_password("postgresql://u:p@h1:5432,h2:5433/db?sslmode=require") == (
        "postgresql://u@h1:5432,h2:5433/db?sslmode=require"
    )
    assert without_password("postgres://h/db?user=u&password=hush&sslpassword=hush") == (
        "postgres://h/db?user=u"
    )
    assert without_password("postgresql:///db?host=/run/postgresql") == "postgresql://[hidden]"
    assert without_password("postgresql://h/db") == "postgresql://h/db"
    assert without_password("") == "[hidden]"


@given(password=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12))
def test_no_password_however_it_is_written_is_in_what_is_shown(password: str) -> None:
    shown = without_password(f"postgresql://artist:{password}@far.example/journal")
    assert shown in {FAR, "postgresql://[hidden]"}


def test_a_password_of_the_environment_is_taken_out_of_every_message() -> None:
    redact = Redaction.of_environment(
        {"BATCHGEN_JOURNAL": "postgresql://artist:s3cret%2Fw0rd@far.example/journal?sslpassword=an0ther1"}
    )
    said = "password s3cret/w0rd (s3cret%2Fw0rd, an0ther1) of artist at far.example was refused"
    assert redact(said) == "password [hidden] ([hidden], [hidden]) of artist at far.example was refused"


def test_without_its_package_a_journal_on_a_server_says_how_to_install_it(tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["psycopg"] = None
from batchgen.cli.main import run
sys.exit(run(["status", "--journal", {FAR!r}]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "pip install 'batchgen-scenario[postgres]'" in done.stderr


def test_slots_and_stamps_are_by_the_clock_of_the_journal(tmp_path: Path) -> None:
    """At ten in the evening it is one in the morning there: the slot is the server's day."""
    place = Place.with_jobs(tmp_path, 1)
    text = (tmp_path / "jobs.yaml").read_text()
    (tmp_path / "jobs.yaml").write_text(text.replace("batch: spring", "batch: spring\nperiod: day"))
    start = place.earth.now()
    place.earth.clock_offset += (22 * HOURS - start) % (24 * HOURS)  # to ten in the evening
    here = place.options()
    there = replace(here, journal_address=FAR, journals=Journals(far))
    assert there.clock.now() - here.clock.now() == 3 * HOURS
    place.run(journal_address=FAR, journals=Journals(far))
    [told] = api.status(there)
    day = place.earth.now() + 3 * HOURS
    assert told.scope.slot == _date(day)
    assert told.last is not None
    assert abs(told.last.began_at - day) < HOURS
    assert not (tmp_path / "output" / "journal.db").exists()


def _date(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).date().isoformat()


def test_a_batch_that_the_file_knows_and_the_server_does_not_is_not_bought_again(tmp_path: Path) -> None:
    place = Place.with_jobs(tmp_path, 1)
    place.run()
    with pytest.raises(GuardError, match="a run would buy it again") as refused:
        place.run(journal_address=FAR, journals=Journals(far))
    assert f"batchgen journal copy {tmp_path / 'output'} URL" in str(refused.value)
    assert place.bought == 1


def test_a_file_of_the_folder_does_not_send_the_password_of_the_environment_elsewhere(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BATCHGEN_JOURNAL=postgresql://artist@evil.example/journal\n")
    with pytest.raises(InputError, match="must not send it elsewhere"):
        environment({"PGPASSWORD": "hush-hush"}, tmp_path)
    told = environment({"PGPASSWORD": "hush-hush", "BATCHGEN_JOURNAL": FAR}, tmp_path)
    assert told["BATCHGEN_JOURNAL"] == FAR
    assert "evil.example" in environment({"PGPASSFILE": "/home/artist/.pgpass"}, tmp_path)["BATCHGEN_JOURNAL"]
