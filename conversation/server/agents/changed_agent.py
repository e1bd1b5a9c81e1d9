"""What a client sends of an agent -> the changed `AgentConfig`. Pure.

Only what was sent is changed; an entry of a list that says what it said before stays as it is, with
everything that the protocol has no word for.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from conversation.agent.config import AgentConfig, KnowledgeBaseSection
from conversation.server.agents.agent_tools import changed_tools, secret_name
from conversation.server.agents.agent_wire import (
    BackupModels,
    CustomModel,
    PromptSettings,
    SentAgent,
    part,
)
from conversation.server.agents.model_names import CUSTOM_LLM, model_string, protocol_name
from conversation.server.agents.shown_agent import (
    DEFAULT_FILES,
    criterion_item,
    field_item,
    llm_settings,
)
from conversation.server.agents.voice_settings import changed_voice
from conversation.server.errors import ApiError
from kb.errors import DocumentError
from kb.web.addresses import read_url

Json = dict[str, Any]
WithDocuments = Callable[[KnowledgeBaseSection, Sequence[str]], KnowledgeBaseSection]
"""Puts the documents with these ids into a section."""


def changed_agent(
    agent: AgentConfig, body: Mapping[str, Any], *, with_documents: WithDocuments
) -> AgentConfig:
    """The agent after a request to create or change it.

    Args:
        agent: As it stands.
        body: `name`, `conversation_config` and `platform_settings`, each or none of them.
        with_documents: Finds documents by their ids.

    Raises:
        ApiError: Names the first thing that no agent can be.
    """
    sent = SentAgent.read(body)
    spoken, prompt = sent.spoken, sent.prompt
    changes: Json = {
        **_given({"name": sent.name}, name="name"),
        **_given(spoken, first_message="first_message", language="language"),
        **_given(prompt, prompt="system_prompt", timezone="timezone"),
        "llm": _llm(agent, prompt),
        "knowledge_base": _knowledge_base(agent, prompt, with_documents),
        "turn_taking": _turn_taking(agent, sent),
        "access": _access(agent, sent),
        "overrides": _overrides(agent, sent),
        "privacy": _privacy(agent, sent),
        "voice": changed_voice(agent, sent),
    }
    variables = part(spoken, "dynamic_variables").get("dynamic_variable_placeholders")
    if variables is not None:
        changes["dynamic_variables"] = variables
    for name, section in (
        ("languages", _languages(sent)),
        ("criteria", _criteria(agent, sent)),
        ("data_collection", _fields(agent, sent)),
    ):
        if section is not None:
            changes[name] = section
    return _valid(agent.model_dump() | changes | changed_tools(agent, prompt))


def _endpoint(url: object) -> str:
    try:
        read_url(str(url))
    except DocumentError as error:
        raise ApiError(422, "bad_custom_llm", f"`custom_llm.url`: {error}") from error
    return str(url)


def _own_endpoint(agent: AgentConfig, custom: CustomModel) -> Json:
    url = custom.get("url")
    if not url:
        raise ApiError(422, "missing_custom_llm", "`custom-llm` needs `custom_llm.url`.")
    model, api_base = f"openai/{custom.get('model_id') or 'default'}", _endpoint(url)
    llm: Json = {"model": model, "api_base": api_base}
    if (model, api_base) != (agent.llm.model, agent.llm.api_base):
        llm["fallbacks"] = ()
    if url != agent.llm.api_base:  # the key belongs to the replaced endpoint
        # Keys of the environment are for endpoints that the operator wrote into the file.
        llm |= {"api_key_variable": None, "api_key_secret": ""}
    key = part(custom, "api_key").get("secret_id")
    return llm | ({"api_key_secret": secret_name(key)} if key else {})


def _llm(agent: AgentConfig, prompt: PromptSettings) -> Json:
    llm = agent.llm.model_dump()
    name, custom = prompt.get("llm"), prompt.get("custom_llm")
    if name == CUSTOM_LLM:
        llm |= _own_endpoint(agent, custom or {})
    elif name is not None and name not in (agent.llm.model, llm_settings(agent.llm).get("llm")):
        # The endpoint belongs to the replaced model.
        llm |= {"model": model_string(name), "api_base": None, "api_key_variable": None}
        llm["api_key_secret"] = None
    temperature = prompt.get("temperature")
    if temperature is not None:
        llm["temperature"] = temperature
    most = prompt.get("max_tokens")
    if most is not None:
        llm["max_output_tokens"] = most if most > 0 else type(agent.llm)().max_output_tokens
    backup = cast(BackupModels, part(prompt, "backup_llm_config"))
    if backup.get("preference") == "override":
        models = agent.llm.fallback_models
        known = {shown: one for one in models for shown in (one.model, protocol_name(one.model))}
        llm["fallbacks"] = [
            known.get(each) or model_string(each) for each in backup.get("order", ())
        ]
    elif backup.get("preference") == "disabled":
        llm["fallbacks"] = ()
    return llm


def _knowledge_base(
    agent: AgentConfig, prompt: PromptSettings, with_documents: WithDocuments
) -> KnowledgeBaseSection:
    section = agent.knowledge_base
    locators = prompt.get("knowledge_base")
    if locators is not None:
        section = with_documents(section, [str(each["id"]) for each in locators])
    count = part(prompt, "rag").get("max_retrieved_rag_chunks_count")
    if count is not None:
        section = section.model_copy(update={"max_passages": count})
    return section


def _turn_taking(agent: AgentConfig, sent: SentAgent) -> Json:
    turns = agent.turn_taking.model_dump()
    silence = sent.turn.get("turn_timeout")
    if silence is not None:
        turns["silence_timeout_s"] = silence if silence > 0 else None
    longest = sent.course.get("max_duration_seconds")
    if longest is not None and longest != round(agent.turn_taking.max_duration_s or -1):
        turns["max_duration_s"] = longest if longest > 0 else None
    goodbye = sent.spoken.get("max_conversation_duration_message")
    if goodbye is not None:
        turns["goodbye_message"] = goodbye
    return turns


def _languages(sent: SentAgent) -> Json | None:
    presets = sent.config.get("language_presets")
    if presets is None:
        return None
    languages: Json = {}
    for code, preset in presets.items():
        texts = part(part(preset, "overrides"), "agent")
        languages[code] = {
            "first_message": texts.get("first_message"),
            "system_prompt": part(texts, "prompt").get("prompt"),
        }
    return languages


def _access(agent: AgentConfig, sent: SentAgent) -> Json:
    access = agent.access.model_dump()
    needs_a_key, pages = sent.auth.get("enable_auth"), sent.auth.get("allowlist")
    if needs_a_key is not None:
        access["public"] = not needs_a_key
    if pages is not None:
        access["allowed_origins"] = [page["hostname"] for page in pages]
    return access | _files(agent, sent)


def _files(agent: AgentConfig, sent: SentAgent) -> Json:
    """How many files it takes; a number alone says nothing of whether it takes any."""
    wanted = cast(Json, sent.course.get("file_input") or {})
    present = agent.access.files
    enabled = present > 0 if wanted.get("enabled") is None else wanted["enabled"]
    if not enabled:
        return {"files": 0}
    return {"files": wanted.get("max_files_per_conversation") or present or DEFAULT_FILES}


def _overrides(agent: AgentConfig, sent: SentAgent) -> Json:
    allowed = sent.allowed
    spoken, prompt = part(allowed, "agent"), part(part(allowed, "agent"), "prompt")
    changes = {
        **_given(spoken, first_message="first_message", language="language"),
        **_given(prompt, prompt="system_prompt"),
        **_given(part(allowed, "tts"), voice_id="voice_id", speed="speed"),
        **_given(part(allowed, "conversation"), text_only="text_only"),
    }
    may_choose = prompt.get("llm")
    if may_choose is False:
        changes["llm"] = ()
    elif may_choose and not agent.overrides.llm:
        changes["llm"] = (
            agent.llm.model,
            *(each.model for each in agent.llm.fallback_models),
        )
    return agent.overrides.model_dump() | changes


def _privacy(agent: AgentConfig, sent: SentAgent) -> Json:
    privacy = agent.privacy.model_dump()
    days = sent.privacy.get("retention_days")
    if days is not None:
        privacy["transcripts_days"] = days if days > 0 else None
    redact = part(sent.privacy, "conversation_history_redaction").get("enabled")
    if redact is not None:
        privacy["redact"] = redact
    return privacy


def _criteria(agent: AgentConfig, sent: SentAgent) -> list[Json | BaseModel] | None:
    items = part(sent.platform, "evaluation").get("criteria")
    if items is None:
        return None
    before = {each.criterion_id: each for each in agent.criteria}
    criteria: list[Json | BaseModel] = []
    for item in items:
        known = before.get(item["id"])
        base = {} if known is None else known.model_dump()
        same = known is not None and item.get("name") == criterion_item(known).get("name")
        name = base.get("name") if same else item.get("name")
        prompt = item["conversation_goal_prompt"]
        criteria.append(base | {"criterion_id": item["id"], "name": name, "prompt": prompt})
    return criteria


def _fields(agent: AgentConfig, sent: SentAgent) -> list[Json | BaseModel] | None:
    items = sent.platform.get("data_collection")
    if items is None:
        return None
    before = {each.field_id: each for each in agent.data_collection}
    fields: list[Json | BaseModel] = []
    for field_id, item in items.items():
        known = before.get(field_id)
        asked = {name: item.get(name) for name in ("type", "description", "enum")}
        if known is not None and asked == field_item(known):
            fields.append(known)
        else:
            fields.append({"field_id": field_id, **asked, "enum": asked["enum"] or None})
    return fields


def _given(section: Mapping[str, object], **names: str) -> Json:
    """Values that were sent and are not null, under our names."""
    return {ours: section[sent] for sent, ours in names.items() if section.get(sent) is not None}


def _valid(changed: Json) -> AgentConfig:
    try:
        return AgentConfig.model_validate(
            {
                name: value.model_dump() if isinstance(value, BaseModel) else value
                for name, value in changed.items()
            }
        )
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        said = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in problems[:5]
        )
        raise ApiError(422, "invalid_agent", f"The agent cannot be like that: {said}") from error
