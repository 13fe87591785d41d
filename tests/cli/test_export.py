"""A second tree under other names: what is ours there, what is others', what is said, and what is refused."""

import asyncio
import csv
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import batchgen
from batchgen.cli.main import run
from batchgen.journal.file_store import FileStore
from tests.support.made import Made, make, make_once

RECORD = ".batchgen-export.json"
NAMES = "{style?}/{id}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_once(tmp_path_factory)


@dataclass
class Desk:
    """A copy of the batch, from which is exported."""

    batch: Made
    to: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str, name: str = "export", to: Path | None = None) -> tuple[int, str, str]:
        where = ["--to", str(to or self.to)] if name == "export" and to != Path() else []
        status = run(self.batch.words(name, *where, *words))
        shown = self.capsys.readouterr()
        return status, shown.out, shown.err

    def json(self, *words: str) -> Any:
        return json.loads(self("--json", *words)[1])

    @property
    def tree(self) -> dict[str, bytes]:
        return tree(self.to)

    def edit(self, old: str, new: str) -> None:
        path = self.batch.folder / "jobs.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder but the record, by path."""
    found = {one.relative_to(folder).as_posix(): one for one in folder.rglob("*") if not one.is_dir()}
    return {path: one.read_bytes() for path, one in found.items() if path != RECORD}


@pytest.fixture
def desk(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    for name in [one for one in os.environ if one.startswith("SCENARIO")]:
        monkeypatch.delenv(name)
    return Desk(made.copied_to(tmp_path), tmp_path / "game" / "icons", capsys)


def test_files_get_the_names_of_the_template_with_the_bytes_that_they_have(desk: Desk) -> None:
    status, out, _ = desk(NAMES)
    assert status == 0
    assert "6 files of 5 jobs: 6 new" in out
    assert sorted(desk.tree) == [
        "flat/tower-1-flat.webp",
        "flat/tower-2-flat.webp",
        "keep.webp",
        "keep_2.webp",
        "pixel art/tower-1-pixel-art.webp",
        "pixel art/tower-2-pixel-art.webp",
    ]
    assert sorted(desk.tree.values()) == sorted(desk.batch.files.values())


def test_without_a_template_files_keep_their_names(desk: Desk) -> None:
    assert desk()[0] == 0
    assets = desk.batch.output / "spring" / "assets"
    assert desk.tree == tree(assets)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--only", "style=flat", "{n}"], {"1.webp", "2.webp"}),
        (["--only", "tag:cover", "--except", "n=2", "{style}"], {"flat.webp", "pixel art.webp"}),
        (["--only", "keep", "{rarity}-{index}"], {"rare-0.webp", "rare-1.webp"}),
        (["--only", "model:*flux*,entry:keep", "{kind}/{asset_id?}".replace("?", "")], None),
    ],
)
def test_only_the_selected_jobs_are_exported_and_only_they_need_names(
    desk: Desk, words: list[str], names: set[str] | None
) -> None:
    status, _, err = desk(*words)
    assert status == 0, err
    if names is not None:
        assert desk.tree.keys() == names
    else:
        assert all(one.startswith("image/asset_") for one in desk.tree)


def test_the_batch_may_be_named_and_a_run_may_hold_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.batch.folder)
    with FileStore(desk.batch.output).hold("spring", stamp=0.0):
        assert run(["export", "spring", "--to", str(desk.to)]) == 0
    assert len(desk.tree) == 6


def test_what_stays_the_same_is_not_written_again(desk: Desk) -> None:
    desk(NAMES, "--mapping", str(desk.batch.folder / "map.csv"))
    watched = [*desk.to.rglob("*"), desk.batch.folder / "map.csv"]
    before = {one: (one.stat().st_mtime_ns, one.stat().st_ino) for one in watched}
    status, out, _ = desk(NAMES, "--mapping", str(desk.batch.folder / "map.csv"))
    assert (status, "6 unchanged" in out) == (0, True)
    assert {one: (one.stat().st_mtime_ns, one.stat().st_ino) for one in watched} == before


def test_files_checked_out_anew_are_known_by_their_bytes(desk: Desk) -> None:
    desk(NAMES)
    for one in desk.to.rglob("*.webp"):
        os.utime(one, ns=(1, 1))
    assert "6 unchanged" in desk(NAMES)[1]


