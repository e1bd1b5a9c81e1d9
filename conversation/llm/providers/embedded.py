"""`embedded/...`: GGUF weights run in this process, as a provider of litellm.

embedded/qwen2.5-coder-1.5b-instruct      a model of the weights catalog
embedded//srv/models/own.gguf             any GGUF file of this machine
embedded/hf:ORG/REPO/FILE.gguf            any GGUF file of the Hugging Face Hub
"""

import asyncio
import importlib
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

from conversation.agent.models.llm_config import EXTRACTIVE
from conversation.errors import ModelSetupError
from conversation.llm.providers.embedded_engine import EngineRequestError, JSONObject, shared_engine
from kb.errors import WeightsError
from kb.weights.folder import Weights
from kb.weights.hub_files import PREFIX as HUB
from kb.weights.known_models import CATALOG

PROVIDER = "embedded"
GGUF_MAGIC = b"GGUF"

_REQUEST_KEYS = (
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "response_format",
    "logprobs",
    "top_logprobs",
)


def embedded_models() -> list[str]:
    """Return the model strings of all embedded language models, the extractive one last."""
    names = [
        f"{PROVIDER}/{weights.name}"
        for weights in CATALOG.values()
        if any(file.name.endswith(".gguf") for file in weights.files)
    ]
    return [*names, EXTRACTIVE]


def embedded_weights(model: str, weights: Weights) -> Path:
    """Return the GGUF file of `embedded/NAME`, `embedded/PATH.gguf` or `embedded/hf:...`.

    What has a name is fetched when it is missing.

    Raises:
        ModelSetupError: No such model, or its file is missing or wrong.
    """
    name = model.removeprefix(f"{PROVIDER}/")
    if name.startswith(HUB):
        try:
            return weights.resolve_hub_file(name)
        except WeightsError as error:
            raise ModelSetupError(f"Model {model!r} cannot be used. {error}") from error
    if name.endswith(".gguf"):
        path = Path(name).expanduser()
        if not path.is_file():
            raise ModelSetupError(
                f"Model {model!r} names the file {str(path)!r}, and there is none. Correct the "
                "path, or use a model of the catalog: " + ", ".join(embedded_models()) + "."
            )
        with path.open("rb") as content:
            if content.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
                raise ModelSetupError(
                    f"Model {model!r} names a file that is no GGUF file (its first bytes are not "
                    "'GGUF'). Convert the weights, or name another file."
                )
        return path
    if model not in embedded_models():
        raise ModelSetupError(
            f"There is no embedded model {model!r}. Use one of {', '.join(embedded_models())}, "
            "`embedded/PATH.gguf` for a file of your own, or `embedded/hf:ORG/REPO/FILE.gguf`."
        )
    try:
        return weights.resolve_file(name)
    except WeightsError as error:
        raise ModelSetupError(f"Model {model!r} cannot be used. {error}") from error


def register_provider(litellm: Any) -> None:
    """Make `embedded/...` known to litellm. Doing it twice changes nothing."""
    if any(entry["provider"] == PROVIDER for entry in litellm.custom_provider_map):
        return
    handler = _make_handler(litellm)
    litellm.custom_provider_map.append({"provider": PROVIDER, "custom_handler": handler})
    litellm.utils.custom_llm_setup()


