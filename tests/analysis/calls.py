"""Hand-made conversations and answers about them, in real stores. Shared by the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from analysis.results import AnalysisResult, CollectedValue, Evaluation, Evidence
from analysis.store.store import AnalysisStore
from analysis.warehouse.publish import (
    ExportedDay,
    days_to_export,
    export_days,
    export_documents,
    publish,
)
from conversation.agent.config import AgentConfig, Criterion, DataCollectionField
from conversation.store.store import ConversationStore
from conversation.transcript import Citation, Retrieval, Turn, TurnLatency, Usage
from kb.document import Document

DAY = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
JUDGE = "scripted/judge"
SHA = "a" * 64

AGENT = AgentConfig(
    agent_id="shop-desk",
    name="Shop desk",
    criteria=(
        Criterion(criterion_id="handled_inquiry", prompt="The user got an answer."),
        Criterion(criterion_id="polite", prompt="The agent was polite."),
    ),
    data_collection=(
        DataCollectionField(
            field_id="conversation_topic",
            description="What it is about.",
            enum=("refund", "delivery", "user's account"),
        ),
        DataCollectionField(field_id="order.items", type="integer", description="Items ordered."),
        DataCollectionField(field_id="amount", type="number", description="Amount in euros."),
        DataCollectionField(field_id="urgent", type="boolean", description="Is it urgent?"),
        DataCollectionField(field_id="polite", description="How polite the user was."),
        DataCollectionField(field_id="status", description="Status of the order."),
    ),
)


@dataclass
class Stores:
    """Both stores of one deployment, and where its warehouse lies."""

    conversations: ConversationStore
    evaluations: AnalysisStore
    warehouse: Path
    reports: Path

    @property
    def both(self) -> dict[str, Any]:
        return {"conversations": self.conversations, "evaluations": self.evaluations}


@contextmanager
def open_stores(folder: Path) -> Iterator[Stores]:
    url = f"sqlite:///{folder / 'store.sqlite'}"
    with ConversationStore.open(url) as conversations, AnalysisStore.open(url) as evaluations:
        yield Stores(conversations, evaluations, folder / "warehouse", folder / "reports.duckdb")


def hold_call(
    store: ConversationStore,
    conversation_id: str,
    *,
    started_at: datetime = DAY,
    question: str = "How long do refunds take?",
    answer: str = "Refunds take five days.",
    status: Any = "done",
    agent_id: str = AGENT.agent_id,
) -> None:
    """Keep a conversation of four turns; the last agent turn is answered from a passage."""
    store.begin(conversation_id, agent_id=agent_id, started_at=started_at)
    turns = [
        Turn(role="agent", text="Hello, how can I help?"),
        Turn(role="user", text=question, offset_s=3.0),
    ]
    for turn in turns:
        store.append_turn(conversation_id, turn, at=started_at + timedelta(seconds=3))
    turn_id = f"{conversation_id}-answer"
    passage = {
        "chunk_id": "chunk-7",
        "document_id": "doc-1",
        "document_name": "Refund policy",
        "start_char": 100,
        "end_char": 140,
    }
    store.append_turn(
        conversation_id,
        Turn(
            role="agent",
            text=answer,
            turn_id=turn_id,
            offset_s=5.0,
            latency=TurnLatency(request_to_first_token_ms=400.0, request_to_last_token_ms=900.0),
            usage=Usage(model="scripted/llm", input_tokens=100, output_tokens=10, cost_usd=0.25),
            grounded_share=1.0,
            citations=(
                Citation(
                    **passage, quote="five days", turn_start_char=0, turn_end_char=23, score=0.9
                ),
            ),
        ),
        at=started_at + timedelta(seconds=6),
        retrieved=[
            Retrieval(
                **passage,
                turn_id=turn_id,
                query=question,
                document_version=2,
                rank=1,
                score=0.8,
                text="Refunds are paid within five days.",
            )
        ],
    )
    store.append_turn(
        conversation_id,
        Turn(role="user", text="Thank you!", offset_s=8.0),
        at=started_at + timedelta(seconds=8),
    )
    ended = started_at + timedelta(seconds=10)
    store.end(conversation_id, reason="user_ended", at=ended, status=status)


def a_verdict(conversation_id: str, verdict: Any = "success", **changes: Any) -> Evaluation:
    criterion_id = changes.get("criterion_id", "handled_inquiry")
    criterion = next(c for c in AGENT.criteria if c.criterion_id == criterion_id)
    return Evaluation(
        **{
            "conversation_id": conversation_id,
            "criterion_id": criterion_id,
            "criterion_version": criterion.version,
            "judge_model": JUDGE,
            "judge_prompt_version": "p1",
            "transcript_sha256": SHA,
            "verdict": verdict,
            "rationale": "Because of what was said.",
            "evidence": (Evidence(turn_index=2, quote="five days"),) if verdict else (),
            "usage": Usage(model=JUDGE, input_tokens=50, output_tokens=5, cost_usd=0.5),
            **changes,
        }
    )


def a_value(conversation_id: str, field_id: str, value: Any, **changes: Any) -> CollectedValue:
    field = next(f for f in AGENT.data_collection if f.field_id == field_id)
    return CollectedValue(
        **{
            "conversation_id": conversation_id,
            "field_id": field_id,
            "field_version": field.version,
            "judge_model": JUDGE,
            "judge_prompt_version": "p1",
            "transcript_sha256": SHA,
            "value": value,
            "status": "supported" if value is not None else "not_discussed",
            "evidence": (Evidence(turn_index=1, quote="refunds"),) if value is not None else (),
            **changes,
        }
    )


def save_answers(
    store: AnalysisStore,
    conversation_id: str,
    *answers: Evaluation | CollectedValue,
    summary: str | None = None,
    now: datetime = DAY,
) -> None:
    result = AnalysisResult(
        conversation_id=conversation_id,
        evaluations=tuple(a for a in answers if isinstance(a, Evaluation)),
        collected=tuple(a for a in answers if isinstance(a, CollectedValue)),
        summary=summary,
        usage=Usage(model=JUDGE, input_tokens=200, output_tokens=20, cost_usd=1.0, calls=3),
    )
    store.save(result, transcript_sha256=SHA, judge_model=JUDGE, judge_prompt_version="p1", now=now)


def export_day(day: date, warehouse: Path, **stores: Any) -> ExportedDay:
    [exported] = export_days([day], warehouse, **stores)
    return exported


def export(stores: Stores) -> None:
    """Export every day that changed, without a publish."""
    days = days_to_export(stores.warehouse, **stores.both)
    for _ in export_days(days, stores.warehouse, **stores.both):
        pass


def refresh(stores: Stores, *agents: AgentConfig) -> None:
    """Do what the scheduled run does after evaluating."""
    export(stores)
    publish(stores.warehouse, stores.reports, agents or (AGENT,))


def a_document(**changes: Any) -> Document:
    return Document(
        **{
            "document_id": "doc-1",
            "name": "Refund policy",
            "kind": "file",
            "source": "refunds.md",
            "bytes": 500,
            "chars": 480,
            "status": "ready",
            "version": 2,
            "updated_at": DAY,
            **changes,
        }
    )


def hold_judged_calls(stores: Stores) -> None:
    """Hold three calls and judge them: a success, a failure, and a judge that failed."""
    for conversation_id in ("c1", "c2", "c3"):
        hold_call(stores.conversations, conversation_id)
    stores.evaluations.remember_questions(AGENT, DAY)
    save_answers(
        stores.evaluations,
        "c1",
        a_verdict("c1", confidence=0.9),
        a_verdict("c1", criterion_id="polite", evidence=()),
        a_value("c1", "conversation_topic", "refund"),
        a_value("c1", "amount", None),
        summary="The user asked about refunds.",
    )
    save_answers(
        stores.evaluations,
        "c2",
        a_verdict("c2", "failure", unsupported_quotes=("never said",)),
        a_value("c2", "conversation_topic", "delivery"),
    )
    save_answers(stores.evaluations, "c3", a_verdict("c3", None, error="ModelOutputError: no"))
    export_documents(stores.warehouse, AGENT.agent_id, [a_document()])
