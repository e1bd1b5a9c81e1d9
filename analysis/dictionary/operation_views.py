"""Views about operation: waiting times, cost, and each day at a glance."""

from analysis.dictionary.schema import Column, View

_AGENT = Column("agent_id", "VARCHAR", "The agent.")
_DAY = Column("day", "DATE", "Day of the reports on which the conversations ended.")

_SIMULATED = Column("simulated", "BOOLEAN", "Whether programs played the users.")

LATENCY = View(
    "latency",
    "How long users waited, in milliseconds from their turn on.",
    """
SELECT agent_id, simulated, step, count(ms) AS n,
  quantile_cont(ms, 0.5) AS p50_ms, quantile_cont(ms, 0.9) AS p90_ms,
  quantile_cont(ms, 0.95) AS p95_ms, max(ms) AS max_ms
FROM (
  UNPIVOT (
    SELECT t.agent_id, c.simulated, request_to_retrieval_ms AS request_to_retrieval,
      request_to_first_token_ms AS request_to_first_token,
      request_to_last_token_ms AS request_to_last_token, own_overhead_ms AS own_overhead,
      speech_end_to_decided_ms AS speech_end_to_decided,
      speech_end_to_transcript_ms AS speech_end_to_transcript,
      speech_end_to_passages_ms AS speech_end_to_passages,
      speech_end_to_first_token_ms AS speech_end_to_first_token,
      speech_end_to_first_audio_ms AS speech_end_to_first_audio
    FROM turns AS t JOIN conversations AS c USING (conversation_id) WHERE role = 'agent'
  ) ON request_to_retrieval, request_to_first_token, request_to_last_token, own_overhead,
    speech_end_to_decided, speech_end_to_transcript, speech_end_to_passages,
    speech_end_to_first_token, speech_end_to_first_audio
  INTO NAME step VALUE ms
)
GROUP BY agent_id, simulated, step""",
    (
        _AGENT,
        _SIMULATED,
        Column("step", "VARCHAR", "From the user's turn, or the end of their speech, to what."),
        Column("n", "BIGINT", "Agent turns that it was measured on."),
        Column("p50_ms", "DOUBLE", "Median."),
        Column("p90_ms", "DOUBLE", "Nine of ten turns were at most this."),
        Column("p95_ms", "DOUBLE", "19 of 20 turns were at most this."),
        Column("max_ms", "DOUBLE", "The slowest."),
    ),
)

VOICE_TURNS = View(
    "voice_turns",
    "One row for each turn that was spoken: where it is heard, and how long the user waited.",
    """
SELECT t.conversation_id, t.agent_id, c.report_day AS day, c.simulated, t.turn_index, t.turn_id,
  t.role,
  t.sound_start_s AS start_s, t.sound_end_s AS end_s, t.sound_end_s - t.sound_start_s AS spoken_s,
  t.sound_start_s - max(t.sound_end_s) OVER earlier AS silence_before_s,
  t.word_count, t.interrupted,
  t.role = 'user' AND coalesce(lead(t.interrupted) OVER following, false)
    AND coalesce(lead(t.sound_start_s, 2) OVER following
      - lead(t.sound_start_s) OVER following <= 1.5, false) AS is_cut_off,
  t.speech_end_to_decided_ms, t.speech_end_to_transcript_ms, t.speech_end_to_passages_ms,
  t.speech_end_to_first_token_ms, t.speech_end_to_first_audio_ms
FROM turns AS t JOIN conversations AS c USING (conversation_id)
WHERE t.sound_start_s IS NOT NULL
WINDOW following AS (PARTITION BY t.conversation_id ORDER BY t.turn_index),
  earlier AS (PARTITION BY t.conversation_id ORDER BY t.turn_index
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)""",
    (
        Column("conversation_id", "VARCHAR", "The conversation."),
        _AGENT,
        _DAY,
        _SIMULATED,
        Column("turn_index", "INTEGER", "Position in the conversation, from 0."),
        Column("turn_id", "VARCHAR", "Id of the turn."),
        Column("role", "ENUM('user', 'agent')", "Who spoke."),
        Column("start_s", "DOUBLE", "Where it is heard in the recording."),
        Column("end_s", "DOUBLE", "Where it ends: of an interrupted turn, where it fell silent."),
        Column("spoken_s", "DOUBLE", "How long it was heard."),
        Column("silence_before_s", "DOUBLE", "Since the last turn; below 0: spoken over it."),
        Column("word_count", "INTEGER", "Words that were heard."),
        Column("interrupted", "BOOLEAN", "Whether the user spoke over the agent."),
        Column("is_cut_off", "BOOLEAN", "Whether the agent took the user's turn for over early."),
        Column("speech_end_to_decided_ms", "DOUBLE", "User silent to turn taken as over."),
        Column("speech_end_to_transcript_ms", "DOUBLE", "User silent to words known."),
        Column("speech_end_to_passages_ms", "DOUBLE", "User silent to passages found."),
        Column("speech_end_to_first_token_ms", "DOUBLE", "User silent to first words written."),
        Column("speech_end_to_first_audio_ms", "DOUBLE", "User silent to first words heard."),
    ),
)

