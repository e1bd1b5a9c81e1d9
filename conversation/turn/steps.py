"""What a turn may need done: the steps that a plan is made of."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.llm.chat_model import ChatMessage, ChatModel, CompletionOptions
from conversation.tools.toolbox import Toolbox
from conversation.transcript import ToolCall
from conversation.turn.events import SessionEvent


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell whoever follows the turn."""

    event: SessionEvent


@dataclass(frozen=True, slots=True)
class CallModel:
    """Call the model. What comes back is its `Completion`, or None when the turn is over."""

    model: ChatModel
    messages: Sequence[ChatMessage]
    options: CompletionOptions
    is_heard: bool
    """Whether its text is the agent's answer."""
    check: AnswerCheck | None = None
    """What its text is compared with before it is said; None says it as it comes."""


@dataclass(frozen=True, slots=True)
class Use:
    """Run a tool. What comes back is the call with its result."""

    tools: Toolbox
    call: ToolCall


@dataclass(frozen=True, slots=True)
class Work:
    """Call a function that may take its time. What comes back is what it returns."""

    function: Callable[[], object]


Step = Emit | CallModel | Use | Work
Steps = Generator[Step, Any, None]
