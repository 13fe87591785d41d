"""The service as the engine sees it: calls of ours become requests, answers become values.

Which requests there are is said here and nowhere else. Idempotent ones are repeated; the
paid POST leaves once, and between its answer and the return there is no await.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from batchgen.account import Identity
from batchgen.errors import (
    AmbiguousError,
    NoRightError,
    NotFoundError,
    RefusedError,
    StoppedError,
    TransientError,
)
from batchgen.model import Asset, Model, Receipt, RemoteJob, Text
from batchgen.pages import JobPage
from batchgen.ports import Lane
from batchgen.rights import Right
from batchgen.scenario.account import Account, parse_account, parse_team
from batchgen.scenario.calls import Caller, segment
from batchgen.scenario.fields import WireError
from batchgen.scenario.reasons import served_at
from batchgen.scenario.transport import Answer, Call, LostAnswerError
from batchgen.scenario.verdicts import (
    first_quote_verdict,
    item_verdict,
    listing_verdict,
    model_verdict,
    quote_verdict,
    submit_verdict,
)
from batchgen.scenario.wire import (
    parse_asset,
    parse_assets,
    parse_identity,
    parse_job,
    parse_model,
    parse_models,
    parse_page,
    parse_plan,
    parse_quote,
    parse_text,
)

BULK = 200  # assets a call; beyond it the service refuses the whole call
PAGE_SIZE = 100  # jobs a page; the most the service gives
# source: docs/service.md models
MODELS_PAGE_SIZE = 500  # models a page; the most the service gives
MOST_PAGES = 10_000  # of one listing: a million jobs, or a service whose pages never end

# the smallest PNG: one transparent pixel
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class ScenarioClient(Caller):
    """Implements ``ports.Generator`` over a transport.

    Every call may raise StoppedError. The idempotent ones raise TransientError when the
    attempts or the time of their ``CallRetry`` are used up, and RefusedError when the service
    says that asking again will not help.
    """

    _quotes_are_free = False  # seen, not assumed

    async def submit(self, model: str, body: str, *, may_leave: Callable[[], bool] | None = None) -> Receipt:
        """Send one paid POST, once; see ``ports.Generator``."""
        path = f"/generate/custom/{segment(model, RefusedError)}"
        try:
            sent = body.encode()
        except UnicodeEncodeError as exc:
            raise RefusedError("the inputs hold half a character, which no request can carry") from exc
        # source: docs/service.md submit
        call = Call(method="POST", path=path, query=self._scope, body=sent, once=True, may_leave=may_leave)
        try:
            answer = await self._sent(call)
        except LostAnswerError as exc:
            raise AmbiguousError(f"the reply was lost: {exc}") from exc
        try:
            receipt = submit_verdict(answer)
        except StoppedError as exc:
            self._refuse_without(Right.GENERATE, answer, exc)
            raise
        self.rights.used(Right.GENERATE)
        return receipt

    async def quote(self, model: str, body: str) -> Decimal:
        """Ask what a submit would cost; see ``ports.Quoter``.

        To a service that does not know ``dryRun`` the question is an order. So it is repeated after a
        lost answer only when this client has seen that it is taken for a question.
        ``dryRun`` is a query parameter: in the body the service passes it over, and charges.
        """
        call = Call(
            method="POST",
            path=f"/generate/custom/{segment(model, RefusedError)}",
            # source: docs/service.md dry-run
            query={"dryRun": "true", **self._scope},
            body=body.encode(errors="replace"),
            once=not self._quotes_are_free,
        )
        verdict = quote_verdict if self._quotes_are_free else first_quote_verdict
        price = await self._ask(
            call, Lane.WATCH, lambda data, _: parse_quote(data), verdict, right=Right.PRICES
        )
        self._quotes_are_free = True
        return price

    async def job(self, remote_id: str) -> RemoteJob:
        """Look at one submission; see ``ports.Generator``."""
        return await self._ask(
            self._get(f"/jobs/{segment(remote_id, NotFoundError)}"),
            Lane.WATCH,
            lambda data, redact: parse_job(data.get("job"), redact),
            right=Right.JOBS,
        )

    async def jobs(self, filters: Mapping[str, str], token: str | None = None) -> JobPage:
        """List one page of submissions; see ``ports.Generator``.

        The page is as large as the service gives, unless ``filters`` says otherwise.
        """
        # source: docs/service.md listing
        query = {"pageSize": str(PAGE_SIZE), **filters}
        if token is not None:
            query["paginationToken"] = token
        answers: list[Answer] = []

        def verdict(answer: Answer) -> Mapping[str, Any]:
            answers.append(answer)
            return listing_verdict(answer)

        page = await self._ask(
            self._get("/jobs", query), Lane.WATCH, parse_page, verdict, right=Right.LISTING
        )
        return replace(page, served_at=served_at(answers[-1]))

    async def identify(self) -> Identity | None:
        """Send a picture of one pixel to learn who we are; see ``ports.Generator``.

        Uploads cost nothing and name their author and owner (scenario-sdk ``asset_upload_response``).
        """
        body = json.dumps({"name": "batchgen: who am I", "image": _PIXEL, "hide": True}).encode()
        call = Call(method="POST", path="/assets", query=self._scope, body=body)
        try:
            return await self._ask(
                call, Lane.WATCH, lambda data, _: parse_identity(data), right=Right.UPLOADS
            )
        except (NotFoundError, RefusedError, StoppedError):
            return None

    async def model(self, model_id: str) -> Model:
        """Describe a model; see ``ports.Generator``.

        ModelClosedError says why this account may not use it, in the service's words.
        """
        return await self._ask(
            self._get(f"/models/{segment(model_id, NotFoundError)}"),
            Lane.WATCH,
            lambda data, _: parse_model(data.get("model")),
            model_verdict,
            right=Right.MODELS,
        )

    async def plan(self) -> str:
        """Name the plan of this account in the service's word; empty where it does not show it."""
        call = self._get("/teams")
        try:
            return await self._ask(
                call, Lane.WATCH, lambda data, _: parse_plan(data), item_verdict, right=Right.LIMITS
            )
        except (NoRightError, NotFoundError, RefusedError):
            return ""

    async def account(self) -> Account | None:
        """Return what this account may do and has left; None where these credentials may not see it."""
        try:
            team = await self._ask(
                self._get("/teams"),
                Lane.WATCH,
                lambda data, _: parse_team(data),
                item_verdict,
                right=Right.LIMITS,
            )
            if not team:
                return None
            # source: docs/service.md account
            call = self._get(f"/teams/{segment(team, NotFoundError)}/limits")
            return await self._ask(
                call, Lane.WATCH, lambda data, _: parse_account(data), item_verdict, right=Right.LIMITS
            )
        except (NoRightError, NotFoundError, RefusedError):
            return None

    async def models(self, *, public: bool) -> AsyncIterator[Model]:
        """Go through the platform's models or this account's own, without their inputs.

        The service has no filter by text; tags and collections it filters for public models only.

        Raises:
            StoppedError, TransientError, RefusedError: what was given so far is not the whole of it.
        """
        query = {"pageSize": str(MODELS_PAGE_SIZE), "privacy": "public" if public else "private"}
        token: str | None = None
        for _ in range(MOST_PAGES):
            call = self._get("/models", {**query, **({"paginationToken": token} if token else {})})
            page = await self._ask(call, Lane.WATCH, lambda data, _: parse_models(data), right=Right.MODELS)
            for model in page.models:
                yield model
            if page.next_token is None:
                return
            if page.next_token == token:
                break
            token = page.next_token
        raise TransientError("the service's listing of models does not come to an end")

    async def assets(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
        """Describe assets by id, with fresh URLs of the original files; see ``ports.Generator``.

        In bulk where the service allows it, one by one what the bulk answer leaves out.
        """
        wanted = list(dict.fromkeys(asset_ids))
        found: dict[str, Asset] = {}
        for start in range(0, len(wanted), BULK):
            chunk = wanted[start : start + BULK]
            shown = await self._bulk(chunk)
            for asset_id in chunk:
                asset = shown.get(asset_id) or await self._asset(asset_id)
                if asset is not None:
                    found[asset_id] = asset
        return found

    async def text(self, asset_id: str) -> Text | None:
        """Read a text asset by its preview; see ``ports.Generator``."""
        call = self._get(f"/assets/{segment(asset_id, NotFoundError)}")
        try:
            return await self._ask(call, Lane.WATCH, lambda data, _: parse_text(data), right=Right.ASSETS)
        except (NoRightError, NotFoundError, RefusedError):
            return None

    async def _bulk(self, asset_ids: Sequence[str]) -> Mapping[str, Asset]:
        if Right.BULK in self.rights.missing:
            return {}
        call = Call(
            method="POST",
            # source: docs/service.md assets
            path="/assets/get-bulk",
            query={"originalAssets": "true", **self._scope},
            body=json.dumps({"assetIds": list(asset_ids)}).encode(),
        )
        try:
            found = await self._ask(
                call, Lane.ASSETS, lambda data, _: parse_assets(data), item_verdict, right=Right.BULK
            )
        except (NoRightError, NotFoundError, RefusedError):
            return {}  # one id that it does not like spoils the whole call
        self.rights.used(Right.ASSETS)
        return found

    async def _asset(self, asset_id: str) -> Asset | None:
        try:
            call = self._get(f"/assets/{segment(asset_id, NotFoundError)}", {"originalAssets": "true"})
            return await self._ask(
                call, Lane.ASSETS, lambda data, _: _asset_or_none(data), item_verdict, right=Right.ASSETS
            )
        except (NotFoundError, RefusedError):
            return None


def _asset_or_none(data: Mapping[str, Any]) -> Asset | None:
    try:
        return parse_asset(data.get("asset"))
    except WireError:  # not stored yet, most likely: not shown, as far as a caller can tell
        return None
