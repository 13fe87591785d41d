"""``GET /jobs``: order, filters, pages, tokens and how far the index is behind."""

import base64
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from batchgen.simulator.dates import written
from batchgen.simulator.jobs import from_json, to_json
from batchgen.simulator.settings import Outcomes, Settings, Views
from tests.simulator.caller import EPOCH, MATERIAL, SEEDED, SEEDLESS, Caller, data_of


def ids(rows: list[Any]) -> list[str]:
    return [row["jobId"] for row in rows]


@profile(max_examples=60)
@given(
    count=st.integers(0, 60),
    size=st.integers(1, 25),
    short=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    gap=st.sampled_from([0.0, 0.0004, 0.5]),
    by_update=st.booleans(),
)
def test_following_the_tokens_shows_every_job_exactly_once(
    count: int, size: int, short: float, gap: float, by_update: bool
) -> None:
    caller = Caller(Settings(duration=(1, 9), views=Views(short_pages=short)))
    bought = []
    for _ in range(count):
        bought.append(caller.bought())
        caller.now += gap
    query = {"types": "custom"} if by_update else {}
    pages = caller.pages(pageSize=str(size), **query)
    rows = [row for page in pages for row in page]
    assert all(len(page) <= size for page in pages)
    assert sorted(ids(rows)) == sorted(bought)
    dates = [row["updatedAt" if by_update else "createdAt"] for row in rows]
    assert dates == sorted(dates, reverse=True)
    if not by_update:
        assert ids(rows) == bought[::-1]


def test_pages_can_be_short_or_empty_while_there_is_more() -> None:
    caller = Caller(Settings(views=Views(short_pages=1)))
    bought = [caller.bought() for _ in range(60)]
    pages = caller.pages(pageSize="4")
    assert [] in pages
    assert all(one or other for one, other in pairwise(pages)), "two empty pages in a row"
    assert len({len(page) for page in pages}) > 2
    assert sorted(bought) == sorted(ids([row for page in pages for row in page]))


@given(new=st.integers(1, 20), size=st.integers(1, 10))
def test_jobs_that_are_bought_while_someone_pages_move_nothing(new: int, size: int) -> None:
    caller = Caller()
    old = [caller.bought() for _ in range(15)]
    first = data_of(caller.get("/jobs", pageSize=str(size)))
    for _ in range(new):
        caller.now += 1
        caller.bought()
    second = data_of(caller.get("/jobs", pageSize="100", paginationToken=first["nextPaginationToken"]))
    assert ids(first["jobs"]) + ids(second["jobs"]) == old[::-1]


def test_a_token_is_the_key_of_the_last_row() -> None:
    caller = Caller()
    for _ in range(3):
        caller.bought()
    page = data_of(caller.get("/jobs", pageSize="2"))
    key = json.loads(base64.b64decode(page["nextPaginationToken"]))
    last = page["jobs"][-1]
    assert key["createdAt"] == {"S": last["createdAt"]}
    assert key["jobId"] == {"S": last["jobId"]}
    assert key["ownerId"] == {"S": last["ownerId"]}


def test_the_usual_page_has_fifty_rows_and_the_largest_a_hundred() -> None:
    caller = Caller()
    for _ in range(110):
        caller.bought()
    assert len(data_of(caller.get("/jobs"))["jobs"]) == 50
    assert len(data_of(caller.get("/jobs", pageSize="100"))["jobs"]) == 100


@pytest.mark.parametrize("size", ["0", "101", "-1", "ten", "", "9" * 5000])
def test_a_page_size_out_of_bounds_is_refused(size: str) -> None:
    reply = Caller().get("/jobs", pageSize=size)
    assert reply.status == 400
    assert "pageSize" in data_of(reply)["reason"]


def encoded(data: object) -> str:
    return base64.b64encode(json.dumps(data).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "?",
        "é",
        encoded({}),
        encoded([]),
        encoded({"createdAt": {"S": "soon"}, "jobId": {"S": "job_"}, "page": {"N": "1"}}),
        encoded({"createdAt": {"S": written(EPOCH)}, "jobId": {"S": "job_x"}, "page": {"N": "1"}}),
        encoded({"createdAt": {"S": written(EPOCH)}, "jobId": {"S": "job_"}, "page": {"N": 1e999}}),
    ],
)
def test_a_token_that_is_none_of_ours_is_refused(token: str) -> None:
    assert Caller().get("/jobs", paginationToken=token).status == 400


