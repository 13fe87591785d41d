"""How many assets jobs give: as many as are asked for, as such jobs usually do, or fewer for now. Pure.

The service may call a job a success before it shows all that came out. What a job is to have is
known from what was asked for, and from what earlier jobs of its kind gave; a model that gives
fewer than it is asked for is learnt after a few ends that were waited for in vain.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

from batchgen.catalog.outputs import COUNTS, TEXT, kinds_made_by
from batchgen.model import JobKey, Model, RemoteJob
from batchgen.record import DONE, Record

KNOWN_AFTER = 3  # ends of a kind before it is known what that kind gives
WAITED = 120.0  # seconds after an end that a run goes on asking for what is missing
YOUNG = 86_400.0  # seconds after an end in which further runs ask again
_REMEMBERED = 50  # ends of a kind
_MOST = 1000  # outputs: a larger number is no number of outputs
_BODIES = 1000  # whose kinds are kept: that of a job in flight is asked for at each of its steps


class Kind(NamedTuple):
    """What decides how many assets a job gives.

    Attributes:
        asked: how many its body asks for.
        lists: the lists in its body by name, with their lengths: a material has an output a map.
    """

    model: str
    asked: int
    lists: tuple[tuple[str, int], ...] = ()


class Worth(Enum):
    """What a success is worth as a listing shows it, which may be behind on what came out."""

    FINAL = auto()  # all is shown that is to be expected
    LITTLE = auto()  # less is shown than is to be expected: the job itself must tell
    UNKNOWN = auto()  # what jobs of its kind give is not known yet: some of them must tell


class _Short(NamedTuple):
    assets: int
    at: float


def kind_of(model_id: str, body: str | None, model: Model | None = None) -> Kind:
    """Return the kind of a job.

    Args:
        model_id: the service's.
        body: as it was sent.
        model: as the service describes it; None where that is not known.
    """
    try:
        sent = json.loads(body or "{}")
    except ValueError:  # not written by us
        sent = {}
    sent = sent if isinstance(sent, dict) else {}
    lists = sorted((name, len(value)) for name, value in sent.items() if isinstance(value, list))
    return Kind(model_id, _asked(sent, model), tuple(lists))


def _asked(sent: Mapping[str, object], model: Model | None) -> int:
    defaults = {one.name: one.raw.get("default") for one in model.inputs} if model else {}
    said = (sent.get(name, defaults.get(name)) for name in COUNTS)
    numbers = (one for one in said if isinstance(one, int | float) and not isinstance(one, bool))
    count = next((int(one) for one in numbers if 1 <= one <= _MOST), None)
    if count is None:
        return 0 if model is not None and writes_text(model) else 1
    return count


def writes_text(model: Model) -> bool:
    """Return whether nothing but text comes out of a model: it need not be an asset."""
    return kinds_made_by(model) == {TEXT}


@dataclass(slots=True)
class _Known:
    """What is known of one kind.

    Attributes:
        ends: the latest, by job.
        short: the earliest of those with fewer assets than they were to have, by job.
        most: assets of one job.
        usual: how many assets most of the latest gave; None until it is asked for again.
    """

    ends: dict[JobKey, int] = field(default_factory=dict)
    short: dict[JobKey, _Short] = field(default_factory=dict)
    most: int = 0
    usual: int | None = None

    @property
    def is_enough(self) -> bool:
        return len(self.ends) >= KNOWN_AFTER

    def usually(self) -> int:
        """Return what most of them gave, of several the highest; 0 as long as too few have ended."""
        if self.usual is None:
            counts = Counter(self.ends.values())
            self.usual = max(counts, key=lambda one: (counts[one], one)) if self.is_enough else 0
        return self.usual

    def add(self, key: JobKey, record: Record) -> None:
        """Learn from a success, in place of what was known of it."""
        count = len(record.asset_ids)
        self.usual, self.most = None, max(self.most, count)
        self.ends.pop(key, None)
        self.ends[key] = count
        if len(self.ends) > _REMEMBERED:
            del self.ends[next(iter(self.ends))]
        self.short.pop(key, None)
        if record.is_short and len(self.short) < _REMEMBERED:
            self.short[key] = _Short(count, record.ended_at or 0.0)

    def least_in_vain(self, now: float) -> int | None:
        """Return the fewest assets that were waited for in vain; None where that was not often enough."""
        vain = [one.assets for one in self.short.values() if one.assets and now - one.at >= WAITED]
        return min(vain) if len(vain) >= KNOWN_AFTER else None


class Yields:
    """Learns what jobs give from the records of a journal, and says which of them lack something."""

    def __init__(
        self,
        records: Mapping[JobKey, Record],
        models: Mapping[str, Model] | None = None,
    ) -> None:
        """Take what is on record; of a model nobody asks for nothing is read.

        Args:
            records: oldest first.
            models: as the service describes them.
        """
        self._models = models or {}
        self._kind_of = lru_cache(maxsize=_BODIES)(self._read_kind)
        self._kinds: dict[Kind, _Known] = {}
        self._unread: dict[str, list[tuple[JobKey, Record]]] = {}
        self._most: dict[str, int] = {}  # assets of one job, by model
        for key, record in records.items():
            if record.state in DONE and record.job is not None:
                self._unread.setdefault(record.job.model, []).append((key, record))
                self._count(record)

    def kind(self, record: Record) -> Kind:
        """Return the kind of a job that was sent."""
        return self._kind_of(record.job.model if record.job else "", record.body)

    def _read_kind(self, model: str, body: str | None) -> Kind:
        return kind_of(model, body, self._models.get(model))

    def learn(self, key: JobKey, record: Record) -> None:
        """Learn from a success, or from what came to it later."""
        kind = self.kind(record)
        self._count(record)
        self._of(kind).add(key, record)

    def expected(self, record: Record) -> int:
        """Return how many assets a job is to have, as far as is known."""
        kind = self.kind(record)
        return max(kind.asked, self._of(kind).usually())

    def worth(self, record: Record, row: RemoteJob, *, now: float) -> Worth:
        """Return whether a success may be taken as a listing shows it."""
        kind = self.kind(record)
        known, count = self._of(kind), len(row.asset_ids)
        if not known.is_enough:
            return Worth.LITTLE if count < kind.asked else Worth.UNKNOWN
        if count >= max(kind.asked, known.usually()):
            return Worth.FINAL
        # the jobs themselves had no more to tell than this, or none of them has as much as was asked for
        told = known.most < kind.asked or self._excused(kind, count, now)
        return Worth.FINAL if told and count >= known.most else Worth.LITTLE

    def lacks(self, record: Record, *, now: float) -> bool:
        """Return whether a success has fewer assets than it is to have, and that is not its model's way."""
        if record.state not in DONE or record.job is None:
            return False
        count = len(record.asset_ids)
        if count >= record.expected and count >= self._most.get(record.job.model, 0):
            return False  # nearly always: the body is not read
        kind = self.kind(record)
        if count >= max(record.expected, self._of(kind).usually()):
            return False
        return not self._excused(kind, count, now)

    def _excused(self, kind: Kind, count: int, now: float) -> bool:
        """Return whether jobs of this kind were waited for in vain with as few.

        Where others of them gave what was asked for, giving fewer is not the model's way; giving nothing
        never is.
        """
        known = self._of(kind)
        least = known.least_in_vain(now)
        if least is None or count < least:
            return False
        return count >= kind.asked or known.most < kind.asked

    def _of(self, kind: Kind) -> _Known:
        for key, record in self._unread.pop(kind.model, ())[-_REMEMBERED * 20 :]:
            self._kinds.setdefault(self.kind(record), _Known()).add(key, record)
        return self._kinds.setdefault(kind, _Known())

    def _count(self, record: Record) -> None:
        if record.job is not None:
            count, model = len(record.asset_ids), record.job.model
            self._most[model] = max(count, self._most.get(model, 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortage:
    """The successes that have fewer assets than they are to have.

    Attributes:
        bare: that have none, and may still get some.
        bare_for_good: that have none, and are not asked again by runs.
        partial: that have some, and may still get more.
    """

    bare: tuple[Record, ...] = ()
    bare_for_good: tuple[Record, ...] = ()
    partial: tuple[Record, ...] = ()


NOTHING_SHORT = Shortage()


def shortage(
    records: Mapping[JobKey, Record], *, now: float, of: Collection[JobKey] | None = None
) -> Shortage:
    """Return what lacks assets.

    Args:
        records: of one batch, from which is learnt what jobs give.
        now: seconds since the epoch.
        of: the jobs that are asked about; None for all.
    """
    if not any(one.is_short for one in records.values()) and not _differ(records.values()):
        return NOTHING_SHORT  # nearly always: no body is read
    yields = Yields(records)
    asked = (one for key, one in records.items() if of is None or key in of)
    lacking = [one for one in asked if yields.lacks(one, now=now)]
    young = [one for one in lacking if is_young(one, now=now)]
    return Shortage(
        bare=tuple(one for one in young if not one.asset_ids),
        bare_for_good=tuple(one for one in lacking if not one.asset_ids and not is_young(one, now=now)),
        partial=tuple(one for one in young if one.asset_ids),
    )


def is_young(record: Record, *, now: float) -> bool:
    """Return whether a success ended so lately that runs ask it again."""
    return record.ended_at is not None and now - record.ended_at < YOUNG


def _differ(records: Iterable[Record]) -> bool:
    """Return whether jobs of one model have different numbers of assets: some may lack one."""
    counts: dict[str, int] = {}
    for one in records:
        if one.state in DONE and one.job is not None:
            count = len(one.asset_ids)
            if counts.setdefault(one.job.model, count) != count:
                return True
    return False
