"""What was said where a small judge's own words for it stand nowhere. Pure.

Such a judge writes the day of the call for "tomorrow" and 4 for "vierzehn", and is right about a
yes or no whose words a description in another language does not share.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from analysis.fields.dates import time_of, times_in
from analysis.fields.said_values import answers_said
from analysis.judge.evidence import quote_of_turn
from analysis.results import Evidence, Scalar
from analysis.said.language import Language, language_of_turn, language_of_turns
from analysis.said.numbers import digit_runs
from analysis.said.spelling.spelled import spelled_out
from conversation.agent.criteria import DataCollectionField
from conversation.transcript import Turn

_ASKS = ("?", "\uff1f", "\u061f")
_SENTENCE_WORDS = 3
_MAIL = re.compile(r"e-?mail|mail\s+address", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\b(?:phone|mobile|telephone|number|code|reference|booking\s+id|serial|plate|pin|iban|id)\b",
    re.IGNORECASE,
)
_CLOSES = " \"'\u201d\u2019\u00bb)"


def only_value_said(
    field: DataCollectionField,
    turns: Sequence[Turn],
    turn_indexes: Iterable[int],
    *,
    today: date | None = None,
) -> Scalar | None:
    """The one value that has the form of `field` and was said, in one meaning or several times.

    Numbers count in words alone: digits a judge copies. None where several were said, or what was
    said can mean several values.
    """
    is_number = field.type in ("integer", "number")
    found: set[Scalar] = set()
    for index in turn_indexes:
        text, language = turns[index].text, language_of_turn(turns, index)
        for said in answers_said(field, text, today=today, language=language):
            if not said.is_certain or (is_number and any(map(str.isdecimal, said.words))):
                return None
            found.add(said.readings[0])
    value = found.pop() if len(found) == 1 else None
    if field.type == "integer" and isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value


def only_meant(
    field: DataCollectionField,
    value: Scalar,
    turns: Sequence[Turn],
    turn_indexes: Sequence[int],
    *,
    today: date | None = None,
) -> Scalar | None:
    """The one value that can be meant by a judge's answer that nobody said; None where none can."""
    if isinstance(value, str) and not is_day_of_call(value, today):
        return only_spelled_said(field, turns, turn_indexes)
    return only_value_said(field, turns, turn_indexes, today=today)


def only_spelled_said(
    field: DataCollectionField, turns: Sequence[Turn], turn_indexes: Iterable[int]
) -> str | None:
    """The one address, or code or number, that was spelled, where `field` asks for such a thing."""
    found: set[str] = set()
    for index in turn_indexes:
        found.update(_spelled_for(field, turns[index].text, language_of_turn(turns, index)))
    return found.pop() if len(found) == 1 else None


def as_meant(
    field: DataCollectionField, value: Scalar, turns: Sequence[Turn], turn_indexes: Sequence[int]
) -> Scalar:
    """A small judge's text as it was meant: a time in its words, a code without its sentence.

    "It is A B four seven" for a code is `AB47`, where the field asks for a code, number or address.
    """
    if field.type != "string" or field.enum or not isinstance(value, str):
        return value
    if time := time_as_said(value, turns, turn_indexes):
        return time
    language = language_of_turns(turns)
    found = set(_spelled_for(field, value, language)) if " " in value.strip() else set[str]()
    return found.pop() if len(found) == 1 else value


def is_no_such_thing(field: DataCollectionField, value: object, language: Language | None) -> bool:
    """Whether a text cannot be the address, code or number that `field` asks for.

    "I only have a question" is said, and is nobody's e-mail address.
    """
    if field.type != "string" or field.enum or not isinstance(value, str):
        return False
    about = f"{field.field_id} {field.description}"
    is_mail = _MAIL.search(about) is not None
    if not (is_mail or _NUMBERED.search(about)) or len(value.split()) < _SENTENCE_WORDS:
        return False
    marked = "@" in value if is_mail else any(map(str.isdecimal, value))
    return not marked and not spelled_out(value, language) and not digit_runs(value, language)


def _spelled_for(field: DataCollectionField, text: str, language: Language | None) -> Iterator[str]:
    about = f"{field.field_id} {field.description}"
    is_mail = _MAIL.search(about) is not None
    if field.type != "string" or field.enum or not (is_mail or _NUMBERED.search(about)):
        return
    for _, written in spelled_out(text, language):
        if ("@" in written) == is_mail:
            yield written


def day_as_copied(field: DataCollectionField, answer: object, today: date | None) -> object:
    """A judge's answer; the day of the call without the weekday that stands beside it."""
    if field.type != "date" or today is None or not isinstance(answer, str):
        return answer
    return today.isoformat() if today.isoformat() in answer else answer


def is_day_of_call(value: str, today: date | None) -> bool:
    """Whether a judge copied the day of the call, which stands in its prompt."""
    return today is not None and value.startswith(today.isoformat())


def answer_given(turns: Sequence[Turn], turn_indexes: Iterable[int]) -> Evidence | None:
    """The user's last answer to a question of the agent's; None where nothing was asked."""
    answers = [
        index
        for index in turn_indexes
        if index > 0
        and turns[index].role == "user"
        and turns[index - 1].role == "agent"
        and turns[index - 1].text.rstrip(_CLOSES).endswith(_ASKS)
    ]
    return quote_of_turn(turns, answers[-1], "") if answers else None


def as_said(
    field: DataCollectionField, value: Scalar, evidence: Evidence, turns: Sequence[Turn]
) -> Scalar:
    """A value as a small judge knows it again: it does not see 71 in "soixante et onze".

    Numbers in English words stay digits, as they were when `TOLD_BIASES` were fitted.
    """
    words = evidence.quote
    if field.type in ("date", "time", "datetime"):
        return words
    is_in_words = not isinstance(value, str) and not any(map(str.isdecimal, words))
    language = language_of_turn(turns, evidence.turn_index)
    return words if is_in_words and language != "en" else value


def time_as_said(value: str, turns: Sequence[Turn], turn_indexes: Iterable[int]) -> str | None:
    """The words that say the time `value` is, where the judge wrote it in another way."""
    wanted = time_of(value)
    if wanted is None:
        return None
    said: dict[str, str] = {}
    for index in turn_indexes:
        turn = turns[index]
        for spoken in times_in(turn.text):
            if spoken.value == wanted:
                said[turn.role] = spoken.words
    return said.get("user") or said.get("agent")
