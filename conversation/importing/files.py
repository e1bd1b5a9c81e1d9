"""Finished conversations from files into the store.

YAML and JSON files hold records, `.jsonl` one a line: our own form, or those of the platforms that
`platforms.known` lists, also as webhooks and as pages of a list. `.vtt` and `.srt` hold captions,
`.csv` and `.tsv` a row a message, `.txt` lines of speakers, each perhaps packed by gzip; `.wav` and
other sound files are heard. A record that cannot be used is reported and the rest goes in; a
conversation that the store knows already is left as it is.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import yaml

from conversation.agent.models.voice_config import VoiceSection
from conversation.errors import ConversationError, SpeechError, UnknownConversationError
from conversation.importing.captions import blocks_without_times, lines_of_captions, lines_of_vtt
from conversation.importing.contents import (
    PACKED_SUFFIX,
    json_content,
    stands_in_lines,
    suffix_of,
    text_content,
    unpacked,
    unreadable,
    yaml_content,
)
from conversation.importing.lines import SpokenLine, lines_of_text, turns_of_lines, unsaid
from conversation.importing.meetings import meeting_of_text
from conversation.importing.platforms.known import is_log, left_on_page, records_of, taken
from conversation.importing.platforms.record import (
    RecordPlace,
    Taken,
    content_id,
    conversation_of,
    difference,
    storable_transcript,
)
from conversation.importing.recordings import (
    OpenHearing,
    OpenVoices,
    conversation_of_recording,
    is_recording,
    recording_id,
)
from conversation.importing.roles import RecordError
from conversation.importing.sound_files import SOUND_SUFFIXES
from conversation.importing.tables import (
    TableConversation,
    check_rows,
    conversations_of_csv,
    lines_of_rows,
)
from conversation.importing.written_dates import Order
from conversation.store.store import ConversationStore
from conversation.voice.hearing.open_hearing import Hearing, open_hearing
from conversation.voice.speakers.open_voices import open_voices

_MARKS_OF_LOGS = (
    '"type"', '"EventType"', '"eventBody"', '"message_type"', '"media_channel"', '"mediaChannel"',
)  # fmt: skip
"""Keys of events, one of which the first lines of a log hold."""
_LOOKED_AT = 5
_LOOKED_AT_BYTES = 4_096
SUFFIXES = (
    ".yaml",
    ".yml",
    ".json",
    ".jsonl",
    ".ndjson",
    ".csv",
    ".tsv",
    ".txt",
    ".vtt",
    ".srt",
    *SOUND_SUFFIXES,
)
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
    differing: list[RejectedRecord] = field(default_factory=list[RejectedRecord])
    """Those of the known ones that say something else in the store."""
    rejected: list[RejectedRecord] = field(default_factory=list[RejectedRecord])
    left_out: Counter[str] = field(default_factory=Counter[str])
    """What the records hold and the store does not, by kind, with its number."""

    def __add__(self, other: "ImportReport") -> "ImportReport":
        """Both imports as one."""
        return ImportReport(
            imported=self.imported + other.imported,
            known=self.known + other.known,
            differing=self.differing + other.differing,
            rejected=self.rejected + other.rejected,
            left_out=self.left_out + other.left_out,
        )


_Found = tuple[str, Callable[[], Taken]]
"""Where a record stands, and how it is read; that may raise `RecordError`."""


def import_path(
    path: Path | str,
    store: ConversationStore,
    agent_id: str,
    *,
    agent_speakers: Sequence[str] = (),
    user_speakers: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    date_order: Order | None = None,
    hearing: OpenHearing | None = None,
    voices: OpenVoices | None = None,
) -> ImportReport:
    """Take in every conversation of a file, or of all files of a folder.

    Args:
        path: A file with one of `SUFFIXES`, or a folder of such files.
        store: Receives the conversations.
        agent_id: Agent of conversations that name none.
        agent_speakers: Names of agents that files use, beside `Agent`, `Assistant`, ...
        user_speakers: Names of users that files use, beside `User`, `Customer`, ...
        columns: Names of columns of tables by what they mean: id, speaker, text, time, user.
        date_order: What dates of tables and texts begin with, where their other dates do not tell.
        hearing: Opens what recordings are heard with, once there is one; None for the embedded
            model, in whatever language it finds.
        voices: Opens what tells the voices of one channel apart; None for the embedded model.

    Raises:
        ImportFailedError: The path does not exist, or holds no file that can be read.
    """
    report = ImportReport()
    report.left_out += _other_files(Path(path))
    for file in _files(Path(path)):
        place = RecordPlace(
            agent_id,
            file.name.removesuffix(PACKED_SUFFIX),
            file.name,
            tuple(agent_speakers),
            tuple(user_speakers),
            tuple((columns or {}).items()),
            date_order,
        )
        if is_recording(file):
            read = partial(
                conversation_of_recording,
                file,
                place,
                hearing or _any_language,
                voices or open_voices,
            )
            _import_recording(file, read, store=store, report=report)
            continue
        try:
            for where, read in _records(file, place, report.left_out):
                _import_record(where, read, store=store, report=report)
        except (OSError, ValueError, csv.Error, yaml.YAMLError, RecursionError) as error:
            report.rejected.append(RejectedRecord(file.name, unreadable(error)))
    return report


def _any_language() -> Hearing:
    return open_hearing(VoiceSection(), languages=())


def _import_recording(
    file: Path,
    read: Callable[[], Taken],
    *,
    store: ConversationStore,
    report: ImportReport,
) -> None:
    """Hear a recording that the store does not hold; another hearing might differ in a word."""
    try:
        known = recording_id(file)
        store.transcript(known)
    except UnknownConversationError:
        try:
            _import_record(file.name, read, store=store, report=report)
        except SpeechError as error:
            report.rejected.append(RejectedRecord(file.name, str(error)))
    except OSError as error:
        report.rejected.append(RejectedRecord(file.name, unreadable(error)))
    else:
        report.known.append(known)


def _import_record(
    where: str, read: Callable[[], Taken], *, store: ConversationStore, report: ImportReport
) -> None:
    try:
        found = read()
    except RecordError as error:
        problem = f"{str(error)[:1].upper()}{str(error)[1:]}. Correct it and import the file again."
        report.rejected.append(RejectedRecord(where, problem))
        return
    conversation_id = found.transcript.conversation_id
    transcript, changed = storable_transcript(found.transcript)
    if store.import_transcript(transcript):
        report.imported.append(conversation_id)
        report.left_out += found.left_out + changed
        return
    report.known.append(conversation_id)
    problem = difference(store.transcript(conversation_id), transcript)
    if problem is not None:
        report.differing.append(RejectedRecord(where, problem))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ImportFailedError(
            f"There is nothing to import at {str(path)!r}. Name a file or a folder of files that "
            f"end in {', '.join(SUFFIXES)}."
        )
    files = sorted(file for file in path.iterdir() if suffix_of(file) in SUFFIXES)
    if not files:
        raise ImportFailedError(
            f"The folder {str(path)!r} holds no file that ends in {', '.join(SUFFIXES)}."
        )
    return files


def _other_files(path: Path) -> Counter[str]:
    """What a folder holds and nobody reads, by the ends of names; hidden files are no export."""
    if not path.is_dir():
        return Counter()
    return Counter(
        "folders in the folder" if other.is_dir() else f"files that end in {other.suffix.lower()!r}"
        for other in path.iterdir()
        if suffix_of(other) not in SUFFIXES and not other.name.startswith(".")
    )


def _records(file: Path, place: RecordPlace, left_out: Counter[str]) -> Iterator[_Found]:
    """Each record of a file with the place where it stands; counts what pages hold beside them."""
    if file.stat().st_size > MAX_FILE_BYTES:
        raise RecordError(f"it is larger than {MAX_FILE_BYTES:,} bytes; split it")
    data, suffix = unpacked(file.read_bytes(), MAX_FILE_BYTES), suffix_of(file)
    if suffix not in SUFFIXES and b"\0" in data[:_LOOKED_AT_BYTES]:
        raise RecordError(
            f"files that end in {suffix!r} are not read, and it is no text. Convert it to one that "
            f"ends in {', '.join(SUFFIXES)}"
        )
    text, lost = text_content(data)
    if lost:
        left_out[f"{suffix.lstrip('.')}: bytes that are no text"] += lost
    if suffix in (".jsonl", ".ndjson"):
        yield from _json_lines(text, place, left_out)
    elif suffix in (".json", ".yaml", ".yml"):
        try:
            content = json_content(text) if suffix == ".json" else yaml_content(text)
        except ValueError as error:
            if not stands_in_lines(text, error):
                raise
            yield from _json_lines(text, place, left_out)
            return
        left_out += left_on_page(content)
        yield from _numbered(list(records_of(content)), place)
    elif suffix in (".csv", ".tsv"):
        for one in conversations_of_csv(text, dict(place.columns)):
            where = file.name if one.key is None else f"{file.name}, conversation {one.key!r}"
            yield where, partial(_table_conversation, one, place)
    else:
        yield file.name, partial(_spoken, suffix, text, place)


def _numbered(records: Sequence[object], place: RecordPlace) -> Iterator[_Found]:
    for number, record in enumerate(records, start=1):
        where = place.where if len(records) == 1 else f"{place.where}, record {number}"
        yield where, partial(taken, record, _at(place, where))


def _json_lines(text: str, place: RecordPlace, left_out: Counter[str]) -> Iterator[_Found]:
    lines = [
        (number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()
    ]
    log = _log([line for _, line in lines])
    for number, line in lines:
        here = _at(place, f"{place.where}, line {number}")
        try:
            content = json_content(line)
            if log:
                continue
            left_out += left_on_page(content)
            records = list(records_of(content))
        except ValueError as error:
            yield here.where, partial(_refused, unreadable(error).rstrip("."))
            continue
        yield from _numbered(records, here)
    yield from _numbered(log, place)


def _log(lines: Sequence[str]) -> Sequence[object]:
    """The conversations that a log of events holds, a line each; none where it is no log.

    A line that cannot be read is not part of it; whoever asks reports it.
    """
    if not any(mark in line for line in lines[:_LOOKED_AT] for mark in _MARKS_OF_LOGS):
        return ()
    listed: list[object] = []
    for line in lines:
        with suppress(ValueError):
            listed.append(json_content(line))
    return list(records_of(listed)) if is_log(listed) else ()


def _refused(problem: str) -> Taken:
    raise RecordError(problem)


def _table_conversation(one: TableConversation, place: RecordPlace) -> Taken:
    check_rows(one)
    lines, begun = lines_of_rows(one.rows, place.date_order or one.order)
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    transcript = conversation_of(
        turns,
        source="csv",
        source_id=one.key or content_id(turns, place.file_name),
        # A number of a row or a ticket: another file has the same ones.
        scope=place.file_name if one.key else "",
        agent_id=place.agent_id,
        started_at=begun,
        metadata={"user_id": one.user_id},
    )
    return Taken(transcript, one.left_out + _unsaid("csv", lines, place))


def _spoken(suffix: str, text: str, place: RecordPlace) -> Taken:
    left_out: Counter[str] = Counter()
    lines = _spoken_lines(suffix, text, place, left_out)
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    source = suffix.lstrip(".")
    transcript = conversation_of(
        turns,
        source=source,
        source_id=content_id(turns, place.file_name),
        agent_id=place.agent_id,
        started_at=min((line.at for line in lines if line.at is not None), default=None),
    )
    left_out += _unsaid(source, lines, place)
    if suffix in (".vtt", ".srt") and (blocks := blocks_without_times(text)):
        left_out[f"{source}: blocks of words without times"] = blocks
    return Taken(transcript, left_out)


def _unsaid(source: str, lines: Sequence[SpokenLine], place: RecordPlace) -> Counter[str]:
    found = unsaid(lines, place.agent_speakers, place.user_speakers)
    return Counter({f"{source}: {what}": number for what, number in found.items()})


def _spoken_lines(
    suffix: str, text: str, place: RecordPlace, left_out: Counter[str]
) -> list[SpokenLine]:
    if suffix in (".vtt", ".srt"):
        read = lines_of_vtt if suffix == ".vtt" else lines_of_captions
        return read(text, place.agent_speakers, place.user_speakers)
    if (meeting := meeting_of_text(text)) is not None:
        left_out.update({f"txt: {what}": count for what, count in meeting.left_out.items()})
        return meeting.lines
    speakers = (place.agent_speakers, place.user_speakers)
    return lines_of_text(text, *speakers, place.date_order, left_out)


def _at(place: RecordPlace, where: str) -> RecordPlace:
    return replace(place, where=where)
