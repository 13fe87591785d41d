"""Small files of every format, whole: what a service may deliver, to be spoilt by tests."""

import io
import json
import struct
import wave
import zipfile
from collections.abc import Mapping

from PIL import Image

from batchgen.simulator.exchange import Effect, Medium
from batchgen.simulator.pictures import file_of


def picture(form: str = "PNG", size: tuple[int, int] = (48, 32), **more: object) -> bytes:
    """Draw something that does not shrink to nothing."""
    out = io.BytesIO()
    image = Image.effect_noise(size, 80).convert("RGB")
    image.save(out, form, **more)
    return out.getvalue()


def clip() -> bytes:
    return file_of(
        Medium(
            id="asset_clip",
            mime="video/mp4",
            text="a clip",
            width=64,
            height=48,
            seconds=1.0,
            effect=Effect.FILMED,
        )
    )


def quicktime() -> bytes:
    return box(b"ftyp", b"qt  " + bytes(8)) + box(b"moov", bytes(60)) + box(b"mdat", bytes(99))


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def webm() -> bytes:
    head = b"\x42\x82\x84webm"
    inner = b"\x1f\x43\xb6\x75\x84abcd" + bytes(90)
    return (
        b"\x1a\x45\xdf\xa3"
        + bytes([0x80 | len(head)])
        + head
        + b"\x18\x53\x80\x67"
        + bytes([0x80 | len(inner)])
        + inner
    )


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(256)) * 8)
    return out.getvalue()


def mp3(frames: int = 5) -> bytes:
    frame = b"\xff\xfb\x90\x00" + bytes(413)  # 128 kbit/s, 44.1 kHz: 417 bytes
    return b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + frame * frames


def ogg() -> bytes:
    def page(flags: int, data: bytes) -> bytes:
        return b"OggS\x00" + bytes([flags]) + bytes(20) + bytes([1, len(data)]) + data

    return page(2, b"\x01vorbis" + bytes(20)) + page(0, bytes(200)) + page(4, bytes(50))


def flac() -> bytes:
    told = struct.pack(">HH6xQ16x", 4096, 4096, 0x0AC442F0 << 32 | 40 * 4096)
    frames = b"".join(b"\xff\xf8\xc9\x18" + bytes([number]) + bytes(20) for number in range(40))
    return b"fLaC\x80\x00\x00\x22" + told + frames


def glb(extra: Mapping[str, object] | None = None) -> bytes:
    text = json.dumps({"asset": {"version": "2.0"}, **(extra or {})}).encode()
    text += b" " * (-len(text) % 4)
    binary = bytes(64)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", 64, b"BIN\x00") + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def fbx() -> bytes:
    head = b"Kaydara FBX Binary  \x00\x1a\x00" + struct.pack("<I", 7400)
    node = struct.pack("<IIIB", 27 + 13 + 4 + 2000, 0, 0, 4) + b"Objs" + bytes(2000)
    return head + node + bytes(13) + bytes(160)


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("model.obj", "v 0 0 0\n" * 9)
    return out.getvalue()


def photoshop() -> bytes:
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 4, 5, 8, 3)
    return head + struct.pack(">III", 0, 0, 0) + struct.pack(">H", 0) + bytes(60)


def radiance() -> bytes:
    line = b"\x02\x02\x00\x10" + (b"\x90\x07") * 4
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9 +X 16\n" + line * 9


def openexr() -> bytes:
    def attribute(name: bytes, kind: bytes, value: bytes) -> bytes:
        return name + b"\x00" + kind + b"\x00" + struct.pack("<I", len(value)) + value

    window = struct.pack("<iiii", 0, 0, 3, 1)
    head = b"\x76\x2f\x31\x01" + struct.pack("<I", 2)
    head += attribute(b"compression", b"compression", b"\x00") + attribute(b"dataWindow", b"box2i", window)
    head += b"\x00"
    at = len(head) + 16
    chunks = [struct.pack("<iI", line, 16) + bytes(16) for line in range(2)]
    return head + struct.pack("<QQ", at, at + 24) + b"".join(chunks)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n" + bytes(200) + b"\nstartxref\n9\n%%EOF\n"
OBJ = b"# a model\nmtllib a.mtl\no thing\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
GLTF = b'{"asset": {"version": "2.0"}, "meshes": [{"name": "thing"}]}'
PLY = b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n0\n"
STL = bytes(80) + struct.pack("<I", 2) + bytes(100)

DENIED = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
ERROR = b'{"message": "Internal server error", "requestId": "1"}'
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
SENTENCE = b"The service is unavailable. Please try again later."


def with_wrong_checksum(png: bytes) -> bytes:
    """Change one byte of the pixels."""
    at = png.index(b"IDAT") + 10
    return png[:at] + bytes([png[at] ^ 1]) + png[at + 1 :]
