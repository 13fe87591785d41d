"""Seeds with models that take a picture and no prompt: neither a seed nor words tell their jobs apart.

Pure, with a source of chance of its own: the seeds without them stay as they were.
"""

import base64
import random
from dataclasses import replace

from batchgen.model import Job
from tests.proof.scenario import SEEDLESS, Scenario

TOOL = "model_birefnet-background-removal"
_SHARE = 0.2  # of the seeds that are plain: what a tool costs is in no tariff, and denials name other models


def with_tools(seed: int, scenario: Scenario) -> Scenario:
    """Let the jobs without a seed be a tool's, in some seeds: equal prompts become equal pictures."""
    plain = scenario.market is None and scenario.denial is None and scenario.legs[-1].name is None
    if not plain or random.Random(f"batchgen proof {seed}, tools").random() >= _SHARE:
        return scenario
    return replace(
        scenario,
        legs=tuple(replace(leg, jobs=tuple(map(_as_tool, leg.jobs))) for leg in scenario.legs),
        visits=tuple(replace(visit, job=_as_tool(visit.job)) for visit in scenario.visits),
    )


def has_tools(scenario: Scenario) -> bool:
    """Return whether any job is one of these."""
    return any(job.prompt is None for leg in scenario.legs for job in leg.jobs)


def _as_tool(job: Job) -> Job:
    if job.model != SEEDLESS or job.prompt is None:
        return job
    picture = base64.b64encode(job.prompt.encode()).decode()
    return replace(job, prompt=None, model=TOOL, params={"image": f"data:image/png;base64,{picture}"})
