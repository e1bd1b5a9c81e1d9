"""What is wrong with this deployment and what to do about it: one finding for each part."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from analysis.errors import AnalysisError
from analysis.reports import open_reports
from conversation.agent.agent_file import AgentListing
from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.criteria import CODE_JUDGE
from conversation.agent.models.judges import panel_members
from conversation.errors import ConversationError
from conversation.store.listing.word_index import INSTALL, IndexState, word_index_state
from kb.config import EmbeddingConfig, IndexConfig
from kb.errors import KnowledgeBaseError
from orchestration.agents import agent_listings
from orchestration.checks.knowledge_base import (
    chunk_count_problems,
    limit_problems,
    unrenewed_documents,
)
from orchestration.deployment import Deployment
from orchestration.errors import OrchestrationError
from orchestration.knowledge.sources import unread_sources
from orchestration.processes.daemon_state import SEEN_WITHIN, last_sign_of_life
from orchestration.processes.private_files import close_to_others, open_to_others

State = Literal["ok", "warning", "failed"]

SPARE_BYTES = 2 * 10**9
"""A store with less room than this is close to refusing conversations."""
EMBEDDED = "embedded/"
_PLACE_REMEDY = (
    "Free some room, change its permissions, or keep run-time state elsewhere with "
    "VIVAVOCE_STORE_DIR."
)
_MAKE_INDEX = "Run `vivavoce retention`, or let the schedule `daily_retention` make it tonight."
_WITHOUT_INDEX: dict[IndexState, tuple[str, str]] = {
    "missing": ("there is none", _MAKE_INDEX),
    "invalid": ("it is invalid: making it was broken off, or goes on just now", _MAKE_INDEX),
    "not allowed": (
        "PostgreSQL's extension pg_trgm is missing, and this role may not install it",
        f"Run `{INSTALL}` in this database as a superuser; the next night makes the index.",
    ),
    "not there": (
        "PostgreSQL's extension pg_trgm is not on its server",
        "Install the server's package of extensions (`apt-get install postgresql-contrib`, or as "
        "your provider says); the next night makes the index.",
    ),
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One part of the deployment."""

    part: str
    state: State
    told: str
    """What was found, in a sentence."""
    remedy: str = ""
    """What to do; empty when nothing has to be done."""


def examine(deployment: Deployment) -> Iterator[Diagnosis]:
    """Look at every configured part, the cheap ones first. Nothing is fetched.

    Nothing is changed either, but that others lose their rights to what the store folder holds.
    One part that cannot be looked at is a finding; the others are looked at all the same.
    """
    yield from _looked_at("store folder", lambda: [_store_folder(deployment.settings.store)])
    yield from _looked_at("private files", lambda: [_private_files(deployment.settings.store)])
    yield from _looked_at("store", lambda: [_store(deployment)])
    yield from _looked_at("index of words", lambda: _word_index(deployment))
    listings = agent_listings(deployment.settings) if _has_agents(deployment) else []
    yield from _agent_files(deployment, listings)
    # With the settings that replace a model applied.
    agents = [deployment.agent(row.agent.agent_id).agent for row in listings if row.agent]
    yield from _looked_at("vectors", lambda: [_vectors(deployment)])
    yield from _looked_at("embedding model", lambda: _embedding_weights(deployment))
    for agent in agents:
        part = f"documents of {agent.agent_id}"
        yield from _looked_at(
            part, lambda agent=agent, part=part: _documents(deployment, agent, part)
        )
    for model, users in sorted(_models(deployment, agents).items()):
        part = f"model {model}"
        yield from _looked_at(
            part, lambda model=model, users=users, part=part: _model(deployment, model, users, part)
        )
    yield from _looked_at("reports", lambda: [_reports(deployment)])
    yield from _looked_at("dagster", lambda: [_dagster(deployment, datetime.now(UTC))])


def _looked_at(part: str, look: Callable[[], list[Diagnosis]]) -> list[Diagnosis]:
    try:
        return look()
    except (KnowledgeBaseError, ConversationError, AnalysisError, OrchestrationError) as error:
        return [Diagnosis(part, "failed", str(error))]
    except OSError as error:
        where = f"{os.fspath(error.filename)!r}" if error.filename else "a file"
        told = f"{where} cannot be used: {error.strerror or error}"
        return [Diagnosis(part, "failed", told, _PLACE_REMEDY)]


