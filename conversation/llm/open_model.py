"""Model string -> `ChatModel`, ready to use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversation.agent.models.llm_config import FallbackLLM, LLMConfig
from conversation.llm.chat_model import ChatModel
from conversation.llm.generator import TextGenerator, TwinChatModel
from conversation.llm.known_providers import PROVIDERS
from conversation.llm.limits.fallback import FallbackGenerator
from conversation.llm.limits.own_prices import TokenPrice
from conversation.llm.limits.retries import ReliableGenerator
from conversation.llm.limits.traffic import RateLimit, shared_traffic
from conversation.llm.provider import Provider, WantedModel
from kb.weights.folder import Weights


@dataclass(frozen=True, slots=True)
class _Told:
    """What the caller knows of the models that it opens."""

    weights: Weights | None
    limits: Mapping[str, RateLimit]
    contexts: Mapping[str, int]
    prices: Mapping[str, TokenPrice]
    providers: Sequence[Provider]


def open_chat_model(
    model: str,
    *,
    api_base: str | None = None,
    api_key_variable: str | None = None,
    api_key: str | None = None,
    fallbacks: Sequence[str | FallbackLLM] = (),
    weights: Weights | None = None,
    limits: Mapping[str, RateLimit] | None = None,
    contexts: Mapping[str, int] | None = None,
    prices: Mapping[str, TokenPrice] | None = None,
    providers: Sequence[Provider] = PROVIDERS,
) -> ChatModel:
    """Return the language model with this model string. Nothing is loaded or called yet.

    All that are opened in one process for the same model share its rate limit and, for embedded
    models, its engine.

    Args:
        model: `embedded/NAME`, `embedded/PATH.gguf`, `embedded/extractive`, or PROVIDER/MODEL as
            litellm knows it.
        api_base: Endpoint of a self-hosted provider, for `model` only.
        api_key_variable: Environment variable with the key, for `model` only.
        api_key: What `model` gets in place of any key of the environment; empty for none.
        fallbacks: Models tried in order when `model` fails, with endpoints of their own.
        weights: Where embedded models lie; None for the user's cache folder.
        limits: What providers allow in a minute, by model string.
        contexts: Tokens that models read at once, by model string, where litellm does not know it
            or a server of your own is set to less.
        prices: What tokens cost, by model string, before what litellm knows.
        providers: What there is to choose from. The first that takes a model string runs it.
    """
    told = _Told(weights, limits or {}, contexts or {}, prices or {}, providers)
    named = FallbackLLM(model=model, api_base=api_base, api_key_variable=api_key_variable)
    first = _generator(named, told, api_key=api_key)
    others = [_generator(each, told) for each in fallbacks]
    return TwinChatModel(FallbackGenerator([first, *others]) if others else first)


def open_named_model(llm: LLMConfig, *, weights: Weights | None = None) -> ChatModel:
    """Return the model of a section of an agent file, with its fallbacks, where it is reached.

    No secret is at hand here: an endpoint that gets one gets no key, and least of all a key of
    the environment, which is not for it.
    """
    return open_chat_model(
        llm.model,
        api_base=llm.api_base,
        api_key_variable=llm.api_key_variable,
        api_key=None if llm.api_key_secret is None else "",
        fallbacks=llm.fallbacks,
        weights=weights,
    )


def _generator(
    named: str | FallbackLLM, told: _Told, *, api_key: str | None = None
) -> TextGenerator:
    llm = FallbackLLM(model=named) if isinstance(named, str) else named
    provider = next(each for each in told.providers if each.takes(llm.model))
    generator = provider.open(
        WantedModel(
            llm.model,
            api_base=llm.api_base,
            api_key_variable=llm.api_key_variable,
            api_key=api_key,
            weights=told.weights,
            context=told.contexts.get(llm.model),
            price=told.prices.get(llm.model),
        )
    )
    if not provider.may_fail:
        return generator
    limit = told.limits.get(llm.model)
    traffic = shared_traffic(llm.model, api_base=llm.api_base, limit=limit)
    return ReliableGenerator(generator, traffic=traffic)
