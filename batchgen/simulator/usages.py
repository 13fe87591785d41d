"""The history of an account as ``GET /usages`` shows it: what was charged and what came back.

Pure: the jobs and the time go in. Only the parts that tell of money are served, consumption and
activity; the service has more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from batchgen.model import Json
from batchgen.simulator import dates
from batchgen.simulator.jobs import Submission
from batchgen.simulator.listing import BadQueryError

PAGE = 100  # entries of activity; there is no other size
LONGEST = 120 * 86_400  # seconds between the dates of a question

_PARTS = ("activity", "consumption")
_OTHERS = ("usages", "model-usages", "asset-usages", "nsfw-usages", "quality-gate-usages")
_HOUR, _DAY = 3600, 86_400
_RANGES = {
    "last-hour": _HOUR,
    "last-day": _DAY,
    "last-three-days": 3 * _DAY,
    "last-seven-days": 7 * _DAY,
    "last-thirty-one-days": 31 * _DAY,
}


def usages(query: Mapping[str, str], jobs: Iterable[Submission], now: float) -> dict[str, Json]:
    """Return the document that a question is answered with.

    Args:
        query: as it came in.
        jobs: all that were ever accepted.
        now: seconds since the epoch.

    Raises:
        BadQueryError: the dates are no dates, or too far apart.
    """
    start, end = _stretch(query, now)
    projects = {one for one in query.get("projectIds", "").split(",") if one}
    users = {one for one in f"{query.get('userIds', '')},{query.get('userId', '')}".split(",") if one}
    entries = [
        (at, entry)
        for job in jobs
        if not (projects and job.owner not in projects) and not (users and job.author not in users)
        for at, entry in _entries(job, now)
        if start <= at <= end
    ]
    entries.sort(key=lambda one: one[0], reverse=True)
    shown = [entry for _, entry in entries]
    offset = _offset(query.get("activityOffset", ""))
    parts = {"activity": shown[offset : offset + PAGE], "consumption": _consumption(shown)}
    return {name: parts[name] for name in _asked(query.get("type", ""))}


def _asked(text: str) -> Sequence[str]:
    """Return the parts that are wanted; a word that is none makes it all."""
    words = set(text.split(","))
    if words - {*_PARTS, *_OTHERS}:
        return _PARTS
    return [one for one in _PARTS if one in words]


def _stretch(query: Mapping[str, str], now: float) -> tuple[float, float]:
    start, end = query.get("startDate"), query.get("endDate")
    if not start and not end:
        return now - _RANGES.get(query.get("timeRange", ""), _RANGES["last-thirty-one-days"]), now
    if not start or not end:
        raise BadQueryError("startDate and endDate must be provided together")
    try:
        first, last = dates.read(start), dates.read(end)
    except ValueError as exc:
        raise BadQueryError("startDate and endDate must be ISO 8601 dates") from exc
    if not 0 <= last - first <= LONGEST:
        raise BadQueryError("The time range must not exceed 120 days")
    return first, last


def _offset(text: str) -> int:
    return int(text[:9]) if text.isascii() and text.isdecimal() else 0


def _entries(job: Submission, now: float) -> Iterable[tuple[float, dict[str, Json]]]:
    yield job.created_at, _entry(job, "custom", job.created_at, job.cost)
    if job.ended(now) and job.refund:
        yield job.end.at, _entry(job, "refunds", job.end.at, job.refund)


def _entry(job: Submission, action: str, at: float, units: Decimal) -> dict[str, Json]:
    return {
        "action": action,
        "data": {"isApiKey": True, "jobId": job.remote_id, "modelId": job.model},
        "projectId": job.owner,
        "time": dates.written(at),
        "userId": job.author,
        "creativeUnitsCost": units,
    }


def _consumption(entries: Iterable[Mapping[str, Json]]) -> list[dict[str, Json]]:
    """Sum up by user, the largest consumer first."""
    spent: dict[str, Decimal] = defaultdict(Decimal)
    for one in entries:
        units: Decimal = one["creativeUnitsCost"]
        spent[one["userId"]] += -units if one["action"] == "refunds" else units
    return [
        {"userId": user, "value": value, "discount": 0, "total": value}
        for user, value in sorted(spent.items(), key=lambda pair: -pair[1])
    ]
