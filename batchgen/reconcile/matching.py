"""Whether a row of the service's listing is the submission that we miss. Pure.

A row proves itself by what it echoes: the model and every input that was sent, by value.
Whatever is less than that is a near-match, which proves neither that a job was taken nor
that it was not.
"""

import html
import json
import math
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from batchgen.lifecycle import Record
from batchgen.model import TEXT_INPUTS, JobKey, Json, RemoteJob, Text
from batchgen.reconcile.ownership import Ownership

BEFORE = 5.0  # seconds that a row may be older than its intent, beside the clocks' difference
AFTER = 900.0  # seconds after the loss in which a gateway may still deliver a request
LEAVES_WITHIN = 120.0  # seconds from an intent in which its body leaves or is given up
UNMEASURED = 900.0  # seconds that our clock may have been wrong where nothing says how far it was


class Likeness(StrEnum):
    """What a row is to a body that was sent."""

    MATCH = "match"
    NEAR = "near-match"
    UNREAD = "unread"  # its prompt is an asset that has to be fetched before anything can be said
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent, or would be, and where to.

    Attributes:
        model: the service's id.
        text: exactly what was sent.
        inputs: what that says.
    """

    model: str
    text: str
    inputs: Mapping[str, Json]

    @classmethod
    def of(cls, model: str, text: str) -> Self:
        """Read a body; the text is JSON that this program wrote."""
        return cls(model, text, json.loads(text))

    @classmethod
    def sent_for(cls, record: Record) -> Self | None:
        """Return the latest body of a job; None before its first intent."""
        if record.job is None or record.body is None:
            return None
        return cls.of(record.job.model, record.body)

    @property
    def prompt(self) -> str | None:
        """The prompt; None where the model takes none."""
        prompt = self.inputs.get("prompt")
        return prompt if isinstance(prompt, str) else None

    @property
    def seed(self) -> float | None:
        """The seed in it, derived or given."""
        return seed_in(self.inputs)

    @property
    def assets(self) -> frozenset[str]:
        """The ids of the assets among its inputs, however deep."""
        return frozenset(assets_in(self.inputs))


def seed_in(inputs: Mapping[str, Json]) -> float | None:
    """Return the number under ``seed``; None where there is none."""
    seed = inputs.get("seed")
    return float(seed) if isinstance(seed, int | float) and not isinstance(seed, bool) else None


def assets_in(value: Json) -> list[str]:
    """Return every asset id in a JSON value."""
    if isinstance(value, str):
        return [value] if value.startswith("asset_") else []
    if isinstance(value, Mapping):
        return [one for part in value.values() for one in assets_in(part)]
    if isinstance(value, list | tuple):
        return [one for part in value for one in assets_in(part)]
    return []


def asset_prompt(row: RemoteJob) -> str | None:
    """Return the id that a row shows in place of its prompt; None where it shows the prompt itself.

    The service does so once a job is archived (seen in its Blender plugin, ``core/history.py``).
    """
    prompt = (row.inputs or {}).get("prompt")
    return prompt if isinstance(prompt, str) and prompt.startswith("asset_") else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A POST whose answer was lost.

    Attributes:
        key: the job's.
        body: what was sent.
        sender: fingerprint of the key that sent it; empty where that is not known.
        intent_at: when it was about to leave, by our clock of then.
        lost_at: when its answer was lost, or a later run found it without one.
        skew: seconds by which the service's clock was ahead of ours at the intent; None where that
            is not known.
    """

    key: JobKey
    body: Body
    sender: str = ""
    intent_at: float
    lost_at: float
    skew: float | None = None

    @classmethod
    def of(cls, key: JobKey, model: str, record: Record, *, now: float) -> Self:
        """Read the doubt from a record; what it does not date is dated now."""
        intent_at = now if record.intent_at is None else record.intent_at
        lost_at = intent_at if record.lost_at is None else record.lost_at
        return cls(
            key=key,
            body=Body.of(model, record.body or "{}"),
            sender=record.sender,
            intent_at=intent_at,
            lost_at=lost_at,
            skew=record.skew,
        )

    def left_by(self) -> float | None:
        """Return the service's date by which the body had left; None where no clock can tell."""
        return None if self.skew is None else self.intent_at + self.skew + LEAVES_WITHIN

    def window(self, skew: float) -> "Window":
        """Return the dates between which its row would lie.

        Our clock may have been another one at the intent than it is now, so both differences count.

        Args:
            skew: seconds by which the service's clock is ahead of ours now.
        """
        then = (skew - UNMEASURED, skew + UNMEASURED) if self.skew is None else (self.skew,)
        return Window(
            self.intent_at + min(skew, *then) - BEFORE,
            max(self.intent_at, self.lost_at) + max(skew, *then) + AFTER,
        )


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time by the service's clock, both ends included, seconds since the epoch."""

    low: float
    high: float

    def has(self, row: RemoteJob) -> bool:
        """Return whether a row may be of this time; one without a date may."""
        return row.created_at is None or self.low <= row.created_at <= self.high


