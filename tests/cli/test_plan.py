"""What a plan says: where each entry stands, what it costs, what changed; no command is started for it."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from batchgen.cli.main import run
from batchgen.cli.plan_money import total_of
from batchgen.lifecycle import Accepted, Collected, SubmitStarted, Succeeded
from batchgen.model import Job, JobKey, Rate, Scope
from batchgen.planning.make_plan import make_plan
from batchgen.planning.pricing import Price
from batchgen.scenario.account import Account
from batchgen.simulator.exchange import Call
from batchgen.simulator.front import serve
from batchgen.simulator.settings import Limits, Settings
from batchgen.usecases.plan import look_ahead
from batchgen.usecases.quotes import Estimated
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


ABOUT = "about 60 CU for {} jobs whose input does not exist yet"


@pytest.mark.parametrize(
    ("exact", "about", "jobs", "unpriced", "told"),
    [
        (120, 60, 30, 0, "120 CU, and about 60 CU for 30 jobs whose input does not exist yet"),
        (0, 60, 1, 0, "about 60 CU for 1 job whose input does not exist yet"),
        (
            4,
            60,
            1000,
            2,
            f"4 CU, and {ABOUT.format('1,000')}, and 2 jobs whose price is unknown",
        ),
        (0, 0, 3, 0, "about 0 CU for 3 jobs whose input does not exist yet"),
        (4, 0, 0, 1, "4 CU and 1 job whose price is unknown"),
        (0, 0, 0, 0, ""),
    ],
)
def test_estimates_are_said_apart_from_what_is_known(
    exact: int, about: int, jobs: int, unpriced: int, told: str
) -> None:
    part = Estimated(jobs=jobs, price=Price(low=Decimal(about), high=Decimal(about)))
    whole = Price(low=Decimal(exact + about), high=Decimal(exact + about))
    assert total_of(whole, unpriced, part) == told


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


LONG = "a very long prompt about {place}, with soft light, many details, a wide sky, some birds, in the style"
ROWS = f"""\
version: 1
batch: spring
defaults: {{model: model_bfl-flux-1-dev, params: {{width: 512}}}}
jobs:
  - id: "row-{{n}}"
    prompt: "{LONG} of {{n}}"
    matrix: {{place: [harbour], n: {list(range(60))}}}
