"""API keys and signatures in the conversation store."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from conversation.errors import StoreError
from conversation.server.keys.api_keys import ApiKey, key_id_of, matches
from conversation.store.database import READ_ONLY
from conversation.store.tables import api_keys, signing_secrets, used_signatures

USE_IS_NOTED_EVERY = timedelta(minutes=1)
_CONVERSATIONS = "conversations"


class AccessStore:
    """Who may come in. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine of an opened `ConversationStore`."""
        self._engine = engine

    def add_key(self, record: ApiKey) -> None:
        """Keep a new key's record."""
        with self._engine.begin() as connection:
            connection.execute(insert(api_keys).values(_row(record)))

    def keys(self) -> list[ApiKey]:
        """Every key, oldest first, also those that open nothing any more."""
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at)).all()
        return [_record(row) for row in rows]

    def revoke_key(self, key_id: str, *, now: datetime) -> bool:
        """Close a key for ever; False when there is none, or it was closed before."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(api_keys)
                .where(api_keys.c.key_id == key_id)
                .where(api_keys.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )
        return changed.rowcount > 0

    def find_key(self, key: str, *, now: datetime) -> ApiKey | None:
        """The record of a key that opens something now; its use is noted once a minute."""
        key_id = key_id_of(key)
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).first()
        record = None if row is None else _record(row)
        if not matches(key, record) or record is None or record.state(now) != "active":
            return None
        if record.last_used_at is None or now - record.last_used_at >= USE_IS_NOTED_EVERY:
            with self._engine.begin() as connection:
                connection.execute(
                    update(api_keys)
                    .where(api_keys.c.key_id == record.key_id)
                    .values(last_used_at=now)
                )
        return record

    def signing_secret(self, *, now: datetime) -> bytes:
        """What this store's servers sign with; made on first use."""
        found = self._secret()
        if found is None:
            made = {"name": _CONVERSATIONS, "secret": secrets.token_hex(32), "created_at": now}
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(signing_secrets).values(made))
            except IntegrityError:
                pass  # another server was faster, and its secret is the one
            found = self._secret()
        if found is None:
            raise StoreError("The store did not keep the signing secret; check its permissions.")
        return bytes.fromhex(found)

    def use_once(self, signature_id: str, *, expires_at: datetime, now: datetime) -> bool:
        """Use up a signature; False when that was done before."""
        row = {"signature_id": signature_id, "expires_at": expires_at}
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    delete(used_signatures).where(used_signatures.c.expires_at < now)
                )
                connection.execute(insert(used_signatures).values(row))
        except IntegrityError:
            return False
        return True

    def _secret(self) -> str | None:
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            return connection.execute(
                select(signing_secrets.c.secret).where(signing_secrets.c.name == _CONVERSATIONS)
            ).scalar_one_or_none()


def _row(record: ApiKey) -> dict[str, Any]:
    return {
        "key_id": record.key_id,
        "name": record.name,
        "sha256": record.sha256,
        "scopes": list(record.scopes),
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "last_used_at": record.last_used_at,
        "revoked_at": record.revoked_at,
    }


def _record(row: Any) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        name=row.name,
        sha256=row.sha256,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
