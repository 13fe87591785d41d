"""What the credentials may not do: the 403 of a model's plan, of a key's rights, or none."""

from collections.abc import Mapping

from batchgen.rights import Right
from batchgen.simulator.exchange import Call, Reply, Request, answer, refusal
from batchgen.simulator.settings import Denied

_BY_CALL: Mapping[Call, Right] = {
    Call.SUBMIT: Right.GENERATE,
    Call.QUOTE: Right.PRICES,
    Call.JOB: Right.JOBS,
    Call.JOBS: Right.LISTING,
    Call.MODEL: Right.MODELS,
    Call.MODELS: Right.MODELS,
    Call.TEAMS: Right.LIMITS,
    Call.USAGES: Right.USAGES,
}
# only ``asset.read`` and ``model.read`` are published; the others are made after them
_SCOPES: Mapping[Right, str] = {
    Right.GENERATE: "generation.write",
    Right.PRICES: "generation.read",
    Right.JOBS: "job.read",
    Right.LISTING: "job.read",
    Right.MODELS: "model.read",
    Right.UPLOADS: "asset.write",
    Right.BULK: "asset.read",
    Right.ASSETS: "asset.read",
    Right.LIMITS: "team.read",
    Right.USAGES: "usage.read",
}


def lack(denied: Denied, request: Request, call: Call) -> Reply | None:
    """Return the refusal of a key that lacks the right to do this; None where it has it."""
    right = _right_of(request, call)
    if right not in denied.rights:
        return None
    match denied.status:
        case 401:
            return refusal(401, "Unauthorized", name="UnauthorizedError")
        case 404:
            return answer(404, {"message": "Not Found"})
        case _:
            return refusal(403, f"Missing scope {_SCOPES[right]}", name="ForbiddenError")


def denial(denied: Denied, call: Call, name: str) -> Reply | None:
    """Return the service's refusal of a call; None where it may be made.

    Args:
        denied: what may not be done.
        call: what is asked for.
        name: in its path, such as a model's.
    """
    if call is Call.JOBS and denied.listing:
        return refusal(403, "You do not have permission to perform this action", name="ForbiddenError")
    if call not in denied.calls or name not in denied.models:
        return None
    if not denied.named:
        return refusal(403, "This model is not accessible with your API key", name="ForbiddenError")
    reason = "You are not allowed to use this model with your plan"
    details = {"modelId": name, "currentPlan": "cu-basic", "requiredPlan": "cu-pro-q3-25"}
    return refusal(403, reason, name="ModelAccessRestrictedError", details=details)


def _right_of(request: Request, call: Call) -> Right | None:
    if call is not Call.ASSETS:
        return _BY_CALL.get(call)
    if request.path == "/v1/assets/get-bulk":
        return Right.BULK
    return (
        Right.ASSETS if request.method == "GET" and request.path.startswith("/v1/assets/") else Right.UPLOADS
    )
