"""Errors raised by analysis.

* AnalysisError
  x EmptyTranscriptError     a conversation without turns cannot be judged
  x ReportsNotPublishedError there is no published file yet
  x BudgetError              a budget that cannot be kept; nothing was asked
  x PublishError             a file of the warehouse cannot be read; the published file stays
    x DamagedFileError       it can be made again from the stores
  x QueryError               SQL on the reports cannot be run
  x ExportError              a table cannot be written to the file that was asked for
  x LineageError             `why` was asked for something that does not exist
  x ReasonError              there is no verdict whose reason a judge could be asked for
  x LabelError               labels that cannot be used; says file and line
  x LakeError                a lake cannot be opened or written
  x ComparisonError          versions of a criterion that cannot be compared
  x EvaluatorError           a criterion that code decides cannot be used as it is written
  x PrivacyError             personal data cannot be masked as the agent file asks
"""

from collections.abc import Sequence
from pathlib import Path


class AnalysisError(Exception):
    """Base class, so that a caller can catch everything this package raises on purpose."""


class EmptyTranscriptError(AnalysisError):
    """A conversation without turns cannot be judged."""


class ReportsNotPublishedError(AnalysisError):
    """There is no published reports file yet."""


class BudgetError(AnalysisError):
    """A budget that cannot be kept. No judge was asked."""


class PublishError(AnalysisError):
    """A file of the warehouse cannot be read. What was published before stays in place."""


class DamagedFileError(PublishError):
    """Files of the warehouse cannot be read; they can be made again from the stores."""

    def __init__(self, message: str, paths: Sequence[Path]) -> None:
        super().__init__(message)
        self.paths = paths


class ExportError(AnalysisError):
    """A table cannot be written to the file that was asked for."""


class LineageError(AnalysisError):
    """`why` was asked for a conversation, criterion or field that does not exist."""


class ReasonError(AnalysisError):
    """There is no verdict whose reason a judge could be asked for. No judge was asked."""


class QueryError(AnalysisError):
    """SQL on the published reports cannot be run."""


class LabelError(AnalysisError):
    """Labels that cannot be used. Nothing was saved."""


class LakeError(AnalysisError):
    """A lake cannot be opened or written; it is as it was."""


class EvaluatorError(AnalysisError):
    """A criterion that code decides cannot be used as it is written."""


class ComparisonError(AnalysisError):
    """Versions of a criterion that cannot be compared."""


class PrivacyError(AnalysisError):
    """Personal data cannot be masked as the agent file asks; nothing is judged unmasked."""
