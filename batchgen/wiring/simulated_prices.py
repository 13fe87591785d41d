"""The prices of a rehearsal, from the simulator's own table: no socket is needed to ask for them."""

from decimal import Decimal

from batchgen.errors import RefusedError
from batchgen.simulator.inputs import UNSEEN
from batchgen.simulator.models import Catalogue
from batchgen.simulator.settings import Settings
from batchgen.simulator.submits import RefusedError as SimulatedRefusal
from batchgen.simulator.submits import read_order


class SimulatedPrices:
    """Implements ``ports.Quoter``; a file that is not sent yet counts as sent."""

    def __init__(self) -> None:
        """Read what is recorded."""
        self._catalogue = Catalogue.recorded()

    async def quote(self, model: str, body: str) -> Decimal:
        """Return what the simulator would charge; see the port."""
        known = self._catalogue.get(model)
        try:
            return read_order(known, body.encode(errors="replace"), Settings(), lambda _: UNSEEN).cost
        except SimulatedRefusal as error:
            raise RefusedError(error.reply.body.decode(errors="replace")) from error
