"""What a person and an editor are shown of a manifest: its problems, and what its entries stand for."""

from tests.cli.conftest import Shell

BAD = "version: 1\njobs:\n  - {promt: a castle, model: m}\n  - {prompt: '{name}', from: t.csv, model: m}\n"


def test_problems_are_shown_with_their_lines_and_given_to_editors_as_json(shell: Shell) -> None:
    shell.write("jobs.yaml", BAD)
    shell.write("t.csv", "name,colour\n" + ",red\n" * 1000)
    done = shell.call("validate", "jobs.yaml", "--json")
    assert done.status == 2
    assert done.json["jobs"] == 0
    assert done.json["problems"][0] == {
        "file": "jobs.yaml",
        "line": 3,
        "column": 6,
        "message": "unknown key promt",
        "hint": "did you mean prompt?",
    }
    assert "  3 |   - {promt: a castle, model: m}\n    |      ^\n" in done.err
    assert "t.csv:5: and 997 more rows like this (lines 5-1001)" in done.err


def test_the_plan_says_what_each_entry_stands_for(shell: Shell) -> None:
    shell.write(
        "jobs.yaml",
        "version: 1\njobs:\n  - {id: t, prompt: '{style}', model: [m, n], matrix: {style: [a, b, c]},"
        " exclude: [{style: a, model: m}]}\n",
    )
    said = "t: 2 models x 3 styles - 1 excluded = 5 jobs"
    done = shell.call("plan", "jobs.yaml", "--json", "--offline")
    assert done.json["previews"] == [said]
