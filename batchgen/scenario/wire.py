"""The service's JSON read into our values.

The names of the service's keys stand in this file and nowhere else. Reading is forgiving,
for the service adds keys and words as it likes: what is missing or of the wrong type is
left out. Only what the caller cannot do without raises ``WireError``: an id, a list of rows.
"""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal

from batchgen.account import Identity
from batchgen.model import (
    Asset,
    Json,
    Model,
    ModelInput,
    Receipt,
    RemoteJob,
    RemoteStatus,
    Text,
)
from batchgen.pages import JobPage, ModelPage, Unreadable
from batchgen.redaction import Redact
from batchgen.scenario.fields import (
    WireError,
    as_finite,
    as_instant,
    as_list,
    as_mapping,
    as_number,
    as_object,
    as_text,
    first_id,
    is_id,
    plain,
    storable,
)
from batchgen.scenario.transport import unchanged
from batchgen.scenario.wording import LONGEST_ERROR, readable

# source: docs/service.md words
STATUSES: Mapping[str, RemoteStatus] = {
    "success": RemoteStatus.SUCCEEDED,
    "succeeded": RemoteStatus.SUCCEEDED,
    "completed": RemoteStatus.SUCCEEDED,
    "failure": RemoteStatus.FAILED,
    "failed": RemoteStatus.FAILED,
    "error": RemoteStatus.FAILED,
    "canceled": RemoteStatus.CANCELED,
    "cancelled": RemoteStatus.CANCELED,
}  # any other word, known or not, is a job that still runs

REASON_KEYS = ("reason", "message", "error", "detail")  # in the order in which they are believed

_LARGEST_COST = Decimal(10) ** 9  # beyond it an amount is a mistake, and sums stay exact below
_LARGEST_SIZE = 2**63  # bytes: what a column of SQLite holds


def parse_receipt(data: Mapping[str, Json], redact: Redact = unchanged) -> Receipt:
    """Read the answer to an accepted submit.

    Raises:
        WireError: there is no job id in it.
    """
    return Receipt(job=parse_job(data.get("job"), redact), charged=parse_cost(data.get("creativeUnitsCost")))


def parse_job(value: Json, redact: Redact = unchanged) -> RemoteJob:
    """Read a Job object.

    Raises:
        WireError: there is no job id in it.
    """
    job = as_object(value, "the job")
    metadata, billing = as_mapping(job.get("metadata")), as_mapping(job.get("billing"))
    word = as_text(job.get("status"))
    status = STATUSES.get(word.lower(), RemoteStatus.RUNNING)
    # source: docs/service.md echo
    inputs = metadata.get("input")
    return RemoteJob(
        remote_id=first_id(job.get("jobId"), job.get("id")),
        status=status,
        word=readable(word),
        created_at=as_instant(job.get("createdAt")),
        started_at=_started_at(job),
        finished_at=_finished_at(job) if status is not RemoteStatus.RUNNING else None,
        updated_at=as_instant(job.get("updatedAt")),
        job_type=readable(as_text(job.get("jobType"))),
        # source: docs/service.md author
        author=readable(as_text(job.get("authorId"))),
        owner=readable(as_text(job.get("ownerId"))),
        inputs=plain(inputs) if isinstance(inputs, dict) else None,
        asset_ids=tuple(one for one in as_list(metadata.get("assetIds")) if is_id(one)),
        error=readable(_said(metadata.get("error")), redact, limit=LONGEST_ERROR),
        hint=readable(_said(metadata.get("hint")), redact, limit=LONGEST_ERROR),
        cost=_billed(billing),
        discount=parse_cost(billing.get("cuDiscount")) or Decimal(0),
        itemized=bool(as_mapping(billing.get("cuCostDetails"))),
        # source: docs/service.md refund
        refundable=billing.get("disableRefund") is not True,
        wrote=bool(metadata.get("output")),
    )


