"""The log of the installed command: lines of JSON and nothing else, to standard error and to a file."""

import base64
import json
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from batchgen.cli.log import Log
from batchgen.redaction import MASK
from tests.cli.conftest import Done, Service, Shell
from tests.output.test_event_lines import faults

Simulator = Callable[..., Service]
QUICK = ("--speed", "40", "--duration", "2-4")
RUN = ("run", "jobs.yaml", "--rate", "50/s")
JSON = ("--log-format", "json")
MANIFEST = """\
version: 1
batch: nightly
defaults:
  model: model_bfl-flux-1-dev
jobs:
  - {id: tower, prompt: "a tower, \\u001b[31mred\\u009b1m\\nsecond line"}
  - {id: mill, prompt: a mill}
"""
KEY, SECRET = "api_Kq7fZ2mN9xWv", "s3cr3tZyXw8765Vu"
TOKEN = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
HOOK = "https://hooks.example.net/services/T0AB12CD3/B0EF45GH6/aB3dE6gH9jK2mN5pQ8s"
PLANTED = {
    "SCENARIO_SDK_API_KEY": KEY,
    "SCENARIO_SDK_API_SECRET": SECRET,
    "SCENARIO_NIGHTLY": "night-0wl-51xx",
    "TEAM_WEBHOOK": HOOK,
}


def objects(text: str) -> list[dict[str, Any]]:
    """Return the lines, each of which is an object of the schema, with no secret and no escape in it."""
    found = [json.loads(line) for line in text.splitlines()]
    assert [fault for one in found for fault in faults(one)] == []
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", text)
    return found


def names(lines: list[dict[str, Any]]) -> list[str]:
    return [one["event"] for one in lines]


