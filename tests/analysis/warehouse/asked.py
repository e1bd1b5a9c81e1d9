"""Published reports, asked. Shared by the tests."""

from datetime import date
from typing import Any

from analysis.reports import open_reports
from tests.analysis.calls import (
    Stores,
)

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


def ask(stores: Stores, sql: str) -> list[tuple[Any, ...]]:
    with open_reports(stores.reports) as reports:
        return reports.execute(sql).fetchall()


def ask_rows(stores: Stores, sql: str) -> list[dict[str, Any]]:
    with open_reports(stores.reports) as reports:
        found = reports.execute(sql)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
