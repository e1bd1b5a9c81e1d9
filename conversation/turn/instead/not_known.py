"""What an agent says when its documents do not hold the answer. Pure."""

from conversation.agent.config import AgentConfig
from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.grounding.checking.quoting import nearest_topic, quote_for
from conversation.language.set_sentences import DONT_KNOW, GET_BACK, NEAREST, in_words_of
from conversation.prompt.prompt import DONT_KNOW as AS_TOLD
from conversation.turn.turn_so_far import SpeakingTurn

TOPIC = "{topic}"
"""Stands in an agent's own words for what its documents hold that comes nearest."""


def said_instead(check: AnswerCheck, agent: AgentConfig) -> str:
    """In place of an answer that the documents do not carry: what they say, where they do."""
    return quote_for(check) or in_words_of(agent.language, DONT_KNOW)


def leaves_unknown(speaking: SpeakingTurn) -> bool:
    """Whether the agent searched its documents and then said that it does not know."""
    if speaking.retrieval is None:
        return False
    if speaking.is_refuted:
        return speaking.text.endswith(tuple(DONT_KNOW.values()))
    said = speaking.text.replace("\u2019", "'").casefold()
    openings = (opening.rstrip(".\u3002") for opening in (AS_TOLD, *DONT_KNOW.values()))
    return said.startswith(tuple(opening.casefold() for opening in openings))


def what_is_near(agent: AgentConfig, speaking: SpeakingTurn) -> str:
    """What follows an answer that says that it is not known; empty where nothing does.

    It is the nearest topic of the documents, and that somebody gets back to the user.
    """
    if speaking.is_over or not leaves_unknown(speaking):
        return ""
    found = () if speaking.retrieval is None else speaking.retrieval.passages
    topic = nearest_topic(found, agent.knowledge_base.min_passage_score)
    own = agent.not_known_message
    if own is not None:
        return "" if TOPIC in own and not topic else own.replace(TOPIC, topic)
    near = in_words_of(agent.language, NEAREST).replace(TOPIC, topic) if topic else ""
    return f"{near} {in_words_of(agent.language, GET_BACK)}".strip()
