from decimal import Decimal

import pytest

from batchgen.errors import (
    AmbiguousError,
    DeferredError,
    NotFoundError,
    NotSentError,
    RefusedError,
    ServiceError,
    StopCause,
    StoppedError,
    TransientError,
)
from batchgen.interpret import after_failure, after_look, after_receipt, refund_of
from batchgen.lifecycle import Accepted, Canceled, Failed, Succeeded
from batchgen.model import Receipt, Refund, RemoteJob, RemoteStatus


def remote(status: RemoteStatus, **more: object) -> RemoteJob:
    return RemoteJob(remote_id="job_1", status=status, word=str(status), **more)  # type: ignore[arg-type]  # the test's own


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (NotSentError("x"), "NotSent"),
        (DeferredError("x"), "Deferred"),
        (RefusedError("x"), "Refused"),
        (StoppedError("x", cause=StopCause.PLAN), "Stopped"),
        (AmbiguousError("x"), "AnswerLost"),
        # a submit does not raise these; if one ever does, it is not certain that nothing was paid
        (TransientError("x"), "AnswerLost"),
        (NotFoundError("x"), "AnswerLost"),
        (ServiceError("x"), "AnswerLost"),
    ],
)
def test_only_what_is_certain_leaves_a_job_out_of_doubt(error: ServiceError, event: str) -> None:
    assert type(after_failure(error, at=1.0)).__name__ == event


def test_a_running_submission_is_no_event() -> None:
    assert after_look(remote(RemoteStatus.RUNNING), at=1.0) is None


def test_an_answer_that_is_already_terminal_is_accepted_and_ended() -> None:
    receipt = Receipt(job=remote(RemoteStatus.SUCCEEDED, asset_ids=("asset_1",)), charged=Decimal("7.25"))
    assert after_receipt(receipt, at=1.0) == (
        Accepted(at=1.0, remote_id="job_1", charged=Decimal("7.25")),
        Succeeded(at=1.0, asset_ids=("asset_1",), refund=Refund.NONE, expected=1),
    )


def test_a_failure_keeps_the_services_words_and_tells_moderation() -> None:
    end = after_look(remote(RemoteStatus.FAILED, error="Content flagged", hint="try other words"), at=1.0)
    told = "Content flagged: try other words"
    assert end == Failed(at=1.0, error=told, moderated=True, refund=Refund.NONE)


def test_a_failure_without_words_says_so() -> None:
    end = after_look(remote(RemoteStatus.CANCELED), at=1.0)
    told = "the service says canceled and gives no reason"
    assert end == Canceled(at=1.0, error=told, refund=Refund.NONE)


@pytest.mark.parametrize(
    ("job", "moderated", "refund"),
    [
        (remote(RemoteStatus.FAILED), False, Refund.ASSUMED),
        (remote(RemoteStatus.FAILED), True, Refund.NONE),
        (remote(RemoteStatus.FAILED, refundable=False), False, Refund.NONE),
        (remote(RemoteStatus.CANCELED), False, Refund.NONE),
        (remote(RemoteStatus.SUCCEEDED), False, Refund.NONE),
    ],
)
def test_a_refund_is_assumed_where_the_services_rules_give_one(
    job: RemoteJob, moderated: bool, refund: Refund
) -> None:
    assert refund_of(job, moderated=moderated) is refund
