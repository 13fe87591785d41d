"""Which of a parent's assets go into a child, and whether that is known. Pure.

An asset's number is its place among the parent's assets, which stays: what the service shows later comes
behind them.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from batchgen.identity import Reference, references_of, with_references
from batchgen.lifecycle import DONE
from batchgen.model import Job, JobKey
from batchgen.planning.marks import Marks, kept_of
from batchgen.planning.yields import is_young
from batchgen.record import Record

_BESIDE = ("thumbnail", "preview")  # what the service calls an asset that only shows another one


class Handed(NamedTuple):
    """What of a parent goes into a child.

    Attributes:
        assets: their ids; none where the rest says why.
        why: what has to be changed first, for people; empty where nothing has to.
        unread: those whose types say which of them is meant, and are not known.
    """

    assets: tuple[str, ...] = ()
    why: str = ""
    unread: tuple[str, ...] = ()

    @property
    def is_waited_for(self) -> bool:
        """Whether the parent's end may still bring it."""
        return not (self.assets or self.why or self.unread)


_LATER = Handed()
_ASKS_WHICH = "write which of them goes in"


def handed(
    record: Record, wanted: Reference, *, now: float, types: Mapping[str, str] | None = None
) -> Handed:
    """Return what of a parent goes into a child.

    Args:
        record: the parent's.
        wanted: what the child names.
        now: seconds since the epoch: for a day the service may show more assets.
        types: what the service calls the parent's assets, by id, beyond what is on record.
    """
    if record.state not in DONE:
        return _LATER
    assets = record.asset_ids
    if wanted.output is not None:
        if wanted.output < len(assets):
            return Handed(assets[wanted.output : wanted.output + 1])
        return _LATER if _may_grow(record, now) else Handed(why=_lacks(wanted, assets))
    if _may_grow(record, now):
        return _LATER
    if not assets:
        return Handed(why=f"{wanted.job} came to an end without any asset")
    if wanted.every or len(assets) == 1:
        return Handed(assets)
    known = {one.asset_id: one.type for one in record.files} | dict(types or {})
    unread = tuple(one for one in assets if one not in known)
    if unread:
        return Handed(unread=unread)
    meant = [one for one in assets if not _only_shows(known[one])]
    return Handed((meant[0],)) if len(meant) == 1 else Handed(why=_several(record, wanted, known))


def number_kept(record: Record, marks: Marks) -> int | None:
    """Return which of a parent's several assets a person keeps; None where that is not exactly one.

    Where what only shows another asset is kept beside it, that other one counts.
    """
    assets = record.asset_ids
    if record.state not in DONE or len(assets) <= 1:
        return None
    kept = kept_of(assets, marks)
    if len(kept) > 1:
        types = {one.asset_id: one.type for one in record.files}
        kept = tuple(one for one in kept if not _only_shows(types.get(one, "")))
    return assets.index(kept[0]) if len(kept) == 1 else None


def _only_shows(type_: str) -> bool:
    return any(word in type_.lower() for word in _BESIDE)


def asks_which(why: str) -> bool:
    """Return whether what keeps a child from being bought is that its parent has several assets."""
    return _ASKS_WHICH in why


def _may_grow(record: Record, now: float) -> bool:
    return (record.is_short or not record.asset_ids) and is_young(record, now=now)


def _lacks(wanted: Reference, assets: tuple[str, ...]) -> str:
    there = f"has assets 0 to {len(assets) - 1}" if len(assets) > 1 else f"has {len(assets)}"
    return f"{wanted.job} {there}, and output {wanted.output} is asked for".replace(
        "has 1,", "has one asset,"
    )


def _several(record: Record, wanted: Reference, types: Mapping[str, str]) -> str:
    kinds = {one.asset_id: one.kind for one in record.files}
    listed = ", ".join(
        f"{place}: {' '.join(filter(None, (kinds.get(one, ''), types[one]))) or one}"
        for place, one in enumerate(record.asset_ids)
    )
    return (
        f"{wanted.job} has {len(record.asset_ids)} assets ({listed}); {_ASKS_WHICH}: "
        f"{{job: {wanted.job}, output: 0}}, or outputs: all where the input takes several"
    )


def bound(job: Job, parent: Callable[[str], tuple[JobKey, Record] | None], *, now: float) -> Job | None:
    """Return a child with what came out of its parents; None as long as that is not known.

    Args:
        job: the child.
        parent: gives the key and the record of the job of a name; None where there is none.
        now: seconds since the epoch.
    """
    made: dict[Reference, Reference] = {}
    for one in references_of(job):
        known = parent(one.job)
        assets = handed(known[1], one, now=now).assets if known is not None else ()
        if known is None or not assets:
            return None
        made[one] = one._replace(ordinal=known[0].ordinal, assets=assets)
    return with_references(job, made.__getitem__)
