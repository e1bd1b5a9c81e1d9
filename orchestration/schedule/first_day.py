"""On which day partitions begin."""

import logging
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from conversation.errors import ConversationError
from conversation.store.database import READ_ONLY
from conversation.store.tables import conversations
from orchestration.deployment import Deployment
from orchestration.settings import Settings

BEFORE_ANY = date(2026, 1, 1)
"""While there is no conversation: what is imported then may be older than today."""

logger = logging.getLogger(__name__)


def first_day(settings: Settings) -> date:
    """The day (UTC) of the setting, else on which the first conversation ended that there is.

    A store that cannot be read is no reason to have no partitions; it is told in the log.
    """
    if settings.first_day is not None:
        return settings.first_day
    if settings.store_url is None and not settings.store.exists():
        return BEFORE_ANY
    try:
        with Deployment(settings) as deployment:
            found = _first_end(deployment.conversations.engine)
    except (SQLAlchemyError, ConversationError, OSError) as error:
        logger.warning(
            "partitions begin on %s, because the conversations cannot be read (%s)",
            BEFORE_ANY,
            type(error).__name__,
        )
        return BEFORE_ANY
    today = datetime.now(UTC).date()
    return BEFORE_ANY if found is None else min(found.astimezone(UTC).date(), today)


def _first_end(engine: sa.Engine) -> datetime | None:
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return connection.execute(sa.select(sa.func.min(conversations.c.ended_at))).scalar()
