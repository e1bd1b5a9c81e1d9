"""Questions about the analysis store as a whole: what was spent, and what belongs to nobody."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from analysis import tables
from conversation.database import READ_ONLY
from conversation.transcript import Usage


def usage_since(engine: sa.Engine, moment: datetime) -> list[Usage]:
    """What the judges of every run since `moment` used."""
    table = tables.analysis_runs
    query = sa.select(table.c.usage).where(table.c.evaluated_at >= moment)
    with engine.connect().execution_options(**READ_ONLY) as connection:
        found = [row.usage for row in connection.execute(query)]
    return [Usage.model_validate(usage) for usage in found if usage is not None]


def orphans(engine: sa.Engine, known: Collection[str]) -> list[tuple[str, int]]:
    """Tables with rows of conversations that are not `known`, and how many rows."""
    ids = set(known)
    found: Counter[str] = Counter()
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for table in tables.metadata.sorted_tables:
            if "conversation_id" not in table.c:
                continue
            column = table.c.conversation_id
            query = sa.select(column, sa.func.count()).group_by(column)
            for conversation_id, count in connection.execute(query):
                if conversation_id not in ids:
                    found[table.name] += count
    return sorted(found.items())