def parse_page(data: Mapping[str, Json], redact: Redact = unchanged) -> JobPage:
    """Read one page of a listing.

    A row that cannot be read is kept as such: it may be the very job that is looked for.

    Raises:
        WireError: no list of jobs, or a token that cannot be sent back.
    """
    rows, token = data.get("jobs"), data.get("nextPaginationToken")
    if not isinstance(rows, list):
        raise WireError("the answer has no list of jobs")
    if not (token is None or isinstance(token, str)):
        raise WireError("the answer's pagination token is not text")
    jobs, unreadable = list[RemoteJob](), list[Unreadable]()
    for row in rows:
        try:
            jobs.append(parse_job(row, redact))
        except WireError:
            unreadable.append(_unreadable(row))
    return JobPage(jobs=tuple(jobs), next_token=token or None, unreadable=tuple(unreadable))


def _unreadable(row: Json) -> Unreadable:
    fields = as_mapping(row)
    # without what changes while a job runs
    lasting = {name: one for name, one in fields.items() if name in _LASTING} or row
    text = json.dumps(lasting, sort_keys=True, default=str)
    mark = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
    return Unreadable(mark, as_instant(fields.get("createdAt")))


_LASTING = frozenset({"jobId", "id", "createdAt", "authorId", "ownerId", "jobType"})


def parse_model(value: Json) -> Model:
    """Read a Model object, inputs included.

    Raises:
        WireError: there is no model id in it.
    """
    model = as_object(value, "the model")
    model_id = first_id(model.get("id"))
    inputs = (as_mapping(one) for one in as_list(model.get("inputs")))
    return Model(
        id=model_id,
        name=readable(as_text(model.get("name"))) or model_id,
        inputs=tuple(_input(one) for one in inputs if as_text(one.get("name"))),
        latency_p75=_latency(as_mapping(model.get("performanceStats"))),
        type=readable(as_text(model.get("type"))),
        capabilities=tuple(readable(one) for one in as_list(model.get("capabilities")) if as_text(one)),
        description=readable(as_text(model.get("shortDescription")) or as_text(model.get("description"))),
        plan_rank=_rank(model.get("accessRestrictions")),
        public=as_text(model.get("privacy")) == "public",
        raw=plain(model),
    )


def parse_models(data: Mapping[str, Json]) -> ModelPage:
    """Read one page of a listing of models; a row without an id is left out.

    Raises:
        WireError: no list of models, or a token that cannot be sent back.
    """
    rows, token = data.get("models"), data.get("nextPaginationToken")
    if not isinstance(rows, list):
        raise WireError("the answer has no list of models")
    if not (token is None or isinstance(token, str)):
        raise WireError("the answer's pagination token is not text")
    shown = (row for row in rows if is_id(as_mapping(row).get("id")))
    return ModelPage(models=tuple(parse_model(row) for row in shown), next_token=token or None)


def parse_plan(data: Mapping[str, Json]) -> str:
    """Read the plan of the one team that the credentials belong to; empty where that is not clear."""
    plans = {as_text(as_mapping(one).get("plan")) for one in as_list(data.get("teams"))}
    return readable(plans.pop()) if len(plans) == 1 else ""


def parse_asset(value: Json) -> Asset:
    """Read an Asset object.

    Raises:
        WireError: there is no id or no http URL in it, as of an asset that is not stored yet.
    """
    asset = as_object(value, "the asset")
    url, properties = as_text(asset.get("url")), as_mapping(asset.get("properties"))
    metadata = as_mapping(asset.get("metadata"))
    if not url.startswith(("https://", "http://")):
        raise WireError("the asset has no URL")
    return Asset(
        id=first_id(asset.get("id")),
        url=url,
        mime=readable(as_text(asset.get("mimeType"))),
        kind=readable(as_text(asset.get("kind"))),
        size=_count(properties.get("size")),
        # source: docs/service.md originals; where a file was converted the size may be that of the other
        is_original="/assets-transform/" not in url and not asset.get("originalFileUrl"),
        width=_count(properties.get("width")),
        height=_count(properties.get("height")),
        duration=_seconds(properties.get("duration")),
        # source: docs/service.md asset-kinds
        type=readable(as_text(metadata.get("type"))),
    )


def _count(value: Json) -> int | None:
    count = as_finite(value)
    return int(count) if count is not None and 0 <= count < _LARGEST_SIZE else None


def _seconds(value: Json) -> float | None:
    """Return a length in seconds, to the millisecond."""
    seconds = as_number(value)
    return round(seconds, 3) if seconds is not None and seconds >= 0 else None


