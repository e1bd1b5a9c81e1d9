from typing import Any

import pytest

from conversation.agent.tool_config import ToolKind
from conversation.server.errors import close_reason
from conversation.server.socket.actions import (
    Active,
    HangUp,
    Hear,
    Ignore,
    Note,
    Rate,
    Refuse,
    Say,
    Stop,
    ToolAnswer,
)
from conversation.server.socket.frame_meaning import (
    Dialogue,
    Extras,
    Sound,
    TurnFrames,
)
from conversation.server.socket.frames import (
    ClientToolResult,
    ContextualUpdate,
    Feedback,
    Pong,
    ServerMessage,
    StopAgent,
    UserActivity,
    UserAudio,
    UserMessage,
)
from conversation.server.socket.refusals import MAX_MESSAGE_CHARS, NO_VOICE, VOICE_DOWN
from conversation.transcript import Citation, Turn, TurnLatency, TurnSound
from conversation.turn.events import (
    AgentTurn,
    RetrievalDone,
    SessionEvent,
    TextDelta,
    ToolCall,
    ToolRequest,
)
from kb.document import RetrievedPassage


def said(text: str, **fields: Any) -> AgentTurn:
    turn = Turn(role="agent", text=text, generated_text=fields.pop("generated", None))
    return AgentTurn(text, (), None, None, turn=turn, **fields)


def asks(kind: ToolKind, name: str, **parameters: Any) -> ToolRequest:
    return ToolRequest(name, "c", parameters, kind)


def frames(*events: SessionEvent) -> list[ServerMessage]:
    turn = TurnFrames(7)
    return [frame for event in events for frame in turn.frames(event)]


def kinds(sent: list[ServerMessage]) -> list[str]:
    return [frame.type for frame in sent]


def test_event_ids_only_grow():
    dialogue = Dialogue()
    ids = [
        dialogue.said("Hello!", "c.0").agent_response_event.event_id,
        dialogue.ping(0.0).ping_event.event_id,
        dialogue.next_event_id(),
    ]

    assert ids == [1, 2, 3]


@pytest.mark.parametrize(
    ("message", "action"),
    [
        (UserMessage(type="user_message", text="Hi"), Say("Hi")),
        (UserMessage(type="user_message", text=" "), Active()),
        (UserMessage(type="user_message"), Active()),
        (UserActivity(type="user_activity"), Active()),
        (
            ContextualUpdate(type="contextual_update", text="page 3", context_id="p"),
            Note("page 3", "p"),
        ),
        (
            ClientToolResult(
                type="client_tool_result", tool_call_id="c", result={"a": 1}, is_error=True
            ),
            ToolAnswer("c", '{"a": 1}', is_error=True),
        ),
    ],
)
def test_frames_become_actions(message: Any, action: object):
    assert Dialogue().receive(message, now_s=0.0) == action


def test_what_is_too_long_is_refused():
    long = "a" * (MAX_MESSAGE_CHARS + 1)
    for message in (
        UserMessage(type="user_message", text=long),
        ContextualUpdate(type="contextual_update", text=long),
    ):
        assert isinstance(Dialogue().receive(message, now_s=0.0), Refuse)


AUDIO = UserAudio(user_audio_chunk="AAAA")


@pytest.mark.parametrize("reason", [NO_VOICE, VOICE_DOWN])
def test_a_microphone_that_nobody_hears_is_told_so_and_let_go(reason: str):
    action = Dialogue(Sound(refusal=reason)).receive(AUDIO, now_s=0.0)

    assert isinstance(action, HangUp)
    assert action.frame.error_event.reason == reason == close_reason(reason)


def test_audio_beside_a_conversation_by_text_is_refused_once():
    dialogue = Dialogue(Sound(refusal=None))

    assert isinstance(dialogue.receive(AUDIO, now_s=0.0), Refuse)
    assert isinstance(dialogue.receive(AUDIO, now_s=0.1), Ignore)


