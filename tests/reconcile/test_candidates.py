"""The index over a listing: it overlooks nothing that a comparison of every pair would find."""

import asyncio
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from batchgen.lifecycle import Accepted
from batchgen.model import JobKey, RemoteJob, Text
from batchgen.reconcile.candidates import Candidates
from batchgen.reconcile.matching import Body, Likeness, Window, compare
from batchgen.reconcile.ownership import Owner
from batchgen.reconcile.prompts import Prompts
from tests.support.builders import make_intent, make_remote_job
from tests.support.memory_journal import MemoryJournal

KEY = JobKey("v1:a")
TEXTS = {"asset_long": Text(text="a tower", whole=True), "asset_cut": Text(text="a to", whole=False)}


class Texts:
    """A service of which only prompts are asked, and which counts that."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def text(self, asset_id: str) -> Text | None:
        self.asked.append(asset_id)
        return TEXTS.get(asset_id)


def prompts(service: Texts | None = None) -> Prompts:
    return Prompts(service or Texts())  # type: ignore[arg-type]  # nothing but texts is asked


def row(number: int, inputs: Mapping[str, Any] | None, author: str = "apiu_us") -> RemoteJob:
    return make_remote_job(f"job_{number}", created_at=100.0 + number, author=author, inputs=inputs)


def inputs_of(more: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "prompt": st.sampled_from(["a tower", "a mill"]),
            "seed": st.sampled_from([1, 2]),
            "image": st.sampled_from(["asset_x", "asset_y"]),
            "mask": st.sampled_from(["asset_x", "asset_z"]),
            "text": st.sampled_from(["well, hello", "well,  hello", "asset_kept"]),
            "width": st.sampled_from([512, 1024]),
        },
    ).flatmap(lambda known: more.map(lambda one: {**known, **one}))


SENT = inputs_of(st.just({}))
SHOWN = st.none() | inputs_of(
    st.fixed_dictionaries(
        {"modelId": st.sampled_from(["m", "n"])},
        optional={"prompt": st.sampled_from(["a tower", "asset_long", "asset_cut", "asset_gone"])},
    )
)


@given(SENT, st.lists(SHOWN, max_size=6), st.booleans())
def test_no_row_that_is_like_a_body_is_overlooked(
    sent: dict[str, Any], shown: list[dict[str, Any] | None], read: bool
) -> None:
    body = Body("m", "", sent)
    rows = [row(number, inputs) for number, inputs in enumerate(shown)]
    known = prompts()
    candidates = Candidates(rows, MemoryJournal(), known)
    if read:
        asyncio.run(candidates.read(body))
    expected = [(one, compare(body, one, known.texts)) for one in rows]
    assert candidates.like(body) == [pair for pair in expected if pair[1] is not Likeness.OTHER]


def test_what_a_record_has_is_kept_with_its_holder_and_given_to_nobody() -> None:
    journal = MemoryJournal()
    rows = [row(1, {"modelId": "m", "prompt": "a tower"}), row(2, {"modelId": "m", "prompt": "a tower"})]
    candidates = Candidates(rows, journal, prompts())
    journal.append(KEY, make_intent(), Accepted(at=2.0, remote_id="job_1", author="apiu_us"))
    assert len(candidates.free()) == 2
    candidates.refresh()
    assert [one.remote_id for one in candidates.free()] == ["job_2"]
    assert [one.ownership.owner for one in candidates.listed()] == [Owner.OURS, Owner.OURS]
    candidates.take("job_2")
    assert candidates.free() == []
    assert len(candidates.listed()) == 2


async def test_a_prompt_is_fetched_once_and_only_where_it_decides() -> None:
    service = Texts()
    known = prompts(service)
    rows = [
        row(1, {"modelId": "m", "prompt": "asset_long"}),
        row(2, {"modelId": "m", "prompt": "asset_long"}),
        row(3, {"modelId": "n", "prompt": "asset_cut"}),
        row(4, {"modelId": "m", "prompt": "asset_gone"}),
    ]
    body = Body.of("m", '{"prompt":"a tower"}')
    first = Candidates(rows, MemoryJournal(), known)
    assert await first.read(body) == ["asset_gone"]
    assert await first.read(body) == ()
    assert service.asked == ["asset_long", "asset_gone"]
    assert [likeness for _, likeness in first.like(body)] == [
        Likeness.MATCH,
        Likeness.MATCH,
        Likeness.UNREAD,
    ]
    # the next listing asks again for what was not shown, and for nothing else
    await Candidates(rows, MemoryJournal(), known).read(body)
    assert service.asked == ["asset_long", "asset_gone", "asset_gone"]


async def test_prompts_of_rows_of_another_time_are_not_fetched() -> None:
    service = Texts()
    rows = [row(1, {"modelId": "m", "prompt": "asset_long"})]
    candidates = Candidates(rows, MemoryJournal(), prompts(service))
    await candidates.read(Body.of("m", '{"prompt":"a tower"}'), within=Window(0.0, 50.0))
    assert service.asked == []
