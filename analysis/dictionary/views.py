"""The views of the published file: the fixed ones, and one typed wide view for each agent."""

from collections.abc import Iterable, Sequence

from analysis.dictionary import (
    finding_views,
    operation_views,
    outcome_views,
    score_views,
    week_views,
)
from analysis.dictionary.schema import Column, View, literal, quoted
from analysis.dictionary.tables import VERDICT_TYPE
from conversation.agent.config import AgentConfig
from conversation.agent.criteria import ValueShape

VIEWS = (
    outcome_views.SUCCESS_RATES,
    outcome_views.SUCCESS_RATES_CORRECTED,
    outcome_views.CRITERION_TRENDS,
    week_views.WEEKLY_RATES,
    score_views.SCORES,
    score_views.SCORE_TRENDS,
    score_views.SCORE_COUNTS,
    outcome_views.JUDGE_STABILITY,
    operation_views.LATENCY,
    operation_views.VOICE_TURNS,
    operation_views.SESSION_VARIABLES,
    operation_views.COSTS,
    operation_views.COSTS_BY_MODEL,
    outcome_views.FLAGGED_CONVERSATIONS,
    week_views.USERS,
    outcome_views.VALUE_COUNTS,
    finding_views.TOPICS,
    finding_views.KNOWLEDGE_GAPS,
    finding_views.GAP_TRENDS,
    outcome_views.LINEAGE,
    operation_views.DAILY_REPORT,
)
"""In the order of creation: a view may use those before it."""

_BASE_COLUMNS = (
    Column("conversation_id", "VARCHAR", "The conversation."),
    Column("day", "DATE", "Day of the reports on which it ended."),
    Column("started_at", "TIMESTAMP", "First event (UTC)."),
    Column("ended_at", "TIMESTAMP", "Last event (UTC)."),
    Column("duration_s", "DOUBLE", "Seconds from start to end."),
    Column("turn_count", "INTEGER", "Turns of both sides."),
    Column("status", "VARCHAR", "`done` or `failed`."),
    Column("simulated", "BOOLEAN", "Whether a program played the user."),
    Column("summary", "VARCHAR", "What happened."),
)
_FIELD_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "datetime": "TIMESTAMP",
}


def agent_views(agents: Iterable[AgentConfig]) -> list[View]:
    """Return one wide view for each agent: a row for each conversation, typed columns.

    It is called `agent_<agent_id>` with `-` turned to `_`; two agents that would share a name
    are told apart by a number, in the order of their ids.
    """
    taken: set[str] = set()
    views: list[View] = []
    for agent in sorted(agents, key=lambda agent: agent.agent_id):
        name = _free_name(f"agent_{agent.agent_id.replace('-', '_')}", taken)
        views.append(_agent_view(agent, name))
    return views


def _agent_view(agent: AgentConfig, name: str) -> View:
    # All kinds of criteria are loaded with it, and whoever reads views makes none.
    from analysis.evaluators.known import is_scored

    taken = {column.name for column in _BASE_COLUMNS}
    verdicts: list[tuple[str, Column]] = []
    for criterion in agent.criteria:
        column = _free_name(criterion.criterion_id, taken, prefix="criterion_")
        scored = is_scored(criterion)
        comment = f"{'Score' if scored else 'Verdict'} in force: {criterion.prompt}"
        kind = "DOUBLE" if scored else VERDICT_TYPE
        verdicts.append((criterion.criterion_id, Column(column, kind, comment)))
    values: list[tuple[str, Column]] = []
    for field in agent.data_collection:
        column = _free_name(field.field_id.replace(".", "_"), taken, prefix="field_")
        comment = f"Value that what was said supports: {field.description}"
        values.append((field.field_id, Column(column, _field_type(field), comment)))
    return View(
        name,
        f"One row for each conversation of the agent {agent.agent_id!r}: verdicts and collected "
        "values in force, each with its own type.",
        _wide_sql(agent.agent_id, verdicts, values),
        (*_BASE_COLUMNS, *(c for _, c in verdicts), *(c for _, c in values)),
    )


def _wide_sql(
    agent_id: str, verdicts: Sequence[tuple[str, Column]], values: Sequence[tuple[str, Column]]
) -> str:
    columns = [
        "c.report_day AS day" if column.name == "day" else f"c.{column.name}"
        for column in _BASE_COLUMNS
    ]
    columns += [f"e.{quoted(column.name)}" for _, column in verdicts]
    columns += [f"v.{quoted(column.name)}" for _, column in values]
    agent = literal(agent_id)
    sql = f"SELECT {', '.join(columns)}\nFROM conversations AS c"
    if verdicts:
        picked = ",\n    ".join(
            f"any_value({'verdict' if column.type == VERDICT_TYPE else 'score'}) "
            f"FILTER (criterion_id = {literal(key)}) AS {quoted(column.name)}"
            for key, column in verdicts
        )
        sql += (
            f"\nLEFT JOIN (\n  SELECT conversation_id,\n    {picked}\n  FROM evaluations\n"
            f"  WHERE is_current AND agent_id = {agent} GROUP BY conversation_id\n"
            ") AS e USING (conversation_id)"
        )
    if values:
        picked = ",\n    ".join(
            f"try_cast({_as_json(column)}any_value(value) FILTER (field_id = {literal(key)})"
            f"{' AS JSON)' if _as_json(column) else ''} AS {column.type}) AS {quoted(column.name)}"
            for key, column in values
        )
        sql += (
            f"\nLEFT JOIN (\n  SELECT conversation_id,\n    {picked}\n  FROM collected_values\n"
            f"  WHERE is_current AND status = 'supported' AND agent_id = {agent}\n"
            "  GROUP BY conversation_id\n) AS v USING (conversation_id)"
        )
    return f"{sql}\nWHERE c.agent_id = {agent}"


def _as_json(column: Column) -> str:
    """Begin a cast to JSON where text alone does not cast to the column's nested type."""
    return "try_cast(" if column.type.endswith("[]") or column.type.startswith("STRUCT") else ""


def _field_type(shape: ValueShape) -> str:
    if shape.type == "string" and shape.enum:
        return f"ENUM({', '.join(literal(value) for value in dict.fromkeys(shape.enum))})"
    return _nested_type(shape)


def _nested_type(shape: ValueShape) -> str:
    """Return the type of a list or object; DuckDB 2.0 stores no view with an ENUM inside of one."""
    if shape.items is not None:
        return f"{_nested_type(shape.items)}[]"
    if shape.parts:
        parts = (f"{quoted(part.name)} {_nested_type(part)}" for part in shape.parts)
        return f"STRUCT({', '.join(parts)})"
    return _FIELD_TYPES[shape.type]


def _free_name(wanted: str, taken: set[str], *, prefix: str = "") -> str:
    """Return a name that is not taken, in SQL's sense: upper and lower case are the same."""
    candidates = [wanted, f"{prefix}{wanted}"] if prefix else [wanted]
    number = 2
    while True:
        for candidate in candidates:
            if candidate.lower() not in taken:
                taken.add(candidate.lower())
                return candidate
        candidates = [f"{prefix}{wanted}_{number}"]
        number += 1
