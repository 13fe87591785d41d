"""How the service behaves: one frozen value, every field with its unit.

Nothing else configures the simulator, and nothing here acts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from enum import StrEnum

from batchgen.model import Rate
from batchgen.rights import Right
from batchgen.simulator.draws import Span
from batchgen.simulator.exchange import Call
from batchgen.simulator.faults import FaultPlan


class RetryAfter(StrEnum):
    """How an answer that throttles says how long."""

    SECONDS = "seconds"
    DATE = "date"
    MILLISECONDS = "milliseconds"
    NOWHERE = "nowhere"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What the service lets a client do.

    Attributes:
        ceiling: jobs that may run at once, None for any number.
        cooldown: seconds without a submit after the ceiling was met, 0 for none.
        cooldown_in_details: whether ``remainingSeconds`` stands in ``details`` or at the top.
        rate: requests to the API; a burst of ``count`` passes. None for any number.
        retry_after: where an answer to too many requests says how long to wait.
        plan_rank: models graded above it are refused (0 free ... 100 enterprise).
        credits: compute units to spend, refunds come back; None for any number.
    """

    ceiling: int | None = None
    cooldown: float = 0.0
    cooldown_in_details: bool = False
    rate: Rate | None = None
    retry_after: RetryAfter = RetryAfter.SECONDS
    plan_rank: int = 100
    credits: Decimal | None = None

    def __post_init__(self) -> None:
        if self.ceiling is not None and self.ceiling < 1:
            raise ValueError("a ceiling is at least 1")
        if self.cooldown < 0:
            raise ValueError("a cooldown is no less than 0 seconds")
        if self.credits is not None and not (self.credits.is_finite() and self.credits >= 0):
            raise ValueError("credits are 0 or more")


class UnknownInputs(StrEnum):
    """What becomes of inputs that a model does not declare."""

    IGNORE = "ignore"
    REFUSE = "refuse"


OF_A_MODEL = frozenset({Call.SUBMIT, Call.QUOTE, Call.MODEL})  # the calls that name one


@dataclass(frozen=True, kw_only=True, slots=True)
class Denied:
    """What the credentials may not do: the service answers 403.

    Attributes:
        models: whose jobs may not be run.
        calls: which of the calls that name such a model are refused.
        named: whether the refusal has the class and the details of one for the plan, or a sentence alone.
        listing: whether jobs may not be listed.
        rights: what else this key may not do.
        status: of the answer for want of a right: 403, or 401 or 404 where the service hides what there is.
    """

    models: frozenset[str] = frozenset()
    calls: frozenset[Call] = OF_A_MODEL
    named: bool = True
    listing: bool = False
    rights: frozenset[Right] = frozenset()
    status: int = 403

    def __post_init__(self) -> None:
        if not self.calls <= OF_A_MODEL:
            raise ValueError("only submits, quotes and descriptions are of a model")
        if self.status not in {401, 403, 404}:
            raise ValueError("a key that may not is answered with 401, 403 or 404")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes:
    """How jobs end.

    Attributes:
        failures: share of jobs that fail.
        moderated: share of the failures whose error speaks of moderation.
        cancellations: share of jobs that the service cancels.
        refunds: whether failed jobs are refunded; without, they say ``disableRefund``.
        instant: whether a job has ended by the time its submit is answered.
        strange_word: a status that no client knows, passed through by every job; empty for none.
    """

    failures: float = 0.0
    moderated: float = 0.0
    cancellations: float = 0.0
    refunds: bool = True
    instant: bool = False
    strange_word: str = ""

    def __post_init__(self) -> None:
        _check_shares(self, "failures", "moderated", "cancellations")
        if self.failures + self.cancellations > 1:
            raise ValueError("failures and cancellations add up to 1 at most")


