import pytest

from batchgen.errors import TransientError
from batchgen.scenario.fields import WireError
from batchgen.scenario.transport import Answer
from batchgen.scenario.wire import parse_model, parse_models
from tests.scenario.fakes import OpenGate, ScriptedTransport, answered
from tests.scenario.test_client import make_client

ROW = {
    "id": "model_x",
    "name": "X",
    "type": "custom",
    "privacy": "public",
    "capabilities": ["txt2img", 3],
    "shortDescription": "Draws\x1b[31m.",
    "accessRestrictions": 50,
}


def test_a_model_says_what_it_is_and_keeps_the_whole_record() -> None:
    model = parse_model(ROW)
    assert (model.type, model.capabilities, model.public, model.plan_rank) == (
        "custom",
        ("txt2img",),
        True,
        50,
    )
    assert model.description == "Draws [31m."
    assert model.raw["accessRestrictions"] == 50


@pytest.mark.parametrize("bad", [{}, {"type": 3, "capabilities": "txt2img", "accessRestrictions": "pro"}])
def test_a_model_of_which_little_can_be_read_is_one_all_the_same(bad: dict[str, object]) -> None:
    model = parse_model({"id": "model_x", **bad})
    assert (model.type, model.capabilities, model.public, model.plan_rank) == ("", (), False, None)


def test_what_was_recorded_of_models_and_is_not_of_the_published_types_is_read_all_the_same() -> None:
    """Records of the service have parts that its own SDK refuses when it is strict; we are not."""
    size = {"widthInput": "width", "heightInput": "height", "label": "Dimensions"}
    recorded = {
        **ROW,
        "trainingProgress": {},
        "uiConfig": {"resolutionComponent": size},
        "source": "new",
        "?": 1,
    }
    model = parse_model({**recorded, "capabilities": ["txt2img", "txt2smell"], "privacy": "team"})
    assert (model.id, model.capabilities, model.public) == ("model_x", ("txt2img", "txt2smell"), False)


def test_a_row_without_an_id_does_not_spoil_a_page_of_models() -> None:
    page = parse_models({"models": [{"name": "?"}, ROW, "x"], "nextPaginationToken": ""})
    assert ([one.id for one in page.models], page.next_token) == (["model_x"], None)


@pytest.mark.parametrize("bad", [{}, {"models": {}}, {"models": [], "nextPaginationToken": 7}])
def test_what_is_no_page_of_models_is_none(bad: dict[str, object]) -> None:
    with pytest.raises(WireError):
        parse_models(bad)


async def test_a_listing_of_models_goes_on_with_the_same_filters() -> None:
    transport = ScriptedTransport(
        [
            answered({"models": [ROW], "nextPaginationToken": "t"}),
            answered({"models": [{**ROW, "id": "model_y"}]}),
        ]
    )
    gate = OpenGate()
    client = make_client(transport, gate, project="proj_1")
    assert [one.id async for one in client.models(public=True)] == ["model_x", "model_y"]
    common = {"pageSize": "500", "privacy": "public", "projectId": "proj_1"}
    assert [dict(call.query) for call in transport.calls] == [common, {**common, "paginationToken": "t"}]
    assert len(gate.turns) == 2


async def test_own_models_are_the_private_ones() -> None:
    transport = ScriptedTransport([answered({"models": []})])
    assert [one async for one in make_client(transport).models(public=False)] == []
    assert transport.calls[0].query["privacy"] == "private"


async def test_a_listing_of_models_that_goes_round_in_circles_is_given_up() -> None:
    transport = ScriptedTransport([answered({"models": [ROW], "nextPaginationToken": "t"})])
    with pytest.raises(TransientError, match="end"):
        assert [one async for one in make_client(transport).models(public=True)] == []
    assert len(transport.calls) == 2


@pytest.mark.parametrize(
    ("answer", "plan"),
    [
        (answered({"teams": [{"id": "team_1", "plan": "cu-basic"}]}), "cu-basic"),
        (answered({"teams": [{"plan": "cu-basic"}, {"plan": "cu-pro"}]}), ""),
        (answered({"teams": []}), ""),
        (answered({"reason": "not for keys"}, 403), ""),
        (answered({"reason": "no such thing"}, 404), ""),
    ],
)
async def test_the_plan_is_known_where_the_service_shows_one(answer: Answer, plan: str) -> None:
    assert await make_client(ScriptedTransport([answer])).plan() == plan
