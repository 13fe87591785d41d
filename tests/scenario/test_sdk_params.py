"""What the client sends, held against the parameters that the official SDK has for the same call.

A word in a query or a body that the SDK does not know is one that the service may pass over.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Required, TypeAlias, get_args, get_origin, get_type_hints

import pytest
from pydantic import ConfigDict, Field, ValidationError, create_model
from scenario_sdk._types import SequenceNotStr
from scenario_sdk._utils import PropertyInfo
from scenario_sdk.types.asset_get_bulk_params import AssetGetBulkParams
from scenario_sdk.types.asset_retrieve_params import AssetRetrieveParams
from scenario_sdk.types.asset_upload_params import AssetUploadParams
from scenario_sdk.types.generate_run_model_params import GenerateRunModelParams
from scenario_sdk.types.job_list_params import JobListParams
from scenario_sdk.types.job_retrieve_params import JobRetrieveParams
from scenario_sdk.types.model_list_params import ModelListParams
from scenario_sdk.types.model_retrieve_params import ModelRetrieveParams
from scenario_sdk.types.upload_create_params import UploadCreateParams
from scenario_sdk.types.upload_retrieve_params import UploadRetrieveParams
from scenario_sdk.types.upload_trigger_action_params import UploadTriggerActionParams
from scenario_sdk.types.usage_list_params import UsageListParams

from batchgen.scenario.parts import Part
from batchgen.scenario.transport import Answer, Call
from batchgen.scenario.uploads import UploadClient
from batchgen.scenario.usages import UsageClient
from batchgen.simulator.exchange import Request
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Outcomes, Settings
from tests.scenario.fakes import OpenGate
from tests.simulator.caller import EPOCH, SEEDLESS, basic


@dataclass
class Recorded:
    """A transport to a simulated service, which keeps what was sent."""

    service: Service = field(
        default_factory=lambda: Service(Settings(outcomes=Outcomes(instant=True), project="proj_a"))
    )
    calls: list[Call] = field(default_factory=list)

    async def exchange(self, call: Call) -> Answer:
        self.calls.append(call)
        request = Request(
            method=call.method,
            path=f"/v1{call.path}",
            query=call.query,
            headers={**basic(), "host": "127.0.0.1"},
            body=call.body or b"",
        )
        reply = self.service.handle(request, EPOCH)
        return Answer(status=reply.status, headers=reply.headers, body=reply.body)

    async def put(self, part: Part, content: bytes, mime: str) -> None:
        """Take no part: what is put is no call of the API."""


def client(sent: Recorded) -> UploadClient:
    return UploadClient(sent, OpenGate(), project="proj_a", parts=sent)


async def listed_models(sent: Recorded) -> None:
    assert [one async for one in client(sent).models(public=True)]


async def bought(sent: Recorded) -> str:
    return (await client(sent).submit(SEEDLESS, '{"prompt":"an oak"}')).job.remote_id


async def bulk(sent: Recorded) -> None:
    job = await client(sent).job(await bought(sent))
    assert await client(sent).assets(job.asset_ids)


async def lone(sent: Recorded) -> None:
    await client(sent).assets(["asset_nowhere"])


async def completed(sent: Recorded) -> None:
    begun = await announced(sent)
    sent.service._uploads.take_part(begun, 1, b"12345")
    await client(sent).complete(begun)
    await client(sent).upload(begun)


async def announced(sent: Recorded) -> str:
    return (await client(sent).begin(name="a.mp4", mime="video/mp4", size=5, parts=1)).id


async def charged(sent: Recorded) -> None:
    asking = UsageClient(sent, OpenGate(), project="proj_a")
    await asking.activity(since=EPOCH - 100, until=EPOCH, projects=["proj_a", "proj_b"])


Doing: TypeAlias = Callable[[Recorded], Awaitable[object]]
# by the last request that it makes: how it is made, and what the SDK knows of it
CALLS: Mapping[str, tuple[Doing, Any]] = {
    "submit": (bought, GenerateRunModelParams),
    "quote": (lambda sent: client(sent).quote(SEEDLESS, '{"prompt":"an oak"}'), GenerateRunModelParams),
    "job": (bulk, JobRetrieveParams),
    "jobs": (lambda sent: client(sent).jobs({"createdAfter": "2026-01-01T00:00:00.000Z"}), JobListParams),
    "changed": (
        lambda sent: client(sent).jobs({"types": "custom", "updatedAfter": "2026-01-01T00:00:00.000Z"}),
        JobListParams,
    ),
    "model": (lambda sent: client(sent).model(SEEDLESS), ModelRetrieveParams),
    "models": (listed_models, ModelListParams),
    "identify": (lambda sent: client(sent).identify(), AssetUploadParams),
    "image": (lambda sent: client(sent).send_image("a.gif", "image/gif", b"GIF89a"), AssetUploadParams),
    "begin": (announced, UploadCreateParams),
    "complete": (completed, UploadTriggerActionParams),
    "upload": (completed, UploadRetrieveParams),
    "bulk": (bulk, AssetGetBulkParams),
    "asset": (lone, AssetRetrieveParams),
    "text": (lambda sent: client(sent).text("asset_x"), AssetRetrieveParams),
    "usages": (charged, UsageListParams),
}
# the request that is held against them, where it is not the last one that is made
WHICH: Mapping[str, int] = {"job": -2, "complete": -2}
UNNAMED = {
    "/teams",
    "/teams/team_simulated/limits",
}  # the SDK has no parameters: a project in the query is ours


@dataclass(kw_only=True)
class Parameter:
    """A parameter as it is sent: its name on the wire, what it may be, and whether it must be there."""

    kind: Any
    alias: str
    needed: bool = False


def parameters_of(params: Any) -> list[Parameter]:
    return [bare(name, hint) for name, hint in get_type_hints(params, include_extras=True).items()]


def bare(name: str, hint: Any) -> Parameter:
    """Take a hint apart: ``Required``, the name on the wire, and the SDK's own word for a list."""
    found = Parameter(kind=hint, alias=name)
    while get_origin(found.kind) in {Required, Annotated}:
        found.needed |= get_origin(found.kind) is Required
        inner, *notes = get_args(found.kind)
        found.alias = next(
            (one.alias for one in notes if isinstance(one, PropertyInfo) and one.alias), found.alias
        )
        found.kind = inner
    if get_origin(found.kind) is SequenceNotStr:
        found.kind = list[get_args(found.kind)[0]]  # type: ignore[misc]
    return found


