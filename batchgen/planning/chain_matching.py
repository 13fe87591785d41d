"""Which job of a manifest with chains is which record of the journal: step by step, parents first.

What a child asks for is known when it is known which record its parent has: what was bought before an edit
and kept counts under what it was. A record that is bound to a parent's record belongs to the child of the
job that has that one now.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product

from batchgen.identity import (
    Reference,
    content_key,
    content_with_assets,
    has_asset,
    references_of,
    with_parents,
    with_references,
)
from batchgen.lineage import Lineage, content_beside_parents, contents_behind
from batchgen.model import Acceptance, Job, JobKey
from batchgen.planning.editions import came_to_nothing
from batchgen.planning.marks import NO_MARKS, Marks, kept_of
from batchgen.planning.matching import Matching
from batchgen.planning.parent_assets import bound, number_kept
from batchgen.record import Record

_MOST_EDITIONS = 64  # of all parents of a job together, by which it is looked for in other words
_NOTHING = Record()
_LATER = float("inf")  # a moment at which no success is young any more: what it shows is all that it has

MayKeep = Callable[[Record], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matched:
    """Jobs with their records.

    Attributes:
        jobs: in their order, each reference with what its parent asks for.
        keys: of each.
        kept: the places of those that keep what was bought before they were changed.
        left: the keys of the records that no job took, oldest first.
    """

    jobs: Sequence[Job]
    keys: Sequence[JobKey]
    kept: frozenset[int]
    left: Sequence[JobKey]


def match_chains(
    jobs: Sequence[Job],
    lineage: Lineage,
    records: Mapping[JobKey, Record],
    *,
    accepted: Mapping[Acceptance, JobKey],
    may_keep: MayKeep,
    marks: Marks = NO_MARKS,
) -> Matched:
    """Match the jobs of a manifest with records, parents before their children.

    Args:
        jobs: the manifest's.
        lineage: which of them feed which.
        records: the journal's.
        accepted: the records that changed jobs keep.
        may_keep: says whether a changed job may keep a record.
        marks: what a person says of what came out: the one kept asset of several is what goes in.
    """
    work = _Work(jobs, lineage, records, accepted, may_keep, marks)
    for places in _levels(lineage):
        work.match(places)
    work.finish()
    return Matched(
        jobs=work.jobs,
        keys=[work.keys[place] for place in range(len(jobs))],
        kept=frozenset(work.kept),
        left=work.matching.left(),
    )


def _levels(lineage: Lineage) -> list[list[int]]:
    """Return the places by how many steps stand before them."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    found[0] = [place for place in range(lineage.count) if place not in lineage.parents]
    for place, steps in lineage.depth.items():
        found[steps].append(place)
    return [sorted(found[steps]) for steps in sorted(found)]


class _Kin:
    """Ties the jobs of one step to records by their parents and by what is fed by them."""

    def __init__(self, work: "_Work", places: Sequence[int]) -> None:
        self._work = work
        self._places = places

    def fits(self, index: int, key: JobKey) -> bool:
        """Return whether a record is not another parent's child."""
        return self._work.is_child_of_its_parents(self._places[index], key)

    def rank(self, index: int, key: JobKey) -> tuple[int, int]:
        """Return how well a record suits a job by what hangs on both."""
        return self._work.rank(self._places[index], key)


