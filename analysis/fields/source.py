"""Where the values of fields are looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from analysis.fields.claims import NOT_DISCUSSED, CheckedClaim
from analysis.fields.composites import Leaf, leaves_of
from analysis.fields.values import InvalidValueError, is_nothing, typed_entries, typed_value
from analysis.judge.asking import Meter
from analysis.judge.windows import Window
from analysis.said.language import Language, language_of_turns
from conversation.agent.criteria import DataCollectionField
from conversation.transcript import Turn


@dataclass(frozen=True, slots=True)
class SearchedTurns:
    """Where values are looked for."""

    turns: Sequence[Turn]
    window: Window
    meter: Meter
    today: date | None = None
    """Day of the conversation."""

    @property
    def shown(self) -> range:
        """Indexes of the turns that the judge sees."""
        return range(self.window.first_turn, self.window.last_turn + 1)

    @property
    def language(self) -> Language | None:
        """Language of the conversation, as far as its numbers need it."""
        return language_of_turns(self.turns)


def leaves_told(
    field: DataCollectionField, raw: object, source: SearchedTurns
) -> tuple[list[Leaf], list[str]] | CheckedClaim:
    """Return the single values of an answer, and what is wrong with entries that have none."""
    if is_nothing(field, raw):
        return NOT_DISCUSSED
    try:
        if field.type != "list":
            value = typed_value(field, raw, today=source.today, language=source.language)
            return leaves_of(field, value), []
        entries, refused = typed_entries(field, raw, today=source.today, language=source.language)
    except InvalidValueError as error:
        return CheckedClaim("invalid", rationale=f"The judge's answer {error}.")
    if not entries:
        return CheckedClaim("invalid", rationale=f"The judge's answer {refused[0]}.")
    return leaves_of(field, [*entries]), [str(error) for error in refused]
