"""No secret stays in a text, wherever it stands and however it is written; and nothing else goes."""

import base64
import html
import json
import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.redaction import MASK, Redaction, redact_unknown, secrets_in

KEY, SECRET = "api_Kq7fZ2mN9xWv", "s3cr3t<&\"'/+ZyXw8765"
HOOK = "https://hooks.example.net/services/T0AB12CD3/B0EF45GH6/aB3dE6gH9jK2mN5pQ8s"
ENVIRON = {
    "SCENARIO_SDK_API_KEY": KEY,
    "SCENARIO_SDK_API_SECRET": SECRET,
    "SCENARIO_NIGHTLY": "night-0wl-51",
    "SCENARIO_BASE_URL": "https://api.cloud.scenario.com/v1",
    "SCENARIO_PROJECT_ID": "proj_Art4Games",
    "TEAM_WEBHOOK": HOOK,
    "SMTP_PASSWORD": "correct-h0rse-battery",
    "DATABASE": "postgres://me:pa55-w0rd-x@db/jobs",
    "ALERTS": "https://notify.example.org/in/Zx9Cv8Bn7Mq6Wr5Ty4Ui3",
    "HOME": "/home/artist",
    "SHELL": "/bin/bash",
}
OURS = Redaction.of_environment(ENVIRON)
TOKEN = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()


@pytest.mark.parametrize("secret", [KEY, SECRET, "night-0wl-51", "correct-h0rse-battery", "pa55-w0rd-x"])
@pytest.mark.parametrize(
    "written",
    [
        str,
        lambda one: json.dumps(one)[1:-1],
        lambda one: json.dumps({"echo": one}),
        html.escape,
        lambda one: quote(one, safe=""),
        lambda one: f"https://me:{quote(one, safe='')}@host/path",
        lambda one: f"https://host/a?sig={quote(one, safe='')}&x=1",
        lambda one: f"Cookie: session={one}",
        lambda one: f"/tmp/{quote(one, safe='')}.png",
        repr,
    ],
)
def test_a_known_secret_is_found_in_every_spelling(secret: str, written: Callable[[str], str]) -> None:
    shown = OURS(f"the service says {written(secret)} to us")
    assert MASK in shown
    for form in (secret, quote(secret, safe=""), html.escape(secret), json.dumps(secret)[1:-1]):
        assert form not in shown


QUOTING: dict[str, Callable[[str], str]] = {
    "JSON": lambda one: json.dumps(one)[1:-1],
    "HTML": html.escape,
    "a URL": lambda one: quote(one, safe=""),
    "a form": quote_plus,
    "a path": quote,
    "Python": lambda one: repr(one)[1:-1],
}
BASE64 = {
    "base64": lambda one: base64.b64encode(one.encode()).decode(),
    "base64 of a URL": lambda one: base64.urlsafe_b64encode(one.encode()).decode(),
}


@pytest.mark.parametrize("outer", QUOTING)
@pytest.mark.parametrize("inner", QUOTING | BASE64)
def test_a_secret_is_found_in_what_quotes_what_quotes_it(inner: str, outer: str) -> None:
    """The kind: a text in a text, as JSON in a page, a log in a log, a redirect in a redirect."""
    pair = BASE64["base64"](f"{KEY}:{SECRET}")
    for secret in (KEY, SECRET, "pa55/w0rd+=", pair):
        ours = Redaction(["pa55/w0rd+=", *secrets_in(ENVIRON)])
        written = QUOTING[outer]((QUOTING | BASE64)[inner](secret))
        if inner in BASE64 and secret == pair:
            continue  # nobody packs a header once more
        assert written.rstrip("=") not in ours(f"it says '{written}' to us"), secret


def test_a_secret_that_is_a_word_is_cut_out_of_no_sentence() -> None:
    """What people give a rehearsal, or a test: to cut it out of everything would spoil all, and tell it."""
    for word in ("cat", "key", "secret", "oak", "T", "123456", "Castle", "ca7"):
        ours = Redaction.of_environment({"SCENARIO_SDK_API_KEY": word, "SMTP_PASSWORD": word})
        text = f"a {word} on a {word}: the {word}like, token {word}, {word}=1, `key: {word}` costs 123456 CU"
        assert ours(text) == text
        assert ours(f"http://me:{word}@proxy:3128") == f"http://{MASK}@proxy:3128"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        TOKEN.rstrip("="),
        f"Authorization: Basic {TOKEN}",
        f"headers={{'Authorization': 'Basic {TOKEN}'}}",
        base64.urlsafe_b64encode(f"{KEY}:{SECRET}".encode()).decode(),
    ],
)
def test_key_and_secret_as_a_header_has_them_are_found(text: str) -> None:
    shown = OURS(text)
    assert MASK in shown
    assert TOKEN[:12] not in shown


def test_of_a_webhook_in_the_environment_every_part_that_opens_it_is_hidden() -> None:
    way = HOOK.split("example.net")[1]
    for text in (HOOK, f"404, message='Not Found', url='{HOOK}'", f"POST {way}: 500", way.split("/")[-1]):
        shown = OURS(text)
        assert "aB3dE6gH9jK2mN5pQ8s" not in shown, text
        assert MASK in shown
    assert "Zx9Cv8Bn7Mq6Wr5Ty4Ui3" not in OURS(
        "cannot reach https://notify.example.org/in/Zx9Cv8Bn7Mq6Wr5Ty4Ui3"
    )


