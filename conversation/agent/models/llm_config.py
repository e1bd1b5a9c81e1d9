"""Which model speaks, and how."""

from pydantic import (
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    field_validator,
)

from conversation.agent.models.reached_model import ReachedModel

EXTRACTIVE = "embedded/extractive"
"""Model string that stands for no model: it quotes documents."""
DEFAULT_LLM = "embedded/qwen2.5-coder-1.5b-instruct"


class FallbackLLM(ReachedModel):
    """A model that answers when the one before it cannot, with its own endpoint and key."""


class LLMConfig(ReachedModel):
    """Which model speaks, and how."""

    model: str = DEFAULT_LLM
    """litellm model string: `embedded/...`, `anthropic/...`, `openai/...`, `ollama/...`."""
    fallbacks: tuple[str | FallbackLLM, ...] = ()
    """Tried in order when the model fails; each has its share of the time that is left."""
    temperature: NonNegativeFloat = 0.0
    max_output_tokens: PositiveInt = 220
    api_key_secret: str | None = Field(default=None)
    """Name of the secret that `api_base` gets as its key, and no other; empty for no key at all.
    So it always is for an endpoint that was set over the API."""
    first_token_timeout_s: NonNegativeFloat = 60.0
    total_timeout_s: NonNegativeFloat = 180.0
    """Of all calls of a turn together; 0 sets no limit."""
    max_calls_per_turn: PositiveInt = 16
    """Calls of models in one turn, whatever they ask for. Two are kept for the answer:
    below 3, the agent uses no tools."""
    max_cost_per_turn_usd: PositiveFloat | None = 5.0
    """A turn that cost this much makes no further call; None sets no limit. Calls whose price is
    not known count nothing."""

    _replaced: "LLMConfig | None" = PrivateAttr(default=None)
    """What the agent file says, where a setting or a client put another model in its place."""

    @field_validator("fallbacks")
    @classmethod
    def _plain_where_it_can_be(
        cls, given: tuple[str | FallbackLLM, ...]
    ) -> tuple[str | FallbackLLM, ...]:
        # One form for one meaning, so that what is read and sent back changes nothing.
        return tuple(
            each.model if isinstance(each, FallbackLLM) and each.is_plain else each
            for each in given
        )

    @property
    def fallback_models(self) -> tuple[FallbackLLM, ...]:
        """Each fallback with its settings, also where only its model string is given."""
        return tuple(
            FallbackLLM(model=each) if isinstance(each, str) else each for each in self.fallbacks
        )

    def named(self, model: str) -> "LLMConfig":
        """The model with this string, where this section reaches it; else as its provider does.

        It has no fallbacks: whoever asks for a model by name wants that one and no other.
        """
        if model == self.model:
            return LLMConfig(
                model=model,
                api_base=self.api_base,
                api_key_variable=self.api_key_variable,
                api_key_secret=self.api_key_secret,
            )
        known = next((each for each in self.fallback_models if each.model == model), None)
        if known is None and self._replaced is not None:
            # Judges and rewriters of the file stay where they were, whoever speaks.
            return self._replaced.named(model)
        return reached(known or FallbackLLM(model=model))

    def replaced_by(self, model: str) -> "LLMConfig":
        """This section with another model, which is reached as `named` says; no fallbacks."""
        place = self.named(model)
        changed = self.model_copy(
            update={
                "model": model,
                "fallbacks": (),
                "api_base": place.api_base,
                "api_key_variable": place.api_key_variable,
                "api_key_secret": place.api_key_secret,
            }
        )
        changed._replaced = self
        return changed


def reached(model: ReachedModel) -> LLMConfig:
    """`model` as a section that a chat model is opened from."""
    return LLMConfig(
        model=model.model, api_base=model.api_base, api_key_variable=model.api_key_variable
    )
