"""Words of the command line, and the jobs that they mean."""

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.planning.conditions import Facts, Known, Part, Word, parse
from batchgen.planning.marks import Mark
from batchgen.planning.selection import JobSelection, Selected, of_ids, selected

STATUSES = ("pending", "running", "in_doubt", "succeeded", "failed", "done", "not_bought", "files_missing")


@dataclass(frozen=True)
class OneJob:
    """A job with what it is found by."""

    id: str
    entry: str = ""
    model: str = "model_flux"
    tags: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ("pending", "not_bought")
    variables: Mapping[str, str] = field(default_factory=dict)
    mark: Mark | None = None
    assets: tuple[str, ...] = ()

    def value(self, name: str) -> str | None:
        return self.variables.get(name)


JOBS = (
    OneJob("tower-oak", "tower", tags=("cover", "wood"), variables={"rarity": "rare", "wide": "1.50"}),
    OneJob("tower-ice", "tower", tags=("cover",), variables={"rarity": "common", "wide": "007"}),
    OneJob("castle", statuses=("failed",), variables={"size": "a,b"}, mark=Mark.REJECTED),
    OneJob("a=b", model="model_pixel", mark=Mark.KEPT, assets=("asset_1", "asset_2")),
    OneJob("tag:cover", tags=("x,y",)),
    OneJob("what?", "odd [1]"),
    OneJob("@hero", statuses=("succeeded", "files_missing")),
    OneJob("one,two"),
)


def no_file(text: str) -> Part:
    return Part(text, fault=f"{text}: there is no such file")


def words(
    *texts: str, place: str = "JOB", lists: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Word, ...]:
    def read(text: str) -> Part:
        if lists is None or text not in lists:
            return no_file(text)
        listed = lists[text]
        return Part(text, tuple(parse(one, f"{text}:{line}", no_file) for line, one in enumerate(listed, 1)))

    return tuple(parse(one, place, read) for one in texts)


def chosen(
    *texts: str,
    only: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    unfit: tuple[str, ...] | None = None,
    lists: Mapping[str, tuple[str, ...]] | None = None,
) -> Selected:
    selection = JobSelection(
        jobs=words(*texts, lists=lists),
        only=words(*only, place="--only", lists=lists),
        without=words(*without, place="--except", lists=lists),
    )
    why = None if unfit is None else lambda name: f"{name} is not fit" if name in unfit else None
    return selected(selection, Known(jobs=JOBS, statuses=STATUSES), unfit=why)


def ids(*texts: str, **more: tuple[str, ...]) -> tuple[str, ...]:
    found = chosen(*texts, **more)  # type: ignore[arg-type]  # of every kind of word a tuple
    assert found.wrong == ()
    assert found.ids == tuple(JOBS[place].id for place in found.places)
    return found.ids


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("tower-*", ("tower-oak", "tower-ice")),
        ("tower-[oi]??", ("tower-oak", "tower-ice")),
        ("tag:wood", ("tower-oak",)),
        ("tag:c*", ("tower-oak", "tower-ice")),
        ("entry:tower", ("tower-oak", "tower-ice")),
        ("entry:odd [1]", ("what?",)),
        ("model:*pixel", ("a=b",)),
        ("status:failed", ("castle",)),
        ("status: Files missing", ("@hero",)),
        ("status:files-missing", ("@hero",)),
        ("status:f*", ("castle", "@hero")),
        ("mark:kept", ("a=b",)),
        ("mark:Rejected", ("castle",)),
        ("mark:*e?t*", ("castle", "a=b")),
        ("mark:none,entry:tower", ("tower-oak", "tower-ice")),
        ("asset_2", ("a=b",)),
        ("rarity=rare", ("tower-oak",)),
        ("rarity=*", ("tower-oak", "tower-ice")),
        ("wide=1.50", ("tower-oak",)),
        ("wide=007", ("tower-ice",)),
        ("tag:x\\,y", ("tag:cover",)),
        ("size=a\\,b", ("castle",)),
        ("tag:wood,rarity=rare", ("tower-oak",)),
        ("tower-*, status:pending , wide=1*", ("tower-oak",)),
        ("one\\,two,status:pending", ("one,two",)),
    ],
)
def test_a_word_means_all_that_is_like_it_in_the_order_of_the_manifest(
    text: str, meant: tuple[str, ...]
) -> None:
    assert ids(text) == ids(only=(text,)) == meant
    assert ids("*", without=(text,)) == tuple(one.id for one in JOBS if one.id not in meant)
    assert ids(without=(text,)) == ids("*", without=(text,))


def test_words_of_one_kind_are_any_of_them_and_those_of_two_kinds_both() -> None:
    assert ids("castle", "tower-*") == ("tower-oak", "tower-ice", "castle")
    assert ids("castle", "tower-*", only=("rarity=rare", "status:failed")) == ("tower-oak", "castle")
    assert ids("castle", "tower-*", only=("tag:*",), without=("tag:wood",)) == ("tower-ice",)


