"""Errors in the place of files, files that vanish, and files that are edited, as the command tells it."""

import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Service, Shell, simulator_process
from tests.cli.test_run import wait_until

Simulator = Callable[..., Service]

WAITING = "waiting for 3 files: the file server answered 503; for 5 min at most"
QUICK = ("--speed", "40", "--duration", "2-4")
MANIFEST = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}
jobs:
  - prompt: [a tower, a mill, a well]
"""


def files_of(shell: Shell) -> dict[str, bytes]:
    assets = shell.folder / "output" / "spring" / "assets"
    return {one.name: one.read_bytes() for one in assets.iterdir()} if assets.is_dir() else {}


@pytest.fixture
def done(shell: Shell, simulator: Simulator) -> tuple[Shell, Service]:
    """Three jobs, collected."""
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    at = shell.at(service)
    assert at.call("run", "jobs.yaml", "--rate", "50/s", "--yes").status == 0
    return at, service


def test_half_a_file_is_fetched_again_and_never_kept(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--fault", "download:half=30%", "--fault", "download:zeros=10%")
    shell.write("jobs.yaml", MANIFEST)
    for _ in range(4):  # whatever did not arrive after some tries, another run fetches
        run = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--yes")
        assert run.status in {0, 8}, run.err
        if run.status == 0:
            break
    assert len(files_of(shell)) == 3
    assert all(data[:4] in {b"\x89PNG", b"RIFF", b"\xff\xd8\xff\xe0"} for data in files_of(shell).values())
    assert len(service.charged) == 3


def test_what_never_arrives_whole_is_no_success(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--fault", "download:error-page=100%")
    shell.write("jobs.yaml", MANIFEST)
    run = shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--yes")
    assert run.status == 8, run.err
    assert "an error in XML came instead of the file" in run.err
    assert "3 jobs with missing files; run the same command to fetch them" in run.err
    assert files_of(shell) == {}


def test_a_file_server_that_answers_nothing_is_waited_for_until_a_person_ends_it(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK, "--fault", "download:503=100%")
    shell.write("jobs.yaml", MANIFEST)
    with shell.at(service).start("run", "jobs.yaml", "--rate", "50/s", "--yes") as run:
        wait_until(lambda: WAITING in run.err or run.poll() is not None, seconds=60)
        assert WAITING in run.err
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 8, err
    assert "3 jobs with missing files; run the same command to fetch them" in err
    errors = {job["error"]["message"] for job in shell.results()["jobs"]}
    assert all(one.startswith("files are missing: ") and one.endswith("answered 503") for one in errors)


def test_a_folder_of_files_that_vanished_is_fetched_again(done: tuple[Shell, Service]) -> None:
    shell, service = done
    before = files_of(shell)
    shutil.rmtree(shell.folder / "output" / "spring" / "assets")
    assert "3 files missing on the disk" in shell.call("status").out
    assert [one["files_missing"] for one in shell.call("status", "--json").json] == [3]
    assert "3 files missing" in shell.call("plan", "jobs.yaml").out
    run = shell.call("run", "jobs.yaml", "--rate", "50/s", "--yes")
    assert run.status == 0, run.err
    assert "spring: 3 files gone from the disk or damaged, to be fetched again" in run.err
    assert files_of(shell) == before
    assert len(service.charged) == 3
    assert "nothing to do" in shell.call("run", "jobs.yaml", "--yes").err


def test_what_took_the_place_of_a_file_is_never_overwritten(done: tuple[Shell, Service]) -> None:
    shell, service = done
    assets = shell.folder / "output" / "spring" / "assets"
    folder, cut, edited = sorted(assets.iterdir())
    whole = {one.name: one.read_bytes() for one in (folder, cut, edited)}
    folder.unlink()
    folder.mkdir()
    cut.write_bytes(whole[cut.name][:100])
    Image.new("RGB", (9, 9)).save(edited)
    mine = edited.read_bytes()
    run = shell.call("run", "jobs.yaml", "--rate", "50/s", "--yes")
    assert run.status == 8, run.err
    assert "2 files gone from the disk or damaged" in run.err
    for one in (folder, cut):
        assert f"assets/{one.name} is no file of this batch and is left alone" in run.err
    assert f"1 file changed since then and left alone: assets/{edited.name}" in run.err
    assert folder.is_dir()
    assert cut.read_bytes() == whole[cut.name][:100]
    assert edited.read_bytes() == mine
    listed = {file["path"] for job in shell.results()["jobs"] for file in job["files"]}
    beside = {Path(one).name for one in listed}
    assert len(beside) == 3
    assert all((assets / one).is_file() for one in beside)
    assert not beside & {folder.name, cut.name}
    assert shell.call("run", "jobs.yaml", "--yes").status == 8, "as long as that is so"
    assert len(service.charged) == 3


def test_audit_moves_what_is_in_the_way_to_earlier(done: tuple[Shell, Service]) -> None:
    shell, service = done
    assets = shell.folder / "output" / "spring" / "assets"
    whole = {one.name: one.read_bytes() for one in assets.iterdir()}
    cut, edited, _ = sorted(assets.iterdir())
    cut.write_bytes(whole[cut.name][:100])
    Image.new("RGB", (9, 9)).save(edited)
    mine = edited.read_bytes()
    assert shell.call("run", "jobs.yaml", "--rate", "50/s", "--yes").status == 8
    found = shell.call("audit", "jobs.yaml", "--json")
    assert (found.status, [one["holder"] for one in found.json["blocked"]]) == (8, [f"assets/{cut.name}"])
    fixed = shell.call("audit", "jobs.yaml", "--fix")
    assert fixed.status == 0, fixed.out
    assert {one.name: one.read_bytes() for one in assets.iterdir()} == whole
    kept = {one.read_bytes() for one in (assets.parent / "earlier").iterdir()}
    assert kept == {whole[cut.name][:100], mine}
    assert shell.call("run", "jobs.yaml", "--yes").status == 0
    assert len(service.charged) == 3


def test_what_is_gone_at_the_service_too_is_said_and_asked_for_no_more(shell: Shell, tmp_path: Path) -> None:
    shell.write("jobs.yaml", MANIFEST)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = ("--port", str(free.getsockname()[1]))
    with simulator_process(tmp_path / "first.jsonl", (*QUICK, *port)) as service:
        assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s", "--yes").status == 0
    name = min(files_of(shell))
    (shell.folder / "output" / "spring" / "assets" / name).unlink()
    with simulator_process(tmp_path / "second.jsonl", (*QUICK, *port)) as service:  # it knows nothing
        at = shell.at(service)
        run = at.call("run", "jobs.yaml", "--rate", "50/s", "--yes")
        assert run.status == 3, run.err
        assert "1 job with files that are lost: not on the disk, and no longer at the service" in run.err
        again = at.call("run", "jobs.yaml", "--yes")
        assert again.status == 3
        assert "nothing to do" in again.err
        audit = at.call("audit", "jobs.yaml", "--offline")
        assert audit.status == 3, audit.out
        assert "1 file lost" in audit.out
        assert service.charged == []
    [lost] = [job for job in shell.results()["jobs"] if job["error"] is not None]
    assert (lost["status"], lost["files"]) == ("succeeded", [])
    assert lost["error"]["message"].startswith("not on the disk, and no longer at the service: asset_")
    assert len(files_of(shell)) == 2


def test_an_edit_moves_the_old_file_to_earlier_and_undone_they_change_places(
    done: tuple[Shell, Service],
) -> None:
    shell, service = done
    before = files_of(shell)
    edited = "[a mill, a well]\n  - {id: a-tower, prompt: a high tower}"
    shell.write("jobs.yaml", MANIFEST.replace("[a tower, a mill, a well]", edited))
    run = shell.call("run", "jobs.yaml", "--rate", "50/s", "--yes")
    assert run.status == 0, run.err
    assert "1 file renamed, 1 file moved to earlier/" in run.err
    after = files_of(shell)
    changed = next(name for name in before if name.startswith("a-tower_"))
    assert {name: data for name, data in after.items() if name != changed} == {
        name: data for name, data in before.items() if name != changed
    }
    assert after[changed] != before[changed]
    earlier = shell.folder / "output" / "spring" / "earlier"
    [old] = earlier.iterdir()
    assert old.read_bytes() == before[changed]
    [removed] = shell.results()["removed"]
    assert removed["files"][0]["path"] == f"earlier/{old.name}"

    shell.write("jobs.yaml", MANIFEST)
    plan = shell.call("plan", "jobs.yaml", "--offline")
    assert "Files: the next run renames 1 file and moves 1 file to earlier/" in plan.out
    assert shell.call("plan", "jobs.yaml", "--offline", "--json").json["files"] == {
        "renamed": 1,
        "to_earlier": 1,
    }
    assert shell.call("run", "jobs.yaml", "--yes").status == 0
    assert files_of(shell) == before
    assert [one.read_bytes() for one in earlier.iterdir()] == [after[changed]]
    assert "Files:" not in shell.call("plan", "jobs.yaml", "--offline").out
    assert len(service.charged) == 4
