"""The server of this deployment: its agents, stores and limits behind `conversation.server`."""

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fastapi import FastAPI

from conversation.agent.agent_file import AGENT_FILE_SUFFIXES
from conversation.agent.config import AgentConfig, LLMConfig
from conversation.errors import AgentConfigError, ConversationError
from conversation.llm.chat_model import ChatModel
from conversation.llm.providers.litellm_model import warm_litellm
from conversation.server.app import make_app
from conversation.server.context import ServerContext
from conversation.server.errors import NoSuchAgentError
from conversation.server.keys.stored_secrets import SecretValues
from conversation.server.limits import ServerLimits
from kb.errors import KnowledgeBaseError
from kb.knowledge_base import KnowledgeBase
from orchestration.agent_versions import note_versions
from orchestration.agents import agent_listings, installed_agent
from orchestration.deployment import Deployment
from orchestration.server.after_conversations import DeployedAfterCalls
from orchestration.server.authoring import open_authoring
from orchestration.server.routers import own_routers
from orchestration.server.voices import DeployedVoices

SDK_SCRIPT = Path("page", "sdk.js")
"""Below the store: where the published JavaScript SDK is looked for, as one script."""

_log = logging.getLogger(__name__)

FolderState = tuple[tuple[str, int, int], ...]


class DeployedAgents:
    """The agents of a deployment. Files are read again when they change, not at every request."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lock = threading.RLock()
        """The deployment opens models and knowledge bases; two threads would open them twice."""
        self._state: FolderState | None = None
        self._found: dict[str, AgentConfig] = {}
        self._broken: dict[str, str] = {}
        """Why a file cannot be used, by the id that it would have."""

    def agent(self, agent_id: str) -> AgentConfig:
        """The agent as its file stands now.

        Raises:
            NoSuchAgentError: No file has this id.
            AgentConfigError: Its file cannot be used.
        """
        with self._lock:
            self._read_what_changed()
            found = self._found.get(agent_id)
            if found is None:
                # Nothing is read for it: how long that takes would tell which agents there are.
                if agent_id in self._broken:
                    raise AgentConfigError(self._broken[agent_id])
                raise NoSuchAgentError(f"There is no agent {agent_id[:64]!r}.")
            return found

    def agents(self) -> Sequence[AgentConfig]:
        """Every agent that can be used."""
        with self._lock:
            self._read_what_changed()
            return list(self._found.values())

    def knowledge_base(self, agent: AgentConfig) -> KnowledgeBase:
        """What the agent answers from."""
        with self._lock:
            return self._deployment.knowledge_base(agent.agent_id, warm_up=True)

    def knowledge_base_of(self, agent_id: str) -> KnowledgeBase:
        """What the agent with this id answers from."""
        with self._lock:
            return self._deployment.knowledge_base(agent_id)

    def delete_knowledge_base(self, agent_id: str) -> None:
        """Delete what was ingested for the agent."""
        with self._lock:
            self._deployment.delete_knowledge_base(agent_id)

    def warm_up(self) -> None:
        """Load what the first conversation with each agent needs; see `WarmingAgents`."""
        agents = self.agents()
        if any(not agent.llm.model.startswith("embedded/") for agent in agents):
            warm_litellm()
        for agent in agents:
            # What goes wrong is told with the first turn.
            with suppress(ConversationError, KnowledgeBaseError):
                self.chat_model(agent.llm)
                self.knowledge_base(agent)
        self._deployment.wait_for_warming()

    def chat_model(self, llm: LLMConfig) -> ChatModel:
        """The language model with its fallbacks."""
        with self._lock:
            return self._deployment.chat_model(llm)

    def _read_what_changed(self) -> None:
        settings = self._deployment.settings
        self._deployment.follow_agents()
        state = _folder_state(settings.agents_dir)
        if state == self._state:
            return
        rows = agent_listings(settings)
        note_versions(self._deployment, rows)
        self._found = {
            row.agent.agent_id: installed_agent(row.path, settings).agent
            for row in rows
            if row.agent is not None
        }
        broken = {row.path.stem: row.error or "It cannot be used." for row in rows if not row.agent}
        for agent_id, error in broken.items():
            if self._broken.get(agent_id) != error:
                # Once, and not to whoever asks for it: strangers hear nothing of it.
                _log.error("agent %r cannot be used: %s", agent_id, error)
        self._broken = broken
        self._state = state


def create_app(
    deployment: Deployment,
    *,
    limits: ServerLimits | None = None,
    public_url: str | None = None,
) -> FastAPI:
    """The ASGI app of a deployment; its `state.context` is the server's context.

    Args:
        deployment: Opened; whoever opened it closes it after the server has stopped.
        limits: What one client may have; None for the defaults.
        public_url: Where clients reach the server, when a proxy changes that.

    Raises:
        StoreError: The store cannot be opened.
    """
    agents = DeployedAgents(deployment)
    stored = deployment.handed_in_secrets
    context = ServerContext(
        agents=agents,
        store=deployment.conversations,
        limits=limits or ServerLimits(),
        public_url=public_url,
        secrets=SecretValues(deployment.secrets, stored),
        stored_secrets=stored,
        voices=DeployedVoices(deployment),
        recordings=deployment.recordings,
        after_calls=DeployedAfterCalls(deployment),
        webhook_networks=deployment.settings.allowed_webhook_networks,
        sdk_script=deployment.settings.store / SDK_SCRIPT,
        authoring=open_authoring(
            deployment,
            open_knowledge_base=agents.knowledge_base_of,
            delete_knowledge_base=agents.delete_knowledge_base,
        ),
    )
    return make_app(context, routers=own_routers(deployment))


def _folder_state(folder: Path) -> FolderState:
    if not folder.is_dir():
        raise AgentConfigError(
            f"There is no folder {str(folder)!r} to look for agents in. Create it and put one YAML "
            "file per agent there, or set VIVAVOCE_DATA_DIR to the folder that holds `agents`."
        )
    found = [
        (path.name, stat.st_mtime_ns, stat.st_size)
        for path in folder.iterdir()
        if path.suffix in AGENT_FILE_SUFFIXES
        for stat in (path.stat(),)
    ]
    return tuple(sorted(found))
