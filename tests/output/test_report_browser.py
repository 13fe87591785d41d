"""The page in a real browser: one of it for all tests, and a handful of pages."""

import io
import json
import os
import re
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from batchgen.lifecycle import Record
from batchgen.model import File
from batchgen.output.entries import Row
from batchgen.output.report import write_report
from batchgen.output.results import results_document
from batchgen.output.sending import write_alone, write_zip
from batchgen.output.summary import Results
from batchgen.simulator.clips import film
from batchgen.simulator.effects import cut_out
from batchgen.simulator.meshes import relief
from batchgen.simulator.sounds import spoken
from batchgen.simulator.vectors import traced
from bench.pictures import batch
from tests.output.conftest import HOSTILE_TEXTS, Sheet

pytestmark = pytest.mark.browser


def _programs() -> tuple[str, str]:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    reason = "needs chromium and chromedriver"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Page:
    """One browser, and what is asked of the page that it shows."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def open(self, page: Path | str, fragment: str = "") -> None:
        """Load a page anew, with nothing kept from another one."""
        url = page if isinstance(page, str) else page.as_uri()
        self.browser.get("about:blank")
        self.log("browser"), self.log("performance")
        self.browser.get(url + fragment)

    def log(self, kind: str) -> list[str]:
        return [one["message"] for one in self.browser.execute("getLog", {"type": kind})["value"]]

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def until(self, script: str, wanted: Any = True) -> None:
        def told(_: Any) -> bool:
            return bool(self.run(script) == wanted)

        try:
            WebDriverWait(self.browser, 5).until(told)
        except Exception as error:
            raise AssertionError(f"{script} is {self.run(script)!r}, not {wanted!r}") from error

    def one(self, css: str) -> Any:
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def resize(self, width: int, theme: str = "light") -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": theme}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    @property
    def cards(self) -> list[str]:
        """The keys of the cards that are elements, in their order."""
        found: list[str] = self.run(CARDS)
        return found

    @property
    def shown(self) -> str:
        return str(self.one("#shown").text)

    @property
    def requests(self) -> list[str]:
        messages = [json.loads(one)["message"] for one in self.log("performance")]
        sent = [one["params"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in sent]

    def check_quiet(self) -> None:
        """Nothing went wrong, and nobody was asked."""
        assert self.log("browser") == []
        requests = self.requests
        assert requests, "the log works"
        assert not [one for one in requests if one.startswith(("http", "ws", "ftp"))]


CARDS = "return [...document.querySelectorAll('.card')].map((one) => one.dataset.key)"
HEADS = "return [...document.querySelector('.line-heads').children].map((one) => one.textContent)"
FOCUS = "return document.activeElement.dataset.key || document.activeElement.id"
LOADED = "return [...document.images].every((one) => one.complete && one.naturalWidth > 0)"
VIEWED = "return document.querySelector('#viewer[open]') !== null"


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    binary, driver = _programs()
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def page(browser: webdriver.Chrome) -> Iterator[Page]:
    one = Page(browser)
    one.resize(1280)
    yield one
    if browser.current_url.startswith("file:"):
        browser.execute_script("localStorage.clear()")


@pytest.fixture
def report(results: Results, tmp_path: Path) -> Path:
    return write_report(tmp_path, results_document(results))


@pytest.fixture(scope="module")
def icons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventy names in three styles by two models."""
    folder = tmp_path_factory.mktemp("icons")
    return write_report(folder, {**batch(folder, 420, edge=48, failed=37), "rehearsal": True})


def test_it_opens_from_a_file_without_a_complaint_asks_nobody_and_shows_its_pictures(
    page: Page, report: Path
) -> None:
    page.open(report)
    page.until(LOADED)
    assert page.run("return [...document.querySelectorAll('.stage img')].map((one) => one.naturalWidth)") == [
        360,
        360,
        216,
    ]
    assert len(page.cards) == 12
    page.check_quiet()


def test_hostile_text_stays_text_and_a_script_that_got_in_would_not_run(page: Page, report: Path) -> None:
    page.open(report, "#view=hostile")
    assert "<script>window.owned = 1</script>" in page.one("#panel .full").text
    page.run(
        "const bad = document.createElement('script'); bad.textContent = 'window.owned = 2';"
        "document.body.append(bad);"
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned = 3\">');"
    )
    told = page.browser.execute_async_script("setTimeout(() => arguments[0](window.owned || 0), 100)")
    assert told == 0


