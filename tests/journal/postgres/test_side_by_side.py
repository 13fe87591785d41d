"""A file and a database that live through the same say the same, after every step."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from batchgen.account import Known
from batchgen.errors import OverBudgetError, RemoteIdTakenError, TransitionError
from batchgen.journal.batch import BatchJournal
from batchgen.lifecycle import Accepted, Event, PriceLearnt, SubmitStarted
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Reservation, Window
from tests.support.journals import Journals
from tests.support.lives import lives

pytestmark = pytest.mark.postgres
_ORIGINS = itertools.count()
KEYS = [JobKey("v1:a"), JobKey("v1:a", 1), JobKey("v1:b"), JobKey("v1:Z"), JobKey("v1:_", 2**31)]
IDS = [f"job_{number}" for number in range(600)]
AMOUNTS = st.decimals(min_value=0, max_value=40, places=10)
MOMENTS = st.sampled_from([0.0, 1.0, 899.9999999999999, 900.0, 1764283499.9999998, 1764283500.0, 5e9])
SENDERS = st.sampled_from(["", "k1", "k2"])

Step = Callable[[BatchJournal], object]


def seen(batch: BatchJournal) -> dict[str, Any]:
    """Return all that one can ask a journal."""
    totals = [
        list(batch.spent(caps_of("1", since, trust=trust)))
        for since in (None, 0.0, 900.0, 1764283500.0)
        for trust in (True, False)
    ]
    return {
        "records": list(batch.records().items()),
        "history": list(batch.history()),
        "spent": totals,
        "reservations": dict(batch.reservations()),
        "holders": batch.holders(IDS),
        "authors": batch.authors,
        "known": [batch.known(one) for one in (None, "", "k1", "k2")],
        "equals": [sorted(map(repr, batch.unanswered_equals(key, '{"image":"asset_1"}'))) for key in KEYS],
        "doubts": [batch.bodies_in_doubt(key, '{"image":"asset_1"}') for key in KEYS],
        "neighbours": sorted(map(repr, batch.neighbours([key.content for key in KEYS]))),
        "looks": (batch.looking_since, batch.trusts_absence),
    }


def caps_of(cap: str, since: float | None, *, trust: bool = True) -> Allowance:
    return Allowance(windows=(Window(name="cap", cap=Decimal(cap), since=since),), trust_refunds=trust)


def outcome_of(step: Step, batch: BatchJournal) -> str:
    try:
        step(batch)
    except (OverBudgetError, RemoteIdTakenError, TransitionError) as error:
        over = error.over if isinstance(error, OverBudgetError) else None
        return f"{type(error).__name__}: {error} ({over})"
    return ""


def told_of(event: Event, draw: Any, *, learns: bool) -> Event:
    """Let an intent cost something, and a receipt be of somebody."""
    if isinstance(event, SubmitStarted):
        body = draw(st.sampled_from([event.body, '{"image":"asset_1"}']))
        event = replace(event, sender=draw(SENDERS), at=draw(MOMENTS), body=body)
        return event if learns else replace(event, reserved=draw(AMOUNTS))
    if isinstance(event, Accepted):
        return replace(event, author=draw(st.sampled_from(["", "us", "them"])), owner=draw(SENDERS))
    return event


def step_of(data: st.DataObject, lived: dict[JobKey, list[Event]]) -> Step:
    draw = data.draw
    do = draw(st.sampled_from(["append"] * 6 + ["reserve", "release", "look", "learn", "disown", "doubt"]))
    key = draw(st.sampled_from(KEYS))
    some = draw(st.dictionaries(st.sampled_from(KEYS), AMOUNTS, max_size=3))
    caps = draw(st.none() | st.integers(0, 90).map(lambda most: caps_of(str(most), None)))
    if caps is not None and draw(st.booleans()):
        caps = caps_of(str(caps.windows[0].cap), draw(MOMENTS))
    if do == "append" and lived[key]:
        learns = any(type(one) is PriceLearnt for one in lived[key])
        events = lived[key][: draw(st.integers(1, 3))]
        del lived[key][: len(events)]
        told = [told_of(one, draw, learns=learns) for one in events]
        others = {one: amount for one, amount in some.items() if one != key}
        return lambda one: one.append(key, *told, allowed=caps, reserves=others)
    if do == "reserve":
        at = draw(MOMENTS)
        wanted = {one: Reservation(amount, at, key) for one, amount in some.items()}
        return lambda one: one.reserve(wanted, allowed=caps)
    if do == "release":
        return lambda one: one.release(list(some))
    if do == "look":
        since = draw(MOMENTS)
        return lambda one: one.look_began(since) if since else one.look_ended()
    if do == "learn":
        known = Known(receipts=frozenset(draw(st.sets(SENDERS))), rows=frozenset(draw(st.sets(SENDERS))))
        return lambda one: one.learn("k1", known)
    if do == "disown":
        names = draw(st.lists(st.sampled_from(IDS), max_size=3))
        return lambda one: one.disown(names)
    return lambda one: one.distrust_absence() if some else None


# without shrinking, which takes minutes here: what failed is printed whole
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=(Phase.reuse, Phase.generate),
    max_examples=15,
)
@given(data=st.data())
def test_a_file_and_a_database_say_the_same_after_every_step(
    journal_database: str, tmp_path: Path, data: st.DataObject
) -> None:
    origin = f"http://127.0.0.1/{next(_ORIGINS)}"
    scopes = [
        Scope(origin=origin, project=project, batch="spring", slot=slot)
        for project, slot in (("", ""), ("", "monday"), ("k1", ""))
    ]
    lived: dict[Scope, dict[JobKey, list[Event]]] = {
        scope: {
            key: data.draw(lives(longest=6, first=100 * nth + data.draw(st.sampled_from([0, 50]))))
            for nth, key in enumerate(KEYS)
        }
        for scope in scopes
    }
    with Journals(None, tmp_path) as file, Journals(journal_database, tmp_path) as database:
        pairs = {scope: [file.batch(scope), database.batch(scope)] for scope in scopes}
        for _ in range(data.draw(st.integers(1, 14))):
            scope = data.draw(st.sampled_from(scopes))
            step = step_of(data, lived[scope])
            ours, theirs = pairs[scope]
            assert outcome_of(step, ours) == outcome_of(step, theirs)
            assert seen(ours) == seen(theirs)
            if data.draw(st.integers(0, 4)) == 0:
                pairs[scope] = [file.batch(scope), database.batch(scope)]
        for scope in scopes:
            ours, theirs = file.batch(scope), database.batch(scope)
            assert seen(ours) == seen(theirs)
        assert file.open().names.owners() == database.open().names.owners()