EVER = Window(-math.inf, math.inf)


def stands_for(likeness: Likeness, row: RemoteJob, ownership: Ownership, window: Window) -> Likeness:
    """Return what a row is to a body, all that is known of the row considered.

    Args:
        likeness: by what it echoes.
        row: as listed.
        ownership: whose it is.
        window: when it would have been accepted.
    """
    if not ownership.is_free:
        return Likeness.OTHER
    if ownership.is_other_work or not window.has(row):
        # dates are the least that can be relied on: an equal body proves that one of them may be wrong
        return Likeness.NEAR if likeness is Likeness.MATCH else Likeness.OTHER
    if likeness is Likeness.MATCH and not ownership.decisive:
        # another key with a batch of this name derives the same seed; another type may be other work
        return Likeness.NEAR
    return likeness


class Change(NamedTuple):
    """A value of an input that the service is known to echo as another one.

    Attributes:
        model, name: of the input.
        sent, shown: canonical JSON.
    """

    model: str
    name: str
    sent: str
    shown: str


def compare(
    sent: Body, row: RemoteJob, texts: Mapping[str, Text], changes: Collection[Change] = ()
) -> Likeness:
    """Compare what was sent with what a row echoes; keys that the service added say nothing.

    Args:
        sent: the body.
        row: of a listing.
        texts: prompts that became assets, by id, as far as they were fetched.
        changes: values that are known to be echoed otherwise, which are no differences.
    """
    echoed = row.inputs
    if not echoed or "modelId" not in echoed:
        return Likeness.NEAR  # it shows nothing, and so may be anything
    if echoed["modelId"] != sent.model:
        return Likeness.OTHER
    different = {one for one in differences(sent, row) if change_of(sent, row, one) not in changes}
    different.update(_more_in(row, sent))
    same_seed = "seed" in sent.inputs and "seed" not in different
    asset = asset_prompt(row)
    if "prompt" in different and sent.prompt is not None and asset is not None:
        if asset not in texts:
            # nothing is fetched for a row with another seed
            read = different == {"prompt"} or same_seed or "seed" not in sent.inputs
            return Likeness.UNREAD if read else Likeness.OTHER
        if _says(texts[asset], sent.prompt, same_seed=same_seed):
            different.discard("prompt")
    if not different:
        return Likeness.MATCH
    near = same_seed or _asks_for_the_same(sent, row, different)
    return Likeness.NEAR if near or _may_say_the_same(sent, row, different, texts) else Likeness.OTHER


def _more_in(row: RemoteJob, sent: Body) -> Iterator[str]:
    """Name what a row shows that no service adds by itself to a body without a prompt: a prompt, a file.

    The same picture with a mask, or with a word on what to make of it, is another job.
    """
    if sent.prompt is not None:
        return
    for name, value in (row.inputs or {}).items():
        is_prompt = name == "prompt" and isinstance(value, str) and bool(value.strip())
        if name not in sent.inputs and (is_prompt or assets_in(value)):
            yield name


