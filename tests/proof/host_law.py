"""What must hold after a batch of ``tests.proof.hosts``: nothing twice, nothing lost, nothing left open."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.proof.host_place import BATCH, Host, Place

PATIENCE = 8.0  # seconds for which a database that does not answer may hold the loop
_SPARE = 1.0  # of a machine with more to do


@dataclass
class Verdict:
    """What came of a batch.

    Attributes:
        wanted: how many jobs it has.
        charged: how many POSTs the service accepted.
        twice: charges beyond the one that was wanted.
        lost: charges that are on no record.
        held: jobs that wait for a person.
        again: files that both hosts have.
        loop_held: the longest time for which the database held the loop of a run, seconds.
        wrong: what must not have been, a sentence each.
    """

    wanted: int = 0
    charged: int = 0
    twice: int = 0
    lost: int = 0
    held: int = 0
    again: int = 0
    loop_held: float = 0.0
    wrong: list[str] = field(default_factory=list)


def judged(place: Place, wanted: int) -> Verdict:
    """Judge what the service charged, what the journal has and what lies on the hosts."""
    found = Verdict(wanted=wanted)
    found.wrong += _paid(place, found)
    found.wrong += _left_open(place, found)
    for one in place.hosts:
        found.wrong += _said(one, found)
        found.wrong += _results(one, found)
    lying = Counter(path.name for one in place.hosts for path in _assets(one).glob("*"))
    found.again = sum(count > 1 for count in lying.values())
    return found


def _paid(place: Place, found: Verdict) -> Iterator[str]:
    charged = place.charged()
    found.charged = len(charged)
    bodies = Counter((one["model"], one["body"]) for one in charged)
    found.twice = len(charged) - len(bodies)
    for (model, body), count in bodies.items():
        if count > 1:
            yield f"{count} charged for one job: {model} {body}"
    owned = {one for (one,) in place.asked("SELECT remote_id FROM submissions")}
    lost = [one["remote_id"] for one in charged if one["remote_id"] not in owned]
    found.lost = len(lost)
    if lost:
        yield f"charged and on no record: {lost}"
    if len(bodies) != found.wanted:
        yield f"{len(bodies)} bodies charged, {found.wanted} jobs wanted"


def _left_open(place: Place, found: Verdict) -> Iterator[str]:
    states = Counter(one for (one,) in place.asked("SELECT state FROM records"))
    found.held = states["held"] + states["in_doubt"]
    if states != Counter({"collected": found.wanted}):
        yield f"not all is collected: {dict(states)}"
    if unheard := place.asked("SELECT name, count(*) FROM testimony WHERE heard_at IS NULL GROUP BY name"):
        yield f"nobody heard of {dict(unheard)}"
    for one in place.hosts:
        spool = one.folder / "output" / "journal.spool"
        if spool.exists() and spool.stat().st_size:
            yield f"{spool} is not empty"


def _said(host: Host, found: Verdict) -> Iterator[str]:
    for path in sorted(host.folder.glob("said-*.txt")):
        if "Traceback" in (said := path.read_text(errors="replace")):
            yield f"a run broke: {path}:\n{said[-1500:]}"
    longest = max((float(one.read_text() or 0) for one in host.folder.glob("held-*[0-9]")), default=0.0)
    found.loop_held = max(found.loop_held, longest)
    if longest > PATIENCE + _SPARE:
        yield f"the database held a loop for {longest:.1f} s on {host.folder}"


def _results(host: Host, found: Verdict) -> Iterator[str]:
    """Hold what a host says it has against what it has."""
    path = host.folder / "output" / BATCH / "results.json"
    if not path.exists():
        yield f"{host.folder} has no results"
        return
    jobs: list[dict[str, Any]] = json.loads(path.read_text())["jobs"]
    statuses = Counter(one["status"] for one in jobs)
    if statuses != Counter({"succeeded": found.wanted}):
        yield f"{path} says {dict(statuses)}"
    missing = [one for one in _files(jobs) if not (path.parent / one).is_file()]
    if missing:
        yield f"{len(missing)} of {len(_files(jobs))} files are in {path} and not on this host"


def _assets(host: Host) -> Path:
    return host.folder / "output" / BATCH / "assets"


def _files(jobs: list[dict[str, Any]]) -> list[Path]:
    return [Path(one["path"]) for job in jobs for one in job["files"]]
