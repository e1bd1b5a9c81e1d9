"""A migration that is killed at any of its statements: the store is as before, or as after."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, inspect, text

from conversation.store import database
from conversation.store.database import migrate, open_database
from conversation.store.store import ConversationStore
from conversation.store.tables import SCHEMA
from conversation.transcript import Transcript, Turn
from tests.servers import postgresql_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POINTS = 20
_BEFORE = "0009"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store' / 'conversations.sqlite'}"
        return
    with postgresql_server(tmp_path) as address:
        yield f"postgresql+psycopg://{address}"


def _open_and_die(url: str, statements: int) -> None:
    """Open the store, and be killed before so many statements; say how many there were else."""
    seen = 0
    made = database.create_engine

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == statements:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(*given: Any, **options: Any) -> Engine:
        engine = made(*given, **options)
        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", count)
        return engine

    database.create_engine = watched  # pyright: ignore[reportPrivateImportUsage]
    open_database(url, SCHEMA).dispose()
    os._exit(min(seen, 255))


def test_a_migration_killed_anywhere_is_made_by_the_next_process(url: str, tmp_path: Path):
    held = [
        Transcript(
            conversation_id=f"conv_{number}",
            agent_id="a",
            started_at=NOON,
            ended_at=NOON,
            metadata={"user_id": f"user-{number}"},
            turns=(Turn(role="user", text=f"Where is parcel {number}?"),),
        )
        for number in range(30)
    ]
    with ConversationStore.open(url) as store:
        for each in held:
            store.import_transcript(each)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.conversation.store.test_killed_migrations"])

    def opened(statements: int) -> int | None:
        process = context.Process(target=_open_and_die, args=(url, statements))
        process.start()
        process.join(60)
        return process.exitcode

    def down() -> None:
        engine = open_database(url, SCHEMA)
        migrate(engine, SCHEMA, revision=_BEFORE)
        engine.dispose()

    down()
    whole = opened(-1)
    assert whole is not None
    assert whole > POINTS
    killed_before: set[str] = set()
    for point in range(POINTS):
        down()
        assert opened(1 + point * (whole - 1) // (POINTS - 1)) == -signal.SIGKILL
        engine = database._create_engine(database.make_url(url))
        with engine.connect() as connection:
            killed_before.add(
                connection.execute(text(f"select version_num from {SCHEMA.version_table}")).scalar()
                or ""
            )
        engine.dispose()

        with ConversationStore.open(url) as store:
            assert {each.conversation_id for each in store.conversations()} == {
                each.conversation_id for each in held
            }
            assert store.transcript("conv_7").turns[0].text == held[7].turns[0].text
            (found,) = store.page(text="parcel 17").conversations
            assert found.conversation_id == "conv_17"
            assert len(store.page(user_id="user-3").conversations) == 1
            assert not [t for t in inspect(store.engine).get_table_names() if "_alembic_tmp" in t]
    assert killed_before <= {_BEFORE, SCHEMA.head}
    assert _BEFORE in killed_before
