import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batchgen.errors import (
    AmbiguousError,
    DeferredError,
    ModelClosedError,
    NotFoundError,
    RefusedError,
    ServiceError,
    StopCause,
    StoppedError,
    TransientError,
)
from batchgen.model import Receipt
from batchgen.scenario.reasons import asked_wait, reason_of
from batchgen.scenario.transport import Answer
from batchgen.scenario.verdicts import call_verdict, is_throttled, item_verdict, submit_verdict
from tests.scenario.fakes import JOB_ID, answered, job_json

PLAN = {
    "reason": "You are not allowed to use this model with your plan",
    "name": "ModelAccessRestrictedError",
    "details": {"currentPlan": "cu-basic", "requiredPlan": "cu-pro-q3-25"},
}
CEILING = {
    "reason": "Too many",
    "name": "E",
    "details": {"actionName": "parallelCustomJobs", "actionLimit": 5},
}
HTML = b"<html><head><style>p {x: y}</style></head><body><h1>502 Bad\nGateway</h1><!-- a --></body></html>"
ACCEPTED = {"job": job_json(), "creativeUnitsCost": 7.25}


def outcome(verdict: Callable[[Answer], Any], answer: Answer) -> Any:
    try:
        return verdict(answer)
    except ServiceError as error:
        return error


@pytest.mark.parametrize("status", [200, 201, 202, 269])
def test_a_success_with_a_job_id_is_a_receipt(status: int) -> None:
    receipt = submit_verdict(answered(ACCEPTED, status))
    assert (receipt.job.remote_id, receipt.charged) == (JOB_ID, Decimal("7.25"))


@pytest.mark.parametrize(
    ("status", "data", "error"),
    [
        (400, {"reason": "Input prompt is required"}, RefusedError),
        (404, {"reason": "Model not found"}, RefusedError),
        (413, HTML, RefusedError),
        (415, {}, RefusedError),
        (422, {"detail": "no"}, RefusedError),
        (401, {"message": "Unauthorized"}, StoppedError),
        (402, {"reason": "no credits"}, StoppedError),
        (403, PLAN, ModelClosedError),
        (403, {"reason": "Missing scope model.read"}, StoppedError),
        (403, {"reason": "Models cannot be used by this key"}, StoppedError),
        (429, CEILING, DeferredError),
        (200, b"", AmbiguousError),
        (200, b"{", AmbiguousError),
        (200, HTML, AmbiguousError),
        (200, {}, AmbiguousError),
        (200, [ACCEPTED], AmbiguousError),
        (200, {"job": {}, "creativeUnitsCost": 12}, AmbiguousError),
        (200, {"job": {"jobId": ""}}, AmbiguousError),
        (204, b"", AmbiguousError),
        (269, {"creativeUnitsCost": 7.25}, AmbiguousError),
        (301, b"", AmbiguousError),
        (307, b"", AmbiguousError),
        (304, b"", AmbiguousError),
        (405, {"reason": "method"}, AmbiguousError),
        (408, {"reason": "slow"}, AmbiguousError),
        (409, {"reason": "conflict"}, AmbiguousError),
        (418, {}, AmbiguousError),
        (425, {}, AmbiguousError),
        (499, {}, AmbiguousError),
        (500, {"message": "Internal Server Error"}, AmbiguousError),
        (500, ACCEPTED, AmbiguousError),
        (502, HTML, AmbiguousError),
        (503, b"", AmbiguousError),
        (504, {"message": "Endpoint request timed out"}, AmbiguousError),
        (599, b"\xff", AmbiguousError),
        (103, b"", AmbiguousError),
    ],
)
def test_every_answer_to_a_purchase_has_its_verdict(
    status: int, data: Any, error: type[ServiceError]
) -> None:
    with pytest.raises(ServiceError) as caught:
        submit_verdict(answered(data, status))
    assert type(caught.value) is error


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429])
def test_a_no_that_carries_a_job_id_leaves_the_purchase_in_doubt(status: int) -> None:
    with pytest.raises(AmbiguousError, match="there is a job"):
        submit_verdict(answered(ACCEPTED, status))


@pytest.mark.parametrize(
    ("status", "data", "cause"),
    [
        (401, {}, StopCause.CREDENTIALS),
        (402, {}, StopCause.CREDITS),
        (403, PLAN, StopCause.PLAN),
        (403, {"message": "API Keys cannot access protected resources"}, StopCause.CREDENTIALS),
        (403, HTML, StopCause.CREDENTIALS),
    ],
)
def test_what_stops_a_run_says_what_has_to_be_mended(status: int, data: Any, cause: StopCause) -> None:
    for verdict in (submit_verdict, call_verdict):
        with pytest.raises(StoppedError) as caught:
            verdict(answered(data, status))
        assert caught.value.cause is cause


