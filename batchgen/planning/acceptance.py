"""Which changed jobs may keep what was bought before the change, and why others may not. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from batchgen.identity import content_key
from batchgen.model import Acceptance, JobKey
from batchgen.planning.plan import Entry, Plan, Standing, may_be_kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What a changed job may keep.

    Attributes:
        entry: the job, as the manifest has it now.
        before: as it was bought.
        acceptance: what is put on record for it.
    """

    entry: Entry
    before: Entry
    acceptance: Acceptance

    @property
    def bought(self) -> JobKey:
        """The record that it keeps."""
        return self.before.key


def offer(plan: Plan, name: str, *, gone: Collection[JobKey] = ()) -> Offer | str | None:
    """Return what the job of this id may keep: None where it keeps something already, else why it may not.

    Args:
        plan: of the batch.
        name: the id of one of its jobs.
        gone: what was of no job any more when the batch was run last: what the job had then goes first.
    """
    entry = plan.by_id[name]
    if entry.accepted:
        return None
    if entry.standing is not Standing.CHANGED:
        known = "was not bought before" if entry.standing is Standing.NEW else "asks for what was bought"
        return f"{name!r} has not changed: it {known} ({entry.standing}); there is nothing to accept"
    before = sorted(plan.removed_by_id.get(name, ()), key=lambda one: one.key not in gone)
    kept = next((one for one in reversed(before) if may_be_kept(one.record)), None)
    if kept is None:
        return f"{name!r} was changed, and there is nothing to keep: before, it was {before[-1].standing}"
    return Offer(entry=entry, before=kept, acceptance=Acceptance(name, content_key(entry.job)))


def taken_back(plan: Plan, name: str) -> Acceptance | str:
    """Return what was accepted for the job of this id; a sentence where nothing was.

    Args:
        plan: of the batch.
        name: the id of one of its jobs.
    """
    entry = plan.by_id[name]
    if not entry.accepted:
        return (
            f"nothing was accepted for {name!r} ({entry.standing}); to buy it once more give it another "
            "prompt, input or seed, or everything with `batchgen run --fresh`"
        )
    return Acceptance(name, content_key(entry.job))
