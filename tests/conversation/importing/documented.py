"""One record of each platform, written here after the shape that its vendor documents.

Beside each stands what was read, and which fields of the shape the import takes. What else a record
holds is named and counted,
 which `test_documented_shapes` shows for every mapping in every one of them.
"""

from dataclasses import dataclass
from typing import Any

NOON = 1_780_000_000
AT = "2026-05-28T20:26:4{}Z"


@dataclass(frozen=True)
class Sample:
    """A record, and what becomes of it."""

    name: str
    record: Any
    said: list[tuple[str, str]]
    calls: tuple[tuple[str, str | None, bool], ...] = ()
    """Tools with their results, and whether they failed."""
    counted: tuple[str, ...] = ()
    """Kinds that must be among what is left out."""


ASKED = [("user", "Is there green tea?"), ("agent", "Twelve tins.")]

# ElevenLabs, GET conversation and post-call webhook (docs "Post-call webhooks", SDK 2.78 model
# ConversationHistoryTranscriptCommonModelOutput). Taken: conversation_id, agent_id, user_id;
# metadata.start_time_unix_secs, .call_duration_secs, .termination_reason, .main_language; of
# entries role, message, original_message, interrupted, time_in_call_secs; of tools request_id,
# tool_name, params_as_json, result_value, is_error, tool_latency_secs.
ELEVENLABS = Sample(
    "elevenlabs webhook",
    {
        "type": "post_call_transcription",
        "event_timestamp": NOON + 60,
        "data": {
            "agent_id": "agent_1",
            "conversation_id": "conv_9a",
            "status": "done",
            "user_id": "u-1",
            "transcript": [
                {"role": "user", "message": "Is there green tea?", "time_in_call_secs": 2,
                 "source_medium": "audio", "feedback": None},
                {"role": "agent", "message": None, "tool_calls": [
                    {"type": "webhook", "request_id": "r1", "tool_name": "stock",
                     "params_as_json": "{}", "tool_has_been_called": True}]},
                {"role": "agent", "message": None, "tool_results": [
                    {"request_id": "r1", "tool_name": "stock", "result_value": "12",
                     "is_error": False, "tool_latency_secs": 0.2}]},
                {"role": "agent", "message": "Twelve tins.", "time_in_call_secs": 5,
                 "conversation_turn_metrics": {"metrics": {"ttfb": {"elapsed_time": 0.3}}}},
            ],
            "metadata": {"start_time_unix_secs": NOON, "call_duration_secs": 9, "cost": 3,
                         "termination_reason": "hung up"},
            "analysis": {"call_successful": "success", "transcript_summary": "Tea."},
        },
    },
    ASKED,
    (("stock", "12", False),),
    ("elevenlabs.envelope.type", "elevenlabs.envelope.event_timestamp", "elevenlabs.analysis",
     "elevenlabs.metadata.cost", "elevenlabs.transcript.conversation_turn_metrics"),
)  # fmt: skip

# Vapi, GET call and end-of-call-report (docs "Server events"; schemas BotMessage,
# ToolCallMessage, ToolCallResultMessage). Taken: id, assistantId, startedAt, endedAt,
# endedReason, customer.number; of messages role, message, secondsFromStart, toolCalls,
# toolCallId, result.
VAPI = Sample(
    "vapi end of call",
    {
        "message": {
            "type": "end-of-call-report",
            "endedReason": "customer-ended-call",
            "startedAt": AT.format(0),
            "endedAt": AT.format(9),
            "summary": "Tea.",
            "call": {"id": "v-1", "assistantId": "as-1", "orgId": "o"},
            "customer": {"number": "+15550100", "name": "Ann"},
            "artifact": {
                "recordingUrl": "https://example.com/a.wav",
                "messages": [
                    {"role": "system", "message": "You sell tea.", "time": 0},
                    {"role": "user", "message": "Is there green tea?", "time": NOON * 1_000,
                     "endTime": NOON * 1_000 + 900, "secondsFromStart": 1.5},
                    {"role": "tool_calls", "message": "", "secondsFromStart": 3, "toolCalls": [
                        {"id": "t", "type": "function",
                         "function": {"name": "stock", "arguments": "{}"}}]},
                    {"role": "tool_call_result", "toolCallId": "t", "name": "stock",
                     "result": "12", "warnings": [{"kind": "large"}]},
                    {"role": "bot", "message": "Twelve tins.", "secondsFromStart": 4,
                     "duration": 800},
                ],
            },
        }
    },
    ASKED,
    (("stock", "12", False),),
    ("vapi.artifact.messages.endTime", "vapi.artifact.messages.warnings", "vapi.customer.name",
     "vapi: messages of role system", "vapi.call.orgId", "vapi.summary"),
)  # fmt: skip

