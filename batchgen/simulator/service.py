"""The service: one request at a time, in; what becomes of it, out.

In what order a request is judged is said here and nowhere else:
credentials, rate, fault, then the call itself. No clock, no socket and no file: time is passed
in, and everything else follows from the settings and the requests before.
"""

import heapq
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from batchgen.model import Json
from batchgen.simulator.account import limits_of, teams
from batchgen.simulator.assets import Assets, Made, asset_object
from batchgen.simulator.dates import header
from batchgen.simulator.denials import denial, lack
from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Call, Fate, Reply, Request, answer, refusal
from batchgen.simulator.faults import LATE, WITHOUT_EFFECT, FaultPlan, denied, spoil
from batchgen.simulator.inputs import UNSEEN, InputFile, files_of
from batchgen.simulator.jobs import SUCCESS, Submission
from batchgen.simulator.keys import Keys
from batchgen.simulator.listing import BadQueryError, Index, page_size, parse_query
from batchgen.simulator.models import Catalogue
from batchgen.simulator.paths import call_of
from batchgen.simulator.register import Register
from batchgen.simulator.rows import EXTRAS, job_object
from batchgen.simulator.settings import Denied, Settings
from batchgen.simulator.submits import RefusedError, accept, quote, read_order
from batchgen.simulator.throttle import Throttle
from batchgen.simulator.uploads import USUAL_IMPORTS, Imports, Sent, Uploads
from batchgen.simulator.urls import Signer
from batchgen.simulator.usages import usages

LARGEST_BODY = 6_000_000  # bytes that the service's gateway takes
_BULK = 200  # assets a call
_MODELS_A_PAGE, _MOST_MODELS_A_PAGE = 100, 500
_PROJECT = "proj_simulated"


