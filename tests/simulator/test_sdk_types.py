"""Every route of the simulator, asked by the official SDK, which refuses what does not fit its types.

The types are the nearest to a specification that the service publishes. What an answer may not be by them
is mended in the simulator; the exceptions, each with its reason, are what was recorded of the real service.
"""

import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias, get_args

import httpx
import pytest
from scenario_sdk import APIResponseValidationError, AsyncScenario, BadRequestError
from scenario_sdk.types.generate_run_model_response import GenerateRunModelResponse, Job

from batchgen.simulator.assets import prompt_asset_id
from batchgen.simulator.exchange import Medium
from batchgen.simulator.front import Running, serve
from batchgen.simulator.jobs import SUCCESS, Step, Submission
from batchgen.simulator.models import ModelRecord
from batchgen.simulator.paths import _PATHS
from batchgen.simulator.pictures import file_of
from batchgen.simulator.rows import EXTRAS
from batchgen.simulator.settings import Outcomes, Settings, Views
from batchgen.simulator.uploads import Imports
from tests.simulator.caller import Caller

STATES: Sequence[str] = get_args(Job.model_fields["status"].annotation)
PLAIN = Settings(latency=(0, 0), outcomes=Outcomes(instant=True))
# what a service may also do, all at once
OTHERWISE = replace(
    PLAIN,
    quality_gate=True,
    discount=Decimal("0.25"),
    outcomes=Outcomes(instant=True, refunds=False),
    views=Views(archived_after=0.0, echo_defaults=True, echo_floats=True, index_always_zero=True),
)
SENT: Mapping[str, str] = {  # what the service takes as an upload, by its word for the kind
    "image": "image/png",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "3d": "model/gltf-binary",
    "text": "text/plain",
}


@dataclass(kw_only=True)
class Desk:
    """The SDK's client, the simulator it asks, and what was sent to it."""

    running: Running
    client: AsyncScenario
    web: httpx.AsyncClient
    files: dict[str, str] = field(default_factory=dict)

    @property
    def models(self) -> list[ModelRecord]:
        return list(self.running.service._catalogue)

    async def file(self, kind: str) -> str:
        """Send a file of a kind once, in parts, and return its asset."""
        if kind not in self.files:
            self.files[kind] = await sent_in_parts(self, kind if kind in SENT else "image")
        return self.files[kind]

    async def ordered(self, model: ModelRecord) -> GenerateRunModelResponse:
        return await self.client.generate.run_model(model.id, body=await body_of(self, model))

    async def asset_ids(self) -> list[str]:
        """Return the outputs of one job of each model."""
        found: list[str] = []
        for model in self.models:
            job = (await self.ordered(model)).job
            assert job.metadata.asset_ids, model.id
            found += job.metadata.asset_ids
        return found


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Desk]:
    async with (
        serve(settings, imports=Imports(duration=(0.0, 0.0))) as running,
        AsyncScenario(
            api_key=settings.key,
            api_secret=settings.secret,
            base_url=running.base_url,
            max_retries=0,
            _strict_response_validation=True,
        ) as client,
        httpx.AsyncClient(trust_env=False) as web,
    ):
        running.service.restore(lives(settings))
        yield Desk(running=running, client=client, web=web)


def lives(settings: Settings) -> list[Submission]:
    """Return jobs that were bought a minute ago, one in each of the service's states."""
    caller = Caller(settings, now=time.time() - 60)
    caller.bought()
    (job,) = caller.service.submissions
    far = job.created_at + 3600
    return [
        replace(
            job,
            ordinal=number,
            remote_id=f"job_{word}",
            steps=(Step("pending", job.created_at), *passed(word, job.created_at), Step(end, at)),
            error="It broke." if word == "failure" else "",
            hint="Try again." if word == "failure" else "",
        )
        for number, word in enumerate(STATES)
        for end, at in [(word, job.created_at + 2) if word in ENDS else (SUCCESS, far)]
    ]


ENDS = frozenset({"success", "failure", "canceled"})


def passed(word: str, at: float) -> tuple[Step, ...]:
    return () if word in ENDS | {"pending"} else (Step(word, at + 1),)