def test_a_token_of_the_one_order_is_no_token_of_the_other() -> None:
    caller = Caller()
    for _ in range(3):
        caller.bought()
    token = data_of(caller.get("/jobs", pageSize="1"))["nextPaginationToken"]
    assert caller.get("/jobs", types="custom", paginationToken=token).status == 400


@pytest.mark.parametrize("name", ["status", "type", "types", "workflowId"])
def test_created_after_does_not_go_with_a_filter_and_updated_after_needs_one(name: str) -> None:
    date, caller = written(EPOCH), Caller()
    assert caller.get("/jobs", createdAfter=date).status == 200
    assert caller.get("/jobs", createdAfter=date, **{name: "custom"}).status == 400
    assert caller.get("/jobs", updatedAfter=date).status == 400
    assert caller.get("/jobs", updatedAfter=date, **{name: "custom"}).status == 200


def test_a_date_that_is_none_is_refused() -> None:
    assert Caller().get("/jobs", createdAfter="yesterday").status == 400


def test_created_after_leaves_out_that_moment_and_what_was_before() -> None:
    caller = Caller()
    bought = []
    for _ in range(3):
        bought.append(caller.bought())
        caller.now += 1
    assert ids(caller.listed(createdAfter=written(EPOCH))) == bought[:0:-1]


def test_updated_after_shows_what_changed_last_first() -> None:
    caller = Caller(Settings(duration=(1, 1), durations={MATERIAL: (50, 50)}))
    slow, quick = caller.bought(MATERIAL), caller.bought()
    caller.now += 40
    assert ids(caller.listed(types="custom", updatedAfter=written(EPOCH + 20))) == []
    assert ids(caller.listed(types="custom")) == [slow, quick]
    caller.now += 20
    assert ids(caller.listed(types="custom", updatedAfter=written(EPOCH + 20))) == [slow]


def test_rows_are_filtered_by_type_status_author_and_workflow() -> None:
    caller = Caller(Settings(duration=(1, 1), durations={MATERIAL: (50, 50)}))
    slow, quick = caller.bought(MATERIAL), caller.bought()
    caller.now += 40
    author = caller.job(slow)["authorId"]
    assert ids(caller.listed(status="success")) == [quick]
    assert ids(caller.listed(status="in-progress")) == [slow]
    assert ids(caller.listed(type="inference")) == []
    assert ids(caller.listed(types="upload,custom", type="upload")) == [slow, quick]
    assert ids(caller.listed(authorId=author)) == [quick, slow]
    assert ids(caller.listed(authorId="apiu_of_nobody")) == []
    assert ids(caller.listed(workflowId="workflow_1")) == []


def test_a_listing_by_author_reaches_back_thirty_days_unless_a_date_lifts_that() -> None:
    caller = Caller()
    old = caller.bought()
    author = caller.job(old)["authorId"]
    caller.now += 31 * 86_400
    assert ids(caller.listed(authorId=author)) == []
    assert ids(caller.listed(authorId=author, createdAfter=written(EPOCH - 1))) == [old]
    assert ids(caller.listed()) == [old]


def test_a_project_lists_its_own_jobs_only() -> None:
    caller = Caller()
    ours = data_of(caller.run(SEEDLESS, {"projectId": "proj_1"}))["job"]["jobId"]
    theirs = caller.bought()
    assert ids(caller.listed(projectId="proj_1")) == [ours]
    assert ids(caller.listed()) == [theirs]
    assert caller.get(f"/jobs/{ours}").status == 404


def test_a_job_is_listed_only_after_the_lag_and_its_row_is_that_much_behind() -> None:
    caller = Caller(Settings(duration=(10, 10), views=Views(listing_lag=(3, 3))))
    remote_id = caller.bought()
    caller.now += 2.9
    assert caller.listed() == []
    assert caller.job(remote_id)["jobId"] == remote_id
    caller.now = EPOCH + 12
    assert caller.job(remote_id)["status"] == "success"
    assert caller.listed()[0]["status"] != "success"
    caller.now = EPOCH + 13.1
    assert caller.listed()[0]["status"] == "success"


