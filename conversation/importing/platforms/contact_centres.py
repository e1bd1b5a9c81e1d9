"""Transcripts of contact centres: Genesys Cloud, Twilio Intelligence and Twilio Conversations.

Documented shapes: Genesys' transcript file (`transcripts`, each with `phrases` of a
`participantPurpose`, which is `internal` or `external`); Twilio's sentences of a transcript, with
the `channel.participants` of the transcript itself where both are put together, and the messages of
a Twilio conversation (`author`, `body`).
"""

from collections import Counter
from typing import cast

from conversation.importing.lines import SpokenLine, turns_of_lines
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
    seconds,
    text_of,
)
from conversation.importing.times import moment


def _genesys(record: Record, place: RecordPlace) -> Taken:
    phrases = [
        phrase
        for transcript in mappings(record, "transcripts")
        for phrase in mappings(transcript, "phrases")
        if _words_of(phrase)
    ]
    phrases.sort(key=lambda phrase: seconds(phrase.get("startTimeMs")) or 0.0)
    purposes = {"internal": "agent", "external": "user"}
    started_at = moment(record.get("startTime"), "startTime")
    first_ms = seconds(phrases[0].get("startTimeMs")) if phrases else None
    base_ms = started_at.timestamp() * 1_000 if started_at is not None else first_ms
    lines = [
        SpokenLine(
            purposes.get(name := text_of(phrase.get("participantPurpose")), name),
            _words_of(phrase),
            _genesys_offset(phrase, base_ms),
        )
        for phrase in phrases
    ]
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    transcript = conversation_of(
        turns,
        source="genesys",
        source_id=text_of(record.get("conversationId")) or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=started_at or moment(first_ms, "startTimeMs"),
        metadata={"channel": text_of(record.get("mediaType"))},
    )
    return Taken(transcript, lines_left_out("genesys", lines, place))


def _words_of(phrase: Record) -> str:
    # Decorated words have capitals and full stops; the others are what was heard.
    return text_of(phrase.get("text")) or text_of(phrase.get("decoratedText"))


def _genesys_offset(phrase: Record, base_ms: float | None) -> float | None:
    at_ms = seconds(phrase.get("startTimeMs"))
    return None if at_ms is None or base_ms is None else max(0.0, (at_ms - base_ms) / 1_000)


def _twilio(record: Record, place: RecordPlace) -> Taken:
    listed = mappings(record, "participants") or mappings(
        mapping(record.get("channel")), "participants"
    )
    roles = {id_of(one.get("channel_participant")): text_of(one.get("role")) for one in listed}
    sentences = sorted(
        mappings(record, "sentences"), key=lambda one: seconds(one.get("sentence_index")) or 0.0
    )
    lines = [
        SpokenLine(
            roles.get(channel := id_of(one.get("media_channel"))) or f"channel {channel}",
            text_of(one.get("transcript")),
            seconds(_number(one.get("start_time"))),
        )
        for one in sentences
    ]
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    source_ids = [text_of(one.get("transcript_sid")) for one in sentences]
    source_id = text_of(record.get("sid")) or next(filter(None, source_ids), "")
    transcript = conversation_of(
        turns,
        source="twilio",
        source_id=source_id or content_id(turns, place.where),
        agent_id=place.agent_id,
        # The other one is when the transcript was made.
        started_at=moment(record.get("media_start_time"), "media_start_time")
        or moment(record.get("date_created"), "date_created"),
        metadata={"language": text_of(record.get("language_code"))},
    )
    return Taken(transcript, lines_left_out("twilio", lines, place))


def _number(value: object) -> object:
    """Twilio writes seconds as a number or as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None


def _twilio_messages(record: Record, place: RecordPlace) -> Taken:
    messages = sorted(
        mappings(record, "messages"), key=lambda one: seconds(one.get("index")) or 0.0
    )
    times = [moment(one.get("date_created"), "date_created") for one in messages]
    begun = next((at for at in times if at is not None), None)
    lines = [
        SpokenLine(
            text_of(one.get("author")) or "nobody",
            text_of(one.get("body")),
            max(0.0, (at - begun).total_seconds())
            if at is not None and begun is not None
            else None,
        )
        for one, at in zip(messages, times, strict=True)
    ]
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers, joiner="\n")
    ids = [text_of(one.get("conversation_sid")) for one in messages]
    transcript = conversation_of(
        turns,
        source="twilio",
        source_id=next(filter(None, ids), "") or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=begun,
        metadata={"channel": "chat"},
    )
    wordless = sum(not line.text for line in lines)
    found = Counter({"twilio: messages without words": wordless} if wordless else {})
    return Taken(transcript, found + lines_left_out("twilio", lines, place))


def _is_genesys(record: Record) -> bool:
    listed = record.get("transcripts")
    return isinstance(listed, list) and any(
        has_list(mapping(one), "phrases") for one in cast(list[object], listed)
    )


def _is_twilio_messages(record: Record) -> bool:
    listed = record.get("messages")
    return isinstance(listed, list) and any(
        {"author", "body", "conversation_sid"} <= mapping(one).keys()
        for one in cast(list[object], listed)
    )


GENESYS = Platform(
    "genesys",
    _is_genesys,
    _genesys,
    said_twice=frozenset({"transcripts.phrases.decoratedText"}),
)
TWILIO = Platform("twilio", lambda record: has_list(record, "sentences"), _twilio)
TWILIO_MESSAGES = Platform("twilio", _is_twilio_messages, _twilio_messages)
