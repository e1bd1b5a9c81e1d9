"""The data dictionary of the warehouse: every table and column, its type and what it means.

Exports, the published database, its comments and the tests are all made from these records.
Times are `TIMESTAMP` in UTC, whatever the time zone of who asks.
"""

import hashlib

from analysis.dictionary.finding_tables import FINDING_TABLES
from analysis.dictionary.schema import REPORT_DAY, Column, Table

VERDICT_TYPE = "ENUM('success', 'failure', 'unknown')"
STATUS_TYPE = (
    "ENUM('supported', 'unsupported', 'contradicted', 'ambiguous', 'not_discussed', 'invalid', "
    "'error')"
)
_EVIDENCE_TYPE = "STRUCT(turn_index INTEGER, quote VARCHAR)[]"


def _ids() -> tuple[Column, ...]:
    return (
        Column("conversation_id", "VARCHAR", "Conversation that the row belongs to."),
        Column("agent_id", "VARCHAR", "Agent that held the conversation."),
        Column("day", "DATE", "UTC day on which the conversation ended."),
    )


def _judged(question: str) -> tuple[Column, ...]:
    return (
        Column(f"{question}_id", "VARCHAR", f"The {question}, as named in the agent."),
        Column(
            f"{question}_version", "VARCHAR", f"Hash of what the {question} asked at that time."
        ),
        Column("judge_model", "VARCHAR", "Model string of the judge."),
        Column("judge_prompt_version", "VARCHAR", "Version of the judge's instructions."),
        Column("sample", "INTEGER", "0 for the answer in force; 1 and up repeat the question."),
        Column("transcript_sha256", "VARCHAR", "Hash of the transcript that was read."),
    )


def _explained() -> tuple[Column, ...]:
    return (
        Column(
            "rationale",
            "VARCHAR",
            "Reason that the judge gave; NULL where it gave none, as judges in this process do for "
            "clear successes until `vivavoce why --ask` asks for it.",
        ),
        Column("evidence", _EVIDENCE_TYPE, "Quotes, each verified in code inside its turn."),
        Column("unsupported_quotes", "VARCHAR[]", "Quotes of the judge that nobody said."),
        Column("agreement", "DOUBLE", "Of a panel's votes with the outcome; NULL for one judge."),
        Column("error", "VARCHAR", "Why there is no answer; NULL when there is one."),
        Column("input_tokens", "BIGINT", "Read by the judge for this answer; NULL if shared."),
        Column("output_tokens", "BIGINT", "Written by the judge for this answer."),
        Column("cost_usd", "DOUBLE", "Of this answer alone; NULL when no price is known."),
        Column("evaluated_at", "TIMESTAMP", "When the answer was given (UTC)."),
    )


_IS_CURRENT = Column(
    "is_current",
    "BOOLEAN",
    "Whether this is the answer in force: the latest of sample 0. Rates count these only.",
)

CONVERSATIONS = Table(
    "conversations",
    "One row for each ended conversation.",
    (
        *_ids(),
        Column("agent_version", "VARCHAR", "Hash of the agent's configuration at that time."),
        Column("status", "VARCHAR", "`done` or `failed`."),
        Column("started_at", "TIMESTAMP", "First event (UTC)."),
        Column("ended_at", "TIMESTAMP", "Last event (UTC)."),
        Column("duration_s", "DOUBLE", "Seconds from start to end; NULL when not known."),
        Column("end_reason", "VARCHAR", "`user_ended`, `agent_ended`, `silence`, ..."),
        Column("source", "VARCHAR", "`session`, or the format it was imported from."),
        Column("simulated", "BOOLEAN", "Whether a program played the user."),
        Column("turn_count", "INTEGER", "Turns of both sides."),
        Column("user_turn_count", "INTEGER", "Turns of the user."),
        Column("summary", "VARCHAR", "What happened, in the judge's words; NULL if not judged."),
        Column("analysis_error", "VARCHAR", "Why the last analysis of it failed as a whole."),
        Column("metadata", "MAP(VARCHAR, VARCHAR)", "What the client sent along."),
        Column("variables", "MAP(VARCHAR, VARCHAR)", "Dynamic variables that were given."),
        Column("overrides", "MAP(VARCHAR, VARCHAR)", "What its session set differently."),
    ),
    derived=(REPORT_DAY,),
)

