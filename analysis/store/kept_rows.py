"""What topics and gaps share in the analysis store: reading rows, and vectors as bytes."""

from typing import Any

import sqlalchemy as sa

from conversation.store.database import READ_ONLY
from kb.embedding.embedder import Vectors


def read_kept_rows(engine: sa.Engine, statement: sa.Executable) -> list[dict[str, Any]]:
    """Return the rows of a query by column name."""
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return [dict(row._mapping) for row in connection.execute(statement)]  # pyright: ignore[reportPrivateUsage]


def as_bytes(vector: Vectors) -> bytes:
    """Return a vector as it is stored."""
    import numpy as np

    return np.asarray(vector, dtype="<f4").tobytes()


def as_vector(stored: bytes) -> Vectors:
    """Return a stored vector."""
    import numpy as np

    return np.frombuffer(stored, dtype="<f4")