SESSION_VARIABLES = View(
    "session_variables",
    "What sessions were started with, one value a row: by it integrators find their customer.",
    """
SELECT conversation_id, agent_id, day, simulated, kind, entry.key AS name, entry.value AS value
FROM (
  SELECT conversation_id, agent_id, report_day AS day, simulated, 'variable' AS kind,
    unnest(map_entries(variables)) AS entry FROM conversations
  UNION ALL
  SELECT conversation_id, agent_id, report_day, simulated, 'override',
    unnest(map_entries(overrides)) FROM conversations
)""",
    (
        Column("conversation_id", "VARCHAR", "The conversation."),
        _AGENT,
        _DAY,
        _SIMULATED,
        Column("kind", "VARCHAR", "`variable`, or `override` of a setting of the agent."),
        Column("name", "VARCHAR", "Its name."),
        Column("value", "VARCHAR", "The value as text; truth values are `true` and `false`."),
    ),
)

COSTS_BY_MODEL = View(
    "costs_by_model",
    "Tokens and cost of each model, for speaking and for judging.",
    """
SELECT u.agent_id, c.simulated, activity, model, sum(calls)::BIGINT AS calls,
  sum(input_tokens)::BIGINT AS input_tokens,
  sum(cached_input_tokens)::BIGINT AS cached_input_tokens,
  sum(output_tokens)::BIGINT AS output_tokens,
  sum(cost_usd) AS cost_usd,
  count(*) FILTER (cost_usd IS NULL) AS rows_without_price
FROM usage AS u JOIN conversations AS c USING (conversation_id) GROUP BY ALL""",
    (
        _AGENT,
        _SIMULATED,
        Column("activity", "VARCHAR", "`conversation` or `analysis`."),
        Column("model", "VARCHAR", "Model string."),
        Column("calls", "BIGINT", "Calls of the model."),
        Column("input_tokens", "BIGINT", "Tokens read."),
        Column("cached_input_tokens", "BIGINT", "Part of them read from the prefix cache."),
        Column("output_tokens", "BIGINT", "Tokens written."),
        Column("cost_usd", "DOUBLE", "Sum of the known costs; NULL when none is known."),
        Column("rows_without_price", "BIGINT", "Rows of `usage` whose cost is not known."),
    ),
)

COSTS = View(
    "costs",
    "What each conversation cost: speaking and judging, model by model.",
    """
SELECT u.conversation_id, u.agent_id, c.report_day AS day, c.simulated, activity, model,
  sum(calls)::BIGINT AS calls, sum(input_tokens)::BIGINT AS input_tokens,
  sum(cached_input_tokens)::BIGINT AS cached_input_tokens,
  sum(output_tokens)::BIGINT AS output_tokens, sum(cost_usd) AS cost_usd,
  count(*) FILTER (cost_usd IS NULL) = 0 AS is_complete
FROM usage AS u JOIN conversations AS c USING (conversation_id) GROUP BY ALL""",
    (
        Column("conversation_id", "VARCHAR", "The conversation."),
        _AGENT,
        _DAY,
        _SIMULATED,
        Column("activity", "VARCHAR", "`conversation` or `analysis`."),
        Column("model", "VARCHAR", "Model string."),
        Column("calls", "BIGINT", "Calls of the model."),
        Column("input_tokens", "BIGINT", "Tokens read."),
        Column("cached_input_tokens", "BIGINT", "Part of them read from the prefix cache."),
        Column("output_tokens", "BIGINT", "Tokens written."),
        Column("cost_usd", "DOUBLE", "Sum of the known costs; NULL when none is known."),
        Column("is_complete", "BOOLEAN", "Whether every price is known."),
    ),
)

