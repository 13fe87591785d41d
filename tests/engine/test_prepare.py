"""Files that cannot be sent are named with the job that needs them."""

from typing import cast

import pytest

from batchgen.backoff import Backoff
from batchgen.engine.prepare import Preparer
from batchgen.errors import InputError, RefusedError, ServiceError, StopCause, StoppedError
from batchgen.ledger import Ledger
from batchgen.model import JobKey
from batchgen.planning.plan import Entry
from batchgen.ports import Uploader
from batchgen.record import Record
from tests.support.builders import make_job

FORBIDDEN = StoppedError("forbidden (403 Forbidden)", cause=StopCause.PLAN)


class _Refusing:
    def __init__(self, error: ServiceError) -> None:
        self._error = error

    async def ensure(self, _files: object) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "kind"), [(FORBIDDEN, StoppedError), (RefusedError("too large"), InputError)]
)
async def test_what_the_service_says_of_a_file_comes_with_the_job(
    error: ServiceError, kind: type[Exception]
) -> None:
    preparer = Preparer(
        uploader=cast("Uploader", _Refusing(error)),
        ledger=cast("Ledger", None),
        backoff=Backoff(first=0.5, ceiling=30.0),
        ready=lambda _: None,
        waiting=lambda: 0,
        denied=lambda _, __: None,
    )
    job = make_job()
    preparer.add(Entry(job=job, key=JobKey("v1:a"), record=Record()))
    with pytest.raises(kind, match=f"tower: .* cannot be sent: .*{str(error).partition(' ')[0]}"):
        await preparer.run()
