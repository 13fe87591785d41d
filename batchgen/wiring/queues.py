"""The queue of a journal on a server, and the bell that rings for it, which is loaded when it is used."""

from typing import TYPE_CHECKING

from batchgen.errors import InputError
from batchgen.wiring.options import Options

if TYPE_CHECKING:
    from batchgen.doorbell import Doorbell
    from batchgen.journal.store import ServerStore

QUEUE = "batchgen"  # the usual name of one
_BEATS = 3  # signs of life in the time in which a worker counts as alive


def bell_of(options: Options, *, lease: float = 30.0) -> "Doorbell":
    """Return the bell.

    Args:
        options: which database.
        lease: seconds that a lease lasts: a worker that was silent for so long counts as dead.

    Raises:
        InputError: what rings is not installed.
    """
    try:
        from batchgen.doorbell import Doorbell  # noqa: PLC0415 - takes a sixth of a second to load
    except ImportError as error:
        raise InputError(
            f"workers need one more package: pip install 'batchgen-scenario[distributed]' ({error})"
        ) from error
    return Doorbell(options.server, beat=lease / _BEATS, silent_after=lease)


def is_installed() -> bool:
    """Return whether what rings is there; nothing of it is loaded."""
    from importlib.util import find_spec  # noqa: PLC0415 - one command asks

    return find_spec("procrastinate") is not None


def queue_of(options: Options) -> "ServerStore":
    """Return the journal that has the queue.

    Raises:
        InputError: it is a file.
    """
    from batchgen.journal.store import ServerStore  # noqa: PLC0415 - a manifest is checked without a journal

    store = options.journal
    if not isinstance(store, ServerStore):
        raise InputError(
            "workers share a journal on PostgreSQL: --journal postgresql://USER@HOST/DATABASE, or set "
            "BATCHGEN_JOURNAL"
        )
    return store
