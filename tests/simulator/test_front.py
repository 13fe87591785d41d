"""The front over real HTTP on loopback: what a connection suffers, and what a restart remembers."""

import asyncio
import base64
import io
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from batchgen.errors import InputError, OutputError
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import Fault, FaultPlan
from batchgen.simulator.front import Running, serve
from batchgen.simulator.pictures import forget
from batchgen.simulator.settings import Outcomes, Settings
from tests.simulator.caller import SEEDED, SEEDLESS, basic

PROMPT = {"prompt": "an oak"}
SUBMIT = f"/generate/custom/{SEEDLESS}"


def plain(*faults: Fault | None, call: Call = Call.SUBMIT, latency: float = 0.0) -> Settings:
    return Settings(
        latency=(latency, latency), outcomes=Outcomes(instant=True), faults=FaultPlan(script={call: faults})
    )


@asynccontextmanager
async def open_front(
    settings: Settings | None = None, **how: Any
) -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    async with (
        serve(settings or plain(), **how) as running,
        aiohttp.ClientSession(headers=basic()) as session,
    ):
        yield running, session


async def bought(running: Running, session: aiohttp.ClientSession, **inputs: object) -> Any:
    async with session.post(running.base_url + SUBMIT, json={**PROMPT, **inputs}) as answer:
        assert answer.status == 200
        return (await answer.json())["job"]


async def asset_url(running: Running, session: aiohttp.ClientSession) -> str:
    job = await bought(running, session)
    async with session.get(f"{running.base_url}/assets/{job['metadata']['assetIds'][0]}") as answer:
        url: str = (await answer.json())["asset"]["url"]
        return url


async def test_a_job_goes_from_submit_to_picture() -> None:
    async with open_front() as (running, session):
        url = await asset_url(running, session)
        assert url.startswith(running.base_url.removesuffix("/v1") + "/cdn/")
        async with aiohttp.request("GET", url) as answer:
            assert answer.status == 200
            assert answer.content_type == "image/png"
            assert Image.open(io.BytesIO(await answer.read())).size == (512, 384)
        assert len(running.service.submissions) == 1


async def test_the_cdn_refuses_an_authorization_header() -> None:
    async with open_front() as (running, session):
        url = await asset_url(running, session)
        async with session.get(url) as answer:
            assert answer.status == 400
        assert running.service.counts["cdn_credentials"] == 1


async def test_a_call_without_credentials_is_refused() -> None:
    async with open_front() as (running, _), aiohttp.request("GET", f"{running.base_url}/jobs") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(("fault", "charged"), [(Fault.CUT_BEFORE, 0), (Fault.CUT_AFTER, 1)])
async def test_a_cut_ends_the_connection_without_an_answer(fault: Fault, charged: int) -> None:
    async with open_front(plain(fault)) as (running, session):
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.post(running.base_url + SUBMIT, json=PROMPT)
        assert len(running.service.submissions) == charged
        await bought(running, session)


async def test_a_hang_never_answers_and_goes_with_its_client() -> None:
    async with open_front(plain(Fault.HANG_AFTER)) as (running, session):
        before = asyncio.all_tasks()
        patience = aiohttp.ClientTimeout(total=0.2)
        with pytest.raises(TimeoutError):
            await session.post(running.base_url + SUBMIT, json=PROMPT, timeout=patience)
        assert len(running.service.submissions) == 1
        await asyncio.wait_for(_all(asyncio.all_tasks() - before), 5)


async def _all(tasks: set[asyncio.Task[Any]]) -> None:
    if tasks:
        await asyncio.wait(tasks)


async def test_a_hang_does_not_keep_the_service_from_ending() -> None:
    told = asyncio.Event()
    began = time.monotonic()
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession(headers=basic()) as session:
        async with serve(plain(Fault.HANG_AFTER), log=lambda _: told.set()) as running:
            hanging = group.create_task(_lost(session, running.base_url + SUBMIT), name="hanging")
            await asyncio.wait_for(told.wait(), 5)
            assert not hanging.done()
        assert await asyncio.wait_for(hanging, 5)
    assert time.monotonic() - began < 4


