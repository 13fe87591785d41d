"""Every shape of answer that is known of the service, through the real client and transport."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aioresponses import aioresponses
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from batchgen import __version__
from batchgen.errors import (
    AmbiguousError,
    BatchgenError,
    DeferredError,
    NotFoundError,
    NotSentError,
    RefusedError,
    ServiceError,
    StopCause,
    StoppedError,
    TransientError,
)
from batchgen.model import RemoteStatus
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.credentials import Credentials
from batchgen.scenario.http import HttpTransport
from batchgen.scenario.retry import CallRetry
from tests.scenario.fakes import JOB_ID, OpenGate, asset_json, job_json

BASE = "https://api.cloud.scenario.com/v1"
SUBMIT = f"{BASE}/generate/custom/model_x?projectId=proj_1"
JOB = f"{BASE}/jobs/{JOB_ID}?projectId=proj_1"
OURS = Credentials(key="api_KEYkey", secret="SECRETsecret")
PLAN = {
    "reason": "You are not allowed to use this model with your plan",
    "name": "ModelAccessRestrictedError",
    "details": {"currentPlan": "cu-basic", "requiredPlan": "cu-pro-q3-25"},
}
PLACE = ConnectionKey("api.cloud.scenario.com", 443, True, True, None, None, None)
HEADERS = CIMultiDictProxy(CIMultiDict({"Authorization": f"Basic {OURS.token}"}))
REQUEST = aiohttp.RequestInfo(URL(BASE), "POST", HEADERS)


@pytest.fixture
async def client() -> AsyncIterator[ScenarioClient]:
    async with HttpTransport(BASE, OURS) as transport:
        yield ScenarioClient(transport, OpenGate(), project="proj_1", retry=CallRetry(attempts=1))


def sent(mocked: aioresponses, method: str, url: str) -> dict[str, Any]:
    (request,) = mocked.requests[method, URL(url)]
    return dict(request.kwargs)


async def test_an_accepted_submit(client: ScenarioClient, mocked: aioresponses) -> None:
    mocked.post(SUBMIT, payload={"job": job_json(), "creativeUnitsCost": 7.25, "costDetails": {"x": 7.25}})
    receipt = await client.submit("model_x", '{"prompt":"ü"}')
    assert (receipt.job.remote_id, receipt.charged) == (JOB_ID, Decimal("7.25"))
    request = sent(mocked, "POST", SUBMIT)
    assert request["data"] == '{"prompt":"ü"}'.encode()
    assert request["allow_redirects"] is False
    assert request["headers"]["Content-Type"] == "application/json"
    assert request["headers"]["Authorization"] == "Basic YXBpX0tFWWtleTpTRUNSRVRzZWNyZXQ="
    assert request["headers"]["User-Agent"] == f"batchgen/{__version__}"


async def test_a_submit_that_has_ended_already(client: ScenarioClient, mocked: aioresponses) -> None:
    mocked.post(SUBMIT, payload={"job": job_json(status="success", metadata={"assetIds": ["asset_a"]})})
    receipt = await client.submit("model_x", "{}")
    assert (receipt.job.status, receipt.job.asset_ids) == (RemoteStatus.SUCCEEDED, ("asset_a",))


@pytest.mark.parametrize(
    ("status", "payload", "error", "words"),
    [
        (400, {"reason": "Input prompt is required"}, RefusedError, "Input prompt is required"),
        (400, {"statusCode": 400, "error": "Bad Request", "message": "m"}, RefusedError, "^m "),
        (400, {"status": "error", "code": "INVALID_PARAMETER", "message": "m"}, RefusedError, "^m "),
        (404, {"reason": "Asset not found"}, RefusedError, "Asset not found"),
        (401, {"message": "Unauthorized"}, StoppedError, "Unauthorized"),
        (402, {"statusCode": 402, "message": "not enough credits"}, StoppedError, "not enough"),
        (403, PLAN, StoppedError, "requiredPlan cu-pro-q3-25"),
        (409, {"reason": "conflict"}, AmbiguousError, "conflict"),
        (500, {"message": "Internal server error"}, AmbiguousError, "Internal server error"),
        (504, {"message": "Endpoint request timed out"}, AmbiguousError, "timed out"),
        (269, {"creativeUnitsCost": 7.25, "creativeUnitsDiscount": 0}, AmbiguousError, "not an object"),
        (269, {"creativeUnitsCost": 12, "job": {}}, AmbiguousError, "no id"),
    ],
)
async def test_submits_that_come_to_nothing(
    client: ScenarioClient,
    mocked: aioresponses,
    status: int,
    payload: Any,
    error: type[ServiceError],
    words: str,
) -> None:
    mocked.post(SUBMIT, status=status, payload=payload)
    with pytest.raises(error, match=words):
        await client.submit("model_x", "{}")


async def test_a_submit_at_the_ceiling_and_one_in_a_cooldown(
    client: ScenarioClient, mocked: aioresponses
) -> None:
    details = {"actionName": "parallelCustomJobs", "actionLimit": 5}
    mocked.post(SUBMIT, status=429, payload={"reason": "r", "name": "n", "details": details})
    mocked.post(SUBMIT, status=429, payload={"reason": "cooldown", "remainingSeconds": 900})
    mocked.post(SUBMIT, status=429, body="<html>slow", headers={"Retry-After": "7"})
    errors = []
    for _ in range(3):
        with pytest.raises(DeferredError) as caught:
            await client.submit("model_x", "{}")
        errors.append((caught.value.ceiling, caught.value.action, caught.value.retry_after))
    assert errors == [(5, "parallelCustomJobs", None), (None, None, 900.0), (None, None, 7.0)]


async def test_a_gateways_page_of_html(client: ScenarioClient, mocked: aioresponses) -> None:
    page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    mocked.post(SUBMIT, status=502, body=page)
    mocked.get(JOB, status=502, body=page)
    with pytest.raises(AmbiguousError, match=r"^502 Bad Gateway nginx"):
        await client.submit("model_x", "{}")
    with pytest.raises(TransientError, match=r"^502 Bad Gateway nginx"):
        await client.job(JOB_ID)


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientConnectorError(PLACE, OSError(111, "refused")),
        aiohttp.ClientConnectorDNSError(PLACE, OSError(-2, "unknown name")),
        aiohttp.ClientConnectorSSLError(PLACE, OSError(1, "handshake")),
        aiohttp.ClientProxyConnectionError(PLACE, OSError(111, "proxy refused")),
        aiohttp.ConnectionTimeoutError("too long"),
        aiohttp.ClientHttpProxyError(REQUEST, (), status=407),
    ],
)
async def test_a_connection_that_never_stood_sent_nothing(
    client: ScenarioClient, mocked: aioresponses, error: Exception
) -> None:
    mocked.post(SUBMIT, exception=error)
    mocked.get(JOB, exception=error)
    with pytest.raises(NotSentError):
        await client.submit("model_x", "{}")
    with pytest.raises(TransientError):
        await client.job(JOB_ID)


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientOSError(104, "reset"),
        aiohttp.ClientConnectionResetError("closing"),
        aiohttp.ClientPayloadError("cut"),
        aiohttp.SocketTimeoutError("too long"),
        aiohttp.ClientResponseError(REQUEST, (), status=400, message="bad line"),
        ConnectionResetError(104, "reset"),
        TimeoutError(),
    ],
)
async def test_an_answer_that_did_not_come_leaves_a_purchase_in_doubt(
    client: ScenarioClient, mocked: aioresponses, error: Exception
) -> None:
    mocked.post(SUBMIT, exception=error)
    mocked.get(JOB, exception=error)
    with pytest.raises(AmbiguousError, match="reply was lost"):
        await client.submit("model_x", "{}")
    with pytest.raises(TransientError):
        await client.job(JOB_ID)


async def test_looks_listings_models_and_assets(client: ScenarioClient, mocked: aioresponses) -> None:
    mocked.get(JOB, payload={"job": job_json(status="in-progress")})
    mocked.get(f"{BASE}/jobs?pageSize=100&projectId=proj_1", payload={"jobs": [job_json()]})
    mocked.get(f"{BASE}/models/model_x?projectId=proj_1", payload={"model": {"id": "model_x"}})
    mocked.post(
        f"{BASE}/assets/get-bulk?originalAssets=true&projectId=proj_1",
        payload={"assets": [asset_json("asset_a")]},
    )
    assert (await client.job(JOB_ID)).word == "in-progress"
    assert [job.remote_id for job in (await client.jobs({})).jobs] == [JOB_ID]
    assert (await client.model("model_x")).id == "model_x"
    assert (await client.assets(["asset_a"]))["asset_a"].size == 1234
    assert all(one.kwargs["allow_redirects"] is False for all_ in mocked.requests.values() for one in all_)


@pytest.mark.parametrize(
    ("status", "payload", "headers", "error"),
    [
        (404, {"reason": "Job not found"}, {}, NotFoundError),
        (403, {"message": "denied"}, {"x-amzn-errortype": "AccessDeniedException"}, StoppedError),
        (403, {"message": "API Keys cannot access protected resources"}, {}, StoppedError),
        (400, {"reason": "Invalid sort field"}, {}, RefusedError),
        (302, {}, {"Location": "https://evil.example/"}, TransientError),
        (503, {}, {"Retry-After": "3"}, TransientError),
    ],
)
async def test_looks_that_come_to_nothing(
    client: ScenarioClient,
    mocked: aioresponses,
    status: int,
    payload: Any,
    headers: dict[str, str],
    error: type[ServiceError],
) -> None:
    mocked.get(JOB, status=status, payload=payload, headers=headers)
    with pytest.raises(error):
        await client.job(JOB_ID)
    assert len(mocked.requests) == 1


async def test_credentials_that_the_service_echoes_reach_nobody(
    client: ScenarioClient, mocked: aioresponses
) -> None:
    echo = f"key {OURS.key} secret {OURS.secret} header Basic {OURS.token}"
    payload = {"reason": echo, "name": echo, "details": {"actionName": echo, "x": echo}, "traceId": echo}
    failures: list[BatchgenError] = []
    for status in (200, 269, 302, 400, 401, 403, 429, 500):
        for answer in ({"payload": payload}, {"body": f"<html>{echo}"}):
            mocked.post(SUBMIT, status=status, **answer)
            mocked.get(JOB, status=status, **answer)
            with pytest.raises(ServiceError) as lost:
                await client.submit("model_x", "{}")
            with pytest.raises(ServiceError) as unknown:
                await client.job(JOB_ID)
            failures += [lost.value, unknown.value]
    mocked.post(SUBMIT, exception=aiohttp.ClientOSError(1, echo))
    with pytest.raises(AmbiguousError) as cut:
        await client.submit("model_x", "{}")
    mocked.get(JOB, payload={"job": job_json(status="failure", metadata={"error": echo, "hint": echo})})
    job = await client.job(JOB_ID)
    shown = [repr(job), *(f"{one!r} {vars(one)} {one.__context__!r}" for one in [*failures, cut.value])]
    assert not [text for text in shown if any(part in text for part in (OURS.key, OURS.secret, OURS.token))]
    assert (
        sum("[hidden]" in text for text in shown) == 32
    )  # two looks came back well-formed but without a job


async def test_no_error_drags_the_request_and_its_headers_along(
    client: ScenarioClient, mocked: aioresponses
) -> None:
    mocked.post(SUBMIT, exception=aiohttp.ClientHttpProxyError(REQUEST, (), status=407, message=OURS.token))
    mocked.post(SUBMIT, exception=aiohttp.ClientResponseError(REQUEST, (), status=400, message=OURS.token))
    for _ in range(2):
        with pytest.raises(ServiceError) as caught:
            await client.submit("model_x", "{}")
        error: BaseException | None = caught.value
        while error is not None:
            assert OURS.token not in repr(error)
            assert not isinstance(error, aiohttp.ClientError)
            error = error.__cause__ or error.__context__


async def test_what_stopped_the_run_is_told_apart(client: ScenarioClient, mocked: aioresponses) -> None:
    mocked.post(SUBMIT, status=403, payload=PLAN)
    with pytest.raises(StoppedError) as caught:
        await client.submit("model_x", "{}")
    assert caught.value.cause is StopCause.PLAN
