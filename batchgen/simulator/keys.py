"""The API keys that the service knows: who sends a request, and whether it may. Pure."""

import base64
import binascii

from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Request
from batchgen.simulator.settings import Settings


class Keys:
    """The key of the settings and those beside it; each is another author of the same project."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = {
            f"{key}:{settings.secret}".encode(): author_of(settings, key)
            for key in (settings.key, *settings.more_keys)
        }

    def author(self, request: Request) -> str | None:
        """Return who sends a request; None without credentials that hold."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            return self._known.get(base64.b64decode(token, validate=True))
        except (binascii.Error, ValueError):
            return None


def author_of(settings: Settings, key: str | None = None) -> str:
    """Return the user id of a key: what its jobs have as their author.

    Args:
        settings: the service's.
        key: None for the first one.
    """
    return Draws(0).id(settings.author_prefix, settings.key if key is None else key)
