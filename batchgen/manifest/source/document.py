"""YAML to plain values, with the place of every one of them.

Strict where YAML is generous: no tags, no duplicate keys, the core schema of YAML 1.2, and bounds
on depth, nodes and what aliases may multiply. What the keys mean is not known here.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TypeAlias

import yaml

from batchgen.manifest.source.comments import Dropped, dropped
from batchgen.manifest.source.problems import Place, Problems
from batchgen.manifest.source.scalars import resolve, spelled
from batchgen.manifest.source.text_files import decode, refuse
from batchgen.manifest.source.yaml_errors import explain
from batchgen.model import Json

DEEPEST = 100  # levels
MOST_NODES = 2_000_000  # about 1 GB of nodes; so many rows belong into a table
MOST_EXPANDED = 200_000  # values, beyond ten for each node that the file holds

_FASTEST: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN, _QUOTED = "plain", "quoted"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

Path: TypeAlias = Sequence[str | int]


class _Rules:
    """What is changed in PyYAML's loaders, the one in C and the one in Python alike."""

    depth = 0
    nodes = 0

    def resolve(self, _kind: type[yaml.Node], _value: str | None, implicit: Any) -> str:
        """Mark what has no tag; what is not marked has one."""
        return _PLAIN if isinstance(implicit, tuple) and implicit[0] else _QUOTED

    def descend_resolver(self, parent: yaml.Node | None, _index: object) -> None:
        """Count: the composer calls this before every node, and recurses."""
        self.depth += 1
        self.nodes += 1
        if parent is not None and (self.depth > DEEPEST or self.nodes > MOST_NODES):
            problem = (
                f"nested more than {DEEPEST} levels deep"
                if self.depth > DEEPEST
                else f"more than {MOST_NODES:,} values; put rows into a .csv or .jsonl file and use from:"
            )
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=parent.start_mark)

    def ascend_resolver(self) -> None:
        """Count: the composer calls this after every node."""
        self.depth -= 1


class Document:
    """A file's values and where each stands.

    Attributes:
        source: the file's name in messages.
        data: the mapping at the top.
    """

    def __init__(self, source: str, root: yaml.MappingNode, data: dict[str, Json], text: str) -> None:
        self.source = source
        self.data = data
        self._root = root
        self._text = text

    def dropped(self, is_free: Callable[[tuple[str | int, ...]], bool]) -> Iterator[Dropped]:
        """Find the texts that YAML makes shorter than they stand.

        Args:
            is_free: whether the value at a path may say anything, as a prompt does.
        """
        return dropped(self._root, self._text, self.source, is_free)

    def place(self, path: Path) -> Place:
        """Return the place of a value; of the nearest thing around it where it is not written."""
        return self._at(self._walk(path)[1])

    def key_place(self, path: Path) -> Place:
        """Return the place of a key; of the value where it has none."""
        key, value = self._walk(path)
        return self._at(value if key is None else key)

    def written(self, path: Path) -> str | None:
        """Return a scalar as the file spells it, None for anything else."""
        node = self._walk(path)[1]
        return node.value if isinstance(node, yaml.ScalarNode) else None

    def _at(self, node: yaml.Node) -> Place:
        return Place(self.source, node.start_mark.line + 1, node.start_mark.column + 1)

    def _walk(self, path: Path) -> tuple[yaml.Node | None, yaml.Node]:
        key: yaml.Node | None = None
        node: yaml.Node = self._root
        for step in path:
            key, child = _child(node, step)
            if child is None:
                break
            node = child
        return key, node


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    match node:
        case yaml.MappingNode() if step == 0:  # "one or many", as below: every key is text
            return None, node
        case yaml.MappingNode():
            for key, value in node.value:
                if key.value == step:
                    return key, value
            merged = (_child(value, step) for key, value in node.value if key.value == "<<")
            return next((one for one in merged if one[1] is not None), (None, None))
        case yaml.SequenceNode() if isinstance(step, int) and step < len(node.value):
            return None, node.value[step]
        case yaml.SequenceNode():  # the value of a merge key: the first mapping that has it
            found = (_child(one, step) for one in node.value if isinstance(one, yaml.MappingNode))
            return next((one for one in found if one[1] is not None), (None, None))
        case _:  # "one or many": the one is the first of many
            return None, node if step == 0 else None


