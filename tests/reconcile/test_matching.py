import json
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.account import Known
from batchgen.model import JobKey, RemoteJob, Text
from batchgen.reconcile.matching import (
    EVER,
    Body,
    Doubt,
    Likeness,
    Window,
    compare,
    differences,
    equal,
    may_be_bought,
    stands_for,
)
from batchgen.reconcile.ownership import owner_of
from tests.support.builders import make_remote_job

BODY = json.dumps({"prompt": "a tower", "width": 512, "seed": 7})
SEEDLESS = json.dumps({"prompt": "a tower", "width": 512})
SEEDED, UNSEEDED = Body.of("m", BODY), Body.of("m", SEEDLESS)


def row(
    *, model: str = "m", author: str = "apiu_1", created_at: float | None = 100.0, **inputs: Any
) -> RemoteJob:
    shown = {"modelId": model, **inputs} if inputs else None
    return make_remote_job(author=author, created_at=created_at, inputs=shown)


SENT: dict[str, Any] = {"prompt": "a tower", "width": 512, "seed": 7}


@pytest.mark.parametrize(
    ("shown", "likeness"),
    [
        (row(**SENT), Likeness.MATCH),
        (row(**{**SENT, "width": 512.0, "guidance": 3.5}), Likeness.MATCH),
        (row(model="other", **SENT), Likeness.OTHER),
        (row(**{**SENT, "width": 513}), Likeness.NEAR),
        (row(**{**SENT, "prompt": "another"}), Likeness.NEAR),
        (row(**{**SENT, "seed": 8}), Likeness.NEAR),
        (row(**{**SENT, "seed": 8, "prompt": "another"}), Likeness.OTHER),
        (row(prompt="a tower"), Likeness.NEAR),
        (row(), Likeness.NEAR),
        (row(**{**SENT, "prompt": "asset_1"}), Likeness.UNREAD),
        (row(**{**SENT, "prompt": "asset_1", "seed": 8}), Likeness.OTHER),
    ],
)
def test_a_row_is_a_match_only_if_it_echoes_all_that_was_sent(shown: RemoteJob, likeness: Likeness) -> None:
    assert compare(SEEDED, shown, {}) is likeness


@pytest.mark.parametrize(
    ("text", "seeded", "seedless"),
    [
        (Text(text="a tower", whole=True), Likeness.MATCH, Likeness.MATCH),
        (Text(text="a tow", whole=False), Likeness.MATCH, Likeness.NEAR),
        (Text(text="a mill", whole=True), Likeness.NEAR, Likeness.OTHER),
        (Text(text="a mill", whole=False), Likeness.NEAR, Likeness.OTHER),
    ],
)
def test_a_prompt_that_became_an_asset_is_read_and_a_cut_one_needs_an_equal_seed(
    text: Text, seeded: Likeness, seedless: Likeness
) -> None:
    texts = {"asset_1": text}
    assert compare(SEEDED, row(**{**SENT, "prompt": "asset_1"}), texts) is seeded
    assert compare(UNSEEDED, row(prompt="asset_1", width=512), texts) is seedless


def test_differences_are_named() -> None:
    assert differences(SEEDED, row(prompt="a tower", width=1)) == ("width", "seed")


DOUBT = Doubt(key=JobKey("v1:a"), body=SEEDED, intent_at=100.0, lost_at=130.0, skew=0.0)


def standing(shown: RemoteJob, *, skew: float = 0.0, authors: Collection[str] = ("apiu_1",)) -> Likeness:
    likeness = compare(SEEDED, shown, {})
    return stands_for(
        likeness, shown, owner_of(shown, Known(receipts=frozenset(authors))), DOUBT.window(skew)
    )


@pytest.mark.parametrize(
    ("shown", "skew", "likeness"),
    [
        (row(**SENT), 0, Likeness.MATCH),
        (row(created_at=94.9, **SENT), 0, Likeness.NEAR),
        (row(created_at=94.9, **{**SENT, "width": 513}), 0, Likeness.OTHER),
        (row(created_at=1030.0, **SENT), 0, Likeness.MATCH),
        (row(created_at=1030.1, **SENT), 0, Likeness.NEAR),
        (row(created_at=94.9, **SENT), -60, Likeness.MATCH),
        (row(created_at=1080.0, **SENT), 60, Likeness.MATCH),
        (row(created_at=1090.1, **SENT), 60, Likeness.NEAR),
        (row(created_at=None, **SENT), 0, Likeness.MATCH),
        (row(author="apiu_2", **SENT), 0, Likeness.OTHER),
        (row(author="user_1", **SENT), 0, Likeness.NEAR),
        (row(author="", **SENT), 0, Likeness.MATCH),
    ],
)
def test_a_row_stands_for_a_doubt_by_its_author_its_date_and_what_it_echoes(
    shown: RemoteJob, skew: float, likeness: Likeness
) -> None:
    assert standing(shown, skew=skew) is likeness


@pytest.mark.parametrize("author", ["apiu_1", "user_1"])
def test_a_persons_key_has_rows_like_any_key(author: str) -> None:
    assert standing(row(author=author, **SENT), authors={author}) is Likeness.MATCH


