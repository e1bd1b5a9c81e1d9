"""Forget conversations: in every store, file and cache, with a receipt that says what was done.

Reached are the conversation store with its events, evaluations with their evidence, labels, topics
and gaps, recordings, the Parquet files, the published file, and exports that were written here.
"""

import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from analysis.reports import open_reports
from analysis.store.forgetting import (
    conversations_of_user,
    forget_conversations,
    said_by_others,
    with_replays,
)
from analysis.warehouse.finding_rows import export_findings
from analysis.warehouse.lake import tidy
from conversation.errors import UnknownConversationError
from conversation.store.listing.compacting import compact
from conversation.transcript import Transcript
from conversation.voice.recording.kept_calls import FOLDER
from orchestration.deployment import Deployment
from orchestration.errors import ForgettingError
from orchestration.operations.exports import refresh_exports
from orchestration.operations.operations import export_days, outdated_days, publish_reports

_LONG_ENOUGH_TO_SEARCH = 16
_PIECE_BYTES = 2**20
_NOT_SEARCHED = ("kb", "bench", "weights")
"""Folders of the store that hold documents and models, never what users said."""


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One place that was reached."""

    place: str
    count: int
    what: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was forgotten, where, and what could not be."""

    conversation_ids: tuple[str, ...]
    forgotten_at: datetime
    lines: tuple[ReceiptLine, ...]
    files_searched: int
    """Files below the store that were searched for the words afterwards."""
    not_reached: tuple[str, ...]
    """Places that may still hold something, and what to do about it."""


def forget(
    deployment: Deployment,
    *,
    now: datetime,
    conversation_id: str | None = None,
    user_id: str | None = None,
) -> Receipt:
    """Delete one conversation, or all of one user, everywhere.

    A user is known by `user_id` in the metadata of a conversation.

    Raises:
        ForgettingError: Nothing is known by that id, or a conversation is still being held.
    """
    ids = _found(deployment, conversation_id, user_id)
    open_ones = [
        found for found in ids if deployment.conversations.transcript(found).status == "in_progress"
    ]
    if open_ones:
        raise ForgettingError(
            f"{', '.join(map(repr, open_ones))} is still being held. End it first: what is said "
            "afterwards would be stored again."
        )
    return forget_ids(deployment, ids, now=now)


def forget_ids(deployment: Deployment, ids: Sequence[str], *, now: datetime) -> Receipt:
    """Delete conversations that ended, and replays of them, everywhere."""
    engine = deployment.evaluations.engine
    ids = with_replays(engine, ids)
    said = [deployment.conversations.transcript(found) for found in ids]
    words = _words(deployment, said)
    deleted = forget_conversations(engine, ids)
    lines = [ReceiptLine(f"database, {name}", count, "rows") for name, count in deleted.items()]
    lines.append(ReceiptLine("recordings", delete_recordings(deployment, ids), "files"))
    days, published = refresh_reports(deployment)
    lines += tidy_lake(deployment)
    lines.append(ReceiptLine("Parquet files", days, "days written anew"))
    lines.append(ReceiptLine("published file", int(published), "file published anew"))
    written, failed = refresh_exports(deployment, now=now)
    lines.append(ReceiptLine("exports", len(written), "files written anew"))
    problem = compact(engine)
    if published and _published(deployment, ids):
        failed = [*failed, f"{deployment.reports_file} (still names it)"]
    searched, found_in = files_that_say(deployment, words, days=_days(said))
    return Receipt(
        conversation_ids=tuple(ids),
        forgotten_at=now,
        lines=tuple(lines),
        files_searched=searched,
        not_reached=tuple(_not_reached(deployment, said, failed, found_in, problem)),
    )


def delete_recordings(deployment: Deployment, ids: Sequence[str]) -> int:
    """Delete the sound of these conversations. Returns the number of files."""
    count = 0
    for path in recordings_of(deployment, ids):
        if path.is_dir():
            count += sum(each.is_file() for each in path.rglob("*"))
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
            count += 1
    if deployment.settings.recordings_url is not None:
        count += sum(map(deployment.recordings.delete, ids))
    return count


def recordings_of(deployment: Deployment, ids: Sequence[str]) -> list[Path]:
    """Files and folders with the sound of these conversations: `recordings/<id>*`."""
    folder = deployment.settings.store / FOLDER
    if not folder.is_dir():
        return []
    wanted = frozenset(ids)
    return sorted(
        path
        for path in folder.rglob("*")
        if path.name in wanted or (path.is_file() and path.name.split(".", 1)[0] in wanted)
    )


