from datetime import date

import pytest

from analysis.report.text import (
    Report,
    Section,
    format_cell,
    render_report,
    report_as_markdown,
    report_as_text,
)
from analysis.reports import open_reports
from conversation.agent.criteria import Criterion, Scale
from conversation.transcript import Transcript, Turn
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_value,
    a_verdict,
    hold_call,
    hold_judged_calls,
    refresh,
    save_answers,
)


def report_of(stores: Stores, agent_id: str | None = None) -> Report:
    refresh(stores)
    with open_reports(stores.reports) as connection:
        return render_report(connection, agent_id=agent_id)


def section(report: Report, title: str) -> Section:
    return next(section for section in report.sections if section.title == title)


def test_every_section_answers_and_its_sql_gives_the_same_rows(stores: Stores):
    hold_judged_calls(stores)
    report = report_of(stores)
    with open_reports(stores.reports) as connection:
        for part in report.sections:
            assert tuple(connection.execute(part.sql).fetchall()) == part.rows, part.title
            assert all(len(row) == len(part.columns) for row in part.rows), part.title


def test_the_report_says_how_often_and_out_of_how_many(stores: Stores):
    hold_judged_calls(stores)
    text = report_as_text(report_of(stores), with_sql=False)
    assert text.startswith(
        """\
Conversations
=============
agent      conversations  turns  mean duration  first day   last day
shop-desk              3     12         10.0 s  2026-03-01  2026-03-01

Success rates
=============
agent      criterion        version     rate    from       to  success  failure  unknown  error
shop-desk  handled_inquiry  v1        50.0 %   9.5 %   90.5 %        1        1        0      1
shop-desk  polite           v1       100.0 %  20.7 %  100.0 %        1        0        0      0
(rate = success / (success + failure), with its 95 % interval (Wilson). Unknown verdicts and errors
are no part of it.)

Topics
======
(Topics were not looked for yet, or there are none: `vivavoce topics` finds them.)

Topics by field
===============
agent      topic     conversations   share  flagged  flagged share
shop-desk  delivery              1  50.0 %        1        100.0 %
shop-desk  refund                1  50.0 %        0          0.0 %
"""
    )
    assert "five days" in text
    assert "$0.7500" in text


def test_the_report_can_be_narrowed_to_an_agent(stores: Stores):
    hold_judged_calls(stores)
    assert section(report_of(stores, "shop-desk"), "Success rates").rows
    other = report_of(stores, "it's another")
    assert all(part.rows == () for part in other.sections)


def test_an_empty_report_says_what_is_missing(stores: Stores):
    text = report_as_text(report_of(stores))
    assert "No ended conversation has been published yet." in text
    assert "Nothing has been judged yet." in text


def test_a_long_list_of_flagged_conversations_says_where_the_rest_is(stores: Stores):
    for number in range(12):
        hold_call(stores.conversations, f"c{number}")
        save_answers(stores.evaluations, f"c{number}", a_verdict(f"c{number}", "failure"))
    flagged = section(report_of(stores), "Flagged conversations")
    assert len(flagged.rows) == 10
    assert flagged.note is not None
    assert "from flagged_conversations" in flagged.note


def test_what_was_said_steers_neither_terminal_nor_markup(stores: Stores):
    hold_call(stores.conversations, "c1")
    attack = "\x1b[31m| <script>alert(1)</script> [bold]x[/bold] `y` [a](http://b)"
    save_answers(stores.evaluations, "c1", a_verdict("c1", "failure", rationale=attack))
    report = report_of(stores)
    text = report_as_text(report, width=250)
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text
    markdown = report_as_markdown(report)
    assert "<script" not in markdown
    assert "\\| &lt;script" in markdown
    assert "\\[a\\]" in markdown


