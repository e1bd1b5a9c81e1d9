"""What operations cost on stores of growing sizes: `python -m tests.bench.growth [--sizes N]`.

Each operation runs in a process of its own on one store: processor seconds, SQL statements, files
that Python opened below the data folder, and the most memory. The table stands beside that of the
last run. 100,000 and 1,000,000 conversations by `--sizes`; a million takes tens of GB and hours.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from analysis.reports import open_reports
from conversation.server.conversations.search import CallFilter, list_page
from kb.config import KnowledgeBaseConfig
from kb.knowledge_base import KnowledgeBase
from orchestration.checks import doctor
from orchestration.checks.evaluations import (
    orphan_rows,
    shares_by_day,
)
from orchestration.checks.reports import row_count_problems
from orchestration.deployment import Deployment
from orchestration.operations.exports import write_report_page
from orchestration.operations.forgetting import forget
from orchestration.operations.improving import update_gaps, update_topics
from orchestration.operations.masking import usable_agents
from orchestration.operations.narrowing import Narrowing, plan_narrowed
from orchestration.operations.operations import (
    evaluate,
    export_days,
    outdated_days,
    publish_reports,
)
from orchestration.schedule.day_metrics import incomplete_transcripts
from orchestration.schedule.ended_days import Looked, look
from orchestration.server.app import create_app
from orchestration.settings import Settings
from tests.bench.places import reports as bench_reports
from tests.fakes import ScriptedChatModel
from tests.grown_stores import FIRST_DAY, JUDGE, Shape, conversation_id, fill, write_agents
from tests.kb.conftest import WordEmbedder

NOW = FIRST_DAY + timedelta(days=400)
SIZES = (1_000, 10_000)
Operation = Callable[[Deployment, Shape], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation took."""

    cpu_s: float
    sql: int
    files: int
    peak_mb: int

    def __str__(self) -> str:
        """As a cell of the table."""
        return f"{self.cpu_s:.2f} s, {self.sql:,} SQL, {self.files:,} files, {self.peak_mb} MB"


@contextmanager
def opened(settings: Settings) -> Any:
    """A deployment whose judge is scripted and whose embedder has no weights."""

    def open_knowledge_base(
        folder: Path, config: KnowledgeBaseConfig, *, weights: object
    ) -> KnowledgeBase:
        return KnowledgeBase(folder, config, embedder=WordEmbedder, read_only=False)

    model = ScriptedChatModel(always=_answer, model=JUDGE)
    with Deployment(
        settings, open_model=lambda *_, **__: model, open_knowledge_base=open_knowledge_base
    ) as deployment:
        yield deployment


def _answer(_messages: object, options: Any) -> Any:
    if options.schema is None:
        return "Refunds: how long they take."
    if "verdict" in options.schema["properties"]:
        return {"verdict": "success", "turn": 2, "quote": "five days", "rationale": "Answered."}
    return {"fields": [{"field": "topic", "turn": 1, "value": "refund"}]}


def _new_conversation(deployment: Deployment, shape: Shape) -> None:
    """One more of the first day, which nobody has judged."""
    number = shape.conversations - shape.conversations % shape.days + shape.days
    fill(
        deployment,
        Shape(number + 1, shape.days, shape.agents, shape.retrievals),
        first=number,
        judged=False,
    )


def _listed(deployment: Deployment, **wanted: Any) -> None:
    context = create_app(deployment).state.context
    list_page(context, CallFilter(**wanted), page_size=30, cursor=None)


def _views(deployment: Deployment) -> None:
    with open_reports(deployment.reports_file) as connection:
        found = connection.execute(
            "select view_name from duckdb_views() where not internal"
        ).fetchall()
        for (view,) in found:
            connection.execute(f'select count(*), max(hash(v)) from "{view}" as v').fetchall()


def _first_day() -> date:
    return FIRST_DAY.date()


