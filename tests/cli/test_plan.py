"""What a plan says: where each entry stands, what it costs, what changed; no command is started for it."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batchgen.cli.main import run
from batchgen.lifecycle import Accepted, Collected, SubmitStarted, Succeeded
from batchgen.model import Job, JobKey, Rate, Scope
from batchgen.planning.plan import make_plan
from batchgen.scenario.account import Account
from batchgen.simulator.exchange import Call
from batchgen.simulator.front import serve
from batchgen.simulator.settings import Limits, Settings
from batchgen.usecases.plan import look_ahead
from batchgen.wiring.opening import look_at
from batchgen.wiring.options import SIMULATOR, Options
from tests.support.opened import OpenedFile as JournalFile

MANIFEST = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev}
jobs:
  - {id: tower, prompt: "a {material} tower", matrix: {material: [oak, brass]}}
  - {id: mill, prompt: a mill, params: {numInferenceSteps: 14}}
  - {id: keep, prompt: a keep, model: model_imagen4-ultra}
"""


class Desk:
    """A folder with a manifest, in which plans are made against the simulated service."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.manifest = folder / "jobs.yaml"
        self.manifest.write_text(MANIFEST)
        self.output = folder / "output"
        self._capsys = capsys

    def plan(self, *words: str, offline: bool = False) -> tuple[int, str]:
        how = "--offline" if offline else "--simulate"
        status = run(["plan", str(self.manifest), "-o", str(self.output), how, *words])
        return status, self._capsys.readouterr().out

    def json(self, *words: str) -> Any:
        return json.loads(self.plan("--json", *words)[1])

    def write(self, before: str, after: str) -> None:
        text = self.manifest.read_text()
        assert before in text
        self.manifest.write_text(text.replace(before, after))

    def options(self, **environ: str) -> Options:
        return Options(
            manifest=self.manifest, output=self.output, environ=environ, rate=Rate(count=1e4, seconds=1)
        )

    def buy(self) -> None:
        """Put every job of the manifest on record as done, for 8 units each."""
        with look_at(
            Options(manifest=self.manifest, output=self.output, environ={}, simulate=True)
        ) as opened:
            jobs = list(opened.batch.manifest.jobs)
        scope = Scope(origin=SIMULATOR, project="", batch="spring")
        with JournalFile.open(self.output / "journal.db") as file:
            journal = file.batch(scope)
            for number, entry in enumerate(make_plan(jobs, {}).entries):
                self._done(journal.append, entry.key, entry.job, number)

    def _done(self, append: Callable[..., object], key: JobKey, job: Job, number: int) -> None:
        append(key, SubmitStarted(at=1.0, job=job, attempt=1, body="{}"))
        append(key, Accepted(at=2.0, remote_id=f"job_{number}", charged=Decimal(8)))
        append(key, Succeeded(at=3.0, asset_ids=(f"asset_{number}",)))
        append(key, Collected(at=4.0, files=()))


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_every_entry_and_every_kind_of_job_has_its_price_and_nothing_is_made(desk: Desk) -> None:
    status, out = desk.plan()
    lines = out.splitlines()
    assert status == 0
    assert "  tower: 2 materials = 2 jobs: 2 new; 8 CU" in lines
    assert "     2        4   8  model_bfl-flux-1-dev numOutputs=1, numInferenceSteps=28" in lines
    assert "     1        8   8  model_imagen4-ultra" in lines
    assert "  in all 18 CU" in lines
    assert "  note: 1 job has no seed: if a reply is lost, identical jobs cannot be told apart" in lines
    assert not desk.output.exists()


def test_json_has_the_same(desk: Desk) -> None:
    shown = desk.json()
    cost = shown["cost"]
    assert (cost["low"], cost["high"], cost["unpriced"], cost["questions"]) == (18, 18, 0, 3)
    assert [(one["jobs"], one["each"]["high"], one["quoted"]) for one in cost["classes"]] == [
        (2, 4, True),
        (1, 2, True),
        (1, 8, True),
    ]
    assert [one["counts"] for one in shown["entries"]] == [{"new": 2}, {"new": 1}, {"new": 1}]
    assert (shown["not_recognisable"], shown["balance"], shown["changed"]) == (1, None, [])


def test_what_is_not_known_is_said_and_never_nothing(desk: Desk) -> None:
    _, out = desk.plan(offline=True)
    assert "  in all 4 jobs whose price is unknown" in out.splitlines()
    shown = json.loads(desk.plan("--json", offline=True)[1])["cost"]
    assert (shown["unpriced"], {one["each"] for one in shown["classes"]}) == (4, {None})


def test_a_check_tells_whether_there_is_something_to_do(desk: Desk) -> None:
    assert desk.plan("--check")[0] == 8
    desk.buy()
    assert desk.plan("--check")[0] == 0
    desk.write("a mill", "a windmill")
    assert (desk.plan("--check")[0], desk.plan()[0]) == (8, 0)


def test_a_changed_job_says_what_from_what_and_for_how_much(desk: Desk) -> None:
    desk.buy()
    desk.write("14}", "28}")
    _, out = desk.plan()
    assert (
        "  ~ mill: numInferenceSteps: 14 -> 28; costs 4 CU (8 CU were charged before the change)"
        in out.splitlines()
    )
    [changed] = desk.json()["changed"]
    assert changed == {
        "id": "mill",
        "inputs": {"numInferenceSteps": {"before": 14, "after": 28}},
        "cost": 4,
        "charged_before": 8,
    }


def test_a_price_is_kept_in_a_journal_that_is_there(desk: Desk) -> None:
    desk.buy()
    desk.write("14}", "28}")
    assert [desk.json()["cost"]["questions"] for _ in range(2)] == [1, 0]
    assert desk.json("--requote")["cost"]["questions"] == 1


def test_long_lists_are_cut(desk: Desk) -> None:
    entries = "".join(
        f"  - {{prompt: house {n}, params: {{numInferenceSteps: {n + 1}}}}}\n" for n in range(30)
    )
    desk.manifest.write_text(f"version: 1\ndefaults: {{model: model_bfl-flux-1-dev}}\njobs:\n{entries}")
    _, out = desk.plan()
    assert "  and 24 more entries (--all shows each)" in out.splitlines()
    assert "  and 24 more kinds (--all shows each)" in out.splitlines()
    assert len(out.splitlines()) < 40
    _, out = desk.plan("--all")
    assert "more" not in out
    assert "  + new: house-29" in out.splitlines()


async def test_a_plan_against_the_service_names_balance_ceiling_and_time_and_buys_nothing(desk: Desk) -> None:
    limits = Limits(ceiling=2, credits=Decimal(1000))
    settings = Settings(latency=(0, 0), duration=(10, 10), limits=limits)
    async with serve(settings) as running:
        options = desk.options(
            SCENARIO_BASE_URL=running.base_url,
            SCENARIO_SDK_API_KEY=settings.key,
            SCENARIO_SDK_API_SECRET=settings.secret,
        )
        with look_at(options) as opened:
            outlook = await look_ahead(opened, offline=False)
    assert outlook.account == Account(ceiling=2, left=Decimal(1000))
    assert (outlook.forecast.at_once, outlook.forecast.seconds) == (2, 20.0)
    assert (outlook.quoted.total_high, outlook.quoted.asked) == (Decimal(18), 3)
    assert (running.service.counts[Call.QUOTE], len(running.service.submissions)) == (3, 0)