@dataclass(frozen=True, kw_only=True, slots=True)
class Views:
    """How faithfully and how soon the service shows what it knows.

    Attributes:
        listing_lag: seconds by which a job's row in a listing is behind, drawn for each job.
        job_lag: seconds for which a fresh job is not found by its id.
        short_pages: share of a listing's pages that hold fewer rows than there are, or none.
        archived_after: seconds after a job's end until listings show its prompt as an asset's
            id; None for never.
        echo_defaults: whether a job's inputs show defaults that were not sent.
        echo_floats: whether whole numbers come back with a point.
        echo_missing: share of jobs that show no inputs.
        late_outputs: share of jobs that show only some of their outputs, or none, when they have ended.
        outputs_whole_after: seconds from their end until they show all, drawn for each.
        outputs_late_in_jobs: whether the job itself shows them late too, and not only its row in a listing.
        index_always_zero: whether every output of a job says it is the first.
        other_sizes: whether pictures have another size than was asked for.
        extras: whether every object has keys that nobody documented.
        performance: whether models publish how long they take.
        hides_addons: whether a job's billing shows its main action alone, as if nothing were added.
    """

    listing_lag: Span = (0.0, 0.0)
    job_lag: float = 0.0
    short_pages: float = 0.0
    archived_after: float | None = None
    echo_defaults: bool = False
    echo_floats: bool = False
    echo_missing: float = 0.0
    late_outputs: float = 0.0
    outputs_whole_after: Span = (0.0, 0.0)
    outputs_late_in_jobs: bool = False
    index_always_zero: bool = False
    other_sizes: bool = False
    extras: bool = True
    performance: bool = True
    hides_addons: bool = False

    def __post_init__(self) -> None:
        _check_shares(self, "short_pages", "echo_missing", "late_outputs")
        _check_spans(listing_lag=self.listing_lag, outputs_whole_after=self.outputs_whole_after)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be said about a simulated service.

    Attributes:
        seed: equal seeds and equal calls at equal times give equal answers.
        key, secret: what Basic authorization has to carry.
        more_keys: further keys of the same project, each by another author, with the same secret.
        author_prefix: how the author of the key's jobs begins: ``apiu_`` for a key, ``user_`` for a person.
        project: the only one that the key may name; None for any.
        latency: seconds from a request to its answer.
        duration: seconds from acceptance to the end of a job.
        durations: the same by model, in place of ``duration``.
        prices: compute units of one output by model, in place of the usual ones.
        quality_gate: whether images are checked for an extra charge.
        gate_price: compute units of such a check; None for the usual ones.
        discount: share that is taken off the main action; a job's billing shows it beside the full cost.
        url_life: seconds that a signed URL holds; None for the service's own calendar steps.
        unknown_inputs: what becomes of inputs that a model does not declare; None for the service's own way:
            tools ignore them, other models refuse them.
        prices_unknown_assets: whether dry runs price a file that is not there, as if it were of usual size;
            otherwise they refuse it, as submits do. Which of it the service does is not known.
        slow: seconds that the fault of a slow answer adds.
        late: seconds after its answer was lost until a late submit arrives, drawn for each.
        fault_retry_after: seconds that a fault of too many requests asks to wait.
        denied: what the credentials may not do.
        faults: which calls go wrong.
    """

    seed: int = 0
    key: str = "key"
    secret: str = field(default="secret", repr=False)
    more_keys: tuple[str, ...] = ()
    author_prefix: str = "apiu_"
    project: str | None = None
    latency: Span = (0.02, 0.08)
    duration: Span = (4.0, 12.0)
    durations: Mapping[str, Span] = field(default_factory=dict)
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    quality_gate: bool = False
    gate_price: Decimal | None = None
    discount: Decimal = Decimal(0)
    url_life: float | None = None
    unknown_inputs: UnknownInputs | None = None
    prices_unknown_assets: bool = False
    slow: float = 75.0
    late: Span = (5.0, 300.0)
    fault_retry_after: float = 1.0
    limits: Limits = field(default_factory=Limits)
    denied: Denied = field(default_factory=Denied)
    outcomes: Outcomes = field(default_factory=Outcomes)
    views: Views = field(default_factory=Views)
    faults: FaultPlan = field(default_factory=FaultPlan)

    def __post_init__(self) -> None:
        _check_spans(latency=self.latency, duration=self.duration, late=self.late, **self.durations)
        if any(not price.is_finite() or price < 0 for price in self.prices.values()):
            raise ValueError("a price is 0 or more")
        if not 0 <= self.discount <= 1:
            raise ValueError("a discount is a share, from 0 to 1")

    def duration_of(self, model: str) -> Span:
        """Return the seconds that jobs of a model take."""
        return self.durations.get(model, self.duration)

    def at_speed(self, speed: float) -> "Settings":
        """Return the same service sped up: every duration shrinks, and so does the time a rate counts in.

        The clock stays the client's own, so that what the service says of times, waits and
        latencies is in seconds that the client can live by. The life of URLs does not shrink:
        it is counted in days.

        Args:
            speed: simulated seconds a second.
        """
        if not 0 < speed < math.inf:
            raise ValueError("a speed is a number above 0")
        rate, views = self.limits.rate, self.views
        return replace(
            self,
            latency=_faster(self.latency, speed),
            duration=_faster(self.duration, speed),
            durations={model: _faster(one, speed) for model, one in self.durations.items()},
            slow=self.slow / speed,
            late=_faster(self.late, speed),
            fault_retry_after=self.fault_retry_after / speed,
            limits=replace(
                self.limits,
                cooldown=self.limits.cooldown / speed,
                rate=None if rate is None else Rate(count=rate.count, seconds=rate.seconds / speed),
            ),
            views=replace(
                views,
                listing_lag=_faster(views.listing_lag, speed),
                job_lag=views.job_lag / speed,
                outputs_whole_after=_faster(views.outputs_whole_after, speed),
                archived_after=None if views.archived_after is None else views.archived_after / speed,
            ),
        )


def _faster(span: Span, speed: float) -> Span:
    low, high = span
    return low / speed, high / speed


def _check_shares(value: Outcomes | Views, *names: str) -> None:
    for one in fields(value):
        if one.name in names and not 0 <= getattr(value, one.name) <= 1:
            raise ValueError(f"{one.name} is a share, from 0 to 1")


def _check_spans(**spans: Span) -> None:
    for name, (low, high) in spans.items():
        if not 0 <= low <= high:
            raise ValueError(f"{name} is a span of seconds, the lower end first")
