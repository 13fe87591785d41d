"""How long a plan is likely to take, and whose lost answers could be told apart. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from batchgen.identity import references_of
from batchgen.model import Job, Model, Rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What a run is likely to take.

    Attributes:
        seconds: None where it is not known.
        at_once: how many jobs run at a time; None where that is not known.
        unknown: the models that do not say how long they take.
    """

    seconds: float | None
    at_once: int | None
    unknown: tuple[str, ...] = ()


def forecast(
    jobs: Iterable[Job], models: Mapping[str, Model], *, at_once: int | None, rate: Rate | None
) -> Forecast:
    """Return how long jobs take that run so many at a time, submitted no faster than the rate.

    Three of four jobs are quicker than what is counted here for each, so that it is rather too long.
    """
    counts = Counter(job.model for job in jobs)
    latencies = {name: models[name].latency_p75 if name in models else None for name in counts}
    unknown = tuple(sorted(name for name, seconds in latencies.items() if seconds is None))
    known = {name: seconds for name, seconds in latencies.items() if seconds is not None}
    if unknown or not known or at_once is None:
        return Forecast(seconds=None, at_once=at_once, unknown=unknown)
    work = sum(counts[name] * seconds for name, seconds in known.items())
    submitting = (sum(counts.values()) - 1) * rate.interval if rate is not None else 0.0
    longest = max(known.values())
    return Forecast(seconds=max(work / at_once, longest, submitting + longest), at_once=at_once)


def unrecognisable(jobs: Iterable[Job], models: Mapping[str, Model]) -> int:
    """Count the jobs that carry no seed, given or derived: one cannot be told from its equals.

    Jobs of models that are not described are not counted, nor are those that others feed: what goes in tells
    them apart.
    """
    return sum(
        1
        for job in jobs
        if job.model in models
        and job.params.get("seed") is None
        and not references_of(job)
        and (models[job.model].seed_input is None or not job.derive_seed)
    )
