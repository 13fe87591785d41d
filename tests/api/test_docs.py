"""The examples of docs/python.md are run as they stand, and checked by a strict type checker."""

import ast
import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
EXAMPLES = {
    title.strip(): code
    for title, code in re.findall(
        r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE
    )
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def played(title: str) -> dict[str, Any]:
    """Execute an example and return its names; one with ``await`` at its top as a notebook does."""
    code = compile(EXAMPLES[title], title, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {"__name__": "example"}
    awaited = eval(code, names)
    if inspect.iscoroutine(awaited):
        asyncio.run(awaited)
    return names


def test_the_page_has_an_example_for_each_place_where_people_run_it() -> None:
    assert list(EXAMPLES) == [
        "A script",
        "A notebook",
        "A web service",
        "An Airflow task",
        "A nightly job",
        "In tests of your own",
    ]


def test_the_script_prints_prices_and_files(capsys: pytest.CaptureFixture[str]) -> None:
    played("A script")
    first, *files = capsys.readouterr().out.splitlines()
    assert first.startswith("2 jobs for 8")
    assert [Path(line.split(" ", 2)[2]).exists() for line in files] == [True, True]


def test_the_cell_of_a_notebook_awaits() -> None:
    assert played("A notebook")["results"].ok


async def test_the_web_service_streams_the_events_of_a_batch() -> None:
    import httpx  # noqa: PLC0415 - for this test alone: every worker would pay for it

    transport = httpx.ASGITransport(app=played("A web service")["app"])
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.post("/batches/houses", json=["a mill", "a tower"])
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert (lines[0]["event"], lines[-1]["event"], lines[-1]["exit"]) == ("run_started", "summary", 0)
    assert [one["event"] for one in lines].count("collected") == 2


def test_the_airflow_task_returns_the_files_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Airflow itself is too large for this: its decorator is stood in for by one that gives the function back
    sdk = ModuleType("airflow.sdk")
    sdk.task = lambda **_: lambda function: function  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow", ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    (tmp_path / "jobs.yaml").write_text(
        "version: 1\ndefaults: {model: model_bfl-flux-1-dev}\njobs: [{prompt: a mill}]\n"
    )
    generate = played("An Airflow task")["generate"]
    first = generate("jobs.yaml", str(tmp_path / "out"))
    assert [Path(one).exists() for one in first] == [True]
    assert generate("jobs.yaml", str(tmp_path / "out")) == first


def test_the_nightly_job_buys_once_a_day() -> None:
    main = played("A nightly job")["main"]
    assert (main(), main()) == (0, 0)
    assert len(Path("output/simulator.jsonl").read_text().splitlines()) >= 1
    [batch] = {path.name for path in Path("output").iterdir() if (path / "results.json").exists()}
    assert batch == "nightly"


def test_the_test_of_ones_own_passes(tmp_path: Path) -> None:
    played("In tests of your own")["test_every_icon_has_a_file"](tmp_path)


@pytest.mark.checker
def test_the_examples_pass_a_strict_type_checker(tmp_path: Path) -> None:
    for number, (title, code) in enumerate(EXAMPLES.items()):
        # a notebook awaits at its top, which no module does
        text = (
            code
            if title != "A notebook"
            else "async def cell() -> None:\n" + re.sub(r"^", "    ", code, flags=re.MULTILINE)
        )
        if "airflow" not in text:
            (tmp_path / f"example_{number}.py").write_text(text)
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["."]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [Path(sys.executable).with_name("basedpyright"), "--pythonpath", sys.executable],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "0 errors" in done.stdout
