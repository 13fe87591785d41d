"""What a run goes by, and what may be changed of it while it goes on."""

from dataclasses import dataclass
from decimal import Decimal

from batchgen.model import Rate


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSettings:
    """What a run goes by at the moment.

    Attributes:
        in_flight: most jobs at the service at once; None leaves it to the service.
        rate: requests to the service, all runs that share it together; None for no limit.
        budget: compute units that the batch may cost in all; None for no limit.
        paused: whether no job is submitted for the time being.
        draining: whether none is submitted any more.
    """

    in_flight: int | None = None
    rate: Rate | None = None
    budget: Decimal | None = None
    paused: bool = False
    draining: bool = False
