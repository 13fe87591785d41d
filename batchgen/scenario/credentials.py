"""The key and the secret: found, checked, sent to one place, and never shown.

No other module reads credentials from the environment, and none may format them. What goes
into a message passes ``Credentials.redact`` first.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from batchgen.errors import InputError, StopCause, StoppedError
from batchgen.proxy import is_loopback
from batchgen.redaction import MASK, redact_all

KEY_NAMES = (  # the official SDK's names first
    ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"),
    ("SCENARIO_API_KEY", "SCENARIO_API_SECRET"),
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """A key and its secret, as a value that shows neither."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    def __repr__(self) -> str:
        return f"Credentials({MASK})"

    def __str__(self) -> str:
        return repr(self)

    @property
    def token(self) -> str:
        """What follows ``Basic`` in the Authorization header."""
        return base64.b64encode(f"{self.key}:{self.secret}".encode("ascii")).decode("ascii")

    @property
    def fingerprint(self) -> str:
        """A name for the key that does not give it away: who sent what is known by it."""
        return hashlib.sha256(f"batchgen key {self.key}".encode()).hexdigest()[:16]

    def redact(self, text: str) -> str:
        """Take key, secret and token out of a text, also as JSON, HTML or a URL would write them.

        What is no real one, as a rehearsal's, stays where it is a word; see ``redaction.redact_all``.
        """
        return redact_all(text, self.written)

    @property
    def written(self) -> tuple[str, ...]:
        """What no message may show: the two, and both as they are sent."""
        return (self.token, self.token.rstrip("="), self.secret, self.key)


def find_credentials(environ: Mapping[str, str]) -> Credentials:
    """Read the credentials from the environment; the first pair of which anything is set counts.

    Raises:
        StoppedError: none, half a pair, or one that no header can carry; no value is in the message.
    """
    for names in KEY_NAMES:
        key, secret = (environ.get(name, "") for name in names)
        if key or secret:
            for name, value in zip(names, (key, secret), strict=True):
                _check(name, value, names)
            return _without_colon(names[0], Credentials(key=key, secret=secret))
    key_name, secret_name = KEY_NAMES[0]
    raise _stopped(f"no credentials: set {key_name} and {secret_name}")


def _check(name: str, value: str, pair: tuple[str, str]) -> None:
    if not value:
        raise _stopped(f"{name} is not set; {pair[0]} and {pair[1]} are needed together")
    if re.fullmatch(r"""(["']).*\1""", value):  # Docker and kubectl pass on a line of a file as it is
        raise _stopped(f"{name} has quotes around it: write the value without them")
    if any(one.isspace() for one in value):
        raise _stopped(f"{name} has white space or a line break in it: paste the value alone")
    if not (value.isascii() and value.isprintable()):
        raise _stopped(f"{name} has a character in it that no key has: only printable ASCII can be sent")


def _without_colon(name: str, credentials: Credentials) -> Credentials:
    if ":" in credentials.key:
        raise _stopped(f"{name} has a colon in it: give the key alone, the secret has its own variable")
    return credentials


def _stopped(message: str) -> StoppedError:
    return StoppedError(message, cause=StopCause.CREDENTIALS)


_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def check_base_url(url: str) -> str:
    """Return the base URL in its one normal form, which is also the name of the origin.

    Raises:
        InputError: no http(s) URL, one with credentials, a query or a fragment in it, or plain
            http to anything but this machine.
    """
    if "@" in url:  # what stands before it may be a secret: the URL is not repeated
        raise InputError("the base URL must not have credentials in it")
    if not (url.isascii() and url.isprintable()) or any(one in url for one in ' \\%?#"<>'):
        raise InputError("the base URL must be a scheme, a host and a path in plain characters, and no more")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise InputError(f"the base URL {url!r} is not a URL: {exc}") from exc
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise InputError(f"the base URL {url!r} must begin with https:// and a host")
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(f"the base URL {url!r} must be https: credentials leave this machine encrypted only")
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        place += f":{port}"
    path = "/".join(("", *(one for one in parts.path.split("/") if one)))
    return f"{parts.scheme}://{place}{path.rstrip('/')}"


def hint_on(base_url: str) -> str:
    """Return what to look at where a base URL (in its normal form) says no; empty if it looks right.

    Source: docs/service.md base.
    """
    if base_url.endswith("/v1"):
        return ""
    return f"the base URL {base_url} does not end in /v1: is that missing in SCENARIO_BASE_URL?"


def plain_address(origin: str) -> str:
    """Return the form in which the names of one address are equal: this machine has three."""
    parts = urlsplit(origin)
    if not parts.hostname:
        return origin
    host = "localhost" if parts.hostname in _THIS_MACHINE else parts.hostname.rstrip(".")
    path = "/".join(one for one in parts.path.split("/") if one)
    return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS.get(parts.scheme)}/{path}"


def may_be_one_service(one: str, other: str) -> bool:
    """Return whether two origins may be of one service: both on this machine, or both elsewhere.

    A rehearsal's is of no service.
    """
    hosts = [urlsplit(origin).hostname for origin in (one, other)]
    if one == other or not all(hosts):
        return one == other
    return len({is_loopback(host or "") for host in hosts}) == 1