# Vapi, chat (docs "Session management"; class Chat of the server SDK). Taken: messages of
# before, input, output.
VAPI_CHAT = Sample(
    "vapi chat",
    {
        "id": "chat_1",
        "assistantId": "as-1",
        "sessionId": "s-1",
        "createdAt": AT.format(0),
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}],
        "input": "Is there green tea?",
        "output": [
            {"role": "assistant", "tool_calls": [
                {"id": "t", "type": "function", "function": {"name": "stock", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "t", "content": "12"},
            {"role": "assistant", "content": "Twelve tins."},
        ],
        "costs": [{"type": "model", "cost": 0.1}],
    },
    [("user", "Hi"), ("agent", "Hello."), *ASKED],
    (("stock", "12", False),),
    ("vapi.costs", "vapi.sessionId"),
)  # fmt: skip

# Retell, GET call and webhooks (SDK types Utterance, ToolCallInvocationUtterance,
# ToolCallResultUtterance, NodeTransitionUtterance, DtmfUtterance, SMSUtterance,
# InjectedUtterance). Taken: call_id, chat_id, agent_id, start_timestamp, end_timestamp,
# disconnection_reason, from_number; of entries role, content, words[0].start, time_sec,
# created_timestamp, tool_call_id, name, arguments, successful.
RETELL = Sample(
    "retell webhook",
    {
        "event": "call_ended",
        "call": {
            "call_id": "r-1",
            "agent_id": "ag-1",
            "call_status": "ended",
            "start_timestamp": NOON * 1_000,
            "end_timestamp": NOON * 1_000 + 9_000,
            "disconnection_reason": "user_hangup",
            "transcript": "User: Is there green tea?",
            "transcript_object": [{"role": "user", "content": "Is there green tea?"}],
            "transcript_with_tool_calls": [
                {"role": "user", "content": "Is there green tea?", "metadata": {"response_id": 1},
                 "words": [{"word": "Is", "start": 0.5, "end": 0.7}]},
                {"role": "node_transition", "former_node_id": "a", "new_node_id": "b"},
                {"role": "dtmf", "digit": "1"},
                {"role": "injected", "content": "A regular.", "time_sec": 1},
                {"role": "tool_call_invocation", "tool_call_id": "t", "name": "stock",
                 "arguments": "{}"},
                {"role": "tool_call_result", "tool_call_id": "t", "content": "down",
                 "successful": False},
                {"role": "sms", "content": "My street: 5 Elm", "time_sec": 3},
                {"role": "agent", "content": "I cannot see that.", "words": []},
            ],
            "call_analysis": {"call_summary": "Tea."},
            "latency": {"e2e": {"p50": 800}},
        },
    },
    [("user", "Is there green tea?"), ("user", "My street: 5 Elm"),
     ("agent", "I cannot see that.")],
    (("stock", "down", True),),
    ("retell.envelope.event", "retell: entries of role injected",
     "retell: entries of role node_transition", "retell: entries of role dtmf without words",
     "retell.call_analysis", "retell.latency"),
)  # fmt: skip

# OpenAI, chat messages with the completion that answers them (API reference "Chat"). Taken: id,
# created, user; of messages role, content (text or parts), refusal, audio.transcript,
# tool_calls, tool_call_id.
OPENAI_CHAT = Sample(
    "openai chat",
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": NOON,
        "model": "gpt",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Is there green tea?"},
                                         {"type": "image_url", "image_url": {"url": "data:"}}]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "t", "type": "function", "function": {"name": "stock", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "t", "content": "12"},
            {"role": "assistant", "content": None, "audio": {"id": "a",
             "transcript": "Twelve tins."}},
            {"role": "user", "content": "And a poem?"},
        ],
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": None,
             "refusal": "I only sell."}},
            {"index": 1, "message": {"role": "assistant", "content": "Roses."}},
        ],
        "usage": {"total_tokens": 9},
    },
    [*ASKED, ("user", "And a poem?"), ("agent", "I only sell.")],
    (("stock", "12", False),),
    ("openai.usage", "openai: parts of type image_url", "openai: answers that were not chosen",
     "openai.messages.audio.id"),
)  # fmt: skip

# OpenAI, Responses (API reference "Responses": items of input and output). Taken: id,
# created_at, user, input, output; messages; of any item whose type ends in _call its name or
# kind, what it was asked for and what came back; of _call_output the output.
OPENAI_RESPONSE = Sample(
    "openai response",
    {
        "id": "resp_1",
        "object": "response",
        "created_at": NOON,
        "input": "Is there green tea?",
        "output": [
            {"type": "reasoning", "id": "rs", "summary": []},
            {"type": "web_search_call", "id": "ws", "status": "completed",
             "action": {"type": "search", "query": "green tea"}},
            {"type": "mcp_call", "id": "m", "name": "stock", "arguments": "{}", "output": "12",
             "server_label": "shop"},
            {"type": "message", "id": "msg", "role": "assistant", "status": "completed",
             "content": [
                {"type": "output_text", "text": "Twelve tins.",
                 "annotations": [{"type": "url_citation", "url": "https://example.com"}]}]},
        ],
        "temperature": 1.0,
    },
    ASKED,
    (("web_search", None, False), ("stock", "12", False)),
    ("openai: reasoning without words", "openai.output.server_label", "openai.temperature",
     "openai.output.content.annotations"),
)  # fmt: skip

