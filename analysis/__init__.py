"""Finished conversations in, evaluations and reports out. The only importer of duckdb.

    from analysis import analyse_transcript, open_reports

What stands here by name is what the package offers; it is loaded on first use. Inside are rooms:
`evaluation` plans and runs, `judge` asks for verdicts, `fields` for values, `labels` says how far
they can be believed, `store` keeps them; `warehouse` and `dictionary` publish them for `query` and
`report`; `topics` and `gaps` say what to improve; `privacy` says what judges do not get to see.
"""

from typing import TYPE_CHECKING

try:
    from kb.public_names import loaded_on_first_use
except ModuleNotFoundError as error:
    import kb

    raise ImportError(
        f"The package 'kb' of Viva Voce is hidden by {kb.__file__!r}. Rename "
        "that one, or start Python elsewhere with `python -P`."
    ) from error

if TYPE_CHECKING:
    from analysis.errors import (
        AnalysisError,
        BudgetError,
        ComparisonError,
        EmptyTranscriptError,
        ExportError,
        LabelError,
        LakeError,
        LineageError,
        PrivacyError,
        PublishError,
        QueryError,
        ReportsNotPublishedError,
    )
    from analysis.evaluation.analyse import analyse_transcript
    from analysis.labels.agreement import conversations_to_label
    from analysis.labels.labelling import LabellingSession
    from analysis.labels.paired import PairedDifference, paired_difference
    from analysis.labels.versions import compare_versions
    from analysis.reports import open_reports
    from analysis.results import (
        AnalysisResult,
        CollectedValue,
        Evaluation,
        Evidence,
        Label,
        Verdict,
    )
    from analysis.store.store import AnalysisStore
    from analysis.warehouse.lake_opening import Lake, open_lake

__all__ = [
    "AnalysisError",
    "AnalysisResult",
    "AnalysisStore",
    "BudgetError",
    "CollectedValue",
    "ComparisonError",
    "EmptyTranscriptError",
    "Evaluation",
    "Evidence",
    "ExportError",
    "Label",
    "LabelError",
    "LabellingSession",
    "Lake",
    "LakeError",
    "LineageError",
    "PairedDifference",
    "PrivacyError",
    "PublishError",
    "QueryError",
    "ReportsNotPublishedError",
    "Verdict",
    "analyse_transcript",
    "compare_versions",
    "conversations_to_label",
    "open_lake",
    "open_reports",
    "paired_difference",
]

_PLACES = {
    "Verdict": "analysis.results",
    "AnalysisError": "analysis.errors",
    "BudgetError": "analysis.errors",
    "ComparisonError": "analysis.errors",
    "EmptyTranscriptError": "analysis.errors",
    "ExportError": "analysis.errors",
    "LabelError": "analysis.errors",
    "LakeError": "analysis.errors",
    "LineageError": "analysis.errors",
    "PrivacyError": "analysis.errors",
    "PublishError": "analysis.errors",
    "QueryError": "analysis.errors",
    "ReportsNotPublishedError": "analysis.errors",
    "analyse_transcript": "analysis.evaluation.analyse",
    "conversations_to_label": "analysis.labels.agreement",
    "LabellingSession": "analysis.labels.labelling",
    "PairedDifference": "analysis.labels.paired",
    "paired_difference": "analysis.labels.paired",
    "compare_versions": "analysis.labels.versions",
    "open_reports": "analysis.reports",
    "AnalysisResult": "analysis.results",
    "CollectedValue": "analysis.results",
    "Evaluation": "analysis.results",
    "Evidence": "analysis.results",
    "Label": "analysis.results",
    "AnalysisStore": "analysis.store.store",
    "Lake": "analysis.warehouse.lake_opening",
    "open_lake": "analysis.warehouse.lake_opening",
}

if not TYPE_CHECKING:
    __getattr__ = loaded_on_first_use(__name__, _PLACES)


def __dir__() -> list[str]:
    return __all__
