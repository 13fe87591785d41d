"""A stream that is closed, full or goes away ends the printing, never the work; the status is the work's."""

import json
import os
import threading
from contextlib import suppress

import pytest

from batchgen.cli.main import run
from batchgen.cli.streams import Giving, guarded_stream
from tests.cli.conftest import Shell
from tests.support.forked import CLOSED, GONE, Forked

JOB = "{prompt: a castle, model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}"
MANIFEST = f"version: 1\nbatch: spring\njobs: [{JOB}]\n"
FULL = "/dev/full"

# Every command, as far as it can be tried without a service; each prints to one of the two or to both.
COMMANDS = [
    ("--help",),
    ("--version",),
    ("run", "--help"),
    ("init", "--force"),
    ("schema",),
    ("validate", "jobs.yaml", "--offline"),
    ("validate", "jobs.yaml", "--offline", "--json"),
    ("plan", "jobs.yaml", "--simulate"),
    ("plan", "jobs.yaml", "--simulate", "--json"),
    ("run", "jobs.yaml", "--simulate", "--dry-run"),
    ("run", "jobs.yaml", "--simulate", "--collect-only", "--json"),
    ("status",),
    ("status", "--json"),
    ("cost",),
    ("audit", "jobs.yaml", "--simulate", "--offline"),
    ("resolve", "jobs.yaml", "--simulate"),
    ("models", "flux", "--simulate"),
]


def called(shell: Shell, words: tuple[str, ...], streams: dict[int, str]) -> tuple[int, str, str]:
    with Forked(words, folder=shell.folder, environ=shell.environ, streams=streams) as process:
        out, err = process.communicate(30)
        status = process.wait()
    assert "Traceback" not in err, err
    return status, out, err


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_ends_as_it_would_whatever_becomes_of_its_streams(
    shell: Shell, words: tuple[str, ...]
) -> None:
    shell.write("jobs.yaml", MANIFEST)
    usual, out, _ = called(shell, words, {})
    for streams in ({2: CLOSED}, {0: CLOSED, 1: CLOSED, 2: CLOSED}, {1: GONE, 2: GONE}, {2: FULL}):
        assert called(shell, words, streams)[0] == usual, streams
    status, _, err = called(shell, words, {1: FULL})
    if out and usual == 0:
        assert (status, "standard output cannot be written" in err) == (1, True), err
    else:
        assert status == usual


def test_an_error_keeps_its_status_when_nobody_can_read_of_it(shell: Shell) -> None:
    shell.write("jobs.yaml", MANIFEST + "colour: red\n")
    for words in (("run", "jobs.yaml"), ("validate", "jobs.yaml", "--json"), ("run", "--colour")):
        for streams in ({2: CLOSED}, {1: CLOSED, 2: CLOSED}, {1: GONE, 2: GONE}, {1: FULL, 2: FULL}):
            assert called(shell, words, streams)[0] == 2, (words, streams)


@pytest.mark.parametrize(
    ("words", "streams", "status"),
    [
        ((), {2: CLOSED}, 0),
        (("--json",), {0: CLOSED, 1: CLOSED, 2: CLOSED}, 0),
        (("--json",), {1: GONE}, 0),
        (("--events", "-"), {1: GONE, 2: GONE}, 0),
        (("--events", "-"), {2: FULL}, 0),
        (("--json",), {1: FULL}, 1),  # done, and told; what asked for the document has none
    ],
)
def test_a_run_carries_every_job_to_its_end_and_writes_the_results(
    shell: Shell, words: tuple[str, ...], streams: dict[int, str], status: int
) -> None:
    shell.write("jobs.yaml", MANIFEST)
    ended, _, err = called(shell, ("run", "jobs.yaml", "--simulate", *words), streams)
    assert ended == status, err
    assert shell.results()["summary"]["statuses"]["succeeded"] == 1
    known = json.loads(shell.call("status", "--json").out)
    assert known[0]["states"] == {"collected": 1}
    if status:
        assert "what is there is not whole (the work itself ended with 0)" in err
    elif streams == {1: GONE}:
        assert "results: output/spring/results.json" in err


def test_a_closed_stream_leaves_its_number_to_no_file_of_ours(shell: Shell) -> None:
    """What is printed by a library to 1 or 2 must not arrive in the journal."""
    shell.write("jobs.yaml", MANIFEST)
    called(shell, ("run", "jobs.yaml", "--simulate"), {0: CLOSED, 1: CLOSED, 2: CLOSED})
    assert shell.call("audit", "jobs.yaml", "--simulate", "--offline").status == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_document_stays_one_in_every_encoding_of_its_stream(encoding: str) -> None:
    """A job's name in another script, half a letter of a file's name: each is written as JSON writes it."""
    reader, writer = os.pipe()
    document = {"id": "城 é 😀 \udcff", "file": "x"}
    with os.fdopen(writer, "w", encoding=encoding) as stream:
        guarded = guarded_stream(stream, writer, errors="batchgen.escaped", closed=False)
        guarded.write(json.dumps(document, ensure_ascii=False))
        guarded.flush()
    with os.fdopen(reader, "rb") as file:
        assert json.loads(file.read().decode(encoding)) == document


def test_a_stream_that_does_not_want_to_wait_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    full, arrived = 0, []
    with suppress(BlockingIOError):
        while True:
            full += os.write(writer, bytes(4096))

    def read() -> None:
        while chunk := os.read(reader, 1 << 16):
            arrived.append(len(chunk))

    stream, thread = Giving(writer), threading.Thread(target=read)
    thread.start()
    sent, data = 0, bytes(1 << 18)
    while sent < len(data):
        sent += stream.write(data[sent:])
    os.close(writer)
    thread.join()
    os.close(reader)
    assert (sum(arrived), stream.error) == (full + len(data), None)


def test_a_command_may_be_called_in_a_thread(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals reach the main thread alone; whoever calls the command elsewhere has to do without."""
    monkeypatch.chdir(shell.folder)
    shell.write("jobs.yaml", MANIFEST)
    ended = []
    words = ["run", "jobs.yaml", "--simulate", "--quiet"]
    thread = threading.Thread(target=lambda: ended.append(run(words)))
    thread.start()
    thread.join()
    assert ended == [0]
    assert shell.results()["summary"]["statuses"]["succeeded"] == 1
