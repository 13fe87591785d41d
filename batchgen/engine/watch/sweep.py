"""One sweep: a listing read to see many submissions at once, and where the next one begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchgen.engine.watch.strategy import MOST_CREATED_PAGES, MOST_UPDATED_PAGES, LookStrategy
from batchgen.errors import EndlessError, NotFoundError, RefusedError, ServiceError, StoppedError
from batchgen.model import RemoteJob, RemoteStatus
from batchgen.pages import Course
from batchgen.ports import Clock, Generator
from batchgen.reconcile.listing import as_date
from batchgen.service_clock import skew_of

BEFORE = 5.0  # seconds that a sweep reaches back further than it must: an index may lag


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """What one sweep showed.

    Attributes:
        way: how it looked.
        rows: by the service's id; of a row that was shown twice the one that has ended.
        count: rows shown, of whomever.
        crowded: whether there were more pages than it reads.
        error: why it is not all there is; None where every page arrived.
    """

    way: LookStrategy
    rows: Mapping[str, RemoteJob] = field(default_factory=dict)
    count: int = 0
    crowded: bool = False
    error: ServiceError | None = None

    @property
    def complete(self) -> bool:
        """Whether what it did not show was not there."""
        return self.error is None and not self.crowded

    @property
    def refused(self) -> bool:
        """Whether the service will not answer such a listing later either."""
        return isinstance(self.error, StoppedError | NotFoundError | RefusedError)


class Sweeper:
    """Reads sweeps one after another, and remembers where the next by date of update begins."""

    def __init__(self, generator: Generator, clock: Clock) -> None:
        self._generator = generator
        self._clock = clock
        self._cursor: float | None = None  # by the service's clock
        self._skew = 0.0

    async def sweep(self, way: LookStrategy, *, since: float, lag: float) -> Sweep:
        """Read one; no error of the service is raised.

        Args:
            way: by date of creation or of update.
            since: our date of the oldest submission in flight.
            lag: the longest that the listing was seen to be behind, in seconds.
        """
        filters, most = self._asked(way, since)
        rows: dict[str, RemoteJob] = {}
        count, newest, token, course = 0, None, None, Course()
        asked_at = self._clock.now()
        for number in range(most):
            try:
                page = await self._generator.jobs(filters, token)
            except ServiceError as error:
                return Sweep(way=way, rows=rows, count=count, error=error)
            if number == 0:
                newest = max(
                    (one.updated_at for one in page.jobs if one.updated_at is not None), default=None
                )
                if page.served_at is not None:
                    self._skew = skew_of(page.served_at, asked_at, self._clock.now())
            for one in page.jobs:
                shown = rows.get(one.remote_id)
                if shown is None or shown.status is RemoteStatus.RUNNING:
                    rows[one.remote_id] = one
            count += len(page.jobs)
            token = page.next_token
            if course.is_lost(page):
                endless = EndlessError("it does not come to an end")
                return Sweep(way=way, rows=rows, count=count, error=endless)
            if token is None:
                self._move(newest, lag)
                return Sweep(way=way, rows=rows, count=count)
        return Sweep(way=way, rows=rows, count=count, crowded=True)

    def _asked(self, way: LookStrategy, since: float) -> tuple[Mapping[str, str], int]:
        oldest = since + self._skew - BEFORE
        if way is LookStrategy.CREATED:
            return {"createdAfter": as_date(oldest)}, MOST_CREATED_PAGES
        cursor = oldest if self._cursor is None else self._cursor
        return {"types": "custom", "updatedAfter": as_date(cursor)}, MOST_UPDATED_PAGES

    def _move(self, newest: float | None, lag: float) -> None:
        """Begin later the next time; a sweep that was cut off moves nothing."""
        if newest is not None:
            self._cursor = newest - max(BEFORE, lag)
