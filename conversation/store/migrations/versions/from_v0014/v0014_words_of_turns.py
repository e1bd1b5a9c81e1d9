"""An index of what was said, so that words are found without reading every turn.

SQLite: every three characters in a row that a turn has, kept up to date by triggers; two more
characters at its end, so that its last ones begin such a row too. `VACUUM` may give the rows of
`turns` other numbers, so a table of its own holds the number of each turn. PostgreSQL: an index of
`pg_trgm`, where that may be installed; where not, lists by words read the newest conversations.
"""

from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_PADDED = "|| char(3, 3)"
_ADD = f"""
    INSERT INTO turn_search_rows (turn_id) VALUES (NEW.turn_id);
    INSERT INTO turn_search (rowid, heard_text)
    SELECT search_id, NEW.heard_text {_PADDED} FROM turn_search_rows WHERE turn_id = NEW.turn_id;
"""
_REMOVE = f"""
    INSERT INTO turn_search (turn_search, rowid, heard_text)
    SELECT 'delete', search_id, OLD.heard_text {_PADDED}
    FROM turn_search_rows WHERE turn_id = OLD.turn_id;
    DELETE FROM turn_search_rows WHERE turn_id = OLD.turn_id;
"""
_TRIGGERS = {
    "search_added_turn": f"AFTER INSERT ON turns BEGIN {_ADD} END",
    "search_deleted_turn": f"AFTER DELETE ON turns BEGIN {_REMOVE} END",
    "search_changed_turn": (
        "AFTER UPDATE OF turn_id, heard_text ON turns "
        "WHEN OLD.heard_text IS NOT NEW.heard_text OR OLD.turn_id IS NOT NEW.turn_id "
        f"BEGIN {_REMOVE} {_ADD} END"
    ),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _index_with_fts5()
    else:
        _index_with_trigrams()


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP INDEX IF EXISTS turns_by_words")
        return
    for name in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name}")
    for table in ("turn_search_terms", "turn_search", "turn_search_rows"):
        op.execute(f"DROP TABLE {table}")


def _index_with_fts5() -> None:
    op.execute(
        "CREATE TABLE turn_search_rows ("
        "search_id INTEGER NOT NULL PRIMARY KEY, turn_id VARCHAR(255) NOT NULL UNIQUE)"
    )
    # Without texts and places: what it finds is looked at in `turns`.
    op.execute(
        "CREATE VIRTUAL TABLE turn_search USING fts5 ("
        "heard_text, content='', columnsize=0, detail=none, tokenize='trigram')"
    )
    op.execute("CREATE VIRTUAL TABLE turn_search_terms USING fts5vocab (turn_search, row)")
    # Both go row by row inside the database: memory does not follow the number of turns.
    op.execute("INSERT INTO turn_search_rows (turn_id) SELECT turn_id FROM turns")
    op.execute(
        "INSERT INTO turn_search (rowid, heard_text) "
        f"SELECT search_id, heard_text {_PADDED} FROM turn_search_rows CROSS JOIN turns "
        "ON turns.turn_id = turn_search_rows.turn_id ORDER BY search_id"
    )
    for name, what in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {what}")


def _index_with_trigrams() -> None:
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            connection.exec_driver_sql(
                "CREATE INDEX turns_by_words ON turns USING gin (heard_text gin_trgm_ops)"
            )
    except DBAPIError:  # not installed on that server, or not for this role to install
        return
