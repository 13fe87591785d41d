"""What every journal must do that several hosts share: one leads, the others are refused, and may testify.

A journal of another kind is one more factory. Where leases cannot be waited out in virtual time, they are
short.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from batchgen.errors import BatchLockedError, FencedError
from batchgen.journal.file import JournalFile
from batchgen.lifecycle import Accepted, AnswerLost, NotSent, State, SubmitStarted, replay
from batchgen.model import JobKey
from batchgen.ports import Journal, Lease
from tests.support.fenced_journal import Led, SharedJournal
from tests.support.lives import JOB
from tests.support.memory_journal import SCOPE

A, B = JobKey("v1:a"), JobKey("v1:b", 1)
SENT = SubmitStarted(at=1.0, job=JOB, attempt=1, body="{}")
PAID = Accepted(at=1.0, remote_id="job_1", author="apiu_us")
UNSENT = NotSent(at=1.0, reason="the right to buy had run out")


class Leading(Protocol):
    """One host that leads."""

    @property
    def lease(self) -> Lease: ...

    @property
    def journal(self) -> Journal: ...

    def end(self) -> None:
        """Give the lease back, as a run does at its end."""

    def stand_still(self) -> None:
        """Renew it no more, as a host that is stopped."""


class Hosts(Protocol):
    """Hosts that share a journal of one batch."""

    def lead(self) -> Leading:
        """Take the lease on a further host.

        Raises:
            BatchLockedError: another one has it.
        """

    def wait_it_out(self) -> None:
        """Wait until the lease of a host that stands still has run out."""


@dataclass
class _InMemory:
    passed: float = 0.0
    shared: SharedJournal = field(init=False)
    leading: list[Led] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shared = SharedJournal(lambda: self.passed)

    def lead(self) -> "_MemoryLeading":
        led = self.shared.lead()
        self.leading.append(led)
        return _MemoryLeading(self, led)

    def wait_it_out(self) -> None:
        for _ in range(10):
            self.passed += self.shared.length / 5
            for led in self.leading:
                led.renew()


@dataclass
class _MemoryLeading:
    hosts: _InMemory
    lease: Led

    @property
    def journal(self) -> Journal:
        return self.lease.journal

    def end(self) -> None:
        self.hosts.leading.remove(self.lease)
        self.lease.end()

    def stand_still(self) -> None:
        self.hosts.leading.remove(self.lease)


FACTORIES: dict[str, Callable[[], Hosts]] = {"memory": _InMemory}


@pytest.fixture(params=FACTORIES)
def hosts(request: pytest.FixtureRequest) -> Hosts:
    return FACTORIES[request.param]()


def taken_over(hosts: Hosts, *events: SubmitStarted | AnswerLost) -> tuple[Leading, Leading]:
    """Let one host lead, record, and stand still; and another one take over."""
    old = hosts.lead()
    if events:
        old.journal.append(A, *events)
    old.stand_still()
    hosts.wait_it_out()
    return old, hosts.lead()


def test_one_host_leads_at_a_time(hosts: Hosts) -> None:
    first = hosts.lead()
    with pytest.raises(BatchLockedError):
        hosts.lead()
    hosts.wait_it_out()
    with pytest.raises(BatchLockedError):  # it is alive, and renews
        hosts.lead()
    assert first.lease.left() > 0
    first.end()
    assert hosts.lead().lease.left() > 0


def test_a_host_that_stands_still_loses_the_right_to_buy_before_another_one_has_it(hosts: Hosts) -> None:
    old = hosts.lead()
    old.stand_still()
    hosts.wait_it_out()
    assert old.lease.left() <= 0
    hosts.lead()
    assert old.lease.left() <= 0


def test_what_was_recorded_before_is_read_by_whoever_takes_over(hosts: Hosts) -> None:
    old, new = taken_over(hosts, SENT)
    assert {key: one.state for key, one in new.journal.records().items()} == {A: State.SUBMITTING}
    assert dict(new.journal.records()) == dict(old.journal.records())


def test_nothing_is_written_by_a_host_that_was_taken_over(hosts: Hosts) -> None:
    old, new = taken_over(hosts, SENT)
    for refused in ((A, PAID), (B, SENT)):
        with pytest.raises(FencedError):
            old.journal.append(*refused)
    assert [one for _, one in new.journal.history()] == [SENT]
    assert old.journal.records()[A].state is State.SUBMITTING, "what was refused is in no view"
    new.journal.append(A, AnswerLost(at=2.0, reason="taken over"))
    assert replay(new.journal.history()) == new.journal.records()


def test_an_append_by_a_lease_that_has_run_out_and_that_nobody_took_is_good(hosts: Hosts) -> None:
    old = hosts.lead()
    old.journal.append(A, SENT)
    old.stand_still()
    hosts.wait_it_out()
    assert old.journal.append(A, PAID).state is State.RUNNING


def test_whoever_was_taken_over_knows_it_when_it_asks(hosts: Hosts) -> None:
    old, new = taken_over(hosts)
    with pytest.raises(FencedError):
        old.journal.check_place()
    new.journal.check_place()


def test_anybody_may_testify_and_the_leader_hears_it_once(hosts: Hosts) -> None:
    old, new = taken_over(hosts, SENT)
    old.journal.testify(A, PAID)
    old.journal.testify(A, PAID)
    old.journal.testify(B, UNSENT)
    said = new.journal.testimony()
    assert [(key, event) for _, key, event in said] == [(A, PAID), (B, UNSENT)]
    new.journal.heard([said[0].number])
    assert [key for _, key, _ in new.journal.testimony()] == [B]
    new.journal.heard([said[1].number])
    old.journal.testify(A, PAID)
    assert not list(new.journal.testimony()), "to say it again is no news"


def test_a_run_that_was_taken_over_hears_nothing_for_the_leader(hosts: Hosts) -> None:
    old, new = taken_over(hosts, SENT)
    old.journal.testify(A, PAID)
    (one,) = new.journal.testimony()
    with pytest.raises(FencedError):
        old.journal.heard([one.number])
    assert list(new.journal.testimony()) == [one]


def test_what_was_said_outlives_the_leader_it_was_said_to(hosts: Hosts) -> None:
    old, new = taken_over(hosts, SENT)
    old.journal.testify(A, PAID)
    new.end()
    third = hosts.lead()
    assert [event for _, _, event in third.journal.testimony()] == [PAID]


def test_a_host_that_has_ended_is_no_silent_one(hosts: Hosts) -> None:
    first = hosts.lead()
    assert first.lease.silent_since() is None
    first.end()
    assert hosts.lead().lease.silent_since() is None


def test_a_host_of_which_nothing_is_heard_is_a_silent_one_until_it_testifies(hosts: Hosts) -> None:
    old, new = taken_over(hosts, SENT)
    assert new.lease.silent_since() is not None
    new.stand_still()
    hosts.wait_it_out()
    third = hosts.lead()
    assert third.lease.silent_since() is not None, "and so is the one before it"
    old.journal.testify(A, UNSENT)
    assert third.lease.silent_since() is not None, "the second one is silent still"
    new.journal.testify(A, UNSENT)
    assert third.lease.silent_since() is None


def test_where_nobody_can_be_taken_over_nothing_is_said_and_nothing_heard(tmp_path: Path) -> None:
    with JournalFile.open(tmp_path / "journal.db") as file:
        journal = file.batch(SCOPE)
        journal.testify(A, PAID)
        assert list(journal.testimony()) == []
        journal.heard([0])
