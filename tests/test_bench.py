"""The harness of the figures: its ideal is a bound, its service keeps to the wire, its tables are true."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.pages import JobPage
from batchgen.scenario.wire import parse_page
from bench.figures import Figure, as_json, as_markdown, as_text
from bench.ideal import chained, ideal, paced
from bench.page import BEGIN, END, refreshed
from bench.plot import Plot, drawn
from bench.rows import SCENARIOS
from bench.server import Connection
from bench.service import MODEL, Load, Service

ROOT = Path(__file__).parent.parent
NOON = 1_800_000_000.0
SUBMIT = f"/v1/generate/custom/{MODEL}"
DURATIONS = st.lists(st.floats(0, 100), min_size=1, max_size=30)


@given(durations=DURATIONS, ceiling=st.integers(1, 8))
def test_the_ideal_lies_between_the_work_and_the_work_with_one_job_left_over(
    durations: list[float], ceiling: int
) -> None:
    work, longest = sum(durations) / ceiling, max(durations)
    assert max(work, longest) <= ideal(durations, ceiling) + 1e-6
    assert ideal(durations, ceiling) <= work + longest + 1e-6


@given(durations=DURATIONS, ceiling=st.integers(1, 8), late=st.data())
def test_no_schedule_in_the_same_order_that_starts_later_ends_sooner(
    durations: list[float], ceiling: int, late: st.DataObject
) -> None:
    slots = [0.0] * ceiling
    for duration in durations:
        slots.sort()
        slots[0] += late.draw(st.floats(0, 5)) + duration
    assert ideal(durations, ceiling) <= max(slots) + 1e-6


def test_a_pace_counts_only_where_it_binds() -> None:
    assert paced([5.0, 5.0, 5.0], 3, every=0.0) == ideal([5.0, 5.0, 5.0], 3) == 5.0
    assert paced([5.0, 5.0, 5.0], 3, every=2.0) == 9.0
    assert paced([5.0, 5.0, 5.0], 1, every=2.0) == 15.0


def read(service: Service, now: float, **query: str) -> JobPage:
    answer = service.handle("GET", "/v1/jobs", query, b"", now)
    assert answer.status == 200
    return parse_page(json.loads(answer.body))


def listed(service: Service, now: float, **query: str) -> list[str]:
    """Go through all pages, as the client does."""
    ids, page = list[str](), read(service, now, **query)
    while True:
        assert len(page.jobs) <= int(query["pageSize"])
        ids += [one.remote_id for one in page.jobs]
        if page.next_token is None:
            return ids
        page = read(service, now, paginationToken=page.next_token, **query)


def submitted(starts: list[float], *, load: Load) -> Service:
    service = Service(load)
    for number, at in enumerate(starts):
        assert service.handle("POST", SUBMIT, {}, json.dumps({"prompt": f"{number}"}).encode(), at).status
    return service


STARTS = st.lists(st.integers(0, 20), min_size=1, max_size=25).map(
    lambda gaps: [NOON + sum(gaps[: at + 1]) / 10 for at in range(len(gaps))]
)


def date(at: float) -> str:
    return f"2027-01-15T08:{int(at - NOON) // 60:02d}:{(at - NOON) % 60:06.3f}Z"


@given(starts=STARTS, size=st.integers(1, 7), since=st.integers(0, 400), wait=st.integers(0, 60))
def test_a_listing_by_creation_shows_what_is_younger_newest_first_and_each_once(
    starts: list[float], size: int, since: int, wait: int
) -> None:
    service = submitted(starts, load=Load(low=1.0, high=4.0))
    after, now = NOON + since / 10, starts[-1] + wait / 10
    wanted = [f"job_{n:024d}" for n, life in reversed(list(enumerate(service.lives))) if life.created > after]
    assert listed(service, now, pageSize=str(size), createdAfter=date(after)) == wanted


@given(starts=STARTS, size=st.integers(1, 7), since=st.integers(0, 400), wait=st.integers(0, 60))
def test_a_listing_by_update_shows_what_changed_last_first_and_each_once(
    starts: list[float], size: int, since: int, wait: int
) -> None:
    service = submitted(starts, load=Load(low=1.0, high=4.0))
    after, now = NOON + since / 10, starts[-1] + wait / 10
    changed = [
        (life.end if life.end <= now else life.created, number) for number, life in enumerate(service.lives)
    ]
    wanted = [f"job_{number:024d}" for at, number in sorted(changed, reverse=True) if at > after]
    assert listed(service, now, pageSize=str(size), types="custom", updatedAfter=date(after)) == wanted


@given(starts=STARTS, now=st.integers(0, 100))
def test_a_row_and_a_look_say_the_same_of_a_job(starts: list[float], now: int) -> None:
    service, at = submitted(starts, load=Load(low=1.0, high=4.0)), starts[-1] + now / 10
    whole = json.loads(service.handle("GET", "/v1/jobs", {"pageSize": "100"}, b"", at).body)
    for row in whole["jobs"]:
        assert json.loads(service.handle("GET", f"/v1/jobs/{row['jobId']}", {}, b"", at).body)["job"] == row
        assert (row["status"] == "success") == bool(row["metadata"]["assetIds"])


@pytest.mark.parametrize(
    "query",
    [
        {"updatedAfter": date(NOON)},
        {"types": "custom", "createdAfter": date(NOON)},
        {"pageSize": "101"},
        {"paginationToken": "bm90aGluZw=="},
    ],
)
def test_a_listing_that_makes_no_sense_is_refused(query: dict[str, str]) -> None:
    assert Service(Load()).handle("GET", "/v1/jobs", query, b"", NOON).status == 400


def test_no_more_run_than_the_ceiling_and_a_refusal_names_it() -> None:
    service = Service(Load(low=2.0, high=2.0, ceiling=2))
    answers = [service.handle("POST", SUBMIT, {}, b"{}", NOON + at) for at in (0, 1, 1.5, 2.1)]
    assert [one.status for one in answers] == [200, 200, 429, 200]
    assert json.loads(answers[2].body)["details"]["actionLimit"] == 2
    assert (service.counts["accepted"], service.counts["refused"]) == (3, 1)


def test_a_lost_answer_is_of_a_job_that_was_accepted() -> None:
    service = Service(Load(lost=1.0))
    statuses = [service.handle("POST", SUBMIT, {}, b"{}", NOON).status for _ in range(4)]
    assert statuses == [0, 502, 0, 502]
    assert len(service.lives) == service.counts["accepted"] == service.counts["lost"] == 4


@asynccontextmanager
async def listening(service: Service) -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(service), "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_client_can_talk_to_it_over_one_connection() -> None:
    service = Service(Load())
    async with listening(service) as root, aiohttp.ClientSession() as session:
        async with session.post(f"{root}{SUBMIT}", json={"prompt": "a tower, ü"}) as answer:
            job = (await answer.json())["job"]
        async with session.get(f"{root}/v1/jobs/{job['jobId']}") as answer:
            shown = (await answer.json())["job"]
        async with session.post(f"{root}{SUBMIT}?dryRun=true", json={}) as answer:
            assert answer.status == 269
        async with session.get(f"{root}/v1/assets/asset_1") as answer:
            assert answer.status == 404
    assert shown["metadata"]["input"] == {"modelId": MODEL, "prompt": "a tower, ü"}
    assert service.counts == {"submit": 1, "accepted": 1, "job": 1, "quote": 1, "assets": 1}


async def test_an_answer_that_is_cut_is_a_broken_connection() -> None:
    async with listening(Service(Load(lost=1.0))) as root, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{root}{SUBMIT}", json={})


@pytest.mark.parametrize(
    ("figure", "target", "measured", "reached"),
    [
        (Figure(what="a", value=1.064, most=1.06), "≤ 1.06", "1.06", True),
        (Figure(what="a", value=1.066, most=1.06), "≤ 1.06", "1.07", False),
        (Figure(what="a", value=1234.0, digits=0, least=700), "≥ 700", "1,234", True),
        (Figure(what="a", value=499, digits=0, most=500, least=500), "500", "499", False),
        (Figure(what="a", value=0.25, unit="s"), "-", "0.25 s", None),
        (Figure(what="a", most=3, note="takes long"), "≤ 3", "-", None),
    ],
)
def test_a_figure_is_held_against_its_target_as_it_is_shown(
    figure: Figure, target: str, measured: str, reached: bool | None
) -> None:
    assert (figure.target, figure.measured, figure.reached) == (target, measured, reached)


def test_a_row_that_was_not_measured_says_why_in_every_form() -> None:
    rows = [Figure(what="kills", note="takes long").of("cuts"), Figure(what="a", value=1.0, most=2)]
    for text in (as_text(rows), as_markdown(rows)):
        assert "not measured" in text
        assert "takes long" in text
    assert len({line.count("|") for line in as_markdown(rows).splitlines()}) == 1
    first, second = json.loads(as_json(rows, {"cores": "2"}, at="2027-01-15", quick=True))["figures"]
    assert (first["value"], first["reached"], second["reached"]) == (None, None, True)


def test_a_page_is_refreshed_between_its_markers_and_nowhere_else() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    rows = [Figure(what="new", value=1.0, most=2)]
    once = refreshed(page, rows, {"cores": "2"}, at="2027-01-15")
    assert once.startswith("before\n")
    assert once.endswith("after\n")
    assert "old" not in once
    assert refreshed(once, rows, {"cores": "2"}, at="2027-01-15") == once
    with pytest.raises(ValueError, match="lacks"):
        refreshed("nothing", rows, {}, at="2027-01-15")


def test_the_page_tells_of_every_scenario_and_can_be_refreshed() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    assert not [name for name in SCENARIOS if f"`{name}`" not in page]
    refreshed(page, [], {}, at="2027-01-15")


@given(starts=STARTS)
def test_a_drawing_is_well_formed_and_small(starts: list[float]) -> None:
    service = submitted(starts, load=Load(low=1.0, high=4.0))
    lives = [(one.created, one.end) for one in service.lives]
    text = drawn(Plot(title="a & b", flights={"us": lives}, ceiling=3, asked=service.asked))
    assert ET.fromstring(text).tag.endswith("svg")
    assert len(text) < 20_000


@given(chains=st.lists(st.lists(st.floats(0, 50), min_size=1, max_size=4), min_size=1, max_size=12),
       ceiling=st.integers(1, 5))  # fmt: skip
def test_the_ideal_of_chains_lies_between_what_must_follow_and_all_of_it(
    chains: list[list[float]], ceiling: int
) -> None:
    work, longest = sum(map(sum, chains)) / ceiling, max(map(sum, chains))
    assert max(work, longest) - 1e-6 <= chained(chains, ceiling) <= work + longest + 1e-6


def test_the_next_step_goes_before_a_chain_that_has_not_begun() -> None:
    assert chained([[1.0, 1.0, 9.0], [1.0], [1.0]], 1) == 13.0
    assert chained([[1.0, 1.0, 9.0], [2.0], [2.0]], 2) == 11.0
    assert chained([[1.0], [1.0]], 2) == ideal([1.0, 1.0], 2)
