"""The transcript as a judge sees it: numbered lines of data, cut to what fits one prompt. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.judge.withholding import without_words_to_judge
from conversation.transcript import Turn

WINDOW_CHARS = 10_000
"""Of the transcript in one prompt: about 3,000 tokens, which leaves the question its room in a
context of 4,096. A longer conversation is judged in windows."""
WINDOW_OVERLAP_TURNS = 4


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive turns that fit one prompt, rendered."""

    first_turn: int
    last_turn: int
    """Inclusive."""
    text: str
    is_whole: bool
    """Whether it is the complete conversation."""


def escape_tags(text: str) -> str:
    """Make `text` unable to open or close a tag of the prompt, or to begin a line of its own."""
    return " ".join(text.replace("<", "&lt;").split())


def turn_line(index: int, turn: Turn) -> str:
    """Render one turn as the judge sees it; what a user says to the judge is withheld."""
    cut = " (interrupted)" if turn.interrupted else ""
    said = without_words_to_judge(turn.text) if turn.role == "user" else turn.text
    return f"[{index}] {turn.role}: {escape_tags(said)}{cut}"


def transcript_windows(
    turns: Sequence[Turn],
    *,
    max_chars: int = WINDOW_CHARS,
    overlap_turns: int = WINDOW_OVERLAP_TURNS,
) -> list[Window]:
    """Cut a transcript into windows of at most `max_chars`.

    Each repeats up to `overlap_turns` turns of the one before, but no more than a quarter of a
    window. Together the windows hold every turn. A single turn that is longer than a window is
    shown with its middle left out; its evidence is checked against the full turn all the same.
    """
    lines = [_shortened(turn_line(index, turn), max_chars) for index, turn in enumerate(turns)]
    windows: list[Window] = []
    start = covered = 0
    while covered < len(lines):
        end = start + 1
        while end < len(lines) and _size(lines[start : end + 1]) <= max_chars:
            end += 1
        is_whole = start == 0 and end == len(lines)
        windows.append(Window(start, end - 1, "\n".join(lines[start:end]), is_whole))
        covered = end
        start = max(end - overlap_turns, start + 1)
        while start < end < len(lines) and not _leaves_room(lines, start, end, max_chars):
            start += 1
    return windows


def _leaves_room(lines: Sequence[str], start: int, end: int, max_chars: int) -> bool:
    """Whether the repeated lines are at most a quarter of a window and the next line fits."""
    repeated, with_next = _size(lines[start:end]), _size(lines[start : end + 1])
    return repeated <= max_chars // 4 and with_next <= max_chars


def _size(lines: Sequence[str]) -> int:
    return sum(map(len, lines)) + len(lines) - 1


def _shortened(line: str, max_chars: int) -> str:
    if len(line) <= max_chars:
        return line
    half = (max_chars - 5) // 2
    return f"{line[:half]} ... {line[-half:]}"
