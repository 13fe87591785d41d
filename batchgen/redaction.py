"""What must not be shown, taken out of a text: the one place through which messages, events and logs go.

Two things are looked for. Secrets that are known (credentials, values of the environment) are found in every
way in which a service, a library or a page would write them. Secrets that are not known are found by where
they stand: in a URL, in a header, behind the name of a secret in JSON. A text without any stays as it is.
"""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

Redact: TypeAlias = Callable[[str], str]
"""Takes out of a text what must not be shown, such as credentials that the service echoes."""

MASK = "[hidden]"
_SHORTEST = 6  # characters of a key or a secret: the service's own have four times as many
_LONG = 16  # characters: no word is as long, so that it is a secret wherever it is found
_REMEMBERED = 4096  # texts: the events of a run say the same words again and again
_SMALL = 500  # characters of a text that is worth remembering

_IN_A_URL = str.maketrans("+/", "-_")  # the other alphabet of base64

_OURS = "SCENARIO_"
_NO_SECRETS = frozenset({"SCENARIO_BASE_URL", "SCENARIO_PROJECT_ID"})  # every line of a log may name them
_NAMED_SO = re.compile(
    "(?i)(?:^|_)(?:APIKEY|AUTH|COOKIE|CREDENTIALS?|DSN|HOOK|KEY|PASS|PASSPHRASE|PASSWD|PASSWORD|PAT|PIN|SECRET|"
    "TOKEN|WEBHOOK)(?:_|$)"
)

_ID = re.compile(r"(?:asset|job|model|project|proj|team|upload|user)_")  # of the service: no secret
_MIXED = re.compile(r"\d[A-Za-z]|[A-Za-z]\d|[a-z][A-Z]")

_NAME = (
    r"(?:[a-z0-9]{1,30}[_-]){0,4}"
    r"(?:api[_-]?key|api[_-]?secret|secret|secret[_-]?key|access[_-]?key|private[_-]?key|token|passw(?:or)?d|"
    r"passphrase|authorization|signature|credentials?|webhook)"
)
# (the user of a database is no secret, and says which one is meant)
_USER = re.compile(r"(?i)\b(?!postgres(?:ql)?://[\w.%-]+@)([a-z][a-z0-9+.-]{0,30}://)[^\s/?#@\"'<>]+@")
_PARAMETER = re.compile(
    r"(?i)([?&#;](?:[\w.~%-]{0,60}[-_.]|api|access|auth|client|id|pagination|refresh|session)?(?:sig|signature|token|secret|key|key-pair-id|auth|credential|credentials|password|"
    r"passwd|policy|hmac|jwt)=)[^&#\s\"'<>\\]+"
)
_HOOK = re.compile(
    r"(?i)(\bhttps?://(?:hooks\.slack\.com/|(?:\w+\.)?discord(?:app)?\.com/api/webhooks/|hc-ping\.com/|"
    r"[\w.-]+\.webhook\.office\.com/|api\.telegram\.org/bot))[^\s\"'<>\\]+"
)
_SCHEME = re.compile(r"(?i)\b((?:basic|bearer)\s+)([A-Za-z0-9+/_.~-]{8,}={0,2})(?![\w=])")
_HEADER = re.compile(
    r"(?i)(\b(?:proxy-)?authorization\b[\"']*\s*[:=]\s*[\"']*(?:[a-z]+\s+)?)([^\s\"',;]{6,})"
)
_COOKIE = re.compile(
    r"(?i)(\b(?:set-)?cookie\b[\"']*\s*[:=,]\s*[\"']*)([\w.-]+=[^\s;,\"']+(?:;\s*[\w.-]+=[^\s;,\"']+)*)"
)
_QUOTED = re.compile(rf"(?i)((\\*[\"']){_NAME}\2\s*:\s*\\*[\"'])([^\"'\\]{{{_SHORTEST},}})")
_SAID = re.compile(rf"(?i)(\b{_NAME}\s*[:=]\s*[\"']?)([^\s\"',;&<>\\)\]}}]{{{_SHORTEST},}})")
_ISSUED = re.compile(
    r"\b(?:eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|(?:xox[abprs]-|gh[pousr]_|glpat-|AKIA|sk-)[\w-]{16,})"
)
_MAY_HOLD_ONE = re.compile(r"[:=@]|eyJ|xox|gh[pousr]_|glpat|AKIA|sk-|(?i:basic |bearer )")


