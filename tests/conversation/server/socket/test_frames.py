import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.server.errors import close_reason
from conversation.server.socket.frames import (
    MAX_FRAME_CHARS,
    ClientToolResult,
    Feedback,
    InitiationData,
    MultimodalMessage,
    Ping,
    PingEvent,
    Pong,
    Unreadable,
    UserAudio,
    UserMessage,
    error_frame,
    read_frame,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"user_audio_chunk":"AAAA"}', UserAudio(user_audio_chunk="AAAA")),
        ('{"type":"pong","event_id":3}', Pong(type="pong", event_id=3)),
        (
            '{"type":"user_message","text":"Hi","rich_content_id":"x"}',
            UserMessage(type="user_message", text="Hi"),
        ),
        (
            '{"type":"client_tool_result","tool_call_id":"c","result":[1],"is_error":false}',
            ClientToolResult(type="client_tool_result", tool_call_id="c", result=[1]),
        ),
        (
            '{"type":"feedback","score":null,"event_id":2}',
            Feedback(type="feedback", score=None, event_id=2),
        ),
        (
            '{"type":"multimodal_message","file":{"type":"file_input","file_id":"f"}}',
            MultimodalMessage(
                type="multimodal_message", file={"type": "file_input", "file_id": "f"}
            ),
        ),
        (b"\x00", Unreadable("binary")),
        (None, Unreadable("binary")),
        ("x" * (MAX_FRAME_CHARS + 1), Unreadable("too_long")),
        (
            json.dumps(
                {"type": "client_tool_result", "tool_call_id": "1", "result": "x" * 200_000}
            ),
            ClientToolResult(type="client_tool_result", tool_call_id="1", result="x" * 200_000),
        ),
        (
            json.dumps({"type": "user_message", "text": "client_tool_result" * 10_000}),
            Unreadable("too_long"),
        ),
        ("{", Unreadable("not_json")),
        ("[" * 60_000, Unreadable("not_json")),
        ("3", Unreadable("not_an_object")),
        ('{"type":"volume"}', Unreadable("unknown")),
        ("{}", Unreadable("not_an_object")),
        ('{"type":"feedback","score":"great","event_id":2}', Unreadable("malformed")),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_frames_are_read(frame: str | bytes | None, message: object):
    assert read_frame(frame) == message


def test_the_first_frame_of_each_published_client_is_read():
    frame = (
        '{"type":"conversation_initiation_client_data","custom_llm_extra_body":{},'
        '"conversation_config_override":{"text_only":true},"dynamic_variables":{},'
        '"source_info":{"source":"python_sdk","version":"2.78.0"}}'
    )
    message = read_frame(frame)

    assert isinstance(message, InitiationData)
    assert message.conversation_config_override == {"text_only": True}
    assert message.source_info is not None
    assert message.source_info.version == "2.78.0"


@given(frame=st.text() | st.binary())
def test_reading_never_fails(frame: str | bytes):
    read_frame(frame)


@given(
    kind=st.sampled_from(
        ["user_message", "feedback", "contextual_update", "client_tool_result", "pong"]
    ),
    fields=st.dictionaries(
        st.sampled_from(["text", "event_id", "score", "tool_call_id", "result", "context_id"]),
        json_values,
    ),
)
def test_reading_known_types_with_any_fields_never_fails(kind: str, fields: dict[str, Any]):
    import json

    read_frame(json.dumps({**fields, "type": kind}))


def test_a_ping_has_the_key_ping_ms_before_the_first_round_trip():
    assert Ping(ping_event=PingEvent(event_id=1, ping_ms=None)).model_dump_json() == (
        '{"type":"ping","ping_event":{"event_id":1,"ping_ms":null}}'
    )


def test_an_error_says_what_and_why():
    event = error_frame("llm_error", "It failed.", code=1011).error_event

    assert (event.code, event.error_type, event.message) == (1011, "llm_error", "It failed.")


@pytest.mark.parametrize(
    "text",
    [
        "short",
        "a " * 200,
        "This agent may not be used from pages of this origin. " * 4,
        "\u00fcber " * 60,
        "\u6f22" * 120,
        "x" * 500,
        "word\n" * 60,
        "a" * 123,
        "\U0001f600 " * 60,
    ],
)
def test_a_reason_ends_at_a_word_and_fits_a_close_frame(text: str):
    shown = close_reason(text)

    assert len(shown.encode()) <= 123
    if shown != text:
        kept = shown.removesuffix("\u2026")
        assert kept != shown
        assert text.startswith(kept)
        assert text[len(kept)].isspace() or " " not in text.strip() or "\u6f22" in text
