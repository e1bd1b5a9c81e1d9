"""Days and times in Chinese, Japanese and Russian, by their script. Pure.

What can be read in two ways keeps both readings: three o'clock without a part of the day, and
"next Wednesday" in Russian. What repeats ("every Friday"), lasts ("three hours") or is said in a
way that is not known here gives nothing.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from typing import NamedTuple, cast

from babel.dates import get_month_names

from analysis.said.moments.calendar_words import calendar_day, nearest_of_years

_OWN_SCRIPT = re.compile(r"[\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff]")
_DIGITS = {char: number for number, char in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_NUMBER = r"(?:\d{1,2}|[〇零一二两三四五六七八九十]{1,3})"
_NO_NUMBER_BEFORE = r"(?<![\d.,:〇零一二两三四五六七八九十百千差分])"
_NO_NUMBER_AFTER = r"(?![\d〇零一二两三四五六七八九十])"

_CJK_NAMED = {
    **{"大前天": -3, "前天": -2, "昨天": -1, "今天": 0, "明天": 1, "后天": 2, "後天": 2},
    **{"大后天": 3, "大後天": 3, "一昨日": -2, "おととい": -2, "昨日": -1, "きのう": -1},
    **{"今日": 0, "きょう": 0, "明日": 1, "あした": 1, "明後日": 2, "あさって": 2},
}
_CJK_WEEKS = {"上": -1, "这": 0, "這": 0, "本": 0, "下": 1} | {
    **{"先週": -1, "今週": 0, "来週": 1, "再来週": 2},
}
_CHINESE_DAYS = {char: number for number, char in enumerate("一二三四五六日")} | {"天": 6}
_JAPANESE_DAYS = {char: number for number, char in enumerate("月火水木金土日")}
_CJK_DAYS = (
    re.compile(
        rf"(?:(?P<year>\d{{4}}|[〇零一二三四五六七八九]{{4}})年)?{_NO_NUMBER_BEFORE}"
        rf"(?P<month>{_NUMBER})月(?P<day>{_NUMBER})[日号號](?![间間])"
    ),
    # "Three days ago the weather" has the characters of "the day before yesterday" in it.
    re.compile(r"(?<![天日])(?:" + "|".join(sorted(_CJK_NAMED, key=len, reverse=True)) + ")"),
    re.compile(
        r"(?<![每\d一二两三四五六七八九十])(?P<week>[上这這本下](?:个|個)?)?(?<!下下)(?:星期|周|週|礼拜|禮拜)"
        r"(?P<chinese>[一二三四五六日天])(?![次天个個年十\d])"
    ),
    re.compile(
        r"(?<!毎週)(?:(?P<week>再来週|先週|今週|来週)の?)?(?P<japanese>[月火水木金土日])曜日?"
    ),
)
_CJK_TIME = re.compile(
    r"(?P<part>凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|午前|午後|朝|夕方|夜|晩)?の?\s?"
    rf"{_NO_NUMBER_BEFORE}(?P<hour>{_NUMBER})\s?[点點时時](?![间間])"
    rf"(?:(?P<half>半)|(?P<quarters>[一三])刻|(?P<minute>{_NUMBER})(?P<exact>分)?|[整钟鐘])?{_NO_NUMBER_AFTER}"
)
_PARTS = {
    **dict.fromkeys(("凌晨", "清晨", "早上", "早晨", "上午", "午前", "朝"), "am"),
    **dict.fromkeys(("下午", "傍晚", "午後", "夕方"), "pm"),
    **dict.fromkeys(("晚上", "夜", "晩"), "night"),
    "中午": "noon",
}

_RUSSIAN_MONTHS = {
    name.casefold(): number
    for number, name in cast("dict[int, str]", get_month_names("wide", locale="ru")).items()
}
_RUSSIAN_NAMED = {"позавчера": -2, "вчера": -1, "сегодня": 0, "завтра": 1, "послезавтра": 2}
_RUSSIAN_DAYS = {
    **{"понедельник": 0, "вторник": 1, "среду": 2, "среда": 2, "четверг": 3, "пятницу": 4},
    **{"пятница": 4, "субботу": 5, "суббота": 5, "воскресенье": 6},
}
_RUSSIAN_HOURS = {
    word: number
    for number, word in enumerate(
        (
            *("час", "два", "три", "четыре", "пять", "шесть"),
            *("семь", "восемь", "девять", "десять", "одиннадцать", "двенадцать"),
        ),
        1,
    )
}
_RUSSIAN_DAY = (
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:-?го)?\s+(?P<month>{'|'.join(_RUSSIAN_MONTHS)})\b"
        r"(?:\s+(?P<year>\d{4})(?:\s*г(?:ода|\.))?)?",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?:{'|'.join(_RUSSIAN_NAMED)})\b", re.IGNORECASE),
    re.compile(
        r"\b(?P<before>\w+\s+)?(?P<weekday>" + "|".join(_RUSSIAN_DAYS) + r")\b",
        re.IGNORECASE,
    ),
)
_RUSSIAN_TIME = re.compile(
    rf"\b(?P<at>(?:в|к)\s+)?(?P<hour>\d{{1,2}}|{'|'.join(_RUSSIAN_HOURS)})"
    r"(?::(?P<minute>[0-5]\d))?(?:\s+(?P<hours>час(?:а|ов)?))?"
    r"(?:\s+(?P<part>утра|дня|вечера|ночи))?"
    r"\b(?!\s+(?:\d|минут|час|полчаса|" + "|".join(_RUSSIAN_HOURS) + r"))",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """Where a day or a time stands, and what it can mean."""

    start: int
    end: int
    days: tuple[date, ...] = ()
    times: tuple[time, ...] = ()


def days_of_other_scripts(text: str, today: date | None) -> Iterator[Found]:
    """Yield the days that `text` names in these languages, in no order."""
    if _OWN_SCRIPT.search(text) is None:
        return
    for pattern in (*_CJK_DAYS, *_RUSSIAN_DAY):
        for match in pattern.finditer(text):
            days = tuple(dict.fromkeys(_days(match, today)))
            if days:
                lead = len(match.groupdict().get("before") or "") if len(days) == 1 else 0
                yield Found(match.start() + lead, match.end(), days=days)


def times_of_other_scripts(text: str) -> Iterator[Found]:
    """Yield the times that `text` names in these languages, in order for each."""
    if _OWN_SCRIPT.search(text) is None:
        return
    for match in _CJK_TIME.finditer(text):
        if times := tuple(_cjk_times(match)):
            yield Found(match.start(), match.end(), times=times)
    for match in _RUSSIAN_TIME.finditer(text):
        if times := tuple(_russian_times(match)):
            yield Found(match.start(), match.end(), times=times)


def touched(text: str, places: Iterable[tuple[int, int]]) -> bytearray:
    """Mark which characters of `text` places cover, each from its start with its length."""
    marks = bytearray(len(text))
    for start, chars in places:
        marks[start : start + chars] = b"\1" * len(marks[start : start + chars])
    return marks


def _days(match: re.Match[str], today: date | None) -> Iterator[date]:
    groups = {name: value for name, value in match.groupdict().items() if value}
    if "month" in groups:
        month = _RUSSIAN_MONTHS.get(groups["month"].casefold()) or _number(groups["month"])
        yield from _in_month(groups.get("year"), month, _number(groups["day"]), today)
    elif today is None:
        return
    elif "chinese" in groups or "japanese" in groups:
        day = _CHINESE_DAYS[groups["chinese"]] if "chinese" in groups else None
        day = _JAPANESE_DAYS[groups["japanese"]] if day is None else day
        week = _CJK_WEEKS[groups["week"].rstrip("个個")] if "week" in groups else None
        yield _in_week(today, day, week)
    elif "weekday" in groups:
        yield from _russian_weekday(groups, today)
    else:
        said = match.group().casefold()
        yield today + timedelta(days=(_CJK_NAMED | _RUSSIAN_NAMED)[said])


def _in_month(
    year: str | None, month: int | None, day: int | None, today: date | None
) -> Iterator[date]:
    """Yield the day of this month, where no year is said the one nearest to today."""
    if month is None or day is None:
        return
    if year is not None:
        number = int("".join(str(_DIGITS.get(char, char)) for char in year))
        found = calendar_day(number, month, day)
    else:
        found = None if today is None else nearest_of_years(month, day, today)
    if found is not None:
        yield found


def _in_week(today: date, day: int, week: int | None) -> date:
    shift = day - today.weekday()
    return today + timedelta(days=(shift - 1) % 7 + 1 if week is None else shift + 7 * week)


def _russian_weekday(groups: dict[str, str], today: date) -> Iterator[date]:
    day = _RUSSIAN_DAYS[groups["weekday"].casefold()]
    before = groups.get("before", "").strip().casefold()
    if before.startswith(("кажд", "по")):
        return
    coming = _in_week(today, day, None)
    if before.startswith("прошл"):
        yield today - timedelta(days=(today.weekday() - day - 1) % 7 + 1)
    elif before in ("этот", "эту", "это"):
        yield _in_week(today, day, 0)
    else:
        yield coming
        if before.startswith("следующ") and day > today.weekday():
            # Some mean the coming one, some the one of the coming week.
            yield coming + timedelta(days=7)


def _cjk_times(match: re.Match[str]) -> Iterator[time]:
    hour = _number(match["hour"])
    minute = _number(match["minute"]) if match["minute"] else 0
    if match["half"]:
        minute = 30
    elif match["quarters"]:
        minute = 15 if match["quarters"] == "一" else 45
    # "Three point five" is a number; five past three is said with its unit or with a nought.
    is_number = match["minute"] and not match["exact"] and len(match["minute"]) == 1
    if hour is not None and minute is not None and minute < 60 and not is_number:
        yield from _on_clock(hour, minute, _PARTS.get(match["part"] or ""))


def _russian_times(match: re.Match[str]) -> Iterator[time]:
    said, part = match["hour"].casefold(), match["part"]
    # "2 дня" are two days, "три часа" three hours: they are times only where more says so.
    precise = match["hours"] or match["minute"]
    is_time = (match["at"] or precise) if part else (match["at"] and precise)
    hour = int(said) if said.isdecimal() else _RUSSIAN_HOURS[said]
    if not is_time or (said == "час" and match["hours"]):
        return
    parts = {"утра": "am", "дня": "pm", "вечера": "pm", "ночи": "am"}
    yield from _on_clock(hour, int(match["minute"] or 0), parts[part.casefold()] if part else None)


def _on_clock(hour: int, minute: int, part: str | None) -> Iterator[time]:
    """Yield what an hour can be by the part of the day; of twelve o'clock both where it is open."""
    if hour > 24 or (hour > 12 and part == "am"):
        return
    if hour > 12 or hour == 0:
        hours: tuple[int, ...] = (hour % 24,)
    elif part is None or (hour == 12 and part != "noon"):
        hours = (hour % 24, (hour + 12) % 24)
    elif part == "noon":
        hours = (hour,) if hour > 10 else (hour + 12,)
    elif part == "night":
        hours = (hour + 12,) if hour > 5 else (hour, hour + 12)
    else:
        hours = (hour,) if part == "am" else (hour + 12,)
    yield from (time(each, minute) for each in sorted(set(hours)))


def _number(said: str) -> int | None:
    """The number of one or two digits, or up to 99 in ideographs."""
    if said.isdecimal():
        return int(said)
    tens, ten, ones = said.rpartition("十")
    if not ten:
        return _DIGITS.get(said)
    if len(tens) > 1 or len(ones) > 1:
        return None
    high, low = (_DIGITS.get(tens) if tens else 1), (_DIGITS.get(ones) if ones else 0)
    return None if high is None or low is None else high * 10 + low
