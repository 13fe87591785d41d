"""What tools do to a picture: pure functions from pictures to pictures, each some milliseconds."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter

_SEEN = 96  # pixels of the long edge at which a background is looked for
_ALIKE = 40  # levels by which a background may differ from the colour of the edges
_MARKED = 255
_PLAIN = 0.7  # of the edges that have one colour where there is a background
_FEWEST, _MOST = 0.04, 0.96  # share that is kept; beyond these no subject was found


def cut_out(picture: Image.Image, opaque: int) -> Image.Image:
    """Return the picture with its background transparent.

    The background is what hangs together with the edges in about their colour; where that leaves
    nothing or all, an oval in the middle is kept.

    Args:
        picture: of any mode.
        opaque: the highest alpha, 0 to 255.
    """
    picture = picture.convert("RGBA")
    kept = _subject(picture).resize(picture.size, Image.Resampling.BILINEAR)
    alpha = ImageChops.multiply(kept, picture.getchannel("A")).point(lambda level: level * opaque / 255)
    picture.putalpha(alpha)
    return picture


def _subject(picture: Image.Image) -> Image.Image:
    """Return what is kept as white on black, small."""
    small = picture.copy()
    small.thumbnail((_SEEN, _SEEN))
    ground = Image.new("RGBA", small.size, "white")
    plain = Image.alpha_composite(ground, small).convert("RGB")
    far = ImageChops.difference(plain, Image.new("RGB", plain.size, _edge_colour(plain))).split()
    mask = ImageChops.lighter(ImageChops.lighter(far[0], far[1]), far[2])
    mask = mask.point(lambda level: 128 if level > _ALIKE else 0)
    edges = _edges(mask.size)
    plain_edges = sum(mask.getpixel(place) == 0 for place in edges)
    for place in edges:
        if mask.getpixel(place) == 0:
            ImageDraw.floodfill(mask, place, _MARKED)
    # one cell less all around: what is half background is left behind
    kept = mask.point(lambda level: 0 if level == _MARKED else 255).filter(ImageFilter.MinFilter(3))
    share = kept.histogram()[255] / (kept.width * kept.height)
    found = _FEWEST < share < _MOST and plain_edges > _PLAIN * len(edges)
    return (kept if found else _oval(kept.size)).filter(ImageFilter.GaussianBlur(0.8))


def _edges(size: tuple[int, int]) -> list[tuple[int, int]]:
    right, low = size[0] - 1, size[1] - 1
    rows = [(x, y) for y in (0, low) for x in range(0, right + 1, 4)]
    return rows + [(x, y) for x in (0, right) for y in range(0, low + 1, 4)]


def _edge_colour(picture: Image.Image) -> tuple[int, int, int]:
    """Return the middle one of the colours at the edges, channel by channel."""
    seen = [picture.getpixel(place) for place in _edges(picture.size)]
    channels = zip(*(one for one in seen if isinstance(one, tuple)), strict=True)
    red, green, blue = (sorted(levels)[len(levels) // 2] for levels in channels)
    return int(red), int(green), int(blue)


def _oval(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size, 0)
    wide, high = size
    box = (wide * 0.14, high * 0.1, max(wide * 0.86, 1), max(high * 0.92, 1))
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask


def enlarge(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture at another size, transparency kept."""
    return picture.resize(size, Image.Resampling.BILINEAR)


def pixelate(picture: Image.Image, block: int, colours: int) -> Image.Image:
    """Return the picture in blocks of one colour each.

    Args:
        picture: of any mode.
        block: pixels of a block's edge.
        colours: the most there may be, 2 to 256; 0 for any number.
    """
    picture = picture.convert("RGBA")
    wide, high = picture.size
    small = picture.resize(
        (max(1, wide // max(1, block)), max(1, high // max(1, block))), Image.Resampling.BOX
    )
    if colours:
        alpha = small.getchannel("A")
        small = small.convert("RGB").quantize(colours, kmeans=0).convert("RGBA")
        small.putalpha(alpha)
    return small.resize((wide, high), Image.Resampling.NEAREST)
