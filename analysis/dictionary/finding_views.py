"""Views about what to improve: topics, and gaps of the documents."""

from analysis.dictionary.finding_tables import STATE_TYPE
from analysis.dictionary.schema import Column, View

_AGENT = Column("agent_id", "VARCHAR", "The agent.")

TOPICS = View(
    "topics",
    "What conversations are about, and how they went: by clusters of what was asked, and by the "
    "field `conversation_topic` where an agent has one.",
    """
WITH about AS (
  SELECT agent_id, conversation_id, 'clusters' AS source, topic_id, topic
  FROM conversation_topics WHERE topic_id IS NOT NULL
  UNION ALL
  SELECT agent_id, conversation_id, 'field', NULL, value
  FROM collected_values
  WHERE is_current AND field_id = 'conversation_topic' AND status = 'supported'
    AND value IS NOT NULL
)
SELECT a.agent_id, a.source, a.topic_id, a.topic, c.simulated, count(*) AS conversations,
  count(*) / sum(count(*)) OVER (PARTITION BY a.agent_id, a.source, c.simulated) AS share,
  count(f.conversation_id) AS flagged,
  count(f.conversation_id) / count(*) AS flagged_share,
  min(c.report_day) AS first_day, max(c.report_day) AS last_day
FROM about AS a
JOIN conversations AS c USING (conversation_id)
LEFT JOIN (SELECT DISTINCT conversation_id FROM flagged_conversations) AS f USING (conversation_id)
GROUP BY a.agent_id, a.source, a.topic_id, a.topic, c.simulated""",
    (
        _AGENT,
        Column("source", "VARCHAR", "`clusters`, or `field` for `conversation_topic`."),
        Column("topic_id", "VARCHAR", "Of a cluster: stays as long as the topic does."),
        Column("topic", "VARCHAR", "The topic."),
        Column("simulated", "BOOLEAN", "Whether programs played the users."),
        Column("conversations", "BIGINT", "Conversations about it."),
        Column("share", "DOUBLE", "Of the agent's conversations with a topic, 0 to 1."),
        Column("flagged", "BIGINT", "Conversations about it in `flagged_conversations`."),
        Column("flagged_share", "DOUBLE", "flagged / conversations, 0 to 1."),
        Column("first_day", "DATE", "Day of its first conversation."),
        Column("last_day", "DATE", "Day of its last conversation."),
    ),
)

KNOWLEDGE_GAPS = View(
    "knowledge_gaps",
    "What users asked and the documents do not answer, alike questions together; whether the "
    "documents answer it by now, and with which passage.",
    """
SELECT s.gap_id, s.agent_id, s.title, s.state, q.questions, q.conversations, q.answered,
  q.first_asked_at, q.last_asked_at, q.last_asked_day, q.reasons, q.score, q.score_now, q.examples,
  s.nearest_documents, s.missing_words, s.fixed_by_document, s.fixed_by_chunk_id, s.fixed_by_text,
  s.state_since, s.opened_at, s.checked_at, s.checked_index_version
FROM gap_states AS s
JOIN (
  SELECT gap_id, count(*) AS questions, count(DISTINCT conversation_id) AS conversations,
    count(*) FILTER (answered) AS answered, min(asked_at) AS first_asked_at,
    max(asked_at) AS last_asked_at, max(report_day) AS last_asked_day,
    list_sort(list_distinct(flatten(list(reasons)))) AS reasons,
    avg(score) AS score, avg(score_now) AS score_now,
    list_sort(list_distinct(list(question)))[1:5] AS examples
  FROM gap_questions GROUP BY gap_id
) AS q USING (gap_id)""",
    (
        Column("gap_id", "VARCHAR", "Stays as long as the gap has questions."),
        _AGENT,
        Column("title", "VARCHAR", "Its most typical question, or a title by a model."),
        Column("state", STATE_TYPE, "`regressed` was fixed once and is not any more."),
        Column("questions", "BIGINT", "How often it was asked."),
        Column("conversations", "BIGINT", "In how many conversations."),
        Column("answered", "BIGINT", "Questions that the documents answer by now."),
        Column("first_asked_at", "TIMESTAMP", "When it was asked first (UTC)."),
        Column("last_asked_at", "TIMESTAMP", "When it was asked last (UTC)."),
        Column("last_asked_day", "DATE", "The day of that in the time zone of the reports."),
        Column("reasons", "VARCHAR[]", "Why its questions count as unanswered."),
        Column("score", "DOUBLE", "Of the best passages when it was asked, mean."),
        Column("score_now", "DOUBLE", "Of the best passages when it was asked again, mean."),
        Column("examples", "VARCHAR[]", "At most five of its questions."),
        Column("nearest_documents", "VARCHAR[]", "Documents that come nearest, best first."),
        Column("missing_words", "VARCHAR[]", "Words of the questions that no passage says."),
        Column("fixed_by_document", "VARCHAR", "Document of the passage that fixes it."),
        Column("fixed_by_chunk_id", "VARCHAR", "The chunk."),
        Column("fixed_by_text", "VARCHAR", "The passage."),
        Column("state_since", "TIMESTAMP", "When it came to this state (UTC)."),
        Column("opened_at", "TIMESTAMP", "When it was found (UTC)."),
        Column("checked_at", "TIMESTAMP", "When the documents were asked last (UTC)."),
        Column("checked_index_version", "INTEGER", "Index version that was asked then."),
    ),
)

GAP_TRENDS = View(
    "gap_trends",
    "How often each gap was asked about, by day.",
    """
SELECT report_day AS day, agent_id, gap_id, count(*) AS questions,
  count(DISTINCT conversation_id) AS conversations
FROM gap_questions GROUP BY ALL""",
    (
        Column("day", "DATE", "Day of the reports on which it was asked."),
        _AGENT,
        Column("gap_id", "VARCHAR", "The gap."),
        Column("questions", "BIGINT", "Questions of that day."),
        Column("conversations", "BIGINT", "Conversations of that day that asked it."),
    ),
)