def test_address_project_and_paths_are_no_secrets() -> None:
    text = (
        "origin https://api.cloud.scenario.com/v1, project proj_Art4Games, below /home/artist, by /bin/bash"
    )
    assert OURS(text) == text
    sum_of_bytes = "sha256=b3fbe0ffca99b9fae3f06711aa98930542392bce, 16 of them"
    assert OURS(sum_of_bytes) == sum_of_bytes
    assert "proj_Art4Games" not in set(secrets_in(ENVIRON))


def test_a_chain_of_exceptions_shows_none() -> None:
    inner = OSError(f"https://me:{SECRET}@proxy: refused")
    outer = ValueError(f"Authorization: Basic {TOKEN}")
    outer.__cause__ = inner
    outer.add_note(f"key {KEY}")
    shown = OURS("".join(traceback.format_exception(outer)))
    for one in (KEY, SECRET, TOKEN, SECRET[:8]):
        assert one not in shown
    assert shown.count(MASK) >= 3


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://someone:hunter2@host/x", "hunter2"),
        ("ftp://tok3n@host/x", "tok3n"),
        ("https://cdn.x/a.png?Policy=eyJTdGF0ZW1lbnQi&Signature=AbC~d9_&Key-Pair-Id=K2ABC", "AbC~d9_"),
        ("https://cdn.x/a.png?Policy=eyJTdGF0ZW1lbnQi&Signature=AbC~d9_&Key-Pair-Id=K2ABC", "K2ABC"),
        ("https://s3.x/a?X-Amz-Credential=AKIA&X-Amz-Signature=0f1e2d3c", "0f1e2d3c"),
        ("https://x/a?page=2&access_token=abcdefgh", "abcdefgh"),
        ("wss://x/a#authToken=abcdefgh", "abcdefgh"),
        ("/upload?sig=a%2Fb", "a%2Fb"),
        ("Authorization: Bearer zYx987wVu654", "zYx987wVu654"),
        ("'authorization': 'Token zYx987wVu654'", "zYx987wVu654"),
        ("proxy-authorization: Digest zYx987wVu654", "zYx987wVu654"),
        ("Set-Cookie: sid=a1b2c3; Path=/; theme=dark", "a1b2c3"),
        ("('Cookie', 'sid=a1b2c3; other=d4e5f6')", "d4e5f6"),
        ('{"apiSecret": "silverwood", "n": 1}', "silverwood"),
        ('{\\"client_secret\\": \\"silverwood\\"}', "silverwood"),
        ("{'refresh_token': 'silverwood'}", "silverwood"),
        ("x-api-key: 7hGf6dSa5", "7hGf6dSa5"),
        ("SMTP_PASSWORD=h4nd-made9x", "h4nd-made9x"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "T0/B0/xyz"),
        ("https://discord.com/api/webhooks/1/abc", "1/abc"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP", "dBjftJeZ4CVP"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F"),
    ],
)
def test_what_stands_where_secrets_stand_goes_though_nobody_told_of_it(text: str, hidden: str) -> None:
    shown = redact_unknown(text)
    assert hidden not in shown
    assert MASK in shown


PLAIN = """
    a the tower oak silver, token token: secret secret: password key key: cookie cookie: chocolate basic
    Basic: understanding authorization: signature: policy= 16:9 1:1 model_imagen4-ultra spring/2026-12-01 -> =
    job_SLBypE6hT4sLskhdJZ3S4v66 asset_itMk6FHU49DDULEyZu8prydx https://x.org/a/b https://x.org/a?page=2&size=10
    mailto:me@x.org me@x.org 日本 café 🧙 {material} [red|blue] style=oak assets/tower_0.png bearer
    2026-12-01T03:00:00Z --only tag:cover,rarity=rare "n":1
"""
WORDS = st.sampled_from(PLAIN.split())


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_a_text_without_any_secret_stays_as_it_is(text: str) -> None:
    assert OURS(text) == text


@given(st.text(st.characters(exclude_characters="=:@", exclude_categories=["Cs"]), max_size=80))
def test_so_does_any_text_that_has_no_place_for_one(text: str) -> None:
    assert Redaction(["correct-h0rse-battery"])(text) == text


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=16, max_size=40),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_whatever_stands_around_a_long_secret_it_goes(secret: str, before: str, after: str) -> None:
    ours = Redaction([secret])
    for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
        assert secret not in ours(before + form + after).replace(MASK, "\0") or secret in MASK


def test_values_keys_and_lists_of_json_are_gone_through() -> None:
    value = {"a": [KEY, {"b": f"x {KEY}"}], KEY: 1, "n": 2.5, "none": None, "yes": True}
    assert OURS.of(value) == {"a": [MASK, {"b": f"x {MASK}"}], MASK: 1, "n": 2.5, "none": None, "yes": True}


def test_a_large_text_takes_no_time_out_of_proportion() -> None:
    for piece in ("a-", "a.", "x://", "&-", "token: ", "a=", "cookie: a=b;", "é:"):
        redact_unknown(piece * 50_000)
