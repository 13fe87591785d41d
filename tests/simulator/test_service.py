"""The service as a whole: who may call it, what it knows, and that it repeats itself."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from batchgen.model import Rate
from batchgen.simulator.draws import Draws
from batchgen.simulator.exchange import Call, Reply, Request
from batchgen.simulator.faults import WITHOUT_EFFECT, Fault, FaultPlan
from batchgen.simulator.jobs import from_json, to_json
from batchgen.simulator.models import Catalogue
from batchgen.simulator.rows import EXTRAS
from batchgen.simulator.service import Service
from batchgen.simulator.settings import Limits, Outcomes, Settings, Views
from tests.simulator.caller import GPT, MATERIAL, SEEDED, SEEDLESS, Caller, basic, data_of

CALLS = ("submit", "quote", "job", "jobs", "later")


def rough(seed: int) -> Settings:
    """A service on which everything goes wrong now and then."""
    return Settings(
        seed=seed,
        quality_gate=True,
        limits=Limits(ceiling=4, cooldown=1, rate=Rate(count=30, seconds=10)),
        outcomes=Outcomes(failures=0.2, cancellations=0.1),
        views=Views(listing_lag=(0, 2), short_pages=0.3, echo_missing=0.1),
        faults=FaultPlan(
            chances={
                Call.SUBMIT: dict.fromkeys((Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.ERROR_AFTER), 0.05),
                Call.JOBS: {Fault.BAD_GATEWAY: 0.1, Fault.THROTTLED: 0.1},
            }
        ),
    )


def history(caller: Caller, calls: list[str]) -> list[Reply]:
    replies: list[Reply] = []
    for call in calls:
        bought = caller.service.submissions
        match call:
            case "submit":
                replies.append(caller.run(SEEDED, seed=len(replies)))
            case "quote":
                replies.append(caller.run(MATERIAL, {"dryRun": "true"}))
            case "job":
                replies.append(caller.get(f"/jobs/{bought[-1].remote_id if bought else 'job_x'}"))
            case "jobs":
                replies.append(caller.get("/jobs", pageSize="3"))
            case _:
                caller.now += 1.7
    return replies


@profile(max_examples=40)
@given(seed=st.integers(0, 2**32), calls=st.lists(st.sampled_from(CALLS), max_size=30))
def test_equal_seeds_and_equal_calls_give_equal_histories(seed: int, calls: list[str]) -> None:
    first, second = Caller(rough(seed)), Caller(rough(seed))
    assert history(first, calls) == history(second, calls)
    assert first.service.submissions == second.service.submissions
    assert first.service.counts == second.service.counts


def test_another_seed_gives_another_history() -> None:
    calls = ["submit", "later"] * 10
    assert history(Caller(rough(1)), calls) != history(Caller(rough(2)), calls)


@profile(max_examples=40)
@given(seed=st.integers(0, 2**32), calls=st.lists(st.sampled_from(CALLS), min_size=5, max_size=40))
def test_what_is_spent_is_what_was_accepted_and_not_refunded(seed: int, calls: list[str]) -> None:
    caller = Caller(rough(seed))
    history(caller, calls)
    caller.now += 1000
    jobs = caller.service.submissions
    spent = data_of(caller.get("/teams/team_simulated/limits"))["values"]["creativeUnits"]
    assert Decimal(str(spent)) == sum((job.cost - job.refund for job in jobs), Decimal(0))
    assert caller.service.most_in_flight <= 4
    assert [job.ordinal for job in jobs] == list(range(len(jobs)))
    assert len({job.remote_id for job in jobs}) == len(jobs)
    assert len(jobs) <= caller.service.counts["submit"]


@profile(max_examples=40)
@given(
    faults=st.lists(
        st.sampled_from([None, Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.ERROR_AFTER]), max_size=12
    )
)
def test_every_accepted_submit_is_charged_whether_its_answer_arrives_or_not(
    faults: list[Fault | None],
) -> None:
    caller = Caller(Settings(faults=FaultPlan(script={Call.SUBMIT: faults})))
    for _ in faults:
        caller.run()
    accepted = sum(fault not in WITHOUT_EFFECT for fault in faults)
    assert len(caller.service.submissions) == len(caller.listed()) == accepted
    assert sum(job.cost for job in caller.service.submissions) == 8 * accepted


@profile(max_examples=40)
@given(seed=st.integers(0, 2**32), calls=st.lists(st.sampled_from(CALLS), min_size=5, max_size=30))
def test_a_service_that_takes_in_the_jobs_of_another_shows_what_that_one_shows(
    seed: int, calls: list[str]
) -> None:
    first = Caller(rough(seed))
    history(first, calls)
    plain = replace(first.settings, faults=FaultPlan(), limits=Limits())
    second = Caller(plain, now=first.now)
    second.service.restore([from_json(to_json(job)) for job in first.service.submissions])
    assert second.service.submissions == first.service.submissions
    for job in first.service.submissions:
        assert second.job(job.remote_id)["jobId"] == job.remote_id
    second.now += 100
    assert len(second.listed()) == len(first.service.submissions)


def test_a_restored_service_is_never_behind_its_last_job() -> None:
    first = Caller()
    first.bought()
    second = Caller(now=first.now - 3600)
    second.service.restore(first.service.submissions)
    second.bought()
    created = [job.created_at for job in second.service.submissions]
    assert created == sorted(created)


def test_jobs_that_do_not_follow_each_other_are_refused() -> None:
    caller = Caller()
    caller.bought()
    caller.bought()
    with pytest.raises(ValueError, match="does not follow"):
        Service(Settings()).restore(caller.service.submissions[1:])
    stranger = replace(caller.service.submissions[0], model="model_of_nobody")
    with pytest.raises(ValueError, match="of a model that is not here"):
        Service(Settings()).restore([stranger])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(secret="wrong"),
        basic(key="wrong"),
        {"authorization": "Basic"},
        {"authorization": "Basic ???"},
        {"authorization": "Basic é"},
        {"authorization": "Bearer token"},
    ],
)
@pytest.mark.parametrize("path", ["/jobs", "/models", "/me", "/nowhere"])
def test_every_call_needs_the_right_credentials(headers: dict[str, str], path: str) -> None:
    reply = Caller(headers=headers).get(path)
    assert reply.status == 401
    assert data_of(reply)["reason"]


def test_a_submit_without_credentials_buys_nothing() -> None:
    caller = Caller(headers={})
    assert caller.run().status == 401
    assert not caller.service.submissions


def test_a_key_of_a_project_may_name_no_other() -> None:
    caller = Caller(Settings(project="proj_1"))
    assert caller.get("/jobs", projectId="proj_1").status == 200
    assert caller.get("/jobs").status == 200
    assert caller.get("/jobs", projectId="proj_2").status == 403
    caller.bought()
    assert caller.service.submissions[0].owner == "proj_1"


def test_a_key_cannot_read_who_it_is() -> None:
    reply = Caller().get("/me")
    assert reply.status == 403
    assert data_of(reply) == {"message": "API Keys cannot access protected resources"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("DELETE", "/jobs"), ("POST", "/nowhere"), ("PUT", "/assets")]
)
def test_what_the_service_does_not_have_is_not_found(method: str, path: str) -> None:
    assert Caller().send(method, path).status == 404


def test_the_accounts_own_models_are_none_and_the_public_ones_have_no_inputs() -> None:
    caller = Caller()
    assert data_of(caller.get("/models")) == {"models": []}
    rows = data_of(caller.get("/models", privacy="public"))["models"]
    assert SEEDLESS in {row["id"] for row in rows}
    assert len(rows) == len(list(Catalogue.recorded()))
    assert all("inputs" not in row and "uiConfig" not in row for row in rows)


def test_models_come_in_pages() -> None:
    caller, found, token = Caller(), [], ""
    while True:
        query = {"paginationToken": token} if token else {}
        data = data_of(caller.get("/models", privacy="public", pageSize="4", **query))
        found += [row["id"] for row in data["models"]]
        token = data.get("nextPaginationToken", "")
        if not token:
            break
    assert len(found) == len(set(found)) == len(list(Catalogue.recorded()))


@pytest.mark.parametrize(("name", "value"), [("pageSize", "501"), ("paginationToken", "x")])
def test_a_listing_of_models_refuses_what_it_cannot_read(name: str, value: str) -> None:
    assert Caller().get("/models", privacy="public", **{name: value}).status == 400


def test_a_model_shows_its_inputs_and_the_messages_of_its_rules() -> None:
    model = data_of(Caller().get(f"/models/{GPT}"))["model"]
    inputs = {one["name"]: one for one in model["inputs"]}
    assert model["accessRestrictions"] == 25
    assert inputs["numOutputs"]["max"] == 10
    message = "A reference image is required when a mask is provided."
    assert inputs["referenceImages"]["required"] == {"ifDefined": {"mask": {"message": message}}}
    assert Caller().get("/models/model_of_nobody").status == 404


def test_a_model_publishes_how_long_it_takes_if_the_service_does() -> None:
    def stats(performance: bool) -> Any:
        caller = Caller(Settings(duration=(4, 12), views=Views(performance=performance)))
        return data_of(caller.get(f"/models/{SEEDED}"))["model"].get("performanceStats")

    (variant,) = stats(performance=True)["variants"]
    assert variant["totalLatencyP75Sec"] == 10
    assert variant["variantKey"] == stats(performance=True)["default"]
    assert stats(performance=False) is None


def test_teams_and_their_limits_are_shown() -> None:
    caller = Caller(Settings(limits=Limits(ceiling=7, cooldown=30, credits=Decimal(500))))
    (team,) = data_of(caller.get("/teams"))["teams"]
    limits = data_of(caller.get(f"/teams/{team['id']}/limits"))
    assert {"parallelCustomJobs": 7, "maxCooldown": 30, "creativeUnits": 500}.items() <= limits[
        "limits"
    ].items()
    assert limits["values"]["creativeUnits"] == 0


def test_every_object_has_keys_that_nobody_documented_unless_they_are_off() -> None:
    def objects(extras: bool) -> list[Any]:
        caller = Caller(Settings(outcomes=Outcomes(instant=True), views=Views(extras=extras)))
        bought = data_of(caller.run())
        asset = caller.get(f"/assets/{bought['job']['metadata']['assetIds'][0]}")
        model = caller.get(f"/models/{SEEDED}")
        return [bought, bought["job"], data_of(asset)["asset"], data_of(model)["model"]]

    assert all(EXTRAS.items() <= one.items() for one in objects(extras=True))
    assert not any(EXTRAS.keys() & one.keys() for one in objects(extras=False))


def test_the_secret_is_not_in_the_settings_own_words() -> None:
    assert "hush" not in repr(Settings(secret="hush"))


def test_every_answer_says_the_time() -> None:
    assert Caller().get("/jobs").headers["date"] == "Fri, 15 Jan 2027 08:00:00 GMT"


@given(
    method=st.sampled_from(["GET", "POST"]),
    path=st.sampled_from(["/jobs", "/jobs/x", "/models", "/models/x", "/assets/x", "/assets/get-bulk",
                          "/teams", "/teams/x/limits", "/jobs/x/action"]),
    query=st.dictionaries(
        st.sampled_from(["pageSize", "paginationToken", "createdAfter", "updatedAfter", "status", "types",
                         "authorId", "projectId", "privacy", "originalAssets"]),
        st.text(max_size=12) | st.sampled_from(["custom", "2026-01-01", "true", "9" * 5000]),
    ),
    body=st.binary(max_size=20) | st.sampled_from([b"{}", b'{"assetIds":["x"]}', b"[" * 10_000]),
)  # fmt: skip
def test_no_request_is_a_crash(method: str, path: str, query: dict[str, str], body: bytes) -> None:
    request = Request(method=method, path=f"/v1{path}", query=query, headers=basic(), body=body)
    assert Service(Settings()).handle(request, 1.8e9).status in {200, 400, 403, 404}


@given(st.integers(), st.lists(st.text(max_size=5) | st.integers(), max_size=4))
def test_a_draw_depends_on_nothing_but_its_names(seed: int, names: list[object]) -> None:
    assert 0 <= Draws(seed).share(*names) < 1
    assert Draws(seed).id("job_", *names) == Draws(seed).id("job_", *names)
    assert not Draws(seed).chance(0, *names)
    assert Draws(seed).chance(1, *names)
