import io
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from batchgen.lifecycle import Record
from batchgen.model import File
from batchgen.output.entries import Row
from batchgen.output.report import write_report
from batchgen.output.results import results_document
from batchgen.output.summary import Results
from batchgen.simulator.clips import film
from batchgen.simulator.effects import cut_out
from batchgen.simulator.meshes import relief
from batchgen.simulator.sounds import spoken
from batchgen.simulator.vectors import traced

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
def page(browser: webdriver.Chrome, results: Results, tmp_path: Path) -> webdriver.Chrome:
    complaints(browser)
    requested(browser)
    browser.get(write_report(tmp_path, results_document(results)).as_uri())
    return browser


def _log(page: webdriver.Chrome, kind: str) -> list[str]:
    return [entry["message"] for entry in page.execute("getLog", {"type": kind})["value"]]


def complaints(page: webdriver.Chrome) -> list[str]:
    return _log(page, "browser")


def requested(page: webdriver.Chrome) -> list[str]:
    messages = [json.loads(one)["message"] for one in _log(page, "performance")]
    sent = [one["params"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [one["request"]["url"] for one in sent]


def visible(page: webdriver.Chrome) -> list[str]:
    names: list[str] = page.execute_script(
        "return [...document.querySelectorAll('.card:not([hidden]) .name')].map((one) => one.textContent)"
    )
    return names


def until_shown(page: webdriver.Chrome, count: int) -> None:
    WebDriverWait(page, 5).until(lambda page: len(visible(page)) == count)


def shown(page: webdriver.Chrome) -> str:
    return page.find_element(By.ID, "shown").text


def test_it_opens_from_a_file_without_a_complaint_and_asks_nobody(page: webdriver.Chrome) -> None:
    requests = requested(page)
    assert requests, "the log works"
    assert not [one for one in requests if one.startswith(("http", "ws", "ftp"))]
    assert complaints(page) == []


def test_the_pictures_are_there(page: webdriver.Chrome) -> None:
    widths = "return [...document.querySelectorAll('.card img')].map((one) => one.naturalWidth)"
    WebDriverWait(page, 5).until(lambda page: all(page.execute_script(widths)))
    assert page.execute_script(widths) == [360, 360, 216]


def test_hostile_text_stays_text(page: webdriver.Chrome) -> None:
    assert page.execute_script("return window.owned") is None
    prompts = [one.text for one in page.find_elements(By.TAG_NAME, "h2")]
    assert any("<script>window.owned = 1</script>" in one for one in prompts)


def test_a_script_that_got_in_all_the_same_would_not_run(page: webdriver.Chrome) -> None:
    page.execute_script(
        "const bad = document.createElement('script'); bad.textContent = 'window.owned = 2';"
        "document.body.append(bad);"
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned = 3\">');"
    )
    assert page.execute_async_script("setTimeout(() => arguments[0](window.owned || 0), 100)") == 0


def test_chips_filter_by_status(page: webdriver.Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".chip[data-status=failed]").click()
    assert visible(page) == ["failed", "gone"]
    assert shown(page) == "2 of 12 cards"
    page.find_element(By.CSS_SELECTOR, ".chip[data-status='']").click()
    assert shown(page) == "12 cards"


def test_search_finds_prompts_ids_and_models_and_says_when_nothing_matches(page: webdriver.Chrome) -> None:
    search = page.find_element(By.ID, "search")
    for words, found in (("OAK ultra", 2), ("asset_B1", 1), ("job_5", 1), ("too long", 1), ("zebra", 0)):
        search.clear()
        search.send_keys(words)
        until_shown(page, found)
    assert page.find_element(By.ID, "nothing").is_displayed()
    page.find_element(By.ID, "reset").click()
    assert len(visible(page)) == 12


def test_the_model_narrows_too(page: webdriver.Chrome) -> None:
    page.find_element(By.ID, "model").send_keys("model_bfl")
    WebDriverWait(page, 5).until(lambda page: visible(page) == ["tower-again"])


def test_a_picture_opens_large_and_the_keyboard_goes_through_them(page: webdriver.Chrome) -> None:
    first = page.find_element(By.CSS_SELECTOR, "a.zoom")
    first.send_keys(Keys.ENTER)
    full = page.find_element(By.ID, "full")
    WebDriverWait(page, 5).until(lambda _: full.get_property("naturalWidth") == 640)
    page.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    WebDriverWait(page, 5).until(lambda _: full.get_property("naturalWidth") == 300)
    assert str(full.get_attribute("src")).endswith("tower%20again%20%232%3F_0.png")
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    WebDriverWait(page, 5).until(lambda page: not page.find_element(By.ID, "viewer").is_displayed())
    assert complaints(page) == []


@pytest.mark.parametrize("width", [320, 400, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_any_window_in_both_themes(page: webdriver.Chrome, width: int, theme: str) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    root = "document.documentElement"
    assert page.execute_script("return innerWidth") == width
    assert page.execute_script(f"return {root}.scrollWidth === {root}.clientWidth")
    ratio: Any = page.execute_script(CONTRAST)
    assert ratio >= 4.5
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


CONTRAST = """
const light = (text) => {
  const part = text.match(/[\\d.]+/g).slice(0, 3).map((one) => one / 255)
    .map((one) => one <= .03928 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
  return .2126 * part[0] + .7152 * part[1] + .0722 * part[2];
};
const pairs = [[".fine", "body"], [".model", ".card"], [".tags", ".card"], ["h2", ".card"],
  [".kicker", "body"], [".why", ".stage"], [".is-failed .verdict", ".stage"],
  [".is-in_doubt .verdict", ".stage"], [".is-running .verdict", ".stage"],
  [".is-pending .verdict", ".stage"]];
return Math.min(...pairs.map(([text, back]) => {
  const a = light(getComputedStyle(document.querySelector(text)).color);
  const b = light(getComputedStyle(document.querySelector(back)).backgroundColor);
  return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
}));
"""


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
        kept = tuple(shelve(f"asset_{one}", one, data) for one, data in files.items())
        ids = tuple(one.asset_id for one in kept)
        rows.append(
            make_row(
                name, f"a knight, {name}", make_record("collected", f"job_{name}", asset_ids=ids, files=kept)
            )
        )
    return replace(results, rows=tuple(rows), removed=())


LOADED = """
const done = arguments[0], film = document.querySelector("video"), sound = document.querySelector("audio");
const once = (one, name) => new Promise((go) => one.addEventListener(name, go, {once: true}));
const ready = async () => {
  if (film.readyState < 1) await once(film, "loadedmetadata");
  film.currentTime = 2.9;
  await once(film, "seeked");
  sound.preload = "metadata";
  if (sound.readyState < 1) await once(sound, "loadedmetadata");
  const said = Math.round(sound.duration * 100);
  done([film.videoWidth, film.videoHeight, film.duration, film.readyState > 1, said]);
};
ready();
"""
SHOWN = """
const stage = (name) => [...document.querySelectorAll(".card")]
  .filter((card) => card.querySelector(".name").textContent === name).pop().querySelector(".stage");
const box = (one) => one ? one.getBoundingClientRect() : {width: 0, height: 0};
const seen = (one) => box(one).height > 40 && box(one).width > 40;
const with_ = (tag, names) => names.filter((name) => seen(stage(name).querySelector(tag)));
const checked = (name) => getComputedStyle(stage(name)).backgroundImage.includes("conic-gradient");
return {
  checked: ["plain", "cut", "vectors", "mesh", "odd"].filter(checked),
  pictures: with_("img", ["plain", "cut", "vectors", "mesh", "bare", "odd"]),
  drawn: with_("svg", ["speech", "mesh", "bare", "odd", "cut"]),
  said: Object.fromEntries(["speech", "mesh", "bare", "odd"].map((name) => [name, stage(name).innerText])),
  text: stage("text").querySelector("pre").textContent.slice(0, 60),
};
"""


def test_every_kind_is_shown_as_what_it_is(browser: webdriver.Chrome, kinds: Results, tmp_path: Path) -> None:
    complaints(browser)
    requested(browser)
    browser.get(write_report(tmp_path, results_document(kinds)).as_uri())
    browser.execute_script(
        "document.querySelectorAll('.card').forEach((one) => one.style.contentVisibility = 'visible');"
        "document.querySelectorAll('.card img').forEach((one) => one.loading = 'eager')"
    )
    widths = "return [...document.querySelectorAll('.card img')].map((one) => one.naturalWidth)"
    WebDriverWait(browser, 5).until(lambda page: all(page.execute_script(widths)))
    assert browser.execute_async_script(LOADED) == [320, 240, 3, True, 117]
    shown: Any = browser.execute_script(SHOWN)
    assert shown["checked"] == ["cut", "vectors"]
    assert shown["pictures"] == ["plain", "cut", "vectors", "mesh"]
    assert shown["drawn"] == ["speech", "bare", "odd"]
    assert shown["said"]["mesh"].startswith("3D model, model/gltf-binary, ")
    assert shown["said"]["bare"].startswith("3D model, model/gltf-binary, ")
    assert shown["said"]["speech"].startswith("Sound, audio/wav, ")
    assert shown["said"]["odd"].split("\n")[0] == "odd.bin"
    assert "<script>window.owned = 1</script> bows." in shown["text"]
    assert browser.execute_script("return window.owned") is None
    assert not [one for one in requested(browser) if one.startswith(("http", "ws", "ftp"))]
    assert complaints(browser) == []


def test_a_picture_that_one_sees_through_opens_on_a_checkerboard_too(
    browser: webdriver.Chrome, kinds: Results, tmp_path: Path
) -> None:
    browser.get(write_report(tmp_path, results_document(kinds)).as_uri())
    width = "return document.getElementById('full').naturalWidth"
    backs = []
    for name in ("cut", "plain"):
        browser.find_element(By.CSS_SELECTOR, f"a.zoom[href$='{name}.png']").send_keys(Keys.ENTER)
        full = browser.find_element(By.ID, "full")
        WebDriverWait(browser, 5).until(lambda page: page.execute_script(width) == 640)
        backs.append(full.value_of_css_property("background-image"))
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert "conic-gradient" in backs[0]
    assert backs[1] == "none"


def test_it_works_from_a_web_server_as_well(page: webdriver.Chrome, tmp_path: Path) -> None:
    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write((tmp_path / "report.html").read_bytes())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.get(f"http://127.0.0.1:{server.server_port}/report.html")
        assert shown(page) == "12 cards"
        assert complaints(page) == []
        server.shutdown()


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chain_is_a_strip_that_can_be_read_and_leads_to_its_steps(
    browser: webdriver.Chrome, chained: Results, tmp_path: Path, width: int, theme: str
) -> None:
    complaints(browser)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    browser.get(write_report(tmp_path, results_document(chained)).as_uri())
    root = "document.documentElement"
    assert browser.execute_script(f"return {root}.scrollWidth === {root}.clientWidth")
    assert browser.execute_script(STEPS) == [
        ["idle", True, True],
        ["idle-cut", False, True],
        ["idle", True, True],
        ["hop", False, True],
        ["hop", False, True],
    ]
    pairs = '[".step span", ".card"], [".step em", ".card"], [".step q", ".card"], [".step .id", ".step .id"]'
    ratio: Any = browser.execute_script(CONTRAST.replace('[".fine", "body"]', pairs).replace(REST, ""))
    assert ratio >= 4.5
    browser.find_element(By.CSS_SELECTOR, "[data-status='blocked']").click()
    step = browser.find_element(By.CSS_SELECTOR, ".card:not([hidden]) a.step")
    step.send_keys(Keys.ENTER)
    reached = 'return document.querySelector(".card:target .name").textContent'
    WebDriverWait(browser, 5).until(
        lambda page: page.find_elements(By.CSS_SELECTOR, ".card:target:not([hidden])")
    )
    assert browser.execute_script(reached) == "hop"
    assert complaints(browser) == []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


STEPS = """
return [...document.querySelectorAll(".step")].map((step) => {
  const picture = step.querySelector("img"), box = step.getBoundingClientRect();
  const card = step.closest(".card").getBoundingClientRect();
  return [step.querySelector("b").textContent, Boolean(picture && picture.complete && picture.naturalWidth),
    box.left >= card.left && box.right <= card.right + 1];
});
"""
REST = CONTRAST[CONTRAST.index(', [".model", ".card"]') : CONTRAST.index("];\nreturn Math.min")]
