"""Finished conversations from files into the store.

YAML and JSON files hold one conversation or a list of them, `.jsonl` one a line: our own form, or
exports of ElevenLabs, Vapi, Retell and OpenAI chats (`import_records`). `.vtt`, `.csv` and `.txt`
hold lines of speakers (`import_text`). A record that cannot be used is reported and the rest goes
in; a conversation that the store knows already is left as it is.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import yaml

from conversation.errors import ConversationError
from conversation.importing.lines import (
    CSVRow,
    lines_of_rows,
    lines_of_text,
    lines_of_vtt,
    rows_of_csv,
    turns_of_lines,
)
from conversation.importing.records import content_id, imported, transcript_of
from conversation.importing.roles import RecordError
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript

SUFFIXES = (".yaml", ".yml", ".json", ".jsonl", ".csv", ".txt", ".vtt")
MAX_FILE_BYTES = 256 * 2**20


class ImportFailedError(ConversationError):
    """There is nothing to import at the path that was given."""


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that did not go in."""

    where: str
    """File, and position in it where it holds several records."""
    problem: str
    """What is wrong and what to do, for a person."""


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    imported: list[str] = field(default_factory=list[str])
    """Ids of conversations that are new in the store."""
    known: list[str] = field(default_factory=list[str])
    """Ids of those that were there already; they were left as they are."""
    rejected: list[RejectedRecord] = field(default_factory=list[RejectedRecord])


_Found = tuple[str, Callable[[], Transcript]]
"""Where a record stands, and how it becomes a transcript; that may raise `RecordError`."""


def import_path(
    path: Path | str,
    store: ConversationStore,
    agent_id: str,
    *,
    agent_speakers: Sequence[str] = (),
) -> ImportReport:
    """Take in every conversation of a file, or of all files of a folder.

    Args:
        path: A file with one of `SUFFIXES`, or a folder of such files.
        store: Receives the conversations.
        agent_id: Agent of conversations that name none.
        agent_speakers: Names of agents that text files use, beside `Agent`, `Assistant`, ...

    Raises:
        ImportFailedError: The path does not exist, or holds no file that can be read.
    """
    report = ImportReport()
    for file in _files(Path(path)):
        try:
            for where, read in _records(file, agent_id, agent_speakers):
                _import_record(where, read, store=store, report=report)
        except (OSError, ValueError, csv.Error, yaml.YAMLError, RecursionError) as error:
            report.rejected.append(RejectedRecord(file.name, _unreadable(error)))
    return report


def _import_record(
    where: str, read: Callable[[], Transcript], *, store: ConversationStore, report: ImportReport
) -> None:
    try:
        transcript = read()
    except RecordError as error:
        problem = f"{str(error)[:1].upper()}{str(error)[1:]}. Correct it and import the file again."
        report.rejected.append(RejectedRecord(where, problem))
        return
    is_new = store.import_transcript(transcript)
    (report.imported if is_new else report.known).append(transcript.conversation_id)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ImportFailedError(
            f"There is nothing to import at {str(path)!r}. Name a file or a folder of files that "
            f"end in {', '.join(SUFFIXES)}."
        )
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise ImportFailedError(
            f"The folder {str(path)!r} holds no file that ends in {', '.join(SUFFIXES)}."
        )
    return files


def _records(file: Path, agent_id: str, agent_speakers: Sequence[str]) -> Iterator[_Found]:
    """Each record of a file with the place where it stands."""
    if file.stat().st_size > MAX_FILE_BYTES:
        raise RecordError(f"it is larger than {MAX_FILE_BYTES:,} bytes; split it")
    text = file.read_text(encoding="utf-8-sig")
    suffix = file.suffix.lower()
    if suffix == ".jsonl":
        yield from _json_lines(file, text, agent_id=agent_id)
    elif suffix in (".json", ".yaml", ".yml"):
        content: object = json.loads(text) if suffix == ".json" else yaml.safe_load(text)
        yield from _json_records(file, content, agent_id=agent_id)
    elif suffix == ".csv":
        yield from _csv_records(file, text, agent_id=agent_id, agent_speakers=agent_speakers)
    else:

        def read() -> Transcript:
            lines = lines_of_vtt(text) if suffix == ".vtt" else lines_of_text(text)
            turns = turns_of_lines(lines, agent_speakers)
            source_id = content_id(turns, file.name)
            return imported(
                turns, source=suffix.lstrip("."), source_id=source_id, agent_id=agent_id
            )

        yield file.name, read


def _json_records(file: Path, content: object, *, agent_id: str) -> Iterator[_Found]:
    records: list[object] = [content]
    if isinstance(content, list):
        records = cast(list[object], content)
    if records and all(_is_message(record) for record in records):
        # A bare list of chat messages is one conversation.
        records = [content]
    for number, record in enumerate(records, start=1):
        where = file.name if len(records) == 1 else f"{file.name}, record {number}"
        yield where, _reader(record, agent_id, where)


def _json_lines(file: Path, text: str, *, agent_id: str) -> Iterator[_Found]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{file.name}, line {number}"
            yield where, _line_reader(line, agent_id, where)


def _csv_records(
    file: Path, text: str, *, agent_id: str, agent_speakers: Sequence[str]
) -> Iterator[_Found]:
    for key, rows in rows_of_csv(text):
        where = file.name if key is None else f"{file.name}, conversation {key!r}"

        def read(key: str | None = key, rows: list[CSVRow] = rows) -> Transcript:
            turns = turns_of_lines(lines_of_rows(rows), agent_speakers)
            source_id = key or content_id(turns, file.name)
            return imported(turns, source="csv", source_id=source_id, agent_id=agent_id)

        yield where, read


def _reader(record: object, agent_id: str, where: str) -> Callable[[], Transcript]:
    return lambda: transcript_of(record, agent_id, where=where)


def _line_reader(line: str, agent_id: str, where: str) -> Callable[[], Transcript]:
    def read() -> Transcript:
        try:
            record: object = json.loads(line)
        except ValueError as error:
            raise RecordError(_unreadable(error)) from error
        return transcript_of(record, agent_id, where=where)

    return read


def _is_message(record: object) -> bool:
    return isinstance(record, dict) and "role" in record and "content" in record


def _unreadable(error: Exception) -> str:
    if isinstance(error, RecordError):
        return f"The file cannot be used: {error}."
    # The first line only: a YAML error goes on with an excerpt, and with it what was said.
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"It cannot be read ({type(error).__name__}: {reason}). Save it as UTF-8 text."
