import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.backoff import Backoff
from batchgen.errors import (
    AmbiguousError,
    DeferredError,
    ModelClosedError,
    NotFoundError,
    NotSentError,
    RefusedError,
    ServiceError,
    StoppedError,
    TransientError,
)
from batchgen.model import RemoteStatus
from batchgen.ports import Gate, Generator, Lane
from batchgen.scenario.client import BULK, ScenarioClient
from batchgen.scenario.retry import CallRetry
from batchgen.scenario.transport import Answer, Call, LostAnswerError, Transport
from tests.scenario.fakes import JOB_ID, OpenGate, Places, ScriptedTransport, answered, asset_json, job_json
from tests.support.looped import time_virtually

T = TypeVar("T")

FOUND = answered({"job": job_json()})
ACCEPTED = answered({"job": job_json(), "creativeUnitsCost": 5})
SLOW_DOWN = answered({"reason": "slow down"}, 429)
BROKEN = answered(b"<h1>Bad Gateway</h1>", 502)


def make_client(
    transport: Transport,
    gate: Gate | None = None,
    *,
    project: str | None = None,
    retry: CallRetry | None = None,
) -> ScenarioClient:
    return ScenarioClient(
        transport,
        gate if gate is not None else OpenGate(),
        project=project,
        retry=retry if retry is not None else CallRetry(),
        rng=random.Random(7),
    )


def in_virtual_time(body: Callable[[], Awaitable[T]]) -> tuple[T, float]:
    """Run the body and give what it gives, and the seconds it took."""

    async def main() -> T:
        return await body()

    return time_virtually(main())


def test_the_client_is_a_generator() -> None:
    generator: Generator = make_client(ScriptedTransport([FOUND]))
    assert isinstance(generator, ScenarioClient)


def test_the_client_needs_no_http_library() -> None:
    modules = "batchgen.scenario.client, batchgen.scenario.wire, batchgen.scenario.verdicts"
    check = f"import sys, {modules}; sys.exit('aiohttp' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)


# --- the paid POST


async def test_a_submit_sends_the_bytes_it_is_given_once_and_passes_no_gate() -> None:
    transport, gate = ScriptedTransport([ACCEPTED]), OpenGate()
    body = '{"prompt":"a tower, ü","seed":0.10}'
    receipt = await make_client(transport, gate, project="proj_1").submit("model_x", body)
    assert receipt.job.remote_id == JOB_ID
    assert transport.calls == [
        Call(
            method="POST",
            path="/generate/custom/model_x",
            query={"projectId": "proj_1"},
            body=body.encode(),
            once=True,
        )
    ]
    assert gate.turns == []


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (NotSentError("refused"), NotSentError),
        (LostAnswerError("cut"), AmbiguousError),
        (BROKEN, AmbiguousError),
        (SLOW_DOWN, DeferredError),
        (answered({}, 400), RefusedError),
        (answered({}, 401), StoppedError),
    ],
)
async def test_a_lost_answer_is_never_resubmitted_nor_any_other(
    step: Answer | NotSentError | LostAnswerError, error: type[ServiceError]
) -> None:
    transport, gate = ScriptedTransport([step, ACCEPTED]), OpenGate()
    with pytest.raises(error):
        await make_client(transport, gate).submit("model_x", "{}")
    assert len(transport.calls) == 1
    assert gate.pauses == []


def test_between_the_answer_and_the_receipt_nothing_can_be_cancelled() -> None:
    class AtOnce:
        async def exchange(self, call: Call) -> Answer:
            assert call.once
            return ACCEPTED

    with pytest.raises(StopIteration) as returned:  # a coroutine that never gives way ends at its first step
        make_client(AtOnce()).submit("model_x", "{}").send(None)
    assert returned.value.value.job.remote_id == JOB_ID


async def test_inputs_that_no_request_can_carry_are_refused_before_one_leaves() -> None:
    transport = ScriptedTransport([ACCEPTED])
    for model, body in (("model_x", '"\ud800"'), ("..", "{}"), ("", "{}")):
        with pytest.raises(RefusedError):
            await make_client(transport).submit(model, body)
    assert transport.calls == []


# --- idempotent calls: what they ask for


