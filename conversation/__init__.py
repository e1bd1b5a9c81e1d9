"""One conversation, live: what an agent is, its turns, its language models, and the durable store.

    from conversation import Session, load_agent

What stands here by name is what the package offers; it is loaded on first use. Inside are rooms:
`agent` says what an agent is, `turn` what happens in one turn (with `prompt`, `grounding`, `tools`,
`turn_taking` and `language`), `session` what holds turns together; `llm` asks models, `store`
keeps, `importing` takes in conversations from elsewhere, `voice` hears and speaks, and `server` is
all that goes over the network.
"""

from typing import TYPE_CHECKING

try:
    from kb.public_names import loaded_on_first_use
except ModuleNotFoundError as error:
    import kb

    raise ImportError(
        f"The package 'kb' of Viva Voce is hidden by {kb.__file__!r}. Rename "
        "that one, or start Python elsewhere with `python -P`."
    ) from error

if TYPE_CHECKING:
    from conversation.agent.agent_file import list_agents, load_agent, parse_agent, save_agent
    from conversation.agent.config import AgentConfig
    from conversation.agent.criteria import Criterion, DataCollectionField, Scale
    from conversation.errors import (
        AgentConfigError,
        ConversationError,
        ModelError,
        ModelOutputError,
        ModelSetupError,
        ModelUnavailableError,
        OverrideError,
        SessionEndedError,
        SpeechError,
        StoreError,
        ToolError,
        UnknownConversationError,
    )
    from conversation.importing.files import import_path
    from conversation.language.spoken_text import spoken_form
    from conversation.llm.chat_model import ChatMessage, ChatModel, Completion, CompletionOptions
    from conversation.llm.open_model import open_chat_model
    from conversation.session.driver import SessionDriver
    from conversation.session.overrides import SessionOverrides
    from conversation.session.session import Session
    from conversation.session.simulating import Persona, paired_answers, replay, simulate
    from conversation.store.store import ConversationStore
    from conversation.transcript import Citation, ToolCall, Transcript, Turn
    from conversation.turn.events import (
        AgentTurn,
        RetrievalDone,
        SessionEvent,
        TextDelta,
        ToolRequest,
    )
    from conversation.voice.call import VoiceCall
    from conversation.voice.call_events import (
        AgentAudio,
        AgentText,
        AgentTextCorrected,
        CallOver,
        DuringTurn,
        Interrupted,
        SpeechFailed,
        TentativeUserText,
        UserTurn,
        VoiceScore,
    )

__all__ = [
    "AgentAudio",
    "AgentConfig",
    "AgentConfigError",
    "AgentText",
    "AgentTextCorrected",
    "AgentTurn",
    "CallOver",
    "ChatMessage",
    "ChatModel",
    "Citation",
    "Completion",
    "CompletionOptions",
    "ConversationError",
    "ConversationStore",
    "Criterion",
    "DataCollectionField",
    "DuringTurn",
    "Interrupted",
    "ModelError",
    "ModelOutputError",
    "ModelSetupError",
    "ModelUnavailableError",
    "OverrideError",
    "Persona",
    "RetrievalDone",
    "Scale",
    "Session",
    "SessionDriver",
    "SessionEndedError",
    "SessionEvent",
    "SessionOverrides",
    "SpeechError",
    "SpeechFailed",
    "StoreError",
    "TentativeUserText",
    "TextDelta",
    "ToolCall",
    "ToolError",
    "ToolRequest",
    "Transcript",
    "Turn",
    "UnknownConversationError",
    "UserTurn",
    "VoiceCall",
    "VoiceScore",
    "import_path",
    "list_agents",
    "load_agent",
    "open_chat_model",
    "paired_answers",
    "parse_agent",
    "replay",
    "save_agent",
    "simulate",
    "spoken_form",
]

_PLACES = {
    "ChatMessage": "conversation.llm.chat_model",
    "ChatModel": "conversation.llm.chat_model",
    "Completion": "conversation.llm.chat_model",
    "CompletionOptions": "conversation.llm.chat_model",
    "open_chat_model": "conversation.llm.open_model",
    "list_agents": "conversation.agent.agent_file",
    "load_agent": "conversation.agent.agent_file",
    "parse_agent": "conversation.agent.agent_file",
    "save_agent": "conversation.agent.agent_file",
    "AgentConfig": "conversation.agent.config",
    "Criterion": "conversation.agent.criteria",
    "DataCollectionField": "conversation.agent.criteria",
    "Scale": "conversation.agent.criteria",
    "AgentConfigError": "conversation.errors",
    "ConversationError": "conversation.errors",
    "ModelError": "conversation.errors",
    "ModelOutputError": "conversation.errors",
    "ModelSetupError": "conversation.errors",
    "ModelUnavailableError": "conversation.errors",
    "OverrideError": "conversation.errors",
    "SessionEndedError": "conversation.errors",
    "StoreError": "conversation.errors",
    "ToolError": "conversation.errors",
    "UnknownConversationError": "conversation.errors",
    "import_path": "conversation.importing.files",
    "spoken_form": "conversation.language.spoken_text",
    "SessionDriver": "conversation.session.driver",
    "SessionOverrides": "conversation.session.overrides",
    "Session": "conversation.session.session",
    "Persona": "conversation.session.simulating",
    "paired_answers": "conversation.session.simulating",
    "replay": "conversation.session.simulating",
    "simulate": "conversation.session.simulating",
    "ConversationStore": "conversation.store.store",
    "Citation": "conversation.transcript",
    "ToolCall": "conversation.transcript",
    "Transcript": "conversation.transcript",
    "Turn": "conversation.transcript",
    "AgentTurn": "conversation.turn.events",
    "RetrievalDone": "conversation.turn.events",
    "SessionEvent": "conversation.turn.events",
    "TextDelta": "conversation.turn.events",
    "ToolRequest": "conversation.turn.events",
    "VoiceCall": "conversation.voice.call",
    "AgentAudio": "conversation.voice.call_events",
    "AgentText": "conversation.voice.call_events",
    "AgentTextCorrected": "conversation.voice.call_events",
    "CallOver": "conversation.voice.call_events",
    "DuringTurn": "conversation.voice.call_events",
    "Interrupted": "conversation.voice.call_events",
    "SpeechFailed": "conversation.voice.call_events",
    "TentativeUserText": "conversation.voice.call_events",
    "UserTurn": "conversation.voice.call_events",
    "VoiceScore": "conversation.voice.call_events",
    "SpeechError": "conversation.errors",
}

if not TYPE_CHECKING:
    __getattr__ = loaded_on_first_use(__name__, _PLACES)


def __dir__() -> list[str]:
    return __all__