async def _lost(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.post(url, json=PROMPT):
            return False
    except aiohttp.ClientConnectionError:
        return True


async def test_a_truncated_download_announces_more_than_it_sends() -> None:
    async with open_front(plain(Fault.TRUNCATED, call=Call.DOWNLOAD)) as (running, session):
        url = await asset_url(running, session)
        async with aiohttp.request("GET", url) as answer:
            announced = answer.content_length
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        async with aiohttp.request("GET", url) as answer:
            assert len(await answer.read()) == announced


async def test_a_redirect_leads_to_nothing() -> None:
    async with open_front(plain(Fault.REDIRECT)) as (running, session):
        async with session.post(running.base_url + SUBMIT, json=PROMPT, allow_redirects=False) as answer:
            assert answer.status == 307
            assert answer.headers["location"] == "/elsewhere"
        assert len(running.service.submissions) == 1


@pytest.mark.parametrize(
    ("latency", "speed", "least", "most"), [(0.3, 1.0, 0.3, 10.0), (4.0, 100.0, 0.04, 3.0)]
)
async def test_the_latency_is_waited_for_and_shrinks_with_the_speed(
    latency: float, speed: float, least: float, most: float
) -> None:
    async with open_front(plain(latency=latency), speed=speed) as (running, session):
        began = time.monotonic()
        async with session.get(f"{running.base_url}/jobs") as answer:
            assert answer.status == 200
        assert least <= time.monotonic() - began <= most


async def test_a_job_ends_sooner_by_the_speed() -> None:
    settings = Settings(latency=(0, 0), duration=(60, 60))
    async with open_front(settings, speed=600) as (running, session):
        job = await bought(running, session)
        async with asyncio.timeout(5):
            while job["status"] != "success":
                async with session.get(f"{running.base_url}/jobs/{job['jobId']}") as answer:
                    job = (await answer.json())["job"]
        (submission,) = running.service.submissions
        assert submission.end.at - submission.created_at == pytest.approx(0.1, abs=0.002)


async def test_a_prompt_in_any_script_comes_back_as_it_was_sent() -> None:
    prompt = "Eiche \u2028 木 🌳 \u0085"
    async with open_front() as (running, session):
        job = await bought(running, session, prompt=prompt)
        assert job["metadata"]["input"]["prompt"] == prompt


async def test_a_body_that_is_too_long_is_refused_by_the_service() -> None:
    async with open_front() as (running, session):
        long = io.BytesIO(b'{"prompt": "' + b"x" * 6_100_000 + b'"}')
        async with session.post(running.base_url + SUBMIT, data=long) as answer:
            assert answer.status == 413


async def test_a_restarted_service_knows_its_jobs(tmp_path: Path) -> None:
    state = tmp_path / "kept" / "state.jsonl"
    async with open_front(state=state) as (running, session):
        # what ends a line elsewhere is a letter of a prompt here
        prompts = ["an oak", "two\u2028lines\u0085and\x0bmore", "木"]
        jobs = [await bought(running, session, prompt=one) for one in prompts]
        before = list(running.service.submissions)
    async with open_front(state=state) as (running, session):
        assert list(running.service.submissions) == before
        async with session.get(f"{running.base_url}/jobs") as answer:
            listed = (await answer.json())["jobs"]
        assert [one["jobId"] for one in listed] == [one["jobId"] for one in jobs[::-1]]
        await bought(running, session)
    assert len(state.read_text().split("\n")) == len(before) + 2


async def fetched(running: Running, session: aiohttp.ClientSession, asset_id: str) -> bytes:
    async with session.get(f"{running.base_url}/assets/{asset_id}") as answer:
        url = (await answer.json())["asset"]["url"]
    async with aiohttp.ClientSession() as nobody, nobody.get(url) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_a_restarted_service_knows_what_was_sent_and_draws_from_it(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 40, 30)).save(drawn, "PNG")
    cut_out = "/generate/custom/model_birefnet-background-removal"
    async with open_front(state=state) as (running, session):
        image = base64.b64encode(drawn.getvalue()).decode()
        async with session.post(f"{running.base_url}/assets", json={"name": "a", "image": image}) as answer:
            sent = (await answer.json())["asset"]["id"]
        async with session.post(running.base_url + cut_out, json={"image": sent}) as answer:
            assert answer.status == 200
        [job] = running.service.submissions
        [made] = running.service.outputs_of(job, job.end.at)
        before = await fetched(running, session, made)
    beside = tmp_path / "state.files.jsonl"
    with beside.open("a") as torn:
        torn.write('{"id": "asset_')
    forget()
    async with open_front(state=state) as (running, session):
        assert await fetched(running, session, sent) == drawn.getvalue()
        assert await fetched(running, session, made) == before
        async with session.post(f"{running.base_url}/assets", json={"name": "b", "image": image}) as answer:
            assert (await answer.json())["asset"]["id"] != sent
    assert len(beside.read_text().splitlines()) == 2
    beside.write_text("{}\n")
    with pytest.raises(OutputError, match="not of a simulated service"):
        async with serve(plain(), state=state):
            pass


