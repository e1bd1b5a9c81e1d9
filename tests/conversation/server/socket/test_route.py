"""What clients see on the wire, row by row of the reference's conformance checklist (section 7)."""

import re
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed

from conversation.agent.config import AgentConfig
from conversation.server.limits import ServerLimits
from conversation.server.socket.frames import MAX_FRAME_CHARS
from conversation.server.socket.refusals import NO_VOICE, VOICE_DOWN
from conversation.session.session import Session
from tests.conversation.server.served import (
    INIT,
    PATIENCE_S,
    SUPPORT,
    Client,
    PausingChatModel,
    Served,
    Timer,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel

ROWS_OF_OTHER_TESTS = {
    7: "audio: with the voice calls",
    15: "feedback by HTTP: with the conversations",
    19: "history by HTTP: with the conversations",
    20: "knowledge base by HTTP",
    21: "analysis by HTTP",
    24: "files by HTTP",
    26: "webhooks",
    27: "volume and frequencies: with the published clients by voice",
}


def agent(**changes: Any) -> AgentConfig:
    return AgentConfig.model_validate({**SUPPORT.model_dump(exclude_defaults=True), **changes})


def test_row_01_redirect_a_signed_url_names_the_origin_that_was_asked(tmp_path: Path):
    with serving(tmp_path) as served:
        url = urlsplit(served.signed_url("support"))

    assert (url.scheme, url.netloc) == ("ws", f"127.0.0.1:{served.port}")
    assert url.path == "/v1/convai/conversation"
    assert parse_qs(url.query)["agent_id"] == ["support"]


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        (["convai"], "convai"),
        (["convai", "bearer.nonsense"], "convai"),
        ([], None),
    ],
)
def test_row_02_handshake_selects_convai_when_it_is_offered(
    tmp_path: Path, offered: list[str], selected: str | None
):
    with serving(tmp_path) as served, served.dial(subprotocols=offered) as client:
        assert client.socket.subprotocol == selected


@pytest.mark.parametrize(
    "init",
    [
        INIT,
        {**INIT, "conversation_config_override": {"text_only": True}, "dynamic_variables": {}},
        {**INIT, "conversation_config_override": {"conversation": {"text_only": True}}},
        {
            **INIT,
            "user_id": "fingerprint",
            "conversation_config_override": {
                "agent": {"prompt": {}, "language": "en"},
                "tts": {},
                "conversation": {"text_only": True},
            },
        },
        {**INIT, "conversation_config_override": None, "custom_llm_extra_body": {}},
        None,
    ],
)
def test_row_03_init_is_optional_and_empty_objects_override_nothing(
    tmp_path: Path, init: dict[str, Any] | None
):
    limits = None if init else ServerLimits(init_timeout_s=0.2)
    with serving(tmp_path, limits=limits) as served, served.dial(init=init) as client:
        assert client.opened().startswith("conv_")


def test_row_03_init_may_come_after_an_on_premises_setup(tmp_path: Path):
    said = agent(first_message="Hello {{name}}!", dynamic_variables={"name": "you"})
    with serving(tmp_path, said) as served, served.dial(init=None, subprotocols=()) as client:
        client.send({"type": "enclave_setup_config", "agent_config_dict": None})
        client.send({**INIT, "dynamic_variables": {"name": "Ada"}})

        assert client.answer() == "Hello Ada!"


def test_row_04_metadata_comes_first_and_once(tmp_path: Path):
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served,
        served.dial() as client,
    ):
        client.send(INIT)
        conversation_id = client.opened()
        for _ in range(3):
            client.say("Really?")
            client.answer()

    assert client.frames[0] == {
        "type": "conversation_initiation_metadata",
        "conversation_initiation_metadata_event": {
            "conversation_id": conversation_id,
            "agent_output_audio_format": "pcm_16000",
            "user_input_audio_format": "pcm_16000",
        },
    }
    assert client.kinds().count("conversation_initiation_metadata") == 1
    assert re.fullmatch(r"conv_[A-Za-z0-9]+", conversation_id)


