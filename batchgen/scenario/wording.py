"""Foreign text made fit to be shown: on a terminal, in a journal, in a page.

What the service or a library says reaches a person only through here: bounded, on one
line, without markup, control characters or secrets.
"""

import re

from batchgen.redaction import Redact
from batchgen.scenario.transport import unchanged

LONGEST_REASON = 300  # characters: a gateway's error page is not worth more
LONGEST_ERROR = 2000  # characters: a failed job's own account of it
_MOST_READ = 4000  # what follows is not looked at: the search for markup is quadratic at worst

_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|</?[a-z!][^<>]*>", re.IGNORECASE | re.DOTALL)


# what follows a URL's path is often a signature, which opens what is behind it
_SIGNED = re.compile(r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*", re.IGNORECASE)


def readable(text: str, redact: Redact = unchanged, *, limit: int = LONGEST_REASON) -> str:
    """Return the text on one line, at most ``limit`` characters long.

    Secrets are looked for before anything is cut, so that no half of one is left at an edge;
    what is taken out leaves a space, so that no two halves are joined.
    """
    if not text:
        return text
    shown = redact(text)
    if _is_plain(shown, limit):
        return shown
    shown = _SIGNED.sub(r"\1", shown[:_MOST_READ])
    shown = "".join(one if one.isprintable() else " " for one in shown)
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _is_plain(text: str, limit: int) -> bool:
    """Return whether there is nothing to change, as in almost all that a service says."""
    fits = len(text) <= limit and text.isprintable()
    return fits and "://" not in text and "  " not in text and text == text.strip()


def without_markup(text: str, redact: Redact = unchanged) -> str:
    """Return what a page of HTML says, tags collapsed; what is still markup at the cut goes too."""
    shown = redact(text)[:_MOST_READ]
    return readable(_MARKUP.sub(" ", shown), redact)
