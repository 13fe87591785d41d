"""What goes with what: groups in step, samples, exclusions, inclusions, and what an edit leaves alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.identity import content_key, derive_seed
from batchgen.manifest.expand.axes import Axis, Pattern, choose, sampled, width
from batchgen.model import Job, JobKey, ModelInput, Scope
from tests.manifest.conftest import Complain, Read
from tests.manifest.test_expansion import jobs_of

TOP = "version: 1\ndefaults: {model: m}\njobs:\n"


def prompts_of(read: Read, entry: str, **options: object) -> list[str]:
    return [job.prompt or "" for job in read(f"{TOP}  - {entry}\n", **options).jobs]


def test_a_group_goes_in_step_beside_the_product(read: Read) -> None:
    entry = "{prompt: '{n} {c} {s}', zip: {n: [a, b], c: [x, y]}, matrix: {s: [1, 2]}}"
    assert prompts_of(read, entry) == ["a x 1", "b y 1", "a x 2", "b y 2"]


def test_each_of_several_groups_is_an_axis(read: Read) -> None:
    entry = "{prompt: '{a}{b}{c}', zip: [{a: [1, 2], b: [x, y]}, {c: [u, v]}]}"
    assert prompts_of(read, entry) == ["1xu", "1xv", "2yu", "2yv"]


def test_what_matches_a_part_is_excluded_and_a_whole_choice_is_included(read: Read) -> None:
    entry = (
        "{id: t, prompt: '{m} {s}', model: [m, n], matrix: {m: [oak, granite], s: [a, b]},"
        " exclude: [{m: oak, s: b}, {s: a, model: n}], include: [{m: ice, s: c, model: n}]}"
    )
    manifest = read(f"{TOP}  - {entry}\n")
    assert [(job.prompt, job.model) for job in manifest.jobs] == [
        ("oak a", "m"),
        ("granite a", "m"),
        ("granite b", "m"),
        ("granite b", "n"),
        ("ice c", "n"),
    ]
    assert manifest.previews == ("t: 2 models x 2 m x 2 s - 4 excluded + 1 included = 5 jobs",)


@pytest.mark.parametrize(
    ("entry", "preview"),
    [
        ("{id: t, prompt: x}", "t: 1 job"),
        ("{prompt: 'a {b} c', matrix: {b: x}}", "a {b} c: 1 job"),
        ("{id: t, prompt: [a, b], repeat: 3}", "t: 2 prompts x 3 repeats = 6 jobs"),
        (
            (
                "{id: tower, prompt: '{material} {style}', model: [m, n], matrix: {material: [oak, ice], "
                "style: [a, b]}, exclude: {material: oak, style: a, model: m}}"
            ),
            "tower: 2 models x 2 materials x 2 styles - 1 excluded = 7 jobs",
        ),
        (
            "{id: t, prompt: '{style}', matrix: {style: {sample: 2, of: [a, b, c]}}}",
            "t: 2 of 3 styles = 2 jobs",
        ),
        (
            "{id: t, prompt: '{name}{hue}', zip: {name: [a, b], hue: [x, y]}}",
            "t: 2 name-hue sets = 2 jobs",
        ),
        ("{id: 'i-{a}', prompt: '{a}', from: t.csv}", "i-{a}: 2 rows = 2 jobs"),
    ],
)
def test_a_preview_shows_the_arithmetic(read: Read, entry: str, preview: str) -> None:
    assert read(f"{TOP}  - {entry}\n", files={"t.csv": "a\n1\n2\n"}).previews == (preview,)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            "{prompt: '{a}', matrix: {a: [x]}, exclude: [{a: y}]}",
            'jobs.yaml:4:53: exclude: "y" is not a value of a',
        ),
        (
            "{prompt: '{mood}', matrix: {mood: [calm, wild]}, exclude: [{mood: clam}]}",
            'jobs.yaml:4:71: exclude: "clam" is not a value of mood; did you mean calm?',
        ),
        (
            "{prompt: '{mood}', matrix: {mood: [calm, wild]}, exclude: [{mod: calm}]}",
            "jobs.yaml:4:65: exclude: mod is not an axis; did you mean mood?",
        ),
        (
            "{prompt: '{a}{b}', matrix: {a: [1, 2], b: [3, 4]}, exclude: [{a: 1}, {a: 1, b: 3, model: x}]}",
            'jobs.yaml:4:94: "x" is none of the models here; they are m',
        ),
        (
            "{prompt: '{a}{b}', zip: {a: [1, 2], b: [3, 4]}, exclude: [{a: 1, b: 4}]}",
            "jobs.yaml:4:63: exclude: there is no such combination",
        ),
        (
            "{prompt: '{a}', matrix: {a: [x]}, exclude: [{a: x}]}",
            "jobs.yaml:4:48: exclude: nothing is left of this entry",
        ),
        (
            "{prompt: x, exclude: [{a: x}]}",
            "jobs.yaml:4:26: exclude: there is no matrix and no zip here to choose from",
        ),
        (
            "{prompt: '{a}{b}', matrix: {a: [x], b: [y]}, include: [{a: z}]}",
            "jobs.yaml:4:60: include: a value for b is missing; it adds a whole choice",
        ),
        (
            "{prompt: '{a}', matrix: {a: [x]}, include: [{a: x}]}",
            (
                "jobs.yaml:4:49: include: this combination is there already; "
                "to buy the same again write repeat: 2"
            ),
        ),
        (
            "{prompt: '{a}{b}', zip: {a: [1, 2], b: [3]}}",
            "jobs.yaml:4:29: zip: what goes in step has equal lengths; a has 2, b has 1",
        ),
        (
            "{prompt: '{a}{b}', matrix: {a: [1]}, zip: {a: [1, 2], b: [3, 4]}}",
            "jobs.yaml:4:48: zip: a is an axis already; rename it",
        ),
        (
            "{prompt: '{a}', zip: {a: [1, 1], b: [3, 4]}}",
            "jobs.yaml:4:27: a has the same values twice; to buy the same again write repeat: 2",
        ),
        (
            "{prompt: '{a}', matrix: {a: {sample: 3, of: [1, 2]}}}",
            "jobs.yaml:4:42: sample: 3 of 2 values; write a smaller number",
        ),
        (
            "{prompt: '{a}', matrix: {a: {sample: 3}}}",
            "jobs.yaml:4:33: of is missing; write the values of the axis there",
        ),
        (
            "{prompt: '{a}', matrix: {a: {smple: 3, of: [1]}}}",
            "jobs.yaml:4:34: unknown key smple; did you mean sample?",
        ),
        (
            "{prompt: '{a}', matrix: {a: {sample: 0, of: [~]}}}",
            (
                "jobs.yaml:4:42: matrix.a.sample: expected a whole number from 1\n"
                "jobs.yaml:4:50: matrix.a.of: expected text, a number or true/false, not nothing"
            ),
        ),
        (
            "{prompt: '{a}', zip: {a: [[]]}}",
            "jobs.yaml:4:31: zip.a: expected text, a number or true/false, not a list",
        ),
    ],
)
def test_what_does_not_go_together_is_said_at_its_place(
    complain: Complain, entry: str, expected: str
) -> None:
    assert complain(f"{TOP}  - {entry}\n") == expected.splitlines()


def test_a_product_may_be_large_before_it_is_excluded_but_not_beyond_sight(
    read: Read, complain: Complain
) -> None:
    values = ", ".join(map(str, range(20)))
    entry = f"{{prompt: '{{a}}{{b}}', matrix: {{a: [{values}], b: [{values}]}}, exclude: [%s]}}"
    excluded = ", ".join(f"{{a: {number}}}" for number in range(15))
    assert len(prompts_of(read, entry % excluded, max_jobs=150)) == 100
    assert complain(f"{TOP}  - {entry % excluded}\n", max_jobs=100) == [
        "jobs.yaml:4:5: 20 a x 20 b = 400 jobs, more than the 100 allowed at once; --max-jobs raises that"
    ]


WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=1, max_size=12, unique=True)


@given(values=WORDS, more=st.text("ijkl", min_size=1, max_size=4), count=st.integers(1, 5), data=st.data())
def test_a_value_more_to_choose_from_changes_at_most_one_of_a_sample(
    values: list[str], more: str, count: int, data: st.DataObject
) -> None:
    before = sampled("x", values, count)
    grown = list(values)
    grown.insert(data.draw(st.integers(0, len(values))), more)
    after = sampled("x", grown, count)
    assert len(after) == min(count, len(grown))
    assert len(set(before) - set(after)) <= 1
    assert set(after) - set(before) <= {more}


def axis(name: str, count: int) -> Axis:
    return Axis(names=(name,), rows=tuple((number,) for number in range(count)), written=count)


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    models=st.integers(1, 3),
    data=st.data(),
)
def test_a_choice_is_left_exactly_where_no_pattern_matches(
    sizes: list[int], models: int, data: st.DataObject
) -> None:
    axes = [axis(name, size) for name, size in zip("abc", sizes, strict=False)]
    drawn = data.draw(
        st.lists(
            st.tuples(
                st.fixed_dictionaries({}, optional={one.names[0]: st.integers(0, 3) for one in axes}),
                st.none() | st.frozensets(st.integers(0, models - 1), min_size=1, max_size=1),
            ),
            max_size=3,
        )
    )
    exclude = [Pattern(number, values, only) for number, (values, only) in enumerate(drawn)]
    made = choose(axes, models, exclude, [])
    left = {
        (tuple(one.values.items()), model)
        for one in made.all
        for model in (range(models) if one.models is None else one.models)
    }
    everything = choose(axes, models, [], [])
    expected = {
        (tuple(one.values.items()), model)
        for one in everything.all
        for model in range(models)
        if not any(
            pattern.values.items() <= one.values.items()
            and (pattern.models is None or model in pattern.models)
            for pattern in exclude
        )
    }
    assert left == expected
    assert width(made, models) == len(expected)


SCOPE = Scope(origin="simulator", project="", batch="b")
SEED = ModelInput(name="seed", type="number")


def identities(jobs: list[Job]) -> set[tuple[str, str, object]]:
    keys = [(job, JobKey(content_key(job))) for job in jobs]
    return {(job.id, key.content, derive_seed(SCOPE, key, 1, SEED)) for job, key in keys}


@given(
    groups=st.fixed_dictionaries({"x": WORDS, "y": WORDS, "z": WORDS}),
    grown=st.sampled_from("xyz"),
    at=st.integers(0, 12),
    excluded=st.booleans(),
)
def test_a_value_added_to_an_axis_changes_no_key_no_id_and_no_seed_of_others(
    groups: dict[str, list[str]], grown: str, at: int, excluded: bool
) -> None:
    def written() -> str:
        axes = ", ".join(f"{name}: [{', '.join(values)}]" for name, values in groups.items())
        less = f", exclude: [{{x: {first['x']}, y: {first['y']}}}]" if excluded and several else ""
        return f"{TOP}  - {{prompt: '{{x}} {{y}}', params: {{style: '{{z}}'}}, matrix: {{{axes}}}{less}}}\n"

    first = {name: values[0] for name, values in groups.items()}
    several = len(groups["x"]) > 1
    before = identities(jobs_of(written()))
    groups[grown].insert(at, "new")
    assert before < identities(jobs_of(written()))
