"""What a model writes for the user, apart from what it writes for itself, while it streams. Pure.

Models without a parser in front of them put their reasoning between tags into the text, and calls
of tools too. Neither is said. Half a tag is held back until the rest of it has come.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from conversation.llm.chat_model import Completion
from conversation.llm.markers import (
    LONGEST_CLOSING,
    MAY_BEGIN,
    Mark,
    after_header,
    begun_mark,
    closing_tag,
    next_mark,
)
from conversation.llm.reasoning_habit import ReasoningHabit
from conversation.llm.written_calls import requested_in_text, whole_call

_LINE_START = re.compile(r"(?:^|\n)\s*\Z")
_FENCE_LINE = re.compile(r"[ \t]{0,3}(?:```|~~~)")
_LAST_FENCE = re.compile(r"(?:^|\n)[ \t]{0,4}```[ \t]{0,4}\Z")
_LAST_CHARS = 48
_LINE_CHARS = 8
_BEGINS_CALL = re.compile(
    r"\s*(?:```(?:json)?\s*)?(?:functools)?(?:\[\s*)?"
    r"(?:\{\s*\"(?:name|type|function)\"\s*:|(?<=\[)[a-z_][\w.]{0,63}\((?:\)|[a-z_]\w{0,63}=))",
    re.IGNORECASE,
)
_MAY_BEGIN_CALL = re.compile(
    r"\s*(?:`{1,2}|(?:```[a-z]{0,4}\s*)?(?:f[unctools]{0,8})?(?:\[\s*)?"
    r"(?:\{\s*(?:\"[a-z]{0,8}\"?\s*)?|(?<=\[)[a-z_][\w.]{0,63}(?:\(\w{0,64})?)?)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class VisibleText:
    """One answer while it comes in."""

    begins_within: str | None = None
    """Name of the tag that the answer is expected to close, for its prompt opened it."""
    closed_alone: str | None = None
    """Name of a tag on a line of its own that closed what no tag had opened."""
    thinking: list[str] = field(default_factory=list[str])
    """Each stretch of reasoning."""
    calls: list[str] = field(default_factory=list[str])
    """Each call of a tool that was written as text; a name in its mark stands in the first line."""
    _waiting: str = ""
    """Outside of a block: what may be the beginning of a mark."""
    _last_line: str = ""
    """The end of what was let through."""
    _line: str = ""
    """The beginning of the line that was let through last."""
    _in_code: bool = False
    """Whether what was let through ends within a fence, where marks are text."""
    _has_begun: bool = False
    """Whether it is known that the answer is no bare call of a tool."""
    _block: Mark | None = None
    """What opened the stretch that is not let through."""
    _inside: list[str] = field(default_factory=list[str])
    _tail: str = ""
    """The end of what stands inside."""
    _is_mention: bool = False
    """Whether the mark may be talked about: it stands within a line."""
    _is_after_block: bool = False
    _unwrapped: set[str] = field(default_factory=set[str])
    """Names of tags around the whole answer that were not let through."""
    _wraps: set[str] = field(default_factory=set[str])
    """Names of such tags that were."""

    def __post_init__(self) -> None:
        """Begin inside of the reasoning where the prompt opened it."""
        if self.begins_within is not None:
            closes = closing_tag(self.begins_within)
            self._block = Mark("thought", "", 0, 0, self.begins_within, closes)
            self._is_mention = self._has_begun = True

    def take(self, piece: str) -> str:
        """More of the answer; returns what of it is for the user."""
        if not self._has_begun:
            piece, self._waiting = self._waiting + piece, ""
            if _MAY_BEGIN_CALL.fullmatch(piece) or _BEGINS_CALL.match(piece):
                self._waiting = piece
                return ""
            self._has_begun = True
        shown: list[str] = []
        while piece:
            piece = self._outside(piece, shown) if self._block is None else self._within(piece)
        return "".join(shown)

    def end(self, *, cut: bool = False) -> str:
        """The answer is complete, or cut at its limit; returns what is left for the user."""
        if not self._has_begun:
            whole, self._waiting, self._has_begun = self._waiting, "", True
            return self._end_of_bare(whole, cut=cut)
        waiting, self._waiting = self._waiting, ""
        block = self._block
        if block is None:
            return waiting
        inside = "".join(self._inside)
        if block.kind == "bare":
            self._block, self._inside = None, []
            return self._end_of_bare(block.written + inside)
        if block.kind == "header":
            self._block, self._inside = None, []
            return ""
        opened_by_prompt = self.begins_within is not None and not block.written
        is_released = block.kind == "thought" and not (opened_by_prompt and cut)
        if self._is_mention and is_released:
            self._block, self._inside = None, []
            # What follows an end that may have been the last one has marks of its own.
            return block.written + inside if block.written else self.take(inside) + self.end()
        self._close(_LAST_FENCE.sub("", inside) if block.written.startswith("`") else inside)
        return ""

    def _end_of_bare(self, text: str, *, cut: bool = False) -> str:
        """The rest of the answer is one object: a call of a tool, or JSON for the user."""
        call = whole_call(text)
        if call is not None:
            self.calls.append(call)
            return ""
        if text.startswith("\n"):  # a mark within an answer, which is none
            return text
        return self.take(text) + self.end(cut=cut)

    def _outside(self, piece: str, shown: list[str]) -> str:
        """Let through what comes before a mark; returns what comes after it."""
        text, self._waiting = self._waiting + piece, ""
        if MAY_BEGIN.search(text) is None:
            self._let(text, shown)
            return ""
        mark = next_mark(text)
        if mark is None:
            begun = begun_mark(text, after=self._last_line)
            self._let(text[:begun], shown)
            self._waiting = text[begun:]
            return ""
        self._let(text[: mark.start], shown)
        if self._is_text(mark):
            self._let(mark.written, shown)
        elif mark.kind == "wrap":
            self._unwrapped.add(mark.name)
        elif mark.kind == "close":
            on_a_line = _LINE_START.search(self._last_line) and self._last_line
            if on_a_line and mark.is_thought:
                self.closed_alone = mark.name
        else:
            self._open(mark, is_mention=_LINE_START.search(self._last_line) is None)
        return text[mark.end :]

    def _is_text(self, mark: Mark) -> bool:
        """Whether the user is told of the mark: it is quoted, or part of some code."""
        if mark.kind == "text" or self._in_code or self._last_line.endswith(("`", '"', "'")):
            return True
        if mark.kind == "wrap":
            return self._wraps_a_part(mark.name)
        return mark.written.startswith("`") and _LINE_START.search(self._last_line) is None

    def _wraps_a_part(self, name: str) -> bool:
        """Whether a tag such as `<answer>` stands around a part of the answer, not all of it."""
        if not name.startswith("/"):
            is_inside = name == "s" or bool(self._last_line.strip())
            if is_inside:
                self._wraps.add(name)
            return is_inside
        name = name[1:]
        # `<s>` is a tag of pages; only the other one ends answers.
        return name not in self._unwrapped and (name != "s" or name in self._wraps)

    def _open(self, mark: Mark, *, is_mention: bool) -> None:
        self._block, self._is_mention = mark, is_mention
        self._inside, self._tail = [], ""

    def _within(self, piece: str) -> str:
        """Keep what stands inside; returns what comes after the closing mark."""
        block = self._block
        assert block is not None  # noqa: S101  # `take` asks only then
        seen = self._tail + piece
        closing = block.closes.search(seen) if block.closes else None
        if closing is None:
            self._inside.append(piece)
            self._tail = seen[-LONGEST_CLOSING:]
            return ""
        whole, after = "".join(self._inside) + piece, seen[closing.end() :]
        inside = whole[: len(whole) - len(after) - len(closing.group())]
        if block.kind == "header":
            self._after_header(block, inside)
        else:
            self._close(inside)
        return after

    def _after_header(self, block: Mark, header: str) -> None:
        opened = after_header(
            f"assistant<|channel|>{header}" if block.name == "channel" else header
        )
        self._block, self._inside, self._tail = None, [], ""
        self._is_after_block = True
        if opened is not None:
            self._open(opened, is_mention=False)

    def _close(self, inside: str) -> None:
        block = self._block
        self._block, self._inside, self._tail = None, [], ""
        self._is_after_block = True
        if block is None or not (inside.strip() or block.head):
            return
        if block.kind == "call":
            self.calls.append(block.head + inside.strip())
            return
        self.thinking.append(inside.strip())
        if block.again and block.again.search(inside):
            # Another end may follow: till then nobody knows whether this was the last one.
            self._open(Mark("thought", "", 0, 0, block.name, block.closes), is_mention=True)

    def _let(self, text: str, shown: list[str]) -> None:
        if self._is_after_block and (not self._last_line or self._last_line[-1].isspace()):
            text = text.lstrip()  # the space around a block is none of the text
        if text:
            self._is_after_block = False
            shown.append(text)
            self._note_fences(text)
            self._last_line = (self._last_line + text)[-_LAST_CHARS:]

    def _note_fences(self, text: str) -> None:
        for number, part in enumerate(text.split("\n")):
            if number:
                self._line = ""
            was_fence = _FENCE_LINE.match(self._line)
            self._line = (self._line + part)[:_LINE_CHARS]
            if not was_fence and _FENCE_LINE.match(self._line):
                self._in_code = not self._in_code


async def visible(
    pieces: AsyncGenerator[str | Completion, None], habit: ReasoningHabit
) -> AsyncGenerator[str | Completion, None]:
    """A stream without what is not for the user; its completion holds that apart.

    Args:
        pieces: What the model writes.
        habit: What its answers before have shown; learns from this one.
    """
    text = VisibleText(begins_within=habit.closed_by)
    said = ""
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Completion):
                is_cut = piece.finish_reason == "length"
                rest = text.end(cut=is_cut)
                tells = bool(said or rest or text.thinking)
                if tells and (habit.closed_by is None or not (text.thinking or is_cut)):
                    habit.closed_by = text.closed_alone
                habit.has_answered |= tells
                if rest:
                    yield rest
                yield apart(piece, text, said + rest)
                return
            fresh = text.take(piece)
            said += fresh
            if fresh:
                yield fresh


async def learn_from_trial(
    pieces: AsyncGenerator[str | Completion, None], habit: ReasoningHabit
) -> None:
    """Read to its end what a model says that was asked for one word.

    One that goes on to its limit, in text that no mark opened, may reason.
    """
    text, said = VisibleText(), ""
    async for piece in pieces:
        if isinstance(piece, str):
            said += text.take(piece)
        elif piece.finish_reason == "length" and said.strip():
            habit.suspect()


def apart(completion: Completion, text: VisibleText, said: str) -> Completion:
    """The completion with what `text` found apart from `said`, the part for the user."""
    if not (text.thinking or text.calls or said != completion.text):
        return completion
    asked = completion.requested_tools or requested_in_text(text.calls)
    return replace(
        completion,
        text=said,
        thinking="\n".join([completion.thinking, *text.thinking]).strip(),
        requested_tools=asked,
    )
