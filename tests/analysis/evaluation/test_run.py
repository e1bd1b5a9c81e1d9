import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from analysis.errors import BudgetError
from analysis.evaluation.estimate import estimate_conversation
from analysis.evaluation.plan import EvaluationScope, plan_evaluations
from analysis.store import tables
from conversation.agent.config import AnalysisSection, Criterion, DataCollectionField
from conversation.agent.criteria import Condition, Scale
from conversation.agent.models.llm_config import LLMConfig
from conversation.errors import ModelSetupError
from conversation.transcript import Transcript
from tests.analysis.calls import DAY, JUDGE, Stores, hold_call
from tests.analysis.evaluation.judged_runs import AGENT_WITH_TWO, judge_answer, run
from tests.fakes import ScriptedChatModel


@pytest.fixture
def judge() -> ScriptedChatModel:
    return ScriptedChatModel(always=judge_answer, model=JUDGE)


def a_dollar_a_token(_model: str, input_tokens: int, output_tokens: int) -> float:
    return float(input_tokens + output_tokens)


def test_an_agent_can_do_without_summaries(stores: Stores, judge: ScriptedChatModel):
    hold_call(stores.conversations, "c1")
    brief = AGENT_WITH_TWO.model_copy(update={"analysis": AnalysisSection(summary=False)})

    found = run(stores, judge, brief)

    assert (found.evaluated, found.answers) == (1, 3)
    assert stores.evaluations.latest_summary("c1") is None
    assert run(stores, judge, brief).cached == 1


def test_every_question_is_asked_once_and_kept(stores: Stores, judge: ScriptedChatModel):
    hold_call(stores.conversations, "c1")
    first = run(stores, judge)
    assert (first.evaluated, first.cached, first.failed) == (1, 0, 0)
    assert (first.answers, first.answer_errors) == (3, 0)
    assert first.cost_usd == 0.0
    assert first.usage[0].calls == len(judge.prompts)
    kept = stores.evaluations.latest_evaluations("c1")
    assert {key: e.verdict for key, e in kept.items()} == {"helped": "success", "polite": "success"}
    assert stores.evaluations.latest_collected_values("c1")["topic"].value == "refunds"
    assert stores.evaluations.latest_summary("c1") is not None


def test_a_second_run_asks_nothing_and_opens_no_judge(stores: Stores, judge: ScriptedChatModel):
    hold_call(stores.conversations, "c1")
    run(stores, judge)

    def no_model(model: str) -> ScriptedChatModel:
        raise AssertionError(model)

    second = run(stores, judge, open_model=no_model)
    assert (second.evaluated, second.cached, second.answers) == (0, 1, 0)
    assert second.cost_usd is None


def test_a_changed_criterion_costs_only_itself(stores: Stores, judge: ScriptedChatModel):
    hold_call(stores.conversations, "c1")
    run(stores, judge)
    asked = len(judge.prompts)
    changed = AGENT_WITH_TWO.model_copy(
        update={
            "criteria": (
                AGENT_WITH_TWO.criteria[0],
                Criterion(criterion_id="polite", prompt="The agent was very polite."),
            )
        }
    )
    second = run(stores, judge, changed)
    assert second.answers == 1
    assert len(judge.prompts) == asked + 1
    assert len(stores.evaluations.evaluations(["c1"])) == 3


def test_a_failed_question_is_an_error_and_is_asked_again(stores: Stores, judge: ScriptedChatModel):
    hold_call(stores.conversations, "c1")
    broken = ScriptedChatModel(always="no JSON at all", model=JUDGE)
    first = run(stores, broken)
    assert first.evaluated == 1
    assert first.answer_errors == 3
    second = run(stores, judge)
    assert (second.answers, second.answer_errors) == (3, 0)
    assert run(stores, judge).cached == 1


def test_one_bad_conversation_does_not_lose_the_others(stores: Stores, judge: ScriptedChatModel):
    stores.conversations.import_transcript(
        Transcript(conversation_id="empty", agent_id="shop-desk", started_at=DAY, ended_at=DAY)
    )
    hold_call(stores.conversations, "unreadable")
    with stores.conversations.engine.begin() as connection:
        connection.exec_driver_sql("update turns set role = 'ghost'")
    hold_call(stores.conversations, "good")
    found = run(stores, judge)
    assert (found.evaluated, found.failed) == (1, 2)
    assert found.failures["empty"].startswith("EmptyTranscriptError")
    assert found.failures["unreadable"].startswith("ValidationError")
    for conversation_id in ("empty", "unreadable"):
        assert stores.evaluations.runs([conversation_id])[0].error is not None
    again = run(stores, judge)
    assert (again.evaluated, again.cached, again.failed) == (0, 1, 2)
    assert len(stores.evaluations.runs(["empty", "unreadable"])) == 2


