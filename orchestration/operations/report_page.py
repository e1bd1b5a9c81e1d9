"""The published report as files beside it: a page to open, print or mail, and its Markdown twin."""

from datetime import datetime
from pathlib import Path

from analysis.report.html import report_as_html
from analysis.report.text import render_report, report_as_markdown
from analysis.reports import open_reports
from orchestration.deployment import Deployment


def write_report_page(deployment: Deployment, now: datetime) -> tuple[Path, Path]:
    """Write the published report as a page and as Markdown beside the published file."""
    html, markdown = _pages(deployment)
    with open_reports(deployment.reports_file) as connection:
        pages = {
            html: report_as_html(connection, generated_at=now),
            markdown: report_as_markdown(render_report(connection), with_sql=False),
        }
    for path, page in pages.items():
        following = path.with_name(f"{path.name}.next")
        following.write_text(page, "utf-8")
        following.replace(path)
    return html, markdown


def renew_report_page(deployment: Deployment, now: datetime) -> None:
    """Write the page anew where there is one: words that were deleted must not stay in it."""
    if any(page.exists() for page in _pages(deployment)):
        write_report_page(deployment, now)


def _pages(deployment: Deployment) -> tuple[Path, Path]:
    published = deployment.reports_file
    return published.with_suffix(".html"), published.with_suffix(".md")
