"""One listing of the service's jobs, back to a date: what it showed, and whether that is all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from batchgen.errors import ServiceError, StoppedError, TransientError
from batchgen.model import RemoteJob
from batchgen.ports import Clock, Generator
from batchgen.reconcile.matching import BEFORE

_REACH = 60.0  # seconds that a listing reaches further back than it must
MOST_PAGES = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What one listing showed.

    Attributes:
        begun_at: our clock when its first page was asked for.
        since: the date it was to reach back to, by our clock.
        rows: by remote id, newest first.
        skew: seconds by which the service's clock is ahead of ours.
        broken: why it is not all there is; None for a complete one.
    """

    begun_at: float
    since: float
    rows: Mapping[str, RemoteJob]
    skew: float
    broken: ServiceError | None = None

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
    token, found = None, skew
    broken: ServiceError | None = TransientError("the listing does not come to an end")
    try:
        for _ in range(MOST_PAGES):
            page = await generator.jobs(asked, token)
            if page.served_at is not None and token is None:
                found = skew_of(page.served_at, begun_at, clock.now())
            rows.update({row.remote_id: row for row in page.jobs})
            if page.next_token is not None and page.next_token == token:
                break  # the same page for ever
            token = page.next_token
            if token is None:
                broken = None
                break
    except StoppedError:
        raise
    except ServiceError as error:
        broken = error
    if broken is None and skew > found + _REACH:
        # the service's clock turned out to be behind what was asked by: the oldest rows are missing
        broken = TransientError("the service's clock is not what it was taken for; asking again")
    return Listing(begun_at=begun_at, since=since, rows=rows, skew=found, broken=broken)


def as_date(at: float) -> str:
    """Write a moment, in seconds since the epoch, as the service's queries want it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def skew_of(served_at: float, asked_at: float, answered_at: float) -> float:
    """Return the seconds by which the service's clock is ahead of ours.

    What is below the resolution of a ``Date`` header counts as none.
    """
    skew = served_at + 0.5 - (asked_at + answered_at) / 2
    return skew if abs(skew) > max(2.0, answered_at - asked_at) else 0.0
