"""What people would use instead, side by side: same machine, same process, same embedder.

    python -m tests.bench.comparison [SET ...]

Quality of each system over the same tasks, with 95 % bootstrap intervals on the difference to ours
and on the ratio. In sets of conversations every baseline is asked twice: with the user's turn
alone, and with the last five turns run together, which is what one gets without a rule of one's
own. Time of a query for five passages, its embedding included, the systems taking turns task by
task; time of ingest on the first part of each set, embedding included. `tests.bench.baselines`
says what the systems are.

On `chunking_eval` passages are read until 2,000 and 4,000 characters are used up.
"""

import csv
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kb.config import EmbeddingConfig
from kb.embedding.embedder import Embedder
from kb.embedding.open_embedder import open_embedder
from kb.retrieval.query import SaidTurn
from tests.bench.baselines import BASELINES, OURS, Place, Search, System
from tests.bench.chunking import BUDGETS, DEPTH, corpora_of, coverage, load_questions
from tests.bench.data import Collection, Task, load_collection, sampled
from tests.bench.embedders import Remembering, remembering
from tests.bench.figures import Figure, mean_figure, record
from tests.bench.measures import interval, mean, ratio_interval
from tests.bench.places import datasets, quick, reports
from tests.bench.retrieval import Ranker, quality
from tests.bench.tables import markdown

CHUNKING = "chunking_eval"
DEFAULT_SETS = ("scifact", "mtrag", "dstc10", "xquad", "helpcentre", CHUNKING)
QUICK_SETS = ("xquad", "mtrag")
WITH_HISTORY = " +history"
_HISTORY_TURNS = 4
"""Before the query: five turns in all."""
_MAX_TASKS = 300
_DEPTH = 60
_SHOWN = 5
_TIMED = 40
_INGESTED_CHARS = 50_000
WARM_UP = "This text only has the model loaded."


@dataclass
class Measured:
    """What came out for one system on one set."""

    system: str
    quality: dict[str, list[float]]
    """One value a task, by measure."""
    query_ms: list[float] = field(default_factory=list[float])
    cpu_ms: list[float] = field(default_factory=list[float])
    """Of the processor: what else runs on the machine does not change it."""
    ingest_s: float = 0.0
    """For 100,000 characters."""


def last_turns(task: Task) -> str:
    """The query with what was said before it, as one text."""
    said = [turn.text for turn in task.history[-_HISTORY_TURNS:]]
    return "\n".join([*said, task.query])


def names_of(places: Sequence[Place]) -> list[str]:
    """Texts by their best place."""
    return list(dict.fromkeys(place.name for place in places))


def compare(
    collection: Collection,
    embedder: Embedder,
    folder: Path,
    *,
    systems: Sequence[System],
    max_tasks: int = _MAX_TASKS,
) -> list[Measured]:
    """Quality and query time of all systems, ours first."""
    tasks = sampled([task for task in collection.tasks if task.relevant], max_tasks)
    talked = any(task.history for task in tasks)
    with ExitStack() as stack:
        opened = {
            system.name: stack.enter_context(
                system.open(collection.texts, folder / system.name.replace(" ", "-"), embedder)
            )
            for system in systems
        }
        measured: list[Measured] = []
        for name, search in opened.items():
            measured.append(Measured(name, quality(tasks, _alone(search, name))))
            if talked and name != OURS.name:
                told = quality(tasks, _told(search))
                measured.append(Measured(name + WITH_HISTORY, told))
        _time_queries(measured, opened, tasks[:_TIMED], embedder)
    return measured


def _alone(search: Search, name: str) -> Ranker:
    if name == OURS.name:
        return lambda task: names_of(search(task.query, task.history, _DEPTH))
    return lambda task: names_of(search(task.query, (), _DEPTH))


def _told(search: Search) -> Ranker:
    return lambda task: names_of(search(last_turns(task), (), _DEPTH))


def _time_queries(
    measured: Sequence[Measured],
    opened: Mapping[str, Search],
    tasks: Sequence[Task],
    embedder: Embedder,
) -> None:
    """Time all systems on one task before the next one, so that a busy machine hits all alike."""
    if isinstance(embedder, Remembering):
        embedder.queries_too = False
    for task in tasks:
        for row in measured:
            search = opened[row.system.removesuffix(WITH_HISTORY)]
            query = last_turns(task) if row.system.endswith(WITH_HISTORY) else task.query
            history: Sequence[SaidTurn] = task.history if row.system == OURS.name else ()
            started, spent = time.perf_counter(), time.process_time()
            search(query, history, _SHOWN)
            row.cpu_ms.append((time.process_time() - spent) * 1e3)
            row.query_ms.append((time.perf_counter() - started) * 1e3)


def compare_chunking(
    folder: Path, embedder: Embedder, made: Path, *, systems: Sequence[System]
) -> list[Measured]:
    """Coverage of the marked answers at equal returned characters."""
    texts, questions = corpora_of(folder), load_questions(folder)
    measured: list[Measured] = []
    with ExitStack() as stack:
        opened: dict[str, Search] = {}
        for system in systems:
            place = made / system.name.replace(" ", "-")
            search = opened[system.name] = stack.enter_context(system.open(texts, place, embedder))
            quality: dict[str, list[float]] = {}
            for question in questions:
                found = search(question.text, (), DEPTH)
                spans = [(place.name, (place.start, place.end)) for place in found]
                for budget in BUDGETS:
                    covered = coverage(question, spans, budget)
                    quality.setdefault(f"recall@{budget}", []).append(covered.recall)
                    quality.setdefault(f"IoU@{budget}", []).append(covered.iou)
            measured.append(Measured(system.name, quality))
        tasks = [Task(each.text, each.text, frozenset()) for each in questions]
        _time_queries(measured, opened, tasks[:_TIMED], embedder)
    return measured


