"""What jobs cost together, in words: what is not known is said, and never 0."""

from batchgen import api
from batchgen.formats import units


def span_of(price: "api.Price") -> str:
    """Return an amount that may be a range."""
    return units(price.high) if price.low == price.high else f"{units(price.low)}-{units(price.high)}"


def total_of(price: "api.Price", unpriced: int) -> str:
    """Return what jobs cost together, and of how many that is not known; empty where none would be bought."""
    jobs = "1 job whose price is unknown" if unpriced == 1 else f"{unpriced:,} jobs whose price is unknown"
    known = f"{span_of(price)} CU" if price.high or not unpriced else ""
    if not unpriced:
        return known if price.high else ""
    return f"{known} and {jobs}" if known else jobs


def all_of(quoted: "api.Quoted") -> str:
    """Return what some jobs cost in all."""
    return total_of(api.Price(low=quoted.total_low, high=quoted.total_high), quoted.unknown) or "0 CU"
