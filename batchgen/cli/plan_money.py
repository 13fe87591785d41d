"""What jobs cost together, in words: what is not known is said, and never 0."""

from batchgen import api
from batchgen.formats import units


def span_of(price: "api.Price") -> str:
    """Return an amount that may be a range."""
    return units(price.high) if price.low == price.high else f"{units(price.low)}-{units(price.high)}"


def total_of(price: "api.Price", unpriced: int, estimated: "api.Estimated | None" = None) -> str:
    """Return what jobs cost together, and of how many that is not known; empty where none would be bought.

    Args:
        price: of all that have one.
        unpriced: how many have none.
        estimated: the part of it that is an estimate, which is said apart.
    """
    about = ""
    if estimated is not None and estimated.jobs:
        price -= estimated.price
        whose = f"{estimated.jobs:,} jobs" if estimated.jobs > 1 else "1 job"
        about = f"about {span_of(estimated.price)} CU for {whose} whose input does not exist yet"
    known = f"{span_of(price)} CU" if price.high or not (unpriced or about) else ""
    unknown = f"{unpriced:,} jobs whose price is unknown" if unpriced > 1 else "1 job whose price is unknown"
    if not (unpriced or about):
        return known if price.high else ""
    parts = [part for part in (known, about, unknown if unpriced else "") if part]
    return (", and " if about else " and ").join(parts)


def all_of(quoted: "api.Quoted") -> str:
    """Return what some jobs cost in all."""
    price = api.Price(low=quoted.total_low, high=quoted.total_high)
    return total_of(price, quoted.unknown, quoted.estimated) or "0 CU"
