"""Whole numbers said in words of further languages. Pure, and linear in the length of the text.

A run of number words is read as a whole or not at all, and not beside anything that could change
it: a half, a minus, a decimal comma, a scale in a form that is not known.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from analysis.said.further.tables import names_of, value_of
from analysis.said.further.telling import LATIN, FurtherLanguage, languages_told
from analysis.said.number_words import is_read
from analysis.said.numerals import MOST_DIGITS, SaidNumber
from kb.words.languages import function_words
from kb.words.spelling import MARKS, folded

_WORD = re.compile(rf"(?:[^\W\d_]|[{MARKS}])+")
_NEAR = re.compile(r"[ \t\u00a0]+|-")
_LONGEST_RUN = 12
_SHORT_CHARS = 4
_DIGITS_IN_A_ROW = 3
_ALSO_OTHER_WORDS = {
    "it": frozenset({"sei"}),
    "tr": frozenset({"on", "bin", "yuz", "alti"}),
    "hi": frozenset({folded("दो")}),
    "ru": frozenset({"три"}),
}
"""You are, under, give, rub: alone they count nothing that is certain."""
_CHANGED_BEFORE = re.compile(
    r"(?:\b(?:half|halve|halv|kwart\s+(?:voor|over)|kvart\s+(?:i|över)|mezz[oa]|meia|meio|pół|wpół(?:\s+do)?|"
    r"p[oó]łtor\w*|пол|полтора|полторы|половин\w+|без|"
    r"min(?:us)?|meno|menos|eksi|минус|virgola|vírgula|komma|punto|ponto|przecinek|kropka|virgül|nokta|"
    r"запят\w+|цел\w+|точка)|साढ़े|साढे|सवा|पौने|ऋण|दशमलव|마이너스|[\d.,])\s*$",
    re.IGNORECASE,
)
_CHANGED_AFTER = re.compile(
    r"(?:\s+[^\W\d_]+)?\s+(?:(?:e|en|i|\u0441|и|och)\s+)?(?:mezz[oa]|meia|meio|een\s+(?:half|halve)|half|halve|(?:en\s+)?halv\w*|"
    r"pół|połową|половин\w+|четверт\w+|kwart|kwartier|quarti|quarto|buçuk|çeyrek)\b|"
    r"\s*(?:virgola|vírgula|komma|punto|ponto|przecinek|kropka|virgül|nokta|запят\w+|цел\w+|точка|दशमलव|점)\b|"
    r"\s*-?(?:сот|тыс|тыщ|млн|милли|млрд|tys|mln|mld|mrd|mil|bin|yüz|honderd|duizend|hundra|tusen|cento|"
    r"सौ|हज|लाख|करोड|백|천|만|억)|[-.,]?\d",
    re.IGNORECASE,
)
# "This floor" begins like "two floors", and "your number" like "four times".
_KOREAN = re.compile(
    r"(?<![가-힣])(?!이\s)(?P<number>[가-힣]{1,8}?)\s?(?=(?:명|개월|개|살|번|시간|장|병|잔|박|일|주일|주|달|년|원|층|호|권|대|마리|"
    r"그릇|인분|회|세트|퍼센트|유로|달러)(?!\s?반)(?:[^가-힣]|$|[은는을를의에만쯤씩째까부동짜전후이가으로입예요정]))"
)
_KOREAN_OR = re.compile(r"[가-힣](?:이나|나)\s*$|(?:또는|혹은|아니면|에서)\s*$")
_OR = r"(?:o|oppure|ou|of|eller|lub|albo|czy|veya|ya\s+da|или|либо|या)"
_OR_BEFORE, _OR_AFTER = re.compile(rf"\s{_OR}\s+$", re.I), re.compile(rf"\s+{_OR}\s", re.I)
_LOOK_CHARS = 40


@lru_cache(maxsize=1_024)
def further_numbers(text: str) -> tuple[SaidNumber, ...]:
    """Return the whole numbers in words of further languages that `text` certainly says, in order.

    A run that is not understood is returned without readings: no part of it is a number.
    """
    if text.isascii() and text.isdecimal():
        return ()
    languages, is_told = languages_told(text)
    if not languages:
        return ()
    found: dict[int, SaidNumber] = {}
    for tried in languages:
        runs = _in_korean(text) if tried == "ko" else _runs(text, tried, is_told=is_told)
        for said in runs:
            before = found.get(said.start)
            if before is not None and before != said:
                said = _longer(before, said)
            found[said.start] = said
    read = [found[start] for start in sorted(found)]
    is_latin = bool(read) and languages[0] in LATIN
    others: list[FurtherLanguage] = [each for each in LATIN if is_latin and each not in languages]
    longer = [said for each in others for said in _runs(text, each, is_told=True)]
    return tuple(_unless_part(said, longer) for said in read)


def _unless_part(said: SaidNumber, longer: Sequence[SaidNumber]) -> SaidNumber:
    """Return a number without readings where more of the words are one in another language."""
    around = any(
        each.readings
        and each.start <= said.start
        and said.end <= each.end
        and each.words != said.words
        for each in longer
    )
    return replace(said, readings=()) if around else said


def _longer(first: SaidNumber, second: SaidNumber) -> SaidNumber:
    """Return what the language that reads more words makes of a place that two languages read."""
    if first.end == second.end:
        return SaidNumber(first.start, first.words, ())
    return max(first, second, key=lambda each: each.end)


def _in_korean(text: str) -> Iterator[SaidNumber]:
    for match in _KOREAN.finditer(text):
        value = value_of(match["number"], "ko")
        before = text[max(0, match.start() - _LOOK_CHARS) : match.start()]
        if value is not None and not _CHANGED_BEFORE.search(before):
            open_ = _KOREAN_OR.search(before)
            yield SaidNumber(match.start(), match["number"], () if open_ else (float(value),))


def _runs(text: str, language: FurtherLanguage, *, is_told: bool) -> Iterator[SaidNumber]:
    names = names_of(language)
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        plain = folded(word.group().casefold())
        joins = bool(run) and _NEAR.fullmatch(text[run[-1].end() : word.start()]) is not None
        if run and not (joins and (plain in names.parts or plain in names.links)):
            yield from _number(text, run, language, is_told=is_told)
            run = []
        if plain in names.parts or (run and plain in names.links):
            run.append(word)
    if run:
        yield from _number(text, run, language, is_told=is_told)


def _number(
    text: str, run: Sequence[re.Match[str]], language: FurtherLanguage, *, is_told: bool
) -> Iterator[SaidNumber]:
    plain = [folded(word.group().casefold()) for word in run]
    names = names_of(language)
    while plain and plain[-1] in names.links:
        plain, run = plain[:-1], run[:-1]
    start, end = run[0].start(), run[-1].end()
    words = text[start:end]
    digits = _digits(plain, language)
    value = value_of(" ".join(plain), language) if len(plain) <= _LONGEST_RUN else None
    if not _is_certain(plain, language, is_told=is_told):
        is_choice = _OR_BEFORE.search(text[max(0, start - _LOOK_CHARS) : start]) or _OR_AFTER.match(
            text, end
        )
        if value is not None and is_choice and not is_read(" ".join(plain)):
            yield SaidNumber(start, words, ())
        return
    changed = _CHANGED_BEFORE.search(text[max(0, start - _LOOK_CHARS) : start])
    if changed or _CHANGED_AFTER.match(text[end : end + _LOOK_CHARS]):
        yield SaidNumber(start, words, ())
    elif value is not None:
        yield SaidNumber(start, words, (float(value),), digits)
    elif _DIGITS_IN_A_ROW <= len(digits) <= MOST_DIGITS:
        yield SaidNumber(start, words, (float(digits),) if digits[0] != "0" else (), digits)
    elif not _is_listed(plain, language):
        yield SaidNumber(start, words, ())


def _digits(plain: Sequence[str], language: FurtherLanguage) -> str:
    values = [names_of(language).values.get(word, 10) for word in plain]
    return "".join(map(str, values)) if all(value < 10 for value in values) else ""


def _is_listed(plain: Sequence[str], language: FurtherLanguage) -> bool:
    """Return whether a run is words that are numbers nowhere but in longer ones."""
    return all(word not in names_of(language).values for word in plain)


def _is_certain(plain: Sequence[str], language: FurtherLanguage, *, is_told: bool) -> bool:
    words = " ".join(plain)
    value = value_of(words, language)
    if len(plain) == 1 and (value == 1 or words in _ALSO_OTHER_WORDS.get(language, ())):
        # One is an article or a pronoun in most languages.
        return False
    if is_told:
        return True
    counted = set(plain) - names_of(language).links
    known = any(
        word in function_words(each) for word in counted for each in ("en", "de", "fr", "es")
    )
    return not known and not is_read(words) and (len(plain) > 1 or len(words) > _SHORT_CHARS)
