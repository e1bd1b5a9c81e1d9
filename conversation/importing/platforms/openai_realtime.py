"""Logs of OpenAI Realtime: the server events of one session, in the order in which they came.

What was said becomes messages in the order of their items, and is read as other messages of the
platform are. Events of which nothing is taken, such as pieces of sound, are counted by their type.
"""

from collections import Counter
from typing import Any

from conversation.importing.platforms.openai import read_messages
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    has_list,
    mapping,
    mappings,
    text_of,
)
from conversation.importing.platforms.seen import told

_HEARD = "conversation.item.input_audio_transcription.completed"
_SAID = frozenset(
    {
        "response.audio_transcript.done", "response.output_audio_transcript.done",
        "response.text.done", "response.output_text.done",
    }
)  # fmt: skip
_BEGUN = frozenset({"conversation.item.created", "conversation.item.added"})
_OF_EVENTS = (
    "type", "event_id", "item_id", "content_index", "output_index", "response_id",
    "previous_item_id", "audio_end_ms",
)  # fmt: skip
_OF_ITEMS = (
    "id", "type", "object", "status", "role", "content.type", "content.text", "content.transcript",
    "name", "call_id", "arguments",
)  # fmt: skip
"""Items come several times, and what they hold is taken from the time that has the most in it."""


class _Items:
    """The items of a session in their order, with the words that events of their own gave them."""

    def __init__(self) -> None:
        self.items: dict[str, Record] = {}
        self.words: dict[str, dict[object, tuple[str, str]]] = {}
        """By item and part: who said what."""
        self.cut: set[str] = set()

    def put(self, item: Record) -> None:
        item_id = text_of(item.get("id"))
        known = self.items.get(item_id)
        # The last form of an item has the most in it; its place is the one of the first.
        is_fuller = bool(mappings(item, "content")) or text_of(item.get("type")).endswith("_call")
        if known is None or is_fuller:
            self.items[item_id] = item

    def say(self, event: Record, role: str, text: str) -> None:
        item_id = text_of(event.get("item_id"))
        self.items.setdefault(item_id, {})
        self.words.setdefault(item_id, {})[event.get("content_index")] = (role, text)

    def messages(self) -> list[Record]:
        found: list[Record] = []
        for item_id, item in self.items.items():
            said = self.words.get(item_id)
            cut: dict[str, Any] = {"status": "incomplete"} if item_id in self.cut else {}
            if said is not None:
                role = next(iter(said.values()))[0]
                item.get("content")
                text = " ".join(text for _, text in said.values() if text)
                found.append({"role": role, "content": text, **cut})
            elif item:
                found.append({**item, **cut} if cut else item)
        return found


def _read(record: Record, place: RecordPlace) -> Taken:
    items = _Items()
    left_out: Counter[str] = Counter()
    session_id = ""
    for event in mappings(record, "events"):
        session_id = session_id or text_of(mapping(event.get("session")).get("id"))
        if not _take(event, items):
            told(event)
            left_out[f"openai: events of type {text_of(event.get('type'))}"] += 1
    taken = read_messages({"id": session_id, "messages": items.messages()}, place)
    return Taken(taken.transcript, taken.left_out + left_out)


def _take(event: Record, items: _Items) -> bool:
    """Whether something is taken from an event."""
    kind = text_of(event.get("type"))
    if kind in _BEGUN or kind in ("conversation.item.done", "response.output_item.done"):
        items.put(mapping(event.get("item")))
    elif kind == "response.done":
        # Some logs hold of each answer only this, with all that it consists of.
        for part in mappings(mapping(event.get("response")), "output"):
            items.put(part)
    elif kind == _HEARD:
        items.say(event, "user", text_of(event.get("transcript")))
    elif kind in _SAID:
        items.say(event, "assistant", text_of(event.get("transcript") or event.get("text")))
    elif kind == "conversation.item.truncated":
        items.cut.add(text_of(event.get("item_id")))
    else:
        return kind.startswith("session.")
    return True


OPENAI_REALTIME = Platform(
    "openai",
    lambda record: has_list(record, "events"),
    _read,
    said_twice=frozenset(f"events.{key}" for key in _OF_EVENTS)
    | {f"events.{key}.{inner}" for key in ("item", "response.output") for inner in _OF_ITEMS},
)
