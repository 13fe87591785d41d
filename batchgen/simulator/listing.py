"""``GET /jobs``: its order, its filters, its pages and its tokens.

A token is a last-evaluated key, so a listing goes on strictly after a job and not after a
number of rows. Rows are read from an index that may be behind: what is shown of a job is what
it was ``lag`` seconds ago, and a job younger than that is not shown.
"""

import base64
import binascii
import heapq
import json
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from batchgen.simulator import dates
from batchgen.simulator.draws import Draws
from batchgen.simulator.jobs import Submission

_USUAL_SIZE, _LARGEST_SIZE = 50, 100
_WINDOW = 30 * 86_400.0  # seconds that a listing by author reaches back
_BEFORE_ALL = dates.read("9999-12-31T23:59:59.999Z")
_NO_JOB = "job_"  # stands in a token for the place in front of the first row

Place = tuple[float, int]  # a row's date and its job's ordinal: listings go down from it


class BadQueryError(Exception):
    """The query will not do; the text is the ``reason``. Never leaves this package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What is asked for; dates are seconds since the epoch."""

    page_size: int = _USUAL_SIZE
    token: str | None = None
    status: str | None = None
    types: frozenset[str] | None = None
    author: str | None = None
    workflow: str | None = None
    created_after: float | None = None
    updated_after: float | None = None
    windowed: bool = False

    @property
    def by_update(self) -> bool:
        """Whether rows come by their last change rather than by creation."""
        return not (self.status is None and self.types is None and self.workflow is None)

    def oldest(self, now: float) -> float:
        """Return the date after which a row must lie."""
        asked = self.updated_after if self.by_update else self.created_after
        if asked is not None:
            return asked
        return now - _WINDOW if self.windowed else 0.0

    def wants(self, job: Submission, at: float) -> bool:
        """Return whether a job is among those asked for, as it was at a moment."""
        return (
            (self.types is None or "custom" in self.types)
            and self.workflow is None
            and (self.author is None or self.author == job.author)
            and (self.status is None or self.status == job.reached(at)[-1].word)
        )


def parse_query(query: Mapping[str, str]) -> Query:
    """Read the query of a listing.

    Raises:
        BadQueryError: a value makes no sense, or two do not go together.
    """
    types = query.get("types") or query.get("type")
    parsed = Query(
        page_size=page_size(query, usual=_USUAL_SIZE, largest=_LARGEST_SIZE),
        token=query.get("paginationToken"),
        status=query.get("status") or None,
        types=frozenset(types.split(",")) if types else None,
        author=query.get("authorId") or None,
        workflow=query.get("workflowId") or None,
        created_after=_date(query, "createdAfter"),
        updated_after=_date(query, "updatedAfter"),
        windowed="authorId" in query or "hideResults" in query,
    )
    if parsed.by_update and parsed.created_after is not None:
        raise BadQueryError("createdAfter cannot be used with status, type, types or workflowId")
    if not parsed.by_update and parsed.updated_after is not None:
        raise BadQueryError("updatedAfter needs status, type, types or workflowId")
    return parsed


def page_size(query: Mapping[str, str], *, usual: int, largest: int) -> int:
    """Read how many rows a page may have.

    Raises:
        BadQueryError: it is no number from 1 to the largest.
    """
    text = query.get("pageSize", str(usual))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= largest):
        raise BadQueryError(f"pageSize must be between 1 and {largest}")
    return int(text)


def _date(query: Mapping[str, str], name: str) -> float | None:
    if name not in query:
        return None
    try:
        return dates.read(query[name])
    except ValueError as exc:
        raise BadQueryError(f"{name} is not a valid date") from exc


