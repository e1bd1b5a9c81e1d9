"""Which language models agents here use. Any other model string can be written as well."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from conversation.agent.config import AgentConfig
from conversation.llm.providers.litellm_model import known_context_tokens
from conversation.server.access.admission import require
from conversation.server.context import Context
from conversation.server.keys.api_keys import ApiKey

router = APIRouter(prefix="/v1/convai/llm", tags=["agents"])

CanRead = Annotated[ApiKey, Depends(require("read"))]


class KnownModel(BaseModel):
    """A model, by its model string."""

    llm: str
    is_checkpoint: bool = False
    max_tokens_limit: int
    """What the agents let it write at most, tokens."""
    max_context_limit: int
    """What it reads at once, tokens; 0 where nobody knows."""
    supports_image_input: bool = False
    supports_document_input: bool = False
    supports_parallel_tool_calls: bool = False
    """False: this server asks for one thing at a time."""
    available_service_tiers: list[str] = []
    agent_ids: list[str]
    """Who uses it."""


class KnownModels(BaseModel):
    """The models of all agents, their fallbacks and what conversations may choose."""

    llms: list[KnownModel]
    default_deprecation_config: dict[str, int] = {
        "warning_start_days": 0,
        "fallback_start_days": 0,
        "fallback_complete_days": 0,
        "fallback_start_percentage": 0,
        "fallback_complete_percentage": 0,
    }
    """Nothing is withdrawn here; it is there because clients read it."""


@router.get("/list", operation_id="list_models")
def list_models(context: Context, _key: CanRead) -> KnownModels:
    """The models that agents of this server are set to. Others are free to be named too."""
    used: dict[str, list[AgentConfig]] = {}
    for agent in context.agents.agents():
        fallbacks = (each.model for each in agent.llm.fallback_models)
        for name in dict.fromkeys((agent.llm.model, *fallbacks, *agent.overrides.llm)):
            used.setdefault(name, []).append(agent)
    return KnownModels(llms=[_known(name, agents) for name, agents in sorted(used.items())])


def _known(name: str, agents: list[AgentConfig]) -> KnownModel:
    return KnownModel(
        llm=name,
        max_tokens_limit=max(agent.llm.max_output_tokens for agent in agents),
        max_context_limit=_context_tokens(name),
        agent_ids=[agent.agent_id for agent in agents],
    )


def _context_tokens(name: str) -> int:
    try:
        found: Any = known_context_tokens(name)
    except Exception:  # its weights are not there yet, or its provider is not known
        return 0
    return found or 0
