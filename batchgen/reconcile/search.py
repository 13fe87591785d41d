"""What all who look for paid work in one run share: ports, and what listings have taught so far."""

from dataclasses import dataclass
from typing import Self

from batchgen.ledger import Ledger
from batchgen.ports import Generator, Journal
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.identification import Identification
from batchgen.reconcile.late_arrivals import LateArrivals
from batchgen.reconcile.lessons import Lessons
from batchgen.reconcile.listing import Listing
from batchgen.reconcile.prompts import Prompts
from batchgen.reconcile.testimony import Hearing


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """The parts of one run's search.

    Attributes:
        generator: whose listing is read.
        journal: what is ours already.
        ledger: where what is found is recorded.
        prompts: those that became assets.
        identification: asks who we are.
        late_arrivals: names what was shown absent and is there after all.
        hearing: hears what runs say that were taken over.
        lessons: what listings have taught this run.
        sender: fingerprint of the key that submits; empty where that is not known.
    """

    generator: Generator
    journal: Journal
    ledger: Ledger
    prompts: Prompts
    identification: Identification
    late_arrivals: LateArrivals
    hearing: Hearing
    lessons: Lessons
    sender: str = ""

    def candidates(self, listing: Listing) -> Candidates:
        """Return the rows of a listing, each with whose it is."""
        rows = listing.rows.values()
        return Candidates(rows, self.journal, self.prompts, self.lessons, sender=self.sender)

    @classmethod
    def of(cls, generator: Generator, journal: Journal, ledger: Ledger, *, sender: str) -> Self:
        """Make the parts for a run.

        Args:
            generator: the service.
            journal: of the scope.
            ledger: of the run.
            sender: fingerprint of the key that submits; empty where that is not known.
        """
        late_arrivals = LateArrivals(ledger, journal)
        return cls(
            generator=generator,
            journal=journal,
            ledger=ledger,
            prompts=Prompts(generator),
            identification=Identification(generator=generator, journal=journal, ledger=ledger, sender=sender),
            late_arrivals=late_arrivals,
            hearing=Hearing(ledger, journal, late_arrivals),
            lessons=Lessons(keeps=True),
            sender=sender,
        )
