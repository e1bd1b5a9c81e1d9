"""Model string -> `ChatModel`, ready to use."""

from collections.abc import Sequence

from conversation.llm.chat_model import ChatModel
from conversation.llm.generator import TextGenerator, TwinChatModel
from conversation.llm.litellm_model import LiteLLMGenerator
from kb.weights import Weights


def open_chat_model(
    model: str,
    *,
    api_base: str | None = None,
    fallbacks: Sequence[str] = (),
    weights: Weights | None = None,
) -> ChatModel:
    """Return the language model with this model string. Nothing is loaded or called yet.

    Args:
        model: `embedded/NAME`, `embedded/PATH.gguf`, `embedded/extractive`, or PROVIDER/MODEL as
            litellm knows it.
        api_base: Endpoint of a self-hosted provider, for `model` only.
        fallbacks: Model strings tried in order when `model` fails.
        weights: Where embedded models lie; None for the user's cache folder.
    """
    return TwinChatModel(_generator(model, api_base=api_base, weights=weights))


def _generator(model: str, *, api_base: str | None, weights: Weights | None) -> TextGenerator:
    return LiteLLMGenerator(model, api_base=api_base, weights=weights)
