"""What a server needs of this deployment to make and change agents and documents."""

import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from conversation.server.agents.authoring import Authoring, KnowledgeBases
from conversation.server.agents.files import AgentRecords
from conversation.server.library.folders import Folders
from conversation.server.library.ingest_queue import IngestQueue
from conversation.server.library.library import Library
from conversation.server.records import RecordStore
from kb.document import SyncReport
from kb.knowledge_base import KnowledgeBase
from orchestration.deployment import Deployment
from orchestration.errors import UnknownAgentError
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.reading_ahead import reading_summary
from orchestration.schedule.done_elsewhere import note_ingested

_log = logging.getLogger(__name__)


def open_authoring(
    deployment: Deployment,
    *,
    open_knowledge_base: Callable[[str], KnowledgeBase],
    delete_knowledge_base: Callable[[str], object],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Authoring:
    """The parts of a deployment that change over the network.

    Args:
        deployment: Opened; whoever opened it closes it, and closes what this returns before.
        open_knowledge_base: The one of an agent, from any thread.
        delete_knowledge_base: Likewise.
        clock: The time.
    """
    engine = deployment.conversations.engine
    records = RecordStore(engine)

    def leave_nothing(agent_id: str, folder: Path) -> None:
        """Of an agent that was deleted while its documents were read."""
        try:
            deployment.agent(agent_id)
        except UnknownAgentError:
            deployment.close_knowledge_base(agent_id)
            shutil.rmtree(folder, ignore_errors=True)

    def sync(agent_id: str) -> SyncReport:
        # The machine that asks for it may be another one, and it asks right after its change.
        deployment.follow_agents(at_once=True)
        folder = deployment.agent(agent_id).knowledge_base_dir
        try:
            return read_documents(agent_id, folder)
        finally:
            leave_nothing(agent_id, folder)

    def read_documents(agent_id: str, folder: Path) -> SyncReport:
        # Opened under the lock of the server; what follows takes as long as it takes.
        open_knowledge_base(agent_id)
        report = ingest(deployment, agent_id)
        note_ingested(deployment.settings, agent_id)
        # Minutes, which nobody who adds a document has to wait for.
        of_agent = (agent_id, folder)
        Thread(target=read_prompt, args=of_agent, name="reading-ahead", daemon=True).start()
        return report

    def read_prompt(agent_id: str, folder: Path) -> None:
        try:
            said = reading_summary(deployment, agent_id)
        except Exception as error:  # the server ends, or the agent is gone
            said = f"its prompt was not read ahead: {type(error).__name__}"
        leave_nothing(agent_id, folder)
        if said is not None:
            _log.info("agent %r: %s", agent_id, said)

    return Authoring(
        AgentRecords(
            deployment.settings.agents_dir,
            engine,
            versions=deployment.conversations.agent_versions,
            copies=deployment.agent_copies,
        ),
        Library(
            engine,
            deployment.library_dir,
            open_index=deployment.open_library,
            uploads=deployment.uploads,
        ),
        queue=IngestQueue(engine),
        knowledge_bases=KnowledgeBases(
            open=open_knowledge_base, sync=sync, delete=delete_knowledge_base
        ),
        folders=Folders(records),
        api_records=records,
        clock=clock,
        find_tool=lambda tool_id: records.get("tool", tool_id),
    )
