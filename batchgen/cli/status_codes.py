"""The exit status of an error that ended a command."""

from batchgen.errors import (
    BatchgenError,
    BatchLockedError,
    InputError,
    ServiceError,
    StopCause,
    StoppedError,
)


def status_of(error: BatchgenError) -> int:
    """Return the exit status of an error that ended a command."""
    match error:
        case InputError():
            return 2
        case BatchLockedError():
            return 6
        case StoppedError():
            return 5 if error.cause is StopCause.CREDITS else 4
        case ServiceError():
            return 8
        case _:
            return 1
