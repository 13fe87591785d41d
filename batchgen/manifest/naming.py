"""Names that are safe as files and folders on every system, and slugs that become such names.

A job's id and a batch's name become paths: no other module decides what may stand in one.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache
from pathlib import PurePath, PurePosixPath

from anyascii import anyascii

from batchgen.filenames import is_device

LONGEST = 100  # characters of an id: leaves room for an index and a type in a file name of 255 bytes
_SLUG_WORDS = 5
_SLUG_LONGEST = 40
SHORT, LONG = 6, 12  # characters of a hash: the long one where the short ones of two texts are alike
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_FIT = re.compile(r"[A-Za-z0-9._-]*", re.ASCII)
_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
_PATHLIKE = re.compile(r"[/\\\x00-\x1f\x7f]|^\s*\.")
_GAPS = re.compile(r"[._-]*([._-])")
# a letter or a digit of another script than Latin
_OTHER_SCRIPT = re.compile(
    r"[^\W_\x00-\u02ff\u1d00-\u1dbf\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f\ufb00-\ufb06\uff10-\uff5a]"
)
# what the language of --only has for itself
_UNTYPED = re.compile(r"[{},*?\[\]]")
_SIGNS = {",": "comma", "{": "brace", "}": "brace", "\n": "line break"}
_PERIOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_FRESH = "fresh-"
CALENDAR = ("hour", "day", "week", "month")  # periods that begin anew by themselves
_LIKE_CALENDAR = re.compile(r"(hour|day|week|month|quarter|year)(s|ly)?|daily", re.ASCII | re.IGNORECASE)
_ALLOWED = f"letters (a-z, A-Z), digits, dot, dash and underscore, a letter or digit first, {LONGEST} at most"


def wrong_with(name: str) -> str | None:
    """Return what keeps a text from being a safe name, None where nothing does."""
    if not _SAFE.fullmatch(name) or len(name) > LONGEST:
        return f"allowed are {_ALLOWED}"
    if name.endswith("."):
        return "a dot may not be the last character (Windows drops it)"
    if is_device(name):
        return "Windows keeps this name for a device; add a word to it"
    return None


def may_be_id(text: str) -> bool:
    """Return whether a text can be an id as it is, told quickly."""
    return _SAFE.fullmatch(text) is not None and len(text) <= LONGEST


def wrong_with_batch(name: str) -> str | None:
    """Return what keeps a text from naming a batch's folder, None where nothing does."""
    if name.lower().startswith("journal."):
        return "names that begin with journal. are reserved for the journal"
    if name.lower() in {"models", "locks", "simulator.jsonl"}:
        return "the name is taken by another file beside the journal"
    return wrong_with(name)


def wrong_with_period(name: str) -> str | None:
    """Return what keeps a text from being a period: one of ``CALENDAR``, or a name of the user's own.

    A name may look like a slot of the calendar, as ``2026-11`` does: its slot is that one, which a batch that
    goes on by ``month`` finds bought.
    """
    if not _PERIOD.fullmatch(name):
        return "letters (a-z, A-Z), digits, dash and underscore, a letter or digit first, 64 at most"
    if name not in CALENDAR and _LIKE_CALENDAR.fullmatch(name):
        return "calendar periods are hour, day, week and month; any other name is bought once and never again"
    if name.startswith(_FRESH):
        return f"{_FRESH} begins the names that --fresh gives"
    return None


def wrong_with_entry(name: str) -> str | None:
    """Return what keeps a text from naming an entry, and what to write; None where nothing does.

    A name is typed behind ``entry:``, where a comma begins the next condition and ``*`` is any text.
    """
    if not name.strip():
        return "empty; write a name, or leave the key out"
    right = entry_name_of(name)
    write = f"; write entry: {right}" if right else "; write another one"
    if name != name.strip():
        return f'"{name}" has a space at an end{write}'
    if found := _UNTYPED.search(name) or next(filter(_is_unseen, name), None):
        sign = found if isinstance(found, str) else found[0]
        return f"there may be no {_said(sign)} in it, for it is typed in --only entry:NAME{write}"
    if len(name) > LONGEST:
        return f"{len(name)} characters, {LONGEST} at most"
    return None


def entry_name_of(text: str) -> str:
    """Return a text as the name of an entry: as it is where it can be typed, else as it would be in an id."""
    typed = text.strip()
    fit = not (_UNTYPED.search(typed) or any(map(_is_unseen, typed)) or len(typed) > LONGEST)
    return typed if fit else slug(typed)


def _is_unseen(character: str) -> bool:
    return not character.isprintable()


