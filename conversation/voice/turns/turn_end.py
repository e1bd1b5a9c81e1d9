"""How long a silence may last before the turn is taken for over. Pure."""

import math

from conversation.agent.models.voice_config import Eagerness
from conversation.voice.turns.short_answers import digit_words, words_of

SURE_AUDIO, OPEN_AUDIO = 0.7, 0.2
"""Of the sound alone, where nobody can read the words."""
SURE, LIKELY, OPEN = 0.8, 0.5, 0.2
"""Of both together: above the first a turn is over after a breath, above the second after two,
below the third it goes on. Chosen on training turns, as `turn_words.md` says."""
_BIAS, _AUDIO_WEIGHT, _TEXT_WEIGHT = 1.05, 0.26, 1.02
"""The words tell more than the melody: made and recorded voices together, five-fold."""
_LEAST = 1e-3
SHORT_S, LIKELY_S, MIDDLE_S, LONG_S = 0.2, 0.5, 0.8, 1.6
DICTATED_S = 1.2
"""Between the groups of a number that is read out."""
_FACTORS: dict[Eagerness, float] = {"patient": 1.5, "normal": 1.0, "eager": 0.6}
_DICTATED_DIGITS = 2
LONGEST_S = LONG_S * max(_FACTORS.values())
"""After so much silence every turn is over."""


def seconds_to_wait(
    *,
    audio: float | None,
    text: float | None,
    eagerness: Eagerness = "normal",
    is_dictating: bool = False,
) -> float:
    """Silence, counted from the end of the voice, after which the turn is over.

    Args:
        audio: How finished the turn sounds, 0 to 1; None when nobody could tell.
        text: How finished its words read, 0 to 1; None when nobody could tell.
        eagerness: Of the agent.
        is_dictating: Whether digits or letters are being read out.
    """
    base_s = _base_s(audio, text)
    wait_s = base_s * _FACTORS[eagerness]
    return max(wait_s, DICTATED_S) if is_dictating else wait_s


def _base_s(audio: float | None, text: float | None) -> float:
    if text is None:
        if audio is None or audio < OPEN_AUDIO:
            return LONG_S
        return SHORT_S if audio >= SURE_AUDIO else MIDDLE_S
    likely = probability_of_end(0.5 if audio is None else audio, text)
    if likely >= SURE and audio is not None:
        return SHORT_S
    if likely >= LIKELY and audio is not None:
        return LIKELY_S
    return MIDDLE_S if likely >= OPEN else LONG_S


def probability_of_end(audio: float, text: float) -> float:
    """How likely a turn is over that sounds and reads so finished, each 0 to 1."""
    score = _BIAS + _AUDIO_WEIGHT * _log_odds(audio) + _TEXT_WEIGHT * _log_odds(text)
    return 1 / (1 + math.exp(-score))


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))


def is_dictating(text: str, language: str) -> bool:
    """Whether `text` ends in digits or letters that are read out one by one, or in groups.

    A number with a word after it ("20 books") is none; one digit alone ("I need 2") is none.
    """
    named = digit_words(language)
    digits = 0
    for word in reversed(words_of(text)):
        if word.isdigit():
            digits += len(word)
        elif word in named or (len(word) == 1 and word not in ("i", "a")):
            digits += 1
        elif any(char.isdigit() for char in word) and len(word) > 1:
            digits += len(word)  # "4b", "7f19": codes
        else:
            break
    return digits >= _DICTATED_DIGITS
