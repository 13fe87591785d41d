"""Random lives of a job: legal walks through the transition table, as hypothesis strategies."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from batchgen.lifecycle import (
    DONE,
    IN_FLIGHT,
    TRANSITIONS,
    Abandoned,
    Accepted,
    Adopted,
    AnswerLost,
    AssetsGone,
    Canceled,
    ChargeShown,
    Collected,
    Deferred,
    Event,
    Failed,
    FilesMoved,
    Held,
    NotSent,
    OutputsGrew,
    PriceLearnt,
    Record,
    RefundShown,
    Refused,
    RetryAsked,
    ShownAbsent,
    Stopped,
    SubmitStarted,
    Succeeded,
    WrittenOff,
    apply,
)
from batchgen.model import File, Job, Refund
from batchgen.planning.budget import waits_for_a_price

JOB = Job(id="tower", prompt="a tower, “oak” ✓", model="model_x", params={"width": 512, "maps": ["a", 1.5]})
FILE = File(asset_id="asset_1", path="assets/tower_0.png", bytes=12, sha256="ab" * 32, mime="image/png")

_amounts = st.none() | st.decimals(min_value=0, max_value=1000, places=3)
_text = st.text(max_size=20)


def event_of(kind: type[Event], draw: Any, record: Record, number: int) -> Event:
    at = float(number)
    reasons = (NotSent, Deferred, Stopped, Refused, AnswerLost, Held, Abandoned, WrittenOff)
    if kind is SubmitStarted:
        body = record.body if record.body is not None else f'{{"attempt":{record.attempt}}}'
        return SubmitStarted(at=at, job=JOB, attempt=record.attempt, body=body, quoted=draw(_amounts))
    if kind is Accepted:
        return Accepted(at=at, remote_id=f"job_{number}", charged=draw(_amounts), quoted=draw(_amounts))
    if kind is Adopted:
        return Adopted(at=at, remote_id=f"job_{number}", charged=None, evidence={"rows": [1, {"a": "b"}]})
    if kind is ShownAbsent:
        return ShownAbsent(at=at, evidence={"control": "job_0"})
    if kind in (Succeeded, Failed, Canceled):
        ends: Any = kind
        refund = draw(st.sampled_from(list(Refund)) if kind is not Succeeded else st.just(Refund.NONE))
        told = {"charged": draw(_amounts), "error": draw(_text), "refund": refund}
        told |= {"expected": draw(st.sampled_from([0, 1, 4]))} if kind is Succeeded else {}
        return ends(at=at, asset_ids=("asset_1",), started_at=1.5, **told)  # type: ignore[no-any-return]  # one of three event classes
    if kind is Collected:
        return Collected(at=at, files=draw(st.sampled_from([(), (FILE,)])))
    if kind is RetryAsked:
        return RetryAsked(at=at)
    assert kind in reasons, f"{kind.__name__} needs a line here"
    explained: Any = kind
    return explained(at=at, reason=draw(_text))  # type: ignore[no-any-return]  # an event with a reason


def note_of(draw: Any, record: Record, number: int) -> Event:
    """What the service's history shows of a submission that has ended: a refund, or a charge."""
    if draw(st.booleans()):
        return refund_of(draw, record, number)
    paid = draw(st.sampled_from([one.remote_id for one in record.submissions]))
    return ChargeShown(
        at=float(number), remote_id=paid, charged=draw(st.decimals(min_value=0, max_value=1000, places=3))
    )


def refund_of(draw: Any, record: Record, number: int) -> RefundShown:
    paid = draw(st.sampled_from([one.remote_id for one in record.submissions]))
    return RefundShown(
        at=float(number), remote_id=paid, refunded=draw(st.decimals(min_value=0, max_value=1000, places=3))
    )


def growth_of(draw: Any, record: Record, number: int) -> OutputsGrew:
    new = (f"asset_{number}", *record.asset_ids)
    ids = new if draw(st.booleans()) else new[:1]  # what it showed before it may show no more
    return OutputsGrew(at=float(number), remote_id=record.remote_id or "", asset_ids=ids)


@st.composite
def lives(draw: Any, *, longest: int = 12, first: int = 0) -> list[Event]:
    """A legal life of one job; the numbers in remote ids begin at ``first``."""
    record, events = Record(), []
    for number in range(first, first + draw(st.integers(0, longest))):
        exits = sorted(TRANSITIONS[record.state], key=lambda kind: kind.__name__)
        can_come_back = record.submissions and record.state not in IN_FLIGHT
        if not (exits or can_come_back):
            break
        if record.state in DONE and draw(st.integers(0, 2)) == 0:
            event: Event = growth_of(draw, record, number)
            if record.asset_ids and draw(st.booleans()):
                event = AssetsGone(at=float(number), asset_ids=record.asset_ids[:1])
            elif record.files and draw(st.booleans()):
                event = FilesMoved(at=float(number), paths={FILE.asset_id: f"earlier/tower_{number}.png"})
        elif waits_for_a_price(record) and draw(st.integers(0, 3)) == 0:
            event = PriceLearnt(at=float(number), reserved=Decimal(number))
        elif can_come_back and (not exits or draw(st.integers(0, 3)) == 0):
            event = note_of(draw, record, number)
        else:
            event = event_of(draw(st.sampled_from(exits)), draw, record, number)
        record = apply(record, event)
        events.append(event)
    return events


def cost_of(events: list[Event]) -> Decimal:
    """What the events say was charged: the highest word on each submission, or its history's."""
    charges: dict[str, Decimal | None] = {}
    last = ""
    for event in events:
        if isinstance(event, Accepted):
            last, charges[event.remote_id] = event.remote_id, event.charged
        elif isinstance(event, ChargeShown):
            charges[event.remote_id] = event.charged
        elif isinstance(event, Succeeded | Failed | Canceled) and event.charged is not None:
            # where it is told apart what came back, the charge stays what it was
            before = charges[last]
            charges[last] = event.charged if before is None else max(event.charged, before)
    return sum((one for one in charges.values() if one is not None), Decimal(0))