def test_the_lag_is_drawn_for_each_job_so_that_a_younger_one_may_be_listed_first() -> None:
    caller = Caller(Settings(views=Views(listing_lag=(0, 60))))
    bought = []
    for _ in range(30):
        bought.append(caller.bought())
        caller.now += 1
    shown = ids(caller.listed())
    assert 0 < len(shown) < 30
    assert shown != bought[: len(shown)][::-1]
    caller.now += 60
    assert ids(caller.listed()) == bought[::-1]


def test_old_prompts_are_asset_ids_in_listings_and_text_by_id() -> None:
    caller = Caller(Settings(duration=(1, 1), views=Views(archived_after=10)))
    remote_id = caller.bought(SEEDED, prompt="an oak in fog", seed=5)
    caller.now += 5
    assert caller.listed()[0]["metadata"]["input"]["prompt"] == "an oak in fog"
    caller.now += 10
    inputs = caller.listed()[0]["metadata"]["input"]
    assert inputs["prompt"].startswith("asset_")
    assert inputs["seed"] == 5
    assert caller.job(remote_id)["metadata"]["input"]["prompt"] == "an oak in fog"
    asset = data_of(caller.get(f"/assets/{inputs['prompt']}"))["asset"]
    assert asset["kind"] == "text"
    assert asset["properties"]["preview"] == "an oak in fog"
    assert asset["properties"]["hasFullPreview"] is True


def test_the_preview_of_a_long_prompt_is_only_its_beginning() -> None:
    caller = Caller(Settings(duration=(1, 1), views=Views(archived_after=0)))
    caller.bought(prompt="oak " * 100)
    caller.now += 2
    asset_id = caller.listed()[0]["metadata"]["input"]["prompt"]
    properties = data_of(caller.get(f"/assets/{asset_id}"))["asset"]["properties"]
    assert properties["hasFullPreview"] is False
    assert len(properties["preview"]) == 200
    assert properties["charCount"] == 400


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_rows_are_whole_jobs(share: float) -> None:
    caller = Caller(Settings(outcomes=Outcomes(failures=share)))
    remote_id = caller.bought()
    for _ in range(4):
        assert caller.listed() == [caller.job(remote_id)]
        caller.now += 4


def assets_of(shown: Any) -> list[str]:
    ids: list[str] = shown["metadata"]["assetIds"]
    return ids


@pytest.mark.parametrize("in_jobs", [False, True])
def test_outputs_can_be_late_in_listings_alone_or_in_the_job_too(in_jobs: bool) -> None:
    views = Views(late_outputs=1.0, outputs_whole_after=(30.0, 30.0), outputs_late_in_jobs=in_jobs)
    caller = Caller(Settings(duration=(5.0, 5.0), views=views))
    bought = [caller.bought(SEEDED, numOutputs=4) for _ in range(20)]
    caller.now += 6.0
    rows = {row["jobId"]: assets_of(row) for row in caller.listed()}
    jobs = {one: assets_of(caller.job(one)) for one in bought}
    assert {len(ids) for ids in rows.values()} == {0, 1, 2, 3}
    assert (jobs == rows) is in_jobs
    caller.now += 30.0
    whole = {row["jobId"]: assets_of(row) for row in caller.listed()}
    assert {len(ids) for ids in whole.values()} == {4}
    assert all(whole[one][: len(rows[one])] == rows[one] for one in bought)


def test_a_service_that_is_started_again_shows_late_outputs_as_before() -> None:
    views = Views(late_outputs=0.5, outputs_whole_after=(30.0, 90.0))
    caller = Caller(Settings(duration=(5.0, 5.0), views=views))
    for _ in range(10):
        caller.bought(SEEDED, numOutputs=4)
    again = Caller(caller.settings)
    again.service.restore(
        from_json(json.loads(json.dumps(to_json(one)))) for one in caller.service.submissions
    )
    caller.now = again.now = caller.now + 40.0
    assert again.listed() == caller.listed()
