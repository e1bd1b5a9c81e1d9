"""What a reader costs its database: counted, so that no test depends on how fast a machine is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event


@contextmanager
def counted_work(engine: sa.Engine) -> Iterator[list[int]]:
    """Statements, and hundreds of steps of SQLite's machine, of what runs inside."""
    work = [0, 0]

    def stepped() -> int:
        work[1] += 1
        return 0

    def before(connection: sa.Connection, *_: object) -> None:
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(stepped, 100)
        work[0] += 1

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield work
    finally:
        event.remove(engine, "before_cursor_execute", before)


@contextmanager
def statements_run(engine: sa.Engine) -> Iterator[list[str]]:
    """The statements of what runs inside, on any database."""
    run: list[str] = []

    def before(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        run.append(statement)

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", before)
