"""What every HTTP request passes."""

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Body, UploadFile

from conversation.server.app import make_app
from conversation.server.context import ServerContext
from conversation.server.limits import ServerLimits
from conversation.store.store import ConversationStore
from tests.conversation.server.served import SUPPORT, ScriptedAgents, Timer
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

    assert answer.status_code == 501
    assert answer.json()["detail"]["status"] == "not_supported"
    assert answer.json()["detail"]["message"].startswith(
        "This server does not offer 'phone-numbers'."
    )


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
