"""Whether a row of the service's listing is the submission that we miss. Pure.

A row proves itself by what it echoes: the model and every input that was sent, by value.
Whatever is less than that is a near-match, which proves neither that a job was taken nor
that it was not.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from batchgen.model import JobKey, Json, RemoteJob, Text

BEFORE = 5.0  # seconds that a row may be older than its intent, beside the clocks' difference
AFTER = 900.0  # seconds after the loss in which a gateway may still deliver a request


class Likeness(StrEnum):
    """What a row is to a job in doubt."""

    MATCH = "match"
    NEAR = "near-match"
    UNREAD = "unread"  # its prompt is an asset that has to be fetched before anything can be said
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A POST whose answer was lost.

    Attributes:
        key: the job's.
        model: where it was sent.
        body: exactly what was sent.
        intent_at: when it was about to leave.
        lost_at: when its answer was lost, or a later run found it without one.
    """

    key: JobKey
    model: str
    body: str
    intent_at: float
    lost_at: float

    def window(self, skew: float) -> tuple[float, float]:
        """Give the dates between which its row would lie, by the service's clock.

        Args:
            skew: seconds by which the service's clock is ahead of ours.
        """
        return self.intent_at + skew - BEFORE, self.lost_at + skew + AFTER


def in_question(row: RemoteJob, doubt: Doubt, *, skew: float, authors: Collection[str]) -> bool:
    """Tell whether a row may be this submission by kind, author and date.

    Args:
        row: not owned by any record.
        doubt: what is missing.
        skew: seconds by which the service's clock is ahead of ours.
        authors: who our accepted submissions were by; empty as long as none says.
    """
    return may_be_ours(row, authors=authors) and in_window(row, doubt, skew=skew)


def may_be_ours(row: RemoteJob, *, authors: Collection[str]) -> bool:
    """Tell whether a row may be ours by kind and author."""
    if row.job_type not in {"custom", ""} or row.author.startswith("user_"):
        return False
    return not (authors and row.author and row.author not in authors)


def in_window(row: RemoteJob, doubt: Doubt, *, skew: float) -> bool:
    """Tell whether a row has a date that this submission would have."""
    low, high = doubt.window(skew)
    return row.created_at is None or low <= row.created_at <= high


def compare(body: str, model: str, row: RemoteJob, texts: Mapping[str, Text]) -> Likeness:
    """Hold what was sent against what a row echoes; keys that the service added say nothing.

    Args:
        body: exactly what was sent.
        model: where it was sent.
        row: of a listing.
        texts: prompts that became assets, by id, as far as they were fetched.
    """
    echoed = row.inputs
    if not echoed or "modelId" not in echoed:
        return Likeness.NEAR  # it shows nothing, and so may be anything
    if echoed["modelId"] != model:
        return Likeness.OTHER
    sent: dict[str, Json] = json.loads(body)
    different = set(differences(body, row))
    same_seed = "seed" in sent and "seed" not in different
    prompt = echoed.get("prompt")
    if "prompt" in different and isinstance(prompt, str) and prompt.startswith("asset_"):
        if prompt not in texts:
            # nothing is fetched for a row with another seed
            read = different == {"prompt"} or same_seed or "seed" not in sent
            return Likeness.UNREAD if read else Likeness.OTHER
        if _says(texts[prompt], str(sent["prompt"]), same_seed=same_seed):
            different.discard("prompt")
        elif different == {"prompt"} and _may_say(texts[prompt], str(sent["prompt"])):
            return Likeness.NEAR
    if not different:
        return Likeness.MATCH
    return Likeness.NEAR if same_seed or "prompt" not in different else Likeness.OTHER


def differences(body: str, row: RemoteJob) -> tuple[str, ...]:
    """Name the inputs that were sent and that a row shows otherwise, or not at all."""
    sent, echoed = json.loads(body), row.inputs or {}
    return tuple(name for name, value in sent.items() if name not in echoed or not equal(value, echoed[name]))


def _says(text: Text, prompt: str, *, same_seed: bool) -> bool:
    """Tell whether a text is the prompt; one that is cut counts only beside an equal seed."""
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


def _may_say(text: Text, prompt: str) -> bool:
    """Tell whether a text that is cut could be the prompt: then its row proves nothing either way."""
    return not text.whole and prompt.startswith(text.text)
