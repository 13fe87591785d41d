"""Which paths there are, and what a request asks for: said here and nowhere else. Pure."""

import re
from collections.abc import Sequence

from batchgen.simulator.exchange import Call, Request

# By method and path: the first that fits.
_PATHS: Sequence[tuple[str, re.Pattern[str], Call]] = tuple(
    (method, re.compile(path), call)
    for method, path, call in (
        ("POST", r"/v1/generate/custom/([^/]+)", Call.SUBMIT),
        ("GET", r"/v1/jobs/([^/]+)", Call.JOB),
        ("GET", r"/v1/jobs", Call.JOBS),
        ("POST", r"/v1/jobs/([^/]+)/action", Call.CANCEL),
        ("GET", r"/v1/models/([^/]+)", Call.MODEL),
        ("GET", r"/v1/models", Call.MODELS),
        ("POST", r"/v1/assets", Call.ASSETS),
        ("POST", r"/v1/uploads", Call.ASSETS),
        ("POST", r"/v1/uploads/([^/]+)/action", Call.ASSETS),
        ("GET", r"/v1/uploads/([^/]+)", Call.ASSETS),
        ("PUT", r"/cdn/uploads/([^/]+)/\d+", Call.DOWNLOAD),
        ("GET", r"/v1/assets/([^/]+)", Call.ASSETS),
        ("POST", r"/v1/assets/get-bulk", Call.ASSETS),
        ("GET", r"/v1/teams(?:/([^/]+)/limits)?", Call.TEAMS),
        ("GET", r"/v1/usages", Call.USAGES),
        ("GET", r"/cdn/assets/([^/]+)", Call.DOWNLOAD),
    )
)


def call_of(request: Request) -> tuple[Call, str]:
    """Return what a request asks for, and the name in its path."""
    for method, path, call in _PATHS:
        found = path.fullmatch(request.path) if request.method == method else None
        if found is not None:
            name = next((one for one in found.groups() if one), "")
            quoted = call is Call.SUBMIT and request.query.get("dryRun") in {"true", "api"}
            return (Call.QUOTE if quoted else call), name
    return Call.OTHER, ""
