"""One request and what becomes of it, as values: the core's whole view of the network.

Nothing here sends anything. A ``Reply`` says what the front has to do, down to the cut of a
connection, so that a test of the core needs no socket.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from batchgen.model import Json


class Call(StrEnum):
    """What a request asks for; faults and counts go by it."""

    SUBMIT = "submit"
    QUOTE = "quote"
    JOB = "job"
    JOBS = "jobs"
    CANCEL = "cancel"
    MODEL = "model"
    MODELS = "models"
    ASSETS = "assets"
    TEAMS = "teams"
    USAGES = "usages"
    DOWNLOAD = "download"
    OTHER = "other"


class Fate(StrEnum):
    """What becomes of the connection once the delay is over."""

    ANSWERED = "answered"
    CUT = "cut"
    HUNG = "hung"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as it came in.

    Attributes:
        path: with ``/v1`` or ``/cdn`` in front, percent-decoded.
        query: the first value where a key is repeated.
        headers: by lower-case names.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Effect(StrEnum):
    """How a file is made of what a job was given."""

    DRAWN = "drawn"
    CUT_OUT = "cut out"
    ENLARGED = "enlarged"
    PIXELATED = "pixelated"
    TRACED = "traced"
    RAISED = "raised"
    FILMED = "filmed"
    SPOKEN = "spoken"
    WRITTEN = "written"


@dataclass(frozen=True, kw_only=True, slots=True)
class Medium:
    """A file to be made: what it shows and in which form; the core only names it.

    Attributes:
        id: the asset's; makes the bytes unique.
        mime: the form.
        text: what is written in the picture, or what the file says.
        label: a second line, such as the role among several outputs.
        width, height: pixels.
        seconds: of a film.
        effect: how it is made.
        options: what else moves it, by name.
        key: stands for what it is made of; media of equal keys are made of equal files.
        sources: what it is made of.
        depth: how many files it took, one made of the other, to come to its sources; 0 without any.
        content: the file itself, where it is one that was sent.
    """

    id: str
    mime: str
    text: str
    label: str = ""
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    effect: Effect = Effect.DRAWN
    options: tuple[tuple[str, Json], ...] = ()
    key: str = ""
    sources: "tuple[Medium, ...]" = field(default=(), compare=False, repr=False)
    depth: int = field(default=0, compare=False)
    content: bytes = field(default=b"", compare=False, repr=False)

    def made_of(self, sources: "Sequence[Medium]") -> "Medium":
        """Return the same, made of other files."""
        names = "\n".join(f"{one.id} {one.key}" for one in sources)
        return replace(
            self,
            sources=tuple(sources),
            key=hashlib.sha256(names.encode("utf-8", "replace")).hexdigest() if names else "",
            depth=1 + max((one.depth for one in sources), default=-1),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What the front has to do with a request.

    Attributes:
        body: ignored where a medium is given.
        medium: the file to be sent as the body.
        kept: share of the body that the service still has; 1 for all of it.
        sent: share of the body that leaves before the connection is cut; 1 for all of it.
        delay: seconds to wait first.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    medium: Medium | None = None
    kept: float = 1.0
    sent: float = 1.0
    delay: float = 0.0
    fate: Fate = Fate.ANSWERED


def answer(status: int, data: Json, **headers: str) -> Reply:
    """Return a reply that carries JSON; underscores in the headers' names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_number).encode()
    return Reply(status=status, headers={"content-type": "application/json", **named}, body=body)


def refusal(status: int, reason: str, *, name: str = "", details: Json = None, **headers: str) -> Reply:
    """Return an error in the service's own shape: ``reason``, often ``name`` and ``details``."""
    data = {"reason": reason, **({"name": name} if name else {}), **({"details": details} if details else {})}
    return answer(status, data, **headers)


def page(status: int, title: str) -> Reply:
    """Return the page of HTML that a gateway answers with where the service does not."""
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Reply(status=status, headers={"content-type": "text/html"}, body=text.encode())


def _number(value: object) -> float:
    """Write money as JSON numbers; whole amounts without a point."""
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return int(value) if value == value.to_integral_value() else float(value)