def test_a_run_stops_before_it_passes_its_budget(stores: Stores, judge: ScriptedChatModel):
    for number in range(4):
        hold_call(stores.conversations, f"c{number}")
    plan = plan_evaluations(stores.conversations, stores.evaluations, [AGENT_WITH_TWO])
    tokens, usd = estimate_conversation(plan.conversations[0], a_dollar_a_token)
    assert usd == tokens

    found = run(stores, judge, max_tokens=tokens, concurrency=1)

    assert (found.evaluated, found.left) == (1, 3)
    assert "next conversation takes about" in (found.stopped or "")
    assert run(stores, judge, max_usd=tokens - 1, price=a_dollar_a_token).evaluated == 0
    assert run(stores, judge).evaluated == 3


def test_conversations_under_way_count_towards_the_budget(stores: Stores, judge: ScriptedChatModel):
    for number in range(8):
        hold_call(stores.conversations, f"c{number}")
    plan = plan_evaluations(stores.conversations, stores.evaluations, [AGENT_WITH_TWO])
    tokens, _ = estimate_conversation(plan.conversations[0], a_dollar_a_token)

    found = run(stores, judge, max_tokens=2 * tokens + 1, concurrency=8)

    assert 2 <= found.evaluated < 8
    assert sum(usage.input_tokens + usage.output_tokens for usage in found.usage) <= 2 * tokens


def test_a_budget_in_dollars_needs_prices(stores: Stores, judge: ScriptedChatModel):
    hold_call(stores.conversations, "c1")

    with pytest.raises(BudgetError, match="no price is known for scripted/judge"):
        run(stores, judge, max_usd=1.0)

    assert judge.prompts == []


def test_a_condition_may_name_a_field_that_is_answered_already(
    stores: Stores, judge: ScriptedChatModel
):
    hold_call(stores.conversations, "c1")
    run(stores, judge)
    city = DataCollectionField(
        field_id="city",
        description="The city.",
        only_when=(Condition(field="topic", equals="refunds"),),
    )
    agent = AGENT_WITH_TWO.model_copy(
        update={"data_collection": (*AGENT_WITH_TWO.data_collection, city)}
    )
    told = ScriptedChatModel(
        {"fields": [{"field": "city", "turn": 2, "value": "five days"}]}, model=JUDGE
    )

    run(stores, told, agent)

    found = stores.evaluations.latest_collected_values("c1")["city"]
    assert (found.value, found.status) == ("five days", "supported")


def test_scores_and_votes_are_kept(stores: Stores):
    hold_call(stores.conversations, "c1")
    rating = Criterion(criterion_id="effort", prompt="Little effort.", scale=Scale(min=1, max=5))
    agent = AGENT_WITH_TWO.model_copy(
        update={
            "criteria": (rating,),
            "data_collection": (),
            "analysis": AnalysisSection(judges=("scripted/a", "scripted/b"), summary=False),
        }
    )
    scores = {"scripted/a": 2, "scripted/b": 4}

    def open_model(llm: LLMConfig) -> ScriptedChatModel:
        reply = {"score": scores[llm.model], "turn": 2, "quote": "five days", "rationale": "Quick."}
        return ScriptedChatModel(reply, model=llm.model)

    found = run(stores, ScriptedChatModel(), agent, open_model=open_model)

    assert (found.evaluated, found.answers, found.answer_errors) == (1, 1, 0)
    (kept,) = stores.evaluations.evaluations(["c1"])
    assert (kept.verdict, kept.score, kept.agreement) == (None, 3.0, 0.5)
    assert kept.judge_model == "majority(scripted/a, scripted/b)"
    assert [(vote.judge_model, vote.answer) for vote in kept.votes] == [
        ("scripted/a", 2.0),
        ("scripted/b", 4.0),
    ]
    assert run(stores, ScriptedChatModel(), agent).cached == 1


