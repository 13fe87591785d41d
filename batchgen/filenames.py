"""Which names no file may have anywhere: the one list of Windows' devices."""

import re

_DEVICES = re.compile(r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)


def is_device(name: str) -> bool:
    """Return whether Windows takes a name, with whatever extension, for one of its devices.

    Source: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
    """
    return _DEVICES.match(name) is not None