def test_row_05_first_message_comes_in_text_mode_too(tmp_path: Path):
    init = {**INIT, "conversation_config_override": {"conversation": {"text_only": True}}}
    with serving(tmp_path) as served, served.dial(init=init) as client:
        client.opened()

    assert client.kinds() == ["conversation_initiation_metadata", "agent_response"]


def test_row_06_pings_always_have_ping_ms(tmp_path: Path):
    with (
        serving(tmp_path, limits=ServerLimits(ping_every_s=0.05)) as served,
        served.dial() as client,
    ):
        pings = [client.until("ping")["ping_event"]]
        # On a busy machine more than one is sent before the first is answered.
        while pings[-1]["ping_ms"] is None and len(pings) < 100:
            pings.append(client.until("ping")["ping_event"])
        pings.append(client.until("ping")["ping_event"])

    assert pings[0]["ping_ms"] is None
    assert all(isinstance(ping["ping_ms"], int) for ping in pings[-2:])
    assert [ping["event_id"] for ping in pings] == sorted({ping["event_id"] for ping in pings})


def test_row_08_audio_beside_text_is_accepted_at_any_time_and_refused_once(tmp_path: Path):
    text_only = {**INIT, "conversation_config_override": {"text_only": True}}
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served,
        served.dial(init=None) as client,
    ):
        client.send({"user_audio_chunk": "AAAA"})
        client.send(text_only)
        client.opened()
        for _ in range(5):
            client.send({"user_audio_chunk": "AAAA"})
        client.say("Are you there?")
        assert client.answer() == "Yes."

    errors = [frame["error_event"] for frame in client.frames if frame["type"] == "error"]
    assert len(errors) == 1
    assert "by text" in errors[0]["message"]


@pytest.mark.parametrize(("voice", "reason"), [(None, NO_VOICE), ({"voice_id": "joe"}, VOICE_DOWN)])
def test_row_08_a_microphone_is_not_left_in_silence(
    tmp_path: Path, voice: dict[str, str] | None, reason: str
):
    with (
        serving(tmp_path, agent(voice=voice)) as served,
        served.dial(init=None) as client,
    ):
        client.send({"user_audio_chunk": "AAAA"})
        client.send(INIT)
        conversation_id = client.opened()
        assert client.until("error")["error_event"]["message"] == reason
        assert client.closed() == (1008, reason)
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")
        kept = served.store.transcript(conversation_id)

    assert kept.end_reason == "no_voice"
    assert [turn.text for turn in kept.turns] == ["Hello!"]


def test_row_09_a_typed_message_is_not_echoed(tmp_path: Path):
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served,
        served.dial() as client,
    ):
        client.opened()
        client.say("Are you there?")
        client.answer()

    assert "user_transcript" not in client.kinds()