def _said(sign: str) -> str:
    return _SIGNS.get(sign) or (sign if sign.isprintable() else f"invisible character (U+{ord(sign):04X})")


def batch_from(path: PurePath) -> str:
    """Make a batch's name of the manifest's own.

    A name without Latin letters gets a hash behind what it sounds like: others sound the same, and what two
    manifests would share is what they have bought.
    """
    stem = path.stem
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", _latin(stem)).strip("-._")[:LONGEST].rstrip("-._")
    if not stem.isascii() and not re.search("[A-Za-z]", name):
        name = with_hash(slug(stem) or "batch", alike(stem))
    return name if name and wrong_with_batch(name) is None else f"batch-{name}".strip("-")[:LONGEST]


def slug(text: str, words: int = _SLUG_WORDS) -> str:
    """Make lower-case words joined by dashes of the first words of a text; empty where it has none."""
    if len(text) <= _SLUG_LONGEST and text.isascii() and text.isalnum():  # a word or a number, as most cells
        return text.lower()
    return _slug(text, words)


@lru_cache(maxsize=4096)
def _slug(text: str, words: int) -> str:
    head = text[:400]
    found = _WORD.findall(in_ascii(head).lower()) or _WORD.findall(anyascii(head).lower())
    return "-".join(found[:words])[:_SLUG_LONGEST].strip("-")


def slug_of_file(path: str, *, with_folders: bool) -> str:
    """Make a slug of the name of a file without its type.

    Args:
        path: with forward slashes.
        with_folders: whether the folders before it belong to it.
    """
    pure = PurePosixPath(path)
    return slug(f"{pure.parent} {pure.stem}", words=12) if with_folders else slug(pure.stem)


def label(value: str) -> str:
    """Make the part of an automatic id that tells a value from others, whatever stands around it."""
    return slug(value) or _hash(value)


def model_label(model: str) -> str:
    """Make the part of a name that tells a model from others."""
    return slug(model.removeprefix("model_"), words=12)


def part_of_id(text: str) -> str:
    """Make a value fit for an id: safe text stays as it is, spaces and the like become dashes.

    Raises:
        ValueError: the value looks like a path, so that a quiet repair would hide a mistake.
    """
    if _SAFE.fullmatch(text):
        return text
    if _PATHLIKE.search(text):
        raise ValueError(f"allowed are {_ALLOWED}")
    return label(text)


def constant_in_id(text: str) -> str:
    """Make what is the same in all ids of an entry fit for them, where it is not by itself."""
    if _FIT.fullmatch(in_ascii(text)):
        return text
    try:
        return part_of_id(text)
    except ValueError:  # it is named where the whole id is
        return text


def joined(parts: list[str]) -> str:
    """Join the parts of an automatic id and keep it short enough for a number to follow.

    Args:
        parts: slugs and safe names, or nothing.
    """
    name = "-".join(filter(None, parts))[: LONGEST - 10].rstrip("-._") or "job"
    return f"job-{name}" if is_device(name) else name


def without_gaps(name: str) -> str:
    """Take out of an id what stood around a variable without a value."""
    return _GAPS.sub(r"\1", name).strip("-._")


def shortened_id(name: str, written: str) -> str:
    """Cut an id that is too long, and let a hash tell it from others that begin as it does."""
    return name if len(name) <= LONGEST else with_hash(name, written)


def with_hash(name: str, text: str, length: int = SHORT) -> str:
    """Return a name with a short hash of what it was made of, and room for a number behind it."""
    return f"{name[: LONGEST - 10 - length - 1].rstrip('-._')}-{_hash(text, length)}"


def alike(text: str) -> str:
    """Return the form that is the same for texts that differ in case or in how accents are encoded alone."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _hash(text: str, length: int = SHORT) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def in_ascii(text: str) -> str:
    """Return a text in ASCII: letters without their accents, those of other scripts as they sound.

    What of a Latin text has no form in ASCII is left out, as is everything that is no letter and no digit.
    """
    if text.isascii():
        return text
    if not _OTHER_SCRIPT.search(text):
        return _latin(text)
    return "".join(map(_sound, unicodedata.normalize("NFC", text)))


def _latin(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


@lru_cache(maxsize=4096)
def _sound(character: str) -> str:
    found = _latin(character)
    if found or not (_OTHER_SCRIPT.match(character) or unicodedata.category(character)[0] == "M"):
        return found
    # marks are vowels in many scripts; of Latin ones nothing is left
    return "".join(filter(str.isalnum, anyascii(character)))
