"""Views about criteria on a scale: means with intervals, days, and how the scores lie."""

from analysis.dictionary.outcome_views import AGENT, CRITERION, DAY, SIMULATED, Z
from analysis.dictionary.schema import Column, View

_MOST_WHOLE_BINS = 21
"""A scale of whole numbers has a bin for each of them, up to this many."""
_BINS = 10


def student_quantile(n: str) -> str:
    """Return SQL for Student's t of a two-sided 95 % interval of the mean of `n` values.

    Exact for 2 to 5 values; from 6 on the expansion in 1 / (n - 1), which is 0.1 % too low at
    n = 6 and nearer beyond.

    Sources: Student, "The Probable Error of a Mean", Biometrika 6 (1908), doi:10.2307/2331554;
    the expansion is 26.7.5 of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964).
    """
    z, df = Z, f"({n} - 1)"
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return (
        f"CASE {n} WHEN 2 THEN 12.706205 WHEN 3 THEN 4.302653 WHEN 4 THEN 3.182446 "
        f"WHEN 5 THEN 2.776445 "
        f"ELSE {z} + {first} / {df} + {second} / {df}^2 + {third} / {df}^3 END"
    )


_SCORED = """
  SELECT c.report_day AS day, e.agent_id, e.criterion_id, e.criterion_version, e.judge_model,
    c.simulated, e.score, e.error, v.scale_min, v.scale_max
  FROM evaluations AS e JOIN conversations AS c USING (conversation_id)
  LEFT JOIN question_versions AS v ON v.agent_id = e.agent_id AND v.kind = 'criterion'
    AND v.question_id = e.criterion_id AND v.version = e.criterion_version
  WHERE is_current"""
_SUMMARY = """count(score) AS n, avg(score) AS mean, stddev_samp(score) AS sd,
    count(*) FILTER (score IS NULL AND error IS NULL) AS unknown,
    count(*) FILTER (error IS NOT NULL) AS errors"""
_MARGIN = f"({student_quantile('n')}) * sd / sqrt(n)"
_INTERVAL = f"""
  CASE WHEN sd > 0 THEN greatest(mean - {_MARGIN}, scale_min) END AS mean_low,
  CASE WHEN sd > 0 THEN least(mean + {_MARGIN}, scale_max) END AS mean_high"""
_SCALE = (
    Column("scale_min", "DOUBLE", "Lowest score that can be given."),
    Column("scale_max", "DOUBLE", "Highest score that can be given."),
)
_MEAN = (
    Column("n", "BIGINT", "Conversations with a score."),
    Column("mean", "DOUBLE", "Of the scores."),
    Column(
        "mean_low",
        "DOUBLE",
        "Lower bound of the mean's 95 % interval (Student's t); NULL while all scores are equal.",
    ),
    Column("mean_high", "DOUBLE", "Upper bound of the mean's 95 % interval (Student's t)."),
)
_UNSCORED = (
    Column("unknown", "BIGINT", "Conversations that do not tell; not part of the mean."),
    Column("errors", "BIGINT", "Conversations that the judge failed on."),
)

SCORES = View(
    "scores",
    "Criteria that are scored on a scale: the mean with its interval, and how the scores lie.",
    f"""
SELECT agent_id, criterion_id, criterion_version, judge_model, simulated, scale_min, scale_max, n,
  mean, {_INTERVAL}, p10, p50, p90, unknown, errors
FROM (
  SELECT agent_id, criterion_id, criterion_version, judge_model, simulated, scale_min, scale_max,
    {_SUMMARY}, quantile_cont(score, 0.1) AS p10, quantile_cont(score, 0.5) AS p50,
    quantile_cont(score, 0.9) AS p90
  FROM ({_SCORED})
  GROUP BY ALL
  HAVING count(score) > 0
)""",
    (
        AGENT,
        *CRITERION,
        SIMULATED,
        *_SCALE,
        *_MEAN,
        Column("p10", "DOUBLE", "One of ten conversations is at or below this."),
        Column("p50", "DOUBLE", "Median."),
        Column("p90", "DOUBLE", "Nine of ten conversations are at or below this."),
        *_UNSCORED,
    ),
)

SCORE_TRENDS = View(
    "score_trends",
    "Scores by day: the mean with its interval.",
    f"""
SELECT day, agent_id, criterion_id, criterion_version, judge_model, simulated, scale_min,
  scale_max, n, mean, {_INTERVAL}, unknown, errors
FROM (
  SELECT day, agent_id, criterion_id, criterion_version, judge_model, simulated, scale_min,
    scale_max, {_SUMMARY}
  FROM ({_SCORED})
  GROUP BY ALL
  HAVING count(score) > 0
)""",
    (DAY, AGENT, *CRITERION, SIMULATED, *_SCALE, *_MEAN, *_UNSCORED),
)

SCORE_COUNTS = View(
    "score_counts",
    "How often each score of each scored criterion was given, with scores that never were. A "
    f"scale of up to {_MOST_WHOLE_BINS} whole numbers has a bin around each; any other has "
    f"{_BINS} of equal width.",
    f"""
WITH scored AS (
  SELECT *, scale_max - scale_min AS width,
    coalesce(scale_min = floor(scale_min) AND scale_max = floor(scale_max)
      AND width < {_MOST_WHOLE_BINS}, false) AS whole,
    CASE WHEN whole THEN width + 1 ELSE {_BINS} END::BIGINT AS bins
  FROM ({_SCORED}) WHERE score IS NOT NULL AND scale_min IS NOT NULL
), counted AS (
  SELECT * EXCLUDE (day, score, error), count(*) AS conversations, CASE WHEN whole
    THEN round(score - scale_min)
    ELSE least(floor((score - scale_min) / width * bins), bins - 1) END::BIGINT AS bin
  FROM scored GROUP BY ALL
), every AS (
  SELECT DISTINCT * EXCLUDE (conversations, bin), unnest(range(bins)) AS bin FROM counted
)
SELECT e.agent_id, e.criterion_id, e.criterion_version, e.judge_model, e.simulated,
  CASE WHEN e.whole THEN e.scale_min + e.bin
    ELSE e.scale_min + e.bin * e.width / e.bins END AS score_from,
  CASE WHEN e.whole THEN score_from
    ELSE e.scale_min + (e.bin + 1) * e.width / e.bins END AS score_to,
  coalesce(c.conversations, 0) AS conversations
FROM every AS e
LEFT JOIN counted AS c USING (
  agent_id, criterion_id, criterion_version, judge_model, simulated, bin
)""",
    (
        AGENT,
        *CRITERION,
        SIMULATED,
        Column("score_from", "DOUBLE", "The score, or the lowest that counts here."),
        Column(
            "score_to",
            "DOUBLE",
            "The same for a whole number, which scores within one half count for; else the "
            "highest, which counts for the next bin unless this is the last.",
        ),
        Column("conversations", "BIGINT", "How many got such a score."),
    ),
)
