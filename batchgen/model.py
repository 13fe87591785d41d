"""The values that pass between the rooms: frozen, keyword-only, and without behaviour that acts.

Nothing here knows where a value came from (YAML, JSON, SQLite) or where it goes.
Times are seconds since the epoch, UTC, as floats. Money is ``Decimal`` compute units.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = Any  # what json.loads gives: a recursive alias tells the type checker nothing more

TEXT_INPUTS = ("text", "lyrics", "script", "instruction")  # what models that take no prompt call their text


class JobKey(NamedTuple):
    """A job's name for the machine: what it asks for, and which of the equals it is.

    Attributes:
        content: ``v1:`` and the SHA-256 of what is asked for (see ``identity.content_key``).
        ordinal: 0 for the first of the jobs that ask for the same, then 1, 2, ...
    """

    content: str
    ordinal: int = 0

    def __str__(self) -> str:
        """Return the form that stands in messages and logs."""
        return f"{self.content}#{self.ordinal}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Where a record belongs: records of another scope are never this run's.

    Attributes:
        origin: the service's base URL, or ``simulator`` for a rehearsal.
        project: the service's ``projectId``, empty where none is given.
        batch: the manifest's batch name.
        slot: one run's worth of a batch that repeats; empty for a batch that does not.
    """

    origin: str
    project: str
    batch: str
    slot: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One generation the manifest asks for.

    Attributes:
        id: the job's name for people, unique in its batch.
        prompt: the text as the manifest says it, variables filled in; None for a job without one.
        model: the service's id of the model.
        params: further inputs by the service's names, as the manifest says them.
        derive_seed: whether a seed is derived where the model takes one and none is given.
    """

    id: str
    prompt: str | None = None
    model: str
    params: Mapping[str, Json] = field(default_factory=dict)
    derive_seed: bool = True

    @property
    def inputs(self) -> dict[str, Json]:
        """All that goes in, as the manifest says it: the prompt, where there is one, and the parameters.

        The prompt is the job's own, whatever stands among its parameters.
        """
        if self.prompt is None:
            return {name: one for name, one in self.params.items() if name != "prompt"}
        return {**self.params, "prompt": self.prompt}


class Refund(StrEnum):
    """How it is known that a charge came back; the service never says so of a job itself."""

    NONE = "none"
    ASSUMED = "assumed"  # a failure that is refunded by the service's own rules
    CONFIRMED = "confirmed"  # shown by the service: add-ons that read 0, or its usages


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """One accepted POST: it has a remote id and it has been paid for.

    Attributes:
        remote_id: the service's job id, unique among all submissions of an origin.
        attempt: which attempt it carries, from 1.
        at: when our record was made, seconds since the epoch.
        charged: compute units; None as long as the service has not said.
        author: who it is by in the service's eyes; empty where it does not say.
        reserved: what was held against the budget for it; None where nothing was.
        refund: how it is known what came back.
        refunded: compute units that came back; None as long as it has not ended.
        quoted: what the service had said that it would cost; None where that is not known.
        adopted: whether it was found among the service's jobs: no receipt says that it is ours.
        by_row: whether only its row tells of the charge; what was reserved goes on to be held beside it.
    """

    remote_id: str
    attempt: int
    at: float
    charged: Decimal | None
    author: str = ""
    reserved: Decimal | None = None
    refund: Refund = Refund.NONE
    refunded: Decimal | None = None
    quoted: Decimal | None = None
    adopted: bool = False
    by_row: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file on disk that holds one asset.

    Attributes:
        asset_id: whose bytes these are.
        path: relative to the batch's folder, with forward slashes.
        bytes: the size.
        sha256: hexadecimal.
        mime: told from the bytes, not from what was asked for.
        width, height: pixels, of a picture as its bytes say; None where neither they nor the service say it.
        duration: seconds; None where the service does not say it.
        kind: the service's word, such as ``image``; empty where it does not say it.
        type: its role among several outputs, as the service calls it, such as ``texture-normal``; or empty.
    """

    asset_id: str
    path: str
    bytes: int
    sha256: str
    mime: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    kind: str = ""
    type: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What is on record of a local file that was sent to the service, or is being sent.

    Attributes:
        sha256: of the content, hexadecimal; whoever has it needs no second upload.
        asset_id: what it became; empty as long as that is not known.
        upload_id: the service's name for an upload in parts; empty where there is none.
        name: the file's name when it was sent, for people.
        bytes: the size.
        at: when the record was made, seconds since the epoch.
    """

    sha256: str
    asset_id: str = ""
    upload_id: str = ""
    name: str
    bytes: int
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """At most ``count`` requests in ``seconds``, evenly spaced."""

    count: float
    seconds: float

    @property
    def interval(self) -> float:
        """Seconds from one request to the next."""
        return self.seconds / self.count

    def __str__(self) -> str:
        """Return the form that a manifest takes."""
        if math.isinf(self.count):
            return "none"
        unit = {1.0: "s", 60.0: "min", 3600.0: "h"}.get(self.seconds)
        return f"{self.count:g}/{unit}" if unit else f"{self.count:g}/{self.seconds:g}s"


NO_RATE = Rate(count=math.inf, seconds=1.0)  # asked for: no bound, where None leaves it to the default


class RemoteStatus(StrEnum):
    """What the service says of a submission, boiled down to what it means for us."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteJob:
    """One submission as the service shows it (scenario's Job object).

    Attributes:
        remote_id: the service's ``jobId``.
        status, word: one the service may add tomorrow counts as running; and in its own word.
        created_at, started_at, finished_at, updated_at: the service's clock; None where it does not say.
        job_type: ``custom`` for what we submit.
        author: the ``apiu_...`` of the key or the ``user_...`` of the person, empty if not shown.
        owner: the project or team it belongs to (``ownerId``), empty if not shown.
        inputs: the echo of the request, ``modelId`` included; None where it is not shown.
        asset_ids: in the service's order.
        error, hint: the service's own words on a failure; empty where it gives none.
        cost: what ``billing`` shows, add-ons included; None where it shows nothing.
        discount, itemized: what it shows to have been taken off, and whether it lists add-ons.
        refundable: False where the service says that a failure is not refunded.
        wrote: whether something came out that is no asset, such as a text.
    """

    remote_id: str
    status: RemoteStatus
    word: str
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    updated_at: float | None = None
    job_type: str = ""
    author: str = ""
    owner: str = ""
    inputs: Mapping[str, Json] | None = None
    asset_ids: tuple[str, ...] = ()
    error: str = ""
    hint: str = ""
    cost: Decimal | None = None
    discount: Decimal = Decimal(0)
    itemized: bool = True
    refundable: bool = True
    wrote: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The service's answer to an accepted submit.

    Attributes:
        job: the submission, which may already have ended.
        charged: what the answer says it took (``creativeUnitsCost``); None if it does not say.
    """

    job: RemoteJob
    charged: Decimal | None


class Acceptance(NamedTuple):
    """A changed job that keeps what was bought before the change.

    Attributes:
        job: its id in the manifest.
        content: what it asks for since the change; another change is another matter.
    """

    job: str
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptCeiling:
    """What refusals have taught of one limit of the service.

    Attributes:
        action: the service's name for it; empty where it gave none.
        models: those that count against it; none where every model does that counts against no other.
        limit: how many of ours ran at once when it was met.
        told: how many the service said may run, other people's included; None where it did not say.
        refused_at: when a refusal taught it, or one more was last tried; seconds since the epoch.
        quiet: seconds from then until one more is tried.
    """

    action: str
    models: tuple[str, ...]
    limit: int
    told: int | None = None
    refused_at: float
    quiet: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Purchase:
    """A submission that was bought by asking for a price.

    Attributes:
        project: the service's, empty for the key's own.
        remote_id: of the submission.
        model: that it was asked of.
        job: the name of the job whose price was asked.
        charged: compute units; None where the answer did not say.
        at: seconds since the epoch.
    """

    project: str
    remote_id: str
    model: str
    job: str
    charged: Decimal | None
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """What a text asset says.

    Attributes:
        whole: whether this is all of it.
    """

    text: str
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelInput:
    """One declared input of a model, as far as this program acts on it.

    Attributes:
        name: the key in the body.
        type: the service's word: ``string``, ``number``, ``file_array``, ...
        minimum, maximum, step: bounds of a number; None where not declared.
        raw: the whole element as the service sent it.
    """

    name: str
    type: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    raw: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A model as the service describes it.

    Attributes:
        id: the service's id.
        name: for people.
        inputs: in the service's order; empty in a listing, which leaves them out.
        latency_p75: seconds from submit to end that three of four stay under; None if unpublished.
        type: ``custom`` for a hosted model, ``...-lora`` or ``...-composition`` for a trained one.
        capabilities: what goes in and comes out, as ``txt2img``.
        description: a sentence for people; empty where the service has none.
        plan_rank: the plan that is needed, 0 for none; None where the service does not say.
        public: whether everybody may see it.
        raw: the whole record as the service sent it.
    """

    id: str
    name: str
    inputs: tuple[ModelInput, ...]
    latency_p75: float | None = None
    type: str = ""
    capabilities: tuple[str, ...] = ()
    description: str = ""
    plan_rank: int | None = None
    public: bool = False
    raw: Mapping[str, Json] = field(default_factory=dict, repr=False, compare=False)

    @property
    def seed_input(self) -> ModelInput | None:
        """The input that makes a generation repeatable, None where the model has none."""
        return next((one for one in self.inputs if one.name == "seed" and one.type == "number"), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """One output of the service.

    Attributes:
        id: ``asset_...``.
        url: signed and short-lived: used at once, never stored.
        mime: what the service calls it; the bytes have the last word.
        kind: what the service takes it for, such as ``image``; empty where it does not say.
        size: bytes, None where it does not say.
        is_original: whether the size is known to be that of the file that the URL gives.
        width, height: pixels, None where it does not say.
        duration: seconds, None where it does not say.
        type: its role among several outputs, such as ``texture-normal``; empty where it does not say.
    """

    id: str
    url: str
    mime: str = ""
    kind: str = ""
    size: int | None = None
    is_original: bool = False
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    type: str = ""