async def test_a_look_names_the_job_and_the_project() -> None:
    transport, gate = ScriptedTransport([FOUND]), OpenGate()
    job = await make_client(transport, gate, project="proj_1").job(JOB_ID)
    assert (job.remote_id, job.status) == (JOB_ID, RemoteStatus.RUNNING)
    assert transport.calls == [Call(method="GET", path=f"/jobs/{JOB_ID}", query={"projectId": "proj_1"})]
    assert gate.turns == [Lane.WATCH]


async def test_an_id_cannot_lead_to_another_place() -> None:
    transport = ScriptedTransport([FOUND])
    client = make_client(transport)
    await client.job("../teams?x=1#/ü\ud800")
    assert transport.calls[0].path == "/jobs/..%2Fteams%3Fx%3D1%23%2F%C3%BC%3F"
    for name in ("", ".", "..", " "):
        for ask in (client.job, client.model):
            with pytest.raises(NotFoundError):
                await ask(name)
        assert await client.assets([name]) == {}
    assert {call.path for call in transport.calls[1:]} == {"/assets/get-bulk"}


async def test_whether_a_submit_may_leave_is_asked_by_whatever_carries_it() -> None:
    transport, asked = ScriptedTransport([answered({"job": job_json()})]), lambda: True
    await make_client(transport).submit("model_x", "{}", may_leave=asked)
    await make_client(transport).submit("model_x", "{}")
    assert [one.may_leave for one in transport.calls] == [asked, None]


async def test_a_listing_asks_for_the_largest_page_and_goes_on_with_the_same_filters() -> None:
    transport = ScriptedTransport(
        [
            answered({"jobs": [job_json("job_1")], "nextPaginationToken": "t+/="}),
            answered({"jobs": [], "nextPaginationToken": "u"}),
            answered({"jobs": [job_json("job_2")]}),
        ]
    )
    client = make_client(transport, project="proj_1")
    jobs, token = [], None
    for _ in transport.steps:
        page = await client.jobs({"createdAfter": "2026-08-28T07:37:09.434Z"}, token)
        jobs += [job.remote_id for job in page.jobs]
        token = page.next_token
    assert (jobs, token) == (["job_1", "job_2"], None)
    common = {"createdAfter": "2026-08-28T07:37:09.434Z", "pageSize": "100", "projectId": "proj_1"}
    assert [dict(call.query) for call in transport.calls] == [
        common,
        {**common, "paginationToken": "t+/="},
        {**common, "paginationToken": "u"},
    ]


async def test_one_page_is_one_request() -> None:
    transport = ScriptedTransport([answered({"jobs": [], "nextPaginationToken": "t"})])
    page = await make_client(transport).jobs({"pageSize": "2", "types": "custom"})
    assert page.next_token == "t"
    assert [dict(call.query) for call in transport.calls] == [{"pageSize": "2", "types": "custom"}]


async def test_a_model_that_is_not_for_us_is_closed_in_the_services_words() -> None:
    refusal = {"reason": "not with your plan", "name": "ModelAccessRestrictedError"}
    places = Places(
        {
            "GET /models/model_x": answered({"model": {"id": "model_x", "inputs": [{"name": "prompt"}]}}),
            "GET /models/model_y": answered(refusal, 403),
        }
    )
    client = make_client(places)
    assert [one.name for one in (await client.model("model_x")).inputs] == ["prompt"]
    with pytest.raises(ModelClosedError, match="not with your plan"):
        await client.model("model_y")
    with pytest.raises(NotFoundError, match="not found"):
        await client.model("model_z")


# --- assets


async def test_assets_come_in_bulk_with_the_original_files() -> None:
    transport, gate = (
        ScriptedTransport([answered({"assets": [asset_json("b"), asset_json("a")]})]),
        OpenGate(),
    )
    assets = await make_client(transport, gate, project="p").assets(["a", "b", "a"])
    assert list(assets) == ["a", "b"]
    assert assets["a"].url.startswith("https://cdn.cloud.scenario.com/assets/a?")
    (call,) = transport.calls
    assert (call.method, call.path, call.once) == ("POST", "/assets/get-bulk", False)
    assert dict(call.query) == {"originalAssets": "true", "projectId": "p"}
    assert json.loads(call.body or b"") == {"assetIds": ["a", "b"]}
    assert gate.turns == [Lane.ASSETS]


