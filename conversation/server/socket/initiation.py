"""What a client asks for at the start: text only, overrides, variables. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from conversation.agent.config import AgentConfig
from conversation.agent.variables import VariableValue
from conversation.errors import OverrideError, VariableValueError
from conversation.language.local_time import is_zone
from conversation.server.socket.accepted_terms import AcceptedTerms, accepted_terms
from conversation.server.socket.extra_frames import DETAILS
from conversation.server.socket.frames import InitiationData
from conversation.server.socket.resume_keys import usable_key
from conversation.session.overrides import SessionOverrides

_ZONE = "system__timezone"
RESERVED = "masked_user_"
"""How the server's own names of users begin; no client calls its user so."""
MAX_VARIABLES = 100
MAX_VARIABLE_CHARS = 4_000
_OF_A_VOICE = ("tts.", "asr.")
_EVENTS = "conversation.client_events"
_TEXT_ONLY = ("conversation.text_only", "text_only")
"""Both places in use: under `conversation`, and at the top."""

OPTIONAL_EVENTS = frozenset(
    {
        *("audio", "user_transcript", "tentative_user_transcript", "vad_score"),
        *("agent_response", "agent_response_correction", "agent_chat_response_part"),
        *("interruption", "agent_tool_request", "agent_tool_response"),
    }
)
"""Left out where a session names the events that it wants, and not these. Without the metadata,
pings, calls of the client's own tools and errors no conversation can be held."""

OVERRIDES = {
    "agent.first_message": "first_message",
    "agent.language": "language",
    "agent.prompt.prompt": "system_prompt",
    "agent.prompt.llm": "llm",
    "agent.prompt.temperature": "temperature",
    "agent.prompt.max_tokens": "max_output_tokens",
    "tts.voice_id": "voice_id",
    "tts.speed": "speed",
    "asr.keywords": "keywords",
}
"""Keys of the protocol, and what sessions call them."""
_WITHOUT_EFFECT = frozenset(
    {
        "tts.model_id",
        "tts.stability",
        "tts.similarity_boost",
        "tts.clone_strength",
    }
)
"""Settings of voices that other servers have. A client that sends them with every
conversation must not lose it for what changes no word."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the client asks for."""

    text_only: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """By dotted key, e.g. `agent.prompt.prompt`; empty objects and nulls ask for nothing."""
    variables: Mapping[str, VariableValue] = field(default_factory=dict[str, VariableValue])
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    """Kept with the conversation: the client's name and version, the user's id."""
    details: bool = False
    """Whether the client understands frames beside the published protocol."""
    events: frozenset[str] | None = None
    """Names of the frames that the client asks for; None for all."""
    terms: AcceptedTerms | None = None
    without_effect: tuple[str, ...] = ()
    """What the client sent that nothing here follows, by its names."""
    resume_id: str | None = None
    """Conversation that it goes on with."""
    resume_key: str | None = None
    """Digest of the key with which it comes back."""


def wishes(data: InitiationData | None, query: Mapping[str, str]) -> Wishes:
    """What the client's first frame and its address ask for; without a frame, next to nothing.

    Args:
        data: The client's `conversation_initiation_client_data`, when it sent one in time.
        query: Parameters of the address it dialled.

    Raises:
        OverrideError: A list of events that is none, `text_only` that is neither true nor false, or
            an id of a user that reads like a name of this server.
        VariableValueError: A dynamic variable that no text can hold.
    """
    if data is not None and (data.user_id or "").startswith(RESERVED):
        raise OverrideError(f"a user_id cannot begin with {RESERVED!r}: names of this server do")
    raw = {} if data is None else data.conversation_config_override or {}
    flat = dict(_flat(raw))
    text_only = any([_is_true(flat.pop(name, False), name) for name in _TEXT_ONLY])
    events = _events(flat.pop(_EVENTS, None))
    return Wishes(
        text_only=text_only,
        events=events,
        overrides=flat,
        variables=_variables({} if data is None else data.dynamic_variables or {}),
        metadata=_metadata(data, query),
        details=data is not None and DETAILS in (data.extras or ()),
        terms=None if data is None else accepted_terms(data.accepted_terms),
        without_effect=_without_effect(data, flat),
        resume_id=query.get("resume"),
        resume_key=None if data is None else usable_key(data.resume_key),
    )


