"""Tables of what was found over many conversations: topics, and gaps of the documents."""

from analysis.dictionary.schema import REPORT_DAY, Column, Table

STATE_TYPE = "ENUM('open', 'fixed', 'regressed')"

CONVERSATION_TOPICS = Table(
    "conversation_topics",
    "Which topic each conversation has, found by clustering. Conversations that nothing was asked "
    "in and simulated ones are left out.",
    (
        Column("conversation_id", "VARCHAR", "The conversation."),
        Column("agent_id", "VARCHAR", "Agent that held it."),
        Column("topic_id", "VARCHAR", "Stays as long as the topic does; NULL: like no other."),
        Column("topic", "VARCHAR", "Its name."),
        Column("terms", "VARCHAR[]", "Its typical words."),
        Column("similarity", "DOUBLE", "To the middle of the topic, 0 to 1."),
        Column("assigned_at", "TIMESTAMP", "When it was found (UTC)."),
    ),
)

GAP_STATES = Table(
    "gap_states",
    "Gaps of the documents without their questions; the view `knowledge_gaps` has both.",
    (
        Column("gap_id", "VARCHAR", "Stays as long as the gap has questions."),
        Column("agent_id", "VARCHAR", "Agent that was asked."),
        Column("title", "VARCHAR", "Its most typical question, or a title by a model."),
        Column("state", STATE_TYPE, "`regressed` was fixed once and is not any more."),
        Column("state_since", "TIMESTAMP", "When it came to this state (UTC)."),
        Column("opened_at", "TIMESTAMP", "When it was found (UTC)."),
        Column("checked_at", "TIMESTAMP", "When the documents were asked last (UTC)."),
        Column("checked_index_version", "INTEGER", "Index version that was asked then."),
        Column("nearest_documents", "VARCHAR[]", "Documents that come nearest, best first."),
        Column("missing_words", "VARCHAR[]", "Words of the questions that no passage says."),
        Column("fixed_by_document", "VARCHAR", "Document of the passage that fixes it."),
        Column("fixed_by_chunk_id", "VARCHAR", "The chunk."),
        Column("fixed_by_text", "VARCHAR", "The passage."),
    ),
)

GAP_QUESTIONS = Table(
    "gap_questions",
    "Questions of users that the documents did not answer, one row for each turn.",
    (
        Column("gap_id", "VARCHAR", "Gap that it belongs to."),
        Column("agent_id", "VARCHAR", "Agent that was asked."),
        Column("conversation_id", "VARCHAR", "Where it was asked."),
        Column("turn_index", "INTEGER", "The user's turn."),
        Column("day", "DATE", "UTC day on which it was asked."),
        Column("asked_at", "TIMESTAMP", "When (UTC)."),
        Column("question", "VARCHAR", "What was asked."),
        Column(
            "reasons",
            "VARCHAR[]",
            "`weak_retrieval`, `dont_know`, `reported`, `ungrounded` or `failed_criterion`.",
        ),
        Column("score", "DOUBLE", "Of the best passage when it was asked; NULL: none searched."),
        Column("answered", "BOOLEAN", "Whether the documents answer it now; NULL: not checked."),
        Column("score_now", "DOUBLE", "Of the best passage when it was asked again."),
    ),
    derived=(REPORT_DAY,),
)

GAP_HISTORY = Table(
    "gap_history",
    "Each time that a gap was found, fixed or came back.",
    (
        Column("gap_id", "VARCHAR", "The gap."),
        Column("state", STATE_TYPE, "What it came to."),
        Column("index_version", "INTEGER", "Of the documents that were asked; NULL: none were."),
        Column("questions", "INTEGER", "Questions that it had then."),
        Column("answered", "INTEGER", "Of them answered by the documents."),
        Column("noted_at", "TIMESTAMP", "When (UTC)."),
    ),
)

FINDING_TABLES = (CONVERSATION_TOPICS, GAP_STATES, GAP_QUESTIONS, GAP_HISTORY)
