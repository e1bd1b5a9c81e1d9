"""Addresses that this server makes of itself."""

from pathlib import Path

import pytest
from starlette.requests import Request

from conversation.server.access.own_address import host_named, own_base_url
from conversation.server.context import ServerContext
from tests.conversation.server.served import serving

pytestmark = pytest.mark.hostile
SIGN = "/v1/convai/conversation/get-signed-url?agent_id=support"


def asked(
    host: str,
    *,
    server: tuple[str, int | None] = ("10.0.0.5", 8080),
    scheme: str = "http",
    client: tuple[str, int] | None = ("127.0.0.1", 5),
) -> Request:
    headers = [(b"host", host.encode("latin-1"))]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "scheme": scheme}
    return Request({**scope, "headers": headers, "server": server, "client": client})


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:8080", True),
        ("LOCALHOST", True),
        ("desk.localhost:9", True),
        ("127.0.0.1:9", True),
        ("[::1]:8080", True),
        ("10.0.0.5:8080", True),
        ("10.0.0.5", False),
        ("10.0.0.6:8080", False),
        ("agents.example.com", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example#localhost", False),
        ("localhost@evil.example", False),
        ("evil.example/localhost", False),
        ("localhost:80:90", False),
        ("localhost:", False),
        ("localhost\\evil.example", False),
        ("", False),
    ],
)
def test_only_its_own_address_is_taken_from_a_request(
    context: ServerContext, host: str, known: bool
):
    assert own_base_url(asked(host), context) == (f"http://{host}" if known else None)
    context.public_url = "https://agents.example.com/"
    assert own_base_url(asked(host), context) == "https://agents.example.com"


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:8080", True),
        ("desk.localhost:8080", True),
        ("[::1]:8080", True),
        ("10.0.0.5:8080", True),
        ("localhost", False),
        ("localhost:9", False),
        ("desk.localhost:9", False),
        ("127.0.0.1:1", False),
        ("127.9.9.9:8081", False),
        ("[::1]:9", False),
    ],
)
def test_from_elsewhere_this_machine_has_only_the_servers_port(
    context: ServerContext, host: str, known: bool
):
    for address in ("10.0.0.7", "172.17.0.1", "2001:db8::1", "testclient"):
        request = asked(host, client=(address, 5))
        assert own_base_url(request, context) == (f"http://{host}" if known else None)


@pytest.mark.parametrize("port", ["0", "00000", "65536", "99999"])
def test_there_is_no_such_port(context: ServerContext, port: str):
    for host in ("localhost", "127.0.0.1", "10.0.0.5", "[::1]"):
        for server in (("10.0.0.5", 8080), ("localhost", int(port))):
            assert own_base_url(asked(f"{host}:{port}", server=server), context) is None


@pytest.fixture
def context(tmp_path: Path) -> ServerContext:
    with serving(tmp_path) as served:
        return served.context


@pytest.mark.parametrize(
    "host", ["a; script-src *", "a b", "a'b", "a,b", "a\r\nx: y", "[", "]", "a" * 300, "-", "\xe4"]
)
def test_what_is_no_host_gets_into_no_policy(host: str):
    assert host_named(asked(host)) is None


def test_a_signed_url_is_not_made_for_a_host_that_the_request_chose(tmp_path: Path):
    with serving(tmp_path) as served:
        headers = {"xi-api-key": served.key("converse"), "host": "evil.example"}
        refused = served.http.get(SIGN, headers=headers)
        served.context.public_url = "https://agents.example.com"
        signed = served.http.get(SIGN, headers=headers)
        index = served.http.get("/", headers={"host": "evil.example"})
        served.context.public_url = None
        unknown = served.http.get("/", headers={"host": "evil.example"})
        moved = [
            served.http.get(path, headers={"host": "evil.example"})
            for path in ("/talk/support/", "//evil.example/talk/support/", "/talk/support/?a=b")
        ]

    assert (refused.status_code, refused.json()["detail"]["status"]) == (421, "unknown_host")
    assert "evil.example" not in refused.text
    assert signed.json()["signed_url"].startswith("wss://agents.example.com/v1/convai/")
    assert "evil.example" not in index.text
    assert "evil.example" not in unknown.text
    assert moved[0].headers["location"] == "/talk/support"
    assert moved[2].headers["location"] == "/talk/support?a=b"
    assert not moved[1].headers.get("location", "/x").startswith(("//", "http"))
