"""A dry run: a question in the query, asked again only where it is known to be free."""

from decimal import Decimal
from typing import Any

import pytest

from batchgen.errors import (
    AmbiguousError,
    BoughtByQuoteError,
    NotSentError,
    RefusedError,
    StoppedError,
)
from batchgen.scenario.account import Account
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.transport import LostAnswerError
from tests.scenario.fakes import JOB_ID, OpenGate, Places, ScriptedTransport, Step, answered, job_json

PRICE: dict[str, Any] = {"creativeUnitsCost": 7.25, "creativeUnitsDiscount": 0}


def asking(*steps: Step) -> tuple[ScenarioClient, ScriptedTransport]:
    transport = ScriptedTransport(list(steps))
    return ScenarioClient(transport, OpenGate(), project="proj"), transport


@pytest.mark.parametrize("job", [{}, {"job": {}}, {"job": None}])
async def test_a_price_is_exact_and_asked_for_in_the_query(job: dict[str, Any]) -> None:
    client, transport = asking(answered({**PRICE, **job}, 269))
    assert await client.quote("model_x", '{"prompt":"a"}') == Decimal("7.25")
    [call] = transport.calls
    assert (call.method, call.path, call.body) == ("POST", "/generate/custom/model_x", b'{"prompt":"a"}')
    assert call.query == {"dryRun": "true", "projectId": "proj"}


@pytest.mark.parametrize("status", [200, 269, 402, 500])
async def test_a_job_in_the_answer_is_a_purchase_whatever_the_status(status: int) -> None:
    client, transport = asking(answered({**PRICE, "job": job_json()}, status))
    with pytest.raises(BoughtByQuoteError) as caught:
        await client.quote("model_x", "{}")
    assert (caught.value.remote_id, caught.value.charged) == (JOB_ID, Decimal("7.25"))
    assert len(transport.calls) == 1


@pytest.mark.parametrize("lost", [LostAnswerError("cut"), answered({}, 502), answered(b"<html>", 200)])
async def test_the_first_question_is_not_repeated_when_it_may_have_been_an_order(lost: Step) -> None:
    client, transport = asking(lost)
    with pytest.raises(AmbiguousError):
        await client.quote("model_x", "{}")
    assert [call.once for call in transport.calls] == [True]


@pytest.mark.parametrize("no", [NotSentError("refused"), answered({"remainingSeconds": 0.01}, 429)])
async def test_the_first_question_is_repeated_when_it_was_surely_no_order(no: Step) -> None:
    client, transport = asking(no, answered(PRICE, 269))
    assert await client.quote("model_x", "{}") == Decimal("7.25")
    assert [call.once for call in transport.calls] == [True, True]


async def test_a_question_is_repeated_where_one_was_answered_without_a_job() -> None:
    priced = answered(PRICE, 269)
    client, transport = asking(priced, LostAnswerError("cut"), priced)
    await client.quote("model_x", "{}")
    assert await client.quote("model_x", "{}") == Decimal("7.25")
    assert [call.once for call in transport.calls] == [True, False, False]


async def test_nothing_is_free_and_no_price_is_not_nothing() -> None:
    free, _ = asking(answered({"creativeUnitsCost": 0}, 269))
    assert await free.quote("model_x", "{}") == 0
    for cost in (None, -1, "much", True):
        client, _ = asking(answered({"creativeUnitsCost": cost}, 269))
        with pytest.raises(AmbiguousError, match="no price"):
            await client.quote("model_x", "{}")


async def test_a_refusal_is_one_as_of_a_submit() -> None:
    refused, _ = asking(answered({"reason": "Input width must be at least 672"}, 400))
    with pytest.raises(RefusedError, match="672"):
        await refused.quote("model_x", "{}")
    above, _ = asking(answered({"reason": "plan", "name": "ModelAccessRestrictedError"}, 403))
    with pytest.raises(StoppedError):
        await above.quote("model_x", "{}")


async def test_the_account_has_a_ceiling_and_what_is_left_with_units_bought_once() -> None:
    limits = {
        "limits": {"parallelCustomJobs": 20, "creativeUnits": 1500},
        "values": {"creativeUnits": 20.5},
        "oneShotCreativeUnits": [{"remaining": 100}, {"amount": 3}],
    }
    places = Places(
        {
            "GET /teams": answered({"teams": [{"id": "team_a"}]}),
            "GET /teams/team_a/limits": answered(limits),
        }
    )
    client = ScenarioClient(places, OpenGate(), project=None)
    assert await client.account() == Account(ceiling=20, left=Decimal("1579.5"))


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"GET /teams": answered({"message": "API Keys cannot access protected resources"}, 403)},
        {"GET /teams": answered({"teams": [{"id": "team_a"}, {"id": "team_b"}]})},
        {"GET /teams": answered({"teams": [{"id": "team_a"}]})},
    ],
)
async def test_an_account_that_is_not_shown_is_none(answers: dict[str, Any]) -> None:
    assert await ScenarioClient(Places(answers), OpenGate(), project=None).account() is None


async def test_limits_that_say_nothing_of_use_are_left_open() -> None:
    places = Places(
        {
            "GET /teams": answered({"teams": [{"id": "team_a"}]}),
            "GET /teams/team_a/limits": answered({"limits": {"creativeUnits": 5, "parallelCustomJobs": 0}}),
        }
    )
    assert await ScenarioClient(places, OpenGate(), project=None).account() == Account()
