"""Manifests before anything of them is run."""

from batchgen.errors import ManifestError
from batchgen.manifest.values import Manifest
from batchgen.usecases.check_findings import Checked
from batchgen.usecases.manifest_check import check_manifest
from batchgen.wiring.file_names import check_file_names
from batchgen.wiring.options import Options
from batchgen.wiring.reading import manifest_of


async def validate(
    options: Options, *, offline: bool = False, strict: bool = False
) -> tuple[Manifest, Checked]:
    """Check a manifest, everything it names on this machine, and the inputs of its models.

    Args:
        options: which manifest, and which service.
        offline: ask nothing.
        strict: warnings are problems.

    Raises:
        InputError: names everything that is wrong.
        StoppedError: the credentials are not accepted.
        TransientError: the service does not answer.
    """
    try:
        manifest = check_file_names(options, manifest_of(options))
        checked = await check_manifest(options, manifest, offline=offline)
    except ManifestError as error:
        if not strict:
            raise
        raise ManifestError(problems=(*error.problems, *error.warnings)) from None
    warnings = (*manifest.warnings, *checked.warnings)
    if strict and warnings:
        raise ManifestError(problems=warnings)
    return manifest, checked