def test_a_run_writes_nothing_but_lines_of_one_run_to_stderr_and_the_same_to_a_file(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    done = shell.at(service).call(
        *RUN, *JSON, "--log-file", "run.log", "-v", "--events", "run.jsonl", "--json"
    )
    assert done.status == 0
    lines = objects(done.err)
    assert lines == objects((shell.folder / "run.log").read_text())
    assert len({one["run_id"] for one in lines}) == 1
    assert (lines[0]["event"], lines[0]["schema"]) == ("run_started", "batchgen/events@1")
    assert (lines[-1]["event"], lines[-1]["exit"]) == ("summary", 0)
    assert {one["id"] for one in lines if one["event"] == "collected"} == {"tower", "mill"}
    assert all(one["job_id"] for one in lines if one["event"] == "accepted")
    asked = [one for one in lines if one["event"] == "request"]
    assert ("POST", "/generate/custom/model_bfl-flux-1-dev", 200, 1) in {
        (one["method"], one["path"], one["status"], one["attempt"]) for one in asked
    }
    assert all("?" not in one["path"] and one["level"] == "debug" for one in asked)
    # --events has the same objects, but for what only a log has
    told = objects((shell.folder / "run.jsonl").read_text())
    assert told == [one for one in lines if one["event"] not in {"message", "request"}]
    # a second one with nothing to do is another run, in the same file
    again = objects(shell.at(service).call(*RUN, *JSON, "--log-file", "run.log").err)
    assert names(again)[-1] == "summary"
    kept = objects((shell.folder / "run.log").read_text())
    assert kept == lines + again
    assert len({one["run_id"] for one in kept}) == 2


def test_beside_text_the_file_has_what_is_said_too(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    done = shell.at(service).call(*RUN, "--log-file", "run.log", "-v")
    assert done.status == 0
    assert "accepted as" in done.err
    assert re.search(r"Z GET /jobs[^ ?]*: 200 in \d+ ms", done.err)
    lines = objects((shell.folder / "run.log").read_text())
    said = [one["text"] for one in lines if one["event"] == "message"]
    assert "journal: output/journal.db" in said
    assert any(one.startswith("results:") for one in said)


def test_a_quiet_run_writes_only_what_a_person_should_know(shell: Shell, simulator: Simulator) -> None:
    service = simulator(*QUICK, "--failures", "1")
    shell.write("jobs.yaml", MANIFEST)
    done = shell.at(service).call(*RUN, *JSON, "-q", "--log-file", "run.log")
    assert done.status == 3
    lines = objects(done.err)
    assert names(lines).count("failed") == 2
    assert {one["level"] for one in lines} == {"warning"}
    assert "accepted" in names(objects((shell.folder / "run.log").read_text()))
    # requests are not what a person should know: a crontab with -v must not mail them every night
    again = shell.at(service).call(*RUN, "-q", "-v", "--retry-failed", "--log-file", "again.log")
    assert again.status == 3
    assert "GET /" not in again.err
    assert "request" in names(objects((shell.folder / "again.log").read_text()))


@pytest.mark.parametrize(
    ("words", "manifest", "told"),
    [
        ((*RUN, "--nope"), MANIFEST, "--nope"),
        (("run", "none.yaml", "--simulate"), MANIFEST, "no such file"),
        ((*RUN, "--in-flight", "0"), MANIFEST, "--in-flight"),
        ((*RUN, "--simulate"), "version: 1\njobs: [{prompt: 3}]\n", "jobs.yaml:2:"),
        (("retry", "jobs.yaml", "--simulate"), MANIFEST, "name the jobs"),
        (("redo", "jobs.yaml", "nosuch", "--simulate"), MANIFEST, "nothing to make again"),
    ],
)
def test_an_error_is_one_object_and_nothing_else(
    shell: Shell, words: tuple[str, ...], manifest: str, told: str
) -> None:
    shell.write("jobs.yaml", manifest)
    done = shell.call(*words, *JSON, "--log-file", "run.log")
    assert (done.status, done.out) == (2, "")
    (line,) = objects(done.err)
    assert (line["event"], line["level"], line["exit"]) == ("error", "error", 2)
    assert told in line["text"]
    if "--nope" not in words:  # words that cannot be read name no file either
        assert objects((shell.folder / "run.log").read_text()) == [line]


def test_missing_credentials_are_told_in_the_object_with_where_they_were_looked_for(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    done = shell.having(SCENARIO_SDK_API_KEY="", SCENARIO_SDK_API_SECRET="").call(*RUN, *JSON)
    assert done.status == 4
    line = objects(done.err)[-1]
    assert (line["event"], line["exit"]) == ("error", 4)
    assert "no credentials" in line["text"]
    assert "were looked for in the environment" in line["hint"]


def test_a_log_that_cannot_be_written_is_said_once_and_changes_no_exit_status(
    shell: Shell, simulator: Simulator
) -> None:
    service = simulator(*QUICK)
    shell.write("jobs.yaml", MANIFEST)
    for place in ("/dev/full", "none/run.log", "."):
        done = shell.at(service).call(*RUN, "--log-file", place)
        assert done.status == 0
        assert done.err.count("the log cannot be written: ") == 1
    done = shell.at(service).call(*RUN, *JSON, "--log-file", "none/run.log")
    (line,) = [one for one in objects(done.err) if one["level"] == "warning"]
    assert "none/run.log: No such file" in line["text"]
    assert shell.call(*RUN, "--simulate", "--log-file", "-").status == 2


def has_none(text: str) -> None:
    for one in (KEY, SECRET, TOKEN, TOKEN[:16], "night-0wl-51xx", "aB3dE6gH9jK2mN5pQ8s"):
        assert one not in text


@pytest.mark.parametrize("words", [JSON, ()])
def test_no_line_shows_a_secret_that_was_planted(shell: Shell, words: tuple[str, ...]) -> None:
    """In a name of a file, a batch, an id and a prompt, and in what is wrong with the command line."""
    planted = shell.having(**PLANTED, SCENARIO_BASE_URL="http://127.0.0.1:9/v1")
    shell.write(
        f"jobs-{SECRET}.yaml",
        f"version: 1\nbatch: nightly\ndefaults: {{model: m}}\njobs:\n"
        f"  - {{id: {KEY}, prompt: '{HOOK}', tags: [{TOKEN.rstrip('=')}], nope: night-0wl-51xx}}\n",
    )
    shell.write(
        "jobs.yaml", f"version: 1\nbatch: nightly\njobs:\n  - {{id: {KEY}, model: model_bfl, prompt: x}}\n"
    )
    calls: list[Done] = [
        planted.call("run", f"jobs-{SECRET}.yaml", "--simulate", *words, "--log-file", "run.log"),
        planted.call("run", f"none-{TOKEN}", "--simulate", *words, "--log-file", "run.log"),
        planted.call(*RUN, f"--{SECRET}", *words),
        planted.call(*RUN, "--slot", HOOK, "--period", KEY, *words, "--log-file", "run.log"),
        planted.call("run", "jobs.yaml", "--simulate", *words, "-v", "--log-file", f"{SECRET}/log"),
    ]
    for done in calls:
        has_none(done.err)
        if words:
            objects(done.err)
    assert MASK in "".join(one.err for one in calls)
    kept = (shell.folder / "run.log").read_text()
    has_none(kept)
    objects(kept)


class Echo(BaseHTTPRequestHandler):
    """A service that says no, and repeats all that it was sent and knows."""

    def do_GET(self) -> None:
        sent = {**dict(self.headers), "cookie": f"sid={KEY}; t=a1b2c3", "path": f"{self.path}?sig={SECRET}"}
        said = f"{json.dumps(sent)}\nnext line\x1b[31m {HOOK} {SECRET}\u2028{json.dumps(json.dumps(PLANTED))}"
        body = json.dumps(
            {"reason": said, "apiError": said, "message": said, "infos": {"token": TOKEN}}
        ).encode()
        self.send_response(401)
        self.send_header("Set-Cookie", f"session={TOKEN}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.mark.parametrize("words", [JSON, ()])
def test_what_a_service_echoes_is_hidden_in_every_line_and_in_the_journal(
    shell: Shell, words: tuple[str, ...]
) -> None:
    shell.write("jobs.yaml", MANIFEST)
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        planted = shell.having(**PLANTED, SCENARIO_BASE_URL=f"http://127.0.0.1:{server.server_port}/v1")
        done = planted.call(*RUN, *words, "-v", "--log-file", "run.log", "--events", "run.jsonl", "--json")
        server.shutdown()
    assert done.status == 4, done.err
    kept = [(shell.folder / name).read_text() for name in ("run.log", "run.jsonl")]
    for text in (done.err, done.out, *kept):
        has_none(text)
        assert "\x1b" not in text
    has_none((shell.folder / "output" / "journal.db").read_bytes().decode("latin-1"))
    for text in kept if not words else (*kept, done.err):
        objects(text)
    assert any(one["event"] == "request" and one["status"] == 401 for one in objects(kept[0]))
    assert MASK in kept[0]


def test_secrets_of_a_file_beside_the_manifest_are_known_too(shell: Shell, tmp_path: Path) -> None:
    bare = Shell(tmp_path, {name: one for name, one in shell.environ.items() if "SCENARIO" not in name})
    shell.write(".env", "".join(f"{name}={one}\n" for name, one in PLANTED.items()))
    shell.write(
        "jobs.yaml", f"version: 1\nbatch: nightly\njobs: [{{id: {KEY}, prompt: {SECRET}, nope: {TOKEN}}}]\n"
    )
    done = bare.call("run", "jobs.yaml", *JSON)
    assert done.status == 2
    has_none(done.err)


def test_a_bug_is_an_object_with_its_trace_and_whatever_led_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    inner = OSError(f"https://me:{SECRET}@proxy\x1b[31m")
    bug = ValueError(f"Authorization: Basic {TOKEN}")
    bug.__cause__ = inner
    Log(PLANTED, is_json=True).take_bug(ValueError, bug, None)
    text = capsys.readouterr().err
    has_none(text)
    (line,) = objects(text)
    assert (line["event"], line["exit"]) == ("error", 1)
    assert line["text"] == f"ValueError: Authorization: Basic {MASK}"
    assert line["trace"].count(MASK) == 2


def test_a_journal_that_cannot_be_opened_is_an_object_too(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST)
    (shell.folder / "output" / "journal.db").mkdir(parents=True)
    done = shell.call(*RUN, "--simulate", *JSON)
    assert done.status == 1
    (line,) = objects(done.err)
    assert (line["event"], line["exit"]) == ("error", 1)
