"""Vector drawings: a picture traced coarsely, one path a colour."""

from collections import defaultdict

from PIL import Image

LENGTH = 60_000  # bytes, filled up with blanks: it is said before anything is traced, and holds any picture
_LONG_EDGE = 64  # cells that the longer edge is traced with
_COLOURS = 12


def traced(picture: Image.Image, size: tuple[int, int]) -> bytes:
    """Return an SVG of a picture: rows of cells of one colour become strips, transparent ones nothing.

    Args:
        picture: of any mode.
        size: width and height that the drawing says it has.
    """
    picture = picture.convert("RGBA")
    picture.thumbnail((_LONG_EDGE, _LONG_EDGE))
    wide, high = picture.size
    palette = picture.convert("RGB").quantize(_COLOURS, kmeans=0)
    cells, alpha = palette.tobytes(), picture.getchannel("A").tobytes()
    strips: dict[int, list[str]] = defaultdict(list)
    for row in range(high):
        start = 0
        for column in range(1, wide + 1):
            here = row * wide + start
            if column < wide and _same(cells, alpha, here, row * wide + column):
                continue
            if alpha[here] > 127:  # noqa: PLR2004 - the middle
                strips[cells[here]].append(f"M{start} {row}h{column - start}v1h-{column - start}z")
            start = column
    colours = palette.getpalette("RGB") or []
    paths = (
        f'<path fill="#{bytes(colours[3 * one : 3 * one + 3]).hex():0<6}" d="{"".join(parts)}"/>'
        for one, parts in sorted(strips.items())
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {wide} {high}" preserveAspectRatio="none" shape-rendering="crispEdges">'
        f"{''.join(paths)}</svg>"
    )
    return f"{drawing:<{LENGTH - 1}}\n".encode()


def _same(cells: bytes, alpha: bytes, one: int, other: int) -> bool:
    return cells[one] == cells[other] and (alpha[one] > 127) == (alpha[other] > 127)  # noqa: PLR2004
