"""Why the service says no, and how long it asks to wait: read from an answer that is no success.

The service has no one shape for its errors: flat objects with ``reason``, a gateway's
``message``, a load balancer's page of HTML. They are told apart here and nowhere else.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from batchgen.model import Json
from batchgen.scenario.fields import WireError, as_mapping, as_number, as_text, parse_object
from batchgen.scenario.transport import Answer
from batchgen.scenario.wire import REASON_KEYS
from batchgen.scenario.wording import readable, without_markup

_ONE_MODEL = re.compile(r"(?<![.:])\bmodel\b(?![.:]\w)", re.IGNORECASE)
_PROJECT = re.compile(r"\bprojects?\b", re.IGNORECASE)
LONGEST_WAIT = 3600.0  # seconds: whoever is told to wait for longer may ask again by then


def error_object(answer: Answer) -> Mapping[str, Any]:
    """Return the error's JSON object, empty where the body is something else."""
    try:
        return parse_object(answer.body)
    except WireError:
        return {}


def reason_of(answer: Answer) -> str:
    """Tell why in the service's own words, with what else a person needs to ask about it."""
    data = error_object(answer)
    said = readable(_words(data), answer.redact) or _raw(answer, data)
    notes = [_status(answer.status), as_text(data.get("name")), *_details(data), _trace(data)]
    why = readable(
        f"{said or 'no reason given'} ({', '.join(one for one in notes if one)})", answer.redact, limit=600
    )
    return f"{why}; {answer.hint}" if answer.hint and _may_be_elsewhere(answer) else why


def _may_be_elsewhere(answer: Answer) -> bool:
    """Return whether an answer may come from another place than the service: its gateway, or a page of HTML.

    A gateway answers a path that it does not know as it answers wrong credentials.
    """
    within = answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return within and answer.status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.PAYMENT_REQUIRED}


def name_of(answer: Answer) -> str:
    """Return the service's class of the error, empty where it gives none."""
    return as_text(error_object(answer).get("name"))


def names_a_model(answer: Answer) -> bool:
    """Return whether a refusal is for one model: by its class, its details or its words.

    A scope such as ``model.read``, and models in general, are no model.
    """
    data = error_object(answer)
    if as_text(data.get("name")) == "ModelAccessRestrictedError":
        return True
    return bool(as_text(as_mapping(data.get("details")).get("modelId")) or _ONE_MODEL.search(_words(data)))


def names_a_project(answer: Answer) -> bool:
    """Return whether a refusal speaks of the project: then it is the wrong one, whatever the key may do."""
    return _PROJECT.search(_words(error_object(answer))) is not None


def limit_of(answer: Answer) -> tuple[int | None, str | None]:
    """Return the ceiling that a 429 names, and the service's name for it."""
    details = as_mapping(error_object(answer).get("details"))
    # source: docs/service.md ceiling
    limit, action = _number(details.get("actionLimit")), as_text(details.get("actionName"))
    return (
        int(limit) if limit is not None and limit.is_integer() and limit >= 0 else None,
        readable(action, answer.redact) or None,
    )


def asked_wait(answer: Answer) -> float | None:
    """Return the seconds that the service asks to wait, None where it names none.

    The longest of all that it names: a gateway's header and the service's own count of a
    cooldown may differ. A date is counted from the answer's own, so that no clock of ours matters.
    """
    data = error_object(answer)
    milliseconds = _number(answer.headers.get("retry-after-ms"))
    named = (
        None if milliseconds is None else milliseconds / 1000,
        _number(answer.headers.get("retry-after")),
        _until(answer.headers.get("retry-after", ""), answer.headers.get("date", "")),
        _number(data.get("remainingSeconds")),
        _number(as_mapping(data.get("details")).get("remainingSeconds")),
    )
    waits = [one for one in named if one is not None and one >= 0]
    return min(LONGEST_WAIT, max(waits)) if waits else None


def _words(data: Mapping[str, Json]) -> str:
    said = [data.get(key) for key in REASON_KEYS]
    inner = [as_mapping(one).get(key) for one in said for key in REASON_KEYS]
    return next((text for one in (*said, *inner) if (text := as_text(one))), "")


def _raw(answer: Answer, data: Mapping[str, Json]) -> str:
    text = answer.body.decode("utf-8", "replace")
    return readable(text, answer.redact) if data else without_markup(text, answer.redact)


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _details(data: Mapping[str, Json]) -> list[str]:
    """Return the details that say something by themselves, such as the plan that would do."""
    details = as_mapping(data.get("details"))
    return [f"{key} {one}" for key, one in details.items() if isinstance(one, str | int)][:6]


def _trace(data: Mapping[str, Json]) -> str:
    trace = as_text(data.get("traceId")) or as_text(data.get("trace_id"))
    return f"trace {trace}" if trace else ""


def _number(value: Json) -> float | None:
    """Read a number, also where it is spelled as text; headers are, and bodies may."""
    try:
        number = float(value) if isinstance(value, str) else as_number(value)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


def served_at(answer: Answer) -> float | None:
    """Return the service's clock from the ``Date`` header, in seconds since the epoch; None without one."""
    return _instant(answer.headers.get("date", ""))


@lru_cache(maxsize=16)  # all answers of a second have the same
def _instant(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser's own on a text that is no date
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _until(text: str, now: str) -> float | None:
    try:
        moments = [parsedate_to_datetime(one) for one in (text, now)]
        then, start = (one if one.tzinfo else one.replace(tzinfo=UTC) for one in moments)
        return max(0.0, (then - start).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser's own on a text that is no date
        return None
