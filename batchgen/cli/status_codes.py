"""The exit status of an error that ended a command."""

from batchgen.errors import (
    BatchgenError,
    BatchLockedError,
    InputError,
    ServiceError,
    StopCause,
    StoppedError,
)
from batchgen.exits import Exit


def status_of(error: BatchgenError) -> Exit:
    """Return the exit status of an error that ended a command."""
    match error:
        case InputError():
            return Exit.INPUT
        case BatchLockedError():
            return Exit.LOCKED
        case StoppedError():
            return Exit.BUDGET if error.cause is StopCause.CREDITS else Exit.CREDENTIALS
        case ServiceError():
            return Exit.REMAINS
        case _:
            return Exit.BUG