# OpenAI, items of a conversation or of a response's input, which are listed newest first and
# have no times.
OPENAI_ITEMS = Sample(
    "openai items, newest first",
    {
        "object": "list",
        "has_more": True,
        "data": [
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "Twelve tins."}]},
            {"type": "function_call_output", "call_id": "c", "output": "12"},
            {"type": "function_call", "call_id": "c", "name": "stock", "arguments": "{}"},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "Is there green tea?"}]},
        ],
    },
    ASKED,
    (("stock", "12", False),),
    ("openai.has_more",),
)  # fmt: skip

# OpenAI, thread of Assistants (API reference "Messages"), newest first with created_at.
OPENAI_THREAD = Sample(
    "openai thread",
    {
        "object": "list",
        "data": [
            {"id": f"msg_{at}", "object": "thread.message", "role": role, "created_at": NOON + at,
             "thread_id": "thread_1", "attachments": [], "id_of_run": "run_1",
             "content": [{"type": "text", "text": {"value": words, "annotations": []}}]}
            for at, role, words in [(4, "assistant", "Twelve tins."),
                                    (0, "user", "Is there green tea?")]
        ],
        "first_id": "msg_4",
        "last_id": "msg_0",
    },
    ASKED,
    counted=("openai.data.id_of_run",),
)  # fmt: skip

# OpenAI, thread with the steps of its runs beside the messages (API reference "Run steps"). Taken:
# thread_id as the conversation's id; of steps created_at, status, step_details.tool_calls with
# id, type, and what the key of that name holds: name, arguments or input, output(s) or results.
OPENAI_RUN_STEPS = Sample(
    "openai thread with steps",
    {
        "id": "thread_2",
        "object": "thread",
        "created_at": NOON,
        "messages": {"object": "list", "data": [
            {"id": "msg_b", "object": "thread.message", "role": "assistant", "run_id": "run_1",
             "created_at": NOON + 4, "thread_id": "thread_2",
             "content": [{"type": "text", "text": {"value": "Twelve tins."}}]},
            {"id": "msg_a", "object": "thread.message", "role": "user", "created_at": NOON,
             "thread_id": "thread_2",
             "content": [{"type": "text", "text": {"value": "Is there green tea?"}}]}]},
        "run_steps": {"object": "list", "data": [
            {"id": "step_b", "object": "thread.run.step", "type": "message_creation",
             "created_at": NOON + 4,
             "step_details": {"type": "message_creation",
                              "message_creation": {"message_id": "msg_b"}}},
            {"id": "step_a", "object": "thread.run.step", "type": "tool_calls",
             "created_at": NOON + 2, "status": "completed", "usage": {"total_tokens": 3},
             "step_details": {"type": "tool_calls", "tool_calls": [
                 {"id": "c", "type": "function",
                  "function": {"name": "stock", "arguments": "{}", "output": "12"}},
                 {"id": "d", "type": "code_interpreter", "code_interpreter":
                     {"input": "6 * 2", "outputs": [{"type": "logs", "logs": "12"}]}}]}}]},
    },
    ASKED,
    (("stock", "12", False), ("code_interpreter", '[{"type": "logs", "logs": "12"}]', False)),
    ("openai: steps of type message_creation", "openai.run_steps.data.usage",
     "openai.messages.data.run_id"),
)  # fmt: skip

# OpenAI, server events of Realtime (API reference "Realtime server events"). Taken: session.id,
# items with their words, transcripts of both sides part by part, calls,
# conversation.item.truncated.
OPENAI_REALTIME = Sample(
    "openai realtime",
    [
        {"type": "session.created", "event_id": "e1", "session": {"id": "sess_1"}},
        {"type": "conversation.item.added", "item": {
            "id": "u", "type": "message", "role": "user", "content": [{"type": "input_audio"}]}},
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u",
         "content_index": 0, "transcript": "Is there green tea?"},
        {"type": "response.output_item.done", "item": {
            "id": "f", "type": "function_call", "name": "stock", "call_id": "c",
            "arguments": "{}"}},
        {"type": "conversation.item.created", "item": {
            "id": "fo", "type": "function_call_output", "call_id": "c", "output": "12"}},
        {"type": "response.output_audio.delta", "item_id": "a", "delta": "AAAA"},
        {"type": "response.output_audio_transcript.done", "item_id": "a", "content_index": 0,
         "transcript": "Twelve"},
        {"type": "response.output_audio_transcript.done", "item_id": "a", "content_index": 1,
         "transcript": "tins."},
        {"type": "conversation.item.input_audio_transcription.failed", "item_id": "u2"},
        {"type": "rate_limits.updated", "rate_limits": [{"name": "requests"}]},
    ],
    ASKED,
    (("stock", "12", False),),
    ("openai: events of type conversation.item.input_audio_transcription.failed",),
)  # fmt: skip

