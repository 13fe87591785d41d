"""Assets, their signed URLs, and the CDN that serves them."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from batchgen.simulator.settings import Settings, Views
from batchgen.simulator.urls import calendar_expiry
from tests.simulator.caller import GEMINI, GPT, MATERIAL, SEEDED, SEEDLESS, VIDEO, Caller, basic, data_of


def made(caller: Caller, model: str = SEEDLESS, **inputs: object) -> list[str]:
    """Let a job succeed and give the ids of its assets."""
    remote_id = caller.bought(model, **inputs)
    caller.now += 100
    ids: list[str] = caller.job(remote_id)["metadata"]["assetIds"]
    return ids


def shown(caller: Caller, asset_id: str, **query: str) -> Any:
    reply = caller.get(f"/assets/{asset_id}", **query)
    assert reply.status == 200, reply.body
    return data_of(reply)["asset"]


def test_an_asset_says_what_it_was_made_from() -> None:
    caller = Caller()
    (asset_id,) = made(caller, SEEDED, seed=7)
    asset = shown(caller, asset_id)
    assert asset["id"] == asset_id
    assert asset["kind"] == "image"
    assert asset["status"] == "success"
    assert asset["source"] == asset["metadata"]["type"] == "txt2img"
    assert asset["metadata"]["prompt"] == "an oak"
    assert asset["metadata"]["seed"] == "7"
    assert asset["metadata"]["modelId"] == SEEDED
    assert asset["metadata"]["parentJobId"] == caller.service.submissions[0].remote_id


def test_an_asset_is_not_there_before_its_job_has_succeeded() -> None:
    caller = Caller()
    (asset_id,) = made(caller)
    fresh = Caller()
    fresh.bought()
    assert fresh.get(f"/assets/{asset_id}").status == 404
    fresh.now += 100
    assert fresh.get(f"/assets/{asset_id}").status == 200
    assert fresh.get("/assets/asset_of_nobody").status == 404


@pytest.mark.parametrize(
    ("model", "mimes"),
    [
        (SEEDLESS, {"image/png"}),
        (GPT, {"image/png"}),
        (GEMINI, {"image/jpeg"}),
        (SEEDED, {"image/webp"}),
        (VIDEO, {"video/mp4"}),
    ],
)
def test_the_form_is_the_models_and_not_the_clients(model: str, mimes: set[str]) -> None:
    caller = Caller()
    assert {shown(caller, one)["mimeType"] for one in made(caller, model)} == mimes


def test_the_maps_of_a_material_have_their_roles_and_places() -> None:
    caller = Caller()
    assets = [shown(caller, one) for one in made(caller, MATERIAL)]
    assert [one["metadata"]["type"] for one in assets] == [
        "texture",
        "texture-albedo",
        "texture-normal",
        "texture-smoothness",
        "texture-metallic",
        "texture-height",
    ]
    assert assets[1]["source"] == "texture:albedo"
    assert [one["metadata"]["outputIndex"] for one in assets] == [0, 1, 2, 3, 4, 5]


def test_every_output_can_say_that_it_is_the_first() -> None:
    caller = Caller(Settings(views=Views(index_always_zero=True)))
    assets = [shown(caller, one) for one in made(caller, SEEDED, numOutputs=3)]
    assert [one["metadata"]["outputIndex"] for one in assets] == [0, 0, 0]


def test_many_assets_come_at_once_in_any_order_and_without_the_unknown() -> None:
    caller = Caller()
    asked = made(caller, MATERIAL)
    reply = caller.post("/assets/get-bulk", {"assetIds": [*asked, "asset_of_nobody"]})
    got = [one["id"] for one in data_of(reply)["assets"]]
    assert sorted(got) == sorted(asked)
    assert got != asked


@pytest.mark.parametrize(
    ("asked", "status"),
    [(["asset_x"] * 200, 200), (["asset_x"] * 201, 400), ([], 200), ("asset_x", 400), ([1], 400)],
)
def test_at_most_two_hundred_assets_come_at_once(asked: object, status: int) -> None:
    assert Caller().post("/assets/get-bulk", {"assetIds": asked}).status == status


def test_a_bulk_call_without_ids_is_refused() -> None:
    assert Caller().post("/assets/get-bulk", []).status == 400
    assert Caller().send("POST", "/assets/get-bulk", b"{").status == 400


def test_a_signed_url_is_served_without_credentials() -> None:
    caller = Caller()
    (asset_id,) = made(caller)
    reply = caller.download(shown(caller, asset_id)["url"])
    assert reply.status == 200
    assert reply.medium is not None
    assert reply.medium.text == "an oak"
    assert reply.headers["content-type"] == "image/png"


def test_credentials_are_refused_by_the_cdn_and_counted() -> None:
    caller = Caller()
    (asset_id,) = made(caller)
    assert caller.download(shown(caller, asset_id)["url"], **basic()).status == 400
    assert caller.service.counts["cdn_credentials"] == 1


def test_the_original_has_no_transformation_in_its_url() -> None:
    caller = Caller()
    (asset_id,) = made(caller)
    assert "p=100" in shown(caller, asset_id)["url"]
    original = shown(caller, asset_id, originalAssets="true")["url"]
    assert "p=100" not in original
    assert caller.download(original).status == 200


@pytest.mark.parametrize("name", ["Policy", "Signature"])
@pytest.mark.parametrize("value", ["", "AAAA", "é", None])
def test_a_url_that_was_tampered_with_is_denied(name: str, value: str | None) -> None:
    caller = Caller()
    (asset_id,) = made(caller)
    parts = urlsplit(shown(caller, asset_id)["url"])
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    if value is None:
        del query[name]
    else:
        query[name] = value
    reply = caller.download(parts._replace(query=urlencode(query)).geturl())
    assert reply.status == 403
    assert b"AccessDenied" in reply.body


def test_the_signature_of_one_asset_does_not_open_another() -> None:
    caller = Caller()
    first, second = made(caller, SEEDED, numOutputs=2)
    url = shown(caller, first)["url"]
    assert caller.download(url.replace(first, second)).status == 403
    assert caller.download(url + "&width=200").status == 200


def test_a_url_expires_and_a_fresh_one_is_to_be_had() -> None:
    caller = Caller(Settings(url_life=60))
    (asset_id,) = made(caller)
    url = shown(caller, asset_id)["url"]
    caller.now += 59
    assert caller.download(url).status == 200
    caller.now += 1
    assert caller.download(url).status == 403
    assert caller.download(shown(caller, asset_id)["url"]).status == 200


@pytest.mark.parametrize(
    ("issued", "expires"),
    [
        ((2027, 1, 1), (2027, 1, 14)),
        ((2027, 1, 7), (2027, 1, 14)),
        ((2027, 1, 8), (2027, 1, 21)),
        ((2027, 1, 15), (2027, 1, 31)),
        ((2028, 2, 21), (2028, 2, 29)),
        ((2027, 2, 22), (2027, 3, 7)),
        ((2026, 12, 31), (2027, 1, 7)),
    ],
)
def test_urls_expire_in_the_calendar_steps_of_the_service(
    issued: tuple[int, int, int], expires: tuple[int, int, int]
) -> None:
    end = datetime(*expires, 23, 59, 59, tzinfo=UTC)
    assert calendar_expiry(datetime(*issued, 12, tzinfo=UTC).timestamp()) == end.timestamp()
