"""What a manifest says, read and expanded: plain values for whoever plans and runs it."""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from batchgen.errors import Problem
from batchgen.manifest.origins import Origins
from batchgen.manifest.source.problems import Place
from batchgen.model import Job, Json, Rate


class Places:
    """Where each job comes from: a line of the manifest, or a row of a table.

    Kept as runs of jobs that share a place, 24 bytes each, because there may be 100,000 rows.
    """

    def __init__(self) -> None:
        self._sources: dict[str, int] = {}
        self._starts = array("Q")
        self._owners = array("Q")
        self._marks = array("Q")
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Place:
        if not 0 <= index < self._count:
            raise IndexError(index)
        run = bisect_right(self._starts, index) - 1
        source = list(self._sources)[self._owners[run]]
        return Place(source, *divmod(self._marks[run], _COLUMNS))

    def add(self, place: Place) -> None:
        """Return where the next job comes from."""
        owner = self._sources.setdefault(place.source, len(self._sources))
        mark = place.line * _COLUMNS + min(place.column, _COLUMNS - 1)
        if not self._starts or (self._owners[-1], self._marks[-1]) != (owner, mark):
            self._starts.append(self._count)
            self._owners.append(owner)
            self._marks.append(mark)
        self._count += 1


_COLUMNS = 1 << 24  # a line and a column in one number


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How hard the service may be asked.

    Attributes:
        rate: None where the manifest leaves it to the default.
        in_flight: an upper bound; None where it is found out from the service.
    """

    rate: Rate | None
    in_flight: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """How jobs whose answer was lost are settled.

    Attributes:
        resubmit: whether what is shown absent is sent again; a person decides otherwise.
        settle: seconds after the loss before a listing counts.
        settle_max: seconds to wait for a job of ours that proves that the listing would show it.
    """

    resubmit: bool
    settle: float
    settle_max: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The caps of a manifest, in compute units; None where there is none.

    Attributes:
        total: for everything of the batch and slot, over all its runs.
        per_job: for one attempt at one job.
        per_day, per_month: for the whole journal, by the manifest's clock.
        trust_refunds: whether refunds that are only assumed release a cap.
        whole_chains: whether money is kept for all the steps of a chain when its first one is bought.
        estimate: what is kept for a job whose price nobody says; None where such a job is not bought under
            a cap.
    """

    total: Decimal | None = None
    per_job: Decimal | None = None
    per_day: Decimal | None = None
    per_month: Decimal | None = None
    trust_refunds: bool = True
    whole_chains: bool = True
    estimate: Decimal | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is any cap."""
        return any(cap is not None for cap in (self.total, self.per_job, self.per_day, self.per_month))


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """What is written beside the results.

    Attributes:
        download: whether files of assets are fetched.
        only_last: whether those of jobs are left out that feed other jobs.
        files: the template of their names, without the type.
        place: where that is written.
    """

    download: bool
    files: str
    place: Place = field(default=Place(""), compare=False)
    only_last: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """Which batch a manifest is of.

    Attributes:
        batch: a safe folder name.
        project: the service's ``projectId``, None where none is given.
    """

    batch: str
    project: str | None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest that was read.

    Attributes:
        path: as the user gave it.
        sha256: of the file's bytes, hexadecimal.
        batch: a safe folder name.
        project: the service's ``projectId``, None where none is given.
        jobs: in the order of the file; those that share parameters share the mapping.
        places: for each job where it comes from.
        origins: for each job what its entry says.
        attempts: how often a generation is tried in all.
        budget: what may be spent.
        timeout: seconds, None where the manifest leaves it to the default.
        period: ``hour``, ``day``, ``week``, ``month`` or a name, for a batch that repeats; None for one that
            does not.
        tz: the IANA name of the zone in which a day begins.
        files: where the content of each local file can be read, by its SHA-256.
        previews: for each entry under jobs what it stands for, as a sentence.
        warnings: what is probably a mistake and stops nothing, in the order of the files.
    """

    path: Path
    sha256: str
    batch: str
    project: str | None
    jobs: tuple[Job, ...]
    places: Places
    limits: Limits
    timeout: float | None
    doubt: Doubt
    attempts: int
    budget: Budget
    output: Output
    origins: Origins
    period: str | None
    tz: str
    files: Mapping[str, Path]
    previews: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()

    def place_of(self, index: int, *path: str | int) -> Place:
        """Return the most exact place of a job's part, such as ``("params", "referenceImages", 0)``.

        Where it comes from the defaults the place is there; where a row fills it in, the row's.
        """
        model = self.jobs[index].model
        return self.origins.place(index, path, model=model, fallback=self.places[index])

    def is_literal(self, index: int, *path: str | int) -> bool:
        """Return whether a job's part stands in the manifest as it is, and not through a variable."""
        return self.origins.literal(index, path, model=self.jobs[index].model)

    def written(self, index: int, *path: str | int) -> Json:
        """Return a job's part as it is written, variables not filled in; None where nothing is."""
        return self.origins.written(index, path, model=self.jobs[index].model)

    def columns(self, index: int) -> frozenset[str]:
        """Return the variables of a job whose values come from a table's row."""
        return self.origins[index].columns

    def unchecked(self, index: int) -> frozenset[str]:
        """Return the inputs of a job that are not held against the model's schema."""
        return self.origins[index].unchecked

    def tags(self, index: int) -> tuple[str, ...]:
        """Return the words that a job is found by."""
        return self.origins[index].tags

    def entry(self, index: int) -> str:
        """Return the name of a job's entry, empty where it has none."""
        return self.origins[index].name

    def variables(self, index: int) -> dict[str, Json]:
        """Return every variable that made a job, as the manifest has it: ``vars``, its row, its axes.

        All columns of the row are there, used or not. A number that is not spelled as JSON would is the text
        that a person wrote, such as ``007``; a cell of a table of text is text.
        """
        return self.origins.variables(index)

    def goes_through_kept(self, index: int) -> bool:
        """Return whether a job goes through those of another entry that a person keeps."""
        return self.origins[index].only_kept

    @property
    def kept_rows(self) -> dict[int, str]:
        """The jobs that go through jobs that a person keeps, each with the id of the one that is its row."""
        if not any(one.only_kept for one in self.origins.entries):
            return {}
        places = range(len(self.jobs))
        return {place: self.origins.row_job(place) for place in places if self.origins[place].only_kept}

    def without(self, left_out: Collection[int]) -> "Manifest":
        """Return the same without some of its jobs, which are given by their numbers."""
        if not left_out:
            return self
        kept = [place for place in range(len(self.jobs)) if place not in left_out]
        places = Places()
        for place in kept:
            places.add(self.places[place])
        return replace(
            self,
            jobs=tuple(self.jobs[place] for place in kept),
            places=places,
            origins=self.origins.in_order(kept),
            previews=self._previews_of(kept),
        )

    def _previews_of(self, kept: Sequence[int]) -> tuple[str, ...]:
        """Return what those entries stand for that some jobs are of; an entry may have had no job at all."""
        entries = list(dict.fromkeys(id(self.origins[place]) for place in range(len(self.jobs))))
        there = {id(self.origins[place]) for place in kept}
        if len(entries) != len(self.previews):
            return self.previews
        return tuple(text for entry, text in zip(entries, self.previews, strict=True) if entry in there)