async def test_a_key_that_may_not_read_in_bulk_asks_for_it_once_and_then_one_by_one() -> None:
    no = answered({"reason": "Missing scope asset.read", "name": "ForbiddenError"}, 403)
    single = {f"GET /assets/asset_{one}": answered({"asset": asset_json(f"asset_{one}")}) for one in "abc"}
    places = Places({"POST /assets/get-bulk": no, **single})
    client, said = make_client(places), list[str]()
    client.rights.listen(said.append)
    for one in "abc":
        assert await client.assets([f"asset_{one}"])
    assert [call.path for call in places.calls].count("/assets/get-bulk") == 1
    [text] = said
    assert "this key may not read many assets at once (POST /assets/get-bulk): Missing scope" in text


async def test_no_bulk_call_is_larger_than_the_service_takes() -> None:
    class Bulk:
        sizes: list[int]

        async def exchange(self, call: Call) -> Answer:
            ids = json.loads(call.body or b"")["assetIds"]
            self.sizes.append(len(ids))
            return answered({"assets": [asset_json(one) for one in ids]})

    bulk = Bulk()
    bulk.sizes = []
    wanted = [f"asset_{number}" for number in range(2 * BULK + 1)]
    assert list(await make_client(bulk).assets(wanted)) == wanted
    assert bulk.sizes == [BULK, BULK, 1]
    assert await make_client(bulk).assets([]) == {}
    assert len(bulk.sizes) == 3


@pytest.mark.parametrize(
    "bulk",
    [
        answered({"reason": "bad id"}, 400),
        answered({}, 404),
        answered({"assets": [asset_json("a")]}),
        answered({}),
    ],
)
async def test_what_the_bulk_call_leaves_out_is_asked_for_one_by_one(bulk: Answer) -> None:
    places = Places(
        {
            "POST /assets/get-bulk": bulk,
            "GET /assets/a": answered({"asset": asset_json("a")}),
            "GET /assets/b": answered({"asset": asset_json("b")}),
            "GET /assets/pending": answered({"asset": asset_json("pending", url=None)}),
            "GET /assets/odd": answered({"reason": "odd"}, 400),
        }
    )
    assets = await make_client(places).assets(["a", "b", "pending", "odd", "gone"])
    assert list(assets) == ["a", "b"]
    assert all(call.query["originalAssets"] == "true" for call in places.calls)


async def test_bad_credentials_stop_the_asking_for_assets() -> None:
    transport = ScriptedTransport([answered({}, 401)])
    with pytest.raises(StoppedError):
        await make_client(transport).assets(["a", "b"])
    assert len(transport.calls) == 1


# --- repetition, under virtual time


def test_an_idempotent_call_is_repeated_and_every_attempt_passes_the_gate() -> None:
    transport = ScriptedTransport([NotSentError("refused"), LostAnswerError("cut"), BROKEN, FOUND])
    gate = OpenGate()
    job, seconds = in_virtual_time(lambda: make_client(transport, gate).job(JOB_ID))
    assert job.remote_id == JOB_ID
    assert gate.turns == [Lane.WATCH] * 4
    assert 0.5 * (0.5 + 1 + 2) <= seconds <= 0.5 + 1 + 2


def test_a_wrong_shape_is_asked_for_again() -> None:
    transport = ScriptedTransport([answered({"job": {}}), answered({"job": None}), FOUND])
    job, _ = in_virtual_time(lambda: make_client(transport).job(JOB_ID))
    assert job.remote_id == JOB_ID


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_a_final_answer_is_not_asked_for_twice(status: int) -> None:
    transport = ScriptedTransport([answered({}, status), FOUND])
    with pytest.raises((RefusedError, StoppedError, NotFoundError)):
        in_virtual_time(lambda: make_client(transport).job(JOB_ID))
    assert len(transport.calls) == 1


def test_attempts_end_by_count_with_the_last_reason() -> None:
    transport = ScriptedTransport([NotSentError("refused"), BROKEN])
    with pytest.raises(TransientError, match="Bad Gateway"):
        in_virtual_time(lambda: make_client(transport, retry=CallRetry(attempts=3)).job(JOB_ID))
    assert len(transport.calls) == 3


