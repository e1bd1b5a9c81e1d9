"""Values that no turn tells alone: "None." after a question, a day and its time. Pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from analysis.fields.dates import days_in, times_in
from analysis.results import Evidence, FieldValue
from analysis.said.language import language_of_turn
from conversation.agent.criteria import DataCollectionField
from conversation.transcript import Turn

_NOTHING = re.compile(
    r"^\W*(?:no|nope|nein|non)?[\s,.]*(?P<words>none|nothing|nobody|not\s+any|zero|keine?[rsn]?|nichts|"
    r"niemand|aucune?|rien|personne|ningun[oa]|ningún|nada|nadie)"
    r"(?:[\s,]+(?:at\s+all|that\s+i\s+know(?:\s+of)?|really|so\s+far|yet|thanks|thank\s+you|danke|"
    r"merci|gracias|bekannt|du\s+tout))*\W*$",
    re.IGNORECASE,
)
_ANSWERS = frozenset(
    {"none", "nothing", "no", "keine", "keiner", "nichts", "aucun", "aucune", "rien", "ninguno"}
    | {"ninguna", "nada", "zero", "nobody"}
)
_NEAR_TURNS = 6
"""Turns between a day and the time that belongs to it."""


def told_nothing(
    field: DataCollectionField, raw: object, turns: Sequence[Turn], turn_indexes: Iterable[int]
) -> tuple[FieldValue, Evidence] | None:
    """Return "none" as an answer: what a user said who was asked, and had nothing to name."""
    plain = raw.strip().casefold().rstrip(".") if isinstance(raw, str) else ""
    is_nothing = plain in _ANSWERS or (isinstance(raw, str) and _NOTHING.match(raw) is not None)
    if not is_nothing or field.enum or field.type not in ("string", "integer", "number"):
        return None
    for index in turn_indexes:
        found = _NOTHING.match(turns[index].text) if turns[index].role == "user" else None
        if found and index > 0 and turns[index - 1].role == "agent":
            value: FieldValue = found["words"]
            if field.type != "string":
                value = 0 if field.type == "integer" else 0.0
            return value, Evidence(turn_index=index, quote=found["words"])
    return None


def moment_in_two_turns(
    value: FieldValue, turns: Sequence[Turn], turn_index: int, *, today: date | None
) -> tuple[Evidence, Evidence] | None:
    """Return where the day and the time of a moment were said, when one turn says only one of them.

    Both have to be the last ones that were said nearby: of two days nobody knows which is meant.
    """
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value)
    first = max(0, turn_index - _NEAR_TURNS)
    near = range(first, min(len(turns), turn_index + _NEAR_TURNS + 1))
    days: list[tuple[date, Evidence]] = []
    times: list[tuple[object, Evidence]] = []
    for index in near:
        text, language = turns[index].text, language_of_turn(turns, index)
        for day in days_in(text, today, language):
            days.append((day.value, Evidence(turn_index=index, quote=day.words)))
        for spoken in times_in(text, language):
            times.append((spoken.value, Evidence(turn_index=index, quote=spoken.words)))
    if not days or not times or (days[-1][0], times[-1][0]) != (moment.date(), moment.time()):
        return None
    return days[-1][1], times[-1][1]
