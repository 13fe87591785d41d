"""A lost journal is rebuilt from the results of an earlier run and the service's listing, in virtual time."""

import random
from dataclasses import replace
from pathlib import Path

from batchgen.engine.limits.gate import RateGate
from batchgen.engine.outcome import EngineOutcome
from batchgen.journal.file import JournalFile
from batchgen.manifest.origins import Origins
from batchgen.manifest.reading import read_manifest
from batchgen.output.results import results_json
from batchgen.planning.make_plan import make_plan
from batchgen.ports import Clock
from batchgen.reconcile.saved_results import read_results
from batchgen.scenario.client import ScenarioClient
from batchgen.scenario.transport import Transport
from batchgen.usecases.rebuild import Recoverer
from batchgen.wiring.background import beside
from batchgen.wiring.batch import Batch
from batchgen.wiring.options import Options
from tests.proof.scenario import Leg
from tests.support.memory_journal import SCOPE

_MANIFEST = "version: 1\njobs:\n  - {prompt: anything, model: model_any}\n"


def results_of(folder: Path, leg: Leg, file: JournalFile, ending: EngineOutcome, at: float) -> str:
    """Write what an undisturbed run leaves beside its journal."""
    results = _batch(folder, leg, file).results(at=at, ending=ending)
    return b"".join(results_json(results)).decode()


async def rebuild(
    folder: Path, leg: Leg, file: JournalFile, told: str, transport: Transport, clock: Clock, seed: int
) -> None:
    """Record again what the results and the listing tell.

    Raises:
        ServiceError: the service could not be asked.
    """
    gate = RateGate(None)
    async with beside(gate.run(), name="gate"):
        client = ScenarioClient(transport, gate, project=None, rng=random.Random(seed))
        options = replace(_options(folder), machine_clock=clock)
        await Recoverer(options, _batch(folder, leg, file), client).recover(read_results(told).jobs)


def _options(folder: Path) -> Options:
    return Options(manifest=folder / "jobs.yaml", output=folder, environ={})


def _batch(folder: Path, leg: Leg, file: JournalFile) -> Batch:
    options = _options(folder)
    options.manifest.write_text(_MANIFEST)
    read, origins = read_manifest(options.manifest, environ={}), Origins()
    for _ in leg.jobs:
        origins.add(read.origins[0], 0)
    manifest = replace(read, jobs=leg.jobs, origins=origins)
    journal = file.batch(SCOPE)
    plan = make_plan(leg.jobs, journal.records())
    return Batch(
        manifest=manifest,
        folder=folder / SCOPE.batch,
        scope=SCOPE,
        project="",
        journal=journal,
        plan=plan,
        clock=options.clock,
        typed=options.command_line,
    )
