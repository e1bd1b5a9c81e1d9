"""Make a knowledge base again from its sources: catalog and vectors hold nothing else."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from conversation.store.tables import library_documents
from kb.document import Document, SyncReport
from kb.ingest.writer_lock import writer_lock
from kb.snapshots.changing import ANEW, clear
from orchestration.agents import LIBRARY
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest

SET_ASIDE = "replaced"
"""Folder in that of the knowledge base: what it held before, until everything was read again."""
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it."""

    report: SyncReport
    documents: tuple[Document, ...]
    set_aside: Path | None
    """What the folder held before; None when every source was read, so that nothing is missing."""


def rebuild(deployment: Deployment, agent_id: str) -> Rebuilt:
    """Read the agent's sources into a new catalog and new vectors.

    Nothing of the old files is needed; vectors of texts that are still the same are taken from the
    embedding cache. What could not be read again, e.g. a page whose server is down, is a failed
    row, and then the old files stay beside the new ones. Old versions of documents, which only the
    catalog holds, are gone. Safe to repeat after a crash at any point.
    """
    installed = deployment.agent(agent_id)
    folder = installed.knowledge_base_dir
    if deployment.settings.kb_url is not None:
        # What is live answers on every machine until the new one is.
        deployment.knowledge_base(agent_id).shared.begin_anew()
    else:
        deployment.close_knowledge_base(installed.agent.agent_id)
        set_aside(folder)
    report = ingest(deployment, agent_id)
    kept = folder / SET_ASIDE
    if kept.is_dir() and not report.count("failed"):
        shutil.rmtree(kept)
    documents = deployment.knowledge_base(agent_id).documents()
    return Rebuilt(report, tuple(documents), kept if kept.is_dir() else None)


def rebuild_library(deployment: Deployment) -> int:
    """Have every document that was handed in read again; returns their number.

    A running server does so at once, any other when it starts.
    """
    folder = deployment.settings.store / "kb" / LIBRARY
    set_aside(folder)
    shutil.rmtree(folder / SET_ASIDE, ignore_errors=True)
    with deployment.conversations.engine.begin() as connection:
        asked = connection.execute(
            update(library_documents).values(
                status="created", owner=None, updated_at=datetime.now(UTC)
            )
        )
    return asked.rowcount


def set_aside(folder: Path) -> None:
    """Move what was made of the sources out of the way; the embedding cache stays."""
    folder.mkdir(parents=True, exist_ok=True)
    with writer_lock(folder, timeout_s=_TIMEOUT_S):
        kept = folder / SET_ASIDE
        if kept.is_dir():
            # Of a run that was killed or left something unread: that is the one worth keeping.
            clear(folder, ANEW)
            return
        kept.mkdir()
        for name in ANEW:
            for path in folder.glob(f"{name}*"):
                path.replace(kept / path.name)
