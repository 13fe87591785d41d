"""Lines of a log: one each whatever is in it, whole whatever is done to the file, and as the schema says."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from batchgen.errors import OutputError
from batchgen.output.event_lines import LineFile, event_line
from batchgen.output.run_events import ErrorTold, Level, Requested, RunEvent, Said, Warned, events_schema
from batchgen.redaction import Redaction
from tests.support.results_format import closed

NONE = Redaction()
WHERE: dict[str, Any] = {
    "at": 1_764_558_007.125,
    "batch": "spring",
    "slot": "2026-12-01",
    "run_id": "cafe42bceba3",
}

LOGROTATE = shutil.which("logrotate") or shutil.which("logrotate", path="/usr/sbin")  # not on every PATH


def lines(path: Path) -> list[str]:
    return [json.loads(one)["text"] for one in path.read_text().splitlines()]


def said(text: str) -> str:
    return event_line(Said(**WHERE, text=text).document(), NONE)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=4))
def test_a_line_is_one_whatever_is_in_it_and_moves_no_terminal(document: dict[str, str]) -> None:
    line = event_line(document, NONE)
    assert json.loads(line) == {NONE(name): NONE(one) for name, one in document.items()}
    assert line.encode().count(b"\n") == 1
    assert line.splitlines() == [line[:-1]], "no other end of a line, as programs know them"
    assert not any(one < " " or "\x7f" <= one <= "\x9f" for one in line[:-1])


@pytest.mark.parametrize(
    "text", ["a\nb", "\x1b[31mred", "a\x9b31mred", "a\u2028b", "a\x85b", "\u202egnp.exe", "\r"]
)
def test_ends_of_lines_and_escapes_are_written_as_json_does(text: str) -> None:
    line = said(text)
    assert text not in line
    assert json.loads(line)["text"] == text


def test_what_was_moved_away_is_left_and_a_new_file_begun(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LineFile(path)
    file.add(said("1"))
    path.rename(tmp_path / "log.1")  # logrotate, with nocreate
    file.add(said("2"))
    path.rename(tmp_path / "log.2")
    path.touch()  # with create
    file.add(said("3"))
    path.unlink()
    file.add(said("4"))
    file.close()
    assert [lines(one) for one in (tmp_path / "log.1", tmp_path / "log.2", path)] == [["1"], ["2"], ["4"]]


def test_what_was_cut_goes_on_at_its_new_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = LineFile(path)
    file.add(said("1"))
    shutil.copy(path, tmp_path / "log.1")  # copytruncate
    os.truncate(path, 0)
    file.add(said("2"))
    assert lines(tmp_path / "log.1") == ["1"]
    assert lines(path) == ["2"]
    assert b"\0" not in path.read_bytes()


@pytest.mark.skipif(LOGROTATE is None, reason="this system has no logrotate")
@pytest.mark.parametrize("how", ["create", "nocreate", "copytruncate"])
def test_the_tool_itself_loses_no_line(tmp_path: Path, how: str) -> None:
    path, rules = tmp_path / "log", tmp_path / "rules"
    rules.write_text(f"{path} {{\n  rotate 9\n  {how}\n}}\n")
    rules.chmod(0o600)
    file = LineFile(path)
    for number in range(3):
        file.add(said(str(number)))
        subprocess.run([str(LOGROTATE), "-f", "-s", str(tmp_path / "state"), str(rules)], check=True)
    file.add(said("3"))
    kept = [path, *sorted(tmp_path.glob("log.*"))]
    assert sorted(text for one in kept for text in lines(one)) == ["0", "1", "2", "3"]


def test_two_runs_write_whole_lines_into_one_file(tmp_path: Path) -> None:
    path, long = tmp_path / "log", "x" * 100_000
    files = {name: LineFile(path) for name in "abc"}
    for name, file in files.items():  # who opens it while another writes may see half of a line in memory
        file.add(said(f"{name}0"))

    def write(name: str) -> None:
        for number in range(1, 40):
            files[name].add(said(f"{name}{number} {long}"))

    threads = [Thread(target=write, args=(name,)) for name in "abc"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(text.split()[0] for text in lines(path)) == sorted(
        f"{n}{i}" for n in "abc" for i in range(40)
    )


def test_a_line_that_a_full_disk_cut_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('{"text": "cut')
    file = LineFile(path)
    file.add(said("1"))
    file.add(said("2"))
    cut, *whole = path.read_text().splitlines()
    assert cut == '{"text": "cut'
    assert [json.loads(one)["text"] for one in whole] == ["1", "2"]


def unwritable(tmp_path: Path) -> Iterator[Path]:
    os.mkfifo(tmp_path / "pipe")  # nobody reads it
    yield from (tmp_path, tmp_path / "none" / "log", tmp_path / "pipe", Path("/dev/full"))


def test_what_cannot_be_written_says_so_and_is_tried_again(tmp_path: Path) -> None:
    for path in unwritable(tmp_path):
        file = LineFile(path)
        for _ in range(2):
            with pytest.raises(OutputError, match=str(path)):
                file.add(said("1"))
        file.close()
    late = LineFile(tmp_path / "late" / "log")
    with pytest.raises(OutputError):
        late.add(said("1"))
    (tmp_path / "late").mkdir()
    late.add(said("2"))
    assert lines(tmp_path / "late" / "log") == ["2"]


SCHEMA = json.loads(events_schema())


def faults(document: Any) -> list[str]:
    """Return what is not as the schema says, and the keys that it does not name for such an event."""
    found = [one.message for one in Draft202012Validator(SCHEMA).iter_errors(document)]
    kinds = [
        one for one in SCHEMA["allOf"] if document.get("event") in one["if"]["properties"]["event"]["enum"]
    ]
    named = {*SCHEMA["properties"], *(name for one in kinds for name in one["then"]["properties"])}
    details = Draft202012Validator({**closed(SCHEMA["$defs"]["file"]), "$defs": SCHEMA["$defs"]})
    found += [one.message for file in document.get("details", ()) for one in details.iter_errors(file)]
    return found + [f"{name} is not named" for name in document if name not in named]


REQUEST: dict[str, Any] = {"method": "GET", "path": "/jobs/j", "seconds": 0.0345, "attempt": 2}


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (Said(**WHERE, text="t"), "info"),
        (Said(**WHERE, text="t", says=Level.WARNING), "warning"),
        (Warned(**WHERE, text="t"), "warning"),
        (Warned(**WHERE, text="t", is_note=True), "info"),
        (Requested(**WHERE, **REQUEST, status=200, error=""), "debug"),
        (Requested(**WHERE, **REQUEST, status=None, error="reset"), "debug"),
        (ErrorTold(**WHERE, exit=2, text="t"), "error"),
        (
            ErrorTold(
                **WHERE,
                exit=1,
                text="t",
                problems=[{"source": "a", "line": 1, "column": 2, "text": "t"}],
                hint="h",
                trace="T",
            ),
            "error",
        ),
    ],
)
def test_lines_of_the_log_are_as_the_schema_says(event: RunEvent, level: str) -> None:
    document = json.loads(event_line(event.document(), NONE))
    assert faults(document) == []
    assert document["level"] == level
    assert document["run_id"] == WHERE["run_id"]
    assert document["at"] == "2025-12-01T03:00:07.125Z"


def test_the_schema_is_one_and_refuses_what_is_wrong() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    line = Said(**WHERE, text="t").document()
    assert faults({**line, "text": 3}) != []
    assert faults({**line, "level": "loud"}) != []
    assert faults({**line, "at": "today"}) != []
    assert faults({name: one for name, one in line.items() if name != "run_id"}) != []
    assert faults({**line, "new": 1}) == ["new is not named"]
    assert list(Draft202012Validator(SCHEMA).iter_errors({**line, "event": "later", "new": 1})) == []


def test_a_request_reads_well() -> None:
    assert str(Requested(**WHERE, **REQUEST, status=200, error="")) == (
        "2025-12-01T03:00:07Z GET /jobs/j: 200 in 34 ms, attempt 2"
    )
