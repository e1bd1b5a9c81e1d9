"""A server is killed while people talk on its sockets: what went before is kept, once."""

import json
import multiprocessing
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from conversation.store.store import ConversationStore
from orchestration.operations.operations import close_abandoned
from tests.orchestration.deployed import served_deployment
from tests.orchestration.sample import write_data
from tests.servers import postgresql_server

SEED = 20_261_130
POINTS = 20
AT_ONCE = 3


@dataclass
class Talk:
    """What one user knows of their conversation."""

    conversation_id: str = ""
    asked: list[str] = field(default_factory=list)
    answered: int = 0
    """So many of the questions had their answer."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'store' / 'conversations.sqlite'}"
        return
    with postgresql_server(tmp_path) as address:
        yield f"postgresql+psycopg://{address}"


def _serve(folder: Path, store_url: str, ready: Connection) -> None:
    """Serve until killed."""
    with served_deployment(folder, store_url=store_url) as served:
        noted = folder / "agent-of-the-test"
        if not noted.exists():
            noted.write_text(served.agent_with(served.new_text("Refunds take five days.")))
        ready.send((served.url, noted.read_text()))
        threading.Event().wait()


def _talk(address: str, talk: Talk, number: str) -> None:
    """Ask one question after the other, until the server is gone."""
    try:
        with connect(address, open_timeout=60) as socket:
            socket.send(json.dumps({"type": "conversation_initiation_client_data"}))
            while True:
                _hear(socket, talk, number)
    except (ConnectionClosed, OSError, TimeoutError):
        return


def _hear(socket: Any, talk: Talk, number: str) -> None:
    frame = json.loads(socket.recv(60))
    if frame["type"] == "ping":
        event_id = frame["ping_event"]["event_id"]
        socket.send(json.dumps({"type": "pong", "event_id": event_id}))
        return
    if frame["type"] == "conversation_initiation_metadata":
        event = frame["conversation_initiation_metadata_event"]
        talk.conversation_id = event["conversation_id"]
    elif frame["type"] == "agent_response":
        if "five days" not in frame["agent_response_event"]["agent_response"]:
            return
        talk.answered += 1
    else:
        return
    talk.asked.append(f"How long do refunds of {number}.{len(talk.asked)} take?")
    socket.send(json.dumps({"type": "user_message", "text": talk.asked[-1]}))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_server_killed_in_mid_turn_loses_no_turn_that_was_over(store_url: str, tmp_path: Path):
    folder = tmp_path / "data"
    write_data(folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.orchestration.deployed"])
    chosen = random.Random(SEED)
    talks: list[Talk] = []
    cut = 0
    for point in range(POINTS):
        receiving, sending = context.Pipe(duplex=False)
        server = context.Process(target=_serve, args=(folder, store_url, sending))
        server.start()
        assert receiving.poll(120), "the server does not start after a kill"
        url, agent_id = receiving.recv()
        address = f"{url.replace('http', 'ws')}/v1/convai/conversation?agent_id={agent_id}"
        now = [Talk() for _ in range(AT_ONCE)]
        users = [
            threading.Thread(target=_talk, args=(address, talk, f"{point}.{number}"))
            for number, talk in enumerate(now)
        ]
        for user in users:
            user.start()
        deadline_s = time.monotonic() + 60
        while not any(talk.answered for talk in now):
            assert time.monotonic() < deadline_s, "nobody is answered"
            time.sleep(0.01)
        time.sleep(chosen.uniform(0.0, 0.5))
        server.kill()
        server.join()
        for user in users:
            user.join(60)
        talks += now
        cut += sum(talk.answered < len(talk.asked) for talk in now)

        with ConversationStore.open(store_url) as store:
            _check(store, talks, point)
    assert cut > POINTS, "turns were under way"
    with served_deployment(folder, store_url=store_url) as served:
        # As `vivavoce serve` begins.
        close_abandoned(served.deployment, datetime.now(UTC))
        held = served.context.store.conversations()
        assert {each.end_reason for each in held} == {"interrupted_by_crash"}
    assert not [each for each in folder.rglob("*.next") if each.is_file()]


def _check(store: ConversationStore, talks: list[Talk], point: int) -> None:
    """The answer may be heard a moment before it is kept: of each talk all but the last one is."""
    for talk in talks:
        if not talk.conversation_id:
            continue
        turns = store.transcript(talk.conversation_id).turns
        said = [turn.text for turn in turns if turn.role == "user"]
        sure = max(0, talk.answered - 1)
        assert said[:sure] == talk.asked[:sure], (SEED, point)
        assert said == talk.asked[: len(said)], "nothing is doubled, nothing is missing between"
        answers = [turn.text for turn in turns if turn.role == "agent"][1:]
        assert len(answers) >= sure, (SEED, point)
        assert len(answers) <= len(said), (SEED, point)
