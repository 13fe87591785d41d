"""A service that answers by script, a gate that notes who passed, and answers made short."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batchgen.errors import NotSentError
from batchgen.ports import Lane
from batchgen.scenario.transport import Answer, Call, LostAnswerError

JOB_ID = "job_abcdefghijkmnpqrstuvwxyz"

Step = Answer | NotSentError | LostAnswerError


def answered(data: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON, or of the bytes that are given; header names are spelled with underscores."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Answer(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
    )


def job_json(job_id: str = JOB_ID, status: str = "queued", **fields: Any) -> dict[str, Any]:
    return {
        "jobId": job_id,
        "jobType": "custom",
        "status": status,
        "progress": 0,
        "statusHistory": [{"status": status, "date": "2026-08-28T07:37:09.434Z"}],
        "createdAt": "2026-08-28T07:37:09.434Z",
        "updatedAt": "2026-08-28T07:37:09.434Z",
        "metadata": {},
        **fields,
    }


def asset_json(asset_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": asset_id,
        "url": f"https://cdn.cloud.scenario.com/assets/{asset_id}?Policy=p&Signature=s",
        "mimeType": "image/png",
        "properties": {"size": 1234},
        **fields,
    }


@dataclass
class ScriptedTransport:
    """Answers the n-th call with the n-th step, and the last step to all after it."""

    steps: list[Step]
    calls: list[Call] = field(default_factory=list)
    seconds: float = 0.0  # that an exchange takes
    times: list[float] = field(default_factory=list)

    async def exchange(self, call: Call) -> Answer:
        self.calls.append(call)
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.seconds)
        step = self.steps[min(len(self.calls), len(self.steps)) - 1]
        if isinstance(step, Answer):
            return step
        raise step


@dataclass
class Places:
    """Answers by method and path; what is not on it is not found."""

    answers: Mapping[str, Answer]
    calls: list[Call] = field(default_factory=list)

    async def exchange(self, call: Call) -> Answer:
        self.calls.append(call)
        return self.answers.get(f"{call.method} {call.path}", answered({"reason": "not found"}, 404))


@dataclass
class OpenGate:
    """Lets everybody through at once and remembers it; turns may be made to take their time."""

    seconds: float = 0.0
    turns: list[Lane] = field(default_factory=list)
    pauses: list[tuple[Lane, float]] = field(default_factory=list)

    async def turn(self, lane: Lane) -> None:
        await asyncio.sleep(self.seconds)
        self.turns.append(lane)

    def pause(self, lane: Lane, seconds: float) -> None:
        self.pauses.append((lane, seconds))

    def hold(self, seconds: float) -> None:
        self.pauses.append((Lane.SUBMIT, seconds))

    def is_paused(self, lane: Lane) -> bool:
        return any(paused is lane for paused, _ in self.pauses)
