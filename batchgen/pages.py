"""What the service lists, page by page, and when its pages lead nowhere."""

from dataclasses import dataclass, field
from typing import NamedTuple

from batchgen.model import Model, RemoteJob


class Unreadable(NamedTuple):
    """A row of a listing that cannot be read: it may be any job.

    Attributes:
        mark: equal rows have equal ones.
        created_at: the service's clock; None where it does not say.
    """

    mark: str
    created_at: float | None

    def may_be_since(self, at: float) -> bool:
        """Return whether it may have been created at a date of the service or later."""
        return self.created_at is None or self.created_at >= at


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPage:
    """One page of a listing, newest first.

    Attributes:
        jobs: may be fewer than asked for, or none, while a token is present.
        next_token: resend with the same filters; None on the last page.
        served_at: the service's clock, in whole seconds; None where it does not say.
        unreadable: rows that are no jobs as far as can be told.
    """

    jobs: tuple[RemoteJob, ...]
    next_token: str | None
    served_at: float | None = None
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelPage:
    """One page of a listing of models.

    Attributes:
        models: without their inputs.
        next_token: resend with the same filters; None on the last page.
    """

    models: tuple[Model, ...]
    next_token: str | None


MOST_PAGES = 1_000  # of one listing
_MOST_EMPTY = 100  # pages in a row that show nothing: filters may leave some of them empty
_MOST_STALE = 5  # pages in a row that show only what was shown: rows move on while they are read


@dataclass(slots=True)
class Course:
    """Follows the pages of one listing, and tells when they no longer lead to an end."""

    _tokens: set[str] = field(default_factory=set)
    _shown: set[str] = field(default_factory=set)
    _pages: int = 0
    _empty: int = 0
    _stale: int = 0

    def is_lost(self, page: JobPage) -> bool:
        """Take the next page in; say whether those after it are not worth asking for."""
        shown = {row.remote_id for row in page.jobs} | {one.mark for one in page.unreadable}
        self._pages += 1
        self._empty = 0 if shown else self._empty + 1
        self._stale = self._stale + 1 if shown and shown <= self._shown else 0
        self._shown |= shown
        if page.next_token is None:
            return False
        known = page.next_token in self._tokens
        self._tokens.add(page.next_token)
        long = self._pages >= MOST_PAGES or self._empty >= _MOST_EMPTY or self._stale >= _MOST_STALE
        return known or long
