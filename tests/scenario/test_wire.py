import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.model import Asset, RemoteJob, RemoteStatus
from batchgen.scenario.fields import WireError, parse_object, plain
from batchgen.scenario.wire import (
    parse_asset,
    parse_assets,
    parse_cost,
    parse_job,
    parse_model,
    parse_page,
    parse_receipt,
)
from tests.scenario.fakes import JOB_ID, asset_json, job_json

RECORDED = """{
  "jobId": "job_hZQJbJ6Ljc3wPrSW6bsF1sJQ", "jobType": "custom", "status": "success", "progress": 1,
  "createdAt": "2026-08-28T07:37:09.434Z", "updatedAt": "2026-08-28T07:38:38.012Z",
  "authorId": "apiu_1", "ownerId": "proj_1",
  "billing": {"cuCost": 6, "cuDiscount": 0, "cuCostDetails": {"quality-gate": 1.25}},
  "statusHistory": [
    {"status": "pending", "date": "2026-08-28T07:37:09.434Z"},
    {"status": "queued", "date": "2026-08-28T07:37:09.568Z"},
    {"status": "in-progress", "date": "2026-08-28T07:37:10.202Z"},
    {"status": "success", "date": "2026-08-28T07:38:37.989Z"}
  ],
  "metadata": {
    "assetIds": ["asset_b", "asset_a"],
    "input": {"modelId": "model_patina-material", "prompt": "copper", "width": 512, "strength": 0.6,
              "maps": ["height"]}
  }
}"""


def read(text: str) -> RemoteJob:
    return parse_job(parse_object(text.encode()))


def test_a_recorded_job_is_read_whole() -> None:
    assert read(RECORDED) == RemoteJob(
        remote_id="job_hZQJbJ6Ljc3wPrSW6bsF1sJQ",
        status=RemoteStatus.SUCCEEDED,
        word="success",
        created_at=1787902629.434,
        started_at=1787902630.202,
        finished_at=1787902717.989,
        updated_at=1787902718.012,
        job_type="custom",
        author="apiu_1",
        owner="proj_1",
        inputs={
            "modelId": "model_patina-material",
            "prompt": "copper",
            "width": 512,
            "strength": 0.6,
            "maps": ["height"],
        },
        asset_ids=("asset_b", "asset_a"),
        cost=Decimal("7.25"),
    )


def test_the_echo_of_a_request_equals_the_request_as_json_reads_it() -> None:
    body = '{"a": 0.1, "b": [1, 2.50, {"c": 1e-7}], "d": true, "e": null, "f": "ü"}'
    assert plain(parse_object(body.encode())) == json.loads(body)
    assert isinstance(plain(parse_object(b'{"a": 0.1}'))["a"], float)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", RemoteStatus.RUNNING),
        ("queued", RemoteStatus.RUNNING),
        ("warming-up", RemoteStatus.RUNNING),
        ("in-progress", RemoteStatus.RUNNING),
        ("finalizing", RemoteStatus.RUNNING),
        ("processing", RemoteStatus.RUNNING),
        ("a word of next year", RemoteStatus.RUNNING),
        ("", RemoteStatus.RUNNING),
        (None, RemoteStatus.RUNNING),
        (7, RemoteStatus.RUNNING),
        ("success", RemoteStatus.SUCCEEDED),
        ("Succeeded", RemoteStatus.SUCCEEDED),
        ("completed", RemoteStatus.SUCCEEDED),
        ("failure", RemoteStatus.FAILED),
        ("failed", RemoteStatus.FAILED),
        ("error", RemoteStatus.FAILED),
        ("canceled", RemoteStatus.CANCELED),
        ("cancelled", RemoteStatus.CANCELED),
    ],
)
def test_a_word_that_is_not_known_to_be_an_end_is_none(word: Any, status: RemoteStatus) -> None:
    job = parse_job(job_json(status=word))
    assert job.status is status
    assert (job.finished_at is None) == (status is RemoteStatus.RUNNING)


def test_an_end_without_a_history_is_dated_by_the_last_change() -> None:
    assert parse_job(job_json(status="failure", statusHistory=None)).finished_at == 1787902629.434
    assert parse_job(job_json(status="failure", statusHistory=[7], updatedAt="soon")).finished_at is None


def test_a_failure_brings_its_reasons_on_one_line_and_without_secrets() -> None:
    metadata = {"error": "Content\n\x1b[31mflagged for s3cr3t ", "hint": {"message": "rephrase"}}
    job = parse_job(job_json(metadata=metadata), lambda text: text.replace("s3cr3t", "-"))
    assert (job.error, job.hint) == ("Content [31mflagged for -", "rephrase")


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"id": JOB_ID}, JOB_ID), ({"jobId": JOB_ID, "id": "x"}, JOB_ID), ({"jobId": 7, "id": "x"}, "x")],
)
def test_the_id_is_read_under_both_its_names(value: Any, expected: str) -> None:
    assert parse_job(value).remote_id == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "job",
        {},
        {"jobId": ""},
        {"jobId": None},
        {"jobId": "a b"},
        {"jobId": "\ud800"},
        {"jobId": "x" * 999},
    ],
)
def test_a_job_without_an_id_is_none(value: Any) -> None:
    with pytest.raises(WireError):
        parse_job(value)


