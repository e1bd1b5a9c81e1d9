"""The beginnings of prompts that an engine can restore, and which of them a prompt has."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from conversation.llm.engine.prompt_state import PromptState
from conversation.llm.engine.slots import common_chars

MAX_KNOWN = 32
"""The newest are looked for; there is one for each agent."""
LEAST_SHARE = 0.5
"""Of a state's text that a prompt must begin with: less is read sooner than restored."""


class Restorable(NamedTuple):
    """What of a prompt comes back from a file."""

    state: PromptState | None
    chars: int


NOTHING = Restorable(None, 0)


class KnownStates:
    """The states of one weights file. Safe to use from any thread."""

    def __init__(self) -> None:
        self._by_text: dict[str, PromptState] = {}
        self._lock = threading.Lock()

    def add(self, state: PromptState) -> None:
        """Restore this state from now on, in place of one with the same text."""
        with self._lock:
            self._by_text.pop(state.text, None)
            self._by_text[state.text] = state
            if len(self._by_text) > MAX_KNOWN:
                del self._by_text[next(iter(self._by_text))]

    def forget(self, state: PromptState) -> None:
        """Never restore this state again."""
        with self._lock:
            if self._by_text.get(state.text) is state:
                del self._by_text[state.text]

    def best_for(self, prompt: str) -> Restorable:
        """The state that saves most reading; its end may differ, e.g. in the agent's own text.

        Args:
            prompt: As text, see `prompt_text`.
        """
        best = NOTHING
        with self._lock:
            states = list(self._by_text.values())
        for state in states:
            beginning = system_text(state.text)
            chars = common_chars(prompt, beginning)
            if chars > max(best.chars, len(beginning) * LEAST_SHARE) and state.is_there:
                best = Restorable(state, chars)
        return best


def system_text(system: str) -> str:
    """A system message that may go on, as the beginning of a prompt's text."""
    return open_text("system", system)


def open_text(role: str, content: str) -> str:
    """The last message of the beginning of a prompt: it may go on."""
    return f"{role}\x1e{content}"


def turn_text(role: str, content: str) -> str:
    """One message of a prompt as text."""
    return f"{role}\x1e{content}\x1f"


def prompt_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """A prompt as one text; prompts that begin alike have texts that do."""
    return "".join(turn_text(each["role"], each.get("content") or "") for each in messages)
