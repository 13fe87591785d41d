"""Marks: given to jobs and assets, by words and by files, and found again in results, status and words."""

import csv
import json
import os
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import batchgen
from batchgen.cli.main import run
from batchgen.journal.file_store import FileStore
from batchgen.journal.runs import RunKept

MANIFEST = """\
version: 1
batch: spring
defaults: {model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}
jobs:
  - {id: "tower-{n}", prompt: "a tower, number {n}", matrix: {n: [1, 2, 3]}, params: {numOutputs: 4}}
  - {id: later, prompt: a keep}
"""


@dataclass
class Desk:
    """A folder with a batch of which all but one job was bought, in which commands are called."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, name: str, *words: str, target: str = "jobs.yaml") -> tuple[int, str, str]:
        simulate = ["--simulate"] if name in {"run", "plan"} else []
        status = run([name, target, *simulate, *words])
        shown = self.capsys.readouterr()
        return status, shown.out.strip(), shown.err.strip()

    def mark(self, *words: str) -> str:
        status, out, err = self("mark", *words)
        assert (status, err) == (0, "")
        return out

    def refused(self, *words: str, target: str = "jobs.yaml") -> str:
        before = self.marks()
        status, out, err = self("mark", *words, target=target)
        assert (status, out) == (2, "")
        assert self.marks() == before, "nothing was written"
        return err

    @property
    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            (self.folder / "output" / "spring" / "results.json").read_text()
        )["jobs"]
        return found

    def assets(self, job: int) -> list[str]:
        return list(self.jobs[job]["asset_ids"])

    def marks(self) -> list[str]:
        """Return the marks of all files, a text a job: ``kr--``."""
        return ["".join((one["mark"] or "-")[0] for one in job["files"]) or "no file" for job in self.jobs]

    def write(self, name: str, text: str, encoding: str = "utf-8") -> str:
        (self.folder / name).write_bytes(text.encode(encoding))
        return name

    def document(self, *marks: Any, batch: str = "spring") -> str:
        told = {"format": "batchgen/marks@1", "batch": batch, "marks": marks}
        return self.write("marks.json", json.dumps(told, indent=1))


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the batch was run once."""
    folder = tmp_path_factory.mktemp("bought")
    (folder / "jobs.yaml").write_text(MANIFEST)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert run(["run", "jobs.yaml", "--simulate", "--yes", "-q", "--except", "later"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def desk(
    bought: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    for name in [one for one in os.environ if one.startswith("SCENARIO")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "desk"
    shutil.copytree(bought, folder)
    monkeypatch.chdir(folder)
    capsys.readouterr()
    return Desk(folder, capsys)


def test_marks_are_in_results_status_and_python(desk: Desk) -> None:
    assert desk.mark("kept", "tower-1", "--note", "for the cover") == "4 kept"
    assert desk.mark("rejected", "tower-*", "--only", "mark:none") == "8 rejected"
    assert desk.mark("kept", "tower-2", "--asset", "2") == "1 kept"
    assert desk.marks() == ["kkkk", "rrkr", "rrrr", "no file"]
    assert [one["mark"] for one in desk.jobs] == ["kept", "kept", "rejected", None]
    assert {one["note"] for one in desk.jobs[0]["files"]} == {"for the cover"}
    with (desk.folder / "output/spring/results.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [one["mark"][:1] for one in table] == [*"kkkkrrkrrrrr", ""]
    assert table[0]["note"] == "for the cover"
    results = batchgen.Results.load("output/spring")
    assert [one.mark for one in results.jobs] == ["kept", "kept", "rejected", None]
    assert results["tower-1"].files[0].note == "for the cover"
    assert "3 of 4 done, 1 not bought; 2 kept, 1 rejected; " in desk("status", target="spring")[1]
    [told] = json.loads(desk("status", "--json", target="spring")[1])
    assert told["marks"] == {"kept": 2, "rejected": 1}
    assert desk("report", "--only", "mark:kept")[0] == 0


def test_a_command_says_what_it_did_and_again_that_nothing_is_new(desk: Desk) -> None:
    first, *_ = desk.assets(0)
    assert desk.mark("kept", first, "tower-2") == "5 kept"
    assert desk.mark("kept", "tower-1", "tower-2") == "3 kept; 5 as before"
    assert desk.mark(first, "--note", "good") == "1 note changed"
    assert desk.mark("rejected", first) == "1 rejected"
    assert desk.jobs[0]["files"][0]["note"] == "", "the note went with the mark"
    assert desk.mark("none", "tower-*") == "8 marks removed; 4 as before"
    assert desk.mark("none", "tower-*") == "12 as before"
    status, out, _ = desk("mark", "kept", "tower-3", "--json")
    assert (status, json.loads(out)) == (0, {
        "batch": "spring", "slot": None, "kept": 4, "rejected": 0, "notes": 0, "removed": 0, "same": 0,
        "earlier": 0,
        "results": "output/spring/results.json", "run_writes_results": False,
    })  # fmt: skip


def test_the_name_of_the_batch_stands_for_its_manifest(desk: Desk) -> None:
    assert desk("mark", "kept", "tower-1", target="spring")[1] == "4 kept"


# The kind: words that mean nothing that could be marked. Each says what to do, and nothing is written.
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["kept", "tower-1", "later"], "'later' has no asset that could be marked: it is not bought"),
        (["kept", "later*"], "of 1 jobs like 'later*' there is none to do this with"),
        (["kept", "towr-1"], "no job 'towr-1' in this manifest; did you mean 'tower-1'?"),
        (["kept", "asset_none"], "no job in this manifest is called 'asset_none' or has an asset of that id"),
        (["kept", "tower-1", "--asset", "4"], "'tower-1' has the assets 0 to 3, and none 4"),
        (
            ["tower-1", "--note", "x"],
            "'tower-1' has no mark that a note could go with: write kept or rejected",
        ),
        (["none", "tower-1", "--note", "x"], "a note goes with a mark"),
        (["keep", "tower-1"], "write kept, rejected or none behind TARGET, not 'keep'; did you mean kept?"),
        (["kept"], "name the jobs: JOB, or --only"),
        (["kept", "--except", "tower-1"], "name the jobs: JOB, or --only"),
        (["kept", "tower-1", "--output", "2"], "for one asset of a job write --asset 2"),
        (["kept", "tower-1", "--from", "x.csv"], "--from FILE says what is marked"),
        (["--from", "x.csv"], "x.csv: there is no such file"),
    ],
)
def test_what_cannot_be_marked_is_said(desk: Desk, words: Sequence[str], told: str) -> None:
    assert told in desk.refused(*words)


def test_before_anything_is_bought_there_is_nothing_to_mark(desk: Desk) -> None:
    desk.write("new.yaml", MANIFEST.replace("spring", "summer"))
    told = desk.refused("kept", "tower-1", target="new.yaml")
    assert "there is nothing to mark yet. `batchgen run new.yaml` begins it" in told


def test_marks_of_the_page_and_of_spreadsheets_come_in(desk: Desk) -> None:
    (one, two, *_), (three, *_) = desk.assets(0), desk.assets(1)
    name = desk.document(
        {"asset_id": one, "job": "tower-1", "mark": "kept", "note": "süß"},
        {"asset_id": two, "job": "tower-1", "mark": "rejected", "note": ""},
        {"asset_id": three, "job": "tower-2", "mark": "none", "note": ""},
    )
    assert desk.mark("--from", name) == "1 kept, 1 rejected; 1 as before"
    assert desk.jobs[0]["files"][0]["note"] == "süß"
    # as German Excel writes it: semicolons, a mark in front, carriage returns, other columns, empty cells
    rows = [
        "id;ASSET_ID;preis;Mark;Note",
        f";{one};1,5;;",
        f"tower-1;{two};2;KEPT;'=1+1",
        "tower-3;;;Rejected;",
    ]
    sheet = "\ufeff" + "".join(f"{row}\r\n" for row in rows)
    assert desk.mark("--from", desk.write("sheet.csv", sheet)) == "1 kept, 4 rejected"
    assert desk.marks() == ["kk--", "----", "rrrr", "no file"]
    assert [file["note"] for file in desk.jobs[0]["files"]][:2] == ["süß", "=1+1"]
    assert desk.mark("--from", "output/spring/results.csv") == "6 as before", (
        "what was written comes in again"
    )
    assert desk.mark("--from", desk.write("t.tsv", f"mark\tasset_id\nnone\t{one}\n")) == "1 mark removed"
    assert desk.mark("--from", desk.document()) == "nothing to mark"


def test_of_an_asset_its_own_row_says_more_than_one_of_its_job(desk: Desk) -> None:
    first, *_ = desk.assets(0)
    for rows in ([f",{first},kept", "tower-1,,rejected"], ["tower-1,,rejected", f",{first},kept"]):
        name = desk.write("sheet.csv", "\n".join(["id,asset_id,mark", *rows]))
        desk.mark("--from", name)
        assert desk.marks()[0] == "krrr"


# The kind: a file of marks that is wrong somewhere. It is said with its line, and nothing is written.
def test_a_mapping_of_an_export_comes_in_by_its_jobs(desk: Desk) -> None:
    assert desk.mark("--from", desk.write("icons.csv", "path,job,mark\na.png,tower-1,kept\n")) == "4 kept"


def test_everything_wrong_in_a_table_is_said_with_its_line(desk: Desk) -> None:
    desk.write("other.yaml", MANIFEST.replace("spring", "other"))
    assert run(["run", "other.yaml", "--simulate", "--yes", "-q", "--only", "tower-1"]) == 0
    desk.capsys.readouterr()
    other = json.loads((desk.folder / "output/other/results.json").read_text())["jobs"][0]["asset_ids"][0]
    first, second, *_ = desk.assets(0)
    rows = [
        f"kept;{first};;", f"rejected;{first};;", f"keep;{second};;", f"kept;{other};;", "kept;asset_no;;",
        "kept;;towr-1;", "kept;;later;", "kept;;;", f"none;{second};;why", f";{second};;why", ";;tower-3;",
        f"kept;{first};tower-2;",
    ]  # fmt: skip
    told = desk.refused("--from", desk.write("s.csv", "\n".join(["mark;asset_id;id;note", *rows])))
    for line, text in {
        3: f"says something else of {first} than line 2",
        4: 'the mark is "keep"; did you mean kept?',
        5: f"{other} is an asset of batch 'other', not of batch 'spring'",
        6: "no job of batch 'spring' has an asset 'asset_no'",
        7: "no job 'towr-1' in this manifest; did you mean tower-1?",
        8: "'later' has no asset that could be marked: it is not bought",
        9: "says kept of nothing: asset_id and id are empty",
        10: "a note goes with a mark: write kept or rejected",
        11: f"a note goes with a mark, and {second} has none",
        13: f"{first} is of 'tower-1', and this row says 'tower-2'",
    }.items():
        assert f"s.csv:{line}: {text}" in told


HEAD = '{"format": "batchgen/marks@1", '


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "mark;id;note\nkept;tower-1;schön\n", "a.csv:2:17: the byte 0xf6 is not UTF-8, in Windows"),
        ("a.csv", "asset,mark\nasset_x,kept\n", "has no column 'asset_id' and none 'id', which say what"),
        ("a.csv", "id,marks\ntower-1,kept\n", "a.csv:1: has no column 'mark'; there are id, marks"),
        ("a.csv", "", "is empty"),
        ("a.xlsx", "PK", "marks are read from a .json file, as the page exports it, or a .csv or .tsv table"),
        ("a.json", '{"marks": [', "a.json:1:12: is not JSON"),
        ("a.json", '["tower-1"]', "is no file of marks: it has no format 'batchgen/marks@1'"),
        ("a.json", HEAD.replace("@1", "@2") + '"marks": []}', "its format is 'batchgen/marks@2', not"),
        (
            "a.json",
            HEAD + '"batch": "b", "marks": []}',
            "has the marks of batch 'b', and this is batch 'spring'",
        ),
        ("a.json", HEAD + '"marks": {}}', "has no list 'marks'"),
        ("a.json", HEAD + '"marks": [\n7]}', "a.json:2: is not an object"),
        ("a.json", HEAD + '"marks": [{"job": "tower-1", "mark": 1}]}', "expected text, not 1"),
        ("a.json", HEAD + '"marks": [\n{"job": "tower-1", "mark": ""}]}', "a.json:2: has no mark; write"),
        (
            "a.json",
            HEAD + '"marks": [\n{"job": "tower-1", "mark": "maybe"}]}',
            'a.json:2: the mark is "maybe"; write kept, rejected or none',
        ),
    ],
)
def test_a_file_that_is_none_of_marks_is_refused(desk: Desk, name: str, text: str, told: str) -> None:
    assert told in desk.refused("--from", desk.write(name, text, "cp1252"))


