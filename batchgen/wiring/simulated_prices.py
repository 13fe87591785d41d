"""The prices of a rehearsal, from the simulator's own table: no socket is needed to ask for them."""

import re
from collections.abc import Callable
from decimal import Decimal

from batchgen.errors import RefusedError
from batchgen.simulator.inputs import UNSEEN, InputFile
from batchgen.simulator.models import Catalogue
from batchgen.simulator.settings import Settings
from batchgen.simulator.submits import RefusedError as SimulatedRefusal
from batchgen.simulator.submits import read_order

_BLANK = re.compile(r"asset_blank_(\d+)x(\d+)")


class SimulatedPrices:
    """Implements ``ports.Quoter``; a file that is not sent yet counts as sent."""

    def __init__(self, size: Callable[[str], tuple[int, int] | None] = lambda _: None) -> None:
        """Read what is recorded.

        Args:
            size: gives the pixels of an asset that is known here; None for another one.
        """
        self._catalogue = Catalogue.recorded()
        self._size = size

    @staticmethod
    async def blank(width: int, height: int) -> str:
        """Return the asset id of a blank picture; here there is one of every size."""
        return f"asset_blank_{width}x{height}"

    def _find(self, asset: str) -> InputFile:
        blank = _BLANK.fullmatch(asset)
        size = (int(blank[1]), int(blank[2])) if blank else self._size(asset)
        return UNSEEN if size is None else InputFile(width=size[0], height=size[1])

    async def quote(self, model: str, body: str) -> Decimal:
        """Return what the simulator would charge; see the port."""
        known = self._catalogue.get(model)
        try:
            return read_order(known, body.encode(errors="replace"), Settings(), self._find).cost
        except SimulatedRefusal as error:
            raise RefusedError(error.reply.body.decode(errors="replace")) from error
