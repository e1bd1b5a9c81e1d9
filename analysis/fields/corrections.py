"""What was taken back: a value corrected later, or said only to be denied. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from analysis.fields.field_kind import kind_of_field
from analysis.fields.said_values import SaidValue, answers_said, spoken_span
from analysis.results import Evidence, FieldValue, Scalar
from analysis.said.language import Language, language_of_turn
from analysis.said.stance.told import is_agreed
from conversation.agent.criteria import DataCollectionField
from conversation.transcript import Turn

_CUE = re.compile(
    r"\b(?:no|nope|wait|actually|sorry|i\s+mean|i\s+meant|i\s+misspoke|correction|"
    r"(?:scratch|scrap|strike|forget|cancel)\s+(?:that|it)|"
    r"make\s+(?:it|that)|now|jetzt|inzwischen|maintenant|ahora|ähm?|euh|change\s+(?:it|that)|let['\u2019]s\s+(?:make\s+it|say)|nein|moment|"
    r"entschuldigung|ich\s+mein(?:e|te)|lieber|korrektur|quatsch|non|en\s+fait|pardon|attendez|"
    r"plutôt|je\s+veux\s+dire|finalement|perdón|espera|en\s+realidad|mejor|quiero\s+decir|digo)\b",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"[\s,\u2013\u2014-]*(?:(?:no|sorry|wait|actually|make|change|it|that|to|let['\u2019]s|say|we|we're|"
    r"i|i'm|mean|meant|is|was|are|should|be|rather|better|please|for|at|on|the|a|um|uh|said|have|"
    r"need|want|take|nein|doch|machen|nehmen|wir|ich|meine|meinte|es|sind|ist|lieber|besser|am|um|"
    r"für|auf|der|den|die|das|bitte|eher|non|pardon|mettez|mets|c['\u2019]est|ce|sera|à|le|la|pour|"
    r"plutôt|disons|nous|sommes|perdón|que|sean|sea|son|mejor|a|las|el|para|ponga|pon|somos|"
    r"not\s+\S+?|nicht\s+\S+?|pas\s+\S+?)\b[\s,\u2013\u2014-]*)*",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"\s*(?:$|[.,;!?]|(?:please|instead|then|bitte|stattdessen|plutôt|por\s+favor|mejor|and|und|et|"
    r"y|at|um|à|not|nicht|pas)\b)",
    re.IGNORECASE,
)
_WORD_AFTER = re.compile(r"\s+(?P<word>[^\W\d_]+)")
_AT_ONCE = re.compile(
    r"[\s,.\u2013\u2014-]*(?:(?:oh|uh|um|ähm?|euh|eh)[\s,]+)?"
    r"(?:no|nope|sorry|wait|actually|nein|entschuldigung|quatsch|non|pardon|perdón|i\s+mean|ich\s+meine|"
    r"je\s+veux\s+dire|quiero\s+decir|digo|äh|ähm)\b",
    re.IGNORECASE,
)
_LOOK_CHARS = 32


def corrected(
    field: DataCollectionField,
    value: FieldValue,
    told: Evidence,
    turns: Sequence[Turn],
    *,
    today: date | None,
) -> tuple[Scalar, Evidence] | None:
    """Return the value that a user puts in place of one that was told, and where; the last counts.

    A correction is announced ("no, make it three"), and tells the same thing: another number of
    something else is none.
    """
    found: tuple[Scalar, Evidence] | None = None
    noun = _noun_after(turns[told.turn_index].text, told.quote)
    for index in range(told.turn_index, len(turns)):
        if turns[index].role != "user":
            continue
        text, begin = turns[index].text, 0
        if index == told.turn_index:
            begin = text.find(told.quote) + len(told.quote)
        language = language_of_turn(turns, index)
        for said in _announced(field, text, begin, noun, today=today, language=language):
            found = said.readings[0], Evidence(turn_index=index, quote=said.words)
    return found if found and found[0] != value else None


def begins_as_correction(text: str) -> bool:
    """Return whether a turn begins as corrections do: "no, ...", "sorry, I meant ..."."""
    return _CUE.match(text.lstrip(" \u00bf\u00a1\"'")) is not None


def is_settled(
    field: DataCollectionField, told: Evidence, turns: Sequence[Turn], *, today: date | None
) -> bool:
    """Return whether a value needs no second look: the user said yes to it, or corrected to it.

    "Friday?" - "That works." or "No, make it three."
    """
    if kind_of_field(field) == "agents_statement":
        return False
    if is_agreed(turns, told.turn_index, told.quote):
        return True
    turn, language = turns[told.turn_index], language_of_turn(turns, told.turn_index)
    announced = _announced(field, turn.text, 0, "", today=today, language=language)
    return turn.role == "user" and any(said.words == told.quote for said in announced)


def _announced(
    field: DataCollectionField,
    text: str,
    begin: int,
    noun: str,
    *,
    today: date | None,
    language: Language | None,
) -> Iterator[SaidValue]:
    """Yield the certain values in `text` that follow the announcement of a correction."""
    answers = _answers(field, text, today=today, language=language)
    if not answers:
        return
    for cue in _CUE.finditer(text, begin):
        filler = _FILLER.match(text, cue.end())
        at = filler.end() if filler else cue.end()
        at_once = cue.start() <= begin + _LOOK_CHARS and _AT_ONCE.match(text, begin)
        for said in answers:
            # "I meant the 5th": the filler reads words that the day has, too.
            start = text.find(said.words, cue.end(), at + len(said.words))
            if start < 0 or not said.is_certain:
                continue
            end = start + len(said.words)
            same = _noun_after(text[start:], said.words) == noun != ""
            if same or _ENDS.match(text, end) or (at_once and begin):
                yield said


def _answers(
    field: DataCollectionField, text: str, *, today: date | None, language: Language | None
) -> list[SaidValue]:
    if not field.enum:
        return list(answers_said(field, text, today=today, language=language))
    return [
        SaidValue(words, (allowed,))
        for allowed in field.enum
        if (words := spoken_span(text, allowed, language=language))
    ]


def _noun_after(text: str, words: str) -> str:
    found = _WORD_AFTER.match(text, text.find(words) + len(words))
    return found["word"].casefold() if found else ""
