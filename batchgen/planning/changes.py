"""What changed in a job: the one before, as it was bought, against the one in the manifest. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from batchgen.identity import as_said, canonical, is_file, is_reference
from batchgen.model import Job, JobKey, Json
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


def changed_jobs(plan: Plan, *, gone: Collection[JobKey] = ()) -> tuple[Changed, ...]:
    """Return each job that would be bought although one of its id is on record, the last one that was.

    Args:
        plan: of the batch.
        gone: what was of no job any more when the batch was run last.
    """
    before = {one.job.id: one for one in sorted(plan.removed, key=lambda one: one.key not in gone)}
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


def details(change: Change) -> tuple[Change, ...]:
    """Return what differs within an input, each part under its own name: ``loras[0].scale``.

    Of lists of different lengths the elements that came and went are named, as parts of the list.
    """
    if change.added or change.dropped:
        return (change,)
    return tuple(_parts(change.name, change.before, change.after))


def _parts(name: str, before: Json, after: Json) -> Iterator[Change]:
    if _same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict) and not any(map(_is_input, (before, after))):
        yield from _keys(name, before, after)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        if len(before) != len(after):
            yield from _elements(name, before, after)
            return
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _parts(f"{name}[{place}]", one, other)
    else:
        yield Change(name=name, before=before, after=after)


def _keys(name: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        inner = f"{name}.{key}"
        if key not in after:
            yield Change(name=inner, before=before[key], after=None, dropped=True)
        elif key not in before:
            yield Change(name=inner, before=None, after=after[key], added=True)
        else:
            yield from _parts(inner, before[key], after[key])


def _elements(name: str, before: Sequence[Json], after: Sequence[Json]) -> Iterator[Change]:
    old, new = ([canonical(_by_content(one)) for one in side] for side in (before, after))
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            yield from (Change(name=name, before=one, after=None, dropped=True) for one in before[a:b])
            yield from (Change(name=name, before=None, after=one, added=True) for one in after[c:d])


def _inputs(job: Job) -> dict[str, Json]:
    named = {"model": job.model, **({} if job.prompt is None else {"prompt": job.prompt})}
    return {**named, **{name: one for name, one in job.params.items() if name != "prompt"}}


def _is_input(value: Json) -> bool:
    """Return whether a value is a local file or another job, which are told as a whole."""
    return is_file(value) or is_reference(value)


def _same(one: Json, other: Json) -> bool:
    return canonical(_by_content(one)) == canonical(_by_content(other))


def _by_content(value: Json) -> Json:
    if is_file(value):
        return {"sha256": value["sha256"]}
    if is_reference(value):
        return {**as_said(value), "job": value.get("content") or value["job"]}
    if isinstance(value, dict):
        return {key: _by_content(one) for key, one in value.items()}
    return [_by_content(one) for one in value] if isinstance(value, list | tuple) else value
