"""Numbers that are only a bound: `more than 50`, `at least three`, `almost 40`. Pure."""

import re
from typing import Literal

Bound = Literal["least", "most"]

_LEAST_BEFORE = re.compile(
    r"(?:\b(?:more\s+than|over|above|at\s+least|(?:a\s+)?minimum(?:\s+of)?|(?:no|not)\s+(?:less|fewer)\s+than|"
    r"upwards\s+of|mehr\s+als|über|mindestens|wenigstens|nicht\s+weniger\s+als|plus\s+d(?:e\s+|['\u2019])|au\s+moins|"
    r"pas\s+moins\s+d(?:e\s+|['\u2019])|más\s+de|al\s+menos|por\s+lo\s+menos|(?:como\s+)?mínimo|no\s+menos\s+de|"
    r"più\s+di|oltre|almeno|(?:come\s+)?minimo|non\s+meno\s+di|mais\s+de|pelo\s+menos|ao\s+menos|no\s+mínimo|"
    r"meer\s+dan|minstens|(?:ten)?\s?minste|ponad|więcej\s+niż|co\s+najmniej|przynajmniej|minimum|"
    r"nie\s+mniej\s+niż|более|больше|свыше|не\s+менее|не\s+меньше|минимум|mer\s+än|fler\s+än|över|minst|åtminstone|"
    r"en\s+az|asgari|أكثر\s+من|اكثر\s+من|على\s+الأقل|कम\s+से\s+कम)\s*|"
    r"(?:至少|超过|超過|不少于|不止|最少|少なくとも|최소|적어도)\s*)$",
    re.IGNORECASE,
)
_MOST_BEFORE = re.compile(
    r"(?:\b(?:less\s+than|fewer\s+than|under|below|up\s+to|at\s+(?:the\s+)?most|(?:no|not)\s+(?:more|over)\s+than|"
    r"(?:a\s+)?max(?:imum)?(?:\s+of)?|almost|nearly|just\s+short\s+of|weniger\s+als|unter|höchstens|maximal|"
    r"bis\s+zu|nicht\s+mehr\s+als|fast|beinahe|knapp|moins\s+d(?:e\s+|['\u2019])|(?:tout\s+)?au\s+plus|au\s+maximum|"
    r"pas\s+plus\s+d(?:e\s+|['\u2019])|jusqu['\u2019]à|presque|menos\s+de|como\s+(?:mucho|máximo)|no\s+más\s+de|"
    r"hasta|casi|meno\s+di|al\s+massimo|non\s+più\s+di|quasi|fino\s+a|no\s+máximo|não\s+mais\s+de|até|quase|"
    r"minder\s+dan|niet\s+meer\s+dan|hoogstens|maximaal|bijna|mniej\s+niż|nie\s+więcej\s+niż|najwyżej|"
    r"maksymalnie|prawie|менее|меньше|не\s+более|не\s+больше|максимум|почти|mindre\s+än|färre\s+än|högst|"
    r"nästan|en\s+fazla|en\s+çok|neredeyse|أقل\s+من|اقل\s+من|على\s+الأكثر|अधिकतम)\s*|"
    r"(?:最多|不到|不超过|不超過|少于|最大|최대|거의)\s*)$",
    re.IGNORECASE,
)
_NOT_MORE = re.compile(
    r"\b(?:no|not|nicht|pas|non|não|niet|nie|не|inte)\s+(?:more|over|less|fewer|mehr|plus|más|più|mais|meer|"
    r"więcej|более|больше|mer|fler)\b[^.,;!?]*$",
    re.IGNORECASE,
)
_UNIT = r"(?:\s*[€$£%]|\s+[^\W\d_]+)?"
_LEAST_AFTER = re.compile(
    rf"{_UNIT}\s+(?:or\s+(?:more|over|above)|and\s+(?:up|above|over)|at\s+(?:the\s+)?(?:very\s+)?(?:least|minimum)|"
    r"minimum|plus(?=\s*(?:$|[.,;!?]))|oder\s+mehr|mindestens|ou\s+plus|au\s+moins|o\s+más|como\s+mínimo|o\s+più|almeno|"
    r"come\s+minimo|ou\s+mais|no\s+mínimo|of\s+meer|lub\s+więcej|или\s+(?:больше|более)|eller\s+(?:mer|fler)|"
    r"veya\s+daha\s+fazla|على\s+الأقل|أو\s+أكثر)(?!\w)|"
    r"\+(?!\w)|\s?[^\W\d_]{0,3}\s*(?:以上|이상|넘)|(?:\s+[^\W\d_]+)?\s+से\s+(?:ज़्यादा|ज्यादा|अधिक)|['\u2019]?[dt][ae]n\s+(?:daha\s+)?(?:fazla|çok)",
    re.IGNORECASE,
)
_MOST_AFTER = re.compile(
    rf"{_UNIT}\s+(?:or\s+(?:less|fewer|under|below)|at\s+(?:the\s+)?(?:very\s+)?(?:most|maximum)|max(?:imum)?|tops|"
    r"oder\s+weniger|höchstens|maximal|ou\s+moins|au\s+(?:plus|maximum)|o\s+menos|como\s+(?:mucho|máximo)|"
    r"o\s+meno|al\s+massimo|ou\s+menos|no\s+máximo|of\s+minder|lub\s+mniej|или\s+(?:меньше|менее)|"
    r"eller\s+(?:mindre|färre))(?!\w)|"
    r"\s?[^\W\d_]{0,3}\s*(?:以下|以内|未満|未满|이하|이내|미만)|(?:\s+[^\W\d_]+)?\s+से\s+कम|['\u2019]?[dt][ae]n\s+(?:daha\s+)?az(?!\w)",
    re.IGNORECASE,
)
_BOTH_AFTER = re.compile(r"\s+(?:or\s+(?:so|thereabouts)|more\s+or\s+less)\b", re.IGNORECASE)
_LIMIT_BEFORE = re.compile(
    r"\b(?:before|after|vor|nach|avant|après|antes|después|prima|dopo|depois|voor|na|przed|po|до|после|före|efter)\s+"
    r"(?:(?:the|dem|den|der|le|la|el|del|de|di|il|do|da|de|o|a)\s+){0,2}$",
    re.IGNORECASE,
)
_LIMIT_ASKED = re.compile(
    r"before|after|deadline|latest|earliest|until|limit|since|due|expir|vor\b|nach\b|bis\b|spätest|frühest|"
    r"avant|après|antes|después",
    re.IGNORECASE,
)
_LOOK_CHARS = 48


def bound_said(text: str, start: int, end: int) -> Bound | None:
    """Return which bound the number in `text[start:end]` is; None where it is the number itself."""
    before, after = text[max(0, start - _LOOK_CHARS) : start], text[end : end + _LOOK_CHARS]
    if _BOTH_AFTER.match(after):
        return None
    if _MOST_BEFORE.search(before) or _MOST_AFTER.match(after):
        return "most"
    if _LEAST_BEFORE.search(before) or _LEAST_AFTER.match(after):
        return "most" if _NOT_MORE.search(before) and not _denies_less(before) else "least"
    return None


def is_limit_of_days(text: str, words: str, about: str) -> bool:
    """Return whether a day is only a limit ("before Friday") that `about` does not ask for."""
    start = text.rfind(words)
    if start < 0 or _LIMIT_ASKED.search(about):
        return False
    return _LIMIT_BEFORE.search(text[max(0, start - _LOOK_CHARS) : start]) is not None


def _denies_less(before: str) -> bool:
    return (
        re.search(r"\b(?:less|fewer|weniger|moins|menos|meno|minder|mniej|менее|меньше)\b", before)
        is not None
    )
