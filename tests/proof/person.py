"""What stops a run under another name, and what a person answers to its message."""

import re
from collections.abc import Callable
from dataclasses import replace

from batchgen.errors import InputError
from batchgen.journal.file import JournalFile
from batchgen.model import Scope
from batchgen.planning.make_plan import make_plan
from batchgen.ports import Clock, Generator
from batchgen.usecases.naming import Naming
from batchgen.usecases.rename_check import whether_it_lies_there
from batchgen.wiring.options import Allow
from tests.proof.names import Name
from tests.proof.places import Places, scope_of
from tests.proof.scenario import Leg

_OFTEN = 3  # answers after which a person who was sent back and forth lets a run go on


async def settled(
    places: Places, leg: Leg, file: JournalFile, client: Callable[[str], Generator], clock: Clock
) -> tuple[Name, Scope, list[str]]:
    """Pass what stops a run, and return the name and the scope that it goes on under, and what was wrong."""
    assert leg.name is not None
    if leg.name.blind and not places.unanswered_beside(leg.jobs, replace(leg.name, batch="")):
        places.begin_blindly(leg, leg.name)
        return leg.name, scope_of(leg.name), []
    name, allow, has_waited, asked = leg.name, frozenset[Allow](), False, 0
    while True:
        naming = Naming(
            file,
            client(name.project),
            clock,
            lies_there=whether_it_lies_there(file, places.folder, {}),
            allow=allow,
        )
        scope = file.names.resolve(scope_of(name))
        records = file.batch(scope).records()
        found = await naming.look(scope, make_plan(leg.jobs, records))
        try:
            naming.settle(scope, found)
        except InputError as error:
            places.counts["runs that were stopped by other names"] += 1
            asked += 1
            name = replace(name, allows=name.allows or asked > _OFTEN)
            name, allow = _answered(places, leg, name, allow, str(error), insists=asked > _OFTEN)
            continue
        places.let |= {frozenset({name.batch, one}) for one in found.let}
        if found.joined:
            places.counts["names joined"] += 1
            places.counts["names joined, of which both had records"] += bool(records)
            continue
        other = places.unanswered_beside(leg.jobs, name)
        if not other or has_waited:
            break
        # a doubt is settled where it arose, before equals are bought elsewhere
        name, allow, has_waited = replace(name, batch=other), frozenset(), True
        places.prepare(name)
    wrong = places.begin(leg, name)
    file.names.keep_manifest(scope, str(places.path_of(name)), at=clock.now())
    return name, scope, wrong


def _answered(
    places: Places, leg: Leg, name: Name, allow: frozenset[Allow], said: str, *, insists: bool
) -> tuple[Name, frozenset[Allow]]:
    """Do what the message says."""
    if "--allow other-project" in said:
        other = re.search(r"paid for in project '([^']*)'", said)
        project = other[1] if other else ""
        if replace(name, project=project).account == name.account:
            return name, allow | {Allow.OTHER_PROJECT}
        places.turned_away.add(name.account)
        return replace(name, project=project), allow
    if name.allows and (insists or not places.unanswered_beside(leg.jobs, name)):
        return name, allow | {Allow.RENAMED}
    old = said.split("`batch: ")[1].split("`", maxsplit=1)[0]
    name = replace(name, batch=old)
    places.prepare(name)
    return name, allow
