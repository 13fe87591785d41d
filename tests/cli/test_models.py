"""``models``, ``schema`` and the check against models, in this process; the service is the simulator."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from batchgen.cli.main import run
from batchgen.errors import InputError, NotFoundError, StoppedError, TransientError
from batchgen.manifest.reading import read_manifest
from batchgen.model import Model, Rate
from batchgen.simulator.front import serve
from batchgen.simulator.settings import Settings
from batchgen.usecases.manifest_check import check_manifest
from batchgen.usecases.model_search import Search, describe_models, find_models
from batchgen.usecases.models import check_models
from batchgen.wiring.clock import SystemClock
from batchgen.wiring.model_cache import FRESH, ModelCache
from batchgen.wiring.model_source import Catalogue
from batchgen.wiring.options import Options
from tests.manifest.declared_models import RECORDED, made
from tests.scenario.test_client import in_virtual_time

IMAGEN = "model_imagen4-ultra"
GOOD = f"version: 1\njobs: [{{prompt: x, model: {IMAGEN}, params: {{aspectRatio: '1:1'}}}}]\n"
BAD = GOOD.replace("1:1", "5:4")
KEYS = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, and no credentials."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "SCENARIO_SDK_API_KEY",
        "SCENARIO_SDK_API_SECRET",
        "SCENARIO_API_KEY",
        "SCENARIO_API_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def output(folder: Path) -> None:
    """A folder in which something was run already."""
    (folder / "output").mkdir()


def options(text: str = GOOD, *, environ: Mapping[str, str] | None = None, **says: Any) -> Options:
    path = Path("jobs.yaml")
    path.write_text(text)
    return Options(manifest=path, output=Path("output"), environ=environ or {}, **says)


@dataclass
class Shown:
    """A service that describes models and counts how often it is asked."""

    described: Mapping[str, Model] = field(default_factory=lambda: dict(RECORDED))
    asked: list[str] = field(default_factory=list)
    plan_name: str = ""
    breaks: bool = False

    async def plan(self) -> str:
        self.asked.append("plan")
        return self.plan_name

    async def models(self, *, public: bool) -> AsyncIterator[Model]:
        self.asked.append(f"public={public}")
        for one in self.described.values() if public else ():
            yield one
        if public and self.breaks:
            raise TransientError("gone")

    async def model(self, model_id: str) -> Model:
        self.asked.append(model_id)
        if model_id not in self.described:
            raise NotFoundError("not here")
        return self.described[model_id]


# --- the commands


def test_a_model_is_shown_with_its_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "model_patina-material", "--simulate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "model_patina-material  PATINA Material"
    assert "plan:    Pro or higher" in lines
    (seed,) = [line.split() for line in lines if line.startswith("seed")]
    assert seed[:3] == ["seed", "number", "0..2147483647"]
    (width,) = [line for line in lines if line.startswith("width *")]
    assert "512..2048; step 16" in width
    (prompt,) = [line.split() for line in lines if line.startswith("prompt")]
    assert prompt[:3] == ["prompt", "string", "always"]
    assert "* changes the price" in lines


def test_a_model_is_shown_to_scripts_as_the_service_declares_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", IMAGEN, "--simulate", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["id"], shown["plan_rank"], shown["public"]) == (IMAGEN, 0, True)
    assert [one["name"] for one in shown["inputs"]] == ["prompt", "aspectRatio"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["seedance"], ["model_bytedance-seedance-2-0"]),
        (["BYTEDANCE", "video"], ["model_bytedance-seedance-2-0"]),
        (["--capability", "txt2video"], ["model_bytedance-seedance-2-0"]),
        (["--type", "flux.1-lora"], []),
        (["--own"], []),
        (["pbr", "tiling", "--public"], ["model_patina-material"]),
    ],
)
def test_models_are_found_by_words(
    capsys: pytest.CaptureFixture[str], words: list[str], found: list[str]
) -> None:
    assert run(["models", *words, "--simulate", "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["models"]] == found


def test_a_search_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--simulate"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "name", "capabilities"]
    assert len(rows) == len(RECORDED)
    assert run(["models", "nothing", "like", "it", "--simulate"]) == 0
    assert capsys.readouterr().out == "No model fits.\n"


def test_an_unknown_model_and_missing_credentials_have_their_statuses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["models", "model_nowhere", "--simulate"]) == 2
    assert "model_nowhere" in capsys.readouterr().err
    assert run(["models"]) == 4
    assert "SCENARIO_SDK_API_KEY" in capsys.readouterr().err


def test_the_schema_goes_to_standard_output_or_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    bare = json.loads(capsys.readouterr().out)
    assert bare["properties"]["version"]["const"] == 1
    assert run(["schema", "--model", IMAGEN, "--simulate", "-o", "one.json"]) == 0
    assert capsys.readouterr().out == ""
    assert f"params of {IMAGEN}" in json.loads(Path("one.json").read_text())["definitions"]


def test_the_schema_of_results_is_printed_too_and_takes_no_models(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["schema", "results"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "batchgen results"
    assert run(["schema", "results", "-o", "results.schema.json"]) == 0
    assert json.loads(Path("results.schema.json").read_text())["title"] == "batchgen results"
    assert run(["schema", "manifest"]) == 0
    bare = capsys.readouterr().out
    assert run(["schema"]) == 0
    assert capsys.readouterr().out == bare
    for wrong in (["results", "--model", IMAGEN], ["result"]):
        assert run(["schema", *wrong]) == 2
        told = capsys.readouterr().err
        assert "results" in told
        assert "Traceback" not in told


def test_init_writes_the_schema_beside_the_manifest_and_overwrites_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["init"]) == 0
    assert Path("jobs.yaml").read_text().startswith("# yaml-language-server: $schema=batchgen.schema.json\n")
    assert json.loads(Path("batchgen.schema.json").read_text())["title"] == "batchgen manifest"
    Path("batchgen.schema.json").write_text("mine")
    assert (run(["init"]), run(["init", "other.yaml"])) == (2, 0)
    assert "was there and stays" in capsys.readouterr().err
    assert Path("batchgen.schema.json").read_text() == "mine"
    assert run(["init", "--force"]) == 0
    assert Path("batchgen.schema.json").read_text() != "mine"


# --- the service itself


async def test_models_are_searched_and_described_over_http() -> None:
    async with serve(Settings()) as running:
        settings, place = Settings(), {"SCENARIO_BASE_URL": running.base_url}
        keys = {"SCENARIO_SDK_API_KEY": settings.key, "SCENARIO_SDK_API_SECRET": settings.secret}
        asking = options(environ={**keys, **place}, rate=Rate(count=1000, seconds=1))
        found = await find_models(asking, Search(text="imagen"))
        assert [(one.id, one.inputs) for one in found] == [(IMAGEN, ())]
        (described,) = await describe_models(asking, [IMAGEN])
        assert described.inputs == RECORDED[IMAGEN].inputs
        wrong = options(environ={**keys, **place, "SCENARIO_SDK_API_SECRET": "wrong"})
        with pytest.raises(StoppedError):
            await check_manifest(wrong, read_manifest(wrong.manifest, environ={}), offline=False)


# --- the check


async def test_a_manifest_is_checked_against_its_models() -> None:
    good = options(simulate=True)
    checked = await check_manifest(good, read_manifest(good.manifest, environ={}), offline=False)
    assert (list(checked.models), checked.skipped) == ([IMAGEN], "")
    bad = options(BAD, simulate=True)
    with pytest.raises(InputError) as caught:
        await check_manifest(bad, read_manifest(bad.manifest, environ={}), offline=False)
    (problem,) = caught.value.problems
    assert (problem.source, problem.line) == ("jobs.yaml", 2)
    assert BAD.splitlines()[1][problem.column - 1 :].startswith("'5:4'")


async def test_models_that_cannot_be_used_are_named_beside_everything_else_that_is_wrong() -> None:
    text = BAD.replace("]\n", ", {prompt: y, model: model_nowhere}]\n")
    asking = options(text, simulate=True)
    with pytest.raises(InputError) as caught:
        await check_manifest(asking, read_manifest(asking.manifest, environ={}), offline=False)
    nowhere, shape = caught.value.problems
    assert text.splitlines()[1][nowhere.column - 1 :].startswith("model_nowhere")
    assert "model 'model_nowhere' (1 job) cannot be used" in nowhere.text
    assert "aspectRatio" in shape.text


# words that are the beginning or a piece of an id, or look like one
MEANT = {
    "model_imagen4": IMAGEN,
    "MODEL_IMAGEN4": IMAGEN,
    "imagen4-ultra": IMAGEN,
    "imagen": IMAGEN,
    "model_imagen4-ulrta": IMAGEN,
    "flux-1-dev": "model_bfl-flux-1-dev",
    "model_bfl-flux": "model_bfl-flux-1-dev",
    "seedance": "model_bytedance-seedance-2-0",
}


@pytest.mark.parametrize("breaks", [False, True])
async def test_a_model_that_is_not_there_is_named_with_the_one_that_is_meant(breaks: bool) -> None:
    jobs = ", ".join(f"{{prompt: x, model: {one}}}" for one in (*MEANT, "zzzz"))
    manifest = read_manifest(options(f"version: 1\njobs: [{jobs}]\n").manifest, environ={})
    shown = Shown(breaks=breaks)  # what a listing gave before it broke is enough for a guess
    with pytest.raises(InputError) as caught:
        await check_models(Catalogue(shown, shelf(), SystemClock()), manifest, list(range(len(MEANT) + 1)))
    *guessed, nothing = (one.text.partition("not here")[2] for one in caught.value.problems)
    assert guessed == [f"; did you mean {one}?" for one in MEANT.values()]
    assert nothing == ""
    assert [one for one in shown.asked if "public" in one] == ["public=False", "public=True"]
    with pytest.raises(InputError, match=f"did you mean {IMAGEN}"):
        await describe_models(options(simulate=True), ["imagen4"])


async def test_inputs_that_exclude_each_other_are_a_warning_where_they_stand() -> None:
    text = (
        "version: 1\ndefaults: {model: model_google-gemini-3-1-flash, params: {video: asset_1}}\njobs:\n"
        "  - {prompt: x, params: {referenceImages: [asset_2]}}\n  - {prompt: y}\n"
    )
    asking = options(text, simulate=True)
    checked = await check_manifest(asking, read_manifest(asking.manifest, environ={}), offline=False)
    (warning,) = checked.warnings
    assert (warning.line, warning.column) == (4, 43)
    assert warning.text.startswith("referenceImages of model_google-gemini-3-1-flash: given beside video; ")


@pytest.mark.parametrize(
    ("offline", "said"), [(True, "--offline"), (False, "no credentials: set SCENARIO_SDK_API_KEY and")]
)
async def test_what_was_left_out_is_said(offline: bool, said: str) -> None:
    bad = options(BAD)
    checked = await check_manifest(bad, read_manifest(bad.manifest, environ={}), offline=offline)
    assert said in checked.skipped
    assert "\n" not in checked.skipped


def test_a_service_that_does_not_answer_is_told_with_the_way_round_it() -> None:
    gone = options(environ={**KEYS, "SCENARIO_BASE_URL": "http://127.0.0.1:9"})
    manifest = read_manifest(gone.manifest, environ={})
    with pytest.raises(TransientError, match="--offline"):
        in_virtual_time(lambda: check_manifest(gone, manifest, offline=False))


@pytest.mark.parametrize("command", [["validate"], ["plan"], ["run"], ["run", "--dry-run"]])
def test_every_command_refuses_wrong_inputs_before_anything_is_bought(
    capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    Path("jobs.yaml").write_text(BAD)
    assert run([command[0], "jobs.yaml", *command[1:], "--simulate"]) == 2
    shown = capsys.readouterr()
    column = BAD.splitlines()[1].index("'5:4'") + 1
    assert shown.err.startswith(f"jobs.yaml:2:{column}: aspectRatio of {IMAGEN}")
    bought = Path("output/simulator.jsonl")
    assert not (bought.exists() and bought.read_text())


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_without_the_service_the_manifest_alone_is_checked_and_that_is_said(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    Path("jobs.yaml").write_text(BAD)
    for words, why in (([], "no credentials"), (["--offline"], "--offline")):
        assert run([command, "jobs.yaml", *words]) == 0
        (note,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
        assert "not checked" in note
        assert why in note


def test_what_is_wrong_with_inputs_is_json_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    Path("jobs.yaml").write_text(BAD)
    assert run(["validate", "jobs.yaml", "--simulate", "--json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["file"], problem["line"]) == ("jobs.yaml", 2)
    assert "did you mean" in problem["hint"]


@pytest.mark.parametrize(("plan", "allowed"), [("cu-basic", False), ("cu-pro-q3-25", True), ("", True)])
async def test_a_model_above_the_plan_is_named_where_that_is_known(plan: str, allowed: bool) -> None:
    patina = "model_patina-material"
    text = f"version: 1\njobs:\n  - {{prompt: x, model: {IMAGEN}}}\n  - {{prompt: y, model: {patina}}}\n"
    manifest = read_manifest(options(text).manifest, environ={})
    checking = check_models(Catalogue(Shown(plan_name=plan), shelf(), SystemClock()), manifest, [0, 1])
    if allowed:
        assert list((await checking).models) == [IMAGEN, patina]
        return
    with pytest.raises(InputError) as caught:
        await checking
    (problem,) = caught.value.problems
    assert (problem.line, problem.text.partition(", and")[0]) == (
        4,
        f"model '{patina}' (1 job) needs the plan Pro or higher",
    )


async def test_the_plan_is_not_asked_for_where_any_will_do() -> None:
    shown = Shown()
    await check_models(
        Catalogue(shown, shelf(), SystemClock()), read_manifest(options().manifest, environ={}), [0]
    )
    assert shown.asked == [IMAGEN]


# --- the shelf


def shelf(origin: str = "https://a") -> ModelCache:
    return ModelCache(Path("output"), origin=origin, project="")


def test_a_model_is_kept_for_an_hour_and_for_its_own_service_alone() -> None:
    Path("output").mkdir()
    model = RECORDED["model_patina-material"]
    shelf().put(model, now=1000.0)
    kept = shelf().get(model.id, now=1000.0 + FRESH - 1)
    assert kept == model
    assert kept is not None
    assert kept.raw == model.raw
    assert shelf().get(model.id, now=1000.0 + FRESH) is None
    assert shelf().get(model.id, now=999.0) is None  # from the future: the clock was set
    assert shelf("https://b").get(model.id, now=1000.0) is None


def test_to_look_makes_no_folder_and_what_cannot_be_read_is_not_there() -> None:
    shelf().put(RECORDED[IMAGEN], now=0.0)
    assert not Path("output").exists()
    Path("output").mkdir()
    shelf().put(RECORDED[IMAGEN], now=0.0)
    (kept,) = Path("output").rglob("*.json")
    kept.write_text('{"asked_at": 0.0, "model": ')
    assert shelf().get(IMAGEN, now=0.0) is None


@pytest.mark.parametrize("name", ["..", "a/../../b", "model\x00", "é" * 300])
def test_a_name_that_is_no_files_stays_on_the_shelf(name: str) -> None:
    Path("output").mkdir()
    model = Model(id=name, name="", inputs=(), raw={"id": "x"})
    shelf().put(model, now=0.0)
    assert [path.parent.parent.name for path in Path().rglob("*.json")] == ["models"]
    assert shelf().get(name, now=0.0) is None  # the record in it is of another name


@pytest.mark.usefixtures("output")
async def test_what_is_on_the_shelf_is_not_asked_for_again() -> None:
    first, second = Shown(), Shown()
    await Catalogue(first, shelf(), SystemClock()).describe(IMAGEN)
    catalogue = Catalogue(second, shelf(), SystemClock())
    assert (await catalogue.describe(IMAGEN)).inputs == RECORDED[IMAGEN].inputs
    assert (first.asked, second.asked, catalogue.from_shelf) == ([IMAGEN], [], {IMAGEN})
    await catalogue.ask(IMAGEN)
    assert (second.asked, catalogue.from_shelf) == ([IMAGEN], set())


@pytest.mark.usefixtures("output")
async def test_nobody_is_stopped_by_what_was_kept_and_is_behind() -> None:
    asking = options(simulate=True)
    manifest = read_manifest(asking.manifest, environ={})
    old = made(id=IMAGEN)  # knew no aspectRatio
    ModelCache(asking.output, origin="simulator", project="").put(old, now=SystemClock().now())
    checked = await check_manifest(asking, manifest, offline=False)
    assert checked.models[IMAGEN].inputs == RECORDED[IMAGEN].inputs
