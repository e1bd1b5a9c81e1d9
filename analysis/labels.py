"""Verdicts by people: read from CSV, joined over annotators, and chosen where they tell most."""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple, get_args

import duckdb

from analysis.calibration import Agreement, Cells, judge_agreement, label_next
from analysis.errors import LabelError
from analysis.results import Label, Verdict

_REQUIRED = ("conversation_id", "criterion_id", "verdict", "annotator")


@dataclass(frozen=True, slots=True)
class JudgeAgreement:
    """How far one judge can be believed on one criterion."""

    agent_id: str
    criterion_id: str
    criterion_version: str
    judge_model: str
    simulated: bool
    judged: int
    """Conversations with verdict success or failure."""
    annotators: int
    annotator_agreement: float | None
    """Share of pairs of people who agree on the same conversation; None without such pairs."""
    agreement: Agreement


def read_labels(path: Path) -> list[Label]:
    """Read labels from a CSV file with a header; further columns are ignored.

    Columns: conversation_id, criterion_id, verdict (success, failure or unknown), annotator, and
    optionally note.

    Raises:
        LabelError: Nothing is usable, or a line is not; says file, line and what was expected.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
            if missing:
                raise LabelError(
                    f"{path} has no column {', '.join(map(repr, missing))}. Its first line must "
                    f"name the columns {', '.join(_REQUIRED)}, and may name `note`."
                )
            return [_label(row, path, reader.line_num) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path} cannot be read as UTF-8 CSV: {error}.") from error


def write_labels(labels: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write labels to a CSV file that `read_labels` reads back, and return their number.

    Raises:
        LabelError: The file cannot be written.
    """
    names = (*_REQUIRED, "note", "labelled_at")
    rows = [[label[name] for name in names] for label in labels]
    following = path.with_name(f".{path.name}.next")
    try:
        with following.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(names)
            writer.writerows(rows)
        following.replace(path)
    except OSError as error:
        raise LabelError(f"{path} cannot be written: {error}.") from error
    return len(rows)


def _label(row: dict[str, str | None], path: Path, line: int) -> Label:
    values = {name: (row.get(name) or "").strip() for name in (*_REQUIRED, "note")}
    empty = [name for name in _REQUIRED if not values[name]]
    if empty:
        raise LabelError(f"{path}, line {line}: {', '.join(map(repr, empty))} is empty.")
    if values["verdict"] not in get_args(Verdict):
        raise LabelError(
            f"{path}, line {line}: the verdict is {values['verdict']!r}; it must be one of "
            f"{', '.join(get_args(Verdict))}."
        )
    return Label.model_validate(values | {"note": values["note"] or None})


def majority(verdicts: Iterable[str]) -> str | None:
    """Return the verdict that most people gave; None when two are equally frequent."""
    ranked = Counter(verdicts).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


_JUDGED_SQL = """
SELECT e.agent_id, criterion_id, criterion_version, judge_model, c.simulated, conversation_id,
  verdict::VARCHAR AS verdict
FROM evaluations AS e JOIN conversations AS c USING (conversation_id)
WHERE {which} AND verdict IN ('success', 'failure')"""
_LATEST_SQL = (
    "sample = 0 AND verdict IS NOT NULL QUALIFY row_number() OVER (PARTITION BY conversation_id, "
    "criterion_id, criterion_version, judge_model ORDER BY evaluation_id DESC) = 1"
)


def judged_sql(*, in_force: bool = True) -> str:
    """Return the query for verdicts of judges: those in force, or of every version and judge."""
    if in_force:
        return _JUDGED_SQL.format(which="is_current")
    latest = f"(SELECT * FROM evaluations WHERE {_LATEST_SQL})"
    return _JUDGED_SQL.replace("FROM evaluations", f"FROM {latest}").format(which="true")


