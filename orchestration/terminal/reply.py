"""A turn of a conversation on a terminal: streamed text, cited documents, time."""

from collections.abc import Iterable

from analysis.printable import printable_lines
from conversation.transcript import Turn
from conversation.turn.events import AgentTurn, SessionEvent, TextDelta
from orchestration.terminal.progress import ProgressDisplay


def show_reply(
    name: str, events: Iterable[SessionEvent], progress: ProgressDisplay, *, note: str = "{}"
) -> Turn | None:
    """Write the turn of the agent `name` as it is produced, what it cites and what it took.

    Args:
        name: How the agent is called.
        events: Of the turn.
        progress: Writes, and counts the seconds until the first word.
        note: Format of what stands below the turn.

    Returns:
        The turn; None when the events ended without one.
    """

    def write(text: str) -> None:
        progress.say(text, end="")

    turn: Turn | None = None
    begun = False
    with progress.waiting(f"{name}: ") as waiting:
        for event in events:
            if isinstance(event, TextDelta):
                waiting.stop()
                said = printable_lines(event.text)
                write(said if begun else f"{name}: {said}")
                begun = True
            elif isinstance(event, AgentTurn):
                turn = event.turn
    if turn is not None:
        write("\n" + note.format(turn_notes(turn)) + "\n")
    return turn


def turn_notes(turn: Turn) -> str:
    """What stands below an agent's turn: cited documents, time, and what went wrong."""
    cited: dict[str, None] = {}
    for citation in turn.citations:
        place = f"page {citation.page}" if citation.page else "".join(citation.heading_path[-1:])
        cited.setdefault(printable_lines(", ".join(filter(None, (citation.document_name, place)))))
    notes = ["cites " + "; ".join(cited) if cited else "cites no document"]
    if turn.unsupported_spans and cited:
        count = len(turn.unsupported_spans)
        notes.append(f"{count} sentence{'s' * (count > 1)} without a source")
    latency = turn.latency
    if latency is not None and latency.request_to_last_token_ms is not None:
        notes.append(f"{latency.request_to_last_token_ms / 1000:.1f} s")
        if latency.request_to_first_token_ms is not None:
            notes[-1] += f" (first word {latency.request_to_first_token_ms / 1000:.1f} s)"
    if turn.error:
        notes.append(f"incomplete: {printable_lines(turn.error)}")
    return f"  [{' · '.join(notes)}]"
