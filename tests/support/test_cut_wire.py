"""The wire that tests lay between a client and a server does to them what it says."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.cut_wire import CutWire, cut_wire
from tests.support.free_ports import free_port

# so long that a machine that is busy does not make it up, when nothing is to come
SILENT = 0.3


class Heard:
    """A server that answers each line with itself, and remembers it."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening = listening
        self.lines: list[bytes] = []
        self.ends: list[str] = []
        self.all_ended = threading.Event()

    def serve(self) -> None:
        while True:
            try:
                one, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(one,), daemon=True).start()

    def talk(self, one: socket.socket) -> None:
        with one, one.makefile("rb") as lines:
            try:
                for line in lines:
                    self.lines.append(line)
                    one.sendall(line)
                self.ends.append("closed")
            except ConnectionResetError:
                self.ends.append("reset")
            self.all_ended.set()


@pytest.fixture
def heard() -> Iterator[Heard]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Heard(listening)
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def wire(heard: Heard) -> Iterator[CutWire]:
    with cut_wire(heard.listening.getsockname()[1]) as one:
        yield one


@contextmanager
def client(wire: CutWire) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", wire.port), timeout=10) as one:
        yield one


def said(one: socket.socket, line: bytes) -> bytes:
    one.sendall(line)
    return one.recv(1_000)


def hears_nothing(one: socket.socket) -> bool:
    one.settimeout(SILENT)
    try:
        one.recv(1_000)
    except TimeoutError:
        return True
    finally:
        one.settimeout(10)
    return False


def test_what_is_sent_arrives_and_is_answered(wire: CutWire, heard: Heard) -> None:
    with client(wire) as one:
        assert said(one, b"first\n") == b"first\n"
        one.sendall(b"x" * 3_000_000 + b"\n")
        with one.makefile("rb") as answers:
            assert len(answers.readline()) == 3_000_001
        one.shutdown(socket.SHUT_WR)
        assert one.recv(10) == b"", "the server closes when it has seen the end"
    assert heard.ends == ["closed"]
    assert wire.opened == 1


def test_a_round_trip_takes_at_least_the_delay_of_both_ways(wire: CutWire) -> None:
    with client(wire) as one:
        for seconds in (0.02, 0.005):
            wire.delay(seconds)
            before = time.monotonic()
            for _ in range(5):
                assert said(one, b"again\n") == b"again\n"
            assert time.monotonic() - before >= 5 * 2 * seconds
        one.sendall(b"1\n")
        wire.delay(0)
        one.sendall(b"2\n")
        with one.makefile("rb") as answers:
            assert [answers.readline(), answers.readline()] == [b"1\n", b"2\n"], "in their order"


def test_one_answer_is_lost_and_the_server_has_done_what_it_was_asked(wire: CutWire, heard: Heard) -> None:
    with client(wire) as one, client(wire) as other:
        wire.lose_answer(after=1)
        assert said(one, b"first\n") == b"first\n"
        one.sendall(b"second\n")
        with pytest.raises(ConnectionResetError):
            one.recv(10)
        assert wire.has_lost
        assert heard.lines == [b"first\n", b"second\n"]
        assert said(other, b"third\n") == b"third\n", "other connections stay"


def test_a_silent_wire_takes_everything_and_passes_it_on_when_it_is_healed(
    wire: CutWire, heard: Heard
) -> None:
    with client(wire) as old:
        assert said(old, b"before\n") == b"before\n"
        wire.silence()
        with client(wire) as new:
            for one in (old, new):
                one.sendall(b"during\n")
                assert hears_nothing(one)
            wire.wait_until_held(of_client=True)
            assert heard.lines == [b"before\n"]
            wire.heal()
            assert [one.recv(1_000) for one in (old, new)] == [b"during\n"] * 2


def test_a_side_that_is_gone_is_not_missed_until_the_silence_ends(wire: CutWire, heard: Heard) -> None:
    with client(wire) as one:
        assert said(one, b"before\n") == b"before\n"
        wire.silence()
    assert not heard.all_ended.wait(SILENT)
    wire.heal()
    assert heard.all_ended.wait(10)
    assert heard.ends == ["closed"]


def test_an_answer_can_be_lost_to_what_was_done(wire: CutWire, heard: Heard) -> None:
    with client(wire) as one:
        assert said(one, b"before\n") == b"before\n"
        wire.silence(of_client=False)
        one.sendall(b"done\n")
        wire.wait_until_held()
        assert heard.lines == [b"before\n", b"done\n"]
        wire.cut()
        with pytest.raises(ConnectionResetError):
            one.recv(1_000)
    assert heard.all_ended.wait(10)
    assert heard.ends == ["reset"]


def test_what_a_silent_wire_holds_is_lost_when_it_is_cut(wire: CutWire, heard: Heard) -> None:
    with client(wire) as old:
        assert said(old, b"before\n") == b"before\n"
        wire.silence()
        with client(wire) as new:
            for one in (old, new):
                one.sendall(b"lost\n")
            wire.wait_until_held(of_client=True)
            wire.cut()
            for one in (old, new):
                with pytest.raises(ConnectionResetError):
                    one.recv(1_000)
        wire.heal()
        with client(wire) as another:
            assert said(another, b"after\n") == b"after\n"
    assert heard.lines == [b"before\n", b"after\n"]


def test_a_wire_that_is_cut_takes_new_connections_and_one_that_refuses_keeps_the_old(wire: CutWire) -> None:
    with ExitStack() as clients:
        first = clients.enter_context(client(wire))
        assert said(first, b"1\n") == b"1\n"
        wire.cut()
        second = clients.enter_context(client(wire))
        assert said(second, b"2\n") == b"2\n"
        wire.refuse()
        with pytest.raises(ConnectionRefusedError), client(wire):
            pass
        assert said(second, b"3\n") == b"3\n"
        wire.heal()
        third = clients.enter_context(client(wire))
        assert said(third, b"4\n") == b"4\n"


def test_a_server_that_is_not_there_breaks_off_what_comes_for_it() -> None:
    with cut_wire(free_port()) as wire, pytest.raises(ConnectionResetError), client(wire) as one:
        one.recv(10)


def test_a_url_through_it_differs_by_the_port_alone(wire: CutWire) -> None:
    url = "postgresql://me:word@db.example:5432/batches?sslmode=require"
    assert wire.through(url) == f"postgresql://me:word@127.0.0.1:{wire.port}/batches?sslmode=require"
    assert wire.through("http://127.0.0.1:80/v1") == f"http://127.0.0.1:{wire.port}/v1"
