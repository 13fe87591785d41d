"""A job as the service shows it at a moment: one shape for submit, look and listing."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from batchgen.model import Json
from batchgen.simulator.assets import prompt_asset_id
from batchgen.simulator.dates import written
from batchgen.simulator.jobs import SUCCESS, Submission
from batchgen.simulator.settings import Views

EXTRAS: Mapping[str, Json] = {"computeRegion": "eu-west-3", "revision": {"major": 7, "notes": [None, 0.5]}}


def job_object(
    job: Submission,
    at: float,
    *,
    views: Views,
    asset_ids: Sequence[str],
    defaults: Mapping[str, Json],
    listed: bool = False,
) -> dict[str, Json]:
    """Write a job.

    Args:
        job: the submission.
        at: the moment that is shown; for a row of a listing it is the past.
        views: how faithful the service is.
        asset_ids: of the outputs, shown once there are any.
        defaults: of the model's inputs, for a service that echoes them.
        listed: whether this is a row of a listing, where old prompts are asset ids.
    """
    reached = job.reached(at)
    shown = job.shows(asset_ids, at) if listed or views.outputs_late_in_jobs else asset_ids
    archived = listed and views.archived_after is not None and job.end.at + views.archived_after <= at
    return {
        "jobId": job.remote_id,
        "jobType": "custom",
        "status": reached[-1].word,
        "progress": job.progress(at),
        "statusHistory": [{"status": one.word, "date": written(one.at)} for one in reached],
        "createdAt": written(job.created_at),
        "updatedAt": written(reached[-1].at),
        "metadata": {
            **_echo(job, views, defaults, archived=archived),
            **_result(job, at, shown),
            **({"isApiKey": True} if views.extras else {}),
        },
        "billing": _billing(job, at, views),
        "authorId": job.author,
        "ownerId": job.owner,
        **(EXTRAS if views.extras else {}),
    }


def _echo(job: Submission, views: Views, defaults: Mapping[str, Json], *, archived: bool) -> dict[str, Json]:
    if not job.shows_inputs:
        return {}
    inputs: dict[str, Json] = {**(defaults if views.echo_defaults else {}), **job.inputs}
    if archived and inputs.get("prompt"):
        inputs["prompt"] = prompt_asset_id(job)
    if views.echo_floats:
        inputs = {name: _with_point(one) for name, one in inputs.items()}
    # sorted: the service does not keep the order in which keys were sent
    return {"input": {"modelId": job.model, **dict(sorted(inputs.items()))}}


def _with_point(value: Json) -> Json:
    if isinstance(value, list):
        return [_with_point(one) for one in value]
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_whole and math.isfinite(value) else value


def _result(job: Submission, at: float, asset_ids: Sequence[str]) -> dict[str, Json]:
    if not job.ended(at):
        return {}
    if job.end.word == SUCCESS:
        return {"assetIds": list(asset_ids)}
    return {"error": job.error, "hint": job.hint} if job.error else {}


def _billing(job: Submission, at: float, views: Views) -> dict[str, Json]:
    """Write the charge: a refund takes the add-ons to 0 and leaves ``cuCost`` as it was.

    A discount is shown beside what the main action would have cost without it.
    """
    refunded = job.ended(at) and job.end.word != SUCCESS and job.refundable
    billing: dict[str, Json] = {"cuCost": job.main_cost + job.discount, "cuDiscount": job.discount}
    if job.addons and not views.hides_addons:
        shown = {name: Decimal(0) if refunded else units for name, units in job.addons.items()}
        billing["cuCostDetails"] = shown
    if not job.refundable:
        billing["disableRefund"] = True
    return billing
