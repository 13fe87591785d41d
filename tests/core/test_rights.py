"""What is learnt of a key: what it may not do is told once, and taken back where it turns out that it may."""

from hypothesis import given
from hypothesis import strategies as st

from batchgen.rights import MEANINGS, KeyRights, Right, told

steps = st.lists(st.tuples(st.sampled_from(Right), st.sampled_from(["used", "lacks", "listen"])), max_size=30)


@given(steps)
def test_each_right_is_told_at_most_once_and_none_that_the_key_was_seen_to_have(
    steps: list[tuple[Right, str]],
) -> None:
    rights, said = KeyRights(), list[str]()
    used, listening = set[Right](), False
    for right, step in steps:
        match step:
            case "used":
                rights.used(right)
                used.add(right)
            case "lacks" if right not in used:  # a refusal of what was done before is no lack
                rights.lacks(right, "no")
            case "listen" if not listening:
                listening = True
                rights.listen(said.append)
    assert len(said) == len(set(said))
    assert not rights.missing.keys() & used
    assert all(rights.may(right) for right in used)
    if listening:
        assert {told(right, "no") for right in rights.missing} <= set(said)
    else:
        assert said == []


def test_every_right_says_what_goes_on_without_it_and_what_gives_it() -> None:
    assert MEANINGS.keys() == set(Right)
    assert all(one.may and one.call and one.without and one.remedy for one in MEANINGS.values())
