"""A client that lost its network, or goes over to another socket, goes on where it was."""

import socket
from pathlib import Path
from typing import Any

import pytest

from conversation.server.limits import ServerLimits
from tests.conversation.server.served import (
    INIT,
    PATIENCE_S,
    SUPPORT,
    Client,
    PausingChatModel,
    Served,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel

KEY = "k" * 48
COMES_BACK = {**INIT, "resume_key": KEY}
LIMITS = ServerLimits(init_timeout_s=PATIENCE_S)


def cut_the_line(client: Client) -> None:
    """As when a network goes away: no close frame is sent."""
    client.socket.socket.shutdown(socket.SHUT_RDWR)


def held(served: Served) -> bool:
    return bool(served.context.talks)


def lose(served: Served, init: dict[str, Any] = COMES_BACK) -> str:
    """A conversation with one answer, whose client is gone; returns its id."""
    with served.dial(init=init) as client:
        conversation_id = client.opened()
        client.say("Hi")
        client.answer()
        cut_the_line(client)
    wait_until(lambda: not held(served))
    return conversation_id


def status(served: Served, conversation_id: str) -> tuple[str, str | None]:
    transcript = served.store.transcript(conversation_id)
    return transcript.status, transcript.end_reason


def test_a_lost_client_goes_on_in_the_same_conversation(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes."), limits=LIMITS) as served:
        conversation_id = lose(served)
        assert status(served, conversation_id) == ("in_progress", None)
        with served.dial(init=COMES_BACK, resume=conversation_id) as client:
            opening = client.next()["conversation_initiation_metadata_event"]
            past = client.until("conversation_resumed")["conversation_resumed"]["turns"]
            client.say("Again")
            answered = client.until("agent_response")["agent_response_event"]
        wait_until(lambda: status(served, conversation_id)[0] == "done")
        transcript = served.store.transcript(conversation_id)

    assert opening["conversation_id"] == conversation_id
    assert [(turn["role"], turn["text"]) for turn in past] == [
        ("agent", "Hello!"),
        ("user", "Hi"),
        ("agent", "Yes."),
    ]
    ids = [turn["event_id"] for turn in past if turn["role"] == "agent"]
    assert ids == sorted(ids)
    assert answered["event_id"] > ids[-1]
    assert [turn.text for turn in transcript.turns] == ["Hello!", "Hi", "Yes.", "Again", "Yes."]
    assert transcript.end_reason == "user_ended"


@pytest.mark.parametrize(
    "init",
    [INIT, {**INIT, "resume_key": "x" * 48}, {**INIT, "resume_key": 5}],
    ids=["without", "wrong", "no text"],
)
def test_nobody_else_goes_on_with_it(tmp_path: Path, init: dict[str, Any]):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes."), limits=LIMITS) as served:
        conversation_id = lose(served)
        with served.dial(init=init, resume=conversation_id) as client:
            code, reason = client.closed()
        with served.dial(init=COMES_BACK, resume="conv_unknown") as client:
            unknown = client.closed()

    assert code == 1008
    assert "begin a new one" in reason
    assert unknown == (code, reason)


@pytest.mark.parametrize("key", [None, "short", 7, "y" * 300])
def test_clients_without_a_good_key_end_as_ever(tmp_path: Path, key: object):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes."), limits=LIMITS) as served:
        conversation_id = lose(served, {**INIT, "resume_key": key})
        wait_until(lambda: status(served, conversation_id) == ("done", "connection_lost"))


def test_who_does_not_come_back_has_lost_the_connection(tmp_path: Path):
    limits = ServerLimits(init_timeout_s=PATIENCE_S, keep_lost_s=0.2)
    with serving(tmp_path, model=ScriptedChatModel(always="Yes."), limits=limits) as served:
        conversation_id = lose(served)
        wait_until(lambda: status(served, conversation_id) == ("done", "connection_lost"))
        with served.dial(init=COMES_BACK, resume=conversation_id) as client:
            assert client.closed()[0] == 1008


def test_who_left_on_purpose_does_not_come_back(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes."), limits=LIMITS) as served:
        with served.dial(init=COMES_BACK) as client:
            conversation_id = client.opened()
        wait_until(lambda: status(served, conversation_id) == ("done", "user_ended"))
        with served.dial(init=COMES_BACK, resume=conversation_id) as client:
            assert client.closed()[0] == 1008


def test_a_new_socket_takes_over_from_one_that_still_seems_to_stand(tmp_path: Path):
    """A network that is gone is noticed by the client first."""
    model = PausingChatModel("Once upon a time.")
    with (
        serving(tmp_path, model=model, limits=LIMITS) as served,
        served.dial(init=COMES_BACK) as old,
    ):
        conversation_id = old.opened()
        old.say("Tell me a story.")
        old.until("agent_chat_response_part")
        old.until("agent_chat_response_part")
        with served.dial(init=COMES_BACK, resume=conversation_id) as new:
            past = new.until("conversation_resumed")["conversation_resumed"]["turns"]
            model.go_on.set()
            new.say("Go on.")
            answer = new.answer()
            code, reason = old.closed()

    assert (code, "another connection" in reason) == (1000, True)
    assert [turn["interrupted"] for turn in past] == [False, False, True]
    assert answer == "Once upon a time."


def test_another_agent_does_not_take_it_over(tmp_path: Path):
    other = SUPPORT.model_copy(update={"agent_id": "other"})
    model = ScriptedChatModel(always="Yes.")
    with serving(tmp_path, SUPPORT, other, model=model, limits=LIMITS) as served:
        conversation_id = lose(served)
        with served.dial("other", init=COMES_BACK, resume=conversation_id) as client:
            assert client.closed()[0] == 1008


def test_a_server_that_stops_waits_for_nobody(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes."), limits=LIMITS) as served:
        conversation_id = lose(served)
        served.stop()
        wait_until(lambda: status(served, conversation_id) == ("done", "connection_lost"))
