"""``batchgen plan``."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from batchgen.cli import flags

if TYPE_CHECKING:
    from batchgen.app.batch import Batch
    from batchgen.app.elsewhere import Elsewhere
    from batchgen.app.settings import Options

_SHOWN = 20  # jobs listed by name, and entries by what they stand for; the rest is a number


@click.command("plan")
@flags.of_a_batch
@flags.offline
@flags.as_json
def command(*, options: "Options", offline: bool, as_json: bool) -> int:
    """Show what running MANIFEST would do, job by job, and why.

    Holds the manifest against the journal, and the inputs of what would be submitted against what the
    service says of its models; buys nothing.
    """
    return show_plan(options, as_json=as_json, offline=offline)


def show_plan(options: "Options", *, as_json: bool, offline: bool = False) -> int:
    """Write the plan to standard output and give the exit status."""
    from batchgen.app.look import look_at, notice_elsewhere  # noqa: PLC0415 - not for --help
    from batchgen.app.models import to_submit  # noqa: PLC0415 - not for --help
    from batchgen.cli.models import check  # noqa: PLC0415 - not for --help

    with look_at(options) as batch:
        check(options, batch.manifest, offline=offline, indices=to_submit(batch))
        elsewhere = notice_elsewhere(options, batch)
        if as_json:
            click.echo(json.dumps(_document(batch, elsewhere), ensure_ascii=False))
        else:
            for line in (*_lines(batch), *_elsewhere(elsewhere)):
                click.echo(line)
    return 0


def _elsewhere(found: "Elsewhere | None") -> Iterator[str]:
    if found is not None:
        yield (
            f"  note: batch {found.batch!r} of the same journal has {found.jobs} of these jobs done, for "
            f"{found.charged.normalize():f} compute units; here they are bought once more"
        )


def _document(batch: "Batch", elsewhere: "Elsewhere | None") -> dict[str, object]:
    return {
        "batch": batch.manifest.batch,
        "origin": batch.scope.origin,
        "counts": {str(standing): count for standing, count in batch.plan.counts().items()},
        "to_submit": len(batch.plan.to_submit),
        "previews": batch.manifest.previews,
        "jobs": [
            {"id": one.job.id, "model": one.job.model, "prompt": one.job.prompt, "standing": one.standing}
            for one in batch.plan.entries
        ],
        "done_elsewhere": None
        if elsewhere is None
        else {
            "batch": elsewhere.batch,
            "jobs": elsewhere.jobs,
            "charged": float(elsewhere.charged),
            "manifest_is_gone": elsewhere.is_gone,
        },
        "removed": [{"id": one.job.id, "standing": one.standing} for one in batch.plan.removed],
    }


def _previews(previews: Sequence[str]) -> Iterator[str]:
    """Say what each entry of the manifest stands for."""
    yield from (f"  {preview}" for preview in previews[:_SHOWN])
    if len(previews) > _SHOWN:
        yield f"  and {len(previews) - _SHOWN} more entries"


def _lines(batch: "Batch") -> Iterator[str]:
    plan = batch.plan
    yield f"{batch.manifest.batch}: {len(plan.entries)} jobs at {batch.scope.origin}"
    yield from _previews(batch.manifest.previews)
    for standing, count in plan.counts().items():
        yield f"  {count:>6}  {standing}"
    if plan.removed:
        yield f"  {len(plan.removed):>6}  no longer in the manifest: carried to their end, never bought again"
    if not plan.to_submit:
        yield "Nothing would be submitted."
        return
    models = Counter(entry.job.model for entry in plan.to_submit)
    yield f"Would submit {len(plan.to_submit)}:"
    for model, count in models.most_common():
        yield f"  {count:>6}  {model}"
    for entry in plan.to_submit[:_SHOWN]:
        yield f"  {entry.standing:>17}  {entry.job.id}"
    if len(plan.to_submit) > _SHOWN:
        yield f"  and {len(plan.to_submit) - _SHOWN} more"
    for entry, _ in plan.paid_twice_by_edit():
        yield (
            f"  note: {entry.job.id} was changed while the job before the change is at the service: "
            "both may be paid for"
        )
