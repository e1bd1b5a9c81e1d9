"""Webhook tools against a real server on this machine."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conversation.agent.config import AgentConfig
from conversation.agent.tool_config import ToolConfig, ToolWebhook
from conversation.agent.variables import variable_names
from conversation.errors import (
    AgentConfigError,
    MissingVariableError,
    ToolError,
    VariableValueError,
)
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.tools.webhook import (
    call_webhook,
    filled_webhook,
    webhook_request,
    without_secrets,
)
from conversation.tools.written_secrets import written_secrets
from conversation.transcript import ToolCall
from conversation.turn.events import AgentTurn
from tests.fakes import ScriptedChatModel
from tests.growth import growth

SECRET = "sk-live-very-secret"


class Seen:
    """What a server was asked, and how it answers."""

    def __init__(self) -> None:
        self.method = self.path = ""
        self.headers: dict[str, str] = {}
        self.body: Any = None
        self.status = 200
        self.reply = b'{"state": "on its way"}'
        self.media_type = "application/json"
        self.more: dict[str, str] = {}
        self.url = ""


@contextmanager
def webhook_server() -> Iterator[Seen]:
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            seen.method, seen.path = self.command, self.path
            seen.headers = {name.lower(): value for name, value in self.headers.items()}
            seen.body = json.loads(body) if body else None
            self.send_response(seen.status)
            for name, value in {"Content-Type": seen.media_type, **seen.more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(seen.reply)))
            self.end_headers()
            self.wfile.write(seen.reply)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[Seen]:
    with webhook_server() as seen:
        yield seen


def tool(url: str, **webhook: Any) -> ToolConfig:
    settings = {"url": url, "allowed_cidrs": ["127.0.0.1/32"], **webhook}
    return ToolConfig.model_validate(
        {
            "name": "order_status",
            "description": "Look up an order.",
            "parameters": {
                "type": "object",
                "properties": {"order_id": {"type": "string"}, "detail": {"type": "boolean"}},
                "required": ["order_id"],
                "additionalProperties": False,
            },
            "timeout_s": 60,
            "webhook": settings,
        }
    )


def called(config: ToolConfig, parameters: Mapping[str, Any], **more: Any) -> str:
    return call_webhook(config, parameters, **{"secrets": {}, "call_id": "c.1", **more})


def test_parameters_go_into_the_body(server: Seen):
    config = tool(f"{server.url}/orders", constants={"source": "agent"})

    result = called(config, {"order_id": "5", "detail": True})

    assert result == '{"state": "on its way"}'
    assert (server.method, server.path) == ("POST", "/orders")
    assert server.body == {"order_id": "5", "detail": True, "source": "agent"}
    assert server.headers["content-type"] == "application/json"
    assert server.headers["idempotency-key"] == "c.1"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_without_a_body_parameters_go_into_the_query(server: Seen, method: str):
    config = tool(f"{server.url}/orders/{{order_id}}?v=2", method=method)

    called(config, {"order_id": "a/b c", "detail": True})

    assert (server.method, server.path) == (method, "/orders/a%2Fb%20c?v=2&detail=true")
    assert server.body is None


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_every_method_is_sent(server: Seen, method: str):
    called(tool(f"{server.url}/orders/{{order_id}}", method=method), {"order_id": "5"})
    assert (server.method, server.body) == (method, {})


@given(st.text(min_size=1))
def test_a_parameter_cannot_leave_its_place_in_the_url(value: str):
    webhook = ToolWebhook(url="https://shop.example.com/orders/{order_id}/state", method="GET")
    try:
        url = webhook_request(webhook, {"order_id": value}, secrets={}, call_id="c").url
    except (ToolError, UnicodeEncodeError):
        return
    prefix, suffix = "https://shop.example.com/orders/", "/state"
    assert url.startswith(prefix)
    assert url.endswith(suffix)
    middle = url[len(prefix) : -len(suffix)]
    assert not set(middle) & set("/?#@ \\")
    assert middle not in (".", "..")


@pytest.mark.parametrize("value", ["..", ".", "", "  "])
def test_a_parameter_that_would_climb_is_refused(value: str):
    with pytest.raises(ToolError, match="'order_id' cannot stand in a URL"):
        called(tool("http://127.0.0.1:9/orders/{order_id}"), {"order_id": value})


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/users/{{user_id}}/orders", ".."),
        ("/users/{{user_id}}/orders", "."),
        ("/users/{{user_id}}", ".."),
        ("/users/{{user_id}}?all=no", ".."),
        ("/users/{{user_id}}{{user_id}}/orders", "."),
        ("/users/.{{user_id}}/orders", ""),
        ("/users/%2e{{user_id}}/orders", "."),
    ],
)
def test_a_variable_that_would_climb_is_refused(path: str, value: str):
    config = tool(f"https://shop.example.com{path}")
    with pytest.raises(VariableValueError, match="user_id"):
        filled_webhook(config, {"user_id": value})


@pytest.mark.hostile
@pytest.mark.parametrize("value", ["", " ", "\t\n", "\u00a0", "\u2003"])
@pytest.mark.parametrize(
    "path",
    [
        "/users/{{user_id}}/delete",
        "/users/{{ user_id }}",
        "/u-{{user_id}}?a={{city}}",
        "/{{user_id}}#a",
    ],
)
def test_a_variable_that_is_empty_in_a_path_is_refused_by_its_name(path: str, value: str):
    config = tool(f"https://shop.example.com{path}")
    with pytest.raises(VariableValueError, match=r"'user_id'.*its value is empty"):
        filled_webhook(config, {"user_id": value, "city": "Ulm"})


def test_a_variable_that_is_empty_elsewhere_is_not_refused():
    config = tool("https://shop.example.com/users/{{user_id}}?of={{city}}#{{city}}")
    filled = filled_webhook(config, {"user_id": 0, "city": ""}).webhook
    assert filled is not None
    assert filled.url == "https://shop.example.com/users/0?of=#"


@pytest.mark.hostile
def test_an_empty_variable_is_found_however_its_name_is_spelled():
    config = tool("https://shop.example.com/users/{{gr\u00f6\u00dfe}}/delete")
    with pytest.raises(VariableValueError, match="gr\u00f6\u00dfe"):
        filled_webhook(config, {"gro\u0308\u00dfe": ""})


@pytest.mark.parametrize("value", ["...", "a..", "v1.2", "../a", "%2e%2e", "/", "?"])
def test_a_variable_that_stays_in_its_place_is_not(value: str):
    config = tool("https://shop.example.com/a/../users/{{user_id}}/orders?of={{user_id}}")
    filled = filled_webhook(config, {"user_id": value}).webhook
    assert filled is not None
    assert filled.url.count(quote(value, safe="")) == 2


def test_secrets_go_into_headers_and_nowhere_else(server: Seen):
    server.reply = json.dumps({"echo": f"Bearer {SECRET}"}).encode()
    config = tool(f"{server.url}/orders", headers={"Authorization": "Bearer {{secret__shop}}"})

    result = called(config, {"order_id": "5"}, secrets={"shop": SECRET})

    assert server.headers["authorization"] == f"Bearer {SECRET}"
    assert result == '{"echo": "Bearer [secret]"}'
    request = webhook_request(
        config.webhook or ToolWebhook(url="http://x"), {}, secrets={"shop": SECRET}, call_id="c"
    )
    assert SECRET not in repr(request)


PIECES = st.sampled_from(
    [
        "{",
        "}",
        "{{",
        "}}",
        "{{ ",
        " }}",
        "secret__shop",
        "user",
        "city",
        "{{user}}",
        "{{city}}",
        "x",
    ]
)
NESTED = st.lists(PIECES, max_size=8).map("".join)


@pytest.mark.hostile
@given(user=NESTED, city=NESTED, template=NESTED)
def test_values_are_never_searched_for_placeholders(user: str, city: str, template: str):
    """Whatever a user calls himself, a header holds a secret only where its template says so."""
    assume({*variable_names(template)} <= {"user", "city", "secret__shop"})
    assume(user.strip() and city.strip())  # refused in a path
    config = tool(
        "https://example.com/{{user}}/{{city}}",
        headers={"X-User": template, "X-Names": "{{user}} {{city}}"},
        constants={"user": "{{user}}-{{city}}"},
    )
    own = {"user": user, "city": city}

    filled = filled_webhook(config, own).webhook
    assert filled is not None
    request = webhook_request(filled, {}, secrets={"shop": SECRET}, call_id="c")

    asked_for = len(re.findall(r"\{\{\s*secret__shop\s*\}\}", template))
    assert request.headers["X-User"].count(SECRET) == asked_for
    assert request.headers["X-Names"] == f"{user} {city}"
    assert json.loads(request.content or b"")["user"] == f"{user}-{city}"
    assert request.url == f"https://example.com/{quote(user, safe='')}/{quote(city, safe='')}"


@pytest.mark.hostile
def test_a_users_name_cannot_name_a_secret(store: ConversationStore, server: Seen):
    config = tool(f"{server.url}/orders", headers={"X-User": "{{user_name}}"})
    session = Session.start(
        agent(config),
        store=store,
        chat_model=ScriptedChatModel(LOOK_UP, "Done."),
        variables={"user_name": "{{secret__CRM}}"},
        secrets={"CRM": SECRET},
    )

    list(session.reply("Where is order 5?"))

    assert server.headers["x-user"] == "{{secret__CRM}}"


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("webhook", "echo", "kept"),
    [
        ({"headers": {"X-Key": "sk-literal-0001"}}, "key sk-literal-0001 is", "key [secret] is"),
        ({"headers": {"Authorization": "Bearer sk-lit-1"}}, "sk-lit-1 expired", "[secret] expired"),
        ({"headers": {"Authorization": "Bearer hunter"}}, "no hunter", "no [secret]"),
        ({"headers": {"Authorization": "Basic bWU6czNjcmV0LXB3"}}, "s3cret-pw?", "[secret]?"),
        ({"headers": {"Cookie": "theme=dark; sid=a8Zq21xx"}}, "a8Zq21xx", "[secret]"),
        ({"headers": {"X-Key": "{{shop_id}}:k9q-77-aa"}}, "k9q-77-aa", "[secret]"),
        ({"headers": {"X-Key": 'quo"te9'}}, '{"got": "quo\\"te9"}', '{"got": "[secret]"}'),
        ({"constants": {"key": "sk_lit"}}, "sk_lit", "[secret]"),
        ({"constants": {"account": 271828}}, '{"n": 271828}', '{"n": [secret]}'),
        ({"constants": {"pin": 2718}}, "2718 is wrong", "[secret] is wrong"),
        ({"query": "?token=ab/c9%2F1"}, "token=ab/c9%2F1", "token=[secret]"),
        ({"query": "?t=ab%20c9x-11"}, "got ab c9x-11", "got [secret]"),
        ({"query": "/catch/1234567/b7k2q9x/"}, "1234567 b7k2q9x", "[secret] [secret]"),
        ({"query": "/orders;token=abc123"}, "no abc123", "no [secret]"),
        # What is ordinary stays: the agent has to answer with it.
        ({"headers": {"X-Debug": "true"}}, '{"ok": true}', '{"ok": true}'),
        ({"headers": {"Accept": "application/json"}}, "application/json", "application/json"),
        ({"constants": {"country": "Germany", "n": 5}}, "5 in Germany", "5 in Germany"),
        ({"constants": {"account": 271828}}, "1271828 euros", "1271828 euros"),
        ({"query": "/v2/orders"}, "v2 orders", "v2 orders"),
    ],
)
@pytest.mark.parametrize("is_filled", [False, True])
def test_what_is_written_out_in_a_webhook_does_not_come_back(
    server: Seen, webhook: dict[str, Any], echo: str, kept: str, is_filled: bool
):
    query = webhook.get("query", "")
    sections = {name: each for name, each in webhook.items() if name != "query"}
    config = tool(f"{server.url}/a{query}", **sections)
    variables = {"shop_id": "s1"}
    if is_filled or "{{" in str(webhook):
        config = filled_webhook(config, variables)
    server.reply = echo.encode()
    assert called(config, {"order_id": "5"}) == kept
    server.status = 401
    with pytest.raises(ToolError) as failed:
        called(config, {"order_id": "5"})
    assert str(failed.value).endswith(f"401: {kept}")


def test_what_a_user_said_is_not_taken_for_a_secret(server: Seen):
    config = tool(
        f"{server.url}/{{{{city}}}}?of={{{{city}}}}",
        headers={"X-City": "{{city}}"},
        constants={"city": "{{city}}"},
    )
    server.reply = b"Nothing in Gdynia-2031-x."
    filled = filled_webhook(config, {"city": "Gdynia-2031-x"})
    assert called(filled, {"order_id": "5"}) == "Nothing in Gdynia-2031-x."


def test_an_escaped_secret_is_blotted_out_too():
    secret = 'quo"te\\d'
    assert without_secrets(json.dumps({"a": secret}), {"s": secret}) == '{"a": "[secret]"}'
    assert without_secrets("a b c", {"s": "b"}) == "a b c"


@pytest.mark.parametrize(
    ("url", "cidrs", "expected"),
    [
        ("http://127.0.0.1:{port}/x", (), "not public"),
        ("http://[::1]:{port}/x", ("127.0.0.0/8",), "not public"),
        ("http://169.254.169.254/latest/meta-data", ("127.0.0.0/8",), "not public"),
        ("http://2130706433:{port}/x", (), "not public"),
        ("http://10.0.0.1/x", ("127.0.0.0/8",), "not public"),
        ("http://nowhere.invalid/x", (), "host cannot be found"),
    ],
)
def test_private_addresses_need_the_agents_leave(
    server: Seen, url: str, cidrs: tuple[str, ...], expected: str
):
    port = server.url.rpartition(":")[2]
    config = tool(url.format(port=port), allowed_cidrs=cidrs)

    with pytest.raises(ToolError, match=expected):
        called(config, {"order_id": "5"})
    assert server.method == ""


def test_a_name_that_leads_to_a_private_address_is_refused(server: Seen):
    config = tool("http://shop.example.com/x", allowed_cidrs=())
    with pytest.raises(ToolError, match="not public"):
        called(config, {"order_id": "5"}, resolve=lambda host, port: ["93.184.216.34", "10.0.0.1"])


def test_the_connection_goes_to_the_judged_address(server: Seen):
    port = server.url.rpartition(":")[2]
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    called(tool(f"http://shop.example.com:{port}/x"), {"order_id": "5"}, resolve=resolve)

    assert asked == ["shop.example.com"]
    assert server.headers["host"] == f"shop.example.com:{port}"


@pytest.mark.parametrize(
    ("status", "reply", "expected", "outside"),
    [
        (404, b"no such order", "status 404: no such order", True),
        (500, b"", "status 500$", True),
        (302, b"", "redirect .302., which is not followed", False),
    ],
)
def test_an_answer_that_is_no_success_is_an_error(
    server: Seen, status: int, reply: bytes, expected: str, outside: bool
):
    server.status, server.reply, server.more = status, reply, {"Location": "http://10.0.0.1/"}
    with pytest.raises(ToolError, match=expected) as caught:
        called(tool(f"{server.url}/x"), {"order_id": "5"})
    assert caught.value.from_outside is outside


def test_too_much_and_what_is_no_text_are_refused(server: Seen):
    server.reply = b"x" * 2_000
    with pytest.raises(ToolError, match="max_response_bytes"):
        called(tool(f"{server.url}/x", max_response_bytes=1_000), {"order_id": "5"})
    server.media_type = "image/png"
    with pytest.raises(ToolError, match="not text"):
        called(tool(f"{server.url}/x"), {"order_id": "5"})


@pytest.mark.parametrize(
    ("webhook", "expected"),
    [
        ({"url": "ftp://x/y"}, "begins with http"),
        ({"url": "https://{order_id}.example.com/"}, "host of a webhook URL is fixed"),
        ({"url": "https://{{host}}/"}, "host of a webhook URL is fixed"),
        ({"url": "https://a:b@example.com/"}, "host of a webhook URL is fixed"),
        ({"url": "https://example.com/?key={{secret__a}}"}, "secrets go into `headers`"),
        ({"url": "https://example.com/{order_id"}, "no partner"),
        ({"url": "https://example.com/{order_id.__class__}"}, "names in braces"),
        ({"url": "https://example.com/{0}"}, "names in braces"),
        ({"url": "https://example.com/{other}"}, "parameters.required"),
        ({"url": "https://example.com/", "headers": {"Host": "x"}}, "set by the request"),
        ({"url": "https://example.com/", "headers": {"A b": "x"}}, "no usable header"),
        ({"url": "https://example.com/", "headers": {"A": "x\ny"}}, "no usable header"),
    ],
)
def test_webhooks_that_are_not_safe_are_refused(webhook: dict[str, Any], expected: str):
    with pytest.raises(ValueError, match=expected):
        tool(webhook.pop("url"), **webhook)


# In a session


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        yield store


def agent(config: ToolConfig) -> AgentConfig:
    return AgentConfig(
        agent_id="shop", name="Shop", tools=(config,), dynamic_variables={"shop_id": "s 1"}
    )


LOOK_UP = {"action": {"tool": "order_status", "parameters": {"order_id": "5"}}}


def test_a_session_calls_it_and_keeps_no_secret(
    store: ConversationStore, server: Seen, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    server.status, server.reply = 403, f"bad key {SECRET}".encode()
    config = tool(
        f"{server.url}/{{{{shop_id}}}}/orders", headers={"Authorization": "{{secret__shop}}"}
    )
    model = ScriptedChatModel(LOOK_UP, "Sorry.")
    session = Session.start(
        agent(config), store=store, chat_model=model, variables={"secret__shop": SECRET}
    )

    *_, call, _, turn = session.reply("Where is order 5?")

    assert isinstance(call, ToolCall)
    assert isinstance(turn, AgentTurn)
    assert (server.path, server.headers["authorization"]) == ("/s%201/orders", SECRET)
    assert call.is_error
    assert call.result == "it answered with status 403: bad key [secret]."
    assert call.latency_ms is not None
    kept = json.dumps(
        [event.payload for event in store.events(session.conversation_id)], default=str
    )
    for text in (kept, caplog.text, *model.prompt_texts, repr(session.transcript)):
        assert SECRET not in text


def test_what_a_webhook_needs_is_checked_at_the_start(store: ConversationStore):
    config = tool("https://example.com/", headers={"Authorization": "{{secret__shop}}"})
    with pytest.raises(AgentConfigError, match="needs the secret 'shop'"):
        Session.start(agent(config), store=store, chat_model=ScriptedChatModel())
    unknown = tool("https://example.com/{{nowhere}}/")
    with pytest.raises(MissingVariableError, match="webhook of the tool 'order_status'"):
        Session.start(agent(unknown), store=store, chat_model=ScriptedChatModel())
    assert store.conversations() == []


def test_a_prompt_cannot_hold_a_secret(store: ConversationStore):
    config = AgentConfig(agent_id="a", name="A", system_prompt="The key is {{secret__shop}}.")
    with pytest.raises(MissingVariableError, match="for headers of webhooks alone"):
        Session.start(config, store=store, chat_model=ScriptedChatModel(), secrets={"shop": SECRET})


@pytest.mark.hostile
@pytest.mark.parametrize("piece", ["% ", "a=b&", "{{a}}"])
def test_the_time_to_find_what_is_written_out_follows_the_length(piece: str):
    def work(text: str) -> None:
        url = f"https://x.org/{text}?{text}"
        written_secrets(ToolWebhook.model_construct(None, url=url, headers={"a": text}))

    assert growth(work, piece) < 6
