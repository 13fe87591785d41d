"""The schema that editors read and the code that reads manifests say the same."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from batchgen.catalog.editor import manifest_schema
from batchgen.errors import InputError
from batchgen.manifest.source.document import read_document
from batchgen.manifest.source.problems import Problems
from batchgen.manifest.starter import starter
from tests.manifest.conftest import Complain, Read
from tests.manifest.declared_models import CUT_OUT, RECORDED

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
WHOLE = [
    starter("spring"),
    (ROOT / "jobs.example.yaml").read_text(encoding="utf-8"),
    *(text for text in re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL) if text.startswith("version:")),
]
HEAD = "version: 1\ndefaults: {model: m}\n"

GOOD = [
    "jobs: [{prompt: x}]",
    "jobs: [{params: {image: asset_1}}]",  # whether a prompt is needed is the model's to say
    "jobs: [{id: '{stem}', from: {files: '*.yaml'}, params: {image: {file: '{path}'}}}]",
    "jobs: [{from: {files: ['*.yaml', 'jobs.*']}, prompt: 'a {stem}'}]",
    "jobs: [{id: a, prompt: x}, {from: {jobs: a}, params: {image: {job: '{job}'}}}]",
    "jobs: [{id: a, prompt: x}, {params: {i: {job: a, output: 0}, j: {job: a, outputs: all}}}]",
    "jobs: [{id: a, prompt: x}, {params: {i: [{job: a, output: '{n}'}, {k: {job: a}}]}, vars: {n: 1}}]",
    "jobs: [{id: a, prompt: x, params: {i: {job: b, of: c}, j: {output: x}}}]",
    "jobs: [{prompt: [x, y], model: [m, n], repeat: 2, seed: none}]",
    "jobs: [{prompt: 'a {c}', matrix: {c: [red, 1, true]}, params: {deep: {list: [1, {a: b}]}}}]",
    "jobs: [{prompt: 'a {c}', matrix: {c: red}, tags: t, unchecked: [image]}]",
    "jobs: [{prompt: 'a {c}', matrix: {c: {of: [red, blue], sample: 1}}}]",
    "jobs: [{prompt: 'a {c} {d}', zip: {c: [red, blue], d: [1, 2]}}]",
    "jobs: [{prompt: 'a {c}', matrix: {c: [red, blue]}, exclude: [{c: red}]}]",
    "x-anchors: [1]\njobs: [{prompt: x}]",
    "vars: {a: 1, b: [2]}\njobs: [{prompt: '{a}'}]",
    "jobs: [{prompt: x, entry: Big towers}, {prompt: y, entry: {part_of: Big towers}}]",
    "jobs: [{prompt: x, vars: {a: 1, b: [2], c: {d: ~}}}]",
    "limits: {rate: 100/min, in_flight: auto}\njobs: [{prompt: x}]",
    "limits: {rate: 10 / 30s, in_flight: 3}\njobs: [{prompt: x}]",
    "limits: {rate: none}\njobs: [{prompt: 'a {c?}', matrix: {c: ['', x]}, params: {n: ['{c?}']}}]",
    "timeout: 1h30m\nretry: {attempts: 2}\njobs: [{prompt: x}]",
    "timeout: 90\ndoubt: {then: hold, settle: 0.5, settle_max: 2min}\njobs: [{prompt: x}]",
    "output: {download: false, files: '{asset_id}'}\njobs: [{prompt: x}]",
    "budget: {total: 9.5, chains: steps, estimate: 2}\njobs: [{prompt: x}]",
    "budget: {per_day: 9, chains: whole, estimate: 0.25}\njobs: [{prompt: x}]",
    "batch: spring-1\nperiod: day\ntz: UTC\njobs: [{prompt: x}]",
    "period: month\njobs: [{prompt: x}]",
    "period: hour\njobs: [{prompt: x}]",
]
BAD = [
    "jobs: []",
    "jobs: {prompt: x}",
    "jobs: [{prompt: x, colour: red}]",
    "colour: red\njobs: [{prompt: x}]",
    "jobs: [{prompt: x, from: {}}]",
    "jobs: [{prompt: x, from: [a.csv]}]",
    "jobs: [{prompt: x, from: {files: []}}]",
    "jobs: [{prompt: x, from: {files: [1]}}]",
    "jobs: [{prompt: x, from: {files: ''}}]",
    "jobs: [{prompt: x, from: {files: ~}}]",
    "jobs: [{prompt: x, from: {files: '*.png', sorted: true}}]",
    "jobs: [{id: a, prompt: x}, {from: {jobs: ''}, params: {i: {job: '{job}'}}}]",
    "jobs: [{id: a, prompt: x}, {from: {jobs: [a]}, params: {i: {job: '{job}'}}}]",
    "jobs: [{id: a, prompt: x}, {from: {jobs: a, only: b}, params: {i: {job: '{job}'}}}]",
    "jobs: [{id: a, prompt: x}, {from: {jobs: a, files: '*'}, params: {i: {job: '{job}'}}}]",
    "jobs: [{id: a, prompt: x}, {params: {i: {job: a, output: -1}}}]",
    "jobs: [{id: a, prompt: x}, {params: {i: [{job: a, outputs: some}]}}]",
    "jobs: [{id: a, prompt: x}, {params: {i: {k: {job: a, output: 0, outputs: all}}}}]",
    "jobs: [{id: a, prompt: x}, {params: {i: {job: ''}}}]",
    "jobs: [{prompt: ''}]",
    "jobs: [{prompt: 12}]",
    "jobs: [{prompt: []}]",
    "jobs: [{prompt: }]",
    "jobs: [{prompt: [x, ~]}]",
    "jobs: [{prompt: x, id: 7}]",
    "jobs: [{prompt: x, entry: 7}]",
    "jobs: [{prompt: x, entry: ''}]",
    "jobs: [{prompt: x, entry: {}}]",
    "jobs: [{prompt: x, entry: {part_of: 'a,b'}}]",
    "jobs: [{prompt: x, entry: 'a,b'}]",
    "jobs: [{prompt: x, entry: '{a}'}]",
    "jobs: [{prompt: x, entry: 'a '}]",
    "jobs: [{prompt: x, vars: [1]}]",
    "jobs: [{prompt: x, vars: {a: ~}}]",
    "jobs: [{prompt: x, model: 'a model'}]",
    "limits: {rate: unlimited}\njobs: [{prompt: x}]",
    "jobs: [{prompt: x, params: [1]}]",
    "jobs: [{prompt: x, repeat: 0}]",
    "jobs: [{prompt: x, repeat: '2'}]",
    "jobs: [{prompt: x, seed: 7}]",
    "jobs: [{prompt: x, matrix: {}}]",
    "jobs: [{prompt: x, matrix: {c: []}}]",
    "jobs: [{prompt: x, matrix: {c: [[1]]}}]",
    "jobs: [{prompt: '{c}', matrix: {c: {of: [a], sample: 0}}}]",
    "limits: {rate: 100}\njobs: [{prompt: x}]",
    "limits: {rate: fast}\njobs: [{prompt: x}]",
    "limits: {in_flight: 0}\njobs: [{prompt: x}]",
    "timeout: 0\njobs: [{prompt: x}]",
    "timeout: soon\njobs: [{prompt: x}]",
    "timeout: true\njobs: [{prompt: x}]",
    "retry: {attempts: 0}\njobs: [{prompt: x}]",
    "doubt: {then: panic}\njobs: [{prompt: x}]",
    "budget: {chains: half}\njobs: [{prompt: x}]",
    "budget: {chains: true}\njobs: [{prompt: x}]",
    "budget: {estimate: 0}\njobs: [{prompt: x}]",
    "budget: {estimate: -1}\njobs: [{prompt: x}]",
    "budget: {estimate: '2'}\njobs: [{prompt: x}]",
    "output: {download: maybe}\njobs: [{prompt: x}]",
    "period: fresh-1\njobs: [{prompt: x}]",
    "period: monthly\njobs: [{prompt: x}]",
    "period: hours\njobs: [{prompt: x}]",
]
UNSAYABLE = {
    "a variable that is nowhere": "jobs: [{prompt: 'a {colour}'}]",
    "ids that collide": "jobs: [{prompt: x, id: a}, {prompt: y, id: a}]",
    "a template that does not close": "jobs: [{prompt: 'a {colour'}]",
    "a key that is written twice": "jobs: [{prompt: x, prompt: y}]",
    "a name that is no folder's": "batch: a/b\njobs: [{prompt: x}]",
    "an id that is no file's": "jobs: [{prompt: x, id: ../a}]",
    "a zone that does not exist": "tz: Europe/Atlantis\njobs: [{prompt: x}]",
    "a rate of nothing": "limits: {rate: 0/min}\njobs: [{prompt: x}]",
    "a table that is not there": "jobs: [{prompt: x, from: nowhere.csv}]",
    "file names from elsewhere": "output: {files: ../x}\njobs: [{prompt: x}]",
    "a job that is nowhere": "jobs: [{params: {i: {job: nowhere}}}]",
    "an entry that is nowhere": "jobs: [{from: {jobs: nowhere}, params: {i: {job: '{job}'}}}]",
    "axes of different lengths": "jobs: [{prompt: '{c} {d}', zip: {c: [1, 2], d: [1]}}]",
    "an exclusion of nothing": "jobs: [{prompt: '{c}', matrix: {c: [a]}, exclude: [{c: b}]}]",
    "a whole number with a point": "jobs: [{prompt: x, repeat: 2.0}]",
}


@cache
def validator(*model_ids: str) -> Draft7Validator:
    schema = manifest_schema([{**RECORDED, CUT_OUT.id: CUT_OUT}[one] for one in model_ids])
    Draft7Validator.check_schema(schema)
    return Draft7Validator(json.loads(json.dumps(schema)))


def schema_takes(text: str, *model_ids: str) -> bool:
    return validator(*model_ids).is_valid(read_document(text.encode(), "jobs.yaml", Problems()).data)


@pytest.mark.parametrize("text", [*WHOLE, *(HEAD + one for one in GOOD)])
def test_what_the_code_reads_the_schema_takes(text: str) -> None:
    assert schema_takes(text)
    assert schema_takes(text, *RECORDED)


@pytest.mark.parametrize("text", GOOD)
def test_the_good_are_good(read: Read, text: str) -> None:
    assert read(HEAD + text).jobs


@pytest.mark.parametrize(
    "text", [HEAD + one for one in BAD] + ["jobs: [{prompt: x, model: m}]", "version: 2"]
)
def test_what_the_code_refuses_the_schema_refuses(complain: Complain, text: str) -> None:
    assert complain(text)
    assert not schema_takes(text)


@pytest.mark.parametrize("text", UNSAYABLE.values(), ids=UNSAYABLE)
def test_what_no_schema_can_say_only_the_code_refuses(complain: Complain, text: str) -> None:
    assert complain(HEAD + text)
    assert schema_takes(HEAD + text)


def test_a_job_without_a_model_is_refused_by_the_code_alone(complain: Complain) -> None:
    text = "version: 1\njobs: [{prompt: x}]"  # it may stand in a file with its own defaults
    assert complain(text)
    assert schema_takes(text)


def keys(part: Any) -> Iterator[dict[str, Any]]:
    for schema in (part, *part["definitions"].values()):
        yield from (one for one in schema.get("properties", {}).values() if isinstance(one, dict))


def test_every_key_says_what_it_is_for_and_what_it_takes() -> None:
    for one in keys(manifest_schema()):
        assert len(one["description"]) > 10
        assert {"type", "anyOf", "oneOf", "allOf", "const", "enum"} & set(one), one


IMAGEN, PATINA = "model_imagen4-ultra", "model_patina-material"
GPT = "model_openai-gpt-image-2"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (f"jobs: [{{prompt: x, model: {IMAGEN}, params: {{aspectRatio: '1:1'}}}}]", True),
        (f"jobs: [{{prompt: x, model: {IMAGEN}, params: {{aspectRatio: '{{shape}}'}}}}]", True),
        (f"jobs: [{{prompt: x, model: {IMAGEN}, params: {{aspectRatio: ~}}}}]", True),
        (f"jobs: [{{prompt: x, model: {IMAGEN}, params: {{aspectRatio: '5:4'}}}}]", False),
        (f"jobs: [{{prompt: x, model: [m, {IMAGEN}], params: {{aspectRatio: '5:4'}}}}]", False),
        (f"jobs: [{{prompt: x, model: {IMAGEN}, params: {{aspectratio: '1:1'}}}}]", False),
        (f"jobs: [{{prompt: x, model: {IMAGEN}, params: {{aspectratio: 1}}, unchecked: aspectratio}}]", True),
        ("jobs: [{prompt: x, model: another, params: {aspectratio: 1}}]", True),
        (f"defaults: {{model: {IMAGEN}}}\njobs: [{{prompt: x, params: {{aspectRatio: '5:4'}}}}]", False),
        (f"defaults: {{model: {IMAGEN}}}\njobs: [{{prompt: x, model: m, params: {{aspectRatio: 1}}}}]", True),
        (f"defaults: {{model: {IMAGEN}, params: {{aspectRatio: '5:4'}}}}\njobs: [{{prompt: x}}]", False),
        (f"jobs: [{{prompt: x, model: {PATINA}, params: {{maps: [normal], image: {{file: a.png}}}}}}]", True),
        (f"jobs: [{{prompt: x, model: {PATINA}, params: {{image: {{job: a, output: 1}}}}}}]", True),
        (f"jobs: [{{prompt: x, model: {PATINA}, params: {{image: {{job: a, outputs: all}}}}}}]", False),
        (f"jobs: [{{prompt: x, model: {PATINA}, params: {{image: {{job: a, of: b}}}}}}]", False),
        (f"jobs: [{{prompt: x, model: {PATINA}, params: {{maps: normal}}}}]", False),
        (f"jobs: [{{prompt: x, model: {GPT}, params: {{referenceImages: [{{job: a}}]}}}}]", True),
        (f"jobs: [{{prompt: x, model: {GPT}, params: {{referenceImages: {{job: a, outputs: all}}}}}}]", True),
        (f"jobs: [{{prompt: x, model: {GPT}, params: {{referenceImages: {{job: a}}}}}}]", False),
        (f"jobs: [{{prompt: x, model: {PATINA}, params: {{image: a.png}}}}]", False),
        (f"jobs: [{{prompt: x, model: {PATINA}, params: {{width: 5000}}}}]", False),
        (f"jobs: [{{model: {IMAGEN}}}]", False),
        (f"jobs: [{{model: {IMAGEN}, from: a.txt}}]", True),
        (f"defaults: {{model: {IMAGEN}}}\njobs: [{{id: x}}]", False),
        (f"defaults: {{model: {IMAGEN}}}\njobs: [{{id: x, unchecked: prompt}}]", True),
        ("jobs: [{model: model_tool, params: {image: asset_1}}]", True),
        ("jobs: [{model: model_tool, params: {image: asset_1}, prompt: x}]", False),
        ("defaults: {model: model_tool}\njobs: [{params: {image: asset_1}, prompt: x}]", False),
        ("jobs: [{model: model_tool, params: {image: asset_1}, prompt: x, unchecked: prompt}]", True),
    ],
)
def test_the_inputs_of_a_model_are_completed_and_checked_where_it_is_named(text: str, taken: bool) -> None:
    assert schema_takes(f"version: 1\n{text}", IMAGEN, PATINA, GPT, CUT_OUT.id) is taken


def test_the_inputs_of_a_model_carry_their_words_and_defaults() -> None:
    definitions = manifest_schema([RECORDED[IMAGEN]])["definitions"]
    shape = definitions[f"params of {IMAGEN}"]["properties"]["aspectRatio"]
    assert (shape["description"], shape["default"]) == ("Shape of the output.", "4:3")


def test_a_document_that_is_no_manifest_is_refused_by_both(read: Read) -> None:
    with pytest.raises(InputError):
        read("[]")
    assert not validator().is_valid([])
