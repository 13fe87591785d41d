"""``from: {files: ...}``: which files are rows, in which order, and what is said where none are."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.identity import content_key
from batchgen.manifest.source.problems import Place
from batchgen.manifest.tables import globs
from batchgen.manifest.tables.globs import read_files
from tests.manifest.conftest import Complain, Read

AT = Place("jobs.yaml", 3, 4)
LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")


def make(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(path)


def found(*patterns: str, environ: Mapping[str, str] | None = None) -> list[str]:
    table, wrong = read_files(Path(), [(one, AT) for one in patterns], environ or {})
    assert wrong == []
    assert table is not None
    return [str(one["path"]) for one in table.all_values(["path"], range(len(table.rows)))]


def refused(*patterns: str, environ: Mapping[str, str] | None = None) -> list[str]:
    table, wrong = read_files(Path(), [(one, AT) for one in patterns], environ or {})
    assert table is None
    assert {place for place, _ in wrong} == {AT}
    return [text.replace(str(Path.cwd()), "FOLDER") for _, text in wrong]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_row_has_the_path_the_name_with_and_without_type_and_the_folder() -> None:
    make("scans/a/x.tar.gz", "top.png")
    table, _ = read_files(Path(), [("**/*", AT)], {})
    assert table is not None
    assert list(table.all_values(globs.COLUMNS, range(2))) == [
        {"path": "scans/a/x.tar.gz", "stem": "x.tar", "name": "x.tar.gz", "folder": "scans/a"},
        {"path": "top.png", "stem": "top", "name": "top.png", "folder": ""},
    ]
    assert table.place(0) == AT


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("*.png", ["a.png", "b.PNG"]),
        ("*.PNG", ["a.png", "b.PNG"]),  # upper and lower case alike, on every file system
        ("**/*.png", ["a.png", "b.PNG", "s/1.png", "s/t/2.png"]),
        ("s/**", ["s/1.png", "s/t/2.png", "s/t/n.txt"]),
        ("s/**/**/*.png", ["s/1.png", "s/t/2.png"]),
        ("**/t/**/*.png", ["s/t/2.png"]),
        ("s/*/*", ["s/t/2.png", "s/t/n.txt"]),
        ("./s//1.png", ["s/1.png"]),
        ("s/../a.png", ["s/../a.png"]),
        ("s/?.png", ["s/1.png"]),
        ("s/[0-9].png", ["s/1.png"]),
        ("[!b].png", ["a.png"]),
        (".h*", [".hidden.png"]),
        (".git/*.png", [".git/x.png"]),  # whoever names it means it
        ("a.png", ["a.png"]),
    ],
)
def test_a_pattern_names_files_and_neither_folders_nor_hidden_ones(pattern: str, paths: list[str]) -> None:
    make("a.png", "b.PNG", "s/1.png", "s/t/2.png", "s/t/n.txt", ".hidden.png", ".git/x.png", "s/.d/e.png")
    assert found(pattern) == paths


def test_files_come_in_the_order_of_people_whatever_the_order_of_the_disk() -> None:
    paths = ["a/2.png", "a/10.png", "A 1/3.png", "b.png", "B2.png", "b10.png", "ä.png"]
    make(*reversed(paths))
    assert found("**/*.png") == ["a/2.png", "a/10.png", "A 1/3.png", "b.png", "B2.png", "b10.png", "ä.png"]


@given(st.lists(st.text(alphabet="aB01/ é.", min_size=1, max_size=8), max_size=8))
def test_any_names_have_one_order(names: list[str]) -> None:
    turned = list(reversed(names))
    assert sorted(turned, key=globs._natural) == sorted(names, key=globs._natural)


def test_several_patterns_take_each_file_once_and_each_has_to_name_one() -> None:
    make("a.png", "b.jpg")
    assert found("b.*", "*.png", "a.*", "./a.png") == ["a.png", "b.jpg"]
    assert refused("*.png", "*.tif", "*.gif") == [
        "no file matches *.tif in FOLDER",
        "no file matches *.gif in FOLDER",
    ]


def test_a_file_outside_the_folder_may_be_named_and_so_may_a_whole_path(tmp_path: Path) -> None:
    make("shots/1.png", "batch/x")
    os.chdir("batch")
    assert found("../shots/*.png") == ["../shots/1.png"]
    assert found(f"{tmp_path.as_posix()}/shots/*.png") == [f"{tmp_path.as_posix()}/shots/1.png"]


def test_the_environment_is_filled_in_and_stands_for_itself(tmp_path: Path) -> None:
    make("set [1] {a}*/1.png", "set 1 a/2.png")
    environ = {"SET": "set [1] {a}*", "HOME": str(tmp_path)}
    assert found("${SET}/*.png", environ=environ) == ["set [1] {a}*/1.png"]
    assert len(found("${HOME}/*/*.png", environ=environ)) == 2
    assert refused("${NOPE}/*.png") == ["the environment variable NOPE is not set"]
    assert refused("${EMPTY}", environ={"EMPTY": ""}) == ["no file matches ${EMPTY} in FOLDER"]


def test_what_was_looked_for_is_said_where_nothing_is_found() -> None:
    make("s/t/1.png", "shot[1].png")
    assert refused("s/*") == ['no file matches s/*, only folders do; write "s/*/*" for the files in them']
    assert refused("s") == ['no file matches s, only folders do; write "s/*" for the files in them']
    assert refused("x/y/*.png") == ["no file matches x/y/*.png: there is no folder x in FOLDER"]
    assert refused(f"{'x' * 300}/*.png")[0].endswith("/*.png: cannot be read: File name too long")
    assert refused("shot[1].png") == [
        'no file matches shot[1].png; for the file of just that name write "shot[[]1].png"'
    ]
    assert found("shot[[]1].png") == ["shot[1].png"]
    assert refused("no\0such.png")


def test_what_earlier_runs_made_is_no_input_of_the_next_unless_it_is_named() -> None:
    make("a.png", "output/journal.db", "output/cut/assets/a_0.png")
    assert found("**/*.png") == ["a.png"]
    assert refused("**/a_0.png") == [
        (
            "no file matches **/a_0.png, but in output, which holds what was made; "
            "name that folder to take its files"
        )
    ]
    for pattern in ("output/cut/assets/*.png", "output/**/*.png", "output/*/assets/*"):
        assert found(pattern) == ["output/cut/assets/a_0.png"]


def test_a_folder_of_results_beside_the_manifest_is_known_too() -> None:
    make("a.png", "journal.db", "cut/results.json", "cut/assets/a_0.png", "scans/b.txt")
    assert found("**/*.png") == ["a.png"]
    make("other/scans/results.json", "other/scans/c.png")  # somebody's own
    assert found("other/**/*.png") == ["other/scans/c.png"]


@LINKS
def test_a_link_to_a_file_is_a_file_and_one_to_a_folder_is_followed_only_where_it_is_named() -> None:
    make("real/1.png")
    Path("again.png").symlink_to("real/1.png")
    Path("folder").symlink_to("real")
    Path("real/loop").symlink_to("..")
    Path("self.png").symlink_to("self.png")
    Path("gone.png").symlink_to("nothing")
    assert found("**/[!gs]*.png") == ["again.png", "real/1.png"]
    assert found("folder/*.png") == ["folder/1.png"]
    assert found("f*/*.png") == ["folder/1.png"]
    assert found("*.png") == [
        "again.png",
        "gone.png",
        "self.png",
    ]  # who opens them says what is wrong


def test_a_folder_that_cannot_be_read_is_a_problem_and_leaves_nothing_out_unsaid() -> None:
    make("a/1.png", "b/2.png")
    Path("b").chmod(0)
    try:
        if os.access("b", os.R_OK):
            pytest.skip("this user may read everything")
        assert refused("**/*.png") == ["b: cannot be read: Permission denied"]
        assert refused("b/*.png") == ["b: cannot be read: Permission denied"]
    finally:
        Path("b").chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_name_that_is_no_utf_8_is_named_and_has_to_be_renamed() -> None:
    Path(os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    assert refused("*.png") == ["caf\\udce9.png: a name that is not UTF-8; rename it"]
    make("ok.txt")
    assert found("*.txt") == ["ok.txt"]


def test_too_many_names_end_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    make("a/1", "a/2", "a/3")
    monkeypatch.setattr(globs, "MOST_NAMES", 3)
    assert refused("**/*") == ["more than 3 names to look at; name the folder more closely"]


def test_folders_are_gone_through_however_deep_they_are() -> None:
    deep = "/".join("d" * 300)
    make(f"{deep}/1.png")
    assert found("**/*.png") == [f"{deep}/1.png"]


TOP = "version: 1\ndefaults: {model: model_cut, params: {image: {file: '{path}'}}}\njobs:\n"


def ids(read: Read, entry: str, **options: Any) -> list[str]:
    return [job.id for job in read(f"{TOP}  - {entry}\n", **options).jobs]


def test_a_file_is_a_row_with_variables_and_its_content_is_who_the_job_is(read: Read) -> None:
    make("s/b.png", "s/a.png")
    text = f"{TOP}  - {{from: {{files: 's/*.png'}}, prompt: '{{stem}} of {{folder}}: {{name}}'}}\n"
    one, other = read(text).jobs
    assert (one.prompt, other.prompt) == ("a of s: a.png", "b of s: b.png")
    assert one.params["image"]["file"] == "s/a.png"
    bare = f"{TOP}  - {{from: {{files: 's/*.png'}}}}\n"
    Path("s/b.png").write_text("s/a.png")
    same = [content_key(job) for job in read(bare).jobs]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    "name", ["{brace}.png", "quo\"te's.png", "new\nline.png", "${HOME}.png", "*.png", "a b.png", "007.png"]
)
@pytest.mark.skipif(sys.platform == "win32", reason="it takes no such names")
def test_any_name_of_a_file_reaches_the_file(read: Read, name: str) -> None:
    make(f"s/{name}")
    (job,) = read(f"{TOP}  - {{from: {{files: 's/*'}}, prompt: '{{stem}}', id: x}}\n").jobs
    assert job.params["image"]["file"] == f"s/{name}"
    assert job.prompt == Path(name).stem
    (job,) = read(f"{TOP}  - {{from: {{files: 's/*'}}, params: {{note: '{{stem}}'}}}}\n").jobs
    assert job.params["note"] == Path(name).stem  # text, whatever it looks like


def test_automatic_ids_are_the_names_of_the_files_with_their_folders_where_these_tell_them(
    read: Read,
) -> None:
    make("s/Scan 1.png", "s/Scan 2.png", "t/x.png", "u/x.png")
    assert ids(read, "{from: {files: 's/*.png'}}") == ["scan-1", "scan-2"]
    assert ids(read, "{from: {files: '?/x.png'}}") == ["t-x", "u-x"]
    two = "{from: {files: 's/*.png'}, matrix: {factor: [2x, 4x]}, params: {by: '{factor}'}}"
    assert ids(read, two) == ["scan-1-2x", "scan-1-4x", "scan-2-2x", "scan-2-4x"]
    models = "{from: {files: 's/*.png'}, model: [model_a, model_b]}"
    assert ids(read, models) == ["scan-1-a", "scan-1-b", "scan-2-a", "scan-2-b"]
    assert ids(read, "{from: {files: 's/*.png'}, repeat: 2}") == ["scan-1", "scan-1-2", "scan-2", "scan-2-2"]
    assert ids(read, "{from: {files: 's/*.png'}, id: '{folder}-{stem}-clean'}") == [
        "s-scan-1-clean",
        "s-scan-2-clean",
    ]


def test_the_preview_of_an_entry_counts_its_files(read: Read) -> None:
    make("s/a.png", "s/b.png")
    assert read(f"{TOP}  - {{from: {{files: 's/*.png'}}}}\n").previews == ("s/*.png: 2 files = 2 jobs",)


def test_a_file_that_changes_nothing_of_another_ones_id(read: Read) -> None:
    make("s/b.png")
    assert ids(read, "{from: {files: 's/*.png'}}") == ["b"]
    make("s/a.png")
    assert ids(read, "{from: {files: 's/*.png'}}") == ["a", "b"]


def test_ids_that_collide_name_both_files_and_what_tells_them_apart(complain: Complain) -> None:
    make("a/x.png", "b/x.png", "b/x.jpg")
    assert complain(f"{TOP}  - {{id: '{{stem}}-clean', from: {{files: '?/x.*'}}}}\n") == [
        ('jobs.yaml:4:40: b/x.jpg: id: "x-clean" is taken by a/x.png; write {folder} in the id too'),
        ('jobs.yaml:4:40: b/x.png: id: "x-clean" is taken by a/x.png; write {folder} in the id too'),
    ]
    assert complain(f"{TOP}  - {{id: '{{stem}}', from: {{files: 'b/x.*'}}}}\n") == [
        ('jobs.yaml:4:34: b/x.png: id: "x" is taken by b/x.jpg; write {name} in the id in place of {stem}')
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="it takes no such names")
def test_what_is_wrong_with_a_file_names_it_once_and_on_one_line(complain: Complain) -> None:
    make("s/new\nline.png")
    Path("s/empty.png").touch()
    os.mkfifo("s/pipe.png")
    found = complain(f"{TOP}  - {{id: '{{stem}}', from: {{files: 's/*.png'}}}}\n")
    assert [one.split(" ", 1)[1].split(": allowed")[0] for one in found] == [
        "params: s/empty.png: is empty",
        "params: s/pipe.png: is not a regular file",
        's/new\\nline.png: id: stem "new line" cannot name a file',
    ]
    assert complain(f"{TOP}  - {{from: 's/*.png', prompt: x}}\n") == [
        'jobs.yaml:4:12: from: a pattern of files is written {files: "s/*.png"}'
    ]


def test_many_files_with_one_mistake_are_cut_short(complain: Complain) -> None:
    make(*(f"s/{n}.png" for n in range(100)))
    found = complain(f"{TOP}  - {{id: 'same-{{folder}}', from: {{files: 's/*.png'}}}}\n")
    assert len(found) == 21
    assert found[-1].endswith("and 79 more like it")


def test_files_that_go_nowhere_and_folders_that_are_none_are_problems(complain: Complain) -> None:
    make("a.png", "b.png")
    entry = "{from: {files: '*.png'}, params: {image: asset_1}, prompt: x}"
    assert complain(f"{TOP}  - {entry}\n") == [
        'jobs.yaml:4:12: none of the 2 files of *.png goes in; write {file: "{path}"} in params'
    ]
    assert complain(f"{TOP}  - {{from: {{files: '*.png'}}, prompt: 'in {{folder}}'}}\n") == [
        "jobs.yaml:4:20: a.png: folder is empty; where it may be, write {folder?}",
        "jobs.yaml:4:20: b.png: folder is empty; where it may be, write {folder?}",
    ]


def test_an_unquoted_star_says_what_yaml_takes_it_for(complain: Complain) -> None:
    for text in ("*.png", "**/*.png", "[*.png]"):
        (said,) = complain(f"{TOP}  - from: {{files: {text}}}\n")
        assert said.endswith('text that begins with * needs quotes: "*.png"')


def test_more_files_than_jobs_are_allowed_show_the_arithmetic(complain: Complain) -> None:
    make(*(f"s/{n}.png" for n in range(6)))
    (said,) = complain(f"{TOP}  - {{from: {{files: 's/*.png'}}, repeat: 2}}\n", max_jobs=10)
    assert said.startswith("jobs.yaml:4:5: 6 files x 2 repeats = 12 jobs, more than the 10 allowed at once")


def test_an_included_manifest_finds_files_from_its_own_folder(read: Read) -> None:
    make("sub/s/a.png")
    inner = f"{TOP}  - {{from: {{files: 's/*.png'}}}}\n"
    manifest = read("version: 1\ninclude: sub/inner.yaml\n", files={"sub/inner.yaml": inner})
    assert [job.params["image"]["file"] for job in manifest.jobs] == ["s/a.png"]