def _without_effect(data: InitiationData | None, flat: Mapping[str, Any]) -> tuple[str, ...]:
    found = sorted(key for key in flat if key in _WITHOUT_EFFECT)
    if data is not None and data.custom_llm_extra_body:
        found.append("custom_llm_extra_body")
    return tuple(found)


def _is_true(given: object, name: str) -> bool:
    if not isinstance(given, bool):
        raise OverrideError(f"{name} has to be true or false")
    return given


def _events(given: object) -> frozenset[str] | None:
    """Raises `OverrideError` for what is no list of names; those not known here name nothing."""
    if given is None:
        return None
    if not isinstance(given, list):
        raise OverrideError(f"{_EVENTS} has to be a list of names of events")
    names = cast(list[object], given)
    if not all(isinstance(name, str) for name in names):
        raise OverrideError(f"{_EVENTS} has to be a list of names of events")
    return frozenset(str(name) for name in names)


def session_overrides(asked: Wishes, agent: AgentConfig) -> SessionOverrides:
    """What the session sets for itself; whether it may is decided by the session.

    A client that can only write asks for text always, so that this alone is never refused.

    Raises:
        OverrideError: A key that no session can set, or a value that it cannot have.
    """
    wanted = {key: value for key, value in asked.overrides.items() if key not in _WITHOUT_EFFECT}
    if asked.text_only or agent.voice is None:
        wanted = {key: value for key, value in wanted.items() if not key.startswith(_OF_A_VOICE)}
    unknown = sorted(wanted.keys() - OVERRIDES.keys())
    if unknown:
        raise OverrideError(f"no session can set {', '.join(unknown)}")
    named = {OVERRIDES[key]: value for key, value in wanted.items()}
    if asked.text_only and agent.overrides.text_only:
        named["text_only"] = True
    try:
        return SessionOverrides.model_validate(named)
    except ValidationError as error:
        names = sorted({str(problem["loc"][0]) for problem in error.errors(include_input=False)})
        raise OverrideError(f"{', '.join(names)} cannot have such a value") from error


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            yield from _flat(cast(Mapping[str, Any], value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _variables(given: Mapping[str, Any]) -> dict[str, VariableValue]:
    """Values that a text can hold. Names of the system's own are not for clients to set.

    But for the time zone: a caller knows best where they are, if such a zone there is. `null` is
    no value.

    Raises:
        VariableValueError: A list, an object or a text that is too long, or too many variables.
    """
    own = {
        name: value
        for name, value in given.items()
        if value is not None
        and (not name.startswith("system__") or (name == _ZONE and is_zone(value)))
    }
    for name, value in own.items():
        if not isinstance(value, str | int | float):
            raise VariableValueError(f"{name[:64]!r} has to be a text, a number, true or false")
        if len(str(value)) > MAX_VARIABLE_CHARS:
            raise VariableValueError(f"{name[:64]!r} is longer than {MAX_VARIABLE_CHARS}")
    if len(own) > MAX_VARIABLES:
        raise VariableValueError(f"there are more than {MAX_VARIABLES} of them")
    return own


def _metadata(data: InitiationData | None, query: Mapping[str, str]) -> dict[str, str]:
    info = None if data is None else data.source_info
    found = {
        "channel": "websocket",
        "client": (info.source if info else None) or query.get("source"),
        "client_version": (info.version if info else None) or query.get("version"),
        "user_id": None if data is None else data.user_id,
    }
    return {key: value[:200] for key, value in found.items() if value}
