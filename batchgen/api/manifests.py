"""Manifests before anything of them is run."""

from batchgen.manifest.values import Manifest
from batchgen.usecases.models import Checked, check_manifest
from batchgen.wiring.opening import manifest_of
from batchgen.wiring.options import Options


async def validate(options: Options, *, offline: bool = False) -> tuple[Manifest, Checked]:
    """Check a manifest, everything it names on this machine, and the inputs of its models.

    Args:
        options: which manifest, and which service.
        offline: ask nothing.

    Raises:
        InputError: names everything that is wrong.
        StoppedError: the credentials are not accepted.
        TransientError: the service does not answer.
    """
    manifest = manifest_of(options)
    return manifest, await check_manifest(options, manifest, offline=offline)
