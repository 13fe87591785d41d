"""Which store an address means: the file of an output folder, or a database on PostgreSQL."""

from pathlib import Path
from urllib.parse import urlsplit

from batchgen.errors import InputError
from batchgen.journal.file_store import FileStore
from batchgen.journal.store import JournalStore
from batchgen.redaction import without_password

SCHEMES = ("postgresql", "postgres")
_FORM = "postgresql://USER@HOST:5432/DATABASE, with the password in the file that PGPASSFILE names"


def store_of(address: str | None, folder: Path) -> JournalStore:
    """Return the store of an address; nothing is opened before it is asked.

    Args:
        address: the URL of a database; empty or None for the file of the folder.
        folder: the output folder.

    Raises:
        InputError: the address is none, or what speaks to it is not installed.
    """
    if not address:
        return FileStore(folder)
    check_address(address)
    try:
        import psycopg  # noqa: F401, PLC0415 - most journals are files, and it takes a tenth of a second to load
    except ImportError as error:
        raise InputError(
            "a journal on PostgreSQL needs one more package: pip install 'batchgen-scenario[postgres]' "
            f"({error})"
        ) from error
    from batchgen.journal.postgres.store import PostgresStore  # noqa: PLC0415 - as above

    return PostgresStore(address, folder)


def check_address(address: str) -> None:
    """Check that an address has the form of one; nobody is asked.

    Raises:
        InputError: it has not; of what may be a password nothing is in the message.
    """
    shown = without_password(address)
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise InputError(f"the journal {shown} is no address; expected {_FORM}") from error
    if parts.scheme not in SCHEMES or not address.startswith(f"{parts.scheme}://"):
        raise InputError(f"the journal {shown} is not on PostgreSQL; expected {_FORM}")
    if "@" in parts.path + parts.query or "#" in address:
        raise InputError(
            f"the journal {shown}: in a password write / as %2F, ? as %3F, # as %23 and @ as %40; "
            f"better, leave it out: expected {_FORM}"
        )
    if not parts.path.strip("/") and "dbname=" not in parts.query:
        raise InputError(f"the journal {shown} names no database; expected {_FORM}")
