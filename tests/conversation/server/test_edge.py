"""What every HTTP request passes."""

import json
import logging
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Body, UploadFile

from conversation.server.app import make_app
from conversation.server.context import ServerContext
from conversation.server.limits import ServerLimits
from conversation.store.store import ConversationStore
from tests.conversation.server.served import SUPPORT, ScriptedAgents, Timer, serving, wait_until
from tests.fakes import ScriptedChatModel

router = APIRouter()


@router.post("/v1/convai/echo")
async def echo(text: str = Body(embed=True)) -> dict[str, int]:
    return {"chars": len(text)}


@router.post("/v1/convai/knowledge-base/doc_1/update-file")
async def upload(file: UploadFile) -> dict[str, int | None]:
    return {"bytes": file.size}


@router.get("/v1/convai/agents/{agent_id}/widget")
async def widget(agent_id: str) -> dict[str, str]:
    return {"agent_id": agent_id}


@router.get("/v1/convai/broken")
async def broken() -> None:
    raise KeyError("what the user said")


@pytest.fixture
def limits() -> ServerLimits:
    return ServerLimits(body_bytes=1_000, upload_bytes=5_000, requests_per_minute=120)


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
async def http(tmp_path: Path, limits: ServerLimits, timer: Timer) -> Any:
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        agents = ScriptedAgents([SUPPORT], ScriptedChatModel())
        context = ServerContext(agents=agents, store=store, limits=limits, timer_s=timer)
        app = make_app(context, routers=[router])
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://agents") as client:
            yield client


async def test_health_is_open_and_says_nothing_else(http: httpx.AsyncClient):
    answer = await http.get("/api/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readiness_looks_at_what_is_needed(http: httpx.AsyncClient):
    answer = await http.get("/api/ready")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "store": True,
        "agents": True,
        "warming": False,
        "stopping": False,
        "conversations": 0,
    }


async def test_every_answer_has_security_headers_and_an_id(http: httpx.AsyncClient):
    for path in ("/api/health", "/no/such/page", "/v1/convai/phone-numbers"):
        headers = (await http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert len(headers["x-request-id"]) == 16


async def test_what_is_not_served_says_so(http: httpx.AsyncClient):
    answer = await http.post("/v1/convai/phone-numbers", json={})

    assert answer.status_code == 400
    assert answer.json()["detail"]["status"] == "not_supported"
    assert answer.json()["detail"]["message"].startswith(
        "This server does not offer 'phone-numbers'."
    )


@pytest.mark.parametrize(
    "path", ["/v1/convai/conversations?search=a%00", "/v1/convai/agents/a%00", "/v1/convai/%00"]
)
async def test_an_address_with_nul_is_refused(http: httpx.AsyncClient, path: str):
    answer = await http.get(path)

    assert answer.status_code == 422
    assert "NUL" in answer.json()["detail"]["message"]


async def test_an_unknown_page_is_404_in_the_same_shape(http: httpx.AsyncClient):
    answer = await http.get("/nowhere")

    assert answer.status_code == 404
    assert answer.json()["detail"]["status"] == "not_found"


async def test_an_unforeseen_error_tells_an_id_and_nothing_else(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    answer = await http.get("/v1/convai/broken")

    assert answer.status_code == 500
    assert "what the user said" not in answer.text
    assert "KeyError" in caplog.text
    assert "what the user said" not in "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("conv")
    )


async def test_a_body_that_says_its_length_is_refused_before_it_is_read(http: httpx.AsyncClient):
    answer = await http.post("/v1/convai/echo", json={"text": "a" * 2_000})

    assert answer.status_code == 413
    assert answer.json()["detail"]["message"] == "A request may have 1,000 bytes here at most."


async def test_a_body_that_says_no_length_is_refused_while_it_is_read(http: httpx.AsyncClient):
    taken = 0

    async def pieces():
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"a" * 100

    answer = await http.post("/v1/convai/echo", content=pieces())

    assert answer.status_code == 413
    assert taken < 15


async def test_files_may_be_larger(http: httpx.AsyncClient):
    path = "/v1/convai/knowledge-base/doc_1/update-file"

    assert (await http.post(path, files={"file": b"a" * 4_000})).json() == {"bytes": 4_000}
    assert (await http.post(path, files={"file": b"a" * 6_000})).status_code == 413


async def test_a_client_that_asks_too_often_is_told_when_to_come_back(
    http: httpx.AsyncClient, timer: Timer
):
    answers = [await http.get("/api/health") for _ in range(21)]
    timer.now_s = 0.5
    later = [(await http.get("/api/health")).status_code for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["detail"]["status"] == "too_many_requests"
    assert later == [200, 429]


async def test_pages_of_other_sites_may_ask_for_what_widgets_need_and_nothing_else(
    http: httpx.AsyncClient,
):
    origin = {"origin": "https://shop.example.com"}
    asking = {**origin, "access-control-request-method": "POST"}
    open_to_pages = await http.options("/v1/convai/conversations/conv_1/feedback", headers=asking)
    widget = await http.get("/v1/convai/agents/support/widget", headers=origin)
    closed = await http.get("/v1/convai/agents/support", headers=origin)
    asked = await http.options("/v1/convai/agents/support", headers=asking)

    assert open_to_pages.status_code == 204
    assert open_to_pages.headers["access-control-allow-origin"] == "*"
    assert open_to_pages.headers["access-control-allow-headers"] == "content-type"
    assert widget.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in closed.headers
    assert "access-control-allow-origin" not in asked.headers


async def test_the_log_names_the_route_and_never_the_query(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "conversation.server.edge")
    await http.get("/v1/convai/agents/support/widget?conversation_signature=secret")
    await http.get("/secret/words")
    await http.get("/api/health?token=secret")
    lines = [json.loads(record.getMessage()) for record in caplog.records]

    assert [line["route"] for line in lines][-1] == "/api/health"
    assert lines[-1].keys() == {"request", "method", "route", "status", "ms", "address", "key"}
    assert lines[0]["route"] == "/v1/convai/agents/{agent_id}/widget"
    assert lines[1]["route"] == "(none)"
    assert "secret" not in caplog.text


async def test_the_openapi_document_has_examples_and_no_page_loads_scripts_from_elsewhere(
    http: httpx.AsyncClient,
):
    document = (await http.get("/openapi.json")).json()

    assert "/v1/convai/conversation/get-signed-url" in document["paths"]
    assert document["components"]["schemas"]["SignedUrl"]["examples"]
    assert (await http.get("/docs")).status_code == 404


SECRET = "sk-hunter2-hunter2"


@pytest.mark.hostile
@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "9" * 400 + ".0",
        "9" * 30,
        "-" + "9" * 20,
        '"\\ud800"',
        '"\\uDFFF\\uD800"',
        '{"\\ud800": 1}',
        "[[NaN]]",
    ],
)
async def test_json_that_cannot_be_kept_is_refused_and_not_repeated(
    http: httpx.AsyncClient, value: str, caplog: pytest.LogCaptureFixture
):
    body = f'{{"text": {value}, "key": "{SECRET}"}}'.encode()
    for kind in ("application/json", "application/json; charset=utf-8", None):
        headers = {} if kind is None else {"content-type": kind}
        answer = await http.post("/v1/convai/echo", content=body, headers=headers)

        assert answer.status_code == 422, answer.text
        assert SECRET not in answer.text + caplog.text


