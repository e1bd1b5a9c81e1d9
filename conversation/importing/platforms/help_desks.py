"""Conversations of help desks: Intercom, Zendesk, Chatwoot.

Documented shapes: Intercom's conversation (`source` and `conversation_parts`, both with an
`author`) and ticket (`ticket_parts`); Zendesk's comments with the ticket and its users beside them,
or the `Comment` events of its audits; Chatwoot's messages (`message_type`, `private`, `content`).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
    lines_left_out,
    mapping,
    mappings,
    text_of,
)
from conversation.importing.platforms.seen import told
from conversation.importing.roles import RecordError
from conversation.importing.times import moment

_Timed = tuple[SpokenLine, datetime | None]

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
    listed = mapping(record.get("conversation_parts")) or mapping(record.get("ticket_parts"))
    parts = mappings(listed, "conversation_parts") or mappings(listed, "ticket_parts")
    opening = mapping(record.get("source"))
    left_out: Counter[str] = Counter()
    lines: list[_Timed] = []
    for part in [opening, *parts]:
        left_out["intercom: attachments"] += _attachments(part)
        text = _plain(part.get("body"))
        name = text_of(part.get("part_type"))
        if name.startswith("note"):
            told(part)
            left_out["intercom: notes among colleagues"] += 1
        elif not text:
            told(part)
            left_out["intercom: parts without words"] += bool(name)
        else:
            side = text_of(mapping(part.get("author")).get("type"))
            of = record if part is opening else part
            at = moment(of.get("created_at"), "created_at")
            lines.append((SpokenLine(_INTERCOM_SIDES.get(side, side), text), at))
    total = listed.get("total_count")
    if isinstance(total, int) and total > len(parts):
        left_out["intercom: parts that the export does not hold"] = total - len(parts)
    contacts = mappings(mapping(record.get("contacts")), "contacts")
    user_id = id_of(contacts[0].get("external_id") or contacts[0].get("id")) if contacts else ""
    return _taken("intercom", record, place, lines, user_id=user_id, left_out=left_out)


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
    lines: list[_Timed] = []
    for comment in _comments(record, left_out):
        left_out["zendesk: attachments"] += _attachments(comment)
        if comment.get("public") is False:
            told(comment)
            left_out["zendesk: notes among colleagues"] += 1
            continue
        author = id_of(comment.get("author_id"))
        text = text_of(comment.get("plain_body")) or _plain(
            comment.get("html_body") or comment.get("body")
        )
        at = moment(comment.get("created_at"), "created_at")
        lines.append((SpokenLine(_zendesk_side(author, requester, roles, place), text), at))
    named = {line.speaker for line, _ in lines} - {"user", "agent", "bot"}
    _refuse_strangers(named, agents_are_known="agent" in {line.speaker for line, _ in lines})
    as_agent = [
        (replace(line, speaker="agent") if line.speaker in named else line, at)
        for line, at in lines
    ]
    return _taken(
        "zendesk",
        record,
        place,
        as_agent,
        user_id=requester,
        left_out=left_out,
        source_id=id_of(record.get("id")) or id_of(ticket.get("id")),
    )


def _comments(record: Record, left_out: Counter[str]) -> list[Record]:
    """The comments of a ticket, which audits hold among their other events."""
    found = mappings(record, "comments")
    for audit in mappings(record, "audits"):
        for event in mappings(audit, "events"):
            kind = text_of(event.get("type"))
            if kind not in ("Comment", "VoiceComment"):
                told(event)
                left_out["zendesk: events that are no comments"] += 1
                continue
            author = event.get("author_id") or audit.get("author_id")
            found.append({**event, "author_id": author, "created_at": audit.get("created_at")})
            told(event)
    return found


def _zendesk_side(author: str, requester: str, roles: Mapping[str, str], place: RecordPlace) -> str:
    """`user`, `agent`, or the id of somebody of whom the record does not say it."""
    if author in place.agent_speakers:
        return "agent"
    if author in place.user_speakers or (bool(requester) and author == requester):
        return "user"
    # Whoever else got a copy of the ticket is no colleague either.
    role = roles.get(author)
    if role is not None:
        return "user" if role == "end-user" else "agent"
    # Rules of the help desk write as nobody.
    return "bot" if author in ("", "-1") else author


def _refuse_strangers(unknown: set[str], *, agents_are_known: bool) -> None:
    """One writer beside the requester is the agent; of several, some may be users.

    Raises:
        RecordError: There are several, and nothing says who they are.
    """
    if len(unknown) > 1 or (unknown and agents_are_known):
        raise RecordError(
            f"it does not say who of {sorted(unknown)} works for the agent's side. Export the "
            "ticket with its `users`, or name them with `--agent-speaker` and `--user-speaker`"
        )


def _chatwoot(record: Record, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    lines: list[_Timed] = []
    for message in _chatwoot_messages(record):
        left_out["chatwoot: attachments"] += _attachments(message)
        kind = message.get("message_type")
        side = _CHATWOOT_SIDES.get(kind) if isinstance(kind, int | str) else None
        text = text_of(message.get("content"))
        if message.get("private"):
            told(message)
            left_out["chatwoot: notes among colleagues"] += 1
        elif side is None or not text:
            told(message)
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
    )


def _chatwoot_messages(record: Record) -> list[Record]:
    return mappings(record, "messages" if has_list(record, "messages") else "payload")


def _taken(
    source: str,
    record: Record,
    place: RecordPlace,
    lines: Sequence[_Timed],
    *,
    user_id: str,
    left_out: Counter[str],
    source_id: str = "",
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
    source_id = source_id or id_of(record.get("id"))
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
    unsaid = lines_left_out(source, [line for line, _ in lines], place)
    return Taken(transcript, left_out + unsaid)


def _attachments(message: Record) -> int:
    found = mappings(message, "attachments")
    told(found)
    return len(found)


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


INTERCOM = Platform(
    "intercom",
    lambda record: "conversation_parts" in record or "ticket_parts" in record,
    _intercom,
    said_twice=frozenset(
        {
            "type", "state", "open", "read", "source.type", "conversation_parts.type",
            "conversation_parts.conversation_parts.type", "ticket_parts.type",
            "ticket_parts.ticket_parts.type", "contacts.type",
        }
    ),
)  # fmt: skip
ZENDESK = Platform(
    "zendesk",
    lambda record: (
        has_list(record, "comments")
        or (has_list(record, "audits") and ("ticket" in record or "users" in record))
    ),
    _zendesk,
    # A ticket's description is its first comment, and a comment's bodies are one in three forms.
    said_twice=frozenset(
        {
            "ticket.description", "description", "comments.body", "comments.html_body",
            "comments.type", "comments.id", "created_at",
        }
    ),
)  # fmt: skip
CHATWOOT = Platform(
    "chatwoot", _is_chatwoot, _chatwoot, said_twice=frozenset({"status", "created_at"})
)
