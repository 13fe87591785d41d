"""A journal on a real PostgreSQL server, with the installed command: made, checked, used and copied."""

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

import batchgen
from batchgen.journal.file_store import FileStore
from batchgen.journal.stores import store_of
from tests.cli.conftest import Shell
from tests.cli.test_unattended import until
from tests.support.free_ports import free_port
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres

MODEL = "model: model_bfl-flux-1-dev, params: {width: 128, height: 128}"
TWO = f"""\
version: 1
batch: spring
jobs:
  - {{id: castle, prompt: a castle, {MODEL}}}
  - {{id: mill, prompt: a mill, {MODEL}}}
"""
RUN = ("run", "jobs.yaml", "--simulate")


@pytest.fixture
def there(shell: Shell, database: str) -> Shell:
    """A folder with a manifest, and a journal in a database that the environment names."""
    shell.write("jobs.yaml", TWO)
    here = shell.having(BATCHGEN_JOURNAL=database)
    done = here.call("journal", "init", "--lease", "2s")
    assert done.status == 0, done.err
    assert "a lease lasts 2 s" in done.out
    return here


def bought(shell: Shell) -> int:
    path = shell.folder / "output" / "simulator.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_batch_is_run_again_and_looked_at_and_leaves_no_file_of_a_journal(
    there: Shell, database: str
) -> None:
    first = there.call(*RUN, "--json")
    assert (first.status, first.json["journal"]) == (0, database), first.err
    again = there.call(*RUN)
    assert again.status == 0, again.err
    assert "nothing to do" in again.err
    assert bought(there) == 2
    assert not list((there.folder / "output").glob("journal*"))
    [told] = there.call("status", "--json").json
    assert (told["counts"]["done"], told["journal"]) == (2, database)
    assert there.call("cost", "--json").json["rows"][0]["submissions"] == 2
    assert there.call("plan", "jobs.yaml", "--simulate", "--json").json["journal"] == database


def test_a_flag_goes_before_the_environment_and_its_password_is_nowhere(shell: Shell, database: str) -> None:
    shell.write("jobs.yaml", TWO)
    secret = database.replace("postgres@", "postgres:hush-hush-1@")
    assert shell.call("journal", "init", secret).status == 0
    there = shell.having(BATCHGEN_JOURNAL=f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    words = ("--journal", secret, "--json", "--log-file", "log", "--events", "events")
    done = there.call(*RUN, *words)
    assert done.status == 0, done.err
    checked = there.call("journal", "check", "--journal", secret)
    listed = there.call("status", "--journal", secret, "--json")
    cron = there.call("cron", "jobs.yaml", "--at", "@daily", "--period", "day", "--yes", "--journal", secret)
    told = [one.out + one.err for one in (done, checked, listed, cron)]
    files = [one for one in there.folder.rglob("*") if one.is_file()]
    assert [one for one in told if "hush" in one] == []
    assert [one for one in files if b"hush" in one.read_bytes()] == []
    assert f"--journal {database}" in cron.out


def test_without_tables_it_says_how_they_are_made(shell: Shell, database: str) -> None:
    shell.write("jobs.yaml", TWO)
    for words in (RUN, ("status",), ("journal", "check")):
        done = shell.having(BATCHGEN_JOURNAL=database).call(*words)
        assert done.status == 2, done.err
        assert f"batchgen journal init --journal {database}" in done.err
    assert bought(shell) == 0


def test_a_server_that_is_not_there_is_8_and_one_that_will_not_have_us_is_2(
    shell: Shell, database: str
) -> None:
    shell.write("jobs.yaml", TWO)
    nobody = f"postgresql://postgres@127.0.0.1:{free_port()}/journal"
    wrong = database.rpartition("/")[0] + "/nosuch"
    for words in (("journal", "check"), RUN):
        with shell.having(BATCHGEN_JOURNAL=nobody).start(*words) as away:
            assert away.wait(60) == 8, away.err
            assert "does not answer" in away.err
        done = shell.having(BATCHGEN_JOURNAL=wrong).call(*words)
        assert done.status == 2, done.err
        assert 'database "nosuch" does not exist' in done.err
    named = shell.call("journal", "check")
    assert (named.status, "--journal postgresql://" in named.err) == (2, True)


def test_a_check_says_what_can_be_relied_on_and_who_leads(there: Shell, database: str) -> None:
    with store_of(database, there.folder / "output").hold("spring", stamp=time.time()):
        told = there.call("journal", "check", "--json")
        assert told.status == 0, told.err
        [leader] = told.json["leaders"]
        assert (leader["batch"], 0 < leader["left"] <= 2) == ("spring", True)
        assert leader["holder"].startswith("process ")
        refused = there.call("journal", "init", "--lease", "5s")
        assert (refused.status, "a run leads the batch 'spring'" in refused.err) == (2, True)
        lines = there.call("journal", "check").out
        assert "spring is led for" in lines
    told = there.call("journal", "check", "--json")
    assert told.json["leaders"][0]["left"] == 0
    assert (told.json["lease"], told.json["exit"], told.json["warnings"]) == (2, 0, [])
    assert abs(told.json["offset"]) < 0.5
    assert there.call("journal", "init", "--lease", "5s").status == 0
    assert there.call("journal", "check", "--json").json["lease"] == 5
    assert there.call("journal", "init").status == 0
    assert there.call("journal", "check", "--json").json["lease"] == 5, "what is not said stays"


@pytest.mark.parametrize("setting", ["synchronous_commit = off", "default_transaction_read_only = on"])
def test_a_server_that_would_lose_what_is_paid_is_refused(
    setting: str, there: Shell, database: str, postgres: PostgresServer
) -> None:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database.rpartition('/')[2]} SET {setting}")
    assert there.call(*RUN).status == 2
    assert bought(there) == 0


