"""One listing of the service's jobs, back to a date: what it showed, and whether that is all of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from batchgen.backoff import Backoff
from batchgen.errors import EndlessError, ServiceError, StoppedError, TransientError
from batchgen.model import RemoteJob
from batchgen.pages import Course, Unreadable
from batchgen.ports import Clock, Generator
from batchgen.reconcile.matching import BEFORE
from batchgen.service_clock import skew_of

_REACH = 60.0  # seconds that a listing reaches further back than it must
_FIRST_PAUSE = 1.0  # seconds after a listing that did not end, or as long as it was read
_LONGEST_PAUSE = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What one listing showed.

    Attributes:
        begun_at: our clock when its first page was asked for.
        since: the date it was to reach back to, by our clock.
        reach: the service's date from which on it shows everything.
        rows: by remote id, newest first.
        skew: seconds by which the service's clock is ahead of ours.
        broken: why it is not all there is; None for a complete one.
        unreadable: rows that may be any job, by their marks.
    """

    begun_at: float
    since: float
    reach: float
    rows: Mapping[str, RemoteJob]
    skew: float
    broken: ServiceError | None = None
    unreadable: Mapping[str, Unreadable] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every page arrived and it reaches back far enough."""
        return self.broken is None


async def read_listing(generator: Generator, *, since: float, clock: Clock, skew: float = 0.0) -> Listing:
    """Read every page; what was shown before a page failed is evidence all the same.

    Where the service's clock turns out to be another than was thought, it is read once more: it may
    have been asked for the wrong dates.

    Args:
        generator: the service.
        since: our date of the oldest thing that must be shown.
        clock: ours.
        skew: what is known of the clocks' difference, in seconds.

    Raises:
        StoppedError: the service does not let us look.
    """
    listing = await _read(generator, since=since, clock=clock, skew=skew)
    if listing.broken is not None and listing.skew != skew:
        listing = await _read(generator, since=since, clock=clock, skew=listing.skew)
    return listing


async def _read(generator: Generator, *, since: float, clock: Clock, skew: float) -> Listing:
    begun_at, reach = clock.now(), since - BEFORE - _REACH
    asked = {"createdAfter": as_date(reach + skew)}
    rows: dict[str, RemoteJob] = {}
    unreadable: dict[str, Unreadable] = {}
    token, found, course = None, skew, Course()
    broken: ServiceError | None = None
    try:
        while True:
            page = await generator.jobs(asked, token)
            if page.served_at is not None and token is None:
                found = skew_of(page.served_at, begun_at, clock.now())
            rows.update({row.remote_id: row for row in page.jobs})
            unreadable.update({one.mark: one for one in page.unreadable})
            token = page.next_token
            if course.is_lost(page):
                broken = EndlessError("the listing does not come to an end")
            if token is None or broken is not None:
                break
    except StoppedError:
        raise
    except ServiceError as error:
        broken = error
    if broken is None and skew > found + _REACH:
        # the service's clock turned out to be behind what was asked by: the oldest rows are missing
        broken = TransientError("the service's clock is not what it was taken for; asking again")
    return Listing(
        begun_at=begun_at,
        since=since,
        reach=reach + skew,
        rows=rows,
        skew=found,
        broken=broken,
        unreadable=unreadable,
    )


class Pauses:
    """How long to leave the service alone after listings in a row that did not come to an end.

    What may be better at the next try was tried several times, with gaps, before it counts as failed:
    that needs no more of them. A page that is refused, or leads nowhere, will be so again.
    """

    def __init__(self) -> None:
        self._in_a_row = 0

    def after(self, broken: ServiceError | None, *, took: float) -> float:
        """Return the seconds to wait beside what is waited anyway; none where it failed in passing.

        Args:
            broken: why the listing is not all there is; None for a complete one.
            took: seconds that it was read for: one that is long is not worth half of all requests.
        """
        passing = isinstance(broken, TransientError) and not isinstance(broken, EndlessError)
        if broken is None or passing:
            self._in_a_row = 0
            return 0.0
        self._in_a_row += 1
        gaps = Backoff(first=max(_FIRST_PAUSE, took), ceiling=_LONGEST_PAUSE)
        return gaps.delay(self._in_a_row, jitter=0.0)


def as_date(at: float) -> str:
    """Write a moment, in seconds since the epoch, as the service's queries want it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