def test_audio_that_is_heard_is_decoded_and_what_is_none_is_refused_once():
    dialogue = Dialogue(Sound("ulaw_8000", "pcm_24000", is_heard=True, refusal=None))
    broken = UserAudio(user_audio_chunk="A!")

    assert dialogue.receive(AUDIO, now_s=0.0) == Hear(b"\x00\x00\x00")
    assert isinstance(dialogue.receive(broken, now_s=0.1), Refuse)
    assert isinstance(dialogue.receive(broken, now_s=0.2), Ignore)
    event = dialogue.opening("conv_1").conversation_initiation_metadata_event
    assert (event.user_input_audio_format, event.agent_output_audio_format) == (
        "ulaw_8000",
        "pcm_24000",
    )


def test_a_round_trip_is_told_with_the_next_ping():
    dialogue = Dialogue()
    first = dialogue.ping(10.0).ping_event
    dialogue.receive(Pong(type="pong", event_id=first.event_id), now_s=10.042)

    assert first.ping_ms is None
    assert dialogue.ping(15.0).ping_event.ping_ms == 42


def test_a_pong_that_nobody_asked_for_changes_nothing():
    dialogue = Dialogue()
    dialogue.ping(10.0)
    dialogue.receive(Pong(type="pong", event_id=99), now_s=11.0)
    dialogue.receive(Pong(type="pong"), now_s=11.0)

    assert dialogue.ping(15.0).ping_event.ping_ms is None


@pytest.mark.parametrize(
    ("event_id", "turn_id"), [(1, "c.0"), (2, "c.0"), (3, "c.2"), (4, "c.2"), (5, None), (0, None)]
)
def test_feedback_finds_the_turn_at_or_before_the_event(event_id: int, turn_id: str | None):
    dialogue = Dialogue()
    dialogue.said("Hello!", "c.0")
    dialogue.ping(0.0)
    dialogue.remember(dialogue.next_event_id(), "c.2")
    dialogue.ping(1.0)

    feedback = Feedback(type="feedback", score="like", event_id=event_id)
    action = dialogue.receive(feedback, now_s=0.0)

    assert (action.turn_id if isinstance(action, Rate) else None) == turn_id


def test_a_turn_is_a_start_deltas_a_stop_and_the_whole():
    sent = frames(TextDelta("Five"), TextDelta(" days."), said("Five days."))

    assert kinds(sent) == ["agent_chat_response_part"] * 4 + ["agent_response"]


def test_a_turn_cut_before_its_first_word_has_nothing_to_correct():
    assert kinds(frames(said("", interrupted=True))) == ["interruption"]


def test_a_turn_of_which_less_was_heard_is_corrected_to_that():
    sent = frames(
        TextDelta("Once upon a time"),
        said("Once upon", generated="Once upon a time", interrupted=True),
    )

    assert kinds(sent)[-3:] == ["agent_response", "interruption", "agent_response_correction"]
    correction = sent[-1].model_dump()["agent_response_correction_event"]
    assert correction["original_agent_response"] == "Once upon a time"
    assert correction["corrected_agent_response"] == "Once upon"


def test_the_end_of_the_call_is_told_last():
    call = ToolCall(tool_name="end_call", tool_call_id="c")
    sent = frames(asks("system", "end_call"), call, TextDelta("Bye."), said("Bye."))

    assert kinds(sent)[0] == "agent_tool_request"
    assert kinds(sent)[-2:] == ["agent_response", "agent_tool_response"]


def test_an_interrupted_goodbye_does_not_make_the_client_hang_up():
    call = ToolCall(tool_name="end_call", tool_call_id="c")
    cut = said("Bye", interrupted=True)
    sent = frames(asks("system", "end_call"), call, TextDelta("Bye"), cut)

    assert "agent_tool_response" not in kinds(sent)


