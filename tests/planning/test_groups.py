"""Jobs that are changed alike are one line: by words, values, files, models, and what came and went."""

from typing import Any

import pytest

from batchgen.identity import content_key
from batchgen.model import Job, JobKey
from batchgen.planning.changes import changed_jobs, details
from batchgen.planning.groups import changed_alike, is_text_change, text_edits
from batchgen.planning.make_plan import make_plan
from batchgen.planning.plan import Plan
from batchgen.planning.renames import changed_under_new_ids, renamed
from batchgen.record import Record, State


def job(name: str, prompt: str = "a cat", model: str = "m", **params: Any) -> Job:
    return Job(id=name, prompt=prompt, model=model, params=params)


def planned(before: list[Job], after: list[Job]) -> Plan:
    records = {JobKey(content_key(one)): Record(state=State.COLLECTED, job=one) for one in before}
    return make_plan(after, records)


def picture(path: str, content: str) -> dict[str, str]:
    return {"file": path, "sha256": content}


def test_thousands_that_get_the_same_word_are_one_group_wherever_it_stands() -> None:
    before = [job(f"j{n}", f"a house, number {n}, in the style of {n % 7}") for n in range(2400)]
    after = [job(one.id, f"{one.prompt}{' drawing' if n % 2 else ''}") for n, one in enumerate(before)]
    [group] = changed_alike(changed_jobs(planned(before, after)))
    assert (len(group.members), group.exact) == (1200, True)
    assert [(one.gone, one.new) for one in text_edits(group.parts[0])] == [("", "drawing")]


def test_the_larger_groups_are_kept_and_the_rest_is_put_together_by_names() -> None:
    before = [job(f"j{n}", f"thing {n}", width=512) for n in range(100)]
    after = [
        job(one.id, f"thing {n}" if n < 60 else f"other {n * n}", width=768 if n < 60 else 512)
        for n, one in enumerate(before)
    ]
    groups = changed_alike(changed_jobs(planned(before, after)), most=6)
    assert [(len(one.members), one.exact) for one in groups] == [(60, True), (40, False)]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"width": 512}, {"width": 768}, [("width", 512, 768)]),
        ({"width": 512}, {}, [("width", 512, None)]),
        ({}, {"seed": 5}, [("seed", None, 5)]),
        (
            {"loras": [{"id": "a", "scale": 0.5}]},
            {"loras": [{"id": "a", "scale": 0.7}]},
            [("loras[0].scale", 0.5, 0.7)],
        ),
        ({"refs": ["x", "y"]}, {"refs": ["x", "z", "y"]}, [("refs", None, "z")]),
        ({"on": True}, {"on": 1}, [("on", True, 1)]),
        (
            {"image": picture("a.png", "1")},
            {"image": picture("a.png", "2")},
            [("image", picture("a.png", "1"), picture("a.png", "2"))],
        ),
        ({"image": picture("a.png", "1"), "n": 1}, {"image": picture("b.png", "1"), "n": 2}, [("n", 1, 2)]),
    ],
)
def test_the_part_of_an_input_that_differs_is_named(
    before: dict[str, Any], after: dict[str, Any], found: list[tuple[str, Any, Any]]
) -> None:
    plan = planned([job("one", **before)], [job("one", **after)])
    [changed] = changed_jobs(plan)
    parts = [part for change in changed.changes for part in details(change)]
    assert [(one.name, one.before, one.after) for one in parts] == found


@pytest.mark.parametrize(
    ("before", "after", "is_text"),
    [
        ({"aspectRatio": "16:9"}, {"aspectRatio": "1:1"}, False),
        ({"negativePrompt": "blur, noise"}, {"negativePrompt": "blur"}, True),
        ({"image": "x" * 90 + "1"}, {"image": "x" * 90 + "2"}, True),
        ({"width": 512}, {"width": "512"}, False),
    ],
)
def test_a_word_is_a_value_and_words_are_a_text(
    before: dict[str, Any], after: dict[str, Any], is_text: bool
) -> None:
    [changed] = changed_jobs(planned([job("one", **before)], [job("one", **after)]))
    assert is_text_change(changed.changes[0]) is is_text


def test_a_job_without_a_prompt_changes_like_any_other() -> None:
    bare = Job(id="one", prompt=None, model="m", params={"image": "asset_1"})
    [changed] = changed_jobs(planned([job("one", image="asset_1")], [bare]))
    assert [(one.name, one.dropped) for one in changed.changes] == [("prompt", True)]
    assert changed_under_new_ids(planned([bare], [job("two", image="asset_1")])) == ()


def test_an_edit_that_changes_the_id_too_is_shown_as_one() -> None:
    before = [job(f"thing-{n}", f"a picture of {name}, wide") for n, name in enumerate(["oak", "elm", "fir"])]
    after = [job(f"{one.id}-drawing", f"{one.prompt} drawing") for one in before]
    plan = planned(before, [*after, job("new", "nothing like it at all")])
    moved = changed_under_new_ids(plan)
    assert [(one.before.job.id, one.entry.job.id) for one in moved] == [
        (f"thing-{n}", f"thing-{n}-drawing") for n in range(3)
    ]
    assert len(changed_alike(moved)) == 1


def test_rows_of_one_template_are_no_edits_of_each_other() -> None:
    text = "a very long description of the {} that all of the rows have in common, in every word"
    before = [job(f"r{n}", text.format(f"item{n}")) for n in range(40)]
    plan = planned(before, [*before[1:], job("fresh", text.format("newcomer"))])
    assert changed_under_new_ids(plan) == ()


def test_another_id_alone_buys_nothing_and_is_told() -> None:
    plan = planned([job("one"), job("two", "a dog")], [job("uno"), job("two", "a dog")])
    assert (plan.to_submit, renamed(plan)) == ((), (("one", "uno"),))