def test_a_full_house_names_its_ceiling() -> None:
    with pytest.raises(DeferredError) as caught:
        submit_verdict(answered(CEILING, 429))
    assert (caught.value.ceiling, caught.value.action, caught.value.retry_after) == (
        5,
        "parallelCustomJobs",
        None,
    )


@pytest.mark.parametrize(
    ("details", "ceiling"),
    [
        ({"actionLimit": 5.0}, 5),
        ({"actionLimit": "5"}, 5),
        ({"actionLimit": 0}, 0),
        ({"actionLimit": -1}, None),
        ({"actionLimit": 2.5}, None),
        ({"actionLimit": True}, None),
        ({"actionLimit": None}, None),
        ("none", None),
    ],
)
def test_a_ceiling_is_a_whole_number_or_unknown(details: Any, ceiling: int | None) -> None:
    with pytest.raises(DeferredError) as caught:
        submit_verdict(answered({"details": details}, 429))
    assert caught.value.ceiling == ceiling


DATE = "Fri, 28 Aug 2026 07:37:09 GMT"


@pytest.mark.parametrize(
    ("data", "headers", "seconds"),
    [
        ({}, {}, None),
        ({"reason": "cooldown", "remainingSeconds": 12}, {}, 12.0),
        ({"details": {"remainingSeconds": 2.5}}, {}, 2.5),
        ({"remainingSeconds": 12}, {"retry_after": "3"}, 12.0),
        ({"remainingSeconds": 12}, {"retry_after": "30"}, 30.0),
        ({"remainingSeconds": -5}, {}, None),
        ({"remainingSeconds": "soon"}, {}, None),
        ({"remainingSeconds": 10**400}, {}, None),
        ({}, {"retry_after": "0"}, 0.0),
        ({}, {"retry_after": "1.5"}, 1.5),
        ({}, {"retry_after": "nan"}, None),
        ({}, {"retry_after": "-1"}, None),
        ({}, {"retry_after_ms": "250"}, 0.25),
        ({}, {"retry_after": "86400"}, 3600.0),
        ({}, {"retry_after": "Fri, 28 Aug 2026 07:37:29 GMT", "date": DATE}, 20.0),
        ({}, {"retry_after": "Fri, 28 Aug 2026 07:00:00 GMT", "date": DATE}, 0.0),
        ({}, {"retry_after": "Fri, 28 Aug 2026 09:37:39 +0200", "date": DATE}, 30.0),
        ({}, {"retry_after": "Fri, 28 Aug 2026 07:37:29 GMT"}, None),
        ({}, {"retry_after": "Fri, 99 Aug 2026 07:37:29 GMT", "date": DATE}, None),
    ],
)
def test_a_wait_is_the_longest_that_is_named(
    data: Any, headers: dict[str, str], seconds: float | None
) -> None:
    answer = answered(data, 429, **headers)
    assert asked_wait(answer) == seconds
    for verdict in (submit_verdict, call_verdict):
        error = outcome(verdict, answer)
        assert isinstance(error, DeferredError | TransientError)
        assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "data", "error"),
    [
        (404, {"reason": "no such job"}, NotFoundError),
        (401, {}, StoppedError),
        (402, {}, StoppedError),
        (403, {}, StoppedError),
        (400, {"reason": "createdAfter needs"}, RefusedError),
        (405, {}, RefusedError),
        (410, {}, RefusedError),
        (422, {}, RefusedError),
        (408, {}, TransientError),
        (409, {}, TransientError),
        (425, {}, TransientError),
        (429, {}, TransientError),
        (499, {}, TransientError),
        (500, {}, TransientError),
        (502, HTML, TransientError),
        (504, b"", TransientError),
        (301, b"", TransientError),
        (302, b"", TransientError),
        (304, b"", TransientError),
        (103, b"", TransientError),
        (200, b"", TransientError),
        (200, HTML, TransientError),
        (200, [], TransientError),
        (204, b"", TransientError),
    ],
)
def test_every_answer_to_a_question_has_its_verdict(
    status: int, data: Any, error: type[ServiceError]
) -> None:
    with pytest.raises(ServiceError) as caught:
        call_verdict(answered(data, status))
    assert type(caught.value) is error


def test_an_answer_to_a_question_is_its_object() -> None:
    assert call_verdict(answered({"job": {"jobId": "x"}, "cost": 0.5})) == {
        "job": {"jobId": "x"},
        "cost": Decimal("0.5"),
    }


