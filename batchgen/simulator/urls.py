"""Signed URLs of the CDN: made, and told from those that are forged or out of date."""

import base64
import binascii
import calendar
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

_KEY_PAIR = "K36FIAB9LE2OLR"  # names the key that signed; never the key
_TO_URL = str.maketrans("+=/", "-_~")  # CloudFront's own alphabet
_FROM_URL = str.maketrans("-_~", "+=/")
_STEPS = ((7, 14), (14, 21))  # issued up to this day of a month: valid to the end of that day
_LAST_STEP = 21  # up to here to the end of the month, after it to the 7th of the next
_FIRST_EXPIRY = 7
_JANUARY, _DECEMBER = 1, 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """Signs and checks.

    Attributes:
        key: whoever has it can sign.
        life: seconds that a URL holds; None for the service's calendar steps.
    """

    key: bytes
    life: float | None

    def url(self, base: str, path: str, now: float, **query: str) -> str:
        """Return a URL that holds for a while; the same one until its calendar step is over."""
        resource = f"{base}{quote(path)}"
        until = calendar_expiry(now) if self.life is None else int(now + self.life)
        condition = {"DateLessThan": {"AWS:EpochTime": until}}
        statement = {"Statement": [{"Resource": f"{resource}?*", "Condition": condition}]}
        policy = json.dumps(statement, separators=(",", ":")).encode()
        signed = {"Policy": _spelled(policy), "Key-Pair-Id": _KEY_PAIR, "Signature": self._sign(policy)}
        return f"{resource}?{urlencode({**query, **signed})}"

    def holds(self, path: str, query: Mapping[str, str], now: float) -> bool:
        """Return whether a request to a path of the CDN is signed for it, and still in time."""
        try:
            policy = base64.b64decode(query.get("Policy", "").translate(_FROM_URL), validate=True)
        except (binascii.Error, ValueError):  # ValueError: a letter beyond ASCII
            return False
        genuine = self._sign(policy).encode()
        if not hmac.compare_digest(genuine, query.get("Signature", "").encode("utf-8", "replace")):
            return False
        statement = json.loads(policy)["Statement"][0]
        until = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
        return bool(statement["Resource"].endswith(f"{quote(path)}?*") and now < until)

    def _sign(self, policy: bytes) -> str:
        return _spelled(hmac.digest(self.key, policy, hashlib.sha256))


def calendar_expiry(now: float) -> int:
    """Return the end of a URL issued now, by the service's steps: at least a week away."""
    day = datetime.fromtimestamp(now, UTC)
    year, month, end = day.year, day.month, _FIRST_EXPIRY
    if day.day > _LAST_STEP:
        year, month = (year, month + 1) if month < _DECEMBER else (year + 1, _JANUARY)
    else:
        last = calendar.monthrange(year, month)[1]
        end = next((until for up_to, until in _STEPS if day.day <= up_to), last)
    return int(datetime(year, month, end, 23, 59, 59, tzinfo=UTC).timestamp())


def _spelled(data: bytes) -> str:
    return base64.b64encode(data).decode().translate(_TO_URL)