@pytest.mark.parametrize("author", ["apiu_2", "user_2"])
def test_as_long_as_no_receipt_says_who_we_are_an_equal_row_is_a_near_match(author: str) -> None:
    assert standing(row(author=author, **SENT), authors=()) is Likeness.NEAR


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_window_has_both_its_ends(low: float, at: float, high: float) -> None:
    assert Window(low, high).has(row(created_at=at)) is (low <= at <= high)
    assert EVER.has(row(created_at=at))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one, max_size=3),
)


@given(values)
def test_a_value_equals_itself_after_a_trip_through_json(value: object) -> None:
    assert equal(value, json.loads(json.dumps(value)))


def test_true_is_not_one_and_a_text_is_no_number() -> None:
    assert equal(1, 1.0)
    assert not equal(True, 1)
    assert not equal("1", 1)
    assert not equal([1, 2], [1])


def test_a_file_that_was_sent_again_has_another_id_and_may_be_the_same_job() -> None:
    sent = Body.of("m", '{"prompt":"a tower","referenceImages":["asset_new"],"width":512}')
    same = row(prompt="a tower", width=512, referenceImages=["asset_old"])
    other = row(prompt="a tower", width=513, referenceImages=["asset_old"])
    for shown, bought in ((same, True), (other, False)):
        assert may_be_bought(sent, shown, compare(sent, shown, {}), {"referenceImages"}) is bought


@pytest.mark.parametrize(
    ("shown", "likeness"),
    [
        ({"image": "asset_a", "scale": 2}, Likeness.MATCH),
        ({"image": "asset_a", "scale": 4}, Likeness.NEAR),
        ({"image": "asset_b", "scale": 2}, Likeness.OTHER),
    ],
)
def test_a_body_without_prompt_and_seed_is_known_by_the_files_that_go_in(
    shown: dict[str, Any], likeness: Likeness
) -> None:
    assert compare(Body.of("m", '{"image":"asset_a","scale":2}'), row(**shown), {}) is likeness


SPOKEN = '{"text":"well, hello","voice":"Ann"}'


@pytest.mark.parametrize(
    ("sent", "shown", "likeness", "bought"),
    [
        # one kind: what a body without prompt and seed is known by, and what a service may make of it
        ('{"image":"asset_a"}', {"image": "asset_a", "scale": 2}, Likeness.MATCH, True),  # a default
        ('{"image":"asset_a"}', {"image": "asset_a", "prompt": ""}, Likeness.MATCH, True),
        ('{"image":"asset_a"}', {"image": "asset_a", "prompt": "as a fox"}, Likeness.NEAR, False),
        ('{"image":"asset_a"}', {"image": "asset_a", "prompt": "asset_p"}, Likeness.NEAR, False),
        ('{"image":"asset_a"}', {"image": "asset_a", "mask": "asset_m"}, Likeness.NEAR, False),
        ('{"image":"asset_a"}', {"image": "asset_a", "refs": ["asset_m"]}, Likeness.NEAR, False),
        ('{"image":"asset_a"}', {"image": ["asset_a"]}, Likeness.NEAR, False),
        ('{"image":"asset_a"}', {"image": "asset_b"}, Likeness.OTHER, False),
        ('{"images":["asset_a","asset_b"]}', {"images": ["asset_b", "asset_a"]}, Likeness.NEAR, False),
        (SPOKEN, {"text": "well, hello", "voice": "Ann"}, Likeness.MATCH, True),
        (SPOKEN, {"text": "well,  hello", "voice": "Ann"}, Likeness.NEAR, True),
        (SPOKEN, {"text": "well&#44; hello", "voice": "Ann"}, Likeness.NEAR, True),
        (SPOKEN, {"text": "asset_kept", "voice": "Ann"}, Likeness.NEAR, True),
        (SPOKEN, {"text": "well, hello", "voice": "Bob"}, Likeness.NEAR, False),
        (SPOKEN, {"text": "good bye", "voice": "Ann"}, Likeness.OTHER, False),
        (SPOKEN, {"text": "asset_kept", "voice": "Bob"}, Likeness.OTHER, False),
        ('{"size":2}', {"size": 2}, Likeness.MATCH, True),
        ('{"size":2}', {"size": 4}, Likeness.OTHER, False),
    ],
)
def test_a_body_without_a_prompt_is_told_by_its_files_and_texts(
    sent: str, shown: dict[str, Any], likeness: Likeness, bought: bool
) -> None:
    body = Body.of("m", sent)
    assert compare(body, row(**shown), {}) is likeness
    assert may_be_bought(body, row(**shown), likeness, set()) is bought


@pytest.mark.parametrize("now", [-7200.0, -120.0, 120.0, 7200.0])
def test_a_clock_that_was_set_since_the_intent_hides_no_row_of_its_time(now: float) -> None:
    """At the intent both clocks agreed: the service's dates are those of then, whatever ours says now."""
    assert standing(row(created_at=101.0, **SENT), skew=now) is Likeness.MATCH
