"""What every test shares: hypothesis profiles, an order that keeps cores busy, files that are closed."""

import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.opened import close_all
from tests.support.programs import without

if TYPE_CHECKING:
    from tests.support.journals import Journals
    from tests.support.postgres import PostgresServer

# fewer examples than usual: the suite stays under three minutes, and each night's are others
settings.register_profile(
    "default", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")

_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30  # bytes that are free there


def pytest_configure() -> None:
    """Keep the tests' folders in memory where it can be done: all that syncs and renames costs less there."""
    if not (_MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)):
        return
    runs_programs = not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC
    if runs_programs and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the files, the same way every time, where several processes share them.

    Tests of the command line mostly wait, those of the engine compute: in the files' order a process has one
    kind or the other, and at the end all of them wait.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda one: zlib.crc32(one.nodeid.encode()))


@pytest.fixture(autouse=True)
def _close_journals() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture(scope="session")
def postgres() -> Iterator["PostgresServer"]:
    """One server for all tests of a process; one that stops it need not start it again."""
    from tests.support.postgres import missing, postgres_server  # noqa: PLC0415  (psycopg: for few tests)

    if reason := missing():
        without(reason)
    with postgres_server() as server:
        yield server


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of the test's own, in a real PostgreSQL server that runs."""
    # asked first, so that no server is started in the suite that does without
    assert request.node.get_closest_marker("postgres"), "a test that uses it is marked postgres"
    server: PostgresServer = request.getfixturevalue("postgres")
    server.start()
    url = server.create_database()
    yield url
    server.thaw()
    server.start()
    server.drop_database(url)


@pytest.fixture(scope="session")
def journal_template(postgres: "PostgresServer") -> str:
    """The name of a database with an empty journal, of which others are copies."""
    from batchgen.journal.postgres.checks import make_tables  # noqa: PLC0415  (psycopg: as above)
    from batchgen.journal.postgres.connection import PostgresConnection  # noqa: PLC0415
    from batchgen.journal.postgres.tables import USUAL_LEASE  # noqa: PLC0415

    postgres.start()
    connection = PostgresConnection(postgres.create_database("journal_template"), place="the template")
    make_tables(connection, "the template", lease=USUAL_LEASE)
    connection.close()
    return "journal_template"


@pytest.fixture
def journal_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of the test's own with an empty journal, in a server that runs."""
    assert request.node.get_closest_marker("postgres"), "a test that uses it is marked postgres"
    server: PostgresServer = request.getfixturevalue("postgres")
    server.start()
    url = server.create_database(template=request.getfixturevalue("journal_template"))
    yield url
    server.thaw()
    server.start()
    server.drop_database(url)


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.postgres)])
def journals(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Journals"]:
    """A journal in a file, and one in a database: what is true of one is true of the other."""
    from tests.support.journals import Journals  # noqa: PLC0415  (psycopg: as above)

    address = request.getfixturevalue("journal_database") if request.param == "postgres" else None
    with Journals(address, tmp_path) as made:
        yield made