def test_another_template_says_what_is_left_over_and_prune_removes_it(desk: Desk) -> None:
    desk(NAMES)
    (desk.to / "flat" / "tower-1-flat.webp.meta").write_text("an engine's")
    (desk.to / "keep.webp").write_bytes(b"changed by somebody")
    told = desk.json("new/{id}")
    assert sorted([*told["stale"], *told["altered"]]) == sorted(
        set(desk.tree) - set(told["new"]) - {"flat/tower-1-flat.webp.meta"}
    )
    assert told["altered"] == ["keep.webp"]
    status, out, _ = desk("new/{id}", "--prune")
    assert (status, "6 unchanged" in out) == (0, True)
    assert set(desk.tree) == {*told["new"], "keep.webp", "flat/tower-1-flat.webp.meta"}
    assert not (desk.to / "pixel art").exists()


def test_a_job_that_is_gone_from_the_manifest_is_left_over(desk: Desk) -> None:
    desk(NAMES)
    desk.edit("n: [1, 2]", "n: [1]")
    told = desk.json(NAMES)
    assert told["stale"] == ["flat/tower-2-flat.webp", "pixel art/tower-2-pixel-art.webp"]
    assert (len(told["same"]), told["without_files"]) == (4, 0)


def test_a_job_without_a_file_is_counted_and_no_error(desk: Desk) -> None:
    desk.edit("n: [1, 2]", "n: [1, 2, 3]")
    status, out, _ = desk(NAMES)
    assert (status, "2 jobs have no file yet" in out) == (0, True)
    status, _, err = desk(NAMES, "--only", "n=3")
    assert (status, "of 2 jobs none has a file yet" in err) == (2, True)


def test_names_that_differ_in_case_alone_are_renamed_and_never_two(desk: Desk) -> None:
    desk("{id}", "--only", "keep")
    told = desk.json("{id}", "--only", "keep")
    assert told["same"] == ["keep.webp", "keep_2.webp"]
    status, _, _ = desk("KEEP", "--only", "keep")
    assert status == 0
    assert set(desk.tree) == {"KEEP.webp", "KEEP_2.webp"}


