"""Faults of what waits for the disk, and of what is asked again after that. Data, no code."""

from tests.proof.planted import Mutant

_DISKS = "tests/proof/test_disks.py"
_ENGINE = "tests/engine/test_durable.py"
_GROUPS = "tests/journal/test_group_sync.py"
_JOURNAL = "tests/journal/test_durable.py"

OF_DURABILITY = (
    Mutant(
        name="send a POST before its intent is on the disk",
        path="engine/submit.py",
        old="            await self._world.journal.durable()\n            why = refusal(entry, intent)\n",
        new="            why = refusal(entry, intent)\n",
        test=_DISKS,
    ),
    Mutant(
        name="count a sync that began before for those who came meanwhile",
        path="journal/group_sync.py",
        old="        served, self._served = self._served, []\n",
        new="        served, self._served, self._waiting = [*self._served, *self._waiting], [], []\n",
        test=_DISKS,
    ),
    Mutant(
        name="try a failed sync again",
        path="journal/group_sync.py",
        old="            self.fail(f\"{getattr(error, 'strerror', None) or error}\")\n",
        new="            self._waiting = [*self._served, *self._waiting]\n"
        "            self._begin()\n            return\n",
        test=_DISKS,
    ),
    Mutant(
        name="believe a sync after one that has failed",
        path="journal/group_sync.py",
        old="        self.failed = self.failed or why\n",
        new="        self.failed = ''\n",
        test=_GROUPS,
    ),
    Mutant(
        name="use a place in flight again before its receipt is on the disk",
        path="engine/submit.py",
        old="        await self._kept(entry, receipt)\n",
        new="",
        test=_ENGINE,
    ),
    Mutant(
        name="keep quiet of a receipt that a bad disk may lose",
        path="engine/submit.py",
        old="if it fails now: {receipt.job.remote_id} {entry.job.id}",
        new="if it fails now",
        test=_ENGINE,
    ),
    Mutant(
        name="let POSTs leave together that a slow disk lets go",
        path="engine/submit.py",
        old="            if not why and loop_time() - turn >= gate.interval > 0:\n",
        new="            if not why and loop_time() < turn:\n",
        test=_ENGINE,
    ),
    Mutant(
        name="ask no more once another turn had to be waited for",
        path="engine/submit.py",
        old="                await gate.turn(Lane.SUBMIT)\n                why = refusal(entry, intent)\n",
        new="                await gate.turn(Lane.SUBMIT)\n",
        test=_ENGINE,
    ),
    Mutant(
        name="leave what was never sent as if it might have been",
        path="engine/submit.py",
        old='self._unpaid(entry, intent, self._not_sent(intent, str(error) or "the run was left"))\n',
        new="del error\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait whether anything is submitted at all",
        path="engine/clearance.py",
        old="        if not self._board.submitting:\n",
        new="        if False:\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait whether the run is paused",
        path="engine/clearance.py",
        old="        return self.paused or not self._flow.may_leave(entry.key)\n",
        new="        return not self._flow.may_leave(entry.key)\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait whether the service answers",
        path="engine/limits/flow.py",
        old="if self._ambiguous >= TRIPS_AT and (len(self._unanswered) > 1 or not self._service_answers):\n",
        new="if False:\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait whether the gate holds submits back",
        path="engine/limits/flow.py",
        old="        return not self._gate.is_paused(Lane.SUBMIT) and self.pools.holds(self._named(key))\n",
        new="        return self.pools.holds(self._named(key))\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait how many may be in flight",
        path="engine/limits/flow.py",
        old=" and self.pools.holds(self._named(key))\n",
        new="\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait whether the model may be used",
        path="engine/clearance.py",
        old="        if entry.job.model in self._closed:\n",
        new="        if False:\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait whether an equal job is in doubt",
        path="engine/clearance.py",
        old="        if self._aside.must(entry):\n",
        new="        if False:\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait what a job costs",
        path="engine/clearance.py",
        old="        if held is not None and held > (intent.reserved or 0):\n",
        new="        if held is None:\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait whether a cap is exceeded",
        path="engine/clearance.py",
        old="zip(caps.windows, spent, strict=True) if used > window.cap]\n",
        new="zip(caps.windows, spent, strict=True) if used < 0]\n",
        test=_ENGINE,
    ),
    Mutant(
        name="do not ask after the wait whether the journal lies there",
        path="engine/clearance.py",
        old="        self._journal.check_place()\n",
        new="",
        test=_ENGINE,
    ),
    Mutant(
        name="have the disk keep a log that was replaced",
        path="journal/log_file.py",
        old="            if place_of(self._path) != (ours.st_dev, ours.st_ino):\n",
        new="            if ours is None:\n",
        test=_JOURNAL,
    ),
    Mutant(
        name="copy the log into the database although a sync has failed",
        path="journal/file.py",
        old="            if self._commits.failed:\n",
        new="            if False:\n",
        test=_JOURNAL,
    ),
    Mutant(
        name="sync for itself what comes after a sync that has failed",
        path="journal/commits.py",
        old="        if synced and self.failed:\n",
        new="        if False:\n",
        test=_JOURNAL,
    ),
    Mutant(
        name="let SQLite copy the log whenever it likes",
        path="journal/file.py",
        old='                connection.execute("PRAGMA wal_autocheckpoint = 0")  # see ``commits``\n',
        new="",
        test=_JOURNAL,
    ),
    Mutant(
        name="look at the database where the log is meant",
        path="journal/log_file.py",
        old='        log = path.with_name(f"{path.name}-wal")\n',
        new="        log = path\n",
        test=_JOURNAL,
    ),
)
