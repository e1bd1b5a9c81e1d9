"""Every kind of record that is understood, and what is wrapped around them. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import cast

from conversation.importing.platforms.contact_centres import GENESYS, TWILIO, TWILIO_MESSAGES
from conversation.importing.platforms.contact_lens import CONTACT_LENS, segments_by_contact
from conversation.importing.platforms.elevenlabs import ELEVENLABS
from conversation.importing.platforms.help_desks import CHATWOOT, INTERCOM, ZENDESK
from conversation.importing.platforms.openai import OPENAI
from conversation.importing.platforms.openai_realtime import OPENAI_REALTIME
from conversation.importing.platforms.own import OWN
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    has_list,
    kind,
    mapping,
    text_of,
)
from conversation.importing.platforms.retell import RETELL
from conversation.importing.platforms.seen import holds_something, unseen, watched
from conversation.importing.platforms.vapi import VAPI
from conversation.importing.roles import RecordError

PLATFORMS: tuple[Platform, ...] = (
    OWN, RETELL, CHATWOOT, VAPI, INTERCOM, ZENDESK, CONTACT_LENS, GENESYS, TWILIO,
    TWILIO_MESSAGES, OPENAI_REALTIME, ELEVENLABS, OPENAI,
)  # fmt: skip
"""The first that recognises a record reads it: the more particular stand before the others."""

_ENVELOPES = ("data", "item", "call", "chat", "message", "conversation")
"""Keys under which webhooks hold the record itself."""
_PAGES = ("results", "conversations", "calls", "chats", "items", "tickets", "data", "payload")
"""Keys under which a page of a list holds its records."""


def records_of(content: object) -> Iterator[object]:
    """The records in what was read: one, a list of them, or a page of a platform's list."""
    if isinstance(content, list):
        listed = cast(list[object], content)
        if listed and all(_is_message(each) for each in listed):
            # A bare list of chat messages is one conversation.
            yield {"messages": listed}
        elif _is_log(listed):
            yield {"events": listed}
        elif (contacts := segments_by_contact(listed)) is not None:
            yield from contacts
        else:
            for each in listed:
                yield from records_of(each) if mapping(each) else [each]
        return
    record = mapping(content)
    page = _page_of(record)
    if page is not None:
        yield from cast(list[object], record[page])
        return
    yield content


def left_on_page(content: object) -> Counter[str]:
    """What a page of a list holds beside its records, such as that there are more of them."""
    record = mapping(content)
    page = _page_of(record)
    return Counter(
        f"page.{key}"
        for key, value in record.items()
        if page is not None and key != page and value is not False and holds_something(value)
    )


def taken(record: object, place: RecordPlace) -> Taken:
    """Read one record of any known kind; fields that its reader does not ask for are counted.

    Raises:
        RecordError: Nobody knows its kind, or a field is missing or wrong.
    """
    if not isinstance(record, dict):
        raise RecordError(f"a conversation is a mapping with `turns`, and this is {kind(record)}")
    inner, around = _unwrapped(cast(Record, record))
    platform = _platform_of(inner)
    if platform is None:
        raise RecordError(_unknown(inner))
    looked_at = watched(inner)
    found = platform.read(looked_at, place)
    left_out = found.left_out + unseen(looked_at, platform.name, platform.said_twice)
    return Taken(
        found.transcript, left_out + Counter(f"{platform.name}.envelope.{key}" for key in around)
    )


def _page_of(record: Record) -> str | None:
    """The key under which a page of a list holds its records; None for one record."""
    if not record or _platform_of(record) is not None:
        return None
    return next((key for key in _PAGES if has_list(record, key)), None)


def _unwrapped(record: Record) -> tuple[Record, list[str]]:
    """What a webhook holds, and the names of what stands around it."""
    around: list[str] = []
    while _platform_of(record) is None:
        key = next((key for key in _ENVELOPES if isinstance(record.get(key), dict)), None)
        if key is None:
            break
        around += [
            other for other, value in record.items() if other != key and holds_something(value)
        ]
        record = mapping(record[key])
    return record, around


def _platform_of(record: Record) -> Platform | None:
    return next((platform for platform in PLATFORMS if platform.recognises(record)), None)


def _unknown(record: Record) -> str:
    if "transcript" in record:
        return (
            f"`transcript` must be a list, and is {kind(record['transcript'])}: whose words are "
            "whose cannot be told from it. Export the record with its messages"
        )
    if text_of(record.get("conversation_id")) or "agent_id" in record:
        return (
            "it holds a summary without what was said; fetch each conversation by its id. It has "
            f"none of the keys that hold what was said: {_KEYS}"
        )
    return f"it has none of the keys that hold what was said: {_KEYS}"


_KEYS = (
    "`turns`, `transcript`, `transcript_object`, `messages`, `artifact.messages`, `output`, "
    "`conversation_parts`, `comments`, `Transcript`, `Segments`, `transcripts`, `sentences`"
)


_WORDS = frozenset(
    {"content", "message", "tool_calls", "function_call", "refusal", "audio", "toolCalls"}
)


def _is_message(record: object) -> bool:
    fields = mapping(record)
    return ("role" in fields and bool(_WORDS & fields.keys())) or (
        "message_type" in fields and "content" in fields
    )


def is_log(listed: list[object]) -> bool:
    """Whether these are the events of sessions or contacts rather than a record each."""
    return _is_log(listed) or segments_by_contact(listed) is not None


def _is_log(listed: list[object]) -> bool:
    """Whether these are the events of a session; some of them, such as errors, have other names."""
    names = [text_of(mapping(each).get("type")) for each in listed]
    return all(names) and any(_is_of_session(name) for name in names)


def _is_of_session(name: str) -> bool:
    return name.startswith(("conversation.item.", "response.", "session.", "input_audio_buffer."))