def _private_files(folder: Path) -> Diagnosis:
    closed, left = close_to_others(open_to_others(folder))
    if left:
        return Diagnosis(
            "private files",
            "failed",
            f"others can open {len(left):,} files of {str(folder)!r}, e.g. {str(left[0])!r}",
            "Run this as the user whose files they are, or take the rights of others away.",
        )
    told = "nobody else can open what is kept"
    if closed:
        told = f"others could open {closed:,} files and folders; their rights were taken away"
    return Diagnosis("private files", "ok", told)


def _store_folder(folder: Path) -> Diagnosis:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        # A place without room takes a name all the same.
        file.write(b"room")
    free = shutil.disk_usage(folder).free
    told = f"{str(folder)!r} can be written; {free / 1e9:.1f} GB are free"
    if free < SPARE_BYTES:
        return Diagnosis(
            "store folder",
            "warning",
            told,
            "Free some room, or set VIVAVOCE_STORE_DIR to a larger disk.",
        )
    return Diagnosis("store folder", "ok", told)


def _store(deployment: Deployment) -> Diagnosis:
    kind = deployment.store_url.partition(":")[0].partition("+")[0]
    count = deployment.conversations.count()
    deployment.evaluations.evaluations([])
    return Diagnosis(
        "store", "ok", f"{kind} answers, its schema is up to date; conversations: {count}"
    )


def _word_index(deployment: Deployment) -> list[Diagnosis]:
    engine = deployment.conversations.engine
    state = word_index_state(engine)
    if engine.dialect.name == "sqlite":
        return []
    if state == "usable":
        return [Diagnosis("index of words", "ok", "PostgreSQL finds words by its index")]
    why, remedy = _WITHOUT_INDEX[state]
    told = f"{why}, so lists by words look at conversations one by one"
    return [Diagnosis("index of words", "warning", told, remedy)]


def _has_agents(deployment: Deployment) -> bool:
    return deployment.settings.agents_dir.is_dir()


def _agent_files(deployment: Deployment, listings: list[AgentListing]) -> Iterator[Diagnosis]:
    broken = [row for row in listings if row.agent is None]
    for row in broken:
        yield Diagnosis(
            f"agent file {row.path.name}",
            "failed",
            row.error or "it cannot be read",
        )
    usable = [row.agent.agent_id for row in listings if row.agent is not None]
    if usable:
        yield Diagnosis("agent files", "ok", f"{len(usable)} can be used: {', '.join(usable)}")
    else:
        yield Diagnosis(
            "agent files",
            "warning",
            f"no agent file in {str(deployment.settings.agents_dir)!r} can be used",
            "Write one (README, section on agents), or set VIVAVOCE_DATA_DIR.",
        )


def _vectors(deployment: Deployment) -> Diagnosis:
    url = deployment.settings.chroma_url
    if url is None:
        return Diagnosis("vectors", "ok", "Chroma runs inside each process")
    from kb.index.chroma_index import ChromaClient

    try:
        with tempfile.TemporaryDirectory() as unused:
            ChromaClient(Path(unused), IndexConfig(chroma_url=url)).close()
    except KnowledgeBaseError as error:
        return Diagnosis(
            "vectors",
            "failed",
            str(error.__cause__ or error),
            f"Start the Chroma server that "
            f"VIVAVOCE_CHROMA_URL={url} names, or unset it to keep vectors in the process.",
        )
    return Diagnosis("vectors", "ok", f"the Chroma server at {url} answers")


def _embedding_weights(deployment: Deployment) -> list[Diagnosis]:
    return [_weights(deployment, EmbeddingConfig().model, "embedding model")]


def _weights(deployment: Deployment, name: str, part: str) -> Diagnosis:
    if deployment.weights.is_present(name):
        return Diagnosis(part, "ok", f"the files of {name} are on this machine")
    places = ", ".join(deployment.settings.weights_source_names)
    return Diagnosis(
        part,
        "warning",
        f"the files of {name} are not on this machine yet",
        f"They are fetched once, on first use, from: {places}. Without a network, put them into a "
        "folder and set VIVAVOCE_WEIGHTS_SOURCES=folder:PATH.",
    )


