"""Which output folder and which .env are meant: a batch that is known near never begins anew unasked.

The kind: what follows the current folder changes without anybody's word, under cron, in an editor, in CI.
"""

from pathlib import Path

import pytest

from batchgen.cli.main import run
from batchgen.errors import InputError
from batchgen.wiring.options import environment

MANIFEST = "version: 1\nbatch: spring\njobs: [{prompt: a castle, model: model_bfl-flux-1-dev}]\n"
KEY, SECRET, ADDRESS = "SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_BASE_URL"
KNOWN = "--simulate --collect-only"  # makes the batch known, and is quick


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("work/man", "cron"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "work/man/jobs.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_batch_that_is_known_beside_its_manifest_begins_in_no_other_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place / "work/man")
    assert run(["run", "jobs.yaml", "--simulate"]) == 0
    monkeypatch.chdir(place / "cron")
    manifest, known, here = "../work/man/jobs.yaml", place / "work/man/output", place / "cron/output"
    for words in (
        f"run {manifest} --simulate",
        f"plan {manifest} --simulate",
        f"audit {manifest} --simulate --offline",
        f"resolve {manifest} --simulate",
        f"accept {manifest} x --simulate",
        f"journal rebuild {manifest} --simulate",
        f"control pause {manifest} --simulate",
        f"status {manifest}",
        f"cost {manifest}",
    ):
        capsys.readouterr()
        assert run(words.split()) == 2, words
        err = capsys.readouterr().err
        assert f"-o {known};" in err, words
        assert f"-o {here}\n" in err, words
    assert not here.exists()
    assert run(f"plan {manifest} --offline".split()) == 0  # a rehearsal stops no first run
    assert run(f"run {manifest} {KNOWN} -o {known}".split()) == 0
    assert run(f"run {manifest} {KNOWN} -o output".split()) == 0  # begun anew, knowingly
    assert f"journal: {known}" not in capsys.readouterr().err.splitlines()


def test_results_without_a_journal_are_enough_to_know_a_batch(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = place / "work/man/output/spring/results.json"
    results.parent.mkdir(parents=True)
    results.write_text("{}")
    monkeypatch.chdir(place / "cron")
    assert run(f"run ../work/man/jobs.yaml {KNOWN}".split()) == 2


def test_a_batch_that_was_run_from_above_is_found_there_by_its_very_manifest(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place / "work")
    assert run(["run", "man/jobs.yaml", "--simulate"]) == 0
    monkeypatch.chdir(place / "work/man")
    assert run(["run", "jobs.yaml", "--simulate"]) == 2
    assert f"-o {place}/work/output;" in capsys.readouterr().err
    (place / "work/man/other.yaml").write_text(MANIFEST)  # the same name, and another manifest
    assert run(["plan", "other.yaml", "--simulate"]) == 0
    monkeypatch.chdir(place / "work")
    assert run(["run", "man/jobs.yaml", "--simulate"]) == 0  # where it is known, nothing is asked


def test_run_plan_and_status_say_which_journal_they_use(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place / "work/man")
    for words in (
        "plan jobs.yaml --simulate",
        "run jobs.yaml --simulate",
        "status",
        f"run jobs.yaml {KNOWN}",
    ):
        capsys.readouterr()
        assert run(words.split()) == 0
        assert "journal: output/journal.db" in capsys.readouterr().err.splitlines()[0]


def test_a_dotenv_file_is_read_in_the_current_folder_and_then_beside_the_manifest(tmp_path: Path) -> None:
    here, beside = tmp_path / "here", tmp_path / "beside"
    for folder in (here, beside):
        folder.mkdir()
    (beside / ".env").write_text(f"{KEY}=theirs\n{SECRET}=theirs\nSTYLE=old\nINK=blue\n")
    found = environment({}, here, beside)
    assert (found[KEY], found[SECRET], found["STYLE"]) == ("theirs", "theirs", "old")
    assert found.told == f"the credentials are those of {beside / '.env'}"

    (here / ".env").write_text("STYLE=new\n")  # of another program: it takes nothing away
    found = environment({}, here, beside)
    assert (found[KEY], found["STYLE"], found["INK"]) == ("theirs", "new", "blue")

    (here / ".env").write_text(f"{KEY}=ours\n")  # half a pair: the other half is no other file's
    found = environment({}, here, beside)
    assert (found[KEY], SECRET in found, found["INK"]) == ("ours", False, "blue")

    found = environment({KEY: "given", SECRET: "given"}, here, beside)
    assert (found[KEY], found.told) == ("given", "the credentials are those of the environment")
    assert ".env and " in environment({}, tmp_path, tmp_path / "none").told


def test_no_file_sends_the_credentials_of_another_place_to_an_address_of_its_own(tmp_path: Path) -> None:
    here, beside = tmp_path / "here", tmp_path / "beside"
    for folder in (here, beside):
        folder.mkdir()
    (beside / ".env").write_text(f"{ADDRESS}=https://elsewhere.example/v1\n{KEY}=theirs\n")
    with pytest.raises(InputError, match=r"beside/\.env says where the service is"):
        environment({KEY: "given", SECRET: "given"}, here, beside)
    (here / ".env").write_text(f"{KEY}=ours\n{SECRET}=ours\n")
    assert ADDRESS not in environment({}, here, beside)


def test_where_credentials_are_from_is_said_where_they_are_missing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (KEY, SECRET, "SCENARIO_API_KEY", "SCENARIO_API_SECRET", ADDRESS):
        monkeypatch.delenv(name, raising=False)
    assert run(["run", "work/man/jobs.yaml", "--yes"]) == 4
    err = capsys.readouterr().err
    assert f"looked for in the environment and {place}/.env and {place}/work/man/.env" in err
    (place / "work/man/.env").write_text(f"{KEY}=only half\n")
    assert run(["run", "work/man/jobs.yaml", "--yes"]) == 4
    err = capsys.readouterr().err
    assert f"the credentials are those of {place}/work/man/.env" in err
    assert "only half" not in err