def test_a_file_is_copied_into_a_database_and_back_and_only_the_last_goes_on(
    shell: Shell, database: str
) -> None:
    shell.write("jobs.yaml", TWO)
    there = shell.having(BATCHGEN_JOURNAL=database)
    assert shell.call(*RUN).status == 0
    assert shell.call("mark", "jobs.yaml", "kept", "castle", "--simulate").status == 0
    assert shell.call("journal", "init", database).status == 0
    guarded = there.call(*RUN)
    assert (guarded.status, "a run would buy it again" in guarded.err) == (2, True), guarded.err
    done = shell.call("journal", "copy", "output", database)
    assert (done.status, "2 submissions" in done.out) == (0, True), done.err
    refused = shell.call(*RUN)
    assert (refused.status, f"to {database}, and goes on there" in refused.err) == (2, True), refused.err
    again = there.call(*RUN)
    assert (again.status, "nothing to do" in again.err) == (0, True), again.err
    assert there.call("status", "--json").json[0]["marks"]["kept"] == 1
    back = there.call("journal", "copy", database, "back")
    assert back.status == 0, back.err
    moved = there.call(*RUN)
    assert (moved.status, "goes on" in moved.err) == (2, True), moved.err
    (shell.folder / "output" / "spring").rename(shell.folder / "back" / "spring")
    last = shell.call(*RUN, "-o", "back")
    assert (last.status, "nothing to do" in last.err) == (0, True), last.err
    assert rows(shell.folder / "back") == rows(shell.folder / "output")
    assert bought(shell) == 2


def rows(folder: Path) -> list[str]:
    """Return what was paid for and said of it, as a file has it."""
    connection = sqlite3.connect(folder / "journal.db")
    found = []
    for table in ("events", "records", "submissions", "asset_marks", "totals", "senders", "scopes"):
        found += [f"{table} {row!r}" for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    return sorted(found)


def test_a_standby_takes_over_from_one_that_was_killed_and_nothing_is_bought_twice(
    there: Shell,
) -> None:
    many = "version: 1\nbatch: spring\njobs:\n" + "".join(
        f"  - {{id: job-{one}, prompt: house {one}, {MODEL}}}\n" for one in range(40)
    )
    there.write("jobs.yaml", many)
    with ExitStack() as stack:
        leader = stack.enter_context(there.start(*RUN, "--rate", "20/s"))
        until(lambda: bought(there) >= 5)
        standby = stack.enter_context(there.start(*RUN, "--standby", "--rate", "20/s"))
        until(lambda: "standing by for the batch 'spring'" in standby.err)
        leader.send_signal(signal.SIGKILL)
        assert standby.wait(100) == 0, standby.err
        assert "the batch 'spring' is free" in standby.err
    assert bought(there) == 40


def test_a_standby_waits_for_a_server_that_is_restarted(
    there: Shell, database: str, postgres: PostgresServer
) -> None:
    """The kind: the one who is to take over dies first, with the database that both need."""
    with ExitStack() as stack:
        held = stack.enter_context(ExitStack())
        held.enter_context(store_of(database, there.folder / "output").hold("spring", stamp=time.time()))
        standby = stack.enter_context(there.start(*RUN, "--standby"))
        until(lambda: "standing by for the batch 'spring'" in standby.err)
        postgres.stop("immediate")
        held.close()
        until(lambda: "standing by until the journal is there again" in standby.err)
        postgres.start()
        assert standby.wait(60) == 0, standby.err
    assert bought(there) == 2


def test_a_file_beside_is_no_journal_of_a_batch_that_is_on_the_server(there: Shell) -> None:
    assert there.call(*RUN).status == 0
    assert not FileStore(there.folder / "output").exists()
    told = json.loads((there.folder / "output" / "spring" / "results.json").read_text())
    assert told["summary"]["counts"]["done"] == 2


def test_a_file_of_variables_may_name_the_journal(shell: Shell, database: str) -> None:
    shell.write(".env", f"BATCHGEN_JOURNAL={database}\n")
    shell.write("jobs.yaml", TWO)
    assert shell.call("journal", "init").status == 0
    assert shell.call(*RUN).status == 0
    assert shell.call("status", "--json").json[0]["journal"] == database
    there = shell.having(BATCHGEN_JOURNAL="")  # the environment goes before files, and nothing means the file
    assert there.call("status", "--json").json == []
    assert there.call("status", "spring").err.endswith("no batch 'spring' in output; there are: none\n")


def test_from_python_a_journal_is_an_argument(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.yaml").write_text(TWO)
    store_of(database, tmp_path).prepare()  # type: ignore[attr-defined]
    results = batchgen.run_sync("jobs.yaml", simulate=True, journal=database)
    assert results.ok
    [told] = asyncio.run(batchgen.status(journal=database))
    assert told.scope.batch == "spring"
    assert asyncio.run(batchgen.status()) == []
    monkeypatch.setenv("BATCHGEN_JOURNAL", database)
    assert len(asyncio.run(batchgen.status())) == 1
    assert asyncio.run(batchgen.status(journal="")) == []
    plan = asyncio.run(batchgen.plan("jobs.yaml", simulate=True))
    assert not plan.to_buy
    monkeypatch.setenv("BATCHGEN_JOURNAL", f"postgresql://postgres@127.0.0.1:{free_port()}/journal")
    with pytest.raises(batchgen.JournalAwayError, match="does not answer"):
        batchgen.run_sync("jobs.yaml", simulate=True)
