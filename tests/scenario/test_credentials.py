import base64
import copy
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import InputError, StopCause, StoppedError
from batchgen.proxy import is_loopback
from batchgen.redaction import redact_all
from batchgen.scenario.credentials import (
    Credentials,
    check_base_url,
    find_credentials,
    hint_on,
)
from batchgen.scenario.reasons import reason_of
from batchgen.scenario.transport import Answer

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
OURS = Credentials(key="api_KEYkey", secret="s3cr3t<&\"'/+")


def test_the_official_names_come_first() -> None:
    found = find_credentials(
        {
            "SCENARIO_API_KEY": "other",
            "SCENARIO_API_SECRET": "other",
            "SCENARIO_SDK_API_KEY": "key",
            "SCENARIO_SDK_API_SECRET": "secret:with:colons",
        }
    )
    assert (found.key, found.secret) == ("key", "secret:with:colons")


def test_the_other_names_do_where_the_official_ones_are_not_set() -> None:
    found = find_credentials(
        {"SCENARIO_SDK_API_KEY": "", "SCENARIO_API_KEY": "key", "SCENARIO_API_SECRET": "secret"}
    )
    assert (found.key, found.secret) == ("key", "secret")


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, "SCENARIO_SDK_API_SECRET"),
        ({"SCENARIO_SDK_API_KEY": "leak"}, "SCENARIO_SDK_API_SECRET is not set"),
        ({"SCENARIO_SDK_API_SECRET": "leak"}, "SCENARIO_SDK_API_KEY is not set"),
        (
            {"SCENARIO_SDK_API_KEY": "leak", "SCENARIO_API_KEY": "leak", "SCENARIO_API_SECRET": "leak"},
            "SCENARIO_SDK_API_SECRET is not set",
        ),
        (
            {"SCENARIO_API_KEY": "leak", "SCENARIO_API_SECRET": "leak\n"},
            "SCENARIO_API_SECRET has white space",
        ),
        ({"SCENARIO_API_KEY": " leak", "SCENARIO_API_SECRET": "leak"}, "SCENARIO_API_KEY has white space"),
        ({"SCENARIO_API_KEY": "leaké", "SCENARIO_API_SECRET": "leak"}, "SCENARIO_API_KEY has a character"),
        ({"SCENARIO_API_KEY": "leak\x00", "SCENARIO_API_SECRET": "leak"}, "SCENARIO_API_KEY has a character"),
        # Docker and kubectl take the quotes of a .env file for a part of what is in them
        ({"SCENARIO_API_KEY": '"leak"', "SCENARIO_API_SECRET": "leak"}, "SCENARIO_API_KEY has quotes around"),
        (
            {"SCENARIO_API_KEY": "leak", "SCENARIO_API_SECRET": "'leak'"},
            "SCENARIO_API_SECRET has quotes around",
        ),
        (
            {"SCENARIO_API_KEY": "leak", "SCENARIO_API_SECRET": "leak\r"},
            "SCENARIO_API_SECRET has white space",
        ),
        ({"SCENARIO_API_KEY": "leak:leak", "SCENARIO_API_SECRET": "leak"}, "SCENARIO_API_KEY has a colon"),
    ],
)
def test_credentials_that_cannot_be_sent_are_named_and_not_shown(environ: dict[str, str], named: str) -> None:
    with pytest.raises(StoppedError, match=named) as caught:
        find_credentials(environ)
    assert caught.value.cause is StopCause.CREDENTIALS
    assert "leak" not in str(caught.value)


BARE = PRINTABLE.filter(lambda one: one[0] not in "'\"")


@given(key=BARE.filter(lambda one: ":" not in one), secret=BARE)
def test_whatever_is_taken_makes_a_header(key: str, secret: str) -> None:
    found = find_credentials({"SCENARIO_API_KEY": key, "SCENARIO_API_SECRET": secret})
    assert base64.b64decode(found.token).decode() == f"{key}:{secret}"


def test_no_way_of_printing_credentials_shows_them() -> None:
    for text in (repr(OURS), str(OURS), f"{OURS}", repr([copy.copy(OURS)]), repr({"c": OURS})):
        assert OURS.key not in text
        assert OURS.secret not in text


@pytest.mark.parametrize(
    "written",
    [
        OURS.key,
        OURS.secret,
        OURS.token,
        OURS.token.rstrip("="),
        quote(OURS.secret, safe=""),
        OURS.secret.replace('"', '\\"'),
        "s3cr3t&lt;&amp;&quot;&#x27;/+",
    ],
)
def test_redaction_finds_every_spelling(written: str) -> None:
    assert OURS.redact(f"you sent {written} to us") == "you sent [hidden] to us"