def test_ids_prompts_and_names_of_any_kind_are_shown_letter_by_letter(
    page: Page, results: Results, make_row: Callable[..., Row], tmp_path: Path
) -> None:
    texts = [*HOSTILE_TEXTS, "a~2", "\u5854 \U0001f3f0", "\u0628\u0631\u062c 2"]
    whole = [text.encode("utf-8", "replace").decode() for text in texts]
    rows = [make_row(text, text, params={text: text}) for text in whole]
    sheet = Sheet([(text, {text: text}, (text,)) for text in whole])
    rows = [replace(row, words=sheet, index=at) for at, row in enumerate(rows)]
    report = write_report(tmp_path, results_document(replace(results, rows=rows, removed=(), batch=whole[0])))
    page.open(report, "#group=none")
    assert page.cards == whole
    assert page.one("h1").text == whole[0]
    for text in whole:
        page.open(report, "#" + urlencode({"view": text}))
        assert page.run("return document.querySelector('#panel h2').textContent") == text
        values = page.run("return [...document.querySelectorAll('#panel dd')].map((one) => one.textContent)")
        assert values.count(text) >= 3, "a variable, a tag and a parameter"
        page.open(report, "#" + urlencode({f"var.{text}": text}))
        assert page.cards == [text]
    assert page.run("return window.owned || 0") == 0
    page.check_quiet()


def test_filters_and_search_are_in_the_address_and_can_be_taken_back(page: Page, report: Path) -> None:
    page.open(report)
    page.until("return document.querySelectorAll('#facets .choice').length > 8")
    page.run(
        "[...document.querySelectorAll('.choice')].find((one) => one.innerText.startsWith('failed')).click()"
    )
    assert sorted(page.cards) == ["failed", "gone"]
    assert page.shown == "2 of 12 cards"
    assert page.run("return location.hash") == "#status=failed"
    search = page.one("#search")
    for words, found in (("given up", 1), ("zebra", 0), ('"hand"', 1)):
        search.clear()
        search.send_keys(words)
        page.until(f"{CARDS}.length", found)
    assert page.run("return location.hash").startswith("#q=%22hand%22")
    search.clear()
    search.send_keys("zebra")
    page.until("return document.getElementById('nothing').hidden", wanted=False)
    page.one("#reset").click()
    assert len(page.cards) == 12
    for fragment, cards in (
        ("#var.material=oak", ["tower-oak", "tower-oak~2"]),
        ("#tag=cover&model=model_imagen4-ultra&q=OAK+watch", ["tower-oak", "tower-oak~2"]),
        ("#q=material%3Doak", ["tower-oak", "tower-oak~2"]),
        ("#removed=removed", ["removed~10"]),
        ("#status=nothing-like-it", []),
    ):
        page.open(report, fragment)
        assert page.cards == cards, fragment
    page.check_quiet()


def test_the_keyboard_goes_through_the_cards_and_marks_them_and_marks_stay(
    page: Page, report: Path, tmp_path: Path
) -> None:
    page.open(report)
    page.run("document.querySelector('.card[tabindex=\"0\"]').focus()")
    first, second = page.cards[:2]
    page.press("k", Keys.ARROW_RIGHT, "r")
    assert page.run(FOCUS) == second
    marks = "return ['kept', 'rejected'].map((one) => document.getElementById(one).textContent)"
    assert page.run(marks) == ["1", "1"]
    page.press("u")
    assert page.run(marks) == ["1", "0"]
    page.press("r", "k", "u", Keys.ARROW_LEFT)
    assert page.run(marks) == ["1", "1"]
    page.browser.refresh()
    assert page.run(marks) == ["1", "1"]
    assert page.run(f"return document.querySelector('[data-key=\"{first}\"]').dataset.mark") == "kept"
    page.browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    page.one("#marks summary").click()
    page.one("#export").click()
    WebDriverWait(page.browser, 5).until(lambda _: (tmp_path / "marks.json").is_file())
    assert json.loads((tmp_path / "marks.json").read_text()) == {
        "format": "batchgen/marks@1",
        "batch": "spring",
        "marks": [
            {"asset_id": "asset_A1", "job": "tower-oak", "mark": "kept", "note": ""},
            {"asset_id": "asset_A2", "job": "tower-oak", "mark": "rejected", "note": ""},
        ],
    }
    page.open(report, "#mark=rejected")
    assert page.cards == [second]
    page.check_quiet()


