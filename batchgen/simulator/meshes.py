"""Meshes: a relief of a picture, bright parts raised, the picture on it; glTF 2.0 in one binary file."""

import io
import json
import struct
from array import array

from PIL import Image

from batchgen.model import Json

LENGTH = 128_000  # bytes, filled up with blanks: it is said before anything is drawn, and holds any texture
CELLS = 32  # along each edge
VERTICES = (CELLS + 1) ** 2
FACES = 2 * CELLS * CELLS
_DEPTH = 0.18  # of the longer edge, from the darkest to the brightest
_TEXTURE, _COLOURS = 256, 255  # pixels of its longer edge, and the most colours it has
_MAGIC, _VERSION, _JSON, _BINARY = b"glTF", 2, b"JSON", b"BIN\0"
_FLOAT, _SHORT = 5126, 5123  # kinds of components
_VERTEX_DATA, _INDEX_DATA = 34962, 34963


def relief(picture: Image.Image) -> bytes:
    """Return a GLB of a picture: a grid with positions, places in the texture, and the picture in it."""
    picture = picture.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "black")
    levels = Image.alpha_composite(ground, picture).convert("L").resize((CELLS + 1, CELLS + 1)).tobytes()
    longer = max(picture.size)
    wide, high = picture.width / longer, picture.height / longer
    positions, places = array("f"), array("f")
    for number, level in enumerate(levels):
        across, down = number % (CELLS + 1) / CELLS, number // (CELLS + 1) / CELLS
        positions.extend(((across - 0.5) * wide, (0.5 - down) * high, level / 255 * _DEPTH))
        places.extend((across, down))
    corners = array("H")
    for cell in range(CELLS * CELLS):
        first = cell // CELLS * (CELLS + 1) + cell % CELLS
        below = first + CELLS + 1
        corners.extend((first, below, first + 1, first + 1, below, below + 1))
    picture.thumbnail((_TEXTURE, _TEXTURE))
    texture = io.BytesIO()
    # few colours: no texture is longer than a byte a pixel
    picture.quantize(_COLOURS, kmeans=0).save(texture, "PNG", compress_level=1)
    parts = [_little(positions), _little(places), _little(corners), texture.getvalue()]
    bounds = ([-wide / 2, -high / 2, 0.0], [wide / 2, high / 2, _DEPTH])
    return _binary(_document(parts, bounds), b"".join(map(_padded, parts)))


def _little(numbers: "array[float] | array[int]") -> bytes:
    return struct.pack(f"<{len(numbers)}{numbers.typecode}", *numbers)


def _padded(part: bytes, filling: bytes = b"\0") -> bytes:
    return part + filling * (-len(part) % 4)


def _document(parts: list[bytes], bounds: tuple[list[float], list[float]]) -> dict[str, Json]:
    views: list[dict[str, Json]] = []
    offset = 0
    for part, target in zip(parts, (_VERTEX_DATA, _VERTEX_DATA, _INDEX_DATA, None), strict=True):
        view: dict[str, Json] = {"buffer": 0, "byteOffset": offset, "byteLength": len(part)}
        views.append(view if target is None else {**view, "target": target})
        offset += len(_padded(part))
    low, high = bounds
    return {
        "asset": {"version": "2.0", "generator": "batchgen simulate"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "relief"}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0}]}
        ],
        "materials": [
            {
                "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}, "metallicFactor": 0},
                "alphaMode": "MASK",
                "doubleSided": True,
            }
        ],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": _FLOAT,
                "count": VERTICES,
                "type": "VEC3",
                "min": low,
                "max": high,
            },
            {"bufferView": 1, "componentType": _FLOAT, "count": VERTICES, "type": "VEC2"},
            {"bufferView": 2, "componentType": _SHORT, "count": 3 * FACES, "type": "SCALAR"},
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": offset}],
    }


def _binary(document: dict[str, Json], data: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode().ljust(LENGTH - 28 - len(data))
    chunks = b"".join(
        struct.pack("<I", len(one)) + kind + one for kind, one in ((_JSON, text), (_BINARY, data))
    )
    return _MAGIC + struct.pack("<II", _VERSION, 12 + len(chunks)) + chunks
