"""The database goes away while people talk, and comes back."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from conversation.errors import StoreUnavailableError
from conversation.session.session import Session
from conversation.turn.events import AgentTurn
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.operations import evaluate, publish_reports
from tests.fakes import ScriptedChatModel
from tests.orchestration.deployed import served_deployment
from tests.orchestration.sample import sample_deployment, write_data
from tests.servers import RestartablePostgresql, restartable_postgresql

AGENT = "shop-desk"
WORDS = "My password is swordfish"


@pytest.fixture(scope="module")
def server() -> Iterator[RestartablePostgresql]:
    with restartable_postgresql() as server:
        yield server


def begun(deployment: Deployment, model: ScriptedChatModel) -> Session:
    return Session.start(
        deployment.agent(AGENT).agent,
        knowledge_base=deployment.knowledge_base(AGENT),
        store=deployment.conversations,
        chat_model=model,
    )


def said_in(deployment: Deployment, conversation_id: str) -> list[str]:
    return [turn.text for turn in deployment.conversations.transcript(conversation_id).turns]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_session_goes_on_after_the_database_was_gone_in_the_middle_of_a_turn(
    server: RestartablePostgresql, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    settings = write_data(tmp_path).model_copy(
        update={"store_url": f"postgresql+psycopg://{server.address}"}
    )
    model = ScriptedChatModel(always="Refunds take five days.", model="scripted/model")
    with sample_deployment(settings, model) as deployment:
        ingest(deployment, AGENT)
        session = begun(deployment, model)
        list(session.reply("How long do refunds take?"))
        acknowledged = said_in(deployment, session.conversation_id)

        events = session.reply(WORDS)
        next(events)
        server.stop()
        with pytest.raises(StoreUnavailableError) as lost:
            list(events)
        with pytest.raises(StoreUnavailableError):
            list(session.reply("And now?"))
        with pytest.raises(StoreUnavailableError) as refused:
            list(session.reply("And now?"))
        for told in (str(lost.value), str(refused.value), caplog.text):
            assert "swordfish" not in told
        assert "does not answer" in str(refused.value)
        assert "try again" in str(refused.value)
        for work in (evaluate, publish_reports):
            with pytest.raises(StoreUnavailableError):
                work(deployment)

        server.start()
        last = [each for each in session.reply("And now?") if isinstance(each, AgentTurn)][-1]
        assert last.error is None
        session.end()
        stored = deployment.conversations.transcript(session.conversation_id)
        assert [turn.text for turn in stored.turns] == [
            *acknowledged,
            WORDS,
            "And now?",
            "Refunds take five days.",
        ]
        assert stored.status == "done"
        assert stored == session.transcript
        assert evaluate(deployment).failed == 0
        publish_reports(deployment)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_server_says_that_its_database_is_gone_and_serves_again(
    server: RestartablePostgresql, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    url = f"postgresql+psycopg://{server.address}"
    with served_deployment(tmp_path, store_url=url) as served:
        agent_id = served.agent_with(served.new_text("Refunds take five days."))
        address = f"{served.url.replace('http', 'ws')}/v1/convai/conversation?agent_id={agent_id}"
        with connect(address) as socket:
            conversation_id = _turn(socket, "How long do refunds take?")
            server.stop()
            socket.send(json.dumps({"type": "user_message", "text": WORDS}))
            with pytest.raises(ConnectionClosed) as closed:
                _read_to_the_end(socket)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
            1011,
            "The server cannot keep what is said just now.",
        )
        told = served.http.get("/v1/convai/conversations")
        assert told.status_code == 503
        assert told.json()["detail"]["status"] == "store_unavailable"
        assert told.headers["Retry-After"]
        health = httpx.get(f"{served.url}/health", trust_env=False)
        assert "swordfish" not in caplog.text + told.text + health.text

        server.start()
        detail = served.call("GET", f"/conversations/{conversation_id}")
        heard = [item["message"] for item in detail["transcript"]]
        assert heard[-2:] == ["How long do refunds take?", "Refunds take five days."]
        with connect(address) as socket:
            again = _turn(socket, "Once more, how long do refunds take?")
        assert served.call("GET", f"/conversations/{again}")["transcript"]
        # What was being held when the database went is closed as after a crash, a day later or
        # with the next start.
        later = datetime.now(UTC) + timedelta(hours=25)
        assert conversation_id in served.deployment.conversations.close_abandoned(later)


def _read_to_the_end(socket: Any) -> None:
    while True:
        socket.recv(30)


def _turn(socket: Any, text: str) -> str:
    socket.send(json.dumps({"type": "conversation_initiation_client_data"}))
    conversation_id = ""
    while True:
        frame = json.loads(socket.recv(30))
        if frame["type"] == "conversation_initiation_metadata":
            event = frame["conversation_initiation_metadata_event"]
            conversation_id = event["conversation_id"]
            socket.send(json.dumps({"type": "user_message", "text": text}))
        elif frame["type"] == "ping":
            event_id = frame["ping_event"]["event_id"]
            socket.send(json.dumps({"type": "pong", "event_id": event_id}))
        elif frame["type"] == "agent_response":
            said = frame["agent_response_event"]["agent_response"]
            if "five days" in said:
                return conversation_id
