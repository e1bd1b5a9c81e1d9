"""Criteria that code decides: from the agent file, from Python, and over stored conversations."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import EvaluatorError
from analysis.evaluation.analyse import analyse_transcript
from analysis.evaluation.estimate import Budget, estimate_plan
from analysis.evaluation.plan import plan_evaluations
from analysis.evaluation.run import evaluate_conversations
from analysis.evaluators.known import EVALUATORS, evaluator_of
from analysis.evaluators.versions import judge_prompt_version
from analysis.results import Evaluation, Evidence
from conversation.agent.agent_file import parse_agent
from conversation.agent.config import AgentConfig, Criterion
from conversation.errors import ModelSetupError
from conversation.llm.chat_model import ChatModel
from conversation.transcript import Retrieval, ToolCall, Transcript, Turn
from tests.analysis.calls import DAY, hold_call, open_stores, refresh
from tests.fakes import ScriptedChatModel

AGENT_FILE = """
agent_id: shop-desk
name: Shop desk
criteria:
  - faithfulness
  - answered
  - id: hours
    prompt: The agent said the opening hours within three turns.
    kind: rule
    settings: {pattern: 'open (at|from) (nine|9)', within_turns: 3}
analysis: {summary: false}
"""
CALL = Transcript(
    conversation_id="c1",
    turns=(
        Turn(role="agent", text="Hello, how can I help?"),
        Turn(role="user", text="When do you open?"),
        Turn(
            role="agent",
            text="We Open at nine. Parking is free.",
            grounded_share=0.5,
            unsupported_spans=((17, 33),),
            tool_calls=(
                ToolCall(tool_name="hours", tool_call_id="1", parameters={"day": "today"}),
            ),
        ),
        Turn(role="user", text="Can I pay by card?"),
        Turn(role="agent", text="I don't know that.", grounded_share=1.0),
    ),
)


def decided(kind: str = "rule", call: Transcript = CALL, **settings: Any) -> Evaluation:
    criterion = Criterion.model_validate({"id": "it", "kind": kind, "settings": settings})
    (found,) = analyse_transcript(call, [criterion], [], None, summary=False).evaluations
    return found


def nobody(model: object) -> ChatModel:
    raise AssertionError(f"{model} was opened")


def test_an_agent_file_names_what_code_decides_in_one_line():
    agent = parse_agent(AGENT_FILE, origin="shop.yaml")

    found = analyse_transcript(CALL, agent.criteria, [], None, summary=False, open_judge=nobody)

    assert [(each.criterion_id, each.verdict) for each in found.evaluations] == [
        ("faithfulness", "success"),
        ("answered", "failure"),
        ("hours", "success"),
    ]
    assert found.usage is None
    assert found.evaluations[2].evidence == (Evidence(turn_index=2, quote="Open at nine"),)
    assert found.evaluations[0].evidence == (Evidence(turn_index=2, quote="Parking is free."),)
    assert found.evaluations[1].evidence == (Evidence(turn_index=3, quote="Can I pay by card?"),)


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({"pattern": "open at nine"}, "success"),
        ({"pattern": "open at nine", "never": True}, "failure"),
        ({"pattern": "open at ten"}, "failure"),
        ({"pattern": "open at ten", "never": True}, "success"),
        ({"pattern": "open at nine", "within_turns": 1}, "failure"),
        ({"pattern": "open at nine", "within_turns": 2}, "success"),
        ({"pattern": "open", "said_by": "user"}, "success"),
        ({"pattern": "open at", "said_by": "user"}, "failure"),
        ({"pattern": "open", "said_by": "anyone", "at_least": 2}, "success"),
        ({"pattern": "open", "said_by": "anyone", "at_least": 3}, "failure"),
        ({"pattern": "open at nine", "after": "when do you", "within_turns": 1}, "success"),
        ({"pattern": "open at nine", "after": "by card"}, "failure"),
        ({"pattern": "open at nine", "after": "never said"}, "unknown"),
        ({"sql": "SELECT turn_index FROM turns WHERE text ILIKE '%card%'"}, "success"),
        ({"sql": "SELECT turn_index FROM tool_calls WHERE is_error", "never": True}, "success"),
        ({"sql": "SELECT turn_index, 'Open' AS quote FROM tool_calls"}, "success"),
        ({"sql": "SELECT turn_index FROM turns WHERE parse_json(text) IS NULL"}, None),
    ],
)
def test_a_rule_is_decided_by_the_transcript(settings: dict[str, Any], verdict: str | None):
    found = decided(**settings)

    assert found.verdict == verdict
    for evidence in found.evidence:
        assert evidence.quote in CALL.turns[evidence.turn_index].text


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"pattern": "("}, "missing )"),
        ({}, "give either `pattern` or `sql`"),
        ({"pattern": "x", "sql": "SELECT 1"}, "give either `pattern` or `sql`"),
        ({"patern": "x"}, "patern: Extra inputs are not permitted"),
        ({"sql": "SELECT 1 AS x"}, "has to return `turn_index`"),
        ({"sql": "SELECT 99 AS turn_index"}, "from 0 to 4"),
        ({"sql": "SELEC"}, "syntax error"),
        ({"sql": "SELECT * FROM read_csv('secret.csv')"}, "disabled by configuration"),
        ({"sql": "SELECT 0 AS turn_index", "within_turns": 2}, "say them in the SQL"),
    ],
)
def test_a_rule_that_cannot_be_used_says_why_and_costs_nothing_else(
    settings: dict[str, Any], told: str
):
    broken = Criterion.model_validate({"id": "broken", "kind": "rule", "settings": settings})
    good = Criterion.model_validate({"id": "good", "kind": "rule", "settings": {"pattern": "."}})

    first, second = analyse_transcript(CALL, [broken, good], [], None, summary=False).evaluations

    assert first.verdict is None
    assert first.error is not None
    assert told in first.error
    assert "'broken'" in first.error
    assert second.verdict == "success"


def test_an_unknown_kind_names_those_that_there_are():
    assert "answered, faithfulness, rule" in str(decided("rul").error)
    with pytest.raises(EvaluatorError):
        evaluator_of("judged")


def test_an_evil_pattern_takes_no_longer_than_others():
    call = Transcript(conversation_id="c", turns=(Turn(role="agent", text="a" * 50_000),))
    began = time.process_time()

    assert decided(call=call, pattern="(a+)+$b").verdict == "failure"
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("shares", "verdict", "confidence"),
    [([], "unknown", None), ([1.0, 0.0], "success", 0.5), ([0.2, 0.4], "failure", 0.3)],
)
def test_faithfulness_is_the_mean_grounded_share(
    shares: list[float], verdict: str, confidence: float | None
):
    turns = tuple(Turn(role="agent", text="So.", grounded_share=share) for share in shares)
    call = Transcript(conversation_id="c", turns=(Turn(role="user", text="Hm?"), *turns))

    found = decided("faithfulness", call)

    assert found.verdict == verdict
    assert found.confidence == pytest.approx(confidence)
    assert decided("faithfulness", call, min_share=0.3).verdict in ("success", "unknown")


def test_a_weak_search_without_an_answer_counts_as_none():
    call = Transcript(
        conversation_id="c",
        turns=(
            Turn(role="user", text="How long is the warranty?"),
            Turn(role="agent", text="Two years.", turn_id="t1"),
        ),
    )
    weak = Retrieval(
        **{"turn_id": "t1", "query": "warranty", "chunk_id": "k", "document_id": "d"},
        **{"document_name": "D", "start_char": 0, "end_char": 3, "rank": 1, "score": 0.1},
    )
    answered = Criterion.model_validate("answered")

    def verdict(*retrievals: Retrieval) -> str | None:
        found = analyse_transcript(call, [answered], [], None, summary=False, retrievals=retrievals)
        return found.evaluations[0].verdict

    assert verdict(weak) == "failure"
    assert verdict(weak.model_copy(update={"score": 0.9})) == "success"


def test_stored_conversations_are_decided_once_and_published_without_any_model(tmp_path: Path):
    agent = parse_agent(AGENT_FILE, origin="shop.yaml")
    with open_stores(tmp_path) as stores:
        for number in range(3):
            hold_call(
                stores.conversations, f"c{number}", started_at=DAY + timedelta(minutes=number)
            )

        def run(of: AgentConfig) -> tuple[int, int]:
            done = evaluate_conversations(
                stores.conversations, stores.evaluations, [of], open_model=nobody, max_usd=0.01
            )
            return done.evaluated, done.answers

        plan = plan_evaluations(stores.conversations, stores.evaluations, [agent])
        assert estimate_plan(plan, lambda *_: None).tokens == 0
        Budget(lambda *_: None, max_usd=1).require_prices(plan)
        assert run(agent) == (3, 9)
        assert run(agent) == (0, 0)
        refresh(stores, agent)
        latest = stores.evaluations.latest_evaluations("c0")
        changed = parse_agent(AGENT_FILE.replace("nine|9", "ten|10"), origin="shop.yaml")
        assert run(changed) == (3, 3)

    assert latest["answered"].verdict == "success"
    assert latest["faithfulness"].confidence == 1.0
    assert latest["hours"].judge_model == "code/rule"
    assert latest["hours"].judge_prompt_version == EVALUATORS["rule"].version
    assert judge_prompt_version("code/rule") == EVALUATORS["rule"].version


def test_rules_stand_beside_questions_to_a_judge():
    judge = ScriptedChatModel(
        {"verdict": "failure", "turn": 0, "quote": "", "rationale": "Not at all."}
    )
    agent = parse_agent(AGENT_FILE, origin="shop.yaml")
    asked = Criterion(criterion_id="polite", prompt="The agent was polite.")

    found = analyse_transcript(CALL, [*agent.criteria, asked], [], judge, summary=False)

    assert [each.verdict for each in found.evaluations] == [
        "success",
        "failure",
        "success",
        "failure",
    ]
    assert len(judge.prompts) == 1


def test_a_question_without_a_judge_is_refused():
    asked = Criterion(criterion_id="polite", prompt="The agent was polite.")

    with pytest.raises(ModelSetupError, match="is no judge"):
        analyse_transcript(CALL, [asked], [], None, summary=False)


@pytest.mark.parametrize(
    "section",
    [
        {"id": "a", "kind": "rule", "judge": "openai/x"},
        {"id": "a", "kind": "rule", "scale": {"min": 1, "max": 5}},
        {"id": "a", "prompt": "x", "settings": {"pattern": "x"}},
    ],
)
def test_what_belongs_to_a_judge_is_refused_beside_a_kind(section: dict[str, Any]):
    with pytest.raises(ValueError, match="judge"):
        Criterion.model_validate(section)


def test_a_criterion_that_code_decides_survives_being_stored():
    for criterion in parse_agent(AGENT_FILE, origin="shop.yaml").criteria:
        again = Criterion.model_validate(criterion.model_dump(mode="json"))

        assert again == criterion
        assert again.version == criterion.version


def test_the_evaluator_of_the_contributing_guide_works(monkeypatch: pytest.MonkeyPatch):
    guide = Path(__file__).parents[3] / ".github" / "CONTRIBUTING.md"
    section = guide.read_text("utf-8").partition("## Add a kind of evaluator")[2]
    names: dict[str, Any] = {}
    exec(section.partition("```python\n")[2].partition("```")[0], names)
    monkeypatch.setitem(EVALUATORS, "brief", names["BRIEF"])

    long, short = decided("brief", max_words=3), decided("brief")

    assert (long.verdict, short.verdict) == ("failure", "success")
    assert [evidence.turn_index for evidence in long.evidence] == [0, 2, 4]
    assert (long.judge_model, long.judge_prompt_version) == ("code/brief", "brief-1")
    assert "max_words" in str(decided("brief", max_words=0).error)
