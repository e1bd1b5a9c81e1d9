"""Whether a turn tells a value that stands in it, by the turn itself and its answer. Pure."""

import re
from collections.abc import Sequence

from analysis.said.stance.asked import is_only_asked, is_only_supposed, is_refused, question_around
from analysis.said.stance.denials import is_turned_down
from conversation.transcript import Turn

_YES = re.compile(
    r"^\W*(?:yes|yeah|yep|correct|right|exactly|that['\u2019]s\s+(?:right|correct|it)|ja|genau|richtig|oui|"
    r"exact(?:ement)?|sí|si|correcto|sì|esatto|sim|tak|да|evet|はい|是|对|對|네|예|हाँ|हां|نعم)(?!\w)",
    re.IGNORECASE,
)
_AGREES = re.compile(
    r"^\W*(?:(?:yes|yeah|yep|sure|ok(?:ay)?|ja|jawohl|oui|sí|si|vale|claro)[\s,.!]+)?(?:(?:that|it|this|das|ça|eso|ese|"
    r"der|die)\s+)?(?:yes|yeah|yep|sure|perfect|great|fine|good|works|sounds\s+(?:good|great|fine)|(?:is|['\u2019]s)\s+"
    r"(?:fine|good|great|perfect|right|correct|ok(?:ay)?)|suits\s+me|ok(?:ay)?|please|ja|gerne?|gut|passt|genau|"
    r"perfekt|prima|einverstanden|stimmt|bitte|oui|parfait|d['\u2019]accord|volontiers|me\s+(?:va|convient)|sí|si|vale|"
    r"perfecto|de\s+acuerdo|muy\s+bien|me\s+viene\s+bien|claro)"
    r"(?:[\s,]+(?:please|thanks?|thank\s+you|for\s+me|mir|gut|danke|bitte|merci|gracias|bien|por\s+favor|great|fine|"
    r"perfect|perfekt|parfait|perfecto|das|that|passt|works|ja|me|is|good|very|sehr|s['\u2019]il\s+vous\s+plaît)){0,4}\W*$",
    re.IGNORECASE,
)


def is_agreed(turns: Sequence[Turn], index: int, words: str) -> bool:
    """Return whether the user says yes, and nothing else, to an agent's question with `words`."""
    if turns[index].role != "agent" or index + 1 >= len(turns):
        return False
    answer = turns[index + 1]
    asked = question_around(turns[index].text, words)
    return asked is not None and answer.role == "user" and _AGREES.match(answer.text) is not None


def is_not_told(turns: Sequence[Turn], index: int, words: str, *, as_moment: bool = False) -> bool:
    """Return whether a turn names a value only to deny it, ask whether it is so, or suppose it.

    What a user asks ("is it five?") counts when the agent says yes, and what an agent asks counts
    unless the user says no.

    Args:
        turns: The whole conversation.
        index: Of the turn.
        words: The value as it stands there.
        as_moment: Whether it is a day or a time, which may not suit somebody.
    """
    text, role = turns[index].text, turns[index].role
    if is_turned_down(text, words, as_moment=as_moment) or is_only_supposed(text, words):
        return True
    answer = turns[index + 1] if index + 1 < len(turns) else None
    answered = answer.text if answer is not None and answer.role != role else ""
    if is_refused(text, words, answered):
        return True
    return role == "user" and is_only_asked(text, words) and not _YES.match(answered)
