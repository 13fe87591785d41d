"""What changed in a job: the one before, as it was bought, against the one in the manifest. Pure."""

from dataclasses import dataclass

from batchgen.identity import canonical, is_file
from batchgen.model import Job, Json
from batchgen.planning.plan import Entry, Plan

_MISSING = object()  # not None, which a manifest can say


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One input that is not what it was.

    Attributes:
        name: ``prompt``, ``model`` or a parameter's name.
        before, after: the values; None where ``added`` or ``dropped`` says that there is none.
        added, dropped: whether only one of the two has it.
    """

    name: str
    before: Json
    after: Json
    added: bool = False
    dropped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A job that was bought in another form.

    Attributes:
        entry: as the manifest has it.
        before: as the journal has it.
        changes: what is not the same, in the order of the old form, then of the new one.
    """

    entry: Entry
    before: Entry
    changes: tuple[Change, ...]


def changed_jobs(plan: Plan) -> tuple[Changed, ...]:
    """Return each job that would be bought although one of its id is on record, the last one that was."""
    before = {one.job.id: one for one in plan.removed}
    return tuple(
        Changed(entry=one, before=before[one.job.id], changes=changes(before[one.job.id].job, one.job))
        for one in plan.to_submit
        if one.changed and one.job.id in before
    )


def changes(before: Job, after: Job) -> tuple[Change, ...]:
    """Name the inputs that differ, as identity tells them apart: a file by its content, 1 and 1.0 alike."""
    old, new = _inputs(before), _inputs(after)
    found = []
    for name in dict.fromkeys((*old, *new)):
        was, is_now = old.get(name, _MISSING), new.get(name, _MISSING)
        if was is not _MISSING and is_now is not _MISSING and _same(was, is_now):
            continue
        found.append(
            Change(
                name=name,
                before=None if was is _MISSING else was,
                after=None if is_now is _MISSING else is_now,
                added=was is _MISSING,
                dropped=is_now is _MISSING,
            )
        )
    return tuple(found)


def _inputs(job: Job) -> dict[str, Json]:
    named = {"model": job.model, **({} if job.prompt is None else {"prompt": job.prompt})}
    return {**named, **{name: one for name, one in job.params.items() if name != "prompt"}}


def _same(one: Json, other: Json) -> bool:
    return canonical(_by_content(one)) == canonical(_by_content(other))


def _by_content(value: Json) -> Json:
    if is_file(value):
        return {"sha256": value["sha256"]}
    if isinstance(value, dict):
        return {key: _by_content(one) for key, one in value.items()}
    return [_by_content(one) for one in value] if isinstance(value, list | tuple) else value