def test_a_webhook_is_told_as_request_and_response():
    call = ToolCall(tool_name="look_up", tool_call_id="c", is_error=True)
    request, response = frames(asks("webhook", "look_up"), call)

    assert request.model_dump()["agent_tool_request"]["tool_type"] == "webhook"
    assert response.model_dump()["agent_tool_response"]["is_error"]


def test_a_client_tool_is_asked_with_an_id_and_an_object():
    request, call = frames(asks("client", "show", number="7"))

    assert request.type == "agent_tool_request"
    assert call.model_dump()["client_tool_call"] == {
        "tool_name": "show",
        "tool_call_id": "c",
        "parameters": {"number": "7"},
        "event_id": 7,
        "expects_response": True,
    }


def test_an_answer_that_failed_half_way_is_shown_as_far_as_it_got():
    sent = frames(TextDelta("Refunds take"), said("Refunds take", error="gone"))

    assert kinds(sent)[-1] == "agent_response"


def test_a_failed_turn_does_not_tell_the_user_what_the_operator_reads():
    [error] = frames(said("", error="http://inside:8000 is down"))

    assert error.type == "error"
    assert "inside" not in error.model_dump_json()


PASSAGE = RetrievedPassage(
    document_id="d",
    document_name="Returns",
    chunk_id="c1",
    text="Send it back. Refunds take five days. Then you hear from us.",
    start_char=0,
    end_char=60,
    heading_path=("Refunds",),
    page="3",
    score=0.9,
    rank=1,
)
CITED = Turn(
    role="agent",
    text="Refunds take five days.",
    turn_id="t",
    latency=TurnLatency(request_to_first_token_ms=12.34),
    citations=tuple(
        Citation(
            document_id=document_id,
            document_name="Returns",
            chunk_id="c1",
            start_char=0,
            end_char=60,
            quote="Refunds take five days.",
            turn_start_char=0,
            turn_end_char=23,
            score=1.0,
            page="3",
            heading_path=("Refunds",),
        )
        for document_id in ("d", "tool:look_up")
    ),
)


def details(extras: Extras) -> list[dict[str, Any]]:
    turn = TurnFrames(7, extras)
    events = (
        RetrievalDone((PASSAGE,), "refunds"),
        AgentTurn(CITED.text, (), None, None, turn=CITED),
    )
    sent = [frame.model_dump() for event in events for frame in turn.frames(event)]
    return [
        each["agent_response_details"] for each in sent if each["type"] == "agent_response_details"
    ]


def test_a_client_that_asks_gets_the_words_that_an_answer_rests_on():
    [found] = details(Extras(details=True, sources=True))
    [source] = found.pop("sources")

    assert found == {
        "event_id": 7,
        "turn_id": "t",
        "grounded_share": None,
        "latency_ms": {"request_to_first_token_ms": 12.3},
    }
    assert source == {
        "document": "Returns",
        "page": "3",
        "heading": ("Refunds",),
        "quote": "Refunds take five days.",
        "passage": PASSAGE.text,
        "start_char": 0,
        "end_char": 23,
    }


def test_a_spoken_turn_tells_how_long_the_user_waited_to_hear_it():
    sound = TurnSound(start_s=2.0, end_s=4.0, speech_end_to_first_audio_ms=812.34)
    spoken = CITED.model_copy(update={"sound": sound})
    turn = TurnFrames(7, Extras(details=True, sources=True))
    [*_, last] = turn.frames(AgentTurn(spoken.text, (), None, None, turn=spoken))

    assert last.model_dump()["agent_response_details"]["latency_ms"] == {
        "speech_end_to_first_audio_ms": 812.3,
        "request_to_first_token_ms": 12.3,
    }


def test_documents_are_not_named_where_the_agent_hides_them():
    [found] = details(Extras(details=True, sources=False))

    assert found["sources"] == ()


def test_other_clients_get_the_published_frames_only():
    assert details(Extras()) == []


def test_a_client_may_stop_the_agent_without_a_word():
    assert Dialogue().receive(StopAgent(type="stop_agent"), now_s=0.0) == Stop()
