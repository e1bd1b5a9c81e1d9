"""Verdicts by people: read from CSV, joined over annotators, and chosen where they tell most."""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import get_args

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


def agreement_rows(connection: duckdb.DuckDBPyConnection) -> list[JudgeAgreement]:
    """Compare every judge in force with the labels, criterion by criterion."""
    groups = connection.execute(
        "SELECT e.agent_id, criterion_id, criterion_version, judge_model, c.simulated, "
        "list({'id': conversation_id, 'verdict': verdict::VARCHAR}) "
        "FROM evaluations AS e JOIN conversations AS c USING (conversation_id) "
        "WHERE is_current AND verdict IN ('success', 'failure') GROUP BY 1, 2, 3, 4, 5 "
        "ORDER BY 1, 2, 3, 4, 5"
    ).fetchall()
    given: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for criterion_id, conversation_id, annotator, verdict in connection.execute(
        "SELECT criterion_id, conversation_id, annotator, verdict::VARCHAR FROM labels"
    ).fetchall():
        given[(criterion_id, conversation_id)][annotator] = verdict
    rows: list[JudgeAgreement] = []
    for *key, judged in groups:
        verdicts = {each["id"]: each["verdict"] for each in judged}
        people = {
            conversation_id: given[(key[1], conversation_id)]
            for conversation_id in verdicts
            if (key[1], conversation_id) in given
        }
        rows.append(
            JudgeAgreement(
                *key,
                judged=len(verdicts),
                annotators=len({name for each in people.values() for name in each}),
                annotator_agreement=_pair_agreement(people.values()),
                agreement=judge_agreement(_cells(verdicts, people)),
            )
        )
    return rows


def _cells(verdicts: dict[str, str], people: dict[str, dict[str, str]]) -> Cells:
    judged = Counter(verdicts.values())
    pairs = Counter((verdicts[key], majority(given.values())) for key, given in people.items())
    return Cells(
        judged_success=judged["success"],
        judged_failure=judged["failure"],
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
) -> list[str]:
    """Return the conversations whose label would narrow the corrected rate most, best first.

    They are drawn at random within each verdict of the judge, in the proportion that
    `calibration.label_next` gives, so that the corrected rate stays right.
    """
    rows: Sequence[tuple[str, str, list[str] | None]] = connection.execute(
        "SELECT e.conversation_id, e.verdict::VARCHAR, l.verdicts FROM evaluations AS e LEFT JOIN ("
        "  SELECT conversation_id, list(verdict::VARCHAR) AS verdicts FROM labels "
        "  WHERE criterion_id = $1 GROUP BY conversation_id"
        ") AS l USING (conversation_id) WHERE e.is_current AND e.criterion_id = $1 "
        "AND e.verdict IN ('success', 'failure') AND coalesce(e.agent_id = $2, true) ORDER BY 1",
        [criterion_id, agent_id],
    ).fetchall()
    verdicts = {conversation_id: verdict for conversation_id, verdict, _ in rows}
    people = {
        key: {str(number): each for number, each in enumerate(given)}
        for key, _, given in rows
        if given
    }
    share = label_next(_cells(verdicts, people))
    shuffled = random.Random(seed)
    waiting: dict[str, list[str]] = {"success": [], "failure": []}
    for conversation_id, verdict in verdicts.items():
        if conversation_id not in people:
            waiting[verdict].append(conversation_id)
    for each in waiting.values():
        shuffled.shuffle(each)
    return _interleaved(waiting["success"], waiting["failure"], share, limit)


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