# Twilio Conversational Intelligence (docs "Transcript Sentence Subresource", "Transcript").
# Taken: sid, media_start_time or date_created, language_code, participants.role; of sentences
# media_channel, sentence_index, start_time, transcript, transcript_sid.
TWILIO = Sample(
    "twilio sentences",
    {
        "sid": "GT1",
        "media_start_time": AT.format(0),
        "date_created": "2026-06-01T00:00:00Z",
        "channel": {"media_properties": {"source_sid": "RE1"}, "participants": [
            {"channel_participant": 1, "role": "Customer", "full_name": "Ann"},
            {"channel_participant": 2, "role": "Agent"}]},
        "sentences": [
            {"media_channel": 2, "sentence_index": 1, "start_time": "2.5",
             "transcript": "Twelve tins.", "words": [{"word": "Twelve"}]},
            {"media_channel": 1, "sentence_index": 0, "start_time": "0.5", "confidence": "0.9",
             "transcript": "Is there green tea?"},
        ],
    },
    ASKED,
    counted=("twilio.sentences.words", "twilio.sentences.confidence",
             "twilio.channel.participants.full_name", "twilio.date_created"),
)  # fmt: skip

# Twilio Conversations (docs "Conversation Message resource"). Taken: conversation_sid; of
# messages index, author, body, date_created. Authors that no name tells apart are asked for.
TWILIO_MESSAGES = Sample(
    "twilio conversation",
    {
        "meta": {"page": 0},
        "messages": [
            {"sid": "IM2", "conversation_sid": "CH1", "index": 1, "author": "agent@example.com",
             "body": "Twelve tins.", "date_created": AT.format(4)},
            {"sid": "IM1", "conversation_sid": "CH1", "index": 0, "author": "+15550100",
             "body": "Is there green tea?", "date_created": AT.format(0),
             "media": [{"sid": "ME1"}]},
        ],
    },
    ASKED,
    counted=("twilio.messages.media", "twilio.meta"),
)  # fmt: skip

# Contact Lens, file after the contact (docs "Example Contact Lens output files"). Taken:
# Participants, ContactId, CustomerMetadata.ContactId, Channel, LanguageCode; of items
# ParticipantId, ParticipantRole, Content, ContentType, Type, BeginOffsetMillis, AbsoluteTime.
LENS = Sample(
    "contact lens file",
    {
        "Version": "1.1.0",
        "Channel": "VOICE",
        "CustomerMetadata": {"ContactId": "k-1", "InstanceId": "i"},
        "LanguageCode": "en-US",
        "Participants": [{"ParticipantId": "C", "ParticipantRole": "CUSTOMER"},
                         {"ParticipantId": "A", "ParticipantRole": "AGENT"}],
        "Transcript": [
            {"Id": "1", "ParticipantId": "C", "Content": "Is there green tea?",
             "BeginOffsetMillis": 500, "EndOffsetMillis": 900, "Sentiment": "NEUTRAL",
             "LoudnessScore": [70.1]},
            {"Id": "2", "ParticipantId": "A", "Content": "Twelve tins.",
             "BeginOffsetMillis": 1_500},
        ],
        "Categories": {"MatchedCategories": ["tea"]},
        "ConversationCharacteristics": {"TotalConversationDurationMillis": 9_000},
    },
    ASKED,
    counted=("contact_lens.Transcript.Sentiment", "contact_lens.Categories",
             "contact_lens.CustomerMetadata.InstanceId"),
)  # fmt: skip

# Contact Lens in real time, voice (API ListRealtimeContactAnalysisSegments) and chat
# (RealTimeContactAnalysisSegmentTranscript). Taken of each Transcript: as above, and
# Time.AbsoluteTime.
LENS_SEGMENTS = Sample(
    "contact lens segments",
    {
        "Channel": "CHAT",
        "Status": "COMPLETED",
        "Segments": [
            {"Event": {"Id": "e", "EventType": "application/vnd.event.participant.joined"}},
            {"Transcript": {"Id": "1", "ParticipantId": "p", "ParticipantRole": "CUSTOMER",
                            "Content": "Is there green tea?",
                            "Time": {"AbsoluteTime": AT.format(0)}, "DisplayName": "Ann"}},
            {"Transcript": {"Id": "2", "ParticipantId": "q", "ParticipantRole": "CUSTOM_BOT",
                            "Content": "Twelve tins.",
                            "Time": {"AbsoluteTime": AT.format(3)}}},
        ],
    },
    ASKED,
    counted=("contact_lens: segments of kind Event", "contact_lens.Status",
             "contact_lens.Segments.Transcript.DisplayName"),
)  # fmt: skip

