"""Transcripts of contact centres: Amazon Contact Lens, Genesys Cloud, Twilio Intelligence."""

from collections import Counter
from datetime import datetime
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
    mapping,
    mappings,
    milliseconds,
    role_of,
    seconds,
    text_of,
    unread,
)
from conversation.importing.times import moment
from conversation.transcript import Role, Turn

_LENS_READ = frozenset(
    {"Participants", "Transcript", "CustomerMetadata", "ContactId", "Channel", "LanguageCode"}
)
_GENESYS_READ = frozenset(
    {"conversationId", "communicationId", "transcripts", "mediaType", "startTime", "organizationId"}
)
_TWILIO_READ = frozenset(
    {"sentences", "participants", "sid", "channel", "date_created", "media_start_time", "meta"}
)


def _contact_lens(record: Record, place: RecordPlace) -> Taken:
    sides = {
        text_of(one.get("ParticipantId")): text_of(one.get("ParticipantRole"))
        for one in mappings(record, "Participants")
    }
    items = [item for item in mappings(record, "Transcript") if text_of(item.get("Content"))]
    begun = next((at for item in items if (at := _absolute(item)) is not None), None)
    turns: list[Turn] = []
    left_out: Counter[str] = Counter()
    for item in items:
        side = text_of(item.get("ParticipantRole")) or sides.get(
            text_of(item.get("ParticipantId")), ""
        )
        if side.upper() == "SYSTEM" or "event" in text_of(item.get("ContentType")).lower():
            left_out["contact_lens: messages of the system and events"] += 1
            continue
        at = _absolute(item)
        offset_s = milliseconds(item.get("BeginOffsetMillis"))
        if offset_s is None and at is not None and begun is not None:
            offset_s = (at - begun).total_seconds()
        turns.append(Turn(role=_lens_role(side), text=text_of(item["Content"]), offset_s=offset_s))
    contact = text_of(mapping(record.get("CustomerMetadata")).get("ContactId"))
    contact = contact or text_of(record.get("ContactId"))
    transcript = conversation_of(
        turns,
        source="contact_lens",
        source_id=contact or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=begun,
        metadata={"language": text_of(record.get("LanguageCode"))},
    )
    return Taken(transcript, left_out + unread(record, _LENS_READ, platform="contact_lens"))


def _lens_role(side: str) -> Role:
    # A bot, and whoever supervises a colleague, speak for the side that was called.
    return "agent" if side.upper() in ("CUSTOM_BOT", "SUPERVISOR") else role_of(side)


def _absolute(item: Record) -> datetime | None:
    return moment(item.get("AbsoluteTime"), "AbsoluteTime")


def _genesys(record: Record, place: RecordPlace) -> Taken:
    phrases = [
        phrase
        for transcript in mappings(record, "transcripts")
        for phrase in mappings(transcript, "phrases")
        if text_of(phrase.get("text"))
    ]
    phrases.sort(key=lambda phrase: seconds(phrase.get("startTimeMs")) or 0.0)
    purposes = {"internal": "agent", "external": "user"}
    base = seconds(phrases[0].get("startTimeMs")) if phrases else None
    lines = [
        SpokenLine(
            purposes.get(name := text_of(phrase.get("participantPurpose")), name),
            text_of(phrase.get("text")),
            _genesys_offset(phrase, base),
        )
        for phrase in phrases
    ]
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    transcript = conversation_of(
        turns,
        source="genesys",
        source_id=text_of(record.get("conversationId")) or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=moment(record.get("startTime"), "startTime"),
        metadata={"channel": text_of(record.get("mediaType"))},
    )
    return Taken(transcript, unread(record, _GENESYS_READ, platform="genesys"))


def _genesys_offset(phrase: Record, base_ms: float | None) -> float | None:
    at_ms = seconds(phrase.get("startTimeMs"))
    return None if at_ms is None or base_ms is None else (at_ms - base_ms) / 1_000


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
            roles.get(channel := id_of(one.get("media_channel")), f"channel {channel}"),
            text_of(one.get("transcript")),
            seconds(_number(one.get("start_time"))),
        )
        for one in sentences
    ]
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    source_id = text_of(record.get("sid"))
    if not source_id and sentences:
        source_id = text_of(sentences[0].get("transcript_sid"))
    transcript = conversation_of(
        turns,
        source="twilio",
        source_id=source_id or content_id(turns, place.where),
        agent_id=place.agent_id,
        # The other one is when the transcript was made.
        started_at=moment(record.get("media_start_time"), "media_start_time")
        or moment(record.get("date_created"), "date_created"),
    )
    return Taken(transcript, unread(record, _TWILIO_READ, platform="twilio"))


def _number(value: object) -> object:
    """Twilio writes seconds as a number or as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None


def _is_genesys(record: Record) -> bool:
    listed = record.get("transcripts")
    return isinstance(listed, list) and any(
        has_list(mapping(one), "phrases") for one in cast(list[object], listed)
    )


CONTACT_LENS = Platform(
    "contact_lens",
    lambda record: has_list(record, "Transcript") and "Participants" in record,
    _contact_lens,
)
GENESYS = Platform("genesys", _is_genesys, _genesys)
TWILIO = Platform("twilio", lambda record: has_list(record, "sentences"), _twilio)
