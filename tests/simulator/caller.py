"""A client of the pure core: values in, values out, and a clock that a test turns by hand."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from batchgen.simulator.exchange import Reply, Request
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Settings

EPOCH = 1_800_000_000.0
SEEDED, SEEDLESS = "model_bfl-flux-1-dev", "model_imagen4-ultra"
MATERIAL, VIDEO = "model_patina-material", "model_bytedance-seedance-2-0"
GPT, GEMINI = "model_openai-gpt-image-2", "model_google-gemini-3-1-flash"


def basic(key: str = "key", secret: str = "secret") -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}


def data_of(reply: Reply) -> Any:
    return json.loads(reply.body)


@dataclass
class Caller:
    settings: Settings = field(default_factory=Settings)
    now: float = EPOCH
    headers: dict[str, str] = field(default_factory=basic)

    def __post_init__(self) -> None:
        self.service = Service(self.settings)

    def send(self, method: str, path: str, body: bytes = b"", /, **query: str) -> Reply:
        headers = {**self.headers, "host": "127.0.0.1:8765"}
        return self.service.handle(
            Request(method=method, path=f"/v1{path}", query=query, headers=headers, body=body), self.now
        )

    def get(self, path: str, **query: str) -> Reply:
        return self.send("GET", path, b"", **query)

    def post(self, path: str, data: object, **query: str) -> Reply:
        return self.send("POST", path, json.dumps(data).encode(), **query)

    def run(self, model: str = SEEDLESS, query: dict[str, str] | None = None, **inputs: object) -> Reply:
        return self.post(f"/generate/custom/{model}", {"prompt": "an oak", **inputs}, **(query or {}))

    def bought(self, model: str = SEEDLESS, **inputs: object) -> str:
        """Buy a job and give its remote id."""
        reply = self.run(model, None, **inputs)
        assert reply.status == 200, reply.body
        remote_id: str = data_of(reply)["job"]["jobId"]
        return remote_id

    def job(self, remote_id: str) -> Any:
        reply = self.get(f"/jobs/{remote_id}")
        assert reply.status == 200, reply.body
        return data_of(reply)["job"]

    def pages(self, **query: str) -> list[list[Any]]:
        """Follow the tokens of a listing to its end."""
        pages, token = [], ""
        while True:
            reply = self.get("/jobs", **query, **({"paginationToken": token} if token else {}))
            assert reply.status == 200, reply.body
            pages.append(data_of(reply)["jobs"])
            token = data_of(reply).get("nextPaginationToken", "")
            if not token:
                return pages
            assert len(pages) < 2000, "the pages have no end"

    def listed(self, **query: str) -> list[Any]:
        return [row for page in self.pages(**query) for row in page]

    def download(self, url: str, **headers: str) -> Reply:
        parts = urlsplit(url)
        request = Request(method="GET", path=parts.path, query=dict(parse_qsl(parts.query)), headers=headers)
        return self.service.handle(request, self.now)