# Contact Lens, segment stream (docs "Data model for conversational analytics segment streams"):
# events of one contact are one conversation; an Utterance is the beginning of a Transcript.
LENS_STREAM = Sample(
    "contact lens stream",
    [
        {"Version": "1.0.0", "Channel": "VOICE", "ContactId": "k", "EventType": "STARTED"},
        {"ContactId": "k", "EventType": "SEGMENTS", "Segments": [
            {"Utterance": {"Id": "1", "PartialContent": "Is"}},
            {"Transcript": {"ParticipantRole": "CUSTOMER", "Content": "Is there green tea?",
                            "BeginOffsetMillis": 0}}]},
        {"ContactId": "k", "EventType": "SEGMENTS", "Segments": [
            {"Transcript": {"ParticipantRole": "AGENT", "Content": "Twelve tins.",
                            "BeginOffsetMillis": 900}}]},
        {"ContactId": "k", "EventType": "COMPLETED"},
    ],
    ASKED,
    counted=("contact_lens: segments of kind Utterance", "contact_lens.Version"),
)  # fmt: skip

# Amazon Connect, transcript of a chat (API "Item" of Connect Participant). Taken: ContactId or
# InitialContactId; of items as above. Events and attachments are counted.
CONNECT_CHAT = Sample(
    "connect chat",
    {
        "InitialContactId": "k",
        "Transcript": [
            {"Id": "1", "Type": "EVENT", "ParticipantRole": "CUSTOMER",
             "ContentType": "application/vnd.amazonaws.connect.event.participant.joined",
             "AbsoluteTime": AT.format(0)},
            {"Id": "2", "Type": "MESSAGE", "ParticipantRole": "CUSTOMER",
             "ContentType": "text/plain",
             "Content": "Is there green tea?", "AbsoluteTime": AT.format(1)},
            {"Id": "3", "Type": "ATTACHMENT", "ParticipantRole": "CUSTOMER",
             "Attachments": [{"AttachmentName": "a.png"}]},
            {"Id": "4", "Type": "MESSAGE", "ParticipantRole": "AGENT", "Content": "Twelve tins.",
             "AbsoluteTime": AT.format(4), "DisplayName": "Eve"},
        ],
    },
    ASKED,
    counted=("contact_lens: messages of the system and events",
             "contact_lens: attachment without words", "contact_lens.Transcript.DisplayName"),
)  # fmt: skip

# Twilio, sentences as the Node SDK writes them, a bare list. Channels are named by the caller.
TWILIO_NODE = Sample(
    "twilio sentences of the node sdk",
    [
        {"mediaChannel": "agent", "sentenceIndex": 1, "startTime": "2.5", "sid": "GX2",
         "transcript": "Twelve tins.", "transcriptSid": "GT2"},
        {"mediaChannel": "customer", "sentenceIndex": 0, "startTime": "0.5",
         "transcript": "Is there green tea?", "transcriptSid": "GT2"},
    ],
    ASKED,
    counted=("twilio.sentences.sid",),
)  # fmt: skip

# Genesys Cloud, events of the topic v2.conversations.{id}.transcription (docs "Transcription
# Notifications"). Taken: conversationId, sessionStartTimeMs; of transcripts channel, isFinal,
# alternatives[0].transcript, .offsetMs.
GENESYS_NOTIFICATIONS = Sample(
    "genesys notifications",
    [
        {"topicName": "v2.conversations.g.transcription", "version": "2", "eventBody": {
            "conversationId": "g", "sessionStartTimeMs": NOON * 1_000,
            "transcripts": [
                {"utteranceId": "a", "isFinal": False, "channel": "EXTERNAL",
                 "alternatives": [{"transcript": "Is there", "offsetMs": 100}]},
                {"utteranceId": "a", "isFinal": True, "channel": "EXTERNAL", "alternatives": [
                    {"transcript": "Is there green tea?", "offsetMs": 100, "confidence": 0.9},
                    {"transcript": "Is there green sea?", "offsetMs": 100}]}]}},
        {"topicName": "v2.conversations.g.transcription", "eventBody": {
            "conversationId": "g", "sessionStartTimeMs": NOON * 1_000,
            "transcripts": [
                {"utteranceId": "b", "isFinal": True, "channel": "INTERNAL",
                 "alternatives": [{"transcript": "Twelve tins.", "offsetMs": 2_000}]}]}},
    ],
    ASKED,
    counted=("genesys: utterances that are not final",
             "genesys: other ways to hear an utterance", "genesys.transcripts.utteranceId"),
)  # fmt: skip

# Genesys Cloud, recording of messages (model Recording: messagingTranscript). Taken:
# conversationId, media; of messages purpose, messageText, timestamp.
GENESYS_MESSAGES = Sample(
    "genesys messages",
    {
        "id": "rec-1", "conversationId": "g-2", "media": "message",
        "messagingTranscript": [
            {"id": "2", "purpose": "agent", "messageText": "Twelve tins.",
             "timestamp": AT.format(4), "fromUser": {"id": "u"}},
            {"id": "1", "purpose": "customer", "messageText": "Is there green tea?",
             "timestamp": AT.format(0), "from": "+15550100"},
            {"id": "3", "purpose": "customer", "timestamp": AT.format(5),
             "messageMediaAttachments": [{"url": "https://example.com/a.png"}]},
        ],
    },
    ASKED,
    counted=("genesys: messages without words", "genesys.messagingTranscript.from"),
)  # fmt: skip

