"""What a session is given, as it is stored and used."""

from collections.abc import Callable, Mapping

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.variables import VariableValue
from conversation.language.local_time import TIMEZONE_KEY
from conversation.language.spoken_text import spoken_form
from conversation.llm.chat_model import ChatModel
from conversation.llm.open_model import open_chat_model
from conversation.session.overrides import SessionOverrides
from conversation.transcript import Transcript, storable
from conversation.turn.speaker import Circumstances
from kb.weights.folder import Weights


def opening_transcript(
    config: AgentConfig,
    circumstances: Circumstances,
    *,
    metadata: Mapping[str, str] | None,
    overrides: SessionOverrides | None,
    simulated: bool,
) -> Transcript:
    """The conversation before anything was said."""
    return Transcript(
        conversation_id=circumstances.conversation_id,
        agent_id=config.agent_id,
        status="in_progress",
        started_at=circumstances.started_at,
        agent_version=config.version,
        simulated=simulated,
        metadata=_with_zone(metadata or {}, config, circumstances.variables),
        variables=_kept(circumstances.variables),
        overrides=_kept(overrides.set_values()) if overrides else {},
    )


def said_for(text: str, agent: AgentConfig) -> str | None:
    """What the agent's voice says for `text`; None when it says the text itself, or has none."""
    if agent.voice is None:
        return None
    form = spoken_form(text, agent.language)
    return None if form == " ".join(text.split()) else form


def model_opener(
    weights: Weights | None, secrets: Mapping[str, str]
) -> Callable[[LLMConfig], ChatModel]:
    """Opens the model that an agent asks for, with the keys that this session was given."""
    return lambda llm: open_chat_model(
        llm.model,
        api_base=llm.api_base,
        api_key_variable=llm.api_key_variable,
        api_key=secrets.get(name, "") if (name := llm.api_key_secret) is not None else None,
        fallbacks=llm.fallbacks,
        weights=weights,
    )


def _with_zone(
    metadata: Mapping[str, str], agent: AgentConfig, variables: Mapping[str, VariableValue]
) -> dict[str, str]:
    """Keep the time zone that a conversation is held in with it, for whoever judges it later."""
    zone = str(variables.get("system__timezone", agent.timezone))
    return {**({} if zone == "UTC" else {TIMEZONE_KEY: zone}), **metadata}


def _kept(values: Mapping[str, VariableValue]) -> dict[str, VariableValue]:
    """Values by name as the store can hold them."""
    return {
        storable(name): storable(value) if isinstance(value, str) else value
        for name, value in values.items()
    }
