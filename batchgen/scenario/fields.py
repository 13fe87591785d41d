"""Single JSON values of the service, read forgivingly: what is not of the type is as good as absent.

Nothing here knows a key of the service. Numbers with a point are ``Decimal`` from the
parser on, because some of them are money; ``plain`` is the way back.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from batchgen.model import Json

_LONGEST_ID = 256
_DEEPEST = 64  # levels: deeper nesting is cut, long before the interpreter's stack would be


class WireError(Exception):
    """The answer lacks what the caller needs of it; never leaves this package."""


def parse_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object; numbers with a point become ``Decimal``, and so does a bare ``NaN``.

    Raises:
        WireError: not JSON, or not an object.
    """
    try:
        value = json.loads(body, parse_float=_decimal, parse_constant=Decimal)
    except (ValueError, RecursionError) as exc:
        raise WireError("the answer is not JSON") from exc
    return as_object(value, "the answer")


def as_object(value: Json, what: str) -> dict[str, Any]:
    """Insist on an object.

    Raises:
        WireError: it is something else; ``what`` names it.
    """
    if not isinstance(value, dict):
        raise WireError(f"{what} is not an object")
    return value


def as_mapping(value: Json) -> Mapping[str, Any]:
    """Return the object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Any]:
    """Return the list, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str:
    """Return the string without the space around it, or an empty one."""
    return value.strip() if isinstance(value, str) else ""


def as_finite(value: Json) -> Decimal | None:
    """Return the number exactly; a boolean, a string or an infinity is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def as_number(value: Json) -> float | None:
    """Return the number as a float, None where it is none or none that a float can hold."""
    finite = as_finite(value)
    number = math.inf if finite is None else float(finite)
    return number if math.isfinite(number) else None


def as_instant(value: Json) -> float | None:
    """Read an ISO 8601 date as seconds since the epoch; UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(as_text(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def is_id(value: Json) -> bool:
    """Return whether this can be an id: short, printable, without white space."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_ID
        and value.isprintable()
        and " " not in value  # of all white space it alone can be printed
    )


def first_id(*candidates: Json) -> str:
    """Return the first of the values that is an id.

    Raises:
        WireError: none is.
    """
    for one in candidates:
        if is_id(one):
            return str(one)
    raise WireError("there is no id in it")


def plain(value: Json, depth: int = 0) -> Json:
    """Return a JSON value as ``json.loads`` would by itself, in text that every store takes."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, Decimal):
        return as_number(value)
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one, depth + 1) for one in value]
    return value


def storable(text: str) -> str:
    """Replace half characters, which JSON can spell and neither UTF-8 nor SQLite takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except ArithmeticError:  # an exponent beyond what Decimal can hold
        return None
