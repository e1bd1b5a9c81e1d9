"""Records as rows of small tables, the same for the terminal and the Dagster UI."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analysis.printable import counted, printable_lines
from kb.document import Document, RetrievedPassage, SyncAction, SyncReport
from orchestration.terminal.tables import Cell, text_table

if TYPE_CHECKING:
    from analysis.evaluation.tally import EvaluationRun
    from conversation.importing.files import ImportReport
    from conversation.store.store import ConversationSummary
    from conversation.transcript import Usage
    from kb.index.catalog import ChunkRow

Table = tuple[Sequence[str], Sequence[Sequence[Cell]]]
"""Headers and rows."""


def document_rows(documents: Sequence[Document], *, now: datetime) -> Table:
    """One row a document."""
    headers = ["document", "kind", "state", "version", "age", "bytes", "characters", "chunks"]
    rows = [
        [
            document.name,
            document.kind,
            document_state(document),
            document.version,
            age(document.updated_at, now=now),
            document.bytes,
            document.chars,
            document.chunk_count,
        ]
        for document in documents
    ]
    return headers, rows


def age(moment: datetime | None, *, now: datetime) -> str:
    """How long ago something was, in its largest unit: `3 days`."""
    if moment is None:
        return ""
    seconds = max(0, int((now - moment).total_seconds()))
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "just now"


def failure_rows(documents: Sequence[Document]) -> Table:
    """One row for each document that could not be read, or not be renewed."""
    headers = ["document", "kind", "reason", "what is served", "what to do"]
    rows = [
        [
            document.name,
            document.kind,
            document.reason,
            "its old version" if document.status == "ready" else "nothing",
            document.detail,
        ]
        for document in documents
        if document.reason is not None
    ]
    return headers, rows


def document_notes(documents: Sequence[Document]) -> list[str]:
    """One sentence for each document that could not be read, or not be renewed."""
    return [
        f"{document.name}: {document.detail}"
        for document in documents
        if document.detail is not None
    ]


def document_table(documents: Sequence[Document]) -> str:
    """The documents for a terminal, with what is wrong with them below."""
    table = text_table(*document_rows(documents, now=datetime.now(UTC)))
    return "\n".join([table, *(f"\n{printable_lines(note)}" for note in document_notes(documents))])


def left_out_table(document: Document) -> str:
    """What is in a document's source and not in its text, by kind, for a terminal."""
    kinds = sorted(document.left_out.items(), key=lambda counted: (-counted[1], counted[0]))
    hidden = document.hidden_chars_dropped
    note = f"\n\n{hidden:,} characters that no reader sees were dropped." if hidden else ""
    if not kinds:
        return f"Nothing of {printable_lines(document.name)} was left out by kind.{note}"
    rows = [[kind, count] for kind, count in kinds]
    return text_table(["left out", "pieces"], rows) + note


def document_state(document: Document) -> str:
    """`ready`, `failed`, or `old version` when the last attempt to renew it failed."""
    if document.status == "ready" and document.reason is not None:
        return f"old version ({document.reason})"
    if document.status == "failed":
        return f"failed ({document.reason})"
    return "ready"


def ingest_summary(report: SyncReport) -> str:
    """What an ingest did, in one sentence."""
    counts = {
        action: report.count(action)
        for action in ("added", "replaced", "unchanged", "removed", "failed")
    }
    done = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
    return (
        f"{done or 'nothing to do'}; {counted(report.chunks_embedded, 'chunk')} embedded in "
        f"{report.seconds:.1f} s; index version {report.index_version}."
    )


def plan_table(plan: SyncReport) -> str:
    """What an ingest would do to each source, for a terminal; failures are explained below."""
    rows = [[_PLANNED[row.action], row.kind, row.name, row.bytes, row.chunks] for row in plan.rows]
    table = text_table(["would", "kind", "document", "bytes", "chunks now"], rows)
    notes = [
        f"\n{printable_lines(f'{row.name}: {row.detail}')}"
        for row in plan.rows
        if row.detail is not None
    ]
    return "\n".join([table, *notes])


_PLANNED: dict[SyncAction, str] = {
    "added": "add",
    "replaced": "index again",
    "unchanged": "skip",
    "removed": "delete",
    "failed": "fail",
}


def passage_text(passage: RetrievedPassage, *, explain: bool) -> str:
    """A passage for a terminal; with `explain`, also what found it."""
    place = " > ".join(passage.section or passage.heading_path)
    page = f", page {passage.page}" if passage.page else ""
    named = f"{passage.rank}. {passage.document_name}{page}"
    lines = ["  ".join(part for part in (named, place, f"({passage.score:.4f})") if part)]
    if explain:
        lines += [f"   {label + ':':<10}{said}" for label, said in _explanation(passage)]
    lines.append(f"   {' '.join(passage.text.split())}\n")
    return "\n".join(printable_lines(line) for line in lines)


