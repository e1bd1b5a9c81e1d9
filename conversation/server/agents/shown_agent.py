"""`AgentConfig` -> the network protocol's `conversation_config` and `platform_settings`. Pure.

`changed_agent` is the way back: what this gives, handed in again, changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from conversation.agent.agent_file import merge_keys
from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.criteria import Criterion, DataCollectionField
from conversation.agent.tool_config import ToolConfig, ToolWebhook
from conversation.server.agents.agent_wire import (
    BackupModels,
    ConversationConfig,
    CriterionItem,
    CustomModel,
    FieldItem,
    Locator,
    PlatformSettings,
    PresetSpeaker,
    PromptSettings,
    part,
)
from conversation.server.agents.model_names import CUSTOM_LLM, protocol_name
from conversation.server.agents.named_documents import NamedDocument, NamedFolder
from conversation.server.agents.tool_wire import (
    ParameterSchema,
    RequestSchema,
    SystemParams,
    ToolItem,
)
from conversation.server.agents.voice_settings import AUDIO_FORMAT, keeps_recordings, shown_voice

Json = dict[str, Any]

OUR_EMBEDDING_MODEL = "multilingual_e5_large_instruct"
"""The name that clients know for the index; which model it is, says the agent file."""
UNLIMITED = -1
DEFAULT_FILES = 10
"""Of a conversation, where a client lets an agent take files and does not say how many."""
_DEFAULT_CONVERSATION: Json = {
    "asr": {"user_input_audio_format": AUDIO_FORMAT, "keywords": []},
    "turn": {"silence_end_call_timeout": UNLIMITED, "turn_eagerness": "normal"},
    "tts": {
        "agent_output_audio_format": AUDIO_FORMAT,
        "optimize_streaming_latency": 3,
        "stability": 0.5,
        "speed": 1.0,
        "similarity_boost": 0.8,
    },
    "vad": {},
    "conversation": {"file_input": {"enabled": False, "max_files_per_conversation": DEFAULT_FILES}},
    "agent": {"prompt": {"tool_ids": [], "mcp_server_ids": [], "native_mcp_server_ids": []}},
}
_DEFAULT_PLATFORM: Json = {
    "evaluation": {},
    "widget": {"variant": "full", "placement": "bottom-right", "feedback_mode": "none"},
    "auth": {"require_origin_header": False},
    "call_limits": {"agent_concurrency_limit": UNLIMITED, "bursting_enabled": False},
    "privacy": {
        "delete_transcript_and_pii": False,
        "delete_audio": False,
        "zero_retention_mode": False,
    },
    "archived": False,
}


def conversation_config(
    agent: AgentConfig,
    documents: Sequence[NamedDocument | NamedFolder],
    sent: Mapping[str, Any],
) -> ConversationConfig:
    """How the agent talks.

    Args:
        agent: The agent.
        documents: What it answers from, as `named_documents` or `shown_by_folders` gives it.
        sent: The part of that name of what clients sent: settings that change nothing here.
    """
    turns, section = agent.turn_taking, agent.knowledge_base
    ours: ConversationConfig = {
        "turn": {"turn_timeout": turns.silence_timeout_s or UNLIMITED},
        "conversation": {
            "max_duration_seconds": (
                UNLIMITED if turns.max_duration_s is None else round(turns.max_duration_s)
            ),
            "file_input": (
                {"enabled": True, "max_files_per_conversation": agent.access.files}
                if agent.access.files
                else {"enabled": False}
            ),
        },
        "language_presets": {
            code: {"overrides": {"agent": _preset(texts.first_message, texts.system_prompt)}}
            for code, texts in agent.languages.items()
        },
        "agent": {
            "first_message": agent.first_message,
            "language": agent.language,
            "max_conversation_duration_message": turns.goodbye_message,
            "dynamic_variables": {"dynamic_variable_placeholders": dict(agent.dynamic_variables)},
            "prompt": {
                "prompt": agent.system_prompt,
                "timezone": agent.timezone,
                **llm_settings(agent.llm),
                "knowledge_base": [_locator(document, sent) for document in documents],
                "rag": {
                    "enabled": True,
                    "max_retrieved_rag_chunks_count": section.max_passages,
                },
                "tools": [tool_item(tool) for tool in agent.all_tools],
                "built_in_tools": {
                    tool.name: tool_item(tool) for tool in agent.all_tools if tool.kind == "system"
                },
            },
        },
    }
    shown = merge_keys(cast(Json, shown_voice(agent)), cast(Json, ours))
    config = _over(_DEFAULT_CONVERSATION, sent, shown)
    prompt, there = config["agent"]["prompt"], shown["agent"]["prompt"]["built_in_tools"]
    # What was sent of a tool that the agent has no more is none of it.
    prompt["built_in_tools"] = {name: prompt["built_in_tools"][name] for name in there}
    # Clients refuse to send back what this server's models of meaning are called.
    prompt["rag"].pop("embedding_model", None)
    return cast(ConversationConfig, config)


def platform_settings(agent: AgentConfig, sent: Mapping[str, Any]) -> PlatformSettings:
    """What surrounds the conversations: who may talk, what is asked afterwards, what is kept."""
    overrides = agent.overrides
    ours: PlatformSettings = {
        "auth": {
            "enable_auth": not agent.access.public,
            "allowlist": [{"hostname": host} for host in agent.allowed_origins],
        },
        "evaluation": {"criteria": [criterion_item(each) for each in agent.criteria]},
        "data_collection": {field.field_id: field_item(field) for field in agent.data_collection},
        "overrides": {
            "conversation_config_override": {
                "agent": {
                    "first_message": overrides.first_message,
                    "language": overrides.language,
                    "prompt": {
                        "prompt": overrides.system_prompt,
                        "llm": bool(overrides.llm),
                    },
                },
                "tts": {"voice_id": overrides.voice_id, "speed": overrides.speed},
                "conversation": {"text_only": overrides.text_only},
            }
        },
        "privacy": {
            "record_voice": keeps_recordings(agent),
            "retention_days": agent.privacy.transcripts_days or UNLIMITED,
            "conversation_history_redaction": {"enabled": agent.privacy.redact},
        },
    }
    return cast(PlatformSettings, _over(_DEFAULT_PLATFORM, sent, cast(Json, ours)))


def without_effect(sent: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
    """What was sent of an agent and is not so afterwards, by its path.

    Settings that change nothing here are kept and shown as they were sent; what is left is what
    this server has another word for, or none.
    """
    return list(_different(sent, shown, ()))


def _different(sent: Any, shown: Any, path: tuple[str, ...]) -> Iterator[str]:
    if sent is None or sent == shown:
        return
    if isinstance(sent, Mapping):
        under = cast("Mapping[str, Any]", shown if isinstance(shown, Mapping) else {})
        for name, value in cast("Mapping[str, Any]", sent).items():
            yield from _different(value, under.get(name), (*path, name))
    elif not _holds(sent, shown):
        yield ".".join(path)


def _holds(sent: Any, shown: Any) -> bool:
    """Whether everything that was sent in a list is shown; entries have more parts there."""
    if isinstance(sent, Mapping) and isinstance(shown, Mapping):
        parts, there = cast("Mapping[str, Any]", sent), cast("Mapping[str, Any]", shown)
        return all(value is None or _holds(value, there.get(key)) for key, value in parts.items())
    if isinstance(sent, list) and isinstance(shown, list):
        entries, found = cast("list[Any]", sent), cast("list[Any]", shown)
        return len(entries) == len(found) and all(map(_holds, entries, found))
    return sent == shown


def is_archived(sent: Mapping[str, Any]) -> bool:
    """Whether a client put the agent away; it can be talked to all the same."""
    return bool(part(sent, "platform_settings").get("archived"))


def llm_settings(llm: LLMConfig) -> PromptSettings:
    """The model and how it is used."""
    backup: BackupModels = {"preference": "disabled"}
    if llm.fallbacks:
        backup = {
            "preference": "override",
            "order": [protocol_name(each.model) for each in llm.fallback_models],
        }
    settings: PromptSettings = {
        "llm": protocol_name(llm.model),
        "temperature": llm.temperature,
        "max_tokens": llm.max_output_tokens,
        "backup_llm_config": backup,
        "custom_llm": None,
    }
    if llm.api_base is not None:
        provider, _, own_name = llm.model.partition("/")
        is_openai = provider == "openai"
        custom: CustomModel = {
            "url": llm.api_base,
            "model_id": own_name if is_openai else llm.model,
        }
        if llm.api_key_secret:
            custom["api_key"] = {"secret_id": llm.api_key_secret}
        settings["custom_llm"] = custom
        # The protocol's endpoints speak as OpenAI's does; others keep their model string.
        settings["llm"] = CUSTOM_LLM if is_openai else llm.model
    return settings


def tool_item(tool: ToolConfig) -> ToolItem:
    """A tool. What a webhook gets is shown as one schema of its body, wherever it goes."""
    item: ToolItem = {
        "type": tool.kind,
        "name": tool.name,
        "description": tool.description,
        "response_timeout_secs": round(tool.timeout_s),
    }
    if tool.kind == "client":
        parameters = cast(ParameterSchema, tool.parameters)
        return {**item, "parameters": parameters, "expects_response": True}
    if tool.webhook is not None:
        webhook = tool.webhook
        request: RequestSchema = {
            "url": webhook.url,
            "method": webhook.method,
            "request_headers": dict(webhook.headers),
            **_by_place(webhook, cast(ParameterSchema, tool.parameters)),
        }
        return {**item, "api_schema": request}
    params: SystemParams = {"system_tool_type": tool.name}
    if tool.agents:
        params["transfers"] = [
            {"agent_id": target.agent_id, "condition": target.when} for target in tool.agents
        ]
    return {**item, "params": params}


def criterion_item(criterion: Criterion) -> CriterionItem:
    """A success criterion."""
    return {
        "id": criterion.criterion_id,
        "name": criterion.name or criterion.criterion_id,
        "type": "prompt",
        "conversation_goal_prompt": criterion.prompt,
        "use_knowledge_base": False,
    }


def field_item(field: DataCollectionField) -> FieldItem:
    """A data collection field; types that the protocol has not are shown as a string."""
    plain = field.type in ("boolean", "string", "integer", "number")
    return {
        "type": field.type if plain else "string",
        "description": field.description,
        "enum": None if field.enum is None else list(field.enum),
    }


def _by_place(webhook: ToolWebhook, parameters: ParameterSchema) -> RequestSchema:
    """Parameters of a webhook tool by where they go."""
    properties = dict(parameters.get("properties") or {})
    path = {name: properties.pop(name, ParameterSchema()) for name in webhook.url_parameters}
    required = [name for name in parameters.get("required") or () if name not in path]
    rest: ParameterSchema = {"properties": properties, "required": required}
    if webhook.method in ("GET", "DELETE"):
        return {
            "path_params_schema": path,
            "query_params_schema": rest if properties else None,
            "request_body_schema": None,
        }
    return {
        "path_params_schema": path,
        "query_params_schema": None,
        "request_body_schema": {"type": "object", **rest} if properties else None,
    }


def _preset(first_message: str | None, system_prompt: str | None) -> PresetSpeaker:
    return {"first_message": first_message, "prompt": {"prompt": system_prompt}}


def _locator(document: NamedDocument | NamedFolder, sent: Mapping[str, Any]) -> Locator:
    modes = {each.get("id"): each.get("usage_mode") for each in _sent_locators(sent)}
    return {
        "type": document.kind,
        "id": document.document_id,
        "name": document.name,
        "usage_mode": modes.get(document.document_id) or "auto",
    }


def _sent_locators(sent: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return part(part(sent, "agent"), "prompt").get("knowledge_base") or ()


def _over(defaults: Json, sent: Mapping[str, Any], ours: Json) -> Json:
    """Defaults, under what was sent, under what is so; mappings of names are ours alone."""
    merged = merge_keys(merge_keys(defaults, sent), ours)
    for name in ("language_presets", "data_collection"):
        if name in ours:
            merged[name] = ours[name]
    return merged
