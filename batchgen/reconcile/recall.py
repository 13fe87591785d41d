"""Which jobs a lost journal had: who each job of the results is, and the body that was sent for it. Pure.

What became of it is the service's to say.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from batchgen.identity import (
    Reference,
    canonical,
    compose_body,
    content_key,
    derive_seed,
    has_file,
    is_file,
    is_reference,
    references_in,
    references_of,
)
from batchgen.lifecycle import DONE, Record, State
from batchgen.model import Job, JobKey, Json, Model, Scope
from batchgen.reconcile.matching import assets_in
from batchgen.reconcile.saved_results import Role, SavedJob

_SPARE = 8  # ordinals beyond the equals that are told of: some may have left the manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Recalled:
    """A job of the results with its name for the machine and the body that was sent for it.

    Attributes:
        known: whether the journal has it already.
        place: which job of the results it is told of with.
    """

    saved: SavedJob
    job: Job
    key: JobKey
    body: str
    known: bool = False
    place: int = 0


def recall(
    saved: Iterable[SavedJob],
    *,
    jobs: Sequence[Job],
    records: Mapping[JobKey, Record],
    scope: Scope,
    models: Mapping[str, Model],
    shown: Callable[[Job], Mapping[str, Json]],
) -> list[Recalled]:
    """Name every job that was submitted, in the order of the results.

    A job that the manifest still says the same way is the manifest's; any other is made from
    what was sent. A seed that was derived names which of the equals it is.

    Args:
        saved: by the results.
        jobs: the manifest's.
        records: the journal's; what is in there already is left alone.
        scope: where the records belong.
        models: those that the service describes, by id.
        shown: how results show the parameters of a job that was not sent yet.
    """
    told = [(place, one) for place, job in enumerate(saved) for one in _editions(job) if one.was_submitted]
    submitted = [one for _, one in told]
    by_id = {job.id: job for job in jobs}
    equals = Counter(content_key(_bare(one)) for one in submitted)
    naming = _Naming(records, scope, models, equals)
    found: dict[int, Recalled | None] = {}
    for places in _steps(submitted, jobs):
        step = [submitted[place] for place in places]
        asked = [_job_of(one, by_id.get(one.id), shown, naming) for one in step]
        found.update(zip(places, _recalled(step, asked, naming), strict=True))
    pairs = ((found[index], place) for index, (place, _) in enumerate(told))
    return [replace(one, place=place) for one, place in pairs if one is not None]


def _editions(job: SavedJob) -> list[SavedJob]:
    """Return all that was submitted for a job, oldest first, and last what is under way in its place.

    What has no date is older than what the job has now.
    """
    if not job.others:
        return [job]
    before = [one for one in job.others if one.role is not Role.REDO]
    now = job.submitted_at
    dated = [one for one in before if now is not None and one.submitted_at is not None]
    later = [one for one in dated if (one.submitted_at or 0.0) > (now or 0.0)]
    return [
        *(one for one in before if one not in later),
        job,
        *later,
        *(one for one in job.others if one.role is Role.REDO),
    ]


def _steps(submitted: Sequence[SavedJob], jobs: Sequence[Job]) -> list[list[int]]:
    """Return the places of what was submitted, parents before their children: by them a child is known.

    Who fed whom is known by the assets that were sent, and by what the manifest says.
    """
    owners = {asset: place for place, one in enumerate(submitted) for asset in one.asset_ids}
    places: dict[str, int] = {}
    for place, one in enumerate(submitted):
        places.setdefault(one.id, place)
    named = {job.id: [one.job for one in references_of(job)] for job in jobs}
    left = {
        place: {owners.get(asset) for asset in assets_in(one.params)}
        | {*map(places.get, named.get(one.id, ()))}
        for place, one in enumerate(submitted)
    }
    steps: list[list[int]] = []
    while left:
        step = [place for place, parents in left.items() if not any(one in left for one in parents)]
        steps.append(step or list(left))  # a circle would be nobody's
        for place in steps[-1]:
            del left[place]
    return steps


def _recalled(step: Sequence[SavedJob], asked: Sequence[Job], naming: "_Naming") -> list[Recalled | None]:
    """Return what some submissions were; None where the body of one that may be paid for cannot be told."""
    pairs = [(naming.with_attempt(one, job), job) for one, job in zip(step, asked, strict=True)]
    # those whose seed says which of the equals they are go first: nobody else takes their place
    keys = {index: key for index, pair in enumerate(pairs) if (key := naming.certain(*pair)) is not None}
    found: list[Recalled | None] = []
    for index, (one, job) in enumerate(pairs):
        if index not in keys and one.role is Role.REDO and one.in_doubt and naming.derives_seed(one, job):
            found.append(None)  # another body than the one that left would be bought beside it
            continue
        key = keys.get(index) or naming.free(content_key(job))
        naming.called(one, key)
        body = _body_of(one, job)
        known = naming.knows(one, key, body)
        found.append(Recalled(saved=one, job=job, key=key, body=body, known=known))
    return found


def _job_of(
    saved: SavedJob, job: Job | None, shown: Callable[[Job], Mapping[str, Json]], naming: "_Naming"
) -> Job:
    if job is not None and references_of(job):
        job = _bound(job, saved, naming)
    if job is not None and (job.prompt, job.model) == (saved.prompt, saved.model):
        sent = {name: value for name, value in saved.params.items() if name != "seed" or "seed" in job.params}
        said = {name: value for name, value in shown(job).items() if name != "prompt"}
        if _same(sent, said):
            return job
    bare = _fed(_bare(saved), naming)
    if "seed" not in saved.params:
        return replace(bare, derive_seed=False)
    return replace(bare, params=saved.params) if naming.by_seed(saved, content_key(bare)) is None else bare


def _same(sent: Json, said: Json) -> bool:
    """Compare what was sent with what the manifest says; of a local file only its asset was sent."""
    if is_file(said):
        return isinstance(sent, str) and sent.startswith("asset_")
    if is_reference(said):  # it was bound to what was sent
        return True
    if isinstance(sent, Mapping) and isinstance(said, Mapping):
        return sent.keys() == said.keys() and all(_same(one, said[name]) for name, one in sent.items())
    if isinstance(sent, list) and isinstance(said, list):
        return len(sent) == len(said) and all(map(_same, sent, said))
    return canonical(sent) == canonical(said)


def _fed(bare: Job, naming: "_Naming") -> Job:
    """Return a job as it was sent with its parents in place of their assets, as far as they are known."""

    def fed(value: Json) -> Json:
        if isinstance(value, str) and (owner := naming.owner(value)) is not None:
            job, key = owner
            return Reference(job, content=key.content, ordinal=key.ordinal, assets=(value,)).value
        if isinstance(value, Mapping):
            return {name: fed(one) for name, one in value.items()}
        return [fed(one) for one in value] if isinstance(value, list) else value

    return replace(bare, params=fed(bare.params)) if assets_in(bare.params) else bare


def _bound(job: Job, saved: SavedJob, naming: "_Naming") -> Job | None:
    """Return a child with what was sent for its parents; None where that is not what it says now."""
    try:
        return replace(job, params=_with_sent(job.params, saved.params, naming))
    except _UnlikeError:
        return None


class _UnlikeError(Exception):
    """What was sent is not what the manifest says, or its parent is not known."""


def _with_sent(said: Json, sent: Json, naming: "_Naming") -> Json:
    """Return what the manifest says with the assets that were sent for each other job."""
    if is_reference(said):
        one = Reference.read(said)
        assets = tuple(sent) if isinstance(sent, list) else (sent,)
        owner = naming.owner(assets[0]) if assets and isinstance(assets[0], str) else None
        key = naming.key_of(one.job) if owner is None else owner[1]
        if key is None or not assets or not all(isinstance(asset, str) for asset in assets):
            raise _UnlikeError
        return one._replace(content=key.content, ordinal=key.ordinal, assets=assets).value
    if isinstance(said, Mapping) and isinstance(sent, Mapping) and not is_file(said):
        return {name: _with_sent(one, sent.get(name), naming) for name, one in said.items()}
    if isinstance(said, list) and isinstance(sent, list):
        return [_with_sent(one, part, naming) for one, part in zip(said, _parts(said, sent), strict=True)]
    return said


def _parts(said: Sequence[Json], sent: Sequence[Json]) -> list[Json]:
    """Return what was sent for each element of a list: for all outputs of a job there may be many."""
    many = [place for place, one in enumerate(said) if is_reference(one) and Reference.read(one).every]
    more = len(sent) - len(said)
    if not many and not more:
        return list(sent)
    if len(many) != 1 or more < 0:
        raise _UnlikeError  # which of them came from which cannot be told
    place = many[0]
    return [*sent[:place], list(sent[place : place + more + 1]), *sent[place + more + 1 :]]


def _bare(saved: SavedJob) -> Job:
    """Return the job that was sent, taking its seed for a derived one."""
    params = {name: one for name, one in saved.params.items() if name != "seed"}
    return Job(id=saved.id, prompt=saved.prompt, model=saved.model, params=params)


def _body_of(saved: SavedJob, job: Job) -> str:
    """Write the body as it was sent: the order of the results, the values of the manifest."""
    said = {name: _but_files(job.params.get(name, one), one) for name, one in saved.params.items()}
    return compose_body(replace(job, params=said), None)


def _but_files(said: Json, sent: Json) -> Json:
    """Take the manifest's value, but what was sent where it has a local file or another job in it."""
    return sent if has_file(said) or any(references_in(said)) else said