async def test_a_job_is_on_disk_even_if_its_answer_is_lost(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    async with open_front(plain(Fault.CUT_AFTER), state=state) as (running, session):
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.post(running.base_url + SUBMIT, json=PROMPT)
    (line,) = state.read_text().splitlines()
    assert json.loads(line)["remote_id"] == running.service.submissions[0].remote_id


@pytest.mark.parametrize("where", [1, 40, -1, -3])
async def test_a_line_that_was_cut_in_the_middle_is_no_job(tmp_path: Path, where: int) -> None:
    state = tmp_path / "state.jsonl"
    async with open_front(state=state) as (running, session):
        await bought(running, session)
        await bought(running, session, prompt="木")
    first, second, _ = state.read_bytes().split(b"\n")
    state.write_bytes(first + b"\n" + second[:where])
    async with open_front(state=state) as (running, session):
        assert len(running.service.submissions) == 1
        await bought(running, session)
    async with open_front(state=state) as (running, _):
        assert len(running.service.submissions) == 2


async def test_a_line_that_was_cut_in_the_middle_of_a_letter_is_no_job(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    async with open_front(state=state) as (running, session):
        await bought(running, session, prompt="木")
    state.write_bytes(state.read_bytes().partition("木".encode()[:2])[0] + "木".encode()[:2])
    async with open_front(state=state) as (running, _):
        assert not running.service.submissions


def nothing_of_ours(line: bytes) -> bytes:
    del line
    return b'{"id": 1}\n'


def twice(line: bytes) -> bytes:
    return line + line


def of_another_model(line: bytes) -> bytes:
    return line.replace(SEEDLESS.encode(), b"model_of_nobody")


def no_text(line: bytes) -> bytes:
    return b"\xff" + line


@pytest.mark.parametrize("spoil", [nothing_of_ours, twice, of_another_model, no_text])
async def test_a_state_that_makes_no_sense_is_refused_and_left_alone(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    state = tmp_path / "state.jsonl"
    async with open_front(state=state) as (running, session):
        await bought(running, session)
    spoilt = spoil(state.read_bytes())
    state.write_bytes(spoilt)
    with pytest.raises(OutputError, match=str(state)):
        async with serve(plain(), state=state):
            pass
    assert state.read_bytes() == spoilt


async def test_a_state_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be"):
        async with serve(plain(), state=tmp_path / "file" / "state.jsonl"):
            pass


async def test_a_port_that_is_taken_is_said_so() -> None:
    async with serve(plain()) as running:
        port = int(running.base_url.split(":")[2].partition("/")[0])
        with pytest.raises(OutputError, match=f"127.0.0.1:{port} cannot be listened on"):
            async with serve(plain(), port=port):
                pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "::", "example.com", ""])
async def test_only_this_machine_is_listened_on(host: str) -> None:
    with pytest.raises(InputError, match="not a loopback address"):
        async with serve(plain(), host=host):
            pass


async def test_every_request_is_told_without_its_signature() -> None:
    told: list[str] = []
    async with open_front(plain(Fault.CUT_AFTER), log=told.append) as (running, session):
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.post(running.base_url + SUBMIT, json=PROMPT)
        async with aiohttp.request("GET", await asset_url(running, session)):
            pass
    assert told[0] == f"POST /v1{SUBMIT} cut"
    assert told[1] == f"POST /v1{SUBMIT} 200"
    assert "Signature" not in "".join(told)


async def test_many_pictures_are_drawn_while_other_requests_are_answered() -> None:
    async with open_front() as (running, session):
        async with session.post(
            f"{running.base_url}/generate/custom/{SEEDED}", json={**PROMPT, "numOutputs": 4}
        ) as answer:
            assets = (await answer.json())["job"]["metadata"]["assetIds"]
        async with session.post(f"{running.base_url}/assets/get-bulk", json={"assetIds": assets}) as answer:
            urls = [one["url"] for one in (await answer.json())["assets"]]

        async def size(url: str) -> int:
            async with aiohttp.request("GET", url) as answer:
                return len(await answer.read())

        async with asyncio.TaskGroup() as group:
            sizes = [group.create_task(size(url), name=url) for url in urls]
            async with session.get(f"{running.base_url}/jobs") as answer:
                assert answer.status == 200
        assert all(one.result() > 1000 for one in sizes)
