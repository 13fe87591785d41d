"""What no file's name may have anywhere: the one list of characters, and of Windows' devices."""

import re
from typing import Final

EDGES: Final = " ."  # what systems drop or hide at the edge of a name
# what some system refuses or reads as more than a name, and what turns the direction of a line
UNSAFE: Final = r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]'

DEVICE: Final = r"(?i:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])"

_DEVICES = re.compile(rf"{DEVICE}(\.|$)")


def is_device(name: str) -> bool:
    """Return whether Windows takes a name, with whatever extension, for one of its devices.

    Source: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
    """
    return _DEVICES.match(name) is not None