def test_attempts_end_at_the_deadline_on_the_loops_clock() -> None:
    transport = ScriptedTransport([BROKEN], seconds=20.0)
    retry = CallRetry(attempts=1000, deadline=60.0)

    async def body() -> float:
        with pytest.raises(TransientError):
            await make_client(transport, retry=retry).job(JOB_ID)
        return asyncio.get_running_loop().time()

    _, seconds = in_virtual_time(body)
    assert len(transport.calls) == 3
    assert 60.0 <= seconds < 80.0


def test_a_long_queue_at_the_gate_costs_no_attempt() -> None:
    transport = ScriptedTransport([BROKEN, FOUND])
    retry = CallRetry(deadline=30.0)
    job, seconds = in_virtual_time(
        lambda: make_client(transport, OpenGate(seconds=600.0), retry=retry).job(JOB_ID)
    )
    assert job.remote_id == JOB_ID
    assert seconds > 1200.0


def test_a_429_rests_the_lane_for_as_long_as_the_service_asks() -> None:
    transport = ScriptedTransport([answered({"remainingSeconds": 12}, 429), FOUND])
    gate = OpenGate()
    _, seconds = in_virtual_time(lambda: make_client(transport, gate).job(JOB_ID))
    assert gate.pauses == [(Lane.WATCH, 12.0)]
    assert 12.0 <= seconds <= 13.0


def test_a_429_that_names_no_wait_rests_the_lane_all_the_same() -> None:
    transport = ScriptedTransport([SLOW_DOWN, answered({"assets": [asset_json("a")]})])
    gate = OpenGate()
    in_virtual_time(lambda: make_client(transport, gate, retry=CallRetry(pause=4.0)).assets(["a"]))
    assert gate.pauses == [(Lane.ASSETS, 4.0)]


def test_a_wait_beyond_the_deadline_fails_at_once() -> None:
    transport = ScriptedTransport([answered({}, 503, retry_after="900"), FOUND])

    async def body() -> float | None:
        with pytest.raises(TransientError) as caught:
            await make_client(transport).job(JOB_ID)
        return caught.value.retry_after

    assert in_virtual_time(body) == (900.0, 0.0)
    assert len(transport.calls) == 1


def test_a_cancelled_call_ends_at_once_and_asks_no_more() -> None:
    transport = ScriptedTransport([BROKEN])

    async def body() -> None:
        async with asyncio.timeout(0.1):
            await make_client(transport, retry=CallRetry(backoff=Backoff(first=50))).job(JOB_ID)

    with pytest.raises(TimeoutError):
        in_virtual_time(body)
    assert len(transport.calls) == 1


STEPS = st.one_of(
    st.builds(NotSentError, st.just("refused")),
    st.builds(LostAnswerError, st.just("cut")),
    st.builds(
        answered,
        st.binary(max_size=20) | st.sampled_from([{}, {"job": job_json()}, {"jobs": []}, {"reason": "no"}]),
        st.sampled_from([200, 204, 302, 400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503]),
    ),
)


@given(st.lists(STEPS, min_size=1, max_size=6), st.integers(1, 4))
def test_whatever_is_answered_the_engine_meets_our_errors_alone_and_a_bounded_effort(
    steps: list[Answer | NotSentError | LostAnswerError], attempts: int
) -> None:
    retry = CallRetry(attempts=attempts)

    async def body(name: str, *args: Any) -> None:
        transport = ScriptedTransport(steps)
        try:
            await getattr(make_client(transport, retry=retry), name)(*args)
        except ServiceError as error:
            allowed = (
                (NotSentError, AmbiguousError, DeferredError)
                if name == "submit"
                else (TransientError, NotFoundError)
            )
            known = isinstance(error, (*allowed, RefusedError, StoppedError))
        else:
            known = True
        assert known
        assert len(transport.calls) <= (1 if name == "submit" else 2 * attempts)

    async def main() -> None:
        await body("submit", "model_x", "{}")
        await body("job", JOB_ID)
        await body("jobs", {})
        await body("model", "model_x")
        await body("assets", ["a"])
        await body("identify")

    in_virtual_time(main)
