"""Stores with any number of conversations, written in bulk, to count what operations cost.

Conversation number n is the same in every store. All of them are judged: each criterion, field and
summary of its agent has an answer, as a run of the scripted judge would have left it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from analysis.evaluators.versions import judge_prompt_version
from analysis.store import tables as found
from analysis.store.answer_keys import transcript_sha256
from conversation.agent.agent_file import save_agent
from conversation.agent.config import AgentConfig, Criterion, DataCollectionField
from conversation.store import tables as held
from conversation.transcript import Transcript, Turn
from orchestration.deployment import Deployment

JUDGE = "scripted/judge"
FIRST_DAY = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
_AT_ONCE = 1_000
_PASSAGE = "Refunds are paid within five days to the account that the order was paid from. " * 4


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a store is."""

    conversations: int
    days: int = 200
    agents: int = 30
    retrievals: int = 8

    def day_of(self, number: int) -> int:
        """The day, from 0, on which a conversation is held."""
        return number % self.days

    def agent_of(self, number: int) -> str:
        """Whose conversation it is."""
        return f"agent-{(number // self.days) % self.agents}"


def agent_config(agent_id: str, asks: str = "The user got an answer.") -> AgentConfig:
    """An agent with two criteria, two fields and a summary, judged by the scripted judge."""
    return AgentConfig.model_validate(
        {
            "agent_id": agent_id,
            "name": agent_id.title(),
            "llm": {"model": "embedded/extractive"},
            "analysis": {"judge": JUDGE},
            "criteria": [
                Criterion(criterion_id="handled_inquiry", prompt=asks),
                Criterion(criterion_id="polite", prompt="The agent was polite.", reveals_gap=True),
            ],
            "data_collection": [
                DataCollectionField(
                    field_id="topic", description="Topic.", enum=("refund", "delivery")
                ),
                DataCollectionField(field_id="items", type="integer", description="Items."),
            ],
        }
    )


def write_agents(folder: Path, shape: Shape, *, asks: str = "The user got an answer.") -> None:
    """Write the agent files of a store."""
    for number in range(shape.agents):
        save_agent(agent_config(f"agent-{number}", asks), folder / f"agent-{number}.yaml")


def fill(deployment: Deployment, shape: Shape, *, first: int = 0, judged: bool = True) -> None:
    """Write conversations number `first` to `shape.conversations`, and what was found in them."""
    engine = deployment.engine
    agents = {f"agent-{n}": agent_config(f"agent-{n}") for n in range(shape.agents)}
    if first == 0:
        for agent in agents.values():
            deployment.evaluations.remember_questions(agent, FIRST_DAY)
    numbers = iter(range(first, shape.conversations))
    while chunk := list(islice(numbers, _AT_ONCE)):
        rows: dict[sa.Table, list[dict[str, Any]]] = {}
        for number in chunk:
            for table, row in _rows(shape, number, agents, judged=judged):
                rows.setdefault(table, []).append(row)
        with engine.begin() as connection:
            for table, values in rows.items():
                connection.execute(sa.insert(table), values)


def conversation_id(number: int) -> str:
    """Id of a conversation."""
    return f"conv_{number:08d}"


