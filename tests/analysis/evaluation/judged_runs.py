"""Runs of judges that follow a script. Shared by the tests."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from analysis.evaluation.plan import EvaluationScope
from analysis.evaluation.run import evaluate_conversations
from analysis.evaluation.tally import EvaluationRun
from conversation.agent.config import AgentConfig, Criterion, DataCollectionField
from conversation.llm.chat_model import ChatMessage, CompletionOptions
from tests.analysis.calls import DAY, JUDGE, Stores
from tests.fakes import ScriptedChatModel

AGENT_WITH_TWO = AgentConfig(
    agent_id="shop-desk",
    name="Shop desk",
    llm={"model": JUDGE},  # type: ignore[arg-type]
    criteria=(
        Criterion(criterion_id="helped", prompt="The user got an answer."),
        Criterion(criterion_id="polite", prompt="The agent was polite."),
    ),
    data_collection=(DataCollectionField(field_id="topic", description="What it is about."),),
)


def judge_answer(messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
    """What a competent judge says to each kind of question."""
    if options.schema is None:
        return "The user asked about refunds and was told."
    if "verdict" in options.schema["properties"]:
        return {"verdict": "success", "turn": 2, "quote": "five days", "rationale": "Answered."}
    return {"fields": [{"field": "topic", "turn": 1, "value": "refunds"}]}


_OF_SCOPE = {each.name for each in fields(EvaluationScope)}


def run(
    stores: Stores, judge: ScriptedChatModel, agent: AgentConfig = AGENT_WITH_TWO, **changes: Any
) -> EvaluationRun:
    scope = {name: changes.pop(name) for name in _OF_SCOPE & changes.keys()}
    return evaluate_conversations(
        stores.conversations,
        stores.evaluations,
        [agent],
        scope=EvaluationScope(**scope),
        **{"open_model": lambda _: judge, "now": lambda: DAY, **changes},
    )
