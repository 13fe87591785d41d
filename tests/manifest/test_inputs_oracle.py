"""What our check lets through the simulator runs with, and each thing spoilt is reported at its place."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.catalog.declared import PROMPT, Declared, declare
from batchgen.catalog.required import why_required
from batchgen.model import Json
from batchgen.simulator import checks
from tests.manifest.declared_models import RAW, RECORDED, check

WITH_PROMPT = [one for one in RECORDED if PROMPT in declare(RECORDED[one]).inputs]
ASSET = "asset_abcdefghijkmnpqrstuvwxyz"
TEXT = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)


def one(declared: Declared) -> st.SearchStrategy[Json]:
    if declared.allowed is not None:
        return st.sampled_from(declared.allowed)
    match declared.item:
        case "number":
            low, step = declared.low or 0, declared.step or (1 if declared.whole else 0.25)
            most = int(((declared.high if declared.high is not None else low + 100) - low) / step)
            return st.integers(0, most).map(lambda steps: round(low + steps * step, 6))
        case "boolean":
            return st.booleans()
        case "file":
            return st.just(ASSET)
        case _:
            return TEXT


def value(declared: Declared) -> st.SearchStrategy[Json]:
    if not declared.many:
        return one(declared)
    return st.lists(one(declared), min_size=1, max_size=min(declared.longest or 3, 4))


@st.composite
def inputs_of(draw: st.DrawFn, model_id: str) -> dict[str, Json]:
    """Inputs that the model takes: some of them, and those that these make necessary."""
    declared = declare(RECORDED[model_id]).inputs
    names = [name for name in declared if name != PROMPT]
    chosen = draw(st.sets(st.sampled_from(names))) if names else set()
    words = {PROMPT: draw(TEXT)} if PROMPT in declared else {}
    body = {**words, **{name: draw(value(declared[name])) for name in sorted(chosen)}}
    for _ in declared:
        for name, element in declared.items():
            if name not in body and why_required(element.required, body, body, known=declared):
                body[name] = draw(value(element))
    return body


def places(body: Mapping[str, Json], model_id: str) -> set[str]:
    params = {name: one for name, one in body.items() if name != PROMPT}
    found = check(params, RECORDED[model_id], prompt=body.get(PROMPT, "")).problems
    return {problem.source.removeprefix("0/params/").removeprefix("0/") for problem in found}


def simulator_takes(body: Mapping[str, Json], model_id: str) -> bool:
    try:
        kept = checks.check(body, RAW[model_id], lambda _: True)
    except checks.InvalidInputError:
        return False
    return kept == body  # nothing was dropped without a word


@pytest.mark.parametrize("model_id", WITH_PROMPT)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_what_passes_here_the_service_runs_with(model_id: str, data: st.DataObject) -> None:
    body = data.draw(inputs_of(model_id))
    assert places(body, model_id) == set()
    assert simulator_takes(body, model_id)


def spoilt(declared: Declared, value: Json) -> list[tuple[str, Json]]:
    """Every single way to spoil a value that the declaration knows of, with where that is."""
    name = declared.name
    ways: list[tuple[str, Any]] = [(name, {"a": 1})]
    if declared.many:
        ways += [(name, value[0]), (f"{name}/0", [{"a": 1}, *value[1:]])]
        if declared.longest is not None:
            ways.append((name, [value[0]] * (declared.longest + 1)))
    elif declared.item == "string":
        ways += [(name, 5.5), (name, [value])]
        if declared.longest is not None:
            ways.append((name, "a" * (declared.longest + 1)))
    elif declared.item == "number":
        ways += [(name, str(value)), (name, True)]
        ways += [
            (name, edge + by) for edge, by in ((declared.low, -1), (declared.high, 1)) if edge is not None
        ]
        ways += [(name, value + declared.step / 2)] if declared.step else []
    if declared.allowed is not None:
        never: Json = -987 if declared.item == "number" else "no such value"
        ways.append((f"{name}/0", [never]) if declared.many else (name, never))
    return ways


@pytest.mark.parametrize("model_id", WITH_PROMPT)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_whatever_is_spoilt_is_reported_where_it_is(model_id: str, data: st.DataObject) -> None:
    body = data.draw(inputs_of(model_id))
    declared = declare(RECORDED[model_id]).inputs
    for name, good in body.items():
        if name == PROMPT:
            continue
        for place, bad in spoilt(declared[name], good):
            changed = {**body, name: bad}
            assert place in places(changed, model_id), (name, bad)
            assert not simulator_takes(changed, model_id), (name, bad)
    assert "unheardOf" in places({**body, "unheardOf": 1}, model_id)


@pytest.mark.parametrize("model_id", WITH_PROMPT)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_what_is_missing_is_reported_whenever_the_service_would(model_id: str, data: st.DataObject) -> None:
    body = data.draw(inputs_of(model_id))
    left = {**body, PROMPT: ""} if PROMPT in body and data.draw(st.booleans()) else dict(body)
    gone = data.draw(st.sampled_from([name for name in body if name != PROMPT] or [PROMPT]))
    left = {name: one for name, one in left.items() if name != gone or name == PROMPT}
    assert (places(left, model_id) == set()) is simulator_takes(left, model_id)
