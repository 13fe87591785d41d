"""How a listing is read: to its end, to its beginning, and never for ever."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from batchgen.errors import EndlessError, RefusedError, TransientError
from batchgen.pages import JobPage, Unreadable
from batchgen.ports import Generator
from batchgen.reconcile.listing import Pauses, as_date, read_listing
from tests.support.builders import make_remote_job

NOW = 1_800_000_000.0


class Pages:
    """A service of which only the listing is asked."""

    def __init__(self, *pages: JobPage | TransientError) -> None:
        self._pages = list(pages)
        self.asked: list[tuple[Mapping[str, str], str | None]] = []

    async def jobs(self, filters: Mapping[str, str], token: str | None = None) -> JobPage:
        self.asked.append((filters, token))
        page = self._pages[min(len(self.asked), len(self._pages)) - 1]
        if isinstance(page, TransientError):
            raise page
        return page

    def now(self) -> float:
        return NOW


def page(*ids: str, token: str | None = None, **more: Any) -> JobPage:
    jobs = tuple(make_remote_job(one) for one in ids)
    return JobPage(jobs=jobs, next_token=token, **more)


async def listed(*pages: JobPage | TransientError, skew: float = 0.0) -> tuple[Any, Sequence[Any]]:
    service = Pages(*pages)
    found = await read_listing(cast("Generator", service), since=NOW - 100, clock=service, skew=skew)
    return found, service.asked


async def test_every_page_is_read_and_each_row_kept_once() -> None:
    found, asked = await listed(page("a", "b", token="1"), page(token="2"), page("b", "c"))
    assert (list(found.rows), found.complete) == (["a", "b", "c"], True)
    assert [token for _, token in asked] == [None, "1", "2"]


async def test_pages_that_lead_back_to_each_other_end_and_are_not_complete() -> None:
    one, two = page("a", token="x"), page("b", token="y")
    found, asked = await listed(one, two, one, two, one, two)
    assert not found.complete
    assert len(asked) <= 4


@pytest.mark.parametrize(("ids", "most"), [((), 100), (("a", "b"), 6)])
async def test_pages_with_ever_new_tokens_that_show_nothing_new_are_given_up(
    ids: tuple[str, ...], most: int
) -> None:
    found, asked = await listed(*(page(*ids, token=str(number)) for number in range(2_000)))
    assert (type(found.broken), len(asked), set(found.rows)) == (EndlessError, most, set(ids))


async def test_empty_pages_and_rows_that_moved_on_do_not_end_a_listing() -> None:
    between = [page(token=f"empty-{number}") for number in range(99)]
    again = [page("a", token=f"again-{number}") for number in range(4)]
    found, _ = await listed(page("a", token="1"), *between, *again, page("b"))
    assert (list(found.rows), found.complete) == (["a", "b"], True)


def test_listings_without_an_end_are_asked_for_ever_more_seldom() -> None:
    pauses, endless = Pauses(), EndlessError("no end")
    refused = RefusedError("unknown token")
    waits = [pauses.after(one, took=0.2) for one in (endless, refused) * 6]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert pauses.after(TransientError("503"), took=0.2) == 0
    assert pauses.after(endless, took=30) == 30


async def test_what_came_before_a_page_that_failed_is_kept() -> None:
    found, _ = await listed(page("a", token="1"), TransientError("503"))
    assert (list(found.rows), str(found.broken)) == (["a"], "503")


async def test_rows_that_cannot_be_read_are_kept_apart() -> None:
    found, _ = await listed(page("a", unreadable=(Unreadable("m", None),)))
    assert (found.complete, set(found.unreadable)) == (True, {"m"})


async def test_a_listing_asked_for_by_a_wrong_clock_is_read_once_more() -> None:
    behind = page("a", served_at=NOW - 600)
    found, asked = await listed(behind)
    assert (len(asked), found.complete, found.skew) == (2, True, -599.5)
    assert asked[1][0] == {"createdAfter": as_date(NOW - 100 - 65 - 599.5)}
    assert found.reach == NOW - 100 - 65 - 599.5


async def test_a_clock_that_is_ahead_costs_no_second_listing() -> None:
    found, asked = await listed(page("a", served_at=NOW + 600))
    assert (len(asked), found.complete, found.skew) == (1, True, 600.5)
