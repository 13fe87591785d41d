"""One language for jobs in every command that takes some: what it buys, shows, writes, and refuses."""

import asyncio
import io
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import batchgen
from batchgen.cli.main import run
from tests.support.report_page import data_of

MANIFEST = """\
version: 1
batch: spring
output: {download: false}
defaults: {model: model_bfl-flux-1-dev}
jobs:
  - {entry: town, id: "tower-{n}", prompt: "a tower, number {n}", matrix: {n: [1, 2, 3]}, tags: [cover]}
  - {id: "hero-{name}", from: heroes.csv, prompt: "a hero called {name}", tags: [draft]}
  - {id: keep, prompt: a keep, model: model_imagen4-ultra}
"""
HEROES = "name,rarity,power,known\nann,rare,007,true\nbob,common,1.50,false\neve,rare,3,true\n"


@dataclass
class Desk:
    """A folder with a manifest, in which commands are called."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, name: str, *words: str, target: str = "") -> tuple[int, str, str]:
        simulate = [] if name in {"status", "report"} else ["--simulate"]
        where = [target or str(self.folder / "jobs.yaml"), "-o", str(self.folder / "output")]
        status = run([name, *where, *simulate, *words])
        shown = self.capsys.readouterr()
        return status, shown.out, shown.err

    def json(self, name: str, *words: str) -> Any:
        return json.loads(self(name, "--json", *words)[1])

    def done(self) -> list[str]:
        document = json.loads((self.folder / "output" / "spring" / "results.json").read_text())
        return [one["id"] for one in document["jobs"] if one["status"] == "succeeded"]

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in [one for one in os.environ if one.startswith("SCENARIO")]:
        monkeypatch.delenv(name)
    made = Desk(tmp_path, capsys)
    made.write("jobs.yaml", MANIFEST)
    made.write("heroes.csv", HEROES)
    return made


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["tower-*", "--except", "n=2"], ["tower-1", "tower-3"]),
        (["--only", "entry:town"], ["tower-1", "tower-2", "tower-3"]),
        (["--only", "tag:draft,rarity=rare"], ["hero-ann", "hero-eve"]),
        (["--only", "power=007", "--only", "power=1.50"], ["hero-ann", "hero-bob"]),
        (["--only", "known=true"], ["hero-ann", "hero-eve"]),
        (["--only", "model:*imagen*"], ["keep"]),
        (["--only", "status:new,rarity=*", "--limit", "1"], ["hero-ann"]),
        (["hero-*", "--only", "rarity=common"], ["hero-bob"]),
        (["--except", "tag:*"], ["keep"]),
    ],
)
def test_a_plan_shows_what_is_selected_and_what_the_rest_would_cost(
    desk: Desk, words: list[str], meant: list[str]
) -> None:
    told = desk.json("plan", *words)
    shown = [one["id"] for one in told["jobs"]]
    assert shown == meant if "--limit" not in words else meant[0] in shown
    assert told["to_submit"] == sum(told["counts"].values()) if "--limit" not in words else 1
    assert told["selected"] == {"jobs": len(shown), "of": 7}
    assert (told["rest"]["jobs"], told["rest"]["unpriced"]) == (7 - len(meant), 0)
    assert told["rest"]["high"] + told["cost"]["high"] == 6 * 4 + 8
    out = desk("plan", *words)[1]
    assert f"  the rest: {7 - len(meant)} jobs, about {told['rest']['high']:g} CU\n" in out
    assert f"spring: {len(shown)} of 7 jobs at simulator\n" in out


def test_a_plan_of_all_has_no_rest_and_a_budget_speaks_of_what_is_selected(desk: Desk) -> None:
    told = desk.json("plan")
    assert (told["selected"], told["rest"]) == (None, None)
    fits = desk.json("plan", "tower-*", "--budget", "8")["fits"]
    assert (fits["jobs"], fits["of"]) == (2, 3)
    rest = desk.json("plan", "--limit", "2")["rest"]
    assert {name: rest[name] for name in ("jobs", "low", "high", "unpriced")} == {
        "jobs": 5,
        "low": 24,
        "high": 24,
        "unpriced": 0,
    }


def test_a_run_buys_what_is_selected_and_says_what_is_left(desk: Desk) -> None:
    status, out, err = desk("run", "--json", "tower-*", "--except", "n=2")
    left = json.loads(out)["left_out"]
    assert (status, left.pop("estimated")) == (0, {"jobs": 0, "cost": 0})
    assert left == {"jobs": 5, "of": 7, "cost": 24, "unpriced": 0}
    assert "5 jobs were left out as asked, of 7; the rest would cost 24 CU" in err
    assert desk.done() == ["tower-1", "tower-3"]
    assert desk("run", "--only", "rarity=rare", "--only", "tower-1", "--limit", "1")[0] == 0
    assert desk.done() == ["tower-1", "tower-3", "hero-ann"]
    assert desk("run", "--dry-run", "--only", "status:not-bought")[1].endswith("Plan: 4 to buy, 20 CU.\n")

    picks = desk.write("picks.txt", "\ufeff# kept\r\n\r\nhero-eve\r\n  tag:cover,n=2\r\n")
    assert desk("run", "--quiet", f"@{picks}")[0] == 0
    assert desk.done() == ["tower-1", "tower-2", "tower-3", "hero-ann", "hero-eve"]

    [all_of_it] = desk.json("status")
    [some] = desk.json("status", "--only", "entry:town", "--only", "keep")
    assert (some["jobs"], some["of"], some["counts"]["done"], some["charged"]) == (4, 7, 3, 12)
    assert (some["counts"]["not_bought"], all_of_it["counts"]["not_bought"]) == (1, 2)
    assert "of" not in all_of_it
    assert desk("status", "status:done", "--except", "hero-*")[1].startswith(
        "spring at simulator, 3 of 7 jobs: 3 of 3 done; 12 compute units charged"
    )
    told = desk.json("audit", "--offline", "tower-1", "hero-bob")
    assert (told["submissions"], told["left_out"]) == (1, {"jobs": 4, "submissions": 4})
    told = desk.json("audit", "--only", f"@{picks}")
    assert (told["submissions"], told["left_out"]) == (2, {"jobs": 3, "submissions": 3})
    assert (
        "left out, as not selected: 3 jobs on record, with 3 submissions\n" in desk("audit", f"@{picks}")[1]
    )


def test_a_job_that_the_manifest_has_no_more_is_found_by_id_model_and_status(desk: Desk) -> None:
    assert desk("run", "tower-*")[0] == 0
    desk.write("jobs.yaml", MANIFEST.replace("[1, 2, 3]", "[2, 3]").replace("a tower, n", "a tower n"))
    [gone] = desk.json("status", "tower-1")
    assert (gone["jobs"], gone["removed"], gone["charged"]) == (0, 1, 4)
    [changed] = desk.json("status", "tower-2")  # as it is now, and as it was bought
    assert (changed["jobs"], changed["removed"], changed["counts"]["not_bought"]) == (1, 1, 1)
    assert [one["id"] for one in desk.json("plan", "tower-1")["removed"]] == ["tower-1"]
    [some] = desk.json("status", "--only", "tag:cover")
    assert (some["jobs"], some["removed"]) == (2, 0)
    assert desk("run", "--fresh", "tower-1")[0] == 2  # never all, where none of it can be bought


def test_what_was_accepted_and_forgotten_is_selected_the_same_way(desk: Desk) -> None:
    assert desk("run", "tower-*")[0] == 0
    desk.write("jobs.yaml", MANIFEST.replace("a tower, n", "a tower n"))
    out = desk("accept", "--only", "entry:town", "--except", "n=1")[1]
    assert [one.partition(":")[0] for one in out.splitlines()] == ["tower-2", "tower-3"]
    out = desk("accept", "tower-*")[1]
    assert out.splitlines()[1:] == [f"tower-{n}: keeps what was bought already" for n in (2, 3)]
    assert desk("forget", "--only", "n=2")[1] == "tower-2: changed; the next run buys it\n"
    assert desk("forget", "n=2")[0] == 2
    for name in ("accept", "forget", "retry"):
        status, _, err = desk(name, "--except", "keep")
        assert (status, "Error: name the jobs: JOB, or --only" in err) == (2, True)


# The kind: a word that means nothing. No command does anything then, and each says where the word stands.
WRONG = (
    (["tower-1", "castle"], "JOB 2: no job 'castle' in this manifest"),
    (["--only", "tag:covr"], "--only: no job has a tag 'covr'; did you mean 'cover'?"),
    (["--only", "mark:kept"], "no job has the mark 'kept'; there are 'none'"),
    (["--only", "mark:keep"], "no mark is called 'keep'; did you mean 'kept'?"),
    (["--only", "*", "--except", "heros-*"], "--except: no job in this manifest has an id like 'heros-*'"),
    (["--only", "@picks.txt"], "picks.txt:2: no job has an entry 'towns'; did you mean 'town'?"),
    (["--only", "@picks.json"], "picks.json: jobs[1]: no job 'tower-9' in this manifest"),
    (["--only", "@none.txt"], "none.txt: there is no such file"),
    (["--only", "@empty.txt"], "empty.txt: there is no word in it"),
    (["--only", "@marks.json"], "marks.json: is no list of ids, and has no list 'jobs'"),
    (["--only", "@broken.json"], "broken.json:1:10: is not JSON"),
    (["--only", "@latin.txt"], "latin.txt:1:7: the byte 0xe9 is not UTF-8"),
    (["tower-1", "--only", "keep"], "no job is meant both by JOB and by --only"),
)


def test_where_a_word_means_nothing_no_command_does_anything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
    desk.write("picks.txt", "tower-1\nentry:towns\n")
    desk.write("picks.json", json.dumps({"jobs": [{"id": "tower-1", "more": 1}, "tower-9"]}))
    desk.write("marks.json", json.dumps({"marks": {"tower-1": "kept"}}))
    desk.write("empty.txt", "# nothing yet\n\n")
    desk.write("broken.json", '{"jobs": tower}')
    (desk.folder / "latin.txt").write_bytes(b"tower-\xe9")

    def refused(*commands: str, wrong: Sequence[tuple[list[str], str]] = WRONG[:3]) -> None:
        for name in commands:
            for words, told in wrong:
                status, _, err = desk(name, *words)
                assert (status, told in err) == (2, True), (name, words, err)

    refused("run", wrong=WRONG)
    refused("plan")
    assert not (desk.folder / "output" / "spring").exists()
    desk("run", "tower-1", "--quiet")
    before = (desk.folder / "output" / "spring" / "report.html").read_bytes()
    refused("plan", "run", "retry", "accept", "forget", "resolve", "status", "audit", "report")
    assert desk.done() == ["tower-1"]
    assert (desk.folder / "output" / "spring" / "report.html").read_bytes() == before


def test_what_is_wrong_with_jobs_that_nobody_asked_for_stops_no_plan(desk: Desk) -> None:
    desk.write("jobs.yaml", MANIFEST.replace("model_imagen4-ultra", "model_imagen4-utlra"))
    assert desk("plan")[0] == 2
    status, out, _ = desk("plan", "tower-1")
    assert (status, "  the rest: 6 jobs whose price is unknown\n" in out) == (0, True)
    assert desk("run", "tower-1", "--quiet")[0] == 0


def test_the_status_of_a_batch_whose_manifest_is_gone_needs_no_manifest(desk: Desk) -> None:
    assert desk("run", "tower-*", "keep", "--quiet")[0] == 0
    (desk.folder / "jobs.yaml").rename(desk.folder / "moved.yaml")
    for words, charged in ((["tower-*"], 12), (["--only", "model:*imagen*"], 8), (["status:done"], 20)):
        status, out, _ = desk("status", *words, target="spring")
        assert (status, f"{charged} compute units charged" in out) == (0, True)
    status, _, err = desk("status", "--only", "entry:town", target="spring")
    assert status == 2
    assert "--only: 'entry:town' needs the manifest, and it cannot be read: the manifest of batch" in err
    assert "no job 'castle' on record" in desk("status", "castle", target="spring")[2]
    assert run(["status", "-o", str(desk.folder / "output"), "--only", "keep"]) == 2
    assert "name the batch, or its manifest" in desk.capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what shows it goes on
def test_a_report_is_of_all_jobs_or_beside_it_of_some(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, err = desk("report")
    assert (status, "there is nothing to show yet" in err) == (2, True)
    assert desk("run", "tower-*", "--quiet")[0] == 0
    whole, some = (desk.folder / "output" / "spring" / name for name in ("report.html", "selection.html"))
    whole.unlink()
    assert desk("report")[:2] == (0, f"{whole}\n")  # of a rehearsal, without a key and without being told
    before = whole.read_text()
    assert len(data_of(whole)["jobs"]) == 7
    shown = desk.write("shown", "")
    opener = desk.folder / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$@" >> {shown}\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(desk.folder), prepend=os.pathsep)
    assert desk("report", "tag:cover", "--except", "tower-1", "--open", target="spring")[:2] == (
        0,
        f"{some}\n",
    )
    page = some.read_text()
    assert (len(data_of(some)["jobs"]), "2 of 7 jobs: tag:cover --except tower-1" in page) == (2, True)
    assert whole.read_text() == before
    while not Path(shown).read_text():  # it is started, and not waited for
        os.sched_yield()
    assert Path(shown).read_text() == f"{some}\n"


def test_a_page_is_sent_as_one_file_or_as_a_zip(desk: Desk) -> None:
    assert desk("run", "tower-*", "--quiet")[0] == 0
    home = desk.folder / "output" / "spring"
    status, out, err = desk("report", "--single-file")
    assert (status, out) == (0, f"{home / 'spring.html'}\n")
    assert "0 pictures" in err
    assert "<b>Rehearsal.</b>" in (home / "spring.html").read_text()
    assert desk("report", "tower-1", "--single-file")[1] == f"{home / 'spring-selection.html'}\n"
    sent = desk.folder / "sent.zip"
    status, out, err = desk("report", "tower-1", "--zip", str(sent))
    assert (status, out, "the page and 0 files" in err) == (0, f"{sent}\n", True)
    with zipfile.ZipFile(sent) as archive:
        assert archive.namelist() == ["spring-selection/selection.html"]
    status, _, err = desk("report", "--zip", str(desk.folder / "jobs.yaml"))
    assert (status, "jobs.yaml is there and is no zip" in err) == (2, True)
    status, _, err = desk("report", "--zip", str(sent), "--single-file")
    assert (status, "choose one" in err) == (2, True)


def test_the_page_of_a_slot_lies_in_its_folder(desk: Desk) -> None:
    for slot in ("one", "two"):
        assert desk("run", "tower-*", "--period", slot, "--quiet")[0] == 0
    folder = desk.folder / "output" / "spring" / "slots"
    text = MANIFEST.replace("output:", "period: two\noutput:")
    desk.write("jobs.yaml", text)
    assert desk("report", "tower-1")[:2] == (0, f"{folder / 'two' / 'selection.html'}\n")
    assert desk("report", "keep", "--slot", "one")[:2] == (0, f"{folder / 'one' / 'selection.html'}\n")
    assert desk("report", "--slot", "one")[:2] == (0, f"{folder / 'one' / 'report.html'}\n")
    desk.write("jobs.yaml", text.replace("two", "three"))
    status, _, err = desk("report")
    assert (status, "there are the slots 'one', 'two': --slot" in err) == (2, True)
    some = desk.json("status", "tower-1", "hero-ann")
    assert [(one["slot"], one["jobs"], one["counts"]["done"]) for one in some] == [
        ("one", 2, 1),
        ("two", 2, 1),
    ]


def test_standard_input_is_a_list_of_words_that_is_read_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = io.TextIOWrapper(io.BytesIO(b"tower-1\n# no\nhero-ann\n"))
    monkeypatch.setattr("sys.stdin", typed)
    told = desk.json("plan", "--only", "@-,tag:cover", "--only", "@-,tag:draft")
    assert [one["id"] for one in told["jobs"]] == ["tower-1", "hero-ann"]


def test_only_collecting_goes_with_no_words(desk: Desk) -> None:
    for words in (["tower-1"], ["--only", "keep"], ["--except", "keep"]):
        status, _, err = desk("run", "--collect-only", *words)
        assert (status, "--collect-only buys nothing: not with JOB, --only" in err) == (2, True)


def test_a_fresh_slot_begins_with_the_jobs_as_they_stood_before_it(desk: Desk) -> None:
    assert desk("run", "tower-1", "tower-2", "--quiet")[0] == 0
    words = ("--fresh", "--allow", "unfinished-slot", "--only", "status:done", "--except", "n=2")
    assert desk("run", "--dry-run", *words)[1].endswith("Plan: 1 to buy, 4 CU.\n")
    assert desk("run", *words)[0] == 0
    assert desk.done() == ["tower-1"]
    assert sorted(one["counts"]["done"] for one in desk.json("status")) == [1, 2]


def test_python_speaks_the_same_language_and_no_word_is_not_every_job(desk: Desk) -> None:
    manifest, output = desk.folder / "jobs.yaml", desk.folder / "output"

    async def tried() -> None:
        call: Callable[..., Any] = batchgen.plan
        plan = await call(manifest, output=output, simulate=True, only=["tower-*"], except_="n=2")
        assert [one.id for one in plan.jobs] == ["tower-1", "tower-3"]
        assert (plan.cost.high, plan.rest and plan.rest.high) == (Decimal(8), Decimal(24))
        with pytest.raises(batchgen.InputError, match="there is no word in it"):
            await batchgen.run(manifest, output=output, simulate=True, only=[])
        with pytest.raises(batchgen.InputError, match="no job 'castle' in this manifest"):
            await batchgen.run(manifest, output=output, simulate=True, only="castle")
        results = await batchgen.run(manifest, output=output, simulate=True, only="keep")
        assert [one.id for one in results.jobs if one.ok] == ["keep"]
        audit = await batchgen.audit(manifest, output=output, simulate=True, offline=True, only="tower-*")
        assert audit.left_out is not None
        assert (audit.submissions, audit.left_out.jobs) == (0, 1)

    asyncio.run(tried())
