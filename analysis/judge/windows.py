"""The transcript as a judge sees it: numbered lines of data, cut to what the judge can read. Pure.

Sizes are estimated tokens, because a judge's room is counted in them: a Chinese conversation takes
three times the room of an English one with as many characters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from analysis.shown.tools import tool_lines
from analysis.shown.withholding import without_words_to_judge
from conversation.language.tokens import estimated_tokens
from conversation.transcript import Turn

DEFAULT_CONTEXT_TOKENS = 4_096
"""Of a judge that does not say how much it reads at once."""
_LEAST_ROOM_TOKENS = 760
_MOST_ROOM_TOKENS = 8_000
"""Left for the rules, the question and its answer."""
_SAFE_SHARE = 0.75
"""Of what remains: tokens are estimated, and digits and names take more than prose."""
LEAST_WINDOW_TOKENS = 250
WINDOW_OVERLAP_TURNS = 4
_OVERLAP_SHARE = 0.25
"""Of a window, what it may repeat of the one before."""


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive turns that fit one prompt, rendered."""

    first_turn: int
    last_turn: int
    """Inclusive."""
    text: str
    is_whole: bool
    """Whether it is the complete conversation."""
    has_tools: bool = False
    """Whether it shows uses of tools."""


@dataclass(frozen=True, slots=True)
class _Line:
    turn_index: int
    text: str
    size: int
    """With its line break."""
    is_tool: bool = False


def escape_tags(text: str) -> str:
    """Make `text` unable to open or close a tag of the prompt, or to begin a line of its own."""
    return " ".join(text.replace("<", "&lt;").split())


def turn_line(index: int, turn: Turn) -> str:
    """Render what was said in one turn; what a user says to the judge is withheld."""
    return f"[{index}] {turn.role}: {_shown(turn)}{_cut_off(turn)}"


def shown_chars(turns: Sequence[Turn]) -> int:
    """Return the length of what was said, and of what is shown of tools."""
    return sum(len(turn.text) + sum(map(len, tool_lines(turn.tool_calls))) for turn in turns)


def window_tokens(context_tokens: int | None) -> int:
    """Return how many tokens of transcript fit a judge that reads so many at once.

    Args:
        context_tokens: Prompt and answer together; None takes `DEFAULT_CONTEXT_TOKENS`.
    """
    context = context_tokens or DEFAULT_CONTEXT_TOKENS
    room = min(max(_LEAST_ROOM_TOKENS, context // 8), _MOST_ROOM_TOKENS)
    return max(LEAST_WINDOW_TOKENS, int((context - room) * _SAFE_SHARE))


def transcript_windows(
    turns: Sequence[Turn],
    *,
    max_tokens: int | None = None,
    overlap_turns: int = WINDOW_OVERLAP_TURNS,
    size_of: Callable[[str], int] = estimated_tokens,
) -> list[Window]:
    """Cut a transcript into windows of at most `max_tokens`; one that fits stays whole.

    Each repeats up to `overlap_turns` turns of the one before, but no more than a quarter of a
    window. Together the windows hold every word of every turn: one that is longer than a window is
    shown in parts, each of which repeats a little of the one before.

    Args:
        turns: The conversation.
        max_tokens: Of one window; None takes what fits a judge that says nothing of itself.
        overlap_turns: How many turns are repeated at most.
        size_of: Tokens of a text, about.
    """
    limit = window_tokens(None) if max_tokens is None else max_tokens
    lines = [line for index, turn in enumerate(turns) for line in _lines(index, turn, size_of)]
    if sum(line.size for line in lines) > limit + 1:
        lines = [piece for line in lines for piece in _pieces(line, limit, size_of)]
    sizes = [0, *accumulate(line.size for line in lines)]
    windows: list[Window] = []
    start = covered = 0
    while covered < len(lines):
        end = start + 1
        while end < len(lines) and sizes[end + 1] - sizes[start] - 1 <= limit:
            end += 1
        shown = lines[start:end]
        windows.append(
            Window(
                shown[0].turn_index,
                shown[-1].turn_index,
                "\n".join(line.text for line in shown),
                start == 0 and end == len(lines),
                any(line.is_tool for line in shown),
            )
        )
        covered = end
        start = _next_start(lines, sizes, (start, end), overlap_turns, limit)
    return windows


def _next_start(
    lines: Sequence[_Line],
    sizes: Sequence[int],
    shown: tuple[int, int],
    overlap_turns: int,
    limit: int,
) -> int:
    """Return the first line of the next window: some turns back, as far as room allows."""
    first, end = shown
    if end >= len(lines):
        return end
    earliest = lines[end - 1].turn_index - overlap_turns + 1
    start = end
    while (
        start - 1 > first
        and lines[start - 1].turn_index >= earliest
        and sizes[end] - sizes[start - 1] <= limit * _OVERLAP_SHARE
        and sizes[end + 1] - sizes[start - 1] - 1 <= limit
    ):
        start -= 1
    return start


def _lines(index: int, turn: Turn, size_of: Callable[[str], int]) -> Iterator[_Line]:
    for text in tool_lines(turn.tool_calls):
        shown = f"[{index}] tool: {escape_tags(text)}"
        yield _Line(index, shown, size_of(shown) + 1, is_tool=True)
    shown = turn_line(index, turn)
    yield _Line(index, shown, size_of(shown) + 1)


def _pieces(line: _Line, limit: int, size_of: Callable[[str], int]) -> Iterator[_Line]:
    """Yield the line, or the parts it is shown in when it does not fit a window."""
    if line.size - 1 <= limit:
        yield line
        return
    head, _, said = line.text.partition(": ")
    label = f"{head} (part 999 of 999): "
    step = max(1, _chars_that_fit(said, limit - size_of(label), size_of))
    ends = list(_part_ends(said, step))
    for number, (start, end) in enumerate(ends, start=1):
        text = f"{head} (part {number} of {len(ends)}): {said[start:end].strip()}"
        yield _Line(line.turn_index, text, size_of(text) + 1, line.is_tool)


def _part_ends(said: str, step: int) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of parts of at most `step` characters that overlap a little, at spaces."""
    overlap = min(300, step // 8)
    start = 0
    while True:
        end = min(len(said), start + step)
        if end < len(said):
            space = said.rfind(" ", start + step // 2, end)
            end = space if space > 0 else end
        yield start, end
        if end >= len(said):
            return
        back = max(start + 1, end - overlap)
        space = said.find(" ", back, end)
        start = space + 1 if 0 < space + 1 < end else back


def _chars_that_fit(text: str, limit: int, size_of: Callable[[str], int]) -> int:
    """Return how many characters of `text` fit, wherever a part begins: by its densest stretch."""
    stretch = 2_000
    densest = max(
        size_of(text[at : at + stretch]) / len(text[at : at + stretch])
        for at in range(0, len(text), stretch)
    )
    return int(max(1, limit - 1) / max(densest, 0.01)) - 1


def _shown(turn: Turn) -> str:
    return escape_tags(without_words_to_judge(turn.text) if turn.role == "user" else turn.text)


def _cut_off(turn: Turn) -> str:
    return " (interrupted)" if turn.interrupted else ""
