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


def test_warnings_stop_nothing_and_are_shown_by_every_command_that_looks_at_a_manifest(shell: Shell) -> None:
    shell.write("jobs.yaml", "version: 1\njobs:\n  - {prompt: red #1\n    , model: model_imagen4-ultra}\n")
    shown = "jobs.yaml:3:18: warning: a # begins a comment"
    given = {"file": "jobs.yaml", "line": 3, "column": 18}
    for words in (("validate", "--offline"), ("plan", "--offline"), ("run", "--simulate", "--quiet")):
        done = shell.call(words[0], "jobs.yaml", "--json", *words[1:])
        assert (done.status, done.err.count(shown)) == (0, 1)
        assert "  3 |   - {prompt: red #1\n    |                  ^\n" in done.err
        (warning,) = done.json["warnings"]
        assert given.items() <= warning.items()
        assert warning["hint"].startswith('write prompt: "red #1"')
    strict = shell.call("validate", "jobs.yaml", "--json", "--offline", "--strict")
    assert (strict.status, strict.json["warnings"]) == (2, [])
    assert given.items() <= strict.json["problems"][0].items()
    assert strict.err.startswith("jobs.yaml:3:18: a # begins")


def test_warnings_stand_beside_the_problems_of_the_same_file(shell: Shell) -> None:
    shell.write("jobs.yaml", "version: 1\njobs:\n  - {promt: a, prompt: red #1\n    , model: m}\n")
    done = shell.call("validate", "jobs.yaml", "--json")
    assert (len(done.json["problems"]), len(done.json["warnings"])) == (1, 1)
    planned = shell.call("plan", "jobs.yaml", "--json")
    assert (planned.status, len(planned.json["warnings"])) == (2, 1)
    assert "warning: a # begins" in planned.err
    strict = shell.call("validate", "jobs.yaml", "--json", "--strict")
    assert (len(strict.json["problems"]), len(strict.json["warnings"])) == (2, 0)
