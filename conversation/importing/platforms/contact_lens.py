"""Amazon Connect: what Contact Lens writes after a contact and during it, and chats of Connect.

Documented shapes: the output files of Contact Lens (`Participants`, `Transcript`), transcripts of
chats (`Transcript` with `ParticipantRole`, `Type`, `AbsoluteTime`), segments in real time for voice
and chat (`Segments`, each with a `Transcript`), and the events of a segment stream.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from conversation.importing.platforms.fields import (
    id_at,
    mapping_at,
    milliseconds_at,
    moment_at,
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
    mapping,
    mappings,
    role_of,
    text_of,
)
from conversation.importing.platforms.seen import told
from conversation.importing.roles import RecordError
from conversation.transcript import Role, Turn

_AGENTS = ("CUSTOM_BOT", "BOT", "SUPERVISOR")
"""A bot, and whoever supervises a colleague, speak for the side that was called."""


def is_of_stream(event: Record) -> bool:
    """Whether it is an event of a segment stream."""
    return "EventType" in event and bool(text_of(event.get("ContactId")))


def segments_by_contact(events: Sequence[Record]) -> list[Record]:
    """The events of a segment stream as one record a contact."""
    return joined_by(
        events, lambda event: text_of(event["ContactId"]), "Segments", around=("EventType",)
    )


def _read(record: Record, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    sides = {
        id_at(one, "ParticipantId"): text_at(one, "ParticipantRole")
        for one in mappings(record, "Participants")
    }
    items = [item for item in _items(record, left_out) if _has_words(item, sides, left_out)]
    begun = next((at for item in items if (at := _absolute(item)) is not None), None)
    turns = [
        Turn(
            role=_role(_side(item, sides), place),
            text=text_at(item, "Content"),
            offset_s=_offset_s(item, begun),
        )
        for item in items
    ]
    contact = (
        id_at(record, "ContactId")
        or id_at(mapping_at(record, "CustomerMetadata"), "ContactId")
        or id_at(record, "InitialContactId")
    )
    transcript = conversation_of(
        turns,
        source="contact_lens",
        source_id=contact or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=begun,
        metadata={
            "language": text_at(record, "LanguageCode"),
            "channel": text_at(record, "Channel").lower(),
        },
    )
    return Taken(transcript, left_out)


def _items(record: Record, left_out: Counter[str]) -> list[Record]:
    """What was said, whichever way it is listed; the other segments are counted by their kind."""
    if has_list(record, "Transcript"):
        return mappings(record, "Transcript")
    found: list[Record] = []
    for segment in mappings(record, "Segments"):
        if "Transcript" in segment:
            found.append(mapping_at(segment, "Transcript"))
            continue
        told(segment)
        # An utterance is the beginning of a transcript that follows.
        left_out.update(f"contact_lens: segments of kind {kind}" for kind in segment)
    return found


def _has_words(item: Record, sides: dict[str, str], left_out: Counter[str]) -> bool:
    kind = f"{text_at(item, 'Type')} {text_at(item, 'ContentType')}".lower()
    if _side(item, sides).upper() == "SYSTEM" or "event" in kind:
        left_out["contact_lens: messages of the system and events"] += 1
    elif not text_at(item, "Content"):
        left_out[
            f"contact_lens: {text_of(item.get('Type')).lower() or 'message'} without words"
        ] += 1
    else:
        return True
    told(item)
    return False


def _side(item: Record, sides: dict[str, str]) -> str:
    participant = id_at(item, "ParticipantId")
    # In files without roles the id itself is AGENT or CUSTOMER.
    return text_at(item, "ParticipantRole") or sides.get(participant) or participant


def _role(side: str, place: RecordPlace) -> Role:
    if side in place.agent_speakers or side.upper() in _AGENTS:
        return "agent"
    if side in place.user_speakers:
        return "user"
    try:
        return role_of(side)
    except RecordError:
        raise RecordError(
            f"it cannot be told who {side!r} is. Name the participants with `--agent-speaker` and "
            "`--user-speaker`"
        ) from None


def _offset_s(item: Record, begun: datetime | None) -> float | None:
    offset_s = milliseconds_at(item, "BeginOffsetMillis")
    at = _absolute(item)
    if offset_s is None and at is not None and begun is not None:
        return max(0.0, (at - begun).total_seconds())
    return offset_s


def _absolute(item: Record) -> datetime | None:
    return moment_at(item, "AbsoluteTime") or moment_at(mapping_at(item, "Time"), "AbsoluteTime")


def _recognises(record: Record) -> bool:
    if has_list(record, "Segments"):
        return any("Transcript" in mapping(each) for each in cast(list[object], record["Segments"]))
    listed = record.get("Transcript")
    return isinstance(listed, list) and (
        "Participants" in record
        or any("ParticipantRole" in mapping(each) for each in cast(list[object], listed))
    )


CONTACT_LENS = Platform(
    "contact_lens",
    _recognises,
    _read,
    said_twice=frozenset({"Transcript.ParticipantId", "Segments.Transcript.ParticipantId"}),
)
