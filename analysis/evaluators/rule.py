"""A rule over the transcript: a regular expression or SQL, with the turns that show it.

Both run in DuckDB: its regular expressions take time in proportion to the text, whatever they are,
and its SQL sees two tables of this one conversation and nothing else.
"""

import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from analysis.errors import EvaluatorError
from analysis.evaluators.kind import Evaluated, Evaluator, EvaluatorSettings, settings_of
from analysis.judge.evidence import quote_of_turn, verify_quote
from analysis.judge.judgments import Judgment
from analysis.results import Evidence
from conversation.agent.criteria import Criterion
from conversation.transcript import Turn

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LONGEST_S = 10.0
"""After so long a rule is stopped."""
_MOST_QUOTES = 5
_SETTINGS = {
    "enable_external_access": "false",
    "memory_limit": "512MB",
    "threads": "1",
}
_TABLES = """
CREATE TABLE turns (
  turn_index INTEGER, role VARCHAR, text VARCHAR, offset_s DOUBLE, interrupted BOOLEAN,
  grounded_share DOUBLE
);
CREATE TABLE tool_calls (
  turn_index INTEGER, tool_name VARCHAR, parameters VARCHAR, result VARCHAR, is_error BOOLEAN
);
"""


class RuleSettings(EvaluatorSettings):
    """Either `pattern` or `sql`."""

    pattern: str | None = Field(default=None, min_length=1, max_length=2_000)
    """Regular expression (RE2), case ignored, to be found in a turn."""
    sql: str | None = Field(default=None, min_length=1, max_length=10_000)
    """A SELECT over `turns` and `tool_calls` that returns `turn_index`, and `quote` if it likes: a
    row for each turn that shows it."""
    said_by: Literal["agent", "user", "anyone"] = "agent"
    """Whose turns count for `pattern`."""
    after: str | None = Field(default=None, min_length=1, max_length=2_000)
    """Regular expression: only turns after the first one of anybody that it is found in count."""
    within_turns: PositiveInt | None = None
    """Of those that count, only the first so many."""
    at_least: PositiveInt = 1
    """In how many turns it has to be found."""
    never: bool = False
    """Turns the rule round: a success when it is not found."""

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if (self.pattern is None) == (self.sql is None):
            raise ValueError("give either `pattern` or `sql`")
        if self.sql is not None and (self.after is not None or self.within_turns is not None):
            raise ValueError("`after` and `within_turns` go with `pattern`; say them in the SQL")
        return self


def decide(criterion: Criterion, evaluated: Evaluated) -> Judgment:
    """Look for what the rule says.

    Raises:
        EvaluatorError: The rule cannot be used; says why.
    """
    settings = settings_of(criterion, RuleSettings)
    turns = evaluated.transcript.turns
    import duckdb

    with duckdb.connect(":memory:") as connection:
        _fill(connection, turns)
        if settings.sql is not None:
            rows = _run(criterion, connection, settings.sql)
            found = [_shown(criterion, turns, row) for row in rows]
        else:
            considered = _considered(criterion, connection, settings)
            if considered is None:
                return Judgment("unknown", None, "What the rule waits for was not said.", ())
            found = _matches(criterion, connection, str(settings.pattern), considered)
    return _judgment(settings, found)


def _judgment(settings: RuleSettings, found: Sequence[Evidence]) -> Judgment:
    places = sorted({evidence.turn_index for evidence in found})
    is_found = len(places) >= settings.at_least
    verdict = "success" if is_found != settings.never else "failure"
    where = f" in turn{'s' * (len(places) > 1)} {', '.join(map(str, places[:_MOST_QUOTES]))}"
    wanted = f" of {settings.at_least}" if settings.at_least > 1 else ""
    rationale = f"Found{where} ({len(places)}{wanted})." if places else "Found nowhere."
    return Judgment(verdict, None, rationale, tuple(found[:_MOST_QUOTES]))


