"""Draw all pictures of a batch on one sheet, with their names.

python contact_sheet.py output/icons/results.json sheet.png
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

GAP, LINE = 12, 18  # pixels
INK, PAPER, CARD = "#202020", "#ffffff", "#d8d8d8"


def cards(results: Path, words: argparse.Namespace) -> Iterator[tuple[str, str, Path | None]]:
    """Return the name of each card, what stands below it, and its picture."""
    document = json.loads(results.read_text(encoding="utf-8"))
    for job in document["jobs"]:
        if words.where and str(job["vars"].get(words.where[0])) != words.where[1]:
            continue
        pictures = [one for one in job["files"] if one["mime"].startswith("image/")]
        if words.without_rejected:
            pictures = [one for one in pictures if one.get("mark") != "rejected"]
        for number, one in enumerate(pictures):
            name = job["id"] if number == 0 else f"{job['id']} ({number + 1})"
            yield name, job["prompt"] or "", results.parent / one["path"]
        if not job["files"]:
            yield job["id"], job["status"].replace("_", " "), None


def fitted(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Return a text cut so that it fits into a line."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text}..."


def draw(
    sheet: Image.Image, spot: tuple[int, int], card: tuple[str, str, Path | None], words: argparse.Namespace
) -> None:
    """Put one card on the sheet."""
    (x, y), (name, below, path) = spot, card
    size, font = words.size, words.font
    if path is None:
        picture = Image.new("RGB", (size, size), CARD)
    else:
        with Image.open(path) as opened:
            picture = ImageOps.pad(opened.convert("RGBA"), (size, size), color=PAPER)
    sheet.paste(picture, (x, y), picture if picture.mode == "RGBA" else None)
    pen = ImageDraw.Draw(sheet)
    pen.text((x, y + size + 4), fitted(name, font, size), INK, font=font)
    pen.text((x, y + size + 4 + LINE), fitted(" ".join(below.split()), font, size), "#707070", font=font)


def main() -> None:
    """Read the words of the command line, and write the sheet."""
    parser = argparse.ArgumentParser(description="Draw all pictures of a batch on one sheet.")
    parser.add_argument("results", type=Path, help="results.json of the batch")
    parser.add_argument("sheet", type=Path, help="the picture to write")
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--size", type=int, default=240, help="pixels of a picture's edge")
    parser.add_argument(
        "--where", type=lambda text: text.split("=", 1), metavar="NAME=VALUE", help="of a variable"
    )
    parser.add_argument("--without-rejected", action="store_true")
    parser.add_argument("--font", help="a file such as NotoSansCJK-Regular.ttc")
    words = parser.parse_args()
    words.font = ImageFont.truetype(words.font, 14) if words.font else ImageFont.load_default(14)
    shown = list(cards(words.results, words))
    columns = max(1, min(words.columns, len(shown)))
    wide, high = words.size + GAP, words.size + GAP + 2 * LINE + 4
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * wide + GAP, rows * high + GAP), PAPER)
    for number, card in enumerate(shown):
        row, column = divmod(number, columns)
        draw(sheet, (GAP + column * wide, GAP + row * high), card, words)
    sheet.save(words.sheet)
    print(f"{words.sheet}: {len(shown)} cards")


if __name__ == "__main__":
    main()