def test_what_the_journal_knows_of_marks_is_shown_and_what_is_taken_back_is_exported(
    page: Page, results: Results, tmp_path: Path
) -> None:
    document = results_document(results)
    jobs = [dict(one) for one in document["jobs"]]
    jobs[0]["files"] = [{**one, "mark": "kept", "note": "this one"} for one in jobs[0]["files"]]
    report = write_report(tmp_path, {**document, "jobs": jobs})
    page.open(report, "#view=tower-oak")
    assert page.one("#panel .note").get_property("value") == "this one"
    page.press("k", Keys.ESCAPE)
    page.until(VIEWED, wanted=False)
    assert page.one("#kept").text == "1"
    assert "1 change not in the journal yet" in page.run(
        "return document.getElementById('unsaved').textContent"
    )
    kept = page.run("return JSON.parse(localStorage.getItem('batchgen:marks:spring'))")
    assert kept == {"asset_A1": {"mark": "", "note": "this one"}}


def test_the_viewer_goes_on_by_keys_is_in_the_address_and_gives_the_focus_back(
    page: Page, report: Path
) -> None:
    page.open(report)
    page.run("document.querySelector('.card[tabindex=\"0\"]').focus()")
    page.press(Keys.ENTER)
    page.until(VIEWED)
    assert page.run("return location.hash") == "#view=tower-oak"
    width = "return document.querySelector('.view img').naturalWidth"
    page.until(width, 640)
    page.press("+", "+")
    assert "scale(1.9" in page.run("return document.querySelector('.view img').style.transform")
    page.press("0", Keys.ARROW_LEFT)
    assert page.run("return location.hash") == "#view=hostile", "round and round"
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.until(width, 300)
    assert page.run("return document.querySelector('.view img').src").endswith(
        "tower%20again%20%232%3F_0.png"
    )
    page.press(Keys.ESCAPE)
    page.until(VIEWED, wanted=False)
    page.until(FOCUS, "tower-again")
    page.press(Keys.ENTER)
    page.until(VIEWED)
    page.browser.back()
    page.until(VIEWED, wanted=False)
    page.open(report, "#view=failed")
    assert page.one("#panel code").text == "batchgen retry 'jobs/spring batch.yaml' failed"
    page.check_quiet()


def test_the_variants_of_an_item_stand_in_a_row_and_are_compared_with_one_zoom(
    page: Page, icons: Path
) -> None:
    page.open(icons)
    assert page.run(HEADS) == [
        "imagen4-ultra",
        "bfl-flux-1-dev",
        *["flat vector", "pixel art", "watercolour"] * 2,
    ]
    row = "return [...document.querySelector('.line-cards').querySelectorAll('.card, .row-label')]"
    assert page.run(f"{row}.map((one) => one.dataset.key || one.textContent)") == [
        "oak sword · common",
        *[f"oak-sword-{style}-imagen" for style in ("flat-vector", "pixel-art", "watercolour")],
        *[f"oak-sword-{style}-flux" for style in ("flat-vector", "pixel-art", "watercolour")],
    ]
    page.run("document.querySelector('.card').focus()")
    page.press("c", Keys.ARROW_RIGHT, "c", Keys.ARROW_RIGHT, "c", "v")
    page.until("return document.querySelectorAll('#viewer[open] .pane').length", 3)
    assert page.run("return location.hash").count("compare=") == 3
    page.press("+", "+", "2", "r")
    zooms = page.run("return [...document.querySelectorAll('.view img')].map((one) => one.style.transform)")
    assert len(set(zooms)) == 1
    assert "scale(1.9" in zooms[0]
    assert page.run("return [...document.querySelectorAll('.pane')].map((one) => one.dataset.mark)") == [
        "",
        "rejected",
        "",
    ]
    told = page.run("return [...document.querySelectorAll('.pane dl')].map((one) => one.textContent)")
    assert all("style" in one and "seed" in one and "rarity" not in one for one in told)
    page.open(icons, "#rows=name&cols=rarity&group=model&sort=dearest")
    titles = page.run(
        "return [...document.querySelectorAll('.line-title bdi')].map((one) => one.textContent)"
    )
    assert titles[:1] == ["imagen4-ultra"]
    assert page.run(HEADS) == ["common", "uncommon", "rare", "epic", "legendary"]
    page.open(icons, "#cols=style&rarity=epic")  # many cards in one cell
    assert page.run(HEADS) == ["flat vector", "pixel art", "watercolour"]
    assert len(page.cards) < 40
    assert page.run("return document.querySelectorAll('.line-cards')[0].children.length") >= 3
    assert page.shown == "60 of 420 cards"
    page.check_quiet()


