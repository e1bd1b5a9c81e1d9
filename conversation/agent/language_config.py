"""Sections of an agent file about what can differ from one session to the next."""

from pydantic import BaseModel, ConfigDict


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


OWN_SENTENCES = ("failure_message", "not_known_message")
"""Sentences that an agent says by itself, each in the language that is spoken."""


class LanguageSection(_Section):
    """What is different in another language; what is left out stays as it is."""

    first_message: str | None = None
    system_prompt: str | None = None
    failure_message: str | None = None
    """None takes a sentence of this language, not the one that the agent has for its own."""
    not_known_message: str | None = None
    """Likewise."""


class OverridesSection(_Section):
    """What a session may set for itself. Nothing, unless the agent says so."""

    first_message: bool = False
    system_prompt: bool = False
    language: bool = False
    """One of the agent's own languages."""
    temperature: bool = False
    max_output_tokens: bool = False
    text_only: bool = False
    voice_id: bool = False
    speed: bool = False
    llm: tuple[str, ...] = ()
    """Model strings that a session may choose from instead of the agent's."""
