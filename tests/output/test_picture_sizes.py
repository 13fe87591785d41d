"""How large pictures are, by their bytes: every format that says it, and files that are no such picture."""

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from batchgen.output.kinds import HEAD, kind_of
from batchgen.output.picture_sizes import Size, size_of
from tests.support import files


def size(data: bytes, folder: Path, mime: str = "") -> Size | None:
    path = folder / "file"
    path.write_bytes(data)
    return size_of(path, mime or kind_of(data[:HEAD]).mime)


def svg(attributes: str, before: str = "") -> bytes:
    return f'{before}<svg xmlns="http://www.w3.org/2000/svg" {attributes}><g width="1"/></svg>'.encode()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "TIFF", "BMP"])
@pytest.mark.parametrize("edges", [(48, 32), (1, 700)])
def test_a_picture_says_its_size(form: str, edges: tuple[int, int], tmp_path: Path) -> None:
    assert size(files.picture(form, edges), tmp_path) == edges


@pytest.mark.parametrize(
    ("data", "expected"),
    [(files.photoshop(), (5, 4)), (files.radiance(), (16, 9)), (files.openexr(), (4, 2))],
)
def test_so_do_those_that_pillow_does_not_open(
    data: bytes, expected: tuple[int, int], tmp_path: Path
) -> None:
    assert size(data, tmp_path) == expected


def test_an_exr_picture_whose_display_is_larger_than_its_data_is_as_large_as_it_is_shown(
    tmp_path: Path,
) -> None:
    shown = b"displayWindow\x00box2i\x00" + struct.pack("<I4i", 16, -1, -1, 6, 4)
    plain = files.openexr()
    assert size(plain[:8] + shown + plain[8:], tmp_path) == (8, 6)


def test_a_picture_too_large_to_be_decoded_says_its_size_all_the_same(tmp_path: Path) -> None:
    vast = bytearray(files.picture("PNG"))
    vast[16:24] = struct.pack(">II", 40_000, 30_000)
    vast[29:33] = struct.pack(">I", zlib.crc32(vast[12:29]))
    assert size(bytes(vast), tmp_path) == (40_000, 30_000)


def test_a_picture_that_is_to_be_turned_is_as_large_as_it_is_stored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    turned = files.picture("JPEG", (48, 32), exif=exif.tobytes())
    assert size(turned, tmp_path) == (48, 32)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('width="640" height="480"', (640, 480)),
        ('width="640px" height=" 480.4PX "', (640, 480)),
        ("height='9.6' viewBox='0 0 1 1' width='+9'", (9, 10)),
        ('width="100%" height="100%"', None),
        ('viewBox="0 0 640 480"', None),
        ('width="12cm" height="9cm"', None),
        ('width="640"', None),
        ('width="0" height="0"', None),
        ('width="-5" height="5"', None),
        ('width="1e3" height="1e3"', None),
    ],
)
def test_a_drawing_has_a_size_where_it_says_one_in_pixels(
    attributes: str, expected: tuple[int, int] | None, tmp_path: Path
) -> None:
    for before in ("", '<?xml version="1.0"?>\n<!-- a drawing -->\n'):
        assert size(svg(attributes, before), tmp_path) == expected


@pytest.mark.parametrize(
    "data", [files.clip(), files.sound(), files.glb(), files.PDF, files.OBJ, b"a text", b"", files.GLTF]
)
def test_what_is_no_picture_has_none(data: bytes, tmp_path: Path) -> None:
    assert size(data, tmp_path) is None


HOSTILE = {
    "image/png": files.picture("PNG"),
    "image/jpeg": files.picture("JPEG"),
    "image/webp": files.picture("WEBP"),
    "image/tiff": files.picture("TIFF"),
    "image/svg+xml": svg('width="640" height="480"', '<?xml version="1.0" encoding="x"?>'),
    "image/vnd.radiance": files.radiance(),
    "image/x-exr": files.openexr(),
    "image/vnd.adobe.photoshop": files.photoshop(),
}


@given(st.sampled_from(sorted(HOSTILE)), st.integers(0, 4000), st.binary(max_size=12))
def test_damaged_bytes_say_a_size_that_can_be_or_none(
    tmp_path_factory: pytest.TempPathFactory, mime: str, at: int, by: bytes
) -> None:
    data = HOSTILE[mime]
    at %= len(data)
    for damaged in (data[:at], data[:at] + by + data[at + len(by) :]):
        found = size(damaged, tmp_path_factory.getbasetemp(), mime)
        assert found is None or min(found) > 0