def model_of(params: Any) -> Any:
    """Make a model of parameters, by the names that are sent, which forbids all others."""
    fields: dict[str, Any] = {
        f"p{number}": (
            one.kind,
            Field(alias=one.alias) if one.needed else Field(alias=one.alias, default=None),
        )
        for number, one in enumerate(parameters_of(params))
    }
    return create_model("Sent", __config__=ConfigDict(extra="forbid"), **fields)


def sent_as(call: Call, params: Any) -> dict[str, Any]:
    """Return what is sent as one dictionary, lists of a query taken apart."""
    lists = {one.alias for one in parameters_of(params) if get_origin(one.kind) is list}
    query = {name: value.split(",") if name in lists else value for name, value in call.query.items()}
    body = {} if call.body is None else json.loads(call.body)
    return {**query, **({"body": body} if params is GenerateRunModelParams else body)}


@pytest.mark.parametrize("name", CALLS)
async def test_what_the_client_sends_are_parameters_that_the_official_sdk_knows(name: str) -> None:
    do, params = CALLS[name]
    sent = Recorded()
    await do(sent)
    call = sent.calls[WHICH.get(name, -1)]
    assert call.query or call.path == "/usages"
    model_of(params).model_validate(sent_as(call, params))


async def test_the_calls_that_are_held_are_all_that_the_client_makes() -> None:
    """Whatever is asked under one path was held under it; the teams have no parameters to be held against."""
    sent = Recorded()
    for do, _ in CALLS.values():
        await do(sent)
    await client(sent).account()
    await client(sent).plan()
    shapes = {(one.method, shape(one.path)) for one in sent.calls}
    assert shapes == {
        ("POST", "/generate/custom/*"),
        ("GET", "/jobs/*"),
        ("GET", "/jobs"),
        ("GET", "/models/*"),
        ("GET", "/models"),
        ("POST", "/assets"),
        ("POST", "/uploads"),
        ("POST", "/uploads/*/action"),
        ("GET", "/uploads/*"),
        ("GET", "/assets/*"),
        ("POST", "/assets/get-bulk"),
        ("GET", "/usages"),
        ("GET", "/teams"),
        ("GET", "/teams/*/limits"),
    }


FIXED = {"generate", "custom", "action", "get-bulk", "limits"}
FIXED |= {"jobs", "models", "assets", "uploads", "usages", "teams"}


def shape(path: str) -> str:
    return "/".join(one if one in FIXED or not one else "*" for one in path.split("/"))


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        (JobListParams, {"pageSize": "many"}),
        (JobListParams, {"types": ["pictures"]}),
        (AssetUploadParams, {"image": "x"}),
        (AssetGetBulkParams, {"ids": ["asset_1"]}),
        (UploadCreateParams, {"kind": "picture"}),
        (ModelListParams, {"privacy": "all"}),
    ],
)
def test_a_word_that_the_sdk_does_not_know_is_refused_here(params: Any, sent: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model_of(params).model_validate(sent)