DAILY_REPORT = View(
    "daily_report",
    "One row for each day and agent: how much, how well, how fast, at what cost. Real and "
    "simulated conversations are two rows.",
    """
SELECT c.report_day AS day, c.agent_id, c.simulated, count(*) AS conversations,
  count(*) FILTER (c.status = 'failed') AS failed_conversations,
  avg(c.duration_s) AS mean_duration_s, sum(c.turn_count)::BIGINT AS turns,
  coalesce(any_value(e.successes), 0) AS successes,
  coalesce(any_value(e.failures), 0) AS failures,
  coalesce(any_value(e.unknown), 0) AS unknown, coalesce(any_value(e.errors), 0) AS errors,
  coalesce(any_value(e.scores), 0) AS scores,
  any_value(e.successes / nullif(e.successes + e.failures, 0)) AS rate,
  coalesce(any_value(f.flagged), 0) AS flagged_conversations,
  any_value(t.first_token_ms) AS first_token_p50_ms, any_value(u.cost_usd) AS cost_usd
FROM conversations AS c
LEFT JOIN (
  SELECT day, agent_id, simulated, sum(successes)::BIGINT AS successes,
    sum(failures)::BIGINT AS failures, sum(scores)::BIGINT AS scores,
    sum(unknown)::BIGINT AS unknown, sum(errors)::BIGINT AS errors
  FROM (
    SELECT day, agent_id, simulated, successes, failures, 0 AS scores, unknown, errors
    FROM criterion_trends
    UNION ALL
    SELECT day, agent_id, simulated, 0, 0, n, unknown, errors FROM score_trends
  ) GROUP BY ALL
) AS e ON e.day = c.report_day AND e.agent_id = c.agent_id AND e.simulated = c.simulated
LEFT JOIN (
  SELECT day, agent_id, simulated, count(DISTINCT conversation_id) AS flagged
  FROM flagged_conversations GROUP BY ALL
) AS f ON f.day = c.report_day AND f.agent_id = c.agent_id AND f.simulated = c.simulated
LEFT JOIN (
  SELECT c.report_day AS day, t.agent_id, c.simulated,
    quantile_cont(request_to_first_token_ms, 0.5) AS first_token_ms
  FROM turns AS t JOIN conversations AS c USING (conversation_id) WHERE role = 'agent' GROUP BY ALL
) AS t ON t.day = c.report_day AND t.agent_id = c.agent_id AND t.simulated = c.simulated
LEFT JOIN (
  SELECT day, agent_id, simulated,
    CASE WHEN bool_and(is_complete) THEN sum(cost_usd) END AS cost_usd
  FROM costs GROUP BY ALL
) AS u ON u.day = c.report_day AND u.agent_id = c.agent_id AND u.simulated = c.simulated
GROUP BY c.report_day, c.agent_id, c.simulated""",
    (
        _DAY,
        _AGENT,
        _SIMULATED,
        Column("conversations", "BIGINT", "Ended on that day."),
        Column("failed_conversations", "BIGINT", "Of them with status `failed`."),
        Column("mean_duration_s", "DOUBLE", "Seconds."),
        Column("turns", "BIGINT", "Of both sides."),
        Column("successes", "BIGINT", "Verdicts success, over all criteria."),
        Column("failures", "BIGINT", "Verdicts failure, over all criteria."),
        Column("unknown", "BIGINT", "Verdicts unknown and scores not told, over all criteria."),
        Column("errors", "BIGINT", "Evaluations that failed, over all criteria."),
        Column("scores", "BIGINT", "Scores given, over all criteria on a scale."),
        Column("rate", "DOUBLE", "successes / (successes + failures)."),
        Column("flagged_conversations", "BIGINT", "In `flagged_conversations`."),
        Column("first_token_p50_ms", "DOUBLE", "Median wait for the first words."),
        Column("cost_usd", "DOUBLE", "Speaking and judging; NULL when a price is not known."),
    ),
)
