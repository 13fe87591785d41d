import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.output.kinds import HEAD, Kind, kind_of


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b"\x89PNG\r\n\x1a\n....", "png"),
        (b"\xff\xd8\xff\xe0..JFIF", "jpg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "wav"),
        (b"GIF89a..", "gif"),
        (b"\x00\x00\x00\x20ftypavif....", "avif"),
        (b"\x00\x00\x00\x20ftypisom....", "mp4"),
        (b"\x00\x00\x00\x20ftypqt  ....", "mov"),
        (b"\x00\x00\x00\x20ftypM4A ....", "m4a"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "webm"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "mkv"),
        (b"ID3\x04\x00", "mp3"),
        (b"\xff\xfb\x90\x64rest", "mp3"),
        (b"\xff\xf1\x50\x80rest", "aac"),
        (b"OggS\x00", "ogg"),
        (b"fLaC\x00", "flac"),
        (b"glTF\x02\x00\x00\x00", "glb"),
        (b'{"asset": {"version": "2.0"}, "meshes": []}', "gltf"),
        (b"Kaydara FBX Binary  \x00", "fbx"),
        (b"ply\nformat ascii 1.0", "ply"),
        (b"# made by hand\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "obj"),
        (b"%PDF-1.7", "pdf"),
        (b"PK\x03\x04....", "zip"),
        (b'{"answer": 42}', "json"),
        (b"[1, 2]", "json"),
        (b"{" + b'"key": 1,' * 600, "json"),
        ("Ein schöner Text".encode(), "txt"),
        (b"[not json] but prose", "txt"),
        (b"<?xml version='1.0'?>\n<!-- x --><svg xmlns='...'>", "svg"),
        (b"<!doctype html><title>x</title>", "html"),
        (b"#?RADIANCE\nFORMAT", "hdr"),
        (b"\x76\x2f\x31\x01\x02", "exr"),
        (b"II*\x00rest", "tiff"),
        (b"\x00\x01\x02\x03", "bin"),
        (b"", "bin"),
    ],
)
def test_bytes_tell_the_type(head: bytes, extension: str) -> None:
    assert kind_of(head[:HEAD]).extension == extension


def test_bytes_win_over_what_the_service_says() -> None:
    assert kind_of(b"\xff\xd8\xff\xe0", declared="image/png") == Kind(mime="image/jpeg", extension="jpg")


def test_the_service_is_believed_where_bytes_say_nothing() -> None:
    assert kind_of(b"solid\x00\x01", declared="model/stl; x=1") == Kind(mime="model/stl", extension="stl")
    assert kind_of(b"a,b\r\n1,2", declared="text/csv").extension == "csv"


def test_the_service_is_not_believed_where_bytes_would_have_said_so() -> None:
    assert kind_of(b"\x00\x01\x02", declared="image/png").extension == "bin"
    assert kind_of(b"\x00\x01\x02", declared='x"/><script>').mime == "application/octet-stream"


def test_a_character_cut_at_the_end_is_still_text() -> None:
    assert kind_of(("a" * (HEAD - 1) + "é").encode()[:HEAD]).extension == "txt"


@given(st.binary(max_size=64), st.text())
def test_any_bytes_have_a_type(head: bytes, declared: str) -> None:
    assert kind_of(head, declared=declared).extension.isalnum()
