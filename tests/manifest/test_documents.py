"""What is written for people runs: the reference, the example and the starter."""

import re
from collections import Counter
from pathlib import Path

import pytest

from batchgen.manifest.reading import read_manifest
from batchgen.manifest.schema import DefaultsText, JobText, LimitsText, ManifestText, OutputText
from batchgen.manifest.starter import starter
from batchgen.manifest.values import Manifest
from tests.manifest.conftest import Read

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", REFERENCE, re.DOTALL)
EXAMPLES = [text for language, text in BLOCKS if language == "yaml"]
TABLES = {
    "prompts/icons.csv": next(text for language, text in BLOCKS if language == "csv"),
    "prompts/heroes.jsonl": next(text for language, text in BLOCKS if language == "jsonl"),
}


def whole(example: str) -> str:
    """Complete an example that shows jobs or a key at the top."""
    if example.startswith("version:"):
        return example
    if example.startswith("- "):
        return f"version: 1\ndefaults: {{model: model_imagen4-ultra}}\njobs:\n{example}"
    return f"version: 1\njobs: [{{prompt: x, model: m}}]\n{example}"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_reference_is_a_manifest(read: Read, example: str) -> None:
    manifest = read(whole(example), files=TABLES, environ={"SCENARIO_PROJECT_ID": "proj_1"})
    assert manifest.jobs


def read_example(read: Read, piece: str) -> Manifest:
    found = [example for example in EXAMPLES if piece in example]
    assert len(found) == 1
    return read(whole(found[0]), files=TABLES)


def test_the_reference_says_what_its_examples_become(read: Read) -> None:
    assert read_example(read, "matrix:\n    material").jobs[0].id == "tower-oak-pixel-art"
    assert [job.id for job in read_example(read, "icon-{colour}").jobs] == ["icon-red", "icon-deep-blue"]
    assert read_example(read, "prompts/icons.csv").jobs[1].params == {"width": 768}
    assert read_example(read, "prompts/heroes.jsonl").jobs[0].params == {"numInferenceSteps": 28}
    assert read_example(read, "{{{word}}}").jobs[0].prompt == 'a sign that reads "{open}"'
    assert read_example(read, "<<: *small").jobs[1].params == {"aspectRatio": "16:9"}


def test_the_reference_names_every_key() -> None:
    for part in (ManifestText, JobText, DefaultsText, LimitsText, OutputText):
        for name, field in part.model_fields.items():
            assert f"`{field.alias or name}`" in REFERENCE


def test_the_example_is_valid_for_the_models_it_names() -> None:
    manifest = read_manifest(ROOT / "jobs.example.yaml", environ={})
    first = manifest.jobs[0]
    assert first.prompt == "a futuristic cityscape at sunset, with flying cars and neon signs, photorealistic"
    assert (first.model, first.params) == ("model_imagen4-ultra", {"aspectRatio": "16:9"})
    assert Counter(job.model for job in manifest.jobs) == {
        "model_imagen4-ultra": 6,
        "model_google-gemini-3-1-flash": 4,
        "model_bfl-flux-1-dev": 2,
        "model_openai-gpt-image-2": 2,
    }
    assert {job.params["aspectRatio"] for job in manifest.jobs if job.model == "model_imagen4-ultra"} <= {
        "9:16",
        "3:4",
        "1:1",
        "4:3",
        "16:9",
    }


def test_the_starter_is_a_manifest_of_its_batch(read: Read) -> None:
    manifest = read(starter("2026"))
    assert manifest.batch == "2026"
    assert len(manifest.jobs) == 5
