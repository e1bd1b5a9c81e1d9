"""Whether a transcript runs away: Whisper repeats itself when its window is cut to the speech.

"Ten of clubs. Ten of clubs. Ten of clubs."     said once
"""

import re
from itertools import pairwise

MAX_WORDS_PER_S = 5.0
"""Of speech; people who hurry say four."""
MAX_CHARS_PER_S = 30.0
"""The same for scripts that put no spaces between words."""
SHORTEST_S = 0.6
"""Words of shorter utterances are counted as if they took this long."""
LONG_PHRASE_WORDS = 3
"""A phrase of at least so many words, said twice in a row, is suspicious; any shorter, thrice."""
_MAX_PHRASE_WORDS = 12

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def runs_away(text: str, duration_s: float) -> bool:
    """Whether nobody can have said so much in this time, or the end of it repeats itself."""
    words = _words(text)
    seconds = max(duration_s, SHORTEST_S)
    if len(words) > MAX_WORDS_PER_S * seconds or len(text) > MAX_CHARS_PER_S * seconds:
        return True
    return repeated_words(words) > 0


def without_repetition(text: str) -> str:
    """The text with what repeats itself at its end said once."""
    found = list(_WORD.finditer(text))
    surplus = repeated_words([match.group().lower() for match in found])
    if not surplus:
        return text
    return text[: found[-surplus - 1].end()] + _closing(text)


def repeated_words(words: list[str]) -> int:
    """How many words at the end only say again what stands before them."""
    best = 0
    for size in range(1, min(_MAX_PHRASE_WORDS, len(words) // 2) + 1):
        times = _times_at_end(words, size)
        if times >= (2 if size >= LONG_PHRASE_WORDS else 3):
            best = max(best, (times - 1) * size)
    return best


def _times_at_end(words: list[str], size: int) -> int:
    ends = range(len(words), size - 1, -size)
    phrases = [words[end - size : end] for end in ends]
    times = 1
    for later, earlier in pairwise(phrases):
        if later != earlier:
            break
        times += 1
    return times


def _closing(text: str) -> str:
    last = text.rstrip()[-1:]
    return last if last in ".?!\u3002" else ""


def _words(text: str) -> list[str]:
    return [match.group().lower() for match in _WORD.finditer(text)]
