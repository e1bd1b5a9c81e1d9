"""Every provider through litellm, by model string. One attempt; `reliability` adds more."""

import asyncio
import functools
import logging
import os
import sys
import time
import warnings
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, cast

from conversation.errors import ModelSetupError, ModelUnavailableError
from conversation.language.tokens import estimated_tokens
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions, PromptMemory
from conversation.llm.limits.own_prices import TokenPrice
from conversation.llm.model_loop import model_loop
from conversation.llm.provider import Provider, WantedModel
from conversation.llm.providers.embedded import (
    EXTRACTIVE,
    PROVIDER,
    embedded_weights,
    register_provider,
)
from conversation.llm.providers.embedded_engine import embedded_context_tokens
from conversation.llm.providers.embedded_memory import EmbeddedPromptMemory
from conversation.llm.providers.json_answers import checked_json, response_format, with_instruction
from conversation.llm.providers.litellm_errors import as_model_error
from conversation.llm.providers.price_table import table_price_usd
from conversation.llm.providers.streamed_answer import (
    StreamedAnswer,
    forget_what_was_made_up,
    milliseconds,
    take_chunk,
)
from conversation.llm.providers.tool_calls import tool_definitions
from conversation.llm.reasoning_habit import shared_habit
from conversation.llm.visible_text import learn_from_trial
from conversation.transcript import Usage
from kb.weights.folder import Weights

PING_TIMEOUT_S = 20.0
_HAVE_DEFAULTS = ("OLLAMA_API_BASE",)
"""Variables that litellm lists as missing and can do without."""
_LITELLM_WARNINGS = ("Item '.*' on TypedDict class", "Accessing the 'model_")
"""About its own pydantic models: nobody who reads them can do anything about it."""
_NO_KEY = "none"
"""Self-hosted servers mostly want none, and the client wants to send one."""
_DOUBT_LOGPROBS = 20
_PING = (ChatMessage("user", "Reply with OK."),)


def known_context_tokens(model: str, weights: Weights | None = None) -> int | None:
    """How many tokens a model reads at once, without asking its provider; None: not known.

    Raises:
        ModelSetupError: The file of an embedded model is missing or wrong.
    """
    if model == EXTRACTIVE:
        return None
    if model.startswith(f"{PROVIDER}/"):
        return embedded_context_tokens(embedded_weights(model, weights or Weights()))
    table = cast("dict[str, dict[str, Any]]", load_litellm().model_cost)
    entry = table.get(model) or table.get(model.partition("/")[2]) or {}
    tokens = entry.get("max_input_tokens")
    return tokens if isinstance(tokens, int) and tokens > 0 else None


