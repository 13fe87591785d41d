"""Ports on loopback at which a server of a test can listen, be gone for a while, and listen again."""

import os
import random
import socket

# below those that the kernel gives to outgoing connections: none takes a port while its server is down
_FIRST, _LAST = 20_000, 30_000


def free_port() -> int:
    """Return a port at which nobody listens.

    Raises:
        OSError: There is none among a hundred.
    """
    chance = random.Random(os.urandom(8))  # the processes of a suite must not choose alike
    for _ in range(100):
        port = chance.randrange(_FIRST, _LAST)
        with socket.socket() as asked:
            asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                asked.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise OSError("no free port")