def parse_assets(data: Mapping[str, Json]) -> dict[str, Asset]:
    """Read a bulk answer by id; assets that cannot be read are left out, to be asked for one by one."""
    found: dict[str, Asset] = {}
    for row in as_list(data.get("assets")):
        try:
            asset = parse_asset(row)
        except WireError:
            continue
        found[asset.id] = asset
    return found


def parse_identity(data: Mapping[str, Json]) -> Identity | None:
    """Read who sent an asset; None where it names no author.

    Raises:
        WireError: there is no asset in it.
    """
    asset = as_object(data.get("asset"), "the asset")
    author, owner = readable(as_text(asset.get("authorId"))), readable(as_text(asset.get("ownerId")))
    return Identity(author, owner) if author else None


def parse_text(data: Mapping[str, Json]) -> Text | None:
    """Read what a text asset says without a download; None for an asset of another kind.

    Raises:
        WireError: there is no asset in it.
    """
    properties = as_mapping(as_object(data.get("asset"), "the asset").get("properties"))
    preview = properties.get("preview")
    if not isinstance(preview, str):
        return None
    return Text(text=preview, whole=properties.get("hasFullPreview") is True)


def parse_quote(data: Mapping[str, Json]) -> Decimal:
    """Read what a dry run says that a submit would cost, add-ons included; 0 is free.

    Raises:
        WireError: it names no amount that makes sense.
    """
    amount = parse_cost(data.get("creativeUnitsCost"))
    if amount is None:
        raise WireError("it names no price")
    return amount


def parse_cost(value: Json) -> Decimal | None:
    """Read an amount of compute units; what is negative, absurd or no number is None, never 0."""
    amount = as_finite(value)
    return amount if amount is not None and 0 <= amount <= _LARGEST_COST else None


def _said(value: Json) -> str:
    if isinstance(value, dict):
        return next((one for key in REASON_KEYS if (one := as_text(value.get(key)))), "")
    return as_text(value)


def _entered(job: Mapping[str, Json], words: frozenset[str]) -> float | None:
    """Return the date of the first entry of the history with one of the words."""
    for entry in as_list(job.get("statusHistory")):
        if as_text(as_mapping(entry).get("status")).lower() in words:
            return as_instant(entry.get("date"))
    return None


def _started_at(job: Mapping[str, Json]) -> float | None:
    return _entered(job, frozenset({"in-progress"}))


def _finished_at(job: Mapping[str, Json]) -> float | None:
    ended = _entered(job, frozenset(STATUSES))
    return ended if ended is not None else as_instant(job.get("updatedAt"))


def _billed(billing: Mapping[str, Json]) -> Decimal | None:
    """Add up the main action and its add-ons; an amount that cannot be read leaves the sum unknown."""
    # source: docs/service.md cost
    total = parse_cost(billing.get("cuCost"))
    for one in as_mapping(billing.get("cuCostDetails")).values():
        extra = Decimal(0) if one is None else parse_cost(one)
        total = total + extra if total is not None and extra is not None else None
    return total


def _input(element: Mapping[str, Json]) -> ModelInput:
    return ModelInput(
        name=storable(element["name"]),
        type=storable(as_text(element.get("type"))),
        minimum=as_number(element.get("min")),
        maximum=as_number(element.get("max")),
        step=as_number(element.get("step")),
        raw=plain(dict(element)),
    )


def _rank(value: Json) -> int | None:
    """Return the plan that is needed: 0 free, 25 starter, 50 pro, 75 max, 100 enterprise."""
    rank = as_number(value)
    return None if rank is None else int(rank)


def _latency(stats: Mapping[str, Json]) -> float | None:
    """Return the published p75 from submit to end: the default variant's, else the slowest's."""
    variants = [as_mapping(one) for one in as_list(stats.get("variants"))]
    default = stats.get("default")
    usual = [one for one in variants if default is not None and one.get("variantKey") == default]
    for group in ([as_mapping(default)], usual, variants):
        seconds = [
            number
            for one in group
            if (number := as_number(one.get("totalLatencyP75Sec"))) is not None and number >= 0
        ]
        if seconds:
            return max(seconds)
    return None
