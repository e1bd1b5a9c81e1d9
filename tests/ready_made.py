"""Empty SQLite databases that get their tables at once, as the migrations make them.

Running all migrations takes some tenths of a second, and hundreds of tests begin with an empty
store. The statements are read off a database that the migrations made, once a process and schema;
`test_ready_made.py` compares.
"""

from collections.abc import Callable

from sqlalchemy import Engine, create_engine, inspect

from conversation.store import database
from conversation.store.database import Schema

# Tables before what refers to them; without those that a full-text index makes for itself.
_MADE = """
    select made.sql from sqlite_master made
    where made.sql is not null and made.name not like 'sqlite_%' and not exists (
        select * from sqlite_master index_of
        where index_of.sql like 'CREATE VIRTUAL TABLE%using fts5 %'
        and made.name in (
            index_of.name || '_data', index_of.name || '_idx', index_of.name || '_content',
            index_of.name || '_docsize', index_of.name || '_config'
        )
    )
    order by made.type <> 'table', made.rowid
"""
_SCRIPTS: dict[str, list[str]] = {}


def begin_from_ready_made_tables() -> None:
    """From now on, stores that this process makes need no migrations."""
    database.migrate = _with_shortcut(database.migrate)


def _with_shortcut(migrate: Callable[..., None]) -> Callable[..., None]:
    def made(engine: Engine, schema: Schema, *, revision: str = "head") -> None:
        is_sqlite = engine.dialect.name == "sqlite"
        if revision != "head" or not is_sqlite or inspect(engine).has_table(schema.version_table):
            migrate(engine, schema, revision=revision)
            return
        if schema.version_table not in _SCRIPTS:
            _SCRIPTS[schema.version_table] = statements(migrate, schema)
        with engine.begin() as connection:
            for statement in _SCRIPTS[schema.version_table]:
                connection.exec_driver_sql(statement)

    return made


def statements(migrate: Callable[..., None], schema: Schema) -> list[str]:
    """Whatever makes a database that is equal to one with all migrations of `schema`."""
    engine = create_engine("sqlite://")
    try:
        migrate(engine, schema)
        with engine.connect() as connection:
            made = connection.exec_driver_sql(_MADE).scalars().all()
            (version,) = connection.exec_driver_sql(
                f"select version_num from {schema.version_table}"
            ).scalars()
    finally:
        engine.dispose()
    return [*made, f"insert into {schema.version_table} values ('{version}')"]
