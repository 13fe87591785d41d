"""The schema of results.json, the page that describes it, and what is written: they name the same things."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from batchgen.output.entries import Row, Status
from batchgen.output.results import COLUMNS, results_document, results_json, results_schema
from batchgen.output.summary import Results
from batchgen.planning.stages import Stage
from tests.support.results_format import closed, faults

PAGE = (Path(__file__).parent.parent.parent / "docs" / "results.md").read_text("utf-8")
SCHEMA: Mapping[str, Any] = json.loads(results_schema())

# each heading of the page with the part of the schema that it describes
PARTS = {
    "The document": SCHEMA,
    "A job": SCHEMA["$defs"]["job"],
    "A file": SCHEMA["$defs"]["file"],
    "The cost of a job": SCHEMA["$defs"]["cost"],
    "The summary": SCHEMA["$defs"]["summary"],
}


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def first_cells(title: str) -> list[str]:
    """Return the words in the first column of a section's table, those of one cell apart."""
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    return [word for line in lines for word in re.findall(r"`([^`]+)`", line.split(" | ")[0])]


def objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for one in schema.values():
            yield from objects(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from objects(one)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert closed(SCHEMA) != SCHEMA, "further keys are allowed, and refused by the tests alone"


@pytest.mark.parametrize("title", PARTS)
def test_the_page_names_every_key_and_no_other(title: str) -> None:
    assert first_cells(title) == list(PARTS[title]["properties"])


def test_keys_of_small_objects_are_on_the_page_too() -> None:
    for name, title in [
        ("manifest", "The document"),
        ("times", "A job"),
        ("error", "A job"),
        ("bought_as", "A job"),
        ("counts", "The summary"),
    ]:
        part = PARTS[title]["properties"][name]
        keys = part.get("properties") or part["anyOf"][0]["properties"]
        (line,) = [one for one in section(title).splitlines() if one.startswith(f"| `{name}` |")]
        assert set(keys) <= set(re.findall(r"`([a-z_0-9]+)`", line)), name
    earlier = SCHEMA["$defs"]["earlier"]["properties"]
    assert [
        one for one in re.findall(r"`([a-z_]+)`", section("What a job had before")) if one in earlier
    ] == (list(earlier))


def test_the_page_and_the_schema_name_every_status_and_no_other() -> None:
    open_set = SCHEMA["$defs"]["status"]["anyOf"]
    assert [one["const"] for one in open_set[:-1]] == [str(one) for one in Status]
    assert open_set[-1] == {"type": "string"}, "words may be added"
    assert first_cells("The status of a job") == [str(one) for one in Status]
    for one in open_set[:-1]:
        assert f"| `{one['const']}` | {one['description']} |" in PAGE


def test_the_counts_are_those_of_the_stages() -> None:
    counts = SCHEMA["$defs"]["summary"]["properties"]["counts"]["properties"]
    assert list(counts) == [one.value.replace(" ", "_") for one in Stage]


def test_the_page_names_every_column_and_no_other() -> None:
    *fixed, variables = first_cells("The table")
    assert sorted(fixed) == sorted(COLUMNS)
    assert variables == "var.NAME"


def test_everything_is_described_and_every_value_has_an_example_or_says_what_it_is() -> None:
    for one in objects(SCHEMA):
        for name, part in one["properties"].items():
            assert part.get("description") or "$ref" in part, name
            for example in part.get("examples", ()):
                assert not list(Draft202012Validator({**part, "$defs": SCHEMA["$defs"]}).iter_errors(example))


def test_what_is_written_is_as_the_schema_says_and_has_no_key_that_it_does_not_name(results: Results) -> None:
    assert faults(json.loads(b"".join(results_json(results)))) == []


def test_the_schema_takes_what_an_earlier_version_wrote(results: Results) -> None:
    document = json.loads(b"".join(results_json(results)))
    for job in (*document["jobs"], *document["removed"]):
        for name in ("entry", "vars", "tags", "parents", "earlier"):
            del job[name]
        for file in job["files"]:
            for name in ("width", "height", "duration", "kind", "type"):
                del file[name]
    assert faults(document) == []


def test_a_reader_of_the_schema_takes_what_a_later_version_adds(results: Results) -> None:
    document = json.loads(b"".join(results_json(results)))
    document["jobs"][0] |= {"parents": [], "mark": "kept", "status": "blocked"}
    document["new"] = {}
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []
    assert faults(document) != []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda job: job.pop("prompt"), "'prompt' is a required property"),
        (lambda job: job.update(prompt=3), "3 is not of type 'string', 'null'"),
        (lambda job: job.update(vars=[]), "[] is not of type 'object'"),
        (lambda job: job["files"][0].update(width=0), "0 is less than the minimum of 1"),
        (lambda job: job.update(earlier=[{}]), "'job_id' is a required property"),
    ],
)
def test_the_schema_refuses_what_is_wrong(
    results: Results, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    document = json.loads(b"".join(results_json(results)))
    change(document["jobs"][0])
    assert any(told in one for one in faults(document))


def test_a_job_that_no_manifest_has_any_more_has_no_words(make_row: Callable[..., Row]) -> None:
    made = Results(
        batch="b", manifest_path="m", manifest_sha256="", rows=[], removed=[make_row("a", "p")], written_at=0
    )
    (one,) = results_document(made)["removed"]
    assert (one["entry"], one["vars"], one["tags"], one["earlier"]) == (None, {}, [], [])
