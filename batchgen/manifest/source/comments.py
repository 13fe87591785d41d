"""What YAML drops of a text without a word: all from a ``#`` on, and an anchor that no alias uses.

And what it keeps without a word: quotes that are none of its own. Which values are texts that somebody
reads is not known here.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import yaml

from batchgen.manifest.source.characters import curly_quotes
from batchgen.manifest.source.problems import Place, shortened
from batchgen.manifest.source.scalars import resolve

Path: TypeAlias = tuple[str | int, ...]

_SIGNS = (" #", "\t#", "&")  # nothing is dropped of a file that has none of them
_COMMENT = re.compile(r"(:?[ \t]*)(#[^\r\n]*)")
_ANCHOR = re.compile(r"&([^\s\[\]{},]+)\s")
_LONGEST = 120  # characters of the line to write


class Dropped(NamedTuple):
    """What is missing of a text.

    Attributes:
        place: where it begins.
        text: what happened, and the line to write.
        kind: of the same mistake elsewhere.
    """

    place: Place
    text: str
    kind: str


def dropped(
    root: yaml.Node, text: str, source: str, is_free: Callable[[Path], bool] = lambda _path: True
) -> Iterator[Dropped]:
    """Find the texts of a file that YAML makes shorter than they stand.

    Args:
        root: what the parser made of the file; marks what it does not have to quote as plain.
        text: the file.
        source: its name in messages.
        is_free: whether a value at a path may say anything, as a prompt does. Of other values only what is
            glued to its ``#`` is taken for text: a space behind the ``#`` makes a comment of it.
    """
    if not text.isascii() or any(sign in text for sign in _SIGNS):
        yield from _Search(text, source, is_free).below(root, ())


def quoted(text: str) -> str:
    """Write a text as YAML takes it whatever it has."""
    return f'"{text}"' if not set('"\\') & set(text) else "'" + text.replace("'", "''") + "'"


class _Search:
    def __init__(self, text: str, source: str, is_free: Callable[[Path], bool]) -> None:
        self._text = text
        self._source = source
        self._is_free = is_free
        self._seen: set[int] = set()

    def below(self, node: yaml.Node, path: Path, end: yaml.Mark | None = None) -> Iterator[Dropped]:
        if id(node) in self._seen:  # an alias names it again
            return
        self._seen.add(id(node))
        match node:
            case yaml.MappingNode():
                for key, value in node.value:
                    name = key.value if isinstance(key, yaml.ScalarNode) else "?"
                    below = path if name == "<<" else (*path, name)
                    # where the value is empty, its own mark may lie behind the comment
                    end = value.end_mark if value.value else key.end_mark
                    yield from self.below(value, below, end)
            case yaml.SequenceNode():
                for number, value in enumerate(node.value):
                    yield from self.below(value, (*path, number))
            case yaml.ScalarNode() if node.tag == "plain":
                yield from self._of(node, path, end or node.end_mark)
            case _:
                return

    def _of(self, node: yaml.ScalarNode, path: Path, end: yaml.Mark) -> Iterator[Dropped]:
        is_text = bool(node.value) and isinstance(_resolved(node.value), str)
        if is_text and self._is_free(path) and (found := self._anchor(node)):
            name, place = found
            right = self._line(path, f"&{name} {node.value}")
            said = f"&{name} is an anchor that nothing uses, and no part of the text; if it is, write {right}"
            yield Dropped(place, said, "anchor")
        if is_text and (inner := curly_quotes(node.value)) is not None:
            start = node.start_mark
            said = f"these quotes are none of YAML's, and part of the text; write {self._line(path, inner)}"
            yield Dropped(Place(self._source, start.line + 1, start.column + 1), said, "quotes")
        comment = _COMMENT.match(self._text, end.index)
        if comment is None or not (is_text or not node.value):
            return
        glued = comment[2][1:2].strip(" \t#!") != ""
        if not (glued or (is_text and self._is_free(path))):
            return
        right = self._line(path, f"{node.value} {comment[2]}")
        place = Place(self._source, end.line + 1, end.column + len(comment[1]) + 1)
        kept = f"the text is only {quoted(shortened(node.value))}" if is_text else "there is no value"
        meant = " (if a comment is meant, put the text before it in quotes)" if is_text else ""
        yield Dropped(place, f"a # begins a comment, so {kept}; write {right}{meant}", "comment")

    def _anchor(self, node: yaml.ScalarNode) -> tuple[str, Place] | None:
        start = node.start_mark
        found = _ANCHOR.match(self._text, start.index)
        if found is None or re.search(rf"\*{re.escape(found[1])}(?![^\s\[\]{{}},])", self._text):
            return None
        return found[1], Place(self._source, start.line + 1, start.column + 1)

    @staticmethod
    def _line(path: Path, text: str) -> str:
        key = f"{path[-1]}: " if path and isinstance(path[-1], str) else ""
        return key + shortened(quoted(" ".join(text.split())), _LONGEST)


def _resolved(text: str) -> object:
    try:
        return resolve(text)
    except ValueError:  # named elsewhere
        return None