# Genesys Cloud, the same where a user chooses a button (RecordingMessagingMessage.buttonResponse
# of the platform's SDKs). Taken: its text where messageText is empty.
GENESYS_BUTTONS = Sample(
    "genesys buttons",
    {
        "id": "rec-2", "conversationId": "g-4", "media": "message",
        "messagingTranscript": [
            {"id": "1", "purpose": "customer", "timestamp": AT.format(0), "buttonResponse": {
                "type": "QuickReply", "text": "Is there green tea?", "payload": "tea"}},
            {"id": "2", "purpose": "agent", "messageText": "Twelve tins.",
             "timestamp": AT.format(4)},
        ],
    },
    ASKED,
    counted=("genesys.messagingTranscript.buttonResponse.payload",),
)  # fmt: skip

# Genesys Cloud, recording of a chat (model ChatMessage of the platform's SDKs). Taken:
# conversationId, media; of messages participantPurpose, body, utc; bodyType tells who only came.
GENESYS_CHATS = Sample(
    "genesys chat",
    {
        "id": "rec-3", "conversationId": "g-5", "media": "chat",
        "transcript": [
            {"id": "0", "bodyType": "member-join", "participantPurpose": "customer",
             "utc": AT.format(0)},
            {"id": "1", "bodyType": "standard", "body": "Is there green tea?", "from": "V",
             "participantPurpose": "customer", "utc": AT.format(1)},
            {"id": "2", "bodyType": "standard", "body": "Twelve tins.", "from": "J",
             "participantPurpose": "agent", "senderCommunicationId": "s", "utc": AT.format(3)},
        ],
    },
    ASKED,
    counted=("genesys: notices", "genesys.transcript.senderCommunicationId"),
)  # fmt: skip

# Genesys Cloud, transcript file of speech and text analytics (model of the Platform API's
# transcript URL). Taken: conversationId, startTime, mediaType; of phrases text or
# decoratedText, participantPurpose, startTimeMs. Purposes that nobody is, such as ivr, are
# counted.
GENESYS = Sample(
    "genesys",
    {
        "conversationId": "g-1",
        "communicationId": "c-1",
        "mediaType": "call",
        "startTime": NOON * 1_000,
        "participants": [{"participantPurpose": "external", "ani": "tel:+15550100"}],
        "transcripts": [{
            "transcriptId": "t-1",
            "language": "en-us",
            "phrases": [
                {"text": "menu", "participantPurpose": "ivr", "startTimeMs": NOON * 1_000},
                {"text": "Twelve tins.", "participantPurpose": "internal", "phraseIndex": 1,
                 "startTimeMs": NOON * 1_000 + 2_000, "confidence": 0.9},
                {"text": "Is there green tea?", "decoratedText": "Is there green tea?",
                 "participantPurpose": "external", "startTimeMs": NOON * 1_000 + 500,
                 "words": [{"word": "is"}]},
            ],
            "analytics": {"sentiment": [{"sentiment": 1}]},
        }],
    },
    ASKED,
    counted=("genesys: lines of ivr", "genesys.transcripts.analytics", "genesys.participants",
             "genesys.transcripts.phrases.words"),
)  # fmt: skip

# Intercom, conversation in a webhook (docs "Conversation model", "Conversation part"). Taken:
# id, created_at, source.body, contacts; of parts part_type, body, author.type, created_at;
# total_count.
INTERCOM = Sample(
    "intercom webhook",
    {
        "type": "notification_event",
        "topic": "conversation.admin.closed",
        "data": {"item": {
            "type": "conversation",
            "id": "9",
            "created_at": NOON,
            "title": "Tea",
            "source": {"type": "conversation", "subject": "Stock",
             "body": "<p>Is there green tea?</p>",
                       "author": {"type": "lead", "id": "x"}},
            "contacts": {"type": "contact.list", "contacts": [{"id": "c", "external_id": "u-1"}]},
            "conversation_parts": {
                "type": "conversation_part.list",
                "total_count": 501,
                "conversation_parts": [
                    {"part_type": "note_and_reopen", "body": "Rude.", "author": {"type": "admin"}},
                    {"part_type": "assignment", "author": {"type": "bot"},
                     "assigned_to": {"id": 1}},
                    {"part_type": "comment", "body": "<p>Twelve tins.</p>", "created_at": NOON + 9,
                     "author": {"type": "bot"}, "attachments": [{"name": "a.png"}],
                     "redacted": False},
                ],
            },
        }},
    },
    ASKED,
    counted=("intercom.envelope.topic", "intercom: notes among colleagues",
             "intercom: parts that the export does not hold", "intercom.source.subject",
             "intercom: attachments", "intercom: parts without words"),
)  # fmt: skip