async def body_of(desk: Desk, model: ModelRecord) -> dict[str, object]:
    """Return inputs that a model runs with: what it may require, as small as it may be."""
    return {
        str(one["name"]): await value_of(desk, one)
        for one in model.inputs
        if one.get("required") or one["name"] == "prompt"
    }


async def value_of(desk: Desk, given: Mapping[str, Any]) -> object:
    if "default" in given:
        return given["default"]
    many, kind = given["type"].endswith("_array"), given["type"].removesuffix("_array")
    match kind:
        case "file":
            one: object = await desk.file(str(given.get("kind", "image")))
        case "number":
            one = given.get("min", 1)
        case "boolean":
            one = True
        case "inputs":
            one = {str(part["name"]): await value_of(desk, part) for part in given.get("inputs", ())}
        case _:
            one = (given.get("allowedValues") or ["an oak"])[0]
    return [one] * max(1, int(given.get("min", 1))) if many else one


async def sent_in_parts(desk: Desk, kind: str) -> str:
    """Send a file by the SDK: announced, put, completed, looked at until it is an asset."""
    content = drawn() if kind == "image" else b"\0" * 64
    began = await desk.client.uploads.create(
        file_name="a.file",
        content_type=SENT[kind],
        kind=kind,  # type: ignore[arg-type]  # one of the service's words, whichever
        file_size=len(content),
        parts=1,
    )
    assert began.upload.parts
    put = await desk.web.put(began.upload.parts[0].url, content=content)
    assert put.status_code == 200
    told = await desk.client.uploads.trigger_action(began.upload.id, action="complete")
    shown = await desk.client.uploads.retrieve(told.upload.id)
    assert shown.upload.status == "imported", kind
    assert shown.upload.entity_id
    return shown.upload.entity_id


def drawn() -> bytes:
    return file_of(Medium(id="a", mime="image/png", text="an oak", width=8, height=8))


async def submits(desk: Desk) -> None:
    """Submits, and dry runs, which were recorded without the ``job`` that the type requires."""
    for model in desk.models:
        bought = await desk.ordered(model)
        raw = await desk.client.generate.with_raw_response.run_model(
            model.id, dry_run="true", body=await body_of(desk, model)
        )
        answer = await raw.http_response.aread()
        priced = httpx.Response(200, content=answer).json()
        assert (raw.http_response.status_code, "job" in priced) == (269, False)
        job = bought.job.model_dump(by_alias=True)
        completed = GenerateRunModelResponse.model_validate({**priced, "job": job})
        assert completed.creative_units_cost == bought.creative_units_cost


async def jobs(desk: Desk) -> None:
    for word in STATES:
        shown = await desk.client.jobs.retrieve(f"job_{word}")
        assert shown.job.status == word
        assert (shown.job.metadata.error is not None) == (word == "failure")


async def listings(desk: Desk) -> None:
    """Every page of a listing, by its tokens, and by the filters that narrow it."""
    listed = [job async for job in await desk.client.jobs.list(page_size=3)]
    assert {job.status for job in listed} >= set(STATES)
    since = await desk.client.jobs.list(types=["custom"], updated_after="2026-01-01T00:00:00.000Z")
    assert since.jobs


async def actions(desk: Desk) -> None:
    """No job of a custom model can be cancelled: the answer is the SDK's own error."""
    with pytest.raises(BadRequestError):
        await desk.client.jobs.trigger_action("job_pending", action="cancel")


async def models(desk: Desk) -> None:
    for model in desk.models:
        shown = await desk.client.models.retrieve(model.id)
        assert len(shown.model.inputs or ()) == len(model.inputs)


async def model_listings(desk: Desk) -> None:
    listed = [one.id async for one in await desk.client.models.list(privacy="public", page_size=2)]
    assert listed == [one.id for one in desk.models]
    assert (await desk.client.models.list(privacy="private")).models == []


async def small_images(desk: Desk) -> None:
    sent = await desk.client.assets.upload(name="a.png", image=base64.b64encode(drawn()).decode())
    assert sent.asset.id


async def announced(desk: Desk) -> None:
    for kind in SENT:
        await desk.file(kind)