class _Work:
    """The matching of one manifest, as far as it has come."""

    def __init__(
        self,
        jobs: Sequence[Job],
        lineage: Lineage,
        records: Mapping[JobKey, Record],
        accepted: Mapping[Acceptance, JobKey],
        may_keep: MayKeep,
        marks: Marks,
    ) -> None:
        self.jobs = list(jobs)
        self.keys: dict[int, JobKey] = {}
        self.kept: set[int] = set()
        self.matching = Matching(records)
        self._lineage = lineage
        self._records = records
        self._accepted = accepted
        self._may_keep = may_keep
        self._marks = marks
        self._places: dict[str, int] = {}
        for place in lineage.children:
            self._places.setdefault(jobs[place].id, place)
        self._left: list[int] = []  # without a record, and feeding nobody
        self._wanted: dict[int, Counter[str]] = {}
        self._bought: dict[JobKey, Counter[str]] = {}
        self._found_by_assets: Mapping[str, Sequence[JobKey]] | None = None

    def match(self, places: Sequence[int]) -> None:
        """Match the jobs of one step, whose parents have their keys."""
        for place in places:
            if place in self._lineage.parents:
                job = with_parents(self.jobs[place], self._content_of)
                self.jobs[place] = self._with_kept(job) if self._marks else job
        jobs = [self.jobs[place] for place in places]
        contents = list(map(content_key, jobs))
        found = self.matching.take(contents, jobs, _Kin(self, places) if self._records else None)
        self.keys.update(zip(places, found, strict=True))
        for place in places if self._records else ():
            if self.keys[place] not in self._records and not self._keeps_an_old_one(place):
                if place in self._lineage.children:
                    self._find_in_other_words(place)
                else:
                    self._left.append(place)

    def finish(self) -> None:
        """Look for what nobody is fed by in other words, when every job has what it asks for in its own."""
        for place in self._left:
            self._find_in_other_words(place)

    def _content_of(self, job: str) -> str:
        place = self._places.get(job)
        return "" if place is None else self.keys[place].content

    def is_child_of_its_parents(self, place: int, key: JobKey) -> bool:
        """Return whether a record is not bound to the records of other parents than the job has."""
        recorded = self._records[key].job
        if recorded is None or place not in self._lineage.parents:
            return True
        bound_to = references_of(recorded)
        if any(one.ordinal is None for one in bound_to):
            return True
        heads = (self._head(JobKey(one.content, one.ordinal or 0)) for one in bound_to)
        bound_to = tuple(
            one._replace(ordinal=head.ordinal) for one, head in zip(bound_to, heads, strict=True)
        )
        # of equal parents that go in alike it is all the same which comes first
        own = (
            one._replace(ordinal=self.keys[self._places[one.job]].ordinal)
            for one in references_of(self.jobs[place])
        )
        return Counter(map(_tie, bound_to)) == Counter(map(_tie, own))

    def rank(self, place: int, key: JobKey) -> tuple[int, int]:
        """Return how little of what is bought behind a record would be bought again, and how much is left."""
        wanted, bought = self._wanted_from(place), self._bought_from(key)
        same = (wanted & bought).total()
        return -same, bought.total() - same

    def _wanted_from(self, place: int) -> Counter[str]:
        """Count what is asked for behind a job."""
        if place not in self._wanted:
            self._wanted[place] = contents_behind(
                place,
                children=lambda one: self._lineage.children.get(one, ()),
                job=self.jobs.__getitem__,
            )
        return self._wanted[place]

    def _bought_from(self, key: JobKey) -> Counter[str]:
        """Count the same of what is on record."""
        if key not in self._bought:
            self._bought[key] = contents_behind(
                key,
                children=lambda one: self._children.get(one, ()),
                job=lambda one: self._records[one].job,
            )
        return self._bought[key]

    @cached_property
    def _children(self) -> Mapping[JobKey, Sequence[JobKey]]:
        """The records that are bound to others, by those."""
        found: defaultdict[JobKey, list[JobKey]] = defaultdict(list)
        for key, record in self._records.items():
            if record.job is None or self.matching.shelf.is_later(key):
                continue
            for one in references_of(record.job):
                if one.key is not None:
                    found[self._head(one.key)].append(key)
        return found

    def _head(self, key: JobKey) -> JobKey:
        return self.matching.shelf.head(key)

    def _keeps_an_old_one(self, place: int) -> bool:
        """Give a job the record that a person keeps for it; False where there is none."""
        old = self._accepted.get(Acceptance(self.jobs[place].id, self.keys[place].content))
        old = None if old is None else self._head(old)
        if old is None or not self.matching.is_free(old) or not self._may_keep(self._records[old]):
            return False
        self.kept.add(place)
        self._give(place, old)
        return True

    def _with_kept(self, job: Job) -> Job:
        """Return a child with the number of the asset that a person keeps of each parent that has several."""
        numbers = {
            one: number
            for one in references_of(job)
            if self._is_unsaid(one)
            and not self._is_made_again(one.job)
            and (number := number_kept(self._own_record(one.job), self._marks)) is not None
        }
        if not numbers:
            return job
        return with_references(job, lambda one: one._replace(output=numbers.get(one, one.output)))

    def _is_unsaid(self, one: Reference) -> bool:
        """Return whether a parent has several assets and the child does not say which of them goes in."""
        if one.output is not None or one.every or one.job not in self._places:
            return False
        return len(self._own_record(one.job).asset_ids) > 1

    def _is_made_again(self, job: str) -> bool:
        """Return whether another edition of a parent is to come, of whose assets nobody has kept one."""
        editions = self.matching.shelf.of(self.keys[self._places[job]])
        newest = self._records.get(editions.newest, _NOTHING)
        return editions.newest != editions.current and not came_to_nothing(newest, now=_LATER)

    def _own_record(self, job: str) -> Record:
        """Return what is on record of the edition that is a parent's own."""
        return next((record for _, record in self._editions(job)), _NOTHING)

    def _find_in_other_words(self, place: int) -> None:
        """Give a job the record of the same in other words, if there is one."""
        old = self._same_but_for_words(place, self.jobs[place])
        old = old or self._bought_of_several(place, self.jobs[place])
        if old is not None:
            self._give(place, old)
            self.jobs[place] = self._as_bought(self.jobs[place], self._records[old].job)

    def _bought_of_several(self, place: int, job: Job) -> JobKey | None:
        """Return a free record of a job that does not say which of its parents' assets goes in.

        What was bought stays the job's, whatever becomes of the mark by which it was chosen: a mark that is
        taken away, or a second one beside it, leaves nothing to be bought and nobody to be asked.
        """
        unsaid = list(filter(self._is_unsaid, references_of(job)))
        if not unsaid:
            return None
        parent = self._head(self.keys[self._places[unsaid[0].job]])
        found = [
            key
            for key in reversed(self._children.get(parent, ()))
            if self.matching.is_free(key) and self._is_same_but_for_which(job, self._records[key].job)
        ]
        return min(found, key=lambda key: self.rank(place, key), default=None)

    def _is_same_but_for_which(self, job: Job, recorded: Job | None) -> bool:
        """Return whether a record asks for the same, with one asset where the job does not say which."""
        if recorded is None or content_beside_parents(recorded) != content_beside_parents(job):
            return False
        pairs = zip(references_of(job), references_of(recorded), strict=False)
        return all(self._goes_in_alike(mine, one) for mine, one in pairs)

    def _goes_in_alike(self, mine: Reference, one: Reference) -> bool:
        own = self.keys.get(self._places.get(mine.job, -1))
        if own is None or one.key is None or self._head(one.key) != self._head(own):
            return False
        if not self._is_unsaid(mine):
            return mine.asked == one.asked
        kept = kept_of(self._own_record(mine.job).asset_ids, self._marks)
        return len(one.assets) == 1 and not one.every and (not kept or one.assets[0] in kept)

    def _as_bought(self, job: Job, recorded: Job | None) -> Job:
        """Return a job with the number of the asset that it was bought with, where it says none."""
        if recorded is None or not any(map(self._is_unsaid, references_of(job))):
            return job
        bought = iter(references_of(recorded))

        def with_number(mine: Reference) -> Reference:
            one = next(bought, mine)
            is_open = self._is_unsaid(mine) and not self._is_made_again(mine.job)
            assets = self._own_record(mine.job).asset_ids if is_open else ()
            found = [assets.index(asset) for asset in one.assets if asset in assets]
            return mine._replace(output=found[0]) if len(found) == 1 else mine

        return with_references(job, with_number)

    def _give(self, place: int, old: JobKey) -> None:
        self.matching.keep(old)
        self.keys[place] = old

    def _same_but_for_words(self, place: int, job: Job) -> JobKey | None:
        """Return a free record that asks for the same assets in other words; None where there is none.

        ``output: 0`` of a parent with one asset is that asset, and so is its id.
        """
        if any(self.keys[one] not in self._records for one in self._lineage.parents.get(place, ())):
            return None
        named = references_of(job)
        if not named and not has_asset(job.params):
            return None
        same: dict[JobKey, None] = {}
        for sent in self._sent_with(job):
            content = content_with_assets(sent)
            plain = self._head(JobKey(content))
            same.update(dict.fromkeys([*([plain] if named else []), *self._by_assets().get(content, ())]))
        free = filter(self.matching.is_free, same)
        return min(free, key=lambda key: self.rank(place, key), default=None)

    def _sent_with(self, job: Job) -> Iterator[Job]:
        """Return a job with what came out of its parents, of those that were redone with each edition."""
        names = list(dict.fromkeys(one.job for one in references_of(job)))
        choices = product(*map(self._editions, names))
        for some in islice(choices, _MOST_EDITIONS):
            found = bound(job, dict(zip(names, some, strict=True)).get, now=_LATER)
            if found is not None:
                yield found

    def _editions(self, job: str) -> list[tuple[JobKey, Record]]:
        """Return what is on record of the parent of a name, its own edition first."""
        if job not in self._places:
            return []
        editions = self.matching.shelf.of(self.keys[self._places[job]])
        keys = dict.fromkeys((editions.current, *editions.all))
        return [(key, self._records[key]) for key in keys if key in self._records]

    def _by_assets(self) -> Mapping[str, Sequence[JobKey]]:
        """Return the records of children by what they ask for, their assets in place of their parents."""
        if self._found_by_assets is None:
            found: defaultdict[str, list[JobKey]] = defaultdict(list)
            for key, record in self._records.items():
                named = () if record.job is None else references_of(record.job)
                if record.job is not None and named and all(one.assets for one in named):
                    found[content_with_assets(record.job)].append(self._head(key))
            self._found_by_assets = found
        return self._found_by_assets


def _tie(one: Reference) -> tuple[str, int | None, bool, int | None]:
    """Return what goes in, and whose it is."""
    return one.content, one.output, one.every, one.ordinal
