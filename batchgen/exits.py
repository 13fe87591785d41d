"""The exit statuses of the program."""

from enum import IntEnum


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
