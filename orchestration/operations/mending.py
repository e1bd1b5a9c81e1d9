"""Files of the warehouse that were damaged: written anew from the stores, and said once."""

import logging
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from analysis.dictionary.tables import DOCUMENTS
from analysis.errors import DamagedFileError
from analysis.warehouse.finding_rows import export_findings, forget_exported_findings
from analysis.warehouse.publish import (
    PublishedReports,
    export_days,
    export_documents,
    publish,
)
from conversation.agent.config import AgentConfig
from orchestration.deployment import Deployment
from orchestration.operations.masking import redacted_conversations, redacted_evaluations

logger = logging.getLogger(__name__)


def publish_mended(
    deployment: Deployment, agents: Sequence[AgentConfig], *, whole: bool = False
) -> PublishedReports:
    """Publish; files that cannot be read are written anew first, as often as others are found.

    Raises:
        PublishError: A file cannot be read though it was written just now.
    """
    mended: set[Path] = set()
    while True:
        try:
            return publish(
                deployment.warehouse_dir,
                deployment.reports_file,
                agents,
                whole=whole,
                timezone=deployment.settings.timezone,
            )
        except DamagedFileError as error:
            if mended.issuperset(error.paths):
                raise
            mended.update(error.paths)
            _write_anew(deployment, error.paths)


def _write_anew(deployment: Deployment, paths: Collection[Path]) -> None:
    for path in paths:
        logger.warning("%s was damaged and is written anew from the stores", path)
        path.unlink(missing_ok=True)
    days = {
        date.fromisoformat(path.parent.name.removeprefix("day="))
        for path in paths
        if path.parent.name.startswith("day=")
    }
    conversations = redacted_conversations(deployment)
    evaluations = redacted_evaluations(deployment, conversations)
    # Also without a day: the versions of questions are written with it.
    for _ in export_days(
        sorted(days),
        deployment.warehouse_dir,
        conversations=conversations,
        evaluations=evaluations,
    ):
        pass
    for path in paths:
        if path.parent.parent.name == DOCUMENTS.name:
            agent_id = path.parent.name.removeprefix("part=")
            documents = deployment.knowledge_base(agent_id).documents()
            export_documents(deployment.warehouse_dir, agent_id, documents)
    forget_exported_findings(deployment.warehouse_dir)
    export_findings(deployment.warehouse_dir, deployment.evaluations)
