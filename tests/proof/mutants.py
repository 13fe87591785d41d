"""Shows that the tests can fail: plants faults, one at a time, in a copy of the package and runs the test.

``python -m tests.proof.mutants [word]``; exits with 1 if a fault is not caught. A patch must fit
exactly once, so that one the code has outgrown fails loudly and is written anew.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROOF = "tests/proof/test_proof.py::test_whatever_happens_nothing_is_paid_twice_and_nothing_paid_is_lost"
_LONGEST = 300  # seconds that a test of a broken package may take


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One fault.

    Attributes:
        path: below the package.
        old, new: the patch; ``old`` stands there once.
        test: what must fail with it.
    """

    name: str
    path: str
    old: str
    new: str
    test: str = PROOF


MUTANTS = (
    Mutant(
        name="retry the POST when its answer is lost",
        path="scenario/client.py",
        old='            raise AmbiguousError(f"the answer was lost: {exc}") from exc\n',
        new="            return await self.submit(model, body)\n",
    ),
    Mutant(
        name="record the intent after the POST",
        path="engine/submit.py",
        old="        entry = self._ledger.record(entry, intent)\n        try:\n"
        "            receipt = await self._generator.submit(entry.job.model, intent.body)\n",
        new="        try:\n            try:\n"
        "                receipt = await self._generator.submit(entry.job.model, intent.body)\n"
        "            finally:\n                entry = self._ledger.record(entry, intent)\n",
    ),
    Mutant(
        name="rebuild the body on a resubmission",
        path="engine/submit.py",
        old="        if entry.record.body is not None:\n            return entry.record.body\n",
        new="",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="adopt without looking at ownership",
        path="engine/reconcile.py",
        old="        return [row for remote_id, row in rows.items() if remote_id not in owned]\n",
        new="        return [row for remote_id, row in rows.items() if remote_id is not owned]\n",
    ),
    Mutant(
        name="record the receipt after an await",
        path="engine/submit.py",
        old="        return self._received(entry, receipt), None\n",
        new="        import asyncio\n        await asyncio.sleep(0)\n"
        "        return self._received(entry, receipt), None\n",
    ),
    Mutant(
        name="call it absent without a control",
        path="engine/absence.py",
        old="    if not (shown and control):\n",
        new="    if not shown:\n",
        test="tests/engine/test_reconcile.py::test_without_a_control_nothing_is_called_absent",
    ),
    Mutant(
        name="call it absent after one listing",
        path="engine/absence.py",
        old="    return early and late - found.lost_at >= policy.settled_after(found.lag)\n",
        new="    return late - found.lost_at >= policy.settled_after(found.lag) or early\n",
        test="tests/engine/test_absence.py::test_anything_less_shows_nothing",
    ),
    Mutant(
        name="call it absent before the settling time",
        path="engine/absence.py",
        old="    return early and late - found.lost_at >= policy.settled_after(found.lag)\n",
        new="    return early\n",
        test="tests/engine/test_absence.py::test_anything_less_shows_nothing",
    ),
    Mutant(
        name="call it absent beside a near-match",
        path="engine/reconcile.py",
        old="            if likeness is not Likeness.OTHER:\n",
        new="            if likeness is Likeness.UNREAD:\n",
        test="tests/engine/test_reconcile.py::"
        "test_a_row_without_inputs_proves_nothing_and_the_job_waits_for_a_person",
    ),
    Mutant(
        name="call it absent by a listing that broke off",
        path="engine/reconcile.py",
        old="        if listing.complete and not near:\n",
        new="        if not near:\n",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="treat 404 as failed",
        path="engine/watch.py",
        old="            except ServiceError as error:  # whatever",
        new="            except __import__('batchgen.errors').errors.NotFoundError:\n"
        "                from batchgen.lifecycle import Failed\n"
        "                return self._ledger.record(entry, Failed(at=self._ledger.now()))\n"
        "            except ServiceError as error:  # whatever",
    ),
    Mutant(
        name="adopt another author's row",
        path="engine/likeness.py",
        old="    if authors and row.author and row.author not in authors:\n",
        new="    if authors and not row.author:\n",
    ),
    Mutant(
        name="ignore the difference of the clocks",
        path="engine/likeness.py",
        old="        return self.intent_at + skew - BEFORE, self.lost_at + skew + AFTER\n",
        new="        return self.intent_at - BEFORE, self.lost_at + AFTER\n",
    ),
    Mutant(
        name="adopt while an equal job waits for its answer",
        path="engine/reconcile.py",
        old="        if any(one.state is State.SUBMITTING and one.body == case.doubt.body for one in peers)",
        new="        if not isinstance(peers, list)",
        test="tests/proof/test_rules.py",
    ),
    Mutant(
        name="submit what equals a job in doubt",
        path="engine/runner.py",
        old="        bodies = {one.body for one in equals if one.state is State.IN_DOUBT}\n",
        new="        bodies = {one.body for one in equals if one.state is State.HELD}\n",
    ),
    Mutant(
        name="forget at the start that a POST may have left",
        path="engine/runner.py",
        old="                cut = AnswerLost(at=self._ledger.now(), "
        'reason="the run was cut off during the submit")\n',
        new="                from batchgen.lifecycle import NotSent\n"
        '                cut = NotSent(at=self._ledger.now(), reason="")\n',
    ),
    Mutant(
        name="do not sync the receipt",
        path="lifecycle.py",
        old="    DURABLE: ClassVar[bool] = True\n\n    remote_id: str\n",
        new="    DURABLE: ClassVar[bool] = False\n\n    remote_id: str\n",
    ),
    Mutant(
        name="do not sync the intent",
        path="lifecycle.py",
        old="    DURABLE: ClassVar[bool] = True\n\n    job: Job\n",
        new="    DURABLE: ClassVar[bool] = False\n\n    job: Job\n",
    ),
    Mutant(
        name="number equal jobs instead of matching them",
        path="plan/matching.py",
        old="(_STANDING[records[key].state], key.ordinal)",
        new="key.ordinal",
        test="tests/plan/test_matching.py",
    ),
    Mutant(
        name="buy what the manifest no longer names",
        path="engine/runner.py",
        old="        if entry.key in self._wanted:\n",
        new="        if entry is not None:\n",
        test="tests/engine/test_runs.py::test_a_removed_job_is_carried_to_its_end_and_never_bought",
    ),
    Mutant(
        name="ignore the breaker",
        path="engine/flow.py",
        old="TRIPS_AT = 3 ",
        new="TRIPS_AT = 1_000_000 ",
        test="tests/engine/test_reconcile.py::"
        "test_a_service_that_answers_nothing_but_errors_puts_few_jobs_in_doubt",
    ),
    Mutant(
        name="ignore the ceiling",
        path="engine/ceiling.py",
        old="        if self.limit is not None and in_flight >= self.limit:\n            return False\n",
        new="",
    ),
    Mutant(
        name="take a 408 for a refusal",
        path="scenario/verdicts.py",
        old="        HTTPStatus.UNPROCESSABLE_ENTITY,\n",
        new="        HTTPStatus.UNPROCESSABLE_ENTITY,\n        HTTPStatus.REQUEST_TIMEOUT,\n",
    ),
)


