"""Texts in cells of a terminal, of which a Chinese letter takes two, and how they are cut."""

from rich.cells import cell_len

GAP = "..."
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_WIDE = 0x10000  # from here on a letter's number has more than four digits


def cut(text: str, room: int) -> str:
    """Return a text as one line of so many cells at most."""
    line = seen(" ".join(text.split()))
    return line if cell_len(line) <= room else fitting(line, room - len(GAP)) + GAP


def apart(one: str, other: str, room: int) -> tuple[str, str]:
    """Return two texts that differ in so many cells each, cut so that it is still seen that they do."""
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    start = 0 if cell_len(one[:same]) < room - 2 * len(GAP) else same - room // 3
    return _from(one, start, room), _from(other, start, room)


def _from(text: str, start: int, room: int) -> str:
    if cell_len(text) <= room:
        return text
    before = GAP if start else ""
    rest = text[start:]
    if cell_len(before + rest) <= room:
        return before + rest
    return before + fitting(rest, room - len(before) - len(GAP)) + GAP


def context(text: str, room: int, *, first: bool, last: bool) -> str:
    """Return what stands around a place where texts differ: the part that touches it, in whole words.

    Args:
        text: what is the same.
        room: cells.
        first: whether it begins the whole text.
        last: whether it ends it.
    """
    line = "".join(" " if letter.isspace() else _letter(letter) for letter in text)
    if cell_len(line) <= room:
        return line
    if first:
        return GAP + _end_of(line, room - len(GAP))
    if last:
        return _start_of(line, room - len(GAP)) + GAP
    half = (room - len(GAP)) // 2
    return f"{_start_of(line, half)}{GAP}{_end_of(line, half)}"


def _start_of(text: str, room: int) -> str:
    kept = fitting(text, room)
    space = kept.rfind(" ")
    return kept[: space + 1] if space > len(kept) // 2 else kept


def _end_of(text: str, room: int) -> str:
    return _start_of(text[::-1], room)[::-1]


def fitting(text: str, room: int) -> str:
    """Return the beginning of a text that takes no more cells."""
    used = 0
    for at, letter in enumerate(text):
        used += cell_len(letter)
        if used > room:
            return text[:at]
    return text


def seen(text: str) -> str:
    """Return a text in which nothing is invisible, be it a line end, an odd space or a mark."""
    if text and not text.strip(" "):
        return "1 space" if len(text) == 1 else f"{len(text)} spaces"
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter.isprintable():
        return letter
    escaped = f"\\u{ord(letter):04x}" if ord(letter) < _WIDE else f"\\U{ord(letter):08x}"
    return _ESCAPES.get(letter, escaped)
