"""batchgen: generates everything that a manifest lists, with the Scenario API.

Names are loaded when they are used, so that ``batchgen --help`` costs next to nothing. What is not in
``__all__`` is no part of the public interface and may change with every release.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "batchgen.api.manifest": "Job Manifest load",
    "batchgen.api.public": "audit export plan run run_sync status",
    "batchgen.api.results": "Cost EarlierResult File JobResult ParentResult Plan PlannedJob Results "
    "UnfinishedError",
    "batchgen.errors": "BatchLockedError BatchgenError FencedError GuardError InputError JournalAwayError "
    "JournalError ManifestError OutputError Problem ServiceError StoppedError TransientError",
    "batchgen.exits": "Exit",
    "batchgen.output.run_events": "JobChanged JobSeen RunEnded RunEvent RunStarted Warned",
}
_NAMES = {name: module for module, names in _PLACES.items() for name in names.split()}

__all__ = [  # noqa: PLE0604 - computed: the stub beside has them one by one
    *sorted(_NAMES),
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module.

    Raises:
        AttributeError: there is none of that name.
    """
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_NAMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