OTHERS: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_bytes(b"mine"),
    "an empty file": lambda path: path.write_bytes(b""),
    "a folder": lambda path: path.mkdir(),
    "a link": lambda path: path.symlink_to("/etc/hostname"),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a pipe": os.mkfifo,
    "another spelling": lambda path: path.with_name(path.name.upper()).write_bytes(b"mine"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_not_ours_stops_it_before_anything(desk: Desk, what: str) -> None:
    desk.to.mkdir(parents=True)
    OTHERS[what](desk.to / "keep_2.webp")
    before = [(one.name, one.lstat().st_mtime_ns) for one in desk.to.iterdir()]
    status, out, err = desk(NAMES)
    assert (status, out) == (2, "")
    assert "nothing was exported: 1 file" in err
    assert "keep_2.webp: " in err
    assert [(one.name, one.lstat().st_mtime_ns) for one in desk.to.iterdir()] == before
    replaced, _, _ = desk(NAMES, "--replace")
    assert replaced == (0 if what in {"a file", "an empty file"} else 2)


@pytest.mark.parametrize("kind", ["link", "file", "dangling", "other spelling", "not to be written"])
def test_a_folder_of_the_tree_that_is_none_of_ours_stops_it(desk: Desk, tmp_path: Path, kind: str) -> None:
    desk.to.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    flat = desk.to / "flat"
    match kind:
        case "link":
            flat.symlink_to(outside)
        case "dangling":
            flat.symlink_to(tmp_path / "nowhere")
        case "file":
            flat.write_text("a file")
        case "other spelling":
            (desk.to / "FLAT").mkdir()
        case _:
            flat.mkdir(mode=0o500)
            if os.access(flat, os.W_OK):
                flat.rmdir()  # root may write everywhere
                flat.write_text("")
    status, _, err = desk(NAMES)
    assert (status, "flat/tower-1-flat.webp: " in err) == (2, True)
    assert list(outside.iterdir()) == []
    assert len(list(desk.to.iterdir())) == 1


def test_a_file_that_was_changed_since_an_export_is_not_replaced(desk: Desk) -> None:
    desk("{id}")
    (desk.to / "keep.webp").write_bytes(b"retouched")
    record = (desk.to / RECORD).read_bytes()
    status, _, err = desk("{id}")
    assert (status, "keep.webp: it was changed since an export put it there" in err) == (2, True)
    assert (desk.to / "keep.webp").read_bytes() == b"retouched"
    assert (desk.to / RECORD).read_bytes() == record
    assert desk("{id}", "--replace")[0] == 0
    assert (desk.to / "keep.webp").read_bytes() in desk.batch.files.values()


def test_the_same_bytes_put_there_by_somebody_are_left_and_are_not_ours(desk: Desk) -> None:
    desk("{id}")
    (desk.to / RECORD).unlink()
    assert "6 unchanged" in desk("{id}")[1]
    assert desk.json("new/{id}")["stale"] == []


def test_two_batches_share_a_folder_and_neither_touches_the_files_of_the_other(
    desk: Desk, tmp_path: Path
) -> None:
    desk("{id}", "--only", "keep")
    other = tmp_path / "other"
    other.mkdir()
    manifest = (desk.batch.folder / "jobs.yaml").read_text().replace("batch: spring", "batch: autumn")
    second = make(other, manifest)
    words = second.words("export", "--to", str(desk.to), "{id}", "--only", "keep")
    assert run(words) == 2
    assert "an export of batch 'spring' put it there" in desk.capsys.readouterr().err
    assert run(second.words("export", "--to", str(desk.to), "autumn-{id}", "--only", "keep", "--prune")) == 0
    assert set(desk.tree) == {"keep.webp", "keep_2.webp", "autumn-keep.webp", "autumn-keep_2.webp"}
    assert "2 unchanged" in desk("{id}", "--only", "keep", "--prune")[1] + desk.capsys.readouterr().out


def _lose(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def _spoil(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("damage", "helps"),
    [(_lose, "run"), (_cut, "run"), (_spoil, "audit"), (lambda path: (path.unlink(), path.mkdir()), "run")],
)
def test_a_file_that_is_not_as_recorded_stops_all_with_the_command_that_helps(
    desk: Desk, damage: Callable[[Path], object], helps: str
) -> None:
    desk("{id}", "--only", "tag:cover")
    before = desk.tree
    damage(desk.batch.output / "spring" / "assets" / "keep_1.webp")
    status, out, err = desk("{id}")
    assert (status, out) == (8, "")
    assert "keep: assets/keep_1.webp" in err
    assert ("--collect-only" if helps == "run" else "--fix") in err
    assert desk.tree == before
    assert [one["id"] for one in desk.json("{id}")["lost"]] == ["keep"]
    assert not (desk.to / ".batchgen-export").exists()


def test_a_picture_that_a_person_has_changed_is_exported_as_it_is(desk: Desk) -> None:
    path = desk.batch.output / "spring" / "assets" / "keep_1.webp"
    Image.new("RGB", (24, 16), (200, 10, 10)).save(path)
    mapping = desk.batch.folder / "map.json"
    status, out, _ = desk("{id}", "--only", "keep", "--mapping", str(mapping))
    assert (status, "changed by hand, exported as they are: 1 file" in out) == (0, True)
    assert (desk.to / "keep_2.webp").read_bytes() == path.read_bytes()
    [_, row] = json.loads(mapping.read_text())["files"]
    assert (row["width"], row["height"]) == (24, 16)
    assert "2 unchanged" in desk("{id}", "--only", "keep", "--mapping", str(mapping))[1]


BAD_TEMPLATES = {
    "{colour}": "TEMPLATE:1: unknown variable {colour}",
    "x/{id": "TEMPLATE:3: a { opens no variable",
    "a/{style}/{ stile }": "TEMPLATE:11: unknown variable {stile}; did you mean style?",
    "../{id}": 'TEMPLATE: "../{id}" has .. for a folder; write a path from --to DIR',
    "/srv/{id}": "is a path from elsewhere",
    "C:{id}": "is a path from elsewhere",
    "a\\{id}": "has a backslash",
    "a//{id}": "has a folder without a name",
    "a/": "is a folder; write behind it",
    ".hidden/{id}": "a dot cannot begin a file name",
    "con/{id}": "Windows keeps this name for a device",
    "ab:{id}": "cannot stand in a file name",
    "{style}": "TEMPLATE: style is empty",
    "{slot}/{id}": "{slot} is that of the slot, and this batch has none",
    "{date}_{id}": "{date} is that of the slot",
    "{entry}": "would both be",
    "tower": "would both be",
    "keep": "--only keep exports that job alone",
    "{id}${NOSUCH}": "the environment variable NOSUCH is not set",
    "x" * 300: "bytes",
}


@pytest.mark.parametrize("template", BAD_TEMPLATES)
def test_a_template_that_names_no_files_is_refused_before_anything(desk: Desk, template: str) -> None:
    if template == "{style}":
        desk.edit("vars: {rarity: rare}", "vars: {rarity: rare, style: ''}")
    status, out, err = desk(template)
    assert (status, out) == (2, "")
    assert BAD_TEMPLATES[template] in err
    assert not desk.to.exists()
    assert json.loads(desk("--json", template)[1])["exit"] == 2


def test_folders_that_would_be_among_the_files_of_runs_are_refused(desk: Desk, tmp_path: Path) -> None:
    before = tree(desk.batch.output)
    link = tmp_path / "link"
    link.symlink_to(desk.batch.output / "spring")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "loop").symlink_to("loop")
    for folder, said in {
        desk.batch.output: "is inside",
        desk.batch.output / "spring": "is inside",
        desk.batch.output / "spring" / "assets" / "x": "is inside",
        link: "is inside",
        tmp_path / "file": "is no folder",
        tmp_path / "loop": "symbolic links",
        tmp_path / "loop" / "below": "symbolic links",
        tmp_path / "file" / "below": "a file is in the place of one of its folders",
    }.items():
        status, _, err = desk("{id}", to=folder)
        assert (status in {1, 2}, said in err) == (True, True), (folder, err)
    assert "would be inside" in desk("output/{id}", to=desk.batch.folder)[2]
    assert "would be inside" in desk("OUTPUT/{id}", to=desk.batch.folder)[2]
    assert "is inside" in desk("{id}", "--mapping", str(desk.batch.output / "map.csv"))[2]
    after = tree(desk.batch.output)
    assert {path for path in after if after[path] != before.get(path)} <= {"journal.db-shm", "journal.db-wal"}


def test_links_share_the_bytes_and_another_file_system_is_said(desk: Desk) -> None:
    assert desk("{id}", "--link")[0] == 0
    source = desk.batch.output / "spring" / "assets" / "keep_0.webp"
    assert (desk.to / "keep.webp").samefile(source)
    assert stat.S_IMODE((desk.to / "keep.webp").stat().st_mode) == stat.S_IMODE(source.stat().st_mode)
    assert "6 unchanged" in desk("{id}", "--link")[1]
    here = desk.batch.folder.stat().st_dev
    for elsewhere in (one for one in (Path("/dev/shm"), Path("/var/tmp")) if one.is_dir()):
        if elsewhere.stat().st_dev == here:
            continue
        folder = elsewhere / f"batchgen-{os.getpid()}"
        status, _, err = desk("{id}", "--link", to=folder)
        assert (status, "--copy" in err, folder.exists()) == (2, True, False)


def test_the_mapping_says_of_each_file_whose_it_is(desk: Desk) -> None:
    mapping = desk.to / "map.csv"
    desk(NAMES, "--mapping", str(mapping))
    with mapping.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("path", "job", "asset_id", "index", "entry", "model", "prompt", "tags", "kind", "type"),
        *("width", "height", "duration", "mark", "sha256", "var.n", "var.style", "var.rarity"),
    ]
    assert {row["path"] for row in rows} | {"map.csv"} == desk.tree.keys()
    last = rows[-1]
    assert (last["path"], last["job"], last["index"]) == ("keep_2.webp", "keep", "1")
    assert (last["prompt"], last["tags"], last["var.rarity"]) == ('\'=a "keep"', "draft wide", "rare")
    assert (rows[0]["entry"], rows[0]["var.n"], rows[0]["var.style"]) == ("towers", "1", "flat")
    desk(NAMES, "--mapping", str(desk.to / "map.json"))
    document = json.loads((desk.to / "map.json").read_text())
    assert document["format"] == "batchgen/mapping@1"
    assert [one["sha256"] for one in document["files"]] == [row["sha256"] for row in rows]
    assert document["files"][0]["var.n"] == 1


