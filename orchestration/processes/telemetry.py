"""Logs, traces and metrics of a process, where the settings say. Nothing is sent unless set.

Logs hold ids, counts and durations. Traces and metrics go to an OpenTelemetry collector over gRPC;
metrics can also be read from the API server's `/metrics`.
"""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from orchestration.errors import SettingsError
from orchestration.settings import Settings

OWN_LOGGERS = ("kb", "conversation", "analysis", "orchestration")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class JSONLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what `extra` gave."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info:
            # The place, not the message: it may quote what was being worked on.
            line["exception"] = getattr(record.exc_info[0], "__name__", "")
        return json.dumps(line, default=str)


def configure_logs(settings: Settings, stream: TextIO = sys.stderr) -> None:
    """Let this project's own loggers write to `stream`; others only from warnings on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        JSONLines()
        if settings.log_format == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    )
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