def test_samples_repeat_the_questions_beside_the_answers_in_force(
    stores: Stores, judge: ScriptedChatModel
):
    hold_call(stores.conversations, "c1")
    run(stores, judge)
    assert run(stores, judge, sample=1).answers == 3
    assert run(stores, judge, sample=1).cached == 1
    assert {e.sample for e in stores.evaluations.evaluations(["c1"])} == {0, 1}


def test_a_run_can_be_narrowed(stores: Stores, judge: ScriptedChatModel):
    hold_call(stores.conversations, "c1")
    hold_call(stores.conversations, "c2")
    found = run(stores, judge, conversation_ids=["c2"], only=["helped"])
    assert (found.evaluated, found.answers, len(judge.prompts)) == (1, 1, 1)
    assert stores.evaluations.runs(["c1"]) == []


def test_conversations_that_go_on_or_belong_to_others_wait(
    stores: Stores, judge: ScriptedChatModel
):
    stores.conversations.begin("open", agent_id="shop-desk", started_at=DAY)
    stores.conversations.import_transcript(
        Transcript(conversation_id="other", agent_id="gone", started_at=DAY, ended_at=DAY)
    )
    found = run(stores, judge)
    assert (found.evaluated, found.skipped) == (0, 1)
    assert judge.prompts == []


def test_progress_counts_every_conversation(stores: Stores, judge: ScriptedChatModel):
    for number in range(3):
        hold_call(stores.conversations, f"c{number}")
    seen: list[tuple[str, int, int]] = []
    run(stores, judge, progress=lambda *step: seen.append(step))
    assert seen == [("conversations", done, 3) for done in range(4)]


def test_a_plan_asks_no_model(stores: Stores):
    hold_call(stores.conversations, "c1")
    plan = plan_evaluations(stores.conversations, stores.evaluations, [AGENT_WITH_TWO])
    assert (len(plan.conversations), plan.question_count) == (1, 4)
    without = plan_evaluations(
        stores.conversations,
        stores.evaluations,
        [AGENT_WITH_TWO],
        EvaluationScope(summary=False),
    )
    assert without.question_count == 3


_RUN = """
import os
import sys
from pathlib import Path
from analysis.evaluation.run import MAX_EMBEDDED_WORKERS, evaluate_conversations
from tests.analysis.calls import open_stores, JUDGE
from tests.analysis.evaluation.judged_runs import AGENT_WITH_TWO, judge_answer
from tests.fakes import ScriptedChatModel

def slow(messages, options):
    os.write(1, b"asked\\n")
    if len(judge.prompts) > 9:
        sys.stdin.read()
    return judge_answer(messages, options)

judge = ScriptedChatModel(always=slow, model=JUDGE)
with open_stores(Path(sys.argv[1])) as stores:
    evaluate_conversations(
        stores.conversations, stores.evaluations, [AGENT_WITH_TWO],
        open_model=lambda _: judge, concurrency=1,
    )
"""


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(
    stores: Stores, tmp_path: Path, judge: ScriptedChatModel
):
    for number in range(4):
        hold_call(stores.conversations, f"c{number}", started_at=DAY + timedelta(minutes=number))
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    ) as process:
        assert process.stdout is not None
        asked = [process.stdout.readline() for _ in range(10)]
        process.kill()
    assert asked == [b"asked\n"] * 10

    answered = {each.conversation_id for each in stores.evaluations.runs(["c0", "c1", "c2", "c3"])}
    assert answered == {"c0", "c1"}, "four questions each"
    rest = run(stores, judge)
    assert (rest.evaluated, rest.cached) == (2, 2)
    asked_now = [prompt[-1].content for prompt in judge.prompts]
    assert len(asked_now) == 3 + 4, "what was answered about c2 is not paid twice"
    with stores.evaluations.engine.connect() as connection:
        kept = connection.execute(sa.select(tables.kept_answers)).all()
    assert kept == [], "nothing is kept once it is stored"


def test_what_quotes_documents_judges_nothing_and_writes_no_summary(stores: Stores):
    hold_call(stores.conversations, "c1")
    quoting = ScriptedChatModel(always="Quoted.", model="embedded/extractive")
    overridden = AGENT_WITH_TWO.model_copy(update={"llm": LLMConfig(model="embedded/extractive")})
    with pytest.raises(ModelSetupError, match="can judge nothing"):
        run(stores, quoting, overridden)
    bare = overridden.model_copy(update={"criteria": (), "data_collection": ()})
    assert run(stores, quoting, bare).cached == 1
    assert quoting.prompts == []
