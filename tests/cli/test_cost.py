import base64
import csv
import json
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from batchgen.cli.main import run
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Accepted, AnswerLost, Failed, SubmitStarted, replay
from batchgen.model import Job, JobKey, Refund, Scope
from batchgen.reconcile.billing import Shown
from batchgen.usecases.refunds import record_refunds
from batchgen.wiring.options import Options
from tests.cli.conftest import Service, Shell

NOON = 1_777_636_800.0  # 2026-05-01, 12:00 UTC
COST = Decimal("7.25")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two batches: a failure that is refunded, one that runs, one in doubt; and a rehearsal."""
    with JournalFile.open(tmp_path / "journal.db") as file:
        for origin, batch, slot in (
            ("https://a.example/v1", "spring", ""),
            ("https://a.example/v1", "night", "2026-05-02"),
            ("simulator", "spring", ""),
        ):
            journal = file.batch(Scope(origin=origin, project="", batch=batch, slot=slot))
            for number, name in enumerate(("tower", "mill", "gate")):
                job = Job(id=name, prompt=name, model=f"model_{'ab'[number % 2]}")
                key, at = JobKey(f"v1:{name}"), NOON + (86_400 if slot else 0)
                reserved = Decimal("0.1")
                journal.append(
                    key,
                    SubmitStarted(at=at, job=job, attempt=1, body="{}", quoted=Decimal(7), reserved=reserved),
                )
                if name == "gate":
                    journal.append(key, AnswerLost(at=at, reason="cut"))
                    continue
                journal.append(key, Accepted(at=at, remote_id=f"job_{batch}_{name}", charged=COST))
                if name == "tower":
                    journal.append(key, Failed(at=at + 9, charged=COST, refund=Refund.ASSUMED))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["cost", *words]) == 0
    return capsys.readouterr().out


def test_a_table_for_people_keeps_rehearsals_apart(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [one.split() for one in said(capsys, "-o", str(output)).splitlines()]
    assert [one[0] for one in lines if one[-1] == "units:"] == ["https://a.example/v1,", "simulator,"]
    assert ["total", "4", "42", "29", "14.5", "14.5", "0.2"] in lines
    assert ["night", "2026-05-02", "2", "21", "14.5", "7.25", "7.25", "0.1"] in lines


@pytest.mark.parametrize(
    ("by", "charged"),
    [("model", {"model_a": 14.5, "model_b": 14.5}), ("day", {"2026-05-01": 14.5, "2026-05-02": 14.5})],
)
def test_json_tells_the_same_by_model_and_by_day(
    output: Path, capsys: pytest.CaptureFixture[str], by: str, charged: dict[str, float]
) -> None:
    told = json.loads(said(capsys, "-o", str(output), "--by", by, "--json"))
    real = [one for one in told["rows"] if one["origin"] != "simulator"]
    assert {one[by]: one["charged"] for one in real} == charged
    assert [(one["charged"], one["refunded_assumed"], one["net"]) for one in told["totals"]] == [
        (29, 14.5, 14.5),
        (14.5, 7.25, 7.25),
    ]


def test_a_csv_of_one_batch_since_a_day(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "night", "-o", str(output), "--csv", "--since", "2026-05-02")
    (row,) = csv.DictReader(text.splitlines())
    assert (row["batch"], row["slot"], row["charged"], row["net"]) == ("night", "2026-05-02", "14.5", "7.25")
    assert "night" not in said(capsys, "night", "-o", str(output), "--since", "2026-05-03")


def test_the_status_tells_what_is_reserved_and_what_is_left_of_the_charge(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "spring", "-o", str(output), "--json"]) == 0
    real, _ = json.loads(capsys.readouterr().out)
    money = {name: real[name] for name in ("quoted", "reserved", "charged", "refunded", "net")}
    assert money == {"quoted": 21, "reserved": 0.1, "charged": 14.5, "refunded": 7.25, "net": 7.25}
    run(["status", "spring", "-o", str(output)])
    expected = "14.5 compute units charged, 21 quoted, 0.1 reserved, 7.25 refunded (assumed), 7.25 net"
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["winter"], ["--tz", "Mars/Olympus"], ["--csv", "--json"], ["--reconcile", "--by", "day"]]
)
def test_what_makes_no_sense_is_refused(
    output: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCENARIO_BASE_URL", "https://nobody.example/v1")  # the environment, not our code
    assert run(["cost", "-o", str(output), *words]) == 2
    told = capsys.readouterr().err
    if words[0] == "--reconcile":
        assert "Set SCENARIO_BASE_URL" in told
    if words[0] == "winter":
        assert "there are: night, spring. Name one of them" in told


def test_what_another_hand_bought_with_the_key_comes_to_light(
    shell: Shell, simulator: Callable[..., Service]
) -> None:
    service = simulator("--speed", "40", "--duration", "1-2", "--failures", "50%", "--seed", "5")
    prompts = "".join(f"  - prompt: a house, number {number}\n" for number in range(6))
    shell.write(
        "jobs.yaml", f"version: 1\nbatch: spring\ndefaults: {{model: model_bfl-flux-1-dev}}\njobs:\n{prompts}"
    )
    assert shell.at(service).call("run", "jobs.yaml", "--rate", "50/s").status == 3
    request = urllib.request.Request(
        f"{service.base_url}/generate/custom/model_bfl-flux-1-dev",
        data=b'{"prompt": "a mill"}',
        headers={"authorization": "Basic " + base64.b64encode(b"key:secret").decode()},
    )
    with urllib.request.urlopen(request) as answer:
        bought = json.load(answer)["job"]["jobId"]
    done = shell.at(service).call("cost", "--reconcile", "--json")
    found, (sums,) = done.json["reconciled"], done.json["totals"]
    assert (done.status, [one["remote_id"] for one in found["unknown"]]) == (7, [bought])
    assert (found["missing"], found["differing"]) == ([], [])
    assert found["refunds"]["confirmed"]
    assert found["recorded"] == len(found["refunds"]["confirmed"])
    assert (sums["refunded_assumed"], sums["refunded_confirmed"] > 0) == (0, True)
    again = shell.at(service).call("cost", "--reconcile", "--json").json
    assert (again["reconciled"]["recorded"], again["totals"]) == (0, [sums])


def test_refunds_are_recorded_once_for_their_own_jobs_and_not_beside_a_run(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = {
        name: Shown(remote_id=name, charged=COST, refunded=COST, refunds=True)
        for name in ("job_spring_tower", "job_spring_mill", "job_of_another")
    }
    options = Options(manifest=Path(), output=output, environ={})
    scopes = [Scope(origin="https://a.example/v1", project="", batch="spring")]
    with options.journal.hold("spring", stamp=NOON):
        told = record_refunds(options, scopes, shown, at=NOON)
    assert (told.count, len(told.left)) == (0, 1)
    told = record_refunds(options, scopes, shown, at=NOON)
    assert (told.count, told.units, told.left) == (1, COST, ()), "the mill still runs"
    before = (output / "journal.db").read_bytes()
    assert record_refunds(options, scopes, shown, at=NOON).count == 0
    assert (output / "journal.db").read_bytes() == before
    assert run(["status", "spring", "-o", str(output), "--json"]) == 0
    real, rehearsal = json.loads(capsys.readouterr().out)
    assert real["refunds"] == {"assumed": 0, "confirmed": 7.25}
    assert rehearsal["refunds"] == {"assumed": 7.25, "confirmed": 0}
    with JournalFile.open_to_read(output / "journal.db") as file:
        journal = file.batch(scopes[0])
        assert replay(journal.history()) == journal.records()
