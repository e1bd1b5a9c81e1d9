"""What a run would cost, told before any judge is asked."""

from pathlib import Path

import pytest

from analysis.errors import BudgetError
from analysis.evaluation.estimate import Budget, estimate_conversation, estimate_plan
from analysis.evaluation.plan import EvaluationPlan, PlannedConversation, plan_evaluations
from analysis.store.answer_keys import Missing
from conversation.agent.config import AgentConfig, Criterion, DataCollectionField
from conversation.agent.models.judges import panel_of
from conversation.llm.providers.prices import price_usd
from conversation.transcript import Usage
from tests.analysis.calls import hold_call, open_stores

CRITERIA = (
    Criterion(criterion_id="helped", prompt="The user got an answer."),
    Criterion(criterion_id="polite", prompt="The agent was polite."),
)
FIELDS = (DataCollectionField(field_id="topic", description="What it is about."),)


def planned(judge: str = "x/judge", *, chars: int = 3_500, name: str = "c1") -> PlannedConversation:
    return PlannedConversation(name, "agent", judge, Missing(CRITERIA, FIELDS, True), None, chars)


def plan_of(*conversations: PlannedConversation) -> EvaluationPlan:
    return EvaluationPlan(conversations, 0, 0, {})


def cent_per_token(_model: str, input_tokens: int, output_tokens: int) -> float:
    return (input_tokens + output_tokens) / 100


@pytest.mark.slow
def test_every_question_is_counted_with_its_transcript():
    found = estimate_plan(plan_of(planned(), planned(name="c2")), cent_per_token)

    (judge,) = found.by_model
    assert (found.conversations, found.questions, judge.calls) == (2, 8, 8)
    assert judge.input_tokens >= 2 * 4 * 1_000
    assert found.cost_usd == pytest.approx(found.tokens / 100)


def test_a_panel_asks_each_of_its_judges_and_a_long_call_in_windows():
    short, long = planned(), planned(chars=30_000)
    panel = planned(panel_of(["x/a", "embedded/b"]))

    models = {each.model: each for each in estimate_plan(plan_of(panel), cent_per_token).by_model}

    assert models["x/a"].calls == 4
    assert models["embedded/b"].calls == 3 * 2 + 1
    tokens, _ = estimate_conversation(short, cent_per_token)
    more, _ = estimate_conversation(long, cent_per_token)
    assert more > 8 * tokens


def test_without_a_price_only_tokens_are_told():
    found = estimate_plan(plan_of(planned()), lambda *_: None)

    assert found.cost_usd is None
    assert found.tokens > 0


def test_prices_come_from_the_table_and_embedded_models_are_free():
    assert price_usd("embedded/anything", 1_000, 1_000) == 0.0
    assert price_usd("nobody/knows-this-model", 1_000, 1_000) is None
    price = price_usd("openai/gpt-4.1-mini", 1_000_000, 1_000_000)
    assert price is not None
    assert price > 0.1


def test_a_plan_knows_how_much_was_said(tmp_path: Path):
    agent = AgentConfig(agent_id="shop-desk", name="Shop", criteria=CRITERIA)
    with open_stores(tmp_path) as stores:
        hold_call(stores.conversations, "c1", question="How long?", answer="Five days.")
        plan = plan_evaluations(stores.conversations, stores.evaluations, [agent])

    assert plan.conversations[0].chars == sum(
        map(len, ["Hello, how can I help?", "How long?", "Five days.", "Thank you!"])
    )


def test_a_judge_that_writes_more_than_expected_is_expected_to_go_on_so():
    tokens, _ = estimate_conversation(planned(), cent_per_token)
    budget = Budget(cent_per_token, max_tokens=5 * tokens)

    assert budget.admits(planned()) is None
    budget.book(planned(), Usage(model="x/judge", input_tokens=2 * tokens, output_tokens=0))
    assert budget.admits(planned(name="c2")) is None
    budget.book(
        planned(name="c2"), Usage(model="x/judge", input_tokens=2 * tokens, output_tokens=0)
    )

    refused = budget.admits(planned(name="c3"))
    assert refused is not None
    assert f"{4 * tokens:,} of {5 * tokens:,} tokens" in refused


def test_without_a_limit_everything_is_admitted():
    budget = Budget(lambda *_: None)

    budget.require_prices(plan_of(planned()))
    assert budget.admits(planned()) is None


def test_a_budget_in_dollars_needs_the_price_of_every_judge():
    budget = Budget(lambda model, *_: None if model == "x/a" else 0.1, max_usd=1)

    with pytest.raises(BudgetError, match=r"no price is known for x/a\. Give a budget in tokens"):
        budget.require_prices(plan_of(planned(panel_of(["x/a", "x/b"]))))