def test_a_mapping_that_a_person_has_filled_in_is_not_written_over(desk: Desk) -> None:
    mapping = desk.batch.folder / "map.csv"
    words = (NAMES, "--mapping", str(mapping))
    desk(*words)
    desk.edit("tags: [cover]", "tags: [poster]")
    assert desk(*words)[0] == 0, "one that nobody has touched is written anew"
    assert "poster" in mapping.read_text(encoding="utf-8-sig")
    mapping.write_text("job,mark\nkeep,kept\n")
    status, _, err = desk(*words)
    assert (status, "it was changed since an export wrote it" in err) == (2, True)
    assert mapping.read_text() == "job,mark\nkeep,kept\n"
    assert desk(*words, "--replace")[0] == 0
    mapping.unlink()
    mapping.mkdir()
    assert desk(*words)[0] == 2


@pytest.mark.parametrize("name", ["keep.webp", "keep.webp/x.csv", RECORD, ".batchgen-export/x.csv"])
def test_a_mapping_with_the_place_of_a_file_is_refused(desk: Desk, name: str) -> None:
    status, _, err = desk("{id}", "--mapping", str(desk.to / name))
    assert (status, "--mapping" in err, desk.to.exists()) == (2, True, False)


def test_lines_are_the_jobs_of_the_results_with_the_paths_of_the_export(desk: Desk) -> None:
    status, out, err = desk("--jsonl", to=Path())
    assert (status, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == desk.batch.results["jobs"]
    status, out, err = desk(NAMES, "--jsonl", "--only", "keep")
    [line] = map(json.loads, out.splitlines())
    assert [one["path"] for one in line["files"]] == ["keep.webp", "keep_2.webp"]
    assert (status, "2 files of 1 job: 2 new" in err) == (0, True)


def test_words_that_do_not_go_together_are_refused(desk: Desk) -> None:
    assert desk(to=Path())[0] == 2
    assert desk("{id}", "--jsonl", to=Path())[0] == 2
    assert desk("--jsonl", "--json")[0] == 2
    assert "--to is empty" in desk("{id}", "--to", "")[2]
    assert "names no file" in desk("")[2]
    assert "--jsonl" in desk("--mapping", "-")[2]
    assert "did you mean" in desk("{id}", "--only", "tag:cver")[2]
    assert desk("{id}", "--only", "keep", "--except", "keep")[0] == 2


def test_a_batch_that_was_never_run_says_how_to_begin(desk: Desk) -> None:
    shutil.rmtree(desk.batch.output)
    status, _, err = desk("{id}")
    assert (status, "there is nothing to export yet" in err) == (2, True)
    assert "there is nothing to write yet" in desk("--jsonl", to=Path())[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"format": "batchgen/export@9"}',
        '{"format": "batchgen/export@1", "files": []}',
        '{"format": "batchgen/export@1", "files": {"a": {"sha256": 1}}}',
        '{"format": "batchgen/export@1", "files": {"a": 7}}',
    ],
)
def test_a_record_that_is_none_is_told_and_nothing_is_touched(desk: Desk, text: str) -> None:
    desk("{id}")
    (desk.to / RECORD).write_text(text)
    before = desk.tree
    status, _, err = desk("new/{id}", "--prune")
    assert (status, RECORD in err, "move it away" in err) == (2, True, True)
    assert desk.tree == before


