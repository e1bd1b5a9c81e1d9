"""Tables of the conversation store.

`conversation_events` is the truth and only grows; the other tables are what the events add up to,
written in the same transactions. Deleting a conversation is the one way that rows disappear.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from conversation.store.database import Schema, UTCDateTime

metadata = MetaData()


def conversation_id_column(*, index: bool) -> Column[str]:
    """The column that ties a row to its conversation."""
    reference = ForeignKey("conversations.conversation_id")
    return Column("conversation_id", String(255), reference, nullable=False, index=index)


conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", String(255), primary_key=True),
    Column("agent_id", String(128), nullable=False),
    Column("agent_version", String(64)),
    Column("status", String(32), nullable=False),
    Column("started_at", UTCDateTime),
    # Where lists put it: its start, or when the store learned of it. Never changed, so that a
    # cursor into a list stays true.
    Column("listed_at", UTCDateTime, nullable=False),
    Column("last_event_at", UTCDateTime, nullable=False),
    Column("ended_at", UTCDateTime),
    Column("end_reason", String(64)),
    # When this store learned of the end: later than `ended_at` for imports and crashes.
    Column("closed_at", UTCDateTime),
    Column("source", String(64), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("metadata", JSON, nullable=False),
    # Dynamic variables and overrides of the session; NULL in rows that are older than the column.
    Column("given", JSON),
    # Process that holds the conversation: "host/pid/token". Tells a killed one from a quiet one.
    Column("owner", String(255)),
    # Of the metadata, and of the last feedback, so that lists find them; ids are cut to fit.
    Column("user_id", String(255)),
    Column("rating", Integer),
    Column("has_comment", Boolean),
    Index("conversations_by_agent", "agent_id", "ended_at"),
    Index("conversations_by_end", "ended_at"),
    Index("conversations_by_closing", "closed_at"),
    Index("conversations_as_listed", "listed_at", "conversation_id"),
    Index("conversations_of_agent_as_listed", "agent_id", "listed_at", "conversation_id"),
    Index("conversations_by_status", "status", "last_event_at"),
    Index("conversations_of_user", "user_id", "listed_at", "conversation_id"),
    Index("conversations_by_rating", "rating", "listed_at", "conversation_id"),
    Index("conversations_with_comment", "has_comment", "listed_at", "conversation_id"),
    Index("conversations_of_status_as_listed", "status", "listed_at", "conversation_id"),
)

# Ended conversations that were added, changed or deleted: triggers of the database write them, in
# the transaction of the change, and whoever keeps something derived takes them out again. The
# column is not called `conversation_id`, because the note of a deleted conversation has to stay
# until its day was written anew.
touched_conversations = Table(
    "touched_conversations",
    metadata,
    Column("touch_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("touched", String(255), nullable=False),
    # When it ended or had ended; NULL where only its turns changed.
    Column("ended_at", UTCDateTime),
)

conversation_events = Table(
    "conversation_events",
    metadata,
    Column("event_id", Integer, primary_key=True),
    conversation_id_column(index=True),
    Column("turn_id", String(255)),
    Column("kind", String(32), nullable=False),
    Column("occurred_at", UTCDateTime, nullable=False),
    Column("payload", JSON, nullable=False),
)

turns = Table(
    "turns",
    metadata,
    Column("turn_id", String(255), primary_key=True),
    conversation_id_column(index=False),
    Column("turn_index", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    # Null for users: only an agent generates text.
    Column("generated_text", Text),
    Column("heard_text", Text, nullable=False),
    # Null where a voice says the text as it stands, or none does.
    Column("spoken_text", Text),
    Column("interrupted", Boolean, nullable=False),
    Column("offset_s", Float),
    Column("grounded_share", Float),
    Column("error", Text),
    Column("citations", JSON, nullable=False),
    Column("unsupported_spans", JSON, nullable=False),
    Column("tool_calls", JSON, nullable=False),
    Column("latency", JSON),
    # Null for turns that were written.
    Column("sound", JSON),
    # NULL where none came with the turn.
    Column("files", JSON),
    Column("recorded_at", UTCDateTime, nullable=False),
    UniqueConstraint("conversation_id", "turn_index", name="turns_in_order"),
)

retrievals = Table(
    "retrievals",
    metadata,
    Column("retrieval_id", Integer, primary_key=True),
    conversation_id_column(index=True),
    Column("turn_id", String(255), nullable=False, index=True),
    Column("query", Text, nullable=False),
    Column("mode", String(32), nullable=False),
    Column("chunk_id", String(255), nullable=False, index=True),
    Column("document_id", String(255), nullable=False, index=True),
    Column("document_name", Text, nullable=False),
    Column("document_version", Integer),
    Column("start_char", Integer, nullable=False),
    Column("end_char", Integer, nullable=False),
    Column("page", String(64)),
    Column("rank", Integer, nullable=False),
    Column("score", Float, nullable=False),
    # Whether the passage stood in the prompt or fell to its budget.
    Column("in_prompt", Boolean, nullable=False),
    Column("text", Text, nullable=False),
)

llm_usage = Table(
    "llm_usage",
    metadata,
    Column("usage_id", Integer, primary_key=True),
    conversation_id_column(index=True),
    Column("turn_id", String(255), nullable=False, index=True),
    Column("model", String(255), nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost_usd", Float),
    Column("source", String(16), nullable=False),
    Column("calls", Integer, nullable=False),
    # One row is one call, also one that failed; rows of before that was so have no times.
    Column("purpose", String(16), nullable=False),
    Column("request_to_first_token_ms", Float),
    Column("request_to_last_token_ms", Float),
    Column("error", String(64)),
    Column("recorded_at", UTCDateTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("name", String(128), nullable=False),
    # Of the whole key; the key itself is shown once and kept nowhere.
    Column("sha256", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime),
    Column("last_used_at", UTCDateTime),
    Column("revoked_at", UTCDateTime),
)

# What several servers on one store sign with.
signing_secrets = Table(
    "signing_secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("secret", String(128), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)

# Signatures that may be used once and were.
used_signatures = Table(
    "used_signatures",
    metadata,
    Column("signature_id", String(64), primary_key=True),
    Column("expires_at", UTCDateTime, nullable=False, index=True),
)

# What the network protocol knows of an agent beside its file.
agent_notes = Table(
    "agent_notes",
    metadata,
    Column("agent_id", String(128), primary_key=True),
    Column("created_at", UTCDateTime, nullable=False),
    Column("tags", JSON, nullable=False),
    # As clients sent it: settings that no agent file has are given back, and change nothing.
    Column("sent", JSON, nullable=False),
)

# What was live of an agent, in order: a version that came back is there twice.
agent_versions = Table(
    "agent_versions",
    metadata,
    Column("agent_id", String(128), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version_id", String(64), nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("made_by", String(128), nullable=False),
    Column("description", Text, nullable=False),
    # As in `agent_notes`; NULL where it was not known.
    Column("sent", JSON),
)

# What a version says, once however often it was live: compressed JSON.
agent_version_bodies = Table(
    "agent_version_bodies",
    metadata,
    Column("agent_id", String(128), primary_key=True),
    Column("version_id", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# Documents that were handed in over the network, for any agent.
library_documents = Table(
    "library_documents",
    metadata,
    Column("document_id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    # The URL, or where the file lies below the library's folder.
    Column("source", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", String(64)),
    Column("detail", Text),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Column("owner", String(255)),
    Index("library_documents_by_status", "status", "created_at"),
)

# Agents whose knowledge base has to be brought to what their file names.
agent_syncs = Table(
    "agent_syncs",
    metadata,
    Column("agent_id", String(128), primary_key=True),
    Column("status", String(16), nullable=False),
    # Counts requests: one that comes while a sync runs asks for another.
    Column("requests", Integer, nullable=False),
    Column("detail", Text),
    Column("requested_at", UTCDateTime, nullable=False),
    Column("finished_at", UTCDateTime),
    Column("owner", String(255)),
)

# What the API alone makes: settings, webhooks, agent tests. One record is one JSON document.
api_records = Table(
    "api_records",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("record_id", String(128), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

# What webhooks are to be told of ended conversations; what is sent is made when it is sent.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("webhook_id", String(64), primary_key=True),
    Column(
        "conversation_id",
        String(255),
        ForeignKey("conversations.conversation_id"),
        primary_key=True,
    ),
    Column("event", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    # While a server is at it: until when no other takes it up.
    Column("next_attempt_at", UTCDateTime, nullable=False),
    Column("finished_at", UTCDateTime),
    Column("error", String(255)),
    Column("status_code", Integer),
    Index("webhook_deliveries_by_time", "state", "next_attempt_at"),
    Index("webhook_deliveries_of", "conversation_id"),
)

# Files that users handed in during a conversation that is being held, one row for each that counts.
# Name and text are NULL while it is read, and again once it was said, taken back or let go. Gone
# with the end of the conversation.
handed_in_files = Table(
    "handed_in_files",
    metadata,
    Column("file_id", String(64), primary_key=True),
    conversation_id_column(index=True),
    Column("name", Text),
    Column("mime_type", String(128)),
    Column("text", Text),
    Column("left_out_chars", Integer, nullable=False),
    Column("handed_in_at", UTCDateTime, nullable=False),
)

# Knowledge bases that several machines share: which snapshot is live, and who may change it.
kb_pointers = Table(
    "kb_pointers",
    metadata,
    Column("name", String(128), primary_key=True),
    # NULL until the first snapshot.
    Column("snapshot_id", String(64)),
    Column("generation", Integer, nullable=False),
    # NULL while nobody changes it; of the process, "host/pid/token", and of this one change.
    Column("lease_owner", String(255)),
    Column("lease_token", String(32)),
    # Counted up by who holds the lease: that it stands still is told without anybody's clock.
    Column("lease_beats", Integer, nullable=False),
)

kb_snapshots = Table(
    "kb_snapshots",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("snapshot_id", String(64), primary_key=True),
    # Of the pointer when it became live: an order that no clock can change.
    Column("generation", Integer, nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("index_version", Integer, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    # NULL for the live one.
    Column("replaced_at", UTCDateTime),
    Column("withdrawn_at", UTCDateTime),
)

# Files that every machine has a copy of, such as those of agents.
shared_files = Table(
    "shared_files",
    metadata,
    Column("folder", String(64), primary_key=True),
    Column("name", String(255), primary_key=True),
    # Counts up over all files: what is greater than a machine has seen is new to it.
    Column("change", BigInteger, nullable=False, unique=True),
    # NULL for a file that was deleted.
    Column("content", LargeBinary),
    # The process, "host/pid/token".
    Column("changed_by", String(255), nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
)

SCHEMA = Schema(
    metadata=metadata,
    migrations_package="conversation.store",
    version_table="alembic_version_conversation",
    head="0016",
)
