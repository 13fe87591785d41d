"""What the credentials may not do: the 403 of a model's plan, of a key's scope, or none."""

from batchgen.simulator.exchange import Call, Reply, refusal
from batchgen.simulator.settings import Denied


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