def plant(mutant: Mutant, root: Path) -> None:
    """Write the fault into the package below a folder.

    Raises:
        ValueError: the patch is stale: what it replaces does not stand there exactly once.
    """
    path = root / "batchgen" / mutant.path
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: {text.count(mutant.old)} places fit in {mutant.path}, not one")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def _copy(root: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("batchgen", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)


def _passes(root: Path, *tests: str) -> bool:
    """Run tests against the package below a folder.

    Raises:
        RuntimeError: they could not be run at all.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"--timeout={_LONGEST}", *tests]
    environment = {**os.environ, "PYTHONPATH": str(root), "CI": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{' '.join(tests)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0


def _caught(mutant: Mutant) -> str:
    """Say whether the test fails with the fault in place; empty if it does."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _copy(root)
        try:
            plant(mutant, root)
        except ValueError as error:
            return str(error)
        return f"{mutant.name}: not caught by {mutant.test}" if _passes(root, mutant.test) else ""


def main(words: list[str]) -> int:
    """Plant the faults whose names hold a word, or all of them."""
    chosen = [one for one in MUTANTS if not words or words[0] in one.name]
    with tempfile.TemporaryDirectory() as folder:
        _copy(Path(folder))
        if not _passes(Path(folder), *sorted({one.test for one in chosen})):
            sys.stdout.write("the tests fail without any fault: nothing can be shown\n")
            return 1
    left = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, trouble in zip(chosen, pool.map(_caught, chosen), strict=True):
            left += bool(trouble)
            sys.stdout.write(f"{'NOT CAUGHT' if trouble else 'caught':<10}  {trouble or mutant.name}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - left} of {len(chosen)} faults caught\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
