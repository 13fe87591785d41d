"""The service's own history of an account: ``GET /usages``, in stretches and pages.

Which entries there are and what their fields are called is said here and nowhere else.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from batchgen.errors import TransientError
from batchgen.planning.costs import Activity
from batchgen.ports import Lane
from batchgen.rights import Right
from batchgen.scenario.client import MOST_PAGES, ScenarioClient
from batchgen.scenario.fields import (
    WireError,
    as_finite,
    as_instant,
    as_list,
    as_mapping,
    as_text,
    is_id,
)
from batchgen.scenario.transport import Call
from batchgen.scenario.verdicts import item_verdict

# source: docs/service.md usages
LONGEST = 120 * 86_400  # seconds of one question; the service refuses more
PAGE = 100  # entries a page


class UsageClient(ScenarioClient):
    """The client of those who ask what an account was charged."""

    async def activity(self, *, since: float, until: float, projects: Sequence[str] = ()) -> list[Activity]:
        """Return every entry between two moments, each once.

        Args:
            since: seconds since the epoch.
            until: as ``since``.
            projects: the service's ids; none for all that the key may see.

        Raises:
            NoRightError: this key may not see the history.
            NotFoundError: there is none.
            StoppedError: the credentials are not accepted.
            TransientError, RefusedError: what there is is not known.
        """
        # a dictionary: stretches share their edges, and entries that come in meanwhile move the pages
        found: dict[Activity, None] = {}
        start = since
        while start < until:
            end = min(start + LONGEST, until)
            for number in range(MOST_PAGES):
                page = await self._activity_page(start, end, number * PAGE, projects)
                found.update(dict.fromkeys(page))
                if len(page) < PAGE:
                    break
            else:
                raise TransientError("the service's history of usages does not come to an end")
            start = end
        return list(found)

    async def _activity_page(
        self, start: float, end: float, offset: int, projects: Sequence[str]
    ) -> list[Activity]:
        query = {
            "type": "activity",
            "startDate": _date(start),
            "endDate": _date(end),
            **({"activityOffset": str(offset)} if offset else {}),
            **({"projectIds": ",".join(projects)} if projects else {}),
        }
        call = Call(method="GET", path="/usages", query=query)
        return await self._ask(
            call, Lane.WATCH, lambda data, _: parse_activity(data), item_verdict, right=Right.USAGES
        )


def parse_activity(data: Mapping[str, Any]) -> list[Activity]:
    """Read one page; an entry that makes no sense still counts as one, or the page would seem the last.

    Raises:
        WireError: there is no list of entries.
    """
    if not isinstance(data.get("activity"), list):
        raise WireError("there is no activity in it")
    return [_entry(as_mapping(one)) for one in as_list(data["activity"])]


def _entry(one: Mapping[str, Any]) -> Activity:
    """Read an entry; whether a refund is written with a sign is not documented, so it is without."""
    data, units = as_mapping(one.get("data")), as_finite(one.get("creativeUnitsCost"))
    remote_id = data.get("jobId")
    return Activity(
        action=as_text(one.get("action")),
        remote_id=str(remote_id) if is_id(remote_id) else "",
        at=as_instant(one.get("time")),
        units=None if units is None else abs(units),
        model=as_text(data.get("modelId")),
        author=as_text(one.get("userId")),
    )


def _date(at: float) -> str:
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
