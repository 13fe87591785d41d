"""What turns up after it was shown absent is named once, and absence is believed no more."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from batchgen.ledger import Ledger
from batchgen.lifecycle import (
    Abandoned,
    Accepted,
    AnswerLost,
    Collected,
    Event,
    Failed,
    Held,
    Record,
    Refused,
    RetryAsked,
    ShownAbsent,
    State,
    SubmitStarted,
    Succeeded,
)
from batchgen.model import Job, JobKey, RemoteJob, RemoteStatus
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.late_arrivals import LateArrivals
from batchgen.reconcile.prompts import Prompts
from tests.support.memory_journal import MemoryJournal

KEY = JobKey("v1:mill")
ECHO = {"modelId": "flux", "prompt": "a mill", "seed": 5}
BODY = '{"prompt":"a mill","seed":5}'


class Observer:
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def recorded(self, _key: JobKey, _job: Job, _event: Event, _record: Record) -> None: ...

    def polled(self, _job: Job, _remote: RemoteJob) -> None: ...

    def warned(self, text: str) -> None:
        self.warnings.append(text)


class Clock:
    def now(self) -> float:
        return 1000.0


class Silent:
    """A service that is asked nothing here."""


def started(attempt: int = 1) -> SubmitStarted:
    job = Job(id="mill", prompt="a mill", model="flux", params={"seed": 5})
    return SubmitStarted(at=10.0, job=job, attempt=attempt, body=BODY)


LOST = AnswerLost(at=11.0, reason="cut")
ABSENT = (started(), LOST, ShownAbsent(at=200.0, evidence={}))
AGAIN = (*ABSENT, started(), Accepted(at=202.0, remote_id="job_again"))


def row(
    remote_id: str = "job_late",
    *,
    cost: Decimal | None = Decimal("7.50"),
    echo: Mapping[str, Any] | None = ECHO,
) -> RemoteJob:
    return RemoteJob(
        remote_id=remote_id,
        status=RemoteStatus.SUCCEEDED,
        word="success",
        created_at=12.0,
        job_type="custom",
        inputs=echo,
        cost=cost,
    )


class Desk:
    """A journal with one job, and who notices late arrivals for it."""

    def __init__(self, *life: Event) -> None:
        self.journal, self.observer = MemoryJournal(), Observer()
        self.journal.append(KEY, *life)
        ledger = Ledger(journal=self.journal, clock=Clock(), observer=self.observer)
        self.late = LateArrivals(ledger, self.journal)

    def listed(self, *rows: RemoteJob) -> Candidates:
        return Candidates(rows, self.journal, Prompts(Silent()))  # type: ignore[arg-type]  # asked nothing

    def notice(self, *rows: RemoteJob) -> tuple[str, ...]:
        self.late.notice(self.listed(*rows))
        assert tuple(self.observer.warnings) == self.late.sentences, "each is told of as it is noticed"
        assert self.journal.trusts_absence is not bool(self.late.sentences)
        return self.late.sentences


def test_what_turns_up_is_named_with_what_it_cost_and_absence_is_believed_no_more() -> None:
    desk = Desk(*AGAIN)
    assert desk.notice() == ()
    assert desk.notice(row("job_again"), row()) == (
        "mill: job_late turned up after the service had shown it absent; its cost: 7.50 CU",
    )


def test_where_the_service_does_not_say_what_it_cost_neither_do_we() -> None:
    (sentence,) = Desk(*AGAIN).notice(row(cost=None))
    assert sentence.endswith("its cost: unknown")


def test_each_is_named_once_however_many_listings_show_it() -> None:
    desk = Desk(*AGAIN)
    assert len(desk.notice(row())) == 1
    assert len(desk.notice(row())) == 1
    assert [one.split()[1] for one in desk.notice(row("job_later"), row())] == ["job_late", "job_later"]


@pytest.mark.parametrize(
    ("life", "state"),
    [
        (AGAIN, State.RUNNING),
        ((*AGAIN, Succeeded(at=300.0)), State.SUCCEEDED),
        ((*AGAIN, Succeeded(at=300.0), Collected(at=301.0)), State.COLLECTED),
        ((*AGAIN, Failed(at=300.0)), State.FAILED),
        ((*ABSENT, started(), Refused(at=202.0, reason="no")), State.REFUSED),
        ((*ABSENT, Abandoned(at=202.0, reason="enough")), State.ABANDONED),
    ],
)
def test_a_job_that_has_another_fate_was_paid_for_twice(life: tuple[Event, ...], state: State) -> None:
    desk = Desk(*life)
    assert desk.journal.records()[KEY].state is state
    assert len(desk.notice(row())) == 1


@pytest.mark.parametrize(
    ("life", "state"),
    [
        (ABSENT, State.PLANNED),
        ((*ABSENT, started()), State.SUBMITTING),
        ((*ABSENT, started(), LOST), State.IN_DOUBT),
        ((*ABSENT, started(), LOST, Held(at=250.0, reason="who knows")), State.HELD),
    ],
)
def test_a_job_that_may_still_take_the_row_is_left_to_do_so(life: tuple[Event, ...], state: State) -> None:
    desk = Desk(*life)
    assert desk.journal.records()[KEY].state is state
    assert desk.notice(row()) == ()


def test_an_equal_submission_of_a_job_that_was_never_shown_absent_is_somebody_s_own() -> None:
    assert Desk(started(), Accepted(at=12.0, remote_id="job_1")).notice(row()) == ()
    found = (started(), LOST, ShownAbsent(at=200.0, evidence={}), started(), Refused(at=201.0, reason="no"))
    asked_again = (*found, RetryAsked(at=202.0), started(2), Accepted(at=203.0, remote_id="job_2"))
    assert Desk(*asked_again).notice(row()) == (), "the attempt is over, and its body another one"


@pytest.mark.parametrize(
    "echo",
    [
        {**ECHO, "seed": 6},
        {**ECHO, "prompt": "another mill"},
        {**ECHO, "modelId": "video"},
        {"modelId": "flux", "prompt": "a mill"},
        None,
    ],
)
def test_what_only_resembles_it_is_not_named(echo: Mapping[str, Any] | None) -> None:
    assert Desk(*AGAIN).notice(row(echo=echo)) == ()


def test_what_belongs_to_a_record_or_was_given_to_a_job_is_not_named() -> None:
    desk = Desk(*AGAIN)
    assert desk.notice(row("job_again")) == ()
    candidates = desk.listed(row())
    candidates.take("job_late")
    desk.late.notice(candidates)
    assert desk.late.sentences == ()
    assert desk.journal.trusts_absence
