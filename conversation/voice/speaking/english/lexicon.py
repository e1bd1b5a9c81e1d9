"""Pronunciations of known words."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from conversation.errors import SpeechError
from conversation.voice.speaking.english.phonemes import (
    PRIMARY,
    has_stress,
    weakened,
    with_stress,
)

Variants = Mapping[str, str | None]
"""Pronunciations by part of speech, `DEFAULT` among them; None: letter by letter."""

MIN_WORD_IN_CAPITALS = 3
MIN_COMPOUND_PART = 4


_CORRECTED_IN_AMERICA: Mapping[str, Variants] = {
    # In what agents say, content is mostly what stands in documents.
    "content": {"DEFAULT": "kˈɑntɛnt", "ADJ": "kəntˈɛnt"},
    "résumé": {"DEFAULT": "ɹˈɛzəmˌA"},
    "résumés": {"DEFAULT": "ɹˈɛzəmˌAz"},
    "et": {"DEFAULT": "ɛt"},
    "cetera": {"DEFAULT": "sˈɛɾəɹə"},
    "voce": {"DEFAULT": "vˈOʧA"},
    "vivavoce": {"DEFAULT": "vˌivəvˈOʧA"},
}
_CORRECTED_IN_BRITAIN: Mapping[str, Variants] = {
    "content": {"DEFAULT": "kˈɒntɛnt", "ADJ": "kəntˈɛnt"},
    "résumé": {"DEFAULT": "ɹˈɛzjʊmˌA"},
    "résumés": {"DEFAULT": "ɹˈɛzjʊmˌAz"},
    "et": {"DEFAULT": "ɛt"},
    "cetera": {"DEFAULT": "sˈɛtəɹə"},
    "voce": {"DEFAULT": "vˈQʧA"},
    "vivavoce": {"DEFAULT": "vˌiːvəvˈQʧA"},
}


class Lexicon:
    """Checked pronunciations, and many more that were derived."""

    def __init__(
        self,
        checked: Mapping[str, str | Variants],
        derived: Mapping[str, str] | None = None,
        *,
        british: bool = False,
    ) -> None:
        self._checked = checked
        self._derived = derived or {}
        self._corrected = _CORRECTED_IN_BRITAIN if british else _CORRECTED_IN_AMERICA
        self.is_british = british

    def find(self, word: str) -> Variants | None:
        """The pronunciations of exactly this spelling; None when it is not known."""
        corrected = self._corrected.get(word)
        found = corrected or self._checked.get(word) or self._derived.get(word)
        if found is None:
            return None
        return {"DEFAULT": found} if isinstance(found, str) else found

    def find_any_case(self, word: str) -> Variants | None:
        """The same, taking a capital for a small letter and the other way round."""
        for spelling in dict.fromkeys((word, word.lower(), word.lower().capitalize())):
            if (found := self.find(spelling)) is not None:
                return found
        return None

    def is_checked(self, word: str) -> bool:
        """Whether the word stands among the checked ones in small letters."""
        return word.lower() in self._checked

    def letters(self, letters: str) -> str:
        """The names of `letters`, the last one stressed: "API"."""
        names = [str(self._checked.get(letter.upper()) or "") for letter in letters]
        head, last = "".join(weakened(name) for name in names[:-1]), names[-1]
        return head + (last if has_stress(last) else with_stress(last))

    def compound(self, word: str) -> str | None:
        """Two known words written as one, e.g. "backchannel"; None when it is not that."""
        for cut in range(len(word) - MIN_COMPOUND_PART, MIN_COMPOUND_PART - 1, -1):
            first, second = self._plain(word[:cut]), self._plain(word[cut:])
            if first and second:
                return first + weakened(second)
        return None

    def _plain(self, word: str) -> str | None:
        found = self._checked.get(word)
        said = found if isinstance(found, str) or found is None else found.get("DEFAULT")
        return said if said and PRIMARY in said else None


def open_lexicon(folder: Path, *, british: bool) -> Lexicon:
    """The dictionaries of misaki in `folder`.

    Raises:
        SpeechError: A file is missing or not a dictionary.
    """
    region = "gb" if british else "us"
    return Lexicon(
        _read(folder / f"{region}_gold.json"),
        cast("dict[str, str]", _read(folder / f"{region}_silver.json")),
        british=british,
    )


def _read(path: Path) -> dict[str, str | Variants]:
    try:
        words = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SpeechError(
            f"{path} cannot be read as a dictionary of pronunciations. Remove its folder, so that "
            "it is fetched anew."
        ) from error
    return words
