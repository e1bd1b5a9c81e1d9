"""Logs, traces and metrics of a process, where the settings say. Nothing is sent unless set.

Logs hold ids, counts and durations. Traces and metrics go to an OpenTelemetry collector over gRPC;
metrics can also be read from the API server's `/metrics`.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from orchestration.errors import SettingsError
from orchestration.settings import Settings

OWN_LOGGERS = ("kb", "conversation", "analysis", "orchestration")
_SHOWN_FRAMES = 4
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class PlainLines(logging.Formatter):
    """Text a line: time, level, logger, message, and the place of an exception."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Render one record, without what an exception quotes of the work that it broke."""
        shown = logging.makeLogRecord({**record.__dict__, "msg": message_of(record), "args": None})
        shown.exc_info = shown.exc_text = shown.stack_info = None
        line = super().format(shown)
        place = place_of(record)
        return f"{line} [{place}]" if place else line


class JSONLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what `extra` gave."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
        }
        if _is_own(record):
            line |= {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = getattr(record.exc_info[0], "__name__", "")
            line["place"] = place_of(record).partition(" ")[2]
        return json.dumps(line, default=str)


def message_of(record: logging.LogRecord) -> str:
    """The message; of other libraries its first line, for what follows quotes exceptions."""
    text = record.getMessage()
    return text if _is_own(record) else text.partition("\n")[0]


def place_of(record: logging.LogRecord) -> str:
    """Kind and place of the record's exception: its message may quote what was worked on."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-_SHOWN_FRAMES:]]
    return " ".join([type(error).__name__, *places])


def _is_own(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OWN_LOGGERS


def configure_logs(settings: Settings, stream: TextIO = sys.stderr) -> None:
    """Let this project's own loggers write to `stream`; others only from warnings on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONLines() if settings.log_format == "json" else PlainLines())
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.WARNING)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(settings.log_level.upper())


def start_telemetry(settings: Settings, *, service: str) -> Callable[[], None]:
    """Send traces and metrics to `settings.otlp_endpoint`, and keep metrics for `metrics_text`.

    Call it once in a process.

    Returns:
        What to call at the end, so that nothing is lost.

    Raises:
        SettingsError: The exporter cannot be made.
    """
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    resource = Resource.create({"service.name": service})
    readers: list[Any] = [PrometheusMetricReader()]
    tracer_provider: Any = None
    if settings.otlp_endpoint is not None:
        spans, reader = _exporters(settings.otlp_endpoint)
        readers.append(reader)
        tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        tracer_provider.add_span_processor(spans)
        trace.set_tracer_provider(tracer_provider)
    meter_provider = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
    metrics.set_meter_provider(meter_provider)

    def stop() -> None:
        if tracer_provider is not None:
            tracer_provider.shutdown()
        meter_provider.shutdown()

    return stop


def metrics_text() -> tuple[bytes, str]:
    """Every metric of this process in Prometheus' format, and its media type."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return generate_latest(), CONTENT_TYPE_LATEST


def _exporters(endpoint: str) -> tuple[Any, Any]:
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    try:
        spans = BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint))
        return spans, PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=endpoint))
    except ValueError as error:
        raise SettingsError(
            f"VIVAVOCE_OTLP_ENDPOINT: {endpoint!r} cannot be used: {error}. Write the address of "
            "a collector, e.g. http://127.0.0.1:4317."
        ) from error
