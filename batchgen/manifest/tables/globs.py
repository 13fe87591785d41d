"""Files that a pattern names, as a table: ``from: {files: "scans/**/*.png"}``, a row for each.

The same files in the same order on every machine. Whether patterns follow links, take hidden files and
tell upper from lower case is said here: in the library it depends on the system and the version of Python.
"""

import fnmatch
import glob
import os
import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from batchgen.manifest.environment import filled
from batchgen.manifest.source.problems import Place, shortened
from batchgen.manifest.tables.table import Row, Table

COLUMNS = ("path", "stem", "name", "folder")
MOST_NAMES = 1_000_000  # looked at for one pattern: more is the whole disk, and nobody's scans

_JOURNAL, _RESULTS = "journal.db", "results.json"  # in the folder of what was made, and below it
_ANY_FOLDERS = "**"
_WILD = frozenset("*?[")
_ENVIRONMENT = re.compile(r"\$\{[^{}]*\}?")
_SET = re.compile(r"\[[^\]/]+\]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_DIGITS = re.compile(r"([0-9]+)")


def read_files(
    folder: Path, patterns: Iterable[tuple[str, Place]], environ: Mapping[str, str]
) -> tuple[Table | None, list[tuple[Place, str]]]:
    """Find the files that any of some patterns names, each once, in the order of their paths.

    Args:
        folder: what relative patterns begin at.
        patterns: as they are written, each with its place.
        environ: what ``${NAME}`` is looked up in; a value stands for itself, wildcards in it too.

    Returns:
        The table, and what is wrong with which pattern: there is no table where anything is.
    """
    found, wrong, written, places = set[str](), list[tuple[Place, str]](), list[str](), list[Place]()
    for pattern, place in patterns:
        written.append(pattern)
        places.append(place)
        try:
            found.update(_find(folder, pattern, environ))
        except ValueError as error:  # also a NUL in it
            wrong.append((place, str(error)))
        except OSError as error:  # such as a part that is too long for a name
            wrong.append((place, f"{pattern}: cannot be read: {error.strerror}"))
    if wrong:
        return None, wrong
    rows: list[Row] = [_row(one) for one in sorted(found, key=_natural)]
    source = ", ".join(written)
    table = Table(
        source=source, columns=COLUMNS, rows=rows, lines=array("Q"), textual=False, named_at=places[0]
    )
    return table, []


def _row(path: str) -> Row:
    folder, _, name = path.rpartition("/")
    return [path, PurePosixPath(name).stem, name, folder]


def _natural(path: str) -> tuple[list[list[str | int]], str]:
    """Return what puts paths in the order of people, folder by folder: scan2 before scan10."""
    # a type is a part of its own: scan comes before scan2
    *folders, name = unicodedata.normalize("NFC", path).casefold().split("/")
    parts = [*folders, PurePosixPath(name).stem, PurePosixPath(name).suffix]
    # text and numbers take turns, so that like is compared with like
    each = [[int(one) if turn % 2 else one for turn, one in enumerate(_DIGITS.split(part))] for part in parts]
    return each, path


def _find(folder: Path, written: str, environ: Mapping[str, str]) -> list[str]:
    """Return the paths of the files that a pattern names, from the folder where it is relative.

    Raises:
        ValueError: no such pattern can be, or it names no file; the message says so.
    """
    if wrong := _wrong_with(written):
        raise ValueError(wrong)
    pattern = filled(written, {name: _literally(value) for name, value in environ.items()})
    search = _Search(folder, pattern)
    found = list(dict.fromkeys(search.paths()))
    if not found:
        raise ValueError(search.why_none(written))
    for path in found:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{_shown(path)}: a name that is not UTF-8; rename it") from None
    return found


def _literally(value: str) -> str:
    return glob.escape(value.replace(os.sep, "/"))


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _wrong_with(written: str) -> str | None:
    """Return why a text is no pattern of files, None where it may be one."""
    plain = _SET.sub("", _ENVIRONMENT.sub("", written))
    if "\\" in plain:
        return f'write / between folders: "{shortened(written.replace(chr(92), "/"))}"'
    if written.startswith("~"):
        return f'~ is not filled in here; write "${{HOME}}{shortened(written[1:])}"'
    if found := _BRACES.search(plain):
        ways = [plain.replace(found[0], one.strip(), 1) for one in found[1].split(",")]
        if len(ways) > 1 and plain == written:
            listed = ", ".join(f'"{one}"' for one in ways)
            return f"{found[0]} is no choice here; write a list: [{listed}]"
        return f"{found[0]}: only the environment is filled in here, as ${{NAME}}; ? stands for any character"
    if "{" in plain or "}" in plain:
        return "a brace that opens or closes nothing; ? stands for any character"
    if any(_ANY_FOLDERS in part and part != _ANY_FOLDERS for part in plain.split("/")):
        return f'** stands alone between two /; write "{shortened(written.replace("**", "**/*", 1))}"'
    if plain.endswith("/"):
        name = shortened(written)
        return f'this names folders; write "{name}*" for the files in them, "{name}**" for all below'
    return None


class _Search:
    """Looks for the files of one pattern."""

    def __init__(self, folder: Path, pattern: str) -> None:
        anchor = Path(pattern).anchor
        parts = [one for one in pattern[len(anchor) :].split("/") if one not in ("", ".")]
        if parts[-1:] == [_ANY_FOLDERS]:
            parts.append("*")
        # two of the same in a row say no more than one, and take much longer
        self._parts = [
            one
            for one, before in zip(parts, ["", *parts], strict=False)
            if (one, before) != (_ANY_FOLDERS,) * 2
        ]
        self._start = anchor.replace(os.sep, "/")
        self._folder = folder
        self._pattern = pattern
        self._looked = self._folders = 0
        self._missing = ""
        self._left_out = ""
        self._is_made_taken = False

    def paths(self) -> Iterator[str]:
        """Return what is found, in any order; what two ways lead to comes twice.

        Raises:
            ValueError: a folder cannot be read, or there are too many names.
        """
        return self._below(self._start, self._parts)

    def why_none(self, written: str) -> str:
        """Return what was looked for, and why nothing was found as far as that can be told."""
        said = f"no file matches {written}"
        where = self._folder.absolute()
        if self._missing:
            return f"{said}: there is no folder {_shown(self._missing)} in {where}"
        if self._parts and not self._folders and os.path.lexists(self._folder / self._pattern):
            return f'{said}; for the file of just that name write "{glob.escape(self._pattern)}"'
        if self._folders:
            return f'{said}, only folders do; write "{written}/*" for the files in them'
        if self._left_out:
            made = f"{self._left_out}, which holds what was made"
            return f"{said}, but in {made}; name that folder to take its files"
        return f"{said} in {where}"

    def _below(self, at: str, parts: list[str]) -> Iterator[str]:
        """Return the files of the rest of a pattern, from a folder."""
        if not parts:
            return
        part, rest = parts[0], parts[1:]
        if part == _ANY_FOLDERS:
            for folder in self._all_folders(at):
                yield from self._below(folder, rest)
        elif _WILD.isdisjoint(part):
            yield from self._named(at + part, rest)
        else:
            yield from self._matching(at, part, rest)

    def _named(self, path: str, rest: list[str]) -> Iterator[str]:
        place = self._folder / path
        if rest and place.is_dir():
            # whoever names it means it
            self._is_made_taken |= os.path.lexists(place / _JOURNAL)
            yield from self._below(f"{path}/", rest)
        elif rest:
            self._missing = self._missing or path
        elif place.is_dir():
            self._folders += 1
        elif os.path.lexists(place):
            yield path

    def _matching(self, at: str, part: str, rest: list[str]) -> Iterator[str]:
        fits = re.compile(fnmatch.translate(unicodedata.normalize("NFC", part)), re.IGNORECASE).match
        for entry in self._entries(at):
            is_hidden = entry.name.startswith(".") and not part.startswith(".")
            if is_hidden or not fits(unicodedata.normalize("NFC", entry.name)):
                continue
            if not _is_folder(entry):
                if not rest:
                    yield at + entry.name
            elif not rest:
                self._folders += 1
            elif not self._is_made(at + entry.name):
                yield from self._below(f"{at}{entry.name}/", rest)

    def _all_folders(self, at: str) -> Iterator[str]:
        """Return a folder and all below it but hidden ones; links may lead back, and are not followed."""
        left = [at]
        while left:
            yield (folder := left.pop())
            for entry in self._entries(folder):
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    path = folder + entry.name
                    left += [] if self._is_made(path) else [f"{path}/"]

    def _entries(self, at: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder / at) as entries:
                found = list(entries)
        except OSError as error:
            raise ValueError(f"{_shown(at[:-1]) or self._folder}: cannot be read: {error.strerror}") from None
        self._looked += len(found)
        if self._looked > MOST_NAMES:
            raise ValueError(f"more than {MOST_NAMES:,} names to look at; name the folder more closely")
        return found

    def _is_made(self, path: str) -> bool:
        """Return whether a folder holds what earlier runs made: it would be bought from without end."""
        place = self._folder / path
        if self._is_made_taken:
            return False
        is_batch = os.path.lexists(place / _RESULTS) and os.path.lexists(place.parent / _JOURNAL)
        if not is_batch and not os.path.lexists(place / _JOURNAL):
            return False
        self._left_out = self._left_out or _shown(path)
        return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself: whoever opens it as a file says so
        return False