def test_row_10_a_turn_is_streamed_and_then_sent_whole(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Five days.")) as served:
        with served.dial() as client:
            conversation_id = client.opened()
            client.say("How long do refunds take?")
            assert client.answer() == "Five days."

        turns = served.store.transcript(conversation_id).turns

    streamed = [
        frame["text_response_part"]
        for frame in client.frames
        if frame["type"] == "agent_chat_response_part"
    ]
    assert [part["type"] for part in streamed] == ["start", "delta", "delta", "stop"]
    assert "".join(part["text"] for part in streamed) == "Five days."
    whole = client.frames[-1]["agent_response_event"]
    assert {part["event_id"] for part in streamed} == {whole["event_id"]}
    assert [turn.text for turn in turns] == ["Hello!", "How long do refunds take?", "Five days."]


def interrupted(client: Client) -> dict[str, Any]:
    client.opened()
    client.say("Tell me a story.")
    while client.until("agent_chat_response_part")["text_response_part"]["type"] != "delta":
        pass
    client.until("agent_chat_response_part")
    client.say("Stop.")
    return client.until("interruption")


def test_row_11_interruption_names_the_cut_turn_and_later_turns_are_greater(tmp_path: Path):
    model = PausingChatModel("Once upon a time there was a king.")
    with serving(tmp_path, model=model) as served, served.dial() as client:
        cut = interrupted(client)["interruption_event"]["event_id"]
        seen = len(client.frames)
        model.go_on.set()
        assert client.answer().startswith("Once upon a time")

    before, after = client.frames[: seen - 1], client.frames[seen:]
    ids = [
        frame["text_response_part"]["event_id"]
        for frame in before
        if frame["type"] == "agent_chat_response_part"
    ]
    assert set(ids) == {cut}
    assert all(
        frame["text_response_part"]["event_id"] > cut
        for frame in after
        if frame["type"] == "agent_chat_response_part"
    )


def test_row_12_correction_follows_with_what_was_delivered(tmp_path: Path):
    model = PausingChatModel("Once upon a time there was a king.")
    with serving(tmp_path, model=model) as served:
        with served.dial() as client:
            cut = interrupted(client)["interruption_event"]["event_id"]
            correction = client.next()
            model.go_on.set()
            client.answer()
        [conversation] = served.store.conversations()
        stored = served.store.transcript(conversation.conversation_id).turns[2]

    assert correction == {
        "type": "agent_response_correction",
        "agent_response_correction_event": {
            "original_agent_response": "Once upon",
            "corrected_agent_response": "Once upon",
            "event_id": cut,
        },
    }
    assert (stored.text, stored.interrupted) == ("Once upon", True)
    assert client.kinds().index("interruption") < client.kinds().index("agent_response_correction")


def test_row_11_an_interruption_that_comes_late_does_not_hit_the_next_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The first turn ends by itself while it is being interrupted."""
    interrupt = Session.interrupt
    model = PausingChatModel("Once upon a time there was a king.", pauses_again=True)
    under_way = threading.Event()

    def late(session: Session) -> None:
        under_way.set()
        model.go_on.set()
        wait_until(lambda: len(session.transcript.turns) >= 3)
        time.sleep(0.5)
        interrupt(session)
        model.go_on.set()

    monkeypatch.setattr(Session, "interrupt", late)
    with serving(tmp_path, model=model) as served:
        with served.dial() as client:
            conversation_id = client.opened()
            client.say("Tell me a story.")
            client.until("agent_chat_response_part")
            client.say("Another one.")
            assert under_way.wait(60)
            for _ in range(2):
                assert client.answer() == "Once upon a time there was a king."
        last = served.store.transcript(conversation_id).turns[-1]

    assert "interruption" not in client.kinds()
    assert (last.text, last.interrupted) == ("Once upon a time there was a king.", False)


TOOL = {
    "name": "show_order",
    "description": "Shows an order to the user.",
    "parameters": {"type": "object", "properties": {"number": {"type": "string"}}},
}


def decides(tool: str, **parameters: Any) -> dict[str, Any]:
    """What a model answers that is asked for a decision."""
    return {"action": {"tool": tool, "parameters": parameters}}


@pytest.mark.parametrize(
    ("result", "told"),
    [("shipped", "shipped"), ({"state": "shipped"}, '{"state": "shipped"}'), (None, "null")],
)
def test_row_13_client_tools_are_asked_and_any_json_is_a_result(
    tmp_path: Path, result: Any, told: str
):
    model = ScriptedChatModel(
        lambda messages, options: decides("show_order", number="7"), always="It has shipped."
    )
    with serving(tmp_path, agent(tools=[TOOL]), model=model) as served, served.dial() as client:
        client.opened()
        client.say("Show me order 7.")
        call = client.until("client_tool_call")["client_tool_call"]
        assert (call["tool_name"], call["parameters"]) == ("show_order", {"number": "7"})
        answer = {"tool_call_id": call["tool_call_id"], "result": result, "is_error": False}
        client.send({"type": "client_tool_result", **answer})
        response = client.until("agent_tool_response")["agent_tool_response"]
        assert client.answer() == "It has shipped."

    assert (response["tool_call_id"], response["is_error"]) == (call["tool_call_id"], False)
    assert told in model.prompt_texts[-1]
    assert client.kinds().index("agent_tool_request") < client.kinds().index("client_tool_call")


@pytest.mark.parametrize("answers", [True, False])
def test_row_13_a_client_tool_that_fails_or_hangs_is_a_result_too(tmp_path: Path, answers: bool):
    model = ScriptedChatModel(
        lambda messages, options: decides("show_order", number="7"), always="I could not show it."
    )
    tool = {**TOOL, "timeout_s": 0.3}
    with serving(tmp_path, agent(tools=[tool]), model=model) as served, served.dial() as client:
        client.opened()
        client.say("Show me order 7.")
        call = client.until("client_tool_call")["client_tool_call"]
        if answers:
            answer = {"tool_call_id": call["tool_call_id"], "result": "no", "is_error": True}
            client.send({"type": "client_tool_result", **answer})
        response = client.until("agent_tool_response")["agent_tool_response"]
        assert client.answer() == "I could not show it."

    assert response["is_error"]


def test_row_14_feedback_is_kept_with_the_turn_that_it_names(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Five days.")) as served:
        with served.dial() as client:
            conversation_id = client.opened()
            client.say("How long?")
            client.answer()
            event_id = client.frames[-1]["agent_response_event"]["event_id"]
            client.send({"type": "feedback", "score": "like", "event_id": event_id})
            client.send({"type": "feedback", "score": None, "event_id": event_id})
            client.send({"type": "feedback", "score": "like", "event_id": 4_000})
            client.say("And now?")
            client.answer()

        events = served.store.events(conversation_id)
        turn = served.store.transcript(conversation_id).turns[2]

    kept = [event for event in events if event.kind == "feedback"]
    assert [event.payload["score"] for event in kept] == ["like", None]
    assert {event.turn_id for event in kept} == {turn.turn_id}


def test_row_16_end_call_comes_after_the_goodbye_and_then_the_socket_closes(tmp_path: Path):
    model = ScriptedChatModel(
        {"action": {"tool": "end_call", "parameters": {}}},
        always="Goodbye!",
    )
    ending = agent(system_tools=["end_call"])
    with serving(tmp_path, ending, model=model) as served:
        with served.dial() as client:
            conversation_id = client.opened()
            client.say("Bye.")
            code, reason = client.closed()
        transcript = served.store.transcript(conversation_id)

    assert client.kinds()[-2:] == ["agent_response", "agent_tool_response"]
    assert client.frames[-1]["agent_tool_response"]["tool_name"] == "end_call"
    assert (code, reason) == (1000, "The agent ended the conversation.")
    assert transcript.end_reason == "agent_ended"


@pytest.mark.parametrize(
    ("agent_id", "code", "reason"),
    [
        ("nobody", 1008, "The AI agent you are trying to reach does not exist."),
        ("private", 1008, "The AI agent you are trying to reach does not exist."),
    ],
)
def test_row_17_errors_are_a_code_and_a_reason_after_the_handshake(
    tmp_path: Path, agent_id: str, code: int, reason: str
):
    with serving(tmp_path) as served, served.dial(agent_id, init=None) as client:
        closed = client.closed()

    assert closed[0] == code
    assert closed[1].startswith(reason)
    assert client.frames == []


def test_row_17_a_model_that_fails_is_an_error_frame_and_the_conversation_goes_on(tmp_path: Path):
    from conversation.errors import ModelUnavailableError

    model = ScriptedChatModel(ModelUnavailableError("http://inside:8000 is down"), always="Yes.")
    with serving(tmp_path, model=model) as served, served.dial() as client:
        client.opened()
        client.say("Are you there?")
        error = client.until("error")["error_event"]
        client.say("And now?")
        assert client.answer() == "Yes."

    assert error["error_type"] == "llm_error"
    assert "inside" not in str(client.frames)


@pytest.mark.parametrize(
    "override",
    [
        {"agent": {"prompt": {"prompt": "Obey."}}},
        {"agent": {"mood": "wild"}},
        {"agent": {"language": 3}},
    ],
)
def test_row_17_a_forbidden_override_is_an_override_error(tmp_path: Path, override: dict[str, Any]):
    init = {**INIT, "conversation_config_override": override}
    with serving(tmp_path) as served, served.dial(init=init) as client:
        code, reason = client.closed()

    assert (code, client.frames) == (1008, [])
    assert reason.startswith("override_error: ")


def test_an_allowed_override_is_in_force(tmp_path: Path):
    init = {
        **INIT,
        "conversation_config_override": {
            "agent": {"prompt": {"prompt": "Talk like a pirate."}, "first_message": "Ahoy!"}
        },
    }
    open_minded = agent(overrides={"system_prompt": True, "first_message": True})
    model = ScriptedChatModel(always="Arr.")
    with (
        serving(tmp_path, open_minded, model=model) as served,
        served.dial(init=init) as client,
    ):
        assert client.answer() == "Ahoy!"
        client.say("Who are you?")
        assert client.answer() == "Arr."

    assert "pirate" in model.prompt_texts[0]


def test_row_17_a_missing_variable_is_named(tmp_path: Path):
    said = agent(first_message="Hello {{name}}!")
    with serving(tmp_path, said) as served, served.dial() as client:
        code, reason = client.closed()

    assert code == 1008
    assert reason.startswith("missing_dynamic_variable")
    assert "'name'" in reason


def test_row_17_a_value_of_another_type_is_named_and_kept_out_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    said = agent(first_message="{{n}} left", dynamic_variables={"n": 1})
    with serving(tmp_path, said) as served:
        with served.dial(init={**INIT, "dynamic_variables": {"n": "2.0"}}) as client:
            assert client.answer() == "2 left"
        for value in ("Lovelace", ["Lovelace"]):
            with served.dial(init={**INIT, "dynamic_variables": {"n": value}}) as client:
                code, reason = client.closed()

            assert code == 1008
            assert reason.startswith("invalid_dynamic_variable")
            assert "'n'" in reason
            assert "Lovelace" not in reason + caplog.text


def test_row_18_maximum_duration_is_an_error_frame_and_a_normal_close(tmp_path: Path):
    brief = agent(turn_taking={"max_duration_s": 0.3, "goodbye_message": "Time is up."})
    with serving(tmp_path, brief) as served:
        with served.dial() as client:
            conversation_id = client.opened()
            code, reason = client.closed()
        transcript = served.store.transcript(conversation_id)

    assert client.kinds()[-2:] == ["agent_response", "error"]
    assert client.frames[-1]["error_event"]["error_type"] == "max_duration_exceeded"
    assert code == 1000
    assert "maximum duration" in reason
    assert (transcript.end_reason, transcript.turns[-1].text) == ("max_duration", "Time is up.")


def test_row_18_silence_is_asked_about_and_then_ends_the_conversation(tmp_path: Path):
    quiet = agent(
        turn_taking={
            "silence_timeout_s": 0.3,
            "reengagement_message": "Still there?",
            "max_reengagements": 1,
        }
    )
    with serving(tmp_path, quiet) as served:
        with served.dial() as client:
            conversation_id = client.opened()
            assert client.answer() == "Still there?"
            code, reason = client.closed()
        transcript = served.store.transcript(conversation_id)

    assert (code, transcript.end_reason) == (1000, "silence")
    assert "nothing was said" in reason


def test_row_18_activity_holds_off_the_question_after_silence(tmp_path: Path):
    """The timer stands still while the test waits, so that a slow machine changes nothing."""
    quiet = agent(turn_taking={"silence_timeout_s": 0.3, "reengagement_message": "Still there?"})
    timer = Timer()
    with serving(tmp_path, quiet, timer_s=timer) as served, served.dial() as client:
        conversation_id = client.opened()
        first = client.frames[-1]["agent_response_event"]["event_id"]
        for number in range(1, 4):
            timer.now_s += 0.2
            client.send({"type": "user_activity"})
            # Kept after what came before it, and no activity itself.
            client.send({"type": "feedback", "score": "like", "event_id": first})
            wait_until(lambda kept=number: _ratings(served, conversation_id) == kept)
        with pytest.raises(TimeoutError):
            client.until("agent_response", timeout_s=1.0)
        timer.now_s += 0.4

        assert client.answer() == "Still there?"


def _ratings(served: Served, conversation_id: str) -> int:
    events = served.store.events(conversation_id)
    return sum(event.kind == "feedback" for event in events)


def test_row_22_signed_url_is_good_for_any_number_of_conversations(tmp_path: Path):
    with serving(tmp_path) as served:
        url = served.signed_url("private")
        for _ in range(2):
            with served.dial(url=url) as client:
                client.opened()
        [first, _] = served.store.conversations(agent_id="private")
        metadata = served.store.transcript(first.conversation_id).metadata

    assert metadata["authorization_method"] == "signed_url"


def test_row_22_a_signed_url_with_a_conversation_id_is_good_once(tmp_path: Path):
    with serving(tmp_path) as served:
        url = served.signed_url("private", include_conversation_id="true")
        with served.dial(url=url) as client:
            conversation_id = client.opened()
        with served.dial(url=url) as again:
            code, reason = again.closed()

        stored = served.store.transcript(conversation_id)

    assert (code, reason) == (1008, "This signed URL was for one conversation and was used.")
    assert stored.agent_id == "private"


def test_row_23_webrtc_is_refused_with_a_message(tmp_path: Path):
    with serving(tmp_path) as served:
        answer = served.http.get("/v1/convai/conversation/token", params={"agent_id": "support"})

    assert answer.status_code == 400
    assert "WebSocket" in answer.json()["detail"]["message"]
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "[]",
        '"text"',
        "{}",
        '{"type": 5}',
        '{"type": "no_such_type"}',
        '{"type": "user_message", "text": {"a": 1}}',
        '{"type": "feedback", "event_id": "first"}',
        '{"type": "client_tool_result"}',
        '{"type": "client_tool_result", "tool_call_id": "call_never", "result": 1}',
        '{"type": "user_message", "text": "   "}',
        '{"type": "pong"}',
        '{"type": "mcp_tool_approval_result", "tool_call_id": "x", "is_approved": true}',
        '{"user_audio_chunk": 7}',
        b"\x00\x01",
        "[" * 50_000,
        '{"type": "user_message", "text": "' + "a" * (MAX_FRAME_CHARS + 1) + '"}',
        '{"type": "user_message", "text": "\\ud800"}',
    ],
    ids=lambda frame: repr(frame[:40]),
)
def test_row_25_no_frame_of_a_client_ends_the_conversation(tmp_path: Path, frame: str | bytes):
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served,
        served.dial() as client,
    ):
        client.opened()
        client.send(frame)
        client.say("Are you there?")
        assert client.answer() == "Yes."


def test_row_25_a_multimodal_message_is_a_turn_and_unknown_files_are_refused(tmp_path: Path):
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served,
        served.dial() as client,
    ):
        client.opened()
        text = {"type": "user_message", "text": "Are you there?"}
        client.send({"type": "multimodal_message", "text": text})
        assert client.answer() == "Yes."
        client.send({"type": "multimodal_message", "file": {"file_id": "x"}})
        assert "no files of these ids" in client.until("error")["error_event"]["message"]


def test_a_contextual_update_reaches_the_prompt_and_is_not_answered(tmp_path: Path):
    model = ScriptedChatModel(always="The blue one.")
    with serving(tmp_path, model=model) as served, served.dial() as client:
        client.opened()
        client.send({"type": "contextual_update", "text": "The page shows a blue coat."})
        client.say("Which one is this?")
        assert client.answer() == "The blue one."

    assert "blue coat" in model.prompt_texts[0]
    assert client.kinds().count("agent_response") == 2


def test_a_contextual_update_replaces_the_one_with_its_context_id(tmp_path: Path):
    model = ScriptedChatModel(always="The red one.")
    with serving(tmp_path, model=model) as served, served.dial() as client:
        client.opened()
        for text, context_id in (("a blue coat", "page"), ("a cat", None), ("a red coat", "page")):
            update = {"type": "contextual_update", "text": text, "context_id": context_id}
            client.send(update)
        client.say("Which one is this?")
        client.answer()

    assert "a red coat" in model.prompt_texts[0]
    assert "a cat" in model.prompt_texts[0]
    assert "a blue coat" not in model.prompt_texts[0]


def test_messages_that_come_too_fast_are_refused_and_nothing_else(tmp_path: Path):
    limits, timer = ServerLimits(turns_per_minute=30), Timer()
    yes = ScriptedChatModel(always="Yes.")
    with serving(tmp_path, model=yes, limits=limits, timer_s=timer) as served:
        with served.dial() as client:
            conversation_id = client.opened()
            for number in range(6):
                client.say(f"Quick {number}!")
            assert "Too many" in client.until("error")["error_event"]["message"]
            timer.now_s = 2.1
            client.say("And later!")
            # Its answer comes after it is kept, so that there is a frame to wait for until then.
            while "And later!" not in _said_by_user(served, conversation_id):
                client.next()
        said = _said_by_user(served, conversation_id)

    assert said == [*(f"Quick {number}!" for number in range(5)), "And later!"]
    assert client.kinds().count("error") == 1


def _said_by_user(served: Served, conversation_id: str) -> list[str]:
    turns = served.store.transcript(conversation_id).turns
    return [turn.text for turn in turns if turn.role == "user"]


@pytest.mark.parametrize(("source", "waits"), [("js_sdk", True), ("python_sdk", False)])
def test_a_client_that_loses_what_comes_with_the_name_gets_the_rest_later(
    tmp_path: Path, source: str, waits: bool
):
    limits = ServerLimits(init_timeout_s=PATIENCE_S, settle_s=0.2 if waits else PATIENCE_S)
    init = {**INIT, "source_info": {"source": source}}
    with serving(tmp_path, limits=limits) as served:
        began_s = time.monotonic()
        with served.dial(init=init) as client:
            client.opened()
        took_s = time.monotonic() - began_s

    assert took_s >= 0.2 if waits else took_s < PATIENCE_S


def test_who_talked_is_kept_with_the_conversation(tmp_path: Path):
    init = {
        **INIT,
        "user_id": "ada",
        "source_info": {"source": "js_sdk", "version": "1.25.0"},
        "conversation_config_override": {"text_only": True},
    }
    with serving(tmp_path) as served:
        with served.dial(init=init) as client:
            conversation_id = client.opened()
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")
        transcript = served.store.transcript(conversation_id)

    assert transcript.end_reason == "user_ended"
    assert transcript.metadata == {
        "channel": "websocket",
        "client": "js_sdk",
        "client_version": "1.25.0",
        "user_id": "ada",
        "text_only": "true",
        "authorization_method": "public",
    }


def test_a_client_that_vanishes_is_told_from_one_that_leaves(tmp_path: Path):
    with serving(tmp_path) as served:
        with served.dial() as client:
            conversation_id = client.opened()
            client.socket.socket.close()
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")

        assert served.store.transcript(conversation_id).end_reason == "connection_lost"


def test_every_row_has_a_test_or_a_reason():
    tested = {
        int(found[1])
        for name in vars(sys.modules[__name__])
        if (found := re.match(r"test_row_(\d+)_", name))
    }

    assert tested | ROWS_OF_OTHER_TESTS.keys() == set(range(1, 28))


def test_a_socket_that_was_refused_is_really_closed(served_once: Served):
    with served_once.dial("nobody") as client:
        client.closed()
        with pytest.raises(ConnectionClosed):
            client.send(INIT)


@pytest.fixture
def served_once(tmp_path: Path):
    with serving(tmp_path) as served:
        yield served


def test_the_agent_stops_when_its_user_says_so_and_waits_for_the_next_word(tmp_path: Path):
    model = PausingChatModel("Once upon a time.")
    with serving(tmp_path, model=model) as served, served.dial() as client:
        client.opened()
        client.say("Tell me a story.")
        while client.until("agent_chat_response_part")["text_response_part"]["type"] != "delta":
            pass
        client.send({"type": "stop_agent"})
        cut = client.until("agent_response_correction")["agent_response_correction_event"]
        model.go_on.set()
        client.say("Thank you.")
        answer = client.answer()

    assert cut["original_agent_response"].startswith(cut["corrected_agent_response"])
    assert cut["corrected_agent_response"]
    assert answer == "Once upon a time."


def test_details_come_to_those_who_ask_and_after_the_answer(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served:
        with served.dial(init={**INIT, "extras": ["details", 5, None]}) as asking:
            asking.opened()
            asking.say("Hi")
            asking.until("agent_response_details")
        with served.dial() as plain:
            plain.opened()
            plain.say("Hi")
            plain.answer()
            plain.say("Again")
            plain.answer()

    kinds = asking.kinds()
    assert kinds[-2:] == ["agent_response", "agent_response_details"]
    assert "agent_response_details" not in plain.kinds()
