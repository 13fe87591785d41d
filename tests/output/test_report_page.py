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

from batchgen.lifecycle import Record
from batchgen.model import File, Job, JobKey
from batchgen.output import thumbnails
from batchgen.output.cards import Card, cards, duration, size
from batchgen.output.entries import Row
from batchgen.output.layout import Layout, amount, lay_out, shape_of
from batchgen.output.report import write_report
from batchgen.output.results import results_document, results_json
from batchgen.output.summary import Results
from batchgen.output.thumbnails import previews


def laid_out(results: Results, most: int = 1000) -> tuple[Layout, list[Card]]:
    document = results_document(results)
    layout = lay_out(document, most)
    return layout, list(cards(document, layout.spots, {}))


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
    page = Tags(write_report(tmp_path, results_document(results)).read_text("utf-8"))
    assert len(page.of("article")) == 12
    thumbs = [str(one["src"])[:23] for one in page.of("img") if "src" in one]
    assert thumbs == ["data:image/webp;base64,"] * 3


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
    [card] = laid_out(bare)[1]
    assert card.title == title
    assert ("bought as", "m") in card.facts
    assert "cat" in card.haystack
    assert f'<h2 title="{title}">' in write_report(tmp_path, results_document(bare)).read_text("utf-8")


def test_hostile_text_makes_no_tags(results: Results, tmp_path: Path) -> None:
    text = write_report(tmp_path, results_document(results)).read_text("utf-8")
    page = Tags(text)
    assert len(page.of("script")) == 1
    assert not [one for _, one in page.found if any(name.startswith("on") for name in one)]
    assert "window.owned = 1&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text


def test_the_policy_allows_this_script_and_this_style_and_no_attribute(
    results: Results, tmp_path: Path
) -> None:
    text = write_report(tmp_path, results_document(results)).read_text("utf-8")
    policy = next(str(one["content"]) for one in Tags(text).of("meta") if one.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not [one for _, one in Tags(text).found if "style" in one]
    for tag in ("script", "style"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert inner is not None
        digest = base64.b64encode(hashlib.sha256(inner[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_links_are_relative_and_quoted(results: Results, tmp_path: Path) -> None:
    page = Tags(write_report(tmp_path, results_document(results)).read_text("utf-8"))
    links = [str(one["href"]) for one in page.of("a")]
    assert "assets/tower%20again%20%232%3F_0.png" in links
    assert not [one for one in links if "://" in one]


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
    text = write_report(tmp_path, results_document(made)).read_text("utf-8")
    page = Tags(text)
    assert [one["src"] for one in page.of("video")] == ["assets/clip.mp4"]
    assert [one["src"] for one in page.of("audio")] == ["assets/hum.mp3"]
    assert [one["src"] for one in page.of("img") if "src" in one] == ["assets/draw.svg"]
    assert "3D model, model/gltf-binary, 123 kB" in text
    assert "Sound, audio/mpeg, 123 kB" in text
    assert "&lt;b&gt;roses&lt;/b&gt;" in text
    assert "File, application/octet-stream, 123 kB" in text
    assert ">odd.bin<" in text


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
    page = Tags(write_report(tmp_path, results_document(made)).read_text("utf-8"))
    shown = [str(one.get("src", ""))[:23] for one in page.of("img") if one.get("alt") == "a knight"]
    posters = [str(one.get("poster", ""))[:23] for one in page.of("video")]
    count = (2 if name == "mesh.glb" else 1) if still else 0
    assert shown == ["data:image/webp;base64,"] * count
    assert posters == ([] if name == "mesh.glb" else ["data:image/webp;base64," if still else ""])
    assert ("#sign-mesh" in [one.get("href") for one in page.of("use")]) is (name == "mesh.glb" and not still)


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
        page = Tags(write_report(tmp_path, {**document, "jobs": [absent]}).read_text("utf-8"))
        assert [one["title"] for one in page.of("h2")] == ["knight-cut"]
        assert [one["alt"] for one in page.of("img") if "src" in one] == ["knight-cut"]


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


def test_pictures_come_first_and_what_waits_comes_last(results: Results) -> None:
    _, made = laid_out(results)
    assert [card.shape for card in made[:3]] == ["picture"] * 3
    assert [card.id for card in made][-2:] == ["running", "hostile"]


def test_a_page_of_too_many_cards_shows_the_first_and_counts_the_rest(results: Results) -> None:
    (whole, every), (layout, made) = laid_out(results), laid_out(results, most=5)
    assert made == every[:5]
    assert (whole.left_out, layout.left_out) == (0, 7)
    assert layout.costs == whole.costs


def test_the_cost_of_a_job_stands_on_one_card(results: Results) -> None:
    _, (first, second, *_) = laid_out(results)
    assert dict(first.facts)["cost"] == "7.25"
    assert dict(second.facts)["cost"] == "counted with the first"
    assert "refunded" not in dict(first.facts)


def test_what_came_back_of_a_failure_stands_on_its_card_and_by_its_model(results: Results) -> None:
    layout, made = laid_out(results)
    (failed,) = [card for card in made if card.id == "failed"]
    assert dict(failed.facts)["refunded"] == "7.25 (assumed)"
    assert {one.model: one.refunded for one in layout.costs if one.refunded != "0"} == {
        "model_imagen4-ultra": "7.25"
    }


def test_the_costs_by_model_add_up_to_the_head(results: Results) -> None:
    document = results_document(results)
    costs = {one.model: one for one in lay_out(document, 1).costs}
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
    (tmp_path / "x.png").write_bytes(b"now damaged")
    assert previews(tmp_path, files) == made


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
