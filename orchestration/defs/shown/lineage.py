"""Which column comes from which column of another asset, as Dagster shows it.

Told from the data dictionary alone: a column is followed where it is copied or names the same
thing. What is computed from words that were said, and what views make of the tables, has no entry.
"""

from collections.abc import Iterable, Mapping

import dagster as dg

from analysis.dictionary.schema import Table
from analysis.dictionary.tables import TABLES
from analysis.warehouse.load import columns_of_is_current, columns_of_report_day
from orchestration.defs.shown.schemas import COLUMNS, EXPORTED_TABLES, KEYS, SUPPLIERS, qualified

Origins = Mapping[str, tuple[tuple[str, str], ...]]
"""By column: (asset, column) pairs that it comes from."""

_OF_QUESTIONS = {"evaluations": "criterion", "collected_values": "field"}


def column_lineage(asset: str) -> dict[str, dg.TableColumnLineage]:
    """Metadata of an asset: for the definition, and for each materialization, which the UI reads.

    Raises:
        KeyError: No column of the asset is known to come from another asset's column.
    """
    lineage = {
        column: [
            dg.TableColumnDep(asset_key=dg.AssetKey(of), column_name=name) for of, name in all_
        ]
        for column, all_ in ORIGINS[asset].items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(lineage)}


def _of_conversations(asset: str) -> Origins:
    """What the asset has of the conversation that a row belongs to."""
    held = {column.name for column in COLUMNS[asset]}
    return {key.name: (("ended_conversations", key.name),) for key in KEYS if key.name in held}


def _of_questions(asset: str) -> Origins:
    question = _OF_QUESTIONS[asset]
    return {
        f"{question}_id": (("questions", "question_id"),),
        f"{question}_version": (("questions", "version"),),
    }


def _exported() -> Iterable[tuple[str, tuple[tuple[str, str], ...]]]:
    for table in EXPORTED_TABLES:
        for column in table.columns:
            origin = _first_with(SUPPLIERS.get(table.name, ()), column.name)
            if origin is None and column in KEYS:
                # No asset shows the other columns of this table, e.g. those of `turns`.
                origin = ("ended_conversations", column.name)
            if origin is not None:
                yield qualified(table, column.name), (origin,)


def _published() -> Iterable[tuple[str, tuple[tuple[str, str], ...]]]:
    for table in TABLES:
        for column in table.columns:
            if table in EXPORTED_TABLES:
                name = qualified(table, column.name)
                yield name, (("report_tables", name),)
            elif origin := _first_with(SUPPLIERS.get(table.name, ()), column.name):
                yield qualified(table, column.name), (origin,)
        if basis := columns_of_is_current(table):
            yield qualified(table, "is_current"), _in_report_tables(table, basis)
        if table in EXPORTED_TABLES and (basis := columns_of_report_day(table)):
            yield qualified(table, "report_day"), _in_report_tables(table, basis)


def _in_report_tables(table: Table, columns: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(("report_tables", qualified(table, column)) for column in columns)


def _first_with(assets: Iterable[str], column: str) -> tuple[str, str] | None:
    for asset in assets:
        if any(found.name == column for found in COLUMNS[asset]):
            return asset, column
    return None


ORIGINS: Mapping[str, Origins] = {
    **{asset: _of_conversations(asset) for asset in ("summaries", "call_metrics", "topics")},
    **{asset: {**_of_conversations(asset), **_of_questions(asset)} for asset in _OF_QUESTIONS},
    "report_tables": dict(_exported()),
    "reports": dict(_published()),
}
"""By asset. `documents`, `questions` and `ended_conversations` come from outside; of `chunk_index`
and `knowledge_gaps` no column is another asset's."""
