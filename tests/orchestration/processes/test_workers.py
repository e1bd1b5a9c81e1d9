"""Evaluations on two worker processes: real Redis, real PostgreSQL, real Celery workers."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analysis.store.store import AnalysisStore
from conversation.store.store import ConversationStore
from orchestration.errors import SettingsError
from orchestration.processes.dagster_instance import prepare_instance
from orchestration.processes.workers import serve_steps
from orchestration.settings import Settings, export_for_dagster, load_settings
from tests.analysis.calls import hold_call
from tests.conftest import REPOSITORY
from tests.orchestration.sample import FIRST_DAY, write_data
from tests.servers import postgresql_server, redis_server

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04")
WAITS_S = 240.0
"""Limit for a busy machine; each takes seconds on a quiet one."""
BIN = Path(sys.executable).parent
MATERIALIZE = [str(BIN / "dagster"), "asset", "materialize", "-m", "orchestration.definitions"]
MATERIALIZE += ["--select", "evaluations,collected_values,summaries"]


class JudgeHandler(BaseHTTPRequestHandler):
    """An LLM provider with the usual interface that finds every call a success."""

    answers_after_s = 0.0

    def think(self, request: str) -> None:
        """What happens before an answer."""
        time.sleep(self.answers_after_s)

    def do_POST(self) -> None:
        request: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.think(json.dumps(request))
        verdict = {"verdict": "success", "turn": 2, "quote": "five days", "rationale": "Answered."}
        fields = {"fields": [{"field": "topic", "turn": 1, "value": "refunds"}]}
        answer = verdict if "verdict" in json.dumps(request) else fields
        pieces: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"content": json.dumps(answer)}}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}},
        ]
        about = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "judge"}
        events = [f"data: {json.dumps({**about, **piece})}\n\n" for piece in pieces]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write("".join([*events, "data: [DONE]\n\n"]).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def judge_of_two_at_once(days: Sequence[str]) -> tuple[type[JudgeHandler], threading.Event]:
    """A judge that answers once it was asked about two days, which needs two workers; and when."""
    two_at_once = threading.Event()
    asked: set[str] = set()

    class Judge(JudgeHandler):
        def think(self, request: str) -> None:
            about = {day for day in days if day in request}
            asked.update(about)
            if len(asked) > 1:
                two_at_once.set()
            # Whether there is a judge at all is answered at once.
            if about:
                two_at_once.wait(WAITS_S)

    return Judge, two_at_once


@contextmanager
def judge_server(handler: type[JudgeHandler] = JudgeHandler) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def worker(name: str, environment: dict[str, str], log: Path) -> Iterator[None]:
    """A worker that is ready. It writes to a file: nobody has to read, and no pipe fills."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [BIN / "vivavoce", "worker", "--name", name],
            env=environment,
            cwd=REPOSITORY,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until_s = time.monotonic() + WAITS_S
        while " ready." not in (told := log.read_text()):
            assert process.poll() is None, f"the worker ended: {told[-3_000:]}"
            assert time.monotonic() < until_s, f"the worker is not ready: {told[-3_000:]}"
            time.sleep(0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def materializing(
    day: str, environment: dict[str, str], folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / f"{day}.log").open("w") as out:
        process = subprocess.Popen(
            [*MATERIALIZE, "--partition", day],
            env=environment,
            cwd=REPOSITORY,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_without_a_broker_says_what_to_set(tmp_path: Path):
    with pytest.raises(SettingsError, match="VIVAVOCE_CELERY_BROKER_URL is not set"):
        serve_steps(Settings(data_dir=tmp_path), name="one")


def test_a_broker_that_is_no_redis_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIVAVOCE_CELERY_BROKER_URL", "amqp://localhost")

    with pytest.raises(SettingsError, match="CELERY_BROKER_URL: not a Redis URL"):
        load_settings()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_workers_share_the_days_and_judge_each_conversation_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("dagster_celery", reason="the extra `scale` is not installed")
    monkeypatch.setenv("VIVAVOCE_DAGSTER_STORAGE_URL", "")
    settings = write_data(tmp_path / "data")
    (tmp_path / "server").mkdir()
    with ExitStack() as stack:
        address = stack.enter_context(postgresql_server(tmp_path / "server"))
        broker = stack.enter_context(redis_server(tmp_path))
        judge, two_at_once = judge_of_two_at_once(DAYS)
        api_base = stack.enter_context(judge_server(judge))
        agent_file = settings.agents_dir / "shop-desk.yaml"
        agent_file.write_text(
            agent_file.read_text().replace(
                "llm: {model: scripted/model}",
                f"llm: {{model: openai/judge, api_base: {api_base!r}}}\n"
                "analysis: {summary: false}",
            )
        )
        settings = settings.model_copy(
            update={
                "store_url": f"postgresql+psycopg://{address}",
                "dagster_storage_url": f"postgresql://{address}",
                "celery_broker_url": broker,
            }
        )
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "OPENAI_API_KEY": "unused",
            "VIVAVOCE_DATA_DIR": str(settings.data_dir),
            "VIVAVOCE_STORE_URL": str(settings.store_url),
            "VIVAVOCE_DAGSTER_STORAGE_URL": f"postgresql+psycopg2://{address}",
            "VIVAVOCE_CELERY_BROKER_URL": broker,
            "DAGSTER_HOME": str(settings.dagster_instance_dir.resolve()),
        }
        prepare_instance(settings)
        with ConversationStore.open(str(settings.store_url)) as conversations:
            for number in range(len(DAYS) * 2):
                started_at = FIRST_DAY + timedelta(days=number // 2)
                question = f"How long do refunds take that I asked for on {started_at.date()}?"
                hold_call(conversations, f"c{number}", started_at=started_at, question=question)
        for name in ("one", "two"):
            stack.enter_context(worker(name, environment, tmp_path / f"worker-{name}.log"))

        runs = {day: stack.enter_context(materializing(day, environment, tmp_path)) for day in DAYS}
        for day, run in runs.items():
            assert run.wait(WAITS_S) == 0, (tmp_path / f"{day}.log").read_text()[-3_000:]
        assert two_at_once.is_set(), "one worker was idle while the other one judged"

        with AnalysisStore.open(str(settings.store_url)) as store:
            judged = store.evaluations([f"c{number}" for number in range(len(DAYS) * 2)])
        assert sorted(row.conversation_id for row in judged) == [f"c{n}" for n in range(8)]
        assert {row.verdict for row in judged} == {"success"}
        export_for_dagster(settings)
        with dg.DagsterInstance.from_config(prepare_instance(settings)) as instance:
            assert instance.get_materialized_partitions(dg.AssetKey("evaluations")) == set(DAYS)
            assert _workers(instance) == {"one", "two"}


def _workers(instance: dg.DagsterInstance) -> set[str]:
    """Names of the workers that executed a step, as their events tell."""
    names: set[str] = set()
    for run in instance.get_runs():
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            event = entry.dagster_event
            assert event is not None
            found = event.engine_event_data.metadata.get("Celery worker")
            if found is not None:
                names.add(str(found.value).partition("@")[0])
    return names
