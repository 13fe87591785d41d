"""A submission's whole life, drawn when it is accepted: its status is a function of it and the time.

Nothing about a job changes afterwards. That is why a log of accepted jobs is all that a
restarted simulator needs, and why two looks at the same time never differ.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from batchgen.model import Json
from batchgen.simulator.draws import Draws, Span
from batchgen.simulator.settings import Outcomes

SUCCESS, FAILURE, CANCELED = "success", "failure", "canceled"
_ENDS = frozenset({SUCCESS, FAILURE, CANCELED})
_TICK = 0.001  # seconds: dates are in milliseconds
_QUEUED_AFTER = 0.134  # seconds, as recorded; sooner in short lives
_WITH_WARMING, _WITH_FINALIZING, _WITH_PROGRESS = 0.2, 0.3, 0.7  # shares of jobs
_ERRORS = (
    ("The provider failed to generate a result.", "Try again, or try other settings."),
    ("Internal error during inference.", "This is usually temporary."),
    ("The generation timed out.", "Lower the resolution and try again."),
)
_MODERATED = ("The prompt was flagged by the safety system (content policy).", "Rephrase the prompt.")


class Step(NamedTuple):
    """A status from a moment on.

    Attributes:
        word: the service's status.
        at: seconds since the epoch, in whole milliseconds.
    """

    word: str
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """One accepted POST: charged, and on its way to an end that is already fixed.

    Attributes:
        ordinal: 0 for the first that this service accepted.
        remote_id: the service's ``jobId``.
        model: the service's id of the model.
        body: the text that was sent.
        inputs: what the service runs with.
        created_at: seconds since the epoch, in whole milliseconds.
        author, owner: the key's user and the project.
        main_cost: compute units without add-ons.
        addons: compute units by name.
        discount: compute units that were taken off the main cost.
        steps: every status the job goes through; the last is its end.
        error, hint: what a failure says.
        progresses: whether the progress moves before the end.
        refundable: whether a failure is refunded.
        lag: seconds by which listings are behind on it.
        shows_inputs: whether its inputs are echoed.
        whole_after: seconds from its end until it shows all its outputs.
        shown_at_first: share of its outputs that it shows until then, from 0 to below 1.
    """

    ordinal: int
    remote_id: str
    model: str
    body: str
    inputs: Mapping[str, Any]
    created_at: float
    author: str
    owner: str
    main_cost: Decimal
    addons: Mapping[str, Decimal]
    steps: tuple[Step, ...]
    error: str = ""
    hint: str = ""
    progresses: bool = True
    refundable: bool = True
    lag: float = 0.0
    shows_inputs: bool = True
    whole_after: float = 0.0
    shown_at_first: float = 0.0
    discount: Decimal = Decimal(0)

    @property
    def cost(self) -> Decimal:
        """What was charged, add-ons included."""
        return self.main_cost + sum(self.addons.values(), Decimal(0))

    @property
    def end(self) -> Step:
        """The last status and when it is reached."""
        return self.steps[-1]

    @property
    def refund(self) -> Decimal:
        """What comes back at the end: everything for a failure, add-ons for a cancellation."""
        if self.end.word == SUCCESS or not self.refundable:
            return Decimal(0)
        return self.cost if self.end.word == FAILURE else self.cost - self.main_cost

    def reached(self, now: float) -> tuple[Step, ...]:
        """Return the statuses reached by then, in order; always at least the first."""
        return tuple(one for one in self.steps if one.at <= now) or self.steps[:1]

    def ended(self, now: float) -> bool:
        """Return whether it has ended by then."""
        return self.end.at <= now

    def shows(self, outputs: Sequence[str], now: float) -> Sequence[str]:
        """Return those of its outputs that it shows by then, in order."""
        whole = now >= self.end.at + self.whole_after
        return outputs if whole else outputs[: int(self.shown_at_first * len(outputs))]

    def progress(self, now: float) -> float:
        """Return the share done, from 0 to 1; some models tell nothing before the end."""
        if self.ended(now) or self.end.at <= self.created_at:
            return 1.0
        if not self.progresses:
            return 0.0
        # a row of a listing may be looked at a rounding before an instant job began and ended
        share = (now - self.created_at) / max(_TICK, self.end.at - self.created_at)
        return max(0.0, math.floor(share * 100) / 100)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobScript:
    """The part of a life that chance decides."""

    steps: tuple[Step, ...]
    error: str
    hint: str
    progresses: bool


def whole_milliseconds(now: float) -> float:
    """Round down to what a date of the service can say."""
    return math.floor(now * 1000 + 1e-3) / 1000  # floats that count from the epoch are 2e-4 ms coarse


def draw_fortune(draws: Draws, ordinal: int, *, at: float, duration: Span, outcomes: Outcomes) -> JobScript:
    """Draw how a job goes.

    Args:
        draws: the source of chance.
        ordinal: which job it is.
        at: when it is accepted, in whole milliseconds.
        duration: seconds that jobs of the model take.
        outcomes: how jobs of this service end.
    """
    word = _end(draws, ordinal, outcomes)
    error, hint = _words(draws, ordinal, outcomes) if word == FAILURE else ("", "")
    seconds = 0.0 if outcomes.instant else max(_TICK, draws.between(duration, "duration", ordinal))
    end = whole_milliseconds(at + seconds + _TICK / 2)
    shares = [(one, share) for one, share in _way(draws, ordinal, outcomes) if end > at]
    steps = [Step("pending", at)]
    steps.extend(
        Step(one, min(end, whole_milliseconds(at + _offset(one, share, end - at)))) for one, share in shares
    )
    return JobScript(
        steps=(*steps, Step(word, end)),
        error=error,
        hint=hint,
        progresses=draws.chance(_WITH_PROGRESS, "progress", ordinal),
    )


def _end(draws: Draws, ordinal: int, outcomes: Outcomes) -> str:
    share = draws.share("end", ordinal)
    if share < outcomes.failures:
        return FAILURE
    return CANCELED if share < outcomes.failures + outcomes.cancellations else SUCCESS


def _words(draws: Draws, ordinal: int, outcomes: Outcomes) -> tuple[str, str]:
    if draws.chance(outcomes.moderated, "moderated", ordinal):
        return _MODERATED
    return _ERRORS[int(draws.share("error", ordinal) * len(_ERRORS))]


def _way(draws: Draws, ordinal: int, outcomes: Outcomes) -> list[tuple[str, float]]:
    """Return the statuses between the first and the last, each with its share of the duration."""
    way = [("queued", 0.02)]
    if draws.chance(_WITH_WARMING, "warming", ordinal):
        way.append(("warming-up", 0.05))
    way.append(("in-progress", draws.between((0.06, 0.15), "start", ordinal)))
    if outcomes.strange_word:
        way.append((outcomes.strange_word, 0.6))
    if draws.chance(_WITH_FINALIZING, "finalizing", ordinal):
        way.append(("finalizing", 0.95))
    return way


def _offset(word: str, share: float, duration: float) -> float:
    return min(_QUEUED_AFTER, share * duration) if word == "queued" else share * duration


def to_json(job: Submission) -> dict[str, Json]:
    """Write a submission as the line of a log; the way back is ``from_json``."""
    return {
        "ordinal": job.ordinal,
        "remote_id": job.remote_id,
        "model": job.model,
        "body": job.body,
        "inputs": dict(job.inputs),
        "created_at": job.created_at,
        "author": job.author,
        "owner": job.owner,
        "main_cost": str(job.main_cost),
        "addons": {name: str(units) for name, units in job.addons.items()},
        "steps": [list(one) for one in job.steps],
        "error": job.error,
        "hint": job.hint,
        "progresses": job.progresses,
        "refundable": job.refundable,
        "lag": job.lag,
        "shows_inputs": job.shows_inputs,
        "whole_after": job.whole_after,
        "shown_at_first": job.shown_at_first,
        "discount": str(job.discount),
    }


def from_json(line: Mapping[str, Any]) -> Submission:
    """Read the line of a log.

    Raises:
        ValueError, KeyError, TypeError, ArithmeticError: it is none.
    """
    steps = tuple(Step(str(word), float(at)) for word, at in line["steps"])
    if not steps or steps[-1].word not in _ENDS:
        raise ValueError("a life without an end")
    return Submission(
        **{
            **line,
            "main_cost": Decimal(line["main_cost"]),
            "discount": Decimal(line.get("discount", 0)),
            "addons": {name: Decimal(units) for name, units in line["addons"].items()},
            "steps": steps,
        }
    )
