import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.gaps.gaps import find_gaps
from analysis.report.charts import (
    day_bars,
    day_line,
    interval_bar,
    score_bar,
    score_bars,
    trend_line,
)
from analysis.report.days import rate_trends
from analysis.report.html import report_as_html
from analysis.reports import open_reports
from analysis.warehouse.finding_rows import export_findings
from tests.analysis.asked import ShelfSource, WordsEmbedder
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_verdict,
    hold_call,
    hold_judged_calls,
    open_stores,
    refresh,
    save_answers,
)
from tests.analysis.dictionary.test_score_views import SCORED, WARMTH, hold_scored

VOID = {"meta", "br"}


class WellFormed(HTMLParser):
    """Raises when tags are not closed in order; collects tags and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.tags: set[str] = set()
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def page(stores: Stores) -> str:
    refresh(stores)
    with open_reports(stores.reports) as connection:
        return report_as_html(connection, generated_at=DAY)


def parsed(html: str) -> WellFormed:
    parser = WellFormed()
    parser.feed(html)
    assert parser.open_tags == []
    return parser


def test_the_page_shows_rates_with_intervals_and_quotes(stores: Stores):
    hold_judged_calls(stores)
    words = parsed(page(stores)).words
    assert "50.0 %" in words
    assert "9.5 % to 90.5 %" in words
    assert "five days" in words
    assert "2026-03-01 10:00 UTC" in words


def test_the_page_asks_nobody_for_anything(stores: Stores):
    hold_judged_calls(stores)
    html = page(stores)
    assert not re.search(r"https?:|//|url\(|@import", html)
    assert not parsed(html).tags & {"script", "link", "img", "iframe"}
    assert "default-src 'none'" in html


def test_what_was_said_stays_text(stores: Stores):
    attack = '</style></blockquote><script>alert("x")</script>'
    hold_call(stores.conversations, "c1")
    save_answers(stores.evaluations, "c1", a_verdict("c1", "failure", rationale=attack))
    found = parsed(page(stores))
    assert "script" not in found.tags
    assert attack in found.words


def test_two_days_make_a_trend_and_one_does_not(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(stores.evaluations, "c1", a_verdict("c1"))
    assert "success rate by day" not in page(stores)
    hold_call(stores.conversations, "c2", started_at=DAY + timedelta(days=1))
    save_answers(stores.evaluations, "c2", a_verdict("c2", "failure"))
    html = page(stores)
    assert "success rate by day from 2026-03-01 to 2026-03-02" in html
    legend = "conversations of these flagged: somebody should read them"
    assert legend in " ".join(parsed(html).words.split())


def test_a_page_draws_the_busiest_agents_and_says_how_many_are_left_out(stores: Stores):
    for number in range(13):
        for call in range(1 + (number == 12)):
            name = f"c{number}-{call}"
            hold_call(stores.conversations, name, agent_id=f"agent-{number:02}")
    found = parsed(page(stores)).words
    for number in (*range(11), 12):
        assert f"agent-{number:02}" in found
    assert "agent-11" not in found
    assert "12 agents are drawn, those with the most conversations, and 1 agent left out" in found
    with open_reports(stores.reports) as connection:
        alone = report_as_html(connection, generated_at=DAY, agent_id="agent-11")
    assert "left out" not in parsed(alone).words
    assert "agent-11" in parsed(alone).words


def test_a_curve_draws_the_last_days(stores: Stores, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analysis.report.html._DAYS_DRAWN", 3)
    for day in range(5):
        name = f"c{day}"
        hold_call(stores.conversations, name, started_at=DAY + timedelta(days=day))
        save_answers(stores.evaluations, name, a_verdict(name))
    assert "success rate by day from 2026-03-03 to 2026-03-05" in page(stores)


def test_an_empty_page_says_what_is_missing(stores: Stores):
    assert "Nothing has been judged yet." in parsed(page(stores)).words


def test_charts_read_out_their_numbers():
    assert "75.0 %, 95 % interval 40.9 to 92.9 %" in interval_bar(0.75, 0.409, 0.929)
    assert "no verdict" in interval_bar(None, None, None)
    trend = trend_line([("2026-03-01", 1.0, 0.5, 1.0), ("2026-03-02", 0.0, 0.0, 0.5)])
    assert 'cx="4.0" cy="4.0"' in trend
    assert 'cx="316.0" cy="86.0"' in trend


def test_gaps_stand_on_the_page_with_their_state_and_what_was_asked_stays_text(stores: Stores):
    attack = "Can I pay with a <b>gift</b> voucher?"
    hold_call(stores.conversations, "c1", question=attack, answer="I don't know.")
    find_gaps(
        AGENT.agent_id,
        conversations=stores.conversations,
        store=stores.evaluations,
        embedder=WordsEmbedder(),
        now=DAY,
        source=ShelfSource({"Refunds": "Pay with a card."}),
    )
    export_findings(stores.warehouse, stores.evaluations)
    found = parsed(page(stores))
    assert attack in found.words
    assert "1 time in 1 conversation, last 2026-03-01" in found.words
    assert "gift, voucher" in found.words
    assert "open" in found.words


def test_days_are_drawn_from_the_second_on():
    assert "conversations by day, at most 3" in day_bars(
        [("2026-03-01", 3, 1), ("2026-03-02", 0, 0)]
    )
    line = day_line([("2026-03-01", 0.5, "$0.5"), ("2026-03-02", 1.0, "$1")], what="cost by day")
    assert "cost by day, at most $1" in line


def test_scores_are_drawn_with_their_interval_their_scale_and_their_days(stores: Stores):
    stores.evaluations.remember_questions(SCORED, DAY)
    hold_scored(stores, [2, 4])
    hold_scored(stores, [4, 3, 2, None, -1], day=1)
    hold_scored(stores, [0.2], WARMTH)
    refresh(stores, SCORED)
    with open_reports(stores.reports) as connection:
        found = parsed(report_as_html(connection, generated_at=DAY))

    # Standard deviation 1, t(4) = 2.776445: 3 ± 1.24.
    assert "3.00 1.76 to 4.24" in found.words
    assert "scale from 1 to 5" in found.words
    assert "5 scored · median 3.00" in found.words
    assert "1 unknown · 1 error" in found.words
    assert all(f"{score}: {count}" in found.words for score, count in ((1, 0), (2, 2), (3, 1)))
    assert "3.00 on a scale from 1 to 5, 95 % interval 1.76 to 4.24" in found.words
    assert "mean by day, from 1 to 5" in found.words
    assert "2026-03-02: 3.00" in found.words
    assert "scale from 0 to 1.5" in found.words
    assert "0.15 to 0.3: 1" in found.words
    assert found.words.count("mean by day") == 1, "one day is no line"


def test_a_score_without_a_known_scale_is_a_number(stores: Stores):
    hold_scored(stores, [2, 4])
    words = parsed(page(stores)).words

    assert "2 scored · median 3.00" in words
    assert "scale from" not in words
    assert "conversations by score" not in words


def test_bars_of_scores_are_named_one_by_one_or_by_their_ends():
    five = score_bars([(low, low, low) for low in range(1, 6)], what="calls")
    ten = score_bars([(low / 10, (low + 1) / 10, 1) for low in range(10)], what="calls")

    assert re.findall(r"<text[^>]*>([^<]*)", five) == ["1", "2", "3", "4", "5"]
    assert re.findall(r"<text[^>]*>([^<]*)", ten) == ["0", "1"]
    assert re.findall(r'height="(\d+\.\d)"', five) == ["14.0", "28.0", "42.0", "56.0", "70.0"]
    assert "calls, at most 5" in five


def test_a_bar_of_a_score_ends_where_the_score_lies():
    bar = score_bar(4, (2, 5), bounds=(1, 5))

    assert 'class="fill" x="0" y="5" width="240.0"' in bar
    assert 'd="M80.0 11H320.0M' in bar
    assert "whisker" not in score_bar(4, None, bounds=(1, 5))


def test_the_axis_of_a_trend_is_time():
    points = [(f"2026-03-{day:02}", 0.5, 0.4, 0.6) for day in (1, 2, 11)]
    first, second, third = (
        float(x) for x in re.findall(r'class="dot" cx="([\d.]+)"', trend_line(points))
    )
    assert (second - first) * 10 == pytest.approx(third - first, rel=0.01)


def test_two_judges_are_two_curves(tmp_path: Path):
    with open_stores(tmp_path) as stores:
        for number, day in enumerate((DAY, DAY + timedelta(days=1))):
            hold_call(stores.conversations, f"c{number}", started_at=day)
            hold_call(stores.conversations, f"d{number}", started_at=day, question="And shoes?")
            save_answers(
                stores.evaluations, f"c{number}", a_verdict(f"c{number}", judge_model="a/strict")
            )
            save_answers(
                stores.evaluations,
                f"d{number}",
                a_verdict(f"d{number}", "failure", judge_model="b/kind"),
            )
        refresh(stores, AGENT)
        with open_reports(stores.reports) as connection:
            trends = rate_trends(connection, agent_id=None, simulated=False)
            page = report_as_html(connection, generated_at=DAY)
    rates = {key[3]: [rate for _, rate, _, _ in points] for key, points in trends.items()}
    assert rates == {"a/strict": [1.0, 1.0], "b/kind": [0.0, 0.0]}
    assert "v1 by a/strict" in page
    assert "v1 by b/kind" in page
    assert page.count("success rate by day") == 2


def test_versions_whose_question_was_not_kept_are_two_rows_with_their_own_curves(tmp_path: Path):
    newer = "beefbeefbeef"
    with open_stores(tmp_path) as stores:
        for number in range(4):
            key = f"c{number}"
            hold_call(stores.conversations, key, started_at=DAY + timedelta(days=number))
            verdict = a_verdict(key)
            if number > 1:
                verdict = a_verdict(key, "failure", criterion_version=newer)
            save_answers(stores.evaluations, key, verdict)
        older = a_verdict("c0").criterion_version[:8]
        refresh(stores)
        with open_reports(stores.reports) as connection:
            trends = rate_trends(connection, agent_id=None, simulated=False)
            page = report_as_html(connection, generated_at=DAY)
    rates = {key[2]: [rate for _, rate, _, _ in points] for key, points in trends.items()}
    assert rates == {older: [1.0, 1.0], newer[:8]: [0.0, 0.0]}
    assert f"shop-desk, {older}<" in page
    assert f"shop-desk, {newer[:8]}<" in page
    assert page.count("success rate by day") == 2