def _explanation(passage: RetrievedPassage) -> list[tuple[str, str]]:
    """Why a passage stands where it does, as labels and what they hold."""
    found_by = [
        f"{name} {rank}" + (f" ({passage.scores[name]:.3f})" if name in passage.scores else "")
        for name, rank in sorted(passage.ranks.items(), key=lambda each: each[1])
    ]
    parts = [f"{name} {value:+.3f}" for name, value in passage.parts.items()]
    lines = [
        ("found by", ", ".join(found_by) or "its name alone"),
        ("parts", f"{'  '.join(parts)}  = {sum(passage.parts.values()):.3f}" if parts else "none"),
        ("matched", " ".join(passage.matched_terms) or "no word"),
        ("offsets", f"{passage.start_char} to {passage.end_char}"),
    ]
    if passage.searched_for is not None:
        lines.insert(0, ("searched", passage.searched_for))
    return lines


def text_with_borders(text: str, chunks: Sequence[ChunkRow]) -> str:
    """A stored text with a line before each chunk; what no chunk holds is marked as such."""
    lines: list[str] = []
    at = 0
    for chunk in chunks:
        _add_gap(lines, text[at : chunk.start_char])
        page = f", page {chunk.page}" if chunk.page else ""
        place = " > ".join(chunk.heading_path)
        lines.append(
            f"--- chunk {chunk.ordinal + 1} of {len(chunks)}, "
            f"{chunk.start_char} to {chunk.end_char}{page}  {place}".rstrip()
        )
        lines.append(chunk.text)
        at = max(at, chunk.end_char)
    _add_gap(lines, text[at:])
    return "\n".join(printable_lines(line) for line in lines)


def _add_gap(lines: list[str], text: str) -> None:
    if text.strip():
        lines += ["--- in no chunk", text.strip("\n")]


def import_summary(report: ImportReport) -> str:
    """What an import did; each record that differs or was rejected has a line of its own."""
    # What reads tables is loaded by whoever has imported one.
    from conversation.importing.tables import DATES

    imported = counted(len(report.imported), "conversation")
    lines = [f"{imported} imported, {len(report.known):,} known already."]
    lines += [f"Differs {row.where}: {row.problem}" for row in report.differing]
    lines += [f"Rejected {row.where}: {row.problem}" for row in report.rejected]
    if report.left_out:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(report.left_out.items()))
        lines.append(f"Left out: {kinds}.")
        columns = [
            kind.removeprefix("csv.") for kind in sorted(report.left_out) if kind.startswith("csv.")
        ]
        dated = [name.removesuffix(DATES) for name in columns if name.endswith(DATES)]
        meant = {"time": dated, "user": [name for name in columns if not name.endswith(DATES)]}
        options = [f"{what}={names[0]}" for what, names in meant.items() if names]
        if options:
            shown = " ".join(f"--map {shlex.quote(option)}" for option in options)
            lines.append(f"Where a column means a user or a moment, say so: {shown}")
    return "\n".join(lines)


def ended_rows(conversations: Sequence[ConversationSummary]) -> Table:
    """One row a conversation, without its words."""
    headers = ["conversation", "agent", "ended (UTC)", "status", "end reason", "turns", "source"]
    rows = [
        [
            found.conversation_id,
            found.agent_id,
            f"{found.ended_at:%Y-%m-%d %H:%M}" if found.ended_at is not None else "",
            found.status,
            found.end_reason or "",
            found.turn_count,
            found.source,
        ]
        for found in conversations
    ]
    return headers, rows


def evaluation_summary(run: EvaluationRun) -> str:
    """What an evaluation run did, in one sentence."""
    parts = [f"{counted(run.evaluated, 'conversation')} judged", f"{run.cached} were judged before"]
    if run.failed:
        parts.append(f"{run.failed} could not be judged")
    if run.skipped:
        parts.append(f"{run.skipped} of agents that are not here left out")
    parts.append(counted(run.answers, "answer"))
    if run.answer_errors:
        parts.append(
            f"{counted(run.answer_errors, 'question')} without an answer, to be asked again"
        )
    if run.contradictions:
        parts.append(
            f"{counted(run.contradictions, 'verdict')} asked again for contradicting the reason "
            f"({run.undecided} did so twice and are unknown)"
        )
    if run.usage and run.cost_usd is None and run.cost_at_least_usd:
        parts.append(f"at least {run.cost_at_least_usd:.4f} USD (a judge has no known price)")
    text = f"{', '.join(parts)}; {run.elapsed_s:.0f} s."
    if run.first_error:
        text = f"{text}\nThe first question without an answer: {run.first_error}"
    if run.stopped_agents:
        return f"{text}\n{run.stopped}"
    return f"{text} {run.stopped}" if run.stopped else text


def usage_rows(usages: Sequence[Usage]) -> Table:
    """One row a model."""
    headers = ["model", "calls", "input tokens", "of these cached", "output tokens", "USD"]
    rows = [
        [
            usage.model,
            usage.calls,
            usage.input_tokens,
            usage.cached_input_tokens,
            usage.output_tokens,
            usage.cost_usd,
        ]
        for usage in usages
    ]
    return headers, rows
