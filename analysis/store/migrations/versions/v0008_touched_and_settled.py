"""What changed in answers, noted by the database; how far each day is; who has nothing to ask."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("evaluations", "collected_values", "analysis_runs", "labels")
_CHANGES = {"added": ("INSERT", "NEW"), "changed": ("UPDATE", "NEW"), "deleted": ("DELETE", "OLD")}


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "touched_answers",
        sa.Column("touch_id", big, primary_key=True),
        sa.Column("touched", sa.String(255), nullable=False),
    )
    op.create_index("ix_touched_answers_touched", "touched_answers", ["touched"])
    op.create_table(
        "day_marks",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("mark", sa.BigInteger, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
    )
    op.create_index("ix_day_marks_mark", "day_marks", ["mark"])
    op.create_table(
        "settled_conversations",
        sa.Column("settled", sa.String(255), primary_key=True),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("asked", sa.String(64), primary_key=True),
    )
    op.create_index(
        "ix_settled_conversations_asked", "settled_conversations", ["agent_id", "asked"]
    )
    if op.get_bind().dialect.name != "sqlite":
        for letter in ("NEW", "OLD"):
            op.execute(
                f"CREATE FUNCTION touch_answer_{letter.lower()}() RETURNS trigger AS $$ "
                f"BEGIN INSERT INTO touched_answers (touched) VALUES ({letter}.conversation_id); "
                "RETURN NULL; END $$ LANGUAGE plpgsql"
            )
    for table in _TABLES:
        for name, (change, letter) in _CHANGES.items():
            op.execute(_trigger(f"touch_{name}_{table}", change, table, letter))


def downgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in _TABLES:
        for name in _CHANGES:
            op.execute(f"DROP TRIGGER touch_{name}_{table}" + ("" if on_sqlite else f" ON {table}"))
    if not on_sqlite:
        for letter in ("new", "old"):
            op.execute(f"DROP FUNCTION touch_answer_{letter}()")
    for table in ("settled_conversations", "day_marks", "touched_answers"):
        op.drop_table(table)


def _trigger(name: str, change: str, table: str, letter: str) -> str:
    if op.get_bind().dialect.name == "sqlite":
        # One writer at a time: a note that is there will be read after this change.
        return (
            f"CREATE TRIGGER {name} AFTER {change} ON {table} BEGIN "
            f"INSERT INTO touched_answers (touched) SELECT {letter}.conversation_id "
            "WHERE NOT EXISTS (SELECT 1 FROM touched_answers "
            f"WHERE touched = {letter}.conversation_id); END"
        )
    return (
        f"CREATE TRIGGER {name} AFTER {change} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION touch_answer_{letter.lower()}()"
    )
