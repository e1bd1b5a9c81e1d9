"""Names of models: model strings, and what the protocol calls some of them. Pure."""

from collections.abc import Mapping
from typing import Any

from conversation.server.agents.agent_wire import part
from conversation.server.errors import ApiError

CUSTOM_LLM = "custom-llm"
"""What the protocol calls every model at an endpoint of one's own."""
THIS_SERVER = "vivavoce:"
"""In the place of `custom_llm.url`: its `model_id` is a model string, as agent files have it."""
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


def in_closed_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """A `conversation_config` as shown, for clients that send no model's name but the protocol's.

    A model string goes where the protocol has a name of one's own, `custom_llm.model_id`. Where it
    has no such place, the part is left out: what a change leaves out stays as it is.
    """
    prompt = dict(config["agent"]["prompt"])
    if _is_model_string(prompt["llm"]):
        prompt["custom_llm"] = {"url": THIS_SERVER, "model_id": prompt["llm"]}
        prompt["llm"] = CUSTOM_LLM
    if any(map(_is_model_string, prompt["backup_llm_config"].get("order", ()))):
        del prompt["backup_llm_config"]
    closed = {"agent": {**config["agent"], "prompt": prompt}}
    for section, name in (("tts", "model_id"), ("asr", "provider")):
        parts = config[section]
        closed[section] = {
            key: value for key, value in parts.items() if key != name or not _is_model_string(value)
        }
    return {**config, **closed}


def in_model_strings(prompt: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a prompt as sent, in which a model of `in_closed_names` is a model string.

    Raises:
        ValueError: A model of this server is asked for, and none is named.
    """
    custom: Mapping[str, Any] = part(prompt, "custom_llm")
    if custom.get("url") != THIS_SERVER:
        return dict(prompt)
    plain = {key: value for key, value in prompt.items() if key != "custom_llm"}
    if plain.get("llm", CUSTOM_LLM) == CUSTOM_LLM:
        model = custom.get("model_id")
        if not isinstance(model, str) or not model:
            raise ValueError(
                f"with `custom_llm.url` {THIS_SERVER!r} `custom_llm.model_id` is a model string, "
                "such as 'embedded/extractive'"
            )
        plain["llm"] = model
    return plain


def _is_model_string(name: object) -> bool:
    return isinstance(name, str) and "/" in name
