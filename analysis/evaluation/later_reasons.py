"""The reason of a verdict that was given without one, asked for when somebody wants to read it.

A judge in this process writes no reason for a clear success, which is quicker. The verdict and its
probability stay what they were; what is added is the reason, and what asking for it cost.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from analysis.errors import ReasonError
from analysis.evaluation.outcomes import reason_of_verdict
from analysis.evaluation.tasks import subject_of
from analysis.judge.asking import Meter, answer_question
from analysis.results import Evaluation
from analysis.store.answer_keys import transcript_sha256
from analysis.store.store import AnalysisStore, StoredEvaluation
from conversation.agent.config import AgentConfig
from conversation.agent.criteria import Criterion
from conversation.agent.models.llm_config import LLMConfig
from conversation.llm.chat_model import ChatModel
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript

ANOTHER_VERDICT = "Asked for its reason later, the judge says"
"""How a reason begins that explains another verdict than the one in force."""
_AGAIN = "`vivavoce evaluate` judges it anew, and then the reason can be asked for."


def ask_for_reason(
    conversations: ConversationStore,
    analysis_store: AnalysisStore,
    agents: Sequence[AgentConfig],
    conversation_id: str,
    criterion_id: str,
    *,
    open_model: Callable[[LLMConfig], ChatModel],
    now: Callable[[], datetime],
) -> Evaluation:
    """Return the verdict in force with its reason; a judge is asked only where there is none.

    Where the judge now comes to another verdict, the one in force stays and the reason says so.

    Args:
        conversations: Where the transcript is, as judges see it.
        analysis_store: Holds the verdict, and keeps the reason.
        agents: Among them the conversation's.
        conversation_id: The conversation.
        criterion_id: Its criterion.
        open_model: Opens the judge where its agent reaches it.
        now: The clock.

    Raises:
        ReasonError: There is no such verdict, or it is of another transcript or question.
        ModelError: The judge failed. Nothing is kept, and it can be asked again.
    """
    evaluation = _in_force(analysis_store, conversation_id, criterion_id)
    verdict = evaluation.verdict
    if evaluation.rationale is not None:
        return evaluation
    transcript = conversations.transcript(conversation_id)
    agent = _asked_by(agents, transcript)
    criterion = _as_it_was_asked(agent, evaluation, transcript)
    judge = open_model(agent.judge.reached(_who_said_it(evaluation)))
    judge.check()
    meter = Meter()
    subject = subject_of(
        transcript, evaluation.transcript_sha256, now=now(), sample=0, known=None
    ).for_judge(judge)
    told = answer_question(reason_of_verdict(subject, criterion, meter=meter), judge)
    agrees = told.verdict == verdict
    evidence = told.evidence if agrees else ()
    reason = told.rationale or "No reason was given."
    if not agrees:
        reason = f"{ANOTHER_VERDICT} {told.verdict} in place of {verdict}: {reason}"
    analysis_store.add_reason(evaluation, reason, evidence, meter.total(), now())
    return _in_force(analysis_store, conversation_id, criterion_id)


def _in_force(
    analysis_store: AnalysisStore, conversation_id: str, criterion_id: str
) -> StoredEvaluation:
    found = analysis_store.latest_evaluations(conversation_id)
    if criterion_id not in found:
        known = ", ".join(map(repr, sorted(found))) or "none"
        raise ReasonError(
            f"Conversation {conversation_id!r} has no verdict on {criterion_id!r} whose reason "
            f"could be asked for. Criteria with one: {known}."
        )
    evaluation = found[criterion_id]
    if evaluation.verdict is None and evaluation.rationale is None:
        instead = evaluation.error or f"the score {evaluation.score:g}"
        raise ReasonError(
            f"Criterion {criterion_id!r} of conversation {conversation_id!r} has no verdict whose "
            f"reason could be asked for, but {instead}."
        )
    return evaluation


def _asked_by(agents: Sequence[AgentConfig], transcript: Transcript) -> AgentConfig:
    for agent in agents:
        if agent.agent_id == transcript.agent_id:
            return agent
    raise ReasonError(
        f"Conversation {transcript.conversation_id!r} is of the agent {transcript.agent_id!r}, "
        "whose file is missing or cannot be used: `vivavoce agents` says which. It tells where the "
        "judge is."
    )


def _as_it_was_asked(
    agent: AgentConfig, evaluation: Evaluation, transcript: Transcript
) -> Criterion:
    """Return the criterion, if it and the conversation are still what the verdict is about."""
    where = f"{evaluation.criterion_id!r} of conversation {evaluation.conversation_id!r}"
    for criterion in agent.criteria:
        if criterion.criterion_id == evaluation.criterion_id:
            break
    else:
        raise ReasonError(f"The agent file has no criterion {evaluation.criterion_id!r} any more.")
    if criterion.kind != "judged" or criterion.scale is not None:
        raise ReasonError(f"The verdict on {where} is not an answer to a question of yes or no.")
    if criterion.version != evaluation.criterion_version:
        raise ReasonError(f"The criterion {where} was edited since the verdict. {_AGAIN}")
    if transcript_sha256(transcript) != evaluation.transcript_sha256:
        raise ReasonError(
            f"The transcript or its masking changed since the verdict on {where}. {_AGAIN}"
        )
    return criterion


def _who_said_it(evaluation: Evaluation) -> str:
    """Return the judge; of a panel, the first one whose vote is the verdict."""
    agreeing = (each for each in evaluation.votes if each.answer == evaluation.verdict)
    vote = next(agreeing, None)
    return evaluation.judge_model if vote is None else vote.judge_model
