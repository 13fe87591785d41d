"""The exit statuses of the program, and which of them an error has."""

from enum import IntEnum

from batchgen.errors import (
    BatchgenError,
    BatchLockedError,
    FencedError,
    InputError,
    JournalAwayError,
    ServiceError,
    StopCause,
    StoppedError,
)


class Exit(IntEnum):
    """What a command came to, as docs/operations.md lists it."""

    DONE = 0
    BUG = 1
    INPUT = 2
    FAILED = 3
    CREDENTIALS = 4
    BUDGET = 5
    LOCKED = 6
    DOUBT = 7
    REMAINS = 8
    INTERRUPTED = 130  # 128 and the number of the signal: 143 for SIGTERM


def status_of(error: BatchgenError) -> Exit:
    """Return the exit status of an error that ended a command."""
    match error:
        case InputError():
            return Exit.INPUT
        case BatchLockedError() | FencedError():
            return Exit.LOCKED
        case StoppedError():
            return Exit.BUDGET if error.cause is StopCause.CREDITS else Exit.CREDENTIALS
        case ServiceError() | JournalAwayError():
            return Exit.REMAINS
        case _:
            return Exit.BUG
