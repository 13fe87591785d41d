"""One connection to the server, on which nothing is waited for without an end.

A server that is gone, or a network that swallows packets, must not hold the loop: every wait has a limit, and
a connection on which one was reached is closed. Nothing is kept in a session, so that a pooler may stand
between (no prepared statement, no ``SET`` beyond a transaction, no lock of a session).
"""

import time
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors

from batchgen.errors import InputError

T = TypeVar("T")

_CONNECT: Final = 2  # seconds until a connection stands; the library's least
_UNSENT: Final = 3000  # milliseconds that the kernel tries to get what was sent acknowledged

# Classes of SQLSTATE after which the same statement may be sent again on a new connection: the connection is
# lost (08), the server stops or starts (57P), it has no place (53300), or somebody held a lock too long.
_AGAIN: Final = ("08", "57P", "53300", "55P03", "40001", "40P01")


class LostError(Exception):
    """The server did not answer in time, or the connection is gone; it never leaves this room.

    Whether what was sent came into effect is not known.
    """


class Wire(psycopg.Connection[tuple[Any, ...]]):
    """A connection of the library whose every wait ends in time."""

    patience: float = 8.0  # seconds

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer; see the library's own method.

        Raises:
            LostError: it took too long. The connection is closed then, for the answer may come yet.
        """
        limit = self.patience if timeout is None else min(timeout, self.patience)
        try:
            return super().wait(gen, interval=interval, timeout=limit)
        except errors._WaitTimeout as error:  # noqa: SLF001 - not public: a test holds that it is this one
            self.pgconn.finish()
            raise LostError(f"no answer within {limit:g} s") from error


def connect(url: str, *, patience: float) -> Wire:
    """Connect to a server that may be written to.

    Args:
        url: of the database.
        patience: seconds for any one wait.

    Raises:
        LostError: it cannot be reached now, or does not let us in now.
        InputError: it never will, as things are.
    """
    parameters: dict[str, Any] = {
        "connect_timeout": _CONNECT,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": _UNSENT,
        "application_name": "batchgen",
        "client_encoding": "UTF8",
    }
    given = psycopg.conninfo.conninfo_to_dict(url)
    wanted = {name: value for name, value in parameters.items() if name not in given}
    try:
        wire = Wire.connect(url, autocommit=True, prepare_threshold=None, **wanted)
    except (psycopg.Error, OSError) as error:
        raise _refusal(error) from None  # the library's error may hold the address, and with it a password
    wire.patience = patience
    return wire


def lost(error: BaseException, wire: Wire) -> LostError | None:
    """Return an error as the loss that it is; None where it is the server's word on what was asked."""
    if isinstance(error, LostError):
        return error
    state = getattr(error, "sqlstate", None)
    if isinstance(error, OSError) or wire.closed or wire.broken or (state or "").startswith(_AGAIN):
        return LostError(first_line(error))
    if state is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return LostError(first_line(error))
    return None


def first_line(error: BaseException) -> str:
    """Return the first line of what the library or the server says."""
    lines = f"{error}".strip().splitlines()
    return lines[0] if lines else type(error).__name__


def moment() -> float:
    """Return seconds on a clock that goes on while the machine sleeps, and is never set."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _refusal(error: Exception) -> LostError | InputError:
    """Tell a server that is away from one that will not have us."""
    text = first_line(error)
    state = getattr(error, "sqlstate", None) or ""
    # the library gives no code for what fails before a session stands: the server's words have to do
    never = ("28", "3D", "3F", "42", "0A", "22")
    words = (
        "password authentication failed",
        "no password supplied",
        "does not exist",
        "no pg_hba.conf entry",
        "invalid ",
        "certificate verify failed",
        "server does not support SSL",
    )
    if state.startswith(never) or any(one in text for one in words):
        return InputError(text)
    return LostError(text)