def agreement_rows(
    connection: duckdb.DuckDBPyConnection, *, in_force: bool = True
) -> list[JudgeAgreement]:
    """Compare judges with the labels, criterion by criterion.

    Args:
        connection: From `open_reports`, or to a file that is being published.
        in_force: Only verdicts that count; otherwise those of every version and judge as well.
    """
    judged = judged_sql(in_force=in_force)
    counts = connection.execute(
        "SELECT agent_id, criterion_id, criterion_version, judge_model, simulated, "
        "count(*) FILTER (verdict = 'success'), count(*) FILTER (verdict = 'failure') "
        f"FROM ({judged}) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    labelled: dict[tuple[Any, ...], dict[str, _Labelled]] = defaultdict(dict)
    for *key, conversation_id, verdict, annotator, label in connection.execute(
        f"SELECT j.*, l.annotator, l.verdict::VARCHAR FROM ({judged}) AS j "
        "JOIN labels AS l USING (conversation_id, criterion_id) ORDER BY ALL"
    ).fetchall():
        found = labelled[tuple(key)].setdefault(conversation_id, _Labelled(verdict, {}))
        found.people[annotator] = label
    rows: list[JudgeAgreement] = []
    for *key, successes, failures in counts:
        conversations = list(labelled[tuple(key)].values())
        people = [each.people for each in conversations]
        rows.append(
            JudgeAgreement(
                *key,
                judged=successes + failures,
                annotators=len({name for given in people for name in given}),
                annotator_agreement=_pair_agreement(people),
                agreement=judge_agreement(_cells(successes, failures, conversations)),
            )
        )
    return rows


class _Labelled(NamedTuple):
    """One conversation that the judge and people decided."""

    judged: str
    people: dict[str, str]
    """Verdict by annotator."""


def _cells(successes: int, failures: int, labelled: Iterable[_Labelled]) -> Cells:
    pairs = Counter((each.judged, majority(each.people.values())) for each in labelled)
    return Cells(
        judged_success=successes,
        judged_failure=failures,
        success_success=pairs[("success", "success")],
        success_failure=pairs[("success", "failure")],
        failure_success=pairs[("failure", "success")],
        failure_failure=pairs[("failure", "failure")],
    )


def _pair_agreement(people: Iterable[dict[str, str]]) -> float | None:
    pairs = [
        first == second for given in people for first, second in combinations(given.values(), 2)
    ]
    return sum(pairs) / len(pairs) if pairs else None


def conversations_to_label(
    connection: duckdb.DuckDBPyConnection,
    criterion_id: str,
    *,
    agent_id: str | None = None,
    limit: int = 20,
    seed: int = 0,
    second_opinion_of: str | None = None,
) -> list[str]:
    """Return the conversations whose label would narrow the corrected rate most, best first.

    They are drawn at random within each verdict of the judge, in the proportion that
    `calibration.label_next` gives, so that the corrected rate stays right.

    Args:
        connection: From `open_reports`.
        criterion_id: The criterion.
        agent_id: Only conversations of this agent.
        limit: How many.
        seed: Another one draws others.
        second_opinion_of: Conversations that others labelled and this person did not, instead of
            those that nobody labelled: that tells how far people agree.
    """
    rows: Sequence[tuple[str, str, list[str] | None, list[str] | None]] = connection.execute(
        "SELECT e.conversation_id, e.verdict::VARCHAR, l.verdicts, l.annotators "
        "FROM evaluations AS e LEFT JOIN ("
        "  SELECT conversation_id, list(verdict::VARCHAR) AS verdicts, "
        "    list(annotator) AS annotators FROM labels "
        "  WHERE criterion_id = $1 GROUP BY conversation_id"
        ") AS l USING (conversation_id) WHERE e.is_current AND e.criterion_id = $1 "
        "AND e.verdict IN ('success', 'failure') AND coalesce(e.agent_id = $2, true) ORDER BY 1",
        [criterion_id, agent_id],
    ).fetchall()
    judged = Counter(verdict for _, verdict, _, _ in rows)
    labelled = [
        _Labelled(verdict, {str(number): each for number, each in enumerate(given)})
        for _, verdict, given, _ in rows
        if given
    ]
    share = label_next(_cells(judged["success"], judged["failure"], labelled))
    shuffled = random.Random(seed)
    waiting: dict[str, list[str]] = {"success": [], "failure": []}
    for conversation_id, verdict, _, annotators in rows:
        if _waits(annotators or (), second_opinion_of):
            waiting[verdict].append(conversation_id)
    for each in waiting.values():
        shuffled.shuffle(each)
    return _interleaved(waiting["success"], waiting["failure"], share, limit)


def _waits(annotators: Sequence[str], second_opinion_of: str | None) -> bool:
    if second_opinion_of is None:
        return not annotators
    return bool(annotators) and second_opinion_of not in annotators


def _interleaved(first: list[str], second: list[str], share: float, limit: int) -> list[str]:
    """Take from `first` so that its part of what was taken stays close to `share`."""
    taken: list[str] = []
    from_first = 0
    while len(taken) < limit and (first or second):
        wants_first = from_first < share * (len(taken) + 1)
        if first and (wants_first or not second):
            taken.append(first.pop())
            from_first += 1
        else:
            taken.append(second.pop())
    return taken
