"""Faults of jobs that are made again: whose an edition is, which counts, when it is bought. Data, no code."""

from tests.proof.planted import Mutant

_PROOF = (
    "tests/proof/test_redos.py::test_whatever_happens_to_what_is_made_again_it_is_bought_once_and_no_more"
)
_ENGINE = "tests/engine/test_redo.py"
_NOTES = "tests/usecases/test_redo_notes.py"

OF_REDOS = (
    Mutant(
        name="let an equal job take a later edition",
        path="planning/matching.py",
        old="        free = (key for key in records if not shelf.is_later(key)) if shelf else records\n",
        new="        free = records\n",
        test="tests/planning/test_editions.py",
    ),
    Mutant(
        name="give an ordinal twice, where nothing is on record of the edition",
        path="planning/editions.py",
        old="if one.content == content} | shelf.ordinals(content)\n",
        new="if one.content == content and not shelf.is_later(one)}\n",
        test=_PROOF,
    ),
    Mutant(
        name="count the newest edition as a job's own before it has arrived",
        path="planning/editions.py",
        old="    if newest in records and has_arrived(records[newest]):\n",
        new="    if newest in records:\n",
        test=_PROOF,
    ),
    Mutant(
        name="let an edition that came to nothing become a job's own",
        path="planning/editions.py",
        old="    return record.state is State.COLLECTED and bool(record.asset_ids)\n",
        new="    return record.state in {State.COLLECTED, State.FAILED, State.CANCELED}\n",
        test=_PROOF,
    ),
    Mutant(
        name="make a job again while it is being made again",
        path="planning/redo.py",
        old="    if entry.stands is not None and not _has_ended(entry):\n",
        new="    if entry.stands is not None and state is State.HELD:\n",
        test=_PROOF,
    ),
    Mutant(
        name="buy the edition that was asked for last, whatever was restored since",
        path="planning/editions.py",
        old="    order = list(asked)\n",
        new="    order = list(dict.fromkeys(asked))\n",
        test=_PROOF,
    ),
    Mutant(
        name="buy what was restored while the run went on",
        path="planning/editions.py",
        old="        return key in self._heads and editions_of(",
        new="        return False and editions_of(",
        test=_PROOF,
    ),
    Mutant(
        name="restore a job while its new edition is on its way",
        path="planning/redo.py",
        old="    if entry.stands is not None and state in _UNDER_WAY:\n",
        new="    if entry.stands is not None and state is State.HELD:\n",
        test=_PROOF,
    ),
    Mutant(
        name="feed a child with what its parent had while that is being made again",
        path="planning/lanes.py",
        old="    return is_blocked or came_to_nothing(parent.record, now=now)\n",
        new="    return parent.record.state not in DONE\n",
        test=_ENGINE,
    ),
    Mutant(
        name="make a child again before its parent is made again",
        path="planning/lanes.py",
        old="    if parent.stands is None or child.stands is not None or parent.retry:\n"
        "        return False\n    return is_blocked",
        new="    if parent.stands is None or parent.retry:\n        return False\n"
        "    return child.stands is not None or is_blocked",
        test=_PROOF,
    ),
    Mutant(
        name="make a child again of what its parent had, where that could not be made again",
        path="planning/lanes.py",
        old="    if parent.stands is None or child.stands is not None or parent.retry:\n",
        new="    if parent.stands is None or parent.retry:\n",
        test=_PROOF,
    ),
    Mutant(
        name="buy again in other words what was made of an earlier edition",
        path="planning/chain_matching.py",
        old="        keys = dict.fromkeys((editions.current, *editions.all))\n",
        new="        keys = dict.fromkeys((editions.current,))\n",
        test=_ENGINE,
    ),
    Mutant(
        name="give a later edition the seed of the first",
        path="engine/submit.py",
        old="        return seed_for(job, self._models[job.model], self._scope, entry.key, record.attempt)\n",
        new="        key = entry.key if entry.stands is None else entry.stands.key\n"
        "        return seed_for(job, self._models[job.model], self._scope, key, record.attempt)\n",
        test=_PROOF,
    ),
    Mutant(
        name="carry no edition to its end but the newest",
        path="engine/runner.py",
        old="        planned = (*self._plan.removed, *self._plan.earlier, *self._plan.entries)\n",
        new="        planned = (*self._plan.removed, *self._plan.entries)\n",
        test=_PROOF,
    ),
    Mutant(
        name="note one command in several transactions",
        path="journal/batch.py",
        old="        with explained(self._path), self._transaction(durable=True):\n"
        "            for key, events in changes.items():\n",
        new="        for key, events in changes.items():\n"
        "            with explained(self._path), self._transaction(durable=True):\n",
        test="tests/usecases/test_redo_notes.py",
    ),
    Mutant(
        name="note the jobs of a command one after the other",
        path="usecases/redo.py",
        old="        opened.batch.journal.append_to_all(changes)\n",
        new="        for head, events in changes.items():\n"
        "            opened.batch.journal.append(head, *events)\n",
        test="tests/usecases/test_redo_notes.py",
    ),
    Mutant(
        name="put on record what was ordered before that is answered",
        path="control/server.py",
        old="                made[one.id] = edit = self._edits(order)\n",
        new="                made[one.id] = edit = self._edits(order)\n"
        "                if edit.make is not None:\n                    edit.make()\n",
        test="tests/usecases/test_redo_notes.py",
    ),
    Mutant(
        name="begin another round of a run that failures have stopped",
        path="usecases/run.py",
        old=" and not outcome.is_stopped:",
        new=":",
        test="tests/usecases/test_redo_notes.py",
    ),
    Mutant(
        name="give a job's name to the files of another edition than its own",
        path="planning/file_claims.py",
        old="        key, record = entry.as_of(records).current\n",
        new="        key, record = entry.key, records.get(entry.key, entry.record)\n",
        test="tests/proof/test_arranged.py",
    ),
    Mutant(
        name="leave the files of another edition where they lay",
        path="planning/file_claims.py",
        old="        for entry in (*plan.removed, *_not_current(plan, records))\n",
        new="        for entry in plan.removed\n",
        test="tests/proof/test_arranged.py",
    ),
    Mutant(
        name="count an edition twice in the results",
        path="output/summary.py",
        old="*(row for row in results.earlier if row.key not in shown)]\n",
        new="*results.earlier]\n",
        test=_PROOF,
    ),
    Mutant(
        name="count only a job's own edition in the results",
        path="output/summary.py",
        old="    others += [*results.removed, *(row for row in results.earlier if row.key not in shown)]\n",
        new="    others += [*results.removed, *(row for row in results.earlier if row.key in shown)]\n",
        test=_PROOF,
    ),
    Mutant(
        name="make once more what another command made again since the price was shown",
        path="usecases/redo.py",
        old="    if agreed is not None and agreed != {(one.job, one.ordinal) for one in batch.redone}:\n",
        new="    if agreed is not None and not batch.redone:\n",
        test=_NOTES,
    ),
    Mutant(
        name="make once more what the run that takes the order has made again",
        path="usecases/redo.py",
        old="        if {one.job: one.ordinal for one in choices} != ordinals:\n",
        new="        if set(ids) != ordinals.keys():\n",
        test=_NOTES,
    ),
    Mutant(
        name="make jobs of another slot again than was ordered",
        path="usecases/redo.py",
        old="        if slot != batch.scope.slot:\n",
        new="        if not isinstance(slot, str):\n",
        test=_NOTES,
    ),
    Mutant(
        name="give a wanted edition's ordinal to a record of another name that joins",
        path="journal/names.py",
        old="            last = max(ordinal, *codec.load_record(text).editions, 0)\n",
        new="            last = ordinal\n",
        test="tests/journal/test_names.py",
    ),
    Mutant(
        name="let editions name other records once names have joined",
        path="journal/names.py",
        old="        if equals:\n            shift_ordinals(",
        new="        if not equals:\n            shift_ordinals(",
        test="tests/journal/test_names.py",
    ),
    Mutant(
        name="buy the finished half of what is made again once more, while the other half waits",
        path="wiring/redone.py",
        old="    wrong = found.wrong or _open_among(options, plan, all_meant)\n",
        new="    wrong = found.wrong or _open_among(options, plan, all_meant[:0])\n",
        test="tests/cli/test_redo.py",
    ),
    Mutant(
        name="go on with a journal that is older than the results",
        path="usecases/guards.py",
        old="        if not file.has_all({one for one in ids if one is not None}):\n",
        new="        if not ids:\n",
        test="tests/usecases/test_lost_editions.py",
    ),
)
