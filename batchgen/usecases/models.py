"""Models as the service describes them: for a run, for a check before one, and for people who look.

No other module of this room asks the service what a model takes, or holds a manifest against it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from batchgen.catalog.declared import plan_of
from batchgen.catalog.inputs import Findings, check_jobs, first_uses
from batchgen.errors import (
    ManifestError,
    ModelClosedError,
    NoRightError,
    NotFoundError,
    Problem,
    RefusedError,
)
from batchgen.formats import counted
from batchgen.lifecycle import IN_FLIGHT
from batchgen.manifest.values import Manifest
from batchgen.model import Model
from batchgen.ports import Clock
from batchgen.usecases.check_findings import UNCHECKED, Checked
from batchgen.wiring.batch import Batch
from batchgen.wiring.model_source import Catalogue, Describes, models_of
from batchgen.wiring.uploads import file_problems


async def look_up_models(
    generator: Describes, batch: Batch, clock: Clock, note: Callable[[str], object]
) -> Checked:
    """Describe every model of a job that may be submitted, and check the inputs of those jobs.

    A model that this account may not use stops no other's jobs: it is given as closed.

    What is done or at the service already is not looked at: it was bought as it is. A description is
    asked for again where it is older than an hour, or where something is wrong by it.

    Args:
        generator: the service.
        batch: the manifest and the plan.
        clock: ours.
        note: takes sentences for people.

    Raises:
        InputError: names every model that cannot be used, or every input that is wrong.
        ServiceError: the service did not answer.
    """
    catalogue = models_of(batch, generator, clock)
    checked = await check_models(catalogue, batch.manifest, to_submit(batch), leave_closed=True)
    for one in checked.notes:
        note(one)
    running = await _of_the_running(catalogue, batch, checked.models)
    return replace(checked, models={**checked.models, **running})


async def _of_the_running(
    catalogue: Catalogue, batch: Batch, known: Mapping[str, Model]
) -> Mapping[str, Model]:
    """Describe the models of jobs on their way that may be tried again; what is not shown is not retried.

    Raises:
        ServiceError: the service did not answer.
    """
    if batch.manifest.attempts == 1:
        return {}
    running = {entry.job.model for entry in batch.plan.entries if entry.record.state in IN_FLIGHT}
    found = {}
    for model_id in sorted(running - known.keys()):
        try:
            found[model_id] = await catalogue.describe(model_id)
        except (NotFoundError, ModelClosedError, NoRightError, RefusedError):
            continue
    return found


def to_submit(batch: Batch) -> list[int]:
    """Return the places in the manifest of the jobs that a run would submit."""
    wanted = {entry.key for entry in batch.plan.to_submit}
    return [index for index, entry in enumerate(batch.plan.entries) if entry.key in wanted]


async def check_models(
    catalogue: Catalogue, manifest: Manifest, chosen: list[int], *, leave_closed: bool = False
) -> Checked:
    """Check the chosen jobs of a manifest against what their models declare; see ``check_manifest``.

    Args:
        catalogue: describes them.
        manifest: the jobs.
        chosen: their places in it.
        leave_closed: a model that this account may not use is no problem, for its jobs are left out.
    """
    uses = first_uses((index, manifest.jobs[index]) for index in chosen)
    told = await _describe(catalogue, uses)
    models, closed = told.models, told.closed
    problems = [_unusable(manifest, name, *uses[name], why) for name, why in told.wrong.items()]
    closed |= await _above_the_plan(catalogue, models.values())
    if leave_closed:
        closed |= {name: str(why) for name, why in told.lacking.items()}
    else:
        problems += [_unusable(manifest, name, *uses[name], why) for name, why in closed.items()]
    findings = check_jobs(manifest, models, chosen)
    if findings.problems and catalogue.from_shelf:
        findings = await _checked_anew(catalogue, manifest, chosen, models)
    problems += file_problems(manifest, chosen)
    if problems or findings.problems:
        raise ManifestError(problems=(*problems, *findings.problems), warnings=findings.warnings)
    unchecked = [f"{UNCHECKED}: {why}" for why in told.lacking.values() if not leave_closed]
    return Checked(
        models=models,
        notes=findings.notes,
        closed=closed,
        skipped="".join(unchecked[:1]),
        warnings=findings.warnings,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Described:
    """What came of asking for models, by id.

    Attributes:
        models: those that were described.
        closed: those that this account may not use, and why.
        wrong: those that there are not, and why.
        lacking: those that this key may not read, as it may read none.
    """

    models: dict[str, Model] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, NoRightError] = field(default_factory=dict)


async def _describe(catalogue: Catalogue, model_ids: Iterable[str]) -> _Described:
    told, unusable = _Described(), "cannot be used with these credentials: "
    for model_id in model_ids:
        try:
            told.models[model_id] = await catalogue.describe(model_id)
        except NoRightError as error:
            told.lacking[model_id] = error
        except ModelClosedError as error:
            told.closed[model_id] = f"{unusable}{error}"
        except (NotFoundError, RefusedError) as error:
            told.wrong[model_id] = f"{unusable}{error}{await catalogue.guess(model_id)}"
    if catalogue.may_read:  # so these are closed to it alone
        told.closed.update({name: f"{unusable}{why.reason}" for name, why in told.lacking.items()})
        told.lacking.clear()
    return told


async def _checked_anew(
    catalogue: Catalogue, manifest: Manifest, chosen: list[int], models: dict[str, Model]
) -> Findings:
    """Check by what the models declare now: what was kept may be behind, and must not stop anybody."""
    for model_id in sorted(catalogue.from_shelf & models.keys()):
        models[model_id] = await catalogue.ask(model_id)
    return check_jobs(manifest, models, chosen)


async def _above_the_plan(catalogue: Catalogue, models: Iterable[Model]) -> dict[str, str]:
    """Name the models that this account's plan does not allow; nothing is asked where any plan does."""
    graded = [(model, model.plan_rank) for model in models if model.plan_rank]
    rank = await catalogue.rank() if graded else None
    return {
        model.id: f"needs the plan {plan_of(needed)} or higher, and this account's is below it"
        for model, needed in graded
        if rank is not None and needed > rank
    }


def _unusable(manifest: Manifest, model_id: str, first: int, count: int, why: str) -> Problem:
    place = manifest.place_of(first, "model")
    jobs = counted(count, "job")
    text = f"model {model_id!r} ({jobs}) {why}"
    return Problem(place.source, place.line, place.column, text)
