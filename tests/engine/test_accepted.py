"""Stories of edits, words of a person and runs that are cut: what was accepted is never bought."""

from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.model import Acceptance, Job, JobKey
from batchgen.planning.acceptance import Offer, offer, taken_back
from batchgen.planning.make_plan import make_plan
from batchgen.planning.plan import Plan
from tests.support.builders import records_of
from tests.support.virtual import SEEDED, Earth, Run

NAMES = ("tower", "mill")
steps = st.lists(
    st.tuples(
        st.sampled_from(["edit", "edit", "accept", "accept", "forget", "run", "cut"]),
        st.sampled_from(NAMES),
        st.integers(0, 3),
    ),
    min_size=2,
    max_size=9,
)


class Story:
    """One batch over time: its manifest's forms, a person's words, and the earth below."""

    def __init__(self) -> None:
        self.over = Earth()
        self.forms = dict.fromkeys(NAMES, 0)
        self.accepted: dict[Acceptance, JobKey] = {}

    def jobs(self) -> list[Job]:
        return [Job(id=name, prompt=f"a {name}, form {self.forms[name]}", model=SEEDED) for name in NAMES]

    def plan(self) -> Plan:
        return make_plan(self.jobs(), records_of(self.over), accepted=self.accepted)

    def run(self, cut_at: float | None = None) -> None:
        kept = [one.job.prompt or "" for one in self.plan().entries if one.accepted]
        before = len(self.over.service.submissions)
        Run(self.over, self.jobs(), accepted=self.accepted, cut_at=cut_at).go()
        bought = [one.body for one in self.over.service.submissions[before:]]
        assert not [body for body in bought if any(prompt in body for prompt in kept)]

    def accept(self, name: str) -> None:
        found = offer(self.plan(), name)
        if isinstance(found, Offer):
            self.accepted[found.acceptance] = found.bought

    def forget(self, name: str) -> None:
        found = taken_back(self.plan(), name)
        if isinstance(found, Acceptance):
            del self.accepted[found]

    def step(self, what: str, name: str, number: int) -> None:
        match what:
            case "edit":
                self.forms[name] = number
            case "accept":
                self.accept(name)
            case "forget":
                self.forget(name)
            case _:
                self.run(number + 0.5 if what == "cut" else None)


@settings(max_examples=40)
@given(steps)
def test_what_was_accepted_is_never_bought_and_nothing_is_lost(steps: list[tuple[str, str, int]]) -> None:
    story = Story()
    story.run()
    for what, name, number in steps:
        story.step(what, name, number)
    story.run()
    paid = story.over.service.submissions
    bodies = [one.body for one in paid]
    assert len(bodies) == len(set(bodies)), "nothing is bought twice"
    records = records_of(story.over).values()
    assert {one.remote_id for record in records for one in record.submissions} == {
        one.remote_id for one in paid
    }
    assert not story.plan().to_submit
