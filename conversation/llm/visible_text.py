"""What a model writes for the user, apart from what it writes for itself, while it streams. Pure.

Models without a parser in front of them put their reasoning between tags into the text, and calls
of tools too. Neither is said. Half a tag is held back until the rest of it has come.
"""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, cast

from conversation.llm.chat_model import Completion, RequestedTool

_THOUGHTS = ("think", "thinking", "thought", "thoughts", "reasoning")
_CALLS = ("tool_call", "function_call")
_NAMES = (*_THOUGHTS, *_CALLS)
_TAG = re.compile(rf"<(/?)\s{{0,4}}({'|'.join(_NAMES)})\s{{0,4}}>", re.IGNORECASE)
_BEGUN = re.compile(r"</?\s{0,4}([a-z_]{0,13})\s{0,4}", re.IGNORECASE)
_LONGEST_TAG = 24
_LINE_START = re.compile(r"(?:^|\n)\s*\Z")


@dataclass(slots=True)
class ReasoningHabit:
    """What is known of how a model writes its reasoning.

    The prompts of some models open it themselves, so that only its end stands in the answer. The
    first answer shows that; from then on the beginning of an answer waits for that end.
    """

    closed_by: str | None = None
    """Name of the tag that closed what no tag had opened."""


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
    """Each call of a tool that was written as text."""
    _waiting: str = ""
    """Outside of a block: what may be the beginning of a tag."""
    _last_line: str = ""
    """The end of what was let through."""
    _block: str | None = None
    """Name of the tag that is open."""
    _tag: str = ""
    """The same as it was written."""
    _inside: list[str] = field(default_factory=list[str])
    _tail: str = ""
    """The end of what stands inside."""
    _is_mention: bool = False
    """Whether the tag may be talked about: it stands within a line."""
    _is_after_block: bool = False

    def __post_init__(self) -> None:
        """Begin inside of the reasoning where the prompt opened it."""
        self._block = self.begins_within
        self._is_mention = self.begins_within is not None

    def take(self, piece: str) -> str:
        """More of the answer; returns what of it is for the user."""
        shown: list[str] = []
        while piece:
            piece = self._outside(piece, shown) if self._block is None else self._within(piece)
        return "".join(shown)

    def end(self, *, cut: bool = False) -> str:
        """The answer is complete, or cut at its limit; returns what is left for the user."""
        waiting, self._waiting = self._waiting, ""
        if self._block is None:
            return waiting
        opened_by_prompt = self.begins_within is not None and not self._tag
        if self._is_mention and self._block in _THOUGHTS and not (opened_by_prompt and cut):
            released = self._tag + "".join(self._inside)
            self._block, self._inside = None, []
            return released
        self._close("".join(self._inside))
        return ""

    def _outside(self, piece: str, shown: list[str]) -> str:
        """Let through what comes before a tag; returns what comes after it."""
        text, self._waiting = self._waiting + piece, ""
        tag = _TAG.search(text)
        if tag is None:
            begun = _begun_tag(text)
            self._let(text[:begun], shown)
            self._waiting = text[begun:]
            return ""
        before = text[: tag.start()]
        self._let(before, shown)
        if self._last_line.endswith(("`", '"', "'")):
            self._let(tag.group(), shown)  # it is quoted
        elif tag[1]:
            on_a_line = _LINE_START.search(self._last_line) and self._last_line
            if on_a_line and tag[2].casefold() in _THOUGHTS:
                self.closed_alone = tag[2].casefold()
        else:
            self._block, self._tag = tag[2].casefold(), tag.group()
            self._is_mention = _LINE_START.search(self._last_line) is None
            self._inside, self._tail = [], ""
        return text[tag.end() :]

    def _within(self, piece: str) -> str:
        """Keep what stands inside; returns what comes after the closing tag."""
        seen = self._tail + piece
        for tag in _TAG.finditer(seen):
            if tag[1] and tag[2].casefold() == self._block:
                whole = "".join(self._inside) + piece
                after = seen[tag.end() :]
                self._close(whole[: len(whole) - len(after) - len(tag.group())])
                return after
        self._inside.append(piece)
        self._tail = seen[-_LONGEST_TAG:]
        return ""

    def _close(self, inside: str) -> None:
        kept = self.calls if self._block in _CALLS else self.thinking
        if inside.strip():
            kept.append(inside.strip())
        self._block, self._inside, self._tail = None, [], ""
        self._is_after_block = True

    def _let(self, text: str, shown: list[str]) -> None:
        if self._is_after_block and (not self._last_line or self._last_line[-1].isspace()):
            text = text.lstrip()  # the space around a block is none of the text
        if text:
            self._is_after_block = False
            shown.append(text)
            self._last_line = (self._last_line + text)[-_LONGEST_TAG:]


def requested_in_text(calls: list[str]) -> tuple[RequestedTool, ...]:
    """Calls of tools that were written as JSON in the text."""
    requests: list[RequestedTool] = []
    for written in calls:
        try:
            found: object = json.loads(written)
        except (ValueError, RecursionError):
            continue
        call = cast(dict[str, Any], found if isinstance(found, dict) else {})
        inner: object = call.get("function")
        if isinstance(inner, dict):
            call = cast(dict[str, Any], inner)
        given = call.get("arguments", call.get("parameters", {}))
        name = call.get("name", inner)
        if isinstance(name, str) and name:
            text = given if isinstance(given, str) else json.dumps(given)
            requests.append(RequestedTool(name, text))
    return tuple(requests)


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
                if habit.closed_by is None or not (text.thinking or is_cut):
                    habit.closed_by = text.closed_alone
                if rest:
                    yield rest
                yield apart(piece, text, said + rest)
                return
            fresh = text.take(piece)
            said += fresh
            if fresh:
                yield fresh


def apart(completion: Completion, text: VisibleText, said: str) -> Completion:
    """The completion with what `text` found apart from `said`, the part for the user."""
    if not (text.thinking or text.calls):
        return completion
    asked = completion.requested_tools or requested_in_text(text.calls)
    return replace(
        completion,
        text=said,
        thinking="\n".join([completion.thinking, *text.thinking]).strip(),
        requested_tools=asked,
    )


def _begun_tag(text: str) -> int:
    """Where a tag begins that may go on in the next piece; the end when there is none."""
    start = text.rfind("<", max(0, len(text) - _LONGEST_TAG))
    begun = _BEGUN.fullmatch(text, start) if start >= 0 else None
    if begun is None:
        return len(text)
    word = begun[1].casefold()
    return start if any(name.startswith(word) for name in _NAMES) else len(text)
