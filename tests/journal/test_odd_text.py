"""What people and services write comes back as it was: quotes, places for values, signs of all kinds."""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.account import DISOWNED, Known
from batchgen.lifecycle import (
    Accepted,
    AnswerLost,
    Collected,
    Event,
    Failed,
    State,
    SubmitStarted,
    Succeeded,
    replay,
)
from batchgen.model import Acceptance, File, Job, JobKey, KeptCeiling, Purchase, Scope, Upload
from batchgen.planning.budget import Allowance, Window
from batchgen.planning.marks import Wanted
from tests.support.journals import Journals

SCOPE = Scope(origin="http://127.0.0.1/v1", project="", batch="spring")
ODD = (
    "",
    " ",
    "?",
    "%s %d %% %(name)s",
    ":origin ::text :1",
    'it\'s "so" -- /* */ ; DROP TABLE records',
    "back\\slash \\u0000 \\\\u0000",
    "{a,b} NULL \\N",
    "line\nfeed\r\ttab\x1f\x7f",
    "\u2028\u00e4\u0301\U0001f3f0\u202e\ufeff\uffff",
    "\u00c5 and \u212b and A\u030a",
)
_BODY = "\x00 and \U0001f3f0"  # these are in JSON, as six letters each


@pytest.mark.parametrize("text", ODD)
def test_odd_text_comes_back_from_records_and_what_is_known_of_them(journals: Journals, text: str) -> None:
    scope = replace(SCOPE, project=text, slot=text)
    journals.lead(scope.batch)
    with journals.open() as journal:
        batch = journal.batch(scope)
        key, other = JobKey(f"v1:{text}"), JobKey(text, 3)
        job = Job(id=text, prompt=text + _BODY, model=text, params={text: [text, None, 1.5]})
        intent = SubmitStarted(at=1.0, job=job, attempt=1, body=f"{text}asset_1", sender=text)
        taken = Accepted(at=2.0, remote_id=f"id {text}", author=text, owner=text)
        file = File(asset_id=text, path=text, bytes=2**40, sha256=text, mime=text)
        ended = Succeeded(at=3.0, asset_ids=(text,)), Collected(at=4.0, files=(file,))
        batch.append(key, intent, taken, *ended)
        batch.append(other, replace(intent, body=text), AnswerLost(at=2.0, reason=text))
        batch.disown([text])
        batch.learn(text, Known(rows=frozenset({text})))
    with journals.read() as journal:
        batch = journal.batch(scope)
        assert journal.scopes() == [scope]
        assert batch.records() == replay(batch.history())
        assert batch.records()[key].files == (file,)
        assert batch.records()[key].job == job
        assert set(batch.holders([f"id {text}", text, "none"])) == {f"id {text}", text}
        assert batch.holders([text])[text] == DISOWNED
        assert batch.known(text).rows == {text}
        assert [one.body for one in batch.unanswered_equals(JobKey(text), text)] == [text]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_comes_back_from_what_is_kept_beside_the_records(journals: Journals, text: str) -> None:
    scope, other = replace(SCOPE, project=text, slot=text), JobKey(text, 3)
    journals.lead(scope.batch)
    with journals.open() as journal:
        journal.accepted(scope).keep({Acceptance(text, text): other}, at=1.0)
        journal.ceilings(scope).keep_ceiling(
            KeptCeiling(action=text, models=(text,), limit=1, refused_at=1e-9, quiet=1e18)
        )
        journal.names.keep_manifest(scope, text, at=0.1)
        journal.names.choose(text, text, text, at=0.1)
    journals.store.change_marks(scope, [Wanted("a", "kept", text)], at=1.0)
    journals.store.purchases(origin=scope.origin).keep(
        Purchase(project=text, remote_id=text, model=text, job=text, charged=Decimal("1E-9"), at=1.25)
    )
    journals.uploads(origin=scope.origin, project=text).keep(
        Upload(sha256=text, asset_id=text, upload_id=text, name=text, bytes=2**40, at=0.1)
    )
    with journals.read() as journal:
        assert journal.accepted(scope).read() == {Acceptance(text, text): other}
        [kept] = journal.ceilings(scope).ceilings()
        assert (kept.action, kept.models, kept.refused_at, kept.quiet) == (text, (text,), 1e-9, 1e18)
        assert journal.names.manifests_of(scope.batch) == [text]
        assert journal.names.is_chosen(text, text, text)
        assert journal.asset_marks(scope).read()["a"].note == text
    [bought] = journals.store.purchases(origin=scope.origin).known()
    assert (bought.remote_id, bought.charged) == (text, Decimal("1E-9"))
    [sent] = journals.uploads(origin=scope.origin, project=text).find([text]).values()
    assert (sent.name, sent.bytes, sent.at) == (text, 2**40, 0.1)


@pytest.mark.parametrize("prompt", [_BODY, "\x00\x00", "\\\x00", "\\u0000 \x00", "\x00\U0001f3f0"])
def test_a_doubt_is_found_by_its_body_whatever_stands_beside_it(journals: Journals, prompt: str) -> None:
    job = Job(id="a", prompt=prompt, model="m")
    body = '{"image":"asset_1","prompt":"\\u0000 \\ud800 \\\\u0000"}'
    batch = journals.batch(SCOPE)
    batch.append(JobKey("v1:a"), SubmitStarted(at=1.0, job=job, attempt=1, body=body))
    batch.append(JobKey("v1:a"), AnswerLost(at=2.0, reason="cut"))
    assert batch.bodies_in_doubt(JobKey("v1:b"), body) == {body}
    assert batch.bodies_in_doubt(JobKey("v1:b"), body + " ") == frozenset()


