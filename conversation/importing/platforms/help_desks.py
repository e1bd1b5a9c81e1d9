"""Conversations of help desks: Intercom, Zendesk, Chatwoot."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from html.parser import HTMLParser

from conversation.importing.lines import SpokenLine, turns_of_lines
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    conversation_of,
    has_list,
    id_of,
    mapping,
    mappings,
    text_of,
    unread,
)
from conversation.importing.roles import RecordError
from conversation.importing.times import moment

_INTERCOM_READ = frozenset(
    {
        "type", "id", "created_at", "updated_at", "source", "conversation_parts", "contacts",
        "state", "open", "read",
    }
)  # fmt: skip
_ZENDESK_READ = frozenset({"ticket", "comments", "users", "id", "requester_id", "created_at"})
_CHATWOOT_READ = frozenset({"id", "messages", "payload", "meta", "created_at", "status"})
_INTERCOM_SIDES = {
    "admin": "agent", "bot": "agent", "team": "agent",
    "user": "user", "lead": "user", "contact": "user",
}  # fmt: skip
_CHATWOOT_SIDES = {
    0: "user", "incoming": "user",
    1: "agent", "outgoing": "agent", 3: "agent", "template": "agent",
}  # fmt: skip
_BREAKS = frozenset(
    {"br", "p", "div", "li", "tr", "blockquote", "h1", "h2", "h3", "h4", "ul", "ol"}
)
_UNSEEN = frozenset({"script", "style", "head"})


def _intercom(record: Record, place: RecordPlace) -> Taken:
    parts = mappings(mapping(record.get("conversation_parts")), "conversation_parts")
    opening: Record = {**mapping(record.get("source")), "created_at": record.get("created_at")}
    said: list[Record] = [opening, *parts]
    left_out: Counter[str] = Counter()
    lines: list[tuple[SpokenLine, datetime | None]] = []
    for part in said:
        left_out["intercom: attachments"] += len(mappings(part, "attachments"))
        text = _plain(part.get("body"))
        name = text_of(part.get("part_type"))
        if name == "note":
            left_out["intercom: notes among colleagues"] += 1
        elif not text:
            left_out["intercom: parts without words"] += bool(name)
        else:
            side = text_of(mapping(part.get("author")).get("type"))
            at = moment(part.get("created_at"), "created_at")
            lines.append((SpokenLine(_INTERCOM_SIDES.get(side, side), text), at))
    contacts = mappings(mapping(record.get("contacts")), "contacts")
    user_id = id_of(contacts[0].get("external_id") or contacts[0].get("id")) if contacts else ""
    return _taken(
        "intercom", record, place, lines, user_id=user_id, left_out=left_out, read=_INTERCOM_READ
    )


def _zendesk(record: Record, place: RecordPlace) -> Taken:
    ticket = mapping(record.get("ticket")) or record
    requester = id_of(ticket.get("requester_id"))
    roles = {id_of(user.get("id")): text_of(user.get("role")) for user in mappings(record, "users")}
    if not requester and not roles:
        raise RecordError(
            "it says neither the ticket's `requester_id` nor the `role` of its `users`, so it "
            "cannot be told whose words these are. Export the ticket together with its comments"
        )
    left_out: Counter[str] = Counter()
    lines: list[tuple[SpokenLine, datetime | None]] = []
    for comment in mappings(record, "comments"):
        left_out["zendesk: attachments"] += len(mappings(comment, "attachments"))
        if comment.get("public") is False:
            left_out["zendesk: notes among colleagues"] += 1
            continue
        author = id_of(comment.get("author_id"))
        # Whoever else got a copy of the ticket is no colleague either.
        by_user = roles.get(author) == "end-user" or (bool(requester) and author == requester)
        text = text_of(comment.get("plain_body")) or _plain(
            comment.get("html_body") or comment.get("body")
        )
        at = moment(comment.get("created_at"), "created_at")
        lines.append((SpokenLine("user" if by_user else "agent", text), at))
    return _taken(
        "zendesk",
        {**record, "id": record.get("id") or ticket.get("id")},
        place,
        lines,
        user_id=requester,
        left_out=left_out,
        read=_ZENDESK_READ,
    )


def _chatwoot(record: Record, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    lines: list[tuple[SpokenLine, datetime | None]] = []
    for message in _chatwoot_messages(record):
        left_out["chatwoot: attachments"] += len(mappings(message, "attachments"))
        kind = message.get("message_type")
        side = _CHATWOOT_SIDES.get(kind) if isinstance(kind, int | str) else None
        text = text_of(message.get("content"))
        if message.get("private"):
            left_out["chatwoot: notes among colleagues"] += 1
        elif side is None or not text:
            left_out["chatwoot: activity and messages without words"] += 1
        else:
            at = moment(message.get("created_at"), "created_at")
            lines.append((SpokenLine(side, text), at))
    contact = mapping(mapping(record.get("meta")).get("sender"))
    return _taken(
        "chatwoot",
        record,
        place,
        lines,
        user_id=id_of(contact.get("identifier") or contact.get("id")),
        left_out=left_out,
        read=_CHATWOOT_READ,
    )


def _chatwoot_messages(record: Record) -> list[Record]:
    return mappings(record, "messages" if has_list(record, "messages") else "payload")


def _taken(
    source: str,
    record: Record,
    place: RecordPlace,
    lines: Sequence[tuple[SpokenLine, datetime | None]],
    *,
    user_id: str,
    left_out: Counter[str],
    read: frozenset[str],
) -> Taken:
    times = [at for _, at in lines if at is not None]
    begun, ended = (min(times), max(times)) if times else (None, None)
    timed = [
        SpokenLine(line.speaker, line.text, (at - begun).total_seconds() if at and begun else None)
        for line, at in lines
    ]
    if len(times) == len(lines):
        timed.sort(key=lambda line: line.offset_s or 0.0)
    turns = turns_of_lines(timed, place.agent_speakers, place.user_speakers, joiner="\n")
    source_id = id_of(record.get("id"))
    transcript = conversation_of(
        turns,
        source=source,
        source_id=source_id or place.where,
        # Their numbers are those of one workspace, and another one counts from 1 too.
        scope=place.file_name,
        agent_id=place.agent_id,
        started_at=begun,
        ended_at=ended,
        metadata={"user_id": user_id, "channel": "chat"},
    )
    return Taken(transcript, left_out + unread(record, read, platform=source))


def _plain(value: object) -> str:
    """The words of a body that may be HTML."""
    text = text_of(value)
    if "<" not in text and "&" not in text:
        return text
    reader = _Words()
    reader.feed(text)
    reader.close()
    return re.sub(r"[^\S\n]*\n\s*", "\n", "".join(reader.words)).strip()


class _Words(HTMLParser):
    """Collects the words that a reader of the page sees, a line a block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BREAKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        if tag in _BREAKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)


def _is_chatwoot(record: Record) -> bool:
    key = "messages" if has_list(record, "messages") else "payload"
    return has_list(record, key) and any("message_type" in each for each in _dicts(record, key))


def _dicts(record: Record, key: str) -> list[Record]:
    return [mapping(each) for each in record[key]]


INTERCOM = Platform("intercom", lambda record: "conversation_parts" in record, _intercom)
ZENDESK = Platform("zendesk", lambda record: has_list(record, "comments"), _zendesk)
CHATWOOT = Platform("chatwoot", _is_chatwoot, _chatwoot)
