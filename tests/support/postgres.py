"""A real PostgreSQL server of a test's own, in a folder of its own: started, stopped, killed, started again.

It writes as a server in production does (``fsync`` stays on); its folder is in memory where there is room,
so that this costs little. PostgreSQL refuses root: as root it runs as the user ``postgres``.

A warden, a process of its own, waits for the end of the test process, however that comes, and then ends the
server and removes its folder.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.support.free_ports import free_port

Mode = Literal["smart", "fast", "immediate"]

_SIGNALS: Final[Mapping[Mode, signal.Signals]] = {
    "smart": signal.SIGTERM,  # waits until every client has gone
    "fast": signal.SIGINT,  # sends them away
    "immediate": signal.SIGQUIT,  # as if it had crashed: the next start replays its log
}
_PATIENCE: Final = 30.0  # seconds for any one step
_LOOK: Final = 0.01  # seconds between two looks at it

_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_lock_waits": "on",
}

# It reads until the test process is gone, which closes the other end of the pipe. SIGQUIT, not SIGKILL: only
# an orderly end gives shared memory back. A number that another program has by now is left alone.
_WARDEN: Final = """
trap '' INT TERM HUP
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
  case $(cat "/proc/$pid/comm" 2>/dev/null || ps -o comm= -p "$pid" 2>/dev/null) in *postgres*)
    kill -QUIT "$pid" 2>/dev/null
    n=0; while [ -e "$1/data/postmaster.pid" ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
    kill -KILL "$pid" 2>/dev/null
  esac
fi
rm -rf "$1"
"""


class PostgresError(Exception):
    """The server did not do in time what it was asked to; the message has the end of its log."""


def programs_folder() -> Path | None:
    """Return where ``initdb`` and ``postgres`` are: the newest of Debian's, or those in PATH."""
    debian = {
        float(path.parts[-3]): path.parent
        for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")
        if re.fullmatch(r"[\d.]+", path.parts[-3])
    }
    if debian:
        return debian[max(debian)]
    found = shutil.which("initdb")
    # a link may lead to a folder without the others
    return Path(found).resolve().parent if found else None


def missing() -> str | None:
    """Return why no server can be started here, or None."""
    if programs_folder() is None:
        return "needs PostgreSQL (Debian: apt-get install postgresql)"
    if os.getuid() == 0 and "postgres" not in {one.pw_name for one in pwd.getpwall()}:
        return "needs a user postgres: PostgreSQL does not run as root"
    return None


@dataclass(kw_only=True)
class PostgresServer:
    """One server; ``url`` is its database ``postgres``, with the user ``postgres`` and no password."""

    folder: Path
    port: int
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    _databases: int = 0

    @property
    def url(self) -> str:
        return self._url("postgres")

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def log(self) -> str:
        """What it has said since it was made."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and wait until it lets clients in; do nothing if it runs.

        Raises:
            PostgresError: It did not within 30 s.
        """
        if self.is_running:
            return
        deadline = time.monotonic() + _PATIENCE
        # processes of a server that was killed end a moment after it, and until then the next does not start
        while not self._begun(deadline):
            if time.monotonic() > deadline:
                raise PostgresError(f"not started: {self._last_words()}")
            time.sleep(10 * _LOOK)

    def _begun(self, deadline: float) -> bool:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program("postgres"), "-D", self.folder / "data"],
                cwd=self.folder,
                env=_environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a key pressed in the terminal is for the tests
                **_as_whom(),
            )
        state = self.folder / "data" / "postmaster.pid"
        process = self._process

        def ready() -> bool:
            lines = state.read_text().split() if state.is_file() else []
            return lines[:1] == [str(process.pid)] and lines[-1] == "ready"

        _until(lambda: ready() or process.poll() is not None, deadline)
        if process.poll() is None and not ready():
            process.kill()
        return process.poll() is None

    def stop(self, mode: Mode = "fast") -> None:
        """Stop it, and wait until it is gone; do nothing if it does not run.

        Raises:
            PostgresError: It was not within 30 s, and has been killed.
        """
        if (process := self._process) is None:
            return
        process.send_signal(_SIGNALS[mode])
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise PostgresError(f"not stopped ({mode}): {self._last_words()}") from None
        self._process = None

    def restart(self, mode: Mode = "fast") -> None:
        """Stop it and start it again, at the same port."""
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """Kill all of its processes at once: the next start replays what they had handed to the disk."""
        if (process := self._process) is None:
            return
        process.send_signal(signal.SIGSTOP)  # it starts no further ones
        children = _children(process.pid)
        process.kill()
        for one in children:
            _signal(one, signal.SIGKILL)
        process.wait(_PATIENCE)
        self._process = None

    def freeze(self) -> None:
        """Stop all of its processes where they are: connections stay, nobody answers, until ``thaw``."""
        for one in self._all():
            _signal(one, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its processes go on."""
        for one in self._all():
            _signal(one, signal.SIGCONT)

    def _all(self) -> list[int]:
        return [self._process.pid, *_children(self._process.pid)] if self._process else []

    def create_database(self, name: str | None = None, *, template: str = "template1") -> str:
        """Create a database as a copy of another one, to which nobody may be connected; return its URL."""
        self._databases += 1
        name = name or f"test_{os.getpid()}_{self._databases}"
        self._do(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database if it is there, and send away whoever is connected to it."""
        name = urlsplit(url).path.removeprefix("/")
        self._do(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _do(self, command: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=int(_PATIENCE)) as connection:
            connection.execute(command)

    def _last_words(self) -> str:
        return self.log[-2_000:]


@contextmanager
def postgres_server(
    settings: Mapping[str, str] | None = None, *, base: Path | None = None
) -> Iterator[PostgresServer]:
    """Make a server and start it; at the end nothing of it is left.

    Args:
        settings: For postgresql.conf, beside our own.
        base: The folder in which it gets its own; all may enter it. Without it in memory, if there is room.

    Raises:
        PostgresError: It could not be made or did not start within 30 s.
    """
    folder = Path(tempfile.mkdtemp(prefix="batchgen-postgres-", dir=base or _roomy()))
    with _warden(folder):
        server = _made(folder, settings or {})
        try:
            server.start()
            yield server
        finally:
            server.thaw()
            try:
                if (folder / "data" / "postmaster.pid").exists():
                    server.start()  # one that was killed left shared memory, which the next start gives back
                server.stop()
            finally:
                shutil.rmtree(folder)


def _made(folder: Path, settings: Mapping[str, str]) -> PostgresServer:
    folder.chmod(0o700)
    whom = _as_whom()
    if "user" in whom:
        shutil.chown(folder, whom["user"], whom["group"])
    # what it writes is not synced: nobody needs this folder after a loss of power
    options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    done = subprocess.run(
        [_program("initdb"), "-D", folder / "data", *options],
        cwd=folder,
        env=_environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=4 * _PATIENCE,
        **whom,
    )
    if done.returncode:
        raise PostgresError(f"not made: {done.stdout}{done.stderr}")
    server = PostgresServer(folder=folder, port=free_port())
    chosen = {**_SETTINGS, "port": str(server.port), "unix_socket_directories": str(folder), **settings}
    with (folder / "data" / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in chosen.items())
    return server


@contextmanager
def _warden(folder: Path) -> Iterator[None]:
    words = ["sh", "-c", _WARDEN, "warden", str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, cwd="/", start_new_session=True) as warden:
        yield
        assert warden.stdin is not None
        warden.stdin.close()
        warden.wait(_PATIENCE)


def _program(name: str) -> Path:
    folder = programs_folder()
    assert folder is not None, "ask for what is missing first"
    return folder / name


def _as_whom() -> dict[str, Any]:
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}


def _environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}


def _roomy() -> Path:
    memory = Path("/dev/shm")
    enough = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    return memory if enough else Path(tempfile.gettempdir())


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if listed.is_file():
        return [int(one) for one in listed.read_text().split()]
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(one) for one in done.stdout.split()]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _until(what: Callable[[], bool], deadline: float) -> None:
    while not what() and time.monotonic() < deadline:
        time.sleep(_LOOK)
