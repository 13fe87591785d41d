from typing import Any

import pytest

from batchgen.simulator.dates import written
from batchgen.simulator.jobs import Submission
from batchgen.simulator.settings import Outcomes, Settings
from tests.simulator.caller import EPOCH, SEEDED, Caller, data_of

DAY = 86_400


def told(caller: Caller, **query: str) -> Any:
    reply = caller.get("/usages", **query)
    assert reply.status == 200, reply.body
    return data_of(reply)


def only(caller: Caller) -> Submission:
    (job,) = caller.service.submissions
    return job


def test_a_charge_is_shown_under_the_official_names() -> None:
    caller = Caller()
    remote_id = caller.bought(SEEDED)
    shown = told(caller)
    (entry,) = shown["activity"]
    assert entry == {
        "action": "custom",
        "data": {"isApiKey": True, "jobId": remote_id, "modelId": SEEDED},
        "projectId": only(caller).owner,
        "time": written(only(caller).created_at),
        "userId": only(caller).author,
        "creativeUnitsCost": 4,
    }
    assert shown["consumption"] == [{"userId": only(caller).author, "value": 4, "discount": 0, "total": 4}]


def test_a_failure_is_refunded_when_it_ends_and_not_before() -> None:
    caller = Caller(Settings(outcomes=Outcomes(failures=1.0)))
    remote_id = caller.bought(SEEDED)
    assert [one["action"] for one in told(caller)["activity"]] == ["custom"]
    caller.now = only(caller).end.at
    latest, _ = told(caller)["activity"]
    assert (latest["action"], latest["data"]["jobId"], latest["creativeUnitsCost"]) == (
        "refunds",
        remote_id,
        4,
    )
    assert told(caller)["consumption"][0]["value"] == 0


def test_activity_comes_in_pages_of_a_hundred() -> None:
    caller = Caller()
    bought = {caller.bought(SEEDED, seed=number) for number in range(130)}
    pages = [told(caller, type="activity", activityOffset=str(offset)) for offset in (0, 100, 200)]
    assert [len(one["activity"]) for one in pages] == [100, 30, 0]
    assert {one["data"]["jobId"] for page in pages for one in page["activity"]} == bought
    assert "consumption" not in pages[0]
    assert len(told(caller, activityOffset="many")["activity"]) == 100


def test_dates_and_projects_narrow_it_down() -> None:
    caller = Caller()
    caller.bought(SEEDED)
    before = {"startDate": written(EPOCH - DAY), "endDate": written(EPOCH - 1)}
    assert told(caller, **before)["activity"] == []
    assert len(told(caller, startDate=before["startDate"], endDate=written(EPOCH + 1))["activity"]) == 1
    assert told(caller, projectIds="proj_other")["activity"] == []
    assert told(caller, userIds="apiu_other")["activity"] == []


@pytest.mark.parametrize(
    ("start", "end"),
    [(EPOCH - 121 * DAY, EPOCH), (EPOCH, EPOCH - 1), (EPOCH, None)],
)
def test_a_stretch_that_the_service_does_not_take_is_refused(start: float, end: float | None) -> None:
    dates = {"startDate": written(start), **({"endDate": written(end)} if end else {})}
    assert Caller().get("/usages", **dates).status == 400
