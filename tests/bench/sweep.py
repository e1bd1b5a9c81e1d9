"""Why the constants of retrieval are what they are: each varied alone, on every set at once.

    python -m tests.bench.sweep [PARAMETER ...]

Every set's tasks are split in two halves by turns. On the first half a value is chosen: the one
with the highest mean nDCG@10 over the sets, each set weighing the same, because one default has to
serve all of them. What the choice brings is read off the second half, which had no say in it, with
a 95 % bootstrap interval. A default stays unless another value is ahead on both halves and the
interval excludes 0: a difference that other tasks do not confirm is no reason to change.

`fusion` compares the default, a weighted sum of scores, with reciprocal rank fusion of the same
rankings. Vectors of chunks and queries are kept; results are kept for the same code and data, so
that a sweep that was stopped goes on where it was. Writes `sweep.md` into the bench's folder.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.config import RetrievalConfig
from kb.document import RetrievedPassage
from kb.knowledge_base import KnowledgeBase
from tests.bench.data import Task, load_collection, sampled
from tests.bench.embedders import remembering
from tests.bench.measures import mean, ndcg, stratified_interval
from tests.bench.places import REPOSITORY, datasets, quick, reports, store
from tests.bench.retrieval import bench_config, open_collection
from tests.bench.tables import markdown

SETS = ("scifact", "mtrag", "dstc10", "xquad", "helpcentre")
QUICK_SETS = ("mtrag", "xquad")
PARAMETERS: dict[str, tuple[float, ...]] = {
    "dense_weight": (0.35, 0.45, 0.55, 0.65, 0.75),
    "last_turn_share": (0.3, 0.5, 0.7, 1.0),
    "context_user_turns": (0, 1, 2, 3),
    "turn_decay": (0.3, 0.5, 0.7, 0.9),
    "agent_turn_weight": (0.1, 0.3, 0.6, 1.0),
    "name_weight": (0.2, 0.4, 0.6),
    "name_decay": (0.7, 0.8, 0.9, 1.0),
    "heading_weight": (0.1, 0.3, 0.6),
    "document_weight": (0.0, 0.1, 0.2),
    "unheard_share": (0.0, 0.5, 1.0),
    "candidates": (20, 50, 100),
    "max_terms": (12, 24, 48),
}
FUSION = "fusion"
FUSION_KS = (10, 20, 60)
_TASKS = 80
_DEPTH = 60
_ALL = 1_000
_SCORES = "sum of scores"
Gains = dict[str, list[float]]
"""nDCG@10 of each task, by set."""


@dataclass(frozen=True, slots=True)
class Row:
    """One value of a parameter."""

    value: str
    gains: Gains

    def half(self, which: int) -> list[list[float]]:
        """The tasks of one half, a list a set."""
        return [held[which::2] for held in self.gains.values()]

    def mean_of(self, which: int) -> float:
        """Mean over the sets of one half."""
        return mean([mean(held) for held in self.half(which)])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sweep of one parameter says."""

    chosen: str
    """Best on the first half."""
    gain: float
    """Of it over the default, on the second half."""
    low: float
    high: float
    change: bool
    """Whether that is reason enough to change the default."""


def judge(rows: Sequence[Row], default: str) -> Verdict:
    """Choose on the first half, measure on the second."""
    held = next(row for row in rows if row.value == default)
    best = max(rows, key=lambda row: (row.mean_of(0), row.value == default))
    differences = [
        [a - b for a, b in zip(mine, theirs, strict=True)]
        for mine, theirs in zip(best.half(1), held.half(1), strict=True)
    ]
    low, high = stratified_interval(differences)
    gain = best.mean_of(1) - held.mean_of(1)
    return Verdict(best.value, gain, low, high, change=best.value != default and low > 0)


def fused_by_rank(passages: Sequence[RetrievedPassage], k: int) -> list[str]:
    """Texts by the sum of 1 / (k + rank) over the rankings that their chunks are in."""
    scores: dict[str, float] = {}
    for passage in passages:
        score = sum(1 / (k + rank) for rank in passage.ranks.values())
        name = passage.document_name
        scores[name] = max(scores.get(name, 0.0), score)
    return sorted(scores, key=lambda name: -scores[name])


