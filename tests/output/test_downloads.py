import asyncio
import gzip
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from batchgen.backoff import Backoff
from batchgen.errors import (
    BatchgenError,
    DownloadError,
    InputError,
    OutputError,
    StopCause,
    StoppedError,
    TransientError,
    WhyMissing,
)
from batchgen.model import Asset, File
from batchgen.output.downloads import Downloader
from batchgen.output.known_files import KnownFiles
from tests.support import files
from tests.support.builders import make_job

PNG = files.picture(size=(80, 60))
JPEG = files.picture("JPEG")
QUICK = Backoff(first=0.001, ceiling=0.002)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Cdn:
    """A file server on loopback that answers as it is told to, and the service that names its URLs."""

    def __init__(self) -> None:
        self.base = ""
        self.files: dict[str, bytes] = {}
        self.scripts: dict[str, list[Answer]] = {}
        self.sizes: dict[str, int] = {}
        self.mimes: dict[str, str] = {}
        self.said: dict[str, dict[str, Any]] = {}
        self.requests: list[web.Request] = []
        self.calls: list[tuple[str, ...]] = []
        self.failures: list[BatchgenError] = []
        self.generation = 0

    async def assets(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
        self.calls.append(tuple(asset_ids))
        self.generation += 1
        if self.failures:
            raise self.failures.pop(0)
        return {
            one: Asset(
                id=one,
                url=f"{self.base}/assets/{one}?Signature=a%2Fb~c{self.generation}&p=100",
                mime=self.mimes.get(one, "image/png"),
                size=self.sizes.get(one),
                **self.said.get(one, {}),
            )
            for one in asset_ids
            if one in self.files or one in self.scripts
        }

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        name = request.path.rpartition("/")[2]
        script = self.scripts.get(name)
        if script:
            return await script.pop(0)(request)
        return web.Response(body=self.files[name], content_type="application/octet-stream")

    def asked(self, name: str) -> int:
        return Counter(request.path.rpartition("/")[2] for request in self.requests)[name]


@asynccontextmanager
async def serving(
    *handlers: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[list[str]]:
    runners, bases = [], []
    for handler in handlers:
        app = web.Application()
        app.router.add_get("/{tail:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        bases.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield bases
    finally:
        for runner in runners:
            await runner.cleanup()


@pytest.fixture
async def cdn() -> AsyncIterator[Cdn]:
    server = Cdn()
    async with serving(server.serve) as (base,):
        server.base = base
        yield server


def downloader(cdn: Cdn, folder: Path, **more: Any) -> Downloader:
    return Downloader(cdn, folder, **{"backoff": QUICK, "spacing": 0.0, **more})


def say(status: int, body: bytes = b"", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


async def cut(request: web.Request) -> web.StreamResponse:
    """Promise everything, send half, and hang up."""
    response = web.StreamResponse(headers={"Content-Length": str(len(PNG))})
    await response.prepare(request)
    await response.write(PNG[: len(PNG) // 2])
    assert request.transport is not None
    request.transport.close()
    return response


async def unframed(request: web.Request) -> web.StreamResponse:
    """Send half the way that HTTP/1.0 did, where hanging up is how a file ends."""
    assert request.transport is not None
    request.transport.write(b"HTTP/1.0 200 OK\r\n\r\n" + PNG[: len(PNG) // 2])
    request.transport.close()
    return web.Response()


def on_disk(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (folder / "assets").iterdir()}


def inside(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


async def test_files_are_fetched_named_and_described(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {"asset_a": PNG, "asset_b": JPEG}
    async with downloader(cdn, tmp_path) as subject:
        files = await subject.collect(make_job(), ["asset_b", "asset_a"])
    assert on_disk(tmp_path) == {"tower_0.jpg": cdn.files["asset_b"], "tower_1.png": PNG}
    assert [one.asset_id for one in files] == ["asset_b", "asset_a"]
    assert files[1] == File(
        asset_id="asset_a",
        path="assets/tower_1.png",
        bytes=len(PNG),
        sha256=hashlib.sha256(PNG).hexdigest(),
        mime="image/png",
        width=80,
        height=60,
    )


async def test_what_the_service_says_of_a_file_is_kept_and_a_pictures_bytes_have_the_last_word_on_its_size(
    cdn: Cdn, tmp_path: Path
) -> None:
    said = {"width": 7, "height": 9, "duration": 2.5}
    cdn.files = {"asset_a": PNG, "asset_b": files.clip(), "asset_c": files.SVG, "asset_d": files.glb()}
    cdn.mimes = {"asset_b": "video/mp4", "asset_c": "image/svg+xml", "asset_d": "model/gltf-binary"}
    cdn.said = {
        "asset_a": {**said, "kind": "image", "type": "texture-normal"},
        "asset_b": {**said, "kind": "video", "type": "img2video"},
        "asset_c": {**said, "kind": "image"},
        "asset_d": {"kind": "3d", "width": 0, "height": 0, "duration": 0.0},
    }
    async with downloader(cdn, tmp_path) as subject:
        found = await subject.collect(make_job(), list(cdn.files))
    assert [(one.width, one.height, one.duration, one.kind, one.type) for one in found] == [
        (80, 60, 2.5, "image", "texture-normal"),
        (7, 9, 2.5, "video", "img2video"),
        (7, 9, 2.5, "image", ""),
        (None, None, None, "3d", ""),
    ]


async def test_a_job_without_assets_needs_nothing(cdn: Cdn, tmp_path: Path) -> None:
    async with downloader(cdn, tmp_path) as subject:
        assert await subject.collect(make_job(), []) == ()
    assert cdn.calls == []


async def test_the_signed_url_goes_out_as_it_is_and_without_credentials(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {"asset_a": PNG}
    cdn.scripts = {"asset_a": [say(503, Set_Cookie="track=1; Path=/")]}
    async with downloader(cdn, tmp_path) as subject:
        await subject.collect(make_job(), ["asset_a"])
    first, second = cdn.requests
    assert first.raw_path == second.raw_path == "/assets/asset_a?Signature=a%2Fb~c1&p=100"
    for request in cdn.requests:
        assert not {"Authorization", "Cookie", "Proxy-Authorization"} & set(request.headers)


@pytest.mark.parametrize(
    "trouble",
    [say(500), say(429), say(408), cut, say(200, b""), say(302), say(204)],
    ids=["500", "429", "408", "cut", "empty", "redirect to nowhere", "no content"],
)
async def test_trouble_that_passes_is_tried_again(cdn: Cdn, tmp_path: Path, trouble: Answer) -> None:
    cdn.files, cdn.scripts = {"asset_a": PNG}, {"asset_a": [trouble]}
    async with downloader(cdn, tmp_path) as subject:
        await subject.collect(make_job(), ["asset_a"])
    assert on_disk(tmp_path) == {"tower_0.png": PNG}


async def test_where_http_says_no_length_the_service_does(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files, cdn.scripts, cdn.sizes = {"asset_a": PNG}, {"asset_a": [unframed]}, {"asset_a": len(PNG)}
    async with downloader(cdn, tmp_path) as subject:
        await subject.collect(make_job(), ["asset_a"])
    assert on_disk(tmp_path) == {"tower_0.png": PNG}
    assert cdn.asked("asset_a") == 2


async def test_where_http_says_the_length_the_service_may_speak_of_another_rendition(
    cdn: Cdn, tmp_path: Path
) -> None:
    cdn.files, cdn.sizes = {"asset_a": PNG}, {"asset_a": 7}
    async with downloader(cdn, tmp_path) as subject:
        (file,) = await subject.collect(make_job(), ["asset_a"])
    assert (file.bytes, cdn.asked("asset_a")) == (len(PNG), 1)


SPOILT = {
    "page": say(200, b"<!doctype html><title>Sign in</title>"),
    "error in XML": say(200, files.DENIED),
    "error in JSON": say(200, files.ERROR),
    "sentence": say(200, files.SENTENCE),
    "zeros": say(200, bytes(9000)),
    "nothing": say(200, b""),
    "half of it": say(200, PNG[: len(PNG) // 2]),
    "half of it, packed": say(200, gzip.compress(PNG[: len(PNG) // 2]), Content_Encoding="gzip"),
    "packed and not said so": say(200, gzip.compress(PNG)),
    "wrong checksum": say(200, files.with_wrong_checksum(PNG)),
    "clip": say(200, files.clip()),
}


@pytest.mark.parametrize("refusal", [say(403), say(404), *SPOILT.values()], ids=["403", "404", *SPOILT])
async def test_a_refused_url_is_asked_for_again(cdn: Cdn, tmp_path: Path, refusal: Answer) -> None:
    cdn.files, cdn.scripts = {"asset_a": PNG}, {"asset_a": [refusal]}
    async with downloader(cdn, tmp_path) as subject:
        await subject.collect(make_job(), ["asset_a"])
    assert [request.query["Signature"] for request in cdn.requests] == ["a/b~c1", "a/b~c2"]
    assert on_disk(tmp_path) == {"tower_0.png": PNG}


@pytest.mark.parametrize("body", SPOILT.values(), ids=SPOILT)
async def test_what_is_not_its_file_is_never_kept(cdn: Cdn, tmp_path: Path, body: Answer) -> None:
    cdn.scripts = {"asset_a": [body] * 3}
    async with downloader(cdn, tmp_path, tries=3) as subject:
        with pytest.raises(DownloadError) as caught:
            await subject.collect(make_job(), ["asset_a"])
    assert caught.value.why == {"asset_a": WhyMissing.UNFIT}
    assert on_disk(tmp_path) == {}
    assert len({one.query["Signature"] for one in cdn.requests}) == 3, "each time by a fresh URL"


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (say(503), WhyMissing.LATE),
        (say(403), WhyMissing.LATE),
        (cut, WhyMissing.LATE),
        (say(404), WhyMissing.GONE),
        (say(410), WhyMissing.GONE),
    ],
)
async def test_it_is_said_what_another_try_depends_on(
    cdn: Cdn, tmp_path: Path, trouble: Answer, why: WhyMissing
) -> None:
    cdn.scripts = {"asset_a": [trouble] * 2}
    async with downloader(cdn, tmp_path, tries=2) as subject:
        with pytest.raises(DownloadError) as caught:
            await subject.collect(make_job(), ["asset_a", "asset_none"])
    assert caught.value.why == {"asset_a": why, "asset_none": WhyMissing.GONE}


async def test_what_the_service_calls_a_text_may_look_like_an_error(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files, cdn.mimes = {"asset_a": files.ERROR}, {"asset_a": "text/plain"}
    async with downloader(cdn, tmp_path) as subject:
        await subject.collect(make_job(), ["asset_a"])
    assert list(on_disk(tmp_path).values()) == [files.ERROR]


async def test_a_file_that_somebody_has_changed_is_left(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {"asset_a": PNG, "asset_b": JPEG}
    async with downloader(cdn, tmp_path) as subject:
        first, second = await subject.collect(make_job(), ["asset_a", "asset_b"])
    (tmp_path / first.path).write_bytes(PNG + b"mine")
    (tmp_path / second.path).unlink()
    known = KnownFiles([first, second])
    async with downloader(cdn, tmp_path, known=known, edited={"asset_a"}) as subject:
        assert await subject.collect(make_job(), ["asset_a", "asset_b"]) == (first, second)
    assert on_disk(tmp_path) == {"tower_0.png": PNG + b"mine", "tower_1.jpg": JPEG}


async def test_an_old_url_is_asked_for_again(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files, cdn.scripts = {"asset_a": PNG}, {"asset_a": [say(500)]}
    async with downloader(cdn, tmp_path, oldest_url=0.0) as subject:
        await subject.collect(make_job(), ["asset_a"])
    assert len({request.query["Signature"] for request in cdn.requests}) == 2


async def test_what_never_arrives_is_named_with_its_reason_and_without_its_url(
    cdn: Cdn, tmp_path: Path
) -> None:
    cdn.files, cdn.scripts = {"asset_good": PNG}, {"asset_bad": [say(500)] * 3}
    async with downloader(cdn, tmp_path, tries=3) as subject:
        with pytest.raises(DownloadError) as caught:
            await subject.collect(make_job(), ["asset_bad", "asset_good", "asset_none"])
    assert str(caught.value) == (
        "tower: asset_bad: the file server answered 500; asset_none: the service does not show it"
    )
    assert on_disk(tmp_path) == {"tower_1.png": PNG}


async def test_a_server_that_is_not_there_is_named(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files, cdn.base = {"asset_a": PNG}, "http://127.0.0.1:1"
    async with downloader(cdn, tmp_path, tries=2) as subject:
        with pytest.raises(DownloadError, match=r"asset_a: no connection to 127\.0\.0\.1"):
            await subject.collect(make_job(), ["asset_a"])


async def test_many_jobs_share_one_call(cdn: Cdn, tmp_path: Path) -> None:
    ids = [f"asset_{number}" for number in range(250)]
    cdn.files = dict.fromkeys(ids, PNG)
    async with downloader(cdn, tmp_path) as subject, asyncio.TaskGroup() as group:
        for one in ids:
            group.create_task(subject.collect(make_job(one), [one]))
    assert [len(call) for call in cdn.calls] == [200, 50]
    assert len(on_disk(tmp_path)) == 250


async def test_a_call_that_fails_is_made_again_and_a_stop_is_passed_on(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files, cdn.failures = {"asset_a": PNG}, [TransientError("502")]
    async with downloader(cdn, tmp_path) as subject:
        await subject.collect(make_job(), ["asset_a"])
        cdn.failures = [StoppedError("no such key", cause=StopCause.CREDENTIALS)]
        with pytest.raises(StoppedError, match="no such key"):
            await subject.collect(make_job("b"), ["asset_b"])


async def test_a_bug_in_the_service_client_ends_the_run_instead_of_hanging_it(tmp_path: Path) -> None:
    class Broken:
        async def assets(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
            raise ZeroDivisionError(len(asset_ids))

    with pytest.raises(BaseExceptionGroup) as caught:
        async with Downloader(Broken(), tmp_path) as subject:
            await subject.collect(make_job(), ["asset_a"])
    assert caught.value.subgroup(ZeroDivisionError)


async def test_an_error_of_the_caller_leaves_as_it_is(cdn: Cdn, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        async with downloader(cdn, tmp_path):
            raise KeyError


async def test_a_file_with_the_recorded_bytes_is_not_fetched_again(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {"asset_a": PNG}
    async with downloader(cdn, tmp_path) as subject:
        files = await subject.collect(make_job(), ["asset_a"])
        assert await subject.collect(make_job(), ["asset_a"]) == files
    async with downloader(cdn, tmp_path, known=KnownFiles(files[:1])) as subject:
        assert await subject.collect(make_job(), ["asset_a"]) == files
    assert cdn.asked("asset_a") == 1


async def test_a_recorded_file_that_was_damaged_comes_back_beside_the_damaged_one(
    cdn: Cdn, tmp_path: Path
) -> None:
    cdn.files = {"asset_a": PNG}
    async with downloader(cdn, tmp_path) as subject:
        (file,) = await subject.collect(make_job(), ["asset_a"])
    (tmp_path / file.path).write_bytes(PNG[:-1])
    async with downloader(cdn, tmp_path, known=KnownFiles([file])) as subject:
        (again,) = await subject.collect(make_job(), ["asset_a"])
    assert on_disk(tmp_path) == {"tower_0.png": PNG[:-1], again.path.removeprefix("assets/"): PNG}


async def test_what_lies_there_unrecorded_is_kept_if_it_is_the_same(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {"asset_a": PNG}
    async with downloader(cdn, tmp_path) as subject:
        await subject.collect(make_job(), ["asset_a"])
    async with downloader(cdn, tmp_path) as subject:
        (file,) = await subject.collect(make_job(), ["asset_a"])
    assert on_disk(tmp_path) == {"tower_0.png": PNG}
    assert file.path == "assets/tower_0.png"


async def test_an_older_picture_of_the_same_name_stays(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {f"asset_12345{end}": PNG + end.encode() for end in "abc"}
    for end in "abc":
        async with downloader(cdn, tmp_path, template="{id}") as subject:
            await subject.collect(make_job(), [f"asset_12345{end}"])
    assert on_disk(tmp_path) == {
        "tower.png": PNG + b"a",
        "tower_et12345b.png": PNG + b"b",
        "tower_et12345c.png": PNG + b"c",
    }


async def test_a_template_that_gives_all_the_same_name_loses_nothing(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {f"asset_{number}": PNG + bytes([number]) for number in range(20)}
    async with downloader(cdn, tmp_path, template="same") as subject:
        files = await subject.collect(make_job(), list(cdn.files))
    assert {one.asset_id: (tmp_path / one.path).read_bytes() for one in files} == cdn.files


async def test_hostile_names_stay_in_the_folder(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {"asset_a": PNG}
    async with downloader(cdn, tmp_path / "out") as subject:
        (file,) = await subject.collect(make_job("../../etc/passwd\x00\n" + "x" * 300), ["asset_a"])
    assert (tmp_path / "out" / file.path).resolve().parent == tmp_path / "out" / "assets"
    assert inside(tmp_path) == ["out"]


async def test_a_bad_template_is_refused_before_anything_is_fetched(cdn: Cdn, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        downloader(cdn, tmp_path, template="{id")


async def test_compressed_transfer_is_undone(cdn: Cdn, tmp_path: Path) -> None:
    cdn.scripts = {"asset_a": [say(200, gzip.compress(PNG), Content_Encoding="gzip")]}
    async with downloader(cdn, tmp_path) as subject:
        await subject.collect(make_job(), ["asset_a"])
    assert on_disk(tmp_path) == {"tower_0.png": PNG}


async def test_redirects_are_followed_without_cookies_or_credentials(cdn: Cdn, tmp_path: Path) -> None:
    seen: list[web.Request] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response(body=PNG)

    async with serving(elsewhere) as (other,):
        target = other.replace("http://", "http://user:secret@") + "/x?Signature=a%2Fb"
        cdn.scripts = {"asset_a": [say(307, Location=target, Set_Cookie="a=b; Path=/")]}
        async with downloader(cdn, tmp_path) as subject:
            await subject.collect(make_job(), ["asset_a"])
    assert on_disk(tmp_path) == {"tower_0.png": PNG}
    assert seen[0].raw_path == "/x?Signature=a%2Fb"
    assert not {"Authorization", "Cookie", "Referer"} & set(seen[0].headers)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://cdn.test/x?Signature=SECRET", "cdn.test without encryption"),
        ("file:///etc/passwd", "no host"),
        ("ftp://cdn.test/x", "cdn.test is not followed"),
        ("http://[", "makes no sense"),
    ],
)
async def test_redirects_to_places_that_may_not_be_asked_are_refused(
    cdn: Cdn, tmp_path: Path, location: str, reason: str
) -> None:
    cdn.scripts = {"asset_a": [say(302, Location=location)]}
    async with downloader(cdn, tmp_path, tries=1) as subject:
        with pytest.raises(DownloadError, match=reason) as caught:
            await subject.collect(make_job(), ["asset_a"])
    assert "SECRET" not in str(caught.value)


async def test_a_redirect_in_a_circle_ends(cdn: Cdn, tmp_path: Path) -> None:
    cdn.scripts = {"asset_a": [say(302, Location="/assets/asset_a")] * 9}
    async with downloader(cdn, tmp_path, tries=1) as subject:
        with pytest.raises(DownloadError, match="redirected too often"):
            await subject.collect(make_job(), ["asset_a"])


async def test_a_cut_in_the_middle_leaves_no_file_under_a_final_name(cdn: Cdn, tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(PNG))})
        await response.prepare(request)
        await response.write(PNG[:5000])
        arrived.set()
        await asyncio.sleep(60)
        return response

    cdn.scripts = {"asset_a": [stall]}
    async with downloader(cdn, tmp_path) as subject, asyncio.TaskGroup() as group:
        task = group.create_task(subject.collect(make_job(), ["asset_a"]))
        await arrived.wait()
        assert all(name.endswith(".part") for name in on_disk(tmp_path))
        task.cancel()
    assert task.cancelled()
    assert on_disk(tmp_path) == {}


async def test_parts_of_a_killed_run_are_cleared_away(cdn: Cdn, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "0-asset_a.part").write_bytes(b"half")
    (tmp_path / "assets" / "tower_0.png").write_bytes(b"paid for")
    async with downloader(cdn, tmp_path):
        assert on_disk(tmp_path) == {"tower_0.png": b"paid for"}


async def test_a_disk_that_takes_nothing_is_not_the_services_fault(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {"asset_a": PNG}
    (tmp_path / "assets").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="a file is in the place of its folder"):
        async with downloader(cdn, tmp_path):
            pass


async def test_a_disk_that_fails_in_the_middle_is_named_and_not_tried_again(cdn: Cdn, tmp_path: Path) -> None:
    cdn.files = {"asset_a": PNG}
    async with downloader(cdn, tmp_path) as subject:
        (tmp_path / ".parts").rmdir()
        with pytest.raises(OutputError, match="cannot write"):
            await subject.collect(make_job(), ["asset_a"])
    assert cdn.asked("asset_a") == 1


async def test_no_more_files_are_on_their_way_than_allowed(cdn: Cdn, tmp_path: Path) -> None:
    flying, most = 0, 0

    async def slow(_: web.Request) -> web.StreamResponse:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.01)
        flying -= 1
        return web.Response(body=PNG)

    cdn.scripts = {f"asset_{number}": [slow] for number in range(12)}
    async with downloader(cdn, tmp_path, connections=3) as subject:
        await subject.collect(make_job(), list(cdn.scripts))
    assert most == 3
