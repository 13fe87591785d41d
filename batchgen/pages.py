"""One page of what the service lists."""

from dataclasses import dataclass
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
        """Say whether it may have been created at a date of the service or later."""
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
