"""Uploads at the core: what is taken, what is refused, and when an upload is an asset."""

import base64
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from batchgen.simulator.exchange import Reply, Request
from batchgen.simulator.service import Service
from batchgen.simulator.uploads import SMALLEST_PART, Imports
from tests.simulator.caller import Caller, data_of

PNG = b"\x89PNG\r\n\x1a\n and so on"
ANNOUNCED = {
    "fileName": "a.png",
    "fileSize": len(PNG),
    "contentType": "image/png",
    "kind": "image",
    "parts": 1,
}


def served(imports: Imports) -> Caller:
    caller = Caller()
    caller.service = Service(caller.settings, imports)
    return caller


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def put(caller: Caller, url: str, content: bytes, **headers: str) -> Reply:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    request = Request(method="PUT", path=parts.path, query=query, headers=headers, body=content)
    return caller.service.handle(request, caller.now)


def begun(caller: Caller, **changes: Any) -> Any:
    reply = caller.post("/uploads", {**ANNOUNCED, **changes})
    assert reply.status == 200, reply.body
    return data_of(reply)["upload"]


def completed(caller: Caller, content: bytes = PNG, **changes: Any) -> str:
    upload = begun(caller, **{"fileSize": len(content), **changes})
    assert put(caller, upload["parts"][0]["url"], content).status == 200
    upload_id: str = upload["id"]
    assert caller.post(f"/uploads/{upload_id}/action", {"action": "complete"}).status == 200
    return upload_id


def seen(caller: Caller, upload_id: str) -> Any:
    return data_of(caller.get(f"/uploads/{upload_id}"))["upload"]


@pytest.mark.parametrize("image", [encoded(PNG), f"data:image/png;base64,{encoded(PNG)}"])
def test_a_small_image_is_an_asset_at_once(image: str) -> None:
    caller = Caller()
    asset = data_of(caller.post("/assets", {"name": "a.png", "image": image}))["asset"]
    assert data_of(caller.get(f"/assets/{asset['id']}"))["asset"]["properties"] == {"size": len(PNG)}
    reply = caller.download(asset["url"])
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, PNG, "image/png")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"name": "a"}, "Either 'image' or 'canvas' must be provided"),
        ({"name": "a", "image": "not base64!"}, "Unhandled image format"),
        ({"name": "a", "image": encoded(b"plain text")}, "Unhandled image format"),
    ],
)
def test_what_is_no_image_is_refused_in_one_call(body: Any, reason: str) -> None:
    reply = Caller().post("/assets", body)
    assert (reply.status, data_of(reply)["reason"]) == (400, reason)


def test_an_image_beyond_the_gateway_is_refused() -> None:
    assert Caller().post("/assets", {"name": "a", "image": "A" * 6_000_001}).status == 413


def test_an_upload_is_an_asset_only_when_it_is_imported() -> None:
    caller = served(Imports(duration=(9.0, 9.0)))
    upload_id = completed(caller)
    words = []
    for _ in range(10):
        upload = seen(caller, upload_id)
        words.append(upload["status"])
        assert ("entityId" in upload) == (upload["status"] == "imported")
        caller.now += 1
    assert list(dict.fromkeys(words)) == ["complete", "validating", "validated", "imported"]
    asset_id = seen(caller, upload_id)["entityId"]
    assert data_of(caller.get(f"/assets/{asset_id}"))["asset"]["kind"] == "image"


def test_parts_are_put_together_in_their_order_and_the_last_put_counts() -> None:
    caller = served(Imports(duration=(0.0, 0.0)))
    first, second = b"\x89PNG\r\n\x1a\n".ljust(SMALLEST_PART, b"x"), b"the end"
    upload = begun(caller, fileSize=len(first + second), parts=2)
    for number, content in ((1, second), (0, b"wrong"), (0, first)):
        assert put(caller, upload["parts"][number]["url"], content).status == 200
    caller.post(f"/uploads/{upload['id']}/action", {"action": "complete"})
    asset = data_of(caller.get(f"/assets/{seen(caller, upload['id'])['entityId']}"))["asset"]
    assert caller.download(asset["url"]).body == first + second


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "picture"},
        {"fileSize": 0},
        {"parts": 0},
        {"parts": 10_001},
        {"contentType": ""},
        {"parts": True},
    ],
)
def test_an_upload_is_announced_in_full(changes: Any) -> None:
    assert Caller().post("/uploads", {**ANNOUNCED, **changes}).status == 400


def test_an_upload_is_completed_once_with_all_its_parts_and_no_small_one() -> None:
    caller = Caller()
    upload = begun(caller, parts=2)
    path = f"/uploads/{upload['id']}/action"
    assert caller.post(path, {"action": "complete"}).status == 400, "no part is there"
    for part in upload["parts"]:
        put(caller, part["url"], b"small")
    assert caller.post(path, {"action": "complete"}).status == 400, "a part is too small"
    assert caller.post(path, {"action": "upload-complete"}).status == 400
    done = completed(caller)
    assert caller.post(f"/uploads/{done}/action", {"action": "complete"}).status == 400
    assert caller.get("/uploads/upload_none").status == 404


@pytest.mark.parametrize(("content", "changes"), [(PNG, {"fileSize": 5}), (b"no image", {})])
def test_a_file_that_is_not_what_was_announced_fails(content: bytes, changes: Any) -> None:
    caller = Caller()
    upload_id = completed(caller, content, **changes)
    caller.now += 60
    upload = seen(caller, upload_id)
    assert upload["status"] == "failed"
    assert upload["errorMessage"]
    assert "entityId" not in upload


def test_imports_fail_by_chance_of_the_seed() -> None:
    caller = served(Imports(duration=(0.0, 0.0), failures=0.5))
    words = [seen(caller, completed(caller))["status"] for _ in range(40)]
    assert {"imported", "failed"} == set(words)


def test_a_part_needs_its_own_signed_url_in_time_and_no_credentials() -> None:
    caller = served(Imports(part_life=60.0))
    url = begun(caller)["parts"][0]["url"]
    assert put(caller, url.replace("/1?", "/2?"), PNG).status == 403
    assert put(caller, url, PNG, authorization="Basic x").status == 400
    assert caller.service.counts["store_credentials"] == 1
    caller.now += 61
    assert put(caller, url, PNG).status == 403


def test_what_was_uploaded_can_be_an_input_and_nothing_else_can() -> None:
    caller = Caller()
    asset = data_of(caller.post("/assets", {"name": "a", "image": encoded(PNG)}))["asset"]["id"]
    model = "model_openai-gpt-image-2"
    assert caller.run(model, None, referenceImages=[asset]).status == 200
    assert caller.run(model, None, referenceImages=["asset_nowhere"]).status == 404


def test_equal_files_become_different_assets() -> None:
    caller = Caller()
    ids = {
        data_of(caller.post("/assets", {"name": "a", "image": encoded(PNG)}))["asset"]["id"] for _ in range(3)
    }
    assert len(ids) == 3
