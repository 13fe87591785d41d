"""What stops a run under another name, and what a person answers to its message."""

from dataclasses import replace

from batchgen.app.batch import Batch
from batchgen.app.elsewhere import done_elsewhere
from batchgen.app.settings import Options
from batchgen.journal.store import JournalFile
from batchgen.manifest.reading import read_manifest
from batchgen.model import Scope
from batchgen.plan.plan import make_plan
from batchgen.ports import Clock, Generator
from tests.proof.names import Name
from tests.proof.places import Places, scope_of
from tests.proof.scenario import Leg


async def settled(
    places: Places, leg: Leg, file: JournalFile, generator: Generator, clock: Clock
) -> tuple[Name, Scope, list[str]]:
    assert leg.name is not None
    name = leg.name
    let = False
    scope = scope_of(name)
    batch = _batch(places, leg, file, scope, name)
    other = done_elsewhere(_options(places, name), file, batch)
    if other is not None and other.stops_a_run(len(batch.plan.entries)):
        if name.allows and not places.unanswered_beside(leg.jobs, name):
            let = True
        else:
            name = replace(name, batch=other.batch)
            places.prepare(name)
    wrong = places.begin(leg, name, let=let)
    return name, scope_of(name), wrong


def _options(places: Places, name: Name) -> Options:
    return Options(manifest=places.path_of(name), output=places.folder, environ={})


def _batch(places: Places, leg: Leg, file: JournalFile, scope: Scope, name: Name) -> Batch:
    manifest = replace(read_manifest(places.path_of(name), environ={}), jobs=leg.jobs)
    journal = file.batch(scope)
    plan = make_plan(leg.jobs, journal.records())
    return Batch(manifest=manifest, folder=places.folder / scope.batch, scope=scope, journal=journal, plan=plan)
