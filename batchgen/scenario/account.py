"""What the service says of the account behind the credentials: how much it may do, and what it has left."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from batchgen.model import Json
from batchgen.scenario.fields import as_finite, as_list, as_mapping, is_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What a team may do.

    Attributes:
        ceiling: jobs that may run at once; None where it does not say.
        left: compute units that are not spent, those bought once included; None where it does not say.
    """

    ceiling: int | None = None
    left: Decimal | None = None


def parse_team(data: Mapping[str, Json]) -> str:
    """Name the one team that the credentials belong to; empty where that is not clear."""
    teams = {one for row in as_list(data.get("teams")) if is_id(one := as_mapping(row).get("id"))}
    return str(teams.pop()) if len(teams) == 1 else ""


def parse_account(data: Mapping[str, Json]) -> Account:
    """Read ``GET /teams/{id}/limits``; what cannot be read is left open, never 0."""
    limits, values = as_mapping(data.get("limits")), as_mapping(data.get("values"))
    ceiling = as_finite(limits.get("parallelCustomJobs"))
    granted, spent = as_finite(limits.get("creativeUnits")), as_finite(values.get("creativeUnits"))
    once = [as_finite(as_mapping(row).get("remaining")) for row in as_list(data.get("oneShotCreativeUnits"))]
    left = max(granted - spent, Decimal(0)) if granted is not None and spent is not None else None
    return Account(
        ceiling=int(ceiling) if ceiling is not None and 1 <= ceiling < 2**31 else None,
        left=left + sum((one for one in once if one is not None), Decimal(0)) if left is not None else None,
    )
