# ruff: noqa: RUF001 (other scripts have letters that look like Latin ones)
"""Greetings, thanks and goodbyes, by language: turns that ask for nothing. Pure.

English ones stand in `kb.retrieval.small_talk`, which knows much more of them.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

Courtesy = Literal["hello", "thanks", "bye"]

_HELLO: Mapping[str, str] = {
    "ar": "مرحبا|مرحبًا|أهلا|أهلًا|السلام عليكم|صباح الخير|مساء الخير",
    "cs": "ahoj|dobrý den|dobré ráno|dobrý večer|zdravím",
    "da": "hej|goddag|godmorgen|godaften|hejsa",
    "de": "hallo|hi|hey|guten (?:tag|morgen|abend)|moin|servus|grüß gott|grüezi|tag|morgen|n?abend",
    "es": "hola|buenas|buenos días|buen día|buenas (?:tardes|noches)|qué tal",
    "fi": "hei|moi|terve|päivää|hyvää (?:päivää|huomenta|iltaa)",
    "fr": "bonjour|bonsoir|salut|coucou|allô|allo",
    "hi": "नमस्ते|नमस्कार|हैलो",
    "it": "ciao|salve|buongiorno|buon giorno|buonasera|buona sera|pronto",
    "ja": "こんにちは|こんばんは|おはようございます|おはよう|もしもし|はじめまして",
    "ko": "안녕하세요|안녕|여보세요|안녕하십니까",
    "nl": "hallo|hoi|goedemorgen|goedemiddag|goedenavond|goedendag|dag",
    "nb": "hei|hallo|god (?:morgen|dag|kveld)|heisann",
    "pl": "cześć|dzień dobry|dobry wieczór|witam|halo",
    "pt": "olá|oi|bom dia|boa (?:tarde|noite)|alô",
    "ru": "привет|здравствуйте|здравствуй|добрый (?:день|вечер)|доброе утро|алло",
    "sv": "hej|hejsan|god (?:morgon|dag|kväll)|tjena|hallå",
    "tr": "merhaba|selam|günaydın|iyi (?:günler|akşamlar)|alo",
    "uk": "привіт|вітаю|добрий (?:день|вечір)|доброго (?:дня|ранку|вечора)|алло",
    "zh": "你好|您好|早上好|下午好|晚上好|早安|晚安|嗨|喂|哈喽",
}
_THANKS: Mapping[str, str] = {
    "ar": "شكرا|شكرًا|شكرا جزيلا|شكرًا جزيلًا|شكرا لك|شكرًا لك",
    "cs": "děkuji|díky|děkuju|děkuji mockrát|moc děkuji|díky moc",
    "da": "tak|mange tak|tusind tak|tak skal du have|tak for hjælpen",
    "de": "danke|danke (?:sehr|schön|dir|ihnen)|dankeschön|vielen (?:herzlichen )?dank"
    "|herzlichen dank|besten dank|danke für (?:die|ihre|deine) hilfe",
    "es": "gracias|muchas gracias|mil gracias|muchísimas gracias|gracias por (?:todo|la ayuda)",
    "fi": "kiitos|kiitoksia|paljon kiitoksia|kiitti|suuri kiitos",
    "fr": "merci|merci beaucoup|merci bien|mille mercis|merci (?:à vous|pour votre aide)",
    "hi": "धन्यवाद|बहुत धन्यवाद|शुक्रिया|बहुत शुक्रिया",
    "it": "grazie|grazie mille|molte grazie|grazie tante|la ringrazio|ti ringrazio",
    "ja": "(?:どうも)?ありがとう(?:ございます|ございました)?|どうも",
    "ko": "감사합니다|고맙습니다|고마워요|고마워|정말 감사합니다",
    "nl": "bedankt|dank je|dank je wel|dank u|dank u wel|hartelijk dank|dankjewel",
    "nb": "takk|tusen takk|mange takk|takk skal du ha|takk for hjelpen",
    "pl": "dziękuję|dzięki|dziękuję bardzo|bardzo dziękuję|wielkie dzięki",
    "pt": "obrigado|obrigada|muito obrigad[oa]|valeu|agradeço|obrigad[oa] pela ajuda",
    "ru": "спасибо|большое спасибо|спасибо большое|благодарю|благодарю вас",
    "sv": "tack|tack så mycket|tusen tack|tack för hjälpen",
    "tr": "teşekkürler|teşekkür ederim|sağ ol|sağ olun|çok teşekkürler|çok teşekkür ederim",
    "uk": "дякую|дуже дякую|щиро дякую|спасибі",
    "zh": "谢谢|谢谢你|谢谢您|多谢|非常感谢|感谢|十分感谢|謝謝|謝謝你|謝謝您|多謝|非常感謝",
}
_BYE: Mapping[str, str] = {
    "ar": "مع السلامة|إلى اللقاء|وداعا|وداعًا",
    "cs": "na shledanou|nashledanou|čau|mějte se",
    "da": "farvel|hej hej|vi ses|på gensyn",
    "de": "tschüss|tschüß|ciao|auf wiedersehen|auf wiederhören|bis (?:bald|dann|später|morgen)"
    "|schönen (?:tag|abend)(?: noch)?|einen schönen (?:tag|abend)(?: noch)?|ade",
    "es": "adiós|hasta (?:luego|pronto|mañana|la vista)|chao|chau|que tenga un buen día|nos vemos",
    "fi": "näkemiin|hei hei|moi moi|nähdään",
    "fr": "au revoir|à bientôt|à plus|bonne (?:journée|soirée|nuit)|adieu",
    "hi": "अलविदा|फिर मिलेंगे",
    "it": "arrivederci|a presto|addio|buona (?:giornata|serata|notte)|arrivederla",
    "ja": "さようなら|失礼します|失礼いたします|では|またね|じゃあね|それでは",
    "ko": "안녕히 계세요|안녕히 가세요|잘 있어요|다음에 봐요",
    "nl": "tot ziens|doei|daag|tot (?:later|morgen|snel)|fijne (?:dag|avond)(?: nog)?",
    "nb": "ha det|ha det bra|farvel|vi sees|ha en fin dag",
    "pl": "do widzenia|do zobaczenia|pa|na razie|miłego dnia|do usłyszenia",
    "pt": "tchau|adeus|até (?:logo|breve|mais|amanhã)|tenha um bom dia",
    "ru": "до свидания|пока|всего (?:доброго|хорошего)|до встречи|хорошего дня",
    "sv": "hej då|adjö|vi ses|ha en bra dag",
    "tr": "hoşça kalın|hoşça kal|güle güle|görüşürüz|görüşmek üzere|iyi geceler",
    "uk": "до побачення|бувайте|на все добре|гарного дня",
    "zh": "再见|再見|拜拜|回头见|下次见|回頭見|下次見",
}
_BETWEEN = r"[\s,.!¡;:…\-–·،؛।、，。！～~❤🙂👋🙏]*"
_LONGEST_CHARS = 120


def courtesy_of(text: str) -> Courtesy | None:
    """What a turn says that is a greeting, thanks or goodbye and nothing else, in one language.

    Of several, thanks count before goodbyes, and these before greetings. None for English, and for
    a turn that may ask for something.
    """
    said = text.strip()
    if not said or len(said) > _LONGEST_CHARS:
        return None
    for language in _HELLO:
        if _all_of(language).fullmatch(said):
            kinds: tuple[Courtesy, ...] = ("thanks", "bye", "hello")
            return next(kind for kind in kinds if _one_of(language, kind).search(said))
    return None


def courtesies() -> tuple[str, ...]:
    """Patterns of all greetings, thanks and goodbyes, whatever the language."""
    return tuple(words for said in (_HELLO, _THANKS, _BYE) for words in said.values())


@lru_cache(maxsize=64)
def _all_of(language: str) -> re.Pattern[str]:
    said = f"{_HELLO[language]}|{_THANKS[language]}|{_BYE[language]}"
    border = "" if language in {"zh", "ja"} else r"(?!\w)"
    return re.compile(rf"{_BETWEEN}(?:(?:{said}){border}{_BETWEEN})+", re.IGNORECASE)


@lru_cache(maxsize=128)
def _one_of(language: str, kind: Courtesy) -> re.Pattern[str]:
    words = {"hello": _HELLO, "thanks": _THANKS, "bye": _BYE}[kind][language]
    return re.compile(words, re.IGNORECASE)