def _rows(
    shape: Shape, number: int, agents: Mapping[str, AgentConfig], *, judged: bool
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    key, agent = conversation_id(number), agents[shape.agent_of(number)]
    started = FIRST_DAY + timedelta(
        days=shape.day_of(number), seconds=number // shape.days % 40_000
    )
    ended = started + timedelta(seconds=90)
    turns = _turns(number)
    yield (
        held.conversations,
        {
            "conversation_id": key,
            "agent_id": agent.agent_id,
            "status": "done",
            **dict.fromkeys(("started_at", "listed_at"), started),
            **dict.fromkeys(("last_event_at", "ended_at", "closed_at"), ended),
            "end_reason": "user_ended",
            "source": "session",
            "simulated": False,
            "user_id": f"user-{number // 20}",
            "rating": number // 50 % 5 + 1 if number % 50 == 0 else None,
            "has_comment": True if number % 50 == 0 else None,
            "metadata": {"user_id": f"user-{number // 20}", "client": "python"},
            "given": {"variables": {}, "overrides": {}},
        },
    )
    yield from _events(key, number, turns, started)
    for index, turn in enumerate(turns):
        yield held.turns, _turn_row(key, index, turn, started)
    yield from _retrieved(key, number, shape.retrievals)
    for index in (2, 4):
        yield held.llm_usage, _usage_row(key, index, started)
    if judged:
        transcript = Transcript(conversation_id=key, agent_id=agent.agent_id, turns=turns)
        yield from _answers(key, number, agent, transcript_sha256(transcript), ended)


def _turns(number: int) -> tuple[Turn, ...]:
    said = (
        ("agent", "Hello, how can I help you today?"),
        ("user", f"How long do refunds of order {number} take, and who pays for shipping?"),
        ("agent", f"Refunds of order {number} take five days, and we pay for the shipping."),
        ("user", f"And when will my parcel number {number * 7 % 1_000} arrive in Lisbon?"),
        ("agent", "I do not know when it arrives." if number % 9 == 0 else "It arrives on Monday."),
    )
    return tuple(Turn(role=role, text=text) for role, text in said)  # pyright: ignore[reportArgumentType]


def _events(
    key: str, number: int, turns: Sequence[Turn], started: datetime
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    for index, turn in enumerate(turns):
        yield (
            held.conversation_events,
            {
                "conversation_id": key,
                "turn_id": f"{key}.{index}",
                "kind": f"{turn.role}_turn",
                "occurred_at": started,
                "payload": {"role": turn.role, "text": turn.text},
            },
        )
    if number % 50 == 0:
        payload = {"rating": number // 50 % 5 + 1, "comment": "It was quick."}
        yield (
            held.conversation_events,
            {
                "conversation_id": key,
                "turn_id": None,
                "kind": "feedback",
                "occurred_at": started,
                "payload": payload,
            },
        )


def _turn_row(key: str, index: int, turn: Turn, started: datetime) -> dict[str, Any]:
    is_agent = turn.role == "agent"
    return {
        "turn_id": f"{key}.{index}",
        "conversation_id": key,
        "turn_index": index,
        "role": turn.role,
        "generated_text": turn.text if is_agent else None,
        "heard_text": turn.text,
        "interrupted": False,
        "offset_s": index * 9.0,
        "grounded_share": 1.0 if is_agent else None,
        "citations": [],
        "unsupported_spans": [],
        "tool_calls": [],
        "latency": {"request_to_first_token_ms": 400.0} if is_agent else None,
        "recorded_at": started,
    }


def _retrieved(key: str, number: int, count: int) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    for rank in range(1, count + 1):
        yield (
            held.retrievals,
            {
                "conversation_id": key,
                "turn_id": f"{key}.{2 if rank <= count // 2 else 4}",
                "query": "refunds and shipping",
                "mode": "hybrid",
                "chunk_id": f"chunk-{(number + rank) % 500}",
                "document_id": f"doc-{rank}",
                "document_name": f"Document {rank}",
                "document_version": 1,
                "start_char": 100,
                "end_char": 400,
                "rank": rank,
                "score": 0.8,
                "in_prompt": True,
                "text": _PASSAGE,
            },
        )


def _usage_row(key: str, index: int, started: datetime) -> dict[str, Any]:
    return {
        "conversation_id": key,
        "turn_id": f"{key}.{index}",
        "model": "scripted/llm",
        "input_tokens": 900,
        "cached_input_tokens": 500,
        "output_tokens": 60,
        "cost_usd": 0.001,
        "source": "measured",
        "calls": 1,
        "purpose": "turn",
        "recorded_at": started,
    }


def _answers(
    key: str, number: int, agent: AgentConfig, sha256: str, at: datetime
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    asked = {
        "conversation_id": key,
        "transcript_sha256": sha256,
        "judge_model": JUDGE,
        "judge_prompt_version": judge_prompt_version(JUDGE, None),
        "evaluated_at": at,
    }
    explained = {
        "sample": 0,
        "rationale": "Because of what was said.",
        "evidence": [{"turn_index": 2, "quote": "five days"}],
        "unsupported_quotes": [],
    }
    for place, criterion in enumerate(agent.criteria):
        verdict = "failure" if (number + place) % 10 == 0 else "success"
        yield (
            found.evaluations,
            {
                **asked,
                **explained,
                "criterion_id": criterion.criterion_id,
                "criterion_version": criterion.version,
                "verdict": verdict,
            },
        )
    for field, value in zip(agent.data_collection, ("refund", number % 9), strict=True):
        yield (
            found.collected_values,
            {
                **asked,
                **explained,
                "field_id": field.field_id,
                "field_version": field.version,
                "value": value,
                "status": "supported",
            },
        )
    yield (
        found.analysis_runs,
        {
            **asked,
            "summary": "Refunds: how long they take.",
            "usage": {
                "model": JUDGE,
                "input_tokens": 800,
                "cached_input_tokens": 0,
                "output_tokens": 40,
                "cost_usd": 0.001,
                "source": "measured",
                "calls": 3,
            },
        },
    )