class LiteLLMGenerator:
    """One model of one provider."""

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        api_key_variable: str | None = None,
        api_key: str | None = None,
        weights: Weights | None = None,
        context: int | None = None,
        price: TokenPrice | None = None,
    ) -> None:
        """Nothing is loaded or called yet: `check` does that."""
        self._model = model
        self._api_base = api_base
        self._key_variable = api_key_variable
        self._api_key = api_key
        self._weights = weights
        self._context = context
        self._price = price
        self._is_embedded = model.startswith(f"{PROVIDER}/")
        self._can_constrain: bool | None = None
        self._gguf: Path | None = None
        self._checked = False
        self.reasoning_habit = shared_habit(model, api_base=api_base)

    @property
    def model(self) -> str:
        """The model string."""
        return self._model

    def calls_tools(self) -> bool:
        """Whether litellm knows the provider's model to have tool calls."""
        if self._is_embedded:
            return False
        return bool(load_litellm().supports_function_calling(self._model))

    def price_usd(self, *, read: int, written: int) -> float | None:
        """Price by the settings or litellm's table; None before the first call loaded that."""
        if self._is_embedded:
            return 0.0
        if self._price is not None:
            return self._price.of(read, written)
        loaded = sys.modules.get("litellm")
        return None if loaded is None else self._cost_usd(loaded, read, 0, written)

    def context_tokens(self) -> int | None:
        """What the settings say, the weights file, or litellm's table; None where none does."""
        return self._context or known_context_tokens(self._model, self._weights)

    def prompt_memory(self) -> PromptMemory | None:
        """Of embedded weights; other providers keep what they like."""
        if not self._is_embedded:
            return None
        return EmbeddedPromptMemory(self._model, self._weights_file, load_client=warm_litellm)

    async def check(self) -> None:
        """Find out with the smallest possible call whether the model can be used.

        Embedded weights are fetched and verified; a remote endpoint is asked for two words.
        """
        if self._checked:
            return
        if self._is_embedded:
            await self._endpoint()
        else:
            self._require_key(await asyncio.to_thread(load_litellm))
            await self._ping()
        self._checked = True

    async def generate(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield text deltas and then the `Completion`; a JSON answer comes in one piece."""
        litellm = await asyncio.to_thread(load_litellm)
        self._require_key(litellm)
        endpoint = await self._endpoint()
        asked, request = self._request(litellm, messages, options, endpoint=endpoint)
        answer = StreamedAnswer(started_s=time.perf_counter())
        stream: Any = None
        try:
            stream = await litellm.acompletion(**request)
            async for chunk in stream:
                delta = take_chunk(answer, chunk, options.doubt)
                if delta and options.schema is None:
                    yield delta
                if answer.is_given_up:
                    break
            else:
                forget_what_was_made_up(answer, stream)
        except Exception as error:
            raise self._as_model_error(litellm, error) from error
        finally:
            if stream is not None and hasattr(stream, "aclose"):
                await stream.aclose()
        completion = self._completion(litellm, asked, answer, options)
        if options.schema is not None:
            yield completion.text
        yield completion

    def _request(
        self,
        litellm: Any,
        messages: Sequence[ChatMessage],
        options: CompletionOptions,
        *,
        endpoint: str | None,
    ) -> tuple[Sequence[ChatMessage], dict[str, Any]]:
        request: dict[str, Any] = {
            "model": self._model,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": options.temperature,
            "max_tokens": options.max_output_tokens,
            # Tries are counted in one place, above this one.
            "num_retries": 0,
            "max_retries": 0,
        }
        if endpoint is not None:
            request["api_base"] = endpoint
        if (key := self._key(litellm, endpoint)) is not None:
            request["api_key"] = key
        if options.total_timeout_s:
            request["timeout"] = options.total_timeout_s
        if options.stop:
            request["stop"] = list(options.stop)
        hears = options.doubt is not None and self._is_embedded
        if wanted := options.top_logprobs or (_DOUBT_LOGPROBS if hears else 0):
            request |= {"logprobs": True, "top_logprobs": wanted}
        if options.schema is not None:
            if self._constrains(litellm):
                several = self._is_embedded
                request["response_format"] = response_format(options.schema, takes_several=several)
            else:
                messages = with_instruction(messages, options.schema)
        if options.tools:
            request["tools"] = tool_definitions(options.tools)
            # litellm 1.106 else imports a package for MCP that is no dependency of it.
            request["_skip_mcp_handler"] = True
        request["messages"] = [{"role": m.role, "content": m.content} for m in messages]
        return messages, request

    def _key(self, litellm: Any, endpoint: str | None) -> str | None:
        """What the endpoint gets as its key; None for what litellm finds in the environment."""
        if self._api_key is not None:
            # An empty one would be looked for in the environment.
            return self._api_key or _NO_KEY
        if self._key_variable is not None:
            return litellm.get_secret_str(self._key_variable)
        if endpoint is not None and not self._is_embedded and self._missing_keys(litellm):
            return _NO_KEY
        return None

    def _constrains(self, litellm: Any) -> bool:
        """Whether the provider itself keeps answers within a JSON schema."""
        if self._can_constrain is None:
            self._can_constrain = (
                self._is_embedded
                or self._api_base is not None
                or bool(litellm.supports_response_schema(self._model))
            )
        return self._can_constrain

    def _completion(
        self,
        litellm: Any,
        asked: Sequence[ChatMessage],
        answer: StreamedAnswer,
        options: CompletionOptions,
    ) -> Completion:
        if answer.finish_reason is None:
            raise ModelUnavailableError(
                f"The stream of model {self._model!r} was cut after {len(answer.text)} "
                "characters. Try again."
            )
        text = answer.text
        if options.schema is not None:
            text = checked_json(
                text, options.schema, model=self._model, finish_reason=answer.finish_reason
            )
        return Completion(
            text=text,
            usage=self._usage(litellm, asked, answer),
            finish_reason=answer.finish_reason,
            request_to_first_token_ms=milliseconds(answer.started_s, answer.first_token_s),
            request_to_last_token_ms=milliseconds(answer.started_s, time.perf_counter()),
            top_logprobs=answer.top_logprobs,
            requested_tools=answer.tools.requested(),
        )

    def _usage(self, litellm: Any, asked: Sequence[ChatMessage], answer: StreamedAnswer) -> Usage:
        """Take the provider's count, or estimate: no tokenizer is downloaded for that."""
        reported = answer.usage
        if reported is not None and getattr(reported, "prompt_tokens", 0):
            details = getattr(reported, "prompt_tokens_details", None)
            sent, got = int(reported.prompt_tokens), int(reported.completion_tokens or 0)
            cached = int(getattr(details, "cached_tokens", None) or 0)
        else:
            sent = sum(estimated_tokens(message.content) for message in asked)
            got, cached, reported = estimated_tokens(answer.text), 0, None
        return Usage(
            model=self._model,
            input_tokens=sent,
            cached_input_tokens=cached,
            output_tokens=got,
            cost_usd=0.0 if self._is_embedded else self._cost_usd(litellm, sent, cached, got),
            source="estimated" if reported is None else "measured",
        )

    def _cost_usd(self, litellm: Any, sent: int, cached: int, got: int) -> float | None:
        """Return the price by the settings or litellm's table, or None when neither has one."""
        if self._price is not None:
            return self._price.of(sent, got)
        return table_price_usd(litellm, self._model, read=sent, written=got, cached=cached)

    async def _endpoint(self) -> str | None:
        """Return where calls go: a configured address, or the verified file of embedded weights."""
        if not self._is_embedded:
            return self._api_base
        return str(await asyncio.to_thread(self._weights_file))

    def _weights_file(self) -> Path:
        if self._gguf is None:
            self._gguf = embedded_weights(self._model, self._weights or Weights())
        return self._gguf

    def _missing_keys(self, litellm: Any) -> tuple[str, ...]:
        found = litellm.validate_environment(self._model, api_base=self._api_base)
        names = cast("list[str]", found["missing_keys"])
        return tuple(name for name in names if name not in _HAVE_DEFAULTS)

    def _require_key(self, litellm: Any) -> None:
        """Raise when the provider is unknown, or its key is nowhere."""
        try:
            litellm.get_llm_provider(self._model, api_base=self._api_base)
        except Exception as error:
            raise ModelSetupError(
                f"No provider is known for model {self._model!r}. Write it as PROVIDER/MODEL, e.g. "
                "'anthropic/claude-sonnet-4-5', 'openai/gpt-4.1-mini', 'ollama/llama3.2', or "
                "'embedded/qwen2.5-coder-1.5b-instruct', which needs no key."
            ) from error
        named = self._key_variable
        if self._is_embedded or (self._api_base is not None and named is None):
            return
        missing = [named] if named else self._missing_keys(litellm)
        if missing and not (named and litellm.get_secret_str(named)):
            raise ModelSetupError(
                f"Model {self._model!r} needs {' and '.join(missing)} in the environment. Set it, "
                "or use 'embedded/qwen2.5-coder-1.5b-instruct', which needs no key."
            )

    def _as_model_error(self, litellm: Any, error: Exception) -> Exception:
        try:
            found = litellm.validate_environment(self._model)
            usual = (*found["missing_keys"],) or _key_names(litellm, self._model)
            names = (self._key_variable,) if self._key_variable else usual
        except Exception:  # unknown to litellm: the message goes without a variable's name
            names = ()
        return as_model_error(error, self._model, api_base=self._api_base, key_names=names)

    async def _ping(self) -> None:
        options = CompletionOptions(max_output_tokens=16, total_timeout_s=PING_TIMEOUT_S)
        try:
            await learn_from_trial(self.generate(_PING, options), self.reasoning_habit)
        except ModelUnavailableError as error:
            if error.retry_after_s is None and "429" not in str(error):
                raise  # a rate limit shows that endpoint, key and model are right


def load_litellm() -> Any:
    """Import litellm (seconds, once) with its network calls and its printing switched off."""
    # Else the import asks a public host for the newest price table.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    module = cast(Any, litellm)
    if not module.suppress_debug_info:  # the first time
        model_loop().before_exit(module.close_litellm_async_clients)
    module.telemetry = False
    module.suppress_debug_info = True
    module.disable_hf_tokenizer_download = True
    # What a provider does not know (seeds, penalties) is left out rather than refused.
    module.drop_params = True
    for message in _LITELLM_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    # These log whole prompts at their finer levels.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("openai").setLevel(logging.INFO)
    register_provider(module)
    return module


@functools.cache
def warm_litellm() -> None:
    """Load litellm and have a first call behind it, whose imports take half a second of CPU.

    Nobody is asked: the call brings its answer along.
    """
    litellm, asked = load_litellm(), [{"role": "user", "content": "?"}]

    async def call() -> None:
        wanted: dict[str, Any] = {"stream": True, "num_retries": 0, "mock_response": "!"}
        async for _ in await litellm.acompletion(f"{PROVIDER}/mock", messages=asked, **wanted):
            pass

    model_loop().call(call())


def _key_names(litellm: Any, model: str) -> tuple[str, ...]:
    """Return the usual name of a provider's key variable."""
    provider = litellm.get_llm_provider(model)[1]
    return (f"{provider.upper()}_API_KEY",)


def _open(wanted: WantedModel) -> LiteLLMGenerator:
    return LiteLLMGenerator(
        wanted.model,
        api_base=wanted.api_base,
        api_key_variable=wanted.api_key_variable,
        api_key=wanted.api_key,
        weights=wanted.weights,
        context=wanted.context,
        price=wanted.price,
    )


# Whatever no other provider takes: litellm says itself which names it does not know.
LITELLM = Provider(lambda _model: True, _open)
