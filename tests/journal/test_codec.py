"""Events and records as JSON: what is on the disk stays readable, and stays what it was."""

from decimal import Decimal

import pytest

from batchgen.journal.codec import dump, load_event
from batchgen.lifecycle import Canceled, Event, Failed, Succeeded
from batchgen.model import Refund


@pytest.mark.parametrize("kind", [Succeeded, Failed, Canceled])
@pytest.mark.parametrize("refund", list(Refund))
def test_what_is_known_of_a_refund_survives_the_disk(
    kind: type[Succeeded | Failed | Canceled], refund: Refund
) -> None:
    event: Event = kind(at=3.5, charged=Decimal("7.25"), refund=refund)
    assert load_event(kind.__name__, dump(event)) == event
