"""Files that were written from the reports, so that what is forgotten can leave them too."""

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from analysis.errors import AnalysisError
from analysis.query.export import export_query
from analysis.report.text import render_report, report_as_markdown
from analysis.reports import open_reports
from kb.whole_file import write_whole
from orchestration.deployment import Deployment

REPORT_PAGE_PATH = "/report"
"""Of the API server."""


@dataclass(frozen=True, slots=True)
class KnownExport:
    """A file that was written here."""

    path: str
    """Absolute."""
    what: str
    """The table, view or query that it holds; a `ReportForm` as JSON for a report to look at."""
    exported_at: str
    """UTC."""


Form = Literal["html", "markdown"]


@dataclass(frozen=True, slots=True)
class ReportForm:
    """How the report to look at was written."""

    form: Form
    agent_id: str | None = None
    simulated: bool = False
    with_sql: bool = True


def export(deployment: Deployment, path: Path, query: str, *, now: datetime) -> int:
    """Write a table, a view or a query of the reports to a file, and remember that.

    Returns:
        The number of rows.
    """
    rows = export_query(deployment.reports_file, query, path)
    remember_export(deployment, path, query, now=now)
    return rows


def export_report(deployment: Deployment, path: Path, form: ReportForm, *, now: datetime) -> None:
    """Write the report to look at, and remember that."""
    _write_report(deployment, path, form, now)
    remember_export(deployment, path, json.dumps(asdict(form)), now=now)


def remember_export(deployment: Deployment, path: Path, what: str, *, now: datetime) -> None:
    """Note that `path` was written; the last note of a path counts."""
    export = KnownExport(str(path.resolve()), what, now.isoformat(timespec="seconds"))
    register = _register(deployment)
    with _alone(register):
        others = [known for known in _read(register) if known.path != export.path]
        _write(register, [*others, export])


def known_exports(deployment: Deployment) -> list[KnownExport]:
    """Files that were written here and are still where they were written to."""
    return [known for known in _read(_register(deployment)) if Path(known.path).is_file()]


def refresh_exports(deployment: Deployment, *, now: datetime) -> tuple[list[str], list[str]]:
    """Write every known export anew from the reports as they are now.

    Returns:
        Paths that were written, and paths that could not be, each with the reason.
    """
    written: list[str] = []
    failed: list[str] = []
    for known in known_exports(deployment):
        try:
            _write_again(deployment, known, now)
            written.append(known.path)
        except (AnalysisError, OSError) as error:
            failed.append(f"{known.path} ({type(error).__name__})")
    register = _register(deployment)
    if register.exists():
        with _alone(register):
            _write(register, [known for known in _read(register) if Path(known.path).is_file()])
    return written, failed


def write_report_page(deployment: Deployment, now: datetime) -> tuple[Path, Path]:
    """Write the published report as a page and as Markdown beside the published file."""
    from analysis.report.html import report_as_html

    html, markdown = page_files(deployment)
    with open_reports(deployment.reports_file) as connection:
        pages = {
            html: report_as_html(connection, generated_at=now),
            markdown: report_as_markdown(render_report(connection), with_sql=False),
        }
    for path, page in pages.items():
        write_whole(path, page)
    return html, markdown


def renew_report_page(deployment: Deployment, now: datetime) -> None:
    """Write the page anew where there is one: words that were deleted must not stay in it."""
    if any(page.exists() for page in page_files(deployment)):
        write_report_page(deployment, now)


def _write_again(deployment: Deployment, known: KnownExport, now: datetime) -> None:
    if known.what.startswith("{"):
        form = ReportForm(**json.loads(known.what))
        _write_report(deployment, Path(known.path), form, now)
    else:
        export_query(deployment.reports_file, known.what, Path(known.path))


def _write_report(deployment: Deployment, path: Path, form: ReportForm, now: datetime) -> None:
    with open_reports(deployment.reports_file) as connection:
        which: dict[str, Any] = {"agent_id": form.agent_id, "simulated": form.simulated}
        if form.form == "html":
            from analysis.report.html import report_as_html

            text = report_as_html(connection, generated_at=now, **which)
        else:
            report = render_report(connection, **which)
            text = report_as_markdown(report, with_sql=form.with_sql)
    write_whole(path, text)


def _alone(register: Path) -> AbstractContextManager[object]:
    # Loaded by whoever writes: most commands only read.
    from filelock import FileLock

    return FileLock(f"{register}.lock")


def _register(deployment: Deployment) -> Path:
    return deployment.settings.store / "exports.jsonl"


def _read(register: Path) -> list[KnownExport]:
    if not register.exists():
        return []
    lines = register.read_text("utf-8").splitlines()
    return [KnownExport(**json.loads(line)) for line in lines if line.strip()]


def _write(register: Path, exports: Iterable[KnownExport]) -> None:
    write_whole(register, "".join(f"{json.dumps(asdict(known))}\n" for known in exports))


def page_files(deployment: Deployment) -> tuple[Path, Path]:
    """Where the published report lies as a page and as Markdown, once it was written."""
    published = deployment.reports_file
    return published.with_suffix(".html"), published.with_suffix(".md")
