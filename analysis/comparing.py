"""Compare versions of a criterion: which conversations flip, with both rationales."""

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


def compare_versions(
    connection: duckdb.DuckDBPyConnection,
    criterion_id: str,
    *,
    old: str,
    new: str,
    agent_id: str | None = None,
) -> VersionComparison:
    """Compare two versions of a criterion on the conversations that both judged.

    Args:
        connection: From `open_reports`.
        criterion_id: The criterion.
        old: `v2`, or the first digits of the version's hash.
        new: Likewise.
        agent_id: Needed when several agents have a criterion of this name.

    Raises:
        ComparisonError: No such criterion or version; says which there are.
    """
    agent, versions = _versions(connection, criterion_id, agent_id)
    before, after = (_find(versions, wanted, criterion_id) for wanted in (old, new))
    rows = connection.execute(
        "WITH judged AS ("
        "  SELECT conversation_id, criterion_version, verdict::VARCHAR AS verdict, rationale "
        "  FROM evaluations WHERE agent_id = $1 AND criterion_id = $2 AND sample = 0 "
        "  AND verdict IS NOT NULL AND criterion_version IN ($3, $4) "
        "  QUALIFY row_number() OVER (PARTITION BY conversation_id, criterion_version "
        "    ORDER BY evaluation_id DESC) = 1) "
        "SELECT a.conversation_id, a.verdict, b.verdict, a.rationale, b.rationale "
        "FROM judged AS a JOIN judged AS b USING (conversation_id) "
        "WHERE a.criterion_version = $3 AND b.criterion_version = $4 ORDER BY 1",
        [agent, criterion_id, before[1], after[1]],
    ).fetchall()
    return VersionComparison(
        agent_id=agent,
        criterion_id=criterion_id,
        old=f"v{before[0]}",
        new=f"v{after[0]}",
        old_question=before[2],
        new_question=after[2],
        compared=len(rows),
        flips=tuple(Flip(*row) for row in rows if row[1] != row[2]),
    )


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
        names = ", ".join(repr(row[0]) for row in known) or "none yet"
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
