import json

from batchgen.identity import compose_body, content_key
from batchgen.model import Job
from tests.manifest.declared_models import made

MODEL = made(
    {"name": "size", "type": "string"},
    {"name": "sizes", "type": "string_array"},
    {"name": "count", "type": "number"},
    {"name": "fast", "type": "boolean"},
)
PARAMS = {"size": 16, "sizes": [1.5, "b", True], "count": 2, "fast": True, "other": 3}
JOB = Job(id="a", prompt="a tower", model=MODEL.id, params=PARAMS)


def test_numbers_and_booleans_are_sent_as_text_to_inputs_that_take_text() -> None:
    assert json.loads(compose_body(JOB, None, MODEL)) == {
        "prompt": "a tower",
        "size": "16",
        "sizes": ["1.5", "b", "true"],
        "count": 2,
        "fast": True,
        "other": 3,
    }


def test_what_is_sent_leaves_the_job_and_its_key_as_they_were() -> None:
    key = content_key(JOB)
    compose_body(JOB, None, MODEL)
    assert content_key(JOB) == key
    assert JOB.params == PARAMS
    assert json.loads(compose_body(JOB, None)) == {"prompt": "a tower", **PARAMS}
