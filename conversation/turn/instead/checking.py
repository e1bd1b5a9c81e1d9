"""What the answer of a turn is compared with before it is said. Pure."""

from collections.abc import Sequence

from conversation.agent.config import AgentConfig
from conversation.agent.models.llm_config import EXTRACTIVE
from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.grounding.citations import result_passage
from conversation.turn.speaker import Speaker
from conversation.turn.turn_so_far import SpeakingTurn

NEAR_SCORE = 0.35
"""Of the best passage, from which a sentence is quoted where an embedded model does not know.

Of 30 answerable turns of MTRAG dev Qwen2.5-Coder 1.5B ended 13 in "I don't know", of 30 others 28.
Above this lie 9 and 4 of them, and a sentence fits in 6 and in none; below it in 1 and 7. Of 19
questions that the sample documents do not answer, none lies above .29.
"""
_EMBEDDED = "embedded/"


def answer_check(
    speaker: Speaker, speaking: SpeakingTurn, *, notes: Sequence[str]
) -> AnswerCheck | None:
    """The check of the answer to the prompt of `speaking`; None where nothing is checked."""
    agent, prompt = speaker.agent, speaking.prompt
    is_checked = checks_numbers(agent, speaker.model.model)
    if prompt is None or speaking.retrieval is None or not is_checked:
        return None
    results = [result_passage(call) for call in prompt.results if not call.is_error]
    is_small = _is_small(speaker.model.model)
    best = max((passage.score for passage in prompt.passages), default=0.0)
    users = [turn.text for turn in speaking.turns if turn.role == "user"]
    return AnswerCheck(
        passages=(*prompt.passages, *results),
        asked=users[-1],
        earlier=users[-2] if len(users) > 1 else "",
        own_words="\n".join([agent.name, agent.system_prompt, agent.first_message, *notes]),
        language=agent.language,
        by_words=is_small,
        is_near=is_small and not speaker.whole and best >= NEAR_SCORE,
    )


def checks_numbers(agent: AgentConfig, model: str) -> bool:
    """Whether what a model says for an agent is compared with the documents before."""
    if agent.prompt.check_numbers is not None:
        return agent.prompt.check_numbers
    return _is_small(model)


def _is_small(model: str) -> bool:
    return model.startswith(_EMBEDDED) and model != EXTRACTIVE
