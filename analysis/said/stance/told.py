"""Whether a turn tells a value that stands in it, by the turn itself and its answer. Pure."""

import re
from collections.abc import Sequence

from analysis.said.stance.asked import is_only_asked, is_only_supposed, is_refused
from analysis.said.stance.denials import is_turned_down
from conversation.transcript import Turn

_YES = re.compile(
    r"^\W*(?:yes|yeah|yep|correct|right|exactly|that['\u2019]s\s+(?:right|correct|it)|ja|genau|richtig|oui|"
    r"exact(?:ement)?|sí|si|correcto|sì|esatto|sim|tak|да|evet|はい|是|对|對|네|예|हाँ|हां|نعم)(?!\w)",
    re.IGNORECASE,
)


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