def test_a_selection_takes_the_jobs_of_exported_marks_whatever_they_are(desk: Desk) -> None:
    desk.document(
        *({"asset_id": "x", "job": f"tower-{n}", "mark": mark} for n, mark in ((1, "kept"), (3, "none")))
    )
    desk.mark("rejected", "@marks.json")
    assert desk.marks() == ["rrrr", "----", "rrrr", "no file"]


# The kind: somebody else has the batch. A run writes the marks itself; who is no run is waited for.
def test_while_a_run_has_the_batch_its_results_are_left_to_it(desk: Desk) -> None:
    before = desk.marks()
    store = FileStore(Path("output"))
    runs = store.runs()
    assert runs is not None
    with runs, store.read() as file, store.hold("spring", stamp=time.time()):
        [scope] = file.scopes()
        now = time.time()
        kept = RunKept(token="t", scope=scope, pid=os.getpid(), host="h", began_at=now, seen_at=now)
        runs.begin(kept)
        assert desk("mark", "kept", "tower-1") == (
            0,
            "4 kept",
            "the run that goes on writes them into its results",
        )
        assert desk.marks() == before
        assert desk("status", target="spring")[1].count("1 kept") == 1
        runs.end(kept)
    assert desk.mark("kept", "tower-1", "tower-2") == "4 kept; 4 as before"
    assert desk.marks()[:2] == ["kkkk", "kkkk"]