class _Naming:
    """Which of the equals a job is, among those that have a name already."""

    def __init__(
        self,
        records: Mapping[JobKey, Record],
        scope: Scope,
        models: Mapping[str, Model],
        equals: Mapping[str, int],
    ) -> None:
        self._records = records
        self._scope = scope
        self._models = models
        self._equals = equals
        self._paid = {one.remote_id: key for key, record in records.items() for one in record.submissions}
        self._named: dict[tuple[str, str], JobKey] = {}
        for key in sorted(records, key=lambda key: key.ordinal):
            if (job := records[key].job) is not None:
                self._named.setdefault((key.content, job.id), key)
        known = {key: record for key, record in records.items() if record.job is not None}
        self._called = {record.job.id: key for key, record in known.items() if record.job is not None}
        self._owners = {
            asset: (record.job.id, key)
            for key, record in known.items()
            if record.job is not None
            for asset in record.asset_ids
        }
        self._given: set[JobKey] = set()
        self._taken: dict[str, set[int]] = defaultdict(set)
        for key in records:
            self._taken[key.content].add(key.ordinal)

    def called(self, saved: SavedJob, key: JobKey) -> None:
        """Learn the key of a job."""
        self._called.setdefault(saved.id, key)
        self._owners.update((asset, (saved.id, key)) for asset in saved.asset_ids)

    def owner(self, asset_id: str) -> tuple[str, JobKey] | None:
        """Return the id and the key of the job that an asset came out of; None where that is not known."""
        return self._owners.get(asset_id)

    def key_of(self, job: str) -> JobKey | None:
        """Return the key of the job of this id; None where nothing is known of it."""
        return self._called.get(job)

    def certain(self, saved: SavedJob, job: Job) -> JobKey | None:
        """Return the key that the journal or the seed names, and keep it from others."""
        content = content_key(job)
        seeded = self.by_seed(saved, content) if "seed" not in job.params else None
        found = (self._paid.get(saved.remote_id or ""), seeded, self._known_as(saved, content))
        key = next((one for one in found if one is not None and one not in self._given), None)
        if key is not None:
            self._given.add(key)
            self._taken[key.content].add(key.ordinal)
        return key

    def _known_as(self, saved: SavedJob, content: str) -> JobKey | None:
        """Return the key of a record of this name, unless that is another purchase: an edition beside it."""
        key = self._named.get((content, saved.id))
        if key is None or (saved.remote_id is not None and self._records[key].state in DONE):
            return None
        return None if saved.role is Role.REDO else key

    def free(self, content: str) -> JobKey:
        """Return the first key that nobody has, and keep it from others."""
        taken = self._taken[content]
        ordinal = next(number for number in range(len(taken) + 1) if number not in taken)
        taken.add(ordinal)
        return JobKey(content, ordinal)

    def by_seed(self, saved: SavedJob, content: str) -> JobKey | None:
        """Return the key from which the seed in the body was derived; None if it was not."""
        found = self._seed_of(saved, content)
        return None if found is None else found[0]

    def with_attempt(self, saved: SavedJob, job: Job) -> SavedJob:
        """Return what was told with the attempt that its seed is of, where nothing else tells it."""
        if saved.attempt or saved.role is Role.OWN:
            return saved
        found = None if "seed" in job.params else self._seed_of(saved, content_key(job))
        return replace(saved, attempt=1 if found is None else found[1])

    def derives_seed(self, saved: SavedJob, job: Job) -> bool:
        """Return whether the body of a job has a seed that was derived for it."""
        model = self._models.get(saved.model)
        return (
            "seed" not in job.params and job.derive_seed and (model is None or model.seed_input is not None)
        )

    def _seed_of(self, saved: SavedJob, content: str) -> tuple[JobKey, int] | None:
        """Return the key and the attempt from which the seed in the body was derived."""
        model = self._models.get(saved.model)
        declared = model.seed_input if model is not None else None
        if declared is None or saved.seed is None:
            return None
        told = saved.attempt or saved.role is Role.OWN
        attempts = [max(1, saved.attempt)] if told else range(1, _SPARE + 1)
        keys = [JobKey(content, ordinal) for ordinal in range(self._equals.get(content, 1) + _SPARE)]
        tried = ((key, attempt) for attempt in attempts for key in keys)
        return next((one for one in tried if derive_seed(self._scope, *one, declared) == saved.seed), None)

    def knows(self, saved: SavedJob, key: JobKey, body: str) -> bool:
        """Return whether the journal's record of the key is left alone."""
        record = self._records.get(key)
        if record is None:
            return False
        untouched = record.state is State.PLANNED and record.body in {None, body}
        return not (untouched and record.attempt <= max(1, saved.attempt))