def read_document(raw: bytes, source: str, problems: Problems, *, base: type[Any] | None = None) -> Document:
    """Read a YAML file whose top is a mapping.

    Args:
        raw: the file's bytes.
        source: its name in messages.
        problems: takes what is wrong but leaves the rest readable.
        base: the loader to build on; PyYAML's in C where there is one.

    Raises:
        InputError: it cannot be read on.
    """
    text = _text(raw, source)
    root = _compose(text, source, base or _FASTEST)
    if not isinstance(root, yaml.MappingNode):
        _refuse_top(root, source)
    builder = _Builder(source, problems)
    return Document(source, root, builder.value(root), text)


def read_rows(raw: bytes, source: str, problems: Problems) -> list[tuple[int, int, Json]]:
    """Read a YAML list, each value with the line and the column it begins in.

    It may be at the top, or the only list of the mapping there, beside anchors for instance.

    Raises:
        InputError: it cannot be read on.
    """
    text = _text(raw, source)
    root = _compose(text, source, _FASTEST)
    builder = _Builder(source, problems)
    rows = root
    if isinstance(root, yaml.MappingNode):
        lists = [value for _, value in root.value if isinstance(value, yaml.SequenceNode)]
        builder.value(root)
        rows = lists[0] if len(lists) == 1 else root
    if root is None or not isinstance(rows, yaml.SequenceNode):
        refuse(source, "is not a list; write a mapping of names to values for each row, each after a dash")
    for one in dropped(root, text, source):
        problems.warn(one.place, one.text, kind=one.kind)
    values: list[Json] = builder.value(rows)
    return [
        (node.start_mark.line + 1, node.start_mark.column + 1, _as_spelled(value, node))
        for node, value in zip(rows.value, values, strict=True)
    ]


def _as_spelled(row: Json, node: yaml.Node) -> Json:
    """Let the numbers of a row keep their spellings: they may come into a text."""
    if not isinstance(row, dict):
        return row
    written = ((name, value, _child(node, name)[1]) for name, value in row.items())
    return {
        name: spelled(value, one.value) if isinstance(one, yaml.ScalarNode) else value
        for name, value, one in written
    }


def _text(raw: bytes, source: str) -> str:
    text = decode(raw, source)
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        refuse(source, f"{_unprintable(found[0])} is not allowed", line=line, column=column)
    return text


def _unprintable(character: str) -> str:
    if character == "\ufeff":
        return "a byte order mark (U+FEFF) inside the file, as where two were put together,"
    return f"the control character U+{ord(character):04X}"


def _compose(text: str, source: str, base: type[Any]) -> yaml.Node | None:
    loader = type("ManifestLoader", (_Rules, base), {})
    try:
        node: yaml.Node | None = yaml.compose(text, loader)
    except yaml.YAMLError as error:
        line, column, reason = explain(error, text)
        refuse(source, reason, line=line, column=column)
    except (ValueError, OverflowError) as error:  # the loader in Python, for an escape beyond Unicode
        refuse(source, f"is not YAML: {error}")
    return node


def _refuse_top(root: yaml.Node | None, source: str) -> NoReturn:
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        refuse(source, "the file is empty; batchgen init writes one to begin with")
    line, column = root.start_mark.line + 1, root.start_mark.column + 1
    if isinstance(root, yaml.SequenceNode):
        refuse(
            source,
            "a list at the top; write version: 1 and put the list under jobs:",
            line=line,
            column=column,
        )
    refuse(source, "text at the top; a manifest begins with version: 1 and jobs:", line=line, column=column)


