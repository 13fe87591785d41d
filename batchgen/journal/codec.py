"""Events and records as JSON and back, told by the types of their fields.

Nothing else knows how they lie on the disk. A field that a newer version added is
refused by the schema's version, never skipped.
"""

import json
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from batchgen.lifecycle import EVENTS, Event, Record
from batchgen.shared_values import SharedParams

Decode = Callable[[Any], Any]


def dump(value: Any) -> str:
    """Write a dataclass as compact JSON, fields at their defaults left out."""
    return _ENCODER.encode(value)


def load_event(name: str, text: str) -> Event:
    """Read an event by the name of its class.

    Raises:
        KeyError, ValueError, TypeError: the text was not written by this version.
    """
    event: Event = _reader(EVENTS[name])(json.loads(text))
    return event


def load_record(text: str) -> Record:
    """Read a record.

    Raises:
        KeyError, ValueError, TypeError: the text was not written by this version.
    """
    record: Record = _reader(Record)(json.loads(text))
    return record


def _plain(value: Any) -> Any:
    """Return what the encoder understands in place of a value that it does not.

    Raises:
        TypeError: the value has no place in the journal.
    """
    if type(value) is Decimal:
        return str(value)
    names, defaults, values_of = _layout(type(value))  # type: ignore[arg-type]  # a dataclass type hashes
    return {
        name: one
        for name, one, default in zip(names, values_of(value), defaults, strict=True)
        if one is not default and one != default
    }


@cache
def _layout(cls: type) -> tuple[tuple[str, ...], tuple[Any, ...], Callable[[Any], tuple[Any, ...]]]:
    """Return a dataclass's fields, what they are at first (MISSING equals nothing), and how they are read."""
    names = tuple(one.name for one in fields(cls))
    read = attrgetter(*names)
    values_of = read if len(names) > 1 else lambda value: (read(value),)
    return names, tuple(one.default for one in fields(cls)), values_of


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False, default=_plain
)


def _reader(cls: Any) -> Callable[[dict[str, Any]], Any]:
    return _made_reader(cls)


@cache
def _made_reader(cls: Any) -> Callable[[dict[str, Any]], Any]:
    hints = typing.get_type_hints(cls)
    names = [one.name for one in fields(cls)]
    made = [(name, _REPEATED.get(name) or _decoder(hints[name])) for name in names]
    decoders = [(name, decode) for name, decode in made if decode is not None]

    def read(plain: dict[str, Any]) -> Any:
        for name, decode in decoders:
            if name in plain:
                plain[name] = decode(plain[name])
        return cls(**plain)

    return read


# A hundred thousand records name few prices, models, authors, types and sizes: equal ones are kept once.
_REPEATED: Mapping[str, Decode] = {
    **dict.fromkeys(("model", "author", "sender", "mime", "kind", "type"), sys.intern),
    **dict.fromkeys(("width", "height"), lru_cache(maxsize=4096)(int)),
    "params": SharedParams().of,
}
_decimal = lru_cache(maxsize=4096)(Decimal)


def _decoder(hint: Any) -> Decode | None:
    """Return what turns a JSON value into the hinted type; None where it already is."""
    if hint is Decimal:
        return _decimal
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if is_dataclass(hint):
        return _reader(hint)
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        one = _decoder(parts[0])
        return tuple if one is None else lambda values: tuple(map(one, values))
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = next((found for part in parts if (found := _decoder(part)) is not None), None)
        return None if inner is None else lambda value: None if value is None else inner(value)
    return None