# Intercom, ticket (docs "Ticket", "Ticket part"): ticket_parts as above.
INTERCOM_TICKET = Sample(
    "intercom ticket",
    {
        "type": "ticket",
        "id": "7",
        "ticket_attributes": {"_default_title_": "Tea"},
        "ticket_parts": {"ticket_parts": [
            {"part_type": "comment", "body": "Is there green tea?", "author": {"type": "user"},
             "created_at": NOON},
            {"part_type": "comment", "body": "Twelve tins.", "author": {"type": "admin"},
             "created_at": NOON + 3, "ticket_state": "resolved"},
        ]},
    },
    ASKED,
    counted=("intercom.ticket_attributes", "intercom.ticket_parts.ticket_parts.ticket_state"),
)  # fmt: skip

# Zendesk, ticket with its comments and users (docs "Ticket Comments", "Tickets"). Taken: id,
# ticket.requester_id, users.role; of comments author_id, public, plain_body, html_body or body,
# created_at.
ZENDESK = Sample(
    "zendesk",
    {
        "ticket": {"id": 5, "requester_id": 7, "subject": "Stock", "priority": "high",
                   "description": "Is there green tea?", "tags": ["tea"]},
        "users": [{"id": 7, "role": "end-user", "name": "Ann"}, {"id": 8, "role": "agent"}],
        "comments": [
            {"id": 1, "author_id": 7, "plain_body": "Is there green tea?", "public": True,
             "body": "Is there green tea?", "created_at": AT.format(0),
             "metadata": {"system": {"client": "x"}}},
            {"id": 2, "author_id": 8, "body": "Rude.", "public": False},
            {"id": 3, "author_id": 8, "body": "Twelve tins.", "created_at": AT.format(5),
             "via": {"channel": "web"}, "attachments": [{"file_name": "a.png"}]},
        ],
    },
    ASKED,
    counted=("zendesk.ticket.subject", "zendesk.ticket.priority", "zendesk.ticket.tags",
             "zendesk.comments.via", "zendesk.users.name", "zendesk: notes among colleagues",
             "zendesk: attachments"),
)  # fmt: skip

# Zendesk, audits (docs "Ticket Audit events reference"): events of type Comment.
ZENDESK_AUDITS = Sample(
    "zendesk audits",
    {
        "ticket": {"id": 5, "requester_id": 7},
        "audits": [
            {"id": 1, "author_id": 7, "created_at": AT.format(0),
             "metadata": {"system": {"ip": "x"}},
             "events": [{"type": "Comment", "body": "Is there green tea?", "public": True},
                        {"type": "Create", "field_name": "status", "value": "new"}]},
            {"id": 2, "author_id": 8, "created_at": AT.format(5), "events": [
                {"type": "Comment", "body": "Twelve tins.", "public": True}]},
        ],
    },
    ASKED,
    counted=("zendesk: events that are no comments", "zendesk.audits.metadata"),
)  # fmt: skip

# Zendesk messaging, webhooks of Sunshine Conversations (API reference "Webhooks", "Messages").
# Taken: conversation.id; of messages received, author.type, author.userId, content.text.
ZENDESK_MESSAGING = Sample(
    "zendesk messaging",
    {
        "app": {"id": "app"},
        "webhook": {"id": "w", "version": "v2"},
        "events": [
            {"id": "e1", "type": "conversation:message", "payload": {
                "conversation": {"id": "cv", "type": "personal"},
                "message": {"id": "m1", "received": AT.format(0), "source": {"type": "web"},
                            "author": {"type": "user", "userId": "u-1", "displayName": "Ann"},
                            "content": {"type": "text", "text": "Is there green tea?"}}}},
            {"id": "e2", "type": "conversation:typing", "payload": {
                "conversation": {"id": "cv", "type": "personal"}}},
            {"id": "e3", "type": "conversation:message", "payload": {
                "conversation": {"id": "cv", "type": "personal"},
                "message": {"id": "m2", "received": AT.format(4),
                            "author": {"type": "business", "displayName": "Eve"},
                            "content": {"type": "text", "text": "Twelve tins.",
                                        "actions": [{"type": "reply", "text": "Thanks"}]}}}},
            {"id": "e4", "type": "conversation:message", "payload": {
                "conversation": {"id": "cv", "type": "personal"},
                "message": {"id": "m3", "author": {"type": "business"},
                            "content": {"type": "carousel", "items": [{"title": "Tea"}]}}}},
        ],
    },
    ASKED,
    counted=("zendesk: messages of type carousel without words",
             "zendesk: events of type conversation:typing", "zendesk.messages.content.actions"),
)  # fmt: skip

