"""A batch as a run or a look at it needs it: manifest, scope, journal and plan together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from batchgen.app.service import address_of
from batchgen.app.settings import Options, project_of
from batchgen.engine.ending import Ending, Verdict, judge
from batchgen.journal.store import BatchJournal
from batchgen.lifecycle import IN_FLIGHT, Record, State
from batchgen.manifest.values import Manifest
from batchgen.model import Scope
from batchgen.output.entries import Row
from batchgen.output.results import Results
from batchgen.plan.plan import Entry, Plan, make_plan


def scope_of(options: Options, manifest: Manifest) -> Scope:
    """Say where the records of this manifest belong.

    Raises:
        InputError: the base URL will not do.
    """
    return Scope(
        origin=address_of(options).origin,
        project=project_of(options, manifest.project),
        batch=manifest.batch,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """One manifest in the light of the journal."""

    manifest: Manifest
    folder: Path
    scope: Scope
    journal: BatchJournal
    plan: Plan

    @classmethod
    def of(cls, options: Options, manifest: Manifest, scope: Scope, journal: BatchJournal) -> "Batch":
        """Make the plan."""
        return cls(
            manifest=manifest,
            folder=options.output / manifest.batch,
            scope=scope,
            journal=journal,
            plan=make_plan(manifest.jobs, journal.records(), retry_failed=options.retry_failed),
        )

    @property
    def needs_the_service(self) -> bool:
        """Whether there is anything that only the service can help with."""
        open_states = {*IN_FLIGHT, State.SUCCEEDED} - {State.HELD}
        entries = (*self.plan.entries, *self.plan.removed)
        return bool(self.plan.to_submit) or any(one.record.state in open_states for one in entries)

    @property
    def authors(self) -> frozenset[str]:
        """Who our submissions are by, as far as the service has said."""
        submissions = (one for record in self.journal.records().values() for one in record.submissions)
        return frozenset(one.author for one in submissions if one.author)

    def record_of(self, entry: Entry) -> Record:
        """Give what the journal says of the job now."""
        return self.journal.records().get(entry.key, entry.record)

    def judge(self, ending: Ending) -> Verdict:
        """Say what the end of a run means; what the manifest no longer names counts while it is open."""
        wanted = [self.record_of(entry) for entry in self.plan.entries]
        removed = [self.record_of(entry) for entry in self.plan.removed]
        still_open = {*IN_FLIGHT, State.SUCCEEDED}
        return judge(ending, [*wanted, *(one for one in removed if one.state in still_open)])

    def results(self, *, at: float, ending: Ending, verdict: Verdict | None = None) -> Results:
        """Give all that the results files are made of, as of now.

        Args:
            at: seconds since the epoch.
            ending: what the run came to so far.
            verdict: None while it runs.
        """
        return Results(
            batch=self.manifest.batch,
            manifest_path=str(self.manifest.path),
            manifest_sha256=self.manifest.sha256,
            rows=self._rows(self.plan.entries, ending),
            removed=self._rows(self.plan.removed, ending),
            written_at=at,
            reasons=verdict.reasons if verdict else (),
            exit=verdict.exit if verdict else None,
        )

    def _rows(self, entries: Sequence[Entry], ending: Ending) -> list[Row]:
        return [
            Row(
                job=entry.job,
                key=entry.key,
                record=self.record_of(entry),
                out_of_sight=entry.key in ending.out_of_sight,
            )
            for entry in entries
        ]
