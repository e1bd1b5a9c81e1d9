"""Which turns ask for nothing: greetings, thanks, goodbyes and bare agreement. Pure."""

import re
from collections.abc import Sequence

from kb.retrieval.query import SaidTurn
from kb.words.courtesies import courtesy_of

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SMALL_TALK = frozenset(
    _WORD.findall(
        """
        a absolutely afternoon again ah ahead all alright also am amazing and any anything
        appreciate appreciated are aw awesome be by bye care cheers come cool course covers day
        do doing else enough evening every everything exactly excellent fantastic finally fine
        for from giving glad go going good goodbye goodnight got great ha have hello help helped
        helpful helping hey hi hiya hm hmm how i i'll i'm indeed information is it it's just
        kind kindly know later let like lot lots love lovely many maybe me mhm mind mine mm
        morning much my need needed never nevermind nice night no nope not nothing now of oh ok
        okay on one perfect please pleasure pretty quite really right see so sorry sounds super
        sure sweet take talk terrific thank thanks that that'll that's thats the then there
        these think this time to today tomorrow too u uh uhh uhm um umm understood very wait was
        weekend welcome well will with wonderful would yeah yep yes yo you you'd you'll you're
        you've your yup
        """
    )
)
_POLITE = frozenset(
    _WORD.findall(
        """
        absolutely afternoon ah all alright amazing appreciate appreciated awesome bye cheers
        cool evening everything exactly excellent fantastic fine good goodbye goodnight great
        hello hey hi hiya hm hmm indeed later lovely mhm morning nice night no nope nothing oh
        ok okay perfect right sorry sure terrific thank thanks understood welcome wonderful yeah
        yep yes yo yup
        """
    )
)
_QUESTION_WORDS = frozenset({"how", "is", "are", "do", "would", "any"})
_ASKED_BACK = re.compile(r"\b(?:how are you|how is it going|how's it going|how do you do)\b")


def should_search(query: str, history: Sequence[SaidTurn] = ()) -> bool:
    """Whether a turn may ask for something that documents can answer.

    Only turns made of nothing but small talk are left out; in doubt the answer is yes, because a
    needless search costs milliseconds and a missing one costs the answer.

    Args:
        query: The user's turn.
        history: The turns before it, oldest first: "yes" to a question of the agent is no small
            talk.
    """
    if courtesy_of(query):
        return False
    said = _ASKED_BACK.sub("hello", query.casefold().replace("\u2019", "'"))
    words = _WORD.findall(said)
    if not words or any(character.isdigit() for character in query):
        return bool(query.strip()) and any(character.isalnum() for character in query)
    if not set(words) <= _SMALL_TALK or not _POLITE & set(words):
        return True
    if words[0] in _QUESTION_WORDS:
        return True
    agreed = words[0] in {"yes", "yeah", "yep", "yup", "sure", "please", "ok", "okay", "no", "nope"}
    return agreed and _agent_asked(history) and not {"thanks", "thank", "bye"} & set(words)


def _agent_asked(history: Sequence[SaidTurn]) -> bool:
    if not history or history[-1].role == "user":
        return False
    return history[-1].text.rstrip().endswith("?")