@pytest.mark.hostile
@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "NaN Infinity 1e999 \\ud83d\\ude00 9999999999999999999999"}',
        '{"text": "\u2200 [[["}'.encode(),
        '{"text": "with a mark"}'.encode("utf-8-sig"),
    ],
)
async def test_harmless_text_that_looks_odd_passes(http: httpx.AsyncClient, body: bytes):
    headers = {"content-type": "application/json"}
    answer = await http.post("/v1/convai/echo", content=body, headers=headers)

    assert answer.status_code == 200, answer.text


@pytest.mark.hostile
@pytest.mark.parametrize(
    "code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "latin-1"]
)
@pytest.mark.parametrize("levels", [0, 97])
async def test_json_that_is_not_utf8_is_refused_however_deep(
    http: httpx.AsyncClient, code: str, levels: int
):
    """A byte of U+2200 is a quote in UTF-8, behind which brackets would not count."""
    letter = "\u00e9" if code == "latin-1" else "\u2200"
    text = f'{{"text": "{letter}", "more": {"[" * levels}{"]" * levels}}}'
    headers = {"content-type": "application/json"}
    answer = await http.post("/v1/convai/echo", content=text.encode(code), headers=headers)

    assert answer.status_code == 422
    assert answer.json()["detail"]["status"] == "unusable_json"
    assert "UTF-8" in answer.json()["detail"]["message"]


@pytest.mark.hostile
async def test_a_refusal_says_where_and_never_what_was_sent(http: httpx.AsyncClient):
    for body in (f'{{"text": ["{SECRET}"]}}', f'{{"text": {{"a": "{SECRET}"}}}}', f'["{SECRET}"]'):
        headers = {"content-type": "application/json"}
        answer = await http.post("/v1/convai/echo", content=body, headers=headers)

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["msg"]
        assert SECRET not in answer.text


@pytest.mark.slow
@pytest.mark.hostile
def test_half_a_request_is_not_waited_for(tmp_path: Path):
    limits = ServerLimits(head_timeout_s=0.5, body_timeout_s=0.5)
    halves = [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
        b"GET /api/health HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nX:",
        b"POST /v1/convai/feedback HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 900\r\n\r\n{",
    ]
    with serving(tmp_path, limits=limits) as served:
        sockets = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(10 * 5)]
        for number, each in enumerate(sockets):
            each.sendall(halves[number % len(halves)])
        for each in sockets:
            each.settimeout(20)
            with suppress(ConnectionError):
                while each.recv(65_536):
                    pass
            each.close()
        wait_until(lambda: served.open_sockets() == 0)
        assert served.http.get("/api/health").status_code == 200


@pytest.mark.hostile
def test_an_endless_head_is_cut_off(tmp_path: Path):
    with serving(tmp_path) as served:
        with socket.create_connection(("127.0.0.1", served.port)) as each, suppress(OSError):
            each.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
            for _ in range(2_000):
                each.sendall(b"X-Filler: " + b"a" * 500 + b"\r\n")
        wait_until(lambda: served.open_sockets() == 0)


@pytest.mark.hostile
def test_slow_but_steady_requests_are_answered(tmp_path: Path):
    limits = ServerLimits(head_timeout_s=20, body_timeout_s=20, init_timeout_s=20)
    with serving(tmp_path, limits=limits) as served:
        with socket.create_connection(("127.0.0.1", served.port)) as each:
            for piece in (
                b"GET /api/health HTTP/1.1\r\n",
                b"Host: a\r\n",
                b"Connection: close\r\n\r\n",
            ):
                each.sendall(piece)
                time.sleep(0.05)
            assert each.recv(100).startswith(b"HTTP/1.1 200")
        with served.dial() as client:
            client.opened()
