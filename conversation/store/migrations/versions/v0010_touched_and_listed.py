"""Which conversations changed, noted by the database itself; lists by user, rating and state."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ENDS = "NEW.ended_at IS NOT NULL"
_ENDED = "OLD.ended_at IS NOT NULL"
_NEW = (
    "INSERT INTO touched_conversations (touched, ended_at) "
    "SELECT NEW.conversation_id, NEW.ended_at WHERE NEW.ended_at IS NOT NULL;"
)
_OLD = (
    "INSERT INTO touched_conversations (touched, ended_at) "
    "SELECT OLD.conversation_id, OLD.ended_at WHERE OLD.ended_at IS NOT NULL;"
)
_TURN = (
    "INSERT INTO touched_conversations (touched) SELECT conversation_id FROM conversations "
    "WHERE conversation_id = NEW.conversation_id AND ended_at IS NOT NULL;"
)
_WATCHED = "agent_id, status, started_at, ended_at, end_reason, closed_at, metadata, given"

SQLITE_TRIGGERS = {
    "touch_added_conversation": f"AFTER INSERT ON conversations WHEN {_ENDS} BEGIN {_NEW} END",
    "touch_changed_conversation": (
        f"AFTER UPDATE OF {_WATCHED} ON conversations "
        f"WHEN {_ENDED} OR {_ENDS} BEGIN {_OLD} {_NEW} END"
    ),
    "touch_deleted_conversation": f"AFTER DELETE ON conversations WHEN {_ENDED} BEGIN {_OLD} END",
    "touch_changed_turn": f"AFTER UPDATE ON turns BEGIN {_TURN} END",
}
_POSTGRESQL_FUNCTIONS = {
    "touch_conversation": (
        f"BEGIN IF TG_OP <> 'INSERT' THEN {_OLD} END IF; "
        f"IF TG_OP <> 'DELETE' THEN {_NEW} END IF; RETURN NULL; END"
    ),
    "touch_turn": f"BEGIN {_TURN} RETURN NULL; END",
}
POSTGRESQL_TRIGGERS = {
    "touch_added_conversation": ("INSERT", "conversations", "touch_conversation"),
    "touch_changed_conversation": (f"UPDATE OF {_WATCHED}", "conversations", "touch_conversation"),
    "touch_deleted_conversation": ("DELETE", "conversations", "touch_conversation"),
    "touch_changed_turn": ("UPDATE", "turns", "touch_turn"),
}
_INDEXES = {
    "conversations_of_user": ("user_id", "listed_at", "conversation_id"),
    "conversations_by_rating": ("rating", "listed_at", "conversation_id"),
    "conversations_with_comment": ("has_comment", "listed_at", "conversation_id"),
    "conversations_of_status_as_listed": ("status", "listed_at", "conversation_id"),
}


def upgrade() -> None:
    _list_by_user_and_rating()
    op.create_table(
        "touched_conversations",
        sa.Column("touch_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("touched", sa.String(255), nullable=False),
        sa.Column("ended_at", UTCDateTime),
    )
    # Everything that is there has to be looked at once.
    op.execute(
        "INSERT INTO touched_conversations (touched, ended_at) "
        "SELECT min(conversation_id), ended_at FROM conversations "
        "WHERE ended_at IS NOT NULL GROUP BY ended_at"
    )
    if op.get_bind().dialect.name == "sqlite":
        for name, what in SQLITE_TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} {what}")
        return
    for name, body in _POSTGRESQL_FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger AS $$ {body} $$ LANGUAGE plpgsql")
    for name, (change, table, function) in POSTGRESQL_TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {change} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
    else:
        for name, (_, table, _function) in POSTGRESQL_TRIGGERS.items():
            op.execute(f"DROP TRIGGER {name} ON {table}")
        for name in _POSTGRESQL_FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("touched_conversations")
    for name in _INDEXES:
        op.drop_index(name, "conversations")
    for name in ("user_id", "rating", "has_comment"):
        op.drop_column("conversations", name)


def _list_by_user_and_rating() -> None:
    op.add_column("conversations", sa.Column("user_id", sa.String(255)))
    op.add_column("conversations", sa.Column("rating", sa.Integer))
    op.add_column("conversations", sa.Column("has_comment", sa.Boolean))
    connection = op.get_bind()
    conversations = sa.table(
        "conversations",
        sa.column("conversation_id"),
        sa.column("metadata", sa.JSON),
        sa.column("user_id"),
        sa.column("rating"),
        sa.column("has_comment", sa.Boolean),
    )
    named = conversations.c.metadata["user_id"].as_string()
    connection.execute(sa.update(conversations).values(user_id=sa.func.substr(named, 1, 255)))
    events = sa.table(
        "conversation_events",
        sa.column("event_id"),
        sa.column("conversation_id"),
        sa.column("turn_id"),
        sa.column("kind"),
        sa.column("payload", sa.JSON),
    )
    given = sa.select(events.c.conversation_id, events.c.payload).where(
        events.c.kind == "feedback", events.c.turn_id.is_(None)
    )
    for conversation_id, payload in connection.execute(given.order_by(events.c.event_id)).all():
        values = {
            name: value
            for name, value in (
                ("rating", payload.get("rating")),
                ("has_comment", True if payload.get("comment") else None),
            )
            if value is not None
        }
        if values:
            this = conversations.c.conversation_id == conversation_id
            connection.execute(sa.update(conversations).where(this).values(values))
    for name, columns in _INDEXES.items():
        op.create_index(name, "conversations", list(columns))
