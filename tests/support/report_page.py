"""The page as a browser reads it: its data."""

import json
import re
from pathlib import Path
from typing import Any

_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def data_of(page: Path) -> Any:
    """Read the data of a page."""
    found = _DATA.search(page.read_text("utf-8"))
    assert found is not None
    return json.loads(found[1])
