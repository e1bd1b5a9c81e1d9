"""A model with the place where it is reached. Without one, litellm knows the provider's."""

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

_KEY_VARIABLE = r"^[A-Z][A-Z0-9_]*_(?:KEY|TOKEN)$"
"""Other variables are no keys, and must not reach a provider."""


class ReachedModel(BaseModel):
    """A model string, with its own endpoint and key."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    model: str
    """litellm model string."""
    api_base: str | None = None
    """Endpoint of a self-hosted provider; None takes the provider's own."""
    api_key_variable: str | None = Field(
        default=None,
        pattern=_KEY_VARIABLE,
        validation_alias=AliasChoices("api_key_variable", "api_key_env"),
    )
    """Environment variable with its key; None takes the provider's usual one."""

    @property
    def is_plain(self) -> bool:
        """Whether the model string says everything."""
        return self.api_base is None and self.api_key_variable is None
