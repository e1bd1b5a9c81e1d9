"""Zendesk tickets: comments with the ticket and its users beside them, or a ticket's audits."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from conversation.importing.lines import SpokenLine
from conversation.importing.platforms.fields import flag_at, id_at, mapping_at, moment_at, text_at
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
    has_list,
    mappings,
)
from conversation.importing.platforms.seen import glance, told, with_fields
from conversation.importing.roles import RecordError


def _read(record: Record, place: RecordPlace) -> Taken:
    ticket = mapping_at(record, "ticket") or record
    requester = id_at(ticket, "requester_id")
    roles = {id_at(user, "id"): text_at(user, "role") for user in mappings(record, "users")}
    if not requester and not roles and not place.agent_speakers:
        raise RecordError(
            "it says neither the ticket's `requester_id` nor the `role` of its `users`, so it "
            "cannot be told whose words these are. Export the ticket together with its comments, "
            "or name the `author_id` of whoever works for the agent's side with `--agent-speaker`"
        )
    left_out: Counter[str] = Counter()
    lines: list[TimedLine] = []
    for comment in _comments(record, left_out):
        left_out["zendesk: attachments"] += attachments(comment)
        if flag_at(comment, "public") is False:
            told(comment)
            left_out["zendesk: notes among colleagues"] += 1
            continue
        author = id_at(comment, "author_id")
        text = text_at(comment, "plain_body") or words_of_html(
            text_at(comment, "html_body", "body")
        )
        at = moment_at(comment, "created_at")
        lines.append((SpokenLine(_side(author, requester, roles, place), text), at))
    named = {line.speaker for line, _ in lines} - {"user", "agent", "bot"}
    agents_are_known = "agent" in {line.speaker for line, _ in lines}
    # Beside agents that were named, whoever is left is the one who asked for help.
    other = "user" if place.agent_speakers and agents_are_known and not requester else "agent"
    _refuse_strangers(named, agents_are_known=agents_are_known and other == "agent")
    told_apart = [
        (replace(line, speaker=other) if line.speaker in named else line, at) for line, at in lines
    ]
    return taken_thread(
        "zendesk",
        record,
        place,
        told_apart,
        user_id=requester,
        left_out=left_out,
        source_id=id_at(record, "id") or id_at(ticket, "id"),
    )


def _comments(record: Record, left_out: Counter[str]) -> list[Record]:
    """The comments of a ticket, which audits hold among their other events."""
    found = mappings(record, "comments")
    for audit in mappings(record, "audits"):
        for event in mappings(audit, "events"):
            if text_at(event, "type") not in ("Comment", "VoiceComment"):
                told(event)
                left_out["zendesk: events that are no comments"] += 1
                continue
            author = id_at(event, "author_id") or id_at(audit, "author_id")
            more = {"author_id": author, "created_at": audit.get("created_at")}
            found.append(with_fields(event, more))
            told(event)
    return found


def _side(author: str, requester: str, roles: Mapping[str, str], place: RecordPlace) -> str:
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


def _recognises(record: Record) -> bool:
    if has_list(record, "comments"):
        return True
    return has_list(record, "audits") and (
        glance(record, "ticket") is not None or glance(record, "users") is not None
    )


ZENDESK = Platform(
    "zendesk",
    _recognises,
    _read,
    # A ticket's description is its first comment, and a comment's bodies are one in three forms.
    said_twice=frozenset(
        {
            "ticket.description", "description", "comments.body", "comments.html_body",
            "comments.type", "comments.id", "created_at",
        }
    ),
)  # fmt: skip