# The kind: an id that looks like something else. Each means its own job and no other.
@pytest.mark.parametrize("name", [one.id for one in JOBS])
def test_an_id_means_its_own_job_whatever_characters_it_has(name: str) -> None:
    assert ids(name) == ids(only=(name,)) == (name,)
    assert name not in ids(without=(name,))
    assert len(ids(without=(name,))) == len(JOBS) - 1


def test_a_part_of_a_word_that_is_an_id_means_that_job_too() -> None:
    assert ids("tag:cover,status:pending") == ("tag:cover",)
    assert chosen("what?,status:failed").wrong == ("JOB: no job is all of 'what?' and 'status:failed'",)


LISTS = {"@picks": ("castle", "tag:wood,rarity=rare"), "@bad": ("castle", "towr-oak", "@picks")}


def test_a_file_is_any_of_its_words_also_beside_a_comma() -> None:
    assert chosen("@picks", lists=LISTS).ids == ("tower-oak", "castle")
    assert chosen("@picks,status:failed", lists=LISTS).ids == ("castle",)
    assert chosen("*", without=("@picks",), lists=LISTS).ids[0] == "tower-ice"


def test_what_is_wrong_in_a_file_is_said_with_its_line() -> None:
    for text in ("@bad", "@bad,status:pending"):
        told = chosen(text, lists=LISTS).wrong
        assert "@bad:2: no job 'towr-oak' in this manifest; did you mean 'tower-oak'?" in told
        assert "@bad:3: @picks: there is no such file" in told
    assert chosen("@none").wrong == ("JOB: @none: there is no such file",)


# The kind: a word that means nothing. Each says what it may have meant, of its own kind.
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("castel", "no job 'castel' in this manifest; did you mean 'castle'?"),
        ("gate-*", "no job in this manifest has an id like 'gate-*'"),
        ("tower", "no job 'tower' in this manifest; did you mean 'entry:tower'?"),
        ("tag:covr", "no job has a tag 'covr'; did you mean 'cover'?"),
        ("tag:zzz", "no job has a tag 'zzz'; there are 'cover', 'wood', 'x,y'"),
        ("entry:towr", "no job has an entry 'towr'; did you mean 'tower'?"),
        ("model:model_flx", "no job has a model 'model_flx'; did you mean 'model_flux'?"),
        ("model:zz*", "no job has a model like 'zz*'; there are 'model_flux', 'model_pixel'"),
        ("status:fail", "no status is called 'fail'; did you mean 'failed'?"),
        ("status:running", "no job has status 'running'; there are 'pending', 'not_bought', 'failed'"),
        ("rarty=rare", "no job has a variable 'rarty'; did you mean 'rarity'?"),
        ("rarity=rar", "rarity is 'rar' in no job; did you mean 'rare'?"),
        ("tag=cover", "no variable is called 'tag'; did you mean 'tag:cover'?"),
        ("rarity:rare", "'rarity:' is unknown; a variable is written 'rarity=rare'"),
        ("style:oil", "'style:' is unknown; there are tag:, entry:, model:, status:, mark:"),
        ("mark:keep", "no mark is called 'keep'; did you mean 'kept'?"),
        ("mark:good", "no mark is called 'good'; there are 'kept', 'rejected', 'none'"),
        ("kept", "no job 'kept' in this manifest; did you mean 'mark:kept'?"),
        ("asset_3", "no job in this manifest is called 'asset_3' or has an asset of that id"),
        ("tags:cover", "'tags:' is unknown; did you mean 'tag:cover'?"),
        ("tag:wood,status:failed", "no job is all of 'tag:wood' and 'status:failed'"),
        ("tag:wood,entry:castle", "no job has an entry 'castle'; did you mean"),
        ("tag:", "write what is meant behind 'tag:', as in 'tag:NAME'"),
        ("", "nothing stands here; write an id such as 'tower-*', or tag:NAME"),
        ("tag:wood,", "nothing stands between two commas"),
    ],
)
def test_a_word_that_means_nothing_says_what_may_be_meant(text: str, told: str) -> None:
    if text != "tag:wood,entry:castle":
        assert told in chosen(text).wrong[0]
    for found in (chosen(text), chosen(only=(text,)), chosen("*", without=(text,))):
        assert len(found.wrong) == 1


def test_words_that_mean_jobs_and_none_together_are_wrong() -> None:
    assert chosen("castle", only=("tag:*",)).wrong == ("no job is meant both by JOB and by --only",)
    assert chosen("castle", without=("c*",)).wrong == ("--except takes away every job that is meant",)


def test_of_many_wrong_words_the_first_are_explained_and_the_others_counted() -> None:
    told = chosen(*(f"none-{number}" for number in range(30))).wrong
    assert (len(told), told[-1]) == (11, "and 20 more words that mean no job")


def test_where_there_is_no_manifest_a_word_that_needs_it_says_so() -> None:
    known = Known(jobs=JOBS, statuses=STATUSES, without_manifest="it is gone", where="on record")
    for text in ("tag:wood", "entry:tower", "rarity=rare", "castle,tag:*"):
        told = selected(JobSelection(only=words(text)), known).wrong
        assert "needs the manifest, and it is gone" in told[0], text
    for text in ("castle", "tower-*", "model:*flux", "status:failed", "a=b"):
        assert not selected(JobSelection(only=words(text)), known).wrong, text


