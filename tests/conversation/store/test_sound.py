"""What is kept of a spoken turn."""

from datetime import UTC, datetime
from pathlib import Path

from conversation.store.store import ConversationStore
from conversation.transcript import TimedWord, Turn, TurnSound

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_spoken_turn_comes_back_with_its_words_and_its_waits(tmp_path: Path):
    sound = TurnSound(
        start_s=1.25,
        end_s=2.5,
        words=(TimedWord(start_char=0, end_char=5, start_s=1.25, end_s=1.6),),
        speech_end_to_decided_ms=200.0,
        speech_end_to_first_audio_ms=610.5,
    )
    with ConversationStore.open(f"sqlite:///{tmp_path}/calls.sqlite") as store:
        store.begin("conv_1", agent_id="desk", started_at=NOON)
        store.append_turn("conv_1", Turn(role="user", text="typed"), at=NOON)
        spoken = Turn(role="agent", text="Hello", offset_s=1.25, sound=sound)
        store.append_turn("conv_1", spoken, at=NOON)
        turns = store.transcript("conv_1").turns

        assert [turn.sound for turn in turns] == [None, sound]

        shorter = sound.model_copy(update={"end_s": 1.6})
        store.revise_turn("conv_1", turns[1].model_copy(update={"sound": shorter}), at=NOON)

        assert store.transcript("conv_1").turns[1].sound == shorter
