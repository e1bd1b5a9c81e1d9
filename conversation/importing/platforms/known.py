"""Every kind of record that is understood, and what is wrapped around them. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from conversation.importing.platforms.contact_lens import (
    CONTACT_LENS,
    is_of_stream,
    segments_by_contact,
)
from conversation.importing.platforms.elevenlabs import ELEVENLABS
from conversation.importing.platforms.genesys import (
    GENESYS,
    GENESYS_CHATS,
    GENESYS_MESSAGES,
    GENESYS_NOTIFICATIONS,
    is_notification,
    notifications_by_conversation,
)
from conversation.importing.platforms.help_desks.chatwoot import (
    CHATWOOT,
    is_message,
    messages_by_conversation,
)
from conversation.importing.platforms.help_desks.intercom import INTERCOM
from conversation.importing.platforms.help_desks.zendesk import ZENDESK
from conversation.importing.platforms.help_desks.zendesk_messaging import (
    ZENDESK_CHAT,
    ZENDESK_MESSAGING,
    is_webhook,
    webhooks_by_conversation,
)
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
from conversation.importing.platforms.seen import glance, holds_something, unseen, watched
from conversation.importing.platforms.twilio import (
    TWILIO,
    TWILIO_MESSAGES,
    is_sentence,
    sentences_by_transcript,
)
from conversation.importing.platforms.vapi import VAPI
from conversation.importing.roles import RecordError

PLATFORMS: tuple[Platform, ...] = (
    OWN, RETELL, CHATWOOT, VAPI, INTERCOM, ZENDESK, ZENDESK_MESSAGING, ZENDESK_CHAT, CONTACT_LENS,
    GENESYS, GENESYS_NOTIFICATIONS, GENESYS_MESSAGES, GENESYS_CHATS, TWILIO, TWILIO_MESSAGES,
    OPENAI_REALTIME, ELEVENLABS, OPENAI,
)  # fmt: skip
"""The first that recognises a record reads it: the more particular stand before the others."""

_PIECES: tuple[tuple[Callable[[Record], bool], Callable[[Sequence[Record]], list[Record]]], ...] = (
    (is_of_stream, segments_by_contact),
    (is_notification, notifications_by_conversation),
    (is_webhook, webhooks_by_conversation),
    (is_message, messages_by_conversation),
    (is_sentence, sentences_by_transcript),
)
"""Entries of lists that are pieces of conversations, and what makes records of conversations of
them."""
_AROUND_PIECES = ("other_events", "event", "webhooks")
"""Where records that were put together from pieces hold what else stood around these."""
_ENVELOPES = (
    "data", "item", "call", "chat", "message", "conversation", "response", "body", "eventBody",
)  # fmt: skip
"""Keys under which webhooks hold the record itself."""
_PAGES = ("results", "conversations", "calls", "chats", "items", "tickets", "data", "payload")
"""Keys under which a page of a list holds its records."""


def records_of(content: object) -> Iterator[object]:
    """The records in what was read: one, a list of them, or a page of a platform's list."""
    if isinstance(content, list):
        listed = cast(list[object], content)
        if (joined := _joined(listed)) is not None:
            yield from joined
        elif listed and all(_is_message(each) for each in listed):
            # A bare list of chat messages is one conversation.
            yield {"messages": listed}
        elif _is_log(listed):
            yield {"events": listed}
        else:
            for each in listed:
                yield from records_of(each) if mapping(each) else [each]
        return
    record = mapping(content)
    holder = _holder_of_page(record)
    page = _page_of(holder)
    if _is_piece(record):
        yield from _joined([record]) or []
    elif page is not None:
        yield from cast(list[object], holder[page])
    else:
        yield content


def _joined(listed: list[object]) -> list[object] | None:
    """The conversations whose pieces a list holds; None where it holds none.

    What is no piece among them stays a record of its own, and costs the others nothing.
    """
    for fits, join in _PIECES:
        pieces = [record for each in listed if fits(record := mapping(each))]
        if pieces:
            return [*join(pieces), *(each for each in listed if not fits(mapping(each)))]
    return None


def _is_piece(record: Record) -> bool:
    return any(fits(record) for fits, _ in _PIECES)


def _holder_of_page(record: Record) -> Record:
    """The mapping that holds a page of a list: `record`, or what an answer holds under `data`."""
    if _platform_of(record) is None and _page_of(record) is None:
        inner = mapping(record.get("data"))
        return inner if _page_of(inner) is not None else record
    return record


def left_on_page(content: object) -> Counter[str]:
    """What a page of a list holds beside its records, such as that there are more of them."""
    outer = mapping(content)
    record = _holder_of_page(outer)
    page = _page_of(record)
    if page is None:
        return Counter()
    around = {} if record is outer else {key: outer[key] for key in outer if key != "data"}
    return Counter(
        f"page.{key}"
        for key, value in (*record.items(), *around.items())
        if key != page and value is not False and holds_something(value)
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
        raise RecordError(_unknown(inner, cast(Record, record)))
    looked_at = watched(inner)
    found = platform.read(looked_at, place)
    for key in _AROUND_PIECES:
        if isinstance(glance(looked_at, key), dict | list):
            # Looked through, so that what stands there is counted by its names.
            looked_at.get(key)
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


def _unknown(record: Record, outer: Record) -> str:
    if "transcript" in record:
        return (
            f"`transcript` must be a list, and is {kind(record['transcript'])}: whose words are "
            "whose cannot be told from it. Export the record with its messages"
        )
    if (reason := _EVENTS.get(text_of(outer.get("type")))) is not None:
        return reason
    if any(text_of(record.get(key)) for key in _SUMMARIES) or "conversation_rating" in record:
        return (
            "it holds a summary without what was said; fetch each conversation by its id. It has "
            f"none of the keys that hold what was said: {_KEYS}"
        )
    return f"it has none of the keys that hold what was said: {_KEYS}"


_SUMMARIES = ("conversation_id", "call_id", "chat_id", "agent_id", "assistantId", "conversationId")
_EVENTS = {
    "post_call_audio": (
        "it holds the sound of a conversation without its words. Import the webhook "
        "`post_call_transcription` of it, or the sound as a file"
    ),
    "call_initiation_failure": "it says that a call did not come about: nobody says anything in it",
}
"""Why a webhook of this type holds nothing to take."""
_KEYS = (
    "`turns`, `transcript`, `transcript_object`, `messages`, `artifact.messages`, `output`, "
    "`conversation_parts`, `comments`, `history`, `Transcript`, `Segments`, `transcripts`, "
    "`sentences`"
)


_WORDS = frozenset(
    {
        "content",
        "message",
        "tool_calls",
        "function_call",
        "refusal",
        "audio",
        "toolCalls",
        "toolCallId",
    }
)


def _is_message(record: object) -> bool:
    fields = mapping(record)
    return ("role" in fields and bool(_WORDS & fields.keys())) or (
        fields.get("object") == "thread.run.step"
    )


def is_log(listed: list[object]) -> bool:
    """Whether these are the events of sessions or contacts rather than a record each."""
    return _is_log(listed) or any(_is_piece(mapping(each)) for each in listed)


def _is_log(listed: list[object]) -> bool:
    """Whether these are the events of a session; some of them, such as errors, have other names."""
    return all(mapping(each) for each in listed) and any(
        _is_of_session(text_of(mapping(each).get("type"))) for each in listed
    )


def _is_of_session(name: str) -> bool:
    return name.startswith(("conversation.item.", "response.", "session.", "input_audio_buffer."))