def test_a_forbidden_model_is_one_we_cannot_see_and_a_forbidden_key_is_a_stop() -> None:
    with pytest.raises(NotFoundError, match=r"requiredPlan cu-pro-q3-25"):
        item_verdict(answered(PLAN, 403))
    with pytest.raises(NotFoundError):
        item_verdict(answered({"reason": "not yours"}, 403))
    with pytest.raises(StoppedError):
        item_verdict(answered({}, 403, x_amzn_errortype="AccessDeniedException:http://aws"))
    with pytest.raises(StoppedError):
        item_verdict(answered({}, 401))
    assert item_verdict(answered({"model": {}})) == {"model": {}}


def test_only_a_429_slows_everybody_down() -> None:
    assert is_throttled(answered({}, 429))
    assert not is_throttled(answered({}, 503))


@pytest.mark.parametrize(
    ("status", "data", "reason"),
    [
        (400, {"reason": "r", "message": "m"}, "r (400 Bad Request)"),
        (403, {"message": "m", "error": "e"}, "m (403 Forbidden)"),
        (500, {"error": {"message": "deep"}}, "deep (500 Internal Server Error)"),
        (
            429,
            {"error": "Quota exceeded for search", "code": "Q"},
            "Quota exceeded for search (429 Too Many Requests)",
        ),
        (400, {"reason": " ", "detail": "d", "trace_id": "t1"}, "d (400 Bad Request, trace t1)"),
        (
            403,
            {**PLAN, "traceId": "t2"},
            (
                "You are not allowed to use this model with your plan (403 Forbidden, "
                "ModelAccessRestrictedError, currentPlan cu-basic, requiredPlan cu-pro-q3-25, trace t2)"
            ),
        ),
        (400, {"reason": "width must be < 100 and\n> 5"}, "width must be < 100 and > 5 (400 Bad Request)"),
        (502, HTML, "502 Bad Gateway (502 Bad Gateway)"),
        (504, b"", "no reason given (504 Gateway Timeout)"),
        (777, {}, "{} (777)"),
        (400, {"code": 7}, '{"code": 7} (400 Bad Request)'),
        (500, b"\x1b[2Jboo\x00\xe2\x80\xae", "[2Jboo (500 Internal Server Error)"),
    ],
)
def test_a_reason_is_the_services_own_words_on_one_line(status: int, data: Any, reason: str) -> None:
    assert reason_of(answered(data, status)) == reason


def test_a_reason_is_cut_and_holds_no_half_of_a_secret() -> None:
    secret = "SECRETsecret"
    for padding in (290, 295, 3990, 3999):
        body = (f"{'x' * padding}{secret}").encode()
        answer = Answer(status=500, body=body, redact=lambda text: text.replace(secret, "-"))
        assert len(reason_of(answer)) < 350
        assert "SEC" not in reason_of(answer)


def test_a_secret_in_two_halves_is_not_put_together() -> None:
    answer = Answer(
        status=500,
        body=b"<p>key:</p> SEC<b></b>RET SEC\x00RET",
        redact=lambda text: text.replace("SECRET", "-"),
    )
    assert "SECRET" not in reason_of(answer)


ANY_ANSWER = st.builds(
    lambda status, body, headers: Answer(status=status, body=body, headers=headers),
    st.integers(100, 599),
    st.binary(max_size=50)
    | st.dictionaries(
        st.sampled_from(["job", "reason", "message", "error", "details", "name", "remainingSeconds"]),
        st.none()
        | st.integers()
        | st.floats()
        | st.text(max_size=10)
        | st.dictionaries(
            st.sampled_from(["jobId", "actionLimit", "actionName", "message"]), st.text() | st.integers()
        ),
    ).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date", "x-amzn-errortype"]), st.text(max_size=30)
    ),
)


@given(ANY_ANSWER)
def test_nothing_but_our_errors_comes_out_of_any_answer(answer: Answer) -> None:
    for verdict in (submit_verdict, call_verdict, item_verdict):
        come = outcome(verdict, answer)
        assert not isinstance(come, ServiceError) or str(come).isprintable()


@given(ANY_ANSWER)
def test_a_purchase_is_called_unpaid_on_a_plain_no_alone(answer: Answer) -> None:
    assume(answer.status not in {400, 401, 402, 403, 404, 413, 415, 422, 429})
    come = outcome(submit_verdict, answer)
    if 200 <= answer.status < 300 and isinstance(come, Receipt):
        assert come.job.remote_id
    else:
        assert type(come) is AmbiguousError
