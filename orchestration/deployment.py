"""What the settings point at, opened on first use and shared until closed.

Commands, Dagster assets and servers all get their parts here, so that a run loads a model once.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.models.llm_config import FallbackLLM
from conversation.errors import AgentConfigError
from conversation.llm.limits.contexts import parse_contexts
from conversation.llm.limits.own_prices import parse_prices
from conversation.llm.limits.traffic import parse_limits
from conversation.server.access.client_endpoints import endpoints_from_clients
from conversation.server.keys.stored_secrets import KeptSecrets, SecretValues
from conversation.server.library.uploads import SharedUploads
from kb.closing import ClosedAtTheEnd
from kb.errors import KnowledgeBaseError
from orchestration.agents import (
    LIBRARY,
    InstalledAgent,
    find_agent,
    knowledge_base_config,
    library_config,
)
from orchestration.errors import UnknownAgentError
from orchestration.lost_store import refuse_lost_store
from orchestration.secrets import kept_secrets, read_secrets
from orchestration.settings import Settings
from orchestration.sharing.shared_knowledge import SharedKnowledge, shared_options

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from analysis.store.store import AnalysisStore
    from analysis.warehouse.lake_opening import Lake
    from conversation.llm.chat_model import ChatModel
    from conversation.store.shared_files import MirroredFolder
    from conversation.store.store import ConversationStore
    from conversation.turn.speaker import ResolvedAgent
    from conversation.voice.recording.kept_calls import KeptCalls
    from kb.knowledge_base import KnowledgeBase
    from kb.weights.folder import Weights
    from kb.weights.progress import ProgressReporter

SECRETS_FILE = "secrets.json"
"""Beside the stores: what was handed in over the API."""


class ProgressCallback(Protocol):
    """Told how far a piece of work is."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """`done` of `total` in `stage`, a plural such as `documents`."""
        ...


class Deployment(ClosedAtTheEnd):
    """The stores, models and knowledge bases of one installation."""

    def __init__(
        self,
        settings: Settings,
        *,
        progress: ProgressCallback = lambda _stage, _done, _total: None,
        weights_progress: ProgressReporter | None = None,
        adapt_sources: Callable[[AgentConfig], AgentConfig] = lambda agent: agent,
        open_model: Callable[..., ChatModel] | None = None,
        open_knowledge_base: Callable[..., KnowledgeBase] | None = None,
    ) -> None:
        """Remember where things are; nothing is opened yet.

        Args:
            settings: Where things are.
            progress: Told how far long work is.
            weights_progress: Told about downloads; None for a bar or lines on standard error.
            adapt_sources: Changes what an agent's knowledge base is read from, e.g. the port
                that a sample link points to. Conversations are held with the unchanged agent.
            open_model: As `open_chat_model`, which None means.
            open_knowledge_base: As `KnowledgeBase.open`, which None means.
        """
        self.settings = settings
        self.progress = progress
        self._weights_progress = weights_progress
        self._adapt_sources = adapt_sources
        self._open_model = open_model or _open_model
        self._open_knowledge_base = open_knowledge_base or _open_knowledge_base
        self._knowledge_bases: dict[str, KnowledgeBase] = {}
        self._warming: list[threading.Thread] = []
        self._chat_models: dict[tuple[str | FallbackLLM | None, ...], ChatModel] = {}

    def __enter__(self) -> Self:
        self.follow_agents(at_once=True)
        return self

    def close(self) -> None:
        """Close what was opened."""
        self.wait_for_warming()
        while self._knowledge_bases:
            self._knowledge_bases.popitem()[1].close()
        self.__dict__.pop("agent_copies", None)
        if shared := self.__dict__.pop("_shared", None):
            shared.close()
        for opened in ("conversations", "evaluations"):
            if opened in self.__dict__:
                self.__dict__.pop(opened).close()
        self._chat_models.clear()

    @property
    def reports_file(self) -> Path:
        """The published DuckDB file."""
        return self.settings.reports_file

    @property
    def warehouse_dir(self) -> Path:
        """Folder of the Parquet partitions that the reports are built from."""
        return self.settings.store / "warehouse"

    @property
    def copies_dir(self) -> Path:
        """Folder of the copies of documents that lie at addresses."""
        return self.settings.store / "files"

    @property
    def library_dir(self) -> Path:
        """Folder of files that were uploaded over the network."""
        return self.settings.store / "library"

    @cached_property
    def uploads(self) -> SharedUploads | None:
        """Where those files are for all machines; None where they are on this one alone."""
        url = self.settings.kb_url
        return None if url is None else SharedUploads(f"{url.rstrip('/')}/{LIBRARY}-files")

    @property
    def lake(self) -> Lake | None:
        """The lake that reports are written to as well; None keeps them in the file alone."""
        url = self.settings.warehouse_url
        if url is None:
            return None
        from analysis.warehouse.lake_opening import Lake

        return Lake(
            url, self.settings.warehouse_data or str(self.settings.store.resolve() / "lake")
        )

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of conversations and evaluations."""
        if self.settings.store_url is not None:
            return self.settings.store_url
        return f"sqlite:///{self.settings.store.resolve() / 'conversations.sqlite'}"

    @cached_property
    def weights(self) -> Weights:
        """Model files."""
        from kb.weights.folder import Weights

        return Weights(
            self.settings.weights_dir, self.settings.weights_source_names, self._weights_progress
        )

    @cached_property
    def conversations(self) -> ConversationStore:
        """The durable store of conversations."""
        from conversation.store.store import ConversationStore

        refuse_lost_store(self.store_url, self.warehouse_dir)
        return ConversationStore.open(self.store_url)

    @cached_property
    def recordings(self) -> KeptCalls:
        """The sound of calls."""
        # Sound needs numpy, and most commands need no sound.
        from conversation.voice.recording.kept_calls import FOLDER, KeptCalls
        from conversation.voice.recording.shared_calls import SharedCalls

        folder, url = self.settings.store / FOLDER, self.settings.recordings_url
        return KeptCalls(folder) if url is None else SharedCalls(folder, url)

    @cached_property
    def evaluations(self) -> AnalysisStore:
        """The durable store of evaluations."""
        from analysis.store.store import AnalysisStore

        refuse_lost_store(self.store_url, self.warehouse_dir)
        return AnalysisStore.open(self.store_url)

    @property
    def engine(self) -> Engine:
        """Of the database with both stores, whose tables are all there."""
        _ = self.evaluations
        return self.conversations.engine

    @cached_property
    def secrets(self) -> dict[str, str]:
        """For headers of webhooks, by name.

        Raises:
            SettingsError: The file cannot be used.
        """
        return read_secrets(self.settings.secrets_file)

    @cached_property
    def handed_in_secrets(self) -> KeptSecrets:
        """Those of the API: of this machine, or of all of them where they are sealed with a key.

        Raises:
            StoreError: The key cannot be used.
        """
        file = self.settings.store / SECRETS_FILE
        return kept_secrets(file, self.settings.secrets_key_file, lambda: self.conversations)

    def resolved_agent(self, agent_id: str) -> ResolvedAgent:
        """The agent as a conversation is handed over to it.

        Raises:
            AgentConfigError: There is no such agent, or its file cannot be used.
        """
        from conversation.turn.speaker import ResolvedAgent

        try:
            agent = self.agent(agent_id).agent
        except UnknownAgentError as error:
            raise AgentConfigError(str(error)) from error
        return ResolvedAgent(agent, self.knowledge_base(agent_id), self.chat_model(agent.llm))

    def agent(self, agent_id: str) -> InstalledAgent:
        """The agent with this id, as its file stands now."""
        self.follow_agents()
        try:
            return find_agent(agent_id, self.settings)
        except UnknownAgentError:
            if self.agent_copies is None:
                raise
        # Another machine may have made it this very second.
        self.follow_agents(at_once=True)
        return find_agent(agent_id, self.settings)

    @cached_property
    def agent_copies(self) -> MirroredFolder | None:
        """Agent files that all machines have in common; None where each has its own."""
        if not self.settings.agents_shared:
            return None
        from orchestration.sharing.agent_copies import agent_copies

        return agent_copies(self.settings.agents_dir, self.conversations.engine)

    def follow_agents(self, *, at_once: bool = False) -> None:
        """Have this machine's agent files follow those that all machines have in common.

        It looks once a second at most, unless it is to look at once.
        """
        if self.agent_copies is not None:
            self.agent_copies.follow(at_once=at_once)

    def sources(self, agent_id: str) -> AgentConfig:
        """The agent whose `knowledge_base` section says what to ingest."""
        return self._adapt_sources(self.agent(agent_id).agent)

    def knowledge_base(self, agent_id: str, *, warm_up: bool = False) -> KnowledgeBase:
        """The agent's knowledge base; with `warm_up`, models load beside whatever follows."""
        installed = self.agent(agent_id)
        found = self._knowledge_bases.get(installed.agent.agent_id)
        if found is None:
            config = knowledge_base_config(installed.agent, self.settings)
            found = self._open_knowledge_base(
                installed.knowledge_base_dir,
                config,
                weights=self.weights,
                **shared_options(self._shared, installed.agent.agent_id),
            )
            self._knowledge_bases[installed.agent.agent_id] = found
            if warm_up:
                self._warm_up(found)
        return found

    def open_library(self) -> KnowledgeBase:
        """Open the knowledge base that documents handed in over the network are read into.

        Its name is none that an agent can have.
        """
        config = library_config(self.settings)
        folder = self.settings.store / "kb" / LIBRARY
        shared = shared_options(self._shared, LIBRARY)
        return self._open_knowledge_base(folder, config, weights=self.weights, **shared)

    @cached_property
    def _shared(self) -> SharedKnowledge | None:
        """Where knowledge bases are shared; None keeps each in a folder of this machine."""
        url = self.settings.kb_url
        return None if url is None else SharedKnowledge(url, self.conversations.engine)

    def close_knowledge_base(self, agent_id: str) -> None:
        """Let go of the agent's knowledge base; the next that asks for it opens it anew."""
        self.wait_for_warming()
        opened = self._knowledge_bases.pop(agent_id, None)
        if opened is not None:
            opened.close()

    def delete_knowledge_base(self, agent_id: str) -> None:
        """Delete everything that was ingested for the agent; its sources stay."""
        installed = self.agent(agent_id)
        if self._shared is not None:
            self.knowledge_base(agent_id).shared.delete_all()
        self.close_knowledge_base(installed.agent.agent_id)
        if installed.knowledge_base_dir.is_dir():
            shutil.rmtree(installed.knowledge_base_dir)

    def chat_model(self, llm: LLMConfig) -> ChatModel:
        """The language model of an agent, with its fallbacks."""
        api_key = self._api_key(llm)
        key = (llm.model, llm.api_base, llm.api_key_variable, api_key, *llm.fallbacks)
        if key not in self._chat_models:
            self._chat_models[key] = self._open_model(
                llm.model,
                api_base=llm.api_base,
                api_key_variable=llm.api_key_variable,
                **({} if api_key is None else {"api_key": api_key}),
                fallbacks=llm.fallbacks,
                weights=self.weights,
                limits=parse_limits(self.settings.llm_limits),
                contexts=parse_contexts(self.settings.llm_contexts),
                prices=parse_prices(self.settings.llm_prices),
            )
        return self._chat_models[key]

    def price_usd(self, model: str, input_tokens: int, output_tokens: int) -> float | None:
        """What tokens of a model cost by the settings, else by litellm's table."""
        own = parse_prices(self.settings.llm_prices).get(model)
        if own is not None:
            return own.of(input_tokens, output_tokens)
        from conversation.llm.providers.prices import price_usd

        return price_usd(model, input_tokens, output_tokens)

    def _api_key(self, llm: LLMConfig) -> str | None:
        """What the endpoint of `llm` gets; None for what the environment has."""
        if llm.api_key_secret is None:
            return "" if self._is_from_a_client(llm) else None
        if not llm.api_key_secret:
            return llm.api_key_secret
        found = SecretValues(self.secrets, self.handed_in_secrets).get(llm.api_key_secret)
        if found is None:
            raise AgentConfigError(
                f"The model {llm.model!r} needs the secret {llm.api_key_secret!r}, which is not "
                "there. Hand it in over the API, or write it into VIVAVOCE_SECRETS_FILE."
            )
        return found

    def _is_from_a_client(self, llm: LLMConfig) -> bool:
        """Whether the endpoint was set over the API once, and no key was named for it since."""
        if llm.api_base is None or llm.api_key_variable is not None:
            return False
        return llm.api_base in endpoints_from_clients(self.conversations.engine)

    def _warm_up(self, knowledge_base: KnowledgeBase) -> None:
        def load() -> None:
            # What goes wrong is told with the first turn.
            with suppress(KnowledgeBaseError):
                knowledge_base.warm_up()

        thread = threading.Thread(target=load, name="warm-up", daemon=True)
        # Started first: whoever closes meanwhile on another thread waits for all that stand there.
        thread.start()
        self._warming.append(thread)

    def wait_for_warming(self) -> None:
        """Wait until models that load beside are there."""
        while self._warming:
            self._warming.pop().join()


# What commands open that need no model and no report takes a second to import.
def _open_model(*arguments: Any, **options: Any) -> ChatModel:
    from conversation.llm.open_model import open_chat_model

    return open_chat_model(*arguments, **options)


def _open_knowledge_base(*arguments: Any, **options: Any) -> KnowledgeBase:
    from kb.knowledge_base import KnowledgeBase

    return KnowledgeBase.open(*arguments, **options)
