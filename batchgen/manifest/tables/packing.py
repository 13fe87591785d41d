"""The rows of a table in few bytes: kept after the jobs are made, for what their results say."""

import json
from collections.abc import Iterable, Sequence
from itertools import islice

from batchgen.model import Json

_TOGETHER = 64  # rows: the more, the sooner all are packed and the later a single one is there
_LONE = "surrogatepass"  # names of files may have halves of characters
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class PackedRows:
    """The cells of every row, in a sixth of the memory that they take as objects.

    Attributes:
        columns: their names.
    """

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[Json]]) -> None:
        self.columns = tuple(columns)
        left = iter(rows)
        self._parts: list[bytes] = []
        while part := list(islice(left, _TOGETHER)):
            self._parts.append(_encode(part).encode(errors=_LONE))
        self._open: tuple[int, list[list[Json]]] = (-1, [])  # the part that was last asked for

    def __getitem__(self, row: int) -> list[Json]:
        number, within = divmod(row, _TOGETHER)
        part = self._open
        if part[0] != number:
            part = self._open = number, json.loads(self._parts[number].decode(errors=_LONE))
        return part[1][within]