TURNS = Table(
    "turns",
    "One row for each turn, in the words that were heard.",
    (
        *_ids(),
        Column("turn_index", "INTEGER", "Position in the conversation, from 0."),
        Column("turn_id", "VARCHAR", "Id of the turn; NULL for imported conversations."),
        Column("role", "ENUM('user', 'agent')", "Who spoke."),
        Column("answering_turn_index", "INTEGER", "This turn if an agent's, else the next one."),
        Column("text", "VARCHAR", "What was said: of an interrupted turn, the part heard."),
        Column("generated_text", "VARCHAR", "What the model produced, when that differs."),
        Column("interrupted", "BOOLEAN", "Whether the user spoke over the agent."),
        Column("offset_s", "DOUBLE", "Seconds from the conversation's start."),
        Column("word_count", "INTEGER", "Words in `text`."),
        Column("request_to_retrieval_ms", "DOUBLE", "User's turn to passages found."),
        Column("request_to_first_token_ms", "DOUBLE", "User's turn to first words."),
        Column("request_to_last_token_ms", "DOUBLE", "User's turn to last words."),
        Column("own_overhead_ms", "DOUBLE", "Spent outside of embedding and the LLM."),
        Column("sound_start_s", "DOUBLE", "Where it is heard in the recording; NULL if written."),
        Column("sound_end_s", "DOUBLE", "Where it ends in the recording."),
        Column("speech_end_to_decided_ms", "DOUBLE", "User silent to turn taken as over."),
        Column("speech_end_to_transcript_ms", "DOUBLE", "User silent to words known."),
        Column("speech_end_to_passages_ms", "DOUBLE", "User silent to passages found."),
        Column("speech_end_to_first_token_ms", "DOUBLE", "User silent to first words written."),
        Column("speech_end_to_first_audio_ms", "DOUBLE", "User silent to first words heard."),
        Column("grounded_share", "DOUBLE", "Share of sentences that a passage supports, 0 to 1."),
        Column("citation_count", "INTEGER", "Sentences with a cited passage."),
        Column("tool_call_count", "INTEGER", "Tools that the agent used in the turn."),
        Column("error", "VARCHAR", "Why the turn is incomplete, when it is."),
    ),
)

RETRIEVALS = Table(
    "retrievals",
    "One row for each passage that was found for an agent turn.",
    (
        *_ids(),
        Column("turn_index", "INTEGER", "The agent turn that it was found for."),
        Column("turn_id", "VARCHAR", "Id of that turn."),
        Column("query", "VARCHAR", "What was searched for."),
        Column("mode", "VARCHAR", "`hybrid`, `lexical` after a missed deadline, or `whole`."),
        Column("rank", "INTEGER", "From 1, best first."),
        Column("score", "DOUBLE", "Estimated probability that it answers, 0 to 1."),
        Column("in_prompt", "BOOLEAN", "Whether the LLM was shown the passage."),
        Column("cited", "BOOLEAN", "Whether the turn cites the passage."),
        Column("chunk_id", "VARCHAR", "Chunk of the document."),
        Column("document_id", "VARCHAR", "Document that it is part of."),
        Column("document_name", "VARCHAR", "What people call the document."),
        Column("document_version", "INTEGER", "Version of the document that was searched."),
        Column("start_char", "INTEGER", "Where the passage starts in the stored text."),
        Column("end_char", "INTEGER", "Where it ends."),
        Column("page", "VARCHAR", "Page label, for media with pages."),
        Column("text", "VARCHAR", "The passage."),
    ),
)