def test_a_record_of_somebody_leads_nowhere_else(desk: Desk, tmp_path: Path) -> None:
    """The kind: a record comes with a checkout, and may say anything: out, up, through a link, hidden."""
    desk("{id}")
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (desk.to / "link").symlink_to(tmp_path)
    (desk.to / ".hidden").write_text("mine")
    found = victim.stat()
    document = json.loads((desk.to / RECORD).read_text())
    [one, *_] = document["files"].values()
    put = {**one, "sha256": hashlib.sha256(b"mine").hexdigest(), "bytes": 4, "modified": found.st_mtime_ns}
    for path in (
        "../../victim.txt",
        str(victim),
        "link/victim.txt",
        ".hidden",
        "a/../../../victim.txt",
        "..",
    ):
        document["files"][path] = put
    (desk.to / RECORD).write_text(json.dumps(document))
    assert desk("{id}", "--prune")[0] == 0
    assert (victim.read_text(), (desk.to / ".hidden").read_text()) == ("mine", "mine")


@pytest.fixture
def slots(tmp_path_factory: pytest.TempPathFactory) -> Made:
    manifest = (
        "version: 1\nbatch: spring\nperiod: day\n"
        "defaults: {model: model_bfl-flux-1-dev, params: {width: 128, height: 128}}\n"
        "jobs:\n  - {id: keep, prompt: a keep}\n"
    )
    return make_once(tmp_path_factory, manifest)


def test_a_slot_is_exported_under_its_own_name(slots: Made, capsys: pytest.CaptureFixture[str]) -> None:
    to = slots.folder / "game"
    assert run(slots.words("export", "--to", str(to), "{date}/{slot}-{id}")) == 0
    assert "of slot '20" in capsys.readouterr().out
    [path] = tree(to)
    day = path.partition("/")[0]
    assert path == f"{day}/{day}-keep.webp"
    assert run(slots.words("export", "--to", str(to), "--prune", "--slot", day)) == 0
    assert list(tree(to)) == ["keep_0.webp"]


