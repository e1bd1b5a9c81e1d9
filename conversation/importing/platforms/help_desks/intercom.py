"""Intercom: a conversation (`source` and `conversation_parts`), a ticket (`ticket_parts`)."""

from collections import Counter

from conversation.importing.lines import SpokenLine
from conversation.importing.platforms.fields import (
    id_at,
    list_at,
    mapping_at,
    moment_at,
    number_at,
    text_at,
)
from conversation.importing.platforms.help_desks.thread import (
    TimedLine,
    attachments,
    taken_thread,
    words_of_html,
)
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    mappings,
)
from conversation.importing.platforms.seen import told

_SIDES = {
    "admin": "agent", "bot": "agent", "team": "agent",
    "user": "user", "lead": "user", "contact": "user",
}  # fmt: skip


def _read(record: Record, place: RecordPlace) -> Taken:
    listed = mapping_at(record, "conversation_parts") or mapping_at(record, "ticket_parts")
    parts = mappings(listed, "conversation_parts") or mappings(listed, "ticket_parts")
    opening = mapping_at(record, "source")
    left_out: Counter[str] = Counter()
    lines: list[TimedLine] = []
    for part in [opening, *parts]:
        left_out["intercom: attachments"] += attachments(part)
        text = words_of_html(text_at(part, "body"))
        name = text_at(part, "part_type")
        if name.startswith("note"):
            told(part)
            left_out["intercom: notes among colleagues"] += 1
        elif not text:
            told(part)
            left_out["intercom: parts without words"] += bool(name)
        else:
            side = text_at(mapping_at(part, "author"), "type")
            at = moment_at(record if part is opening else part, "created_at")
            lines.append((SpokenLine(_SIDES.get(side, side), text), at))
    total = number_at(listed, "total_count")
    if total is not None and total > len(parts):
        left_out["intercom: parts that the export does not hold"] = int(total) - len(parts)
    people = mapping_at(record, "contacts")
    contacts = list_at(people, "contacts")
    user_id = id_at(contacts[0], "external_id", "id") if contacts else ""
    return taken_thread("intercom", record, place, lines, user_id=user_id, left_out=left_out)


INTERCOM = Platform(
    "intercom",
    lambda record: "conversation_parts" in record or "ticket_parts" in record,
    _read,
    said_twice=frozenset(
        {
            "type", "state", "open", "read", "source.type", "conversation_parts.type",
            "conversation_parts.conversation_parts.type", "ticket_parts.type",
            "ticket_parts.ticket_parts.type", "contacts.type", "contacts.contacts.type",
        }
    ),
)  # fmt: skip
