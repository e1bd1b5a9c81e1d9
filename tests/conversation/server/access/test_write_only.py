"""What keys that may only read are shown of headers, addresses and constants."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.server.errors import ApiError
from conversation.server.keys.write_only import HIDDEN, with_hidden, without_hidden
from tests.growth import growth

pytestmark = pytest.mark.hostile

HEADERS: dict[str, Any] = {
    "Authorization": "Bearer abc123",
    "X-Api-Key": "k",
    "cookie": "session=1",
    "X-Whatever": "opaque",
    "Accept": "application/json",
    "content-type": "text/plain",
    "X-Named": "{{secret__CRM}}",
    "X-Bearer": "Bearer {{ secret__CRM }}",
    "X-User": "{{user_name}}",
    "X-Mixed": "abc{{user_name}}",
    "X-Json": '{"token": "abc"}',
    "X-Braces": "{abc}",
    "X-Stored": {"secret_id": "s1"},
    "X-Variable": {"variable_name": "user_name"},
    "X-Odd": {"value": "abc", "name": "n"},
}
VISIBLE = {"Accept", "content-type", "X-Named", "X-Bearer", "X-User", "X-Stored", "X-Variable"}


def test_a_literal_header_is_hidden_and_what_is_named_is_not():
    shown = without_hidden({"request_headers": HEADERS})["request_headers"]
    assert {name for name in HEADERS if shown[name] == HEADERS[name]} == VISIBLE
    assert shown["X-Odd"] == {"value": HIDDEN, "name": "n"}
    assert all(shown[name] == HIDDEN for name in HEADERS.keys() - VISIBLE - {"X-Odd"})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.org/a/{order_id}?of={id}&to={{user}}", "= as it is"),
        ("https://x.org/orders", "= as it is"),
        ("https://x.org/?token=abc&b", f"https://x.org/?token={HIDDEN}&{HIDDEN}"),
        ("https://x.org/?a=&b={x}y", f"https://x.org/?a=&b={HIDDEN}"),
        ("https://me:pw@x.org/a", f"https://{HIDDEN}@x.org/a"),
        ("https://hooks.x.org/T0/XyZ0123456789abcdef", f"https://hooks.x.org/T0/{HIDDEN}"),
        ("https://hooks.x.org/T0/%58yZ0123456789abcd", f"https://hooks.x.org/T0/{HIDDEN}"),
        ("https://x.org/a#access=1", f"https://x.org/a#{HIDDEN}"),
        ("no address", "= as it is"),
        (
            "https://hooks.zapier.com/hooks/catch/1234567/b7k2q9x/",
            f"https://hooks.zapier.com/hooks/catch/{HIDDEN}/{HIDDEN}/",
        ),
        ("https://x.org/abcdefghijklmnopqrst", f"https://x.org/{HIDDEN}"),
        ("https://x.org/qzxkvbnmw", f"https://x.org/{HIDDEN}"),
        ("https://x.org/orders;token=abc123", f"https://x.org/orders;{HIDDEN}"),
        ("https://a1b2c3d4.ngrok.io:8443/v2", f"https://{HIDDEN}.ngrok.io:8443/v2"),
        ("https://a1b2c3d4.x.{id}", f"https://{HIDDEN}.x.{{id}}"),
        ("https://x.org/?b7k2q9x=1", f"https://x.org/?{HIDDEN}={HIDDEN}"),
        ("https://api.eu.x.org/v1/getOrder/{id}.json", "= as it is"),
        ("http://127.0.0.1:8080/orders", "= as it is"),
        ("http://[::1]:8080/orders", "= as it is"),
        ("http://localhost/orders", "= as it is"),
    ],
)
def test_an_address_is_shown_without_what_lets_somebody_in(url: str, shown: str):
    found = without_hidden({"api_schema": {"url": url}})["api_schema"]["url"]
    assert found == (url if shown == "= as it is" else shown)


def test_constants_and_secrets_are_hidden_and_names_of_parameters_are_not_secrets():
    schema = {"type": "object", "properties": {"token": {"type": "string", "description": "D"}}}
    tool = {
        "name": "t",
        "description": "https://x.org/?token=abc is a text",
        "parameters": schema,
        "api_schema": {
            "path_params_schema": {"secret": {"type": "string", "description": "D"}},
            "request_body_schema": {
                "properties": {"key": {"type": "string", "constant_value": "sk"}, "n": {"enum": []}}
            },
        },
        "custom_llm": {"api_key": {"secret_id": "s1"}, "model_id": "m", "webhook_url": None},
        "auth_token": "abc",
        "secret__CRM": "abc",
        "max_tokens": 5,
    }
    shown = without_hidden(tool)
    body = shown["api_schema"]["request_body_schema"]["properties"]
    assert body == {"key": {"type": "string", "constant_value": HIDDEN}, "n": {"enum": []}}
    assert (shown["auth_token"], shown["secret__CRM"]) == (HIDDEN, HIDDEN)
    for name in ("parameters", "description", "custom_llm", "max_tokens", "name"):
        assert shown[name] == tool[name]
    assert shown["api_schema"]["path_params_schema"] == tool["api_schema"]["path_params_schema"]


@pytest.mark.parametrize("name", ["name", "type", "properties", "secret_id", "variable_name"])
def test_a_header_may_be_called_like_anything(name: str):
    shown = without_hidden({"request_headers": {name: "sk", "X-Type": {"secret_id": "s1"}}})
    assert shown == {"request_headers": {name: HIDDEN, "X-Type": {"secret_id": "s1"}}}


@pytest.mark.parametrize(
    ("name", "value", "is_shown"),
    [
        ("Accept", "application/json, text/*;q=0.8", True),
        ("Content-Type", "text/plain; charset=utf-8", True),
        ("Accept-Language", "de-DE, en;q=0.5", True),
        ("Accept", "sk-accept", False),
        ("Content-Type", "text/plain; token=a1", False),
        ("Content-Type", "application/b7k2q9x", False),
        ("Expect", "sk-expect", False),
        ("User-Agent", "sk-agent", False),
        ("Prefer", "sk-prefer", False),
    ],
)
def test_a_header_that_describes_content_is_shown_in_its_registered_form(
    name: str, value: str, is_shown: bool
):
    shown = without_hidden({"headers": {name: value}})["headers"][name]
    assert shown == (value if is_shown else HIDDEN)


def test_a_number_is_hidden_and_comes_back_as_a_number():
    kept = {"a": {"constant_value": 271828, "n": 1}, "headers": {"X": 2.5}, "auth_token": 7}
    shown = without_hidden(kept)
    assert shown["a"] == {"constant_value": HIDDEN, "n": 1}
    assert (shown["headers"]["X"], shown["auth_token"]) == (HIDDEN, HIDDEN)
    assert with_hidden(shown, kept) == kept
    with pytest.raises(ApiError):
        with_hidden({"constant_value": f"{HIDDEN}1"}, {"constant_value": 271828})


_TEXT = st.text(max_size=12) | st.sampled_from(["{{secret__A}}", "https://a.org/?b=c", "Bearer x"])
_NAME = st.sampled_from(["headers", "url", "token", "a", "request_headers", "constant_value"])
_VALUE = st.recursive(
    _TEXT | st.none() | st.integers(),
    lambda each: st.dictionaries(_NAME, each, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_NAME, _VALUE, max_size=4))
def test_what_is_shown_may_be_sent_back(kept: dict[str, Any]):
    assert with_hidden(without_hidden(kept), kept) == kept
    assert without_hidden(without_hidden(kept)) == without_hidden(kept)


def test_a_list_is_known_by_names_and_a_header_in_whatever_case():
    kept = {"tools": [{"name": "a", "headers": {"X-Key": "1"}}, {"name": "b", "url": "u"}]}
    sent = {"tools": [{"name": "b", "url": "u"}, {"name": "a", "headers": {"x-key": HIDDEN}}]}
    assert with_hidden(sent, kept)["tools"][1] == {"name": "a", "headers": {"x-key": "1"}}


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"X-New": HIDDEN}},
        {"headers": {"X-Key": f"Bearer {HIDDEN}"}},
        {"url": f"https://elsewhere.org/?token={HIDDEN}"},
        {"tools": [{"name": "other", "headers": {"X-Key": HIDDEN}}]},
        {"token": HIDDEN},
    ],
)
def test_a_hidden_value_never_goes_elsewhere(sent: dict[str, Any]):
    kept = {
        "headers": {"X-Key": "1"},
        "url": "https://x.org/?token=abc",
        "tools": [{"name": "a", "headers": {"X-Key": "1"}}],
    }
    with pytest.raises(ApiError) as refused:
        with_hidden(sent, kept)
    assert refused.value.status == "hidden_value"
    with pytest.raises(ApiError):
        with_hidden(sent, None)


def test_a_prompt_may_say_it():
    assert with_hidden({"prompt": f"Say {HIDDEN}."}, None) == {"prompt": f"Say {HIDDEN}."}


@pytest.mark.parametrize("piece", ["{{", "{{a", "{a", "a=b&", "/a1b2c3d4e5f6g7h8", "%", "://", "@"])
def test_the_time_follows_the_length(piece: str):
    def work(text: str) -> None:
        without_hidden({"url": f"https://x.org/{text}?{text}", "headers": {"a": text}})

    assert growth(work, piece) < 6
