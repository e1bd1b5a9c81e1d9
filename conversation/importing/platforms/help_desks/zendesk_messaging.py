"""Zendesk messaging (Sunshine Conversations) and Zendesk Chat.

Documented shapes: the messages of a conversation (`author.type` is `user` or `business`,
`content.type`, `received`), the `conversation:message` events of webhooks, and chats of the Chat
API (`history` of `chat.msg` and other events, or the `message` of a visitor who met nobody).
"""

from collections import Counter
from collections.abc import Sequence

from conversation.importing.lines import SpokenLine
from conversation.importing.platforms.fields import id_at, mapping_at, moment_at, text_at
from conversation.importing.platforms.help_desks.thread import (
    TimedLine,
    mappings_of,
    taken_thread,
)
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    id_of,
    mapping,
    mappings,
    text_of,
)
from conversation.importing.platforms.seen import told

_MESSAGE = "conversation:message"
_SIDES = {"business": "agent", "user": "user"}


def is_webhook(hook: Record) -> bool:
    """Whether it is a webhook with events of conversations."""
    events = mappings_of(hook.get("events"))
    return bool(events) and all("payload" in event and "type" in event for event in events)


def webhooks_by_conversation(hooks: Sequence[Record]) -> list[Record]:
    """Webhooks as one record a conversation, those without a message too."""
    found: dict[str, dict[str, list[object]]] = {}
    for hook in hooks:
        around = [{key: value for key, value in hook.items() if key != "events"}]
        for event in mappings(hook, "events"):
            payload = mapping(event.get("payload"))
            conversation = mapping(payload.get("conversation"))
            name = id_of(conversation.get("id"))
            one = found.setdefault(
                name, {"conversations": [], "messages": [], "events": [], "webhooks": []}
            )
            one["conversations"].append(conversation)
            is_message = event.get("type") == _MESSAGE and bool(mapping(payload.get("message")))
            if is_message:
                one["messages"].append(payload["message"])
                taken = ("conversation", "message") if conversation else ("message",)
                event = _without(event, "payload", "type") | {"payload": _without(payload, *taken)}
            one["webhooks" if is_message else "events"].append(event)
            one["webhooks"] += around
            around = []
    return [dict(one) for one in found.values()]


def _without(record: Record, *keys: str) -> dict[str, object]:
    return {key: value for key, value in record.items() if key not in keys}


def _messages(record: Record, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    lines: list[TimedLine] = []
    user_id = ""
    for message in mappings(record, "messages"):
        author = mapping_at(message, "author")
        content = mapping_at(message, "content")
        kind = text_at(content, "type")
        text = text_at(content, "text")
        side = text_at(author, "type")
        if side == "user":
            user_id = user_id or id_at(author, "userExternalId", "userId")
        if not text:
            told(message)
            left_out[f"zendesk: messages of type {kind or '?'} without words"] += 1
            continue
        lines.append((SpokenLine(_SIDES.get(side, side), text), moment_at(message, "received")))
    for event in mappings(record, "events"):
        told(event)
        left_out[f"zendesk: events of type {text_of(event.get('type')) or '?'}"] += 1
    named = [id_at(one, "id") for one in mappings(record, "conversations")]
    conversation = next(filter(None, named), "") or id_at(mapping_at(record, "conversation"), "id")
    return taken_thread(
        "zendesk",
        record,
        place,
        lines,
        user_id=user_id,
        left_out=left_out,
        source_id=conversation or id_at(record, "conversationId"),
    )


def _chat(record: Record, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    lines: list[TimedLine] = []
    for event in mappings(record, "history"):
        text = text_at(event, "msg")
        if event.get("type") != "chat.msg" or not text:
            told(event)
            left_out["zendesk: events that are no messages"] += 1
            continue
        lines.append((SpokenLine(_who(event), text), moment_at(event, "timestamp")))
    if left := text_at(record, "message"):
        # Written while nobody was there to answer.
        lines.insert(0, (SpokenLine("user", left), moment_at(record, "timestamp")))
    visitor = mapping_at(record, "visitor")
    return taken_thread(
        "zendesk", record, place, lines, user_id=id_at(visitor, "id"), left_out=left_out
    )


def _who(event: Record) -> str:
    """Visitors are users; agents, triggers and bots speak for the side that is asked."""
    name = text_at(event, "sender_type") or text_at(event, "nick").partition(":")[0]
    return "user" if name.casefold() == "visitor" else "agent" if name else text_at(event, "name")


def _is_messages(record: Record) -> bool:
    return "webhooks" in record or any(
        {"author", "content"} <= message.keys() and bool(mapping(message["author"]))
        for message in mappings_of(record.get("messages"))
    )


def _is_chat(record: Record) -> bool:
    events = mappings_of(record.get("history"))
    return any(text_of(event.get("type")).startswith("chat.") for event in events) or (
        record.get("type") == "offline_msg" and "visitor" in record
    )


ZENDESK_MESSAGING = Platform(
    "zendesk",
    _is_messages,
    _messages,
    said_twice=frozenset({"conversations.type", "webhooks.id", "webhooks.createdAt"}),
)
ZENDESK_CHAT = Platform(
    "zendesk",
    _is_chat,
    _chat,
    said_twice=frozenset(
        {"type", "timestamp", "history.nick", "history.name", "count", "duration"}
    ),
)