async def assets(desk: Desk) -> None:
    """What jobs made, prompts that are kept as texts, and what was sent."""
    text = prompt_asset_id(desk.running.service.submissions[0])
    sent = [await desk.file(kind) for kind in SENT]
    for asset_id in (*await desk.asset_ids(), text, *sent):
        assert (await desk.client.assets.retrieve(asset_id)).asset.id == asset_id
        assert (await desk.client.assets.retrieve(asset_id, original_assets=True)).asset.id == asset_id


async def bulk(desk: Desk) -> None:
    wanted = [*await desk.asset_ids(), *[await desk.file(kind) for kind in SENT]]
    shown = await desk.client.assets.get_bulk(asset_ids=wanted, original_assets=True)
    assert {one.id for one in shown.assets} == set(wanted)


async def teams(desk: Desk) -> None:
    (team,) = (await desk.client.teams.list()).teams
    limits = await desk.client.teams.retrieve_limits(team.id)
    assert limits.values.creative_units > 0


async def usages(desk: Desk) -> None:
    shown = await desk.client.usages.list(type=["activity", "consumption"])
    assert shown.activity


async def downloads(desk: Desk) -> None:
    """A URL of the CDN is no call of the API, and the SDK has none: the file is as long as was said."""
    shown = await desk.client.assets.get_bulk(asset_ids=await desk.asset_ids(), original_assets=True)
    for asset in shown.assets:
        answer = await desk.web.get(asset.url)
        assert (answer.status_code, len(answer.content)) == (200, asset.properties.size), asset.mime_type
        assert answer.headers["content-type"] == asset.mime_type


Check: TypeAlias = Callable[[Desk], Awaitable[None]]

# one a route: what calls it by the SDK, or without it where the SDK has no such call
CHECKS: Mapping[tuple[str, str], Check] = {
    ("POST", r"/v1/generate/custom/([^/]+)"): submits,
    ("GET", r"/v1/jobs/([^/]+)"): jobs,
    ("GET", r"/v1/jobs"): listings,
    ("POST", r"/v1/jobs/([^/]+)/action"): actions,
    ("GET", r"/v1/models/([^/]+)"): models,
    ("GET", r"/v1/models"): model_listings,
    ("POST", r"/v1/assets"): small_images,
    ("POST", r"/v1/uploads"): announced,
    ("POST", r"/v1/uploads/([^/]+)/action"): announced,
    ("GET", r"/v1/uploads/([^/]+)"): announced,
    ("PUT", r"/cdn/uploads/([^/]+)/\d+"): announced,  # a store's URL: no call of the API
    ("GET", r"/v1/assets/([^/]+)"): assets,
    ("POST", r"/v1/assets/get-bulk"): bulk,
    ("GET", r"/v1/teams(?:/([^/]+)/limits)?"): teams,
    ("GET", r"/v1/usages"): usages,
    ("GET", r"/cdn/assets/([^/]+)"): downloads,
}


def test_every_route_that_is_served_has_a_check() -> None:
    assert {(method, path.pattern) for method, path, _ in _PATHS} == CHECKS.keys()


@pytest.mark.parametrize("settings", [PLAIN, OTHERWISE], ids=["plain", "otherwise"])
async def test_the_official_sdk_takes_the_answer_of_every_route_by_its_types(settings: Settings) -> None:
    async with opened(settings) as desk:
        faults: list[str] = []
        for check in dict.fromkeys(CHECKS.values()):
            try:
                await check(desk)
            except APIResponseValidationError as error:
                faults.append(f"{check.__name__}: {error.__cause__ or error}")
        assert faults == []


async def test_the_check_refuses_what_lacks_a_part_that_the_type_requires() -> None:
    async with opened(PLAIN) as desk:
        record = desk.models[0]
        desk.running.service._catalogue._records[record.id] = ModelRecord(
            {name: value for name, value in record.data.items() if name != "capabilities"} | {"id": record.id}
        )
        with pytest.raises(APIResponseValidationError):
            await desk.client.models.list(privacy="public")


async def test_keys_that_the_types_do_not_have_are_sent_all_the_same() -> None:
    async with opened(PLAIN) as desk:
        shown = await desk.client.jobs.retrieve("job_success")
        assert EXTRAS.keys() <= (shown.job.model_extra or {}).keys()
