"""Chatwoot: messages of a conversation (API, webhooks) and the events of single messages."""

from collections import Counter
from collections.abc import Sequence
from typing import cast

from conversation.importing.lines import SpokenLine
from conversation.importing.platforms.fields import flag_at, id_at, mapping_at, moment_at, text_at
from conversation.importing.platforms.help_desks.thread import (
    TimedLine,
    attachments,
    same_of_all,
    taken_thread,
)
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    has_list,
    id_of,
    mapping,
    mappings,
)
from conversation.importing.platforms.seen import told

_SIDES = {
    "0": "user", "incoming": "user",
    "1": "agent", "outgoing": "agent", "3": "agent", "template": "agent",
}  # fmt: skip


def is_message(message: Record) -> bool:
    """Whether it is one message, or the event of one."""
    return "message_type" in message and "content" in message


def messages_by_conversation(messages: Sequence[Record]) -> list[Record]:
    """Single messages as one record a conversation."""
    found: dict[str, list[Record]] = {}
    for message in messages:
        found.setdefault(_conversation_of(message), []).append(message)
    return [{"messages": each} for each in found.values()]


def _conversation_of(message: Record) -> str:
    inner = mapping(message.get("conversation"))
    return id_of(inner.get("id") or inner.get("display_id")) or id_of(
        message.get("conversation_id")
    )


def _read(record: Record, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    lines: list[TimedLine] = []
    messages = mappings(record, "messages" if has_list(record, "messages") else "payload")
    for message in messages:
        left_out["chatwoot: attachments"] += attachments(message)
        side = _SIDES.get(id_at(message, "message_type").casefold())
        text = text_at(message, "content")
        if flag_at(message, "private"):
            told(message)
            left_out["chatwoot: notes among colleagues"] += 1
        elif side is None or not text:
            told(message)
            left_out["chatwoot: activity and messages without words"] += 1
        else:
            lines.append((SpokenLine(side, text), moment_at(message, "created_at")))
    meta = mapping_at(record, "meta")
    contact = mapping_at(meta, "sender") or mapping_at(meta, "contact")
    inner = [found for each in messages if (found := mapping_at(each, "conversation"))]
    return taken_thread(
        "chatwoot",
        record,
        place,
        lines,
        user_id=id_at(contact, "identifier", "id") or _writer(messages),
        left_out=left_out,
        source_id=id_at(record, "id")
        or same_of_all(inner, "id")
        or same_of_all(messages, "conversation_id"),
    )


def _writer(messages: list[Record]) -> str:
    """The contact that wrote, where events of single messages name it."""
    found = (id_at(mapping_at(each, "contact"), "identifier", "id") for each in messages)
    return next(filter(None, found), "")


def _recognises(record: Record) -> bool:
    key = "messages" if has_list(record, "messages") else "payload"
    listed = record.get(key)
    return isinstance(listed, list) and any(
        "message_type" in mapping(each) for each in cast(list[object], listed)
    )


CHATWOOT = Platform(
    "chatwoot",
    _recognises,
    _read,
    said_twice=frozenset({"status", "created_at", "messages.event", "messages.conversation_id"}),
)
