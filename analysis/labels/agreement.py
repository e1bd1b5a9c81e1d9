"""Verdicts by people: read from CSV, joined over annotators, and chosen where they tell most."""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import duckdb

from analysis.cells import cell, said_in
from analysis.errors import LabelError
from analysis.labels.correction import LabelSupport, Stratum, is_sure, judge_agreement, label_order
from analysis.results import Label, Verdict
from kb.whole_file import written_beside

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
    agreement: LabelSupport


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
    if not path.parent.is_dir():
        raise LabelError(f"{path} cannot be written: there is no folder {path.parent}.")
    try:
        with (
            written_beside(path) as following,
            following.open("w", encoding="utf-8", newline="") as stream,
        ):
            writer = csv.writer(stream)
            writer.writerow(names)
            writer.writerows([cell(value) for value in row] for row in rows)
    except OSError as error:
        raise LabelError(f"{path} cannot be written: {error}.") from error
    return len(rows)


def _label(row: dict[str, str | None], path: Path, line: int) -> Label:
    values = {name: said_in((row.get(name) or "").strip()).strip() for name in (*_REQUIRED, "note")}
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
  verdict::VARCHAR AS verdict, confidence
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
    judged: dict[tuple[Any, ...], Counter[_Judged]] = defaultdict(Counter)
    # Conversations of which judge and people say the same are counted: few of many are labelled.
    for *key, verdict, confidence, people, count in connection.execute(
        "SELECT j.* EXCLUDE (conversation_id), l.people, count(*) "
        f"FROM ({judged_sql(in_force=in_force)}) AS j LEFT JOIN ({_PEOPLE_SQL}) AS l "
        "USING (conversation_id, criterion_id) GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        said = _Judged(verdict, confidence, _given(people))
        judged[tuple(key)][said] += count
    rows: list[JudgeAgreement] = []
    for key, counts in judged.items():
        people = [dict(each.people) for each in counts.elements() if each.people]
        rows.append(
            JudgeAgreement(
                *key,
                judged=counts.total(),
                annotators=len({name for given in people for name in given}),
                annotator_agreement=_pair_agreement(people),
                agreement=judge_agreement(_strata(counts)),
            )
        )
    return rows


_PEOPLE_SQL = (
    "SELECT conversation_id, criterion_id, map(list(annotator), list(verdict::VARCHAR)) AS people "
    "FROM labels GROUP BY ALL"
)


class _Judged(NamedTuple):
    """One conversation that the judge decided."""

    verdict: str
    confidence: float | None
    people: tuple[tuple[str, str], ...]
    """Annotators, each with a verdict."""

    @property
    def stratum(self) -> int:
        """Place in `_STRATA`."""
        return _STRATA.index((self.verdict, is_sure(self.verdict, self.confidence)))


_STRATA: tuple[tuple[Literal["success", "failure"], bool], ...] = (
    ("success", False),
    ("failure", False),
    ("success", True),
    ("failure", True),
)
"""Verdicts of the judge, and whether it is sure."""


def _given(people: dict[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple((people or {}).items())


def _strata(judged: Mapping[_Judged, int]) -> list[Stratum]:
    counts: Counter[tuple[int, str | None]] = Counter()
    for each, count in judged.items():
        counts[each.stratum, majority(verdict for _, verdict in each.people)] += count
    return [
        Stratum(
            verdict,
            judged=sum(count for (place, _), count in counts.items() if place == index),
            successes=counts[index, "success"],
            failures=counts[index, "failure"],
        )
        for index, (verdict, _) in enumerate(_STRATA)
    ]


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

    They are drawn at random among those of which the judge says the same, about as surely, in the
    order that `calibration.label_order` gives, so that the corrected rate stays right.

    Args:
        connection: From `open_reports`.
        criterion_id: The criterion.
        agent_id: Only conversations of this agent.
        limit: How many.
        seed: Another one draws others.
        second_opinion_of: Conversations that others labelled and this person did not, instead of
            those that nobody labelled: that tells how far people agree.
    """
    rows = connection.execute(
        f"SELECT conversation_id, verdict, confidence, l.people FROM ({judged_sql()}) AS j "
        f"LEFT JOIN ({_PEOPLE_SQL}) AS l USING (conversation_id, criterion_id) "
        "WHERE criterion_id = $1 AND coalesce(agent_id = $2, true) ORDER BY 1",
        [criterion_id, agent_id],
    ).fetchall()
    judged = {row[0]: _Judged(row[1], row[2], _given(row[3])) for row in rows}
    waiting: list[list[str]] = [[] for _ in _STRATA]
    for conversation_id, each in judged.items():
        if _waits(dict(each.people), second_opinion_of):
            waiting[each.stratum].append(conversation_id)
    shuffled = random.Random(seed)
    for ids in waiting:
        shuffled.shuffle(ids)
    order = label_order(_strata(Counter(judged.values())), [len(ids) for ids in waiting], limit)
    return [waiting[place].pop() for place in order]


def _waits(annotators: Collection[str], second_opinion_of: str | None) -> bool:
    if second_opinion_of is None:
        return not annotators
    return bool(annotators) and second_opinion_of not in annotators
