"""The server ends in order, and what it acknowledged survives when it does not."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conversation.server.context import ServerContext
from conversation.server.errors import PortTakenError
from conversation.server.serving import require_free_port
from conversation.store.store import ConversationStore
from tests.conversation.server.served import (
    Clock,
    PausingChatModel,
    Served,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel

CHILD = """
import sys
from pathlib import Path
from conversation.server.app import make_app
from conversation.server.context import ServerContext
from conversation.server.serving import make_server
from conversation.store.store import ConversationStore
from tests.conversation.server.served import SUPPORT, ScriptedAgents
from tests.fakes import ScriptedChatModel

model = ScriptedChatModel(always="Five days, as a rule.")
with ConversationStore.open(sys.argv[1]) as store:
    context = ServerContext(agents=ScriptedAgents([SUPPORT], model), store=store)
    server = make_server(make_app(context), context, host="127.0.0.1", port=0)
    server.when_listening(lambda address: print(address, flush=True))
    server.run()
"""
REPOSITORY = Path(__file__).resolve().parents[3]


@contextmanager
def child_server(url: str) -> Generator[tuple["subprocess.Popen[str]", int]]:
    """A server in a process of its own, and its port."""
    command = [sys.executable, "-c", CHILD, url]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.kill()


def dialled(port: int, store: ConversationStore) -> Served:
    return Served(ServerContext(agents=None, store=store), port, Clock())  # pyright: ignore[reportArgumentType]


def test_a_turn_that_is_under_way_is_finished_before_the_server_stops(tmp_path: Path):
    model = PausingChatModel("Refunds take five days.")
    with serving(tmp_path, model=model) as served, served.dial() as client:
        conversation_id = client.opened()
        client.say("How long do refunds take?")
        client.until("agent_chat_response_part")
        threading.Timer(0.3, model.go_on.set).start()
        served.stop()

        assert client.answer() == "Refunds take five days."
        code, reason = client.closed()
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        transcript = store.transcript(conversation_id)

    assert (code, reason) == (1001, "The server is stopping; please reconnect.")
    assert (transcript.status, transcript.end_reason) == ("done", "server_stopped")
    assert transcript.turns[-1].text == "Refunds take five days."
    assert not transcript.turns[-1].interrupted


def test_idle_conversations_are_closed_when_the_server_stops(tmp_path: Path):
    with serving(tmp_path) as served, served.dial() as client:
        client.opened()
        served.stop()

        assert client.closed()[0] == 1001


@pytest.mark.slow
def test_ctrl_c_ends_the_process_with_every_conversation_closed(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with ConversationStore.open(url) as store, child_server(url) as (process, port):
        with dialled(port, store).dial() as client:
            conversation_id = client.opened()
            process.send_signal(signal.SIGINT)
            assert client.closed()[0] == 1001
        process.wait(timeout=60)

        assert store.transcript(conversation_id).end_reason == "server_stopped"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_what_was_acknowledged_is_there_after_the_server_was_killed(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with ConversationStore.open(url) as store, child_server(url) as (process, port):
        with dialled(port, store).dial() as client:
            conversation_id = client.opened()
            acknowledged = ["Hello!"]
            for number in range(5):
                client.say(f"Question {number}?")
                acknowledged += [f"Question {number}?", client.answer()]
            client.say("And the last one?")
            os.kill(process.pid, signal.SIGKILL)
            assert client.closed()[0] == 1006
        process.wait()
        store.close_abandoned(datetime.now(UTC), timedelta(hours=24))
        transcript = store.transcript(conversation_id)

    said = [turn.text for turn in transcript.turns]
    assert said[: len(acknowledged)] == acknowledged
    assert transcript.end_reason == "interrupted_by_crash"


def test_a_client_that_connects_while_the_server_stops_is_told_so(tmp_path: Path):
    with serving(tmp_path) as served:
        served.context.stopping = True
        with served.dial() as client:
            assert client.closed() == (1001, "The server is stopping; please reconnect.")
        assert served.http.get("/api/ready").status_code == 503


def test_a_port_that_is_taken_is_named(tmp_path: Path):
    with (
        serving(tmp_path) as served,
        pytest.raises(PortTakenError, match=f"127.0.0.1:{served.port}: Address already in use"),
    ):
        require_free_port("127.0.0.1", served.port)


def test_nothing_is_left_running_when_clients_just_vanish(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served:
        for _ in range(20):
            with served.dial() as client:
                client.opened()
                client.socket.socket.close()
        wait_until(lambda: served.context.gate.running == 0)

        assert not served.context.talks
        open_ones = served.store.conversations(status="in_progress")
        assert open_ones == []
