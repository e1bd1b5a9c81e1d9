"""Amazon Connect: what Contact Lens writes after a contact and during it, and chats of Connect.

Documented shapes: the output files of Contact Lens (`Participants`, `Transcript`), transcripts of
chats (`Transcript` with `ParticipantRole`, `Type`, `AbsoluteTime`), segments in real time for voice
and chat (`Segments`, each with a `Transcript`), and the events of a segment stream.
"""

from collections import Counter
from datetime import datetime
from typing import cast

from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    content_id,
    conversation_of,
    has_list,
    mapping,
    mappings,
    milliseconds,
    role_of,
    text_of,
)
from conversation.importing.platforms.seen import told
from conversation.importing.roles import RecordError
from conversation.importing.times import moment
from conversation.transcript import Role, Turn

_AGENTS = ("CUSTOM_BOT", "BOT", "SUPERVISOR")
"""A bot, and whoever supervises a colleague, speak for the side that was called."""


def segments_by_contact(listed: list[object]) -> list[Record] | None:
    """The events of a segment stream as one record a contact; None when they are something else."""
    events = [mapping(each) for each in listed]
    if not events or not all(
        "EventType" in each and text_of(each.get("ContactId")) for each in events
    ):
        return None
    contacts: dict[str, dict[str, object]] = {}
    for event in events:
        contact = contacts.setdefault(text_of(event["ContactId"]), {"Segments": []})
        cast(list[object], contact["Segments"]).extend(mappings(event, "Segments"))
        for key, value in event.items():
            if key not in ("Segments", "EventType"):
                contact.setdefault(key, value)
    return list(contacts.values())


def _read(record: Record, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    sides = {
        text_of(one.get("ParticipantId")): text_of(one.get("ParticipantRole"))
        for one in mappings(record, "Participants")
    }
    items = [item for item in _items(record, left_out) if _has_words(item, sides, left_out)]
    begun = next((at for item in items if (at := _absolute(item)) is not None), None)
    turns = [
        Turn(
            role=_role(_side(item, sides), place),
            text=text_of(item["Content"]),
            offset_s=_offset_s(item, begun),
        )
        for item in items
    ]
    metadata = mapping(record.get("CustomerMetadata"))
    contact = text_of(record.get("ContactId")) or text_of(metadata.get("ContactId"))
    contact = contact or text_of(record.get("InitialContactId"))
    transcript = conversation_of(
        turns,
        source="contact_lens",
        source_id=contact or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=begun,
        metadata={
            "language": text_of(record.get("LanguageCode")),
            "channel": text_of(record.get("Channel")).lower(),
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
            found.append(mapping(segment["Transcript"]))
            continue
        told(segment)
        # An utterance is the beginning of a transcript that follows.
        left_out.update(f"contact_lens: segments of kind {kind}" for kind in segment)
    return found


def _has_words(item: Record, sides: dict[str, str], left_out: Counter[str]) -> bool:
    kind = f"{text_of(item.get('Type'))} {text_of(item.get('ContentType'))}".lower()
    if _side(item, sides).upper() == "SYSTEM" or "event" in kind:
        left_out["contact_lens: messages of the system and events"] += 1
    elif not text_of(item.get("Content")):
        left_out[
            f"contact_lens: {text_of(item.get('Type')).lower() or 'message'} without words"
        ] += 1
    else:
        return True
    told(item)
    return False


def _side(item: Record, sides: dict[str, str]) -> str:
    participant = text_of(item.get("ParticipantId"))
    # In files without roles the id itself is AGENT or CUSTOMER.
    return text_of(item.get("ParticipantRole")) or sides.get(participant) or participant


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
    offset_s = milliseconds(item.get("BeginOffsetMillis"))
    at = _absolute(item)
    if offset_s is None and at is not None and begun is not None:
        return max(0.0, (at - begun).total_seconds())
    return offset_s


def _absolute(item: Record) -> datetime | None:
    value = item.get("AbsoluteTime") or mapping(item.get("Time")).get("AbsoluteTime")
    return moment(value, "AbsoluteTime")


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