async def generate_chunks(
    path: Path, request: Mapping[str, Any]
) -> AsyncGenerator[JSONObject, None]:
    """Yield the chunks of one chat completion; closing the iterator stops the generation."""
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[JSONObject | BaseException | None] = asyncio.Queue()
    stop = threading.Event()

    def put(item: JSONObject | BaseException | None) -> None:
        if not stop.is_set():
            loop.call_soon_threadsafe(chunks.put_nowait, item)

    def work() -> None:
        try:
            shared_engine(path).generate(request, put, stopped=stop.is_set)
            put(None)
        except BaseException as error:  # handed to the event loop, which raises it
            put(error)

    threading.Thread(target=work, name="vivavoce-engine", daemon=True).start()
    try:
        while (item := await chunks.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()


def _make_handler(litellm: Any) -> Any:
    """Build litellm's handler. Its base class is only known once litellm is imported."""
    bad_request: Any = importlib.import_module("litellm.llms.custom_llm").CustomLLMError

    class EmbeddedProvider(litellm.CustomLLM):  # pyright: ignore[reportUntypedBaseClass]
        """Answers litellm's calls from the engine of the named weights."""

        async def astreaming(self, *_: object, **call: Any) -> AsyncIterator[JSONObject]:
            async with aclosing(_litellm_chunks(call)) as chunks:
                try:
                    async for chunk in chunks:
                        yield chunk
                except EngineRequestError as error:
                    raise bad_request(400, str(error)) from error

        async def acompletion(self, *_: object, **call: Any) -> Any:
            return await _whole_answer(litellm, call)

        def completion(self, *_: object, **call: Any) -> Any:
            return asyncio.run(_whole_answer(litellm, call))

    return EmbeddedProvider()


async def _litellm_chunks(call: Mapping[str, Any]) -> AsyncGenerator[JSONObject, None]:
    """Translate the engine's chunks into litellm's generic ones."""
    finish_reason = ""
    async with aclosing(generate_chunks(_path_of(call), _request_of(call))) as chunks:
        async for chunk in chunks:
            choices = cast("list[JSONObject]", chunk.get("choices") or [])
            if "usage" in chunk:
                yield _generic("", finish_reason=finish_reason or "stop", usage=chunk["usage"])
            if not choices:
                continue
            finish_reason = choices[0].get("finish_reason") or finish_reason
            text = choices[0]["delta"].get("content") or ""
            if text:
                yield _generic(text, logprobs=_first_logprobs(choices[0]))


def _generic(
    text: str,
    *,
    finish_reason: str = "",
    usage: JSONObject | None = None,
    logprobs: dict[str, float] | None = None,
) -> JSONObject:
    fields = {"first_token_logprobs": logprobs} if logprobs else None
    return {
        "text": text,
        "is_finished": bool(finish_reason),
        "finish_reason": finish_reason,
        "usage": usage,
        "index": 0,
        "tool_use": None,
        "provider_specific_fields": fields,
    }


async def _whole_answer(litellm: Any, call: Mapping[str, Any]) -> Any:
    text, finish_reason, usage = "", "stop", None
    async for chunk in _litellm_chunks(call):
        text += chunk["text"]
        finish_reason = chunk["finish_reason"] or finish_reason
        usage = chunk["usage"] or usage
    response = call["model_response"]
    response.choices = [
        litellm.Choices(
            finish_reason=finish_reason, message=litellm.Message(role="assistant", content=text)
        )
    ]
    response.model = f"{PROVIDER}/{call['model']}"
    response.created = int(time.time())
    response.usage = litellm.Usage(**(usage or {}))
    return response


def _path_of(call: Mapping[str, Any]) -> Path:
    """Return the weights file: given as `api_base` by this package, else looked up by name."""
    if call.get("api_base"):
        return Path(call["api_base"])
    return embedded_weights(f"{PROVIDER}/{call['model']}", Weights())


def _request_of(call: Mapping[str, Any]) -> JSONObject:
    parameters = cast(JSONObject, call.get("optional_params") or {})
    known = {key: value for key, value in parameters.items() if key in _REQUEST_KEYS}
    return {"messages": call["messages"], **known}


def _first_logprobs(choice: JSONObject) -> dict[str, float] | None:
    logprobs = cast(JSONObject, choice.get("logprobs") or {})
    content = cast("list[JSONObject]", logprobs.get("content") or [])
    if not content:
        return None
    return {entry["token"]: float(entry["logprob"]) for entry in content[0]["top_logprobs"]}
