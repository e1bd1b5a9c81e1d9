"""Columns of the reports as Dagster shows them: the data dictionary, said once."""

import dagster as dg

from analysis.warehouse_tables import Table


def column_schema(table: Table) -> dict[str, dg.TableSchema]:
    """Metadata of an asset whose rows end in `table`."""
    columns = [
        dg.TableColumn(column.name, column.type, description=column.comment)
        for column in table.all_columns
    ]
    return {"dagster/column_schema": dg.TableSchema(columns)}
