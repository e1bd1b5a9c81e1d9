"""How long a silence may last before the turn is taken for over. Pure."""

from conversation.voice.turns.short_answers import digit_words, words_of
from conversation.voice.voice_config import Eagerness

SURE_AUDIO = 0.7
SURE_TEXT = 0.3
OPEN_TEXT = 0.1
"""Below, the words ask to be gone on with: "and", "to the". Measured on spoken turns with known
ends: at .1 the model of the words keeps 96 % of true ends."""
SHORT_S, MIDDLE_S, LONG_S = 0.2, 0.8, 1.6
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
    sounds_done = audio is not None and audio >= SURE_AUDIO
    reads_open = text is not None and text < OPEN_TEXT
    if sounds_done and not reads_open:
        base_s = SHORT_S
    elif sounds_done or (text is not None and text >= SURE_TEXT):
        base_s = MIDDLE_S
    else:
        base_s = LONG_S
    wait_s = base_s * _FACTORS[eagerness]
    return max(wait_s, DICTATED_S) if is_dictating else wait_s


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