class _Builder:
    """Builds each node once, however many aliases name it, and counts as if it were built for each."""

    def __init__(self, source: str, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self._built: dict[int, tuple[Json, int, int]] = {}  # by node: value, values in it, levels in it
        self._open: set[int] = set()
        self._nodes = 0
        self._expanded = 0
        self._deepest = 0

    def value(self, root: yaml.Node) -> Json:
        """Build what is at the top."""
        return self._value(root, 0)

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._source, node.start_mark.line + 1, node.start_mark.column + 1)

    def _value(self, node: yaml.Node, depth: int) -> Json:
        self._expanded += 1
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._built:
            return self._again(node, depth)
        self._check_tag(node)
        if id(node) in self._open:
            self._refuse(node, "contains itself through an alias")
        self._open.add(id(node))
        before, around, self._deepest = self._expanded, self._deepest, depth
        value = (
            self._mapping(node, depth + 1)
            if isinstance(node, yaml.MappingNode)
            else [self._value(one, depth + 1) for one in node.value]
        )
        self._nodes += len(node.value)
        self._built[id(node)] = (value, self._expanded - before, self._deepest - depth)
        self._deepest = max(around, self._deepest)
        self._open.discard(id(node))
        return value

    def _again(self, node: yaml.Node, depth: int) -> Json:
        value, inside, levels = self._built[id(node)]
        self._expanded += inside
        self._deepest = max(self._deepest, depth + levels)
        if self._deepest > DEEPEST:
            self._refuse(node, f"aliases nest this more than {DEEPEST} levels deep")
        self._check_budget(node)
        return value

    def _check_budget(self, node: yaml.Node) -> None:
        if self._expanded > MOST_EXPANDED + 10 * self._nodes:
            self._refuse(node, f"aliases multiply this beyond {MOST_EXPANDED:,} values")

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Json]:
        result: dict[str, Json] = {}
        first: dict[str, yaml.Node] = {}
        merges: list[yaml.Node] = []
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key == "<<" and key_node.tag == _PLAIN:
                merges.append(value_node)
            elif key is not None and key in first:
                line = first[key].start_mark.line + 1
                self._problems.add(
                    self._place(key_node),
                    f"{key} is written twice here; the first is in line {line}",
                    kind=f"twice {key}",
                )
            elif key is not None:
                first[key] = key_node
                result[key] = self._value(value_node, depth)
        for one in merges:
            self._merge(result, one, depth)
        return result

    def _merge(self, result: dict[str, Json], node: yaml.Node, depth: int) -> None:
        value = self._value(node, depth)
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, dict):
                self._problems.add(self._place(node), "<< takes a mapping or a list of mappings")
                return
            self._expanded += len(one)
            self._check_budget(node)
            for key, inherited in one.items():
                result.setdefault(key, inherited)

    def _key(self, node: yaml.Node) -> str | None:
        self._check_tag(node)
        if isinstance(node, yaml.ScalarNode) and node.value:
            text: str = node.value
            return text
        wrong = (
            "a key is missing before the colon" if isinstance(node, yaml.ScalarNode) else "a key must be text"
        )
        self._problems.add(self._place(node), wrong)
        return None

    def _scalar(self, node: yaml.ScalarNode) -> Json:
        if node.tag == _QUOTED:
            return node.value
        self._check_tag(node)
        try:
            return resolve(node.value)
        except ValueError as error:
            self._problems.add(self._place(node), str(error))
            return 1  # in its place, so that the rest can be checked

    def _check_tag(self, node: yaml.Node) -> None:
        if node.tag not in (_PLAIN, _QUOTED):
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self._problems.add(
                self._place(node), f"the tag {tag} is not allowed; write the plain value", kind="tag"
            )

    def _refuse(self, node: yaml.Node, text: str) -> NoReturn:
        place = self._place(node)
        refuse(self._source, text, line=place.line, column=place.column)