def refresh_reports(deployment: Deployment) -> tuple[int, bool]:
    """Write every outdated day anew and publish, where anything was exported or published.

    Returns:
        Days that were written, and whether the reports were published.
    """
    days = len(outdated_days(deployment))
    if deployment.reports_file.exists():
        publish_reports(deployment)
        return days, True
    if deployment.warehouse_dir.exists():
        export_days(deployment, outdated_days(deployment))
        export_findings(deployment.warehouse_dir, deployment.evaluations)
        return days, False
    return 0, False


def tidy_lake(deployment: Deployment) -> list[ReceiptLine]:
    """Delete what the lake keeps of its past, where there is one."""
    if deployment.lake is None:
        return []
    tidy(deployment.lake)
    return [ReceiptLine("lake", 1, "old snapshots and their files deleted")]


def _published(deployment: Deployment, ids: Sequence[str]) -> int:
    """How many of the conversations the published file holds."""
    with open_reports(deployment.reports_file) as connection:
        found = connection.execute(
            "SELECT count(*) FROM turns WHERE list_contains($1, conversation_id)", [list(ids)]
        ).fetchone()
    return int(found[0]) if found else 0


def _words(deployment: Deployment, said: Sequence[Transcript]) -> set[str]:
    """What users said in these conversations and wrote about them, where it is long enough."""
    texts = [turn.text for each in said for turn in each.turns if turn.role == "user"]
    for each in said:
        feedback = deployment.conversations.events(each.conversation_id, kind="feedback")
        texts += [str(event.payload.get("comment", "")) for event in feedback]
    return {text.strip() for text in texts if len(text.strip()) >= _LONG_ENOUGH_TO_SEARCH}


def files_that_say(
    deployment: Deployment, words: Collection[str], *, days: Collection[date]
) -> tuple[int, list[str]]:
    """Search files below the store for words of users that nobody else says.

    Of the Parquet files those of `days`, which were written anew: no other day ever held them.

    Returns:
        How many files were searched, and in which of them something was found.
    """
    store = deployment.settings.store
    own = {f"day={day}" for day in days}
    files = [
        path
        for path in store.rglob("*")
        if path.relative_to(store).parts[0] not in _NOT_SEARCHED
        and not (path.parent.name.startswith("day=") and path.parent.name not in own)
        and path.is_file()
    ]
    found = {path: _said_in(path, words) for path in files}
    others = said_by_others(deployment.conversations.engine, set().union(*found.values()))
    return len(files), [str(path) for path in files if found[path] - others]


def _days(said: Iterable[Transcript]) -> set[date]:
    return {each.ended_at.astimezone(UTC).date() for each in said if each.ended_at is not None}


def _said_in(path: Path, words: Collection[str]) -> set[str]:
    """Which of the words stand in a file, however large it is: it is read piece by piece."""
    encoded = {word: word.encode() for word in words}
    overlap = max(map(len, encoded.values()), default=1) - 1
    found: set[str] = set()
    before = b""
    try:
        with path.open("rb") as file:
            while encoded and (piece := file.read(_PIECE_BYTES)):
                content = before + piece
                found |= {word for word, said in encoded.items() if said in content}
                before = content[-overlap:] if overlap else b""
    except OSError:
        pass  # gone, or not ours to read: what was found so far counts
    return found


def _found(deployment: Deployment, conversation_id: str | None, user_id: str | None) -> list[str]:
    if (conversation_id is None) == (user_id is None):
        raise ForgettingError("Say whom to forget: either a conversation or a user, not both.")
    if user_id is not None:
        ids = conversations_of_user(deployment.conversations.engine, user_id)
        if not ids:
            raise ForgettingError(
                f"No conversation names the user {user_id!r}. A user is known by `user_id` in the "
                'metadata of a conversation: `vivavoce sql "select conversation_id, '
                'metadata from conversations"` shows them.'
            )
        return ids
    wanted = str(conversation_id)
    try:
        deployment.conversations.transcript(wanted)
    except UnknownConversationError as error:
        raise ForgettingError(
            f"The store holds no conversation {wanted!r}, so there is nothing to forget. "
            '`vivavoce sql "select conversation_id from conversations"` lists them.'
        ) from error
    return [wanted]


def _not_reached(
    deployment: Deployment,
    said: Sequence[Transcript],
    failed_exports: Sequence[str],
    found_in: Sequence[str],
    problem: str | None,
) -> list[str]:
    lines = [f"export {each}: delete it by hand" for each in failed_exports]
    lines += [f"{each} still holds words of it: delete it by hand" for each in found_in]
    if problem is not None:
        lines.append(f"{problem}. Run `vivavoce retention` when nothing else is running.")
    if sources := sorted({each.source for each in said if each.source != "session"}):
        lines.append(f"files that it was imported from ({', '.join(sources)})")
    lines.append("backups and copies that were made outside of Viva Voce")
    lines.append("what a hosted language model was sent: ask its provider")
    if deployment.settings.dagster_instance_dir.exists():
        lines.append("ids and counts, without words, in the log of Dagster runs")
    return lines
