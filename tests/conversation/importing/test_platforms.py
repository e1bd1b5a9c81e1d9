"""Records as platforms export them: whose words, which tools, which times, and what is left out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversation.importing.platforms.known import PLATFORMS, records_of, taken
from conversation.importing.platforms.record import Record, RecordPlace, Taken
from conversation.importing.roles import RecordError
from conversation.transcript import Transcript

PLACE = RecordPlace("support", "calls.json", "calls.json")
NOON = 1_780_000_000
AT_NOON = datetime.fromtimestamp(NOON, UTC)

VAPI_MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "message": "You sell tea.", "secondsFromStart": 0},
    {"role": "bot", "message": "Hello.", "secondsFromStart": 1},
    {"role": "user", "message": "Is there green tea?", "secondsFromStart": 4},
    {
        "role": "tool_calls",
        "message": "",
        "toolCalls": [
            {"id": "t1", "function": {"name": "stock", "arguments": '{"item": "green tea"}'}}
        ],
    },
    {"role": "tool_call_result", "name": "stock", "result": "12 tins", "toolCallId": "t1"},
    {"role": "bot", "message": "Twelve tins.", "secondsFromStart": 7},
]
VAPI_CALL = {
    "id": "v-1",
    "assistantId": "as-1",
    "endedReason": "customer-ended-call",
    "startedAt": "2026-05-28T20:26:40.000Z",
    "endedAt": "2026-05-28T20:27:40.000Z",
    "transcript": "AI: Hello.\nUser: Is there green tea?",
    "cost": 0.05,
}
ELEVENLABS: dict[str, Any] = {
    "conversation_id": "conv_77aa",
    "agent_id": "agent_9",
    "user_id": "u-5",
    "metadata": {"start_time_unix_secs": NOON, "call_duration_secs": 42},
    "transcript": [
        {"role": "user", "message": "Is there green tea?", "time_in_call_secs": 4},
        {
            "role": "agent",
            "message": None,
            "tool_calls": [
                {
                    "request_id": "r1",
                    "tool_name": "stock",
                    "params_as_json": '{"item": "green tea"}',
                }
            ],
        },
        {
            "role": "agent",
            "message": None,
            "tool_results": [{"request_id": "r1", "result_value": "12 tins"}],
        },
        {"role": "agent", "message": "Twelve tins.", "time_in_call_secs": 8},
    ],
}
RETELL: dict[str, Any] = {
    "call_id": "r-1",
    "start_timestamp": NOON * 1_000,
    "end_timestamp": NOON * 1_000 + 60_000,
    "transcript": "Agent: Hello.",
    "transcript_with_tool_calls": [
        {"role": "user", "content": "Is there green tea?", "words": [{"start": 0.5}]},
        {
            "role": "tool_call_invocation",
            "tool_call_id": "t1",
            "name": "stock",
            "arguments": '{"item": "green tea"}',
        },
        {"role": "tool_call_result", "tool_call_id": "t1", "content": "12 tins"},
        {"role": "agent", "content": "Twelve tins.", "words": []},
    ],
}


def one(content: object) -> Taken:
    (record,) = records_of(content)
    return taken(record, PLACE)


def said(transcript: Transcript) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in transcript.turns]


def calls(transcript: Transcript) -> list[tuple[str, object, str | None]]:
    return [
        (call.tool_name, call.parameters, call.result)
        for turn in transcript.turns
        for call in turn.tool_calls
    ]


@pytest.mark.parametrize(
    "content",
    [
        VAPI_CALL | {"messages": VAPI_MESSAGES},
        VAPI_CALL | {"artifact": {"messages": VAPI_MESSAGES}},
        {
            "message": {
                "type": "end-of-call-report",
                "endedReason": "customer-ended-call",
                "startedAt": VAPI_CALL["startedAt"],
                "endedAt": VAPI_CALL["endedAt"],
                "artifact": {"messages": VAPI_MESSAGES},
                "call": {"id": "v-1", "assistantId": "as-1"},
            }
        },
        {"results": [VAPI_CALL | {"messages": VAPI_MESSAGES}], "metadata": {"itemsPerPage": 1}},
        [VAPI_CALL | {"messages": VAPI_MESSAGES}],
        ELEVENLABS,
        {"type": "post_call_transcription", "event_timestamp": NOON + 100, "data": ELEVENLABS},
        RETELL,
        {"event": "call_analyzed", "call": RETELL},
    ],
)
def test_words_tools_and_times_come_in_from_every_form(content: object):
    transcript = one(content).transcript

    assert said(transcript)[-2:] == [("user", "Is there green tea?"), ("agent", "Twelve tins.")]
    assert calls(transcript) == [("stock", {"item": "green tea"}, "12 tins")]
    assert transcript.started_at == AT_NOON
    assert transcript.ended_at is not None
    assert transcript.ended_at > AT_NOON


def test_the_same_call_has_one_id_in_all_forms_of_its_platform():
    forms = [
        VAPI_CALL | {"messages": VAPI_MESSAGES},
        {"message": VAPI_CALL | {"artifact": {"messages": VAPI_MESSAGES}}},
    ]

    assert len({one(form).transcript.conversation_id for form in forms}) == 1


def test_what_is_left_out_is_named_and_counted():
    assert one(VAPI_CALL | {"messages": VAPI_MESSAGES}).left_out == {
        "vapi.cost": 1,
        "vapi: messages of role system": 1,
    }
    summary = ELEVENLABS | {"analysis": {"transcript_summary": "Tea."}}
    assert one(summary).left_out == {"elevenlabs.analysis": 1}


def test_a_tool_result_without_its_call_is_counted():
    lonely = ELEVENLABS | {
        "transcript": [
            {"role": "agent", "message": "Hi", "tool_results": [{"request_id": "r9"}]},
        ]
    }

    assert one(lonely).left_out == {"elevenlabs: tool results without a call": 1}


def test_whom_a_call_is_transferred_to_speaks_for_the_agent():
    transferred = RETELL | {
        "transcript_with_tool_calls": [
            {"role": "user", "content": "A person, please."},
            {"role": "transfer_target", "content": "Ann here."},
        ]
    }

    transcript = one(transferred).transcript

    assert said(transcript) == [("user", "A person, please."), ("agent", "Ann here.")]
    assert transcript.metadata["transferred"] == "yes"


def test_a_chat_of_retell_comes_in():
    chat = {
        "chat_id": "c-1",
        "message_with_tool_calls": [
            {"role": "user", "content": "Hi", "created_timestamp": NOON * 1_000},
            {"role": "agent", "content": "Hello."},
        ],
    }

    assert said(one({"event": "chat_ended", "chat": chat}).transcript) == [
        ("user", "Hi"),
        ("agent", "Hello."),
    ]


@pytest.mark.parametrize(
    "created",
    [NOON, NOON * 1_000, str(NOON), "2026-05-28T20:26:40Z", "2026-05-28 20:26:40 UTC",
     "Thu, 28 May 2026 20:26:40 GMT", "2026-05-28T22:26:40+02:00", NOON * 1_000_000],
)  # fmt: skip
def test_times_are_read_in_every_usual_form(created: object):
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]

    assert one({"id": "x", "created_at": created, "messages": messages}).transcript.started_at == (
        AT_NOON
    )


@pytest.mark.parametrize("created", ["05/06/2026", "yesterday", {"at": 1}, True])
def test_a_time_that_can_mean_two_days_is_refused_by_its_own_name(created: object):
    with pytest.raises(RecordError, match="`created_at` must be a time"):
        one({"created_at": created, "messages": [{"role": "user", "content": "Hi"}]})


def test_what_ends_before_it_begins_is_refused():
    backwards = {**VAPI_CALL, "messages": VAPI_MESSAGES, "endedAt": "2026-05-28T20:20:00Z"}

    with pytest.raises(RecordError, match=r"ends .* before it begins"):
        one(backwards)


def test_a_thread_is_read_from_its_oldest_message_on():
    thread = {
        "object": "list",
        "data": [
            {
                "role": role,
                "created_at": at,
                "content": [{"type": "text", "text": {"value": words, "annotations": []}}],
            }
            for role, at, words in [
                ("assistant", NOON + 4, "Yes, we do."),
                ("user", NOON, "Do you sell tea?"),
            ]
        ],
    }

    transcript = one(thread).transcript

    assert said(transcript) == [("user", "Do you sell tea?"), ("agent", "Yes, we do.")]
    assert (transcript.started_at, transcript.turns[1].offset_s) == (AT_NOON, 4)


def test_a_response_comes_in_with_its_calls():
    response = {
        "object": "response",
        "id": "resp_1",
        "created_at": NOON,
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Is there green tea?"}]},
            {"type": "reasoning", "summary": []},
            {
                "type": "function_call",
                "call_id": "t1",
                "name": "stock",
                "arguments": '{"item": "green tea"}',
            },
            {"type": "function_call_output", "call_id": "t1", "output": "12 tins"},
        ],
        "output": [
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Twelve tins."}],
            }
        ],
    }

    found = one(response)

    assert said(found.transcript) == [("user", "Is there green tea?"), ("agent", "Twelve tins.")]
    assert calls(found.transcript) == [("stock", {"item": "green tea"}, "12 tins")]
    assert found.left_out == {"openai: reasoning without words": 1}


def test_chat_messages_keep_their_calls():
    messages = [
        {"role": "user", "content": "Is there green tea?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "t1",
                    "function": {"name": "stock", "arguments": '{"item": "green tea"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "12 tins"},
        {"role": "assistant", "content": "Twelve tins."},
    ]

    transcript = one(messages).transcript

    assert said(transcript) == [("user", "Is there green tea?"), ("agent", "Twelve tins.")]
    assert calls(transcript) == [("stock", {"item": "green tea"}, "12 tins")]


def test_a_log_of_realtime_events_becomes_a_conversation():
    events = [
        {"type": "session.created", "session": {"id": "sess_1"}},
        {"type": "conversation.item.created", "item": {"id": "i1", "role": "user", "content": []}},
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i1",
            "transcript": "Do you sell tea?",
        },
        {
            "type": "response.output_audio_transcript.done",
            "item_id": "i2",
            "transcript": "Yes, we do.",
        },
    ]

    transcript = one(events).transcript

    assert said(transcript) == [("user", "Do you sell tea?"), ("agent", "Yes, we do.")]
    assert transcript.metadata["source_id"] == "sess_1"


def test_contact_lens_and_genesys_and_twilio_say_who_spoke():
    lens = {
        "Participants": [
            {"ParticipantId": "A", "ParticipantRole": "AGENT"},
            {"ParticipantId": "C", "ParticipantRole": "CUSTOMER"},
        ],
        "CustomerMetadata": {"ContactId": "c-1"},
        "Transcript": [
            {"ParticipantId": "C", "Content": "Hi", "BeginOffsetMillis": 500},
            {"ParticipantId": "A", "Content": "Hello.", "BeginOffsetMillis": 1_500},
        ],
    }
    genesys = {
        "conversationId": "g-1",
        "transcripts": [
            {
                "phrases": [
                    {"text": "Hello.", "participantPurpose": "internal", "startTimeMs": 2_000},
                    {"text": "Hi", "participantPurpose": "external", "startTimeMs": 1_000},
                ]
            }
        ],
    }
    sentences = [
        {"media_channel": 2, "sentence_index": 1, "transcript": "Hello.", "start_time": "1.5"},
        {"media_channel": 1, "sentence_index": 0, "transcript": "Hi", "start_time": "0.5"},
    ]
    sides = [
        {"channel_participant": 1, "role": "Customer"},
        {"channel_participant": 2, "role": "Agent"},
    ]
    for record in (lens, genesys, {"sentences": sentences, "participants": sides}):
        transcript = one(record).transcript
        assert said(transcript) == [("user", "Hi"), ("agent", "Hello.")]
        assert transcript.turns[1].offset_s in (1.5, 2.0)
        assert transcript.started_at is None

    with pytest.raises(RecordError, match="--agent-speaker"):
        one({"sentences": sentences})
    named = RecordPlace("support", agent_speakers=("channel 2",))
    assert said(taken({"sentences": sentences}, named).transcript)[1] == ("agent", "Hello.")


def test_help_desks_keep_notes_among_colleagues_to_themselves():
    intercom = {
        "type": "conversation",
        "id": "1",
        "created_at": NOON,
        "source": {"body": "<p>Hi &amp; hello</p>", "author": {"type": "user"}},
        "conversation_parts": {
            "conversation_parts": [
                {"part_type": "note", "body": "<p>Rude.</p>", "author": {"type": "admin"}},
                {
                    "part_type": "comment",
                    "body": "<p>One</p><p>Two</p>",
                    "created_at": NOON + 60,
                    "author": {"type": "bot"},
                },
            ]
        },
    }
    zendesk = {
        "ticket": {"id": 5, "requester_id": 7},
        "comments": [
            {"author_id": 7, "plain_body": "Hi & hello", "created_at": "2026-05-28T20:26:40Z"},
            {"author_id": 8, "body": "Rude.", "public": False},
            {"author_id": 8, "body": "One\nTwo", "created_at": "2026-05-28T20:27:40Z"},
        ],
    }
    chatwoot = {
        "id": 1,
        "messages": [
            {"message_type": 0, "content": "Hi & hello", "created_at": NOON},
            {"message_type": 1, "content": "Rude.", "private": True},
            {"message_type": 1, "content": "One\nTwo", "created_at": NOON + 60},
        ],
    }
    for record, platform in ((intercom, "intercom"), (zendesk, "zendesk"), (chatwoot, "chatwoot")):
        found = one(record)
        assert said(found.transcript) == [("user", "Hi & hello"), ("agent", "One\nTwo")]
        assert found.left_out[f"{platform}: notes among colleagues"] == 1
        assert found.transcript.turns[1].offset_s == 60
        assert found.transcript.source == platform


def test_a_list_without_words_says_to_fetch_each():
    page = {"conversations": [{"conversation_id": "conv_1", "agent_id": "a"}], "has_more": False}

    with pytest.raises(RecordError, match="fetch each conversation by its id"):
        one(page)


def test_the_platform_of_the_contributing_guide_works():
    guide = Path(__file__).parents[3] / ".github" / "CONTRIBUTING.md"
    section = guide.read_text("utf-8").partition("## Add a place to import")[2]
    names: dict[str, Any] = {}
    exec(section.partition("```python\n")[2].partition("```")[0], names)
    record = {"acme_id": "7", "acme_lines": [{"who": "user", "words": "Hi"}]}

    platform = names["ACME"]

    assert platform.recognises(record)
    assert said(platform.read(record, PLACE).transcript) == [("user", "Hi")]


def test_every_platform_has_a_name():
    assert all(platform.name.isidentifier() for platform in PLATFORMS)


KEYS = st.sampled_from(
    ["turns", "transcript", "messages", "artifact", "role", "content", "message", "data", "call",
     "transcript_object", "comments", "conversation_parts", "Transcript", "Participants", "type",
     "transcripts", "phrases", "sentences", "events", "output", "input", "tool_calls", "id",
     "created_at", "startedAt", "endedReason", "results", "message_type", "text", "item"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["user", "bot", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(content=VALUES)
def test_any_record_is_a_conversation_or_a_reason(content: object):
    for record in records_of(content):
        try:
            found = taken(record, PLACE)
        except RecordError:
            continue
        assert any(turn.text for turn in found.transcript.turns)


def test_the_second_of_two_calls_by_name_gets_the_second_result():
    """The old form of functions has no ids: calls and results pair in their order."""
    called = {"role": "assistant", "content": None}
    messages: list[Any] = [
        {"role": "user", "content": "Tea?"},
        called | {"function_call": {"name": "stock", "arguments": "{}"}},
        {"role": "function", "name": "stock", "content": "12"},
        called | {"function_call": {"name": "stock", "arguments": '{"item": "oolong"}'}},
        {"role": "function", "name": "stock", "content": "0"},
        {"role": "function", "name": "stock", "content": "lost"},
        {"role": "assistant", "content": "Twelve, and no oolong."},
    ]

    found = one(messages)

    assert calls(found.transcript) == [("stock", {}, "12"), ("stock", {"item": "oolong"}, "0")]
    assert found.left_out == {"openai: tool results without a call": 1}


def test_what_was_asked_stays_before_what_answered():
    """The result of a call of the response before stands in the input of the next one."""
    response = {
        "id": "resp_2",
        "input": [
            {"type": "function_call_output", "call_id": "c", "output": "12"},
            {"role": "user", "content": "And oolong?"},
        ],
        "output": [
            {"type": "function_call", "call_id": "c", "name": "stock", "arguments": "{}"},
            {"type": "message", "role": "assistant", "content": "None."},
        ],
    }

    assert said(one(response).transcript) == [("user", "And oolong?"), ("agent", "None.")]


def realtime(item: str, before: str | None, role: str, text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text}]
    return {
        "type": "conversation.item.added",
        "previous_item_id": before,
        "item": {"id": item, "type": "message", "role": role, "content": content},
    }


def test_items_of_realtime_stand_where_the_platform_says():
    first = realtime("a", None, "user", "Hi")
    second = realtime("b", "a", "assistant", "Hello.")
    third = realtime("c", "b", "user", "Tea?")
    order = [("user", "Hi"), ("agent", "Hello."), ("user", "Tea?")]

    for log in ([first, second, third], [second, third, first], [third, first, second]):
        assert said(one(log).transcript) == order
    ring = [realtime("a", "b", "user", "Hi"), realtime("b", "a", "assistant", "Hello.")]
    assert said(one(ring).transcript) == order[:2]


def test_messages_of_two_threads_are_not_one_conversation():
    messages = [
        {"role": "user", "thread_id": f"thread_{n}", "content": "Hi", "created_at": NOON}
        for n in range(2)
    ]

    with pytest.raises(RecordError, match="2 threads"):
        one({"object": "list", "data": messages})


def test_messages_of_two_conversations_are_two_and_an_odd_entry_costs_neither():
    messages = [
        {"message_type": 0, "content": "Hi", "conversation_id": 1, "created_at": NOON},
        {"message_type": 1, "content": "Hello.", "conversation_id": 1, "created_at": NOON + 1},
        "odd",
        {"message_type": 0, "content": "Tea?", "conversation_id": 2, "created_at": NOON},
    ]

    *found, odd = records_of(messages)
    first, second = (taken(each, PLACE).transcript for each in found)

    assert said(first) == [("user", "Hi"), ("agent", "Hello.")]
    assert said(second) == [("user", "Tea?")]
    assert first.conversation_id != second.conversation_id
    with pytest.raises(RecordError, match="mapping"):
        taken(odd, PLACE)


@pytest.mark.parametrize(("direction", "user"), [("inbound", "+1"), ("outbound", "+2")])
def test_the_user_of_a_call_is_who_is_not_the_agent(direction: str, user: str):
    numbers = {"direction": direction, "from_number": "+1", "to_number": "+2"}

    assert one(RETELL | numbers).transcript.metadata["user_id"] == user


def test_a_tool_that_failed_is_an_error_with_its_reason():
    failed = {"role": "tool_call_result", "toolCallId": "t1", "result": "", "error": "no line"}
    messages = [*VAPI_MESSAGES[:4], failed, VAPI_MESSAGES[-1]]

    (call,) = one(VAPI_CALL | {"messages": messages}).transcript.turns[-1].tool_calls

    assert (call.result, call.is_error) == ("no line", True)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"message": {"type": "status-update", "call": {"id": "v"}}}, "end-of-call-report"),
        (
            {"message": {"type": "conversation-update", "call": {"id": "v"}, "messages": []}},
            "end-of-call-report",
        ),
        ({"type": "post_call_audio", "data": {"agent_id": "a"}}, "post_call_transcription"),
        ({"type": "call_initiation_failure", "data": {"agent_id": "a"}}, "did not come about"),
        ({"call_id": "r", "transcript": None}, "summary|must be a list"),
        ({"items": [{"call_id": "r", "call_status": "ended"}]}, "summary"),
    ],
)
def test_records_without_words_say_what_to_take_instead(record: dict[str, Any], reason: str):
    with pytest.raises(RecordError, match=reason):
        one(record)


def test_comments_without_users_go_in_where_the_agent_is_named():
    comments = {
        "comments": [{"author_id": 7, "body": "It broke."}, {"author_id": 8, "body": "Which one?"}]
    }

    with pytest.raises(RecordError, match="--agent-speaker"):
        one(comments)
    (record,) = records_of(comments)
    named = RecordPlace("support", "a.json", "a.json", agent_speakers=("8",))
    assert said(taken(record, named).transcript) == [
        ("user", "It broke."),
        ("agent", "Which one?"),
    ]


@pytest.mark.parametrize(("written", "is_cut"), [("false", False), (0, False), ("true", True)])
def test_truth_values_may_be_written_as_text(written: object, is_cut: bool):
    entries = [{"role": "agent", "message": "Yes.", "interrupted": written}]

    assert one(ELEVENLABS | {"transcript": entries}).transcript.turns[0].interrupted is is_cut


def test_numbers_may_be_written_as_text_and_ids_as_numbers():
    entries = [{"role": "user", "message": "Hi", "time_in_call_secs": "6.5"}]
    record = ELEVENLABS | {"transcript": entries, "user_id": 4711, "conversation_id": 12}

    transcript = one(record).transcript

    assert transcript.turns[0].offset_s == 6.5
    assert transcript.metadata["user_id"] == "4711"
    assert transcript.metadata["source_id"] == "12"


def test_pages_within_an_answer_are_pages():
    inner = {"id": 4, "messages": [{"message_type": 0, "content": "Hi", "created_at": NOON}]}
    answer = {"data": {"meta": {"mine_count": 1}, "payload": [inner]}}

    assert said(one(answer).transcript) == [("user", "Hi")]


def test_calls_of_vapi_are_told_by_their_messages_alone():
    call = {"id": "v-9", "type": "webCall", "messages": VAPI_MESSAGES[1:]}
    bare = list(records_of([{k: v for k, v in each.items()} for each in VAPI_MESSAGES[1:]]))
    found = [taken(record, PLACE).transcript for record in (call, *bare)]

    assert [each.source for each in found] == ["vapi", "vapi"]
    for each in found:
        assert [turn.text for turn in each.turns] == [
            "Hello.",
            "Is there green tea?",
            "Twelve tins.",
        ]
        assert [call.result for call in each.turns[2].tool_calls] == ["12 tins"]


def _spoken_at(seconds: list[float]) -> list[Record]:
    """One record of each platform whose lists have times, with a word at each of these seconds."""
    roles = ["user" if at % 2 else "agent" for at in seconds]
    said = [*zip(roles, seconds, strict=True)]
    bots = {"user": "user", "agent": "bot"}
    return [
        {"conversation_id": "c", "transcript": [
            {"role": role, "message": str(at), "time_in_call_secs": at} for role, at in said]},
        {"id": "v", "endedReason": "x", "messages": [
            {"role": "system", "message": "You sell tea.", "time": 0}, *(
            {"role": bots[role], "message": str(at), "secondsFromStart": at}
            for role, at in said)]},
        {"id": "v", "endedReason": "x", "messages": [
            {"role": bots[role], "message": str(at), "time": at + NOON * 1_000}
            for role, at in said]},
        {"call_id": "r", "transcript_object": [
            {"role": role, "content": str(at), "words": [{"word": "a", "start": at}]}
            for role, at in said]},
        {"chat_id": "r", "message_with_tool_calls": [
            {"role": role, "content": str(at), "created_timestamp": NOON * 1_000 + at}
            for role, at in said]},
    ]  # fmt: skip


@pytest.mark.parametrize("kind", range(5))
def test_lists_that_are_newest_first_are_turned_round(kind: int):
    forward, backward = _spoken_at([1, 2, 3, 4])[kind], _spoken_at([4, 3, 2, 1])[kind]
    as_listed = _spoken_at([1, 3, 2, 4])[kind]

    def said(record: Record) -> list[str]:
        return [turn.text for turn in taken(record, PLACE).transcript.turns]

    assert said(forward) == said(backward) == ["1", "2", "3", "4"]
    # People speak at once: then the list tells the order.
    assert "".join(said(as_listed)).replace("\n", "").replace(" ", "") == "1324"


PAIR = [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}]
NOON_TEXT = "2026-05-28T20:26:40+00:00"


@pytest.mark.parametrize(
    ("written", "begun"),
    [
        (f"/Date({NOON}000)/", NOON_TEXT),
        (f"/Date({NOON}000+0200)/", NOON_TEXT),
        ("2026-05-28T20:26:40.0000000Z", NOON_TEXT),
        (621_355_968_000_000_000 + NOON * 10_000_000, NOON_TEXT),  # ticks of .NET
        ("2026-05-28T22:26:40+02:00[Europe/Berlin]", NOON_TEXT),
        (0, None),
        ("0", None),
        # Days of a spreadsheet, seconds of a call, milliseconds of one: no moment of any of them.
        (46_170.85, "1970"),
        (-1, "1969"),
        ("86400000", "1972"),
    ],
)
def test_a_number_is_a_moment_or_said_to_be_none(written: object, begun: str | None):
    record = {"messages": PAIR, "created_at": written}
    if begun is not None and len(begun) == 4:
        with pytest.raises(RecordError, match=rf"`created_at` .* one of {begun}"):
            one(record)
        return
    started = one(record).transcript.started_at
    assert (None if started is None else started.isoformat()) == begun


@pytest.mark.parametrize(
    ("created", "times", "began", "offsets"),
    [
        # The record begins before what is said, and not after it.
        (NOON, (None, NOON + 5), NOON, [None, 5.0]),
        (NOON + 60, (NOON, NOON + 5), NOON, [0.0, 5.0]),
        # No Unix time is so small: they are seconds of the call, perhaps newest first.
        (NOON, (0.5, "3.25"), NOON, [0.5, 3.25]),
        (None, (3.25, 0.5), None, [0.5, 3.25]),
    ],
)
def test_messages_stand_where_they_were_said(
    created: int | None, times: tuple[object, object], began: int | None, offsets: list[float]
):
    messages = [{**each, "timestamp": at} for each, at in zip(PAIR, times, strict=True)]
    transcript = one({"messages": messages, "created_at": created}).transcript

    assert [turn.offset_s for turn in transcript.turns] == offsets
    started = transcript.started_at
    assert (None if started is None else started.timestamp()) == began


VARIABLES = {"plan": "gold", "visits": 3, "old": True, "note": None, "system__time": "x"}


@pytest.mark.parametrize(
    "record",
    [
        {
            "conversation_id": "e",
            "transcript": [{"role": "user", "message": "A"}],
            "conversation_initiation_client_data": {
                "dynamic_variables": {**VARIABLES, "secret__key": "s"}
            },
        },
        {
            "call_id": "r",
            "transcript_object": [{"role": "user", "content": "A"}],
            "retell_llm_dynamic_variables": VARIABLES,
        },
        {
            "id": "v",
            "orgId": "o",
            "messages": [{"role": "user", "message": "A"}],
            "assistantOverrides": {"variableValues": VARIABLES},
        },
    ],
)
def test_variables_that_a_conversation_was_given_are_taken(record: dict[str, Any]):
    found = one(record)

    assert found.transcript.variables == {"plan": "gold", "visits": 3, "old": True}
    counted = {name.rpartition(".")[2] for name in found.left_out}
    assert "system__time" in counted
    assert ("secret__key" in counted) == ("transcript" in record)


@pytest.mark.parametrize(
    "record",
    [
        {"status": "in-progress", "transcript": [{"role": "user", "message": "A"}]},
        {"call_status": "ongoing", "transcript_object": [{"role": "user", "content": "A"}]},
        {"status": "in-progress", "orgId": "o", "messages": [{"role": "user", "message": "A"}]},
    ],
)
def test_a_conversation_that_goes_on_is_left_for_later(record: dict[str, Any]):
    with pytest.raises(RecordError, match="still goes on"):
        one(record)
