"""The faults of what a service does that tells little, tells it otherwise or never ends. Data, no code."""

from tests.proof.planted import Mutant

OF_OUTSIDE = (
    Mutant(
        name="call a charge that is not told nought",
        path="record.py",
        old="        return sum(one.charged is None for one in self.submissions)\n",
        new="        return 0\n",
        test="tests/cli/test_untold.py",
    ),
)