def test_of_many_cards_few_are_elements_and_a_phone_has_pages_of_two_columns(page: Page, icons: Path) -> None:
    page.open(icons)
    assert "Rehearsal." in page.one(".rehearsal").text
    assert page.shown == "420 cards"
    assert len(page.cards) < 80
    page.run("scrollTo(0, document.body.scrollHeight)")
    last = "return document.querySelector('.card[aria-posinset=\"420\"]') !== null"
    page.until(last)
    assert len(page.cards) < 80
    page.resize(390)
    page.open(icons)
    assert re.findall(r"\d+", page.one("#page").text) == ["1", "200", "420"]
    assert page.run("return document.documentElement.scrollHeight") < 40_000
    lefts = "[...document.querySelectorAll('.card')].map((one) => one.getBoundingClientRect().left)"
    assert page.run(f"return new Set({lefts}).size") == 2
    page.one("#on").click()
    assert re.findall(r"\d+", page.one("#page").text) == ["201", "400", "420"]
    page.open(icons, "#card=amber-crown-pixel-art-flux")  # on another page of it
    page.until(FOCUS, "amber-crown-pixel-art-flux")
    assert page.run("return location.hash").endswith("page=2")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_any_window_in_both_themes_and_can_be_read(page: Page, report: Path, theme: str) -> None:
    for width in (320, 390, 900, 1400):
        page.resize(width, theme)
        page.open(report)
        root = "document.documentElement"
        assert page.run(f"return {root}.scrollWidth === {root}.clientWidth"), width
        assert page.run(CONTRAST) >= 4.5
        page.open(report, "#view=tower-oak")
        assert page.run(f"return {root}.scrollWidth === {root}.clientWidth"), width


CONTRAST = """
const light = (text) => {
  const part = text.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255)
    .map((one) => one <= .03928 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
  return .2126 * part[0] + .7152 * part[1] + .0722 * part[2];
};
const pairs = [[".fine", "body"], [".told", "body"], [".title", "body"], [".kicker", "body"],
  [".stage .why", ".stage"], [".is-failed .verdict", ".stage"], [".is-in_doubt .verdict", ".stage"],
  [".is-running .verdict", ".stage"], [".is-pending .verdict", ".stage"], [".figures dt", "body"]];
return Math.min(...pairs.filter(([text]) => document.querySelector(text)).map(([text, back]) => {
  const a = light(getComputedStyle(document.querySelector(text)).color);
  const b = light(getComputedStyle(document.querySelector(back)).backgroundColor);
  return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
}));
"""


def test_a_screen_reader_is_told_what_everything_is(page: Page, report: Path) -> None:
    page.open(report)
    page.until("return document.querySelectorAll('#facets .choice').length > 8")
    nodes = page.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    said = [
        (one["role"]["value"], one["name"]["value"]) for one in nodes if "name" in one and not one["ignored"]
    ]
    nameless = {"button", "checkbox", "combobox", "searchbox", "link", "article", "feed", "image", "group"}
    assert [one for one in said if one[0] in nameless - {"group"} and not one[1].strip()] == []
    assert ("feed", "Cards") in said
    assert ("article", "an oak watch tower, tower-oak, imagen4-ultra, done") in said
    assert ("button", "Keep tower-oak") in said
    assert ("search", "Find, arrange and mark cards") in said
    page.run("document.querySelector('.card').focus()")
    page.press("k")
    assert page.run("return document.activeElement.getAttribute('aria-label')").endswith("done, kept")
    assert page.one("#said").get_property("textContent") == "tower-oak kept"
    page.press(Keys.ENTER)
    page.until("return document.getElementById('viewer').getAttribute('aria-label')", "Viewer: tower-oak")


@pytest.fixture
def kinds(
    results: Results,
    make_row: Callable[..., Row],
    make_record: Callable[..., Record],
    shelve: Callable[[str, str, bytes], File],
    png: Callable[..., bytes],
) -> Results:
    """A job of every kind, its files real ones."""
    drawn = Image.open(io.BytesIO(png()))
    cut = io.BytesIO()
    cut_out(drawn, 254).save(cut, "PNG")
    contents = {
        "plain": {"plain.png": png()},
        "cut": {"cut.png": cut.getvalue()},
        "vectors": {"vectors.svg": traced(drawn, drawn.size)},
        "film": {"film.mp4": film(drawn, (320, 240), 3)},
        "speech": {"speech.wav": spoken("A knight who bows.", voice="Alice", speed=1, rate=16_000)},
        "mesh": {"still.webp": png(form="WEBP"), "mesh.glb": relief(drawn)},
        "bare": {"bare.glb": relief(drawn)},
        "text": {"text.txt": b"# A knight\n\n<script>window.owned = 1</script> bows. " * 30},
        "odd": {"odd.bin": bytes(15_000)},
    }
    rows = []
    for name, files in contents.items():
        kept = tuple(
            replace(shelve(f"asset_{one}", one, data), bytes=len(data)) for one, data in files.items()
        )
        ids = tuple(one.asset_id for one in kept)
        record = make_record("collected", f"job_{name}", asset_ids=ids, files=kept)
        rows.append(make_row(name, f"a knight, {name}", record))
    return replace(results, rows=tuple(rows), removed=())


