import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.engine.likeness import Doubt, Likeness, compare, differences, equal, in_question
from batchgen.engine.unowned import UnownedRows, Wanted
from batchgen.model import JobKey, RemoteJob, RemoteStatus, Text
from batchgen.ports import Generator

BODY = json.dumps({"prompt": "a tower", "width": 512, "seed": 7})
SEEDLESS = json.dumps({"prompt": "a tower", "width": 512})


def row(
    *, model: str = "m", author: str = "apiu_1", created_at: float | None = 100.0, **inputs: Any
) -> RemoteJob:
    return RemoteJob(
        remote_id="job_1",
        status=RemoteStatus.RUNNING,
        word="queued",
        job_type="custom",
        author=author,
        created_at=created_at,
        inputs={"modelId": model, **inputs} if inputs else None,
    )


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
    assert compare(BODY, "m", shown, {}) is likeness


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
    assert compare(BODY, "m", row(**{**SENT, "prompt": "asset_1"}), texts) is seeded
    assert compare(SEEDLESS, "m", row(prompt="asset_1", width=512), texts) is seedless


def test_differences_are_named() -> None:
    assert differences(BODY, row(prompt="a tower", width=1)) == ("width", "seed")


DOUBT = Doubt(key=JobKey("v1:a"), model="m", body=BODY, intent_at=100.0, lost_at=130.0)


@pytest.mark.parametrize(
    ("shown", "skew", "asked"),
    [
        (row(**SENT), 0, True),
        (row(created_at=94.9, **SENT), 0, False),
        (row(created_at=1030.0, **SENT), 0, True),
        (row(created_at=1030.1, **SENT), 0, False),
        (row(created_at=94.9, **SENT), -60, True),
        (row(created_at=None, **SENT), 0, True),
        (row(author="apiu_2", **SENT), 0, False),
        (row(author="user_1", **SENT), 0, False),
        (row(author="", **SENT), 0, True),
    ],
)
def test_only_rows_of_the_window_and_of_our_author_are_in_question(
    shown: RemoteJob, skew: float, asked: bool
) -> None:
    assert in_question(shown, DOUBT, skew=skew, authors={"apiu_1"}) is asked


def test_as_long_as_no_author_is_known_any_keys_rows_are_in_question() -> None:
    assert in_question(row(author="apiu_2", **SENT), DOUBT, skew=0, authors=())


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
    body = '{"prompt":"a tower","referenceImages":["asset_new"],"width":512}'
    wanted = Wanted(model="m", body=body, prompt="a tower", files=frozenset({"referenceImages"}))
    same = row(prompt="a tower", width=512, referenceImages=["asset_old"])
    other = row(prompt="a tower", width=513, referenceImages=["asset_old"])
    rows = UnownedRows(cast("Generator", None), [same])
    assert rows.with_prompt(wanted) == [same]
    assert UnownedRows(cast("Generator", None), [other]).with_prompt(wanted) == []
