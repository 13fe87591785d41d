"""Whether two names are one account: what owners tell, and what the service shows."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from batchgen.errors import NotFoundError, TransientError
from batchgen.lifecycle import Record, State
from batchgen.model import RemoteJob, Submission
from batchgen.reconcile.accounts import Bought, Place, Relation, by_owners, relation, worth_asking
from tests.support.builders import make_remote_job
from tests.support.looped import run_virtually

OURS = Place(address="https://api/v1", project="proj_own")


class Shows:
    """A service that shows some jobs, and from when on."""

    def __init__(self, rows: Mapping[str, RemoteJob], since: float = 0.0) -> None:
        self.rows, self.since, self.asked = rows, since, list[str]()
        self.time = 1000.0

    def now(self) -> float:
        self.time += 1.0
        return self.time

    async def job(self, remote_id: str) -> RemoteJob:
        self.asked.append(remote_id)
        if remote_id not in self.rows or self.time < self.since:
            raise NotFoundError("not shown")
        return self.rows[remote_id]


def shows(*, owner: str = "", author: str = "apiu_1", since: float = 0.0) -> Shows:
    return Shows({"job_1": make_remote_job(owner=owner, author=author)}, since)


def bought(*ids: str, at: float = 0.0) -> list[Bought]:
    return [
        Bought(
            submission=Submission(remote_id=one, attempt=1, at=at, charged=Decimal(4), author="apiu_1"),
            model="model_x",
        )
        for one in ids
    ]


def theirs(*owners: str, project: str = "") -> Place:
    return Place(address=OURS.address, project=project, owners=frozenset(owners))


@pytest.mark.parametrize(
    ("ours", "other", "told"),
    [
        (OURS, theirs("proj_own"), Relation.SAME),
        (OURS, theirs("proj_another"), Relation.UNKNOWN),
        (OURS, theirs(), Relation.UNKNOWN),
        (theirs("proj_own"), theirs(project="proj_own"), Relation.SAME),
        (theirs("proj_1", project="p"), theirs("proj_2", project="q"), Relation.OTHER),
        (theirs("proj_1", "proj_2"), theirs("proj_2", project="q"), Relation.SAME),
    ],
)
def test_owners_tell_one_account_from_two(ours: Place, other: Place, told: Relation) -> None:
    assert by_owners(ours, other) is told


def asked(other: Place, what: list[Bought], service: Shows) -> Relation:
    return run_virtually(relation(OURS, other, what, service, service))


def test_a_job_that_is_shown_under_our_name_is_of_our_account() -> None:
    assert asked(theirs("proj_x"), bought("job_1"), shows(owner="proj_x")) is Relation.SAME
    assert asked(theirs(), bought("job_1"), shows()) is Relation.SAME
    other = shows(owner="proj_y")
    assert asked(theirs("proj_x"), bought("job_1"), other) is Relation.OTHER


def test_where_none_is_shown_nothing_is_known_and_the_service_is_asked_for_three_at_most() -> None:
    service = Shows({})
    assert asked(theirs(), bought("job_1", "job_2", "job_3"), service) is Relation.UNKNOWN
    assert service.asked == ["job_1", "job_2", "job_3"]


def test_a_job_of_a_moment_ago_is_asked_for_again_before_its_absence_counts() -> None:
    service = shows(since=1005.0)
    assert asked(theirs(), bought("job_1", at=1000.0), service) is Relation.SAME
    assert len(service.asked) > 1


def test_another_address_is_the_same_service_only_if_it_shows_that_very_job() -> None:
    other = Place(address="http://localhost:1/v1", project="proj_own")
    assert asked(other, bought("job_1"), shows()) is Relation.SAME
    assert asked(other, bought("job_1"), shows(author="apiu_2")) is Relation.OTHER
    assert asked(other, bought("job_1"), Shows({})) is Relation.OTHER


def test_a_service_that_does_not_answer_decides_nothing() -> None:
    class Silent(Shows):
        async def job(self, remote_id: str) -> RemoteJob:
            raise TransientError(f"no answer about {remote_id}")

    with pytest.raises(TransientError):
        asked(theirs(), bought("job_1"), Silent({}))


def test_the_newest_two_and_the_oldest_are_asked_for() -> None:
    paid = [bought(f"job_{at}", at=float(at))[0].submission for at in range(5)]
    records = [Record(state=State.RUNNING, submissions=(one,)) for one in paid]
    assert [one.submission.remote_id for one in worth_asking(records)] == ["job_4", "job_3", "job_0"]
