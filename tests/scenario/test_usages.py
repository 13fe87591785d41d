from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from batchgen.errors import NoRightError, NotFoundError, ServiceError, StoppedError
from batchgen.planning.costs import Activity
from batchgen.scenario.fields import WireError
from batchgen.scenario.transport import Answer
from batchgen.scenario.usages import LONGEST, UsageClient, parse_activity
from tests.scenario.fakes import OpenGate, ScriptedTransport, answered

START = 1_790_000_000.0


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "action": "custom",
        "data": {"jobId": f"job_{number}", "modelId": "model_a"},
        "projectId": "proj_1",
        "time": "2026-09-21T14:13:20.000Z",
        "userId": "apiu_1",
        "creativeUnitsCost": 7.25,
        **fields,
    }


def client_of(*steps: Answer) -> tuple[UsageClient, ScriptedTransport]:
    transport = ScriptedTransport(list(steps))
    return UsageClient(transport, OpenGate(), project=None), transport


def test_an_entry_is_read_with_its_exact_amount_and_without_its_sign() -> None:
    (read,) = parse_activity({"activity": [row(1, action="refunds", creativeUnitsCost=Decimal("-7.25"))]})
    assert read == Activity(
        action="refunds",
        remote_id="job_1",
        at=START,
        units=Decimal("7.25"),
        model="model_a",
        author="apiu_1",
    )


def test_an_entry_of_which_nothing_can_be_read_still_fills_its_page() -> None:
    assert parse_activity({"activity": [3, {"data": 7}]}) == [Activity(action="")] * 2
    with pytest.raises(WireError):
        parse_activity({"activity": None})


async def test_a_full_page_is_followed_by_the_next_and_what_moved_counts_once() -> None:
    pages = [[row(one) for one in range(100)], [row(one) for one in range(99, 130)]]
    client, transport = client_of(*(answered({"activity": page}) for page in pages))
    found = await client.activity(since=START, until=START + 60, projects=["proj_1", "proj_2"])
    assert [one.remote_id for one in found] == [f"job_{one}" for one in range(130)]
    first, second = (dict(call.query) for call in transport.calls)
    assert first == {
        "type": "activity",
        "startDate": "2026-09-21T14:13:20.000Z",
        "endDate": "2026-09-21T14:14:20.000Z",
        "projectIds": "proj_1,proj_2",
    }
    assert second == {**first, "activityOffset": "100"}


async def test_no_question_is_longer_than_the_service_answers() -> None:
    client, transport = client_of(answered({"activity": []}))
    await client.activity(since=START, until=START + 2.5 * LONGEST)
    dates = [(call.query["startDate"], call.query["endDate"]) for call in transport.calls]
    assert len(dates) == 3
    assert all(one[1] == other[0] for one, other in pairwise(dates))


@pytest.mark.parametrize(("status", "error"), [(403, NoRightError), (404, NotFoundError)])
async def test_a_key_that_may_not_look_is_not_a_wrong_key(status: int, error: type[ServiceError]) -> None:
    client, _ = client_of(answered({"reason": "not for you"}, status))
    with pytest.raises(error, match="not for you"):
        await client.activity(since=START, until=START + 1)


async def test_a_wrong_key_stops() -> None:
    client, _ = client_of(answered({"reason": "who?"}, 401))
    with pytest.raises(StoppedError):
        await client.activity(since=START, until=START + 1)