def _may_say_the_same(
    sent: Body, row: RemoteJob, different: Collection[str], texts: Mapping[str, Text]
) -> bool:
    """Return whether all but the prompt is equal, and the prompt is what a service may make of ours.

    Without a prompt it is the other texts.
    """
    asset, shown = asset_prompt(row), (row.inputs or {}).get("prompt")
    if sent.prompt is None:
        echoed = row.inputs or {}
        return all(_is_rewritten(sent.inputs.get(name), echoed.get(name)) for name in different)
    if different != {"prompt"}:
        return False
    if asset is not None and asset in texts:
        if not texts[asset].whole:
            return sent.prompt.startswith(texts[asset].text)
        shown = texts[asset].text
    return isinstance(shown, str) and loosely(shown) == loosely(sent.prompt)


def _is_rewritten(text: Json, shown: Json) -> bool:
    """Return whether a text that was sent may be shown like this: spelt otherwise, or kept as an asset."""
    if not isinstance(text, str) or not isinstance(shown, str) or text.startswith("asset_"):
        return False
    return shown.startswith("asset_") or loosely(shown) == loosely(text)


def change_of(sent: Body, row: RemoteJob, name: str) -> Change | None:
    """Return how an input is echoed; None where it is not, or where a difference always counts.

    The seed, the prompt and the files that go in are what a job is known by.
    """
    echoed = row.inputs or {}
    value = sent.inputs.get(name)
    if name in {"seed", "prompt"} or name not in echoed or assets_in([value, echoed[name]]):
        return None
    return Change(sent.model, name, _canonical(value), _canonical(echoed[name]))


def _canonical(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def loosely(prompt: str) -> str:
    """Return a prompt without what a service may change in passing: white space, entities, accents' form."""
    return " ".join(unicodedata.normalize("NFC", html.unescape(prompt)).split())


def _asks_for_the_same(sent: Body, row: RemoteJob, different: Collection[str]) -> bool:
    """Return whether what a person would know a job by is equal: its prompt, its files, else its text."""
    if sent.prompt is not None:
        return "prompt" not in different
    if sent.assets:
        return sent.assets <= frozenset(assets_in(row.inputs))
    texts = sent.inputs.keys() & TEXT_INPUTS
    return bool(texts) and texts.isdisjoint(different)


def may_be_bought(sent: Body, row: RemoteJob, likeness: Likeness, files: Collection[str]) -> bool:
    """Return whether a row may be a purchase of this body that the journal has lost.

    More is asked for than a near-match: a row that differs in a parameter is another purchase. Of a
    long prompt the service may show the beginning, and a local file that was sent again has another id.

    Args:
        sent: what would be bought.
        row: as listed.
        likeness: by what it echoes.
        files: names of the inputs that hold local files.
    """
    if likeness not in {Likeness.NEAR, Likeness.UNREAD}:
        return likeness is Likeness.MATCH
    if not row.inputs:
        return False
    different = {*differences(sent, row), *_more_in(row, sent)} - set(files)
    if different == {"prompt"} and sent.prompt is not None:  # cut, or written otherwise: else no near-match
        return asset_prompt(row) is not None or _may_say_the_same(sent, row, different, {})
    if different and sent.prompt is None:
        return _may_say_the_same(sent, row, different, {})
    return bool(files) and not different


def differences(sent: Body, row: RemoteJob) -> tuple[str, ...]:
    """Name the inputs that were sent and that a row shows otherwise, or not at all."""
    echoed = row.inputs or {}
    return tuple(
        name for name, value in sent.inputs.items() if name not in echoed or not equal(value, echoed[name])
    )


def _says(text: Text, prompt: str, *, same_seed: bool) -> bool:
    """Return whether a text is the prompt; one that is cut counts only beside an equal seed."""
    return text.text == prompt if text.whole else same_seed and prompt.startswith(text.text)


def equal(one: Json, other: Json) -> bool:
    """Compare JSON values: numbers by value, true never as 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)