def test_whoever_else_has_the_batch_is_waited_for(desk: Desk) -> None:
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with FileStore(Path("output")).hold("spring", stamp=time.time()):
            held.set()
            released.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    threading.Timer(0.4, released.set).start()
    assert desk.mark("kept", "tower-1") == "4 kept"
    thread.join()
    assert desk.marks()[0] == "kkkk"


def test_a_run_keeps_marks_in_its_results(desk: Desk) -> None:
    desk.mark("kept", "tower-1")
    assert desk("run", "--yes", "-q")[0] == 0
    assert desk.marks() == ["kkkk", "----", "----", "-"]
    assert desk.jobs[3]["status"] == "succeeded"


# --- a chain that goes through what a person keeps

CHAIN = """\
version: 1
batch: spring
jobs:
  - entry: knight
    id: "knight-{n}"
    prompt: "a knight, number {n}"
    model: model_bfl-flux-1-dev
    matrix: {n: [1, 2, 3]}
    params: {numOutputs: 2}
  - entry: cut
    id: "{job}-cut"
    from: {jobs: knight, only: "mark:kept"}
    model: model_birefnet-background-removal
    params: {image: {job: "{job}"}}
    tags: [cut]
  - id: "{job}-again"
    from: {jobs: cut}
    model: model_birefnet-background-removal
    params: {image: {job: "{job}"}}
"""


