"""What the answer of a turn is compared with before it is said. Pure."""

from collections.abc import Sequence

from conversation.agent.config import AgentConfig
from conversation.agent.models.llm_config import EXTRACTIVE
from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.grounding.citations import result_passage
from conversation.turn.speaker import Speaker
from conversation.turn.turn_so_far import SpeakingTurn

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
    users = [turn.text for turn in speaking.turns if turn.role == "user"]
    return AnswerCheck(
        passages=(*prompt.passages, *results),
        asked=users[-1],
        earlier=users[-2] if len(users) > 1 else "",
        own_words="\n".join([agent.name, agent.system_prompt, agent.first_message, *notes]),
        language=agent.language,
        by_words=_is_small(speaker.model.model),
    )


def checks_numbers(agent: AgentConfig, model: str) -> bool:
    """Whether what a model says for an agent is compared with the documents before."""
    if agent.prompt.check_numbers is not None:
        return agent.prompt.check_numbers
    return _is_small(model)


def _is_small(model: str) -> bool:
    return model.startswith(_EMBEDDED) and model != EXTRACTIVE
