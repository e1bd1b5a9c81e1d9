"""A small deployment on real stores, with a scripted judge and an embedder without weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conversation.llm.chat_model import ChatMessage, CompletionOptions
from kb.config import KnowledgeBaseConfig
from kb.knowledge_base import KnowledgeBase
from kb.snapshots.shared import Shared
from orchestration.deployment import Deployment
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.fakes import ScriptedChatModel
from tests.kb.conftest import WordEmbedder

EARLY_ENOUGH = {"VIVAVOCE_FIRST_DAY": "2026-01-01"}
"""For processes that load the definitions: partitions begin before the days of tests."""
FIRST_DAY = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
AGENT_FILE = """\
agent_id: shop-desk
name: Shop desk
llm: {model: scripted/model}
knowledge_base:
  files: [../documents/refunds.md, ../documents/delivery.md]
criteria:
  - {id: helped, prompt: The user got an answer.}
data_collection:
  - {id: topic, description: What it is about.}
"""


def answer(messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
    """What a competent model says to each kind of question."""
    if options.schema is None:
        return "Refunds take five days."
    if "verdict" in options.schema["properties"]:
        return {"verdict": "success", "turn": 2, "quote": "five days", "rationale": "Answered."}
    return {"fields": [{"field": "topic", "turn": 1, "value": "refunds"}]}


def write_data(folder: Path) -> Settings:
    (folder / "agents").mkdir(parents=True)
    (folder / "documents").mkdir()
    (folder / "agents" / "shop-desk.yaml").write_text(AGENT_FILE)
    (folder / "documents" / "refunds.md").write_text("# Refunds\n\nRefunds take five days.\n")
    (folder / "documents" / "delivery.md").write_text("# Delivery\n\nParcels take two days.\n")
    return Settings(data_dir=folder, webhook_networks="127.0.0.0/8")


@contextmanager
def sample_deployment(
    settings: Settings, model: ScriptedChatModel | None = None
) -> Iterator[Deployment]:
    scripted = model or ScriptedChatModel(always=answer, model="scripted/model")

    def open_knowledge_base(
        folder: Path,
        config: KnowledgeBaseConfig,
        *,
        weights: object,
        shared: Shared | None = None,
    ) -> KnowledgeBase:
        return KnowledgeBase(folder, config, embedder=WordEmbedder, read_only=False, shared=shared)

    settings.store.mkdir(parents=True, exist_ok=True)
    with Deployment(
        settings,
        open_model=lambda *_, **__: scripted,
        open_knowledge_base=open_knowledge_base,
    ) as deployment:
        yield deployment


def hold_calls(deployment: Deployment, count: int, *, first_number: int = 0) -> None:
    """One conversation a day."""
    for number in range(first_number, first_number + count):
        hold_call(
            deployment.conversations,
            f"c{number}",
            started_at=FIRST_DAY + timedelta(days=number),
        )
