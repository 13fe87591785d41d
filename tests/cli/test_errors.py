"""What a person can get wrong: a clear line, the right exit status, no trace of Python, nothing sent."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from tests.cli.conftest import Service, Shell

Simulator = Callable[..., Service]

GOOD = "version: 1\nbatch: spring\njobs:\n  - {prompt: a castle, model: model_bfl-flux-1-dev}\n"


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "jobs.yaml:"),
        ("- a\n- b\n", "jobs.yaml:1"),
        ("version: 1\njobs:\n\t- prompt: a\n", "jobs.yaml:3"),
        (GOOD + "colour: red\n", "jobs.yaml:5:1: unknown key"),
        (GOOD + "batch: autumn\n", "jobs.yaml:5:1: "),
        (GOOD.replace("a castle", "12"), 'prompt: "12"'),
        (GOOD.replace("a castle", "'a {material} castle'"), "material"),
        (GOOD.replace("{prompt: a castle", "{id: ../../x, prompt: a castle"), "../../x"),
        (GOOD.replace("a castle", "!!python/object/apply:os.system [x]"), "jobs.yaml:4"),
        ("version: 1\njobs:\n  - {from: none.csv, prompt: a, model: m}\n", "none.csv"),
    ],
)
def test_a_bad_manifest_is_told_by_place_and_nothing_is_sent(
    shell: Shell, command: str, text: str, said: str
) -> None:
    shell.write("jobs.yaml", text)
    done = shell.having(SCENARIO_BASE_URL="http://127.0.0.1:9/v1").call(command, "jobs.yaml")
    assert done.status == 2
    assert said in done.err
    assert not (shell.folder / "output").exists()


def test_a_manifest_that_is_not_there_is_told(shell: Shell) -> None:
    done = shell.call("run", "none.yaml")
    assert (done.status, "none.yaml" in done.err) == (2, True)


def test_problems_come_as_json_too(shell: Shell) -> None:
    shell.write("jobs.yaml", GOOD + "colour: red\n")
    told = shell.call("validate", "jobs.yaml", "--json").json
    assert (told["exit"], told["problems"][0]["line"]) == (2, 5)


@pytest.mark.parametrize("name", ["SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"])
def test_a_wrong_or_missing_key_stops_before_anything_is_sent(
    shell: Shell, simulator: Simulator, name: str
) -> None:
    shell.write("jobs.yaml", GOOD)
    service = simulator()
    for value in ("wrong-5ecret", ""):
        done = shell.at(service).having(**{name: value}).call("run", "jobs.yaml")
        assert done.status == 4, done.err
        assert "5ecret" not in done.err
    assert service.charged == []


def test_credentials_may_stand_in_a_dotenv_file(shell: Shell, simulator: Simulator) -> None:
    service = simulator("--speed", "40", "--duration", "1-2")
    shell.write("jobs.yaml", GOOD)
    shell.write(
        ".env",
        f"SCENARIO_SDK_API_KEY=key\nSCENARIO_SDK_API_SECRET=secret\nSCENARIO_BASE_URL={service.base_url}\n",
    )
    environ = {name: value for name, value in shell.environ.items() if not name.startswith("SCENARIO")}
    done = Shell(shell.folder, environ).call("run", "jobs.yaml", "--rate", "50/s")
    assert done.status == 0, done.err


def test_a_dotenv_file_cannot_send_the_environments_credentials_elsewhere(shell: Shell) -> None:
    shell.write("jobs.yaml", GOOD)
    shell.write(".env", "SCENARIO_BASE_URL=https://elsewhere.example/v1\n")
    done = shell.call("run", "jobs.yaml")
    assert (done.status, "must not send them elsewhere" in done.err) == (2, True), done.err


def test_an_unknown_model_is_told_with_its_place(shell: Shell, simulator: Simulator) -> None:
    shell.write("jobs.yaml", GOOD + "  - {prompt: a mill, model: model_nobody}\n")
    service = simulator()
    done = shell.at(service).call("run", "jobs.yaml")
    assert done.status == 2
    assert done.err.startswith("jobs.yaml:5:")
    assert "'model_nobody' (1 job)" in done.err
    assert service.charged == []


def test_a_server_that_is_not_there_is_told(shell: Shell) -> None:
    shell.write("jobs.yaml", GOOD)
    done = shell.having(SCENARIO_BASE_URL="http://127.0.0.1:9/v1").call("run", "jobs.yaml")
    assert done.status == 8
    assert "127.0.0.1" in done.err
    assert "run the same command again" in done.err


@contextmanager
def html_server() -> Iterator[str]:
    """A server that takes every request for a visit by a browser."""
    ready, ports = threading.Event(), []
    loop = asyncio.new_event_loop()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html><title>Welcome</title><p>hello</p></html>", content_type="text/html")

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", page)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        ready.set()
        return runner

    def serve() -> None:
        runner = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def test_a_server_that_answers_html_is_told(shell: Shell) -> None:
    shell.write("jobs.yaml", GOOD)
    with html_server() as address:
        done = shell.having(SCENARIO_BASE_URL=address).call("run", "jobs.yaml")
    assert done.status == 8
    assert "JSON" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "jobs.yaml", "--rate", "fast"), "--rate"),
        (("run", "jobs.yaml", "--in-flight", "0"), "--in-flight"),
        (("run",), "MANIFEST"),
        (("rum", "jobs.yaml"), "rum"),
        (("run", "jobs.yaml", "--colour"), "--colour"),
        (("status", "autumn"), "autumn"),
    ],
)
def test_a_bad_command_line_says_what_is_wrong(shell: Shell, words: tuple[str, ...], said: str) -> None:
    shell.write("jobs.yaml", GOOD)
    done = shell.call(*words)
    assert (done.status, said in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.org/v1", "https"),
        ("ftp://127.0.0.1", "http"),
        ("https://key:hush@example.org", "credentials"),
    ],
)
def test_credentials_go_only_where_they_are_safe(shell: Shell, url: str, said: str) -> None:
    shell.write("jobs.yaml", GOOD)
    done = shell.having(SCENARIO_BASE_URL=url).call("run", "jobs.yaml")
    assert (done.status, said in done.err, "hush" in done.err) == (2, True, False), done.err
    assert done.err.startswith("batchgen: SCENARIO_BASE_URL: ")


def test_a_damaged_journal_is_told_and_left_alone(shell: Shell) -> None:
    shell.write("jobs.yaml", GOOD)
    path = shell.write("output/journal.db", "this is no journal" * 100)
    for command in (("run", "jobs.yaml"), ("status",), ("plan", "jobs.yaml")):
        done = shell.call(*command)
        assert done.status == 1
        assert "journal.db" in done.err
    assert path.read_text() == "this is no journal" * 100
