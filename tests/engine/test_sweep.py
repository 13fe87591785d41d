"""One sweep, and where the next begins, against a service of a few lines."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from batchgen.engine.watch.strategy import MOST_CREATED_PAGES, MOST_UPDATED_PAGES, LookStrategy
from batchgen.engine.watch.sweep import BEFORE, Sweep, Sweeper
from batchgen.errors import (
    EndlessError,
    NotFoundError,
    RefusedError,
    ServiceError,
    StopCause,
    StoppedError,
    TransientError,
)
from batchgen.model import RemoteJob, RemoteStatus
from batchgen.pages import JobPage
from tests.support.builders import make_remote_job
from tests.support.looped import run_virtually

NOW = 1_800_000_000.0


def row(name: str, *, updated: float | None = None, ended: bool = False) -> RemoteJob:
    status = RemoteStatus.SUCCEEDED if ended else RemoteStatus.RUNNING
    return make_remote_job(name, status=status, updated_at=updated)


class Pages:
    """Answers listings with pages as they were written down, and remembers what was asked."""

    def __init__(self, *pages: tuple[RemoteJob, ...] | ServiceError, served_at: float | None = None) -> None:
        self.pages = list(pages)
        self.asked: list[tuple[Mapping[str, str], str | None]] = []
        self.served_at = served_at

    def now(self) -> float:
        return NOW

    async def jobs(self, filters: Mapping[str, str], token: str | None = None) -> JobPage:
        self.asked.append((dict(filters), token))
        page = self.pages.pop(0)
        if isinstance(page, ServiceError):
            raise page
        more = str(len(self.asked)) if self.pages and self.pages[0] != () else None
        return JobPage(jobs=page, next_token=more, served_at=self.served_at)

    def since(self, number: int, name: str) -> float:
        return datetime.fromisoformat(self.asked[number][0][name]).timestamp()


def swept(pages: Pages, *ways: LookStrategy, since: float = NOW - 100.0, lag: float = 0.0) -> list[Sweep]:
    """Sweep once for each way with one sweeper."""

    async def main() -> list[Sweep]:
        sweeper = Sweeper(pages, pages)  # type: ignore[arg-type]  # a service that lists, and nothing else
        return [await sweeper.sweep(way, since=since, lag=lag) for way in ways]

    return run_virtually(main())


def test_a_sweep_by_creation_asks_a_little_further_back_than_the_oldest_in_flight() -> None:
    pages = Pages((row("a"), row("b", ended=True)))
    (sweep,) = swept(pages, LookStrategy.CREATED)
    assert sweep.complete
    assert set(sweep.rows) == {"a", "b"}
    assert pages.since(0, "createdAfter") == NOW - 100.0 - BEFORE
    assert "types" not in pages.asked[0][0]  # the two may not be asked for together


def test_a_sweep_reads_on_with_the_same_filters_and_stops_where_it_would_be_dear() -> None:
    pages = Pages(*[(row(f"job-{n}"),) for n in range(MOST_CREATED_PAGES + 1)])
    (sweep,) = swept(pages, LookStrategy.CREATED)
    assert sweep.crowded
    assert not sweep.complete
    assert len({str(filters) for filters, _ in pages.asked}) == 1
    assert [token for _, token in pages.asked] == [None, "1"]


def test_a_sweep_whose_token_comes_again_has_failed_and_is_not_taken_for_a_crowd() -> None:
    pages = Pages(*[(row(f"job-{n}"),) for n in range(MOST_UPDATED_PAGES)])
    told = pages.jobs

    async def same(filters: Mapping[str, str], token: str | None = None) -> JobPage:
        return replace(await told(filters, token), next_token="again")

    pages.jobs = same  # type: ignore[method-assign]
    (sweep,) = swept(pages, LookStrategy.UPDATED)
    assert (type(sweep.error), sweep.crowded, len(pages.asked)) == (EndlessError, False, 2)


def test_of_a_row_that_is_shown_twice_the_end_counts() -> None:
    pages = Pages((row("a", ended=True), row("b")), (row("a"), row("b", ended=True)))
    (sweep,) = swept(pages, LookStrategy.CREATED)
    assert {one.status for one in sweep.rows.values()} == {RemoteStatus.SUCCEEDED}


def test_the_next_sweep_by_update_begins_where_the_last_complete_one_ended_and_a_little_before() -> None:
    pages = Pages((row("a", updated=NOW - 3.0), row("b", updated=NOW - 9.0)), (), (row("a"),))
    pages.pages = [(row("a", updated=NOW - 3.0), row("b", updated=NOW - 9.0)), ()]
    swept(pages, LookStrategy.UPDATED, LookStrategy.UPDATED, lag=20.0)
    assert pages.since(0, "updatedAfter") == NOW - 100.0 - BEFORE
    assert pages.since(1, "updatedAfter") == NOW - 3.0 - 20.0
    assert pages.asked[1][0]["types"] == "custom"


def test_a_sweep_that_was_cut_off_moves_nothing() -> None:
    pages = Pages((row("a", updated=NOW),), TransientError("gone"), ())
    first, _ = swept(pages, LookStrategy.UPDATED, LookStrategy.UPDATED)
    assert set(first.rows) == {"a"}
    assert not first.complete
    assert not first.refused
    assert pages.since(2, "updatedAfter") == NOW - 100.0 - BEFORE


def test_a_crowded_sweep_by_update_moves_nothing() -> None:
    pages = Pages(*[(row(f"job-{n}", updated=NOW),) for n in range(MOST_UPDATED_PAGES + 1)])
    swept(pages, LookStrategy.UPDATED)
    assert len(pages.asked) == MOST_UPDATED_PAGES
    pages.pages = [()]
    assert swept(pages, LookStrategy.UPDATED)[0].complete


def test_a_listing_that_is_not_there_or_not_allowed_is_told_from_one_that_fails() -> None:
    forbidden = StoppedError("no", cause=StopCause.CREDENTIALS)
    assert swept(Pages(NotFoundError("no such thing")), LookStrategy.CREATED)[0].refused
    assert swept(Pages(forbidden), LookStrategy.CREATED)[0].refused
    assert swept(Pages(RefusedError("no such filter")), LookStrategy.CREATED)[0].refused
    assert not swept(Pages(TransientError("later")), LookStrategy.CREATED)[0].refused


def test_the_service_s_clock_is_what_the_dates_are_asked_by() -> None:
    pages = Pages((row("a"),), served_at=NOW - 60.0)
    pages.pages.append(())
    swept(pages, LookStrategy.CREATED, LookStrategy.CREATED)
    assert pages.since(1, "createdAfter") == NOW - 100.0 - 59.5 - BEFORE


def test_every_row_that_was_shown_is_counted_though_one_is_shown_twice_or_a_page_is_missing() -> None:
    twice = Pages((row("a"), row("b")), (row("b"), row("c")))
    assert swept(twice, LookStrategy.CREATED)[0].count == 4
    cut = Pages((row("a"), row("b")), TransientError("gone"))
    assert swept(cut, LookStrategy.CREATED)[0].count == 2
    crowd = Pages(*[(row(f"job-{n}"),) for n in range(MOST_CREATED_PAGES + 1)])
    assert swept(crowd, LookStrategy.CREATED)[0].count == MOST_CREATED_PAGES


def test_the_next_sweep_reaches_back_a_little_though_the_listing_never_lagged() -> None:
    pages = Pages((row("a", updated=NOW - 3.0),), (), ())
    swept(pages, LookStrategy.UPDATED, LookStrategy.UPDATED)
    assert pages.since(1, "updatedAfter") == NOW - 3.0 - BEFORE


def test_what_is_updated_while_a_sweep_is_read_does_not_move_the_next_one() -> None:
    pages = Pages((row("a", updated=NOW - 9.0),), (row("b", updated=NOW - 3.0),), ())
    swept(pages, LookStrategy.CREATED, LookStrategy.UPDATED)
    assert len(pages.asked) == 3
    assert pages.since(2, "updatedAfter") == NOW - 9.0 - BEFORE


def test_rows_without_a_date_move_nothing() -> None:
    pages = Pages((row("a", updated=NOW - 9.0),), (), (), ())
    swept(pages, LookStrategy.UPDATED, LookStrategy.UPDATED, LookStrategy.UPDATED)
    assert pages.since(2, "updatedAfter") == NOW - 9.0 - BEFORE
    undated = Pages((row("a"),), (), ())
    swept(undated, LookStrategy.UPDATED, LookStrategy.UPDATED)
    assert undated.since(1, "updatedAfter") == NOW - 100.0 - BEFORE
