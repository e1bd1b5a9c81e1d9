"""Names of language models: model strings, and what the protocol calls some of them. Pure."""

from conversation.server.errors import ApiError

CUSTOM_LLM = "custom-llm"
"""What the protocol calls every model at an endpoint of one's own."""
_PROVIDERS = (("gpt-", "openai"), ("claude-", "anthropic"), ("gemini-", "gemini"))
_OPEN_WEIGHTS = "gpt-oss"
"""Its maker does not serve it under this name."""


def protocol_name(model: str) -> str:
    """The name under which clients know a model; the model string where they know none."""
    provider, _, name = model.partition("/")
    is_known = not name.startswith(_OPEN_WEIGHTS) and any(
        name.startswith(prefix) and provider == its for prefix, its in _PROVIDERS
    )
    return name if is_known and "/" not in name else model


def model_string(name: str) -> str:
    """The model string of a model that the protocol names without its provider."""
    if "://" in name:
        raise ApiError(
            422,
            "unknown_llm",
            "The name of a model holds no address. An endpoint of your own is `custom_llm.url`.",
        )
    if "/" in name:
        return name
    if name.startswith(_OPEN_WEIGHTS):
        raise ApiError(
            422,
            "unknown_llm",
            f"The weights of {name[:100]!r} are open and run at many providers: name one, as "
            "'groq/openai/gpt-oss-20b', 'ollama/gpt-oss:20b' or an endpoint of your own.",
        )
    for prefix, provider in _PROVIDERS:
        if name.startswith(prefix):
            return f"{provider}/{name}"
    raise ApiError(
        422,
        "unknown_llm",
        f"The model {name[:100]!r} has no known provider. Write a model string such as "
        "'openai/gpt-4o', 'ollama/llama3.2' or 'embedded/qwen2.5-coder-1.5b-instruct'.",
    )