def test_python_exports_as_the_command_does(desk: Desk) -> None:
    def export(template: str, **more: Any) -> Any:
        path = desk.batch.folder / "jobs.yaml"
        return asyncio.run(
            batchgen.export(path, desk.to, template, output=desk.batch.output, simulate=True, **more)
        )

    done = export("{id}", only="keep", mapping=desk.batch.folder / "map.json")
    assert (sorted(desk.tree), done.exit) == (["keep.webp", "keep_2.webp"], batchgen.Exit.DONE)
    assert export("{id}", only="keep").same == ("keep.webp", "keep_2.webp")
    with pytest.raises(batchgen.ManifestError, match="TEMPLATE:1: unknown variable"):
        export("{colour}")


def test_what_is_made_again_and_restored_is_exported_as_it_stands(desk: Desk) -> None:
    desk("{id}")
    before = desk.tree
    assert desk("keep", "--simulate", "--yes", name="redo")[0] == 0
    told = desk.json("{id}")
    assert (told["replaced"], len(told["same"])) == (["keep.webp", "keep_2.webp"], 4)
    assert all(desk.tree[path] != before[path] for path in told["replaced"])
    assert desk("keep", "--simulate", name="restore")[0] == 0
    assert desk.json("{id}")["replaced"] == ["keep.webp", "keep_2.webp"]
    assert desk.tree == before


def test_only_what_is_kept_is_exported_and_goes_again_when_it_is_not(desk: Desk) -> None:
    words = ("{id}", "--only", "mark:kept", "--prune", "--mapping", str(desk.batch.folder / "m.json"))
    assert desk(*words)[0] == 2, "nothing is kept"
    run(desk.batch.words("mark", "--simulate", "kept", "keep", "tower-1-flat"))
    assert desk(*words)[0] == 0
    assert set(desk.tree) == {"keep.webp", "keep_2.webp", "tower-1-flat.webp"}
    rows = json.loads((desk.batch.folder / "m.json").read_text())["files"]
    assert {row["mark"] for row in rows} == {"kept"}
    run(desk.batch.words("mark", "--simulate", "none", "keep"))
    assert desk(*words)[0] == 0
    assert set(desk.tree) == {"tower-1-flat.webp"}


def test_marks_and_ids_of_assets_mean_files_and_not_all_of_their_job(desk: Desk) -> None:
    first, second = next(one["asset_ids"] for one in desk.batch.results["jobs"] if one["id"] == "keep")
    run(desk.batch.words("mark", "--simulate", "kept", second))
    run(desk.batch.words("mark", "--simulate", "rejected", first, "tower-1-flat"))
    desk.capsys.readouterr()
    for words, paths in {
        ("--only", "mark:kept"): {"keep_2.webp"},
        ("--only", "keep", "--except", "mark:rejected"): {"keep_2.webp"},
        ("--only", first): {"keep.webp"},
        ("--only", "mark:kept", "--only", first): {"keep.webp", "keep_2.webp"},
        ("--only", "keep"): {"keep.webp", "keep_2.webp"},
    }.items():
        assert desk("{id}", "--prune", *words)[0] == 0, words
        assert set(desk.tree) == paths, words
    line = json.loads(desk("{id}", "--jsonl", "--only", "mark:kept")[1])
    assert [one["path"] for one in line["files"]] == ["keep_2.webp"]


@pytest.mark.parametrize("place", ["jobs.yaml/map.csv", "nowhere/map.csv", "game", "loop/map.csv"])
def test_a_mapping_that_cannot_be_written_is_found_before_anything(desk: Desk, place: str) -> None:
    (desk.batch.folder / "nowhere").symlink_to("not-there")
    (desk.batch.folder / "loop").symlink_to("loop")
    (desk.batch.folder / "game").mkdir()
    status, _, err = desk("{id}", "--mapping", str(desk.batch.folder / place))
    assert (status, "folder" in err, desk.to.exists()) == (2, True, False), err


def test_a_batch_whose_files_are_not_fetched_says_so(desk: Desk) -> None:
    shutil.rmtree(desk.batch.output)
    desk.edit("batch: spring", "batch: spring\noutput: {download: false}")
    assert desk("--simulate", "--yes", "-q", name="run")[0] == 0
    status, _, err = desk("{id}")
    assert (status, "output: download" in err) == (2, True)