OPERATIONS: dict[str, Operation] = {
    "agents known, twice": lambda d, _s: [usable_agents(d), usable_agents(d)],
    "plan everything, all answered": lambda d, _s: plan_narrowed(d, Narrowing(), now=NOW),
    "plan everything again": lambda d, _s: plan_narrowed(d, Narrowing(), now=NOW),
    "evaluate all, one new": lambda d, _s: evaluate(d, now=lambda: NOW),
    "sensor tick": lambda d, _s: look(d, Looked(NOW - timedelta(days=1)), now=NOW),
    "outdated days, all new": lambda d, _s: outdated_days(d),
    "first publish": lambda d, _s: publish_reports(d),
    "publish, nothing changed": lambda d, _s: publish_reports(d),
    "publish, one day changed": lambda d, _s: publish_reports(d),
    "outdated days, none": lambda d, _s: outdated_days(d),
    "export one day": lambda d, _s: export_days(d, [_first_day()]),
    "check: transcripts": lambda d, _s: incomplete_transcripts(d),
    "check: evidence": lambda d, _s: shares_by_day(d, "unsupported"),
    "check: judge answers": lambda d, _s: shares_by_day(d, "failures"),
    "check: verdicts steady": lambda d, _s: shares_by_day(d, "flips"),
    "check: orphans": lambda d, _s: orphan_rows(d),
    "check: report rows": lambda d, _s: row_count_problems(d),
    "list": lambda d, _s: _listed(d),
    "list by user": lambda d, s: _listed(d, user_id=f"user-{s.conversations // 20 // 2}"),
    "list by rating": lambda d, _s: _listed(d, rating_min=5),
    "list with comment": lambda d, _s: _listed(d, has_feedback_comment=True),
    "list by status": lambda d, _s: d.conversations.page(status="failed"),
    "list, words absent": lambda d, _s: _listed(d, search="hippopotamus"),
    "topics again": lambda d, _s: update_topics(d, "agent-0", embedder=WordEmbedder(), now=NOW),
    "gaps again": lambda d, _s: update_gaps(d, "agent-0", embedder=WordEmbedder(), now=NOW),
    "all views once": lambda d, _s: _views(d),
    "doctor: store": lambda d, _s: doctor._store(d),  # pyright: ignore[reportPrivateUsage]
    "report page": lambda d, _s: write_report_page(d, NOW),
    "forget one": lambda d, _s: forget(d, now=NOW, conversation_id=conversation_id(7)),
    "forget a user with 20": lambda d, _s: forget(d, now=NOW, user_id="user-2"),
}
PREPARED: dict[str, Operation] = {
    "evaluate all, one new": _new_conversation,
    "publish, one day changed": lambda d, s: fill(
        d,
        Shape(s.conversations * 2 + 1, s.days, s.agents, s.retrievals),
        first=s.conversations * 2,
    ),
    "topics again": lambda d, _s: update_topics(d, "agent-0", embedder=WordEmbedder(), now=NOW),
    "gaps again": lambda d, _s: update_gaps(d, "agent-0", embedder=WordEmbedder(), now=NOW),
}


def measured(settings: Settings, shape: Shape, name: str) -> Cost:
    """Run one operation in a process of its own."""
    fork = multiprocessing.get_context("fork")
    if name in PREPARED:
        preparing = fork.Process(target=_run, args=(settings, shape, PREPARED[name], None))
        preparing.start()
        preparing.join()
    receiving, sending = fork.Pipe(duplex=False)
    process = fork.Process(target=_run, args=(settings, shape, OPERATIONS[name], sending))
    process.start()
    sending.close()
    cost = receiving.recv()
    process.join()
    return cost


def _run(settings: Settings, shape: Shape, operation: Operation, answer: Any) -> None:
    files = 0
    folder = str(settings.data_dir)

    def opened_file(name: str, given: Any) -> None:
        nonlocal files
        if name == "open" and str(given[0]).startswith(folder):
            files += 1

    with opened(settings) as deployment:
        statements = 0

        def count(*_: object) -> None:
            nonlocal statements
            statements += 1

        for store in (deployment.conversations, deployment.evaluations):
            event.listen(store.engine, "before_cursor_execute", count)
        sys.addaudithook(opened_file)
        before = time.process_time()
        operation(deployment, shape)
        used = time.process_time() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if answer is not None:
            answer.send(Cost(round(used, 3), statements, files, peak))
            answer.close()


def run(size: int, names: Sequence[str], *, store_url: str | None = None) -> dict[str, Cost]:
    """Costs of every operation on a new store of `size` conversations."""
    shape = Shape(size)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data", store_url=store_url)
        write_agents(settings.agents_dir, shape)
        fork = multiprocessing.get_context("fork")
        filling = fork.Process(target=_run, args=(settings, shape, fill, None))
        filling.start()
        filling.join()
        costs: dict[str, Cost] = {}
        for name in names:
            try:
                costs[name] = measured(settings, shape, name)
            except EOFError:
                print(f"{size:>9,}  {name:<32} FAILED", flush=True)
                continue
            print(f"{size:>9,}  {name:<32} {costs[name]}", flush=True)
    return costs


def main() -> None:
    """Measure, print the table beside the last one, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", nargs="+", default=[], help="operations that contain these words")
    parser.add_argument("--store-url", help="SQLAlchemy URL of an empty PostgreSQL database")
    given = parser.parse_args()
    names = [n for n in OPERATIONS if not given.only or any(word in n for word in given.only)]
    kept = bench_reports() / "figures" / "growth_table.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    last = json.loads(kept.read_text()) if kept.exists() else {}
    found = {str(size): run(size, names, store_url=given.store_url) for size in given.sizes}
    print(f"\nbeside the run of {last.get('measured_at', 'never')}")
    for name in names:
        print(name)
        for size, costs in found.items():
            if name not in costs:
                continue
            before = last.get(size, {}).get(name)
            told = Cost(**before) if before else "-"
            print(f"  {int(size):>9,}  {costs[name]}   (before: {told})")
    merged = {
        size: {**last.get(size, {}), **{name: asdict(cost) for name, cost in costs.items()}}
        for size, costs in found.items()
    }
    kept.write_text(json.dumps({**last, **merged, "measured_at": datetime.now(UTC).isoformat()}))


if __name__ == "__main__":
    main()