"""


def changes(out: str) -> list[str]:
    lines = out.partition("Changes:\n")[2].splitlines()
    return [one for one in lines if one.startswith(("  ~", "  +", "  -", "  >"))]


@pytest.mark.parametrize(
    ("edit", "shown"),
    [
        (('of {n}"', 'of {n} drawing"'), "  ~ 60 jobs: prompt + 'drawing'"),
        (("soft light, ", ""), "  ~ 60 jobs: prompt - 'soft light,'"),
        (("soft light", "hard light"), "  ~ 60 jobs: prompt: [-soft-]{+hard+}"),
        (("width: 512", "width: 768"), "  ~ 60 jobs: width: 512 -> 768"),
        (("width: 512", "width: 512, height: 640"), "  ~ 60 jobs: + height: 640"),
        ((", params: {width: 512}", ""), "  ~ 60 jobs: - width: 512"),
        (
            ("bfl-flux-1-dev, params: {width: 512}", "imagen4-ultra"),
            "  ~ 60 jobs: model: model_bfl-flux-1-dev -> model_imagen4-ultra; - width: 512",
        ),
        (
            ("bfl-flux-1-dev, params: {width: 512}", "bfl-flux-1-dev, params: {width: 768, seed: 5}"),
            "  ~ 60 jobs: width: 512 -> 768; + seed: 5",
        ),
    ],
)
def test_jobs_that_are_changed_alike_are_one_line_that_says_how(
    desk: Desk, edit: tuple[str, str], shown: str
) -> None:
    desk.manifest.write_text(ROWS)
    desk.buy()
    desk.write(*edit)
    _, out = desk.plan()
    assert changes(out) == [shown]
    assert ", ...; costs " in out
    assert "(480 CU were charged before the change)" in out
    assert out.splitlines()[-1].startswith("Plan: 60 to buy, 60 changed, ")
    assert len(out.splitlines()) < 40
    assert sum(line.startswith("  ~ row-") for line in desk.plan("--all")[1].splitlines()) == 60


# a text that differs is never shown as two that are equal: wherever it differs, and in whatever letters
@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("end", "end, drawing", "{+, drawing+}"),
        ("the end", "the  end", "{+2 spaces+}"),
        ("the end", "the\u00a0end", "\\u00a0"),
        ("end", "end\u200b", "\\u200b"),
        ("市場の絵", "市場の画", "[-絵-]{+画+}"),
        ("x" * 300 + "1", "x" * 300 + "2", "[-1-]{+2+}"),
        ("word " * 60 + "1 " + "word " * 60, "word " * 60 + "2 " + "word " * 60, "[-1-]{+2+}"),
    ],
)
def test_the_words_that_differ_are_shown_with_what_stands_around_them(
    desk: Desk, before: str, after: str, shown: str
) -> None:
    desk.manifest.write_text(
        "version: 1\nbatch: spring\ndefaults: {model: model_bfl-flux-1-dev}\n"
        f'jobs:\n  - {{id: one, prompt: "{LONG.replace("{place}", "it")} {before}"}}\n'
    )
    desk.buy()
    desk.write(f' {before}"', f' {after}"')
    _, out = desk.plan()
    [line] = changes(out)
    assert shown in line
    assert line.startswith("  ~ one: prompt: ...")
    assert cell_len(line) <= 100


def test_colours_stand_for_the_signs_where_they_are_wanted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.buy()
    desk.write("a mill", "a windmill")
    monkeypatch.setenv("TERM", "xterm")
    for environ, coloured in (
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False),
    ):
        with monkeypatch.context() as patched:
            for name, value in environ.items():
                patched.setenv(name, value)
            _, out = desk.plan()
        assert ("\x1b[31mmill\x1b[0m" in out) is coloured
        assert ("[-mill-]{+windmill+}" in out) is not coloured


def test_what_is_new_gone_renamed_and_edited_under_another_id_is_told_apart(desk: Desk) -> None:
    desk.buy()
    desk.write("  - {id: mill, prompt: a mill,", "  - {id: windmill, prompt: a mill,")
    desk.write("id: keep, prompt: a keep, model: model_imagen4-ultra", "id: fresh, prompt: very new things")
    desk.write('id: tower, prompt: "a {material} tower"', 'prompt: "a {material} tower, drawing"')
    _, out = desk.plan()
    assert changes(out) == [
        "  ~ 2 jobs: prompt + ', drawing'",
        "  + 1 new: fresh",
        "  - 1 removed: keep",
        "  > 1 renamed, and the same in all else: mill => windmill",
    ]
    assert out.splitlines()[-1] == "Plan: 3 to buy, 2 changed, 1 removed, 1 done, 12 CU."
    shown = desk.json()["changes"]
    assert [(one["jobs"], one["differences"][0]["words"]) for one in shown["groups"]] == [
        ([one["after"] for one in shown["moved"]], [{"gone": "", "new": ", drawing"}])
    ]
    assert shown["renamed"] == [{"before": "mill", "after": "windmill"}]


# a plan holds its quote against every cap, and says of each what fits and which line lets the rest through
@pytest.mark.parametrize(
    ("key", "cap", "words", "shown"),
    [
        ("total", "56.5", [], ["32 of 56.5 CU used", "4 of 5 jobs fit", "a budget of 62 CU buys them all"]),
        ("total", "50", ["--budget", "44.5"], ["32 of 44.5 CU used", "2 of 5 jobs fit", "(`--budget 62`)"]),
        ("total", "0", [], ["32 of 0 CU used", "0 of 5 jobs fit"]),
        ("total", "70", [], ["all 5 jobs fit", "would bring this batch (total) to 62 of 70 CU (88 %)"]),
        ("per_day", "12", [], ["0 of 12 CU used, until ", "2 of 5 jobs fit", "`budget: {per_day: 30}`"]),
        ("per_month", "12", [], ["this month (per_month)", "2 of 5 jobs fit", "`budget: {per_month: 30}`"]),
        ("per_job", "2", [], ["5 jobs above it", "`budget: {per_job: 6}`"]),
    ],
)
def test_the_quote_is_held_against_every_cap(
    desk: Desk, key: str, cap: str, words: list[str], shown: list[str]
) -> None:
    desk.buy()
    jobs = "  - {prompt: 'a {n}', params: {numInferenceSteps: 42}, matrix: {n: [1, 2, 3, 4, 5]}}\n"
    desk.write("batch: spring\n", f"batch: spring\nbudget: {{{key}: {cap}}}\n")
    desk.manifest.write_text(desk.manifest.read_text() + jobs)
    _, out = desk.plan(*words)
    for text in shown:
        assert text in out
    found = desk.json(*words)
    assert [one["key"] for one in found["caps"]] == [key] * (key != "per_job")
    assert (found["fits"]["of"], (found["fits"]["write"] or "") in out) == (5, True)


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
