"""A page that is sent: one file that a mail takes, or a zip of all that it shows and links."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchgen.errors import InputError
from batchgen.output import sending
from batchgen.output.report import write_report
from batchgen.output.results import results_document
from batchgen.output.sending import write_alone, write_zip
from batchgen.output.summary import Results
from batchgen.output.thumbnails import MOST_EMBEDDED
from bench.pictures import batch
from tests.support.report_page import data_of


def test_a_page_alone_has_larger_pictures_inside_and_names_no_file(results: Results, tmp_path: Path) -> None:
    sent = write_alone(tmp_path, results_document(results), name="spring.html")
    assert (sent.path, sent.told.partition(": ")[2]) == (
        tmp_path / "spring.html",
        "3 pictures of 1536 pixels at most",
    )
    data = data_of(sent.path)
    assert data["head"]["alone"]
    assert [(width, height) for width, height, *_ in data["pictures"].values()] == [
        (640, 480),
        (640, 480),
        (300, 500),
    ]
    assert all(src.startswith("data:image/webp;base64,") for *_, src in data["pictures"].values())
    assert "media-src data:;" in sent.path.read_text("utf-8")


def test_pictures_are_as_large_as_all_of_them_fit_and_are_refused_where_none_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = batch(tmp_path, 12, edge=700)
    edges, path = [], tmp_path
    for most in (1_000_000, 240_000, 165_000):
        monkeypatch.setattr(sending, "LARGEST", most)
        path = write_alone(tmp_path, document, name="icons.html").path
        assert path.stat().st_size <= most
        edges.append(max(width for width, *_ in data_of(path)["pictures"].values()))
    assert edges == sorted(edges, reverse=True)
    assert edges[0] == 700 > edges[-1]
    before = path.read_bytes()
    monkeypatch.setattr(sending, "LARGEST", 140_000)
    with pytest.raises(
        InputError, match=r"about .* kB with 12 pictures, and 140 kB is the most .*--zip PATH"
    ):
        write_alone(tmp_path, document, name="icons.html")
    assert path.read_bytes() == before


def test_sounds_and_films_go_along_as_long_as_they_leave_room(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LARGEST", 400_000)
    document = results_document(results)
    jobs = [dict(one) for one in document["jobs"]]
    sizes = {"assets/a.mp3": 60_000, "assets/b.mp4": 50_000, "assets/c.mp4": 70_000}
    made = []
    for path, length in sizes.items():
        (tmp_path / path).write_bytes(bytes(length))
        mime = "audio/mpeg" if path.endswith("mp3") else "video/mp4"
        made.append({"asset_id": path, "path": path, "mime": mime, "bytes": length, "sha256": path})
    jobs[2] |= {"asset_ids": list(sizes), "files": made}
    sent = write_alone(tmp_path, {**document, "jobs": jobs}, name="spring.html")
    files = data_of(sent.path)["head"]["files"]
    assert list(files) == ["assets/b.mp4", "assets/a.mp3"]
    assert files["assets/b.mp4"].startswith("data:video/mp4;base64,AAAA")
    assert "without 1 film or sound too large for it" in sent.told


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def test_a_zip_has_the_page_and_each_file_that_it_links_once(results: Results, tmp_path: Path) -> None:
    document = results_document(results)
    page = write_report(tmp_path, document)
    (tmp_path / "assets" / "of nobody.png").write_bytes(b"x")
    sent = write_zip(tmp_path / "to" / "send.zip", page, document, name="spring")
    assert members(sent.path) == [
        "spring/report.html",
        "spring/assets/tower-oak_0.png",
        "spring/assets/tower-oak_1.png",
        "spring/assets/tower again #2?_0.png",
    ]
    assert sent.told.endswith("the page and 3 files")
    (tmp_path / "assets" / "tower-oak_1.png").unlink()
    sent = write_zip(sent.path, page, document, name="spring")
    assert len(members(sent.path)) == 3
    assert sent.told.endswith("the page and 2 files, without 1 file that are not there")


def test_a_zip_replaces_a_zip_and_nothing_else(results: Results, tmp_path: Path) -> None:
    document = results_document(results)
    page = write_report(tmp_path, document)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.txt is there and is no zip"):
        write_zip(tmp_path / "thesis.txt", page, document, name="spring")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_what_lies_above_the_page_keeps_its_place_in_the_zip_and_what_lies_outside_stays_out(
    results: Results, tmp_path: Path, png: Callable[..., bytes]
) -> None:
    home = tmp_path / "nightly" / "slots" / "one"
    home.mkdir(parents=True)
    above, outside = tmp_path / "nightly" / "assets", tmp_path / "secret.png"
    (tmp_path / "assets").rename(above)
    outside.write_bytes(png())
    document = results_document(results)
    jobs: list[dict[str, Any]] = [dict(one) for one in document["jobs"]]
    files = [{**one, "path": f"../../{one['path']}"} for one in jobs[0]["files"]]
    files[1]["path"] = "../../../secret.png"
    jobs[0]["files"] = files
    jobs[1]["files"] = []
    document = {**document, "jobs": jobs}
    page = write_report(home, document, within=tmp_path / "nightly")
    sent = write_zip(tmp_path / "a.zip", page, document, name="nightly-one", within=tmp_path / "nightly")
    assert members(sent.path) == ["nightly-one/slots/one/report.html", "nightly-one/assets/tower-oak_0.png"]


def test_thumbnails_beside_a_page_go_into_the_zip(tmp_path: Path) -> None:
    document = batch(tmp_path, MOST_EMBEDDED + 1, edge=16)
    page = write_report(tmp_path, document)
    names = members(write_zip(tmp_path / "a.zip", page, document, name="icons").path)
    assert len(names) == 1 + 2 * (MOST_EMBEDDED + 1)
    assert sum(one.startswith("icons/thumbnails/") for one in names) == MOST_EMBEDDED + 1
