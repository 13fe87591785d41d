import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from batchgen.lifecycle import Record, State
from batchgen.model import File, Job, JobKey
from batchgen.output import thumbnails
from batchgen.output.cards import duration, job_data, size
from batchgen.output.entries import Row
from batchgen.output.layout import Layout, amount, job_number, lay_out, shape_of
from batchgen.output.page_data import chosen
from batchgen.output.report import write_report
from batchgen.output.results import results_document, results_json
from batchgen.output.summary import Results
from batchgen.output.thumbnails import previews
from tests.output.conftest import HOSTILE_TEXTS, Sheet
from tests.support.report_page import data_of


def laid_out(results: Results, most: int = 1000) -> tuple[Layout, list[tuple[str, Any]]]:
    """Lay a page out; give with it its cards, each with the id of its job."""
    document = results_document(results)
    layout = lay_out(document, most)
    jobs = [job_data(job_number(document, n), on, {}, retry="again") for n, on in chosen(layout).items()]
    return layout, [(job["id"], card) for job in jobs for card in job["cards"]]


class Tags(HTMLParser):
    """All tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_a_page_has_a_card_for_every_asset_and_every_job_without(results: Results, tmp_path: Path) -> None:
    data = data_of(write_report(tmp_path, results_document(results)))
    cards = [card for job in data["jobs"] for card in job["cards"]]
    assert len(cards) == 12
    shown = [data["pictures"][card["picture"]] for card in cards if "picture" in card]
    assert [src[:23] for *_, src in shown] == ["data:image/webp;base64,"] * 3
    assert [(width, height) for width, height, *_ in shown] == [(360, 270), (360, 270), (216, 360)]


def test_a_page_made_from_the_file_is_the_same(results: Results, tmp_path: Path) -> None:
    made = write_report(tmp_path, results_document(results)).read_bytes()
    assert write_report(tmp_path, json.loads(b"".join(results_json(results)))).read_bytes() == made


@pytest.mark.parametrize(
    ("params", "title"),
    [({"image": "asset_1"}, "cat"), ({"text": "Good morning"}, "Good morning"), ({"text": ["x"]}, "cat")],
)
def test_a_card_without_a_prompt_goes_by_its_text_or_its_id(
    results: Results, tmp_path: Path, params: dict[str, Any], title: str
) -> None:
    job = Job(id="cat", model="m", params=params)
    before = Row(job=job, key=JobKey("v1:cat"), record=Record(job=job), accepted=True)
    bare = replace(results, rows=[before], removed=[])
    (told,) = data_of(write_report(tmp_path, results_document(bare)))["jobs"]
    assert told.get("title", told.get("prompt")) == title
    assert ["bought as", "m"] in told["facts"]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_whatever_a_text_says_it_is_data_and_comes_back_as_it_was(
    results: Results, tmp_path: Path, text: str
) -> None:
    job = Job(id=f"a{text}", prompt=text, model=text, params={text: text, "text": text})
    record = Record(job=job, error=text, state=State.FAILED, asset_ids=())
    sheet = Sheet([(text, {text: text}, (text,))])
    row = Row(job=job, key=JobKey("v1:a"), record=record, words=sheet)
    page = write_report(tmp_path, results_document(replace(results, rows=[row], removed=[], batch=text)))
    whole = page.read_text("utf-8")
    tags = Tags(whole)
    assert len(tags.of("script")) == 2
    assert not tags.of("b") or not [
        one for _, one in tags.found if any(name.startswith("on") for name in one)
    ]
    (told,) = data_of(page)["jobs"]
    assert (told["id"], told["prompt"], told["model"]) == (f"a{text}", text, text)
    assert (told["entry"], told["vars"], told["tags"]) == (text, {text: text}, [text])
    assert "\0" not in whole.partition('id="data">')[2]


def test_the_policy_allows_this_script_and_this_style_and_no_attribute(
    results: Results, tmp_path: Path
) -> None:
    text = write_report(tmp_path, results_document(results)).read_text("utf-8")
    policy = next(str(one["content"]) for one in Tags(text).of("meta") if one.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not [one for _, one in Tags(text).found if "style" in one]
    for tag in ("script", "style"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)  # data has a type
        assert inner is not None
        digest = base64.b64encode(hashlib.sha256(inner[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_kind_of_file_has_its_card(
    results: Results,
    make_row: Callable[..., Row],
    make_record: Callable[..., Record],
    shelve: Callable[[str, str, bytes], File],
    tmp_path: Path,
) -> None:
    contents = {
        "clip.mp4": b"\x00\x00\x00\x20ftypisom....",
        "hum.mp3": b"ID3....",
        "mesh.glb": b"glTF\x02\x00\x00\x00",
        "poem.txt": b"<b>roses</b>",
        "odd.bin": b"\x00\x01",
        "draw.svg": b"<svg xmlns='http://www.w3.org/2000/svg'></svg>",
    }
    files = tuple(shelve(f"asset_{name}", name, data) for name, data in contents.items())
    record = make_record("collected", "job_9", asset_ids=tuple(one.asset_id for one in files), files=files)
    made = replace(results, rows=(make_row("all", "everything", record),), removed=())
    data = data_of(write_report(tmp_path, results_document(made)))
    cards = data["jobs"][0]["cards"]
    assert [one["shape"] for one in cards] == ["video", "audio", "mesh", "text", "file", "picture"]
    assert [one["path"] for one in cards] == [f"assets/{name}" for name in contents]
    assert (cards[3]["excerpt"], cards[4]["size"], cards[1]["mime"]) == (
        "<b>roses</b>",
        "123 kB",
        "audio/mpeg",
    )
    assert data["pictures"] == {"assets/draw.svg": [0, 0, 1, "assets/draw.svg"]}


@pytest.mark.parametrize("still", ["png", None])
@pytest.mark.parametrize("name", ["mesh.glb", "film.mp4"])
def test_a_mesh_or_a_film_is_shown_by_the_picture_that_came_with_it(
    results: Results,
    make_row: Callable[..., Row],
    make_record: Callable[..., Record],
    shelve: Callable[[str, str, bytes], File],
    png: Callable[..., bytes],
    tmp_path: Path,
    name: str,
    still: str | None,
) -> None:
    head = {"mesh.glb": b"glTF", "film.mp4": b"\0\0\0\x20ftypisom"}[name]
    files = [shelve("asset_1", "still.png", png())] if still else []
    files.append(shelve("asset_2", name, head + bytes(40)))
    record = make_record(
        "collected", "job_9", asset_ids=tuple(one.asset_id for one in files), files=tuple(files)
    )
    made = replace(results, rows=(make_row("all", "a knight", record),), removed=())
    data = data_of(write_report(tmp_path, results_document(made)))
    *before, card = data["jobs"][0]["cards"]
    assert card.get("still") == (before[0]["picture"] if still else None)
    assert len(data["pictures"]) == (1 if still else 0)


def test_a_job_without_a_prompt_has_a_card_by_its_id(
    results: Results,
    make_row: Callable[..., Row],
    make_record: Callable[..., Record],
    shelve: Callable[[str, str, bytes], File],
    png: Callable[..., bytes],
    tmp_path: Path,
) -> None:
    file = shelve("asset_1", "cut.png", png())
    record = make_record("collected", "job_9", asset_ids=("asset_1",), files=(file,))
    document = results_document(replace(results, rows=(make_row("knight-cut", "x", record),), removed=()))
    (job,) = document["jobs"]
    for absent in ({**job, "prompt": None}, {name: one for name, one in job.items() if name != "prompt"}):
        (told,) = data_of(write_report(tmp_path, {**document, "jobs": [absent]}))["jobs"]
        assert told["title"] == "knight-cut"


def test_a_page_takes_its_pictures_from_the_page_before_it(results: Results, tmp_path: Path) -> None:
    document = results_document(results)
    before = data_of(write_report(tmp_path, document))["pictures"]
    first, second = (tmp_path / "assets" / name for name in ("tower-oak_0.png", "tower-oak_1.png"))
    first.write_bytes(bytes(first.stat().st_size))  # it would not be drawn again
    second.write_bytes(second.read_bytes() + b"\0")
    after = data_of(write_report(tmp_path, document))["pictures"]
    assert len(before) == len(after) == 3
    assert len(before.keys() & after.keys()) == 2, "the one that was changed is drawn, under another key"


def test_what_a_job_had_before_and_its_redo_are_told(results: Results, tmp_path: Path) -> None:
    document = results_document(results)
    jobs = [dict(one) for one in document["jobs"]]
    earlier = {**jobs[0]["files"][1], "mark": "rejected"}
    jobs[0] |= {
        "redo": {"status": "running", "job_id": "job_8", "error": None,
                 "cost": {"quoted": 7, "charged": 3, "refunded": None}},
        "earlier": [{"job_id": "job_0", "prompt": "p", "model": "m", "status": "succeeded",
                     "asset_ids": ["asset_A2"], "files": [earlier], "seed": 7,
                     "cost": {"quoted": 7, "charged": 5, "refunded": 1, "refund": "assumed"}}],
    }  # fmt: skip
    jobs[0]["files"] = [{**jobs[0]["files"][0], "mark": "kept", "note": "<i>this one"}]
    data = data_of(write_report(tmp_path, {**document, "jobs": jobs}))
    told = data["jobs"][0]
    assert told["redo"] == {"status": "running", "job_id": "job_8"}
    (before,) = told["earlier"]
    assert before["files"][0]["picture"] in data["pictures"]
    assert (before["job_id"], before["files"][0]["mark"]) == ("job_0", "rejected")
    assert before["facts"] == "seed 7, cost 5, refunded 1 (assumed)"
    (dear,) = (one for one in data["head"]["costs"]["var.material"] if one["name"] == "oak")
    assert (dear["jobs"], dear["charged"], dear["net"]) == (1, "15.25", "14.25"), (
        "what it was before is in it"
    )
    assert [(one.get("mark"), one.get("note")) for one in told["cards"]] == [
        ("kept", "<i>this one"),
        (None, None),
    ]


def test_a_text_is_cut_and_says_so(tmp_path: Path) -> None:
    for length, end in ((600, "x"), (601, " …")):
        (tmp_path / "a.txt").write_text("x" * length)
        found = previews(tmp_path, [picture("a.txt", mime="text/plain")])["a.txt"]
        assert found.excerpt.endswith(end)


def test_a_picture_that_one_sees_through_is_known_at_once_and_again(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 30), (200, 40, 30, 254))
    image.save(tmp_path / "nearly.png")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.resize((900, 600)).save(tmp_path / "hole.png")
    image.save(tmp_path / "small.png")
    Image.new("P", (40, 30)).save(tmp_path / "palette.gif", transparency=0)
    Image.new("RGB", (40, 30)).save(tmp_path / "plain.png")
    (tmp_path / "draw.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'></svg>")
    mimes = {"draw.svg": "image/svg+xml", "palette.gif": "image/gif"}
    files = [
        picture(one.name, mime=mimes.get(one.name, "image/png"), sha256=one.name.encode().hex())
        for one in sorted(tmp_path.iterdir())
    ]
    seen = {name: one.transparent for name, one in previews(tmp_path, files).items()}
    assert seen == {
        "draw.svg": True, "hole.png": True, "nearly.png": False, "palette.gif": True, "plain.png": False,
        "small.png": True,
    }  # fmt: skip
    for number in range(thumbnails.MOST_EMBEDDED):
        (tmp_path / f"{number}.png").symlink_to("small.png")
        files.append(picture(f"{number}.png", sha256="ab" * 32))
    for _ in range(2):  # drawn, and then found beside the page
        made = previews(tmp_path, files)
        assert {name: made[name].transparent for name in seen} == seen
        assert made["7.png"].transparent


def test_pictures_come_first_where_not_all_have_room(results: Results) -> None:
    (whole, every), (layout, made) = laid_out(results), laid_out(results, most=5)
    assert [card["shape"] for _, card in made] == ["picture"] * 3 + ["absent"] * 2
    assert (whole.left_out, layout.left_out) == (0, 7)
    assert layout.costs == whole.costs
    assert [name for name, _ in every][-1] == "old", "in the order of the manifest, what was removed behind"


def test_the_cost_of_a_job_and_what_came_back_are_facts_of_it(results: Results) -> None:
    document = results_document(results)
    facts = {job["id"]: dict(job_data(job, [0], {}, retry="")["facts"]) for job in document["jobs"]}
    assert facts["tower-oak"]["cost"] == "7.25"
    assert "refunded" not in facts["tower-oak"]
    assert facts["failed"]["refunded"] == "7.25 (assumed)"


def test_a_failure_has_the_command_that_tries_it_again(results: Results, tmp_path: Path) -> None:
    document = {**results_document(results), "slot": "a day", "rehearsal": True}
    data = data_of(write_report(tmp_path, document))
    told = {one["id"]: one.get("command") for one in data["jobs"]}
    again = "batchgen retry 'jobs/spring batch.yaml' --slot 'a day' --simulate"
    assert told["failed"] == f"{again} failed"
    assert {name for name, one in told.items() if one} == {"failed", "refused", "gone", "canceled"}
    assert data["head"]["retry"] == again.replace(" retry ", " run ") + " --retry-failed"


def now_alone(results: Results) -> Results:
    """Return results of jobs that had nothing before."""
    return replace(results, rows=[replace(row, earlier=()) for row in results.rows])


def test_costs_are_added_up_by_model_by_day_by_entry_and_by_variable(results: Results) -> None:
    costs = lay_out(results_document(now_alone(results)), 1).costs
    assert {name: [one.name for one in lines] for name, lines in costs.items()} == {
        "model": ["model_imagen4-ultra", "model_bfl-flux-1-dev"],
        "entry": ["", "tower"],
        "var.material": ["oak", "=1+1"],
    }
    assert sum(float(one.net) for one in costs["entry"]) == 36.25


def test_costs_by_day_are_in_the_order_of_days_and_names_are_no_axis(results: Results) -> None:
    base = results_document(results)["jobs"][0]
    jobs = [
        {**base, "vars": {"name": f"n{at}", "side": at % 2},
         "times": {**base["times"], "submitted": f"2026-12-0{3 - at % 3}T00:00:00.000Z"}}
        for at in range(100)
    ]  # fmt: skip
    costs = lay_out({"jobs": jobs}, 1).costs
    assert [one.name for one in costs["day"]] == ["2026-12-01", "2026-12-02", "2026-12-03"]
    assert [one.jobs for one in costs["var.side"]] == [50, 50]
    assert "var.name" not in costs


def test_the_costs_by_model_add_up_to_the_head(results: Results) -> None:
    document = results_document(now_alone(results))
    costs = {one.name: one for one in lay_out(document, 1).costs["model"]}
    dear, other = costs["model_imagen4-ultra"], costs["model_bfl-flux-1-dev"]
    assert (dear.quoted, dear.charged, dear.refunded, dear.net) == ("56", "36.25", "7.25", "29")
    assert (other.charged, other.refunded, other.net) == ("7.25", "0", "7.25")
    summed = document["summary"]["cost"]
    assert (summed["charged"], summed["net"]) == (43.5, 36.25)


def picture(path: str, sha256: str = "ab" * 32, mime: str = "image/png") -> dict[str, str]:
    return {"path": path, "sha256": sha256, "mime": mime}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
def test_pictures_of_every_kind_are_drawn_small(
    tmp_path: Path, png: Callable[..., bytes], form: str, mode: str
) -> None:
    if form == "JPEG" and mode in {"RGBA", "P", "1"}:
        mode = "CMYK"
    (tmp_path / "x").write_bytes(png(size=(900, 300), mode=mode, form=form))
    (made,) = previews(tmp_path, [picture("x")]).values()
    assert (made.width, made.height, made.embedded, made.trouble) == (360, 120, True, "")


def test_a_picture_that_says_it_lies_on_its_side_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (900, 300)).save(tmp_path / "x.jpg", exif=exif)
    made = previews(tmp_path, [picture("x.jpg")])["x.jpg"]
    assert (made.width, made.height) == (120, 360)


def test_sixteen_bits_are_not_clipped_to_white(tmp_path: Path) -> None:
    Image.new("I;16", (8, 8), 0x4000).save(tmp_path / "x.png")
    grey = thumbnails._shrunk(tmp_path / "x.png").getpixel((4, 4))
    assert isinstance(grey, int | float)
    assert 55 < grey < 75


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\xff" * 99])
def test_a_damaged_picture_says_so(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "x.png").write_bytes(damage)
    assert "damaged" in previews(tmp_path, [picture("x.png")])["x.png"].trouble


def test_a_picture_cut_short_says_so(tmp_path: Path, png: Callable[..., bytes]) -> None:
    whole = png()
    (tmp_path / "x.png").write_bytes(whole[: len(whole) // 2])
    assert "damaged" in previews(tmp_path, [picture("x.png")])["x.png"].trouble


def test_a_picture_that_unpacks_to_gigabytes_is_left_alone(tmp_path: Path) -> None:
    Image.new("1", (12_000, 9_000)).save(tmp_path / "x.png")
    assert "too large" in previews(tmp_path, [picture("x.png")])["x.png"].trouble


@pytest.mark.parametrize("path", ["gone.png", "../outside.png", "/etc/hostname"])
def test_a_file_that_is_not_in_the_folder_is_missing(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "batch"
    folder.mkdir()
    (tmp_path / "outside.png").write_bytes(b"x")
    assert "not where it was" in previews(folder, [picture(path)])[path].trouble


def test_many_thumbnails_stand_beside_the_page_and_are_drawn_once(
    tmp_path: Path, png: Callable[..., bytes]
) -> None:
    (tmp_path / "x.png").write_bytes(png((40, 30)))
    files = []
    for number in range(thumbnails.MOST_EMBEDDED + 1):
        (tmp_path / f"{number}.png").symlink_to("x.png")
        files.append(picture(f"{number}.png", sha256=f"{number:064x}"[::-1]))
    made = previews(tmp_path, files)
    assert not any(one.embedded for one in made.values())
    assert len({one.src for one in made.values()}) == len(files)
    assert all((tmp_path / one.src).is_file() for one in made.values())
    whole = (tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").write_bytes(bytes(len(whole)))
    assert previews(tmp_path, files) == made
    (tmp_path / "x.png").write_bytes(b"edited by somebody")
    assert all(one.trouble for one in previews(tmp_path, files).values()), (
        "a picture that was changed is drawn"
    )


@pytest.mark.parametrize(
    ("mime", "shape"),
    [("image/png", "picture"), ("image/x-exr", "file"), ("model/obj", "mesh"), ("application/json", "text")],
)
def test_a_type_has_its_shape(mime: str, shape: str) -> None:
    assert shape_of(mime) == shape


def test_figures_are_for_people() -> None:
    assert [amount(one) for one in (None, 7, 7.25, 1234567.5)] == ["unknown", "7", "7.25", "1,234,567.5"]
    assert [size(one) for one in (0, 999, 1500, 2_340_000)] == ["0 B", "999 B", "1.5 kB", "2.34 MB"]
    assert duration("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:12.500Z") == "12.5 s"
    assert duration("2026-01-01T00:00:00.000Z", "2026-01-01T00:02:05.000Z") == "2 min 5 s"
    assert duration(None, "2026-01-01T00:02:05.000Z") == ""