@pytest.mark.parametrize(("key", "secret"), [("k", "s"), ("key", "st"), ("reque", "trans")])
def test_what_is_too_short_to_be_a_secret_is_not_cut_out_of_words(key: str, secret: str) -> None:
    short = Credentials(key=key, secret=secret)
    assert short.redact("Request: key is not a transfer") == "Request: key is not a transfer"
    sent = Credentials(key=key, secret="a-secret")
    assert sent.redact(f"{key}: {sent.token} and a-secret") == f"{key}: [hidden] and [hidden]"


# Secrets that are words, or parts of words, of what a service or a library says.
WORDS = (
    "key",
    "secret",
    "generation",
    "API",
    "Unauthorized",
    "401",
    "model",
    "the",
    "parameter",
    "request",
    "e",
)
SAID = (
    "Unauthorized: the API key or secret is wrong (401 Unauthorized, parameter request)",
    "No generation of model_bfl-flux-1-dev: keyboard, secretary, Key, models, 4010",
    "ClientConnectorError: https://api.example.org:443/v1/models?key=1",
)


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("secret", WORDS)
def test_a_word_is_never_cut_out_of_a_sentence(secret: str, said: str) -> None:
    for one in (Credentials(key="api_x", secret=secret), Credentials(key=secret, secret="a-secret-1")):
        assert one.redact(said) == said
    assert redact_all(said, (secret,)) == said
    assert redact_all(f"http://me:{secret}@proxy:3128", (secret,)) == "http://me:[hidden]@proxy:3128"


def test_what_is_no_word_is_hidden_where_it_stands_alone_and_what_is_long_wherever_it_is() -> None:
    short, long = Credentials(key="k1", secret="el-fin8"), Credentials(key="k1", secret="a" * 16)
    assert short.redact("model-fin8s el-fin8, 'el-fin8'") == "model-fin8s [hidden], '[hidden]'"
    assert long.redact("x" + "a" * 16 + "y") == "x[hidden]y"


@pytest.mark.parametrize(
    ("given_url", "normal"),
    [
        ("https://api.cloud.scenario.com/v1", "https://api.cloud.scenario.com/v1"),
        ("HTTPS://API.cloud.scenario.com:443/v1//", "https://api.cloud.scenario.com/v1"),
        ("https://host:8443", "https://host:8443"),
        ("http://localhost:8080/v1/", "http://localhost:8080/v1"),
        ("http://127.3.2.1", "http://127.3.2.1"),
        ("http://[::1]:80/v1", "http://[::1]/v1"),
        ("http://[::1]:81", "http://[::1]:81"),
    ],
)
def test_a_base_url_has_one_form(given_url: str, normal: str) -> None:
    assert check_base_url(given_url) == normal
    assert check_base_url(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.cloud.scenario.com/v1",
        "ftp://localhost",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "http://api.cloud.scenario.com/v1",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://2130706433",
        "http://[::ffff:10.0.0.1]",
        "http://127.0.0.1\\.evil.example",
        "https://user:leak@host/v1",
        "http://leak@localhost",
        "https://host/v1?token=leak",
        "https://host/v1#leak",
        "https://host:port/v1",
        "https://host:99999/v1",
        "https://ho st/v1",
        "https://host/v1\n",
        "https://[::1/v1",
        "https://hôst/v1",
    ],
)
def test_a_base_url_that_would_let_credentials_out_is_refused(url: str) -> None:
    with pytest.raises(InputError, match=r"base URL") as caught:
        check_base_url(url)
    assert "leak" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_base_url_or_an_input_error(text: str) -> None:
    for url in (text, f"https://{text}", f"http://{text}"):
        try:
            normal = check_base_url(url)
        except InputError:
            continue
        assert check_base_url(normal) == normal
        assert normal.startswith("https://") or is_loopback(
            normal[7:].split("/")[0].split(":")[0].strip("[]")
        )


@pytest.mark.parametrize(
    ("url", "missing"),
    [
        ("https://api.cloud.scenario.com", True),
        ("https://api.cloud.scenario.com/v1", False),
        ("https://api.cloud.scenario.com/v1/models", True),
        ("https://api.cloud.scenario.com/v2", True),
        ("https://app.scenario.com", True),
        ("https://gateway.example.org/scenario/v1", False),
    ],
)
def test_an_address_that_does_not_end_in_v1_is_said_where_it_says_no(url: str, missing: bool) -> None:
    hint = hint_on(url)
    assert ("does not end in /v1" in hint) is missing
    unknown_path = b'{"message":"Missing Authentication Token"}'  # as the gateway says it
    for status, body in ((401, b""), (403, unknown_path), (404, b"{}"), (200, b"<p>")):
        why = reason_of(Answer(status=status, body=body, hint=hint))
        assert ("SCENARIO_BASE_URL" in why) is missing
    for status in (402, 429, 500, 503):  # these come from the service itself
        assert "SCENARIO_BASE_URL" not in reason_of(Answer(status=status, hint=hint))
