"""Faults in what is bought without a prompt, which is known by what goes in alone. Data, no code."""

from tests.proof.planted import Mutant

_WHOLE = "tests/usecases/test_without_prompt.py"

OF_INPUTS = (
    Mutant(
        name="take the same picture with a mask for the same job",
        path="reconcile/matching.py",
        old="    different.update(_more_in(row, sent))\n",
        new="",
        test="tests/reconcile/test_matching.py",
    ),
    Mutant(
        name="pass over a text that is echoed with other white space",
        path="reconcile/matching.py",
        old='    return shown.startswith("asset_") or loosely(shown) == loosely(text)\n',
        new="    return False\n",
        test="tests/reconcile/test_matching.py",
    ),
    Mutant(
        name="buy again what only its files could tell, once they are sent again",
        path="reconcile/preflight.py",
        old="        return self._files.like(self._candidates, attempt)\n",
        new="        return self._candidates.like(attempt.sent)\n",
        test=_WHOLE,
    ),
    Mutant(
        name="hold every picture beside one row of its model",
        path="reconcile/same_files.py",
        old="        return None in sizes or sizes[0] == sizes[1]\n",
        new="        return True\n",
        test=_WHOLE,
    ),
    Mutant(
        name="leave out of a person's sight the rows for which a job is held",
        path="usecases/resolve.py",
        old="files.like(candidates, _attempt(one)) for one in entries",
        new="candidates.like(doubts[one.key].body) for one in entries",
        test=_WHOLE,
    ),
    Mutant(
        name="send an empty prompt where there is none",
        path="identity.py",
        old="    if job.prompt is not None:\n",
        new="    if job.prompt or not job.prompt:\n",
        test="tests/core/test_identity.py",
    ),
    Mutant(
        name="put an empty prompt into the key of a job without one",
        path="model.py",
        old='            return {name: one for name, one in self.params.items() if name != "prompt"}\n',
        new='            return {**self.params, "prompt": self.prompt}\n',
        test="tests/core/test_identity.py",
    ),
    Mutant(
        name="buy from what earlier runs made",
        path="manifest/tables/globs.py",
        old="        self._left_out = self._left_out or _shown(path)\n        return True\n",
        new="        return False\n",
        test="tests/manifest/test_globs.py",
    ),
)
