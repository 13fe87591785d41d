"""An error, half a file or a file of another kind in a picture's place: each is told from the bytes."""

import gzip
import io
import struct
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from batchgen.model import Asset
from batchgen.output.file_checks import trouble_with
from batchgen.output.kinds import HEAD, kind_of
from tests.support import files

PNG, JPEG = files.picture(), files.picture("JPEG")


def asset(kind: str = "image", mime: str = "image/png", **more: Any) -> Asset:
    return Asset(id="asset_a", url="https://cdn.test/assets/asset_a", kind=kind, mime=mime, **more)


def trouble(data: bytes, folder: Path, asked: Asset) -> str:
    part = folder / "0-asset_a.part"
    part.write_bytes(data)
    head = data[:HEAD]
    return trouble_with(part, head, kind_of(head, declared=asked.mime), asked)


WHOLE = {
    "png": ("image", "image/png", PNG),
    "jpeg": ("image", "image/jpeg", JPEG),
    "progressive jpeg": ("image", "image/jpeg", files.picture("JPEG", progressive=True)),
    "grey jpeg": ("image", "image/jpeg", files.picture("JPEG", (9, 9), quality=5)),
    "gif": ("image", "image/gif", files.picture("GIF")),
    "webp": ("image", "image/webp", files.picture("WEBP")),
    "avif": ("image", "image/avif", files.picture("AVIF")),
    "tiff": ("image", "image/tiff", files.picture("TIFF")),
    "bmp": ("image", "image/bmp", files.picture("BMP")),
    "svg": ("image", "image/svg+xml", files.SVG),
    "psd": ("image", "image/vnd.adobe.photoshop", files.photoshop()),
    "hdr": ("image-hdr", "image/vnd.radiance", files.radiance()),
    "exr": ("image-hdr", "image/x-exr", files.openexr()),
    "mp4": ("video", "video/mp4", files.clip()),
    "mov": ("video", "video/quicktime", files.quicktime()),
    "webm": ("video", "video/webm", files.webm()),
    "wav": ("audio", "audio/wav", files.sound()),
    "mp3": ("audio", "audio/mpeg", files.mp3()),
    "ogg": ("audio", "audio/ogg", files.ogg()),
    "flac": ("audio", "audio/flac", files.flac()),
    "glb": ("3d", "model/gltf-binary", files.glb()),
    "gltf": ("3d", "model/gltf+json", files.GLTF),
    "fbx": ("3d", "model/fbx", files.fbx()),
    "zip": ("3d", "application/zip", files.archive()),
    "pdf": ("document", "application/pdf", files.PDF),
    "json": ("json", "application/json", b'{"a": [1, 2, 3]}'),
    "json lines": ("json", "application/json", b'{"a": 1}\n{"a": 2}\n'),
}
TEXTS = {"obj": ("3d", "model/obj", files.OBJ), "ply": ("3d", "model/ply", files.PLY)}
NOT_CUT = {"bmp", "json lines"}  # half of these lines is whole; Pillow says the rest


@pytest.mark.parametrize("name", [*WHOLE, *TEXTS])
def test_a_whole_file_of_its_kind_is_taken(name: str, tmp_path: Path) -> None:
    kind, mime, data = {**WHOLE, **TEXTS}[name]
    assert trouble(data, tmp_path, asset(kind, mime, size=len(data), is_original=True)) == ""
    assert trouble(data, tmp_path, asset(kind, "")) == ""
    assert trouble(data, tmp_path, asset("", mime)) == ""
    assert trouble(data, tmp_path, asset("", "")) == ""


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("name", [one for one in WHOLE if one not in NOT_CUT])
def test_a_part_of_a_file_is_none(name: str, share: float, tmp_path: Path) -> None:
    kind, mime, data = WHOLE[name]
    assert trouble(data[: int(len(data) * share)], tmp_path, asset(kind, mime)) != ""


@pytest.mark.parametrize(
    "body",
    [
        files.DENIED,
        files.ERROR,
        files.LOGIN,
        files.SENTENCE,
        bytes(500),
        bytes(9000),
        b"",
        gzip.compress(PNG),
    ],
    ids=["xml", "json", "page", "sentence", "zeros", "many zeros", "empty", "packed"],
)
@pytest.mark.parametrize("name", WHOLE)
def test_an_error_in_its_place_is_not_taken_for_a_file(name: str, body: bytes, tmp_path: Path) -> None:
    kind, mime, _ = WHOLE[name]
    if kind in {"document", "json"} and body == files.ERROR and mime != "application/pdf":
        assert trouble(body, tmp_path, asset(kind, mime)) == "", "it may say that"
        return
    assert trouble(body, tmp_path, asset(kind, mime)) != ""


@pytest.mark.parametrize(
    "body",
    [
        files.DENIED,
        b"<ErrorResponse><Message>no</Message></ErrorResponse>",
        files.ERROR,
        b'{"success": false, "error": {"code": 500}}',
        files.LOGIN,
        bytes(500),
        b"",
    ],
)
def test_where_the_service_says_nothing_of_it_an_error_is_none_either(body: bytes, tmp_path: Path) -> None:
    assert trouble(body, tmp_path, asset("", "")) != ""
    assert trouble(body, tmp_path, asset("", "application/octet-stream")) != ""
    assert trouble(body, tmp_path, asset("hologram", "application/x-hologram")) != ""


def test_what_cannot_be_judged_is_taken(tmp_path: Path) -> None:
    unknown = bytes(range(1, 256)) * 3
    assert trouble(unknown, tmp_path, asset("", "")) == ""
    assert trouble(unknown, tmp_path, asset("image", "image/jxl")) == ""
    assert trouble(unknown, tmp_path, asset("3d", "application/octet-stream")) == ""
    assert trouble(files.STL, tmp_path, asset("3d", "model/stl")) == ""
    assert trouble(files.STL[:-7], tmp_path, asset("3d", "model/stl")) != ""
    assert trouble(files.SENTENCE, tmp_path, asset("", "")) == ""


