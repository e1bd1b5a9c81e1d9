"""An agent's knowledge base brought to what the agent's file names."""

import logging
import os
from pathlib import Path

from analysis.warehouse.publish import export_documents
from kb.document import SyncReport
from orchestration.deployment import Deployment
from orchestration.knowledge.remote_files import is_remote, mirror
from orchestration.knowledge.sources import sources

logger = logging.getLogger(__name__)


def ingest(deployment: Deployment, agent_id: str) -> SyncReport:
    """Bring an agent's knowledge base to what its file names, and note the document versions."""
    installed = deployment.agent(agent_id)
    knowledge_base = deployment.knowledge_base(agent_id)
    remote = filter(is_remote, deployment.sources(agent_id).knowledge_base.files)
    for found in mirror(remote, deployment.copies_dir):
        if found.problem is not None:
            logger.warning("files of %s: %s", installed.agent.agent_id, found.problem)
    _bring_uploads(deployment, agent_id)
    wanted = sources(deployment, agent_id)
    report = knowledge_base.sync(wanted, progress=deployment.progress)
    export_documents(deployment.warehouse_dir, installed.agent.agent_id, knowledge_base.documents())
    return report


def _bring_uploads(deployment: Deployment, agent_id: str) -> None:
    """Have files that the agent names and another machine was given lie here, as they are now."""
    if deployment.uploads is None:
        return
    folder = deployment.library_dir.resolve()
    for entry in deployment.sources(agent_id).knowledge_base.files:
        if is_remote(entry):
            continue
        path = Path(os.path.normpath(deployment.agent(agent_id).path.parent.resolve() / entry))
        if path.is_relative_to(folder):
            deployment.uploads.bring(path.relative_to(folder).as_posix(), path)
