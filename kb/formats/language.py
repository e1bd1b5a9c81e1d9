"""Which language a text is in: by script, then by its commonest small words. Cheap and modest."""

import re
from collections import Counter

SAMPLE_CHARS = 4_000
MIN_HITS = 5
"""Fewer small words than this, and nothing is claimed."""

_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("uk", re.compile("[іїєґ]", re.IGNORECASE)),
    ("ru", re.compile("[\u0400-\u04ff]")),
)
_ANY_SCRIPT = re.compile("[\u0370-\u0fff\u3040-\ud7af]")
"""A character of one of them: most texts have none, and need not be counted eleven times."""
_MIN_SCRIPT_SHARE = {"ja": 0.05, "uk": 0.03}
_SMALL_WORDS = {
    "en": "the of and to in is that for it with as was on are be this by you not have",
    "de": "der die und das ist nicht mit den von ein eine auf für sich dem zu im werden sie wird",
    "fr": "le la les de des et est une dans pour que qui pas vous sur au avec ce par nous",
    "es": "el la los las de que y en un una es por con para no del se su lo como",
    "it": "il di che la e per un una in non è con del della sono le si da gli nel",
    "pt": "o a os as de que e do da em um uma para com não por se na no dos",
    "nl": "de het een en van in is dat op te voor met zijn niet aan er om ook als bij",
    "pl": "i w na z do nie się to jest że od przez dla po jak o za co ale są",
    "sv": "och i att det som en på är av för den med till inte om ett har de kan vi",
    "da": "og i at det er en til på som af for med den ikke de har et der kan vi",
    "tr": "ve bir bu için da de ile olarak daha çok ne gibi kadar sonra var olan her en ama o",
}
_LANGUAGES_OF = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}


def guess_language(text: str) -> str | None:
    """BCP 47 code of the language of `text`, or None when it is not clear."""
    sample = text[:SAMPLE_CHARS]
    if _ANY_SCRIPT.search(sample) and (written := _by_script(sample)) is not None:
        return written
    words = Counter(_WORD.findall(sample.lower()))
    hits = {
        language: sum(words[word] for word in small) for language, small in _LANGUAGES_OF.items()
    }
    best, second = sorted(hits, key=lambda language: -hits[language])[:2]
    return best if hits[best] >= MIN_HITS and hits[best] > 1.2 * hits[second] else None


def _by_script(sample: str) -> str | None:
    letters = sum(map(str.isalpha, sample))
    for language, script in _SCRIPTS:
        share = len(script.findall(sample)) / max(letters, 1)
        if share > _MIN_SCRIPT_SHARE.get(language, 0.3):
            return language
    return None
