"""How each model is known to write its reasoning: once for all conversations of a process.

The prompts of some models open the reasoning themselves, so that only its end stands in the answer.
Nobody can tell that from the beginning of one; so the first answers say how the later ones begin.
"""

import threading
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

USUAL_TAG = "think"


@dataclass(slots=True)
class ReasoningHabit:
    """What is known of one model. From then on the beginning of an answer waits for that end."""

    closed_by: str | None = None
    """Name of the tag that closes what no tag opened; None where answers begin at once."""
    has_answered: bool = False
    """Whether a whole answer was seen, which tells more than anything before it."""

    def suspect(self) -> None:
        """It said much when asked for two letters: its first answer may begin with reasoning."""
        if not self.has_answered:
            self.closed_by = USUAL_TAG


@runtime_checkable
class HabitualModel(Protocol):
    """A generator that shares what is known of its model."""

    @property
    def reasoning_habit(self) -> ReasoningHabit:
        """Of its model."""
        ...


_shared: dict[tuple[str, str | None], ReasoningHabit] = {}
_shared_lock = threading.Lock()


def shared_habit(model: str, *, api_base: str | None = None) -> ReasoningHabit:
    """What this process knows of the model at this address."""
    with _shared_lock:
        return _shared.setdefault((model, api_base), ReasoningHabit())


def habit_of(generator: object) -> ReasoningHabit:
    """What is known of a generator's model; nothing of one that does not say."""
    return generator.reasoning_habit if isinstance(generator, HabitualModel) else ReasoningHabit()
