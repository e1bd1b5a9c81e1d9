"""Days and times in Chinese, Japanese and Russian: a table of what people say on a Monday."""

from datetime import date

import pytest

from analysis.fields.claims import Claim, check_claim
from analysis.said.moments.clock import times_said
from analysis.said.moments.days import days_said
from conversation.agent.config import DataCollectionField
from conversation.agent.criteria import FieldType
from conversation.transcript import Turn
from tests.growth import growth

MONDAY = date(2026, 11, 30)

DAYS = {
    "12月3日下午三点": "2026-12-03",
    "十二月三日": "2026-12-03",
    "二〇二七年一月五号": "2027-01-05",
    "2026年12月31日": "2026-12-31",
    "三月五號": "2027-03-05",
    "十一月二十八日": "2026-11-28",
    "今天可以吗": "2026-11-30",
    "明天上午": "2026-12-01",
    "后天": "2026-12-02",
    "大后天": "2026-12-03",
    "昨天": "2026-11-29",
    "前天": "2026-11-28",
    "下周三": "2026-12-09",
    "这个星期五": "2026-12-04",
    "上周日": "2026-11-29",
    "禮拜六": "2026-12-05",
    "星期一": "2026-12-07",
    "明後日": "2026-12-02",
    "一昨日": "2026-11-28",
    "あさってお願いします": "2026-12-02",
    "来週の水曜日": "2026-12-09",
    "再来週の月曜": "2026-12-14",
    "先週の金曜日": "2026-11-27",
    "金曜日": "2026-12-04",
    "завтра": "2026-12-01",
    "Послезавтра": "2026-12-02",
    "позавчера": "2026-11-28",
    "3 декабря": "2026-12-03",
    "5-го января 2027 года": "2027-01-05",
    "на 1 марта": "2027-03-01",
    "в пятницу": "2026-12-04",
    "в эту субботу": "2026-12-05",
    "в прошлую среду": "2026-11-25",
    "в следующую среду": "2026-12-02 2026-12-09",
}
NO_DAYS = (
    "一周三次",
    "每周三",
    "毎週金曜日",
    "下下周三",
    "三天前天气很好",
    "十三月三日",
    "二月三十日",
    "周三十个",
    "каждую среду",
    "40 декабря",
    "через 2 дня",
    "пятничный",
)
TIMES = {
    "下午三点": "15:00",
    "上午九点半": "09:30",
    "下午两点一刻": "14:15",
    "晚上八点四十五分": "20:45",
    "中午十二点": "12:00",
    "中午一点": "13:00",
    "凌晨2点": "02:00",
    "15点": "15:00",
    "三点": "03:00 15:00",
    "3点20": "03:20 15:20",
    "晚上十二点": "00:00 12:00",
    "晚上两点": "02:00 14:00",
    "午後3時": "15:00",
    "午前9時半": "09:30",
    "15時30分": "15:30",
    "夜8時": "20:00",
    "3時に": "03:00 15:00",
    "午後12時": "00:00 12:00",
    "в три часа дня": "15:00",
    "в 3 часа": "03:00 15:00",
    "в 9 утра": "09:00",
    "в семь вечера": "19:00",
    "в час ночи": "01:00",
    "в 3:30 дня": "15:30",
    "3 декабря в 15:30": "15:30",
}
NO_TIMES = (
    "3小时",
    "两个小时",
    "3時間",
    "三点五",
    "差五分三点",
    "25点",
    "上午十五点",
    "два дня",
    "на 3 ночи",
    "три часа",
    "через три часа",
    "в два раза",
    "в три часа двадцать минут",
    "в течение трёх часов",
)


@pytest.mark.parametrize("said", DAYS)
def test_days_are_what_they_can_mean(said: str):
    (found,) = days_said(said, MONDAY)
    assert " ".join(map(str, found.readings)) == DAYS[said]
    assert found.words in said


@pytest.mark.parametrize("said", NO_DAYS)
def test_what_repeats_or_counts_is_no_day(said: str):
    assert days_said(said, MONDAY) == []


@pytest.mark.parametrize("said", TIMES)
def test_times_are_what_they_can_mean(said: str):
    (found,) = times_said(said)
    assert " ".join(f"{each:%H:%M}" for each in found.readings) == TIMES[said]


@pytest.mark.parametrize("said", NO_TIMES)
def test_what_lasts_or_is_unclear_is_no_time(said: str):
    assert times_said(said) == []


def test_without_today_only_whole_dates_are_days():
    assert [str(day.value) for day in days_said("2026年12月3日", None)] == ["2026-12-03"]
    assert days_said("明天、12月3日、星期五、завтра, 3 декабря", None) == []


@pytest.mark.parametrize(
    "piece", ["三点", "下周三", "12月3日", "в три часа дня ", "3 декабря ", "十"]
)
def test_reading_is_linear(piece: str):
    assert growth(lambda text: (days_said(text, MONDAY), times_said(text)), piece) < 10


@pytest.mark.parametrize(
    ("said", "kind", "claimed", "status"),
    [
        ("请改到12月3日下午三点。", "date", "2026-12-03", "supported"),
        ("请改到12月3日下午三点。", "datetime", "2026-12-03T15:00", "supported"),
        ("请改到12月3日下午三点。", "date", "2026-12-04", "contradicted"),
        ("下周三可以。", "date", "2026-12-09", "supported"),
        ("三点来。", "time", "15:00", "ambiguous"),
        ("12月3日の午後3時にお願いします。", "datetime", "2026-12-03T15:00", "supported"),
        ("来週の水曜日はどうですか。", "date", "2026-12-02", "contradicted"),
        ("Приду завтра в три часа дня.", "datetime", "2026-12-01T15:00", "supported"),
        ("Приду 3 декабря.", "date", "2026-12-03", "supported"),
        ("Приду 3 декабря.", "date", "2026-12-13", "contradicted"),
        ("Приду в следующую среду.", "date", "2026-12-02", "ambiguous"),
        ("Мы останемся на 3 ночи.", "time", "03:00", "unsupported"),
        ("每周三都可以。", "date", "2026-12-02", "unsupported"),
    ],
)
def test_a_claim_counts_as_far_as_it_was_said(
    said: str, kind: FieldType, claimed: str, status: str
):
    asked = DataCollectionField(field_id="when", type=kind, description="When.")
    turns = (Turn(role="user", text=said),)
    assert check_claim(asked, Claim(0, claimed), turns, today=MONDAY).status == status