STAGES = """
const stage = (name) => document.querySelector(`[data-key="${name}"] .stage`);
const names = ["plain", "cut", "vectors", "film", "speech", "mesh", "mesh~2", "bare", "text", "odd"];
return Object.fromEntries(names.map((name) => [name, [
  ["img", "video", "svg", "pre"].filter((tag) => stage(name).querySelector(`:scope > ${tag}`)).join(),
  stage(name).querySelector("img.clear") !== null, stage(name).innerText.split("\\n")[0]]]));
"""
PLAYED = """
const done = arguments[0], film = document.querySelector(".view video");
const once = (one, name) => new Promise((go) => one.addEventListener(name, go, {once: true}));
(async () => {
  if (film.readyState < 1) await once(film, "loadedmetadata");
  film.currentTime = 2.9;
  await once(film, "seeked");
  done([film.videoWidth, film.videoHeight, film.duration, film.readyState > 1]);
})();
"""
HEARD = """
const one = document.querySelector(".view audio");
return one.readyState > 0 && Math.round(one.duration * 100);
"""


def test_every_kind_is_shown_as_what_it_is_from_its_folder_alone_and_out_of_a_zip(
    page: Page, kinds: Results, tmp_path: Path
) -> None:
    document = results_document(kinds)
    report = write_report(tmp_path, document)
    write_zip(tmp_path / "sent.zip", report, document, name="sent")
    with zipfile.ZipFile(tmp_path / "sent.zip") as archive:
        archive.extractall(tmp_path / "elsewhere")
    alone = write_alone(tmp_path, document, name="spring.html").path
    (tmp_path / "mail").mkdir()
    alone = alone.rename(tmp_path / "mail" / "spring.html")
    for place in (report, tmp_path / "elsewhere" / "sent" / "report.html", alone):
        page.open(place)
        page.until(LOADED)
        told = page.run(STAGES)
        assert {name: one[0] for name, one in told.items()} == {
            "plain": "img", "cut": "img", "vectors": "img", "film": "video", "speech": "svg", "mesh": "img",
            "mesh~2": "img", "bare": "svg", "text": "pre", "odd": "svg",
        }  # fmt: skip
        assert [name for name, one in told.items() if one[1]] == ["cut", "vectors"]
        assert (told["mesh~2"][2], told["bare"][2][:10], told["odd"][2]) == (
            "3D model",
            "3D model, ",
            "File, 15 kB",
        )
        page.open(place, "#view=film")
        assert page.browser.execute_async_script(PLAYED) == [320, 240, 3, True]
        page.open(place, "#view=speech")
        page.until(HEARD, 117)
        page.open(place, "#view=text")
        assert "<script>window.owned = 1</script> bows." in page.one(".view pre").text
        assert bool(page.browser.find_elements(By.LINK_TEXT, "open the file")) is (place != alone)
        page.check_quiet()


def test_a_chain_is_a_strip_that_leads_to_its_steps_whatever_is_filtered(
    page: Page, chained: Results, tmp_path: Path
) -> None:
    report = write_report(tmp_path, results_document(chained))
    page.open(report, "#status=blocked")
    assert page.cards == ["hop-cut"]
    step = page.one(".card a.step")
    assert step.get_attribute("aria-label") == "hop, failed, 7.25 CU, <b>too dark</b>"
    step.send_keys(Keys.ENTER)
    page.until(FOCUS, "hop")
    assert len(page.cards) == 6
    page.open(report, "#view=idle-big")
    assert page.one("#panel .strip").text.split("\n")[:3] == ["idle", "4 CU", "12.5 s"]
    page.open(report, "#chain=last")
    assert sorted(page.cards) == ["hop-cut", "idle-big", "sheet"]
    page.open(report, "#job-3")  # as pages had it once
    page.until(FOCUS, "hop")
    page.check_quiet()


def test_it_works_from_a_web_server_as_well(page: Page, report: Path) -> None:
    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(report.read_bytes())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.open(f"http://127.0.0.1:{server.server_port}/report.html")
        assert page.shown == "12 cards"
        assert page.log("browser") == []
        server.shutdown()
