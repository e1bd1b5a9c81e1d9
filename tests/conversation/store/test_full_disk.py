"""A store that has no room: one sentence, nothing acknowledged is lost, and on with room again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from conversation.errors import StoreUnavailableError
from conversation.store.store import ConversationStore
from conversation.transcript import Turn

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def _talk(store: ConversationStore, kept: list[str]) -> None:
    for number in range(2_000):
        text = f"swordfish {number} " + "x" * 3_000
        store.append_turn("c1", Turn(role="user", text=text), at=NOW)
        kept.append(text)


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path):
    room = [0]

    def bound(raw: Any, *_: object) -> None:
        # The engine's own bound of pages answers as a full disk does.
        raw.execute(f"PRAGMA max_page_count = {room[0] or 2**30}")

    with ConversationStore.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        event.listen(store.engine, "checkout", bound)
        store.begin("c1", agent_id="a", started_at=NOW)
        room[0] = 1
        kept: list[str] = []
        with pytest.raises(StoreUnavailableError) as full:
            _talk(store, kept)
        assert "full" in str(full.value)
        assert "free space" in str(full.value)
        assert "swordfish" not in f"{full.value}{full.value.__cause__}"
        assert [turn.text for turn in store.transcript("c1").turns] == kept

        room[0] = 0
        store.append_turn("c1", Turn(role="agent", text="Here again."), at=NOW)
        store.end("c1", reason="user_ended", at=NOW)
        assert [turn.text for turn in store.transcript("c1").turns] == [*kept, "Here again."]