@pytest.mark.parametrize(
    ("billing", "cost"),
    [
        ('{"cuCost": 6}', Decimal(6)),
        ('{"cuCost": 0}', Decimal(0)),
        ('{"cuCost": 0.125, "cuCostDetails": {"quality-gate": 0.1, "ip-detection": null}}', Decimal("0.225")),
        ('{"cuCost": 6, "cuCostDetails": {"quality-gate": -1}}', None),
        ('{"cuCost": 6, "cuCostDetails": {"quality-gate": NaN}}', None),
        ('{"cuCostDetails": {"quality-gate": 1}}', None),
        ('{"cuCost": NaN}', None),
        ('{"cuCost": Infinity}', None),
        ('{"cuCost": -0.5}', None),
        ('{"cuCost": 1e999999999999999999999}', None),
        ('{"cuCost": 1e300}', None),
        ('{"cuCost": true}', None),
        ('{"cuCost": "6"}', None),
        ("[]", None),
    ],
)
def test_a_cost_is_exact_or_unknown(billing: str, cost: Decimal | None) -> None:
    assert read(f'{{"jobId": "job_1", "billing": {billing}}}').cost == cost


def test_only_a_plain_true_says_that_nothing_comes_back() -> None:
    assert not parse_job(job_json(billing={"disableRefund": True})).refundable
    assert parse_job(job_json(billing={"disableRefund": None})).refundable
    assert parse_job(job_json()).refundable


def test_a_receipt_carries_the_charge_that_stands_beside_the_job() -> None:
    receipt = parse_receipt(
        parse_object(b'{"job": {"jobId": "job_1"}, "creativeUnitsCost": 7.25, "new": {}}')
    )
    assert (receipt.job.remote_id, receipt.charged) == ("job_1", Decimal("7.25"))
    assert parse_receipt({"job": {"jobId": "job_1"}}).charged is None


def test_a_page_may_be_empty_and_go_on() -> None:
    page = parse_page({"jobs": [], "nextPaginationToken": "more"})
    assert (page.jobs, page.next_token) == ((), "more")
    assert parse_page({"jobs": [job_json()]}).next_token is None
    assert parse_page({"jobs": [job_json()], "nextPaginationToken": None}).next_token is None


@pytest.mark.parametrize(
    "data",
    [{}, {"jobs": None}, {"jobs": {}}, {"jobs": [], "nextPaginationToken": 7}],
)
def test_a_listing_that_may_have_left_a_job_out_is_no_listing(data: Any) -> None:
    with pytest.raises(WireError):
        parse_page(data)


@pytest.mark.parametrize(
    ("row", "dated"),
    [
        ({}, False),
        ({"jobId": 7, "createdAt": "2026-08-28T07:37:09.434Z"}, True),
        ({"jobId": "", "status": "success"}, False),
        ("job", False),
        (None, False),
    ],
)
def test_a_row_that_cannot_be_read_is_kept_as_such_beside_the_others(row: Any, dated: bool) -> None:
    page = parse_page({"jobs": [row, job_json()]})
    assert len(page.jobs) == 1
    (unread,) = page.unreadable
    assert (unread.created_at is not None) is dated
    again = parse_page({"jobs": [{**row, "status": "other"} if isinstance(row, dict) and dated else row]})
    assert again.unreadable[0].mark == unread.mark


def test_a_model_brings_its_inputs_as_sent() -> None:
    rule = {"ifDefined": {"mask": {"message": "A reference image is required."}}}
    model = parse_model(
        parse_object(
            json.dumps(
                {
                    "id": "model_x",
                    "name": "X",
                    "inputs": [
                        {"name": "seed", "type": "number", "min": 0, "max": 2147483647},
                        {
                            "name": "ratio",
                            "type": "number",
                            "min": 0.01,
                            "max": 1,
                            "step": 0.01,
                            "default": 0.6,
                        },
                        {"name": "references", "type": "file_array", "required": rule},
                        {"type": "nameless"},
                        "no input",
                    ],
                    "complianceMetadata": {},
                }
            ).encode()
        )
    )
    seed, ratio, references = model.inputs
    assert model.seed_input == seed
    assert (seed.minimum, seed.maximum, seed.step) == (0.0, 2147483647.0, None)
    assert (ratio.minimum, ratio.step, ratio.raw["default"]) == (0.01, 0.01, 0.6)
    assert references.raw == {"name": "references", "type": "file_array", "required": rule}
    assert json.loads(json.dumps(ratio.raw)) == ratio.raw


def test_a_model_without_an_id_is_none_and_a_name_may_be_missing() -> None:
    assert parse_model({"id": "model_x"}).name == "model_x"
    for value in (None, {}, {"id": 7}):
        with pytest.raises(WireError):
            parse_model(value)


