"""Events and records as JSON: what is on the disk stays readable, and stays what it was."""

import json
from decimal import Decimal

import pytest

from batchgen.journal.codec import dump, load_event, load_record
from batchgen.lifecycle import Canceled, Event, Failed, Succeeded, replay
from batchgen.model import Refund

INTENT = '{"at":1.5,"job":{"id":"tower","prompt":"a tower","model":"m","params":{}},"attempt":1,"body":"{}"}'
RECEIPT = '{"at":2.5,"remote_id":"job_1","charged":"7.25","author":"apiu_us"}'


@pytest.mark.parametrize(
    ("name", "end", "record"),
    [
        ("Succeeded", '{"at":3.5,"charged":"8"}', '"state":"succeeded","submissions":[%s"8"%s]'),
        ("Succeeded", '{"at":3.5}', '"state":"succeeded","submissions":[%s"7.25"%s]'),
        ("Failed", '{"at":3.5,"charged":"6"}', '"state":"failed","submissions":[%s"6"%s]'),
        ("Canceled", '{"at":3.5,"charged":"0"}', '"state":"canceled","submissions":[%s"0"%s]'),
    ],
)  # fmt: skip
def test_a_journal_of_a_time_without_refunds_reads_and_agrees_with_itself(
    name: str, end: str, record: str
) -> None:
    paid = '{"remote_id":"job_1","attempt":1,"at":2.5,"charged":', ',"author":"apiu_us"}'
    job = '"job":{"id":"tower","prompt":"a tower","model":"m","params":{}},"body":"{}","intent_at":1.5'
    stored = load_record(f"{{{job},{record % paid}}}")
    lived = [load_event("SubmitStarted", INTENT), load_event("Accepted", RECEIPT), load_event(name, end)]
    assert replay((0, event) for event in lived) == {0: stored}
    assert (stored.submissions[0].refund, stored.refunded) == (Refund.NONE, None)


@pytest.mark.parametrize("kind", [Succeeded, Failed, Canceled])
@pytest.mark.parametrize("refund", [None, *Refund])
def test_what_is_known_of_a_refund_survives_the_disk(
    kind: type[Succeeded | Failed | Canceled], refund: Refund | None
) -> None:
    event: Event = kind(at=3.5, charged=Decimal("7.25"), refund=refund)
    assert load_event(kind.__name__, dump(event)) == event


def test_that_nothing_came_back_is_written_down_where_it_is_known() -> None:
    assert json.loads(dump(Succeeded(at=3.5, refund=Refund.NONE))) == {"at": 3.5, "refund": "none"}