class Redaction:
    """Takes secrets out of texts: those that it is told of, and what stands where secrets stand."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take the secrets that are known."""
        self._known = tuple(dict.fromkeys(one for one in secrets if one))
        self._cached = lru_cache(maxsize=_REMEMBERED)(self._redacted)

    @classmethod
    def of_environment(cls, *environs: Mapping[str, str]) -> "Redaction":
        """Return one that knows what the environment, or a file of it, keeps secret."""
        return cls(secret for environ in environs for secret in secrets_in(environ))

    def __call__(self, text: str) -> str:
        """Return the text without what must not be shown."""
        return self._cached(text) if len(text) <= _SMALL else self._redacted(text)

    def __repr__(self) -> str:
        return f"Redaction({MASK})"

    def of(self, value: Any) -> Any:
        """Return a value of JSON with every text in it, keys too, as ``__call__`` leaves it."""
        match value:
            case str():
                return self(value)
            case dict():
                return {self(name): self.of(one) for name, one in value.items()}
            case list():
                return [self.of(one) for one in value]
            case _:
                return value

    def _redacted(self, text: str) -> str:
        return redact_unknown(redact_all(text, self._known))


def secrets_in(environ: Mapping[str, str]) -> Iterator[str]:
    """Return the values of an environment that are secrets, by their names or by what they are.

    What begins with ``SCENARIO_`` is one, but for the address and the project; a key with the secret beside
    it is one more as a header has the two. Of a URL the parts that open it: a library may name them alone.
    """
    for name, value in environ.items():
        if not value or name in _NO_SECRETS:
            continue
        is_ours, is_named_so = name.startswith(_OURS), _opens(name)
        if "://" in value:
            yield from _opening_parts(value, whole=is_ours or is_named_so)
        elif is_ours or is_named_so:
            yield value
            yield from _in_a_header(value, environ.get(name.removesuffix("KEY") + "SECRET", ""))


def without_password(url: str) -> str:
    """Return the URL of a database as people may see it: the user stays, whatever opens it goes.

    Where a password would begin or end is not guessed: of a URL that says so in no plain way nothing stays.
    """
    scheme, _, rest = url.partition("://")
    try:
        parts = urlsplit(url)
        asked = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return f"{scheme}://{MASK}" if rest else MASK
    if not parts.netloc or "@" in parts.path + parts.query + parts.fragment:
        return f"{parts.scheme}://{MASK}" if rest else MASK
    user, at, hosts = parts.netloc.rpartition("@")
    shown = urlencode([(name, one) for name, one in asked if not _opens(name)], safe="/:,")
    return f"{parts.scheme}://{user.partition(':')[0]}{at}{hosts}{parts.path}{shown and '?'}{shown}"


def _opens(name: str) -> bool:
    """Return whether what is called so is a secret: ``API_KEY``, ``PGPASSWORD``, ``sslpassword``."""
    return name.lower().endswith("password") or _NAMED_SO.search(name) is not None


def _opening_parts(url: str, *, whole: bool) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        asked = parse_qsl(parts.query)
    except ValueError:
        if whole:
            yield url
        return
    if parts.password:
        yield from {parts.password, unquote(parts.password)}
    yield from (one for name, one in asked if _opens(name) and one)
    way = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if whole and len(way) >= _LONG:
        yield from (url, way)
    yield from (one for one in parts.path.split("/") if len(one) >= _LONG and is_opaque(one))


