"""Days are found by what is new: never by reading every conversation."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.labels.agreement import Label
from analysis.store.audit import (
    Agreed,
    LabelDrift,
    agreement_by_age,
    rows_to_publish,
    rows_without_conversation,
)
from analysis.store.closed_days import (
    LATE_BY,
    ClosedDay,
    agents_by_day,
    agents_talked_to,
    look_at_closed,
    state_of_day,
)
from analysis.store.store import AnalysisStore
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript, Turn
from tests.analysis.calls import Stores, a_verdict, hold_call, open_stores, save_answers
from tests.database_work import counted_work
from tests.servers import postgresql_server

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ASKING = {"shop-desk": None}


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path) as opened:
        yield opened


def take_in(
    store: ConversationStore,
    conversation_id: str,
    *,
    ended_at: datetime,
    at: datetime,
    agent_id: str = "shop-desk",
) -> None:
    """Import a conversation that ended earlier."""
    turn = Turn(role="user", text="Hello?")
    transcript = Transcript(
        conversation_id=conversation_id, agent_id=agent_id, ended_at=ended_at, turns=(turn,)
    )
    assert store.import_transcript(transcript, now=at)


def days_found(
    stores: Stores, closed_to: datetime | None, **changes: Any
) -> tuple[list[tuple[int, bool, bool]], datetime | None]:
    found = look_at_closed(
        stores.evaluations.engine,
        **{"closed_to": closed_to, "now": NOON + 9 * DAY, "asking": ASKING, **changes},
    )
    days = [(each.day.day, each.is_new, each.unjudged) for each in found.days]
    return days, found.closed_to


def test_each_look_goes_on_where_the_last_one_ended(stores: Stores):
    take_in(stores.conversations, "c0", ended_at=NOON, at=NOON)
    first, closed_to = days_found(stores, None)
    save_answers(stores.evaluations, "c0", a_verdict("c0"), now=NOON + DAY)
    nothing, closed_to = days_found(stores, closed_to)
    take_in(stores.conversations, "c1", ended_at=NOON + DAY, at=NOON + DAY)
    second, _ = days_found(stores, closed_to)

    assert (first, nothing, second) == (
        [(1, True, True)],
        [(1, False, False)],
        [(1, False, False), (2, True, True)],
    )


def test_what_is_imported_late_is_found_under_the_day_on_which_it_ended(stores: Stores):
    take_in(stores.conversations, "c0", ended_at=NOON + 3 * DAY, at=NOON + 3 * DAY)
    _, closed_to = days_found(stores, None)

    take_in(stores.conversations, "late", ended_at=NOON, at=NOON + 4 * DAY)

    days, closed_to = days_found(stores, closed_to)
    assert days == [(1, True, True), (4, False, True)]
    assert closed_to == NOON + 4 * DAY


def test_what_another_process_writes_down_late_is_found_until_it_is_judged(stores: Stores):
    take_in(stores.conversations, "c0", ended_at=NOON, at=NOON)
    save_answers(stores.evaluations, "c0", a_verdict("c0"), now=NOON + DAY)
    _, closed_to = days_found(stores, None)
    assert closed_to == NOON

    take_in(stores.conversations, "slow", ended_at=NOON - DAY, at=NOON - LATE_BY)
    assert days_found(stores, closed_to)[0] == [(28, False, True), (1, False, False)]

    save_answers(stores.evaluations, "slow", a_verdict("slow"), now=NOON + DAY)
    assert days_found(stores, closed_to)[0] == [(28, False, False), (1, False, False)]


def test_a_run_that_failed_or_came_before_the_end_judged_nothing(stores: Stores):
    take_in(stores.conversations, "c0", ended_at=NOON, at=NOON)
    save_answers(stores.evaluations, "c0", a_verdict("c0"), now=NOON - DAY)
    assert days_found(stores, None)[0] == [(1, True, True)]

    take_in(stores.conversations, "c1", ended_at=NOON + DAY, at=NOON + DAY)
    assert days_found(stores, NOON)[0][-1] == (2, True, True)


def test_nobody_asks_agents_without_questions_nor_of_what_is_too_old(stores: Stores):
    take_in(stores.conversations, "c0", ended_at=NOON, at=NOON)

    assert days_found(stores, None, asking={})[0] == [(1, True, False)]
    assert days_found(stores, None, asking={"shop-desk": NOON})[0] == [(1, True, True)]
    later = {"shop-desk": NOON + DAY}
    assert days_found(stores, None, asking=later)[0] == [(1, True, False)]


def test_a_backlog_is_looked_through_in_bounded_steps(stores: Stores):
    for number in range(5):
        at = NOON + number * DAY
        take_in(stores.conversations, f"c{number}", ended_at=at, at=at)

    seen: list[int] = []
    closed_to = None
    for _ in range(3):
        days, closed_to = days_found(stores, closed_to, limit=2)
        seen += [day for day, is_new, _ in days if is_new]

    assert seen == [1, 2, 3, 4, 5]


def test_a_clock_that_is_ahead_hides_nothing(stores: Stores):
    take_in(stores.conversations, "ahead", ended_at=NOON, at=NOON + DAY)
    _, closed_to = days_found(stores, None, now=NOON)
    assert closed_to == NOON

    take_in(stores.conversations, "c1", ended_at=NOON + 2 * DAY, at=NOON + timedelta(minutes=1))

    assert (3, True, True) in days_found(stores, closed_to)[0]


def test_an_empty_store_has_no_days(stores: Stores):
    assert days_found(stores, None) == ([], None)


def test_the_second_look_costs_the_same_whatever_is_stored(stores: Stores):
    """The whole store costs more each time, which shows that the counter works."""
    engine = stores.evaluations.engine
    new, whole = list[int](), list[int]()
    stored = 0
    for count in (20, 400):
        for number in range(stored, count):
            at = NOON + timedelta(hours=number)
            take_in(stores.conversations, f"c{number}", ended_at=at, at=at)
        stored = count
        until = NOON + timedelta(hours=count)
        _, closed_to = days_found(stores, None, now=until)
        take_in(stores.conversations, f"new{count}", ended_at=until, at=until)
        with counted_work(engine) as work:
            days, _ = days_found(stores, closed_to, now=until)
            agents_by_day(engine, [until.date()])
        assert [(is_new, unjudged) for _, is_new, unjudged in days][-1] == (True, True)
        new.append(sum(work))
        with counted_work(engine) as work:
            days_found(stores, None, now=until)
        whole.append(sum(work))

    assert whole[1] > 5 * whole[0]
    assert new[1] <= 2 * new[0]


def test_the_state_of_a_day_moves_with_its_conversations_only(stores: Stores):
    engine = stores.evaluations.engine
    take_in(stores.conversations, "c0", ended_at=NOON, at=NOON)
    before = state_of_day(engine, NOON.date())
    save_answers(stores.evaluations, "c0", a_verdict("c0"), now=NOON + DAY)
    take_in(stores.conversations, "c1", ended_at=NOON + DAY, at=NOON + DAY)
    assert state_of_day(engine, NOON.date()) == before

    take_in(stores.conversations, "late", ended_at=NOON, at=NOON - LATE_BY)
    assert state_of_day(engine, NOON.date()) != before


def ask_everything(conversations: ConversationStore, evaluations: AnalysisStore) -> None:
    """Every query, on any database."""
    engine = evaluations.engine
    # Near midnight, where a database that does not count in UTC would tell another day.
    for number, agreed in enumerate((True, True, False)):
        started_at = datetime(2026, 3, 1 + number, 23, 59, 30, tzinfo=UTC)
        hold_call(conversations, f"c{number}", started_at=started_at)
        save_answers(evaluations, f"c{number}", a_verdict(f"c{number}"), now=started_at + DAY)
        label(evaluations, f"c{number}", "success" if agreed else "failure")
    conversations.begin("open", agent_id="night-desk", started_at=NOON)

    found = look_at_closed(engine, closed_to=None, now=NOON + 9 * DAY, asking=ASKING)
    assert found.days == tuple(ClosedDay(date(2026, 3, day), True, False) for day in (1, 2, 3))
    again = look_at_closed(engine, closed_to=found.closed_to, now=NOON + 9 * DAY, asking=ASKING)
    assert again.days == (ClosedDay(date(2026, 3, 3), False, False),)
    everyone = frozenset({"shop-desk"})
    assert agents_by_day(engine) == {date(2026, 3, day): everyone for day in (1, 2, 3)}
    assert agents_by_day(engine, [date(2026, 3, 2)]) == {date(2026, 3, 2): everyone}
    assert agents_talked_to(engine) == {"shop-desk", "night-desk"}
    assert state_of_day(engine, date(2026, 3, 2)) == "1 2026-03-02T23:59:40+00:00"
    agreement = agreement_by_age(engine)
    assert agreement == {"shop-desk/handled_inquiry": LabelDrift(Agreed(1, 1), Agreed(1, 2))}
    assert rows_to_publish(engine, closed_to=datetime(2026, 3, 2, 23, 59, 40, tzinfo=UTC)) == {
        "conversations": 2,
        "turns": 8,
        "evaluations": 2,
        "collected_values": 0,
    }
    assert rows_without_conversation(engine) == []
    conversations.delete("c0")
    assert rows_without_conversation(engine) == [
        ("analysis_runs", 1),
        ("evaluations", 1),
        ("labels", 1),
    ]


def label(evaluations: AnalysisStore, conversation_id: str, verdict: Any, *, by: str = "ada"):
    given = Label(
        conversation_id=conversation_id,
        criterion_id="handled_inquiry",
        verdict=verdict,
        annotator=by,
    )
    evaluations.add_labels([given], now=NOON)


def test_every_query_answers_on_sqlite(stores: Stores):
    ask_everything(stores.conversations, stores.evaluations)


@pytest.mark.slow
def test_every_query_answers_on_postgresql(tmp_path: Path):
    with postgresql_server(tmp_path) as address:
        url = f"postgresql+psycopg://{address}"
        with ConversationStore.open(url) as conversations, AnalysisStore.open(url) as evaluations:
            ask_everything(conversations, evaluations)


def test_the_newest_label_and_the_verdict_in_force_are_compared(stores: Stores):
    take_in(stores.conversations, "c0", ended_at=NOON, at=NOON)
    save_answers(stores.evaluations, "c0", a_verdict("c0", "failure", criterion_version="v0"))
    save_answers(stores.evaluations, "c0", a_verdict("c0", "success"))
    save_answers(stores.evaluations, "c0", a_verdict("c0", "failure", sample=1))
    label(stores.evaluations, "c0", "failure")
    label(stores.evaluations, "c0", "success", by="bo")
    assert agreement_by_age(stores.evaluations.engine) == {
        "shop-desk/handled_inquiry": LabelDrift(Agreed(0, 0), Agreed(1, 1))
    }

    label(stores.evaluations, "c0", "unknown", by="cy")
    assert agreement_by_age(stores.evaluations.engine) == {}