def test_what_lacks_assets_is_counted_whatever_its_prompt_is(journals: Journals) -> None:
    journals.lead(SCOPE.batch)
    journal = journals.open()
    for number, prompt in enumerate(("plain", "\x00", "\\u0000\x00")):
        journal.batch(SCOPE).append(
            JobKey(f"v1:{number}"),
            SubmitStarted(at=1.0, job=Job(id="a", prompt=prompt, model="m"), attempt=1, body="{}"),
            Accepted(at=2.0, remote_id=f"job_{number}"),
            Succeeded(at=50.5, asset_ids=("a",), expected=4),
            Collected(at=4.0),
        )
    assert journal.slots(SCOPE).short(since=50.0) == {"": 3}
    assert not journal.slots(SCOPE).short(since=51.0)
    assert journal.slots(SCOPE).bought() == {"": 3}
    assert dict(journal.slots(SCOPE).open()) == {}


def test_texts_are_in_the_order_of_their_bytes(journals: Journals) -> None:
    names = ["a", "B", "_", "\u00e4", "b", "A b", "AB", "\U0001f3f0", "\uffee", "-a", "Z"]
    with journals.open() as journal:
        for one in names:
            journal.ceilings(SCOPE).keep_ceiling(
                KeptCeiling(action=one, models=(), limit=1, refused_at=1.0, quiet=1.0)
            )
        found = [one.action for one in journal.ceilings(SCOPE).ceilings()]
        assert found == sorted(names, key=str.encode)


def test_thousands_of_names_are_found_at_once_and_none_at_all_too(journals: Journals) -> None:
    batch = journals.batch(SCOPE)
    batch.disown([f"job_{number}" for number in range(3000)])
    assert len(batch.holders([f"job_{number}" for number in range(5000)])) == 3000
    assert batch.holders([]) == {}
    batch.disown([])
    batch.release([])
    batch.reserve({})
    batch.append_to_all({})
    assert journals.open().has_all([])
    assert batch.neighbours([]) == []


def test_a_batch_of_thousands_of_records_is_read_in_the_order_of_its_events(journals: Journals) -> None:
    batch, lost = journals.batch(SCOPE), AnswerLost(at=2.0, reason="cut")
    keys = [JobKey(f"v1:{number * 7919 % 2501}") for number in range(2501)]
    for key in keys:
        batch.append(key, SubmitStarted(at=1.0, job=Job(id="a", model="m"), attempt=1, body="{}"))
    batch.append(keys[5], lost)
    again = journals.batch(SCOPE)
    assert list(again.records()) == keys
    history = list(again.history())
    assert [key for key, _ in history] == [*keys, keys[5]]
    assert history[-1][1] == lost


def test_a_cap_may_be_higher_than_a_column_and_an_amount_finer_than_its_unit(journals: Journals) -> None:
    batch = journals.batch(SCOPE)
    free = Allowance(windows=(Window(name="the budget", cap=Decimal("1e30")),))
    intent = SubmitStarted(at=1.0, job=Job(id="a", model="m"), attempt=1, body="{}")
    batch.append(JobKey("a"), replace(intent, reserved=Decimal("1e-12")), allowed=free)
    assert list(batch.spent(free)) == [Decimal("1e-9")]
    batch.append(JobKey("b"), replace(intent, reserved=Decimal("9e8")), allowed=free)
    assert list(batch.spent(free)) == [Decimal("900000000.000000001")]


_ORIGINS = itertools.count()
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=_TEXT, remote_id=_TEXT, prompt=_TEXT | st.just("\x00"), at=st.floats(0, 1e11))
def test_any_text_and_any_moment_come_back(
    journals: Journals, content: str, remote_id: str, prompt: str, at: float
) -> None:
    scope = replace(SCOPE, origin=f"http://127.0.0.1/{next(_ORIGINS)}")
    key, batch = JobKey(content), journals.batch(scope)
    job = Job(id="a", prompt=prompt, model="m")
    events: tuple[Event, ...] = (
        SubmitStarted(at=at, job=job, attempt=1, body="{}", reserved=Decimal(2)),
        Accepted(at=at, remote_id=remote_id, charged=Decimal(2)),
        Failed(at=at, error=prompt),
    )
    batch.append(key, *events, reserves={JobKey("next", 7): Decimal(3)})
    again = journals.batch(scope)
    assert list(again.history()) == [(key, one) for one in events]
    assert again.records() == batch.records()
    assert again.records()[key].state is State.FAILED
    assert set(again.holders([remote_id])) == {remote_id}
    assert again.reservations() == batch.reservations()
    caps = Allowance(windows=(Window(name="the day's budget", cap=Decimal(9), since=at),))
    assert again.spent(caps) == batch.spent(caps)
    batch.append(JobKey("next", 7), SubmitStarted(at=at, job=job, attempt=1, body="{}", reserved=Decimal(0)))
    assert list(again.spent(caps)) == [2], "what was kept is taken from where it was put"
