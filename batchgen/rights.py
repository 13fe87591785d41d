"""What a key may be allowed or not, and what goes on without it: one sentence each, said here alone.

The service gives keys a role (``reader``, ``editor``, ``admin``) or a list of scopes such as
``asset.read;model.read``. Which call needs which is not published: its own words are shown.
Source: scenario-sdk 2.4.0, ``team_retrieve_response``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """One thing that a key may do."""

    GENERATE = "generate"
    PRICES = "prices"
    JOBS = "jobs"
    LISTING = "listing"
    MODELS = "models"
    UPLOADS = "uploads"
    BULK = "bulk"
    ASSETS = "assets"
    LIMITS = "limits"
    USAGES = "usages"


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What a right is for.

    Attributes:
        may: what a key with it may do.
        call: the request, as the service's reference has it.
        without: what goes on for a key that lacks it, and what does not.
        remedy: what gives it.
        of_all: whether the call names no one thing, so that "not found" can only mean "not allowed".
    """

    may: str
    call: str
    without: str
    remedy: str = "a key with the role reader may"
    of_all: bool = False


_EDITOR, _TEAM = "a key with the role editor may", "a key of the team may"
MEANINGS: Mapping[Right, Meaning] = {
    Right.GENERATE: Meaning(
        may="start jobs",
        call="POST /generate/custom/MODEL",
        without="nothing more is bought; what runs is collected",
        remedy=_EDITOR,
    ),
    Right.PRICES: Meaning(
        may="ask prices",
        call="POST /generate/custom/MODEL?dryRun=true",
        without="under a cap nothing is bought whose price is not known; without one it is",
        remedy=_EDITOR,
    ),
    Right.JOBS: Meaning(
        may="look at jobs",
        call="GET /jobs/JOB",
        without="nothing more is bought, and what is paid for stays at the service",
    ),
    Right.LISTING: Meaning(
        may="list jobs",
        call="GET /jobs",
        without="nothing is bought; what runs is collected",
        remedy="it needs the right to read jobs",
        of_all=True,
    ),
    Right.MODELS: Meaning(
        may="read models",
        call="GET /models/MODEL",
        without="jobs are bought by the last description of their model, and not where there is none",
    ),
    Right.UPLOADS: Meaning(
        may="upload files",
        call="POST /assets, POST /uploads",
        without="jobs with local files that the service does not have are not bought; the others are",
        remedy=_EDITOR,
        of_all=True,
    ),
    Right.BULK: Meaning(
        may="read many assets at once",
        call="POST /assets/get-bulk",
        without="they are read one by one, which takes more requests",
        of_all=True,
    ),
    Right.ASSETS: Meaning(
        may="read assets",
        call="GET /assets/ASSET",
        without="no files are fetched; what is paid for stays at the service, and its ids are in the results",
    ),
    Right.LIMITS: Meaning(
        may="read the limits of its team",
        call="GET /teams, GET /teams/TEAM/limits",
        without="how many jobs may run at once is found out by a refusal, and what is left is not known",
        remedy=_TEAM,
        of_all=True,
    ),
    Right.USAGES: Meaning(
        may="read what the service charged",
        call="GET /usages",
        without="charges cannot be compared with the service's own account",
        remedy=_TEAM,
        of_all=True,
    ),
}


def denied(right: Right, reason: str) -> str:
    """Return that a key lacks a right, with the service's own words for it."""
    meaning = MEANINGS[right]
    return f"this key may not {meaning.may} ({meaning.call}): {reason}"


def told(right: Right, reason: str) -> str:
    """Return the whole sentence: what is missing, what goes on without it, and what to do."""
    meaning = MEANINGS[right]
    return f"{denied(right, reason)}; {meaning.without}; {meaning.remedy}"


class KeyRights:
    """What was found out of one key: what it did, and what it may not do. Each lack is told once."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.missing: dict[Right, str] = {}
        self._used: set[Right] = set()
        self._say: Callable[[str], object] | None = None
        self._untold: dict[Right, str] = {}

    @property
    def is_welcome(self) -> bool:
        """Whether the service took this key for anything at all."""
        return bool(self._used)

    def used(self, right: Right) -> None:
        """Learn that the key did it: a refusal before or after was for another reason."""
        self._used.add(right)
        self.missing.pop(right, None)
        self._untold.pop(right, None)

    def may(self, right: Right) -> bool:
        """Return whether it is known that the key has a right."""
        return right in self._used

    def lacks(self, right: Right, reason: str) -> None:
        """Learn that it may not, in the service's words; only the first time is told."""
        if right in self.missing:
            return
        self.missing[right] = reason
        if self._say is None:
            self._untold[right] = told(right, reason)
        else:
            self._say(told(right, reason))

    def listen(self, say: Callable[[str], object]) -> None:
        """Tell somebody from now on, and what was not told yet."""
        self._say = say
        for text in self._untold.values():
            say(text)
        self._untold.clear()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is missing, a sentence each, the first that was found first."""
        return tuple(told(right, reason) for right, reason in self.missing.items())