def _considered(
    criterion: Criterion, connection: "DuckDBPyConnection", settings: RuleSettings
) -> list[int] | None:
    """Return the turns that count; None where what they have to follow was not said."""
    first = 0
    if settings.after is not None:
        statement = (
            "SELECT turn_index FROM turns WHERE regexp_matches(text, $1, 'i') ORDER BY turn_index"
        )
        earlier = _run(criterion, connection, statement, [settings.after])
        if not earlier:
            return None
        first = int(earlier[0]["turn_index"]) + 1
    counting = _run(
        criterion,
        connection,
        "SELECT turn_index FROM turns WHERE turn_index >= $1 AND ($2 = 'anyone' OR role = $2) "
        "ORDER BY turn_index",
        [first, settings.said_by],
    )
    return [int(row["turn_index"]) for row in counting][: settings.within_turns]


def _matches(
    criterion: Criterion,
    connection: "DuckDBPyConnection",
    pattern: str,
    considered: Sequence[int],
) -> list[Evidence]:
    rows = _run(
        criterion,
        connection,
        "SELECT turn_index, regexp_extract(text, $1, 0, 'i') AS quote FROM turns "
        "WHERE list_contains($2, turn_index) AND regexp_matches(text, $1, 'i') ORDER BY turn_index",
        [pattern, list(considered)],
    )
    return [
        Evidence(turn_index=int(row["turn_index"]), quote=str(row["quote"]).strip()) for row in rows
    ]


def _shown(criterion: Criterion, turns: Sequence[Turn], row: dict[str, Any]) -> Evidence:
    """Return the evidence of one row of SQL: what it quotes, where that was said there."""
    index = row.get("turn_index")
    if not isinstance(index, int) or not 0 <= index < len(turns):
        raise EvaluatorError(
            f"The SQL of criterion {criterion.criterion_id!r} has to return `turn_index`, the "
            f"number of a turn from 0 to {len(turns) - 1}; it returned {sorted(row)}, {index!r}."
        )
    quote = row.get("quote")
    evidence = verify_quote(turns, index, quote) if isinstance(quote, str) else None
    return (
        evidence
        or quote_of_turn(turns, index, criterion.prompt)
        or Evidence(turn_index=index, quote="")
    )


def _fill(connection: "DuckDBPyConnection", turns: Sequence[Turn]) -> None:
    for name, value in _SETTINGS.items():
        connection.execute(f"SET {name} = '{value}'")
    connection.execute(_TABLES)
    said = [
        [i, turn.role, turn.text, turn.offset_s, turn.interrupted, turn.grounded_share]
        for i, turn in enumerate(turns)
    ]
    done = [
        [i, call.tool_name, json.dumps(call.parameters, default=str), call.result, call.is_error]
        for i, turn in enumerate(turns)
        for call in turn.tool_calls
    ]
    if said:
        connection.executemany("INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?)", said)
    if done:
        connection.executemany("INSERT INTO tool_calls VALUES (?, ?, ?, ?, ?)", done)
    connection.execute("SET lock_configuration = true")


def _run(
    criterion: Criterion,
    connection: "DuckDBPyConnection",
    sql: str,
    parameters: Sequence[object] = (),
) -> list[dict[str, Any]]:
    import duckdb

    stop = threading.Timer(_LONGEST_S, connection.interrupt)
    stop.start()
    try:
        result = connection.execute(sql, list(parameters))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except duckdb.InterruptException as error:
        raise EvaluatorError(
            f"The rule of criterion {criterion.criterion_id!r} took longer than {_LONGEST_S:.0f} s "
            "and was stopped. Make it narrower."
        ) from error
    except duckdb.Error as error:
        told = str(error).splitlines()[0]
        raise EvaluatorError(
            f"The rule of criterion {criterion.criterion_id!r} cannot be used: {told}"
        ) from error
    finally:
        stop.cancel()


RULE = Evaluator("rule", "rule-1", decide)
