"""The manifest a new user begins with: small, valid, and explained where it is read."""

SCHEMA = "batchgen.schema.json"  # beside the manifest: an editor completes and checks by it

_TEXT = """\
# yaml-language-server: $schema={schema}
# What to generate. `batchgen plan` shows what it would cost, `batchgen run` does it.
version: 1
batch: "{batch}"  # names the folder under output/

defaults:                          # what a job takes where it says nothing itself
  model: model_imagen4-ultra       # `batchgen models` finds more
  params: {{aspectRatio: "16:9"}}    # inputs by the names the model gives them

jobs:
  - prompt: a futuristic cityscape at sunset, with flying cars and neon signs, photorealistic

  # Four jobs: every material in every style.
  - id: tower
    prompt: "an old {{material}} watch tower, {{style}}"
    matrix:
      material: [oak, granite]
      style: [pixel art, watercolour]

limits: {{rate: 100/min, in_flight: auto}}
output: {{download: true}}
"""


def starter(batch: str) -> str:
    """Write a commented manifest for a batch whose name is safe."""
    return _TEXT.format(batch=batch, schema=SCHEMA)