EVALUATIONS = Table(
    "evaluations",
    "Every verdict that a judge ever gave, and every failed attempt; nothing is overwritten.",
    (
        Column("evaluation_id", "BIGINT", "Counts up in the order of arrival."),
        *_ids(),
        *_judged("criterion"),
        Column("verdict", VERDICT_TYPE, "NULL when the judge failed, or gave a `score` instead."),
        Column("confidence", "DOUBLE", "Probability of success by the judge, 0 to 1."),
        Column("score", "DOUBLE", "Of a criterion on a scale, within its bounds; else NULL."),
        Column(
            "contradiction",
            "VARCHAR",
            "The verdict said one thing and its reason another: `resolved` when asked again, or "
            "`unresolved`, and the verdict is unknown. NULL for nearly all.",
        ),
        *_explained(),
    ),
    derived=(_IS_CURRENT,),
)

COLLECTED_VALUES = Table(
    "collected_values",
    "Every value that was ever extracted, and every failed attempt; nothing is overwritten.",
    (
        Column("collected_value_id", "BIGINT", "Counts up in the order of arrival."),
        *_ids(),
        *_judged("field"),
        Column("value", "VARCHAR", "The value as text, whatever its type."),
        Column("value_number", "DOUBLE", "The value when it is a number."),
        Column("value_boolean", "BOOLEAN", "The value when it is true or false."),
        Column("status", STATUS_TYPE, "Whether the words said support the value."),
        *_explained(),
    ),
    derived=(_IS_CURRENT,),
)

USAGE = Table(
    "usage",
    "Tokens and cost: one row for each agent turn and each analysis run that called a model.",
    (
        *_ids(),
        Column("activity", "VARCHAR", "`conversation` or `analysis`."),
        Column("turn_index", "INTEGER", "The agent turn; NULL for an analysis run."),
        Column("model", "VARCHAR", "Model string."),
        Column("input_tokens", "BIGINT", "Tokens read."),
        Column("cached_input_tokens", "BIGINT", "Part of them read from the prefix cache."),
        Column("output_tokens", "BIGINT", "Tokens written."),
        Column("cost_usd", "DOUBLE", "NULL when no price is known; 0 for embedded models."),
        Column("calls", "INTEGER", "Calls of the model."),
        Column("source", "VARCHAR", "`measured` by the provider or `estimated` here."),
        Column("occurred_at", "TIMESTAMP", "When (UTC)."),
    ),
)

