"""What a knowledge base is read from, what of it was not read yet, and how much room is left."""

from collections.abc import Collection, Sequence

from analysis.printable import counted
from conversation.agent.agent_file import document_paths
from kb.config import MEBIBYTE, Limits
from kb.document import (
    AnySource,
    Document,
    FileSource,
    LinkSource,
    SiteSource,
    SyncReport,
    TextSource,
)
from kb.embedding.open_embedder import FOR_ANY_LANGUAGE
from kb.ingest.intake import file_sha256, identify
from kb.knowledge_base import KnowledgeBase
from orchestration.deployment import Deployment
from orchestration.knowledge.remote_files import copies, is_remote


def plan_ingest(deployment: Deployment, agent_id: str) -> SyncReport:
    """What `ingest` would do; nothing is changed."""
    wanted = sources(deployment, agent_id)
    return deployment.knowledge_base(agent_id).plan(wanted)


def sources(deployment: Deployment, agent_id: str) -> list[AnySource]:
    """What the agent's knowledge base is read from, in the order of its file.

    Files at addresses come last of the files, as the copies that `ingest` makes of them.
    """
    agent, path = deployment.sources(agent_id), deployment.agent(agent_id).path
    section = agent.knowledge_base
    remote = [entry for entry in section.files if is_remote(entry)]
    local = section.model_copy(update={"files": [e for e in section.files if not is_remote(e)]})
    files = document_paths(agent.model_copy(update={"knowledge_base": local}), path)
    return [
        *(FileSource(file) for file in (*files, *copies(remote, deployment.copies_dir))),
        *(LinkSource(link.url, link.name) for link in section.links),
        *(
            SiteSource(site.url, site.max_pages, site.include, site.exclude)
            for site in section.sites
        ),
        *(TextSource(text.name, text.text) for text in section.texts),
    ]


def unread_sources(deployment: Deployment, agent_id: str) -> list[str]:
    """Names of the agent's sources that its knowledge base knows nothing of.

    One that was read in vain is known: it is among the documents, with the reason. So is a file
    that was read from another place, as after the data folder was moved: what it says is known.
    """
    knowledge_base = deployment.knowledge_base(agent_id)
    documents = knowledge_base.documents()
    known = {document.document_id for document in documents}
    failed = {document.document_id for document in documents if document.status == "failed"}
    read = {(each.name, each.content_sha256) for each in documents if each.kind == "file"}
    unread: list[str] = []
    for source in sources(deployment, agent_id):
        if isinstance(source, SiteSource):
            pages = [identify(LinkSource(page)) for page in knowledge_base.site_pages(source.url)]
            is_listed = not known.isdisjoint(page.document_id for page in pages)
            # A site that could not be listed is a document of its own, which says why.
            if not is_listed and identify(LinkSource(source.url)).document_id not in failed:
                unread.append(source.url)
        elif (identity := identify(source)).document_id not in known and not _was_read(
            source, identity.name, read
        ):
            unread.append(identity.name)
    return unread


def _was_read(source: AnySource, name: str, read: Collection[tuple[str, str | None]]) -> bool:
    """Whether a file of this name and these bytes is known."""
    if not isinstance(source, FileSource) or name not in {known for known, _ in read}:
        return False
    digest = file_sha256(source.path)
    return digest is not None and (name, digest) in read


def room_left(documents: Sequence[Document], limits: Limits) -> str:
    """How much more the knowledge base may hold, in one sentence."""
    held = [document.bytes for document in documents if document.status == "ready"]
    return f"{_use(held, limits)} are used."


def room_after(plan: SyncReport, limits: Limits) -> str:
    """How much the knowledge base would hold after a planned ingest, in one sentence."""
    held = [row.bytes for row in plan.rows if row.action in ("added", "replaced", "unchanged")]
    text = f"{_use(held, limits)} would be used."
    new_links = sum(row.kind == "link" and row.action == "added" for row in plan.rows)
    if not new_links:
        return text
    return f"{text} The size of {counted(new_links, 'new link')} is known once read."


def meanings_compared(knowledge_base: KnowledgeBase) -> str:
    """With what model a knowledge base compares meanings, and what that leaves out, in a line."""
    model, given = knowledge_base.embedding.model, knowledge_base.config
    others = [tag for tag in given.query_languages if tag.split("-")[0].casefold() != "en"]
    named = "model" in given.embedding.model_fields_set
    if named or not others or model == FOR_ANY_LANGUAGE:
        return f"Meanings are compared by {model}."
    return (
        f"Meanings are compared by {model}, which reads English; questions in {', '.join(others)} "
        f"find English texts by their words alone. `embedding: {{model: {FOR_ANY_LANGUAGE}}}` "
        "under `knowledge_base` and another ingest change that."
    )


def _use(sizes: Sequence[int], limits: Limits) -> str:
    count, size = f"{len(sizes)}", f"{sum(sizes) / MEBIBYTE:.2f} MB"
    if limits.max_documents is not None:
        count += f" of {limits.max_documents}"
    if limits.max_total_bytes is not None:
        size += f" of {limits.max_total_bytes / MEBIBYTE:g} MB"
    one = len(sizes) == 1 and limits.max_documents is None
    return f"{count} {'document' if one else 'documents'} and {size}"
