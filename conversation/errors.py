"""Errors raised by conversations.

* ConversationError
  x AgentConfigError         an agent file cannot be used; says file, key and remedy
    x MissingVariableError     a `{{name}}` in its texts has no value
    x VariableValueError       a value that was given for one cannot be used
    x OverrideError            a session sets what the agent does not let it set
  x ToolError                a tool could not be used; the agent is told why
  x ModelError               a language model cannot be used or failed
    x ModelSetupError          before any work: unknown model, missing key, weights
    x ModelUnavailableError    endpoint unreachable or overloaded; trying again may help
    x ModelOutputError         the answer does not have the asked-for form
    x PromptTooLongError       the model cannot read so much at once
    x TurnLimitError           a turn took all the calls, money or time that it may
  x SpeechError              speech could not be understood or made
  x AudioError               sound is not in the form that it says it is
  x SessionEndedError        the conversation is over
  x StoreError               the conversation store cannot be used
    x UnknownConversationError
"""

from dataclasses import dataclass

from conversation.transcript import Usage


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A call that failed before another one answered."""

    model: str
    error: str
    """What went wrong, for a person; never what was said."""
    kind: str = "ModelError"
    """Name of the error's class."""
    usage: Usage | None = None
    """Estimated, when it had begun to answer; None when it cost nothing."""
    request_to_first_token_ms: float | None = None
    request_to_failure_ms: float | None = None


class ConversationError(Exception):
    """Base class, so that a caller can catch everything this package raises on purpose."""


class AgentConfigError(ConversationError):
    """An agent file cannot be used."""


class MissingVariableError(AgentConfigError):
    """A text of the agent has a `{{name}}` for which nobody gave a value."""


class VariableValueError(AgentConfigError):
    """A value that was given for a dynamic variable cannot be used.

    The message does not hold it: it may be about a person, and messages reach logs.
    """


class OverrideError(AgentConfigError):
    """A session sets something that its agent does not let it set."""


class ToolError(ConversationError):
    """A tool could not be used. The message completes "it failed: ..." for the agent.

    `from_outside` says that the message quotes whoever was called.
    """

    def __init__(self, message: str, *, from_outside: bool = False) -> None:
        super().__init__(message)
        self.from_outside = from_outside


class ModelError(ConversationError):
    """A language model cannot be used, or a call of it failed.

    `retryable` says whether trying again may help.
    """

    retryable = False
    failed_attempts: tuple[FailedAttempt, ...] = ()
    """Every call that was made, oldest first, the one that raised this included."""


class ModelSetupError(ModelError):
    """The model cannot be used as configured: unknown name, missing key, bad weights."""


class ModelUnavailableError(ModelError):
    """The model's endpoint did not answer, or was overloaded."""

    retryable = True
    retry_after_s: float | None = None
    """When the provider said how long to wait."""


class ModelOutputError(ModelError):
    """The model's answer does not have the form that was asked for."""


class PromptTooLongError(ModelError):
    """The prompt is longer than the model can read at once."""


class TurnLimitError(ModelError):
    """A turn took all the calls, money or time that its agent gives it."""


class SpeechError(ConversationError):
    """Speech could not be understood or made: the model, its weights or its provider failed."""


class UnsayableError(SpeechError):
    """A voice cannot read a text and never will: it is in the script of another language."""


class AudioError(ConversationError):
    """Sound that cannot be read or written: its format, or the file that holds it."""


class SessionEndedError(ConversationError):
    """The conversation is over; start a new session."""


class StoreError(ConversationError):
    """The conversation store cannot be used."""


class StoreUnavailableError(StoreError):
    """What is kept cannot be reached just now; the same again may work in a moment."""


class UnknownConversationError(StoreError):
    """The store holds no conversation with this id."""
