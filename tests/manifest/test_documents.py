"""What is written for people runs: the reference, the example and the starter."""

import re
from collections import Counter
from pathlib import Path

import pytest

from batchgen.manifest.reading import read_manifest
from batchgen.manifest.schema import (
    AxisText,
    DefaultsText,
    DoubtText,
    JobText,
    LimitsText,
    ManifestText,
    OutputText,
    RetryText,
)
from batchgen.manifest.starter import starter
from batchgen.manifest.values import Manifest
from batchgen.planning.name_checks import check_names
from tests.manifest.conftest import Read

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", REFERENCE, re.DOTALL)
EXAMPLES = [text for language, text in BLOCKS if language == "yaml"]
TABLES = {
    "prompts/icons.csv": next(text for language, text in BLOCKS if language == "csv"),
    "prompts/heroes.jsonl": next(text for language, text in BLOCKS if language == "jsonl"),
    "prompts/scenes.txt": next(text for language, text in BLOCKS if language == "text"),
    "prompts/props.yaml": next(text for language, text in BLOCKS if language == "yml"),
    "prompts/castle.txt": "a castle in {season}\n",
    "refs/style.png": "ink",
    "prompts/potions.csv": next(text for language, text in BLOCKS if language == "csv" and "Potion:" in text),
    "drawings/old/castle.png": "a drawing",
    "scans/old/castle.png": "a castle",
    "scans/mill.png": "a mill",
    "scans/mill-2.jpg": "another",
    "shared/props.yaml": "version: 1\njobs: [{prompt: a chest, model: model_imagen4-ultra}]\n",
}


def whole(example: str) -> str:
    """Complete an example that shows jobs or a key at the top."""
    if example.startswith("version:"):
        return example
    if example.startswith("- "):
        return f"version: 1\ndefaults: {{model: model_imagen4-ultra}}\njobs:\n{example}"
    if "\njobs:" in example:
        return f"version: 1\n{example}"
    return f"version: 1\njobs: [{{prompt: x, model: m}}]\n{example}"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_reference_is_a_manifest(read: Read, example: str) -> None:
    manifest = read(whole(example), files=TABLES, environ={"SCENARIO_PROJECT_ID": "proj_1"})
    assert manifest.jobs
    check_names(manifest, period=manifest.period, room=4000)


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
    assert read_example(read, "strength: 0.8").jobs[0].params["style"] == {"preset": "ink", "strength": 0.8}
    assert read_example(read, "aspectRatio: ~").jobs[1].params.keys() == {"style"}
    assert [job.prompt for job in read_example(read, "castle.txt").jobs] == [
        "a castle in spring",
        "a castle in winter",
    ]
    assert len(read_example(read, "sample: 2").jobs) == 2
    assert [job.id for job in read_example(read, "zip:").jobs][:2] == [
        "crest-heraldic-lion-gold",
        "crest-heraldic-heron-silver",
    ]
    assert read_example(read, "exclude:").previews == (
        "keep: 2 materials x 2 styles - 1 excluded + 1 included = 4 jobs",
    )
    assert read_example(read, "woodcut").jobs[2].prompt == "a lighthouse on a cliff, as a woodcut"
    assert read_example(read, "props.yaml\n  prompt").jobs[1].model == "model_imagen4-ultra"
    assert len(read_example(read, "shared/props").jobs) == 2
    assert len(read_example(read, "referenceImages: [{file: refs/style.png}]").files) == 1
    spoken = read_example(read, "Good morning").jobs
    assert [(job.id, job.prompt) for job in spoken] == [
        ("style", None),
        ("good-morning-ada", None),
        ("good-morning-grace", None),
    ]
    assert [job.id for job in read_example(read, "scans/**").jobs] == [
        "mill",
        "castle",
        "scans-mill-clean",
        "scans-mill-2-clean",
    ]
    assert read_example(read, "woodcut").jobs[-1].params == {"text": "a harbour in the fog"}
    assert [(job.id, job.params) for job in read_example(read, "{avoid?}").jobs] == [
        ("pier", {}),
        ("pier-people", {"negativePrompt": "people"}),
    ]
    assert read_example(read, "<<: *small").jobs[1].params == {"aspectRatio": "16:9"}


def test_the_reference_names_every_key() -> None:
    for part in (ManifestText, JobText, DefaultsText, LimitsText, OutputText, AxisText):
        for name, field in part.model_fields.items():
            assert f"`{field.alias or name}`" in REFERENCE


def test_the_example_is_valid_for_the_models_it_names() -> None:
    manifest = read_manifest(ROOT / "jobs.example.yaml", environ={})
    first = manifest.jobs[0]
    assert first.prompt == "a futuristic cityscape at sunset, with flying cars and neon signs, photorealistic"
    assert (first.model, first.params) == ("model_imagen4-ultra", {"aspectRatio": "16:9"})
    assert Counter(job.model for job in manifest.jobs) == {
        "model_imagen4-ultra": 15,
        "model_google-gemini-3-1-flash": 7,
        "model_bfl-flux-1-dev": 4,
        "model_openai-gpt-image-2": 2,
        "model_birefnet-background-removal": 3,
        "model_topaz-image-upscale": 2,
    }
    shapes = {job.params.get("aspectRatio", "1:1") for job in manifest.jobs if "imagen4" in job.model}
    assert shapes <= {"9:16", "3:4", "1:1", "4:3", "16:9"}


def test_the_example_shows_every_key() -> None:
    shown = (ROOT / "jobs.example.yaml").read_text() + (ROOT / "examples" / "more.yaml").read_text()
    for part in (ManifestText, JobText, DefaultsText, LimitsText, DoubtText, RetryText, OutputText, AxisText):
        for name, field in part.model_fields.items():
            assert re.search(rf"\b{field.alias or name}:\s", shown), name


def test_the_starter_is_a_manifest_of_its_batch(read: Read) -> None:
    manifest = read(starter("2026"))
    assert manifest.batch == "2026"
    assert len(manifest.jobs) == 5
