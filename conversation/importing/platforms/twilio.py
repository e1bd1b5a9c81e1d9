"""Twilio: transcripts of Voice (Conversational) Intelligence, and messages of Conversations.

Documented shapes: sentences of a transcript, also as the bare list of an SDK, with the
`channel.participants` of the transcript itself where both are put together; messages of a
conversation (`author`, `body`). Names are those of the REST API, or those of the Node SDK
(`mediaChannel`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from conversation.importing.lines import SpokenLine, turns_of_lines
from conversation.importing.platforms.fields import (
    id_at,
    mapping_at,
    moment_at,
    number_at,
    text_at,
)
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    content_id,
    conversation_of,
    has_list,
    id_of,
    lines_left_out,
    mapping,
    mappings,
)


def is_sentence(record: Record) -> bool:
    """Whether it is one sentence of a transcript."""
    return "transcript" in record and bool({"media_channel", "mediaChannel"} & record.keys())


def sentences_by_transcript(sentences: Sequence[Record]) -> list[Record]:
    """Sentences of a bare list as one record a transcript."""
    found: dict[str, list[Record]] = {}
    for one in sentences:
        sid = id_of(one.get("transcript_sid") or one.get("transcriptSid"))
        found.setdefault(sid, []).append(one)
    return [{"sentences": each} for each in found.values()]


def _sentences(record: Record, place: RecordPlace) -> Taken:
    channel = mapping_at(record, "channel")
    listed = mappings(record, "participants") or mappings(channel, "participants")
    roles = {
        id_at(one, "channel_participant", "channelParticipant"): text_at(one, "role")
        for one in listed
    }
    sentences = sorted(
        mappings(record, "sentences"),
        key=lambda one: number_at(one, "sentence_index", "sentenceIndex") or 0.0,
    )
    lines = [
        SpokenLine(
            roles.get(channel := id_at(one, "media_channel", "mediaChannel"))
            or f"channel {channel}",
            text_at(one, "transcript"),
            number_at(one, "start_time", "startTime"),
        )
        for one in sentences
    ]
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    transcript = conversation_of(
        turns,
        source="twilio",
        source_id=id_at(record, "sid")
        or _first_id(sentences, "transcript_sid", "transcriptSid")
        or content_id(turns, place.where),
        agent_id=place.agent_id,
        # The other one is when the transcript was made.
        started_at=moment_at(record, "media_start_time", "mediaStartTime")
        or moment_at(record, "date_created", "dateCreated"),
        metadata={
            "language": text_at(record, "language_code", "languageCode"),
            "user_id": _user_id(listed),
        },
    )
    return Taken(transcript, _wordless(lines, "sentences") + lines_left_out("twilio", lines, place))


def _user_id(participants: Sequence[Record]) -> str:
    """What the platform calls the customer, where it says who that is."""
    customers = (one for one in participants if text_at(one, "role").casefold() == "customer")
    return next((found for one in customers if (found := id_at(one, "user_id", "userId"))), "")


def _messages(record: Record, place: RecordPlace) -> Taken:
    messages = sorted(mappings(record, "messages"), key=lambda one: number_at(one, "index") or 0.0)
    times = [moment_at(one, "date_created", "dateCreated") for one in messages]
    begun = next((at for at in times if at is not None), None)
    lines = [
        SpokenLine(text_at(one, "author") or "nobody", text_at(one, "body"), _offset_s(at, begun))
        for one, at in zip(messages, times, strict=True)
    ]
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers, joiner="\n")
    transcript = conversation_of(
        turns,
        source="twilio",
        source_id=_first_id(messages, "conversation_sid", "conversationSid")
        or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=begun,
        metadata={"channel": "chat"},
    )
    return Taken(transcript, _wordless(lines, "messages") + lines_left_out("twilio", lines, place))


def _first_id(listed: Sequence[Record], *keys: str) -> str:
    found = [id_at(one, *keys) for one in listed]
    return next(filter(None, found), "")


def _offset_s(at: datetime | None, begun: datetime | None) -> float | None:
    return None if at is None or begun is None else max(0.0, (at - begun).total_seconds())


def _wordless(lines: Sequence[SpokenLine], what: str) -> Counter[str]:
    found = sum(not line.text for line in lines)
    return Counter({f"twilio: {what} without words": found} if found else {})


def _is_messages(record: Record) -> bool:
    listed = record.get("messages")
    return isinstance(listed, list) and any(
        {"author", "body"} <= (fields := mapping(one)).keys()
        and bool({"conversation_sid", "conversationSid"} & fields.keys())
        for one in cast(list[object], listed)
    )


TWILIO = Platform("twilio", lambda record: has_list(record, "sentences"), _sentences)
TWILIO_MESSAGES = Platform("twilio", _is_messages, _messages)
