"""Events and records as JSON and back, told by the types of their fields.

Nothing else knows how they lie on the disk. A field that a newer version added is
refused by the schema's version, never skipped.
"""

import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from batchgen.lifecycle import EVENTS, Event, Record

Decode = Callable[[Any], Any]


def dump(value: Any) -> str:
    """Write a dataclass as compact JSON, fields at their defaults left out."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


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
    match value:
        case Decimal():
            return str(value)
        case tuple():
            return [_plain(one) for one in value]
        case _ if is_dataclass(value):
            return {
                name: _plain(one)
                for name, default in _defaults(type(value))  # type: ignore[arg-type]  # a dataclass type hashes
                if (one := getattr(value, name)) != default or default is MISSING
            }
        case _:
            return value


@cache
def _defaults(cls: type) -> tuple[tuple[str, Any], ...]:
    return tuple((one.name, one.default) for one in fields(cls))


def _reader(cls: Any) -> Callable[[Mapping[str, Any]], Any]:
    return _made_reader(cls)


@cache
def _made_reader(cls: Any) -> Callable[[Mapping[str, Any]], Any]:
    hints = typing.get_type_hints(cls)
    decoders = {one.name: _decoder(hints[one.name]) for one in fields(cls)}

    def read(plain: Mapping[str, Any]) -> Any:
        return cls(
            **{
                name: value if (decode := decoders[name]) is None else decode(value)
                for name, value in plain.items()
            }
        )

    return read


def _decoder(hint: Any) -> Decode | None:
    """Give what turns a JSON value into the hinted type; None where it already is."""
    if hint is Decimal:
        return Decimal
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if is_dataclass(hint):
        return _reader(hint)
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        one = _decoder(parts[0])
        return tuple if one is None else lambda values: tuple(one(value) for value in values)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = next((found for part in parts if (found := _decoder(part)) is not None), None)
        return None if inner is None else lambda value: None if value is None else inner(value)
    return None
