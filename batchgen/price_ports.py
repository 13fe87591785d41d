"""What the engine needs from the world to know prices, in its own words; see ``ports``."""

from decimal import Decimal
from typing import Protocol

from batchgen.model import Job


class Quoter(Protocol):
    """Says what a submit would cost."""

    async def quote(self, model: str, body: str) -> Decimal:
        """Ask for the price of a body in compute units; nothing is bought.

        Raises:
            BoughtByQuoteError: the question was taken for an order; ask no more.
            RefusedError, NotFoundError, StoppedError, TransientError: there is no price; with
                ModelClosedError, none for this model.
            AmbiguousError: the first answer was lost; what was asked may have been an order.
        """
        ...


class Prices(Protocol):
    """What the service has said that jobs cost."""

    def price(self, job: Job) -> Decimal | None:
        """Return the price of a job in compute units, the highest it may have; None where it is not known.

        Of a job whose inputs are other jobs' outputs and not there yet it is the upper end of the estimate.
        """
        ...

    def kind(self, job: Job) -> str:
        """Return the name of all jobs that are given one price with this one."""
        ...


class PriceQuestions(Prices, Protocol):
    """Prices that can be asked for anew while a run goes on."""

    def asked(self, job: Job) -> float | None:
        """Return when a job's kind was last asked about in this run, by the loop's clock; None if never."""
        ...

    def is_due(self, job: Job) -> bool:
        """Return whether a job has no price, and what goes into it has come since it could be asked."""
        ...

    def expected(self, job: Job) -> Decimal | None:
        """Return what a job was expected to cost before what goes into it was there; None for nothing."""
        ...

    async def ask(self, job: Job) -> None:
        """Ask anew what jobs of this one's kind cost; ``price`` gives the answer, None where it is a refusal.

        Raises:
            BoughtByQuoteError: the question was taken for an order; ask no more.
            StoppedError: the credentials are not accepted.
            TransientError: there is no answer yet.
            JournalError: it cannot be read whether a question was ever taken for an order.
        """
        ...
