"""Traces and metrics reach a collector on a real socket; nothing that was said is among them."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from orchestration.errors import SettingsError
from orchestration.processes.telemetry import OWN_LOGGERS, configure_logs
from orchestration.settings import Settings, load_settings
from tests.conftest import REPOSITORY

CONVERSATION = """
import sys
from pathlib import Path
from conversation.agent.config import AgentConfig
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from orchestration.settings import Settings
from orchestration.processes.telemetry import metrics_text, start_telemetry
from tests.fakes import ScriptedChatModel

stop = start_telemetry(Settings(otlp_endpoint=sys.argv[1]), service="vivavoce-test")
agent = AgentConfig(agent_id="desk", name="Desk", llm={"model": "scripted/model"})
with ConversationStore.open(f"sqlite:///{sys.argv[2]}") as store:
    session = Session.start(
        agent, store=store, chat_model=ScriptedChatModel("The word is plumtree.")
    )
    list(session.reply("Is it plumtree?"))
    session.end()
sys.stdout.write(metrics_text()[0].decode())
stop()
"""


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    """An OpenTelemetry collector that keeps what it is sent."""
    import grpc
    from opentelemetry.proto.collector.metrics.v1 import (
        metrics_service_pb2,
        metrics_service_pb2_grpc,
    )
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

    received: list[Any] = []

    class Traces(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
            received.append(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
            received.append(request)
            return metrics_service_pb2.ExportMetricsServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Traces(), server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(Metrics(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", received
    finally:
        server.stop(None).wait()


@pytest.mark.slow
def test_a_turn_is_traced_and_counted_without_its_words(tmp_path: Path):
    with collector() as (endpoint, received):
        done = subprocess.run(
            [sys.executable, "-c", CONVERSATION, endpoint, str(tmp_path / "store.sqlite")],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    spans = [
        span
        for request in received
        for resource in getattr(request, "resource_spans", [])
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    by_name = {span.name: span for span in spans}
    assert set(by_name) == {"turn", "llm answer"}
    assert by_name["llm answer"].parent_span_id == by_name["turn"].span_id
    attributes = {pair.key: pair.value.string_value for pair in by_name["turn"].attributes}
    assert attributes["agent_id"] == "desk"
    assert attributes["conversation_id"].startswith("conv_")
    sent = str(received)
    assert "vivavoce_turns" in sent
    assert "plumtree" not in sent
    assert (
        'vivavoce_turns_total{agent_id="desk",otel_scope_name="vivavoce.conversation"'
        in done.stdout
    )


def test_json_logs_are_one_object_a_line_and_quote_no_exception():
    stream = io.StringIO()
    configure_logs(Settings(log_format="json"), stream)

    logging.getLogger("conversation.server").info("ended", extra={"conversation_id": "conv_1"})
    try:
        raise ValueError("plumtree")
    except ValueError:
        logging.getLogger("analysis").exception("%d failed", 1)
    logging.getLogger("somebody.else").info("chatter")

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["level"], first["message"], first["conversation_id"]) == (
        "info",
        "ended",
        "conv_1",
    )
    assert (second["message"], second["exception"]) == ("1 failed", "ValueError")
    assert "plumtree" not in stream.getvalue()


@pytest.mark.hostile
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_format_prints_what_an_exception_quotes(log_format: Literal["text", "json"]):
    stream = io.StringIO()
    configure_logs(Settings(log_format=log_format), stream)
    try:
        try:
            raise KeyError("plumtree")
        except KeyError as cause:
            raise ValueError("body: plumtree") from cause
    except ValueError as error:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
        logging.getLogger("analysis").error("failed", exc_info=True, stack_info=True)
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: %r", error)
        logging.getLogger("other").error("failed", extra={"body": "plumtree"})

    shown = stream.getvalue()
    assert "plumtree" not in shown
    assert len(shown.splitlines()) == 4
    assert shown.count("ValueError") == 2
    assert "test_telemetry.py:" in shown


def test_the_level_is_a_setting():
    stream = io.StringIO()
    configure_logs(Settings(log_level="warning"), stream)

    logging.getLogger("kb").info("one")
    logging.getLogger("kb").warning("two")

    assert stream.getvalue().rstrip().endswith("WARNING kb two")


def test_an_endpoint_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIVAVOCE_OTLP_ENDPOINT", "collector:4317")

    with pytest.raises(SettingsError, match="VIVAVOCE_OTLP_ENDPOINT: not the address of a server"):
        load_settings()