CALL_METRICS = Table(
    "call_metrics",
    "Measured numbers of each conversation; no model is involved. NULL: the transcript does not "
    "tell.",
    (
        *_ids(),
        Column("duration_s", "DOUBLE", "Start to end; without times, to the last turn's start."),
        Column("turns", "INTEGER", "Turns of both sides."),
        Column("user_turns", "INTEGER", "Turns of the user."),
        Column("agent_turns", "INTEGER", "Turns of the agent."),
        Column("user_words", "INTEGER", "Words of the user."),
        Column("agent_words", "INTEGER", "Words of the agent that were heard."),
        Column("words_per_user_turn", "DOUBLE", "Mean."),
        Column("words_per_agent_turn", "DOUBLE", "Mean."),
        Column("interruptions", "INTEGER", "Agent turns that the user cut short."),
        Column("unheard_words", "INTEGER", "Words that the agent produced and nobody heard."),
        Column("longest_gap_s", "DOUBLE", "Between the starts of two turns: bounds a silence."),
        Column("silence_s", "DOUBLE", "Nobody speaking; measured by voice, else estimated."),
        Column("agent_word_share", "DOUBLE", "The agent's part of all words heard, 0 to 1."),
        Column("agent_talk_share", "DOUBLE", "The agent's part of all time spoken, 0 to 1."),
        Column("cut_off_turns", "INTEGER", "Turns of the user that the agent took for over early."),
        Column("failed_turns", "INTEGER", "Turns with an error."),
        Column("tool_calls", "INTEGER", "Tools used."),
        Column("failed_tool_calls", "INTEGER", "Of them with an error."),
        Column("citations", "INTEGER", "Sentences with a cited passage."),
        Column("grounded_share", "DOUBLE", "Mean over the agent turns checked, 0 to 1."),
        Column("request_to_retrieval_p50_ms", "DOUBLE", "User's turn to passages, median."),
        Column("request_to_first_token_p50_ms", "DOUBLE", "User's turn to first words, median."),
        Column("request_to_first_token_p95_ms", "DOUBLE", "The same, 95th percentile."),
        Column("request_to_last_token_p50_ms", "DOUBLE", "User's turn to last words, median."),
        Column("request_to_last_token_p95_ms", "DOUBLE", "The same, 95th percentile."),
        Column("own_overhead_p95_ms", "DOUBLE", "Outside of embedding and LLM, 95th percentile."),
        Column("speech_end_to_first_audio_p50_ms", "DOUBLE", "User silent to agent heard, median."),
        Column("speech_end_to_first_audio_p95_ms", "DOUBLE", "The same, 95th percentile."),
        Column("input_tokens", "BIGINT", "Read by the LLM."),
        Column("cached_input_tokens", "BIGINT", "Part of them read from the prefix cache."),
        Column("output_tokens", "BIGINT", "Written by the LLM."),
        Column("cost_usd", "DOUBLE", "Of speaking; NULL when a price is not known."),
    ),
)

TOOL_CALLS = Table(
    "tool_calls",
    "One row for each use of a tool by an agent.",
    (
        *_ids(),
        Column("turn_index", "INTEGER", "The agent turn that used it."),
        Column("call_index", "INTEGER", "Position among the tools of that turn, from 0."),
        Column("tool_call_id", "VARCHAR", "Id of this use."),
        Column("tool_name", "VARCHAR", "The tool."),
        Column("parameters", "VARCHAR", "What it was given, as JSON."),
        Column("result", "VARCHAR", "What it answered; NULL when it does not answer."),
        Column("is_error", "BOOLEAN", "Whether it failed."),
        Column("latency_ms", "DOUBLE", "Until its answer; NULL when not measured."),
    ),
)

FEEDBACK = Table(
    "feedback",
    "What users said of conversations and answers, one row each time.",
    (
        *_ids(),
        Column("about", "ENUM('conversation', 'turn')", "What it is about."),
        Column("turn_index", "INTEGER", "The turn; NULL for a conversation, or not known."),
        Column("given_at", "TIMESTAMP", "When (UTC)."),
        Column("in_force", "BOOLEAN", "Whether nothing was said of the same thing later."),
        Column("score", "VARCHAR", "`like` or `dislike`; NULL where it was taken back."),
        Column("rating", "DOUBLE", "Stars; NULL when none were given."),
        Column("comment", "VARCHAR", "In words."),
    ),
)

LABELS = Table(
    "labels",
    "Verdicts by people, which say how far the judge can be believed.",
    (
        *_ids(),
        Column("criterion_id", "VARCHAR", "The criterion that was labelled."),
        Column("verdict", VERDICT_TYPE, "What the person decided."),
        Column("annotator", "VARCHAR", "Who decided."),
        Column("note", "VARCHAR", "What they wrote beside it."),
        Column("labelled_at", "TIMESTAMP", "When (UTC)."),
    ),
)

