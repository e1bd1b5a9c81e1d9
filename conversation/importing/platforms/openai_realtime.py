"""Logs of OpenAI Realtime: the server events of one session, in the order in which they came.

What was said becomes messages in the order of their items, and is read as other messages of the
platform are. Events of which nothing is taken, such as pieces of sound, are counted by their type.
"""

from collections import Counter
from typing import Any

from conversation.importing.platforms.fields import id_at, mapping_at, text_at
from conversation.importing.platforms.openai import read_messages
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    has_list,
    mappings,
    text_of,
)
from conversation.importing.platforms.seen import told, with_fields

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
        self.words: dict[str, dict[str, tuple[str, str]]] = {}
        """By item and part: who said what."""
        self.cut: set[str] = set()
        self.after: dict[str, str] = {}
        """By item: the one that it follows, as the platform says; empty for the first one."""

    def put(self, item: Record, event: Record) -> None:
        item_id = id_at(item, "id")
        if "previous_item_id" in event:
            self.after.setdefault(item_id, id_at(event, "previous_item_id"))
        known = self.items.get(item_id)
        # The last form of an item has the most in it; its place is the one of the first.
        is_fuller = bool(mappings(item, "content")) or text_of(item.get("type")).endswith("_call")
        if known is None or is_fuller:
            self.items[item_id] = item

    def say(self, event: Record, role: str, text: str) -> None:
        item_id = id_at(event, "item_id")
        self.items.setdefault(item_id, {})
        part = id_at(event, "content_index")
        self.words.setdefault(item_id, {})[part] = (role, text)

    def messages(self) -> list[Record]:
        found: list[Record] = []
        for item_id in self._in_order():
            item = self.items[item_id]
            said = self.words.get(item_id)
            cut: dict[str, Any] = {"status": "incomplete"} if item_id in self.cut else {}
            if said is not None:
                role = next(iter(said.values()))[0]
                item.get("content")
                text = " ".join(text for _, text in said.values() if text)
                found.append({"role": role, "content": text, **cut})
            elif item:
                found.append(with_fields(item, cut) if cut else item)
        return found

    def _in_order(self) -> list[str]:
        """Each item behind the one that it follows, whichever of them the log names first."""
        followers: dict[str, list[str]] = {}
        first: list[str] = []
        others: list[str] = []
        for item_id in self.items:
            before = self.after.get(item_id)
            if before in self.items and before != item_id:
                followers.setdefault(str(before), []).append(item_id)
            else:
                (first if before == "" else others).append(item_id)
        found: list[str] = []
        waiting = [*reversed(others), *reversed(first)]
        while waiting:
            found.append(waiting.pop())
            waiting += reversed(followers.get(found[-1], []))
        # A ring of items that follow each other has no beginning.
        return found if len(found) == len(self.items) else list(self.items)


def _read(record: Record, place: RecordPlace) -> Taken:
    items = _Items()
    left_out: Counter[str] = Counter()
    session_id = ""
    for event in mappings(record, "events"):
        session_id = session_id or id_at(mapping_at(event, "session"), "id")
        if not _take(event, items):
            told(event)
            left_out[f"openai: events of type {text_of(event.get('type'))}"] += 1
    taken = read_messages({"id": session_id, "messages": items.messages()}, place)
    return Taken(taken.transcript, taken.left_out + left_out)


def _take(event: Record, items: _Items) -> bool:
    """Whether something is taken from an event."""
    kind = text_of(event.get("type"))
    if kind in _BEGUN or kind in ("conversation.item.done", "response.output_item.done"):
        items.put(mapping_at(event, "item"), event)
    elif kind == "response.done":
        # Some logs hold of each answer only this, with all that it consists of.
        for part in mappings(mapping_at(event, "response"), "output"):
            items.put(part, {})
    elif kind == _HEARD:
        items.say(event, "user", text_at(event, "transcript"))
    elif kind in _SAID:
        items.say(event, "assistant", text_at(event, "transcript", "text"))
    elif kind == "conversation.item.truncated":
        items.cut.add(id_at(event, "item_id"))
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
