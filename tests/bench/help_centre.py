"""Ten questions to an agent over a help centre that nobody of this project wrote.

    python -m tests.bench.help_centre [MODEL] [N]

All pages of the set and the manual in PDF go in as files with limits lifted; N of the set's
queries are asked, spread evenly, each in a conversation of its own. Reported are what went in, how
often the sought page was found, cited, and how much of the answers is supported.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.models.llm_config import DEFAULT_LLM
from conversation.llm.chat_model import ChatModel
from conversation.llm.open_model import open_chat_model
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn, RetrievalDone
from kb.config import KnowledgeBaseConfig, Limits
from kb.document import FileSource
from kb.knowledge_base import KnowledgeBase
from tests.bench import places

LIFTED = KnowledgeBaseConfig(limits=Limits(max_documents=None, max_total_bytes=None))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one query."""

    query: str
    text: str
    found: bool
    """Whether a sought page was among the passages."""
    cited: bool
    """Whether the answer cites anything."""
    cited_right: bool
    """Whether it cites a sought page."""
    grounded_share: float | None
    seconds: float


def write_pages(datasets: Path, folder: Path) -> list[FileSource]:
    """Write every page of the help centre as a file, and name the manual in PDF."""
    sources: list[FileSource] = []
    pages = datasets / "helpcentre" / "dev" / "onyx_pages.jsonl"
    for line in pages.read_text(encoding="utf-8").splitlines():
        page: dict[str, Any] = json.loads(line)
        path = folder / page["_id"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {page['title']}\n\n{page['body']}", encoding="utf-8")
        sources.append(FileSource(path, name=page["_id"]))
    manual = datasets / "docs_debian" / "dev" / "developers-reference.pdf"
    return [*sources, FileSource(manual)]


def spread_queries(datasets: Path, n: int) -> list[dict[str, Any]]:
    """Return `n` of the queries, evenly spread over the file."""
    lines = (datasets / "helpcentre" / "dev" / "onyx_queries.jsonl").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines()]
    return rows[:: len(rows) // n][:n]


def ask(
    query: dict[str, Any],
    *,
    knowledge_base: KnowledgeBase,
    store: ConversationStore,
    model: ChatModel,
) -> Answer:
    """Ask one query in a conversation of its own."""
    agent = AgentConfig(
        agent_id="help",
        name="Help centre",
        system_prompt="You answer questions about Onyx and about Debian development.",
        llm=LLMConfig(model=model.model),
    )
    began_s = time.perf_counter()
    session = Session.start(agent, knowledge_base=knowledge_base, store=store, chat_model=model)
    events = list(session.reply(query["text"]))
    session.end()
    sought = set(query["relevant_ids"])
    passages = [p for event in events if isinstance(event, RetrievalDone) for p in event.passages]
    (turn,) = [event for event in events if isinstance(event, AgentTurn)]
    cited = {citation.document_name for citation in turn.citations}
    return Answer(
        query=query["text"],
        text=turn.text,
        found=any(passage.document_name in sought for passage in passages),
        cited=bool(cited),
        cited_right=bool(cited & sought),
        grounded_share=turn.grounded_share,
        seconds=time.perf_counter() - began_s,
    )


def run(datasets: Path, folder: Path, *, model: ChatModel, n: int) -> Sequence[Answer]:
    """Ingest everything below `folder`, print what went in, and ask `n` queries."""
    sources = write_pages(datasets, folder / "pages")
    with (
        KnowledgeBase.open(folder / "kb", LIFTED) as knowledge_base,
        ConversationStore.open(f"sqlite:///{folder / 'conversations.sqlite'}") as store,
    ):
        report = knowledge_base.sync(sources)
        ready = [document for document in knowledge_base.documents() if document.status == "ready"]
        chunks = sum(document.chunk_count for document in ready)
        print(f"ingested {len(ready)} of {len(sources)} documents, {chunks} chunks", flush=True)
        if report.count("failed"):
            raise AssertionError([row for row in report.rows if row.action == "failed"])
        return [
            ask(query, knowledge_base=knowledge_base, store=store, model=model)
            for query in spread_queries(datasets, n)
        ]


def main() -> None:
    """Print the answers and the figures."""
    model = open_chat_model(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_LLM)
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    datasets = places.datasets()
    model.check()
    with tempfile.TemporaryDirectory() as folder:
        answers = run(datasets, Path(folder), model=model, n=n)
    for answer in answers:
        print(f"- {answer.query}\n  {answer.text}\n  cited right: {answer.cited_right}")
    print(
        f"{model.model}: n={len(answers)} found {sum(a.found for a in answers)}, cited "
        f"{sum(a.cited for a in answers)}, cited right {sum(a.cited_right for a in answers)}"
    )


if __name__ == "__main__":
    main()
