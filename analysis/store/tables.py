"""Tables of the analysis store. Rows are only ever added; deletion follows a conversation's own.

A reason that is asked for after its verdict is written into that verdict's row, which had none.

They live at the same SQLAlchemy URL as the conversations, with a migration history of their own.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from conversation.store.database import Schema, UTCDateTime

metadata = MetaData()

evaluations = Table(
    "evaluations",
    metadata,
    Column("evaluation_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("transcript_sha256", String(64), nullable=False),
    Column("criterion_id", String(128), nullable=False),
    Column("criterion_version", String(64), nullable=False),
    Column("judge_model", String(255), nullable=False),
    Column("judge_prompt_version", String(64), nullable=False),
    Column("sample", Integer, nullable=False),
    Column("verdict", String(16)),
    Column("confidence", Float),
    Column("score", Float),
    Column("rationale", Text),
    Column("evidence", JSON, nullable=False),
    Column("unsupported_quotes", JSON, nullable=False),
    Column("votes", JSON(none_as_null=True)),
    Column("agreement", Float),
    Column("windows", JSON(none_as_null=True)),
    Column("contradiction", String(16)),
    Column("error", Text),
    Column("usage", JSON(none_as_null=True)),
    Column("evaluated_at", UTCDateTime, nullable=False),
    Index("ix_evaluations_conversation", "conversation_id"),
    sqlite_autoincrement=True,
)

collected_values = Table(
    "collected_values",
    metadata,
    Column("collected_value_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("transcript_sha256", String(64), nullable=False),
    Column("field_id", String(128), nullable=False),
    Column("field_version", String(64), nullable=False),
    Column("judge_model", String(255), nullable=False),
    Column("judge_prompt_version", String(64), nullable=False),
    Column("sample", Integer, nullable=False),
    Column("value", JSON(none_as_null=True)),
    Column("status", String(16), nullable=False),
    Column("rationale", Text),
    Column("evidence", JSON, nullable=False),
    Column("unsupported_quotes", JSON, nullable=False),
    Column("votes", JSON(none_as_null=True)),
    Column("agreement", Float),
    Column("error", Text),
    Column("usage", JSON(none_as_null=True)),
    Column("evaluated_at", UTCDateTime, nullable=False),
    Index("ix_collected_values_conversation", "conversation_id"),
    sqlite_autoincrement=True,
)

# A verdict that stands is unique for its key and cannot be replaced. Errors are recorded beside
# it without limit, so that a failed attempt never blocks the next one.
for _table, _question in ((evaluations, "criterion"), (collected_values, "field")):
    _is_result = _table.c.error.is_(None)
    Index(
        f"uq_{_table.name}_key",
        _table.c.conversation_id,
        _table.c.transcript_sha256,
        _table.c[f"{_question}_id"],
        _table.c[f"{_question}_version"],
        _table.c.judge_model,
        _table.c.judge_prompt_version,
        _table.c.sample,
        unique=True,
        # The migration that makes the index says the same for PostgreSQL. Said here, it would load
        # that whole dialect into every command that reads a store.
        sqlite_where=_is_result,
    )

analysis_runs = Table(
    "analysis_runs",
    metadata,
    Column("analysis_run_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("transcript_sha256", String(64), nullable=False),
    Column("judge_model", String(255), nullable=False),
    Column("judge_prompt_version", String(64), nullable=False),
    Column("summary", Text),
    Column("error", Text),
    Column("usage", JSON(none_as_null=True)),
    Column("evaluated_at", UTCDateTime, nullable=False),
    Index("ix_analysis_runs_conversation", "conversation_id"),
    sqlite_autoincrement=True,
)
"""One row for each time a conversation was analysed: its summary, and what the whole run cost."""

question_versions = Table(
    "question_versions",
    metadata,
    Column("agent_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("question_id", String(128), nullable=False),
    Column("version", String(64), nullable=False),
    Column("definition", JSON, nullable=False),
    Column("first_used_at", UTCDateTime, nullable=False),
    UniqueConstraint("agent_id", "kind", "question_id", "version", name="uq_question_versions"),
)
"""What each version of a criterion or field asked, so that an old verdict can still be read."""

labels = Table(
    "labels",
    metadata,
    Column("label_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("criterion_id", String(128), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("annotator", String(255), nullable=False),
    Column("note", Text),
    Column("labelled_at", UTCDateTime, nullable=False),
    UniqueConstraint("conversation_id", "criterion_id", "annotator", name="uq_labels"),
    Index("ix_labels_conversation", "conversation_id"),
    sqlite_autoincrement=True,
)
"""Verdicts by people. One annotator has one verdict for a criterion of a conversation."""

redacted_transcripts = Table(
    "redacted_transcripts",
    metadata,
    Column("conversation_id", String(255), primary_key=True),
    # Of the transcript as it was said, and of what was masked how: either changes, it is made anew.
    Column("transcript_sha256", String(64), nullable=False),
    Column("policy", String(64), nullable=False),
    Column("transcript", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("redacted_at", UTCDateTime, nullable=False),
)
"""Transcripts with personal data masked: what judges and reports get, beside the said words that
the conversation store keeps."""

topics = Table(
    "topics",
    metadata,
    Column("topic_id", String(32), primary_key=True),
    Column("agent_id", String(128), nullable=False),
    Column("name", Text, nullable=False),
    # `words` of its conversations, or the model string that was asked for a name.
    Column("named_by", String(255), nullable=False),
    Column("terms", JSON, nullable=False),
    Column("centroid", LargeBinary, nullable=False),
    Column("model_id", String(255), nullable=False),
    Column("found_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Index("ix_topics_agent", "agent_id"),
)
"""What conversations are about, found by clustering. An id stays as long as the topic does."""

conversation_topics = Table(
    "conversation_topics",
    metadata,
    Column("conversation_id", String(255), primary_key=True),
    Column("agent_id", String(128), nullable=False),
    # NULL: like no other conversation.
    Column("topic_id", String(32)),
    Column("similarity", Float),
    Column("text_sha256", String(64), nullable=False),
    Column("model_id", String(255), nullable=False),
    Column("vector", LargeBinary, nullable=False),
    # What was embedded, so that a topic finds its words again; NULL in rows of before.
    Column("text", Text),
    Column("assigned_at", UTCDateTime, nullable=False),
    Index("ix_conversation_topics_agent", "agent_id"),
)
"""Which topic each conversation has, and its vector, so that it is embedded once."""

knowledge_gaps = Table(
    "knowledge_gaps",
    metadata,
    Column("gap_id", String(32), primary_key=True),
    Column("agent_id", String(128), nullable=False),
    Column("title", Text, nullable=False),
    # `question` of a user, or the model string that was asked for a title.
    Column("titled_by", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("state_since", UTCDateTime, nullable=False),
    Column("opened_at", UTCDateTime, nullable=False),
    Column("checked_at", UTCDateTime),
    Column("checked_index_version", Integer),
    Column("nearest", JSON, nullable=False),
    Column("missing_words", JSON, nullable=False),
    # The passage that fixes it.
    Column("passage", JSON(none_as_null=True)),
    Index("ix_knowledge_gaps_agent", "agent_id"),
)
"""Questions of users that the documents do not answer, alike ones together."""

gap_questions = Table(
    "gap_questions",
    metadata,
    Column("gap_question_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("turn_index", Integer, nullable=False),
    Column("agent_id", String(128), nullable=False),
    Column("gap_id", String(32)),
    Column("question", Text, nullable=False),
    Column("asked_at", UTCDateTime, nullable=False),
    Column("reasons", JSON, nullable=False),
    # Of the best passage that was found when it was asked; NULL when nothing was searched.
    Column("score", Float),
    Column("seen_chunk_ids", JSON, nullable=False),
    Column("model_id", String(255), nullable=False),
    Column("vector", LargeBinary, nullable=False),
    # What asking it again found, at the index version of its gap.
    Column("answered", Boolean),
    Column("score_now", Float),
    Column("passage", JSON(none_as_null=True)),
    UniqueConstraint("conversation_id", "turn_index", name="uq_gap_questions"),
    Index("ix_gap_questions_agent", "agent_id"),
    sqlite_autoincrement=True,
)
"""Each unanswered question, where it was asked and why it counts as unanswered."""

gap_history = Table(
    "gap_history",
    metadata,
    Column("gap_history_id", Integer, primary_key=True),
    Column("gap_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("index_version", Integer),
    Column("questions", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("noted_at", UTCDateTime, nullable=False),
    Index("ix_gap_history_gap", "gap_id"),
    sqlite_autoincrement=True,
)
"""Each time that a gap was found, fixed or came back."""

evaluation_leases = Table(
    "evaluation_leases",
    metadata,
    Column("conversation_id", String(255), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("until", UTCDateTime, nullable=False),
)
"""Which run is asking about a conversation. Gone as soon as its answers are stored."""

kept_answers = Table(
    "kept_answers",
    metadata,
    Column("conversation_id", String(255), primary_key=True),
    Column("answer_key", String(64), primary_key=True),
    Column("completion", JSON, nullable=False),
    Column("answered_at", UTCDateTime, nullable=False),
)
"""Answers that are paid for while others about the conversation are still being asked for."""

touched_answers = Table(
    "touched_answers",
    metadata,
    Column("touch_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    # Not called `conversation_id`: it has to outlive the conversation until its day is written.
    Column("touched", String(255), nullable=False),
    Index("ix_touched_answers_touched", "touched"),
)
"""Conversations about which an answer or a label was added, changed or deleted: triggers write
them, as those of `touched_conversations`."""

day_marks = Table(
    "day_marks",
    metadata,
    Column("day", Date, primary_key=True),
    # Of the last change; marks of later changes are greater.
    Column("mark", BigInteger, nullable=False),
    # Whether any conversation is left of it.
    Column("held", Boolean, nullable=False),
    # Whether `day_counts` are of this mark: a later one begins without.
    Column("counted", Boolean, nullable=False, server_default=false()),
    Index("ix_day_marks_mark", "mark"),
)
"""Days (UTC) on which conversations ended, and how far each has changed."""

day_counts = Table(
    "day_counts",
    metadata,
    Column("day", Date, primary_key=True),
    # `failures`, `unsupported` or `flips`.
    Column("counted", String(32), primary_key=True),
    Column("agent_id", String(128), primary_key=True),
    Column("question_id", String(128), primary_key=True),
    Column("part", Integer, nullable=False),
    Column("whole", Integer, nullable=False),
)
"""What can be wrong with the answers of a day, by question: looked at again when it is marked."""

settled_conversations = Table(
    "settled_conversations",
    metadata,
    Column("settled", String(255), primary_key=True),
    Column("agent_id", String(128), nullable=False),
    # Hash of everything that was asked and by whom.
    Column("asked", String(64), primary_key=True),
    Index("ix_settled_conversations_asked", "agent_id", "asked"),
)
"""Conversations in which nothing is left to ask: found once, and looked at again when touched."""

finding_runs = Table(
    "finding_runs",
    metadata,
    Column("agent_id", String(128), primary_key=True),
    # `topics` or `gaps`.
    Column("finding", String(16), primary_key=True),
    # Hash of how conversations were read: what `settled_conversations` holds of those that were.
    Column("asked", String(64), nullable=False),
    # Hash of what else the result follows from, and of how many conversations.
    Column("result", String(64), nullable=False),
    # Of the vectors; empty when nothing was embedded.
    Column("model_id", String(255), nullable=False),
    Column("ran_at", UTCDateTime, nullable=False),
)
"""The last run over an agent's conversations: the next one reads what changed since."""

SCHEMA = Schema(
    metadata=metadata,
    migrations_package="analysis.store",
    version_table="alembic_version_analysis",
    head="0011",
)


def tables_of_conversations() -> tuple[Table, ...]:
    """Return every table whose rows belong to a conversation, also one that is added later."""
    return tuple(table for table in metadata.sorted_tables if "conversation_id" in table.columns)
