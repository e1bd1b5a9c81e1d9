"""Genesys Cloud: transcripts of speech and text analytics, notifications, and recorded messages.

Documented shapes: the transcript file (`transcripts`, each with `phrases` of a
`participantPurpose`, which is `internal` or `external`); the events of the notification topic
`v2.conversations.{id}.transcription` (`transcripts`, each with `alternatives` of a `channel`);
recordings of messages (`messagingTranscript`, each with a `purpose` and `messageText` or the
`buttonResponse` that a user chose) and of chats (`transcript`, each with a `participantPurpose`,
`body`, `bodyType` and `utc`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from conversation.importing.lines import SpokenLine, turns_of_lines
from conversation.importing.platforms.fields import (
    flag_at,
    id_at,
    mapping_at,
    milliseconds_at,
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
    joined_by,
    lines_left_out,
    mapping,
    mappings,
    text_of,
)
from conversation.importing.platforms.seen import told
from conversation.importing.times import is_offset, moment

_SAID = frozenset({"", "standard"})
"""Kinds of bodies of a chat that people write; others tell who came and went."""
_SIDES = {"internal": "agent", "external": "user"}


def is_notification(event: Record) -> bool:
    """Whether it is an event of the topic; some of them hold no words."""
    body = mapping(event.get("eventBody"))
    has_words = "transcripts" in body or "sessionStartTimeMs" in body
    return bool(text_of(body.get("conversationId"))) and has_words


def notifications_by_conversation(events: Sequence[Record]) -> list[Record]:
    """The events of the topic as one record a conversation."""
    bodies: list[Record] = [
        {
            **mapping(event["eventBody"]),
            "event": {key: value for key, value in event.items() if key != "eventBody"},
        }
        for event in events
    ]
    return joined_by(bodies, lambda body: text_of(body["conversationId"]), "transcripts")


def _phrases(record: Record, place: RecordPlace) -> Taken:
    phrases = [
        phrase
        for transcript in mappings(record, "transcripts")
        for phrase in mappings(transcript, "phrases")
        if _words_of(phrase)
    ]
    phrases.sort(key=lambda phrase: number_at(phrase, "startTimeMs") or 0.0)
    started_at = moment_at(record, "startTime")
    first_ms = number_at(phrases[0], "startTimeMs") if phrases else None
    begun = started_at
    if is_offset(first_ms):
        base_ms = 0.0
    elif started_at is None:
        base_ms, begun = first_ms, moment(first_ms, "startTimeMs")
    else:
        base_ms = started_at.timestamp() * 1_000
    lines = [
        SpokenLine(
            _side(phrase, "participantPurpose"), _words_of(phrase), _offset_s(phrase, base_ms)
        )
        for phrase in phrases
    ]
    return _taken(record, place, lines, begun, channel=text_at(record, "mediaType"))


def _words_of(phrase: Record) -> str:
    # Decorated words have capitals and full stops; the others are what was heard.
    return text_at(phrase, "text", "decoratedText")


def _offset_s(phrase: Record, base_ms: float | None) -> float | None:
    at_ms = number_at(phrase, "startTimeMs")
    return None if at_ms is None or base_ms is None else max(0.0, (at_ms - base_ms) / 1_000)


def _side(entry: Record, key: str) -> str:
    name = text_at(entry, key)
    return _SIDES.get(name.casefold(), name)


def _notifications(record: Record, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    lines: list[SpokenLine] = []
    for utterance in mappings(record, "transcripts"):
        alternatives = mappings(utterance, "alternatives")
        if flag_at(utterance, "isFinal") is False or not alternatives:
            # The same words come again once they are final.
            told(utterance)
            left_out["genesys: utterances that are not final"] += 1
            continue
        best = alternatives[0]
        told(alternatives[1:])
        left_out["genesys: other ways to hear an utterance"] += len(alternatives) - 1
        lines.append(
            SpokenLine(
                _side(utterance, "channel"),
                text_at(best, "transcript", "decoratedTranscript"),
                milliseconds_at(best, "offsetMs"),
            )
        )
    lines.sort(key=lambda line: line.offset_s or 0.0)
    begun = moment_at(record, "sessionStartTimeMs")
    found = _taken(record, place, lines, begun, channel="call")
    return Taken(found.transcript, found.left_out + left_out)


def _messages(record: Record, place: RecordPlace) -> Taken:
    messages = mappings(record, "messagingTranscript")
    lines = [
        (
            text_at(one, "purpose"),
            # What a user chose from buttons instead of writing.
            text_at(one, "messageText") or text_at(mapping_at(one, "buttonResponse"), "text"),
            moment_at(one, "timestamp"),
        )
        for one in messages
    ]
    return _written(record, place, lines, "message")


def _chat(record: Record, place: RecordPlace) -> Taken:
    lines: list[tuple[str, str, datetime | None]] = []
    notices = 0
    for one in mappings(record, "transcript"):
        if text_at(one, "bodyType").casefold() in _SAID:
            side = text_at(one, "participantPurpose", "from")
            lines.append((side, text_at(one, "body"), moment_at(one, "utc")))
        else:
            told(one)
            notices += 1
    found = _written(record, place, lines, "chat")
    return Taken(found.transcript, found.left_out + +Counter({"genesys: notices": notices}))


def _written(
    record: Record,
    place: RecordPlace,
    messages: Sequence[tuple[str, str, datetime | None]],
    channel: str,
) -> Taken:
    known = [at for _, _, at in messages if at is not None]
    begun = min(known) if known else None
    lines = [
        SpokenLine(
            side,
            text,
            (at - begun).total_seconds() if begun is not None and at is not None else None,
        )
        for side, text, at in messages
    ]
    if len(known) == len(lines):
        lines.sort(key=lambda line: line.offset_s or 0.0)
    found = _taken(record, place, lines, begun, channel=text_at(record, "media") or channel)
    wordless = Counter({"genesys: messages without words": sum(not line.text for line in lines)})
    return Taken(found.transcript, found.left_out + +wordless)


def _taken(
    record: Record,
    place: RecordPlace,
    lines: Sequence[SpokenLine],
    begun: datetime | None,
    *,
    channel: str,
) -> Taken:
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    transcript = conversation_of(
        turns,
        source="genesys",
        source_id=id_at(record, "conversationId") or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=begun,
        metadata={"channel": channel, "language": text_at(_first(record), "language")},
    )
    return Taken(transcript, lines_left_out("genesys", lines, place))


def _first(record: Record) -> Record:
    listed = mappings(record, "transcripts") if has_list(record, "transcripts") else []
    return listed[0] if listed else {}


def _holds(record: Record, key: str) -> bool:
    listed = record.get("transcripts")
    return isinstance(listed, list) and any(
        has_list(mapping(one), key) for one in cast(list[object], listed)
    )


GENESYS = Platform(
    "genesys",
    lambda record: _holds(record, "phrases"),
    _phrases,
    said_twice=frozenset({"transcripts.phrases.decoratedText"}),
)
GENESYS_NOTIFICATIONS = Platform(
    "genesys",
    lambda record: _holds(record, "alternatives"),
    _notifications,
    said_twice=frozenset(
        {"transcripts.alternatives.decoratedTranscript", "event.topicName", "event.version"}
    ),
)
GENESYS_MESSAGES = Platform(
    "genesys", lambda record: has_list(record, "messagingTranscript"), _messages
)
GENESYS_CHATS = Platform(
    "genesys",
    lambda record: (
        has_list(record, "transcript")
        and any(
            "participantPurpose" in entry or {"body", "utc"} <= entry.keys()
            for entry in map(mapping, cast(list[object], record["transcript"]))
        )
    ),
    _chat,
)
