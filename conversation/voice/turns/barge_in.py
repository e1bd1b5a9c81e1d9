"""What happens when the user speaks while the agent does: hold, then resume or interrupt. Pure.

The agent falls silent at once, and only then is it decided whether the user takes the turn. The
state is a value; times are those of the sound.

    barge_in = barge_in.began(at_s)
    barge_in, decision = barge_in.voice(now_s)          # with every frame that holds a voice
    barge_in, decision = barge_in.words(text, now_s)    # with every transcript
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from conversation.voice.turns.short_answers import is_short_answer as made_of
from conversation.voice.turns.short_answers import words_of

Decision = Literal["hold", "resume", "interrupt"]


@dataclass(frozen=True, slots=True)
class BargeInRules:
    """When the agent yields."""

    may_interrupt: bool = True
    ignored: Collection[tuple[str, ...]] = ()
    """Terms that do not take the turn, as words."""
    hold_after_s: float = 0.16
    """Long enough to pass over a cough, short enough to seem polite."""
    interrupt_after_s: float = 0.9
    """No "okay" lasts so long: the user has something to say, whatever the words are."""
    tentative_words: int = 3
    """Fewer, of a voice that goes on, may become anything: "I" an "I see"."""
    held_at_most_s: float = 2.0
    """After the user fell silent; when nobody could say by then what it was, the agent goes on."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """One stretch of the user's voice over the agent's."""

    rules: BargeInRules = BargeInRules()
    since_s: float | None = None
    """When the voice began that is not yet explained; None while there is none."""
    silent_since_s: float | None = None
    is_held: bool = False

    def began(self, at_s: float) -> "BargeIn":
        """A voice, from `at_s` on."""
        since_s = at_s if self.since_s is None else self.since_s
        return replace(self, since_s=since_s, silent_since_s=None)

    def voice(self, now_s: float) -> tuple["BargeIn", Decision | None]:
        """The voice goes on until `now_s`."""
        if not self.rules.may_interrupt or self.since_s is None or self.silent_since_s is not None:
            return self, None
        lasted_s = now_s - self.since_s + 1e-6
        if lasted_s >= self.rules.interrupt_after_s:
            return self._over(), "interrupt"
        if lasted_s >= self.rules.hold_after_s and not self.is_held:
            return replace(self, is_held=True), "hold"
        return self, None

    def words(
        self, text: str, *, now_s: float, is_final: bool = False, is_short_answer: bool = False
    ) -> tuple["BargeIn", Decision | None]:
        """What the voice said so far.

        Args:
            text: As it was understood.
            now_s: Until when the voice was heard.
            is_final: Whether it is silent and that was all.
            is_short_answer: Whether it may well have been a short answer, whatever `text` is.
        """
        if not self.rules.may_interrupt or self.since_s is None:
            return self, None
        count = len(words_of(text))
        has_words = count > 0
        if has_words and not (is_short_answer or made_of(text, self.rules.ignored)):
            if is_final or count >= self.rules.tentative_words:
                return self._over(), "interrupt"
            return self, None
        if is_final:
            return self._over(), "resume" if self.is_held else None
        return (replace(self, since_s=now_s) if has_words else self), None

    def paused(self, at_s: float) -> "BargeIn":
        """The voice fell silent."""
        return self if self.since_s is None else replace(self, silent_since_s=at_s)

    def silence(self, now_s: float) -> tuple["BargeIn", Decision | None]:
        """Nobody speaks; the agent does not wait for ever for what was said to be understood."""
        if not self.is_held or self.silent_since_s is None:
            return self, None
        if now_s - self.silent_since_s < self.rules.held_at_most_s:
            return self, None
        return replace(self, is_held=False), "resume"

    def failed(self) -> tuple["BargeIn", Decision | None]:
        """Nobody will know what was said."""
        return self._over(), "resume" if self.is_held else None

    def _over(self) -> "BargeIn":
        return BargeIn(self.rules)
