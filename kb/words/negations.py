# ruff: noqa: RUF001 (other scripts have letters that look like Latin ones)
"""Words that deny, by language: a closed class, of which no library keeps a list. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache

_WORDS: Mapping[str, str] = {
    "en": "not no never none without cannot neither nor",
    "ar": "لا لم لن ليس ليست ليسوا غير بدون دون",
    "bg": "не няма нито никога без",
    "ca": "no mai cap sense ni tampoc",
    "cs": "ne není nejsou nelze nikdy žádný žádná žádné bez ani nikdo nic",
    "da": "ikke ingen intet aldrig uden hverken",
    "de": "nicht kein keine keinen keinem keiner keines nie niemals ohne weder nichts niemand",
    "el": "δεν μη μην χωρίς ποτέ κανένα κανένας καμία ούτε",
    "es": "no nunca jamás ningún ninguna ninguno sin ni nada tampoco",
    "fa": "نه نیست نیستند بدون هیچ هرگز",
    "fi": "ei en et emme ette eivät älä älkää ilman",
    "fr": "pas jamais aucun aucune sans ni rien non",
    "he": "לא אין בלי אינו אינה אינם אף",
    "hi": "नहीं न मत बिना",
    "hu": "nem nincs nincsenek soha nélkül sem ne",
    "id": "tidak bukan jangan tanpa tak",
    "it": "non mai nessun nessuno nessuna senza né niente nulla",
    "nb": "ikke ingen ingenting aldri uten verken",
    "nl": "niet geen nooit zonder noch niemand niets",
    "pl": "nie nigdy żaden żadna żadne bez ani brak",
    "pt": "não nunca jamais nenhum nenhuma sem nem nada",
    "ro": "nu niciodată fără nici niciun nicio",
    "ru": "не нет никогда нельзя без ни",
    "sk": "nie nikdy žiadny žiadna žiadne bez ani",
    "sv": "inte ej ingen inget inga aldrig utan varken",
    "tr": "değil yok hayır asla",
    "uk": "не ні немає ніколи без нема",
    "vi": "không chưa chẳng đừng",
}
_PARTS: Mapping[str, str] = {
    # A word of these languages carries its denial inside of it, or stands without a space.
    "cs": r"\bne(?!bo\b|j|ch|děl|m\b)\w{3,}",
    "en": r"n't\b",
    "ja": r"ない|無い|なかった|なく|なけれ|ません|ませんで|ずに|無し|なし|不可",
    "ko": r"않|없|아니|못|지 마|\b안\s",
    "sk": r"\bne(?!bo\b|j|ch|m\b)\w{3,}",
    "th": r"ไม่|มิได้|ห้าม",
    "tr": r"\w{2,30}(?:m[ae]z|m[ıiuü]yor\w*|m[ae]d[ıi]\w*|mam[ae]k?)\b",
    "zh": r"[不没沒無无未别別勿]|并非|並非",
}
_SAME = {"no": "nb", "nn": "nb", "yue": "zh"}


def is_negated(text: str, language: str = "en") -> bool:
    """Whether a text denies something; in a language that is not known, as English would."""
    return _pattern(_SAME.get(language, language)).search(text) is not None


@lru_cache(maxsize=64)
def _pattern(language: str) -> re.Pattern[str]:
    known = language if language in _WORDS or language in _PARTS else "en"
    parts = [_PARTS[known]] if known in _PARTS else []
    if words := _WORDS.get(known, "").split():
        parts.append(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")
    return re.compile("|".join(parts), re.IGNORECASE)
