"""A manifest held against what its models declare, where they can be asked; said so where they cannot."""

from collections.abc import Iterable

from batchgen.errors import ManifestError, StoppedError, TransientError
from batchgen.formats import counted
from batchgen.manifest.values import Manifest
from batchgen.scenario.credentials import find_credentials
from batchgen.usecases.check_findings import UNCHECKED, Checked
from batchgen.wiring.options import Options


async def check_manifest(
    options: Options, manifest: Manifest, *, offline: bool, indices: Iterable[int] | None = None
) -> Checked:
    """Check a manifest against what its models declare.

    Without credentials, or where it is not wanted, that is left out and said so.

    Args:
        options: which service, and who asks.
        manifest: what to check.
        offline: ask nothing.
        indices: of the jobs; all where none are given.

    Raises:
        InputError: names every model that cannot be used, or every input that is wrong.
        StoppedError: the credentials are not accepted.
        TransientError: the service does not answer.
    """
    chosen = list(range(len(manifest.jobs)) if indices is None else indices)
    if not chosen:
        return Checked(models={})
    if offline:
        return Checked(models={}, skipped=f"{_unchecked(manifest, chosen)}: --offline")
    if not options.simulate and (why := _without_credentials(options)):
        return Checked(models={}, skipped=f"{_unchecked(manifest, chosen)}: {why}")
    from batchgen.usecases.models import check_models  # noqa: PLC0415 - what asks the service
    from batchgen.wiring.model_source import open_models  # noqa: PLC0415

    try:
        async with open_models(options, manifest.project, rate=manifest.limits.rate) as catalogue:
            return await check_models(catalogue, manifest, chosen)
    except ManifestError as error:
        raise ManifestError(problems=error.problems, warnings=(*manifest.warnings, *error.warnings)) from None
    except TransientError as error:
        raise TransientError(f"{error}; --offline checks the manifest alone") from error


def _unchecked(manifest: Manifest, chosen: Iterable[int]) -> str:
    """Say what nothing was held against: only a model says whether a job may be without a prompt."""
    bare = sum(manifest.jobs[index].prompt is None for index in chosen)
    return f"{UNCHECKED}, nor whether {counted(bare, 'job')} without a prompt may be" if bare else UNCHECKED


def _without_credentials(options: Options) -> str:
    """Return what is wrong with the credentials as they stand here; empty where only the service can tell."""
    try:
        find_credentials(options.environ)
    except StoppedError as error:
        return str(error)
    return ""
