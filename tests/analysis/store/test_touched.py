"""What triggers of the database note, and what becomes of it; on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from analysis.results import Label
from analysis.store.store import AnalysisStore
from analysis.store.tables import day_marks, settled_conversations
from analysis.store.touched import last_mark, marks_of, take_touched
from conversation.store.store import ConversationStore
from conversation.store.tables import conversations
from conversation.transcript import Transcript, Turn
from tests.analysis.calls import DAY, Stores, a_value, a_verdict, hold_call, save_answers
from tests.servers import postgresql_server

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
NEXT_DAY = DAY + timedelta(days=1)


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], scope="module"
)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'store.sqlite'}"
    else:
        with postgresql_server(folder) as address:
            yield f"postgresql+psycopg://{address}"


@pytest.fixture
def stores(server: str, tmp_path: Path) -> Iterator[Stores]:
    with ConversationStore.open(server) as held, AnalysisStore.open(server) as found:
        with held.engine.begin() as connection:
            for table in (*found_tables(), *held_tables()):
                connection.execute(sa.delete(table))
        take_touched(found.engine)
        with held.engine.begin() as connection:
            connection.execute(sa.delete(day_marks))
        yield Stores(held, found, tmp_path / "warehouse", tmp_path / "reports.duckdb")


def found_tables() -> list[sa.Table]:
    from analysis.store.tables import metadata

    return list(reversed(metadata.sorted_tables))


def held_tables() -> list[sa.Table]:
    return list(reversed(conversations.metadata.sorted_tables))


def moved(stores: Stores, before: int) -> dict[date, bool]:
    """Days that were touched since, each with whether anything is left of it."""
    take_touched(stores.evaluations.engine)
    marks = marks_of(stores.evaluations.engine).values()
    return {found.day: found.held for found in marks if found.mark > before}


def test_everything_that_changes_a_day_moves_its_mark_and_no_other(stores: Stores):
    engine = stores.evaluations.engine
    store = stores.conversations
    hold_call(store, "c1")
    hold_call(store, "c2", started_at=NEXT_DAY)
    assert moved(stores, 0) == {FIRST: True, SECOND: True}

    def moves(what: str, expected: dict[date, bool]) -> None:
        assert moved(stores, before) == expected, what

    before = last_mark(engine)
    store.begin("c3", agent_id="shop-desk", started_at=DAY)
    store.append_turn("c3", Turn(role="user", text="Hello?"), at=DAY)
    moves("a conversation that goes on", {})
    store.end("c3", reason="user_ended", at=DAY)
    moves("its end", {FIRST: True})

    before = last_mark(engine)
    save_answers(stores.evaluations, "c2", a_verdict("c2"), a_value("c2", "amount", 3.5))
    moves("answers", {SECOND: True})

    before = last_mark(engine)
    label = Label(
        conversation_id="c1", criterion_id="polite", verdict="success", annotator="someone"
    )
    stores.evaluations.add_labels([label], now=DAY)
    moves("a label", {FIRST: True})

    before = last_mark(engine)
    stores.evaluations.forget("c2")
    moves("forgotten answers", {SECOND: True})

    before = last_mark(engine)
    turn = store.transcript("c1").turns[0]
    store.revise_turn("c1", turn.model_copy(update={"text": "Hel"}), at=DAY)
    moves("a revised turn", {FIRST: True})

    before = last_mark(engine)
    store.import_transcript(Transcript(conversation_id="c4", ended_at=NEXT_DAY), now=NEXT_DAY)
    moves("an import", {SECOND: True})

    before = last_mark(engine)
    store.delete("c2")
    moves("a deletion", {SECOND: True})

    before = last_mark(engine)
    store.delete("c4")
    moves("the last one of a day", {SECOND: False})

    before = last_mark(engine)
    store.add_event("c1", "feedback", at=DAY, payload={"rating": 4})
    moves("feedback", {FIRST: True})
    assert marks_of(engine, [SECOND])[SECOND].held is False


def test_a_touched_conversation_is_settled_no_longer(stores: Stores):
    engine = stores.evaluations.engine
    for name in ("c1", "c2"):
        hold_call(stores.conversations, name)
    take_touched(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(settled_conversations),
            [{"settled": n, "agent_id": "shop-desk", "asked": "a"} for n in ("c1", "c2")],
        )

    save_answers(stores.evaluations, "c1", a_verdict("c1"))
    take_touched(engine)

    with engine.connect() as connection:
        left = connection.execute(sa.select(settled_conversations.c.settled)).scalars().all()
    assert left == ["c2"]


@pytest.mark.slow
@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_what_is_committed_while_others_are_taken_is_not_lost(stores: Stores):
    """A change that was not committed yet when notes were taken is taken the next time."""
    engine = stores.evaluations.engine
    for name in ("c1", "c2"):
        hold_call(stores.conversations, name)
    take_touched(engine)
    touch = sa.update(conversations).values(end_reason="silence")
    with engine.connect() as late, late.begin():
        late.execute(touch.where(conversations.c.conversation_id == "c1"))
        with engine.begin() as quick:
            quick.execute(touch.where(conversations.c.conversation_id == "c2"))
        before = last_mark(engine)
        assert moved(stores, before) == {FIRST: True}
        before = last_mark(engine)
    assert moved(stores, before) == {FIRST: True}


def test_looking_when_nothing_changed_writes_nothing(stores: Stores):
    hold_call(stores.conversations, "c1")
    engine = stores.evaluations.engine
    assert take_touched(engine) > 0
    before = last_mark(engine)

    assert take_touched(engine) == 0
    assert last_mark(engine) == before