@pytest.mark.parametrize("body", [files.DENIED, files.ERROR, files.LOGIN, files.SENTENCE, b'{"a": ', PNG])
def test_a_text_may_say_anything(body: bytes, tmp_path: Path) -> None:
    assert trouble(body, tmp_path, asset("text", "text/plain")) == ""
    assert trouble(body, tmp_path, asset("", "text/markdown; charset=utf-8")) == ""


def test_an_empty_text_is_one_where_the_service_says_so(tmp_path: Path) -> None:
    assert trouble(b"", tmp_path, asset("text", "text/plain", size=0)) == ""
    assert trouble(b"", tmp_path, asset("text", "text/plain")) == "the file is empty"


@pytest.mark.parametrize(
    ("kind", "mime", "body"),
    [
        ("image", "image/png", JPEG),
        ("image", "image/png", files.picture("WEBP")),
        ("image", "image/jpeg", files.SVG),
        ("audio", "audio/wav", files.mp3()),
        ("audio", "audio/wav", files.quicktime()),
        ("video", "video/mp4", files.webm()),
        ("3d", "model/gltf-binary", files.OBJ),
        ("3d", "model/gltf-binary", files.archive()),
        ("3d", "model/obj", b"# " + b"made by a program " * 300 + b"\n"),
        ("image-hdr", "image/x-exr", PNG),
        ("image", "image/gif", files.picture("GIF")),
        ("video", "image/gif", files.picture("GIF")),
    ],
)
def test_another_format_of_the_same_kind_is_taken(kind: str, mime: str, body: bytes, tmp_path: Path) -> None:
    assert trouble(body, tmp_path, asset(kind, mime)) == ""


@pytest.mark.parametrize(
    ("kind", "mime", "body"),
    [
        ("video", "video/mp4", files.picture("GIF")),
        ("3d", "model/gltf-binary", files.picture("WEBP")),
        ("audio", "audio/mpeg", PNG),
        ("image", "image/png", files.sound()),
        ("image", "image/png", files.archive()),
        ("3d", "model/obj", files.SENTENCE),
        ("document", "application/pdf", files.SENTENCE),
        ("json", "application/json", files.SENTENCE),
        ("json", "", files.SENTENCE),
        ("json", "application/json", b'{"a": [1, 2'),
    ],
)
def test_a_file_of_another_kind_is_not_taken(kind: str, mime: str, body: bytes, tmp_path: Path) -> None:
    assert trouble(body, tmp_path, asset(kind, mime)) != ""


def test_the_reason_is_said(tmp_path: Path) -> None:
    def said(body: bytes, kind: str = "image", mime: str = "image/png") -> str:
        return trouble(body, tmp_path, asset(kind, mime))

    assert said(files.DENIED) == "an error in XML came instead of the file"
    assert said(files.ERROR) == "an error in JSON came instead of the file"
    assert said(files.LOGIN) == "a web page came instead of the file"
    assert said(files.SENTENCE) == "a text came instead of the file"
    assert said(bytes(99)) == "something else came instead of the file"
    assert said(PNG[:500]) == "the file is not whole: it ends in the middle"
    assert said(files.with_wrong_checksum(PNG)) == "the file is not whole: a checksum in it is wrong"
    assert said(JPEG[:-2], mime="image/jpeg") == "the file is not whole: it ends in the middle"
    long = files.glb()[:8] + struct.pack("<I", 40) + files.glb()[12:]
    assert "its header says 40 bytes" in said(long, "3d", "model/gltf-binary")


def test_a_bomb_is_judged_by_its_structure_and_not_unpacked(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 4_000)).save(out, "TIFF", compression="group4")
    assert len(out.getvalue()) < 1 << 20
    assert trouble(out.getvalue(), tmp_path, asset()) == ""


def test_a_sound_that_was_written_to_a_pipe_has_no_sizes(tmp_path: Path) -> None:
    data = files.sound()
    piped = data[:4] + b"\xff" * 4 + data[8:40] + b"\xff" * 4 + data[44:]
    assert trouble(piped, tmp_path, asset("audio", "audio/wav")) == ""


def test_the_size_counts_where_it_is_that_of_the_original(tmp_path: Path) -> None:
    clip = files.clip()
    other = asset("video", "video/mp4", size=len(clip) + 4)
    assert trouble(clip, tmp_path, other) == ""
    assert trouble(clip, tmp_path, replace(other, is_original=True)) == (
        f"{len(clip)} bytes arrived, and the service says {len(clip) + 4}"
    )
    assert trouble(files.SENTENCE, tmp_path, asset("text", "text/plain", size=9, is_original=True)) != ""


def test_a_whole_picture_of_the_right_pixels_is_believed_against_its_size(tmp_path: Path) -> None:
    wrong = asset(size=7, is_original=True)
    assert trouble(PNG, tmp_path, wrong) != ""
    assert trouble(PNG, tmp_path, replace(wrong, width=48, height=32)) == ""
    assert trouble(PNG, tmp_path, replace(wrong, width=32, height=48)) != ""


@given(st.sampled_from([*WHOLE]), st.data())
@settings(max_examples=40)
def test_whatever_comes_there_is_a_verdict(name: str, data: st.DataObject) -> None:
    kind, mime, whole = WHOLE[name]
    spoilt = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 6))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(
            st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])
        )
    cut = data.draw(st.integers(1, len(spoilt)))
    with TemporaryDirectory() as folder:
        assert isinstance(trouble(bytes(spoilt[:cut]), Path(folder), asset(kind, mime)), str)
