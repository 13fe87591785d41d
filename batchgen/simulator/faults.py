"""What can go wrong with a call, and when it does: by probability, by script, or both.

A fault changes what the client sees. Whether the service did what it was asked for, and when,
is part of the fault's meaning and said in ``WITHOUT_EFFECT`` and ``LATE``, nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Call, Fate, Reply, answer, page


class Fault(StrEnum):
    """One thing that goes wrong, before or after the service acted, or long before it does ("late")."""

    CUT_BEFORE = "cut-before"
    CUT_AFTER = "cut-after"
    HANG_AFTER = "hang-after"
    ERROR_BEFORE = "500-before"
    ERROR_AFTER = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    TIMEOUT = "408"
    REDIRECT = "redirect"
    NO_JSON = "no-json"
    THROTTLED = "429"
    SLOW = "slow"
    TRUNCATED = "truncated"
    EXPIRED = "expired"
    ERROR_PAGE = "error-page"
    ZEROS = "zeros"
    HALF = "half"
    NOT_FOUND = "404"
    CUT_LATE = "cut-late"
    GATEWAY_LATE = "504-late"


WITHOUT_EFFECT = frozenset({Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.THROTTLED})
LATE = frozenset({Fault.CUT_LATE, Fault.GATEWAY_LATE})  # the service gets the request when all is over

_OF_DOWNLOADS = frozenset({Fault.TRUNCATED, Fault.EXPIRED, Fault.ERROR_PAGE, Fault.ZEROS, Fault.HALF})
_OF_ASSETS = frozenset({Fault.NOT_FOUND})  # there was one, and it is deleted
_OF_API = frozenset({Fault.NO_JSON, Fault.TIMEOUT, Fault.THROTTLED})


def faults_of(call: Call) -> tuple[Fault, ...]:
    """Return the faults that a call can suffer."""
    senseless = _OF_API if call is Call.DOWNLOAD else _OF_DOWNLOADS
    late = frozenset() if call is Call.SUBMIT else LATE
    deleted = frozenset() if call in {Call.ASSETS, Call.DOWNLOAD} else _OF_ASSETS
    return tuple(fault for fault in Fault if fault not in senseless | late | deleted)


_ZEROS = 5000  # bytes of a file that was reserved and never written


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultPlan:
    """Which calls go wrong.

    Attributes:
        chances: by call, each fault's probability; they add up to 1 at most.
        script: by call, what happens to the first, the second, ... call of the kind; None for
            nothing. What comes after the script goes by the chances.
    """

    chances: Mapping[Call, Mapping[Fault, float]] = field(default_factory=dict)
    script: Mapping[Call, Sequence[Fault | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for call, chances in self.chances.items():
            if any(not 0 <= one <= 1 for one in chances.values()) or sum(chances.values()) > 1 + 1e-9:
                raise ValueError(f"the faults of {call} need probabilities that add up to 1 at most")
        planned = [*self.chances.items(), *self.script.items()]
        for call, faults in planned:
            unfit = sorted(fault for fault in faults if fault is not None and fault not in faults_of(call))
            if unfit:
                raise ValueError(f"{call} cannot suffer {', '.join(unfit)}")

    def drawn(self, call: Call, nth: int, draws: Draws) -> Fault | None:
        """Return what goes wrong with the ``nth`` call of its kind, counted from 0."""
        script = self.script.get(call, ())
        if nth < len(script):
            return script[nth]
        share = draws.share("fault", call, nth)
        for fault, probability in self.chances.get(call, {}).items():
            if share < probability:
                return fault
            share -= probability
        return None


def spoil(reply: Reply, fault: Fault | None, *, slow: float, retry_after: float) -> Reply:
    """Return what the client gets instead of the reply.

    Args:
        reply: what the service answers; of no interest where the fault is without effect.
        fault: what goes wrong, None for nothing.
        slow: seconds that a slow answer takes longer.
        retry_after: seconds that a refusal asks to wait.
    """
    match fault:
        case None:
            return reply
        case Fault.CUT_BEFORE | Fault.CUT_AFTER | Fault.CUT_LATE:
            return replace(reply, fate=Fate.CUT)
        case Fault.HANG_AFTER:
            return replace(reply, fate=Fate.HUNG)
        case Fault.SLOW:
            return replace(reply, delay=reply.delay + slow)
        case Fault.TRUNCATED:
            return replace(reply, sent=0.5)
        case Fault.HALF:
            return replace(reply, kept=0.5)
        case _:
            return replace(_instead(fault, retry_after), delay=reply.delay)


def _instead(fault: Fault, retry_after: float) -> Reply:
    """Return the answer that hides the service's own."""
    wait = f"{retry_after:g}"
    answers = {
        Fault.ERROR_BEFORE: answer(500, {"message": "Internal Server Error"}),
        Fault.ERROR_AFTER: answer(500, {"message": "Internal Server Error"}),
        Fault.BAD_GATEWAY: page(502, "502 Bad Gateway"),
        Fault.UNAVAILABLE: answer(503, {"message": "Service Unavailable"}),
        Fault.GATEWAY_LATE: page(504, "504 Gateway Time-out"),
        Fault.TIMEOUT: answer(408, {"message": "Request Timeout"}),
        Fault.REDIRECT: Reply(status=307, headers={"location": "/elsewhere"}),
        Fault.NO_JSON: page(200, "Welcome"),
        Fault.THROTTLED: answer(429, {"reason": "Too many requests"}, retry_after=wait),
        Fault.EXPIRED: denied(),
        Fault.ERROR_PAGE: replace(denied(), status=200),
        Fault.ZEROS: Reply(status=200, headers={"content-type": "image/png"}, body=bytes(_ZEROS)),
        Fault.NOT_FOUND: answer(404, {"reason": "Asset not found", "name": "NotFoundError"}),
    }
    return answers[fault]


def denied() -> Reply:
    """Return the answer of the CDN to a URL that does not hold, or no longer."""
    text = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>'
    return Reply(status=403, headers={"content-type": "application/xml"}, body=text.encode())
