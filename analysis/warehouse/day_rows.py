"""What the stores hold of some conversations -> the rows that their days have in the warehouse."""

import gc
import logging
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TypeVar

from pydantic import ValidationError

from analysis.store.store import AnalysisStore, StoredRun
from analysis.warehouse.parquet import DaysWriter
from analysis.warehouse.rows import (
    Row,
    call_metrics_row,
    collected_value_row,
    conversation_row,
    evaluation_row,
    label_row,
    retrieval_rows,
    turn_rows,
    usage_rows,
)
from analysis.warehouse.small_rows import feedback_rows, tool_call_rows
from conversation.errors import StoreError
from conversation.store.database import batches
from conversation.store.store import ConversationEvent, ConversationStore
from conversation.transcript import Retrieval, Transcript

_T = TypeVar("_T")

logger = logging.getLogger(__name__)


def write_conversations(
    writer: DaysWriter,
    days: Mapping[str, date],
    conversations: ConversationStore,
    evaluations: AnalysisStore,
) -> list[str]:
    """Write the rows of conversations, each of the day that `days` says.

    What it costs in statements follows the conversations by the batch, whatever their days.

    Returns:
        Those whose stored rows cannot be read; the others are written.
    """
    failed: list[str] = []
    for ids in batches(list(days)):
        with _without_looking_for_cycles():
            try:
                _write_batch(writer, days, ids, conversations, evaluations, failed)
            except (StoreError, ValidationError):
                # Something of one cannot be read: it is found by taking them one by one.
                for one in ids:
                    _write_alone(writer, days, one, conversations, evaluations, failed)
    return failed


@contextmanager
def _without_looking_for_cycles() -> Generator[None]:
    """Do not look for garbage in cycles while records of one batch are made.

    A third of what reading takes went into walking over records that are all in use.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _write_alone(
    writer: DaysWriter,
    days: Mapping[str, date],
    conversation_id: str,
    conversations: ConversationStore,
    evaluations: AnalysisStore,
    failed: list[str],
) -> None:
    try:
        _write_batch(writer, days, [conversation_id], conversations, evaluations, failed)
    except (StoreError, ValidationError) as error:
        _not_exported(conversation_id, error, failed)


def _not_exported(conversation_id: str, error: Exception, failed: list[str]) -> None:
    logger.warning("%s is not exported: %s", conversation_id, type(error).__name__)
    failed.append(conversation_id)


def _write_batch(
    writer: DaysWriter,
    days: Mapping[str, date],
    ids: Sequence[str],
    conversations: ConversationStore,
    evaluations: AnalysisStore,
    failed: list[str],
) -> None:
    """Write some conversations, or none of them; those deleted since are left out."""
    found = conversations.transcripts(ids)
    said: dict[str, Transcript] = {}
    unreadable: dict[str, Exception] = {}
    for each in ids:
        transcript = found.get(each)
        if isinstance(transcript, Transcript):
            said[each] = transcript
        elif transcript is not None:
            unreadable[each] = transcript
    # All rows are made before the first is written: one that cannot be made leaves no halves.
    for table, rows in _rows_of(said, days, conversations, evaluations).items():
        writer.add(table, rows)
    for key, error in unreadable.items():
        _not_exported(key, error, failed)


def _rows_of(
    said: Mapping[str, Transcript],
    days: Mapping[str, date],
    conversations: ConversationStore,
    evaluations: AnalysisStore,
) -> dict[str, list[Row]]:
    """Rows by table, those of a conversation together and in its order."""
    known = list(said)
    retrieved = conversations.retrievals_of(known)
    runs = _grouped(evaluations.runs(known), lambda run: run.conversation_id)
    feedback = conversations.events_of(known, kind="feedback")
    rows: dict[str, list[Row]] = {}
    for key, transcript in said.items():
        made = _rows_of_one(
            transcript, days[key], runs.get(key, ()), retrieved.get(key, ()), feedback.get(key, ())
        )
        for table, of_table in made.items():
            rows.setdefault(table, []).extend(of_table)
    rows["evaluations"] = [
        evaluation_row(each, said[each.conversation_id], day=days[each.conversation_id])
        for each in evaluations.evaluations(known)
    ]
    rows["collected_values"] = [
        collected_value_row(each, said[each.conversation_id], day=days[each.conversation_id])
        for each in evaluations.collected_values(known)
    ]
    rows["labels"] = [
        label_row(label, said[label["conversation_id"]], day=days[label["conversation_id"]])
        for label in evaluations.labels(known)
    ]
    return rows


def _rows_of_one(
    transcript: Transcript,
    day: date,
    runs: Sequence[StoredRun],
    retrieved: Sequence[Retrieval],
    feedback: Sequence[ConversationEvent],
) -> dict[str, list[Row]]:
    return {
        "conversations": [conversation_row(transcript, runs, day=day)],
        "turns": turn_rows(transcript, day=day),
        "retrievals": retrieval_rows(transcript, retrieved, day=day),
        "call_metrics": [call_metrics_row(transcript, day=day)],
        "usage": usage_rows(transcript, runs, day=day),
        "tool_calls": tool_call_rows(transcript, day=day),
        "feedback": feedback_rows(transcript, feedback, day=day),
    }


def _grouped(rows: Iterable[_T], key: Callable[[_T], str]) -> dict[str, list[_T]]:
    """Return rows by their conversation, in their order."""
    by_key: dict[str, list[_T]] = {}
    for row in rows:
        by_key.setdefault(key(row), []).append(row)
    return by_key
