"""Compare versions of a criterion, or judges: which conversations flip, with both rationales."""

from dataclasses import dataclass

import duckdb

from analysis.errors import ComparisonError


@dataclass(frozen=True, slots=True)
class Flip:
    """A conversation on which two versions of a criterion disagree."""

    conversation_id: str
    old_verdict: str
    new_verdict: str
    old_rationale: str | None
    new_rationale: str | None


@dataclass(frozen=True, slots=True)
class VersionComparison:
    """What changed from one version of a criterion to another."""

    agent_id: str
    criterion_id: str
    old: str
    """As people count: `v2`."""
    new: str
    old_question: str
    new_question: str
    compared: int
    """Conversations that both versions decided, errors left out."""
    flips: tuple[Flip, ...]

    @property
    def headline(self) -> str:
        """One sentence, such as `v2 -> v3: 41 of 812 conversations flip.`."""
        flipped = f"{len(self.flips):,} of {self.compared:,} conversations flip"
        return f"{self.old} -> {self.new}: {flipped}."


_JUDGED_SQL = """
SELECT conversation_id, verdict::VARCHAR AS verdict, rationale FROM evaluations
WHERE agent_id = $1 AND criterion_id = $2 AND sample = 0 AND verdict IS NOT NULL
  AND criterion_version = {version} AND coalesce(judge_model = {judge}, true)
QUALIFY row_number() OVER (PARTITION BY conversation_id ORDER BY evaluation_id DESC) = 1"""


def compare_versions(
    connection: duckdb.DuckDBPyConnection,
    criterion_id: str,
    *,
    old: str,
    new: str,
    agent_id: str | None = None,
    judge_old: str | None = None,
    judge_new: str | None = None,
) -> VersionComparison:
    """Compare two versions of a criterion, or two judges, on the conversations that both judged.

    Args:
        connection: From `open_reports`.
        criterion_id: The criterion.
        old: `v2`, or the first digits of the version's hash.
        new: Likewise; the same version where two judges are compared.
        agent_id: Needed when several agents have a criterion of this name.
        judge_old: Only verdicts of this judge for `old`; None takes the last one's.
        judge_new: Likewise for `new`.

    Raises:
        ComparisonError: No such criterion, version or judge; says which there are.
    """
    agent, versions = _versions(connection, criterion_id, agent_id)
    before, after = (_find(versions, wanted, criterion_id) for wanted in (old, new))
    _check_judges(connection, agent, criterion_id, (judge_old, judge_new))
    rows = connection.execute(
        "SELECT a.conversation_id, a.verdict, b.verdict, a.rationale, b.rationale "
        f"FROM ({_JUDGED_SQL.format(version='$3', judge='$5')}) AS a "
        f"JOIN ({_JUDGED_SQL.format(version='$4', judge='$6')}) AS b USING (conversation_id) "
        "ORDER BY 1",
        [agent, criterion_id, before[1], after[1], judge_old, judge_new],
    ).fetchall()
    return VersionComparison(
        agent_id=agent,
        criterion_id=criterion_id,
        old=_named(before, judge_old),
        new=_named(after, judge_new),
        old_question=before[2],
        new_question=after[2],
        compared=len(rows),
        flips=tuple(Flip(*row) for row in rows if row[1] != row[2]),
    )


@dataclass(frozen=True, slots=True)
class FlipRate:
    """How steady a judge is when it is asked again."""

    agent_id: str
    criterion_id: str
    criterion_version: str
    judge_model: str
    conversations: int
    """That were asked more than once."""
    flipping: int
    """That did not get the same verdict every time."""

    @property
    def rate(self) -> float:
        """Share of conversations that flip."""
        return self.flipping / self.conversations


def flip_rates(
    connection: duckdb.DuckDBPyConnection, criterion_id: str | None = None
) -> list[FlipRate]:
    """Return how often verdicts change between samples (`vivavoce evaluate --sample`)."""
    rows = connection.execute(
        "SELECT agent_id, criterion_id, criterion_version, judge_model, conversations, flipping "
        "FROM judge_stability WHERE coalesce(criterion_id = $1, true) ORDER BY ALL",
        [criterion_id],
    ).fetchall()
    return [FlipRate(*row) for row in rows]


_Version = tuple[int, str, str]
"""Number, hash, question."""


def _versions(
    connection: duckdb.DuckDBPyConnection, criterion_id: str, agent_id: str | None
) -> tuple[str, list[_Version]]:
    rows = connection.execute(
        "SELECT agent_id, version_number, version, question FROM question_versions "
        "WHERE kind = 'criterion' AND question_id = $1 AND coalesce(agent_id = $2, true) "
        "ORDER BY 1, 2",
        [criterion_id, agent_id],
    ).fetchall()
    agents = sorted({row[0] for row in rows})
    if not agents:
        known = connection.execute(
            "SELECT DISTINCT question_id FROM question_versions WHERE kind = 'criterion' ORDER BY 1"
        ).fetchall()
        if not known:
            raise ComparisonError(
                f"Nothing was judged by a criterion {criterion_id!r} yet: run `vivavoce evaluate`."
            )
        names = ", ".join(repr(row[0]) for row in known)
        raise ComparisonError(f"There is no criterion {criterion_id!r}. The criteria are: {names}.")
    if len(agents) > 1:
        raise ComparisonError(
            f"Several agents have a criterion {criterion_id!r}: {', '.join(agents)}. Say which "
            "one is meant."
        )
    return agents[0], [(row[1], row[2], row[3]) for row in rows]


def _find(versions: list[_Version], wanted: str, criterion_id: str) -> _Version:
    found = [v for v in versions if wanted == f"v{v[0]}" or (wanted and v[1].startswith(wanted))]
    if len(found) != 1:
        known = ", ".join(f"v{number} ({version})" for number, version, _ in versions)
        raise ComparisonError(
            f"{wanted!r} names no single version of criterion {criterion_id!r}. It has {known}."
        )
    return found[0]


def _named(version: _Version, judge: str | None) -> str:
    return f"v{version[0]}" if judge is None else f"v{version[0]} by {judge}"


def _check_judges(
    connection: duckdb.DuckDBPyConnection,
    agent_id: str,
    criterion_id: str,
    judges: tuple[str | None, str | None],
) -> None:
    rows = connection.execute(
        "SELECT DISTINCT judge_model FROM evaluations WHERE agent_id = $1 AND criterion_id = $2 "
        "AND verdict IS NOT NULL ORDER BY 1",
        [agent_id, criterion_id],
    ).fetchall()
    known = [row[0] for row in rows]
    for judge in judges:
        if judge is not None and judge not in known:
            raise ComparisonError(
                f"The judge {judge!r} has no verdict on criterion {criterion_id!r}. Those that "
                f"have are {', '.join(map(repr, known)) or 'none yet'}."
            )