def test_markdown_tables_align_and_carry_their_sql(stores: Stores):
    hold_judged_calls(stores)
    markdown = report_as_markdown(report_of(stores))
    assert (
        "| agent | topic | conversations | share | flagged | flagged share |\n"
        "| --- | --- | ---: | ---: | ---: | ---: |\n"
        "| shop-desk | delivery | 1 | 50.0 % | 1 | 100.0 % |\n"
    ) in markdown
    assert "```sql\nSELECT agent_id, topic" in markdown


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (None, "share", "-"),
        (0.5, "share", "50.0 %"),
        (0, "usd", "$0"),
        (0.0123, "usd", "$0.0123"),
        (412.4, "ms", "412 ms"),
        (1_412.4, "ms", "1.41 s"),
        (75.25, "seconds", "75.2 s"),
        (12_345, "count", "12,345"),
        (True, "text", "True"),
        (date(2026, 3, 1), "text", "2026-03-01"),
    ],
)
def test_values_are_shown_with_their_units(value: object, kind: str, shown: str):
    assert format_cell(value, kind) == shown  # type: ignore[arg-type]


def hold_played_call(stores: Stores) -> None:
    stores.conversations.import_transcript(
        Transcript(
            conversation_id="played",
            agent_id="shop-desk",
            turns=(Turn(role="user", text="Hm?"), Turn(role="agent", text="Yes.")),
            started_at=DAY,
            ended_at=DAY,
            simulated=True,
        )
    )
    save_answers(
        stores.evaluations,
        "played",
        a_verdict("played", "failure", rationale="A program asked."),
        a_value("played", "conversation_topic", "refund"),
    )


def test_conversations_with_played_users_are_left_out_unless_asked_for(stores: Stores):
    hold_judged_calls(stores)
    before = report_as_text(report_of(stores))
    hold_played_call(stores)

    report = report_of(stores)

    note = section(report, "Conversations").note
    assert note == "1 simulated conversations are left out; with `--simulated` they are shown."
    assert report_as_text(report).replace(f"({note})\n", "") == before
    with open_reports(stores.reports) as connection:
        played = render_report(connection, simulated=True)
    assert section(played, "Conversations").rows[0][1] == 1
    assert section(played, "Success rates").rows[0][3] == 0.0
    assert "A program asked." in report_as_text(played)


def test_scores_on_a_scale_are_no_rates(stores: Stores):
    for number, score in enumerate((2.0, 4.0)):
        hold_call(stores.conversations, f"c{number}")
        verdict = a_verdict(f"c{number}", None, score=score)
        save_answers(stores.evaluations, f"c{number}", verdict)
    report = report_of(stores)
    assert section(report, "Scores").rows[0][4:6] == (2, 3.0)
    assert section(report, "Success rates").rows == ()
    assert section(report, "Flagged conversations").rows == ()


def test_scores_are_shown_with_their_interval_scale_and_counts(stores: Stores):
    speed = Criterion(criterion_id="polite", prompt="How polite?", scale=Scale(min=1, max=5))
    agent = AGENT.model_copy(update={"criteria": (speed,)})
    stores.evaluations.remember_questions(agent, DAY)
    for number, score in enumerate((2.0, 4.0, 4.0, 3.0, 2.0, None)):
        hold_call(stores.conversations, f"c{number}")
        verdict = a_verdict(f"c{number}", None, score=score, criterion_id="polite")
        version = {"criterion_version": speed.version}
        save_answers(stores.evaluations, f"c{number}", verdict.model_copy(update=version))

    # Standard deviation 1, t(4) = 2.776445: 3 ± 1.24.
    markdown = report_as_markdown(report_of(stores), with_sql=False)
    assert (
        "| agent | criterion | version | scale | scored | mean | from | to | median | how often "
        "| unknown | error |" in markdown
    )
    assert (
        "| shop-desk | polite | v1 | 1 to 5 | 5 | 3.00 | 1.76 | 4.24 | 3.00 "
        "| 1: 0, 2: 2, 3: 1, 4: 2, 5: 0 | 1 | 0 |" in markdown
    )