class Service:
    """A Scenario-like service.

    Attributes:
        counts: requests by what they asked for, and ``refused_429``, ``cdn_credentials``,
            ``store_credentials``.
    """

    def __init__(self, settings: Settings, imports: Imports = USUAL_IMPORTS) -> None:
        """Start with no jobs."""
        self._settings = settings
        self._denied, self._faults = settings.denied, settings.faults
        self._draws = Draws(settings.seed)
        self._catalogue = Catalogue.recorded()
        self._register = Register()
        self._assets = Assets(other_sizes=settings.views.other_sizes)
        self._index = Index(self._draws, settings.views.short_pages)
        self._throttle = Throttle(settings.limits)
        self._signer = Signer(key=settings.secret.encode(), life=settings.url_life)
        self._keys = Keys(settings)
        self._uploads = Uploads(imports, self._draws, self._signer)
        self._late: list[tuple[float, int, Request]] = []  # heap: when it arrives, which submit, what it says
        self.counts: Counter[str] = Counter()
        self._calls: Mapping[Call, Callable[[Request, str, float], Reply]] = {
            Call.SUBMIT: self._submit,
            Call.QUOTE: self._submit,
            Call.JOB: self._job,
            Call.JOBS: self._jobs,
            Call.CANCEL: self._cancel,
            Call.MODEL: self._model,
            Call.MODELS: self._models,
            Call.ASSETS: self._asset_calls,
            Call.TEAMS: self._teams,
            Call.USAGES: self._usages,
            Call.DOWNLOAD: self._download,
            Call.OTHER: self._other,
        }

    @property
    def submissions(self) -> Sequence[Submission]:
        """Every accepted POST, each of them charged, the oldest first."""
        return self._register.jobs

    @property
    def sent(self) -> Sequence[Sent]:
        """Every asset that was sent, the oldest first."""
        return self._uploads.sent

    @property
    def most_in_flight(self) -> int:
        """The highest number of jobs that ran at once."""
        return self._register.most_in_flight

    def outputs_of(self, job: Submission, now: float) -> Sequence[str]:
        """Return the ids of the assets that a look at a job shows by then, in the service's order."""
        made = self._assets.of(job) if job.ended(now) and job.end.word == SUCCESS else ()
        return job.shows(made, now) if self._settings.views.outputs_late_in_jobs else made

    def reprice(self, prices: Mapping[str, Decimal]) -> None:
        """Take other prices from now on; what was accepted before stays as it is."""
        self._settings = replace(self._settings, prices=prices)

    def restore(self, jobs: Iterable[Submission], sent: Iterable[Sent] = ()) -> None:
        """Take in the jobs of an earlier life, the oldest first, and what was sent to it.

        Raises:
            ValueError: they do not follow each other.
        """
        for one in sent:
            self._uploads.restore(one)
        for job in jobs:
            self._take_in(job)

    def deny(self, denied: Denied, faults: FaultPlan | None = None) -> None:
        """Change from now on what the credentials may not do, and what goes wrong."""
        self._denied, self._faults = denied, faults or self._settings.faults

    def advance(self, now: float) -> float:
        """Let the time pass and give it: submits that were on their way arrive.

        Args:
            now: seconds since the epoch; an earlier time than before counts as the latest.
        """
        while self._late and self._late[0][0] <= now:
            due, _, request = heapq.heappop(self._late)
            call, name = call_of(request)
            self._answer(request, call, name, self._register.advance(due), acts=True)
        return self._register.advance(now)

    def handle(self, request: Request, now: float) -> Reply:
        """Judge a request and do what it asks for.

        Args:
            request: as it came in.
            now: seconds since the epoch; an earlier time than before counts as the latest.
        """
        now = self.advance(now)
        call, name = call_of(request)
        nth = self.counts[call]
        self.counts[call] += 1
        fault = self._faults.drawn(call, nth, self._draws)
        if fault in LATE:
            due = now + self._draws.between(self._settings.late, "late", nth)
            heapq.heappush(self._late, (due, nth, request))
        reply = self._answer(request, call, name, now, acts=fault not in WITHOUT_EFFECT | LATE)
        delay = self._draws.between(self._settings.latency, "latency", call, nth)
        reply = replace(reply, delay=delay, headers={**reply.headers, "date": header(now)})
        reply = spoil(reply, fault, slow=self._settings.slow, retry_after=self._settings.fault_retry_after)
        if reply.status == 429:  # noqa: PLR2004 - the status itself
            self.counts["refused_429"] += 1
        return reply

    def _answer(self, request: Request, call: Call, name: str, now: float, *, acts: bool) -> Reply:
        if call is not Call.DOWNLOAD:
            refused = self._unauthorized(request) or self._throttle.request(now)
            if refused is not None:
                return refused
        if not acts:
            return Reply(status=500, fate=Fate.ANSWERED)
        try:
            refused = denial(self._denied, call, name) or lack(self._denied, request, call)
            return refused or self._calls[call](request, name, now)
        except RefusedError as exc:
            return exc.reply
        except BadQueryError as exc:
            return refusal(400, str(exc), name="BadRequestError")

    def _unauthorized(self, request: Request) -> Reply | None:
        if self._keys.author(request) is None:
            return refusal(401, "Unauthorized: the API key or secret is not valid", name="UnauthorizedError")
        project = request.query.get("projectId")
        if project and self._settings.project not in (None, project):
            return refusal(403, "You are not allowed to access this project", name="ForbiddenError")
        if len(request.body) > LARGEST_BODY:
            return answer(413, {"message": "Request Too Long"})
        return None

    def _owner(self, request: Request) -> str:
        return request.query.get("projectId") or self._settings.project or _PROJECT

    def _author(self, request: Request) -> str:
        return self._keys.author(request) or ""

    def _submit(self, request: Request, name: str, now: float) -> Reply:
        model = self._catalogue.get(name)
        asks = request.query.get("dryRun") in {"true", "api"}
        unknown = UNSEEN if asks and self._settings.prices_unknown_assets else None
        order = read_order(
            model, request.body, self._settings, lambda asset: self._file(asset, now) or unknown
        )
        if asks:
            return quote(order)
        refused = self._throttle.submit(now, self._register.in_flight) or self._without_credits(order.cost)
        if refused is not None:
            return refused
        job = accept(
            order,
            self._settings,
            self._draws,
            ordinal=len(self._register),
            now=now,
            author=self._author(request),
            owner=self._owner(request),
        )
        self._take_in(job)
        # as of its own date, which by its rounding may be some microseconds ahead of now
        return answer(200, {"job": self._shown(job, job.created_at), **order.costs(), **self._extras})

    def _file(self, asset_id: str, now: float) -> InputFile | None:
        """Describe an asset as the input of a job; None where there is none of that id, or not yet."""
        made, sent = self._assets.find(asset_id, now), self._uploads.find(asset_id, now)
        return made.file() if made else sent.file if sent else None

    def _without_credits(self, cost: object) -> Reply | None:
        left = self._settings.limits.credits
        if left is None or self._register.spent + cost <= left:  # type: ignore[operator]  # a Decimal
            return None
        return refusal(402, "Not enough compute units left", name="PaymentRequiredError")

    def _take_in(self, job: Submission) -> None:
        model = self._catalogue.get(job.model)
        if model is None:
            raise ValueError(f"{job.remote_id} is of a model that is not here")
        self._register.add(job)
        # as of any time: what a job of an earlier life was given may have ended after it by another clock
        files = files_of(job.inputs, model.file_inputs, lambda asset: self._file(asset, math.inf))
        self._assets.add(job, model, files)
        self._index.add(job)

    def _shown(self, job: Submission, at: float, *, listed: bool = False) -> dict[str, Json]:
        model = self._catalogue.get(job.model)
        return job_object(
            job,
            at,
            views=self._settings.views,
            asset_ids=self._assets.of(job),
            defaults=model.defaults() if model else {},
            listed=listed,
        )

    def _job(self, request: Request, name: str, now: float) -> Reply:
        job = self._register.get(name)
        fresh = job is not None and now - job.created_at < self._settings.views.job_lag
        if job is None or fresh or job.owner != self._owner(request):
            return refusal(404, "Job not found", name="NotFoundError")
        return answer(200, {"job": self._shown(job, now)})

    def _jobs(self, request: Request, _: str, now: float) -> Reply:
        rows, token = self._index.page(parse_query(request.query), self._owner(request), now)
        shown = [self._shown(job, now - job.lag, listed=True) for job in rows]
        return answer(200, {"jobs": shown, **({"nextPaginationToken": token} if token else {})})

    def _cancel(self, request: Request, name: str, now: float) -> Reply:
        found = self._job(request, name, now)
        if found.status != 200:  # noqa: PLR2004 - the status itself
            return found
        return refusal(400, "Cannot cancel this type of job. Action not permitted.")

    def _model(self, _: Request, name: str, __: float) -> Reply:
        model = self._catalogue.get(name)
        if model is None:
            return refusal(404, "Model not found", name="NotFoundError")
        published = self._settings.duration_of(name) if self._settings.views.performance else None
        return answer(200, {"model": {**model.detail(published), **self._extras}})

    def _models(self, request: Request, _: str, __: float) -> Reply:
        size = page_size(request.query, usual=_MODELS_A_PAGE, largest=_MOST_MODELS_A_PAGE)
        models = [one.row() for one in self._catalogue] if request.query.get("privacy") == "public" else []
        token = request.query.get("paginationToken", "0")
        if not (token.isascii() and token.isdecimal()):
            raise BadQueryError("Invalid pagination token")
        start = int(token[:9])
        more = {"nextPaginationToken": str(start + size)} if start + size < len(models) else {}
        return answer(200, {"models": models[start : start + size], **more})

    def _asset_calls(self, request: Request, name: str, now: float) -> Reply:
        if request.path.startswith("/v1/uploads") or (request.method, request.path) == ("POST", "/v1/assets"):
            return self._upload(request, name, now)
        if request.method == "GET":
            found = self._shown_assets(request, [name], now)
            if not found:
                return refusal(404, "Asset not found", name="NotFoundError")
            return answer(200, {"asset": found[0]})
        asked = _asset_ids(request.body)
        if asked is None or len(asked) > _BULK:
            return refusal(400, f"assetIds must hold at most {_BULK} ids", name="BadRequestError")
        found = self._shown_assets(request, asked, now)
        # whoever relies on the order of the answer is wrong
        found.sort(key=lambda one: self._draws.share("order", one["id"]))
        return answer(200, {"assets": found})

    def _shown_assets(self, request: Request, asset_ids: Iterable[str], now: float) -> list[dict[str, Json]]:
        base = f"http://{request.headers.get('host', 'cdn.invalid')}"
        kind = "assets" if request.query.get("originalAssets") == "true" else "assets-transform"
        transformed = {} if kind == "assets" else {"p": "100"}
        wanted = list(asset_ids)
        sent = [one for asset_id in wanted if (one := self._uploads.find(asset_id, now)) is not None]
        return [
            {**one.shown(self._signer.url(base, f"/cdn/assets/{one.id}", now, **transformed)), **self._extras}
            for one in sent
        ] + [
            asset_object(
                made,
                url=self._signer.url(base, f"/cdn/assets/{made.id}", now, **transformed),
                index_always_zero=self._settings.views.index_always_zero,
                extras={**self._stills(made, base, now), **self._extras},
            )
            for asset_id in wanted
            if (made := self._assets.find(asset_id, now)) is not None
        ]

    def _stills(self, made: Made, base: str, now: float) -> dict[str, Json]:
        """Name the pictures that an asset is shown by: those made with it, or a film's first frame."""
        first = made.parent if made.output.kind == "video" else None
        named = {"thumbnail": made.still or first, "firstFrame": first}
        return {
            name: {"assetId": one, "url": self._signer.url(base, f"/cdn/assets/{one}", now)}
            for name, one in named.items()
            if one is not None
        }

    def _download(self, request: Request, name: str, now: float) -> Reply:
        if request.method == "PUT":
            return self._part(request, name, now)
        if "authorization" in request.headers:
            self.counts["cdn_credentials"] += 1
            return Reply(status=400, body=b"Only one auth mechanism allowed")
        if not self._signer.holds(request.path, request.query, now):
            return denied()
        sent = self._uploads.find(name, now)
        if sent is not None:
            return Reply(status=200, headers={"content-type": sent.mime}, body=sent.content)
        made = self._assets.find(name, now)
        if made is None:
            return denied()
        medium = made.medium()
        return Reply(status=200, headers={"content-type": medium.mime}, medium=medium)

    def _upload(self, request: Request, name: str, now: float) -> Reply:
        author, owner = self._author(request), self._owner(request)
        if request.path == "/v1/assets":
            image = self._uploads.take_image(request.body, now, author=author, owner=owner)
            base = f"http://{request.headers.get('host', 'cdn.invalid')}"
            shown = image.shown(self._signer.url(base, f"/cdn/assets/{image.id}", now))
            return answer(200, {"asset": {**shown, **self._extras}})
        if not name:
            base = f"http://{request.headers.get('host', 'store.invalid')}"
            upload = self._uploads.begin(request.body, now, base=base, author=author, owner=owner)
        elif request.method == "POST":
            upload = self._uploads.act(name, request.body, now)
        else:
            upload = self._uploads.show(name, now)
        return answer(200, {"upload": {**upload, **self._extras}})

    def _part(self, request: Request, name: str, now: float) -> Reply:
        if "authorization" in request.headers:
            self.counts["store_credentials"] += 1
            return Reply(status=400, body=b"Only one auth mechanism allowed")
        if not self._signer.holds(request.path, request.query, now):
            return denied()
        self._uploads.take_part(name, int(request.path.rsplit("/", 1)[-1]), request.body)
        return Reply(status=200)

    def _teams(self, request: Request, team: str, now: float) -> Reply:
        if not team:
            return answer(200, teams(self._owner(request)))
        return answer(200, limits_of(self._settings.limits, self._register.spent, now))

    def _usages(self, request: Request, _: str, now: float) -> Reply:
        return answer(200, {**usages(request.query, self._register.jobs, now), **self._extras})

    def _other(self, request: Request, _: str, __: float) -> Reply:
        if request.path == "/v1/me":
            return answer(403, {"message": "API Keys cannot access protected resources"})
        return answer(404, {"message": "Not Found"})

    @property
    def _extras(self) -> Mapping[str, Json]:
        return EXTRAS if self._settings.views.extras else {}


def _asset_ids(body: bytes) -> list[str] | None:
    try:
        asked = json.loads(body)["assetIds"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    fits = isinstance(asked, list) and all(isinstance(one, str) for one in asked)
    return asked if fits else None