def time_ingest(
    texts: Mapping[str, str], systems: Sequence[System], chars: int = _INGESTED_CHARS
) -> dict[str, float]:
    """Seconds of each system for the first `chars` of the texts, with nothing embedded before."""
    some: dict[str, str] = {}
    left = chars
    for name, text in texts.items():
        if left <= 0:
            break
        some[name] = text[:left]
        left -= len(text)
    embedder = open_embedder(EmbeddingConfig())
    embedder.embed([WARM_UP])
    seconds: dict[str, float] = {}
    for system in systems:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            with system.open(some, Path(folder) / "made", embedder):
                seconds[system.name] = time.perf_counter() - started
    return {name: spent * 100_000 / (chars - max(left, 0)) for name, spent in seconds.items()}


def table(set_name: str, measured: Sequence[Measured]) -> str:
    """One set as Markdown; the first measure decides who is ahead."""
    ours = measured[0]
    measures = list(ours.quality)
    lead = measures[0]
    rows = [
        ["system", *measures, f"ours - theirs, {lead}", "ours / theirs",
         "ingest s", "query p50 / p95 ms", "p50 theirs / ours", "CPU ms"]
    ]  # fmt: skip
    for row in measured:
        rows.append([
            row.system,
            *(f"{mean(values):.3f}" for values in row.quality.values()),
            *_against(ours.quality[lead], row.quality[lead], is_ours=row is ours),
            f"{row.ingest_s:.1f}",
            f"{np.quantile(row.query_ms, 0.5):.1f} / {np.quantile(row.query_ms, 0.95):.1f}",
            f"{np.quantile(row.query_ms, 0.5) / np.quantile(ours.query_ms, 0.5):.2f}",
            f"{np.quantile(row.cpu_ms, 0.5):.1f}",
        ])  # fmt: skip
    count = len(ours.quality[lead])
    return f"\n### {set_name}, n = {count}\n\n{markdown(rows)}\n"


def _against(ours: list[float], theirs: list[float], *, is_ours: bool) -> tuple[str, str]:
    if is_ours:
        return "", ""
    low, high = interval([a - b for a, b in zip(ours, theirs, strict=True)])
    below, above = ratio_interval(ours, theirs)
    ratio = mean(ours) / mean(theirs) if mean(theirs) else float("inf")
    return (
        f"{mean(ours) - mean(theirs):+.3f} [{low:+.3f}, {high:+.3f}]",
        f"{ratio:.2f} [{below:.2f}, {above:.2f}]",
    )


def margins(set_name: str, measured: Sequence[Measured]) -> list[Figure]:
    """How far ours is ahead of the best of the others, task by task, and the interval's lower end.

    The best is chosen by its mean for each measure, so that the margin is that to the strongest.
    """
    ours, *others = measured
    found: list[Figure] = []
    for measure, held in ours.quality.items() if others else ():
        best = max((row.quality[measure] for row in others), key=mean)
        ahead = mean_figure(
            f"ahead/{set_name}/{measure}", [a - b for a, b in zip(held, best, strict=True)]
        )
        low = ahead.low if ahead.low is not None else ahead.value
        found += [ahead, Figure(f"surely {ahead.name}", low, ahead.n)]
    return found


def figures_of(set_name: str, measured: Sequence[Measured]) -> list[Figure]:
    """Every number of one set."""
    figures = margins(set_name, measured)
    for row in measured:
        start = f"{set_name}/{row.system}"
        figures += [mean_figure(f"{start}/{name}", held) for name, held in row.quality.items()]
        timed = len(row.query_ms)
        for name, share in (("p50_ms", 0.5), ("p95_ms", 0.95)):
            figures.append(
                Figure(f"{start}/{name}", float(np.quantile(row.query_ms, share)), timed)
            )
        figures.append(Figure(f"{start}/p50_cpu_ms", float(np.quantile(row.cpu_ms, 0.5)), timed))
        figures.append(Figure(f"{start}/ingest_s", row.ingest_s, 1))
    return figures


def measure_set(name: str, folder: Path, *, systems: Sequence[System]) -> list[Measured]:
    """Everything about one set."""
    embedder = remembering(queries_too=True)
    made = Path(tempfile.mkdtemp(prefix="vivavoce-bench-"))
    try:
        if name == CHUNKING:
            texts: Mapping[str, str] = corpora_of(folder)
            measured = compare_chunking(folder, embedder, made, systems=systems)
        else:
            collection = load_collection(name, folder)
            texts = collection.texts
            measured = compare(collection, embedder, made, systems=systems)
    finally:
        shutil.rmtree(made)
        embedder.close()
    seconds = time_ingest(texts, systems)
    for row in measured:
        row.ingest_s = seconds[row.system.removesuffix(WITH_HISTORY)]
    return measured


def main(names: Sequence[str]) -> None:
    """Print a table a set, and keep it."""
    for name in names:
        measured = measure_set(name, datasets(), systems=(OURS, *BASELINES))
        text = table(name, measured)
        print(text, flush=True)
        record("comparison", figures_of(name, measured))
        path = reports() / "comparison"
        path.mkdir(exist_ok=True)
        (path / f"{name}.md").write_text(text, encoding="utf-8")
        with (path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["figure", "value", "n", "low", "high"])
            rows.writerows(
                [each.name, each.value, each.n, each.low, each.high]
                for each in figures_of(name, measured)
            )


if __name__ == "__main__":
    main(sys.argv[1:] or (QUICK_SETS if quick() else DEFAULT_SETS))
