"""What the credentials may not do."""

import pytest

from batchgen.simulator.denials import denial
from batchgen.simulator.exchange import Call
from batchgen.simulator.settings import Denied

MODEL = "model_bfl-flux-1-dev"


@pytest.mark.parametrize("named", [True, False])
def test_a_closed_model_is_refused_by_the_calls_that_name_it(named: bool) -> None:
    denied = Denied(models=frozenset({MODEL}), named=named)
    for call in (Call.SUBMIT, Call.QUOTE, Call.MODEL):
        refused = denial(denied, call, MODEL)
        assert refused is not None
        assert (refused.status, b"ModelAccessRestrictedError" in refused.body) == (403, named)
        assert denial(denied, call, "another") is None
    assert denial(denied, Call.JOB, MODEL) is None


def test_jobs_may_be_looked_at_one_by_one_where_they_may_not_be_listed() -> None:
    denied = Denied(listing=True)
    assert denial(denied, Call.JOBS, "") is not None
    assert denial(denied, Call.JOB, "job_1") is None


def test_only_calls_of_a_model_are_denied_by_model() -> None:
    with pytest.raises(ValueError, match="only submits"):
        Denied(calls=frozenset({Call.JOBS}))
