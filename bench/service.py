"""A lean Scenario-like service: a pure core, time passed in, that answers in microseconds and counts.

The simulator is the faithful one, with prices, pictures and everything that goes wrong. This one is for
figures that the service must not limit: it knows one model, and its jobs always succeed. What the query of a
listing means is the simulator's own reading of it.
"""

import base64
import heapq
import json
import random
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import NamedTuple

from batchgen.simulator.dates import read, written
from batchgen.simulator.listing import BadQueryError, Query, parse_query

MODEL = "model_bench"
AUTHOR = "apiu_bench"
_DETAIL = {
    "model": {
        "id": MODEL,
        "name": "Bench",
        "type": "custom",
        "inputs": [
            {"name": "prompt", "type": "string", "required": True},
            {"name": "width", "type": "number", "min": 64, "max": 2048},
            {"name": "seed", "type": "number"},
        ],
    }
}
_NEWEST = (float("inf"), 0)

Place = tuple[float, int]  # a row's date and its job's number


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """How the service behaves.

    Attributes:
        low, high: seconds that a job takes.
        ceiling: jobs that may run at once; 0 for any number.
        lost: share of accepted submits whose answer is lost, half cut and half a 502.
        seed: equal seeds give equal jobs.
    """

    low: float = 0.0
    high: float = 0.0
    ceiling: int = 0
    lost: float = 0.0
    seed: int = 7


class Life(NamedTuple):
    """One accepted job: seconds since the epoch, in whole milliseconds as the service tells them."""

    created: float
    end: float
    inputs: str


class Answer(NamedTuple):
    """What becomes of a request; no status is a cut connection."""

    status: int
    body: str = ""


_CUT = Answer(0)