def test_a_named_job_that_is_not_fit_is_wrong_and_one_of_a_pattern_is_passed_over() -> None:
    assert chosen("tower-oak", unfit=("tower-oak",)).wrong == ("tower-oak is not fit",)
    assert chosen("tower-*", unfit=("tower-oak",))[1:] == (("tower-ice",), ())
    assert chosen("tower-*", only=("tag:co*",), unfit=("tower-oak",))[1:] == (("tower-ice",), ())


def test_a_pattern_of_which_nothing_is_fit_is_wrong() -> None:
    every = tuple(one.id for one in JOBS)
    assert chosen("tower-*", unfit=every).wrong == ("of 2 jobs like 'tower-*' there is none to do this with",)


NAMES = st.text(st.sampled_from("ab*?[],:=@\\ é"), min_size=1, max_size=4)
SOME = st.lists(
    st.builds(
        OneJob,
        NAMES,
        st.sampled_from(("", "a", "b")),
        st.sampled_from(("a", "ab")),
        st.lists(NAMES, max_size=2).map(tuple),
        st.sampled_from((("failed",), ("pending", "not_bought"))),
        st.dictionaries(st.sampled_from(("a", "b")), NAMES, max_size=2),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.id,
)
TYPED = st.one_of(
    NAMES, st.sampled_from(("*", "tag:a*", "entry:a", "model:a*", "status:failed", "a=*", "b=a,tag:*", "?"))
)


def meant(jobs: list[OneJob], selection: JobSelection) -> Selected:
    return selected(selection, Known(jobs=jobs, statuses=STATUSES))


@given(SOME)
def test_an_id_selects_exactly_its_job_among_all_others(jobs: list[OneJob]) -> None:
    for one in jobs:
        assert meant(jobs, JobSelection(only=words(one.id)))[1:] == ((one.id,), ())
        assert meant(jobs, of_ids([one.id])).ids == (one.id,)


@given(SOME, st.lists(TYPED, min_size=1, max_size=3), st.lists(TYPED, max_size=2))
def test_words_are_unions_commas_intersections_and_except_a_difference(
    jobs: list[OneJob], some: list[str], taken: list[str]
) -> None:
    def alone(text: str) -> set[str]:
        return set(meant(jobs, JobSelection(only=words(text))).ids)

    found = meant(jobs, JobSelection(only=words(*some), without=words(*taken)))
    wanted = set().union(*map(alone, some)) - set().union(*map(alone, taken))
    order = [one.id for one in jobs]
    assert found.ids == tuple(name for name in order if name in wanted)
    assert bool(found.wrong) or wanted
    plain = [one for one in some if "," not in one and one not in order]
    if len(plain) > 1 and (both := ",".join(plain)) not in order:
        assert set(meant(jobs, JobSelection(only=words(both))).ids) == set.intersection(*map(alone, plain))


@given(st.lists(st.text(max_size=6), min_size=1, max_size=5))
def test_whatever_is_typed_means_jobs_of_the_manifest_or_is_said_to_be_wrong(typed: list[str]) -> None:
    found = chosen(*typed)
    assert set(found.ids) <= {one.id for one in JOBS}
    assert found.ids or found.wrong


class Counting:
    """Very many jobs, of which it is counted how often all are looked at."""

    def __init__(self, count: int) -> None:
        self.looks = 0
        self.jobs = [
            OneJob(f"job-{one}", tags=("odd",) if one % 2 else ("even",), variables={"place": str(one)})
            for one in range(count)
        ]

    def __iter__(self) -> Iterator[Facts]:
        self.looks += 1
        return iter(self.jobs)


def test_of_very_many_jobs_all_words_are_held_against_each_in_one_go() -> None:
    many = Counting(20_000)
    known = Known(jobs=many, statuses=STATUSES)
    named = [one.id for one in random.Random(1).sample(many.jobs, 5_000)]
    began = time.process_time()
    found = selected(JobSelection(jobs=words(*named), only=words("tag:odd"), without=words("job-1*")), known)
    assert set(found.ids) == {one for one in named if int(one[4:]) % 2 and not one.startswith("job-1")}
    values = [f"place={number}" for number in range(0, 20_000, 4)]  # a column of a sheet, pasted
    assert len(selected(JobSelection(only=words(*values)), known).ids) == 5_000
    assert time.process_time() - began < 5  # a second here
    assert many.looks == 4  # each time once for the ids, once for the rest
    began = time.process_time()
    assert "did you mean 'job-5000'?" in selected(JobSelection(jobs=words("jbo-5000")), known).wrong[0]
    assert time.process_time() - began < 3


def test_nothing_of_a_job_is_asked_that_no_word_needs() -> None:
    class Shy(OneJob):
        """A job that has no variables to ask for."""

        def value(self, name: str) -> str | None:
            raise AssertionError(name)

    assert meant([Shy("tower", tags=("cover",))], JobSelection(only=words("tag:cover,tower"))).ids == (
        "tower",
    )
