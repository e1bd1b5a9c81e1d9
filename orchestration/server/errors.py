"""What analysis cannot do, as HTTP answers."""

from collections.abc import Generator
from contextlib import contextmanager

from analysis.errors import (
    AnalysisError,
    LabelError,
    LineageError,
    QueryError,
    ReportsNotPublishedError,
)
from conversation.server.errors import ApiError

_ANSWERS: dict[type[AnalysisError], tuple[int, str]] = {
    ReportsNotPublishedError: (409, "reports_not_published"),
    LineageError: (404, "not_found"),
    LabelError: (404, "not_found"),
    QueryError: (422, "query_failed"),
}


@contextmanager
def told() -> Generator[None]:
    """Answer errors of analysis as the routes of the protocol answer theirs."""
    try:
        yield
    except AnalysisError as error:
        for kind, (code, status) in _ANSWERS.items():
            if isinstance(error, kind):
                raise ApiError(code, status, str(error)) from error
        raise
