"""A whole analysis with a scripted judge: what is asked, what is recorded, what fails alone."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from analysis.errors import EmptyTranscriptError
from analysis.evaluation.analyse import analyse_transcript
from analysis.evaluators.versions import judge_prompt_version
from analysis.judge.prompts import (
    SECOND_ANSWER_WEIGHT,
    YES_BIAS,
)
from analysis.results import Evidence
from analysis.store.answer_keys import transcript_sha256
from conversation.agent.config import Criterion, DataCollectionField
from conversation.errors import ModelSetupError, ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.transcript import Transcript, Turn, Usage
from tests.fakes import ScriptedChatModel

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REFUND_CALL = Transcript(
    conversation_id="c1",
    turns=(
        Turn(role="agent", text="Hello, how can I help?"),
        Turn(role="user", text="I was charged twice, that is 40 dollars too much."),
        Turn(role="agent", text="I have refunded the second charge."),
        Turn(role="user", text="Great, thank you!"),
    ),
)
REFUNDED = Criterion(criterion_id="refunded", prompt="The agent refunded the user.")
POLITE = Criterion(criterion_id="polite", prompt="The agent was polite.")
AMOUNT = DataCollectionField(field_id="amount", type="integer", description="Dollars in dispute.")
TOPIC = DataCollectionField(
    field_id="topic", description="What it is about.", enum=("billing", "delivery")
)


def word(text: str, **probabilities: float) -> Completion:
    """A one-word answer with the probabilities of its candidates."""
    return Completion(
        text=text,
        usage=Usage(model="embedded/judge", input_tokens=10, output_tokens=1, cost_usd=0.0),
        finish_reason="stop",
        top_logprobs={token: math.log(p) for token, p in probabilities.items()} or None,
    )


def small_judge(*answers: object, **options: object) -> ScriptedChatModel:
    return ScriptedChatModel(*answers, model="embedded/judge", **options)  # type: ignore[arg-type]


def test_a_verdict_carries_its_probability_a_rationale_and_verbatim_evidence():
    judge = small_judge(
        word("yes", yes=0.4, Yes=0.2, no=0.4),
        {"verdict": "success", "turn": 2, "reason": "The agent refunded the charge."},
        word("yes", yes=0.9, no=0.1),
    )

    result = analyse_transcript(REFUND_CALL, [REFUNDED], [], judge, now=NOW, summary=False)

    (evaluation,) = result.evaluations
    assert evaluation.verdict == "success"
    odds = 0.6 / 0.4 / math.exp(YES_BIAS) * math.exp(SECOND_ANSWER_WEIGHT)
    assert evaluation.confidence == pytest.approx(odds / (1 + odds))
    assert evaluation.rationale == "The agent refunded the charge."
    assert evaluation.evidence == (
        Evidence(turn_index=2, quote="I have refunded the second charge."),
    )
    assert evaluation.criterion_version == REFUNDED.version
    assert evaluation.judge_model == "embedded/judge"
    assert evaluation.judge_prompt_version == judge_prompt_version("embedded/judge")
    assert evaluation.transcript_sha256 == transcript_sha256(REFUND_CALL)
    assert evaluation.evaluated_at == NOW
    assert evaluation.usage is not None
    assert evaluation.usage.calls == 3


def test_a_verdict_stands_without_a_reason_that_can_be_read():
    judge = small_judge(word("no", no=0.9, yes=0.1), "because", "I said so")

    result = analyse_transcript(REFUND_CALL, [REFUNDED], [], judge, now=NOW, summary=False)

    (evaluation,) = result.evaluations
    assert (evaluation.verdict, evaluation.error) == ("failure", None)
    assert (evaluation.rationale, evaluation.evidence) == (None, ())


def test_a_remote_judge_answers_in_one_json_object():
    judge = ScriptedChatModel(
        {"verdict": "success", "turn": 2, "quote": "i have  REFUNDED", "rationale": "It did."},
        {"fields": [{"field": "amount", "turn": 1, "value": 40}]},
        "The user got a refund.",
    )

    result = analyse_transcript(REFUND_CALL, [REFUNDED], [AMOUNT, TOPIC], judge, now=NOW)

    assert result.evaluations[0].evidence == (Evidence(turn_index=2, quote="I have refunded"),)
    assert [(value.value, value.status) for value in result.collected] == [
        (40, "supported"),
        (None, "not_discussed"),
    ]
    assert result.collected[0].evidence == (Evidence(turn_index=1, quote="40"),)
    assert result.summary == "The user got a refund."
    assert result.usage is not None
    assert result.usage.calls == 3


def test_a_quote_from_another_turn_is_reported_and_not_shown_as_evidence():
    judge = ScriptedChatModel(
        {"verdict": "success", "turn": 3, "quote": "I have refunded", "rationale": "It did."}
    )

    result = analyse_transcript(REFUND_CALL, [REFUNDED], [], judge, summary=False)

    (evaluation,) = result.evaluations
    assert evaluation.verdict == "success"
    assert evaluation.evidence == ()
    assert evaluation.unsupported_quotes == ("I have refunded",)


def test_fields_of_an_embedded_judge_are_located_in_code():
    judge = small_judge({"amount": 40, "topic": "billing"}, always="yes")

    result = analyse_transcript(REFUND_CALL, [], [AMOUNT, TOPIC], judge, summary=False)

    amount, topic = result.collected
    assert (amount.value, amount.status) == (40, "supported")
    assert amount.evidence == (Evidence(turn_index=1, quote="40"),)
    assert (topic.value, topic.status) == ("billing", "supported")
    assert topic.evidence[0].turn_index == 1


def test_every_question_of_a_conversation_shares_its_prefix():
    judge = small_judge(always=word("none"))

    analyse_transcript(REFUND_CALL, [REFUNDED, POLITE], [AMOUNT, TOPIC], judge)

    assert len({prompt[0].content for prompt in judge.prompts}) == 1
    prefixes = {prompt[1].content.split("</transcript>")[0] for prompt in judge.prompts}
    assert len(prefixes) == 1
    assert "[3] user: Great, thank you!" in prefixes.pop()


def test_malformed_answers_are_asked_again_once_and_then_recorded():
    judge = ScriptedChatModel("no json", "still none", '{"verdict": "maybe"}', "{}")

    result = analyse_transcript(REFUND_CALL, [REFUNDED, POLITE], [], judge, summary=False)

    assert [evaluation.verdict for evaluation in result.evaluations] == [None, None]
    assert all("ModelOutputError" in (each.error or "") for each in result.evaluations)
    assert len(judge.prompts) == 4


def test_a_second_well_formed_answer_counts():
    judge = small_judge(
        "perhaps", "No.", {"verdict": "failure", "turn": 0, "reason": "Only hello."}, "no"
    )

    result = analyse_transcript(REFUND_CALL, [REFUNDED], [], judge, summary=False)

    assert result.evaluations[0].verdict == "failure"
    assert result.evaluations[0].error is None
    assert "cannot be used" in judge.prompts[1][-1].content


def test_a_failing_call_costs_only_its_own_question():
    judge = small_judge(
        ModelUnavailableError("no answer from the endpoint"),
        word("yes", yes=0.9),
        {"verdict": "success", "turn": 2, "reason": "Polite."},
        word("yes", yes=0.9),
        ModelUnavailableError("no answer from the endpoint"),
        ModelUnavailableError("no answer from the endpoint"),
    )

    result = analyse_transcript(REFUND_CALL, [REFUNDED, POLITE], [AMOUNT, TOPIC], judge)

    assert [evaluation.verdict for evaluation in result.evaluations] == [None, "success"]
    assert "no answer" in (result.evaluations[0].error or "")
    assert [value.status for value in result.collected] == ["error", "error"]
    assert "no answer" in (result.collected[0].error or "")
    assert result.summary is None
    assert "no answer" in (result.summary_error or "")


def test_an_enum_violation_is_asked_again_and_then_invalid():
    judge = small_judge({"topic": "money"}, {"topic": "refunds", "amount": 40}, "yes")

    result = analyse_transcript(REFUND_CALL, [], [TOPIC, AMOUNT], judge, summary=False)

    topic, amount = result.collected
    assert (topic.value, topic.status) == (None, "invalid")
    assert "'refunds' is not one of billing, delivery" in (topic.rationale or "")
    assert amount.status == "supported"
    assert "not one of" in judge.prompts[1][-1].content


def test_a_field_that_cannot_be_answered_costs_only_itself():
    judge = small_judge("broken", "broken", "broken", "broken", {"topic": "billing"}, "yes")

    result = analyse_transcript(REFUND_CALL, [], [AMOUNT, TOPIC], judge, summary=False)

    amount, topic = result.collected
    assert (amount.value, amount.status) == (None, "error")
    assert "expected JSON" in (amount.error or "")
    assert (topic.value, topic.status) == ("billing", "supported")


def test_a_value_that_nobody_said_is_unsupported():
    judge = small_judge({"amount": 55})

    result = analyse_transcript(REFUND_CALL, [], [AMOUNT], judge, summary=False)

    (amount,) = result.collected
    assert (amount.value, amount.status) == (None, "unsupported")
    assert amount.unsupported_quotes == ("55",)


def test_a_criterion_can_have_its_own_judge_and_be_without_it_alone():
    other = ScriptedChatModel(
        {"verdict": "failure", "turn": 0, "quote": "Hello", "rationale": "-"}, model="x/other"
    )

    def open_judge(model: str) -> ScriptedChatModel:
        if model == "x/other":
            return other
        raise ModelUnavailableError(f"{model!r} does not answer")

    result = analyse_transcript(
        REFUND_CALL,
        [
            REFUNDED.model_copy(update={"judge": "x/other"}),
            POLITE.model_copy(update={"judge": "x/away"}),
        ],
        [],
        small_judge(),
        summary=False,
        open_judge=open_judge,
    )

    refunded, polite = result.evaluations
    assert (refunded.judge_model, refunded.verdict) == ("x/other", "failure")
    assert (polite.judge_model, polite.verdict) == ("x/away", None)
    assert "does not answer" in (polite.error or "")


def test_a_criterion_whose_judge_is_not_set_up_is_an_error_before_any_work():
    def open_judge(model: str) -> ScriptedChatModel:
        raise ModelSetupError(f"{model!r} needs a key")

    judge = small_judge()
    locked = POLITE.model_copy(update={"judge": "x/locked"})

    with pytest.raises(ModelSetupError, match="'x/locked' needs a key"):
        analyse_transcript(REFUND_CALL, [REFUNDED, locked], [], judge, open_judge=open_judge)

    assert judge.prompts == []


def test_a_judge_that_turns_out_to_be_refused_is_recorded_of_nothing():
    judge = small_judge(ModelSetupError("the key was refused"))

    with pytest.raises(ModelSetupError, match="the key was refused"):
        analyse_transcript(REFUND_CALL, [REFUNDED, POLITE], [AMOUNT], judge)

    assert len(judge.prompts) == 1


def test_a_judge_that_cannot_be_used_is_an_error_before_any_work():
    def open_judge(model: str) -> ScriptedChatModel:
        raise ModelSetupError(f"{model!r} is not known")

    with pytest.raises(ModelSetupError, match="'x/nothing' is not known"):
        analyse_transcript(REFUND_CALL, [REFUNDED], [], "x/nothing", open_judge=open_judge)


@pytest.mark.parametrize("turns", [(), (Turn(role="user", text="  "),)])
def test_a_transcript_without_words_is_refused(turns: tuple[Turn, ...]):
    judge = small_judge()

    with pytest.raises(EmptyTranscriptError, match="'c1' cannot be judged"):
        analyse_transcript(REFUND_CALL.model_copy(update={"turns": turns}), [REFUNDED], [], judge)

    assert judge.prompts == []


def test_concurrent_questions_keep_their_order():
    def answer(messages: Sequence[ChatMessage], _: CompletionOptions) -> object:
        verdict = "success" if "polite" in messages[1].content else "failure"
        return {"verdict": verdict, "turn": 0, "quote": "Hello", "rationale": "-"}

    result = analyse_transcript(
        REFUND_CALL,
        [REFUNDED, POLITE] * 10,
        [],
        ScriptedChatModel(always=answer),
        summary=False,
        concurrency=8,
    )

    assert [each.verdict for each in result.evaluations] == ["failure", "success"] * 10


def test_the_digest_is_of_roles_and_texts_only():
    retimed = REFUND_CALL.model_copy(
        update={"turns": tuple(t.model_copy(update={"offset_s": 1.0}) for t in REFUND_CALL.turns)}
    )
    swapped = REFUND_CALL.model_copy(update={"turns": REFUND_CALL.turns[::-1]})

    assert transcript_sha256(retimed) == transcript_sha256(REFUND_CALL)
    assert transcript_sha256(swapped) != transcript_sha256(REFUND_CALL)
