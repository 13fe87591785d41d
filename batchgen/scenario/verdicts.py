"""What an answer means for the caller's next move: the one place where a status is interpreted.

Pure: an answer goes in, a value or an error of our tree comes out. A paid POST and an
idempotent call read the same status differently, hence two verdicts: what leaves a call
worth repeating leaves a purchase in doubt.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from batchgen.errors import (
    AmbiguousError,
    BoughtByQuoteError,
    DeferredError,
    ModelClosedError,
    NoListingError,
    NotFoundError,
    RefusedError,
    ServiceError,
    StopCause,
    StoppedError,
    TransientError,
)
from batchgen.model import Receipt
from batchgen.rights import MEANINGS, KeyRights, Right
from batchgen.scenario.fields import WireError, parse_object
from batchgen.scenario.reasons import (
    asked_wait,
    error_object,
    limit_of,
    name_of,
    names_a_model,
    names_a_project,
    reason_of,
)
from batchgen.scenario.transport import Answer
from batchgen.scenario.wire import parse_quote, parse_receipt

# This job's input is at fault, and nothing was paid.
REFUSING = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
# No job of this account will be taken as things are, and nothing was paid.
STOPPING = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN})
# An idempotent call that met one of these may be made again; so may one that met no 4xx.
PASSING = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        499,  # a proxy's word for a client that went away
    }
)


def submit_verdict(answer: Answer) -> Receipt:
    """Read the answer to a paid POST.

    Raises:
        RefusedError, ModelClosedError, StoppedError, DeferredError: nothing was paid.
        AmbiguousError: everything that is neither a job id nor a plain no. A no that carries
            a job id is one of these: it may have been paid for.
    """
    if _is_success(answer):
        return _receipt(answer)
    reason = reason_of(answer)
    if _purchase(answer) is not None:
        raise AmbiguousError(f"refused, and yet there is a job: {reason}")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        ceiling, action = limit_of(answer)
        raise DeferredError(reason, retry_after=asked_wait(answer), ceiling=ceiling, action=action)
    if answer.status in REFUSING:
        raise RefusedError(reason)
    _refuse_closed(answer)
    if answer.status in STOPPING:
        raise _stopped(answer, reason)
    raise AmbiguousError(reason)


def quote_verdict(answer: Answer) -> Mapping[str, Any]:
    """Read the answer to a dry run, whose status is 269 and whose ``job`` is absent or empty.

    Raises:
        BoughtByQuoteError: it carries a job id, and so was a purchase.
        ModelClosedError: this model is run for nobody of this account.
        NotFoundError, StoppedError, TransientError, RefusedError: as ``call_verdict``.
    """
    if (bought := _purchase(answer)) is not None:
        job = bought.job
        raise BoughtByQuoteError(job.remote_id, charged=bought.charged, author=job.author)
    _refuse_closed(answer)
    return call_verdict(answer)


def first_quote_verdict(answer: Answer) -> Mapping[str, Any]:
    """Read the answer to the first dry run, of which it is not known yet that it buys nothing.

    Raises:
        BoughtByQuoteError, NotFoundError, StoppedError, RefusedError: as ``quote_verdict``.
        TransientError: 429, a plain no; ask again.
        AmbiguousError: everything else that is no price; should it have been an order, another
            question would be another one.
    """
    try:
        data = quote_verdict(answer)
        parse_quote(data)
    except TransientError as exc:
        if is_throttled(answer):
            raise
        raise AmbiguousError(str(exc)) from exc
    except WireError as exc:
        raise AmbiguousError(f"the service's answer cannot be used: {exc}") from exc
    return data


def call_verdict(answer: Answer) -> Mapping[str, Any]:
    """Read the answer to an idempotent call: its JSON object.

    Raises:
        NotFoundError: the service does not show what was asked for.
        StoppedError: credentials, plan or credits.
        TransientError: ask again, after the time it names if it names one.
        RefusedError: asking again will not help.
    """
    if _is_success(answer):
        try:
            return parse_object(answer.body)
        except WireError as exc:
            raise TransientError(f"{exc}: {reason_of(answer)}") from exc
    raise _call_error(answer)


def item_verdict(answer: Answer) -> Mapping[str, Any]:
    """Read the answer about one model or asset, where forbidden means that this account may not see it.

    The credentials were good for other calls, so only the gateway's own refusal of them stops.

    Raises:
        NotFoundError, StoppedError, TransientError, RefusedError: as ``call_verdict``.
    """
    if answer.status == HTTPStatus.FORBIDDEN and not _is_authorizer(answer):
        raise NotFoundError(reason_of(answer))
    return call_verdict(answer)


def model_verdict(answer: Answer) -> Mapping[str, Any]:
    """Read the answer about a model, where forbidden means that this account may not use it.

    Raises:
        ModelClosedError: so it is.
        NotFoundError, StoppedError, TransientError, RefusedError: as ``call_verdict``.
    """
    if answer.status == HTTPStatus.FORBIDDEN and not _is_authorizer(answer):
        raise ModelClosedError(reason_of(answer))
    return call_verdict(answer)


def listing_verdict(answer: Answer) -> Mapping[str, Any]:
    """Read a page of the listing of jobs, where forbidden means that this key may not list them.

    Raises:
        NoListingError: so it is.
        NotFoundError, StoppedError, TransientError, RefusedError: as ``call_verdict``.
    """
    if answer.status == HTTPStatus.FORBIDDEN and not _is_authorizer(answer):
        raise NoListingError(reason_of(answer))
    return call_verdict(answer)


def lacks_right(answer: Answer, right: Right, rights: KeyRights) -> bool:
    """Return whether an answer says that this key may not do this at all, and not of one thing alone.

    A key that did it before may; a key that was taken for something else is no wrong one.
    """
    if rights.may(right) or _is_authorizer(answer):
        return False
    match answer.status:
        case HTTPStatus.FORBIDDEN:
            return not (names_a_model(answer) or names_a_project(answer))
        case HTTPStatus.UNAUTHORIZED:
            return rights.is_welcome
        case HTTPStatus.NOT_FOUND:
            return rights.is_welcome and MEANINGS[right].of_all and right is not Right.LISTING
        case _:
            return False


def is_throttled(answer: Answer) -> bool:
    """Return whether the service asks all of us, not only this call, to slow down."""
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS


def _call_error(answer: Answer) -> ServiceError:
    reason = reason_of(answer)
    if answer.status == HTTPStatus.NOT_FOUND:
        return NotFoundError(reason)
    if answer.status in STOPPING:
        return _stopped(answer, reason)
    client_error = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if answer.status in PASSING or not client_error:
        return TransientError(reason, retry_after=asked_wait(answer))
    return RefusedError(reason)


def _refuse_closed(answer: Answer) -> None:
    """Tell a refusal that is for one model from one of everything."""
    forbidden = answer.status == HTTPStatus.FORBIDDEN and not _is_authorizer(answer)
    if forbidden and names_a_model(answer):
        raise ModelClosedError(reason_of(answer))


def _stopped(answer: Answer, reason: str) -> StoppedError:
    if answer.status == HTTPStatus.PAYMENT_REQUIRED:
        return StoppedError(reason, cause=StopCause.CREDITS)
    if answer.status == HTTPStatus.FORBIDDEN and name_of(answer) == "ModelAccessRestrictedError":
        return StoppedError(reason, cause=StopCause.PLAN)
    return StoppedError(reason, cause=StopCause.CREDENTIALS)


def _receipt(answer: Answer) -> Receipt:
    try:
        return parse_receipt(parse_object(answer.body), answer.redact)
    except WireError as exc:
        raise AmbiguousError(f"accepted, but {exc}: {reason_of(answer)}") from exc


def _purchase(answer: Answer) -> Receipt | None:
    """Read the receipt that an answer carries, whatever its status; None where it names no job."""
    try:
        return parse_receipt(error_object(answer), answer.redact)
    except WireError:
        return None


def _is_success(answer: Answer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _is_authorizer(answer: Answer) -> bool:
    return "accessdenied" in answer.headers.get("x-amzn-errortype", "").lower()