class Index:
    """All jobs in both orders; a page costs what it shows, not what there is."""

    def __init__(self, draws: Draws, short_pages: float) -> None:
        self._draws = draws
        self._short_pages = short_pages
        self._jobs: list[Submission] = []
        self._ordinals: dict[str, int] = {}
        self._changing: dict[int, Submission] = {}
        self._settling: list[tuple[float, int]] = []  # heap: when the index shows the end
        self._settled: list[Place] = []  # sorted by end
        self._pages = 0

    def add(self, job: Submission) -> None:
        """Take in the next job."""
        self._ordinals[job.remote_id] = job.ordinal
        self._jobs.append(job)
        self._changing[job.ordinal] = job
        heapq.heappush(self._settling, (job.end.at + job.lag, job.ordinal))

    def page(self, query: Query, owner: str, now: float) -> tuple[list[Submission], str | None]:
        """Return the jobs of one page and the token of the next, None after the last.

        Raises:
            BadQueryError: the token is none of ours.
        """
        self._settle(now)
        start, number = self._start(query)
        places = self._updates(start, now) if query.by_update else self._creations(start, now)
        oldest = query.oldest(now)
        rows = (
            place
            for place in takewhile(lambda one: one[0] > oldest, places)
            if self._jobs[place[1]].owner == owner and self._wanted(query, place, now)
        )
        size = self._size(query.page_size, number)
        shown = list(islice(rows, size))
        if next(rows, None) is None:
            return self._at(shown), None
        return self._at(shown), self._token(shown[-1] if shown else start, query, number + 1)

    def _wanted(self, query: Query, place: Place, now: float) -> bool:
        job = self._jobs[place[1]]
        return query.wants(job, now - job.lag)

    def _at(self, places: Sequence[Place]) -> list[Submission]:
        return [self._jobs[ordinal] for _, ordinal in places]

    def _creations(self, start: Place, now: float) -> Iterator[Place]:
        for ordinal in range(min(start[1], len(self._jobs)) - 1, -1, -1):
            job = self._jobs[ordinal]
            if job.created_at + job.lag <= now:
                yield job.created_at, ordinal

    def _updates(self, start: Place, now: float) -> Iterator[Place]:
        changing = sorted(
            (
                (job.reached(now - job.lag)[-1].at, ordinal)
                for ordinal, job in self._changing.items()
                if job.created_at + job.lag <= now
            ),
            reverse=True,
        )
        below = bisect_left(self._settled, start)
        settled = (self._settled[position] for position in range(below - 1, -1, -1))
        return heapq.merge((one for one in changing if one < start), settled, reverse=True)

    def _settle(self, now: float) -> None:
        while self._settling and self._settling[0][0] <= now:
            _, ordinal = heapq.heappop(self._settling)
            insort(self._settled, (self._changing.pop(ordinal).end.at, ordinal))

    def _size(self, asked: int, number: int) -> int:
        """Return how many rows a page may have; no two pages in a row are empty."""
        self._pages += 1
        if not self._draws.chance(self._short_pages, "short", self._pages):
            return asked
        return max(number % 2, int(self._draws.share("rows", self._pages) * asked))

    def _start(self, query: Query) -> tuple[Place, int]:
        if query.token is None:
            return (_BEFORE_ALL, len(self._jobs)), 0
        try:
            key = json.loads(base64.b64decode(query.token, validate=True))
            date = dates.read(key["updatedAt" if query.by_update else "createdAt"]["S"])
            job_id, number = key["jobId"]["S"], int(key["page"]["N"])
            ordinal = len(self._jobs) if job_id == _NO_JOB else self._ordinals[job_id]
        except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, RecursionError) as exc:
            raise BadQueryError("Invalid pagination token") from exc
        return (date, ordinal), number

    def _token(self, place: Place, query: Query, number: int) -> str:
        date, ordinal = place
        known = ordinal < len(self._jobs) and date < _BEFORE_ALL
        job = self._jobs[ordinal] if known else None
        key = {
            "updatedAt" if query.by_update else "createdAt": {"S": dates.written(date)},
            "jobId": {"S": job.remote_id if job else _NO_JOB},
            "ownerId": {"S": job.owner if job else ""},
            "page": {"N": str(number)},
        }
        return base64.b64encode(json.dumps(key, separators=(",", ":")).encode()).decode()