@pytest.mark.parametrize(
    ("stats", "seconds"),
    [
        (None, None),
        ({}, None),
        ({"default": {"totalLatencyP75Sec": 30}}, 30.0),
        (
            {
                "default": "hd",
                "variants": [
                    {"variantKey": "sd", "totalLatencyP75Sec": 90},
                    {"variantKey": "hd", "totalLatencyP75Sec": 40.5},
                ],
            },
            40.5,
        ),
        ({"default": "gone", "variants": [{"totalLatencyP75Sec": 9}, {"totalLatencyP75Sec": 12}]}, 12.0),
        ({"variants": [{"totalLatencyP75Sec": -1}, {"totalLatencyP75Sec": "12"}, 7]}, None),
    ],
)
def test_the_published_latency_is_the_default_variants_else_the_slowest(stats: Any, seconds: Any) -> None:
    data = parse_object(json.dumps({"id": "model_x", "performanceStats": stats}).encode())
    assert parse_model(data).latency_p75 == seconds


def test_an_asset_is_its_id_its_url_and_what_is_said_of_the_file() -> None:
    url = "https://cdn.cloud.scenario.com/assets/asset_a?Policy=p&Signature=s"
    whole = Asset(id="asset_a", url=url, mime="image/png", size=1234, is_original=True)
    assert parse_asset(asset_json("asset_a")) == whole
    properties = {"size": 9, "width": 640, "height": 480}
    shown = parse_asset(asset_json("asset_a", kind="image", properties=properties))
    assert (shown.kind, shown.size, shown.width, shown.height) == ("image", 9, 640, 480)
    bare = parse_asset(asset_json("asset_a", properties=None, mimeType=None))
    assert bare == Asset(id="asset_a", url=url, is_original=True)
    assert parse_asset(asset_json("asset_a", properties={"size": -1})).size is None


def test_an_asset_says_how_long_it_lasts_and_which_role_it_has() -> None:
    said = parse_object(
        json.dumps(
            asset_json(
                "asset_a", properties={"duration": 5.0400000001}, metadata={"type": " texture-normal "}
            )
        ).encode()
    )
    assert (parse_asset(said).duration, parse_asset(said).type) == (5.04, "texture-normal")


@pytest.mark.parametrize("seconds", ["5", -1, True, None, [5], {"s": 5}, Decimal("Infinity"), Decimal("NaN")])
@pytest.mark.parametrize("metadata", [None, [], {}, {"type": None}, {"type": 7}, "texture"])
def test_what_makes_no_sense_of_its_length_and_role_is_not_known(seconds: Any, metadata: Any) -> None:
    shown = parse_asset(asset_json("asset_a", properties={"duration": seconds}, metadata=metadata))
    assert (shown.duration, shown.type) == (None, "")


def test_the_size_of_a_file_that_was_converted_may_be_that_of_the_other_one() -> None:
    converted = asset_json("asset_a", originalFileUrl="https://cdn.cloud.scenario.com/originals/asset_a")
    assert not parse_asset(converted).is_original
    resized = asset_json("asset_a", url="https://cdn.cloud.scenario.com/assets-transform/asset_a?p=100")
    assert not parse_asset(resized).is_original


@pytest.mark.parametrize("fields", [{"url": None}, {"url": ""}, {"url": "file:///etc/passwd"}, {"id": None}])
def test_an_asset_without_a_place_on_the_web_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        parse_asset(asset_json("asset_a", **fields))
    assert parse_assets({"assets": [asset_json("asset_b"), asset_json("asset_a", **fields)]}).keys() == {
        "asset_b"
    }


def test_a_price_of_nothing_is_a_price() -> None:
    assert parse_cost(0) == Decimal(0)
    assert parse_cost(None) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "status", "date", "url", "id", "size", "message"]), inner)
    ),
    max_leaves=8,
)


FIELDS = "jobId status statusHistory metadata billing createdAt updatedAt inputs id name performanceStats"
ENVELOPES = "url properties jobs job creativeUnitsCost nextPaginationToken assets"
INNER = "assetIds input error cuCost cuCostDetails"


@given(
    st.dictionaries(
        st.sampled_from(f"{FIELDS} {ENVELOPES}".split()),
        JSON | st.dictionaries(st.sampled_from(INNER.split()), JSON),
    )
)
def test_json_of_any_shape_is_read_or_refused_in_one_way(data: dict[str, Any]) -> None:
    parsers: list[Callable[[Any], Any]] = [parse_job, parse_receipt, parse_page, parse_model, parse_asset]
    for parse in [*parsers, parse_assets]:
        try:
            value = parse(data)
        except WireError:
            continue
        json.dumps(str(value)).encode()


@given(
    st.binary(max_size=60)
    | st.text(st.sampled_from('{}[]",:0123456789.eE-NaInfity \\ud8'), max_size=60).map(str.encode)
)
def test_bytes_of_any_kind_are_an_object_or_refused_in_one_way(body: bytes) -> None:
    try:
        data = parse_object(body)
    except WireError:
        return
    json.dumps(plain(data), allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 500 + b"1" + b"}" * 500, b"1" * 5000, b"", b"[]"]
)
def test_json_made_to_hurt_does_not(body: bytes) -> None:
    try:
        data = parse_object(body)
    except WireError:
        return
    assert plain(data)
