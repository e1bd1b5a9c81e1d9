"""Reports by name: each table and view of the published file, narrowed by values of its columns."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel

from analysis.dictionary.schema import Column
from analysis.dictionary.tables import TABLES
from analysis.dictionary.views import VIEWS
from analysis.query.sql import query_rows
from analysis.reports import open_reports
from conversation.server.access.admission import require
from conversation.server.errors import ApiError, not_found
from conversation.server.keys.api_keys import ApiKey
from conversation.server.parameters import ANY_PARAMETER
from orchestration.deployment import Deployment
from orchestration.server.errors import told

CanRead = Annotated[ApiKey, Depends(require("read"))]
TIMEOUT_S = 10.0
MEMORY = "512MB"
THREADS = 1
"""A query must not take the machine from the conversations."""
MOST_ROWS = 10_000
_OWN_PARAMETERS = frozenset({"limit", "offset", "since", "until"})

COLUMNS: dict[str, tuple[Column, ...]] = {
    **{view.name: view.columns for view in VIEWS},
    **{table.name: tuple(table.all_columns) for table in TABLES},
}
_COMMENTS = {each.name: each.comment for each in (*VIEWS, *TABLES)}


class ReportColumnItem(BaseModel):
    """One column: its DuckDB type, and what it holds."""

    name: str
    type: str
    comment: str


class ReportItem(BaseModel):
    """A report that can be asked for."""

    name: str
    comment: str
    columns: list[ReportColumnItem]


class ReportNames(BaseModel):
    """Every report."""

    reports: list[ReportItem]


class ReportRows(BaseModel):
    """Rows of a report."""

    name: str
    columns: list[str]
    rows: list[list[Any]]
    has_more: bool
    """Whether `limit` cut it: go on with `offset`."""


def router(deployment: Deployment) -> APIRouter:
    """The routes over `deployment`."""
    routes = APIRouter(prefix="/api/reports", tags=["reports"])

    @routes.get("", operation_id="list_reports")
    def list_reports(_key: CanRead) -> ReportNames:
        """What can be asked for, and what each column means."""
        return ReportNames(
            reports=[
                ReportItem(
                    name=name,
                    comment=_COMMENTS[name],
                    columns=[
                        ReportColumnItem(name=c.name, type=c.type, comment=c.comment)
                        for c in columns
                    ],
                )
                for name, columns in sorted(COLUMNS.items())
            ]
        )

    @routes.get(
        "/{name}",
        operation_id="get_report",
        openapi_extra={ANY_PARAMETER: True},
        responses={
            404: {"description": "There is no such report."},
            409: {"description": "Nothing is published yet."},
        },
    )
    def get_report(
        name: Annotated[str, Path(max_length=64)],
        request: Request,
        _key: CanRead,
        since: Annotated[date | None, Query(description="`day` on this day or later.")] = None,
        until: Annotated[date | None, Query(description="`day` on this day or before.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 1_000,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> ReportRows:
        """Rows of one report. `?COLUMN=VALUE` narrows it by any of its columns, e.g. `agent_id`."""
        equal = {
            key: value for key, value in request.query_params.items() if key not in _OWN_PARAMETERS
        }
        sql, values = report_sql(name, equal, since=since, until=until)
        with (
            told(),
            open_reports(
                deployment.reports_file, memory_limit=MEMORY, threads=THREADS
            ) as connection,
        ):
            columns, rows = query_rows(
                connection,
                f"{sql} LIMIT {limit + 1} OFFSET {offset}",
                values,
                timeout_s=TIMEOUT_S,
            )
        return ReportRows(
            name=name,
            columns=columns,
            rows=[list(row) for row in rows[:limit]],
            has_more=len(rows) > limit,
        )

    return routes


def report_sql(
    name: str, equal: dict[str, str], *, since: date | None, until: date | None
) -> tuple[str, list[str | date]]:
    """The query for a report, and its parameters. Names come from the code, values never do.

    Raises:
        ApiError: There is no such report or column.
    """
    if name not in COLUMNS:
        raise not_found("report", name)
    known = [column.name for column in COLUMNS[name]]
    wanted = set(equal) | ({"day"} if since or until else set[str]())
    unknown = sorted(wanted - set(known))
    if unknown:
        wrong = ", ".join(repr(each[:64]) for each in unknown)
        raise ApiError(
            422, "unknown_column", f"{name} has no column {wrong}; it has {', '.join(known)}."
        )
    conditions = [f'"{column}"::VARCHAR = ?' for column in equal]
    values: list[str | date] = list(equal.values())
    for bound, sign in ((since, ">="), (until, "<=")):
        if bound is not None:
            conditions.append(f"day {sign} ?")
            values.append(bound)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    # Of one file every page is cut from the same rows in the same order.
    return f'SELECT * FROM "{name}"{where} ORDER BY ALL', values