# Zendesk Chat (API "Chats"). Taken: id, visitor.id; of history type, msg, timestamp, sender_type
# or nick.
ZENDESK_CHAT = Sample(
    "zendesk chat",
    {"chats": [{
        "id": "2604.a", "type": "chat", "timestamp": AT.format(0),
        "visitor": {"id": "3.a", "name": "Ann"},
        "agent_names": {"8": "Eve"},
        "history": [
            {"type": "chat.memberjoin", "timestamp": AT.format(0), "nick": "visitor"},
            {"type": "chat.msg", "timestamp": AT.format(1), "nick": "visitor:1",
             "name": "Ann", "msg": "Is there green tea?", "sender_type": "Visitor"},
            {"type": "chat.msg", "timestamp": AT.format(4), "nick": "agent:8", "name": "Eve",
             "msg": "Twelve tins."},
            {"type": "chat.rating", "new_rating": "good"},
        ],
    }]},
    ASKED,
    counted=("zendesk: events that are no messages", "zendesk.agent_names",
             "zendesk.visitor.name"),
)  # fmt: skip

# Chatwoot, webhooks of single messages (docs "Supported webhook events", message_created).
CHATWOOT_EVENTS = Sample(
    "chatwoot events",
    [
        {"event": "message_created", "id": at, "message_type": kind, "content": words,
         "created_at": f"2026-05-28 20:26:4{at} UTC", "conversation": {"id": 44, "status": "open"},
         "contact": {"id": 3, "name": "Ann"}, "account": {"id": 1}}
        for at, kind, words in [(0, "incoming", "Is there green tea?"),
                                (4, "outgoing", "Twelve tins.")]
    ],
    ASKED,
    counted=("chatwoot.messages.account", "chatwoot.messages.contact.name"),
)  # fmt: skip

# Vapi, a call of which only the list in OpenAI's form was kept (schema Artifact:
# messagesOpenAIFormatted).
VAPI_OPENAI = Sample(
    "vapi in openai form",
    {
        "id": "v-3", "orgId": "o", "assistantId": "as-1", "startedAt": AT.format(0),
        "artifact": {"messages": [], "messagesOpenAIFormatted": [
            {"role": "system", "content": "You sell tea."},
            {"role": "user", "content": "Is there green tea?"},
            {"role": "assistant", "tool_calls": [
                {"id": "t", "type": "function", "function": {"name": "stock", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "t", "content": "12"},
            {"role": "assistant", "content": "Twelve tins."}]},
    },
    ASKED,
    (("stock", "12", False),),
    ("vapi: messages of role system",),
)  # fmt: skip

# Retell, page of the third version's list (SDK: items, pagination_key, has_more).
RETELL_PAGE = Sample(
    "retell page",
    {
        "items": [{
            "call_id": "r-2", "call_type": "phone_call", "direction": "outbound",
            "from_number": "+15550199", "to_number": "+15550100",
            "start_timestamp": NOON * 1_000, "end_timestamp": NOON * 1_000 + 9_000,
            "transcript_object": [
                {"role": "user", "content": "Is there green tea?", "words": []},
                {"role": "agent", "content": "Twelve tins.", "words": []}],
        }],
        "pagination_key": "p",
        "has_more": True,
    },
    ASKED,
    counted=("retell.call_type", "retell.from_number"),
)  # fmt: skip

# Chatwoot, messages of a conversation (docs "Supported webhook events", messages API). Taken:
# id, meta.sender; of messages message_type, private, content, created_at.
CHATWOOT = Sample(
    "chatwoot",
    {
        "meta": {"sender": {"identifier": "u-1", "email": "ann@example.com"}},
        "payload": [
            {"id": 1, "message_type": 0, "content": "Is there green tea?", "created_at": NOON,
             "content_type": "text", "sender": {"name": "Ann"}},
            {"id": 2, "message_type": 1, "content": "Rude.", "private": True,
             "created_at": NOON + 1},
            {"id": 3, "message_type": 3, "content": "Twelve tins.", "created_at": NOON + 2,
             "content_attributes": {"submitted_values": [{"value": "ann@example.com"}]}},
            {"id": 4, "message_type": 2, "content": "resolved", "created_at": NOON + 3},
        ],
    },
    ASKED,
    counted=("chatwoot.payload.content_attributes", "chatwoot.meta.sender.email",
             "chatwoot: notes among colleagues", "chatwoot: activity and messages without words"),
)  # fmt: skip

SAMPLES = (
    ELEVENLABS, VAPI, VAPI_CHAT, RETELL, OPENAI_CHAT, OPENAI_RESPONSE, OPENAI_ITEMS, OPENAI_THREAD,
    OPENAI_REALTIME, TWILIO, TWILIO_MESSAGES, LENS, LENS_SEGMENTS, LENS_STREAM, CONNECT_CHAT,
     GENESYS,
    INTERCOM, INTERCOM_TICKET, ZENDESK, ZENDESK_AUDITS, CHATWOOT, OPENAI_RUN_STEPS, TWILIO_NODE,
    GENESYS_NOTIFICATIONS, GENESYS_MESSAGES, GENESYS_BUTTONS, GENESYS_CHATS, ZENDESK_MESSAGING,
    ZENDESK_CHAT, CHATWOOT_EVENTS,
    VAPI_OPENAI, RETELL_PAGE,
)  # fmt: skip
