"""What an answer of the service means as an event. Pure: nothing is recorded here."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from batchgen.errors import (
    AmbiguousError,
    DeferredError,
    NotSentError,
    RefusedError,
    ServiceError,
    StoppedError,
)
from batchgen.lifecycle import (
    Accepted,
    AnswerLost,
    Canceled,
    Deferred,
    Event,
    Failed,
    NotSent,
    Refused,
    Stopped,
    Succeeded,
)
from batchgen.model import Receipt, Refund, RemoteJob, RemoteStatus

# The service marks a moderated generation only in its prose; these are the words seen there.
_MODERATION = ("moderat", "nsfw", "sensitive content", "content policy", "flagged", "safety system")

_ENDS: Mapping[RemoteStatus, type[Succeeded | Failed | Canceled]] = {
    RemoteStatus.SUCCEEDED: Succeeded,
    RemoteStatus.FAILED: Failed,
    RemoteStatus.CANCELED: Canceled,
}


def after_receipt(
    receipt: Receipt, *, at: float, quoted: Decimal | None = None, expected: int = 1
) -> tuple[Event, ...]:
    """Return what an accepted submit amounts to: it may already have ended.

    Args:
        receipt: the answer.
        at: now, seconds since the epoch.
        quoted: what its intent says that it would cost.
        expected: how many assets it is to have.
    """
    accepted = Accepted(
        at=at,
        remote_id=receipt.job.remote_id,
        charged=receipt.charged,
        author=receipt.job.author,
        owner=receipt.job.owner,
        quoted=quoted,
    )
    end = after_look(receipt.job, at=at, expected=expected)
    return (accepted,) if end is None else (accepted, end)


def after_failure(error: ServiceError, *, at: float) -> Event:
    """Return what a submit that brought an error amounts to; what is not certain is in doubt."""
    reason = str(error)
    match error:
        case NotSentError():
            return NotSent(at=at, reason=reason)
        case DeferredError():
            return Deferred(at=at, reason=reason)
        case StoppedError():
            return Stopped(at=at, reason=reason)
        case RefusedError():
            return Refused(at=at, reason=reason)
        case AmbiguousError():
            return AnswerLost(at=at, reason=reason)
        case _:
            return AnswerLost(at=at, reason=f"unexpected: {reason}")


def after_look(remote: RemoteJob, *, at: float, expected: int = 1) -> Event | None:
    """Return the end a look has found; None while the submission runs.

    Args:
        remote: what the service says of the job itself.
        at: now, seconds since the epoch.
        expected: how many assets a success is to have.
    """
    kind = _ENDS.get(remote.status)
    if kind is None:
        return None
    error = "" if kind is Succeeded else _reason(remote)
    moderated = any(word in error.lower() for word in _MODERATION)
    end = kind(
        at=at,
        charged=remote.cost,
        discount=remote.discount,
        itemized=remote.itemized,
        started_at=remote.started_at,
        finished_at=remote.finished_at,
        asset_ids=remote.asset_ids,
        error=error,
        moderated=moderated,
        refund=refund_of(remote, moderated=moderated),
    )
    if not isinstance(end, Succeeded):
        return end
    # something came out of every success: an asset, or a text in its place
    least = 0 if remote.asset_ids or remote.wrote else 1
    return replace(end, expected=max(expected, least))


def after_row(row: RemoteJob, *, at: float) -> Event | None:
    """Return the end that a row of a listing shows; None while it runs, or the job itself must be asked.

    A row may be behind on what came out, so that a success is no end yet: whoever watches asks the job.
    """
    end = after_look(row, at=at)
    return None if isinstance(end, Succeeded) else end


def refund_of(remote: RemoteJob, *, moderated: bool) -> Refund:
    """Return whether the service gives the charge back, by its own rules.

    It does for a failure unless ``billing`` says ``disableRefund`` or the content was the reason;
    what becomes of the charge of a canceled job is documented nowhere.
    """
    failed = remote.status is RemoteStatus.FAILED
    return Refund.ASSUMED if failed and remote.refundable and not moderated else Refund.NONE


def _reason(remote: RemoteJob) -> str:
    said = ": ".join(part for part in (remote.error, remote.hint) if part)
    return said or f"the service says {remote.word} and gives no reason"
