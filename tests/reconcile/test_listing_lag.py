"""How far listings are behind, told by submissions of this run and of earlier ones."""

from collections.abc import Iterable
from typing import cast

import pytest

from batchgen.ledger import Ledger
from batchgen.lifecycle import Accepted, Adopted, AnswerLost, Event, Record, SubmitStarted, replay
from batchgen.model import JobKey, RemoteJob, RemoteStatus
from batchgen.reconcile.listing import Listing
from batchgen.reconcile.listing_lag import ListingLag
from tests.support.builders import make_intent, make_remote_job
from tests.support.memory_journal import MemoryJournal

HOUR = 3600.0
NOW = 100 * HOUR  # the service's date of the listing, and ours


class _NoReceipts:
    """A run that has seen nothing accepted itself."""

    def receipt_of(self, _remote_id: str) -> None:
        return None


def records(*events: Event) -> Iterable[Record]:
    journal = MemoryJournal()
    journal.append(JobKey("v1:a"), *events)
    return replay(journal.history()).values()


def left(at: float, skew: float | None) -> SubmitStarted:
    return make_intent(at=at, skew=skew)


def longest(*events: Event) -> float:
    """Learn from a listing without rows that reaches an hour back."""
    lag = ListingLag(cast("Ledger", _NoReceipts()))
    listing = Listing(begun_at=NOW, since=NOW - HOUR, reach=NOW - HOUR, rows={}, skew=0.0)
    lag.learn(listing, records(*events), begun=0.0)
    return lag.longest


def test_a_submission_of_an_earlier_run_that_a_listing_misses_tells_how_far_it_is_behind() -> None:
    skew = -7 * HOUR
    assert longest(left(NOW - 20 - skew, skew), Accepted(at=NOW - 19 - skew, remote_id="job_1")) == 20


@pytest.mark.parametrize("hours", [-30, -5, 5, 30])
def test_one_found_later_by_a_clock_that_is_hours_wrong_is_as_old_as_its_post(hours: float) -> None:
    error = hours * HOUR
    lost = AnswerLost(at=NOW - 19, reason="cut")
    found = Adopted(at=NOW - 10 + error, remote_id="job_1", evidence={})
    assert longest(left(NOW - 20, 0.0), lost, found) == 20


@pytest.mark.parametrize("skew", [0.0, 5 * HOUR, -30 * HOUR])
def test_one_that_left_before_what_a_listing_reaches_is_not_missed_by_it(skew: float) -> None:
    lost = AnswerLost(at=NOW - 2 * HOUR + 1 - skew, reason="cut")
    found = Adopted(at=NOW - 60, remote_id="job_1", evidence={})
    assert longest(left(NOW - 2 * HOUR - skew, skew), lost, found) == 0


def test_where_the_clocks_were_not_compared_nothing_is_learnt() -> None:
    assert longest(left(NOW - 20, None), Accepted(at=NOW - 19, remote_id="job_1")) == 0


class _Receipts:
    """A run that read every receipt at once."""

    def receipt_of(self, _remote_id: str) -> float:
        return 100.0


@pytest.mark.parametrize(
    ("looked", "lag"),
    [((100.3, 101.0), 1.0), ((100.3, 900.0), 40.3), ((100.3, 130.0, 900.0), 70.0), ((500.0, 900.0), 440.0)],
)
def test_what_came_while_nobody_looked_is_no_sign_of_so_long_a_lag(
    looked: tuple[float, ...], lag: float
) -> None:
    seen = ListingLag(cast("Ledger", _Receipts()), closely=40.0)
    paid = list(records(left(NOW - 20, 0.0), Accepted(at=NOW - 19, remote_id="job_1")))
    row = make_remote_job()
    for begun in looked:
        shown = {"job_1": row} if begun == looked[-1] else {}
        listing = Listing(begun_at=NOW, since=NOW - HOUR, reach=NOW - HOUR, rows=shown, skew=0.0)
        seen.learn(listing, paid, begun=begun)
    assert seen.longest == pytest.approx(lag)
    assert not seen.pending


def test_what_is_listed_at_last_is_missed_no_more_though_its_job_has_moved_on() -> None:
    seen = ListingLag(cast("Ledger", _Receipts()), closely=40.0)
    paid = list(records(left(NOW - 20, 0.0), Accepted(at=NOW - 19, remote_id="job_1")))
    row = RemoteJob(remote_id="job_1", status=RemoteStatus.FAILED, word="failure")
    unseen = Listing(begun_at=NOW, since=NOW - HOUR, reach=NOW - HOUR, rows={}, skew=0.0)
    seen.learn(unseen, paid, begun=120.0)
    assert (seen.pending, seen.longest) == (True, 20.0)
    shown = Listing(begun_at=NOW + 10, since=NOW - HOUR, reach=NOW - HOUR, rows={"job_1": row}, skew=0.0)
    seen.learn(shown, (), begun=130.0)
    assert (seen.pending, seen.longest) == (False, 30.0), "no later than this was it listed"


def test_what_a_shorter_listing_shows_is_missed_no_more() -> None:
    lag = ListingLag(cast("Ledger", _NoReceipts()))
    paid = list(records(left(NOW - 20, 0.0), Accepted(at=NOW - 19, remote_id="job_1")))
    row = RemoteJob(remote_id="job_1", status=RemoteStatus.RUNNING, word="queued")
    lag.learn(Listing(begun_at=NOW, since=NOW - HOUR, reach=NOW - HOUR, rows={}, skew=0.0), paid, begun=0.0)
    shown = Listing(begun_at=NOW + 5, since=NOW - 10, reach=NOW - 10, rows={"job_1": row}, skew=0.0)
    lag.learn(shown, paid, begun=5.0)
    assert (lag.pending, lag.longest) == (False, 25.0)
