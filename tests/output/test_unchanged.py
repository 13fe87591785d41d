"""What says the same already is not written again; what is missing or damaged is, each by itself."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.lifecycle import Record, State
from batchgen.model import File
from batchgen.output import report
from batchgen.output.entries import Row
from batchgen.output.results import results_document, write_results
from batchgen.output.summary import Results
from batchgen.output.thumbnails import MOST_EMBEDDED
from batchgen.usecases.other_slots import write_all

Stamps = dict[str, tuple[int, int]]
NAMES = ("results.json", "results.csv", "report.html")


def stamps(folder: Path) -> Stamps:
    return {
        one.relative_to(folder).as_posix(): (one.stat().st_ino, one.stat().st_mtime_ns)
        for one in folder.rglob("*")
    }


def changed(before: Stamps, after: Stamps) -> set[str]:
    files = {one for one in before.keys() | after.keys() if "." in one}
    return {one for one in files if before.get(one) != after.get(one)}


def later(results: Results) -> Results:
    return replace(results, written_at=results.written_at + 86_400)


@pytest.fixture
def written(results: Results, tmp_path: Path) -> Results:
    write_all(tmp_path, results)
    return results


def test_a_run_that_changed_nothing_writes_nothing_and_says_when_it_was_written(
    written: Results, tmp_path: Path
) -> None:
    before = stamps(tmp_path)
    found, _ = write_all(tmp_path, later(written))
    assert stamps(tmp_path) == before
    said = results_document(written)["summary"]["written_at"]
    assert found["summary"]["written_at"] == said, "what is told is what is on the disk"
    assert set(NAMES) < before.keys()


CHANGES: dict[str, Callable[[Results], Results]] = {
    "exit": lambda one: replace(one, exit=0),
    "reasons": lambda one: replace(one, reasons=()),
    "manifest": lambda one: replace(one, manifest_sha256="cd" * 32),
    "path": lambda one: replace(one, manifest_path="moved.yaml"),
    "a row less": lambda one: replace(one, rows=one.rows[:-1]),
    "removed": lambda one: replace(one, removed=()),
    "an error alone": lambda one: replace(
        one, rows=[replace(row, missing="late") if row.job.id == "tower-oak" else row for row in one.rows]
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_is_said_otherwise_is_written_with_the_time_of_now(
    written: Results, tmp_path: Path, what: str
) -> None:
    new = later(CHANGES[what](written))
    found, _ = write_all(tmp_path, new)
    document = json.loads((tmp_path / "results.json").read_text())
    whole = {**results_document(new), "jobs": document["jobs"], "removed": document.get("removed")}
    assert document == {name: one for name, one in whole.items() if one is not None}
    assert found["summary"] == document["summary"]
    assert document["summary"]["written_at"] in (tmp_path / "report.html").read_text()


def _missing(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 9)


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", [_missing, _cut, _flipped, _grown, _emptied, _a_pipe])
@pytest.mark.parametrize("name", NAMES)
def test_a_missing_or_damaged_file_is_written_again_by_itself(
    written: Results, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    whole = (tmp_path / name).read_bytes()
    damage(tmp_path / name)
    before = stamps(tmp_path)
    write_all(tmp_path, written)
    assert changed(before, stamps(tmp_path)) == {name}
    assert (tmp_path / name).read_bytes() == whole


def test_a_table_of_earlier_results_is_written_again_beside_newer_ones(
    written: Results, tmp_path: Path
) -> None:
    """As a kill leaves it between the two, or a backup that brought one of them back."""
    table, page = tmp_path / "results.csv", tmp_path / "report.html"
    earlier = table.read_bytes(), page.read_bytes()
    new = later(CHANGES["an error alone"](written))
    write_all(tmp_path, new)
    right = table.read_bytes()
    for old_page in (False, True):
        table.write_bytes(earlier[0])
        page.write_bytes(earlier[1] if old_page else page.read_bytes())
        write_all(tmp_path, new)
        assert table.read_bytes() == right != earlier[0]


def test_a_table_that_is_known_to_be_right_is_not_made_again_to_be_compared(
    written: Results, tmp_path: Path
) -> None:
    table, asked = tmp_path / "results.csv", list[tuple[str, str]]()
    table.write_bytes(b"as if it were right")

    def is_known(document: str, found: str) -> bool:
        asked.append((document, found))
        return True

    told = write_results(tmp_path, written, is_known=is_known)
    digests = [
        hashlib.sha256((tmp_path / one).read_bytes()).hexdigest() for one in ("results.json", "results.csv")
    ]
    assert asked == [tuple(digests)] == [(told.sha256, told.table)]
    assert table.read_bytes() == b"as if it were right"
    write_results(tmp_path, written)
    assert table.read_bytes() != b"as if it were right", "where nobody knows, it is compared"


def test_another_style_script_template_or_version_draws_the_page_anew(
    written: Results, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    seal = page.read_bytes().rsplit(b"\n", 2)[1].split()
    assert seal[:2] == [b"<!--", b"batchgen"]
    # as a version with another style has sealed it: the mark is another one
    page.write_bytes(page.read_bytes().replace(seal[2], b"0" * 64))
    before = stamps(tmp_path)
    write_all(tmp_path, written)
    assert changed(before, stamps(tmp_path)) == {"report.html"}


def test_a_page_without_a_seal_is_drawn_whatever_it_is_made_of(written: Results, tmp_path: Path) -> None:
    page = report.write_report(tmp_path, results_document(written))
    before = page.stat().st_ino
    report.write_report(tmp_path, results_document(written))
    assert page.stat().st_ino != before


def test_a_page_with_a_picture_missing_is_drawn_again_when_it_is_back(
    written: Results, tmp_path: Path
) -> None:
    picture = tmp_path / "assets/tower-oak_0.png"
    there = picture.read_bytes()
    picture.unlink()
    (tmp_path / "report.html").unlink()
    write_all(tmp_path, written)
    assert "this file is not where it was" in (tmp_path / "report.html").read_text()
    picture.write_bytes(there)
    write_all(tmp_path, written)
    assert "this file is not where it was" not in (tmp_path / "report.html").read_text()
    before = stamps(tmp_path)
    write_all(tmp_path, written)
    assert stamps(tmp_path) == before


def test_a_page_without_time_to_draw_has_the_files_themselves_until_the_next_one_is_written(
    results: Results, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    write_all(tmp_path, results, enough=lambda: True)
    text = page.read_text()
    assert '"assets/tower-oak_0.png":[0,0,0,"assets/tower-oak_0.png"]' in text
    assert "data:image/webp" not in text
    write_all(tmp_path, results)
    assert "data:image/webp" in page.read_text()
    before = stamps(tmp_path)
    write_all(tmp_path, results, enough=lambda: True)
    assert stamps(tmp_path) == before
    new = later(CHANGES["an error alone"](results))
    write_all(tmp_path, new, enough=lambda: True)
    assert "data:image/webp" in page.read_text(), "what an earlier page shows takes no time"


def test_of_many_pictures_only_the_thumbnails_that_are_missing_or_cut_are_drawn_again(
    results: Results, tmp_path: Path, png: Callable[..., bytes], make_row: Callable[..., Row]
) -> None:
    (tmp_path / "assets").mkdir(exist_ok=True)
    data = png(size=(64, 48))
    rows = []
    for number in range(MOST_EMBEDDED + 1):
        path = f"assets/p{number}.png"
        (tmp_path / path).write_bytes(data)
        file = File(
            asset_id=f"a{number}", path=path, bytes=len(data), sha256=f"{number:064x}"[::-1], mime="image/png"
        )
        record = Record(state=State.COLLECTED, body="{}", asset_ids=(file.asset_id,), files=(file,))
        rows.append(make_row(f"p{number}", "a house", record))
    many = replace(results, rows=rows, removed=())
    write_all(tmp_path, many)
    made = sorted((tmp_path / "thumbnails").iterdir())
    assert len(made) == MOST_EMBEDDED + 1
    made[0].unlink()
    _cut(made[1])
    _emptied(made[2])
    before = stamps(tmp_path)
    write_all(tmp_path, many)
    assert changed(before, stamps(tmp_path)) == {f"thumbnails/{one.name}" for one in made[:3]}
    before = stamps(tmp_path)
    write_all(tmp_path, many)
    assert stamps(tmp_path) == before


def test_results_of_somebody_else_in_the_place_are_replaced(results: Results, tmp_path: Path) -> None:
    for text in (
        '{"format": "something else"}',
        ' "summary": {"written_at": 7},\n',
        ' "summary": [[[',
        "[" * 99_999,
    ):
        (tmp_path / "results.json").write_text(text)
        assert write_results(tmp_path, results).results == results
        assert json.loads((tmp_path / "results.json").read_text())["batch"] == "spring"
