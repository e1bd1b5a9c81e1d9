from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conversation.server.keys.api_keys import digest, key_id_of, known_scopes, matches, new_key
from conversation.server.keys.key_store import AccessStore
from conversation.store.store import ConversationStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def access(tmp_path: Path) -> Iterator[AccessStore]:
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        yield AccessStore(store.engine)


def test_a_key_is_long_random_and_kept_as_a_digest():
    key, record = new_key("web", ["read"], now=NOON)
    other, _ = new_key("web", ["read"], now=NOON)

    assert key.startswith(f"vv_{record.key_id}_")
    assert key != other
    assert len(key.rpartition("_")[2]) == 48
    assert record.sha256 == digest(key)
    assert key.rpartition("_")[2] not in repr(record)


def test_admin_is_good_for_everything_and_others_for_themselves():
    _, admin = new_key("a", ["admin"], now=NOON)
    _, reader = new_key("b", ["read"], now=NOON)

    assert all(admin.allows(scope) for scope in known_scopes(["ingest", "converse", "label"]))
    assert reader.allows("read")
    assert not reader.allows("ingest")


@pytest.mark.parametrize("key", ["", "vv_1", "xx_1_2", "vv_1_2_3", "vv_1_" + "a" * 400, "ü"])
def test_what_has_not_the_form_of_a_key_has_no_id(key: str):
    assert key_id_of(key) is None


def test_a_key_without_a_record_matches_nothing():
    assert not matches("vv_1_2", None)


def test_unknown_scopes_are_named():
    with pytest.raises(ValueError, match=r"no such scope: write; choose from ingest, converse"):
        known_scopes(["read", "write"])


def test_a_stored_key_is_found_and_its_use_is_noted_once_a_minute(access: AccessStore):
    key, record = new_key("web", ["read"], now=NOON)
    access.add_key(record)

    assert access.find_key(key, now=NOON) == record
    assert access.find_key(key, now=NOON + timedelta(seconds=5)) is not None
    assert access.keys()[0].last_used_at == NOON
    assert access.find_key(key, now=NOON + timedelta(minutes=2)) is not None
    assert access.keys()[0].last_used_at == NOON + timedelta(minutes=2)


def test_wrong_revoked_and_expired_keys_open_nothing(access: AccessStore):
    key, record = new_key("web", ["read"], now=NOON, expires_at=NOON + timedelta(days=1))
    access.add_key(record)

    assert access.find_key(key[:-1] + ("0" if key[-1] != "0" else "1"), now=NOON) is None
    assert access.find_key("vv_000000000000_" + "0" * 48, now=NOON) is None
    assert access.find_key(key, now=NOON + timedelta(days=1)) is None
    assert access.revoke_key(record.key_id, now=NOON)
    assert not access.revoke_key(record.key_id, now=NOON)
    assert access.find_key(key, now=NOON) is None
    assert access.keys()[0].state(NOON) == "revoked"


def test_two_servers_on_one_store_sign_with_one_secret(access: AccessStore):
    first = access.signing_secret(now=NOON)

    assert access.signing_secret(now=NOON) == first
    assert len(first) == 32


def test_a_signature_is_used_once_until_it_has_expired(access: AccessStore):
    until = NOON + timedelta(minutes=15)

    assert access.use_once("s1", expires_at=until, now=NOON)
    assert not access.use_once("s1", expires_at=until, now=NOON)
    assert access.use_once("s2", expires_at=until, now=NOON)
    assert access.use_once("s3", expires_at=until, now=until + timedelta(seconds=1))
    assert access.use_once("s1", expires_at=until, now=until + timedelta(seconds=1))
