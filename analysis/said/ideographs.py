"""Numbers in Chinese and Japanese characters. Pure.

A single one stands in many words ("together" is written with "one"): it counts only before a
counter, and none counts where a day, a month or an hour is named.
"""

import re
import unicodedata
from collections.abc import Iterator

from analysis.said.numerals import SaidNumber

_DIGITS = "零〇一二三四五六七八九两兩"
_UNITS = {"十": 10, "百": 100, "千": 1_000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_RUN = re.compile(f"[{_DIGITS}{''.join(_UNITS)}{''.join(_MYRIADS)}]+")
_COUNTERS = frozenset(
    "个個张張位名件份本杯瓶人枚台只隻間间晚泊天岁歳歲元円圆圓块塊次回盒箱条條辆輛家口斤碗套部页頁分双雙"
    "支把つ歩层層楼階"
)
_OF_TIME = frozenset("月日号號点點時时年周週星期礼禮")
_HALF_AFTER = re.compile(r"[个個時时小間间年月天日週周公斤]{0,3}半")
_SHORTENED = re.compile(f"[{_DIGITS}][百千{''.join(_MYRIADS)}][一二三四五六七八九]$")


def ideographs_in(text: str) -> Iterator[SaidNumber]:
    """Yield the numbers written in ideographs, in order."""
    for found in _RUN.finditer(text):
        run, after, before = found.group(), text[found.end() : found.end() + 1], found.start()
        if after in _OF_TIME or text[max(0, before - 1) : before] in _OF_TIME:
            continue
        if len(run) > 1 or after in _COUNTERS:
            readings = _readings(run, text, found.end())
            yield SaidNumber(found.start(), run, _or_one_less(readings, text, found.start()))


def _or_one_less(readings: tuple[float, ...], text: str, start: int) -> tuple[float, ...]:
    """Return what a number means behind the one before it: "five, six people"."""
    before = text[max(0, start - 2) : start]
    if len(readings) == 1 and len(before) == 2 and before[0] in _DIGITS and before[1] in "、\uff0c":
        less = float(_digit(before[0]))
        return (less, *readings) if readings[0] - less == 1 else readings
    return readings


def _readings(run: str, text: str, end: int) -> tuple[float, ...]:
    value = _value(run)
    if value is None or _HALF_AFTER.match(text, end):
        # "Two and a half" of something is no whole number of it.
        return ()
    if _SHORTENED.search(run):
        # 120 in Chinese, 102 in Japanese.
        unit = {**_UNITS, **_MYRIADS}[run[-2]]
        last = _digit(run[-1])
        return (value, value - last + last * unit / 10)
    return (value,)


def _value(run: str) -> float | None:
    total = section = digit = 0
    bare = not any(char in _UNITS or char in _MYRIADS for char in run)
    if bare:
        return float("".join(str(_digit(char)) for char in run)) if len(run) != 2 else None
    for char in run:
        if char in _MYRIADS:
            total += (section + digit or 1) * _MYRIADS[char]
            section = digit = 0
        elif char in _UNITS:
            section += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            digit = _digit(char)
    return float(total + section + digit)


def _digit(char: str) -> int:
    return 2 if char in "两兩" else int(unicodedata.numeric(char))
