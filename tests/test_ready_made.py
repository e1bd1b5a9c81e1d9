"""Stores of tests are equal to those that migrations make, also beside one another."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from analysis.store.tables import SCHEMA as ANALYSIS
from conversation.store import database
from conversation.store.database import Schema, migrate
from conversation.store.tables import SCHEMA as CONVERSATION


def shape(engine: Engine) -> list[tuple[object, ...]]:
    kinds = "select type, name, tbl_name, sql from sqlite_master order by type, name"
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(kinds))]
        versions = [
            tuple(row)
            for table in {CONVERSATION.version_table, ANALYSIS.version_table} & {r[1] for r in rows}
            for row in connection.execute(text(f"select version_num from {table}"))
        ]
    return [*rows, *sorted(versions)]


@pytest.mark.parametrize(
    "schemas", [[CONVERSATION], [ANALYSIS], [CONVERSATION, ANALYSIS], [ANALYSIS, CONVERSATION]]
)
def test_ready_made_tables_are_those_of_the_migrations(tmp_path: Path, schemas: list[Schema]):
    assert database.migrate is not migrate, "tests run on ready-made tables"
    by_migrations = create_engine(f"sqlite:///{tmp_path / 'slow.sqlite'}")
    ready_made = create_engine(f"sqlite:///{tmp_path / 'quick.sqlite'}")

    for schema in schemas:
        migrate(by_migrations, schema)
        database.migrate(ready_made, schema)

    assert shape(ready_made) == shape(by_migrations)
