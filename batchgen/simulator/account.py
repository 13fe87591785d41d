"""The team behind the credentials: what it is called, what it may do and what it has spent. Pure."""

from decimal import Decimal

from batchgen.model import Json
from batchgen.simulator.dates import written
from batchgen.simulator.settings import Limits
from batchgen.simulator.throttle import CUSTOM_JOBS

TEAM = "team_simulated"
_PLAN = "cu-team"
_SINCE = 1_735_689_600.0  # 1 January 2025
_PERIOD = 30 * 86_400.0  # seconds
_PLENTY = 1_000_000  # compute units of an account whose credits are not counted
_USUAL_CEILING = 1000
# source: scenario-sdk 2.4.0 ``team_retrieve_limits_response``, which requires all of them
_OTHER_LIMITS: dict[str, Json] = {
    "OTPSessions": 10,
    "apiKeys": 20,
    "canvasAssetLayers": 100,
    "canvasAssets": 1000,
    "collections": 1000,
    "defaultSeats": 5,
    "downloadAssets": 10_000,
    "downloadModel": 10,
    "inferenceBatchSize": 128,
    "maxTrainingDatasets": 50,
    "minCooldown": 0,
    "models": 1000,
    "parallelInferences": 1000,
    "parallelTraining": 5,
    "parallelWorkflowRuns": 10,
    "premiumGenerationSamples": 0,
    "projects": 50,
    "scalingFactor": 1,
    "seats": 5,
    "snapshotsRetention": 30,
    "upload": 100_000,
}


def teams(owner: str) -> dict[str, Json]:
    """Write the teams of the credentials, of which there is one.

    Args:
        owner: its one project.
    """
    date = written(_SINCE)
    project = {"id": owner, "name": "Simulated", "createdAt": date, "updatedAt": date}
    team = {
        "id": TEAM,
        "name": "Simulated",
        "plan": _PLAN,
        "type": "shared",
        "context": {"userRole": "key", "usersCount": 1, "keysCount": 1, "invitationsCount": 0},
        "projects": [project],
        "createdAt": date,
        "updatedAt": date,
    }
    return {"teams": [team]}


def limits_of(limits: Limits, spent: Decimal, now: float) -> dict[str, Json]:
    """Write what the team may do.

    Args:
        limits: the service's.
        spent: compute units charged, less what was refunded.
        now: seconds since the epoch.
    """
    began = now - (now - _SINCE) % _PERIOD
    return {
        "limits": {
            **_OTHER_LIMITS,
            CUSTOM_JOBS: limits.ceiling or _USUAL_CEILING,
            "maxCooldown": limits.cooldown,
            "creativeUnits": _PLENTY if limits.credits is None else limits.credits,
        },
        "values": {
            "apiKeys": 1,
            "canvasAssets": 0,
            "collections": 0,
            "creativeUnits": spent,
            "projects": 1,
            "seats": 1,
        },
        "plan": _PLAN,
        "period": {"start": written(began), "end": written(began + _PERIOD)},
        "oneShotCreativeUnits": [],
    }
