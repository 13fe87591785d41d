"""A job's life: where each event leads.

Whether a transition is legal is decided in this file and nowhere else, and the decision
is the ``TRANSITIONS`` table. The engine never assigns a state: it does the one thing the
state calls for and reports what happened as an event. Resuming is ``replay``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from batchgen.errors import TransitionError
from batchgen.events import (
    Abandoned as Abandoned,  # noqa: PLC0414
)
from batchgen.events import (
    Accepted as Accepted,  # noqa: PLC0414
)
from batchgen.events import (
    Adopted as Adopted,  # noqa: PLC0414
)
from batchgen.events import (
    AnswerLost as AnswerLost,  # noqa: PLC0414
)
from batchgen.events import (
    Canceled as Canceled,  # noqa: PLC0414
)
from batchgen.events import (
    Collected as Collected,  # noqa: PLC0414
)
from batchgen.events import (
    Deferred as Deferred,  # noqa: PLC0414
)
from batchgen.events import (
    Event as Event,  # noqa: PLC0414
)
from batchgen.events import (
    Failed as Failed,  # noqa: PLC0414
)
from batchgen.events import (
    Held as Held,  # noqa: PLC0414
)
from batchgen.events import (
    NotSent as NotSent,  # noqa: PLC0414
)
from batchgen.events import (
    Refused as Refused,  # noqa: PLC0414
)
from batchgen.events import (
    RetryAsked as RetryAsked,  # noqa: PLC0414
)
from batchgen.events import (
    ShownAbsent as ShownAbsent,  # noqa: PLC0414
)
from batchgen.events import (
    Stopped as Stopped,  # noqa: PLC0414
)
from batchgen.events import (
    SubmitStarted as SubmitStarted,  # noqa: PLC0414
)
from batchgen.events import (
    Succeeded as Succeeded,  # noqa: PLC0414
)
from batchgen.events import (
    WrittenOff as WrittenOff,  # noqa: PLC0414
)
from batchgen.notes import AssetsGone as AssetsGone  # noqa: PLC0414 - as the events above
from batchgen.notes import ChargeShown as ChargeShown  # noqa: PLC0414 - as the events above
from batchgen.notes import FilesMoved as FilesMoved  # noqa: PLC0414 - as above
from batchgen.notes import OutputsGrew as OutputsGrew  # noqa: PLC0414 - as above
from batchgen.notes import PriceLearnt as PriceLearnt  # noqa: PLC0414 - as above
from batchgen.notes import Rebound as Rebound  # noqa: PLC0414 - as above
from batchgen.notes import RedoAsked as RedoAsked  # noqa: PLC0414 - as above
from batchgen.notes import RefundShown as RefundShown  # noqa: PLC0414 - as above
from batchgen.notes import Restored as Restored  # noqa: PLC0414 - as above
from batchgen.record import DONE as DONE  # noqa: PLC0414 - who speaks of a life needs one import
from batchgen.record import IN_FLIGHT as IN_FLIGHT  # noqa: PLC0414 - as above
from batchgen.record import Record as Record  # noqa: PLC0414 - as above
from batchgen.record import State as State  # noqa: PLC0414 - as above

Key = TypeVar("Key")

TRANSITIONS: Mapping[State, Mapping[type[Event], State]] = {
    State.PLANNED: {SubmitStarted: State.SUBMITTING, Abandoned: State.ABANDONED},
    State.SUBMITTING: {
        # an answer that is already terminal is Accepted and its end, appended in one transaction
        Accepted: State.RUNNING,
        NotSent: State.PLANNED,
        Deferred: State.PLANNED,
        Stopped: State.PLANNED,
        Refused: State.REFUSED,
        AnswerLost: State.IN_DOUBT,
    },
    State.IN_DOUBT: {
        Adopted: State.RUNNING,
        ShownAbsent: State.PLANNED,
        Held: State.HELD,
    },
    State.HELD: {
        Adopted: State.RUNNING,
        ShownAbsent: State.PLANNED,
        Abandoned: State.ABANDONED,
    },
    State.RUNNING: {
        Succeeded: State.SUCCEEDED,
        Failed: State.FAILED,
        Canceled: State.CANCELED,
        WrittenOff: State.CANCELED,
    },
    State.SUCCEEDED: {Collected: State.COLLECTED},
    State.FAILED: {RetryAsked: State.PLANNED},
    State.REFUSED: {RetryAsked: State.PLANNED},
    State.CANCELED: {RetryAsked: State.PLANNED},
    State.COLLECTED: {Collected: State.COLLECTED},  # again, with what the service showed later
    State.ABANDONED: {},
}

TERMINAL = frozenset(state for state, exits in TRANSITIONS.items() if set(exits.values()) <= {state})

# Beside the table: what is learnt of a job later, and moves it nowhere.
NOTES: frozenset[type[Event]] = frozenset(
    {
        RefundShown,
        ChargeShown,
        PriceLearnt,
        OutputsGrew,
        AssetsGone,
        FilesMoved,
        Rebound,
        RedoAsked,
        Restored,
    }
)

EVENTS: Mapping[str, type[Event]] = {
    event.__name__: event
    for event in (
        *(event for exits in TRANSITIONS.values() for event in exits),
        *sorted(NOTES, key=lambda one: one.__name__),
    )
}


def apply(record: Record, event: Event) -> Record:
    """Return the record after the event.

    Raises:
        TransitionError: the table has no such way; the record is as it was.
    """
    state = record.state if type(event) in NOTES else TRANSITIONS[record.state].get(type(event))
    if state is None:
        raise TransitionError(f"{type(event).__name__} cannot happen to a job that is {record.state}")
    return replace(record, state=state, **event.changes(record))


def replay(history: Iterable[tuple[Key, Event]]) -> dict[Key, Record]:
    """Fold a journal's history into one record a job."""
    records: dict[Key, Record] = {}
    for key, event in history:
        records[key] = apply(records.get(key, Record()), event)
    return records
