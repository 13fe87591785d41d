"""Files at large: every member of the corpus gives the jobs that are right, or the sentences that help."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from batchgen.errors import ManifestError
from batchgen.identity import content_key
from batchgen.manifest.reading import read_manifest
from batchgen.model import Json
from tests.manifest.corpus.member import Member
from tests.manifest.corpus.records import RECORDS
from tests.manifest.corpus.spreadsheets import SPREADSHEETS
from tests.manifest.corpus.texts import TEXTS

CORPUS = [*SPREADSHEETS, *RECORDS, *TEXTS]


@pytest.mark.parametrize("member", CORPUS, ids=[one.name for one in CORPUS])
def test_a_file_gives_its_jobs_or_says_what_is_wrong(
    member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(member.file).write_bytes(member.raw)
    named = "" if "file:" in member.entry else f"from: {member.file}, "
    text = f"version: 1\ndefaults: {{model: m}}\njobs:\n  - {{{named}{member.entry}}}\n"
    Path("jobs.yaml").write_text(text, encoding="utf-8")
    prompts, params, problems, warnings = outcome()
    assert (problems, warnings) == (list(member.problems), list(member.warnings))
    assert prompts == list(member.prompts)
    assert params == list(member.params or params)


def outcome() -> tuple[list[str], list[Mapping[str, Json]], list[str], list[str]]:
    """Return the prompts, the parameters, the problems and the warnings of the manifest here."""
    try:
        manifest = read_manifest(Path("jobs.yaml"), environ={})
    except ManifestError as error:
        return [], [], [str(one) for one in error.problems], [str(one) for one in error.warnings]
    jobs = manifest.jobs
    return (
        [one.prompt or "" for one in jobs],
        [one.params for one in jobs],
        [],
        [str(one) for one in manifest.warnings],
    )


def test_every_member_has_a_name_of_its_own_and_there_are_many() -> None:
    assert len({one.name for one in CORPUS}) == len(CORPUS) > 200


@pytest.mark.parametrize(
    ("file", "text", "entry"),
    [
        (
            "t.csv",
            'n,prompt\n1,"a mill\nat dusk"\n2,a barn',
            'from: t.csv, prompt: "{prompt}", params: {n: "{n}"}',
        ),
        (
            "t.tsv",
            'n\tprompt\n1\t"a mill\nat dusk"\n',
            'from: t.tsv, prompt: "{prompt}", params: {s: "x{prompt}"}',
        ),
        ("t.txt", "a mill\n\na barn\n", "from: t.txt"),
        (
            "t.jsonl",
            '{"prompt": "a mill\\nat dusk"}\n{"prompt": "a barn"}\n',
            'from: t.jsonl, prompt: "{prompt}"',
        ),
        ("t.json", '[\n{"prompt": "a mill\\nat dusk"}\n]\n', 'from: t.json, prompt: "{prompt}"'),
        ("t.yaml", "- prompt: |\n    a mill\n\n    at dusk\n", 'from: t.yaml, prompt: "{prompt}"'),
        ("p.txt", "a mill\n\nat dusk\n", "prompt: {file: p.txt}"),
    ],
)
def test_the_same_text_under_other_line_ends_is_the_same_job(
    file: str, text: str, entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("jobs.yaml").write_text(
        f"version: 1\ndefaults: {{model: m}}\njobs:\n  - {{{entry}}}\n", encoding="utf-8"
    )
    found = []
    for end in ("\n", "\r\n", "\r"):
        Path(file).write_bytes(
            text.replace("\n", end).replace("\\n", end.encode("unicode_escape").decode()).encode()
        )
        found.append([content_key(job) for job in read_manifest(Path("jobs.yaml"), environ={}).jobs])
    assert found[0] == found[1] == found[2]
