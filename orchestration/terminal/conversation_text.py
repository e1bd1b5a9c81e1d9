"""A kept conversation as text: turns with timings and passages, then what judges found."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from analysis.printable import printable_lines
from analysis.results import AnalysisResult, CollectedValue, Evaluation
from analysis.warehouse.rows import value_text
from conversation.transcript import Retrieval, Transcript, Turn
from orchestration.terminal.reply import turn_notes

_PASSAGE_CHARS = 160


def conversation_as_text(
    transcript: Transcript, retrievals: Sequence[Retrieval], findings: AnalysisResult
) -> str:
    """Everything that is kept about a conversation, for a terminal."""
    lines = [
        *_heading(transcript),
        *_turns(transcript, retrievals),
        *_verdicts(findings.evaluations),
        *_values(findings.collected),
    ]
    if findings.summary:
        lines += ["", f"summary: {findings.summary}"]
    if not (findings.evaluations or findings.collected):
        lines += ["", "Nothing was found by judges yet: `vivavoce evaluate` asks them."]
    return "\n".join(map(printable_lines, lines))


def _heading(transcript: Transcript) -> Iterator[str]:
    yield f"{transcript.conversation_id}, agent {transcript.agent_id}, {transcript.status}"
    started, ended = transcript.started_at, transcript.ended_at
    if started is not None:
        lasted = "" if ended is None else f", {(ended - started).total_seconds():.0f} s"
        yield f"started {started:%Y-%m-%d %H:%M:%S} UTC{lasted}, from {transcript.source}"
    if transcript.end_reason:
        yield f"ended because: {transcript.end_reason}"
    for name, value in sorted(transcript.metadata.items()):
        yield f"{name}: {value}"


def _turns(transcript: Transcript, retrievals: Sequence[Retrieval]) -> Iterator[str]:
    found: dict[str, list[Retrieval]] = defaultdict(list)
    for retrieval in retrievals:
        found[retrieval.turn_id].append(retrieval)
    for number, turn in enumerate(transcript.turns):
        yield ""
        cut = " (interrupted)" if turn.interrupted else ""
        yield f"[{number}] {turn.role}{cut}: {turn.text}"
        if turn.role == "agent":
            yield turn_notes(turn)
        yield from _tools(turn)
        for passage in found.get(turn.turn_id or "", ()):
            text = " ".join(passage.text.split())
            cut = text if len(text) <= _PASSAGE_CHARS else f"{text[:_PASSAGE_CHARS]}..."
            place = f", page {passage.page}" if passage.page else ""
            yield f"    {passage.rank}. {passage.document_name}{place} ({passage.score:.2f}): {cut}"


def _tools(turn: Turn) -> Iterator[str]:
    for call in turn.tool_calls:
        outcome = "failed" if call.is_error else "done"
        yield f"    tool {call.tool_name}, {outcome}: {call.result or ''}".rstrip(": ")


def _verdicts(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    if evaluations:
        yield ""
    for each in sorted(evaluations, key=lambda found: found.criterion_id):
        answer = each.verdict if each.score is None else f"{each.score:g}"
        yield f"{each.criterion_id} = {answer or 'no answer'} ({each.judge_model})"
        if each.error or each.rationale:
            yield f"    {each.error or each.rationale}"
        elif each.verdict is not None:
            yield "    no reason was written; `vivavoce why --ask` asks the judge for one"
        for quote in each.evidence:
            yield f'    turn {quote.turn_index}: "{quote.quote}"'


def _values(values: Sequence[CollectedValue]) -> Iterator[str]:
    if values:
        yield ""
    for each in sorted(values, key=lambda found: found.field_id):
        value = value_text(each.value)
        yield f"{each.field_id} = {'nothing' if value is None else value} ({each.status})"