def _in_a_header(key: str, secret: str) -> Iterator[str]:
    if key == secret or not secret:
        return
    token = base64.b64encode(f"{key}:{secret}".encode(errors="replace")).decode()
    yield from {token, token.rstrip("="), token.translate(_IN_A_URL)}


def redact_all(text: str, secrets: tuple[str, ...]) -> str:
    """Take all the secrets out of a text, the longest first, for one may be part of another.

    A long one goes wherever it is found, a shorter one where it stands alone, and a word of every day only
    where a URL has its password: to cut it out of sentences would spoil them, and tell it.
    """
    for form, alone in _forms(secrets):
        if form in text:
            text = text.replace(form, MASK) if alone is None else alone.sub(MASK, text)
    return text


@lru_cache(maxsize=8)  # asked for with every answer, and always of the same
def _forms(secrets: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str] | None], ...]:
    """Return each way to write a secret, with what finds it where it is not looked for plainly."""
    found: dict[str, re.Pattern[str] | None] = {}
    for secret in secrets:
        for form in _written(secret):
            if len(secret) >= _LONG:
                found[form] = None
            elif _is_a_word(secret):
                found[form] = re.compile(rf"(?<=:){re.escape(form)}(?=@)")
            else:
                found[form] = re.compile(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])")
    return tuple(sorted(found.items(), key=lambda one: len(one[0]), reverse=True))


def _written(secret: str) -> set[str]:
    """Return the ways in which a secret is written: as it is and in base64, each quoted up to twice.

    A page of an error has JSON in HTML, a log JSON in JSON, a redirect a URL in a URL.
    """
    forms = {secret}
    if not _is_a_word(secret):
        token = base64.b64encode(secret.encode(errors="replace")).decode().rstrip("=")
        forms |= {token, token.translate(_IN_A_URL)}
    once = {form for one in forms for form in _quoted(one)}
    return {form for one in once for form in _quoted(one)} - {""}


def _quoted(text: str) -> set[str]:
    """Return a text as it is, in JSON, HTML, a URL and Python."""
    in_json, in_a_url = json.dumps(text)[1:-1], quote(text, safe="", errors="replace")
    return {
        text,
        in_json,
        in_json.replace("/", "\\/"),
        html.escape(text),
        html.escape(text, quote=False),
        in_a_url,
        re.sub("%..", lambda one: one[0].lower(), in_a_url),
        quote(text, errors="replace"),
        repr(text)[1:-1],
    }


def _is_a_word(secret: str) -> bool:
    letters = secret.isalpha() and (secret.islower() or secret.isupper() or secret.istitle())
    return len(secret) < _SHORTEST or letters or secret.isdigit()


def is_opaque(text: str) -> bool:
    """Return whether nobody would have written it so: a piece of it mixes letters with figures or sizes."""
    pieces = (one for one in re.split(r"[^A-Za-z0-9]+", text) if len(one) >= _SHORTEST)
    return any(_MIXED.search(one) for one in pieces)


def redact_unknown(text: str) -> str:
    """Take out of a text what stands where secrets stand: in URLs, headers and JSON."""
    if not _MAY_HOLD_ONE.search(text):
        return text
    if "://" in text:
        text = _HOOK.sub(rf"\1{MASK}", _USER.sub(rf"\1{MASK}@", text))
    if "=" in text:
        text = _COOKIE.sub(_each_cookie, _PARAMETER.sub(rf"\1{MASK}", text))
    text = _QUOTED.sub(rf"\g<1>{MASK}", text)
    for pattern in (_SCHEME, _HEADER, _SAID):
        text = pattern.sub(_if_opaque, text)
    return _ISSUED.sub(lambda one: MASK if is_opaque(one[0]) else one[0], text)


def _if_opaque(found: re.Match[str]) -> str:
    return found[1] + MASK if is_opaque(found[2]) and _ID.match(found[2]) is None else found[0]


def _each_cookie(found: re.Match[str]) -> str:
    return found[1] + re.sub(r"=[^\s;,\"']+", f"={MASK}", found[2])
