"""The slots of a batch that are on record, and the zone in which its days begin."""

from dataclasses import replace
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from batchgen.model import Scope

if TYPE_CHECKING:
    from batchgen.journal.opened import OpenJournal
    from batchgen.manifest.values import Manifest


def slots_of(file: "OpenJournal", scope: Scope) -> list[str]:
    """Return the slots of a scope's batch, in the order in which they were begun."""
    return [one.slot for one in file.scopes() if replace(one, slot=scope.slot) == scope]


def zone_of(manifest: "Manifest") -> tzinfo:
    """Return the zone in which the manifest's days begin."""
    return UTC if manifest.tz == "UTC" else ZoneInfo(manifest.tz)
