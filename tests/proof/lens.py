"""How the service shows what it has, where its guides leave that open: between the simulator and a run.

The core is not touched: what it answers is altered on its way, so that the law still reads the truth.
"""

import hashlib
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from batchgen.simulator.dates import written
from batchgen.simulator.exchange import Reply, Request

_OK = 200


class Echo(StrEnum):
    """How a row shows what was sent."""

    TRUE = "as it was sent"
    SPACES = "white space of prompts squeezed"
    ENTITIES = "prompts with entities"
    WIDTH = "another width"


class Garbage(StrEnum):
    """A row that is no job."""

    NONE = "none"
    UNDATED = "one without id and date"
    DATED = "one without an id, dated now"
    OLD = "one with an id that is no text, of long ago"


class Uploads(StrEnum):
    """What becomes of an upload."""

    HIDDEN = "it makes no row"
    LISTED = "it makes a row"
    REFUSED = "this key may not upload"


@dataclass(frozen=True, kw_only=True)
class Lens:
    """One service's ways.

    Attributes:
        receipts_name_us: whether answers to submits name the author.
        row_author: ``""`` as it is, ``none`` for no author, ``person`` for the person whose key it is.
        row_type: of rows.
        echo: how rows show what was sent.
        share: of the rows that are echoed so.
        garbage: a row beside the others.
        unreadable: share of our rows that nobody can read.
        loops: whether the second page leads back to the first.
        uploads: what becomes of them.
    """

    receipts_name_us: bool = True
    row_author: str = ""
    row_type: str = "custom"
    echo: Echo = Echo.TRUE
    share: float = 1.0
    garbage: Garbage = Garbage.NONE
    unreadable: float = 0.0
    loops: bool = False
    uploads: Uploads = Uploads.HIDDEN

    @property
    def is_clear(self) -> bool:
        """Whether rows show all that rules need to tell ours from others."""
        plain = replace(self, uploads=Uploads.HIDDEN, receipts_name_us=True)
        return plain == Lens()

    def hides(self, remote_id: str) -> bool:
        """Say whether a row is one that nobody can read."""
        return _share("unreadable" + remote_id) < self.unreadable


@dataclass
class Viewer:
    """Looks at one service through a lens."""

    lens: Lens
    uploads: list[dict[str, Any]] = field(default_factory=list)

    def request(self, request: Request) -> Reply | None:
        """Answer in the service's place; None to let it answer."""
        if self.lens.uploads is Uploads.REFUSED and _is_upload(request):
            return Reply(status=403, body=b'{"reason":"This key may not upload"}')
        return None

    def reply(self, request: Request, reply: Reply, now: float) -> Reply:
        """Alter an answer."""
        if reply.status != _OK or not reply.body:
            return reply
        if _is_upload(request):
            self._note_upload(reply, now)
            return reply
        alter = self._alteration(request)
        if alter is None:
            return reply
        try:
            data = json.loads(reply.body)
        except ValueError:
            return reply
        alter(data, now)
        return replace(reply, body=json.dumps(data).encode())

    def _alteration(self, request: Request) -> Any:
        if request.method == "POST" and request.path.startswith("/v1/generate/"):
            return self._receipt if not self.lens.receipts_name_us else None
        if request.method == "GET" and request.path == "/v1/jobs":
            listed = bool(self.uploads) and self.lens.uploads is Uploads.LISTED
            return self._listing if listed or not self.lens.is_clear else None
        return None

    def _receipt(self, data: dict[str, Any], now: float) -> None:
        del now
        data.get("job", {}).pop("authorId", None)

    def _listing(self, data: dict[str, Any], now: float) -> None:
        rows = [self._row(row) for row in data.get("jobs", [])]
        if self.lens.uploads is Uploads.LISTED:
            rows = [*reversed(self.uploads), *rows]
        rows += _GARBAGE[self.lens.garbage](now)
        data["jobs"] = rows
        if self.lens.loops and "nextPaginationToken" in data:
            data["nextPaginationToken"] = "again"

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        lens, chance = self.lens, _share(row["jobId"])
        if lens.hides(row["jobId"]):
            return {"createdAt": row["createdAt"], "jobType": "custom"}
        row = {**row, "jobType": lens.row_type}
        match lens.row_author:
            case "none":
                row.pop("authorId", None)
            case "person" if row["authorId"].startswith("apiu_"):
                row["authorId"] = f"user_{row['authorId'][5:]}"
            case _:
                pass
        inputs = row["metadata"].get("input")
        if inputs and chance < lens.share:
            row["metadata"] = {**row["metadata"], "input": _echoed(inputs, lens.echo)}
        return row

    def _note_upload(self, reply: Reply, now: float) -> None:
        try:
            asset = json.loads(reply.body).get("asset")
        except ValueError:
            return
        if asset:
            self.uploads.append(
                {
                    "jobId": f"job_of_upload_{len(self.uploads)}",
                    "jobType": "upload",
                    "status": "success",
                    "createdAt": written(now),
                    "updatedAt": written(now),
                    "authorId": asset["authorId"],
                    "ownerId": asset["ownerId"],
                    "metadata": {},
                    "billing": {"cuCost": 0},
                }
            )


def _echoed(inputs: Mapping[str, Any], echo: Echo) -> dict[str, Any]:
    prompt, width = inputs.get("prompt"), inputs.get("width")
    match echo:
        case Echo.SPACES if isinstance(prompt, str):
            return {**inputs, "prompt": " ".join(prompt.split())}
        case Echo.ENTITIES if isinstance(prompt, str):
            return {**inputs, "prompt": html.escape(prompt)}
        case Echo.WIDTH if isinstance(width, int | float):
            return {**inputs, "width": width + 16}
        case _:
            return dict(inputs)


_GARBAGE: Mapping[Garbage, Callable[[float], list[dict[str, Any]]]] = {
    Garbage.NONE: lambda _: [],
    Garbage.UNDATED: lambda _: [{"status": "success"}],
    Garbage.DATED: lambda now: [{"jobId": "", "createdAt": written(now)}],
    Garbage.OLD: lambda now: [{"jobId": {"S": 7}, "createdAt": written(now - 40 * 86_400)}],
}


def _is_upload(request: Request) -> bool:
    return (request.method, request.path) == ("POST", "/v1/assets")


def _share(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32
