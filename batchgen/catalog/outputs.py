"""What comes out of a model, as far as the service says so: the kinds of its assets, by its capabilities.

Names of capabilities are those of the API: what goes in, ``2``, what comes out, as in
``txt2img`` and ``img23d``.
"""

import re

from batchgen.model import Model

TEXT = "text"
COUNTS = ("numOutputs", "numSamples", "numImages")  # inputs that say how many outputs are wanted
_CAPABILITY = re.compile(r"[a-z0-9]+?2(img|video|audio|3d|txt)")  # source: docs/service.md models
_KINDS = {"img": "image", "video": "video", "audio": "audio", "3d": "3d", "txt": TEXT}


def kinds_made_by(model: Model) -> frozenset[str]:
    """Return the kinds that a model may make; none where that is not known of all that it can do."""
    found = [_CAPABILITY.fullmatch(one) for one in model.capabilities]
    return frozenset(_KINDS[one[1]] for one in found if one) if all(found) else frozenset()