def _documents(deployment: Deployment, agent: AgentConfig, part: str) -> list[Diagnosis]:
    unread = unread_sources(deployment, agent.agent_id)
    if unread:
        return [
            Diagnosis(
                part,
                "warning",
                f"not read yet: {', '.join(unread)}",
                f"Run `vivavoce ingest {agent.agent_id}`.",
            )
        ]
    knowledge_base = deployment.knowledge_base(agent.agent_id)
    documents = knowledge_base.documents()
    problems = [
        *limit_problems(documents, agent.knowledge_base.limits),
        *chunk_count_problems(knowledge_base),
    ]
    if problems:
        name = agent.agent_id
        remedy = f"Run `vivavoce ingest {name}`; if it stays, `vivavoce kb rebuild {name}`."
        return [Diagnosis(part, "failed", "; ".join(problems), remedy)]
    if unrenewed := unrenewed_documents(documents):
        remedy = (
            "Mend these, or take them out of the agent file; then run "
            f"`vivavoce ingest {agent.agent_id}`."
        )
        return [Diagnosis(part, "warning", "; ".join(unrenewed), remedy)]
    chunks = sum(document.chunk_count for document in documents)
    return [Diagnosis(part, "ok", f"{len(documents)} documents, {chunks} chunks")]


def _models(deployment: Deployment, agents: list[AgentConfig]) -> dict[str, list[LLMConfig]]:
    """Every model string that something uses, with where it is reached."""
    found: dict[str, list[LLMConfig]] = {}
    for agent in agents:
        names = [agent.llm.model, *(each.model for each in agent.llm.fallback_models)]
        answering = [agent.llm.named(name) for name in names]
        named = {agent.judge.name, *(each.judge for each in agent.criteria if each.judge)}
        judging = [agent.judge.reached(name) for each in named for name in panel_members(each)]
        for llm in dict.fromkeys((*answering, agent.rewriter, *sorted(judging, key=str))):
            if not llm.model.startswith(CODE_JUDGE):
                found.setdefault(llm.model, []).append(llm)
    return found


def _model(
    deployment: Deployment, model: str, users: list[LLMConfig], part: str
) -> list[Diagnosis]:
    name = model.removeprefix(EMBEDDED)
    if model.startswith(EMBEDDED) and name in deployment.weights.models():
        return [_weights(deployment, name, part)]
    for reached in dict.fromkeys(users):
        deployment.chat_model(reached).check()
    return [Diagnosis(part, "ok", "it answers")]


def _reports(deployment: Deployment) -> Diagnosis:
    if not deployment.reports_file.is_file():
        return Diagnosis(
            "reports",
            "warning",
            "nothing is published yet",
            "Run `vivavoce report`, or let the schedule `hourly_reports` run (`vivavoce ui`).",
        )
    with open_reports(deployment.reports_file) as connection:
        row = connection.execute("select count(*) from conversations").fetchone()
    return Diagnosis(
        "reports", "ok", f"the published file opens; conversations in it: {row[0] if row else 0}"
    )


def _dagster(deployment: Deployment, now: datetime) -> Diagnosis:
    import socket
    from urllib.parse import urlsplit

    settings = deployment.settings
    unreachable: list[str] = []
    for url, usual_port in (
        (settings.dagster_storage_url, 5432),
        (settings.celery_broker_url, 6379),
    ):
        if url is None:
            continue
        parts = urlsplit(url)
        host, port = parts.hostname or "localhost", parts.port or usual_port
        try:
            socket.create_connection((host, port), timeout=5).close()
        except OSError as error:
            unreachable.append(f"{parts.scheme} at {host}:{port} ({error})")
    if unreachable:
        return Diagnosis(
            "dagster",
            "failed",
            f"cannot be reached: {'; '.join(unreachable)}",
            "Start it, or correct VIVAVOCE_DAGSTER_STORAGE_URL or VIVAVOCE_CELERY_BROKER_URL.",
        )
    where = "PostgreSQL" if settings.dagster_storage_url else str(settings.dagster_instance_dir)
    steps = "Celery workers" if settings.celery_broker_url else "each run's own process"
    told = f"records are kept in {where}; steps execute in {steps}"
    seen = last_sign_of_life(settings)
    if seen is not None and now - seen > SEEN_WITHIN:
        return Diagnosis(
            "dagster",
            "warning",
            f"{told}; its daemon was last seen on {seen:%Y-%m-%d at %H:%M} UTC",
            "Nothing runs by itself until `vivavoce ui` or a daemon of the deployment is started.",
        )
    return Diagnosis("dagster", "ok", told)