@pytest.fixture
def chain(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in [one for one in os.environ if one.startswith("SCENARIO")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path, capsys)
    desk.write("jobs.yaml", CHAIN)
    return desk


def run_again(desk: Desk, *words: str) -> tuple[list[str], str]:
    """Run the batch and return the ids of its jobs, and the line that says who waits."""
    status, out, err = desk("run", "--yes", *words)
    assert status == 0
    line = next((one for one in (out + err).splitlines() if "decision" in one or "left out" in one), "")
    assert {one["status"] for one in desk.jobs} == {"succeeded"}
    return [one["id"] for one in desk.jobs], line


def test_a_chain_is_fed_with_what_a_person_keeps_and_the_rest_waits_for_a_decision(chain: Desk) -> None:
    status, out, _ = chain("plan")
    assert status == 0
    assert (
        "6 jobs wait for your decision about 3 jobs (knight-1, knight-2, knight-3): once they are made" in out
    )
    assert "Plan: 3 to buy, 24 CU." in out
    ids, line = run_again(chain)
    assert ids == ["knight-1", "knight-2", "knight-3"]
    assert "`batchgen mark jobs.yaml --simulate kept knight-1 --asset 0` keeps the first" in line
    chain.mark("kept", "knight-2", "--asset", "1")
    chain.mark("rejected", "knight-3")
    plan = json.loads(chain("plan", "--json")[1])
    assert plan["to_submit"] == 2
    assert plan["undecided"] == ["knight-1-cut", "knight-3-cut", "knight-1-cut-again", "knight-3-cut-again"]
    ids, line = run_again(chain)
    assert ids == ["knight-1", "knight-2", "knight-3", "knight-2-cut", "knight-2-cut-again"]
    assert line.endswith("keeps the first; 2 jobs are left out behind rejected ones")
    cut = chain.jobs[3]
    assert cut["parents"] == [{"job": "knight-2", "asset_id": chain.jobs[1]["asset_ids"][1]}]
    assert (cut["entry"], cut["tags"], cut["vars"]["job"]) == ("cut", ["cut"], "knight-2")
    results = batchgen.Results.load("output/spring")
    assert results.undecided == ("knight-1-cut", "knight-3-cut", "knight-1-cut-again", "knight-3-cut-again")


def test_a_child_whose_parent_loses_its_mark_is_removed_and_back_when_it_is_marked_again(chain: Desk) -> None:
    run_again(chain)
    chain.mark("kept", "knight-1", "knight-2", "--asset", "0")
    run_again(chain)
    before = chain.jobs
    bought = {one["id"]: one["job_id"] for one in before}
    assert len(bought) == 7
    chain.mark("none", "knight-1")
    ids, _ = run_again(chain)
    assert ids == ["knight-1", "knight-2", "knight-3", "knight-2-cut", "knight-2-cut-again"]
    document = json.loads((chain.folder / "output/spring/results.json").read_text())
    assert [one["id"] for one in document["removed"]] == ["knight-1-cut", "knight-1-cut-again"]
    assert "0 to buy" in chain("plan")[1]
    chain.mark("kept", "knight-1", "--asset", "0")
    run_again(chain)
    assert {one["id"]: one["job_id"] for one in chain.jobs} == bought
    assert chain.jobs == before
    chain.mark("kept", "knight-1", "--asset", "1")
    chain.mark("none", "knight-1", "--asset", "0")
    plan = json.loads(chain("plan", "--json")[1])
    assert [one["id"] for one in plan["changed"]] == ["knight-1-cut", "knight-1-cut-again"], "another asset"


def test_words_that_mean_jobs_without_a_decision_say_so_and_buy_nothing(chain: Desk) -> None:
    run_again(chain)
    status, out, _ = chain("plan", "--only", "tag:cut", "--except", "knight-3*")
    assert status == 0
    assert "2 jobs wait for your decision about 2 jobs (knight-1, knight-2)" in out
    assert "Nothing to submit." in out
    told = chain.refused("kept", "knight-1-cut")
    assert "job 'knight-1-cut' waits until 'knight-1', which it goes through, is marked kept" in told


def test_before_the_parents_are_made_a_child_that_waits_brings_none_along(chain: Desk) -> None:
    status, out, _ = chain("plan", "--only", "knight-1-cut")
    assert (status, "Nothing to submit." in out) == (0, True)
    assert "comes along" not in out


def test_what_else_could_stand_there_is_a_problem_with_its_place(chain: Desk) -> None:
    for word, shown in (('"mark:rejected"', '"mark:rejected"'), ("7", "a number"), ("[a]", "a list")):
        chain.write("jobs.yaml", CHAIN.replace('"mark:kept"', word))
        status, _, err = chain("plan")
        assert status == 2
        assert "jobs.yaml:12:32: from.only: only mark:kept can stand here" in err
        assert f"not {shown}" in err
    chain.write("jobs.yaml", CHAIN.replace("jobs: knight,", 'files: "*.png",'))
    assert "only cannot stand beside files" in chain("plan")[2]


def test_a_job_that_waits_for_a_mark_is_neither_tried_again_nor_made_again(chain: Desk) -> None:
    run_again(chain)
    chain.mark("kept", "knight-1", "--asset", "0")
    run_again(chain)
    chain.mark("none", "knight-1")
    for name in ("redo", "retry"):
        status, _, err = chain(name, "knight-1-cut", "--simulate")
        assert (status, "waits until 'knight-1', which it goes through, is marked kept" in err) == (2, True)
    status, _, err = chain("redo", "tag:cut", "--simulate", "--yes")
    assert (status, "there is none to do this with" in err) == (2, True)
    chain.mark("kept", "knight-1", "--asset", "0")
    assert "0 to buy" in chain("plan")[1], "nothing was asked for meanwhile"
