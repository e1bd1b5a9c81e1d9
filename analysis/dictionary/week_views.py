"""Views by week and by user, and the interval of a share as a macro."""

from analysis.dictionary.outcome_views import (
    AGENT,
    COUNTED,
    COUNTS_SQL,
    CRITERION,
    RATE_SQL,
    SIMULATED,
    wilson_bounds,
)
from analysis.dictionary.schema import Column, View

WILSON_MACRO = (
    "CREATE MACRO wilson(success, n) AS struct_pack(rate := success / nullif(n, 0), "
    + ", ".join(f"{name} := {sql}" for name, sql in zip(
        ("low", "high"), wilson_bounds("success", "n"), strict=True))
    + ")"
)  # fmt: skip
"""`wilson(success, n)`: a share with Wilson's 95 % interval, as rate, low and high."""

WEEKLY_RATES = View(
    "weekly_rates",
    "Success rates by week, with denominators and intervals; every version and judge apart.",
    f"""
SELECT *, {RATE_SQL}
FROM (
  SELECT date_trunc('week', c.report_day)::DATE AS week, e.agent_id, criterion_id,
    criterion_version, judge_model, c.simulated, {COUNTS_SQL}
  FROM evaluations AS e JOIN conversations AS c USING (conversation_id)
  WHERE is_current GROUP BY ALL
  HAVING count(e.score) = 0
)""",
    (
        Column("week", "DATE", "Its Monday; the day of a conversation's end decides."),
        AGENT,
        *CRITERION,
        SIMULATED,
        *COUNTED,
    ),
)

USERS = View(
    "users",
    "One row for each user of an agent who has an id: the `user_id` that a client sent along.",
    """
SELECT agent_id, metadata['user_id'] AS user_id, simulated, count(*) AS conversations,
  sum(user_turn_count)::BIGINT AS user_turns, min(started_at) AS first_seen_at,
  max(coalesce(ended_at, started_at)) AS last_seen_at,
  count(*) FILTER (status = 'failed') AS failed_conversations,
  count(*) FILTER (conversation_id IN (SELECT conversation_id FROM flagged_conversations))
    AS flagged_conversations
FROM conversations WHERE metadata['user_id'] IS NOT NULL
GROUP BY ALL""",
    (
        AGENT,
        Column("user_id", "VARCHAR", "As the client or the import gave it."),
        SIMULATED,
        Column("conversations", "BIGINT", "That have ended."),
        Column("user_turns", "BIGINT", "Turns of the user in them."),
        Column("first_seen_at", "TIMESTAMP", "Start of the first (UTC)."),
        Column("last_seen_at", "TIMESTAMP", "End of the last (UTC)."),
        Column("failed_conversations", "BIGINT", "Of them with status `failed`."),
        Column("flagged_conversations", "BIGINT", "Of them in the view of that name."),
    ),
)