DOCUMENTS = Table(
    "documents",
    "One row for each version of each document that an agent answers from.",
    (
        Column("agent_id", "VARCHAR", "Agent that answers from the document."),
        Column("document_id", "VARCHAR", "Stable through versions of the same source."),
        Column("version", "INTEGER", "Counts up when the content changes."),
        Column("name", "VARCHAR", "What people call it."),
        Column("kind", "VARCHAR", "`file`, `link` or `text`."),
        Column("source", "VARCHAR", "Path, URL, or given name."),
        Column("media_type", "VARCHAR", "As recognised from the content."),
        Column("content_sha256", "VARCHAR", "Hash of the bytes received."),
        Column("chars", "BIGINT", "Length of the stored text."),
        Column("chunk_count", "INTEGER", "Spans that it is indexed as."),
        Column("status", "VARCHAR", "`ready` or `failed`."),
        Column("updated_at", "TIMESTAMP", "When this version was taken in (UTC)."),
    ),
)

QUESTION_VERSIONS = Table(
    "question_versions",
    "What each version of a criterion or field asked, in order of first use.",
    (
        Column("agent_id", "VARCHAR", "Agent that asks."),
        Column("kind", "VARCHAR", "`criterion` or `field`."),
        Column("question_id", "VARCHAR", "The criterion or field."),
        Column("version", "VARCHAR", "Hash of what it asks."),
        Column("version_number", "INTEGER", "From 1, in order of first use: v1, v2, ..."),
        Column("question", "VARCHAR", "The words that it asks with."),
        Column("scale_min", "DOUBLE", "Lowest score; NULL for what is not scored."),
        Column("scale_max", "DOUBLE", "Highest score; NULL for what is not scored."),
        Column("first_used_at", "TIMESTAMP", "When (UTC)."),
    ),
)

JUDGE_AGREEMENT = Table(
    "judge_agreement",
    "How far each judge can be believed on each criterion, by the labels of people.",
    (
        Column("agent_id", "VARCHAR", "The agent."),
        Column("criterion_id", "VARCHAR", "The criterion."),
        Column("criterion_version", "VARCHAR", "Version of the question."),
        Column("judge_model", "VARCHAR", "The judge."),
        Column("simulated", "BOOLEAN", "Whether programs played the users."),
        Column("n_judged", "BIGINT", "Conversations with verdict success or failure."),
        Column("n_labels", "BIGINT", "Of them also decided by people; ties are left out."),
        Column("labels_missing", "BIGINT", "How many more a corrected rate needs."),
        Column("annotators", "BIGINT", "People who labelled."),
        Column("annotator_agreement", "DOUBLE", "Share of pairs of people who agree."),
        Column("agreement", "DOUBLE", "Share of conversations where judge and people agree."),
        Column("kappa", "DOUBLE", "Cohen's: 1 is perfect, 0 is chance."),
        Column("sensitivity", "DOUBLE", "Share of people's successes that the judge finds."),
        Column("specificity", "DOUBLE", "Share of people's failures that the judge finds."),
        Column("corrected_rate", "DOUBLE", "Success rate that people would give; NULL: too few."),
        Column("corrected_low", "DOUBLE", "Lower bound of its 95 % interval."),
        Column("corrected_high", "DOUBLE", "Upper bound of its 95 % interval."),
    ),
)

DAILY_TABLES = (
    CONVERSATIONS,
    TURNS,
    RETRIEVALS,
    EVALUATIONS,
    COLLECTED_VALUES,
    CALL_METRICS,
    USAGE,
    TOOL_CALLS,
    FEEDBACK,
    LABELS,
)
"""Kept as one Parquet file a day."""
SNAPSHOT_TABLES = (DOCUMENTS, QUESTION_VERSIONS, *FINDING_TABLES)
"""Small tables that do not belong to a day; replaced whole."""
STORED_TABLES = DAILY_TABLES + SNAPSHOT_TABLES
DERIVED_TABLES = (JUDGE_AGREEMENT,)
"""Computed from the others when the reports are published."""
TABLES = STORED_TABLES + DERIVED_TABLES


def dictionary_version() -> str:
    """Return a hash of every name and type: days written with another one are written again."""
    lines = [f"{t.name}.{c.name} {c.type}" for t in STORED_TABLES for c in t.columns]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
