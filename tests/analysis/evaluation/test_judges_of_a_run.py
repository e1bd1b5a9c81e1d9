"""Judges that cannot be used, are refused or away, or belong to a criterion."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from analysis.evaluation.run import MAX_EMBEDDED_WORKERS, evaluate_conversations
from analysis.evaluation.tally import EvaluationRun
from conversation.agent.config import AgentConfig, AnalysisSection, Criterion
from conversation.agent.models.llm_config import LLMConfig
from conversation.errors import ModelSetupError, ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, CompletionOptions
from conversation.transcript import Transcript, Turn
from tests.analysis.calls import DAY, JUDGE, Stores, hold_call
from tests.analysis.evaluation.judged_runs import AGENT_WITH_TWO, judge_answer, run
from tests.fakes import ScriptedChatModel


@pytest.fixture
def judge() -> ScriptedChatModel:
    return ScriptedChatModel(always=judge_answer, model=JUDGE)


def test_a_judge_that_cannot_be_used_stops_before_any_work(stores: Stores):
    hold_call(stores.conversations, "c1")

    def no_key(model: str) -> ScriptedChatModel:
        raise ModelSetupError(f"{model} needs a key")

    with pytest.raises(ModelSetupError, match="needs a key"):
        run(stores, ScriptedChatModel(), open_model=no_key)
    assert stores.evaluations.runs(["c1"]) == []


def test_an_unreachable_judge_ends_the_run_after_a_few_conversations(stores: Stores):
    for number in range(9):
        hold_call(stores.conversations, f"c{number}")
    down = ScriptedChatModel(always=ModelUnavailableError("connection refused"), model=JUDGE)
    found = run(stores, down, concurrency=1)
    assert found.stopped is not None
    assert "could not be reached" in found.stopped
    assert (found.left, len(stores.evaluations.runs([f"c{n}" for n in range(9)]))) == (4, 5)


def test_a_panel_that_nobody_of_can_be_reached_ends_the_run_too(stores: Stores):
    for number in range(9):
        hold_call(stores.conversations, f"c{number}")
    away = ModelUnavailableError("connection refused")

    found = run(
        stores,
        ScriptedChatModel(),
        AGENT_WITH_TWO.model_copy(
            update={"analysis": AnalysisSection(judges=("scripted/a", "scripted/b"))}
        ),
        open_model=lambda llm: ScriptedChatModel(always=away, model=llm.model),
        concurrency=1,
    )

    assert "could not be reached" in (found.stopped or "")
    assert found.left == 4


def test_a_judge_that_is_refused_on_the_way_stops_the_run_and_is_recorded_of_nothing(
    stores: Stores,
):
    for number in range(6):
        hold_call(stores.conversations, f"c{number}")
    answers = iter(range(100))

    def expiring(messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
        if next(answers) >= 4:
            return ModelSetupError("the key was refused")
        return judge_answer(messages, options)

    with pytest.raises(ModelSetupError, match="the key was refused"):
        run(stores, ScriptedChatModel(always=expiring, model=JUDGE), concurrency=1)

    ids = [f"c{number}" for number in range(6)]
    assert {each.conversation_id for each in stores.evaluations.evaluations(ids)} == {"c0"}
    assert [each.error for each in stores.evaluations.runs(ids)] == [None]


def test_a_criterion_may_have_its_own_judge(stores: Stores, judge: ScriptedChatModel):
    hold_call(stores.conversations, "c1")
    strict = ScriptedChatModel(
        always={"verdict": "failure", "turn": 2, "quote": "five days", "rationale": "No."},
        model="strict/judge",
    )
    agent = AGENT_WITH_TWO.model_copy(
        update={
            "criteria": (
                AGENT_WITH_TWO.criteria[0],
                Criterion(criterion_id="polite", prompt="Polite?", judge="strict/judge"),
            )
        }
    )
    models = {JUDGE: judge, "strict/judge": strict}
    assert run(stores, judge, agent, open_model=lambda llm: models[llm.model]).answers == 3
    kept = stores.evaluations.latest_evaluations("c1")
    assert (kept["polite"].judge_model, kept["polite"].verdict) == ("strict/judge", "failure")
    assert run(stores, judge, agent, open_model=lambda llm: models[llm.model]).cached == 1


def test_an_embedded_judge_gets_few_conversations_at_a_time(stores: Stores):
    for number in range(8):
        hold_call(stores.conversations, f"c{number}", question=f"Order {number}, please?")
    at_once: list[int] = []
    running: list[str] = []
    overlapped = threading.Event()

    def answer(messages: Sequence[ChatMessage], options: CompletionOptions) -> str:
        transcript = messages[-1].content.split("</transcript>")[0]
        running.append(transcript)
        at_once.append(len(set(running)))
        if at_once[-1] > 1:
            overlapped.set()
        overlapped.wait(60)
        running.remove(transcript)
        return "yes"

    judge = ScriptedChatModel(always=answer, model="embedded/judge")
    section = AnalysisSection(judge="embedded/judge")
    run(stores, judge, AGENT_WITH_TWO.model_copy(update={"analysis": section}), concurrency=8)
    assert 1 < max(at_once) <= MAX_EMBEDDED_WORKERS


def two_agents(stores: Stores) -> list[AgentConfig]:
    """An agent with two conversations, and another one, whose judge is not set up, with one."""
    hold_call(stores.conversations, "c1")
    hold_call(stores.conversations, "c3", question="And for shoes?")
    stores.conversations.import_transcript(
        Transcript(
            conversation_id="c2",
            agent_id="billing",
            started_at=DAY,
            ended_at=DAY,
            turns=(Turn(role="user", text="What do I owe?"),),
        )
    )
    billing = AGENT_WITH_TWO.model_copy(
        update={"agent_id": "billing", "analysis": AnalysisSection(judge="strict/judge")}
    )
    return [billing, AGENT_WITH_TWO]


def run_both(stores: Stores, judge: ScriptedChatModel, other: ScriptedChatModel) -> EvaluationRun:
    return evaluate_conversations(
        stores.conversations,
        stores.evaluations,
        two_agents(stores),
        open_model=lambda llm: other if llm.model == "strict/judge" else judge,
        concurrency=1,
        now=lambda: DAY,
    )


class WithoutKey(ScriptedChatModel):
    def check(self) -> None:
        raise ModelSetupError("Model 'strict/judge' needs STRICT_KEY.")


def test_a_judge_that_is_not_set_up_stops_its_own_agent_alone(
    stores: Stores, judge: ScriptedChatModel
):
    found = run_both(stores, judge, WithoutKey(model="strict/judge"))

    assert (found.evaluated, found.left, found.failed) == (2, 1, 0)
    assert found.stopped_agents == {"billing": "Model 'strict/judge' needs STRICT_KEY."}
    assert found.refused_agents == found.stopped_agents
    assert "'billing'" in (found.stopped or "")
    assert stores.evaluations.runs(["c2"]) == []


def test_a_key_that_is_refused_later_stops_its_own_agent_alone(
    stores: Stores, judge: ScriptedChatModel
):
    refused = ScriptedChatModel(always=ModelSetupError("refused the key"), model="strict/judge")

    found = run_both(stores, judge, refused)

    assert (found.evaluated, found.stopped_agents) == (2, {"billing": "refused the key"})
    assert stores.evaluations.runs(["c2"]) == []


def test_a_judge_that_is_away_stops_its_own_agent_alone(stores: Stores, judge: ScriptedChatModel):
    for number in range(6):
        stores.conversations.import_transcript(
            Transcript(
                conversation_id=f"b{number}",
                agent_id="billing",
                started_at=DAY - timedelta(days=1),
                ended_at=DAY,
                turns=(Turn(role="user", text=f"What do I owe for {number}?"),),
            )
        )
    away = ScriptedChatModel(always=ModelUnavailableError("refused"), model="strict/judge")

    found = run_both(stores, judge, away)

    assert (found.answers, found.left) == (6, 2)
    assert "could not be reached" in found.stopped_agents["billing"]
    assert found.refused_agents == {}


def test_when_no_judge_can_be_used_every_reason_is_told(stores: Stores):
    def no_model(llm: LLMConfig) -> ScriptedChatModel:
        raise ModelSetupError(f"{llm.model} needs a key")

    with pytest.raises(ModelSetupError, match=r"(?s)'billing'.*strict.*'shop-desk'.*scripted"):
        evaluate_conversations(
            stores.conversations, stores.evaluations, two_agents(stores), open_model=no_model
        )


def test_the_first_answer_that_cannot_be_used_is_told(stores: Stores):
    hold_call(stores.conversations, "c1")
    found = run(stores, ScriptedChatModel(always="Banana!", model=JUDGE))
    assert found.answers == 0
    assert found.answer_errors == 3
    assert "ModelOutputError" in (found.first_error or "")
