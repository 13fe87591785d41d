"""How many assets a job is to have: by what was asked for, and by what its kind gives."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from batchgen.model import JobKey, Model, RemoteJob, RemoteStatus
from batchgen.planning.yields import NOTHING_SHORT, Worth, Yields, kind_of, shortage
from batchgen.record import Record, State
from tests.support.builders import make_job, make_model, make_remote_job

NOW = 1_000_000.0
DAY = 86_400.0
FOUR = make_model("model_x", {"name": "numOutputs", "type": "number", "default": 4})


def done(
    count: int, *, expected: int = 1, body: Mapping[str, Any] | None = None, ago: float = 300.0
) -> Record:
    return Record(
        state=State.COLLECTED,
        job=make_job(model="model_x"),
        body=json.dumps(body or {}),
        asset_ids=tuple(f"asset_{n}" for n in range(count)),
        expected=expected,
        ended_at=NOW - ago,
    )


def row(count: int) -> RemoteJob:
    ids = tuple(f"asset_{n}" for n in range(count))
    return make_remote_job(status=RemoteStatus.SUCCEEDED, asset_ids=ids)


def of(*records: Record) -> dict[JobKey, Record]:
    return {JobKey("v1:a", number): one for number, one in enumerate(records)}


@pytest.mark.parametrize(
    ("body", "described", "asked"),
    [
        ({"numOutputs": 4}, None, 4),
        ({"numOutputs": 2.0}, None, 2),
        ({"numSamples": 3}, None, 3),
        ({}, None, 1),
        ({}, FOUR, 4),
        ({"numOutputs": 1}, FOUR, 1),
        ({"numOutputs": True}, None, 1),
        ({"numOutputs": 0}, None, 1),
        ({"numOutputs": 10**9}, None, 1),
        ({"numOutputs": "4"}, None, 1),
        ({}, make_model(capabilities=("txt2txt", "img2txt")), 0),
        ({}, make_model(capabilities=("txt2txt", "txt2img")), 1),
    ],
)
def test_what_is_asked_for_stands_in_the_body_or_is_the_models_default(
    body: Mapping[str, Any], described: Model | None, asked: int
) -> None:
    assert kind_of("model_x", json.dumps(body), described).asked == asked


def test_a_body_that_is_none_of_ours_asks_for_one() -> None:
    assert (
        kind_of("model_x", "[1]").asked
        == kind_of("model_x", "{").asked
        == kind_of("model_x", None).asked
        == 1
    )


@pytest.mark.parametrize(
    ("ends", "shown", "worth"),
    [
        ([], 4, Worth.UNKNOWN),
        ([], 1, Worth.LITTLE),
        ([4, 4], 4, Worth.UNKNOWN),
        ([4, 4, 4], 4, Worth.FINAL),
        ([4, 4, 4], 3, Worth.LITTLE),
        ([8, 8, 8], 4, Worth.LITTLE),  # it usually gives more than it is asked for
        ([1, 1, 1], 1, Worth.FINAL),  # the jobs themselves had no more to tell
        ([1, 1, 1], 0, Worth.LITTLE),
        ([1, 1, 4], 1, Worth.LITTLE),
    ],
)
def test_a_row_is_the_last_word_where_it_shows_what_its_kind_gives(
    ends: list[int], shown: int, worth: Worth
) -> None:
    body = {"numOutputs": 4}
    yields = Yields(of(*(done(count, expected=4, body=body, ago=10.0) for count in ends)))
    assert yields.worth(done(0, body=body), row(shown), now=NOW) is worth


def test_jobs_with_lists_of_another_length_are_another_kind() -> None:
    yields = Yields(of(*[done(6, body={"maps": ["a"] * 5})] * 5))
    assert yields.worth(done(0, body={"maps": ["a"] * 5}), row(6), now=NOW) is Worth.FINAL
    assert yields.worth(done(0, body={"maps": ["a"] * 5}), row(1), now=NOW) is Worth.LITTLE
    assert yields.worth(done(0, body={"maps": ["a"]}), row(2), now=NOW) is Worth.UNKNOWN


def test_two_that_were_waited_for_in_vain_teach_nothing_and_three_do() -> None:
    body = {"numOutputs": 4}
    two = of(*[done(1, expected=4, body=body)] * 2)
    three = of(*[done(1, expected=4, body=body)] * 3)
    assert len(shortage(two, now=NOW).partial) == 2
    assert shortage(three, now=NOW) == NOTHING_SHORT
    young = of(*[done(1, expected=4, body=body, ago=60.0)] * 3)
    assert len(shortage(young, now=NOW).partial) == 3, "they were not waited for yet"


def test_where_others_of_its_kind_gave_what_was_asked_for_one_with_fewer_is_never_excused() -> None:
    body = {"numOutputs": 4}
    some = of(*[done(3, expected=4, body=body)] * 5, done(4, expected=4, body=body))
    assert len(shortage(some, now=NOW).partial) == 5


def test_giving_nothing_is_no_models_way() -> None:
    assert len(shortage(of(*[done(0)] * 50), now=NOW).bare) == 50


def test_one_that_ended_before_it_was_known_what_its_kind_gives_is_found_short_later() -> None:
    yields = of(done(1, body={"maps": ["a"]}), *[done(2, body={"maps": ["a"]})] * 3)
    assert [len(one.asset_ids) for one in shortage(yields, now=NOW).partial] == [1]


@pytest.mark.parametrize(("ago", "kind"), [(300.0, "bare"), (DAY - 1, "bare"), (DAY + 1, "bare_for_good")])
def test_what_has_nothing_is_asked_again_for_a_day(ago: float, kind: str) -> None:
    assert getattr(shortage(of(done(0, ago=ago)), now=NOW), kind)


def test_a_part_is_named_for_a_day_and_then_it_is_what_came_out() -> None:
    body = {"numOutputs": 4}
    assert shortage(of(done(3, expected=4, body=body, ago=DAY + 1)), now=NOW) == NOTHING_SHORT


def test_a_journal_of_a_time_when_nobody_counted_names_nothing() -> None:
    assert shortage(of(done(0, expected=0), done(0, expected=0)), now=NOW) == NOTHING_SHORT
