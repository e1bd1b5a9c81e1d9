"""The reason of a verdict that was given without one, asked for later."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import ReasonError
from analysis.evaluation.later_reasons import ask_for_reason
from analysis.results import Evaluation
from analysis.store.audit import usage_since
from conversation.agent.config import AgentConfig, Criterion
from conversation.agent.models.llm_config import LLMConfig
from conversation.errors import ModelOutputError, ModelUnavailableError
from conversation.llm.chat_model import Completion
from conversation.transcript import Usage
from tests.analysis.calls import DAY, Stores, hold_call, open_stores
from tests.analysis.evaluation.judged_runs import run
from tests.fakes import ScriptedAnswer, ScriptedChatModel

HELPED = Criterion(criterion_id="helped", prompt="The user got an answer.", variant="logprobs")
USAGE = Usage(model="embedded/x", input_tokens=100, output_tokens=1, cost_usd=0.0)
REASON = {"verdict": "success", "turn": 2, "reason": "Refunds were explained."}


def agent(*criteria: Criterion, judges: tuple[str, ...] = ()) -> AgentConfig:
    return AgentConfig(
        agent_id="shop-desk",
        name="Shop desk",
        llm={"model": "embedded/x"},  # type: ignore[arg-type]
        criteria=criteria or (HELPED,),
        analysis={"summary": False, **({"judges": judges} if judges else {})},  # type: ignore[arg-type]
    )


def a_word(yes: float) -> Completion:
    odds = {"yes": math.log(yes), "no": math.log(1 - yes)}
    return Completion(text="yes", usage=USAGE, finish_reason="stop", top_logprobs=odds)


def says(text: str) -> Completion:
    return Completion(text=text, usage=USAGE, finish_reason="stop")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path) as opened:
        hold_call(opened.conversations, "c1")
        yield opened


def judged(stores: Stores, *answers: ScriptedAnswer, by: AgentConfig | None = None) -> None:
    judge = ScriptedChatModel(*answers, model="embedded/x")
    assert run(stores, judge, by or agent()).evaluated == 1


def asked(
    stores: Stores, judge: ScriptedChatModel, by: AgentConfig | None = None, name: str = "helped"
) -> Evaluation:
    return ask_for_reason(
        stores.conversations,
        stores.evaluations,
        [by or agent()],
        "c1",
        name,
        open_model=lambda _: judge,
        now=lambda: DAY,
    )


def in_force(stores: Stores) -> Evaluation:
    return stores.evaluations.latest_evaluations("c1")["helped"]


def test_a_reason_is_written_beside_the_verdict_and_asked_for_once(stores: Stores):
    judged(stores, a_word(0.99), "2")
    before = in_force(stores)
    judge = ScriptedChatModel(REASON, a_word(0.9))

    found = asked(stores, judge)

    assert before.verdict == "success"
    assert before.rationale is None
    kept = {"rationale": "Refunds were explained.", "usage": found.usage}
    assert found == in_force(stores) == before.model_copy(update=kept)
    assert "reason (at most 12 words)" in judge.prompt_texts[0]
    assert asked(stores, ScriptedChatModel()) == found, "nobody is asked a second time"
    nobody = ScriptedChatModel(model="embedded/x")
    assert run(stores, nobody, agent()).evaluated == 0, "the verdict counts as given"


def test_what_asking_cost_is_counted(stores: Stores):
    judged(stores, a_word(0.99), says("2"))
    before = sum(each.input_tokens for each in usage_since(stores.evaluations.engine, DAY))
    reason = '{"verdict": "success", "turn": 2, "reason": "Explained."}'

    found = asked(stores, ScriptedChatModel(says(reason), a_word(0.9)))

    after = sum(each.input_tokens for each in usage_since(stores.evaluations.engine, DAY))
    assert (before, after) == (200, 400)
    assert found.usage is not None
    assert found.usage.input_tokens == 400
    assert stores.evaluations.runs(["c1"])[-1].error is None


@pytest.mark.parametrize("verdict", ["failure", "unknown"])
def test_another_verdict_changes_nothing_and_is_said(stores: Stores, verdict: str):
    judged(stores, a_word(0.99), "2")
    before = in_force(stores)
    other = {"verdict": verdict, "turn": 1, "reason": "Nothing was said of it."}

    found = asked(stores, ScriptedChatModel(other, a_word(0.05)))

    assert (found.verdict, found.confidence) == ("success", before.confidence)
    assert found.evidence == before.evidence
    assert found.rationale == (
        f"Asked for its reason later, the judge says {verdict} in place of success: "
        "Nothing was said of it."
    )


def test_a_reason_that_says_otherwise_is_asked_for_again(stores: Stores):
    judged(stores, a_word(0.99), "2")
    odd = REASON | {"reason": "The user got nothing."}

    found = asked(stores, ScriptedChatModel(odd, a_word(0.02), REASON, a_word(0.9)))

    assert found.rationale == "Refunds were explained."


def test_an_answer_without_a_reason_is_asked_for_again_and_then_an_error(stores: Stores):
    judged(stores, a_word(0.99), "2")
    empty = REASON | {"reason": " "}

    with pytest.raises(ModelOutputError, match="got none"):
        asked(stores, ScriptedChatModel(empty, empty))
    assert in_force(stores).rationale is None
    assert asked(stores, ScriptedChatModel(empty, REASON, a_word(0.9))).rationale


def test_a_judge_that_fails_leaves_everything_as_it_was(stores: Stores):
    judged(stores, a_word(0.99), "2")
    before = (in_force(stores), len(stores.evaluations.runs(["c1"])))

    with pytest.raises(ModelUnavailableError):
        asked(stores, ScriptedChatModel(ModelUnavailableError("no answer")))
    assert (in_force(stores), len(stores.evaluations.runs(["c1"]))) == before


def test_of_a_panel_one_that_voted_for_the_verdict_is_asked(stores: Stores):
    panel = agent(judges=("embedded/one", "embedded/two", "embedded/x"))
    no = [a_word(0.01), {"verdict": "failure", "turn": 1, "reason": "No."}, a_word(0.02)]
    answers = {
        "embedded/one": ScriptedChatModel(*no, model="embedded/one"),
        "embedded/two": ScriptedChatModel(a_word(0.99), "2", REASON, a_word(0.9)),
        "embedded/x": ScriptedChatModel(a_word(0.99), "2"),
    }

    def opened(llm: LLMConfig) -> ScriptedChatModel:
        return answers[llm.model]

    run(stores, ScriptedChatModel(), panel, open_model=opened)
    found = ask_for_reason(
        stores.conversations,
        stores.evaluations,
        [panel],
        "c1",
        "helped",
        open_model=opened,
        now=lambda: DAY,
    )

    assert (found.verdict, found.rationale) == ("success", "Refunds were explained.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": "Otherwise."}, "was edited since the verdict"),
        ({"criterion_id": "polite"}, "no criterion 'helped' any more"),
    ],
)
def test_a_question_that_is_another_now_is_not_explained(
    stores: Stores, change: dict[str, Any], message: str
):
    judged(stores, a_word(0.99), "2")
    edited = agent(HELPED.model_copy(update=change))

    with pytest.raises(ReasonError, match=message):
        asked(stores, ScriptedChatModel(), edited)


def test_what_has_no_verdict_is_named_with_what_has_one(stores: Stores):
    judged(stores, a_word(0.99), "2")

    with pytest.raises(ReasonError, match=r"no verdict on 'helpd'.*'helped'"):
        asked(stores, ScriptedChatModel(), name="helpd")
    with pytest.raises(ReasonError, match="vivavoce agents"):
        asked(stores, ScriptedChatModel(), agent().model_copy(update={"agent_id": "other"}))