class Memory:
    """Results by what they depend on."""

    def __init__(self, path: Path, code: str) -> None:
        self._path = path
        self._code = code
        self._held: dict[str, list[float]] = json.loads(path.read_text()) if path.exists() else {}

    def gains(self, key: str, measure: Callable[[], list[float]]) -> list[float]:
        """What is known under this key for the present code, or is measured now."""
        full = f"{self._code} {key}"
        if full not in self._held:
            self._held[full] = measure()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._held))
        return self._held[full]


def sweep(parameter: str, sets: Sequence[str], memory: Memory) -> list[Row]:
    """Measure every value of a parameter on every set."""
    if parameter == FUSION:
        names = [_SCORES, *(f"ranks, k = {k}" for k in FUSION_KS)]
        fused = [_fusion_gains(name, memory) for name in sets]
        return [
            Row(name, {of: held[at] for of, held in zip(sets, fused, strict=True)})
            for at, name in enumerate(names)
        ]
    return [
        Row(
            f"{value:g}",
            {
                name: memory.gains(
                    f"{name} {parameter}={value:g} n={_TASKS}",
                    lambda name=name, value=value: _scored_gains(name, {parameter: value}),
                )
                for name in sets
            },
        )
        for value in PARAMETERS[parameter]
    ]


def _scored_gains(name: str, change: dict[str, float]) -> list[float]:
    def rank(kb: KnowledgeBase, task: Task) -> list[str]:
        found = kb.retrieve(task.query, history=task.history, limit=_DEPTH)
        return list(dict.fromkeys(passage.document_name for passage in found))

    return _gains_of(name, change, rank)


def _fusion_gains(name: str, memory: Memory) -> list[list[float]]:
    scored = memory.gains(f"{name} n={_TASKS}", lambda: _scored_gains(name, {}))
    return [
        scored,
        *(
            memory.gains(
                f"{name} ranks k={k} n={_TASKS}",
                lambda k=k: _gains_of(
                    name,
                    {},
                    lambda kb, task: fused_by_rank(
                        kb.retrieve(task.query, history=task.history, limit=_ALL), k
                    ),
                ),
            )
            for k in FUSION_KS
        ),
    ]


def _gains_of(
    name: str, change: dict[str, float], rank: Callable[[KnowledgeBase, Task], list[str]]
) -> list[float]:
    collection = load_collection(name, datasets())
    tasks = sampled([task for task in collection.tasks if task.relevant], _TASKS)
    config = bench_config(**change)
    embedder = remembering(config.embedding, queries_too=True)
    with open_collection(collection, config, embedder=embedder) as kb:
        return [ndcg(task.relevant, rank(kb, task)) for task in tasks]


def report(parameter: str, rows: Sequence[Row]) -> str:
    """Table and verdict of one parameter as Markdown."""
    default = default_of(parameter)
    sets = list(rows[0].gains)
    cells = [[parameter, *sets, "first half", "second half"]]
    for row in rows:
        mark = " (default)" if row.value == default else ""
        means = [f"{mean(row.gains[name]):.4f}" for name in sets]
        cells.append([row.value + mark, *means, f"{row.mean_of(0):.4f}", f"{row.mean_of(1):.4f}"])
    verdict = judge(rows, default)
    said = (
        f"Best on the first half: {verdict.chosen}; on the second half it is "
        f"{verdict.gain:+.4f} [{verdict.low:+.4f}, {verdict.high:+.4f}] from the default. "
        f"{'Reason to change it.' if verdict.change else 'The default stays.'}"
    )
    return f"\n{markdown(cells)}\n\n{said}\n"


def default_of(parameter: str) -> str:
    """The value in use."""
    if parameter == FUSION:
        return _SCORES
    return f"{getattr(RetrievalConfig(), parameter):g}"


def code_id() -> str:
    """Digest of the code that results depend on."""
    digest = hashlib.sha256()
    for path in sorted((REPOSITORY / "kb").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def main(parameters: Sequence[str]) -> None:
    """Print a table a parameter, and keep all."""
    sets = QUICK_SETS if quick() else SETS
    memory = Memory(store() / "sweep.json", code_id())
    parts: list[str] = []
    for parameter in parameters:
        parts.append(report(parameter, sweep(parameter, sets, memory)))
        print(parts[-1], flush=True)
        (reports() / "sweep.md").write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    chosen = sys.argv[1:] or (["dense_weight"] if quick() else [FUSION, *PARAMETERS])
    unknown = set(chosen) - {FUSION, *PARAMETERS}
    if unknown:
        sys.exit(
            f"no such parameter: {', '.join(sorted(unknown))}; there are {', '.join(PARAMETERS)}"
        )
    main(chosen)