@dataclass
class Service:
    """Judges one request after another.

    Attributes:
        counts: requests by kind, and ``accepted``, ``refused``, ``lost``.
        asked: when each request came, and its kind.
    """

    load: Load
    counts: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[float, str]] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._durations = random.Random(self.load.seed)
        self._losses = random.Random(self.load.seed + 1)
        self._running: list[Place] = []  # sorted by end
        self._ended: list[Place] = []  # and these too
        self._kinds: Mapping[str, Callable[[str, Mapping[str, str], bytes, float], Answer]] = {
            "submit": self._submit,
            "quote": self._quote,
            "job": self._job,
            "jobs": self._jobs,
            "model": self._model,
            "assets": self._other,
            "other": self._other,
        }

    def handle(self, method: str, path: str, query: Mapping[str, str], body: bytes, now: float) -> Answer:
        """Answer a request; ``now`` never goes back."""
        kind, name = kind_of(method, path, query)
        self.counts[kind] += 1
        self.asked.append((now, kind))
        return self._kinds[kind](name, query, body, now)

    def numbers(self) -> dict[str, object]:
        """Give all that was counted, for whoever measures."""
        lives = [(one.created, one.end) for one in self.lives]
        return {"counts": dict(self.counts), "asked": self.asked, "lives": lives}

    def _submit(self, name: str, _: Mapping[str, str], body: bytes, now: float) -> Answer:
        if name != MODEL:
            return _refusal(404, "Model not found")
        self._settle(now)
        if self.load.ceiling and len(self._running) >= self.load.ceiling:
            self.counts["refused"] += 1
            details = {"actionName": "parallelCustomJobs", "actionLimit": self.load.ceiling}
            return Answer(429, json.dumps({"reason": "Too many jobs at once", "details": details}))
        number = len(self.lives)
        created = int(now * 1000) / 1000
        end = int(1000 * (created + self._durations.uniform(self.load.low, self.load.high)) + 0.5) / 1000
        self.lives.append(Life(created, end, json.dumps({"modelId": MODEL, **json.loads(body)})))
        insort(self._running, (end, number))
        self.counts["accepted"] += 1
        if self._losses.random() < self.load.lost:
            self.counts["lost"] += 1
            return _CUT if self.counts["lost"] % 2 else Answer(502, "<html>502 Bad Gateway</html>")
        return Answer(200, f'{{"job":{self._row(number, created)},"creativeUnitsCost":1}}')

    def _quote(self, *_: object) -> Answer:
        return Answer(269, '{"creativeUnitsCost":1,"creativeUnitsDiscount":0}')

    def _job(self, name: str, _: Mapping[str, str], __: bytes, now: float) -> Answer:
        number = _number(name)
        if number is None or number >= len(self.lives):
            return _refusal(404, "Job not found")
        return Answer(200, f'{{"job":{self._row(number, now)}}}')

    def _jobs(self, _: str, query: Mapping[str, str], __: bytes, now: float) -> Answer:
        self._settle(now)
        try:
            asked = parse_query(query)
            shown, token = self._page(asked, now)
        except BadQueryError as error:
            return _refusal(400, str(error))
        rows = ",".join(self._row(number, now) for _, number in shown)
        more = f',"nextPaginationToken":"{token}"' if token else ""
        return Answer(200, f'{{"jobs":[{rows}]{more}}}')

    def _page(self, asked: Query, now: float) -> tuple[list[Place], str | None]:
        start = _NEWEST if asked.token is None else _place(asked.token)
        places = self._updates(start) if asked.by_update else self._creations(start)
        oldest = asked.oldest(now)
        wanted = (
            one for one in takewhile(lambda one: one[0] > oldest, places) if self._wants(asked, one[1], now)
        )
        shown = list(islice(wanted, asked.page_size))
        more = next(wanted, None) is not None
        return shown, _token(shown[-1]) if more else None

    def _wants(self, asked: Query, number: int, now: float) -> bool:
        return (
            (asked.types is None or "custom" in asked.types)
            and asked.workflow is None
            and (asked.author is None or asked.author == AUTHOR)
            and (asked.status is None or asked.status == self._word(number, now))
        )

    def _creations(self, start: Place) -> Iterator[Place]:
        number = len(self.lives) if start == _NEWEST else start[1]
        for at in range(min(number, len(self.lives)) - 1, -1, -1):
            yield self.lives[at].created, at

    def _updates(self, start: Place) -> Iterator[Place]:
        """Go down by last change: what runs changed when it was created, the rest when it ended."""
        running = sorted(((self.lives[number].created, number) for _, number in self._running), reverse=True)
        ended = (self._ended[at] for at in range(bisect_left(self._ended, start) - 1, -1, -1))
        return heapq.merge((one for one in running if one < start), ended, reverse=True)

    def _settle(self, now: float) -> None:
        done = bisect_right(self._running, (now, len(self.lives)))
        for one in self._running[:done]:
            insort(self._ended, one)  # nearly always at its end
        del self._running[:done]

    def _model(self, name: str, *_: object) -> Answer:
        return Answer(200, json.dumps(_DETAIL)) if name == MODEL else _refusal(404, "Model not found")

    def _other(self, name: str, *_: object) -> Answer:
        return Answer(200, '{"models":[]}') if name == "models" else _refusal(404, "Not found")

    def _word(self, number: int, now: float) -> str:
        return "success" if self.lives[number].end <= now else "in-progress"

    def _row(self, number: int, now: float) -> str:
        life, word = self.lives[number], self._word(number, now)
        created, done = written(life.created), word == "success"
        updated = written(life.end) if done else created
        history = f'{{"status":"in-progress","date":"{created}"}}'
        history += f',{{"status":"success","date":"{updated}"}}' if done else ""
        assets = f'"asset_{number:024d}"' if done else ""
        return (
            f'{{"jobId":"job_{number:024d}","jobType":"custom","status":"{word}","progress":{int(done)},'
            f'"statusHistory":[{history}],"createdAt":"{created}","updatedAt":"{updated}",'
            f'"authorId":"{AUTHOR}","ownerId":"proj_bench","billing":{{"cuCost":1,"cuDiscount":0}},'
            f'"metadata":{{"input":{life.inputs},"assetIds":[{assets}]}}}}'
        )


def kind_of(method: str, path: str, query: Mapping[str, str]) -> tuple[str, str]:
    """Say what a request asks for, and about whom."""
    match method, path.removeprefix("/v1/").split("/"):
        case "POST", ["generate", "custom", name]:
            return ("quote" if query.get("dryRun") in {"true", "api"} else "submit"), name
        case "GET", ["jobs"]:
            return "jobs", ""
        case "GET", ["jobs", name]:
            return "job", name
        case "GET", ["models", name]:
            return "model", name
        case _, ["assets", *_]:
            return "assets", ""
        case _, [first, *_]:
            return "other", first
        case _:
            return "other", ""


def _refusal(status: int, reason: str) -> Answer:
    return Answer(status, json.dumps({"reason": reason}))


def _number(name: str) -> int | None:
    text = name.removeprefix("job_")
    return int(text) if text.isascii() and text.isdecimal() else None


def _token(place: Place) -> str:
    """Mint a last-evaluated key, as the service does: a page goes on strictly after it."""
    key = {"date": {"S": written(place[0])}, "jobId": {"S": f"job_{place[1]:024d}"}}
    return base64.b64encode(json.dumps(key).encode()).decode()


def _place(token: str) -> Place:
    try:
        key = json.loads(base64.b64decode(token, validate=True))
        number = _number(key["jobId"]["S"])
        date = read(key["date"]["S"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadQueryError("Invalid pagination token") from error
    if number is None:
        raise BadQueryError("Invalid pagination token")
    return date, number
